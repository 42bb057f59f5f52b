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

from arbtui.exchanges.framing import Framing, key_to
from arbtui.exchanges.numbers import PaddedPrice, Quantity
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription

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


class BithumbFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    confirmations = 1  # the first book
    message_gap_s = 0.25
    data_starts = _DATA_STARTS
    markets_a_socket = MARKETS_A_SOCKET

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`; the first book of a market also speaks of the connection."""
        return raw.startswith(_DATA_STARTS) and not raw.endswith(_FIRST_END)

    def notice(self, raw: bytes) -> Notice | None:
        """Errors, and the first book; ``{"status":"UP"}``, the answer to a text PING, says nothing of what is subscribed."""
        if raw.startswith(_BOOK_START) and raw.endswith(_FIRST_END):
            return Notice(NoticeKind.CONFIRMED)
        return super().notice(raw)

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        if (error := message.get("error")) is None:
            return None
        words = f"{error.get('name', '')} {error.get('message', '')}".strip() if isinstance(error, dict) else str(error)
        return Notice(NoticeKind.REFUSED, words)

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`MARKETS_A_SOCKET` markets; one message lists everything."""
        message: list[dict[str, Any]] = [
            {"ticket": f"arbtui-{number}"},
            {"type": "orderbook", "codes": list(codes)},
            {"type": "trade", "codes": list(codes)},
            {"format": "DEFAULT"},
        ]
        return Subscription(tuple(codes), (json.dumps(message, separators=(",", ":")).encode(),), len(codes) * 2)

    def probe(self, code: str) -> RestCall:
        """``GET /v1/orderbook``."""
        return RestCall(f"/v1/orderbook?markets={code}", {"quotation": 1})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        """Levels of size 0 are none, as in the stream."""
        (answer,) = _answers(raw)
        bids = (unit.bid for unit in answer.units if unit.bid_qty > 0.0)
        asks = (unit.ask for unit in answer.units if unit.ask_qty > 0.0)
        return next(bids, 0.0), next(asks, 0.0) or inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books, by market."""
        return key_to(b'"', raw, _BOOK_START)
