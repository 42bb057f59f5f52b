"""A stream that is open and brings nothing: frozen where the venue has moved on, fine where it has not."""

import asyncio

from arbtui.model.book import BookState
from tests.marketdata.live import LONG_S, Live
from tests.marketdata.test_stream import start
from tests.marketdata.venue_server import VenueServer


async def keep_moving(server: VenueServer, exchange: str, *codes: str) -> None:
    while True:
        for code in codes:
            await server.move(exchange, code)
        await asyncio.sleep(0.05)


def test_a_quiet_market_is_asked_about_and_stays_live() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"], ["AUSDT"]) as server, Live(server, probe_after_ms=300) as live:
            await live.all_live()
            live.states.clear()
            await live.until(lambda: server.probes["KRW-A"] >= 2 and server.probes["AUSDT"] >= 2, "asked about")
            assert [state for _, state in live.states if state is not BookState.LIVE] == []
            assert not live.stream.watches["upbit"].frozen
            assert live.clock.monotonic() - live.book("upbit", "KRW-A").ts_init < LONG_S
            assert all(len(server.clients[exchange]) == 1 for exchange in ("upbit", "binance"))

    asyncio.run(run())


def test_a_quiet_venue_is_stale_until_it_is_asked() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"]) as server, Live(server, stream_silence_ms=300) as live:
            await live.until(lambda: ("KRW-A", BookState.STALE) in live.states, "silent")
            at = live.states.index(("KRW-A", BookState.STALE))
            await live.until(lambda: ("KRW-A", BookState.LIVE) in live.states[at:], "confirmed")
            assert live.health["upbit"].frozen == []

    asyncio.run(run())


def test_one_frozen_market_is_stale_and_its_neighbours_are_not() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A", "KRW-B", "KRW-C"]) as server, Live(server, probe_after_ms=500) as live:
            await live.all_live()
            moving = asyncio.create_task(keep_moving(server, "upbit", "KRW-A", "KRW-B", "KRW-C"))
            server.frozen.add("KRW-B")
            await live.until(lambda: "KRW-B" in live.stream.watches["upbit"].frozen, "frozen")
            assert live.book("upbit", "KRW-B").state is BookState.STALE
            assert list(live.stream.watches["upbit"].frozen) == ["KRW-B"]
            assert live.book("upbit", "KRW-A").state is BookState.LIVE
            assert live.health["upbit"].frozen == [], "two of three go on"
            server.frozen.clear()
            await live.until(lambda: live.book("upbit", "KRW-B").state is BookState.LIVE, "thawed")
            await live.until(lambda: not live.stream.watches["upbit"].frozen, "and counted as such")
            await live.until(lambda: len(server.clients["upbit"]) == 2, "its connection was replaced")
            assert all(len(client.messages) == 2 for client in server.clients["upbit"])  # what is subscribed, and the question what is
            assert not [code for code, state in live.states if state is BookState.STALE and code != "KRW-B"]
            moving.cancel()

    asyncio.run(run())


def test_trades_beside_a_still_book_raise_suspicion_sooner() -> None:
    async def run() -> None:
        async with VenueServer(binance=["AUSDT", "BUSDT"]) as server, Live(server) as live:
            await start(server, live)
            server.frozen.add("AUSDT")
            await server.move("binance", "AUSDT")
            await server.trade("binance", "AUSDT")
            await live.until(lambda: "AUSDT" in live.stream.watches["binance"].frozen, "frozen, long before probe_after")
            assert live.book("binance", "AUSDT").state is BookState.STALE
            assert server.probes["BUSDT"] == 0

    asyncio.run(run())


def test_a_frozen_venue_is_told_to_its_health_monitor() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A", "KRW-B"]) as server, Live(server, stream_silence_ms=500) as live:
            await live.all_live()
            server.frozen.update(("KRW-A", "KRW-B"))
            await server.move("upbit", "KRW-A")
            await server.move("upbit", "KRW-B")
            await live.until(lambda: live.health["upbit"].frozen == [True], "FROZEN")
            assert live.book("upbit", "KRW-A").state is BookState.STALE
            server.frozen.clear()
            await server.move("upbit", "KRW-A")
            await server.move("upbit", "KRW-B")
            await live.until(lambda: live.health["upbit"].frozen == [True, False], "over")

    asyncio.run(run())
