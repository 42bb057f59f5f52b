"""One private WebSocket: opened again and again, each frame handed over as it comes, nothing batched.

Why not ccxt's ``watch_*`` (ccxt 4.5.90, read in its source): rows are floats (Upbit's JSON numbers have more digits than a
float keeps), order rows are updated in place, so two fills in one burst may be seen as one change; a link that died in
silence is noticed after up to six minutes; and nothing reconnects unless something awaits at that moment.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import aiohttp

from arbtui.exchanges.rate_limits import Lane, RateLimitManager
from arbtui.exchanges.redirects import refuse_redirects
from arbtui.model.errors import RateLimited, WireError

log = logging.getLogger("arbtui")

#: s between pings; a link without an answer to one is broken half of that later. A private stream may be silent for hours.
_HEARTBEAT_S = 5.0
_CONNECT_S = 10.0
#: s between two attempts to connect, doubled up to the second; a venue that turns us away is not hammered.
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 15.0
#: A connection that lasted so long was a good one: the next attempt begins with the first pause again, in s.
_GOOD_S = 30.0


class PrivateStream:
    """A venue's private stream.

    Args:
        headers: of the handshake, made anew for each.
        subscribe: sends what must be sent first, and waits for its answer where the venue gives one.
        on_frame: takes one frame; raises WireError for one that it cannot read.
        on_open: the stream delivers from now on; what it did not must be asked for. Called again after an unreadable frame.
        on_close: it does not any more; also after an attempt to open it that failed.
    """

    def __init__(
        self,
        exchange: str,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]],
        subscribe: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]],
        on_frame: Callable[[bytes], None],
        on_open: Callable[[], None],
        on_close: Callable[[], None],
        limits: RateLimitManager | None,
    ) -> None:
        self._exchange = exchange
        self._url = url
        self._headers = headers
        self._subscribe = subscribe
        self._on_frame = on_frame
        self._on_open = on_open
        self._on_close = on_close
        self._limits = limits

    async def run(self) -> None:
        """Keep the stream open until cancelled."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_S
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), middlewares=(refuse_redirects,)) as session:
            while True:
                started = loop.time()
                try:
                    await self._listen(session)
                    why = "closed by the venue"
                except (aiohttp.ClientError, OSError, TimeoutError, WireError, RateLimited) as error:
                    why = str(error) or type(error).__name__
                self._on_close()
                if loop.time() - started >= _GOOD_S:
                    pause = _FIRST_PAUSE_S
                log.warning("%s private stream: %s; again in %.2g s", self._exchange, why, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        if self._limits is not None:
            await self._limits.turn(Lane.DATA, {"socket-connect": 1})
        async with asyncio.timeout(_CONNECT_S):
            socket = await session.ws_connect(self._url, headers=self._headers(), heartbeat=_HEARTBEAT_S, compress=0)
        try:
            async with asyncio.timeout(_CONNECT_S):
                if self._limits is not None:
                    await self._limits.turn(Lane.DATA, {"socket-message": 1})
                await self._subscribe(socket)
            self._on_open()
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data.encode())
                elif message.type is aiohttp.WSMsgType.BINARY:
                    self._take(message.data)
            if (failure := socket.exception()) is not None:
                raise WireError("socket", str(failure) or type(failure).__name__)
        finally:
            await socket.close()

    def _take(self, frame: bytes) -> None:
        try:
            self._on_frame(frame)
        except StreamEnded:
            raise
        except WireError as error:
            log.error("%s private stream: a frame cannot be read (%s); everything is asked for anew", self._exchange, error)
            self._on_open()


class StreamEnded(WireError):
    """The venue says that nothing more will come over this connection."""
