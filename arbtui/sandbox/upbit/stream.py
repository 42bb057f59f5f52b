"""Upbit's two WebSockets (docs.upbit.com, "WebSocket"): subscriptions, their errors and limits, and what is sent on them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import WSCloseCode

from arbtui.model.clock import Clock
from arbtui.sandbox.answer import encode
from arbtui.sandbox.faults import WireFaults
from arbtui.sandbox.peer import Peer, binary_frame, text_frame
from arbtui.sandbox.upbit.forms import FORMATS, framed
from arbtui.sandbox.won.stream import EVERY, Subscriptions, error_frame

_UP = text_frame(b'{"status":"UP"}')
_MOST_LEVELS = 30

PUBLIC = ("ticker", "trade", "orderbook")


class UpbitSubscriptions(Subscriptions):
    """See there. An error does not end the connection."""

    message_limits = ((5, 1.0), (100, 60.0))
    formats = FORMATS
    idle_s = 120.0
    most_levels = _MOST_LEVELS
    format_words = "Format이 맞지 않습니다."
    refuses_unknown = True

    def __init__(
        self,
        types: tuple[str, ...],
        codes: Mapping[str, object],
        clock: Clock,
        faults: WireFaults,
        snapshot: Callable[[str, str], bytes | None] = lambda *_: None,
    ) -> None:
        super().__init__(types, codes, clock, faults, framed, snapshot)

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`arbtui.sandbox.sockets.Sockets`: an error that says so, then the close."""
        peer.send(error_frame("TOO_MANY_REQUESTS", "요청 수 제한을 초과했습니다."))
        await peer.response.close(code=WSCloseCode.POLICY_VIOLATION)

    async def refuse(self, peer: Peer, name: str, words: str) -> None:
        """See there."""
        peer.send(error_frame(name, words))

    def ping(self, peer: Peer) -> None:
        """See there: answered at once."""
        peer.send(_UP)

    def answers(self, peer: Peer, parts: Sequence[Mapping[str, Any]], ticket: object) -> bool:
        """See there: the request for the list of subscriptions."""
        if not any(part.get("method") == "LIST_SUBSCRIPTIONS" for part in parts):
            return False
        peer.send(binary_frame(encode({"method": "LIST_SUBSCRIPTIONS", "result": self._list(peer), "ticket": ticket})))
        return True

    def _list(self, peer: Peer) -> list[dict[str, Any]]:
        rows: dict[str, list[str]] = {}
        for kind, code in self.fanout.of(peer):
            rows.setdefault(kind, []).append(code)
        return [{"type": kind, "codes": [code for code in codes if code != EVERY]} for kind, codes in rows.items()]
