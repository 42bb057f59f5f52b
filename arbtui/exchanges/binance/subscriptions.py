"""What to send over Binance's combined public streams, spot and USD-M (developers.binance.com, "WebSocket Market Streams").

Limits: 1024 streams a connection, 5 messages from us a second (ping and pong frames count) on spot and 10 on USD-M, 300 connections
per 5 minutes and address; connections end after 24 hours. A REST depth answer of up to 100 levels weighs 5 of 6000 a minute on spot
(2 up to 50 levels, 5 up to 100 of 2400 on USD-M).
"""

import json
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from arbtui.exchanges.framing import Framing
from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription

STREAMS_A_SOCKET = 200  #: far under the venue's 1024: a lost connection then affects 66 markets, not all
STREAMS_A_MESSAGE = 100  #: about 2 kB
DEPTH = 100  #: levels of a snapshot: no cycle reaches further, and more would cost more weight

_KINDS = ("depth@100ms", "bookTicker", "trade")
_START = b'{"stream":"'
_TICKER_END = b"@bookTicker"


class _Depth(msgspec.Struct, gc=False):
    bids: list[tuple[Price, Quantity]]
    asks: list[tuple[Price, Quantity]]


_depth = msgspec.json.Decoder(_Depth, strict=False).decode


class BinanceFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`.

    Args:
        usdm: True for USD-M futures, False for spot.
    """

    message_gap_s = 0.25
    data_starts = (_START,)
    markets_a_socket = STREAMS_A_SOCKET // len(_KINDS)

    def __init__(self, *, usdm: bool = False) -> None:
        self._depth_path = "/fapi/v1/depth" if usdm else "/api/v3/depth"

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`; streams of the connection itself begin with ``!``."""
        return raw.startswith(_START) and raw[len(_START) : len(_START) + 1] != b"!"

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """Answers to SUBSCRIBE, and ``serverShutdown`` (Spot, WebSocket Streams, "Server Shutdown"), raw and combined."""
        event = message.get("data", message)
        if isinstance(event, dict) and event.get("e") == "serverShutdown":
            return Notice(NoticeKind.SHUTDOWN)
        error = message.get("error")
        if error is None and "msg" in message and "code" in message:  # the older form: {"code": 2, "msg": "..."}
            error = message
        if error is not None:
            words = f"{error.get('code', '')} {error.get('msg', '')}".strip() if isinstance(error, dict) else str(error)
            return Notice(NoticeKind.REFUSED, words)
        return Notice(NoticeKind.CONFIRMED) if "id" in message and message.get("result", "") is None else None

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`STREAMS_A_SOCKET` streams: depth diffs, best prices and trades of each market."""
        streams = [f"{code.lower()}@{kind}" for code in codes for kind in _KINDS]
        parts = [streams[at : at + STREAMS_A_MESSAGE] for at in range(0, len(streams), STREAMS_A_MESSAGE)]
        messages = [
            json.dumps({"method": "SUBSCRIBE", "params": part, "id": place}, separators=(",", ":")).encode()
            for place, part in enumerate(parts, 1)
        ]
        return Subscription(tuple(codes), tuple(messages), len(streams))

    def snapshot(self, code: str) -> RestCall | None:
        """REST depth of :data:`DEPTH` levels."""
        return RestCall(f"{self._depth_path}?symbol={code}&limit={DEPTH}", {"weight": 5})

    def probe(self, code: str) -> RestCall:
        """REST depth of 5 levels."""
        return RestCall(f"{self._depth_path}?symbol={code}&limit=5", {"weight": 5})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        depth = _depth(raw)
        return depth.bids[0][0] if depth.bids else 0.0, depth.asks[0][0] if depth.asks else inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Best prices, by stream."""
        if not raw.startswith(_START):
            return None
        key = raw[: raw.find(b'"', len(_START))]
        return key if key.endswith(_TICKER_END) else None
