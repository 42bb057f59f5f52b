"""What to send over OKX's public socket (okx.com/docs-v5: "Connect", "Subscribe", "Notification", "WS / Order book channel").

Limits: 3 connections a second and address; 480 subscribe, unsubscribe and login requests an hour and connection; a request may name
many channels, 64 KB in all, and each is confirmed by itself. A connection over which nothing came for 30 seconds is closed: the text
``ping``, answered by ``pong``, keeps it. A notice comes 60 seconds before the venue ends a connection for an upgrade; no lifetime is
documented. Fewer than 30 channels of 400 levels should share one connection.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from arbtui.exchanges.framing import Framing, key_to
from arbtui.exchanges.okx.wire import best_of_depth
from arbtui.exchanges.subscriptions import Keepalive, Notice, NoticeKind, RestCall, Subscription

MARKETS_A_SOCKET = 25
#: Under the 30 s after which a silent connection is closed.
KEEPALIVE = Keepalive("ping", 20.0)
_CHANNELS = ("books", "bbo-tbt", "trades")
_START = b'{"arg":'
_TOUCH = b'{"arg":{"channel":"bbo-tbt",'
_UPGRADE = "64008"
#: "Wrong URL or channel:books,instId:X-Y doesn't exist": each channel of a message is answered by itself.
_NO_CHANNEL = "60018"
_INSTRUMENT = re.compile(r"\binstId:([\w-]+)")


class OkxFraming(Framing):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`."""

    message_gap_s = 0.35
    data_starts = (_START,)
    markets_a_socket = MARKETS_A_SOCKET

    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """Confirmations, one for each channel; errors; and the notice that the connection will be closed."""
        event, code = message.get("event"), str(message.get("code", ""))
        if event == "subscribe":
            return Notice(NoticeKind.CONFIRMED)
        if event == "error":
            words = str(message.get("msg", ""))
            unlisted = _INSTRUMENT.search(words) if code == _NO_CHANNEL else None
            return Notice(NoticeKind.REFUSED, f"{code} {words}".strip()) if unlisted is None else Notice(NoticeKind.UNLISTED, unlisted[1])
        return Notice(NoticeKind.SHUTDOWN) if event == "notice" and code == _UPGRADE else None

    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """A socket of up to :data:`MARKETS_A_SOCKET` markets: book, best prices and trades of each."""
        args = [{"channel": channel, "instId": code} for code in codes for channel in _CHANNELS]
        return Subscription(tuple(codes), (_message("subscribe", args),), len(args), confirmations=len(args))

    def probe(self, code: str) -> RestCall:
        """REST depth of one level."""
        return RestCall(f"/api/v5/market/books?instId={code}&sz=1", {"books": 1})

    def _best_of(self, raw: bytes) -> tuple[float, float]:
        return best_of_depth(raw)

    def merge_key(self, raw: bytes) -> bytes | None:
        """Best prices, by market."""
        return key_to(b"}", raw, _TOUCH)


def resubscription(code: str) -> tuple[bytes, bytes]:
    """The messages after which the channel ``books`` sends a market's whole book again."""
    args = [{"channel": "books", "instId": code}]
    return _message("unsubscribe", args), _message("subscribe", args)


def _message(op: str, args: Sequence[Mapping[str, str]]) -> bytes:
    return json.dumps({"op": op, "args": args}, separators=(",", ":")).encode()
