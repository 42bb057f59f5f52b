"""What to send over Bithumb's public WebSocket (apidocs.bithumb.com: reference/기본-정보, 요청-포맷, 연결-관리, 웹소켓-에러, 2026-09).

One message lists everything: a second one on the same socket replaces the first. Nothing is confirmed: unknown codes are ignored in
silence, a request that cannot be read is answered with an error, and the socket is closed. So the first book of the subscription, which
is marked SNAPSHOT, is what confirms it (probed on 2026-09-23: nemanull/arbitrage-observatory, docs/venues/bithumb/websocket.md @
2cbe7062; 493 markets on one socket were served, each with a first frame within a second). A connection without traffic is closed
after 120 s by the documents, after 60 s as probed. Limits: 10 connections a second and address.
"""

import json
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from arbtui.exchanges.numbers import PaddedPrice, Quantity
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription, share
from arbtui.exchanges.wire import not_json

MARKETS_A_SOCKET = 500  #: the whole won list (480) fits one; a reconnect then costs one message

_BOOK_START = b'{"type":"orderbook","code":"'
_DATA_STARTS = (_BOOK_START, b'{"type":"trade"')
_FIRST_END = b'"stream_type":"SNAPSHOT"}'


class _Unit(msgspec.Struct, gc=False):
    ask: PaddedPrice = msgspec.field(name="ask_price")
    bid: PaddedPrice = msgspec.field(name="bid_price")
    ask_qty: Quantity = msgspec.field(name="ask_size", default=0.0)
    bid_qty: Quantity = msgspec.field(name="bid_size", default=0.0)


class _Answer(msgspec.Struct, gc=False):
    units: list[_Unit] = msgspec.field(name="orderbook_units")


_answers = msgspec.json.Decoder(list[_Answer], strict=False).decode


class BithumbFraming:
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    confirmations = 1  # the first book
    message_gap_s = 0.25
    connect_costs: Mapping[str, float] = {"socket-connect": 1}
    lifetime_s = 86_400.0  # none is documented; a new socket a day costs nothing and treats all venues alike

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`; the first book of a market also speaks of the connection."""
        return raw.startswith(_DATA_STARTS) and not raw.endswith(_FIRST_END)

    def notice(self, raw: bytes) -> Notice | None:
        """Errors, and the first book; ``{"status":"UP"}``, the answer to a text PING, says nothing of what is subscribed."""
        if raw.startswith(_BOOK_START) and raw.endswith(_FIRST_END):
            return Notice(NoticeKind.CONFIRMED)
        try:
            told = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not isinstance(told, dict) or (error := told.get("error")) is None:
            return None
        words = f"{error.get('name', '')} {error.get('message', '')}".strip() if isinstance(error, dict) else str(error)
        return Notice(NoticeKind.REFUSED, words)

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """Sockets of up to :data:`MARKETS_A_SOCKET` markets; one message lists everything."""
        markets = share(len(codes), MARKETS_A_SOCKET, sockets)
        return [_subscription(number, codes[at : at + markets]) for number, at in enumerate(range(0, len(codes), markets), 1)]

    def snapshot(self, code: str) -> RestCall | None:
        """None: every frame is a whole book, and the first one comes with the subscription."""
        return None

    def probe(self, code: str) -> RestCall:
        """``GET /v1/orderbook``."""
        return RestCall(f"/v1/orderbook?markets={code}", {"quotation": 1})

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`; levels of size 0 are none, as in the stream."""
        try:
            (answer,) = _answers(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise not_json(raw, error) from None
        bids = (unit.bid for unit in answer.units if unit.bid_qty > 0.0)
        asks = (unit.ask for unit in answer.units if unit.ask_qty > 0.0)
        return next(bids, 0.0), next(asks, 0.0) or inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books, by market."""
        if not raw.startswith(_BOOK_START):
            return None
        end = raw.find(b'"', len(_BOOK_START))
        return raw[:end] if end > 0 else None


def _subscription(number: int, codes: Sequence[str]) -> Subscription:
    message: list[dict[str, Any]] = [
        {"ticket": f"arbtui-{number}"},
        {"type": "orderbook", "codes": list(codes)},
        {"type": "trade", "codes": list(codes)},
        {"format": "DEFAULT"},
    ]
    return Subscription(tuple(codes), (json.dumps(message, separators=(",", ":")).encode(),), len(codes) * 2)
