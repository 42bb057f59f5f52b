"""The port of one venue: HTTP in, answers out, with the scripted faults in between; it can crash and restart."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
from aiohttp import web

from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.sandbox.answer import Answer, Refusal, encode, response_of
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import WireFault, WireFaultKind, WireFaults
from arbtui.sandbox.http_server import shut
from arbtui.sandbox.venue import Venue

#: Seconds that requests under way have when a port closes.
_GRACE_S = 0.2

_K = WireFaultKind
_HTML = "text/html"


class Front:
    """Listens for one venue. ``port`` 0 takes a free one, and keeps it over crashes."""

    def __init__(self, name: str, host: str, port: int, venue: Venue, faults: WireFaults, clock: Clock) -> None:
        self.name = name
        self.port = port
        self.requests = 0  #: HTTP requests answered or lost so far
        self.on_call: Callable[[Call], None] = lambda _: None  #: called with each request as it arrives, before any fault
        self.rewrite: Callable[[Call, Answer], Answer | None] = lambda _, answer: answer  #: a test's last word; None cuts the connection
        self._host = host
        self._venue = venue
        self._faults = faults
        self._clock = clock
        self._runner: web.ServerRunner | None = None
        self._closing = asyncio.Event()
        self._crash: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            UsageError: the port is taken or may not be used.
        """
        self._closing = asyncio.Event()
        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=_GRACE_S)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            await runner.cleanup()
            reason = error.strerror or error
            raise UsageError(f"port {self.port} on {self._host} cannot be used for {self.name} ({reason}); give another --port") from None
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    @property
    def is_open(self) -> bool:
        """False while crashed or closed."""
        return self._runner is not None

    def crash(self, seconds: float) -> None:
        """Close the port for ``seconds``, as a venue that dies and is started again."""
        if self._crash is None or self._crash.done():
            self._crash = asyncio.create_task(self._die_and_return(seconds), name=f"{self.name} crash")

    async def close(self) -> None:
        """Stop listening for good."""
        if self._crash is not None:
            self._crash.cancel()
            with suppress(asyncio.CancelledError):
                await self._crash
        await self._shut()

    async def _die_and_return(self, seconds: float) -> None:
        await self._shut()
        await asyncio.sleep(seconds)
        await self.open()

    async def _shut(self) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._closing.set()
        self._venue.cut()
        await shut(runner)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        faults, venue = self._faults, self._venue
        path = request.path
        if venue.is_down:
            await self._closing.wait()
        if self._closing.is_set():  # a crash answers nobody, also not on a connection that still stands
            return _reset(request)
        if venue.is_socket(path):
            banned = self._banned()
            return response_of(banned) if banned is not None else await venue.serve(request)
        self.requests += 1
        call = Call(request.method, path, request.rel_url.raw_query_string, await request.read(), request.headers)
        self.on_call(call)
        if not faults:
            return self._reply(request, call, await self._answer(call))
        part, symbol = venue.part(call)

        def take(kind: WireFaultKind) -> WireFault | None:
            return faults.take(kind, symbol=symbol, part=part)

        refused = self._banned()
        if refused is None and (storm := take(_K.RATE_LIMIT)) is not None:
            refused = venue.throttled(429, storm.retry_after_s)
        if refused is not None:
            return response_of(refused)
        if (fault := take(_K.REFUSE)) is not None:
            answer = venue.error(fault.error or "", fault.words or "scripted", fault.status or 400)
            if fault.status in (418, 429):
                answer = Answer(answer.body, answer.status, {**answer.headers, "Retry-After": str(fault.retry_after_s)})
            return response_of(answer)
        if (fault := take(_K.ERROR_BEFORE)) is not None:
            return response_of(_error(venue, fault, 503))
        if take(_K.RESET_BEFORE) is not None:
            return _reset(request)
        if (fault := take(_K.LATE)) is not None:
            await asyncio.sleep(fault.ms / 1000)
        answer = await self._answer(call)
        if (fault := take(_K.DELAY)) is not None:
            await asyncio.sleep(fault.ms / 1000)
        if take(_K.TIMEOUT) is not None:
            await self._closing.wait()
            return _reset(request)
        if take(_K.RESET_AFTER) is not None:
            return _reset(request)
        if (fault := take(_K.REFUSE_AFTER)) is not None:
            return response_of(venue.error(fault.error or "", fault.words or "scripted", fault.status or 400))
        if (fault := take(_K.ERROR_AFTER)) is not None:
            return response_of(_error(venue, fault, 502))
        if take(_K.HTML) is not None:
            return response_of(_error_page(200))
        if take(_K.TRUNCATED) is not None:
            answer.body = answer.body[: len(answer.body) // 2]
        if take(_K.NULLS) is not None:
            answer.body = _emptied(answer.body)
        if take(_K.DUPLICATE_ID) is not None:
            answer = venue.duplicate()
        if take(_K.EMPTY) is not None:
            answer = Answer(b"", 200, answer.headers)
        return self._reply(request, call, answer)

    def _reply(self, request: web.BaseRequest, call: Call, answer: Answer) -> web.Response:
        rewritten = self.rewrite(call, answer)
        return _reset(request) if rewritten is None else response_of(rewritten)

    async def _answer(self, call: Call) -> Answer:
        try:
            return await self._venue.answer(call)
        except Refusal as refusal:
            return refusal.answer()
        except JournalFailed:  # the ledger's disk: whether an order was accepted is not known, and a venue gives no answer then
            return _error_page(500)

    def _banned(self) -> Answer | None:
        ban = self._faults.take(_K.BAN)
        if ban is None or ban.until is None:
            return None
        return self._venue.throttled(418, max(1, round(ban.until - self._clock.monotonic())))


def _reset(request: web.BaseRequest) -> web.Response:
    """Break the connection; the returned response is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _error(venue: Venue, fault: WireFault, status: int) -> Answer:
    """A scripted 5xx: the venue's own JSON where a code is given, else a proxy's HTML page."""
    status = fault.status or status
    if fault.code is None:
        return _error_page(status)
    return venue.error(str(fault.code), "An error of the venue's own making; execution status unknown.", status)


def _emptied(body: bytes) -> bytes:
    """An answer's names with null for every value."""
    decoded = msgspec.json.decode(body)
    return encode(dict.fromkeys(decoded)) if isinstance(decoded, dict) else encode(None)


def _error_page(status: int) -> Answer:
    """The answer of a proxy whose venue does not answer: HTML, never the venue's JSON."""
    page = f"<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    return Answer(page.encode(), status, content_type=_HTML)
