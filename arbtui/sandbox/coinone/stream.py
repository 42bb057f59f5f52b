"""Coinone's two WebSockets: subscriptions, their errors, and what is sent on them.

Sources: docs.coinone.co.kr, reference/public-websocket-1 and private-websocket-1; and as probed on 2026-09-23
(nemanull/arbitrage-observatory, docs/venues/coinone/websocket.md): a greeting comes first, each subscription is confirmed, that of a market
that is not there too, and an error that names none follows; errors end nothing; a connection ends half an hour after the last PING, and one
that never asked for anything after a minute. Format SHORT, and channels TICKER and CHART, are not played: nothing here asks for them.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from arbtui.exchanges.coinone.rules import code_of
from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.coinone.limits import CONNECTIONS
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, text_frame
from arbtui.sandbox.sockets import Sockets

IDLE_S = 1_800.0
SILENT_S = 60.0
TOO_MANY = 4290

PUBLIC = ("ORDERBOOK", "TRADE")
PRIVATE = ("MYORDER", "MYASSET")
#: The "market" under which a private stream of all markets is kept.
EVERY = ""


class Subscriptions(Sockets[str]):
    """The subscriptions of the clients of one of the two sockets."""

    message_limits = ((5_000, 1.0),)  # none is documented; this one only keeps a client from flooding this process
    counts_pings = False

    def __init__(
        self,
        channels: tuple[str, ...],
        codes: Mapping[str, object],
        clock: Clock,
        faults: WireFaults,
        snapshot: Callable[[str, str], bytes | None] = lambda *_: None,
    ) -> None:
        super().__init__(clock, lambda payload, _: text_frame(payload))
        self._channels = channels
        self._codes = codes
        self._faults = faults
        self._snapshot = snapshot
        self._asked_at: dict[Peer, float] = {}  # monotonic s of the last PING, or of the opening

    async def serve(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        if len(self.peers) >= CONNECTIONS:
            await peer.response.close(code=TOO_MANY)
            return
        self._asked_at[peer] = self._clock.monotonic()
        peer.send(_frame({"response_type": "CONNECTED", "data": {"session_id": str(uuid.uuid5(uuid.NAMESPACE_OID, repr(peer)))}}))
        await super().serve(peer)

    def housekeep(self) -> None:
        """End the connections on which nothing was asked for too long."""
        now = self._clock.monotonic()
        for peer in list(self.peers):
            if self._asked_at[peer] < now - (IDLE_S if self.fanout.of(peer) else SILENT_S):
                peer.cut()

    def gone(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        super().gone(peer)
        self._asked_at.pop(peer, None)

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        peer.cut()

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`: a ping, or a subscription or its end."""
        try:
            asked = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            peer.send(_error(160010, "Invalid Request"))
            return
        kind, channel = asked.get("request_type"), asked.get("channel")
        if kind == "PING":
            self._asked_at[peer] = self._clock.monotonic()
            peer.send(_frame({"response_type": "PONG"}))
        elif kind not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            peer.send(_error(160011, "Invalid Type", "request_type"))
        elif channel not in self._channels:
            peer.send(_error(160011, "Invalid Type", "channel"))
        elif asked.get("format", "DEFAULT") != "DEFAULT":
            peer.send(_error(160011, "Invalid Type", "format"))
        else:
            self._subscribe(peer, str(kind), str(channel), asked.get("topic"))

    def _subscribe(self, peer: Peer, kind: str, channel: str, topic: Any) -> None:
        stream: Stream = "public" if self._channels is PUBLIC else "private"
        if (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=stream)) is not None:
            peer.send(_error(int(fault.error or 160012), fault.words or "scripted"))
            return
        confirmed: dict[str, Any] = {"response_type": f"{kind}D", "channel": channel}
        peer.pending.append(_frame(confirmed if topic is None else confirmed | {"data": topic}))
        codes = [EVERY] if channel == "MYASSET" else _codes(topic) or ([EVERY] if channel == "MYORDER" else [])
        if not codes or any(code != EVERY and code not in self._codes for code in codes):
            peer.pending.append(_error(160012, "Invalid Topic"))
            codes = [code for code in codes if code in self._codes]
        for code in codes:
            if kind == "UNSUBSCRIBE":
                self.fanout.forget(peer, (channel, code))
                continue
            self.fanout.want(peer, (channel, code), "DEFAULT")
            snapshot = self._snapshot(channel, code)
            if snapshot is not None:
                peer.pending.append(text_frame(snapshot))
        peer.flush()


def _codes(topic: Any) -> list[str]:
    """The markets of a topic: one of the public socket, several of the private one."""
    rows = topic if isinstance(topic, list) else [topic]
    return [
        code_of(str(row.get("quote_currency", "")), str(row.get("target_currency", ""))) if isinstance(row, dict) else "?"
        for row in rows
        if row is not None
    ]


def _frame(message: Mapping[str, Any]) -> bytes:
    return text_frame(encode(message))


def _error(code: int, message: str, field: str = "") -> bytes:
    body: dict[str, Any] = {"response_type": "ERROR", "error_code": code, "message": message}
    return _frame(body | ({"field": field} if field else {}))
