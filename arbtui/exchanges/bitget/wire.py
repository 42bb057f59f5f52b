"""Decoder of Bitget's public v2 streams of spot: ``books15`` and ``books5`` (whole books), ``books1`` (best prices) and ``trade``.

Sources: bitget.com/api-doc, spot, "Depth Channel" and "Trades Channel", and common, "Websocket API" (2025-11). Every message of
``books1``, ``books5`` and ``books15`` is whole: nothing is built up over messages, so none can be missing. The diffs of ``books``
are named and not used: their ``seq`` grows, but does not name the one before, and the checksum that earlier editions of the document
describe is 0 in its own example, so that a lost one would not show. ``ts`` inside the data is the matching engine's.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.numbers import Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import UNREADABLE, MarketDataSink, not_json
from arbtui.model.errors import WireError
from arbtui.model.order import Side

_SPOT = "SPOT"
_TOUCH = "books1"
_WHOLE = frozenset({"books5", "books15"})
_Level = tuple[Price, Quantity]


class _Arg(Struct, gc=False):
    market_kind: str = field(name="instType")
    channel: str
    code: str = field(name="instId")


class _Book(Struct, gc=False):
    asks: list[_Level]
    bids: list[_Level]
    seq: Sequence = 0
    ts: Timestamp = 0


class _Trade(Struct, gc=False):
    trade_id: Sequence = field(name="tradeId")
    price: Price
    qty: Quantity = field(name="size")
    taker: Literal["buy", "sell"] = field(name="side")
    ts: Timestamp = 0


class _BookFrame(Struct, gc=False):
    action: Literal["snapshot"]
    arg: _Arg
    data: list[_Book]


class _TradeFrame(Struct, gc=False):
    action: Literal["snapshot", "update"]
    arg: _Arg
    data: list[_Trade]


_book_frame = msgspec.json.Decoder(_BookFrame, strict=False).decode
_trade_frame = msgspec.json.Decoder(_TradeFrame, strict=False).decode

_BOOK_HINT = b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"books1'  #: of best prices and of fifteen levels


class BitgetDecoder:
    """Decodes Bitget frames into ``sink``. Update ids are ``seq``; 0 where the venue sends none."""

    __slots__ = ("_on_snapshot", "_on_touch", "_sink")

    def __init__(self, sink: MarketDataSink) -> None:
        self._sink = sink
        self._on_snapshot = sink.on_snapshot
        self._on_touch = sink.on_touch

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame; raises WireError when it is malformed, before anything reaches the sink."""
        if raw.startswith(_BOOK_HINT):  # only a hint: where it misleads, the frame goes the slow way
            try:
                frame = _book_frame(raw)
            except UNREADABLE:
                pass
            else:
                if frame.arg.market_kind == _SPOT and len(frame.data) == 1:
                    if frame.arg.channel == _TOUCH:
                        self._emit_touch(frame.arg.code, frame.data[0])
                        return
                    if frame.arg.channel in _WHOLE:
                        book = frame.data[0]
                        self._on_snapshot(frame.arg.code, book.bids, book.asks, book.ts, book.seq)
                        return
        self._slowly(raw)

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Always raises WireError: the stream sends whole books, so the REST interface is never queried for one."""
        raise WireError("rest snapshot", f"Bitget needs none, got one for {code}")

    def _emit_touch(self, code: str, book: _Book) -> None:
        bid, bid_qty = book.bids[0] if book.bids else (0.0, 0.0)
        ask, ask_qty = book.asks[0] if book.asks else (0.0, 0.0)
        self._on_touch(code, book.seq, bid, bid_qty, ask, ask_qty, book.ts)

    def _emit_trades(self, frame: _TradeFrame) -> None:
        """Trades in the order in which they happened. The first frame repeats what was traded before the subscription: not news."""
        if frame.action == "snapshot":
            self._sink.on_other("trades before")
            return
        if not all(trade.qty > 0.0 for trade in frame.data):
            raise WireError("trade", "a quantity of nothing")
        for trade in sorted(frame.data, key=lambda one: (one.ts, one.trade_id)):
            side = Side.BUY if trade.taker == "buy" else Side.SELL
            self._sink.on_trade(frame.arg.code, str(trade.trade_id), trade.price, trade.qty, side, trade.ts)

    def _slowly(self, raw: bytes) -> None:
        """The slow path: trades, other channels, answers, keys in another order, and everything malformed."""
        if raw == b"pong":
            self._sink.on_other("pong")
            return
        try:
            message = msgspec.json.decode(raw)
        except UNREADABLE as error:
            raise not_json(raw, error) from None
        kind, is_spot = _kind_of(message)
        if not is_spot or (kind not in _WHOLE and kind not in (_TOUCH, "trade")):
            self._sink.on_other(kind)
            return
        try:
            if kind == "trade":
                trades = msgspec.convert(message, _TradeFrame, strict=False)
            else:
                (book,) = msgspec.convert(message, _BookFrame, strict=False).data
        except (*UNREADABLE, ValueError) as error:
            raise WireError(kind, str(error)) from None
        if kind == "trade" and not trades.data:
            self._sink.on_other("no trade")
        elif kind == "trade":
            self._emit_trades(trades)
        elif kind == _TOUCH:
            self._emit_touch(message["arg"]["instId"], book)
        else:
            self._on_snapshot(message["arg"]["instId"], book.bids, book.asks, book.ts, book.seq)


def _kind_of(message: Any) -> tuple[str, bool]:
    """What a frame is, and whether it is spot market data of today's interface."""
    if isinstance(message, dict):
        event, arg = message.get("event"), message.get("arg")
        if isinstance(event, str) and event:
            return event, False
        if isinstance(arg, dict) and "data" in message:
            channel, market_kind = arg.get("channel"), arg.get("instType")
            if isinstance(channel, str) and channel and isinstance(market_kind, str) and market_kind:
                return (channel, True) if market_kind == _SPOT else (f"{market_kind} {channel}", False)
            topic = arg.get("topic")
            if isinstance(topic, str) and topic and isinstance(market_kind, str) and market_kind:
                return f"{market_kind} {topic}", False  # of the unified account's interface (v3)
    raise WireError("unknown", "neither data of a channel nor an event")
