"""Binance's frames of books with other prices, which are text."""

import json
from typing import Any

from arbtui.sandbox.book_corruptor import Prices


def rewritten(raw: bytes, prices: Prices, empty: bool) -> bytes:
    """See :meth:`~arbtui.sandbox.venue.Venue.rewritten`; each changed level is sent as if it were the best of its side."""
    frame: dict[str, Any] = json.loads(raw)
    data: dict[str, Any] = frame["data"]
    if "B" in data:  # best prices
        bid, ask = prices(float(data["b"]), float(data["a"]))
        data["b"], data["a"] = _text(bid), _text(ask)
        if empty:
            data["A"] = "0.00000000"
    else:
        data["b"] = [[_text(prices(float(price), float(price))[0]), qty] for price, qty in data["b"]]
        data["a"] = [[_text(prices(float(price), float(price))[1]), qty] for price, qty in data["a"]]
    return json.dumps(frame, separators=(",", ":")).encode()


def _text(price: float) -> str:
    return f"{price:.12f}"
