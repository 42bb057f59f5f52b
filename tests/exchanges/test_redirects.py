"""A venue, or whoever sits before it, names another address: nothing that is signed, and no stream, goes there."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web

from arbtui.exchanges.config import UrlsConfig
from arbtui.exchanges.private_stream import PrivateStream
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.redirects import RedirectRefused, refuse_redirects
from arbtui.exchanges.venues import documented_limits
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.stream import MarketDataStream, VenueSource
from arbtui.model.clock import SystemClock
from arbtui.model.errors import OrderUnknown, VenueFailed
from arbtui.model.rng import Rng
from arbtui.runtime.venue_check import VenueFacts, _listen
from arbtui.sandbox.http_server import shut
from tests.exchanges.scripted_venue import Reply, ScriptedVenue, adapter_of, body, market_of, order_of, scripted

VENUES = pytest.mark.parametrize("exchange", ["upbit", "binance"])
ORDER_PATH = {"upbit": "/v1/orders", "binance": "/api/v3/order"}
BALANCES_PATH = {"upbit": "/v1/accounts", "binance": "/api/v3/account"}


def to(url: str, status: int) -> Reply:
    return body("", status, headers={"Location": url})


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())


@VENUES
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
def test_an_order_does_not_follow(exchange: str, status: int) -> None:
    async def main() -> None:
        async with scripted() as venue, scripted() as thief, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], to(f"{thief.url}{ORDER_PATH[exchange]}", status))
            with pytest.raises(OrderUnknown) as told:  # whoever answered so may have passed it on
                await adapter.place(order_of(exchange), lambda: None)
            assert thief.asked == []
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1
            assert f"(HTTP {status})" in str(told.value)
            assert f"it redirects to {thief.url.removeprefix('http://')}, and no redirect is followed" in str(told.value)

    run(main)


@VENUES
@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("same_host", [True, False])
def test_a_query_does_not_follow(exchange: str, status: int, same_host: bool) -> None:
    async def main() -> None:
        async with scripted() as venue, scripted() as thief, adapter_of(venue, exchange) as adapter:
            where = "/elsewhere?x=1" if same_host else f"http://user:pass@{thief.url.removeprefix('http://')}/elsewhere?apiKey=k"
            venue.on("GET", BALANCES_PATH[exchange], to(where, status))
            with pytest.raises(VenueFailed) as told:
                await adapter.fetch_balances()
            assert thief.asked == []
            assert [asked.path for asked in venue.asked] == [BALANCES_PATH[exchange]]
            assert "another path" in str(told.value) if same_host else "pass" not in str(told.value)
            assert f"[exchanges.{exchange}.urls]" in str(told.value)

    run(main)


@VENUES
def test_a_cancel_does_not_follow(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, scripted() as thief, adapter_of(venue, exchange) as adapter:
            for path in ("/v1/order", "/api/v3/order"):
                venue.on("DELETE", path, to(f"{thief.url}{path}", 307))
                venue.on("GET", path, to(f"{thief.url}{path}", 308))
            with pytest.raises((OrderUnknown, VenueFailed)):
                await adapter.cancel(market_of(exchange).code, "a1")
            assert venue.asked
            assert thief.asked == []

    run(main)


@asynccontextmanager
async def turning_away(target: ScriptedVenue) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that answers every handshake with a redirect to ``target``."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect(target.url + request.path)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "ws://{}:{}".format(*runner.addresses[0][:2]), asked
    finally:
        await shut(runner)


def test_a_private_stream_does_not_follow(caplog: pytest.LogCaptureFixture) -> None:
    async def subscribe(socket: aiohttp.ClientWebSocketResponse, take: Callable[[bytes], None]) -> None:
        raise AssertionError("it was opened")

    async def main() -> None:
        async with scripted() as thief, turning_away(thief) as (url, asked):
            closed = asyncio.Event()
            stream = PrivateStream(
                "upbit",
                f"{url}/websocket/v1/private",
                headers=lambda: {"Authorization": "Bearer signed"},
                subscribe=subscribe,
                on_frame=lambda frame: None,
                on_open=lambda: None,
                on_close=closed.set,
                on_refused=lambda error: None,
                limits=None,
                health=None,
            )
            task = asyncio.create_task(stream.run())
            await closed.wait()
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert asked == ["/websocket/v1/private"]
            assert thief.streams.empty()
            assert thief.asked == []

    run(main)
    assert "HTTP 307: it redirects to 127.0.0.1:" in caplog.text


def test_a_public_stream_does_not_follow() -> None:
    async def main() -> None:
        async with scripted() as thief, turning_away(thief) as (url, asked):
            urls = UrlsConfig(rest=url.replace("ws", "http"), stream=f"{url}/stream", private=f"{url}/ws-api/v3")
            clock = SystemClock()
            source = VenueSource("binance", urls, ["XRPUSDT"], RateLimitManager("binance", clock, documented_limits("binance")))
            stream = MarketDataStream([source], MarketDataConfig(), clock, Rng(1))
            books = OrderbookAggregator(clock, MarketDataConfig(), [("binance", "XRPUSDT")], lambda books: None, stream.request_snapshot)
            stream.attach(books)
            task = asyncio.create_task(stream.run(books.deliver))
            while not any("redirects to" in one.why for one in stream.status()):
                await asyncio.sleep(0.01)
                assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert "/stream" in asked[0]
            assert thief.streams.empty()
            assert thief.asked == []

    run(main)


def test_check_does_not_follow() -> None:
    async def main() -> None:
        async with scripted() as thief, turning_away(thief) as (url, _):
            found = VenueFacts("binance")
            await _listen(found, f"{url}/stream")
            assert thief.streams.empty()
            assert found.facts == []
            assert "no redirect is followed" in found.problems[0][1]

    run(main)


@pytest.mark.parametrize(("status", "refused"), [(299, False), (300, True), (304, True), (399, True), (400, False)])
def test_whatever_answers_with_300_to_399_is_a_redirect_whether_it_names_a_place_or_not(status: int, refused: bool) -> None:
    closed: list[int] = []
    answer = SimpleNamespace(status=status, headers={}, close=lambda: closed.append(status))

    async def send(request: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        return cast(aiohttp.ClientResponse, answer)

    async def main() -> None:
        request = cast(aiohttp.ClientRequest, None)
        if not refused:
            assert await refuse_redirects(request, send) is cast(aiohttp.ClientResponse, answer)
            return
        with pytest.raises(RedirectRefused, match=f"^HTTP {status}: it redirects to another path, and no redirect is followed") as told:
            await refuse_redirects(request, send)
        assert told.value.status == status

    run(main)
    assert closed == [status] * refused


@pytest.mark.parametrize("location", ["", "http://[", "//", "http://user:secret@host/", "http://" + "x" * 5000])
def test_any_location_makes_a_short_sentence(location: str) -> None:
    told = str(RedirectRefused(302, location))
    assert "secret" not in told
    assert len(told) < 250


@pytest.mark.parametrize("what", ["stream", "check"])
def test_a_localhost_that_leads_elsewhere_is_no_market_either(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices of somewhere else beside orders of the sandbox would be worth nothing."""

    async def main() -> None:
        asked: list[str] = []
        connected: list[object] = []

        async def resolved(host: str, port: object, **kept: object) -> list[object]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

        async def connects(connecting: socket.socket, address: object) -> None:
            connected.append(address)
            raise OSError("the test lets nothing out")

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", resolved)
        monkeypatch.setattr(loop, "sock_connect", connects)
        if what == "check":
            await _listen(VenueFacts("binance"), "ws://localhost:9/stream")
        else:
            urls = UrlsConfig(rest="http://localhost:9", stream="ws://localhost:9/stream", private="ws://localhost:9/ws-api/v3")
            clock = SystemClock()
            source = VenueSource("binance", urls, ["XRPUSDT"], RateLimitManager("binance", clock, documented_limits("binance")))
            stream = MarketDataStream([source], MarketDataConfig(), clock, Rng(1))
            books = OrderbookAggregator(clock, MarketDataConfig(), [("binance", "XRPUSDT")], lambda books: None, stream.request_snapshot)
            stream.attach(books)
            task = asyncio.create_task(stream.run(books.deliver))
            while not any(one.why for one in stream.status()):
                await asyncio.sleep(0.01)
                assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert "localhost" in asked
        assert connected == []

    run(main)
