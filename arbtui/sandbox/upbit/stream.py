"""Upbit's two WebSockets (docs.upbit.com, "WebSocket"): subscriptions, their errors and limits, and what is sent on them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMessage, WSMsgType

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.fanout import Fanout
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, binary_frame, pong_frame, text_frame
from arbtui.sandbox.upbit.forms import FORMATS, Form, framed
from arbtui.sandbox.windows import RollingWindow

#: Seconds without a byte in either direction after which Upbit closes a socket.
IDLE_S = 120.0
_UP = text_frame(b'{"status":"UP"}')

PUBLIC = ("ticker", "trade", "orderbook")
PRIVATE = ("myOrder", "myAsset")
#: The "market" under which a private stream of all markets is kept.
EVERY = ""


class Subscriptions:
    """Reads what the clients of one of the two sockets ask for."""

    def __init__(
        self,
        types: tuple[str, ...],
        codes: Mapping[str, object],
        clock: Clock,
        faults: WireFaults,
        snapshot: Callable[[str, str], bytes | None] = lambda *_: None,
    ) -> None:
        self.fanout: Fanout[Form] = Fanout(framed)
        self.peers: dict[Peer, tuple[RollingWindow, RollingWindow]] = {}
        self._types = types
        self._codes = codes
        self._clock = clock
        self._faults = faults
        self._snapshot = snapshot

    async def serve(self, peer: Peer) -> None:
        """Talk to ``peer`` until it leaves or breaks a limit."""
        self.peers[peer] = (RollingWindow(5, 1.0), RollingWindow(100, 60.0))
        try:
            while True:
                message = await peer.receive()
                if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                    return
                now = self._clock.monotonic()
                peer.last_activity = now
                if message.type is WSMsgType.PING:
                    peer.send(pong_frame(bytes(message.data)))
                elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    second, minute = self.peers[peer]
                    if not (second.take(now) and minute.take(now)):
                        peer.send(_error("TOO_MANY_REQUESTS", "요청 수 제한을 초과했습니다."))
                        await peer.response.close(code=WSCloseCode.POLICY_VIOLATION)
                        return
                    self._read(peer, message)
        finally:
            self.fanout.drop(peer)
            del self.peers[peer]

    def flush(self) -> None:
        """Write what was put into the fanout."""
        now = self._clock.monotonic()
        for peer in self.fanout.flush():
            peer.last_activity = now

    def close_idle(self) -> None:
        """Close the sockets on which nothing has moved for too long."""
        before = self._clock.monotonic() - IDLE_S
        for peer in list(self.peers):
            if peer.last_activity < before:
                peer.cut()

    def cut(self) -> None:
        """Break every socket."""
        for peer in list(self.peers):
            peer.cut()

    def _read(self, peer: Peer, message: WSMessage) -> None:
        raw = message.data.encode() if isinstance(message.data, str) else message.data
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
        """The new subscription takes the place of the one before."""
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
            for told in codes or [EVERY]:
                code, _, levels = str(told).partition(".")
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
