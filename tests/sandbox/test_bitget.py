"""The sandbox's Bitget: who signs wrongly is refused, channels are confirmed one by one, limits bind, and faults do what they say."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import ccxt  # type: ignore[import-untyped]
import ccxt.pro  # type: ignore[import-untyped]
import pytest

from arbtui.exchanges.bitget.wire import BitgetDecoder
from arbtui.exchanges.config import UrlsConfig
from arbtui.model.book import BookState
from arbtui.model.errors import UsageError
from arbtui.sandbox.bitget import limits
from arbtui.sandbox.bitget.venue import BitgetVenue
from arbtui.sandbox.faults import WireFault, WireFaultKind, read_fault
from arbtui.sandbox.sandbox import Sandbox
from tests.exchanges.told import Told
from tests.marketdata.live import Live
from tests.sandbox.bitget_bench import KEY, PRIVATE, bitget_bench, channel, login, private, public
from tests.sandbox.boxes import Socket, run, until

K = WireFaultKind
GONE = (aiohttp.ClientError, ConnectionError)


def test_who_signs_wrongly_is_told_what_is_wrong() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on:
            path = "spot/account/assets"
            assert (await on.call("GET", path)).status == 200
            for key, code in (
                (replace(KEY, key="stranger"), "40006"),
                (replace(KEY, passphrase="wrong"), "40012"),
                (replace(KEY, secret="wrong"), "40009"),
            ):
                reply = await on.call("GET", path, key=key)
                assert (reply.status, reply.error, reply.body["data"]) == (400, code, None)
                assert abs(reply.body["requestTime"] - time.time() * 1000) < 60_000
            late = str(int(time.time() * 1000) - 31_000)
            for headers, code in (
                ({"ACCESS-KEY": ""}, "40001"),
                ({"ACCESS-SIGN": ""}, "40002"),
                ({"ACCESS-PASSPHRASE": ""}, "40011"),
                ({"ACCESS-TIMESTAMP": "soon"}, "40005"),
                ({"ACCESS-TIMESTAMP": late}, "40008"),
                ({"ACCESS-TIMESTAMP": str(int(time.time() * 1000) - 5000)}, "40009"),
            ):
                assert (await on.call("GET", path, headers=headers)).error == code
            assert (await on.call("GET", "spot/trade/fills", {"symbol": "XRPUSDT", "limit": "5"})).status == 200
            reader = replace(KEY, key="reader", can_trade=False)
            on.box.door(BitgetVenue)._auth._keys["reader"] = reader
            assert (await on.call("GET", "spot/account/info", key=reader)).body["data"]["authorities"] == ["readonly"]
            params = {"symbol": "XRPUSDT", "clientOid": "none"}
            assert (await on.call("POST", "spot/trade/cancel-order", params, key=reader)).error == "40014"

    run(scenario)


def test_a_login_wants_all_three_parts_and_a_subscription_wants_a_login() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, on.session.ws_connect(on.urls["private"]) as raw:
            socket = Socket(raw)
            await socket.send({"op": "subscribe", "args": PRIVATE})
            assert (await socket.next())["code"] == 30004
            for message, code in (
                (login(replace(KEY, key="stranger")), 30011),
                (login(passphrase="wrong"), 30012),
                (login(timestamp="now"), 30013),
                (login(timestamp=str(int(time.time()) - 40)), 30014),
                (login(replace(KEY, secret="wrong")), 30015),
            ):
                await socket.send(message)
                told = await socket.next()
                assert (told["event"], told["code"]) == ("error", code)
            await socket.send(login())
            assert await socket.next() == {"event": "login", "code": 0, "msg": ""}
            await socket.send({"op": "subscribe", "args": PRIVATE[1:]})
            assert (await socket.next())["event"] == "subscribe"
            first = await socket.next()
            assert {row["coin"] for row in first["data"]} >= {"USDT", "XRP"}

    run(scenario)


def test_each_channel_is_confirmed_before_its_first_message_and_a_wrong_one_is_refused_alone() -> None:
    async def scenario() -> None:
        wanted = [channel("books15"), channel("nothing"), channel("books1"), channel("trade")]
        async with bitget_bench() as on, public(on, *wanted) as socket:
            confirmed: list[str] = []
            while len(confirmed) < 4:
                told = await socket.next()
                if told.get("event") == "error":
                    assert (told["code"], told["arg"]) == (30001, wanted[1])
                    confirmed.append("nothing")
                elif told.get("event") == "subscribe":
                    confirmed.append(told["arg"]["channel"])
                else:
                    assert told["arg"]["channel"] in confirmed
            assert confirmed == [arg["channel"] for arg in wanted]
            book = await socket.next(lambda told: told["arg"]["channel"] == "books15")
            assert (len(book["data"][0]["asks"]), len(book["data"][0]["bids"])) == (15, 15)
            await socket.send({"op": "unsubscribe", "args": wanted[:3:2]})
            assert (await socket.next(lambda told: "event" in told))["event"] == "unsubscribe"
            await socket.next(lambda told: "event" in told)
            assert (await socket.next())["arg"]["channel"] == "trade"

    run(scenario)


def test_what_it_sends_is_read_by_the_decoder_of_the_real_venue() -> None:
    async def scenario() -> None:
        sink = Told()
        decode = BitgetDecoder(sink).feed
        async with bitget_bench() as on, on.session.ws_connect(on.urls["stream"]) as raw:
            await raw.send_str(json.dumps({"op": "subscribe", "args": [channel("books15"), channel("books1"), channel("trade")]}))
            async with asyncio.timeout(60):
                while {event[0] for event in sink.events} < {"snapshot", "touch", "trade"}:
                    frame = (await raw.receive()).data.encode()
                    if not frame.startswith(b'{"event"'):
                        decode(frame)

    run(scenario)


@pytest.mark.parametrize(
    ("sent", "code"), [("nonsense", 30002), ("[]", 30002), ('{"op":"subscribe"}', 30016), ('{"op":"x","args":[{}]}', 30003)]
)
def test_what_is_no_operation_is_refused(sent: str, code: int) -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, public(on) as socket:
            await socket.send(sent)
            assert (await socket.next())["code"] == code

    run(scenario)


def test_pings_are_text_and_a_socket_without_them_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.sandbox.bitget.stream.UNHEARD_S", 3.0)

    async def scenario() -> None:
        async with bitget_bench() as on, public(on) as silent, public(on) as heard:
            begun = time.monotonic()
            ending = asyncio.create_task(silent.ended())
            while not ending.done():
                await heard.send("ping")
                assert (await heard.socket.receive()).data == "pong"
                await asyncio.sleep(0.2)
            assert time.monotonic() - begun > 2.0
            await heard.send("ping")
            assert (await heard.socket.receive()).data == "pong"

    run(scenario)


def test_who_sends_too_many_messages_is_cut_and_requests_over_a_limit_are_refused() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, public(on) as socket:
            for _ in range(11):
                await socket.send("ping")
            for _ in range(10):
                assert (await socket.socket.receive()).data == "pong"
            assert (await socket.next())["code"] == 30007
            await socket.ended()
            replies = await asyncio.gather(*(on.ask("spot/public/coins") for _ in range(6)))
            assert sorted(reply.status for reply in replies) == [200, 200, 200, 429, 429, 429]
            assert {reply.error for reply in replies} == {"00000", "429"}

    run(scenario)


def test_an_address_over_its_minute_is_silent_for_five() -> None:
    now = 0.0
    counts = limits.BitgetLimits(lambda: now)
    assert all(counts.passes(f"path {number}", 1) for number in range(limits.A_MINUTE))
    assert not counts.passes("another", 1)
    now = limits.BAN_S - 1.0
    assert not counts.passes("another", 1)
    now = limits.BAN_S + 61.0
    assert counts.passes("another", 1)


def test_an_order_is_refused_in_bitgets_own_words() -> None:
    async def scenario() -> None:
        async with bitget_bench(limits=False) as on:
            price = await on.dear()
            for order, code in (
                ({"symbol": "NIXUSDT"}, "40034"),
                ({"symbol": ""}, "40019"),
                ({"side": "long"}, "40020"),
                ({"force": ""}, "40019"),
                ({"orderType": "market"}, "40020"),
                ({"size": "many"}, "40020"),
                ({"size": "0"}, "40020"),
                ({"clientOid": "x" * 51}, "40304"),
                ({"clientOid": "a b"}, "40020"),
                ({"price": f"{price}0001"}, "40808"),
                ({"size": "10.05"}, "40808"),
                ({"size": "1"}, "45110"),
                ({"size": "80000000"}, "43012"),
                ({"receiveWindow": "60001"}, "40079"),
                ({"receiveWindow": "2000", "requestTime": str(int(time.time() * 1000) - 3000)}, "40078"),
                ({"receiveWindow": "soon"}, "40020"),
            ):
                reply = await on.buy(**{"price": price, **order})
                assert (reply.status, reply.error) == (400, code), order
            assert (await on.buy(price="1.20", force="gtc", clientOid="rests")).status == 200
            assert (await on.buy(price="1.20", force="gtc", clientOid="rests")).error == "43118"
            assert (await on.call("GET", "spot/nothing")).status == 404
            on.fault(K.HALT, symbol="XRPUSDT")
            assert (await on.buy()).error == "41114"
            assert [row["status"] for row in (await on.ask("spot/public/symbols?symbol=XRPUSDT")).body["data"]] == ["halt"]

    run(scenario)


def test_an_order_ends_as_its_force_says_and_its_events_come_in_order() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, private(on) as events:
            placed = (await on.buy(clientOid="one")).body["data"]
            assert placed["clientOid"] == "one"
            rows = [await _row(events), await _row(events)]
            assert [row["status"] for row in rows] == ["live", "filled"]
            assert "tradeId" not in rows[0]
            assert rows[1]["accBaseVolume"] == "10"
            (row,) = (await on.call("GET", "spot/trade/orderInfo", {"clientOid": "one"})).body["data"]
            assert (row["status"], row["orderId"], row["baseVolume"]) == ("filled", placed["orderId"], "10")
            fills = (await on.call("GET", "spot/trade/fills", {"symbol": "XRPUSDT", "orderId": row["orderId"]})).body["data"]
            assert sum(Decimal(fill["size"]) for fill in fills) == 10
            assert {(fill["feeDetail"]["feeCoin"], fill["feeDetail"]["deduction"]) for fill in fills} == {("XRP", "no")}
            assert sum(Decimal(fill["feeDetail"]["totalFee"]) for fill in fills) == Decimal("-0.01")
            assert ("bitget", fills[0]["tradeId"]) in set(on.box.trades())
            await on.buy("20", "1.20", clientOid="none")
            assert [(await _row(events))["status"] for _ in range(2)] == ["live", "cancelled"]
            await on.buy("20", "1.20", force="gtc", clientOid="rests")
            assert (await _row(events))["status"] == "live"
            (open_row,) = (await on.call("GET", "spot/trade/unfilled-orders")).body["data"]
            assert (open_row["clientOid"], open_row["priceAvg"]) == ("rests", "1.2")
            one = {"symbol": "XRPUSDT", "orderId": open_row["orderId"]}
            assert (await on.call("POST", "spot/trade/cancel-order", one)).body["data"]["clientOid"] == "rests"
            assert (await _row(events))["status"] == "cancelled"
            assert (await on.call("POST", "spot/trade/cancel-order", one)).error == "43001"
            ended = (await on.call("GET", "spot/trade/history-orders", {"symbol": "XRPUSDT", "limit": "2"})).body["data"]
            assert [row["clientOid"] for row in ended] == ["rests", "none"]
            more = {"symbol": "XRPUSDT", "idLessThan": ended[-1]["orderId"]}
            assert [row["clientOid"] for row in (await on.call("GET", "spot/trade/history-orders", more)).body["data"]] == ["one"]
            assert (await on.call("GET", "spot/trade/orderInfo", {"clientOid": "never"})).body["data"] == []

    run(scenario)


async def _row(events: Socket) -> Any:
    told = await events.next(lambda frame: frame["arg"]["channel"] == "orders")
    (row,) = told["data"]
    return row


def test_fees_come_out_of_its_own_coin_where_that_is_scripted() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, private(on) as events:
            assert (await on.call("GET", "spot/account/deduct-info")).body["data"] == {"deduct": "off"}
            on.fault(K.FEE_COIN)
            assert (await on.call("GET", "spot/account/deduct-info")).body["data"] == {"deduct": "on"}
            await on.box.deposit("bitget", "BGB", "5")
            (paid,) = (await events.next(lambda told: told["arg"]["channel"] == "account" and len(told["data"]) == 1))["data"]
            assert (paid["coin"], Decimal(paid["available"])) == ("BGB", Decimal(5))
            await on.buy(clientOid="one")
            fills = (await on.call("GET", "spot/trade/fills", {"symbol": "XRPUSDT"})).body["data"]
            assert {(fill["feeDetail"]["feeCoin"], fill["feeDetail"]["deduction"]) for fill in fills} == {("BGB", "yes")}

    run(scenario)


def test_what_happens_to_the_answer_of_an_order_and_whether_it_was_executed() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on:

            async def place(client_order_id: str) -> Any:
                return await on.buy("10", "1.20", force="gtc", clientOid=client_order_id)

            on.fault(K.ERROR_BEFORE)
            reply = await place("before")
            assert (reply.status, reply.raw[:6], on.executed("before")) == (503, b"<html>", False)
            on.fault(K.ERROR_AFTER, code=40725)
            reply = await place("after")
            assert (reply.status, reply.error, on.executed("after")) == (502, "40725", True)
            on.fault(K.REFUSE, error="43012", words="Insufficient balance")
            reply = await place("no")
            assert (reply.status, reply.error, on.executed("no")) == (400, "43012", False)
            on.fault(K.RESET_AFTER)
            with pytest.raises(GONE):
                await place("reset")
            assert on.executed("reset")
            on.fault(K.DUPLICATE_ID)
            assert (await place("twice")).error == "43118"
            assert on.executed("twice")
            on.fault(K.RATE_LIMIT, on="order")
            reply = await place("limited")
            assert (reply.status, reply.error, on.executed("limited")) == (429, "429", False)
            on.fault(K.REVOKE, count=1)
            assert (await place("revoked")).error == "40006"
            on.fault(K.CLOCK_SKEW, ms=60_000)
            assert (await place("skewed")).error == "40008"

    run(scenario)


def test_faults_of_its_streams() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, public(on, channel("books15"), channel("books1")) as socket:
            books = _of("books15")
            await socket.next(books)
            on.fault(K.BAD_BOOK, how="crossed", seconds=60)
            told = await socket.next(lambda frame: books(frame) and _best(frame)[0] > _best(frame)[1])
            assert len(told["data"][0]["asks"]) == 15
            on.box.faults["bitget"].clear()
            on.fault(K.BAD_BOOK, how="empty", seconds=60)
            await socket.next(lambda frame: books(frame) and {qty for _, qty in frame["data"][0]["asks"]} == {"0"})
            on.box.faults["bitget"].clear()
            on.fault(K.CLOCK_SKEW, ms=100_000)
            told = await socket.next(lambda frame: frame["ts"] / 1000 - time.time() > 50)
            assert int(told["data"][0]["ts"]) / 1000 - time.time() > 50
            on.box.faults["bitget"].clear()
            on.fault(K.SUBSCRIBE_ERROR, error="30001", words="no")
            async with public(on, channel("trade")) as other:
                assert (await other.next()).items() >= {"event": "error", "code": 30001, "msg": "no"}.items()
            on.fault(K.DROP, stream="public")
            await socket.ended()
            for kind in (K.SHUTDOWN, K.OLD_DEPTH):
                with pytest.raises(UsageError, match="bitget"):
                    on.fault(kind)
            with pytest.raises(UsageError, match="43012"):
                on.box.fault(WireFault("bitget", K.REFUSE, error="-2010"))
            assert read_fault(b'{"venue":"bitget","kind":"refuse","error":"43012"}').error == "43012"

    run(scenario)


def test_one_market_that_is_not_listed_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with bitget_bench() as on:
            codes = ("XRPUSDT", "GONEUSDT", "BGBUSDT")
            live = Live(cast(Any, SimpleNamespace(markets={"bitget": codes}, urls=lambda _: UrlsConfig(**on.urls))))
            async with live:
                books = live.aggregator.books
                await live.until(
                    lambda: all(book.state is BookState.LIVE for (_, code), book in books.items() if code != "GONEUSDT"), "books"
                )
                assert books["bitget", "GONEUSDT"].state is not BookState.LIVE
                assert "GONEUSDT is not listed there" in caplog.text

    run(scenario)


def _of(name: str) -> Any:
    return lambda told: told.get("arg", {}).get("channel") == name and "data" in told


def _best(told: Any) -> tuple[Decimal, Decimal]:
    (book,) = told["data"]
    return Decimal(book["bids"][0][0]), Decimal(book["asks"][0][0])


@asynccontextmanager
async def _ccxt(on: Sandbox) -> AsyncIterator[Any]:
    rest = on.urls["bitget"]["rest"]
    ws = {"public": on.urls["bitget"]["stream"], "private": on.urls["bitget"]["private"]}
    options = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}
    keys = {"apiKey": KEY.key, "secret": KEY.secret, "password": KEY.passphrase}
    client = ccxt.pro.bitget(
        {**keys, "options": options, "urls": {"api": dict.fromkeys(("spot", "margin", "user", "common"), rest) | {"ws": ws}}}
    )
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def test_ccxt_unmodified_trades_there() -> None:
    async def scenario() -> None:
        async with bitget_bench() as on, _ccxt(on.box) as client:
            assert set(client.markets) == {"XRP/USDT", "BGB/USDT"}  # the coin of its fees is always listed
            pushed = asyncio.create_task(_closed(client))
            await until(lambda: on.box.venues["bitget"].private_streams >= 1)
            price = float(await on.dear())
            placed = await client.create_order("XRP/USDT", "limit", "buy", 100, price, {"timeInForce": "IOC", "clientOrderId": "b1"})
            found = await client.fetch_order(placed["id"], "XRP/USDT")
            assert (found["status"], found["filled"], found["clientOrderId"]) == ("closed", 100.0, "b1")
            assert (await asyncio.wait_for(pushed, 60))["clientOrderId"] == "b1"
            trades = await client.fetch_my_trades("XRP/USDT")
            assert {("bitget", trade["id"]) for trade in trades} == set(on.box.trades())
            assert sum(trade["amount"] for trade in trades) == 100.0
            assert (await client.fetch_balance())["XRP"]["free"] == float(on.box.cores["bitget"].balances()["XRP"].free)
            rests = await client.create_order("XRP/USDT", "limit", "buy", 10, 1.2)
            assert [order["id"] for order in await client.fetch_open_orders("XRP/USDT")] == [rests["id"]]
            await client.cancel_order(rests["id"], "XRP/USDT")
            assert await client.fetch_open_orders("XRP/USDT") == []
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order("XRP/USDT", "limit", "buy", 8e7, price)

    run(scenario)


async def _closed(client: Any) -> Any:
    while True:
        for order in await client.watch_orders():
            if order["status"] == "closed":
                return order
