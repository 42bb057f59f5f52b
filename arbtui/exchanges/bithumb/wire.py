"""Decoder of Bithumb's public WebSocket, current generation: ``orderbook`` and ``trade`` in the format DEFAULT.

Sources: apidocs.bithumb.com, reference/호가-orderbook (2026-08-13) and reference/체결-trade; what the documents leave open was probed on
2026-09-23 by nemanull/arbitrage-observatory (docs/venues/bithumb/websocket.md @ 2cbe7062). Every order book frame is a whole book of at
most 15 levels: there is no number and nothing can be missing. Frames are UTF-8 JSON, sent as binary. A side with fewer levels is padded
with price 0. Sizes are printed with four decimals: a level of less stands there with its price and size 0, at the touch too, and cannot
be traded on. The book's timestamp is in microseconds, a trade's in milliseconds.

The messages of the generation before (``orderbookdepth``, ``transaction``) are named, and not read: that socket has other market codes.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.numbers import PaddedPrice, Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import MarketDataSink, not_json
from arbtui.model.errors import WireError
from arbtui.model.order import Side

_MICROSECONDS_FROM = 10**14  #: in ms this would be the year 5138
_BOOK_HINT = b'{"type":"orderbook"'
_TRADE_HINT = b'{"type":"trade"'
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Unit(Struct, gc=False):
    """One row of the book: the n-th best ask beside the n-th best bid."""

    ask: PaddedPrice = field(name="ask_price")
    bid: PaddedPrice = field(name="bid_price")
    ask_qty: Quantity = field(name="ask_size")
    bid_qty: Quantity = field(name="bid_size")


class _Book(Struct, gc=False):
    kind: Literal["orderbook"] = field(name="type")
    code: str
    units: list[_Unit] = field(name="orderbook_units")
    timestamp: Timestamp = 0


class _Trade(Struct, gc=False):
    kind: Literal["trade"] = field(name="type")
    code: str
    price: Price = field(name="trade_price")
    qty: Quantity = field(name="trade_volume")
    taker: Literal["ASK", "BID"] = field(name="ask_bid")
    trade_id: Sequence = field(name="sequential_id")
    traded_at: Timestamp = field(name="trade_timestamp", default=0)


_book = msgspec.json.Decoder(_Book, strict=False).decode
_trade = msgspec.json.Decoder(_Trade, strict=False).decode


class BithumbDecoder:
    """Decodes Bithumb frames into ``sink``. Bithumb's updates have no number: update ids are 0."""

    __slots__ = ("_sink",)

    def __init__(self, sink: MarketDataSink) -> None:
        self._sink = sink

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame; raises WireError when it is malformed, before anything reaches the sink."""
        # The first bytes select the struct to parse into. They are only a hint: a wrong one sends the frame down the slow path.
        if raw.startswith(_BOOK_HINT):
            try:
                book = _book(raw)
            except _BROKEN:
                self._slowly(raw)
            else:
                self._emit_book(book)
        elif raw.startswith(_TRADE_HINT):
            try:
                trade = _trade(raw)
            except _BROKEN:
                self._slowly(raw)
            else:
                self._emit_trade(trade)
        else:
            self._slowly(raw)

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Always raises WireError: Bithumb's stream sends whole books, so its REST interface is never queried for one."""
        raise WireError("rest snapshot", f"Bithumb needs none, got one for {code}")

    def _emit_book(self, book: _Book) -> None:
        units = book.units
        bids = [(unit.bid, unit.bid_qty) for unit in units if unit.bid > 0.0 and unit.bid_qty > 0.0]
        asks = [(unit.ask, unit.ask_qty) for unit in units if unit.ask > 0.0 and unit.ask_qty > 0.0]
        self._sink.on_snapshot(book.code, bids, asks, _ms(book.timestamp), 0)

    def _emit_trade(self, trade: _Trade) -> None:
        side = Side.BUY if trade.taker == "BID" else Side.SELL
        self._sink.on_trade(trade.code, str(trade.trade_id), trade.price, trade.qty, side, _ms(trade.traded_at))

    def _slowly(self, raw: bytes) -> None:
        """The slow path: other types, keys in another order, and everything malformed."""
        try:
            message = msgspec.json.decode(raw)
        except _BROKEN as error:
            raise not_json(raw, error) from None
        kind = _kind_of(message)
        trade: _Trade | None = None
        book: _Book | None = None
        try:
            if kind == "orderbook":
                book = _book(raw)
            elif kind == "trade":
                trade = _trade(raw)
        except _BROKEN as error:
            raise WireError(kind, str(error)) from None
        if book is not None:
            self._emit_book(book)
        elif trade is not None:
            self._emit_trade(trade)
        else:
            self._sink.on_other(kind)


def _kind_of(message: Any) -> str:
    if isinstance(message, dict):
        kind = message.get("type")
        if isinstance(kind, str) and kind:
            return kind
        for answer in ("status", "error"):
            if answer in message:
                return answer
    raise WireError("unknown", "neither a type nor a status nor an error")


def _ms(timestamp: int) -> int:
    return timestamp if timestamp < _MICROSECONDS_FROM else timestamp // 1000
