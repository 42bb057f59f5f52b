"""Decoder of Coinone's public WebSocket: channels ``ORDERBOOK`` and ``TRADE``, format DEFAULT.

Sources: docs.coinone.co.kr, reference/public-websocket-orderbook and -trade; what they leave open was probed on 2026-09-23
(nemanull/arbitrage-observatory, docs/venues/coinone/websocket.md). Every book is whole, at most 16 levels a side, so nothing can be
missing: a greater ``id`` is a newer book, and ids are not consecutive. Asks come worst first. An ``id`` is the book's time in ms and three
digits more; ``timestamp`` is the same time, but of the first book after a subscription, where it is ten seconds old: the id's is read.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.coinone.rules import code_of
from arbtui.exchanges.numbers import Price, Quantity, Sequence
from arbtui.exchanges.wire import MarketDataSink, not_json
from arbtui.model.book import Level
from arbtui.model.errors import WireError
from arbtui.model.order import Side

BOOK_HINT = b'{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"'
TRADE_HINT = b'{"response_type":"DATA","channel":"TRADE","data":{"quote_currency":"'
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Level(Struct, gc=False):
    price: Price
    qty: Quantity


class _BookData(Struct, gc=False):
    quote: str = field(name="quote_currency")
    base: str = field(name="target_currency")
    id: Sequence
    asks: list[_Level]
    bids: list[_Level]


class _Book(Struct, gc=False):
    kind: Literal["DATA"] = field(name="response_type")
    channel: Literal["ORDERBOOK"]
    data: _BookData


class _TradeData(Struct, gc=False):
    quote: str = field(name="quote_currency")
    base: str = field(name="target_currency")
    id: Sequence
    price: Price
    qty: Quantity
    is_seller_maker: bool


class _Trade(Struct, gc=False):
    kind: Literal["DATA"] = field(name="response_type")
    channel: Literal["TRADE"]
    data: _TradeData


_book = msgspec.json.Decoder(_Book, strict=False).decode
_trade = msgspec.json.Decoder(_Trade, strict=False).decode


class CoinoneDecoder:
    """Decodes Coinone frames into ``sink``. One connection's frames come in order, so their ids are not told on: update ids are 0."""

    __slots__ = ("_sink",)

    def __init__(self, sink: MarketDataSink) -> None:
        self._sink = sink

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame; raises WireError when it is malformed, before anything reaches the sink."""
        # The first bytes select the struct to parse into. They are only a hint: a wrong one sends the frame down the slow path.
        if raw.startswith(BOOK_HINT):
            try:
                book = _book(raw)
            except _BROKEN:
                self._slowly(raw)
            else:
                self._emit_book(book.data)
        elif raw.startswith(TRADE_HINT):
            try:
                trade = _trade(raw)
            except _BROKEN:
                self._slowly(raw)
            else:
                self._emit_trade(trade.data)
        else:
            self._slowly(raw)

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Always raises WireError: Coinone's stream sends whole books, so its REST interface is never queried for one."""
        raise WireError("rest snapshot", f"Coinone needs none, got one for {code}")

    def _emit_book(self, book: _BookData) -> None:
        bids, asks = _levels(book.bids), _levels(book.asks)
        if len(asks) > 1 and asks[0][0] > asks[-1][0]:
            asks.reverse()
        self._sink.on_snapshot(code_of(book.quote, book.base), bids, asks, book.id // 1000, 0)

    def _emit_trade(self, trade: _TradeData) -> None:
        side = Side.BUY if trade.is_seller_maker else Side.SELL
        self._sink.on_trade(code_of(trade.quote, trade.base), str(trade.id), trade.price, trade.qty, side, trade.id // 1000)

    def _slowly(self, raw: bytes) -> None:
        """The slow path: other types and channels, keys in another order, and everything malformed."""
        try:
            message = msgspec.json.decode(raw)
        except _BROKEN as error:
            raise not_json(raw, error) from None
        kind, channel = _kind_of(message)
        book: _Book | None = None
        trade: _Trade | None = None
        try:
            if (kind, channel) == ("DATA", "ORDERBOOK"):
                book = _book(raw)
            elif (kind, channel) == ("DATA", "TRADE"):
                trade = _trade(raw)
        except _BROKEN as error:
            raise WireError(channel, str(error)) from None
        if book is not None:
            self._emit_book(book.data)
        elif trade is not None:
            self._emit_trade(trade.data)
        else:
            self._sink.on_other(channel if kind == "DATA" and channel else kind)


def _levels(rows: list[_Level]) -> list[Level]:
    return [(row.price, row.qty) for row in rows if row.qty > 0.0]


def _kind_of(message: Any) -> tuple[str, str]:
    """Response type and channel of a frame, the latter empty where it is of none."""
    if isinstance(message, dict):
        kind, channel = message.get("response_type"), message.get("channel", "")
        if isinstance(kind, str) and kind and isinstance(channel, str):
            return kind, channel
    raise WireError("unknown", "no response_type")
