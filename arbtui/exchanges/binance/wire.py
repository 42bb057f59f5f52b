"""Decoder of Binance's public streams, spot and USD-M futures: diff depth, bookTicker, trade, aggTrade, and REST depth answers.

Sources: developers.binance.com, "WebSocket Market Streams" of spot and of USD-M futures. Both combined frames
(``{"stream": .., "data": ..}``) and raw ones are read. A USD-M depth update carries ``pu`` and a USD-M bookTicker ``T``; a spot
one has neither: a frame of the wrong kind is malformed, so the two cannot be confused.
"""

import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.numbers import PaddedPrice, Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import UNREADABLE, MarketDataSink, not_json
from arbtui.model.errors import WireError
from arbtui.model.order import Side

_TICKER, _DEPTH, _TRADE = b"bdt"  #: first letters of the stream names bookTicker, depth, trade
_WHOLE_DEPTH = (b"@", b'"')  #: what follows `depth` in `depth@100ms` and `depth`; in `depth5@100ms` a number does
_PART = re.compile(r"@(depth\d.*)")
_Levels = list[tuple[Price, Quantity]]


class _Depth(Struct, gc=False):
    kind: Literal["depthUpdate"] = field(name="e")
    symbol: str = field(name="s")
    first_id: Sequence = field(name="U")
    last_id: Sequence = field(name="u")
    bids: _Levels = field(name="b")
    asks: _Levels = field(name="a")
    prev_id: Sequence = field(name="pu", default=-1)
    event_time: Timestamp = field(name="E", default=0)


class _Ticker(Struct, gc=False):
    symbol: str = field(name="s")
    update_id: Sequence = field(name="u")
    bid: PaddedPrice = field(name="b")
    bid_qty: Quantity = field(name="B")
    ask: PaddedPrice = field(name="a")
    ask_qty: Quantity = field(name="A")
    kind: Literal["bookTicker"] = field(name="e", default="bookTicker")
    event_time: Timestamp = field(name="E", default=0)
    transaction_time: Timestamp = field(name="T", default=-1)


class _Trade(Struct, gc=False):
    kind: Literal["trade"] = field(name="e")
    symbol: str = field(name="s")
    trade_id: Sequence = field(name="t")
    price: PaddedPrice = field(name="p")
    qty: Quantity = field(name="q")
    buyer_is_maker: bool = field(name="m")
    traded_at: Timestamp = field(name="T", default=0)


class _AggregateTrade(Struct, gc=False):
    kind: Literal["aggTrade"] = field(name="e")
    symbol: str = field(name="s")
    trade_id: Sequence = field(name="a")
    price: PaddedPrice = field(name="p")
    qty: Quantity = field(name="q")
    buyer_is_maker: bool = field(name="m")
    traded_at: Timestamp = field(name="T", default=0)


class _Snapshot(Struct, gc=False):
    update_id: Sequence = field(name="lastUpdateId")
    bids: _Levels
    asks: _Levels
    event_time: Timestamp = field(name="E", default=0)


class _DepthFrame(Struct, gc=False):
    data: _Depth


class _TickerFrame(Struct, gc=False):
    data: _Ticker


class _TradeFrame(Struct, gc=False):
    data: _Trade


_depth_frame = msgspec.json.Decoder(_DepthFrame, strict=False).decode
_ticker_frame = msgspec.json.Decoder(_TickerFrame, strict=False).decode
_trade_frame = msgspec.json.Decoder(_TradeFrame, strict=False).decode
_snapshot = msgspec.json.Decoder(_Snapshot, strict=False).decode


class BinanceDecoder:
    """Decodes Binance frames into ``sink``.

    Args:
        sink: receives the decoded data.
        usdm: True for USD-M futures, False for spot.
    """

    __slots__ = ("_on_diff", "_on_touch", "_sink", "_usdm")

    def __init__(self, sink: MarketDataSink, *, usdm: bool = False) -> None:
        self._sink = sink
        self._usdm = usdm
        self._on_diff = sink.on_diff
        self._on_touch = sink.on_touch

    def feed(self, raw: bytes) -> None:
        """Decode one WebSocket frame; raises WireError when it is malformed, before anything reaches the sink."""
        # A combined frame names its stream first: `{"stream":"btcusdt@bookTicker",...`; one letter selects the struct to parse
        # into. Only a hint: where it misleads, the struct does not fit and the frame goes the slow way.
        at = raw.find(b"@", 11, 64) + 1
        try:
            hint = raw[at]
        except IndexError:
            hint = 0
        if hint == _TICKER:
            try:
                ticker = _ticker_frame(raw).data
            except UNREADABLE:
                self._slowly(raw)
            else:
                if (ticker.transaction_time < 0) is self._usdm:
                    raise _wrong_market("bookTicker")
                self._on_touch(ticker.symbol, ticker.update_id, ticker.bid, ticker.bid_qty, ticker.ask, ticker.ask_qty, ticker.event_time)
        elif hint == _DEPTH and raw[at + 5 : at + 6] in _WHOLE_DEPTH:
            try:
                depth = _depth_frame(raw).data
            except UNREADABLE:
                self._slowly(raw)
            else:
                self._emit_depth(depth)
        elif hint == _TRADE:
            try:
                trade = _trade_frame(raw).data
            except UNREADABLE:
                self._slowly(raw)
            else:
                self._emit_trade(trade)
        else:
            self._slowly(raw)

    def feed_snapshot(self, code: str, raw: bytes) -> None:
        """Decode a REST depth answer of market ``code``; raises WireError likewise."""
        try:
            snapshot = _snapshot(raw)
        except UNREADABLE as error:
            raise WireError("depth snapshot", str(error)) from None
        self._sink.on_snapshot(code, snapshot.bids, snapshot.asks, snapshot.event_time, snapshot.update_id)

    def _emit_ticker(self, ticker: _Ticker) -> None:
        if (ticker.transaction_time < 0) is self._usdm:
            raise _wrong_market("bookTicker")
        self._on_touch(ticker.symbol, ticker.update_id, ticker.bid, ticker.bid_qty, ticker.ask, ticker.ask_qty, ticker.event_time)

    def _emit_depth(self, depth: _Depth) -> None:
        if (depth.prev_id < 0) is self._usdm:
            raise _wrong_market("depthUpdate")
        if depth.first_id > depth.last_id:
            raise WireError("depthUpdate", f"U {depth.first_id} is above u {depth.last_id}")
        self._on_diff(depth.symbol, depth.first_id, depth.last_id, depth.prev_id, depth.bids, depth.asks, depth.event_time)

    def _emit_trade(self, trade: _Trade | _AggregateTrade) -> None:
        if trade.price <= 0.0 or trade.qty <= 0.0:  # USD-M prints trades without a price for its own bookkeeping (X: NA)
            self._sink.on_other("trade without price")
            return
        side = Side.SELL if trade.buyer_is_maker else Side.BUY
        self._sink.on_trade(trade.symbol, str(trade.trade_id), trade.price, trade.qty, side, trade.traded_at)

    def _slowly(self, raw: bytes) -> None:
        """The slow path: raw frames, aggregate trades, other types, answers to commands, and everything malformed."""
        emit: Callable[[Any], None]
        event: Any
        try:
            message = msgspec.json.decode(raw)
        except UNREADABLE as error:
            raise not_json(raw, error) from None
        kind, data = _kind_of(message)
        try:
            if kind == "depthUpdate":
                emit, event = self._emit_depth, msgspec.convert(data, _Depth, strict=False)
            elif kind == "bookTicker":
                emit, event = self._emit_ticker, msgspec.convert(data, _Ticker, strict=False)
            elif kind == "trade":
                emit, event = self._emit_trade, msgspec.convert(data, _Trade, strict=False)
            elif kind == "aggTrade":
                emit, event = self._emit_trade, msgspec.convert(data, _AggregateTrade, strict=False)
            else:
                emit, event = self._sink.on_other, kind
        except UNREADABLE as error:
            raise WireError(kind, str(error)) from None
        emit(event)


def _wrong_market(kind: str) -> WireError:
    return WireError("wrong market", f"a {kind} of spot on USD-M, or the reverse")


def _kind_of(message: Any) -> tuple[str, Any]:
    """The event type of a frame, and its payload."""
    stream, data = "", message
    if isinstance(message, dict) and "stream" in message and "data" in message:
        stream, data = message["stream"], message["data"]
    if isinstance(data, dict):
        kind = data.get("e")
        if kind == "depthUpdate" and isinstance(stream, str) and (part := _PART.search(stream)):
            return part[1], data  # the best levels of a book (USD-M calls them an update, too): as a diff it would leave removed levels
        if isinstance(kind, str) and kind:
            return kind, data
        if "u" in data and "B" in data and "A" in data:  # only spot's bookTicker has no type field
            return "bookTicker", data
        for answer in ("result", "error"):
            if answer in data:
                return answer, data
    if isinstance(stream, str) and "@" in stream:
        return stream if stream.startswith("!") else stream.partition("@")[2], data
    raise WireError("unknown", "neither an event type nor a stream nor an answer")
