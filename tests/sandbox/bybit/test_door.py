"""Bybit's door: who may call, what an order's events tell, how its books follow, and how it refuses."""

import json
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import unquote

import pytest

from arbtui.exchanges.config import UrlsConfig
from arbtui.model.book import BookState
from arbtui.sandbox.bybit.limits import GROUPS
from arbtui.sandbox.faults import WireFaultKind
from arbtui.sandbox.keys import Key
from tests.marketdata.live import Live
from tests.sandbox.boxes import Socket, run
from tests.sandbox.bybit.callers import BybitBench, BybitCaller, bybit_bench, login


def test_who_signs_wrongly_gets_the_venue_s_own_error() -> None:
    async def scenario() -> None:
        async with bybit_bench() as on:
            ours = on.bybit

            async def code(key: Key = ours.key, **how: int) -> int:
                caller = BybitCaller(on.session, ours.urls, key)
                reply = await caller.get("account/info", caller.headers("category=spot", **how))
                return int(reply.body["retCode"])

            now = int(time.time() * 1000)
            assert await code() == 0
            assert await code(replace(ours.key, secret="wrong")) == 10004
            assert await code(replace(ours.key, key="stranger")) == 10003
            assert await code(at_ms=now - 6000) == 10002
            assert await code(at_ms=now + 3000) == 10002
            assert (await ours.get("account/info", ours.headers("category=linear"))).body["retCode"] == 10004
            unsigned = await ours.ask("account/info")
            assert (unsigned.status, unsigned.body["retCode"]) == (401, 10003)

    run(scenario)


def test_a_key_that_may_not_trade_reads_and_places_nothing() -> None:
    async def scenario() -> None:
        key = Key("reader", "secret", can_trade=False)
        async with bybit_bench(keys={"bybit": key}) as on:
            assert (await on.bybit.get("account/info")).body["retCode"] == 0
            assert (await on.bybit.get("user/query-api")).body["result"]["readOnly"] == 1
            assert (await on.bybit.buy("one")).body["retCode"] == 10005
            assert (await on.bybit.get("order/history")).body["result"]["list"] == []

    run(scenario)


def test_a_login_is_checked_and_without_one_there_are_no_events() -> None:
    async def scenario() -> None:
        async with bybit_bench() as on:
            key = on.bybit.key
            bad = [login(replace(key, secret="wrong")), login(key, int(time.time() * 1000) - 1), {"op": "auth", "args": []}]
            for message in (*bad, {"op": "subscribe", "args": ["order"]}):
                async with on.session.ws_connect(on.bybit.urls["private"]) as raw:
                    await raw.send_str(json.dumps(message))
                    assert json.loads((await raw.receive(30)).data)["success"] is False

    run(scenario)


def test_a_book_begins_whole_and_its_updates_follow_by_one_until_a_gap() -> None:
    async def scenario() -> None:
        topics = [f"orderbook.50.{code}" for code in ("XRPUSDT", "BTCUSDT")]
        async with bybit_bench(symbols=["XRP", "BTC"]) as on, on.socket(*topics) as socket:
            at: dict[str, int] = {}
            for _ in range(100):
                assert await _breaks(socket, at) is False
            assert set(at) == set(topics)
            on.fault(WireFaultKind.GAP, symbol="XRPUSDT", count=1)
            while not await _breaks(socket, at, "orderbook.50.XRPUSDT"):
                pass
            await socket.send({"op": "unsubscribe", "args": topics[:1]})
            await socket.next(lambda told: told.get("op") == "unsubscribe")
            await socket.send({"op": "subscribe", "args": topics[:1]})
            again = await socket.next(lambda told: told.get("topic") == topics[0])
            assert again["type"] == "snapshot", "who subscribes again gets the whole book"
            following = await socket.next(lambda told: told.get("topic") == topics[0])
            assert (following["type"], following["data"]["u"]) == ("delta", again["data"]["u"] + 1)

    run(scenario)


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        (["orderbook.50.NOSUCH"], "Invalid symbol :[orderbook.50.NOSUCH]"),
        (["orderbook.7.XRPUSDT"], "error:handler not found,topic:orderbook.7.XRPUSDT"),
        (["publicTrade.XRPUSDT", "publicTrade.NOSUCH"], "Invalid symbol :[publicTrade.NOSUCH]"),
        (["publicTrade.XRPUSDT"] * 11, "args size >10"),
    ],
)
def test_what_is_wrong_with_a_subscription_is_told_and_nothing_of_it_taken(topics: list[str], words: str) -> None:
    async def scenario() -> None:
        async with bybit_bench(symbols=["XRP"]) as on, on.socket() as socket:
            await socket.send({"op": "subscribe", "args": topics})
            told = await socket.next()
            assert (told["success"], told["ret_msg"]) == (False, words)
            await socket.send({"op": "subscribe", "args": ["publicTrade.XRPUSDT"]})
            assert (await socket.next())["success"], "it was not subscribed before"

    run(scenario)


def test_an_order_is_answered_with_its_id_and_its_end_is_told_by_events_and_lists() -> None:
    async def scenario() -> None:
        async with bybit_bench() as on, on.socket("order", "execution", "wallet", private=True) as events:
            placed = (await on.bybit.buy("one")).body["result"]
            told: dict[str, Any] = {}
            while told.get("order", {}).get("orderStatus") != "Filled":
                frame = await events.next()
                told[frame["topic"]] = frame["data"][0]
            order, fill = told["order"], told["execution"]
            assert (order["orderId"], order["orderLinkId"]) == tuple(placed.values())
            assert (fill["orderId"], fill["execQty"], fill["feeCurrency"]) == (placed["orderId"], "10", "XRP")
            assert {coin["coin"] for coin in told["wallet"]["coin"]} == {"XRP", "USDT"}
            listed = (await on.bybit.get("execution/list", None, orderId=placed["orderId"])).body["result"]["list"]
            assert [one["execId"] for one in listed] == [fill["execId"]]
            missed = (await on.bybit.buy("two", price="0.5")).body["result"]
            ended = (await on.bybit.get("order/history", None, orderId=missed["orderId"])).body["result"]["list"][0]
            assert (ended["orderStatus"], ended["cumExecQty"]) == ("Cancelled", "0")
            assert (await on.bybit.buy("one")).body["retCode"] == 170141, "a client id is spent for good"

    run(scenario)


def test_a_page_of_a_list_leads_to_the_next_one() -> None:
    async def scenario() -> None:
        async with bybit_bench() as on:
            names = [f"n{number}" for number in range(5)]
            for name in names:
                await on.bybit.buy(name, price="0.5")
            found: list[str] = []
            cursor = ""
            while not found or cursor:
                page = (await on.bybit.get("order/history", None, limit="2", cursor=cursor)).body["result"]
                found += [order["orderLinkId"] for order in page["list"]]
                cursor = unquote(page["nextPageCursor"])
            assert found == names[::-1]

    run(scenario)


def test_an_endpoint_s_limit_is_told_and_kept_and_the_address_s_is_a_403() -> None:
    async def scenario() -> None:
        async with bybit_bench() as on:
            replies = [await on.bybit.get("account/fee-rate", None, symbol="XRPUSDT") for _ in range(GROUPS["fee-rate"] + 1)]
            assert [reply.headers["X-Bapi-Limit-Status"] for reply in replies[:5]] == ["4", "3", "2", "1", "0"]
            assert (replies[-1].status, replies[-1].body["retCode"]) == (200, 10006)
            assert int(replies[-1].headers["X-Bapi-Limit-Reset-Timestamp"]) > time.time() * 1000 - 5000
            assert (await on.bybit.get("account/info")).body["retCode"] == 0, "each endpoint counts for itself"
            on.fault(WireFaultKind.BAN, seconds=600)
            banned = await on.bybit.ask("market/time")
            assert (banned.status, banned.raw) == (403, b"403, access too frequent")

    run(scenario)


def test_a_halted_symbol_is_no_longer_listed_and_refused() -> None:
    async def scenario() -> None:
        async with bybit_bench() as on:
            on.fault(WireFaultKind.HALT, symbol="XRPUSDT", seconds=600)
            assert (await on.bybit.ask("market/instruments-info", symbol="XRPUSDT")).body["result"]["list"] == []
            assert (await on.bybit.buy("one")).body["retCode"] == 170151

    run(scenario)


def test_one_market_that_is_not_listed_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with bybit_bench(symbols=["XRP", "BTC"]) as on, _stream(on, "XRPUSDT", "GONEUSDT", "BTCUSDT") as live:
            books = live.aggregator.books
            await live.until(lambda: all(book.state is BookState.LIVE for (_, code), book in books.items() if code != "GONEUSDT"), "books")
            assert books["bybit", "GONEUSDT"].state is not BookState.LIVE
            assert "GONEUSDT is not listed there" in caplog.text

    run(scenario)


def test_where_no_market_is_listed_the_stream_is_not_open() -> None:
    async def scenario() -> None:
        async with bybit_bench(symbols=["XRP"]) as on, _stream(on, "GONEUSDT") as live:
            await live.until(lambda: any("has none of the markets" in one.why for one in live.stream.status()), "the reason")

    run(scenario)


def _stream(on: BybitBench, *codes: str) -> Live:
    """Our own market data stream of Bybit's ``codes``."""
    return Live(cast(Any, SimpleNamespace(markets={"bybit": codes}, urls=lambda _: UrlsConfig(**on.bybit.urls))))


async def _breaks(socket: Socket, at: dict[str, int], topic: str = "") -> bool:
    """Whether the next frame (of ``topic``) does not follow the one before it."""
    frame: dict[str, Any] = await socket.next(lambda told: told.get("topic", "").startswith(topic or "orderbook"))
    number, before = frame["data"]["u"], at.get(frame["topic"])
    assert frame["type"] == ("snapshot" if before is None else "delta")
    at[frame["topic"]] = number
    return before is not None and number != before + 1
