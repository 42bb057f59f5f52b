"""PublicSocket: one subscription kept open by one task, over as many connections as it takes."""

import asyncio
import logging
from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import NoReturn

import aiohttp

from arbtui.exchanges.subscriptions import Subscription
from arbtui.marketdata.connection_errors import FAILURES, Failure, SocketLost, failure_of
from arbtui.marketdata.line import Line, Wiring

log = logging.getLogger("arbtui")

_FIRST_RETRY_S = 0.25
#: Seconds that a successor's frames are held back after its first one: by then the old socket has delivered everything earlier.
_OVERLAP_S = 1.0
#: Seconds that a successor may take to its first frame; markets that are quiet for this long lose nothing.
_SUCCESSOR_S = 30.0
#: Kinds of failure in which the venue was not reached.
_UNREACHED = frozenset({"unreachable", "timeout", "connection", "dns", "cut", "silent"})
#: Seconds after which a connection counts as stable, so that the next one is tried at once.
_HELD_S = 10.0


class SocketState(StrEnum):
    """What a socket is doing."""

    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    WAITING = "WAITING"  #: before the next attempt; ``why`` is the reason


class PublicSocket:
    """One subscription, kept open.

    A lost connection is reopened with jittered, doubling pauses. An old one is replaced: the new one is open
    and has delivered the old one's last frames before the old one closes, so that no update is missed; duplicates are
    recognised by their ids.

    Args:
        name: for logs and screen, ``binance 1``.
        subscription: what to ask for.
        wiring: shared with its exchange's other sockets.
        chance: jitter.
    """

    def __init__(self, name: str, subscription: Subscription, wiring: Wiring, chance: Random) -> None:
        self.name = name
        self.subscription = subscription
        self.state = SocketState.CONNECTING
        self.why = ""  #: as text, while it is not live
        self.since = wiring.clock.monotonic()
        self.connects = 0
        self.rollovers = 0
        self._wiring = wiring
        self._chance = chance
        self._line: Line | None = None
        self._frames = 0  # of closed lines
        self._renew = asyncio.Event()
        self._bugs: set[str] = set()

    @property
    def frames(self) -> int:
        """Frames received since the start."""
        return self._frames + (self._line.frames if self._line is not None else 0)

    def renew(self) -> None:
        """Replace the connection now: it is open and does not deliver what it should."""
        self._renew.set()

    async def say(self, messages: Sequence[bytes]) -> None:
        """Send messages over the connection, where it is open; a new one is subscribed anew by itself. Raises RateLimited."""
        if self._line is not None:
            await self._line.say(messages)

    def _ending(self) -> None:
        """The venue is about to end a connection: a new one takes over before the cut."""
        log.info("%s: the venue announces the end of this connection", self.name)
        self.renew()

    async def run(self) -> None:
        """Keep the subscription open until cancelled. No failure of a connection, and no defect of ours in reading it, ends this."""
        pause = _FIRST_RETRY_S
        while True:
            began = self._wiring.clock.monotonic()
            try:
                await self._serve()
            except (*FAILURES, SocketLost) as error:
                failure = failure_of(self._wiring.exchange, self._wiring.url, error)
            except Exception as error:  # a defect of ours may cost this socket a reconnect, never the engine
                failure = Failure("internal", f"{self.name}: internal error ({type(error).__name__}: {error}); connecting again")
                if type(error).__name__ not in self._bugs:
                    self._bugs.add(type(error).__name__)
                    log.exception("%s", failure.words)
            was_live = self.state is SocketState.LIVE
            held = was_live and self._wiring.clock.monotonic() - began >= _HELD_S
            pause = _FIRST_RETRY_S if held else min(pause, self._wiring.config.reconnect_max_s)
            if failure.kind != "internal" and (was_live or failure.words != self.why):
                log.warning("%s", failure.words)
            self._enter(SocketState.WAITING, failure.words)
            self._wiring.on_failure(failure)
            if was_live:
                self._wiring.on_change(self.subscription.codes, False)
            if failure.kind in _UNREACHED:
                self._wiring.on_reach(False)
            if failure.retry_after_s:
                await asyncio.sleep(failure.retry_after_s)
            await self._wiring.pause(pause * self._chance.uniform(0.5, 1.0))
            pause *= 2
            self.state = SocketState.CONNECTING  # ``why`` stays: the screen still shows it

    async def _serve(self) -> NoReturn:
        """Carry the subscription over successive connections, until one is lost before its successor is open."""
        config, clock = self._wiring.config, self._wiring.clock
        self._renew.clear()
        line = await self._open()
        renew = asyncio.create_task(self._renew.wait(), name=f"renew {self.name}")
        try:
            self._line = line
            line.release()
            self._enter(SocketState.LIVE, "")
            self._wiring.on_change(self.subscription.codes, True)
            lifetime = min(config.rollover_h * 3600, self._wiring.framing.lifetime_s * 0.97)
            due = clock.monotonic() + lifetime * self._chance.uniform(0.95, 1.0)
            while True:
                await asyncio.wait({line.reading, renew}, timeout=max(0.0, due - clock.monotonic()), return_when=asyncio.FIRST_COMPLETED)
                if line.reading.done():
                    await line.reading  # raises the reason of its end
                if renew.done():
                    self._renew.clear()
                    renew = asyncio.create_task(self._renew.wait(), name=f"renew {self.name}")
                before, line = line, await self._replaced(line)
                self._line = line
                due = clock.monotonic() + (config.reconnect_max_s if line is before else lifetime * self._chance.uniform(0.95, 1.0))
        finally:
            renew.cancel()
            self._line = None
            self._frames += line.frames
            await line.close()

    async def _replaced(self, old: Line) -> Line:
        """The line to continue with: the new one when it is open, else the old one."""
        try:
            new = await self._open()
        except (*FAILURES, SocketLost) as error:
            failure = failure_of(self._wiring.exchange, self._wiring.url, error)
            self._wiring.on_failure(failure)
            log.warning("%s: no successor yet: %s", self.name, failure.words)
            return old
        first = asyncio.create_task(new.first.wait())
        try:
            await asyncio.wait({first, new.reading, old.reading}, timeout=_SUCCESSOR_S, return_when=asyncio.FIRST_COMPLETED)
            if not old.reading.done() and not new.reading.done():
                await asyncio.wait({new.reading, old.reading}, timeout=_OVERLAP_S, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await new.close()
            raise
        finally:
            first.cancel()
        if new.reading.done():
            await new.close()
            return old
        new.release()
        self._frames += old.frames
        self.rollovers += 1
        log.info("%s: a new connection took over", self.name)
        await old.close()
        return new

    async def _open(self) -> Line:
        """A new connection whose subscription the venue has confirmed, its frames held back."""
        wiring, config = self._wiring, self._wiring.config
        await wiring.turn(wiring.framing.connect_costs)
        try:
            async with asyncio.timeout(config.connect_timeout_s):
                connection = await wiring.session.ws_connect(
                    wiring.url,
                    heartbeat=config.ping_after_s,
                    compress=0,  # deflate would cost time in every frame
                    max_msg_size=config.frame_limit_kb * 1024,
                    decode_text=False,
                )
        except aiohttp.WSServerHandshakeError as error:
            wiring.observe(error.status, error.headers or {}, wiring.framing.connect_costs.keys())
            raise
        self.connects += 1
        wiring.on_reach(True)
        line = Line(wiring, connection, self.subscription, self._ending)
        try:
            await line.subscribe()
        except BaseException:
            await line.close()
            raise
        return line

    def _enter(self, state: SocketState, why: str) -> None:
        self.state = state
        self.why = why
        self.since = self._wiring.clock.monotonic()
