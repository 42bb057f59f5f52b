"""What to send over Coinone's public WebSocket.

Sources: docs.coinone.co.kr, reference/public-websocket-1, -ping, -orderbook, -trade; probed on 2026-09-23 (nemanull/arbitrage-observatory,
docs/venues/coinone/websocket.md): one message a market and channel, each confirmed with ``SUBSCRIBED`` before its first data; 363 books on
one socket, asked for in one burst, were served. A market that is not there is confirmed all the same, and an error that names no market
follows. The venue ends a connection half an hour after the last ``PING`` of its own kind, or after its opening: a new one takes over
before. At most 20 connections an address are open at once, and the next one is closed with code 4290.
"""

import json
from collections.abc import Mapping, Sequence
from math import inf

import msgspec

from arbtui.exchanges.coinone.rules import pair_of
from arbtui.exchanges.coinone.wire import BOOK_HINT, TRADE_HINT
from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription, share
from arbtui.exchanges.wire import not_json

MARKETS_A_SOCKET = 400  #: the whole list (363) fits one socket
CHANNELS = ("ORDERBOOK", "TRADE")


class _Level(msgspec.Struct, gc=False):
    price: Price
    qty: Quantity


class _Answer(msgspec.Struct, gc=False):
    bids: list[_Level]
    asks: list[_Level]


_answer = msgspec.json.Decoder(_Answer, strict=False).decode


class CoinoneFraming:
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    confirmations = 0  # each message
    message_gap_s = 0.001
    connect_costs: Mapping[str, float] = {"socket-connect": 1}
    lifetime_s = 1_800.0

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        return raw.startswith((BOOK_HINT, TRADE_HINT))

    def notice(self, raw: bytes) -> Notice | None:
        """Confirmations and errors; ``CONNECTED``, which the venue says first, tells of no subscription."""
        try:
            told = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        kind = told.get("response_type") if isinstance(told, dict) else None
        if kind == "SUBSCRIBED":
            return Notice(NoticeKind.CONFIRMED)
        if kind == "ERROR":
            return Notice(NoticeKind.REFUSED, f"{told.get('error_code', '')} {told.get('message', '')}".strip())
        return None

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """Sockets of up to :data:`MARKETS_A_SOCKET` markets: one message for the books of each, and one for its trades."""
        markets = share(len(codes), MARKETS_A_SOCKET, sockets)
        return [_subscription(codes[at : at + markets]) for at in range(0, len(codes), markets)]

    def snapshot(self, code: str) -> RestCall | None:
        """None: every frame is a whole book, and the first one comes with the subscription."""
        return None

    def probe(self, code: str) -> RestCall:
        """``GET /public/v2/orderbook/KRW/BTC``: five levels are the fewest."""
        return RestCall(f"/public/v2/orderbook/{code.replace('-', '/')}?size=5", {"public": 1})

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        try:
            answer = _answer(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise not_json(raw, error) from None
        bids = (level.price for level in answer.bids if level.qty > 0.0)
        asks = (level.price for level in answer.asks if level.qty > 0.0)
        return max(bids, default=0.0), min(asks, default=inf)

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books, by market."""
        if not raw.startswith(BOOK_HINT):
            return None
        end = raw.find(b'"', raw.find(b'"target_currency":"', len(BOOK_HINT), len(BOOK_HINT) + 40) + len(b'"target_currency":"'))
        return raw[:end] if end > len(BOOK_HINT) + 20 else None


def _subscription(codes: Sequence[str]) -> Subscription:
    messages = [
        json.dumps({"request_type": "SUBSCRIBE", "channel": channel, "topic": pair_of(code)}, separators=(",", ":")).encode()
        for channel in CHANNELS
        for code in codes
    ]
    return Subscription(tuple(codes), tuple(messages), len(messages))
