"""The interface between a venue's decoder and its sink: plain calls, no event objects for an update."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from arbtui.model.book import Level
from arbtui.model.errors import WireError
from arbtui.model.order import Side

#: What decoding raises for a frame or an answer that cannot be read.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class MarketDataSink(Protocol):
    """Receives decoded market data of one exchange. ``code`` is the venue's market code, ``ts_event`` venue ms (0: none)."""

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        """A whole book, best first."""
        ...

    def on_diff(
        self, code: str, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level], ts_event: int
    ) -> None:
        """Changed levels. ``prev_id`` is the last id of the update before (USD-M ``pu``), or -1 where the venue sends none."""
        ...

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        """Best prices only (Binance bookTicker)."""
        ...

    def on_trade(self, code: str, trade_id: str, price: float, qty: float, taker: Side, ts_event: int) -> None:
        """A public trade; ``taker`` is the aggressor's side."""
        ...

    def on_other(self, kind: str) -> None:
        """A frame of a known type that is not used (kline, 24h ticker, status, ...)."""
        ...


class WireDecoder(Protocol):
    """Decodes one venue's frames into a sink."""

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame.

        Raises:
            WireError: malformed, truncated or of another venue; nothing reached the sink.
        """
        ...

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Decode a REST depth answer of market ``code``; raises WireError likewise."""
        ...


def not_json(raw: bytes, error: Exception) -> WireError:
    """The error of an answer or frame that could not be parsed; a web page (a proxy's, a block page) has its own kind."""
    return WireError("html" if raw[:64].lstrip()[:1] == b"<" else "json", str(error))
