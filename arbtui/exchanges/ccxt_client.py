"""One venue's REST interface: ccxt signs, sends and classifies errors; its parsing, throttling and retrying are not used.

Why not ccxt's unified calls (ccxt 4.5.90, read in its source): they round amounts through floats, never find an Upbit order by
client id (``uuid=None`` wins), queue orders behind snapshots in one FIFO, and can be configured to resend an order
(``maxRetriesOnFailure``, inside ``fetch2``). So requests go ``sign`` then ``fetch``, once, with parameters as strings.
"""

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from typing import Any

import aiohttp

from arbtui.exchanges.answers import EXCERPT, Answer, Meaning, RequestFailed, VenueError
from arbtui.exchanges.ccxt_packages import ccxt_pro
from arbtui.exchanges.config import ExchangeConfig
from arbtui.exchanges.connection_errors import SentAlready, broke_under_way, redirect_of, why_no_answer
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.rate_limits import RateLimitManager, Spent
from arbtui.exchanges.redirects import refuse_redirects
from arbtui.exchanges.refusals import RefusalTable, Scope
from arbtui.exchanges.signing import RECV_WINDOW_MS, RestFacts, Signing
from arbtui.exchanges.this_machine import socket_factory
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, OrderRejected, RateLimited

#: s for the whole of one request, for callers without a shorter deadline of their own.
_REQUEST_S = 10.0
#: s that an idle connection is kept for the next request; a ping comes more often, so an order finds an open one.
_KEEPALIVE_S = 30.0


class _Departure:
    """One request's permission to be sent, granted once.

    aiohttp by itself sends a GET, HEAD, PUT or DELETE a second time when a kept connection breaks, with the same signature: that is
    refused here.
    """

    def __init__(self, admit: Callable[[], None] | None, groups: Collection[str]) -> None:
        self._admit = admit
        self.groups = groups  #: of the rate limits that the request counts in
        self.sent = False
        self.refusal: Exception | None = None

    def leave(self) -> None:
        if self.sent:
            raise SentAlready("the request was sent already; it is never sent twice with one signature")
        if self._admit is not None:
            try:
                self._admit()
            except Exception as error:  # whatever the gate raises is its refusal, and is raised from the request unchanged
                self.refusal = error
                raise
        self.sent = True


_departure: ContextVar[_Departure] = ContextVar("departure")


class _GatedRequest(aiohttp.ClientRequest):
    """A request that asks the gate once its connection is open, immediately before its first byte.

    In ``fetch`` itself it would be too early: opening a connection first takes a tenth of a second and more.
    Any repetition comes through here again, and is refused.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        _departure.get().leave()
        return await super().send(conn)


class _ConnectionBroke(Exception):
    """No answer came: the connection broke after the request was sent, or while it was being sent."""

    def __init__(self, failure: RequestFailed, started: float) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.started = started


class CcxtClient:
    """Sends requests to one venue: rate limited, through the gate, each once.

    Args:
        exchange: its name in the profile.
        rest: what is known of its REST interface.
        limits: None for no rate limits (tests).
        health: None for none (tests).
    """

    def __init__(
        self,
        exchange: str,
        rest: RestFacts,
        config: ExchangeConfig,
        keys: VenueKeyHolder,
        clock: Clock,
        limits: RateLimitManager | None = None,
        health: ExchangeHealthMonitor | None = None,
    ) -> None:
        self.exchange = exchange
        self.quotes = (config.quote, *config.cross_quotes)  #: what the profile's markets there are priced in
        self.refusals: RefusalTable = lambda code, message: None  #: of the venue; its adapter sets it
        self.limits = limits
        self.health = health
        self._clock = clock
        self._rest = rest
        urls = config.urls
        self._takes_orders = config.takes_orders
        self._where = urls.rest
        tls = _tls() if urls.rest.startswith("https") else False
        self.session = aiohttp.ClientSession(
            # No limit of connections: requests that hang must not make a cancel wait. The rate limits bound them.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S, ssl=tls, socket_factory=socket_factory(urls.rest)),
            request_class=_GatedRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(refuse_redirects,),
        )
        self.keys = keys
        self.clock_skew_ms: int | None = None  #: how far our clock is ahead of the venue's; None where it was never measured
        self._ccxt = _instance(rest, urls.rest, clock, self)
        self.signing: Signing = rest.signing()(self._ccxt, urls.rest)
        self.use(keys.current())

    async def request(
        self,
        section: str,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        lane: Lane,
        costs: Mapping[str, float],
        admit: Callable[[], None] | None = None,
    ) -> Any:
        """Send one request and return its JSON.

        ``admit`` is called once, immediately before the first byte; what it raises is raised from here, and nothing was sent.
        A query (GET) whose kept connection broke is sent once more, signed anew; nothing else is.

        Raises:
            RateLimited: the venue's limits leave no room; nothing was sent.
            OrderRejected: an order for a real venue, without ``real_orders``; nothing was sent.
            RequestFailed: no usable answer, or a refusal; its ``meaning`` is what may be concluded.
        """
        try:
            return await self._send(section, method, path, params, lane=lane, costs=costs, admit=admit)
        except _ConnectionBroke as broke:
            if method != "GET":
                self._report(admit, ok=False, started=broke.started)
                raise broke.failure from None
        try:
            return await self._send(section, method, path, params, lane=lane, costs=costs, admit=admit)
        except _ConnectionBroke as broke:
            self._report(admit, ok=False, started=broke.started)
            raise broke.failure from None

    async def _send(
        self,
        section: str,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        *,
        lane: Lane,
        costs: Mapping[str, float],
        admit: Callable[[], None] | None,
    ) -> Any:
        """One request, sent once; raises as :meth:`request`, and _ConnectionBroke for one whose connection broke under it."""
        is_question = method == "GET" or (method, path) in self._rest.questions
        if not is_question and (section.split("/")[0] not in ("private", "public") or (method, path) not in self._rest.writes):
            raise ValueError(f"{self.exchange}: {method} {path} is no order: nothing else is ever written at a venue")
        if (method, path) in self._rest.orders and not self._takes_orders:
            raise OrderRejected(f"exchanges.{self.exchange}.real_orders is false: no order leaves this machine")
        departure = _Departure(admit, costs.keys())
        spent: Spent = []
        token = _departure.set(departure)
        started = self._clock.monotonic()
        try:
            if self.limits is not None:
                spent = await self.limits.turn(lane, costs)
                started = self._clock.monotonic()
            signed = self.signing.sign(section, method, path, params or {})
            answer = await self._ccxt.fetch(signed.url, method, signed.headers, signed.body)
        except RateLimited:
            raise
        except Exception as error:  # also ccxt's own failures with an odd body: the request was sent all the same
            if error is departure.refusal:
                if self.limits is not None:
                    self.limits.give_back(spent)
                raise
            # Without the cause: ccxt's text and traceback hold the URL with its signature.
            failure = self._failure(error, f"{method} {path}", departure.sent)
            if broke_under_way(error):
                raise _ConnectionBroke(failure, started) from None
            self._report(admit, ok=failure.answer.status is not None and failure.answer.status < 500, started=started)
            raise failure from None
        finally:
            _departure.reset(token)
        if not departure.sent:  # every connection begins with queries, so no order ever gets here
            raise ArbtuiError(
                f"aiohttp {aiohttp.__version__} does not ask before it sends, so no order may leave; install the locked version"
            )
        if not isinstance(answer, dict | list):
            facts = Answer(200, "", f"not JSON: {_error_of_body(str(answer)).message}", sent=True)
            self._report(admit, ok=False, started=started)
            raise RequestFailed(self.exchange, f"{method} {path}", facts, self.refusals)
        self._report(admit, ok=True, started=started)
        return answer

    def cancels(self, method: str, path: str) -> bool:
        """Whether that request takes an order away."""
        return (method, path) in self._rest.cancels

    def use(self, keys: VenueKeys) -> None:
        """Sign everything with ``keys`` from now on."""
        self.in_use = keys
        self.signing.use(keys)

    def set_clock_skew(self, ms: int, round_trip_ms: float) -> None:
        """How far our clock is ahead of the venue's; subtracted from every timestamp. ``round_trip_ms``: what the question took."""
        self.clock_skew_ms = ms
        self.signing.set_clock_skew(ms)
        if self.health is not None:
            self.health.on_clock(-ms)
            self.health.on_server_time(ms, round_trip_ms)

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close the connections; waits at most ``timeout_s`` for the peer."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ccxt.close()
                await self.session.close()
        except TimeoutError:
            await self.session.close()

    def on_response(self, status: int, headers: Mapping[str, str], body: str) -> None:
        """Called by ccxt's ``on_rest_response`` hook, for every answer, before it is interpreted."""
        if self.limits is not None:
            self.limits.observe(status, headers, _departure.get().groups, self._code_of(status, body))
            self._tell_silence()

    def error_in(self, status: int, answer: Any, body: str) -> VenueError:
        """What a refusal says: its code, its words, and until when the venue accepts no request. ``answer``: ``body`` as JSON, or None."""
        return self.signing.read_error(status, answer) or _error_of_body(body)

    def _code_of(self, status: int, body: str) -> str:
        """The venue's own code in the body of a refusal; empty where there is none."""
        if status < 400:
            return ""
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        error = self.signing.read_error(status, answer)
        return "" if error is None else error.code

    def on_refusal(self, failure: RequestFailed) -> None:
        """A refusal for too many requests, from REST or a socket: nothing is sent until the venue's ban is over."""
        if failure.meaning is Meaning.RATE_LIMITED and self.limits is not None:
            answer = failure.answer
            if answer.retry_at_ms is not None or failure.refusal.scope is Scope.IP:
                self.limits.silence(answer.status or 429, answer.retry_at_ms)
            elif answer.status == 200 and (departure := _departure.get(None)) is not None:  # what a status of 429 says elsewhere
                self.limits.observe(429, {}, departure.groups, answer.code)
            self._tell_silence()

    def _tell_silence(self) -> None:
        if self.health is not None and self.limits is not None and self.limits.banned_until > self._clock.monotonic():
            self.health.on_throttled(self.limits.banned_until)

    def _failure(self, error: Exception, what: str, sent: bool) -> RequestFailed:
        reason, redirect = why_no_answer(self.exchange, error), redirect_of(error)
        status_only = None if redirect is None else redirect.status
        no_answer = (status_only, "", type(error).__name__ if reason is None else f"{self._where}: {reason}", None)
        status, code, message, retry_at_ms = getattr(error, "facts", no_answer)
        failure = RequestFailed(self.exchange, what, Answer(status, code, message, sent, retry_at_ms), self.refusals)
        self.on_refusal(failure)
        return failure

    def _report(self, admit: Callable[[], None] | None, *, ok: bool, started: float) -> None:
        """Report an answer to the venue's health; orders are reported by their tracker, which knows when it stopped waiting."""
        if self.health is not None and admit is None:
            self.health.on_answer(ok, (self._clock.monotonic() - started) * 1000, poll=True)


def _instance(rest: RestFacts, origin: str, clock: Clock, client: CcxtClient) -> Any:
    """A new ccxt exchange. Its class is defined here, because importing ccxt takes 0.4 s."""
    ccxt = ccxt_pro()

    base: Any = getattr(ccxt, rest.ccxt_class)

    class Instance(base):  # type: ignore[misc]
        def milliseconds(self) -> int:
            return clock.time_ms()

        async def withdraw(self, *args: Any, **params: Any) -> Any:
            raise ccxt.NotSupported("nothing here withdraws: a person does, at the venue")

        def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any) -> str:
            client.on_response(code, headers, body)
            return body.strip()

        def handle_errors(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any, *rest: Any) -> None:
            try:
                super().handle_errors(code, reason, url, method, headers, body, response, *rest)
                self.handle_http_status_code(code, reason, url, method, body)
                # A status without a ccxt error class is not a success either, and some venues state errors under status 200.
                if code >= 400 or client.signing.read_error(code, response) is not None:
                    raise ccxt.ExchangeError(str(code))
            except ccxt.BaseError as error:
                error.facts = (code, *client.error_in(code, response, body))
                raise

    # ccxt's debug log holds headers and bodies: keys and signatures. Nothing may turn it on.
    logging.getLogger("ccxt.base.exchange").setLevel(logging.WARNING)
    return Instance(
        {
            "enableRateLimit": False,
            "timeout": int(_REQUEST_S * 1000),
            "session": client.session,
            "verify": False,  # ccxt opens no connection: the session is ours, and `_tls` verifies its certificates
            "timeout_on_exit": 0,
            "options": {"recvWindow": RECV_WINDOW_MS, "timeDifference": 0, **rest.options, "maxRetriesOnFailure": 0},
            "urls": {"api": {name: origin + path for name, path in rest.paths.items()}},
        }
    )


def _error_of_body(body: str) -> VenueError:
    """What a refusal without the venue's own error object says: the beginning of its body."""
    if body.lstrip()[:1] == "<":
        return VenueError(
            "", "a web page where the venue's answer should be; check its address in [exchanges.*.urls], and what sits between"
        )
    return VenueError("", body[:EXCERPT])


def _tls() -> ssl.SSLContext:
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
