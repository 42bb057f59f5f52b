"""While ``real_orders`` is false no order leaves this machine, whatever the address, a resolver or the environment say."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import pytest

from arbtui.exchanges.signing import Request
from arbtui.exchanges.venues import VENUES as DECLARED
from arbtui.model.errors import OrderRejected, OrderUnknown, VenueFailed
from arbtui.model.order import Order, TimeInForce
from tests.exchanges.scripted_venue import ScriptedVenue, adapter_of, body, config_of, order_of, scripted
from tests.exchanges.test_redirects import BALANCES_PATH, ORDER_PATH, run

VENUES = pytest.mark.parametrize("exchange", ["upbit", "binance"])
#: Every venue that orders can be sent to.
TRADED = [name for name, venue in DECLARED.items() if venue.adapter is not None]
ELSEWHERE = "wss://stream.elsewhere.invalid/ws"


@pytest.mark.parametrize("exchange", TRADED)
def test_an_order_to_a_real_venue_is_not_sent_without_the_switch(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue:
            off = config_of(venue.url, exchange, stream=ELSEWHERE)  # one address that is not of this machine, so the venue is a real one
            async with adapter_of(venue, exchange, config=off) as adapter:
                with pytest.raises(OrderRejected, match=f"exchanges.{exchange}.real_orders is false: no order leaves this machine"):
                    await adapter.place(_order(exchange), lambda: pytest.fail("the gate is not even asked"))
                assert venue.asked == []
                with suppress(VenueFailed):
                    await adapter.cancel(order_of(exchange).market.code, "never-sent")
                assert _sent(venue, exchange, "cancels") == 1, "what takes an order away always leaves"
            on = config_of(venue.url, exchange, stream=ELSEWHERE, real_orders=True)
            async with adapter_of(venue, exchange, config=on) as adapter:
                for method, path in DECLARED[exchange].rest.orders:
                    venue.on(method, f"/{path.removeprefix('/')}", body("{}", 500))
                with pytest.raises(OrderUnknown):
                    await adapter.place(_order(exchange), lambda: None)
                assert _sent(venue, exchange, "orders") == 1

    run(main)


def _order(exchange: str) -> Order:
    """An order that the venue takes."""
    order = order_of(exchange)
    if not DECLARED[exchange].capabilities.immediate_orders:
        order.tif = TimeInForce.GTC
    return order


def _sent(venue: ScriptedVenue, exchange: str, what: str) -> int:
    """How many requests of that kind the venue has got."""
    kind: frozenset[Request] = getattr(DECLARED[exchange].rest, what)
    return sum(any(one.method == method and one.path.endswith(f"/{path}") for method, path in kind) for one in venue.asked)


@VENUES
def test_a_localhost_that_leads_elsewhere_gets_nothing(exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with scripted() as venue:
            port = int(venue.url.rpartition(":")[2])
            async with adapter_of(venue, exchange, config=config_of(f"http://localhost:{port}", exchange)) as adapter:
                asked: list[str] = []
                loop = asyncio.get_running_loop()

                async def resolved(host: str, port: Any, **kept: Any) -> list[Any]:
                    asked.append(host)
                    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

                monkeypatch.setattr(loop, "getaddrinfo", resolved)
                with pytest.raises(VenueFailed, match="not this machine"):
                    await adapter.fetch_balances()
                assert asked == ["localhost"], "the name was looked up, and led elsewhere"
                with pytest.raises(OrderRejected, match="not this machine"):
                    await adapter.place(order_of(exchange), lambda: pytest.fail("no connection, so the gate is not asked"))
            assert venue.asked == []

    run(main)


@contextmanager
def listening() -> Iterator[tuple[int, list[Any]]]:
    """A port that a proxy could be at, and who came."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    taken, peer = server.accept()
                except OSError:
                    return
                came.append(peer)
                taken.close()

        thread = Thread(target=take, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@VENUES
def test_a_proxy_of_the_environment_is_not_used(exchange: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(port: int) -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("GET", BALANCES_PATH[exchange], body("[]", 500))
            venue.on("POST", ORDER_PATH[exchange], body("{}", 500))
            with pytest.raises(VenueFailed):
                await adapter.fetch_balances()
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), lambda: None)
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1, "it went straight to the venue"

    with listening() as (port, came):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY", "WSS_PROXY"):
            for spelling in (name, name.lower()):
                monkeypatch.setenv(spelling, f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        run(lambda: main(port))
        assert came == []
        with socket.create_connection(("127.0.0.1", port), 5) as probe:  # whoever asks it is seen
            probe.recv(1)
        assert len(came) == 1
