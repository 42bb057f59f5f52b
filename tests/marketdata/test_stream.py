"""The live stream on real sockets: it comes up within the venues' limits, and comes up again after whatever happens."""

import asyncio
from itertools import pairwise

import pytest
from aiohttp import web

from arbtui.exchanges.binance.subscriptions import STREAMS_A_SOCKET
from arbtui.exchanges.feed import Frame
from arbtui.marketdata.intake import Intake
from arbtui.marketdata.public_socket import SocketState
from arbtui.model.book import BookState
from tests.marketdata.live import LONG_S, Live
from tests.marketdata.venue_server import VenueServer

COINS = [f"C{number:02d}" for number in range(50)]
WON, DOLLAR = [f"KRW-{coin}" for coin in COINS], [f"{coin}USDT" for coin in COINS]


async def start(server: VenueServer, live: Live) -> None:
    """Every Binance market moves until its book is up."""
    await live.until(lambda: all(status.state is SocketState.LIVE for status in live.stream.status()), "sockets up")
    while not all(book.state is BookState.LIVE for book in live.aggregator.books.values()):
        for code in server.markets["binance"]:
            await server.move("binance", code)
        await asyncio.sleep(0.1)


def test_fifty_symbols_come_up_within_the_limits_of_both_venues() -> None:
    async def run() -> None:
        async with VenueServer(WON, DOLLAR) as server, Live(server) as live:
            began = live.clock.monotonic()
            async with asyncio.timeout(LONG_S):
                await start(server, live)
            assert live.clock.monotonic() - began < 20
            (upbit,) = server.live("upbit")
            ((_, subscribed), (_, asked)) = upbit.messages  # another subscription would replace the first
            assert [part.get("type") for part in subscribed] == [None, "orderbook", "trade", None]
            assert asked[1] == {"method": "LIST_SUBSCRIPTIONS"}
            (binance,) = server.live("binance")
            assert len(binance.streams) == 150 <= STREAMS_A_SOCKET
            assert len(binance.messages) == 2
            assert binance.messages[1][0] - binance.messages[0][0] > 0.2, "five messages a second at most"
            assert set(server.depth_calls) == set(DOLLAR)
            assert set(server.depth_calls.values()) == {1}
            assert server.probes == {}
            assert not any("permessage-deflate" in client.request.headers.get("Sec-WebSocket-Extensions", "")
                           for client in (upbit, binance))  # fmt: skip
            assert "Origin" not in upbit.request.headers
            book, listed = live.book("binance", "C07USDT"), server.markets["binance"]["C07USDT"]
            await live.until(lambda: book.update_id == listed.update_id, "the last update")
            assert (book.bid, book.ask) == (listed.price - 0.5, listed.price + 0.5)
            assert live.health["upbit"].connected == live.health["binance"].connected == [True]
            assert live.counts("binance").malformed == {}
            weight = next(one for one in live.limits["binance"].left() if "weight" in one.name.lower())
            assert weight.used == 50 * 5

    asyncio.run(run())


def test_many_markets_are_spread_over_sockets_and_second_messages_wait() -> None:
    codes = [f"X{number}USDT" for number in range(140)]

    async def run() -> None:
        async with VenueServer(binance=codes) as server, Live(server) as live:
            await live.until(lambda: sum(len(client.streams) for client in server.live("binance")) == 420, "all streams asked for")
            sizes = sorted(len(client.streams) for client in server.live("binance"))
            assert sizes == [24, 198, 198]
            for client in server.live("binance"):
                assert all(later - earlier > 0.2 for (earlier, _), (later, _) in pairwise(client.messages))

    asyncio.run(run())


def test_a_quiet_market_is_up_though_it_sends_no_diff() -> None:
    async def run() -> None:
        async with VenueServer(binance=["AUSDT"]) as server, Live(server) as live:
            await live.all_live()
            assert live.book("binance", "AUSDT").bid == 99.5
            await server.move("binance", "AUSDT")
            await live.until(lambda: live.book("binance", "AUSDT").bid == 100.0, "the first diff")
            assert live.counts("binance").gaps == 0

    asyncio.run(run())


def test_after_a_cut_books_are_out_at_once_and_back_by_themselves() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A", "KRW-B"], ["AUSDT", "BUSDT"]) as server, Live(server) as live:
            await start(server, live)
            live.states.clear()
            server.cut("binance")
            server.cut("upbit")
            gone = {("AUSDT", BookState.GAPPED), ("BUSDT", BookState.GAPPED), ("KRW-A", BookState.STALE), ("KRW-B", BookState.STALE)}
            await live.until(lambda: gone <= set(live.states), "every book out")
            await start(server, live)
            assert live.counts("binance").resyncs == 2
            assert live.counts("binance").failures["cut"] == live.counts("upbit").failures["cut"] == 1
            assert live.health["binance"].connected == [True, False, True]
            assert [len(client.messages) for client in server.clients["upbit"]] == [2, 2]

    asyncio.run(run())


def test_a_gap_in_one_symbol_costs_one_question_about_that_symbol() -> None:
    async def run() -> None:
        async with VenueServer(binance=DOLLAR) as server, Live(server) as live:
            await start(server, live)
            server.depth_calls.clear()
            server.depth_delay_s = 0.3
            await server.move("binance", "C07USDT", lost=True)
            for _ in range(5):
                for code in DOLLAR:
                    await server.move("binance", code)
            await live.until(lambda: ("C07USDT", BookState.GAPPED) in live.states, "the gap is seen")
            await live.all_live()
            for code in DOLLAR:
                await server.move("binance", code)
            await live.until(lambda: all(live.book("binance", code).update_id == server.markets["binance"][code].update_id
                                         for code in DOLLAR), "all up to date")  # fmt: skip
            assert server.depth_calls == {"C07USDT": 1}
            assert {code for code, state in live.states if state is not BookState.LIVE and code != "C07USDT"} <= set(
                code for code, state in live.states if state is BookState.SYNCING
            )
            assert live.counts("binance").gaps == 1

    asyncio.run(run())


def test_a_failing_snapshot_is_asked_for_again() -> None:
    async def run() -> None:
        async with VenueServer(binance=["AUSDT"]) as server:
            server.rest_answers = [
                web.Response(status=503),
                web.Response(text="<html>maintenance</html>", content_type="text/html"),
                web.Response(body=b'{"lastUpdateId": 1, "bids": [["1",'),
                web.Response(body=b"[" * 2_000_000),
            ]
            async with Live(server) as live:
                await start(server, live)
                assert server.rest_answers == []
                counts = live.counts("binance")
                assert counts.failures == {"HTTP 503": 1, "not json": 1, "answer too big": 1}
                assert counts.malformed == {"depth snapshot": 1}

    asyncio.run(run())


def test_a_socket_is_replaced_without_a_hole() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"], ["AUSDT", "BUSDT"]) as server, Live(server, rollover_h=2.0 / 3600) as live:
            await start(server, live)
            server.depth_calls.clear()
            while sum(status.rollovers for status in live.stream.status()) < 4:
                for code in ("AUSDT", "BUSDT"):
                    await server.move("binance", code)
                await server.move("upbit", "KRW-A")
                await asyncio.sleep(0.002)
            for code in ("AUSDT", "BUSDT"):
                listed, book = server.markets["binance"][code], live.book("binance", code)
                await server.move("binance", code)
                await live.until(lambda listed=listed, book=book: book.update_id == listed.update_id, "the last update")  # type: ignore[misc]
            counts = live.counts("binance")
            assert (counts.gaps, counts.failures, server.depth_calls) == (0, {}, {})
            assert not [one for one in live.states if one[1] in (BookState.GAPPED, BookState.STALE)]
            assert all(len(client.messages) <= 2 for client in server.clients["upbit"])
            await live.until(lambda: len(server.live("binance")) <= 2, "old sockets close")

    asyncio.run(run())


def test_what_is_no_frame_is_counted_by_kind_and_harms_nothing() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"], ["AUSDT"]) as server, Live(server) as live:
            await start(server, live)
            for exchange in ("upbit", "binance"):
                for payload in ("<html>blocked</html>", b"\xff\xfe\x00", "", '{"type":"orderbook","code":"KRW-A"', "[1,2", "NaN", "{}"):
                    await server.say(exchange, payload)
            await server.move("binance", "AUSDT")
            await server.move("upbit", "KRW-A")
            await live.until(lambda: live.book("upbit", "KRW-A").bid == 100.0, "the next book")
            await live.until(lambda: live.book("binance", "AUSDT").update_id == server.markets["binance"]["AUSDT"].update_id, "and diff")
            for exchange in ("upbit", "binance"):
                counts = live.counts(exchange)
                assert counts.malformed["html"] == 1
                assert sum(counts.malformed.values()) == 7
                assert counts.failures == {}

    asyncio.run(run())


def test_a_frame_beyond_the_bound_costs_the_connection_and_no_memory() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"]) as server, Live(server, frame_limit_kb=64) as live:
            await live.all_live()
            await server.say("upbit", "x" * 70_000)
            await live.until(lambda: live.counts("upbit").failures.get("frame too big") == 1, "refused")
            await live.until(lambda: len(server.clients["upbit"]) == 2 and live.book("upbit", "KRW-A").state is BookState.LIVE, "back")

    asyncio.run(run())


def test_a_socket_that_answers_no_ping_is_opened_anew() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"]) as server, Live(server, ping_after_s=0.5) as live:
            await live.all_live()
            server.deafen("upbit")
            await live.until(lambda: live.counts("upbit").failures.get("silent") == 1, "noticed")
            await live.until(lambda: len(server.clients["upbit"]) == 2 and live.book("upbit", "KRW-A").state is BookState.LIVE, "back")

    asyncio.run(run())


def test_a_mistake_of_ours_costs_a_socket_a_reconnect_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put = Intake.put
    failed: list[Frame] = []

    def broken(intake: Intake, frame: Frame) -> None:
        if frame.exchange == "binance" and len(failed) < 3:
            failed.append(frame)
            raise KeyError("a bug")
        put(intake, frame)

    monkeypatch.setattr(Intake, "put", broken)

    async def run() -> None:
        async with VenueServer(["KRW-A"], ["AUSDT"]) as server, Live(server) as live:
            await live.until(lambda: live.book("upbit", "KRW-A").state is BookState.LIVE, "the other venue goes on")
            await start(server, live)
            assert live.counts("binance").failures == {"internal": 3}
            assert len(server.clients["upbit"]) == 1

    asyncio.run(run())
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        "binance 1: internal error (KeyError: 'a bug'); connecting again"
    ]


def test_a_refused_handshake_is_a_state_in_words_and_ends_when_it_ends() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"]) as server:
            server.refusal = web.Response(status=403, text="<html>no</html>", content_type="text/html")
            async with Live(server) as live:
                await live.until(lambda: live.counts("upbit").failures.get("forbidden", 0) >= 2, "two attempts")
                (status,) = live.stream.status()
                assert "upbit at 127.0.0.1" in status.why
                assert "HTTP 403: a web page answered" in status.why
                server.refusal = None
                await live.all_live()
                (status,) = live.stream.status()
                assert (status.state, status.why) == (SocketState.LIVE, "")

    asyncio.run(run())


def test_retry_after_is_waited_out() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"]) as server:
            server.refusal = web.Response(status=429, headers={"Retry-After": "2"})
            async with Live(server) as live:
                await live.until(lambda: live.counts("upbit").failures.get("throttled"), "told")
                server.refusal = None
                await live.all_live()
                first, second = server.opened["upbit"]
                assert second - first >= 2
                assert live.health["upbit"].throttled == 1

    asyncio.run(run())


def test_a_venue_that_is_not_there_is_a_state_in_words() -> None:
    async def run() -> None:
        async with VenueServer(["KRW-A"]) as server:
            urls = server.urls("upbit")
        async with VenueServer(["KRW-A"]) as other:
            live = Live(other)
            live.stream._sources["upbit"] = type(live.stream._sources["upbit"])("upbit", urls, ["KRW-A"])
            async with live:
                await live.until(lambda: live.counts("upbit").failures.get("unreachable"), "told")
                (status,) = live.stream.status()
                assert "cannot be reached" in status.why
                assert "check the network" in status.why

    asyncio.run(run())
