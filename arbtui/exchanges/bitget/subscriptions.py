"""What to send over Bitget's public WebSocket (bitget.com/api-doc, common, "Websocket API", 2025-11).

A message lists channels, in 4096 bytes at most, and each is confirmed by an answer of its own. Bitget recommends fewer than 50
channels a connection (1000 at most), takes 240 subscription messages an hour and connection and 10 messages a second, ends a
connection after 24 hours, and one from which no text ``ping`` came for 2 minutes; it asks for one every 30 s.
"""

import json
import re
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from arbtui.exchanges.framing import Framing, key_to
from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Keepalive, Notice, NoticeKind, RestCall, Subscription

CHANNELS = ("books15", "books1", "trade")
CHANNELS_A_SOCKET = 48  #: "less than 50"
MESSAGE_BYTES = 4096

KEEPALIVE = Keepalive("ping", 20.0)

#: "instType:SPOT,channel:books15,instId:XUSDT doesn't exist", as clients report it (ccxt 4.5.90, pro/bitget, 30001).
_UNLISTED = re.compile(r"^30001 .*\binstId:(\w+)")
_DATA_START = b'{"action":"'
_BOOK_START = b'{"action":"snapshot","arg":{"instType":"SPOT","channel":"books1'  #: of books1 and books15


class _Depth(msgspec.Struct, gc=False):
    asks: list[tuple[Price, Quantity]]
    bids: list[tuple[Price, Quantity]]


class _Answer(msgspec.Struct, gc=False):
    data: _Depth


_answer = msgspec.json.Decoder(_Answer, strict=False).decode


class BitgetFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    message_gap_s = 0.25
    data_starts = (_DATA_START,)
    markets_a_socket = CHANNELS_A_SOCKET // len(CHANNELS)

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """Answers: ``{"event":"subscribe","arg":{...}}`` for each channel, ``{"event":"error","code":...,"msg":...}`` for a refusal."""
        if message.get("event") == "error":
            words = f"{message.get('code', '')} {message.get('msg', '')}".strip()
            unlisted = _UNLISTED.search(words)  # each channel is answered by itself
            return Notice(NoticeKind.REFUSED, words) if unlisted is None else Notice(NoticeKind.UNLISTED, unlisted[1])
        return Notice(NoticeKind.CONFIRMED) if message.get("event") == "subscribe" else None

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`CHANNELS_A_SOCKET` channels: whole books, best prices and trades of each market."""
        channels = [{"instType": "SPOT", "channel": channel, "instId": code} for code in codes for channel in CHANNELS]
        messages: list[bytes] = []
        part: list[dict[str, str]] = []
        for channel in channels:
            if len(_message([*part, channel])) > MESSAGE_BYTES:
                messages.append(_message(part))
                part = []
            part.append(channel)
        return Subscription(tuple(codes), (*messages, _message(part)), len(channels), confirmations=len(channels))

    def probe(self, code: str) -> RestCall:
        """``GET /api/v2/spot/market/orderbook`` of one level."""
        return RestCall(f"/api/v2/spot/market/orderbook?symbol={code}&type=step0&limit=1", {"market": 1, "address": 1})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        depth = _answer(raw).data
        return depth.bids[0][0] if depth.bids else 0.0, depth.asks[0][0] if depth.asks else inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Whole books and best prices, by channel and market."""
        return key_to(b"}", raw, _BOOK_START)


def _message(channels: Sequence[Mapping[str, str]]) -> bytes:
    return json.dumps({"op": "subscribe", "args": channels}, separators=(",", ":")).encode()
