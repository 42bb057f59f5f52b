"""Bithumb's two WebSockets: subscriptions, their errors, and what is sent on them.

Sources: apidocs.bithumb.com, reference: 기본-정보, 요청-포맷, 연결-관리, 웹소켓-에러; and as probed on 2026-09-23
(nemanull/arbitrage-observatory, docs/venues/bithumb/websocket.md @ 2cbe7062): nothing confirms a subscription, unknown codes are passed
over in silence, an error ends the connection with code 1000, a PING in text is answered every ten seconds from then on, and a connection
without traffic ends after 60 s (by the documents, 120).
"""

from collections.abc import Callable, Mapping

from aiohttp import WSCloseCode

from arbtui.model.clock import Clock
from arbtui.sandbox.bithumb.forms import FORMATS, framed
from arbtui.sandbox.faults import WireFaults
from arbtui.sandbox.peer import Peer, text_frame
from arbtui.sandbox.won.stream import Subscriptions, error_frame

UP_EVERY_S = 10.0
_UP = text_frame(b'{"status":"UP"}')
_MOST_LEVELS = 15

PUBLIC = ("trade", "orderbook")


class BithumbSubscriptions(Subscriptions):
    """See there."""

    message_limits = ((100, 1.0),)  # none is documented; this one only keeps a client from flooding this process
    formats = FORMATS
    idle_s = 60.0
    most_levels = _MOST_LEVELS
    format_words = "Format 이 맞지 않습니다."
    refuses_unknown = False

    def __init__(
        self,
        types: tuple[str, ...],
        codes: Mapping[str, object],
        clock: Clock,
        faults: WireFaults,
        snapshot: Callable[[str, str], bytes | None] = lambda *_: None,
    ) -> None:
        super().__init__(types, codes, clock, faults, framed, snapshot)
        self._up_at: dict[Peer, float] = {}  # monotonic s of the next answer to a PING

    def housekeep(self) -> None:
        """Answer pings that are due, and end the connections on which nothing has moved for too long."""
        now = self._clock.monotonic()
        for peer in list(self.peers):
            if self._up_at.get(peer, now + 1.0) <= now:
                self._up_at[peer] = now + UP_EVERY_S
                peer.last_activity = now
                peer.send(_UP)
        super().housekeep()

    def gone(self, peer: Peer) -> None:
        """See :class:`arbtui.sandbox.sockets.Sockets`."""
        super().gone(peer)
        self._up_at.pop(peer, None)

    async def end_over_limit(self, peer: Peer) -> None:
        """See :class:`arbtui.sandbox.sockets.Sockets`."""
        peer.cut()

    async def refuse(self, peer: Peer, name: str, words: str) -> None:
        """See there: an error ends the connection."""
        peer.send(error_frame(name, words))
        await peer.response.close(code=WSCloseCode.OK)

    def ping(self, peer: Peer) -> None:
        """See there: answered by the next look at them."""
        self._up_at.setdefault(peer, self._clock.monotonic())
