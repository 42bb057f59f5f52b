"""Upbit's two WebSockets (docs.upbit.com, "WebSocket"): subscriptions, their errors and limits, and what is sent on them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, binary_frame, text_frame
from arbtui.sandbox.sockets import Sockets
from arbtui.sandbox.upbit.forms import FORMATS, Form, framed

#: Seconds without a byte in either direction after which Upbit closes a socket.
IDLE_S = 120.0
_UP = text_frame(b'{"status":"UP"}')

PUBLIC = ("ticker", "trade", "orderbook")
PRIVATE = ("myOrder", "myAsset")
#: The "market" under which a private stream of all markets is kept.
EVERY = ""


class Subscriptions(Sockets[Form]):
    """The subscriptions of the clients of one of the two sockets."""

    message_limits = ((5, 1.0), (100, 60.0))
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

    def flush(self) -> None:
        """Write what was queued in the fanout."""
        now = self._clock.monotonic()
        for peer in self.fanout.flush():
            peer.last_activity = now

    def close_idle(self) -> None:
        """Close the sockets on which nothing has moved for too long."""
        before = self._clock.monotonic() - IDLE_S
        for peer in list(self.peers):
            if peer.last_activity < before:
                peer.cut()

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`Sockets`: an error that says so, then the close."""
        peer.send(_error("TOO_MANY_REQUESTS", "요청 수 제한을 초과했습니다."))
        await peer.response.close(code=WSCloseCode.POLICY_VIOLATION)

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`: a ping in text, a subscription, or a request for the list of them."""
        if raw.strip().upper() == b"PING":
            peer.send(_UP)
            return
        try:
            parts = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            parts = None
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            peer.send(_error("WRONG_FORMAT", "Format이 맞지 않습니다."))
            return
        ticket = next((part["ticket"] for part in parts if "ticket" in part), None)
        if ticket is None:
            peer.send(_error("NO_TICKET", "티켓이 존재하지 않습니다."))
        elif any(part.get("method") == "LIST_SUBSCRIPTIONS" for part in parts):
            peer.send(binary_frame(encode({"method": "LIST_SUBSCRIPTIONS", "result": self._list(peer), "ticket": ticket})))
        else:
            self._subscribe(peer, parts)

    def _subscribe(self, peer: Peer, parts: list[dict[str, Any]]) -> None:
        """The new subscription replaces the previous one."""
        stream: Stream = "public" if self._types is PUBLIC else "private"
        if (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=stream)) is not None:
            peer.send(_error(fault.error or "", fault.words or "scripted"))
            return
        fields = [part for part in parts if "type" in part]
        form = next((str(part["format"]) for part in parts if "format" in part), "DEFAULT")
        wanted: list[tuple[tuple[str, str], Form, bool, bool]] = []
        if not fields:
            peer.send(_error("NO_TYPE", "타입이 존재하지 않습니다."))
            return
        for part in fields:
            kind = str(part["type"])
            codes = part.get("codes", [])
            if kind not in self._types or form not in FORMATS or not isinstance(codes, list):
                peer.send(_error("INVALID_PARAM", "잘못된 파라미터입니다."))
                return
            if self._types is PUBLIC and not codes:
                peer.send(_error("NO_CODES", "코드가 존재하지 않습니다."))
                return
            now_only = bool(part.get("is_only_snapshot", part.get("isOnlySnapshot", False)))
            live_only = bool(part.get("is_only_realtime", part.get("isOnlyRealtime", False)))
            for name in codes or [EVERY]:
                code, _, levels = str(name).partition(".")
                if code == EVERY or code in self._codes:
                    wanted.append(((kind, code), Form(form, int(levels) if levels.isdigit() else 0), now_only, live_only))
        if not wanted:
            peer.send(_error("NO_CODES", "지원하지 않는 코드입니다."))
            return
        for key in self.fanout.of(peer):
            self.fanout.forget(peer, key)
        for key, how, now_only, live_only in wanted:
            if not now_only:
                self.fanout.want(peer, key, how)
            snapshot = None if live_only else self._snapshot(*key)
            if snapshot is not None:
                peer.pending.append(framed(snapshot, how))
        peer.flush()

    def _list(self, peer: Peer) -> list[dict[str, Any]]:
        rows: dict[str, list[str]] = {}
        for kind, code in self.fanout.of(peer):
            rows.setdefault(kind, []).append(code)
        return [{"type": kind, "codes": [code for code in codes if code != EVERY]} for kind, codes in rows.items()]


def _error(name: str, message: str) -> bytes:
    return binary_frame(encode({"error": {"name": name, "message": message}}))
