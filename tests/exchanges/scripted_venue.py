"""A server on this machine that answers what a test tells it to, and remembers what it was asked, byte for byte."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import WSMsgType, web
from pydantic import SecretStr

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.bitget.rules import spot_market as bitget_market
from arbtui.exchanges.bithumb.rules import krw_market as bithumb_market
from arbtui.exchanges.bybit.rules import spot_market as bybit_market
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.coinone.rules import krw_market as coinone_market
from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.okx.rules import spot_market as okx_market
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.exchanges.venues import VENUES
from arbtui.model.clock import SystemClock
from arbtui.model.market import Market
from arbtui.model.order import Order, Purpose, Side
from arbtui.sandbox.http_server import shut

UPBIT_XRP = krw_market("XRP")
BINANCE_XRP = spot_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.1"), Decimal(5))
BITHUMB_XRP = bithumb_market("XRP")
COINONE_XRP = coinone_market("XRP")
#: XRP at each venue, and a price of an order that breaks no rule.
XRP: Mapping[str, tuple[Market, str]] = {
    "upbit": (UPBIT_XRP, "3000"),
    "binance": (BINANCE_XRP, "2.14"),
    "bithumb": (BITHUMB_XRP, "3000"),
    "coinone": (COINONE_XRP, "3000"),
    "bybit": (bybit_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.01")), "2.14"),
    "okx": (okx_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.01"), Decimal("0.1")), "2.14"),
    "bitget": (bitget_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.01")), "2.14"),
}
SECRET = "s3cr3t-" + "x" * 64


def made_up_keys() -> VenueKeyHolder:
    """Keys that a test made up."""
    return VenueKeyHolder(lambda: VenueKeys(SecretStr("k3y-of-a-test"), SecretStr(SECRET), "a test", SecretStr("passphrase-of-a-test")))


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: str
    headers: Mapping[str, str]

    @property
    def form(self) -> dict[str, str]:
        """A form's fields."""
        return dict(parse_qsl(self.body, keep_blank_values=True, strict_parsing=True))


#: A socket beside that of the account, of which these tests say nothing.
NOTICES = "/sapi/wss"
Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def body(text: str, status: int = 200, content_type: str = "application/json", headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with ``text`` as it is."""

    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, status=status, content_type=content_type, headers=headers)

    return reply


def value(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer with JSON."""
    return body(json.dumps(data), status, headers=headers)


async def never(request: web.Request) -> web.StreamResponse:
    """Take the request and answer nothing, until the client goes."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def cut(request: web.Request) -> web.StreamResponse:
    """Reset the connection after the request was read."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def half(request: web.Request) -> web.StreamResponse:
    """Half of what was promised, then the end of the connection."""
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"symbol": "XRPUSDT", "order')
    assert request.transport is not None
    request.transport.close()
    return response


@dataclass
class ScriptedVenue:
    """What the server answers, by method and path; the last answer of a path repeats, and anything else is a 404 without a body."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    replies: dict[tuple[str, str], deque[Reply]] = field(default_factory=dict)
    streams: "asyncio.Queue[Stream]" = field(default_factory=asyncio.Queue)

    def on(self, method: str, path: str, *replies: Reply) -> None:
        """Answer ``replies`` in turn."""
        self.replies[method, path] = deque(replies)

    def of(self, method: str, path: str) -> list[Asked]:
        """The requests of that kind, in order."""
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return web.Response(status=404) if request.path == NOTICES else await self._socket(request)
        text = await request.text()
        self.asked.append(Asked(request.method, request.path, dict(request.query), text, dict(request.headers)))
        replies = self.replies.get((request.method, request.path))
        if not replies:
            return web.Response(status=404)
        reply = replies.popleft() if len(replies) > 1 else replies[0]
        return await reply(request)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        stream = Stream(dict(request.headers), request, response)
        await self.streams.put(stream)
        async for message in response:
            if message.type is WSMsgType.TEXT:
                await stream.said.put(str(message.data))
        return response

    async def stream(self) -> "Stream":
        """The next private stream that is opened."""
        async with asyncio.timeout(20):
            return await self.streams.get()


@dataclass
class Stream:
    """A private stream, seen from the venue."""

    headers: Mapping[str, str]
    request: web.Request
    socket: web.WebSocketResponse
    said: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def heard(self) -> Any:
        """The next message of the client."""
        async with asyncio.timeout(20):
            return json.loads(await self.said.get())

    async def send(self, text: str) -> None:
        await self.socket.send_str(text)

    def cut(self) -> None:
        """Break the connection without a word."""
        assert self.request.transport is not None
        self.request.transport.abort()


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedVenue]:
    """A server on a free port of this machine."""
    venue = ScriptedVenue()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    venue.url = f"http://{host}:{port}"
    try:
        yield venue
    finally:
        await shut(runner)


def config_of(rest: str, exchange: str, *, real_orders: bool = False, stream: str | None = None) -> ExchangeConfig:
    """A venue whose addresses are all at ``rest``, but for its public stream where another is named."""
    socket = rest.replace("http", "ws")
    private = socket + urlsplit(VENUES[exchange].urls.private).path
    urls = UrlsConfig(rest=rest, stream=stream or socket + "/stream", private=private)
    return ExchangeConfig(quote=VENUES[exchange].quote, urls=urls, real_orders=real_orders)


@asynccontextmanager
async def adapter_of(
    venue: ScriptedVenue,
    exchange: str,
    limits: RateLimitManager | None = None,
    health: ExchangeHealthMonitor | None = None,
    config: ExchangeConfig | None = None,
) -> AsyncIterator[CcxtAdapter]:
    """An adapter to ``venue``, or to where ``config`` leads, that knows one market, XRP."""
    config = config or config_of(venue.url, exchange)
    private = config.urls.private
    client = CcxtClient(exchange, VENUES[exchange].rest, config, made_up_keys(), SystemClock(), limits, health)
    adapter = VENUES[exchange].adapter
    assert adapter is not None
    made: CcxtAdapter = adapter()(client, private, SystemClock())
    made.capabilities = VENUES[exchange].capabilities
    market = market_of(exchange)
    made.markets = {market.code: market}
    try:
        yield made
    finally:
        await made.close()


def market_of(exchange: str) -> Market:
    """XRP at ``exchange``."""
    return XRP[exchange][0]


def order_of(exchange: str, side: Side = Side.BUY, qty: str = "10", client_order_id: str = "a1", price: str | None = None) -> Order:
    """An order that breaks no rule."""
    market = market_of(exchange)
    return Order(client_order_id, market, side, Decimal(qty), Decimal(price or XRP[exchange][1]), "c1", 0, 1, Purpose.ENTRY, 0, 0.0, 1e9)
