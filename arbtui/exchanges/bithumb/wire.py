"""Decoder of Bithumb's public WebSocket, current generation: ``orderbook`` and ``trade`` in the format DEFAULT.

Sources: apidocs.bithumb.com, reference/호가-orderbook (2026-08-13) and reference/체결-trade; what the documents leave open was probed on
2026-09-23 by nemanull/arbitrage-observatory (docs/venues/bithumb/websocket.md @ 2cbe7062). Every order book frame is a whole book of at
most 15 levels: there is no number and nothing can be missing. Frames are UTF-8 JSON, sent as binary. A side with fewer levels is padded
with price 0. Sizes are printed with four decimals: a level of less stands there with its price and size 0, at the touch too, and cannot
be traded on. The book's timestamp is in microseconds, a trade's in milliseconds.

The messages of the generation before (``orderbookdepth``, ``transaction``) are named, and not read: that socket has other market codes.
"""

from typing import Any

from arbtui.exchanges.frame_decoder import Reading
from arbtui.exchanges.wire import MarketDataSink
from arbtui.exchanges.won.wire import BOOK_START, TRADE_START, Book, WonDecoder, kind_of, ms_of, read_book, read_trade


class BithumbDecoder(WonDecoder):
    """Decodes Bithumb frames into ``sink``. Bithumb's updates have no number: update ids are 0."""

    __slots__ = ("_readings",)

    def __init__(self, sink: MarketDataSink) -> None:
        book, trade = (read_book, self._take_book), (read_trade, self._take_trade)
        self._readings: dict[str, Reading] = {"orderbook": book, "trade": trade}
        super().__init__(sink, ((BOOK_START, book), (TRADE_START, trade)))

    def _take_book(self, book: Book) -> None:
        units = book.units
        bids = [(unit.bid, unit.bid_qty) for unit in units if unit.bid > 0.0 and unit.bid_qty > 0.0]
        asks = [(unit.ask, unit.ask_qty) for unit in units if unit.ask > 0.0 and unit.ask_qty > 0.0]
        self._sink.on_snapshot(book.code, bids, asks, ms_of(book.timestamp), 0)

    def _reading_of(self, message: Any) -> tuple[str, Reading | None]:
        kind, _ = kind_of(message, ("type",), ("status", "error"))
        return kind, self._readings.get(kind)
