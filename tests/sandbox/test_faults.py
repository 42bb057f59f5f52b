"""Each scripted fault does what the table in docs/sandbox.md says of it, on real sockets."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from arbtui.model.errors import UsageError
from arbtui.sandbox.faults import WireFault, WireFaultKind, read_fault
from tests.conftest import REPOSITORY
from tests.sandbox.boxes import Bench, bench, binance_socket, run, until, upbit_socket, user_data

K = WireFaultKind
BOOK = {"type": "orderbook", "codes": ["KRW-BTC", "KRW-ETH"]}
GONE = (aiohttp.ClientError, ConnectionError)


def executed(on: Bench, venue: str, client_order_id: str) -> bool:
    return on.box.venues[venue].account.log.by_client_id(client_order_id) is not None


async def place(on: Bench, venue: str, client_order_id: str) -> Any:
    if venue == "upbit":
        return await on.upbit.buy("10", "5000", identifier=client_order_id)
    return await on.binance.buy("10", "4", newClientOrderId=client_order_id)


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_what_happens_to_the_answer_of_an_order_and_whether_it_was_executed(venue: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault(venue, K.ERROR_BEFORE)
            reply = await place(on, venue, "before")
            assert (reply.status, reply.raw[:6], executed(on, venue, "before")) == (503, b"<html>", False)
            on.fault(venue, K.ERROR_AFTER, status=504)
            reply = await place(on, venue, "after")
            assert (reply.status, reply.raw[:6], executed(on, venue, "after")) == (504, b"<html>", True)
            on.fault(venue, K.HTML)
            reply = await place(on, venue, "html")
            assert (reply.status, reply.raw[:6], executed(on, venue, "html")) == (200, b"<html>", True)
            on.fault(venue, K.TRUNCATED)
            reply = await place(on, venue, "cut")
            assert executed(on, venue, "cut")
            with pytest.raises(ValueError, match=r"Unterminated|Expecting|Expected"):
                reply.body  # noqa: B018
            on.fault(venue, K.EMPTY)
            reply = await place(on, venue, "empty")
            assert (reply.status, reply.raw, executed(on, venue, "empty")) == (200, b"", True)
            on.fault(venue, K.RESET_BEFORE)
            with pytest.raises(GONE):
                await place(on, venue, "no")
            assert not executed(on, venue, "no")
            on.fault(venue, K.RESET_AFTER)
            with pytest.raises(GONE):
                await place(on, venue, "reset")
            assert executed(on, venue, "reset")
            assert (await place(on, venue, "well")).status in (200, 201)  # each happened once
            assert (await on.control("GET", "/faults")).body == []

    run(scenario)


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_a_timeout_accepts_and_never_answers(venue: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault(venue, K.TIMEOUT)
            waiting = asyncio.create_task(place(on, venue, "t"))
            await until(lambda: executed(on, venue, "t"))
            _, pending = await asyncio.wait({waiting}, timeout=0.3)
            assert pending
            assert (await place(on, venue, "next")).status in (200, 201)
        with pytest.raises(GONE):  # only the end of the venue ends the wait
            await waiting

    run(scenario)


def test_binance_s_own_words_for_not_knowing() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.ERROR_AFTER, status=504, code=-1007)
            reply = await place(on, "binance", "unknown")
            assert (reply.status, reply.error, executed(on, "binance", "unknown")) == (504, -1007, True)
            with pytest.raises(UsageError):
                on.fault("upbit", K.ERROR_AFTER, code=-1007)

    run(scenario)


def test_a_late_order_is_executed_after_the_sender_gave_up() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.LATE, ms=400)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(place(on, "binance", "late"), 0.1)
            assert not executed(on, "binance", "late")
            await until(lambda: executed(on, "binance", "late"))

    run(scenario)


def test_faults_meet_the_requests_that_they_are_aimed_at() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.ERROR_BEFORE, on="query")
            on.fault("binance", K.ERROR_BEFORE, symbol="BTCUSDT")
            assert (await place(on, "binance", "xrp")).status == 200
            assert (await on.binance.call("GET", "order", {"symbol": "XRPUSDT", "origClientOrderId": "xrp"})).status == 503
            assert (await on.binance.call("GET", "order", {"symbol": "XRPUSDT", "origClientOrderId": "xrp"})).status == 200
            assert (await on.binance.buy("0.01", "100", code="BTCUSDT")).status == 503
            assert (await on.upbit.buy("10", "5000")).status == 201

    run(scenario)


def test_drop_cuts_the_sockets_and_they_can_come_back() -> None:
    async def scenario() -> None:
        async with (
            bench() as on,
            upbit_socket(on, BOOK) as socket,
            user_data(on) as events,
            binance_socket(on, "btcusdt@bookTicker") as touch,
        ):
            await socket.next()
            on.fault("upbit", K.DROP)
            await socket.ended()
            on.fault("binance", K.DROP, stream="private")
            await events.ended()
            await touch.next()  # the public stream was not meant
            async with upbit_socket(on, BOOK) as again:
                assert (await again.next())["stream_type"] == "SNAPSHOT"

    run(scenario)


def test_a_frozen_book_is_silent_while_its_socket_and_other_books_go_on() -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on, BOOK) as socket:
            await socket.next(lambda told: told["code"] == "KRW-BTC" and told["stream_type"] == "REALTIME")
            on.fault("upbit", K.FREEZE, symbol="KRW-BTC")
            await on.upbit.ask("market/all")  # whatever was on its way has left
            await socket.send("PING")
            await socket.next(lambda told: told == {"status": "UP"})
            assert {(await socket.next())["code"] for _ in range(20)} == {"KRW-ETH"}
            await on.control("DELETE", "/faults")
            await socket.next(lambda told: told["code"] == "KRW-BTC")

    run(scenario)


def test_a_whole_frozen_stream_answers_pings_only() -> None:
    async def scenario() -> None:
        async with bench() as on, binance_socket(on, "btcusdt@bookTicker", "ethusdt@depth@100ms") as socket:
            await socket.next()
            on.fault("binance", K.FREEZE, stream="public")
            await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            await socket.next(lambda told: told.get("id") == 2)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.socket.receive(), 0.5)

    run(scenario)


def test_a_gap_breaks_the_chain_of_update_ids_once() -> None:
    async def scenario() -> None:
        async with bench() as on, binance_socket(on, "btcusdt@depth@100ms") as socket:
            first = (await socket.next())["data"]
            second = (await socket.next())["data"]
            assert second["U"] == first["u"] + 1
            on.fault("binance", K.GAP, symbol="BTCUSDT", count=2)
            chain, breaks = second["u"], 0
            for _ in range(6):
                told = (await socket.next())["data"]
                breaks += told["U"] != chain + 1
                chain = told["u"]
            assert breaks == 1

    run(scenario)


def test_a_delay_holds_answers_and_frames_back() -> None:
    async def scenario() -> None:
        async with bench() as on, binance_socket(on, "btcusdt@bookTicker") as socket:
            on.fault("binance", K.DELAY, ms=400)
            started = time.monotonic()
            await on.binance.ask("time")
            assert time.monotonic() - started >= 0.4
            await socket.send({"method": "LIST_SUBSCRIPTIONS", "id": 2})
            asked = time.monotonic()
            await socket.next(lambda told: told.get("id") == 2)
            assert time.monotonic() - asked >= 0.4

    run(scenario)


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_a_lag_holds_the_public_stream_back_in_order_with_its_old_times(venue: str) -> None:
    def stamp(told: Any) -> int:
        at: int = told.get("timestamp", 0) if venue == "upbit" else told.get("data", {}).get("E", 0)
        return at

    async def scenario() -> None:
        async with bench() as on:
            books = {"type": "orderbook", "codes": ["KRW-BTC"]}
            async with upbit_socket(on, books) if venue == "upbit" else binance_socket(on, "btcusdt@depth@100ms") as socket:
                await socket.next(lambda told: stamp(told) > 0)
                on.fault(venue, K.LAG, ms=800)
                since = round(time.time() * 1000)
                late = stamp(await socket.next(lambda told: stamp(told) > since))
                assert time.time() * 1000 - late >= 800
                on.box.faults[venue].clear()
                times = [late] + [stamp(await socket.next(lambda told: stamp(told) > 0)) for _ in range(30)]
                assert times == sorted(times), "what is sent later never comes sooner"
                assert times[-1] > times[0]

    run(scenario)


def test_private_events_twice_out_of_order_and_never() -> None:
    async def scenario() -> None:
        async with bench() as on, user_data(on) as events:
            on.fault("binance", K.DUPLICATE)
            await place(on, "binance", "twice")
            reports = [await events.next(lambda told: told["event"]["e"] == "executionReport") for _ in range(2)]
            assert reports[0] == reports[1]
            await events.next(lambda told: told["event"].get("X") == "FILLED")
            on.fault("binance", K.REORDER, count=1)
            await place(on, "binance", "mixed")
            kinds = [(await events.next())["event"]["e"] for _ in range(3)]
            assert kinds == ["outboundAccountPosition", "outboundAccountPosition", "executionReport"]  # the first is the last order's
            await events.next(lambda told: told["event"].get("X") == "FILLED")
            on.fault("binance", K.LOSE, seconds=600)
            assert (await place(on, "binance", "lost")).body["status"] == "FILLED"
            await on.control("DELETE", "/faults")
            await place(on, "binance", "told")
            assert (await events.next(lambda told: "c" in told["event"]))["event"]["c"] == "told"

    run(scenario)


def test_a_storm_of_429_then_peace() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.RATE_LIMIT, count=2, retry_after_s=7)
            for _ in range(2):
                reply = await place(on, "binance", "storm")
                assert (reply.status, reply.error, reply.headers["Retry-After"]) == (429, -1003, "7")
            assert not executed(on, "binance", "storm")
            assert (await place(on, "binance", "peace")).status == 200
            on.fault("upbit", K.RATE_LIMIT, on="order")
            assert (await on.upbit.ask("market/all")).status == 200
            assert (await place(on, "upbit", "storm")).error == "too_many_requests"

    run(scenario)


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_a_ban_refuses_everything_and_says_for_how_long(venue: str) -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault(venue, K.BAN, seconds=60)
            caller = on.upbit if venue == "upbit" else on.binance
            reply = await caller.ask("ticker/all?quote_currencies=KRW" if venue == "upbit" else "time")
            assert reply.status == 418
            assert 50 <= int(reply.headers["Retry-After"]) <= 60
            assert (await place(on, venue, "banned")).status == 418
            with pytest.raises(aiohttp.WSServerHandshakeError) as no:
                await on.session.ws_connect(caller.urls["stream"])
            assert no.value.status == 418
            on.box.faults[venue].clear()
            assert (await place(on, venue, "free")).status in (200, 201)

    run(scenario)


def test_a_skewed_clock_is_seen_in_the_time_the_frames_and_the_signatures() -> None:
    async def scenario() -> None:
        async with bench() as on, binance_socket(on, "btcusdt@depth@100ms") as socket, upbit_socket(on, BOOK) as books:
            on.fault("binance", K.CLOCK_SKEW, ms=60_000)
            on.fault("upbit", K.CLOCK_SKEW, ms=-60_000)
            now = time.time() * 1000
            assert (await on.binance.ask("time")).body["serverTime"] - now > 50_000
            assert (await place(on, "binance", "old")).error == -1021
            await socket.next(lambda told: told["data"]["E"] - now > 50_000)
            await books.next(lambda told: told["timestamp"] - now < -50_000)
            await on.control("DELETE", "/faults")
            assert abs((await on.binance.ask("time")).body["serverTime"] - time.time() * 1000) < 10_000

    run(scenario)


def test_a_halted_symbol_is_told_and_refused() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.HALT, symbol="XRPUSDT")
            on.fault("upbit", K.HALT, symbol="KRW-XRP")
            info = {row["symbol"]: row["status"] for row in (await on.binance.ask("exchangeInfo")).body["symbols"]}
            assert info == {"BTCUSDT": "TRADING", "ETHUSDT": "TRADING", "BNBUSDT": "TRADING", "XRPUSDT": "BREAK"}
            refusal = await place(on, "binance", "h")
            assert refusal.body == {"code": -1013, "msg": "Market is closed."}
            assert (await place(on, "upbit", "h")).error == "market_offline"
            assert (await on.upbit.call("GET", "orders/chance", {"market": "KRW-XRP"})).body["market"]["state"] != "active"
            await on.control("DELETE", "/faults")
            assert (await place(on, "binance", "h")).status == 200

    run(scenario)


def test_a_revoked_key_is_unknown() -> None:
    async def scenario() -> None:
        async with bench() as on:
            on.fault("binance", K.REVOKE)
            on.fault("upbit", K.REVOKE)
            assert ((await on.binance.call("GET", "account")).status, (await on.binance.call("GET", "account")).error) == (401, -2015)
            assert (await on.upbit.call("GET", "accounts")).error == "invalid_access_key"

    run(scenario)


def test_a_crashed_venue_is_gone_and_comes_back_on_its_port_with_everything_it_had() -> None:
    async def scenario() -> None:
        async with bench() as on, upbit_socket(on, BOOK) as socket:
            await socket.next()
            await place(on, "upbit", "kept")
            on.fault("upbit", K.CRASH, seconds=0.5)
            await socket.ended()
            with pytest.raises(GONE):
                await on.upbit.ask("market/all")
            assert (await on.binance.ask("ping")).status == 200  # the other venue lives

            async def is_back() -> bool:
                try:
                    return (await on.upbit.ask("market/all")).status == 200
                except GONE:
                    return False

            await until(is_back)
            assert (await on.upbit.call("GET", "order", {"identifier": "kept"})).body["state"] == "done"
            async with upbit_socket(on, BOOK) as again:
                await again.next()

    run(scenario)


def test_faults_over_the_control_port() -> None:
    async def scenario() -> None:
        async with bench() as on:
            reply = await on.control("POST", "/faults", {"venue": "binance", "kind": "timeout", "count": 3})
            told = {"venue": "binance", "kind": "timeout", "count": 3, "on": "order", "stream": "any", "ms": 1000, "retry_after_s": 1}
            assert reply.body == [{**told, "met": 0}]
            assert (await on.control("DELETE", "/faults")).body == []
            await on.control("POST", "/faults", {"venue": "upbit", "kind": "error_before", "on": "public", "count": 3})
            await on.upbit.ask("market/all")
            (left,) = (await on.control("GET", "/faults")).body
            assert (left["met"], left["count"]) == (1, 2)
            await on.control("DELETE", "/faults")
            for wrong, said in (
                ({"venue": "kraken", "kind": "drop"}, "kraken"),
                ({"venue": "upbit", "kind": "crash"}, "needs seconds"),
                (
                    {"venue": "upbit", "kind": "explode"},
                    "'explode' - at `$.kind`; there are drop, freeze, gap, ",
                ),
                ({"venue": "upbit", "kind": "drop", "on": "it"}, "; there are order, test, cancel, query, account, wallet, public, any"),
                ({"venue": "upbit", "kind": "drop", "stream": "it"}, "; there are public, private, any"),
                ({"venue": "upbit", "kind": "freeze", "symbol": "KRW-NIX"}, "no market KRW-NIX"),
                ({"venue": "upbit", "kind": "flag", "symbol": "KRW-BTC", "words": "CAUTION"}, "and words of warning, PRICE_FLUCTUATIONS, "),
                ({"venue": "binance", "kind": "flag", "symbol": "BTCUSDT", "words": "warning"}, "binance's list of markets has no flags"),
                ({"venue": "upbit", "kind": "drop", "sybmol": "KRW-BTC"}, "`sybmol`; there are venue, kind, count, seconds, symbol, on, "),
                ({"venue": "upbit", "kind": "lose", "count": 1, "seconds": 1}, "not both"),
            ):
                refused = await on.control("POST", "/faults", wrong)
                assert refused.status == 400
                assert said in refused.body["error"]

    run(scenario)


def test_no_fault_is_read_from_nonsense() -> None:
    for raw in (b"", b"[]", b"{", b'{"venue":"upbit"}', b"\xff"):
        with pytest.raises(UsageError):
            read_fault(raw)
    with pytest.raises(UsageError):
        WireFault("upbit", K.DELAY, ms=-1).check()
    for growth in (-1.0, 10_001.0, float("nan")):
        with pytest.raises(UsageError):
            WireFault("upbit", K.LAG, growth_ms_per_s=growth).check()


def test_the_documented_table_names_every_kind() -> None:
    table = (REPOSITORY / "docs" / "sandbox.md").read_text()
    assert [kind for kind in K if f"| `{kind}` |" not in table] == []
