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
from typing import Any

import msgspec

from arbtui.exchanges.coinone.rules import pair_of
from arbtui.exchanges.coinone.wire import BOOK_HINT, TRADE_HINT
from arbtui.exchanges.framing import Framing
from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription

MARKETS_A_SOCKET = 400  #: the whole list (363) fits one socket
CHANNELS = ("ORDERBOOK", "TRADE")


class _Level(msgspec.Struct, gc=False):
    price: Price
    qty: Quantity


class _Answer(msgspec.Struct, gc=False):
    bids: list[_Level]
    asks: list[_Level]


_answer = msgspec.json.Decoder(_Answer, strict=False).decode


class CoinoneFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    message_gap_s = 0.001
    data_starts = (BOOK_HINT, TRADE_HINT)
    markets_a_socket = MARKETS_A_SOCKET
    lifetime_s = 1_800.0

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """Confirmations and errors; ``CONNECTED``, which the venue sends first, confirms no subscription."""
        kind = message.get("response_type")
        if kind == "SUBSCRIBED":
            return Notice(NoticeKind.CONFIRMED)
        if kind == "ERROR":
            return Notice(NoticeKind.REFUSED, f"{message.get('error_code', '')} {message.get('message', '')}".strip())
        return None

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`MARKETS_A_SOCKET` markets: one message for the books of each, and one for its trades."""
        messages = [
            json.dumps({"request_type": "SUBSCRIBE", "channel": channel, "topic": pair_of(code)}, separators=(",", ":")).encode()
            for channel in CHANNELS
            for code in codes
        ]
        return Subscription(tuple(codes), tuple(messages), len(messages))

    def probe(self, code: str) -> RestCall:
        """``GET /public/v2/orderbook/KRW/BTC``: five levels are the fewest."""
        return RestCall(f"/public/v2/orderbook/{code.replace('-', '/')}?size=5", {"public": 1})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        answer = _answer(raw)
        bids = (level.price for level in answer.bids if level.qty > 0.0)
        asks = (level.price for level in answer.asks if level.qty > 0.0)
        return max(bids, default=0.0), min(asks, default=inf)

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books, by market."""
        if not raw.startswith(BOOK_HINT):
            return None
        end = raw.find(b'"', raw.find(b'"target_currency":"', len(BOOK_HINT), len(BOOK_HINT) + 40) + len(b'"target_currency":"'))
        return raw[:end] if end > len(BOOK_HINT) + 20 else None
