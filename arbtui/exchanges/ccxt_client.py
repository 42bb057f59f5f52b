"""One venue's REST interface: ccxt signs, sends and sorts errors; nothing of its parsing, throttling or retrying is used.

Why not ccxt's unified calls (ccxt 4.5.90, read in its source): they round amounts through floats, find an Upbit order by
client id never (``uuid=None`` wins), queue orders behind snapshots in one FIFO, and can be told to repeat an order
(``maxRetriesOnFailure``, inside ``fetch2``). So requests go ``sign`` then ``fetch``, once, with parameters as strings.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import aiohttp

from arbtui.exchanges.answers import Answer, RequestFailed
from arbtui.exchanges.config import UrlsConfig
from arbtui.exchanges.connection_errors import redirect_of, why_no_answer
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.rate_limits import Lane, RateLimitManager
from arbtui.exchanges.redirects import refuse_redirects
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, RateLimited

#: ms that Binance may take to begin a request after its timestamp (``recvWindow``); later it refuses it. Explicit on every
#: request, because it bounds how long an order under way can still come to be.
RECV_WINDOW_MS = 5000
#: s for the whole of one request, for callers without a shorter deadline of their own.
_REQUEST_S = 10.0
#: s that an idle connection is kept for the next request; a ping comes more often, so an order finds one that stands.
_KEEPALIVE_S = 30.0
_EXCERPT = 200


class _Departure:
    """One request's leave to go: asked once, and never given a second time."""

    def __init__(self, admit: Callable[[], None] | None) -> None:
        self._admit = admit
        self.sent = False
        self.refusal: Exception | None = None

    def leave(self) -> None:
        if self._admit is not None:
            if self.sent:
                raise aiohttp.ClientError("the request has left already; an order is never sent twice")
            try:
                self._admit()
            except Exception as error:  # whatever the gate raises is its no, and comes out of the request as it is
                self.refusal = error
                raise
        self.sent = True


_departure: ContextVar[_Departure] = ContextVar("departure")


class _GatedRequest(aiohttp.ClientRequest):
    """A request that asks the gate when its connection stands, immediately before its first byte.

    In ``fetch`` itself it would be too early: a connection that has to be made first takes a tenth of a second and more.
    Any repetition comes through here again, and is refused.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        _departure.get().leave()
        return await super().send(conn)


class CcxtClient:
    """Requests to one venue, in turn, through the gate, once.

    Args:
        exchange: ``upbit`` or ``binance``.
        limits: None asks nobody's turn (tests).
        health: None tells nobody (tests).
    """

    def __init__(
        self,
        exchange: str,
        urls: UrlsConfig,
        keys: VenueKeyHolder,
        clock: Clock,
        limits: RateLimitManager | None = None,
        health: ExchangeHealthMonitor | None = None,
    ) -> None:
        self.exchange = exchange
        self.limits = limits
        self.health = health
        self._clock = clock
        self._where = urls.rest
        tls = _tls() if urls.rest.startswith("https") else False
        self.session = aiohttp.ClientSession(
            # No limit of connections: requests that hang must not make a cancel wait. The rate limits bound them.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S, ssl=tls),
            request_class=_GatedRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(refuse_redirects,),
        )
        self.keys = keys
        self.clock_skew_ms: int | None = None  #: how far our clock is ahead of the venue's; None where it was never measured
        self._ccxt = _instance(exchange, urls, clock, self)
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

        ``admit`` is called once, immediately before the first byte; what it raises comes out of here, and nothing has left.

        Raises:
            RateLimited: the venue's limits leave no room; nothing has left.
            RequestFailed: no usable answer, or a refusal; its ``meaning`` tells what may be concluded.
        """
        departure = _Departure(admit)
        token = _departure.set(departure)
        started = self._clock.monotonic()
        try:
            if self.limits is not None:
                await self.limits.turn(lane, costs)
                started = self._clock.monotonic()
            signed = self._ccxt.sign(path, [section], method, dict(params or {}))
            answer = await self._ccxt.fetch(signed["url"], method, signed["headers"], signed["body"])
        except RateLimited:
            raise
        except Exception as error:  # also what ccxt itself trips over in an odd body: the request has left all the same
            if error is departure.refusal:
                raise
            # Without the cause: ccxt's text and traceback hold the URL with its signature.
            failure = self._failure(error, f"{method} {path}", departure.sent)
            self._tell(admit, ok=failure.answer.status is not None and failure.answer.status < 500, started=started)
            raise failure from None
        finally:
            _departure.reset(token)
        if not departure.sent:  # every connection begins with queries, so no order ever gets here
            raise ArbtuiError(
                f"aiohttp {aiohttp.__version__} does not ask before it sends, so no order may leave; install the locked version"
            )
        if not isinstance(answer, dict | list):
            facts = Answer(200, "", f"not JSON: {_said(None, str(answer))[1]}", frozenset(), sent=True)
            self._tell(admit, ok=False, started=started)
            raise RequestFailed(self.exchange, f"{method} {path}", facts)
        self._tell(admit, ok=True, started=started)
        return answer

    def use(self, keys: VenueKeys) -> None:
        """Sign everything with ``keys`` from now on."""
        self.in_use = keys
        self._ccxt.apiKey, self._ccxt.secret = keys.key.get_secret_value(), keys.secret.get_secret_value()

    def on_keys(self, *, refused: bool) -> None:
        """Tell the venue's health whether it takes our keys."""
        if self.health is not None:
            self.health.on_keys(refused)

    def stream_headers(self) -> dict[str, str]:
        """What a private WebSocket is opened with: Upbit's token, made anew each time (ccxt keeps one for ever); else nothing."""
        if self.exchange != "upbit":
            return {}
        claims = {"access_key": self._ccxt.apiKey, "nonce": self._ccxt.uuid()}
        return {"Authorization": "Bearer " + self._ccxt.jwt(claims, self._ccxt.encode(self._ccxt.secret), "sha256")}

    def stream_signature(self) -> dict[str, Any]:
        """Parameters of Binance's ``userDataStream.subscribe.signature``, signed now."""
        signed: dict[str, Any] = self._ccxt.sign_params({})
        return signed

    def set_clock_skew(self, ms: int) -> None:
        """How far our clock is ahead of the venue's; taken off every timestamp."""
        self._ccxt.options["timeDifference"] = self.clock_skew_ms = ms
        if self.health is not None:
            self.health.on_clock(-ms)

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close the connections; a peer that does not answer the close is left after ``timeout_s``."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ccxt.close()
                await self.session.close()
        except TimeoutError:
            await self.session.close()

    def on_response(self, status: int, headers: Mapping[str, str]) -> None:
        """Called by ccxt's ``on_rest_response`` hook, for every answer, before anything is made of it."""
        if self.limits is not None:
            self.limits.observe(status, headers)
            if self.health is not None and status in (418, 429):
                self.health.on_throttled(self.limits.banned_until)

    def _failure(self, error: Exception, what: str, sent: bool) -> RequestFailed:
        kinds = frozenset(kind.__name__ for kind in type(error).__mro__)
        told = why_no_answer(self.exchange, error)
        redirect = redirect_of(error)
        heard = None if redirect is None else redirect.status
        status, code, message = getattr(error, "facts", (heard, "", type(error).__name__ if told is None else f"{self._where}: {told}"))
        return RequestFailed(self.exchange, what, Answer(status, code, message, kinds, sent))

    def _tell(self, admit: Callable[[], None] | None, *, ok: bool, started: float) -> None:
        """Tell the venue's health; how orders end is told by their tracker, which knows when it stopped waiting."""
        if self.health is not None and admit is None:
            self.health.on_answer(ok, (self._clock.monotonic() - started) * 1000)


def _instance(exchange: str, urls: UrlsConfig, clock: Clock, client: CcxtClient) -> Any:
    """A ccxt exchange of its own. Its class is made here, because importing ccxt costs 0.7 s and 70 MB."""
    import ccxt.pro as ccxt  # type: ignore[import-untyped]

    base: Any = {"upbit": ccxt.upbit, "binance": ccxt.binance}[exchange]

    class Instance(base):  # type: ignore[misc]
        def milliseconds(self) -> int:
            return clock.time_ms()

        def get_exceptions_by_url(self, url: str, exact_or_broad: str) -> Any:
            # ccxt takes the spot table only for https://api.binance.com/; ours is spot wherever it is.
            return self.exceptions["spot"].get(exact_or_broad, {})

        def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any) -> str:
            client.on_response(code, headers)
            return body.strip()

        def handle_errors(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any, *rest: Any) -> None:
            try:
                super().handle_errors(code, reason, url, method, headers, body, response, *rest)
                self.handle_http_status_code(code, reason, url, method, body)
                if code >= 400:  # a status that ccxt has no class for is no success either
                    raise ccxt.ExchangeError(str(code))
            except ccxt.BaseError as error:
                error.facts = (code, *_said(response, body))
                raise

    # ccxt's debug log holds headers and bodies: keys and signatures. Nothing may turn it on.
    logging.getLogger("ccxt.base.exchange").setLevel(logging.WARNING)
    rest = {"upbit": urls.rest, "binance": urls.rest + "/api/v3"}[exchange]
    return Instance(
        {
            "enableRateLimit": False,
            "timeout": int(_REQUEST_S * 1000),
            "session": client.session,
            "verify": False,  # ccxt makes no connection: the session is ours, and its TLS is checked by `_tls`
            "timeout_on_exit": 0,
            "options": {"maxRetriesOnFailure": 0, "defaultType": "spot", "recvWindow": RECV_WINDOW_MS, "timeDifference": 0},
            "urls": {"api": {"public": rest, "private": rest, "sapi": urls.rest + "/sapi/v1"}},
        }
    )


def _said(response: Any, body: str) -> tuple[str, str]:
    """The venue's code and words: Binance ``{"code", "msg"}``, Upbit ``{"error": {"name", "message"}}``; else the body's beginning."""
    error = response.get("error", response) if isinstance(response, dict) else None
    if isinstance(error, dict):
        code, message = error.get("name", error.get("code", "")), error.get("message", error.get("msg", ""))
        return str(code), str(message)[:_EXCERPT]
    if body.lstrip()[:1] == "<":
        return "", "a web page where the venue's answer should be; check its address in [exchanges.*.urls], and what sits between"
    return "", body[:_EXCERPT]


def _tls() -> ssl.SSLContext:
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
