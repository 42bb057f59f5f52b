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
from arbtui.exchanges.frame_decoder import FrameDecoder, Reading
from arbtui.exchanges.numbers import Price, Quantity, Sequence
from arbtui.exchanges.wire import MarketDataSink
from arbtui.model.book import Level
from arbtui.model.errors import WireError
from arbtui.model.order import Side

BOOK_HINT = b'{"response_type":"DATA","channel":"ORDERBOOK","data":{"quote_currency":"'
TRADE_HINT = b'{"response_type":"DATA","channel":"TRADE","data":{"quote_currency":"'


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


class CoinoneDecoder(FrameDecoder):
    """Decodes Coinone frames into ``sink``. One connection's frames come in order, so their ids are not passed on: update ids are 0."""

    __slots__ = ("_readings",)

    def __init__(self, sink: MarketDataSink) -> None:
        book, trade = (_book, self._emit_book), (_trade, self._emit_trade)
        self._readings: dict[str, Reading] = {"ORDERBOOK": book, "TRADE": trade}
        super().__init__(sink, ((BOOK_HINT, book), (TRADE_HINT, trade)))

    def _emit_book(self, frame: _Book) -> None:
        book = frame.data
        bids, asks = _levels(book.bids), _levels(book.asks)
        if len(asks) > 1 and asks[0][0] > asks[-1][0]:
            asks.reverse()
        self._sink.on_snapshot(code_of(book.quote, book.base), bids, asks, book.id // 1000, 0)

    def _emit_trade(self, frame: _Trade) -> None:
        trade = frame.data
        side = Side.BUY if trade.is_seller_maker else Side.SELL
        self._sink.on_trade(code_of(trade.quote, trade.base), str(trade.id), trade.price, trade.qty, side, trade.id // 1000)

    def _reading_of(self, message: Any) -> tuple[str, Reading | None]:
        kind, channel = _kind_of(message)
        if kind != "DATA" or not channel:
            return kind, None
        return channel, self._readings.get(channel)


def _levels(rows: list[_Level]) -> list[Level]:
    return [(row.price, row.qty) for row in rows if row.qty > 0.0]


def _kind_of(message: Any) -> tuple[str, str]:
    """Response type and channel of a frame, the latter empty where it is of none."""
    if isinstance(message, dict):
        kind, channel = message.get("response_type"), message.get("channel", "")
        if isinstance(kind, str) and kind and isinstance(channel, str):
            return kind, channel
    raise WireError("unknown", "no response_type")
