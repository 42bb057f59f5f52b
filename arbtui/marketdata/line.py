"""Line: one open connection of a public socket, and what all of an exchange's connections share."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.subscriptions import Keepalive, NoticeKind, PublicFraming, Subscription
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.connection_errors import FAILURES, Failure, SocketLost
from arbtui.marketdata.intake import Intake, newest
from arbtui.model.clock import Clock

log = logging.getLogger("arbtui")

#: Frames read before the loop's other work runs; about half a millisecond.
_READ_TURN = 256
_HOLD_MOST = 20_000  # frames held back before superseded ones are dropped


@dataclass(frozen=True, slots=True)
class Wiring:
    """What all sockets of one exchange share."""

    exchange: str
    url: str
    framing: PublicFraming
    session: aiohttp.ClientSession
    config: MarketDataConfig
    clock: Clock
    intake: Intake
    turn: Callable[[Mapping[str, float]], Awaitable[None]]  #: waits for the rate limit; raises ArbtuiError when it leaves no room
    observe: Callable[[int, Mapping[str, str], Collection[str]], None]  #: called with an HTTP answer's status, headers, limit groups
    on_change: Callable[[Sequence[str], bool], None]  #: the connection of these markets was opened (True) or lost (False)
    on_failure: Callable[[Failure], None]  #: counts
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep  #: before the next try; shorter when the venue is heard elsewhere
    on_reach: Callable[[bool], None] = lambda _: None  #: told whether the venue could be connected to
    keepalive: Keepalive | None = None


class Line:
    """One open connection and the task that reads it. Its frames are held back until :meth:`release`.

    Args:
        wiring: what all lines of the exchange share.
        connection: the open WebSocket.
        subscription: what to ask for.
        on_shutdown: called when the venue announces the end of this connection.
    """

    def __init__(
        self,
        wiring: Wiring,
        connection: aiohttp.ClientWebSocketResponse[bool],
        subscription: Subscription,
        on_shutdown: Callable[[], None] = lambda: None,
    ) -> None:
        self._wiring = wiring
        self._connection = connection
        self._messages = subscription.messages
        self._held: list[Frame] | None = []
        self._unconfirmed = subscription.confirmations or wiring.framing.confirmations or len(subscription.messages)
        self._on_shutdown = on_shutdown
        self.first = asyncio.Event()  #: set by the first frame of market data
        self.confirmed = asyncio.Event()  #: set once the venue has confirmed every message
        self.frames = 0
        self._is_taken = False  # whether the venue has taken any message
        self.opened_at = wiring.clock.monotonic()
        self.reading = asyncio.create_task(self._read(), name=f"read {wiring.exchange}")
        self._saying = asyncio.Lock()
        self._pings = asyncio.create_task(self._keep_alive(), name=f"pings {wiring.exchange}")

    async def subscribe(self) -> None:
        """Send the subscription's messages, at the venue's pace, and wait until the venue has confirmed all of them.

        Raises:
            SocketLost: the venue refuses the subscription, or the connection ended.
            TimeoutError: it does not answer in time.
        """
        for number, message in enumerate(self._messages):
            if number:
                await asyncio.sleep(self._wiring.framing.message_gap_s)
            await self._connection.send_str(message.decode())
        confirmed = asyncio.create_task(self.confirmed.wait())
        try:
            await asyncio.wait(
                {confirmed, self.reading}, timeout=self._wiring.config.connect_timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if self.reading.done():
                await self.reading  # raises what ended it
            if not self.confirmed.is_set():
                raise SocketLost("unconfirmed", "it does not confirm what is subscribed")
        finally:
            confirmed.cancel()

    async def say(self, messages: Sequence[bytes]) -> None:
        """Send messages, at the venue's pace; a connection that is lost meanwhile is noticed by whoever reads it.

        Raises:
            RateLimited: the rate limit leaves no room.
        """
        async with self._saying:
            for message in messages:
                await self._wiring.turn({"socket-message": 1})
                try:
                    await self._connection.send_str(message.decode())
                except FAILURES:
                    return
                await asyncio.sleep(self._wiring.framing.message_gap_s)

    def release(self) -> None:
        """Pass on the frames held back, and from now on every frame as it arrives."""
        held, self._held = self._held, None
        if held:
            self._wiring.intake.put_held(held)

    async def close(self) -> None:
        """Stop reading and close, without waiting for a peer that does not answer."""
        self.reading.cancel()
        self._pings.cancel()
        await asyncio.gather(self.reading, self._pings, return_exceptions=True)
        try:
            async with asyncio.timeout(1.0):
                await self._connection.close()
        except (TimeoutError, *FAILURES):
            pass  # the connection is closed either way

    async def _keep_alive(self) -> None:
        keepalive = self._wiring.keepalive
        while keepalive is not None and not self._connection.closed:
            await asyncio.sleep(keepalive.every_s)
            try:
                await self._connection.send_str(keepalive.message)
            except FAILURES:
                return  # who reads it notices

    async def _read(self) -> None:
        receive, put, exchange = self._connection.receive, self._wiring.intake.put, self._wiring.exchange
        text, binary, is_data = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY, self._wiring.framing.is_data
        while True:
            message = await receive()
            kind = message.type
            if kind is not text and kind is not binary:
                raise self._lost(message.data)
            frame = Frame(exchange, message.data)
            if not is_data(frame.raw):
                self._heed(frame.raw)
            elif not self.first.is_set():
                self.first.set()
            if self._held is None:
                put(frame)
            else:
                self._hold(frame)
            self.frames += 1
            if not self.frames % _READ_TURN:
                await asyncio.sleep(0)
                await self._wiring.intake.room()

    def _heed(self, raw: bytes) -> None:
        """Act on a frame that speaks of the connection itself."""
        notice = self._wiring.framing.notice(raw)
        if notice is None:
            return
        if notice.kind is NoticeKind.REFUSED:
            raise SocketLost("refused", f"the venue refuses what is subscribed ({notice.words})")
        if notice.kind is NoticeKind.SHUTDOWN:
            self._on_shutdown()
            return
        if notice.kind is NoticeKind.UNLISTED:  # the other markets of this socket go on without it
            log.warning("%s: %s is not listed there: nothing comes of it", self._wiring.exchange, notice.words)
        else:
            self._is_taken = True
        self._unconfirmed -= 1
        if self._unconfirmed <= 0:
            if not self._is_taken:
                raise SocketLost("refused", f"the venue has none of the markets that are subscribed ({notice.words} ...)")
            self.confirmed.set()

    def _hold(self, frame: Frame) -> None:
        held = self._held
        if held is not None:
            held.append(frame)
            if len(held) > _HOLD_MOST:
                held[:] = newest(held, self._wiring.framing.merge_key)
                if len(held) > _HOLD_MOST // 2:
                    raise SocketLost("backlog", "more came during the change of sockets than can be held")

    def _lost(self, data: object) -> SocketLost:
        error = data if isinstance(data, BaseException) else self._connection.exception()
        if isinstance(error, aiohttp.WebSocketError) and error.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            return SocketLost("frame too big", f"a frame of more than {self._wiring.config.frame_limit_kb} kB")
        if isinstance(error, aiohttp.WebSocketError):
            return SocketLost("protocol", f"broken WebSocket framing ({error})")
        if isinstance(error, aiohttp.ServerTimeoutError):
            return SocketLost("silent", "it answered no ping")
        code = self._connection.close_code
        reason = f"the venue closed it (code {code})" if code not in (None, 1006) else "the connection was cut"
        return SocketLost("closed" if code not in (None, 1006) else "cut", reason)
