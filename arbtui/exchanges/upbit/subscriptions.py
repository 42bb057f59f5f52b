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

from arbtui.exchanges.numbers import PaddedPrice
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription, share
from arbtui.exchanges.wire import not_json

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


class UpbitFraming:
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    confirmations = 1  # the last message asks what is subscribed; the one before is not answered
    message_gap_s = 0.25
    connect_costs: Mapping[str, float] = {"socket-connect": 1}
    lifetime_s = 86_400.0  # none is documented; a new socket a day costs nothing and treats both venues alike

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        return raw.startswith(_DATA_STARTS)

    def notice(self, raw: bytes) -> Notice | None:
        """Errors, and the answer to LIST_SUBSCRIPTIONS (docs.upbit.com, list-subscriptions), in both formats."""
        try:
            told = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not isinstance(told, dict):
            return None
        if (error := told.get("error")) is not None:
            words = f"{error.get('name', '')} {error.get('message', '')}".strip() if isinstance(error, dict) else str(error)
            return Notice(NoticeKind.REFUSED, words)
        if told.get("method", told.get("mthd")) != "LIST_SUBSCRIPTIONS":
            return None
        rows = told.get("result", told.get("rslt"))
        listed = {row.get("type", row.get("ty")) for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set()
        if missing := [kind for kind in _TYPES if kind not in listed]:
            return Notice(NoticeKind.REFUSED, f"{', '.join(missing)} is not among what is subscribed")
        return Notice(NoticeKind.CONFIRMED)

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """Sockets of up to :data:`MARKETS_A_SOCKET` markets; one message lists everything, another asks whether it was taken."""
        markets = share(len(codes), MARKETS_A_SOCKET, sockets)
        return [_subscription(number, codes[at : at + markets]) for number, at in enumerate(range(0, len(codes), markets), 1)]

    def snapshot(self, code: str) -> RestCall | None:
        """None: every frame is a whole book, and the first one comes with the subscription."""
        return None

    def probe(self, code: str) -> RestCall:
        """``GET /v1/orderbook``."""
        return RestCall(f"/v1/orderbook?markets={code}", {"quotation": 1})

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        try:
            (answer,) = _answers(raw)
            best = answer.units[0] if answer.units else _Unit(0.0, 0.0)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise not_json(raw, error) from None
        return best.bid, best.ask or inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books, in either format, by market."""
        for start in _BOOK_STARTS:
            if raw.startswith(start):
                end = raw.find(b'"', len(start))
                return raw[:end] if end > 0 else None
        return None


def _subscription(number: int, codes: Sequence[str]) -> Subscription:
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
