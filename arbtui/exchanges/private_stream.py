"""One private WebSocket: reconnected as needed, each frame passed on as it arrives, nothing batched.

Why not ccxt's ``watch_*`` (ccxt 4.5.90, read in its source): rows are floats (Upbit's JSON numbers have more digits than a
float keeps), order rows are updated in place, so two fills in one burst may be seen as one change; a link that died in
silence is noticed after up to six minutes; and nothing reconnects unless something awaits at that moment.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.redirects import refuse_redirects
from arbtui.exchanges.subscriptions import Keepalive
from arbtui.exchanges.this_machine import socket_factory
from arbtui.model.errors import RateLimited, WireError

log = logging.getLogger("arbtui")

#: s between pings; a connection without an answer to one is closed half of that later. A private stream may be silent for hours.
_HEARTBEAT_S = 5.0
_CONNECT_S = 10.0
_CONNECT_COSTS = {"socket-connect": 1}
#: s between two attempts to connect: the first pause, doubled up to the second value, or the third where the venue refuses.
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 15.0
_LONGEST_REFUSED_S = 60.0
#: s; after a connection that lasted this long the next attempt begins with the first pause again.
_GOOD_S = 30.0
#: s after which a connection is replaced, the new one being confirmed before the old one closes; Binance cuts at 24 h.
_LIFETIME_S = 23 * 3600.0
#: s before a successor that could not be opened is tried again.
_SUCCESSOR_PAUSE_S = 1.0

_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, WireError, RateLimited)

Socket = aiohttp.ClientWebSocketResponse


class StreamEnded(WireError):
    """The venue says that nothing more will come over this connection."""


class StreamRefused(StreamEnded):
    """The venue has answered with an error instead of a subscription.

    ``status``: HTTP's, where the venue sends one; ``retry_at_ms``: until when it wants silence, in ms since the epoch.
    """

    def __init__(self, code: str, message: str, status: int | None = None, retry_at_ms: int | None = None) -> None:
        super().__init__("refused", f"{code} {message}".strip())
        self.code = code
        self.message = message
        self.status = status
        self.retry_at_ms = retry_at_ms


class PrivateStream:
    """A venue's private stream. It is open when the venue has confirmed its subscriptions, not before.

    Args:
        headers: of the handshake, called for each.
        query: what follows the URL, likewise; empty where nothing does.
        subscribe: sends the subscription and waits until the venue confirms it; passes on frames that come before.
        on_frame: takes one frame; raises WireError for one that it cannot read, StreamEnded for the venue's own end or error.
        on_open: the stream delivers from now on; events missed before must be fetched. Called again after an unreadable frame.
        on_close: the stream was lost, or an attempt to open it failed.
        on_refused: called with each error of the venue.
        limits, health: None where there are none.
        keepalive: None where WebSocket pings are enough.
        refused_pause_s: s between two attempts, at most, while the handshake itself is refused (HTTP 4xx); None: as after any failure.
        what: its name in the log.
    """

    def __init__(
        self,
        exchange: str,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]],
        subscribe: Callable[[Socket, Callable[[bytes], None]], Awaitable[None]],
        on_frame: Callable[[bytes], None],
        on_open: Callable[[], None],
        on_close: Callable[[], None],
        on_refused: Callable[[StreamRefused], None],
        limits: RateLimitManager | None,
        health: ExchangeHealthMonitor | None,
        keepalive: Keepalive | None = None,
        refused_pause_s: float | None = None,
        query: Callable[[], str] = lambda: "",
        what: str = "private stream",
    ) -> None:
        self._exchange = exchange
        self._url = url
        self._query = query
        self._name = f"{exchange} {what}"
        self._keepalive = keepalive
        self._refused_pause_s = refused_pause_s
        self._headers = headers
        self._subscribe = subscribe
        self._on_frame = on_frame
        self._on_open = on_open
        self._on_close = on_close
        self._on_refused = on_refused
        self._limits = limits
        self._health = health
        self._renew = asyncio.Event()

    def renew(self) -> None:
        """The venue is about to end the connection: open a new one now."""
        self._renew.set()

    async def run(self) -> None:
        """Keep the stream open until cancelled."""
        loop = asyncio.get_running_loop()
        pause, told = _FIRST_PAUSE_S, ""
        connector = aiohttp.TCPConnector(limit=0, socket_factory=socket_factory(self._url))
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, middlewares=(refuse_redirects,)) as session:
            while True:
                started, longest, banned_s = loop.time(), _LONGEST_PAUSE_S, 0.0
                try:
                    await self._keep(session)
                    why = "closed by the venue"
                except StreamRefused as error:
                    self._on_refused(error)
                    longest, why = _LONGEST_REFUSED_S, str(error)
                except RateLimited as error:
                    banned_s, why = error.retry_s, str(error)
                except _FAILURES as error:
                    self._learn(error)
                    why = _in_words(error)
                    longest = self._longest_after(error)
                self._on_close()
                if loop.time() - started >= _GOOD_S:
                    pause, told = _FIRST_PAUSE_S, ""
                wait = max(pause, banned_s)
                log.log(logging.INFO if why == told else logging.WARNING, "%s: %s; again in %.3g s", self._name, why, wait)
                told = why
                await (asyncio.sleep(wait) if self._health is None else self._health.sleep(wait))
                pause = min(pause * 2, longest)

    async def _keep(self, session: aiohttp.ClientSession) -> None:
        """Listen on one connection after the other, until one ends before its successor is confirmed."""
        self._renew.clear()
        socket = await self._open(session)
        reading = asyncio.create_task(self._read(socket), name=f"{self._exchange} private read")
        try:
            self._on_open()
            while True:
                renew = asyncio.create_task(self._renew.wait())
                try:
                    await asyncio.wait({reading, renew}, timeout=_LIFETIME_S, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    renew.cancel()
                if reading.done():
                    return await reading
                self._renew.clear()
                try:
                    successor = await self._open(session)
                except _FAILURES as error:
                    if isinstance(error, StreamRefused):
                        self._on_refused(error)
                    log.warning("%s: no successor yet: %s", self._name, _in_words(error))
                    await asyncio.wait({reading}, timeout=_SUCCESSOR_PAUSE_S)
                    self._renew.set()
                    continue
                before, old = reading, socket
                socket = successor
                reading = asyncio.create_task(self._read(socket), name=f"{self._exchange} private read")
                self._on_open()  # what both brought is distinguished by its ids; what neither brought is asked for
                log.info("%s: a new connection took over", self._name)
                await _end(before, old)
        finally:
            await _end(reading, socket)

    async def _open(self, session: aiohttp.ClientSession) -> Socket:
        """A connection whose subscriptions the venue has confirmed."""
        if self._limits is not None:
            await self._limits.turn(Lane.DATA, _CONNECT_COSTS)
        async with asyncio.timeout(_CONNECT_S):
            socket = await session.ws_connect(f"{self._url}{self._query()}", headers=self._headers(), heartbeat=_HEARTBEAT_S, compress=0)
        if self._health is not None:
            self._health.on_reachable()
        try:
            if self._limits is not None:
                await self._limits.turn(Lane.DATA, {"socket-message": 1})
            async with asyncio.timeout(_CONNECT_S):
                await self._subscribe(socket, self._take)
        except BaseException:
            await socket.close()
            raise
        return socket

    async def _read(self, socket: Socket) -> None:
        pings = asyncio.create_task(self._ping(socket), name=f"{self._exchange} private keepalive")
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data.encode())
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self._take(message.data)
        finally:
            pings.cancel()
        if (failure := socket.exception()) is not None:
            raise WireError("socket", str(failure) or type(failure).__name__)

    async def _ping(self, socket: Socket) -> None:
        while self._keepalive is not None and not socket.closed:
            await asyncio.sleep(self._keepalive.every_s)
            try:
                await socket.send_str(self._keepalive.message)
            except (aiohttp.ClientError, OSError):
                return  # who reads it notices

    def _longest_after(self, error: BaseException) -> float:
        """The longest pause, in s, after ``error``. A ban, and too many attempts, have theirs from the venue."""
        is_refused = isinstance(error, aiohttp.WSServerHandshakeError) and 400 <= error.status < 500 and error.status not in (418, 429)
        return _LONGEST_PAUSE_S if self._refused_pause_s is None or not is_refused else self._refused_pause_s

    def _learn(self, error: BaseException) -> None:
        """Tell limits and health of an attempt that failed."""
        if isinstance(error, aiohttp.WSServerHandshakeError) and self._limits is not None:
            self._limits.observe(error.status, error.headers or {}, _CONNECT_COSTS.keys())
            if self._health is not None and error.status in (418, 429):
                self._health.on_throttled(self._limits.banned_until)
        elif self._health is not None and isinstance(error, aiohttp.ClientError | OSError | TimeoutError):
            self._health.on_unreachable()

    def _take(self, frame: bytes) -> None:
        try:
            self._on_frame(frame)
        except StreamEnded:
            raise
        except WireError as error:
            log.error("%s: a frame cannot be read (%s); orders, fills and balances are fetched again", self._name, error)
            self._on_open()


def _in_words(error: BaseException) -> str:
    """``error`` without the address of the handshake, which may be signed and is another one each time."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"the handshake is answered with HTTP {error.status} ({error.message})"
    return str(error) or type(error).__name__


async def next_frame(socket: Socket) -> bytes:
    """The next frame of a socket that is being subscribed.

    Raises:
        WireError: it closed instead.
    """
    message: Any = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        return bytes(message.data.encode())
    if message.type is aiohttp.WSMsgType.BINARY:
        return bytes(message.data)
    raise WireError("subscribe", "closed before it was answered")


async def confirmed(socket: Socket, take: Callable[[bytes], None], is_confirmation: Callable[[bytes], bool], times: int = 1) -> None:
    """Wait until the venue has confirmed ``times`` times; frames that are no confirmation go to ``take``.

    Raises:
        WireError: the socket closed instead; and whatever ``is_confirmation`` raises for an error of the venue.
    """
    while times:
        frame = await next_frame(socket)
        if is_confirmation(frame):
            times -= 1
        else:
            take(frame)


async def _end(reading: asyncio.Task[None], socket: Socket) -> None:
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await socket.close()
