"""The open WebSockets of one stream of a venue: the loop that reads them, message limits, and the scripted disconnect."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic

from aiohttp import WSMsgType

from arbtui.model.clock import Clock
from arbtui.sandbox.fanout import Fanout, Form
from arbtui.sandbox.peer import Peer, pong_frame
from arbtui.sandbox.windows import RollingWindow


class Sockets(ABC, Generic[Form]):
    """Reads what each client sends, and sends it what it subscribed to through :attr:`fanout`."""

    message_limits: ClassVar[tuple[tuple[int, float], ...]]  #: (messages, seconds): what one client may send
    counts_pings: ClassVar[bool]  #: whether a client's pings count as messages
    idle_s: ClassVar[float | None] = (
        None  #: seconds without a byte in either direction after which the venue closes a socket, where it does
    )

    def __init__(self, clock: Clock, encode: Callable[[bytes, Form], bytes]) -> None:
        self.fanout: Fanout[Form] = Fanout(encode)
        self.peers: dict[Peer, tuple[RollingWindow, ...]] = {}
        self._clock = clock

    async def serve(self, peer: Peer) -> None:
        """Talk to ``peer`` until it leaves or breaks a limit."""
        windows = self.peers[peer] = tuple(RollingWindow(count, seconds) for count, seconds in self.message_limits)
        try:
            while True:
                message = await peer.receive()
                if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                    return
                now = peer.last_activity = self._clock.monotonic()
                if message.type is WSMsgType.PONG:
                    peer.last_pong = now
                    continue
                is_ping = message.type is WSMsgType.PING
                if (self.counts_pings or not is_ping) and not all(window.take(now) for window in windows):
                    await self.end_over_limit(peer)
                    return
                if is_ping:
                    peer.send(pong_frame(bytes(message.data)))
                else:
                    await self.read(peer, message.data.encode() if isinstance(message.data, str) else message.data)
        finally:
            del self.peers[peer]
            self.gone(peer)

    @abstractmethod
    async def read(self, peer: Peer, raw: bytes) -> None:
        """One message of a client."""

    @abstractmethod
    async def end_over_limit(self, peer: Peer) -> None:
        """Close the socket of a client that sent more messages than the venue allows."""

    def gone(self, peer: Peer) -> None:
        """A client has left."""
        self.fanout.drop(peer)

    def flush(self) -> None:
        """Write what was queued in the fanout."""
        now = self._clock.monotonic()
        for peer in self.fanout.flush():
            peer.last_activity = now

    def housekeep(self) -> None:
        """What the venue does by itself once a second: close the sockets on which nothing has moved for too long."""
        if self.idle_s is None:
            return
        before = self._clock.monotonic() - self.idle_s
        for peer in list(self.peers):
            if peer.last_activity < before:
                peer.cut()

    def cut(self) -> None:
        """Break every socket."""
        for peer in list(self.peers):
            peer.cut()
