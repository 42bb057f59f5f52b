"""What to send over Upbit's public WebSocket (docs.upbit.com, WebSocket guide and "Rate limits", 2026-10).

One message lists everything: a second one on the same socket replaces the first. Unknown codes are ignored silently. A
connection without traffic is closed after 120 s. Limits: 5 connections a second, 5 messages a second and 100 a minute; REST
queries of one quotation group 10 a second and address.
"""

import json
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from arbtui.exchanges.framing import Framing, key_to
from arbtui.exchanges.numbers import PaddedPrice
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription

MARKETS_A_SOCKET = 300  #: the whole won list (286) fits one; a reconnect then costs one message
LEVELS = 15  #: requested by a suffix of the code (1, 5, 15 or 30; without one 30, twice the bytes for levels that no cycle reaches)

_BOOK_STARTS = (b'{"type":"orderbook","code":"', b'{"ty":"orderbook","cd":"')

_DATA_STARTS = (*_BOOK_STARTS, b'{"type":"trade"', b'{"ty":"trade"')
_TYPES = ("orderbook", "trade")


class _Unit(msgspec.Struct, gc=False):
    ask: PaddedPrice = msgspec.field(name="ask_price")
    bid: PaddedPrice = msgspec.field(name="bid_price")


class _Answer(msgspec.Struct, gc=False):
    units: list[_Unit] = msgspec.field(name="orderbook_units")


_answers = msgspec.json.Decoder(list[_Answer], strict=False).decode


class UpbitFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    confirmations = 1  # the last message asks what is subscribed; the one before is not answered
    message_gap_s = 0.25
    data_starts = _DATA_STARTS
    markets_a_socket = MARKETS_A_SOCKET

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """Errors, and the answer to LIST_SUBSCRIPTIONS (docs.upbit.com, list-subscriptions), in both formats."""
        if (error := message.get("error")) is not None:
            words = f"{error.get('name', '')} {error.get('message', '')}".strip() if isinstance(error, dict) else str(error)
            return Notice(NoticeKind.REFUSED, words)
        if message.get("method", message.get("mthd")) != "LIST_SUBSCRIPTIONS":
            return None
        rows = message.get("result", message.get("rslt"))
        listed = {row.get("type", row.get("ty")) for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set()
        if missing := [kind for kind in _TYPES if kind not in listed]:
            return Notice(NoticeKind.REFUSED, f"{', '.join(missing)} is not among what is subscribed")
        return Notice(NoticeKind.CONFIRMED)

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`MARKETS_A_SOCKET` markets; one message lists everything, another asks whether it was taken."""
        books = [f"{code}.{LEVELS}" for code in codes]
        ticket = {"ticket": f"arbtui-{number}"}
        subscribe: list[dict[str, Any]] = [
            ticket,
            {"type": "orderbook", "codes": books},
            {"type": "trade", "codes": list(codes)},
            {"format": "DEFAULT"},
        ]
        ask = [ticket, {"method": "LIST_SUBSCRIPTIONS"}, {"format": "DEFAULT"}]  # another format would change the stream's own
        messages = tuple(json.dumps(message, separators=(",", ":")).encode() for message in (subscribe, ask))
        return Subscription(tuple(codes), messages, len(codes) * 2)

    def probe(self, code: str) -> RestCall:
        """``GET /v1/orderbook``."""
        return RestCall(f"/v1/orderbook?markets={code}", {"quotation": 1})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        (answer,) = _answers(raw)
        best = answer.units[0] if answer.units else _Unit(0.0, 0.0)
        return best.bid, best.ask or inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books, in either format, by market."""
        return key_to(b'"', raw, _BOOK_STARTS[0]) or key_to(b'"', raw, _BOOK_STARTS[1])
