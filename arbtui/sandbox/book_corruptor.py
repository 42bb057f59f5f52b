"""Rewrites whole frames to invalid books, for the faults ``bad_book`` and ``price``."""

import json
from collections.abc import Callable
from typing import Any, Literal

How = Literal["crossed", "locked", "empty", "nan", "zero", "negative", "tiny"]

_Prices = Callable[[float, float], tuple[float, float]]  #: real (bid, ask) -> (bid, ask) as sent

_WAYS: dict[How, _Prices] = {
    "crossed": lambda bid, ask: (ask * 1.01, bid * 0.99),
    "locked": lambda bid, ask: (ask, ask),
    "empty": lambda bid, ask: (bid, 0.0),
    "nan": lambda bid, ask: (float("nan"), ask),
    "zero": lambda bid, ask: (0.0, 0.0),
    "negative": lambda bid, ask: (-bid, -ask),
    "tiny": lambda bid, ask: (1e-12, 1e-12),
}


def corrupted(raw: bytes, how: How) -> bytes:
    """A frame of a book whose prices are bad in one way; where a side is ``empty``, its quantities are 0 too."""
    return _rewritten(raw, _WAYS[how], empty=how == "empty")


def multiplied(raw: bytes, factor: float) -> bytes:
    """A frame of a book with every price ``factor`` times as high."""
    return _rewritten(raw, lambda bid, ask: (bid * factor, ask * factor))


def _rewritten(raw: bytes, prices: _Prices, *, empty: bool = False) -> bytes:
    frame: dict[str, Any] = json.loads(raw)
    if "orderbook_units" in frame:  # Upbit: the n-th best bid beside the n-th best ask, as numbers
        for unit in frame["orderbook_units"]:
            unit["bid_price"], unit["ask_price"] = prices(unit["bid_price"], unit["ask_price"])
            if unit["bid_price"] != unit["bid_price"]:
                unit["bid_price"] = "NaN"  # a bare NaN is not JSON, and would not pass the first parser
            if empty:
                unit["ask_size"] = 0.0
        return json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    data: dict[str, Any] = frame["data"]
    if "B" in data:  # Binance, best prices, as text
        bid, ask = prices(float(data["b"]), float(data["a"]))
        data["b"], data["a"] = _text(bid), _text(ask)
        if empty:
            data["A"] = "0.00000000"
    else:  # Binance, changed levels: each is sent as if it were the best of its side
        data["b"] = [[_text(prices(float(price), float(price))[0]), qty] for price, qty in data["b"]]
        data["a"] = [[_text(prices(float(price), float(price))[1]), qty] for price, qty in data["a"]]
    return json.dumps(frame, separators=(",", ":")).encode()


def _text(price: float) -> str:
    return f"{price:.12f}"
