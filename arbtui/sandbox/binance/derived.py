"""Streams derived from others: aggTrade, ticker, miniTicker, and the first levels of a book (``depth5``, ``depth10``, ``depth20``)."""

from typing import Any

import msgspec

from arbtui.sandbox.answer import encode
from arbtui.sandbox.binance.market_data import BinanceMarketData
from arbtui.sandbox.fanout import Fanout

_LEVELS = (5, 10, 20)


class DerivedStreams:
    """Puts the subscribed ones into the fanout of the public streams."""

    def __init__(self, fanout: Fanout[bool], data: BinanceMarketData) -> None:
        self._fanout = fanout
        self._data = data
        self._seen, self._wanted = -1, False

    @property
    def are_wanted(self) -> bool:
        """Whether a client subscribes to one that follows a frame."""
        if self._seen != self._fanout.changes:
            self._seen = self._fanout.changes
            self._wanted = any(_is_derived(name) for _, name in self._fanout.keys)
        return self._wanted

    def on_frame(self, code: str, kind: str, raw: bytes) -> None:
        """One frame of the market was sent."""
        lower = code.lower()
        if kind == "trade" and self._fanout.is_wanted(("", f"{lower}@aggTrade")):
            trade = msgspec.json.decode(raw)["data"]
            self._put(f"{lower}@aggTrade", {
                "e": "aggTrade", "E": trade["E"], "s": trade["s"], "a": trade["t"], "p": trade["p"], "q": trade["q"], "f": trade["t"],
                "l": trade["t"], "T": trade["T"], "m": trade["m"], "M": True,
            })  # fmt: skip
        elif kind == "depth@100ms":
            for levels in _LEVELS:
                name = f"{lower}@depth{levels}@100ms"
                if self._fanout.is_wanted(("", name)):
                    self._put(name, self._data.top(code.upper(), levels))

    def every_second(self) -> None:
        """Send the tickers."""
        for _, name in list(self._fanout.keys):
            code, _, kind = name.partition("@")
            if kind in ("ticker", "miniTicker") and self._data.knows(code.upper()):
                self._put(name, self._data.ticker_event(code.upper(), kind))

    def _put(self, name: str, data: dict[str, Any]) -> None:
        self._fanout.put(("", name), b'{"stream":"%b","data":%b}' % (name.encode(), encode(data)))


def _is_derived(name: str) -> bool:
    kind = name.partition("@")[2]
    return kind == "aggTrade" or kind.removesuffix("@100ms") in ("depth5", "depth10", "depth20")
