"""Decoder of Bybit's public spot streams: ``orderbook.{depth}`` and ``publicTrade`` (bybit-exchange/docs, v5, "WebSocket Stream").

A subscription is answered with the whole book, then changes follow, each numbered one higher than the last (``u``). A new whole book
replaces everything; after a restart of the venue's service it comes with ``u`` 1. ``cts`` is the matching engine's time of a book, ``ts``
the time of sending. Level 1 repeats the best prices in a numbering of its own and is not used: level 50 is sent every 20 ms.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.numbers import Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import MarketDataSink, not_json
from arbtui.model.errors import WireError
from arbtui.model.order import Side

_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_BOOK_HINT = b'{"topic":"orderbook.'
_TRADE_HINT = b'{"topic":"publicTrade.'
_BOOK = "orderbook."
_TRADE = "publicTrade."
#: As a book, one level would take all others away.
_ONE_LEVEL = "orderbook.1."
_Levels = list[tuple[Price, Quantity]]


class _Book(Struct, gc=False):
    code: str = field(name="s")
    bids: _Levels = field(name="b")
    asks: _Levels = field(name="a")
    update_id: Sequence = field(name="u")


class _BookFrame(Struct, gc=False):
    topic: str
    kind: Literal["snapshot", "delta"] = field(name="type")
    data: _Book
    sent_at: Timestamp = field(name="ts", default=0)
    matched_at: Timestamp = field(name="cts", default=0)


class _Trade(Struct, gc=False):
    """Spot numbers its trades; those of contracts have a UUID, and are malformed here."""

    code: str = field(name="s")
    trade_id: Sequence = field(name="i")
    price: Price = field(name="p")
    qty: Quantity = field(name="v")
    taker: Literal["Buy", "Sell"] = field(name="S")
    traded_at: Timestamp = field(name="T", default=0)
    is_block: bool = field(name="BT", default=False)


class _TradeFrame(Struct, gc=False):
    topic: str
    data: list[_Trade]


_book_frame = msgspec.json.Decoder(_BookFrame, strict=False).decode
_trade_frame = msgspec.json.Decoder(_TradeFrame, strict=False).decode


class BybitDecoder:
    """Decodes Bybit frames into ``sink``. A change has one number: its first update id is its last."""

    __slots__ = ("_on_diff", "_sink")

    def __init__(self, sink: MarketDataSink) -> None:
        self._sink = sink
        self._on_diff = sink.on_diff

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame; raises WireError when it is malformed, before anything reaches the sink."""
        # Topics come first in a frame; that is only a hint: another order of keys sends it down the slow path.
        if raw.startswith(_BOOK_HINT):
            try:
                frame = _book_frame(raw)
            except _BROKEN:
                self._slowly(raw)
            else:
                self._emit_book(frame)
        elif raw.startswith(_TRADE_HINT):
            try:
                trades = _trade_frame(raw)
            except _BROKEN:
                self._slowly(raw)
            else:
                self._emit_trades(trades)
        else:
            self._slowly(raw)

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Always raises WireError: the stream brings whole books, and those of REST count another depth's updates."""
        raise WireError("rest snapshot", f"Bybit needs none, got one for {code}")

    def _emit_book(self, frame: _BookFrame) -> None:
        if frame.topic.startswith(_ONE_LEVEL):
            self._sink.on_other("orderbook.1")
            return
        book = frame.data
        ts_event = frame.matched_at or frame.sent_at
        if frame.kind == "delta":
            update_id = book.update_id
            self._on_diff(book.code, update_id, update_id, -1, book.bids, book.asks, ts_event)
        else:
            self._sink.on_snapshot(book.code, book.bids, book.asks, ts_event, book.update_id)

    def _emit_trades(self, frame: _TradeFrame) -> None:
        told = False
        for trade in frame.data:
            if not trade.is_block:  # agreed outside of the book
                side = Side.BUY if trade.taker == "Buy" else Side.SELL
                self._sink.on_trade(trade.code, str(trade.trade_id), trade.price, trade.qty, side, trade.traded_at)
                told = True
        if not told:
            self._sink.on_other("block trade")

    def _slowly(self, raw: bytes) -> None:
        """The slow path: other topics, keys in another order, answers to our messages, and everything malformed."""
        try:
            message = msgspec.json.decode(raw)
        except _BROKEN as error:
            raise not_json(raw, error) from None
        kind = _kind_of(message)
        book: _BookFrame | None = None
        trades: _TradeFrame | None = None
        try:
            if kind.startswith(_BOOK):
                book = _book_frame(raw)
            elif kind.startswith(_TRADE):
                trades = _trade_frame(raw)
        except _BROKEN as error:
            raise WireError(kind.partition(".")[0], str(error)) from None
        if book is not None:
            self._emit_book(book)
        elif trades is not None:
            self._emit_trades(trades)
        else:
            self._sink.on_other(kind.rpartition(".")[0] or kind)


def _kind_of(message: Any) -> str:
    """The topic of a frame, or what an answer is an answer to."""
    if isinstance(message, dict):
        for key in ("topic", "op"):
            kind = message.get(key)
            if isinstance(kind, str) and kind:
                return kind
        if "success" in message:
            return "error"
    raise WireError("unknown", "neither a topic nor an answer")
