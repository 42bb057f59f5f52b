"""What to send over Binance's combined public streams, spot and USD-M (developers.binance.com, "WebSocket Market Streams").

Limits: 1024 streams a connection, 5 messages from us a second (ping and pong frames count) on spot and 10 on USD-M, 300 connections
per 5 minutes and address; connections end after 24 hours. A REST depth answer of up to 100 levels weighs 5 of 6000 a minute on spot
(2 up to 50 levels, 5 up to 100 of 2400 on USD-M).
"""

import json
from collections.abc import Mapping, Sequence
from math import inf

import msgspec

from arbtui.exchanges.numbers import Price, Quantity
from arbtui.exchanges.subscriptions import Notice, NoticeKind, RestCall, Subscription, share
from arbtui.exchanges.wire import not_json

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


class BinanceFraming:
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`.

    Args:
        usdm: True for USD-M futures, False for spot.
    """

    confirmations = 0
    message_gap_s = 0.25
    connect_costs: Mapping[str, float] = {"socket-connect": 1}
    lifetime_s = 86_400.0

    def __init__(self, *, usdm: bool = False) -> None:
        self._depth_path = "/fapi/v1/depth" if usdm else "/api/v3/depth"

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`; streams of the connection itself begin with ``!``."""
        return raw.startswith(_START) and raw[len(_START) : len(_START) + 1] != b"!"

    def notice(self, raw: bytes) -> Notice | None:
        """Answers to SUBSCRIBE, and ``serverShutdown`` (Spot, WebSocket Streams, "Server Shutdown"), raw and combined."""
        try:
            told = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if not isinstance(told, dict):
            return None
        event = told.get("data", told)
        if isinstance(event, dict) and event.get("e") == "serverShutdown":
            return Notice(NoticeKind.SHUTDOWN)
        error = told.get("error")
        if error is None and "msg" in told and "code" in told:  # the older form: {"code": 2, "msg": "..."}
            error = told
        if error is not None:
            words = f"{error.get('code', '')} {error.get('msg', '')}".strip() if isinstance(error, dict) else str(error)
            return Notice(NoticeKind.REFUSED, words)
        return Notice(NoticeKind.CONFIRMED) if "id" in told and told.get("result", "") is None else None

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """Sockets of up to :data:`STREAMS_A_SOCKET` streams: depth diffs, best prices and trades of each market."""
        markets = share(len(codes), STREAMS_A_SOCKET // len(_KINDS), sockets)
        return [_subscription(codes[at : at + markets]) for at in range(0, len(codes), markets)]

    def snapshot(self, code: str) -> RestCall | None:
        """REST depth of :data:`DEPTH` levels."""
        return RestCall(f"{self._depth_path}?symbol={code}&limit={DEPTH}", {"weight": 5})

    def probe(self, code: str) -> RestCall:
        """REST depth of 5 levels."""
        return RestCall(f"{self._depth_path}?symbol={code}&limit=5", {"weight": 5})

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        try:
            depth = _depth(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise not_json(raw, error) from None
        return depth.bids[0][0] if depth.bids else 0.0, depth.asks[0][0] if depth.asks else inf

    def merge_key(self, raw: bytes) -> bytes | None:
        """Best prices, by stream."""
        if not raw.startswith(_START):
            return None
        key = raw[: raw.find(b'"', len(_START))]
        return key if key.endswith(_TICKER_END) else None


def _subscription(codes: Sequence[str]) -> Subscription:
    streams = [f"{code.lower()}@{kind}" for code in codes for kind in _KINDS]
    parts = [streams[at : at + STREAMS_A_MESSAGE] for at in range(0, len(streams), STREAMS_A_MESSAGE)]
    messages = [
        json.dumps({"method": "SUBSCRIBE", "params": part, "id": number}, separators=(",", ":")).encode()
        for number, part in enumerate(parts, 1)
    ]
    return Subscription(tuple(codes), tuple(messages), len(streams))
