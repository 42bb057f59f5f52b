"""Bithumb's two WebSockets: subscriptions, their errors, and what is sent on them.

Sources: apidocs.bithumb.com, reference: 기본-정보, 요청-포맷, 연결-관리, 웹소켓-에러; and as probed on 2026-09-23
(nemanull/arbitrage-observatory, docs/venues/bithumb/websocket.md @ 2cbe7062): nothing confirms a subscription, unknown codes are passed
over in silence, an error ends the connection with code 1000, a PING in text is answered every ten seconds from then on, and a connection
without traffic ends after 60 s (by the documents, 120).
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.bithumb.forms import FORMATS, Form, framed
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, binary_frame, text_frame
from arbtui.sandbox.sockets import Sockets

IDLE_S = 60.0
UP_EVERY_S = 10.0
_UP = text_frame(b'{"status":"UP"}')
_MOST_LEVELS = 15

PUBLIC = ("trade", "orderbook")
PRIVATE = ("myOrder", "myAsset")
#: The "market" under which a private stream of all markets is kept.
EVERY = ""


class Subscriptions(Sockets[Form]):
    """The subscriptions of the clients of one of the two sockets."""

    message_limits = ((100, 1.0),)  # none is documented; this one only keeps a client from flooding this process
    counts_pings = False

    def __init__(
        self,
        types: tuple[str, ...],
        codes: Mapping[str, object],
        clock: Clock,
        faults: WireFaults,
        snapshot: Callable[[str, str], bytes | None] = lambda *_: None,
    ) -> None:
        super().__init__(clock, framed)
        self._types = types
        self._codes = codes
        self._faults = faults
        self._snapshot = snapshot
        self._up_at: dict[Peer, float] = {}  # monotonic s of the next answer to a PING

    def flush(self) -> None:
        """Write what was queued in the fanout."""
        now = self._clock.monotonic()
        for peer in self.fanout.flush():
            peer.last_activity = now

    def housekeep(self) -> None:
        """Answer pings that are due, and end the connections on which nothing has moved for too long."""
        now = self._clock.monotonic()
        for peer in list(self.peers):
            if self._up_at.get(peer, now + 1.0) <= now:
                self._up_at[peer] = now + UP_EVERY_S
                peer.last_activity = now
                peer.send(_UP)
            if peer.last_activity < now - IDLE_S:
                peer.cut()

    def gone(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        super().gone(peer)
        self._up_at.pop(peer, None)

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`Sockets`."""
        peer.cut()

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`: a ping in text, or a subscription."""
        if raw.strip().upper() == b"PING":
            self._up_at.setdefault(peer, self._clock.monotonic())  # answered by the next look at them
            return
        try:
            parts = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            parts = None
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            await _refuse(peer, "WRONG_FORMAT", "Format 이 맞지 않습니다.")
        elif not any("ticket" in part for part in parts):
            await _refuse(peer, "NO_TICKET", "티켓이 존재하지 않습니다.")
        else:
            await self._subscribe(peer, parts)

    async def _subscribe(self, peer: Peer, parts: list[dict[str, Any]]) -> None:
        """The new subscription replaces the previous one."""
        stream: Stream = "public" if self._types is PUBLIC else "private"
        if (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=stream)) is not None:
            await _refuse(peer, fault.error or "", fault.words or "scripted")
            return
        fields = [part for part in parts if "type" in part]
        form = next((str(part["format"]) for part in parts if "format" in part), "DEFAULT")
        if not fields:
            await _refuse(peer, "NO_TYPE", "타입이 존재하지 않습니다.")
            return
        wanted: list[tuple[tuple[str, str], Form, bool, bool]] = []
        for part in fields:
            kind, codes = str(part["type"]), part.get("codes", [])
            if kind not in self._types or form not in FORMATS or not isinstance(codes, list):
                await _refuse(peer, "INVALID_PARAM", "잘못된 파라미터입니다.")
                return
            if self._types is PUBLIC and not codes:
                await _refuse(peer, "NO_CODES", "코드가 존재하지 않습니다.")
                return
            once, live_only = bool(part.get("isOnlySnapshot", False)), bool(part.get("isOnlyRealtime", False))
            for name in codes or [EVERY]:
                code, _, levels = str(name).partition(".")
                if code == EVERY or code in self._codes:
                    wanted.append(((kind, code), Form(form, min(int(levels), _MOST_LEVELS) if levels.isdigit() else 0), once, live_only))
        for key in self.fanout.of(peer):
            self.fanout.forget(peer, key)
        for key, how, once, live_only in wanted:
            if not once:
                self.fanout.want(peer, key, how)
            snapshot = None if live_only else self._snapshot(*key)
            if snapshot is not None:
                peer.pending.append(framed(snapshot, how))
        peer.flush()


async def _refuse(peer: Peer, name: str, message: str) -> None:
    peer.send(binary_frame(encode({"error": {"name": name, "message": message}})))
    await peer.response.close(code=WSCloseCode.OK)
