"""Decoder of Bybit's public spot streams: ``orderbook.{depth}`` and ``publicTrade`` (bybit-exchange/docs, v5, "WebSocket Stream").

A subscription is answered with the whole book, then changes follow, each numbered one higher than the last (``u``). A new whole book
replaces everything; after a restart of the venue's service it comes with ``u`` 1. ``cts`` is the matching engine's time of a book, ``ts``
the time of sending. Level 1 repeats the best prices in a numbering of its own and is not used: level 50 is sent every 20 ms.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.frame_decoder import FrameDecoder, Reading
from arbtui.exchanges.numbers import Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import MarketDataSink
from arbtui.model.errors import WireError
from arbtui.model.order import Side

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


class BybitDecoder(FrameDecoder):
    """Decodes Bybit frames into ``sink``. A change has one number: its first update id is its last."""

    __slots__ = ("_on_diff", "_readings")

    def __init__(self, sink: MarketDataSink) -> None:
        self._on_diff = sink.on_diff
        book, trades = (_book_frame, self._emit_book), (_trade_frame, self._emit_trades)
        self._readings: dict[str, Reading] = {_BOOK: book, _TRADE: trades}
        super().__init__(sink, ((_BOOK_HINT, book), (_TRADE_HINT, trades)))

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

    def _reading_of(self, message: Any) -> tuple[str, Reading | None]:
        kind = _kind_of(message)
        for start, reading in self._readings.items():
            if kind.startswith(start):
                return start.rstrip("."), reading
        return kind.rpartition(".")[0] or kind, None


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
