"""Subscriptions: the two WebSockets: what clients subscribe to, the errors of that, and what is sent on them."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.faults import Stream, WireFaultKind, WireFaults
from arbtui.sandbox.peer import Peer, binary_frame
from arbtui.sandbox.sockets import Sockets
from arbtui.sandbox.won.forms import Form

PRIVATE = ("myOrder", "myAsset")
#: The "market" under which a private stream of all markets is kept.
EVERY = ""

_Wanted = tuple[tuple[str, str], Form, bool, bool]  # (type, code), form, only a snapshot, no snapshot


class Subscriptions(Sockets[Form]):
    """The subscriptions of the clients of one of the two sockets.

    ``formats``: that may be asked for. ``most_levels``: of a book. ``format_words``: of the error WRONG_FORMAT. ``refuses_unknown``:
    whether a subscription of unknown markets only is an error.
    """

    counts_pings = False
    formats: ClassVar[Sequence[str]]
    most_levels: ClassVar[int]
    format_words: ClassVar[str]
    refuses_unknown: ClassVar[bool]

    def __init__(
        self,
        types: tuple[str, ...],
        codes: Mapping[str, object],
        clock: Clock,
        faults: WireFaults,
        framed: Callable[[bytes, Form], bytes],
        snapshot: Callable[[str, str], bytes | None],
    ) -> None:
        super().__init__(clock, framed)
        self._types = types
        self._codes = codes
        self._faults = faults
        self._framed = framed
        self._snapshot = snapshot

    @abstractmethod
    async def refuse(self, peer: Peer, name: str, words: str) -> None:
        """Send an error, and do what the venue does then."""

    @abstractmethod
    def ping(self, peer: Peer) -> None:
        """A client has sent the text PING."""

    def answers(self, peer: Peer, parts: Sequence[Mapping[str, Any]], ticket: object) -> bool:
        """Whether a message is another one than a subscription, and was answered."""
        return False

    async def read(self, peer: Peer, raw: bytes) -> None:
        """See :class:`Sockets`: a ping in text, a subscription, or what else the venue answers."""
        if raw.strip().upper() == b"PING":
            self.ping(peer)
            return
        try:
            parts = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            parts = None
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            await self.refuse(peer, "WRONG_FORMAT", self.format_words)
            return
        ticket = next((part["ticket"] for part in parts if "ticket" in part), None)
        if ticket is None:
            await self.refuse(peer, "NO_TICKET", "티켓이 존재하지 않습니다.")
        elif not self.answers(peer, parts, ticket):
            await self._subscribe(peer, parts)

    async def _subscribe(self, peer: Peer, parts: list[dict[str, Any]]) -> None:
        """The new subscription replaces the previous one."""
        stream: Stream = "private" if PRIVATE[0] in self._types else "public"
        if (fault := self._faults.take(WireFaultKind.SUBSCRIBE_ERROR, stream=stream)) is not None:
            await self.refuse(peer, fault.error or "", fault.words or "scripted")
            return
        fields = [part for part in parts if "type" in part]
        if not fields:
            await self.refuse(peer, "NO_TYPE", "타입이 존재하지 않습니다.")
            return
        form = next((str(part["format"]) for part in parts if "format" in part), "DEFAULT")
        wanted: list[_Wanted] = []
        for part in fields:
            codes = part.get("codes", [])
            if part["type"] not in self._types or form not in self.formats or not isinstance(codes, list):
                await self.refuse(peer, "INVALID_PARAM", "잘못된 파라미터입니다.")
                return
            if stream == "public" and not codes:
                await self.refuse(peer, "NO_CODES", "코드가 존재하지 않습니다.")
                return
            wanted += self._wanted(part, codes, form)
        if not wanted and self.refuses_unknown:
            await self.refuse(peer, "NO_CODES", "지원하지 않는 코드입니다.")
            return
        for key in self.fanout.of(peer):
            self.fanout.forget(peer, key)
        for key, how, now_only, live_only in wanted:
            if not now_only:
                self.fanout.want(peer, key, how)
            snapshot = None if live_only else self._snapshot(*key)
            if snapshot is not None:
                peer.pending.append(self._framed(snapshot, how))
        peer.flush()

    def _wanted(self, part: Mapping[str, Any], codes: Sequence[Any], form: str) -> list[_Wanted]:
        """What one part of a subscription asks for, of markets that are there."""
        now_only = bool(part.get("is_only_snapshot", part.get("isOnlySnapshot", False)))
        live_only = bool(part.get("is_only_realtime", part.get("isOnlyRealtime", False)))
        found: list[_Wanted] = []
        for name in codes or [EVERY]:
            code, _, levels = str(name).partition(".")
            if code == EVERY or code in self._codes:
                how = Form(form, min(int(levels), self.most_levels) if levels.isdigit() else 0)
                found.append(((str(part["type"]), code), how, now_only, live_only))
        return found


def error_frame(name: str, words: str) -> bytes:
    """A frame with an error."""
    return binary_frame(encode({"error": {"name": name, "message": words}}))
