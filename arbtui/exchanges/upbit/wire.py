"""Decoder of Upbit's public WebSocket: ``orderbook`` and ``trade``, formats DEFAULT and SIMPLE (docs.upbit.com, WebSocket).

Every order book frame is a whole book. Frames are UTF-8 JSON, sent as binary. Prices may carry exponents (``1.16539E8``), a
side with fewer levels is padded with price 0, and timestamps are ms, though 16-digit microseconds have been seen.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.frame_decoder import Reading
from arbtui.exchanges.numbers import PaddedPrice, Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import MarketDataSink
from arbtui.exchanges.won.wire import BOOK_START, TRADE_START, Book, WonDecoder, kind_of, ms_of, read_book, read_trade

_SHORT_BOOK_START = b'{"ty":"orderbook"'
_SHORT_TRADE_START = b'{"ty":"trade"'


class _ShortUnit(Struct, gc=False):
    ask: PaddedPrice = field(name="ap")
    bid: PaddedPrice = field(name="bp")
    ask_qty: Quantity = field(name="as")
    bid_qty: Quantity = field(name="bs")


class _ShortBook(Struct, gc=False):
    kind: Literal["orderbook"] = field(name="ty")
    code: str = field(name="cd")
    units: list[_ShortUnit] = field(name="obu")
    timestamp: Timestamp = field(name="tms", default=0)


class _ShortTrade(Struct, gc=False):
    kind: Literal["trade"] = field(name="ty")
    code: str = field(name="cd")
    price: Price = field(name="tp")
    qty: Quantity = field(name="tv")
    taker: Literal["ASK", "BID"] = field(name="ab")
    trade_id: Sequence = field(name="sid")
    traded_at: Timestamp = field(name="ttms", default=0)


_read_short_book = msgspec.json.Decoder(_ShortBook, strict=False).decode
_read_short_trade = msgspec.json.Decoder(_ShortTrade, strict=False).decode


class UpbitDecoder(WonDecoder):
    """Decodes Upbit frames into ``sink``. Upbit's updates have no number: update ids are 0."""

    __slots__ = ("_readings", "_short_readings")

    def __init__(self, sink: MarketDataSink) -> None:
        book, trade = (read_book, self._take_book), (read_trade, self._take_trade)
        short_book, short_trade = (_read_short_book, self._take_book), (_read_short_trade, self._take_trade)
        self._readings: dict[str, Reading] = {"orderbook": book, "trade": trade}
        self._short_readings: dict[str, Reading] = {"orderbook": short_book, "trade": short_trade}
        by_start = ((BOOK_START, book), (TRADE_START, trade), (_SHORT_BOOK_START, short_book), (_SHORT_TRADE_START, short_trade))
        super().__init__(sink, by_start)

    def _take_book(self, book: Book | _ShortBook) -> None:
        units = book.units
        bids = [(unit.bid, unit.bid_qty) for unit in units if unit.bid > 0.0]
        asks = [(unit.ask, unit.ask_qty) for unit in units if unit.ask > 0.0]
        self._sink.on_snapshot(book.code, bids, asks, ms_of(book.timestamp), 0)

    def _reading_of(self, message: Any) -> tuple[str, Reading | None]:
        kind, frame = kind_of(message, ("type", "ty"), ("status", "error", "method", "mthd"))
        return kind, (self._readings if "type" in frame else self._short_readings).get(kind)
