"""Decoding of these venues' public WebSocket: ``orderbook`` and ``trade`` in the format DEFAULT.

Every order book frame is a whole book. Frames are UTF-8 JSON, sent as binary. A side with fewer levels is padded with price 0. Times are
in ms, or in microseconds of 16 digits: a book's at one of the venues, and seen at the other.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.frame_decoder import FrameDecoder
from arbtui.exchanges.numbers import PaddedPrice, Price, Quantity, Sequence, Timestamp
from arbtui.model.errors import WireError
from arbtui.model.order import Side

_MICROSECONDS_FROM = 10**14  #: in ms this would be the year 5138
BOOK_START = b'{"type":"orderbook"'
TRADE_START = b'{"type":"trade"'


class Unit(Struct, gc=False):
    """One row of the book: the n-th best ask beside the n-th best bid."""

    ask: PaddedPrice = field(name="ask_price")
    bid: PaddedPrice = field(name="bid_price")
    ask_qty: Quantity = field(name="ask_size")
    bid_qty: Quantity = field(name="bid_size")


class Book(Struct, gc=False):
    """A whole book."""

    kind: Literal["orderbook"] = field(name="type")
    code: str
    units: list[Unit] = field(name="orderbook_units")
    timestamp: Timestamp = 0


class Trade(Struct, gc=False):
    """A trade."""

    kind: Literal["trade"] = field(name="type")
    code: str
    price: Price = field(name="trade_price")
    qty: Quantity = field(name="trade_volume")
    taker: Literal["ASK", "BID"] = field(name="ask_bid")
    trade_id: Sequence = field(name="sequential_id")
    traded_at: Timestamp = field(name="trade_timestamp", default=0)


read_book = msgspec.json.Decoder(Book, strict=False).decode
read_trade = msgspec.json.Decoder(Trade, strict=False).decode


class WonDecoder(FrameDecoder):
    """Decodes frames into its sink. The updates have no number: update ids are 0."""

    __slots__ = ()

    def _take_trade(self, trade: Any) -> None:
        """``trade``: a :class:`Trade`, or of the same fields."""
        side = Side.BUY if trade.taker == "BID" else Side.SELL
        self._sink.on_trade(trade.code, str(trade.trade_id), trade.price, trade.qty, side, ms_of(trade.traded_at))


def kind_of(message: Any, types: tuple[str, ...], answers: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
    """The type of a parsed frame, by the first of the keys ``types`` that it has, or which of ``answers`` it is; and the frame.

    Raises:
        WireError: it is neither.
    """
    if isinstance(message, dict):
        kind = next((message[key] for key in types if key in message), None)
        if isinstance(kind, str) and kind:
            return kind, message
        for answer in answers:
            if answer in message:
                return answer, message
    raise WireError("unknown", "neither a type nor a status nor an error")


def ms_of(timestamp: int) -> int:
    """A time in ms, from one in ms or in microseconds."""
    return timestamp if timestamp < _MICROSECONDS_FROM else timestamp // 1000
