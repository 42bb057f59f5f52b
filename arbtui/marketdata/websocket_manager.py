"""WebSocketManager: the public sockets of one exchange, each kept open by its own task."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.marketdata.line import Wiring
from arbtui.marketdata.public_socket import PublicSocket, SocketState
from arbtui.model.rng import Rng


@dataclass(frozen=True, slots=True)
class SocketStatus:
    """One socket as the screen shows it."""

    name: str
    state: SocketState
    why: str  #: as text, while it is not live
    since: float  #: monotonic seconds of the last change of state
    markets: int
    streams: int
    frames: int
    connects: int
    rollovers: int


class WebSocketManager:
    """Opens as many sockets as the venue's limits require, and keeps them open.

    Args:
        codes: the markets to subscribe to.
        wiring: shared by the sockets.
        rng: jitter of reconnects and rollovers.
    """

    def __init__(self, codes: Sequence[str], wiring: Wiring, rng: Rng) -> None:
        self.exchange = wiring.exchange
        self.sockets = [
            PublicSocket(name, subscription, wiring, rng.stream(f"socket {name}"))
            for number, subscription in enumerate(wiring.framing.subscriptions(codes, wiring.config.sockets), 1)
            for name in (f"{wiring.exchange} {number}",)
        ]
        self._of_code = {code: socket for socket in self.sockets for code in socket.subscription.codes}

    async def run(self) -> None:
        """Keep all sockets open until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for socket in self.sockets:
                tasks.create_task(socket.run(), name=f"socket {socket.name}")

    @property
    def frames(self) -> int:
        """Frames received since the start, on all sockets."""
        return sum(socket.frames for socket in self.sockets)

    @property
    def is_connected(self) -> bool:
        """True when a socket is live, or none is wanted."""
        return not self.sockets or any(socket.state is SocketState.LIVE for socket in self.sockets)

    @property
    def missing(self) -> str:
        """Which sockets are not confirmed, in words; empty when every one is."""
        missing = [socket for socket in self.sockets if socket.state is not SocketState.LIVE]
        return "" if not missing else f"{len(missing)} of its {len(self.sockets)} market data sockets are not subscribed"

    def live_since(self, code: str) -> float | None:
        """Since when the socket that carries ``code`` is live, in monotonic seconds; None while it is not."""
        socket = self._of_code[code]
        return socket.since if socket.state is SocketState.LIVE else None

    def renew(self, code: str) -> None:
        """Replace the connection that carries ``code``: it is open and does not deliver what it should."""
        self._of_code[code].renew()

    async def say(self, code: str, messages: Sequence[bytes]) -> None:
        """Send messages over the connection that carries ``code``, where it is open. Raises RateLimited."""
        await self._of_code[code].say(messages)

    def status(self) -> list[SocketStatus]:
        """Every socket, in order."""
        return [
            SocketStatus(
                name=one.name,
                state=one.state,
                why=one.why,
                since=one.since,
                markets=len(one.subscription.codes),
                streams=one.subscription.streams,
                frames=one.frames,
                connects=one.connects,
                rollovers=one.rollovers,
            )
            for one in self.sockets
        ]
