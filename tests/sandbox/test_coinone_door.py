"""The local Coinone keeps to its documents: signatures, errors, orders, limits, sockets, and the shapes of all it sends."""

import asyncio
import base64
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.sandbox import Sandbox
from tests.exchanges import test_coinone_orders as documents
from tests.exchanges import test_coinone_wire as frames
from tests.sandbox.boxes import Reply, Socket, box, run
from tests.sandbox.shapes import differences

XRP = {"quote_currency": "KRW", "target_currency": "XRP"}
BTC = {"quote_currency": "KRW", "target_currency": "BTC"}
#: Of a row of the list of open orders (reference/find-active-orders): no id of ours is among them.
LISTED = {
    *("order_id", "type", "quote_currency", "target_currency", "price", "original_qty", "executed_qty", "canceled_qty", "remain_qty"),
    *("side", "fee", "fee_rate", "average_executed_price", "ordered_at", "is_triggered", "trigger_price", "triggered_at"),
}
NONE = {"quote_currency": "KRW", "target_currency": "NONE"}


@dataclass
class Caller:
    """Signs as the documents tell, without the engine's code."""

    box: Sandbox
    session: aiohttp.ClientSession
    key: Key

    @property
    def urls(self) -> Mapping[str, str]:
        return self.box.urls["coinone"]

    def signed(self, params: Mapping[str, Any], **changed: Any) -> dict[str, str]:
        """Headers of a request; ``changed``: what the payload tells as it must not, None takes it away."""
        claims = {"access_token": self.key.key, "nonce": str(uuid.uuid4()), **params, **changed}
        payload = base64.b64encode(json.dumps({name: value for name, value in claims.items() if value is not None}).encode()).decode()
        signature = hmac.digest(self.key.secret.encode(), payload.encode(), "sha512").hex()
        return {"X-COINONE-PAYLOAD": payload, "X-COINONE-SIGNATURE": signature}

    async def call(self, path: str, params: Mapping[str, Any] | None = None, **changed: Any) -> Reply:
        return await self.send(path, self.signed(params or {}, **changed))

    async def send(self, path: str, headers: Mapping[str, str]) -> Reply:
        async with self.session.post(f"{self.urls['rest']}/v2.1/{path}", headers=headers) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def ask(self, path: str) -> Reply:
        async with self.session.get(f"{self.urls['rest']}/public/v2/{path}") as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, qty: str = "10", price: int | str | None = 0, **more: Any) -> Reply:
        """A limit order of XRP, by default at a price that fills at once."""
        best = int(next(self.box.simulator.book("coinone", "KRW-XRP").asks())[0])
        order = {
            **XRP,
            "side": "BUY",
            "type": "LIMIT",
            "price": None if price is None else str(price or best + 200),
            "qty": qty,
            "post_only": False,
        }
        return await self.call("order", order | more)

    def resting(self) -> int:
        """A price that nobody sells at."""
        return int(next(self.box.simulator.book("coinone", "KRW-XRP").bids())[0]) - 500

    async def detail(self, **named: str) -> Any:
        return (await self.call("order/detail", {**XRP, **named})).body["order"]

    @asynccontextmanager
    async def socket(self, *asked: Any, private: bool = False, **changed: Any) -> AsyncIterator[Socket]:
        headers = self.signed({"timestamp": int(time.time() * 1000)}, **changed) if private else {}
        async with self.session.ws_connect(self.urls["private" if private else "stream"], headers=headers) as socket:
            client = Socket(socket)
            for one in asked:
                await client.send(one)
            yield client


def at_coinone(main: Callable[[Caller], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def whole() -> None:
        async with (
            box(["XRP", "BTC"], venues=["coinone", "binance"], **options) as running,
            aiohttp.ClientSession() as session,
        ):
            await main(Caller(running, session, running.keys["coinone"]))

    run(whole)


def code_of(reply: Reply) -> str:
    """The error of a reply; like every answer of Coinone it has status 200."""
    assert reply.status == 200
    assert set(reply.body) >= {"result", "error_code"}
    assert (reply.body["result"] == "success") is (reply.body["error_code"] == "0")
    return str(reply.body["error_code"])


def subscribe(channel: str, topic: Any = None) -> dict[str, Any]:
    asked = {"request_type": "SUBSCRIBE", "channel": channel}
    return asked if topic is None else asked | {"topic": topic}


def test_signatures_are_checked_one_by_one() -> None:
    async def main(on: Caller) -> None:
        assert code_of(await on.call("account/balance/all")) == "0"
        good = on.signed({})
        name, signature = "X-COINONE-PAYLOAD", "X-COINONE-SIGNATURE"
        wrong: list[tuple[str, dict[str, str]]] = [
            ("120", {signature: good[signature]}),
            ("121", {name: good[name]}),
            ("123", good | {signature: "0" * 128}),
            ("107", good | {name: "no base 64"}),
            ("12", on.signed({}, access_token="nobody")),
            ("122", on.signed({}, nonce=None)),
            ("133", on.signed({}, nonce="1")),
        ]
        for code, headers in wrong:
            assert code_of(await on.send("account/balance/all", headers)) == code
        assert code_of(await on.send("account/balance/all", good)) == "0"
        assert code_of(await on.send("account/balance/all", good)) == "132"
        on.box.fault(WireFault("coinone", WireFaultKind.REVOKE, seconds=30))
        assert code_of(await on.call("account/balance/all")) == "12"

    at_coinone(main)


def test_public_questions_that_cannot_be_answered_have_status_200_and_a_code() -> None:
    async def main(on: Caller) -> None:
        for path, code in (("orderbook/KRW/NONE", "108"), ("orderbook/KRW", "107"), ("orderbook/KRW/XRP?size=7", "107"), ("x", "20")):
            assert code_of(await on.ask(path)) == code

    at_coinone(main)


def test_an_order_is_taken_found_under_both_ids_and_told_with_its_trades() -> None:
    async def main(on: Caller) -> None:
        began = int(time.time() * 1000) - 1_000
        taken = await on.buy(user_order_id="a1")
        assert set(taken.body) == {"result", "error_code", "order_id"}
        found = await on.detail(user_order_id="a1")
        assert differences(found, documents.DETAIL) == []
        assert (found["status"], found["order_id"], found["remain_qty"]) == ("FILLED", taken.body["order_id"], "0")
        assert await on.detail(order_id=found["order_id"]) == found
        for both, code in (({"user_order_id": "a1", "order_id": found["order_id"]}, "313"), ({}, "107"), ({"user_order_id": "b"}, "104")):
            assert code_of(await on.call("order/detail", {**XRP, **both})) == code
        assert code_of(await on.call("order/detail", {**BTC, "user_order_id": "a1"})) == "104"
        assert code_of(await on.buy(user_order_id="a1")) == "312"

        span = {"from_ts": began, "to_ts": int(time.time() * 1000)}
        rows = (await on.call("order/completed_orders", {**XRP, **span, "size": 100})).body["completed_orders"]
        assert differences(rows[0], documents.TRADE) == []
        assert {row["order_id"] for row in rows} == {found["order_id"]}
        assert sum(Decimal(row["qty"]) for row in rows) == 10
        assert sum(Decimal(row["fee"]) for row in rows) == Decimal(found["fee"]) > 0
        assert (await on.call("order/completed_orders/all", {**span, "size": 100})).body["completed_orders"] == rows
        older = {**span, "size": 100, "to_trade_id": rows[0]["trade_id"]}
        assert (await on.call("order/completed_orders/all", older)).body["completed_orders"] == rows[1:]
        assert code_of(await on.call("order/completed_orders/all", {**span, "size": 101})) == "317"
        ages = {"from_ts": span["to_ts"] - 91 * 86_400_000, "to_ts": span["to_ts"], "size": 100}
        assert code_of(await on.call("order/completed_orders/all", ages)) == "316"

    at_coinone(main, limits=False)


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("314", {"user_order_id": "UPPER"}),
        ("314", {"user_order_id": "x" * 151}),
        ("166", {"type": "MARKET"}),
        ("107", {"side": "BID"}),
        ("107", {"qty": "NaN"}),
        ("107", {"qty": 10}),
        ("161", {"price": None}),
        ("162", {"qty": None}),
        ("163", {"post_only": None}),
        ("108", {"target_currency": "NONE"}),
        ("310", {"price": "3000.5"}),
        ("305", {"qty": "10.123456789"}),
        ("306", {"qty": "1"}),
        ("103", {"qty": "100000000", "price": "3000"}),
    ],
)
def test_what_is_wrong_with_an_order_is_named(code: str, more: dict[str, Any]) -> None:
    async def main(on: Caller) -> None:
        assert code_of(await on.buy(**more)) == code

    at_coinone(main)


def test_open_orders_are_listed_without_our_ids_and_cancelled_under_either() -> None:
    async def main(on: Caller) -> None:
        for number in range(3):
            assert code_of(await on.buy("10", on.resting(), user_order_id=f"r{number}")) == "0"
        rows = (await on.call("order/active_orders")).body["active_orders"]
        assert [row["order_id"] for row in rows] == [(await on.detail(user_order_id=f"r{number}"))["order_id"] for number in (2, 1, 0)]
        assert set(rows[0]) == LISTED
        assert (await on.call("order/active_orders", BTC)).body["active_orders"] == []
        gone = await on.call("order/cancel", {**XRP, "user_order_id": "r0"})
        assert (gone.body["canceled_qty"], gone.body["remain_qty"], gone.body["traded_qty"]) == ("10", "0", "0")
        assert code_of(await on.call("order/cancel", {**XRP, "order_id": rows[1]["order_id"]})) == "0"
        assert code_of(await on.call("order/cancel", {**XRP, "user_order_id": "r0"})) == "117"
        assert code_of(await on.call("order/cancel", {**XRP, "user_order_id": "never"})) == "104"
        await on.buy(user_order_id="filled")
        assert code_of(await on.call("order/cancel", {**XRP, "user_order_id": "filled"})) == "116"
        assert (await on.detail(user_order_id="r0"))["status"] == "CANCELED"
        assert [row["order_id"] for row in (await on.call("order/active_orders")).body["active_orders"]] == [rows[0]["order_id"]]

    at_coinone(main, limits=False)


def test_an_order_that_fills_in_part_rests_until_it_is_cancelled_in_part() -> None:
    async def main(on: Caller) -> None:
        best = int(next(on.box.simulator.book("coinone", "KRW-XRP").asks())[0])
        await on.buy("20000", best + 1, user_order_id="a1")
        found = await on.detail(user_order_id="a1")
        assert found["status"] == "PARTIALLY_FILLED"
        assert Decimal(found["executed_qty"]) + Decimal(found["remain_qty"]) == 20_000
        await on.call("order/cancel", {**XRP, "user_order_id": "a1"})
        ended = await on.detail(user_order_id="a1")
        assert (ended["status"], ended["remain_qty"]) == ("PARTIALLY_CANCELED", "0")
        assert Decimal(ended["executed_qty"]) + Decimal(ended["canceled_qty"]) == 20_000

    at_coinone(main)


def test_what_is_told_of_the_account_and_its_markets() -> None:
    async def main(on: Caller) -> None:
        balances = (await on.call("account/balance/all")).body["balances"]
        assert {row["currency"] for row in balances} >= {"KRW", "XRP", "BTC"}
        assert set(balances[0]) == {"available", "limit", "average_price", "currency"}
        fees = (await on.call("account/trade_fee")).body["fee_rates"]
        assert {(row["target_currency"], row["maker"], row["taker"]) for row in fees} >= {("XRP", "0.002", "0.002")}
        markets = (await on.ask("markets/KRW")).body["markets"]
        assert {row["target_currency"]: row["trade_status"] for row in markets} == {"USDT": 1, "XRP": 1, "BTC": 1}
        units = (await on.ask("range_units/KRW/XRP")).body["range_price_units"]
        assert [row["next_range_min"] for row in units[:-1]] == [row["range_min"] for row in units[1:]]
        book = (await on.ask("orderbook/KRW/XRP?size=5")).body
        assert (len(book["bids"]), len(book["asks"])) == (5, 5)
        assert Decimal(book["bids"][0]["price"]) < Decimal(book["asks"][0]["price"]) < Decimal(book["asks"][1]["price"])
        (ticker,) = (await on.ask("ticker_new/KRW/XRP")).body["tickers"]
        assert ticker["target_currency"] == "xrp"

    at_coinone(main)


def test_each_limit_is_counted_alone_and_what_is_left_is_told() -> None:
    async def main(on: Caller) -> None:
        first = await on.call("account/balance/all")
        assert 0 < int(first.headers["Private-Ratelimit-Remaining"]) < 80
        sent = [on.signed({**XRP, "user_order_id": "none"}) for _ in range(60)]
        codes = [code_of(reply) for reply in await asyncio.gather(*(on.send("order/cancel", headers) for headers in sent))]
        assert set(codes) == {"104", "4"}
        assert codes.count("4") <= 20
        assert code_of(await on.call("account/balance/all")) == "0"
        assert int((await on.ask("markets/KRW")).headers["Public-Ratelimit-Remaining"]) < 1200
        await asyncio.sleep(1.1)
        assert code_of(await on.call("order/cancel", {**XRP, "user_order_id": "none"})) == "104"

    at_coinone(main)


def test_a_subscription_is_confirmed_and_begins_with_a_book_that_looks_old() -> None:
    async def main(on: Caller) -> None:
        async with on.socket(subscribe("ORDERBOOK", XRP), subscribe("TRADE", XRP)) as socket:
            greeting = await socket.next()
            assert (greeting["response_type"], set(greeting["data"])) == ("CONNECTED", {"session_id"})
            assert await socket.next() == {"response_type": "SUBSCRIBED", "channel": "ORDERBOOK", "data": XRP}
            first = await socket.next(lambda told: told["response_type"] == "DATA")
            assert differences(first, json.loads(frames.FIRST_BOOK)) == []
            assert 10_000 < int(first["data"]["id"][:13]) - first["data"]["timestamp"] < 11_000
            book = (await socket.next(lambda told: told.get("channel") == "ORDERBOOK" and "asks" in told["data"]))["data"]
            assert abs(int(book["id"][:13]) - book["timestamp"]) < 10
            asks, bids = ([Decimal(row["price"]) for row in book[side]] for side in ("asks", "bids"))
            assert len(asks) == len(bids) == 16
            assert asks == sorted(asks, reverse=True)
            assert bids == sorted(bids, reverse=True)
            trade = await socket.next(lambda told: told.get("channel") == "TRADE" and "price" in told["data"])
            assert differences(trade, json.loads(frames.TRADE)) == []
            await socket.send({"request_type": "PING"})
            await socket.next(lambda told: told == {"response_type": "PONG"})
            await socket.send({"request_type": "UNSUBSCRIBE", "channel": "ORDERBOOK", "topic": XRP})
            await socket.next(lambda told: told["response_type"] == "UNSUBSCRIBED")
            assert {(await socket.next())["channel"] for _ in range(3)} == {"TRADE"}

    at_coinone(main)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("nonsense", 160010),
        ([1], 160010),
        ({"request_type": "HELLO"}, 160011),
        (subscribe("MYORDER", [XRP]), 160011),
        (subscribe("ORDERBOOK", XRP) | {"format": "YAML"}, 160011),
        (subscribe("ORDERBOOK"), 160012),
        (subscribe("ORDERBOOK", NONE), 160012),
    ],
)
def test_an_error_ends_nothing(asked: Any, code: int) -> None:
    async def main(on: Caller) -> None:
        async with on.socket(asked, subscribe("ORDERBOOK", BTC)) as socket:
            assert (await socket.next(lambda told: told["response_type"] == "ERROR"))["error_code"] == code
            await socket.next(lambda told: told["response_type"] == "DATA")

    at_coinone(main)


def test_the_private_socket_tells_orders_with_our_ids_and_balances() -> None:
    async def main(on: Caller) -> None:
        for changed in ({"access_token": "nobody"}, {"nonce": "1"}, {"timestamp": None}):
            async with on.socket(private=True, **changed) as socket:
                end = await socket.ended()
                assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 4280)
        async with on.socket(subscribe("MYORDER", [XRP]), subscribe("MYASSET"), private=True) as socket:
            for _ in range(2):
                await socket.next(lambda told: told["response_type"] == "SUBSCRIBED")
            await on.buy(user_order_id="a1")
            await on.buy("10", on.resting(), user_order_id="a2")
            await on.call("order/cancel", {**XRP, "user_order_id": "a2"})
            told: list[dict[str, Any]] = []
            while ("a2", "cancel") not in [(one["user_order_id"], one["status"]) for one in told]:
                event = await socket.next(lambda one: one.get("channel") == "MYORDER" and "order_id" in one["data"])
                assert differences(event["data"], documents.EVENT) == []
                told.append(event["data"])
            states = [one["status"] for one in told if one["user_order_id"] == "a1"]
            assert states[0] == "wait"
            assert set(states[1:-1]) == {"trade"}
            assert states[-1] == "trade_done"
            last, done = (one for one in told if one["user_order_id"] == "a1" and one["remain_qty"] == "0")
            assert (last["trade_id"], last["executed_qty"]) == (done["trade_id"], done["executed_qty"])
            assert told[-1]["executed_qty"] == "10"
            assets = await socket.next(lambda one: one.get("channel") == "MYASSET" and "assets" in one["data"])
            assert set(assets["data"]) == {"assets", "type", "timestamp"}

    at_coinone(main)


def test_scripted_faults_meet_its_sockets() -> None:
    async def main(on: Caller) -> None:
        on.box.fault(WireFault("coinone", WireFaultKind.SUBSCRIBE_ERROR, error="160012", stream="public"))
        async with on.socket(subscribe("ORDERBOOK", XRP)) as socket:
            assert (await socket.next(lambda told: told["response_type"] == "ERROR"))["error_code"] == 160012
        on.box.fault(WireFault("coinone", WireFaultKind.CLOCK_SKEW, ms=5_000))
        on.box.fault(WireFault("coinone", WireFaultKind.BAD_BOOK, how="nan", symbol="KRW-XRP", count=1))
        async with on.socket(subscribe("ORDERBOOK", XRP)) as socket:
            ahead = (await socket.next(lambda told: told["response_type"] == "DATA"))["data"]
            assert 3_000 < int(ahead["id"][:13]) - time.time() * 1000 < 7_000
            await socket.next(lambda told: told.get("channel") == "ORDERBOOK" and "nan" in json.dumps(told))
            good = (await socket.next(lambda told: told["response_type"] == "DATA"))["data"]
            assert "nan" not in json.dumps(good)

    at_coinone(main)
