"""Decoder of OKX's public streams: the channels ``books``, ``bbo-tbt`` and ``trades``; and of its REST depth, which is asked to probe.

Sources: okx.com/docs-v5, "WS / Order book channel" (read as of 2026-07-07), "WS / Trades channel", "GET / Order book".

- ``books``: a snapshot of 400 levels with ``prevSeqId`` -1, then changes every 100 ms. A change names the message before it; ids
  have no step. Without changes for a minute an empty message comes whose two ids are the last one. After maintenance the ids may begin
  anew, with a message that names the one before and has a lower id itself.
- ``checksum`` is 0 in every frame since 2026-06-23 (the same page; ccxt pull request 30299): it is not read. Frames from before
  2023 have one and no ids; without ids a book cannot be proved complete, so they are named and not used.
- ``bbo-tbt``: best prices, every 10 ms at most, with a ``seqId`` of the market's one set of ids.
"""

from math import inf
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from arbtui.exchanges.frame_decoder import FrameDecoder, Reading
from arbtui.exchanges.numbers import Price, Quantity, Sequence, Timestamp
from arbtui.exchanges.wire import UNREADABLE, MarketDataSink, not_json
from arbtui.model.errors import WireError
from arbtui.model.order import Side

_ARG = b'{"arg":{"channel":"'
_BOOKS, _TOUCH, _TRADES = _ARG + b'books",', _ARG + b'bbo-tbt",', _ARG + b'trades",'
_PONG = b"pong"
#: Frames of ``books`` before OKX gave them ids.
RETIRED = "books without ids"


class _Arg(Struct, gc=False):
    channel: str
    code: str = msgspec.field(name="instId", default="")


class _Level(Struct, array_like=True, gc=False):
    """``["411.8", "10", "0", "4"]``: price, quantity in base, a deprecated zero, number of orders."""

    price: Price
    qty: Quantity


class _Book(Struct, gc=False, rename="camel"):
    asks: list[_Level]
    bids: list[_Level]
    ts: Timestamp
    seq_id: Sequence | None = None
    prev_seq_id: Annotated[int, Meta(ge=-1, le=2**62)] | None = None


class _Touch(Struct, gc=False, rename="camel"):
    asks: Annotated[list[_Level], Meta(max_length=1)]
    bids: Annotated[list[_Level], Meta(max_length=1)]
    ts: Timestamp
    seq_id: Sequence


class _Trade(Struct, gc=False, rename="camel"):
    trade_id: Annotated[str, Meta(min_length=1)]
    px: Price
    sz: Annotated[float, Meta(gt=0.0, le=1e18)]
    side: Literal["buy", "sell"]
    ts: Timestamp


class _BookFrame(Struct, gc=False):
    arg: _Arg
    data: Annotated[list[_Book], Meta(min_length=1, max_length=1)]
    action: Literal["snapshot", "update", ""] = ""


class _TouchFrame(Struct, gc=False):
    arg: _Arg
    data: Annotated[list[_Touch], Meta(min_length=1, max_length=1)]


class _TradeFrame(Struct, gc=False):
    arg: _Arg
    data: Annotated[list[_Trade], Meta(min_length=1)]


class _Answer(Struct, gc=False):
    """A REST depth answer."""

    code: Literal["0"]
    data: Annotated[list[_Book], Meta(min_length=1, max_length=1)]


_book_frame = msgspec.json.Decoder(_BookFrame, strict=False).decode
_touch_frame = msgspec.json.Decoder(_TouchFrame, strict=False).decode
_trade_frame = msgspec.json.Decoder(_TradeFrame, strict=False).decode
_answer = msgspec.json.Decoder(_Answer, strict=False).decode


def best_of_depth(raw: bytes) -> tuple[float, float]:
    """Best bid and ask of a REST depth answer; 0.0 and ``inf`` where a side is empty.

    Raises:
        WireError: it is not such an answer.
    """
    try:
        book = _answer(raw).data[0]
    except UNREADABLE as error:
        raise not_json(raw, error) from None
    return book.bids[0].price if book.bids else 0.0, book.asks[0].price if book.asks else inf


class OkxDecoder(FrameDecoder):
    """Decodes OKX frames into ``sink``."""

    __slots__ = ("_on_diff", "_on_touch", "_readings")

    def __init__(self, sink: MarketDataSink) -> None:
        self._on_diff = sink.on_diff
        self._on_touch = sink.on_touch
        touch, book, trades = (_touch_frame, self._emit_touch), (_book_frame, self._emit_book), (_trade_frame, self._emit_trades)
        self._readings: dict[str, Reading] = {"bbo-tbt": touch, "books": book, "trades": trades}
        super().__init__(sink, ((_TOUCH, touch), (_BOOKS, book), (_TRADES, trades)))

    def _emit_touch(self, frame: _TouchFrame) -> None:
        touch = frame.data[0]
        bid, bid_qty = (touch.bids[0].price, touch.bids[0].qty) if touch.bids else (0.0, 0.0)
        ask, ask_qty = (touch.asks[0].price, touch.asks[0].qty) if touch.asks else (0.0, 0.0)
        self._on_touch(_code(frame.arg), touch.seq_id, bid, bid_qty, ask, ask_qty, touch.ts)

    def _emit_book(self, frame: _BookFrame) -> None:
        book, code = frame.data[0], _code(frame.arg)
        last, before = book.seq_id, book.prev_seq_id
        if last is None or before is None:
            if last is not None or before is not None:
                raise WireError("books", f"seqId {last} with prevSeqId {before}")
            self._sink.on_other(RETIRED)
            return
        if frame.action and (frame.action == "snapshot") is not (before == -1):
            raise WireError("books", f"{frame.action} with prevSeqId {before}")
        if before == -1:
            self._sink.on_snapshot(code, _levels(book.bids), _levels(book.asks), book.ts, last)
        else:
            self._on_diff(code, last, last, before, _levels(book.bids), _levels(book.asks), book.ts)

    def _emit_trades(self, frame: _TradeFrame) -> None:
        code = _code(frame.arg)
        for trade in frame.data:
            side = Side.BUY if trade.side == "buy" else Side.SELL
            self._sink.on_trade(code, trade.trade_id, trade.px, trade.sz, side, trade.ts)

    def _slowly(self, raw: bytes) -> None:
        if raw == _PONG:
            self._sink.on_other("pong")
        else:
            super()._slowly(raw)

    def _reading_of(self, message: Any) -> tuple[str, Reading | None]:
        kind = _kind_of(message)
        return kind, self._readings.get(kind)


def _kind_of(message: Any) -> str:
    """The channel of pushed data, or the event of an answer."""
    if isinstance(message, dict):
        event = message.get("event")
        if isinstance(event, str) and event:
            return event
        arg = message.get("arg")
        channel = arg.get("channel") if isinstance(arg, dict) else None
        if isinstance(channel, str) and channel and "data" in message:
            return channel
    raise WireError("unknown", "neither a channel's data nor an event")


def _code(arg: _Arg) -> str:
    if not arg.code:
        raise WireError(arg.channel, "no instId")
    return arg.code


def _levels(levels: list[_Level]) -> list[tuple[float, float]]:
    return [(level.price, level.qty) for level in levels]
