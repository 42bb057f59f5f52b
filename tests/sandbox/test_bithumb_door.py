"""The local Bithumb keeps to its documents: signatures, errors, orders, limits, sockets, and the shapes of all it sends."""

import asyncio
import hashlib
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlencode

import aiohttp
import pytest

from arbtui.sandbox.bithumb.venue import BithumbVenue
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.sandbox import Sandbox
from tests.exchanges import test_bithumb_adapter as answers
from tests.exchanges import test_bithumb_orders as documents
from tests.exchanges import test_bithumb_wire as frames
from tests.sandbox.boxes import Reply, Socket, box, jwt, run, until
from tests.sandbox.shapes import differences
from tests.sandbox.test_nonsense import NASTY, NASTY_JSON


@dataclass
class Caller:
    """Signs as the documents tell, without ccxt."""

    box: Sandbox
    session: aiohttp.ClientSession
    key: Key

    @property
    def urls(self) -> Mapping[str, str]:
        return self.box.urls["bithumb"]

    def token(self, query: str = "", **changed: Any) -> str:
        claims: dict[str, Any] = {"access_key": self.key.key, "nonce": str(uuid.uuid4()), "timestamp": int(time.time() * 1000)}
        if query:
            claims |= {"query_hash": hashlib.sha512(query.encode()).hexdigest(), "query_hash_alg": "SHA512"}
        told = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return "Bearer " + jwt(self.key, told, "HS256")

    async def call(self, method: str, path: str, params: Mapping[str, Any] | None = None, **changed: Any) -> Reply:
        """``changed``: claims of the token, as they must not be; None takes one away."""
        asked = unquote(urlencode(dict(params or {}), doseq=True))
        if method == "POST":
            asked = unquote(urlencode({(f"{k}[]" if isinstance(v, list) else k): v for k, v in (params or {}).items()}, doseq=True))
        url = f"{self.urls['rest']}{path}" + (f"?{asked}" if asked and method != "POST" else "")
        headers = {"Authorization": self.token(asked, **changed), "Content-Type": "application/json"}
        data = json.dumps(params).encode() if method == "POST" else None
        async with self.session.request(method, url, data=data, headers=headers) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def ask(self, path: str) -> Reply:
        async with self.session.get(self.urls["rest"] + path) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def buy(self, qty: str = "10", price: int | str | None = None, tif: str | None = "ioc", **more: Any) -> Reply:
        """A limit order of XRP, by default at a price that fills at once."""
        best = int(next(self.box.simulator.book("bithumb", "KRW-XRP").asks())[0])
        order = {"market": "KRW-XRP", "side": "bid", "order_type": "limit", "volume": qty, "price": str(price or best + 200)}
        return await self.call("POST", "/v2/orders", order | ({"time_in_force": tif} if tif else {}) | more)

    def resting(self) -> int:
        """A price that nobody sells at."""
        return int(next(self.box.simulator.book("bithumb", "KRW-XRP").bids())[0]) - 500

    @asynccontextmanager
    async def socket(self, *parts: Any, private: bool = False) -> AsyncIterator[Socket]:
        headers = {"Authorization": self.token()} if private else {}
        async with self.session.ws_connect(self.urls["private" if private else "stream"], headers=headers) as socket:
            client = Socket(socket)
            if parts:
                await client.send([{"ticket": "t"}, *parts])
            yield client


def at_bithumb(main: Callable[[Caller], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def whole() -> None:
        async with (
            box(["XRP", "BTC"], venues=["bithumb", "binance"], **options) as running,
            aiohttp.ClientSession() as session,
        ):
            await main(Caller(running, session, running.keys["bithumb"]))

    run(whole)


def test_tokens_are_checked_one_by_one() -> None:
    async def main(on: Caller) -> None:
        assert (await on.call("GET", "/v1/accounts")).status == 200
        wrong: list[tuple[str, dict[str, Any]]] = [
            ("invalid_access_key", {"access_key": "nobody"}),
            ("jwt_verification", {"timestamp": None}),
            ("jwt_verification", {"nonce": None}),
            ("expired_jwt", {"timestamp": int(time.time() * 1000) - 60_000}),
            ("invalid_query_payload", {"query_hash": "0" * 128}),
            ("invalid_query_payload", {"query_hash_alg": None}),
        ]
        for name, changed in wrong:
            reply = await on.call("GET", "/v1/order", {"client_order_id": "a1"}, **changed)
            assert (reply.status, reply.error) == (401, name)
        async with on.session.get(on.urls["rest"] + "/v1/accounts") as answer:
            assert answer.status == 401
        on.box.fault(WireFault("bithumb", WireFaultKind.REVOKE, seconds=30))
        assert (await on.call("GET", "/v1/accounts")).error == "invalid_access_key"

    at_bithumb(main)


def test_questions_that_cannot_be_answered_have_status_200_and_a_number() -> None:
    async def main(on: Caller) -> None:
        for path, name in (("/v1/ticker?markets=KRW-NONE", 404), ("/v1/orderbook", 400), ("/v1/trades/ticks?market=X", 404)):
            reply = await on.ask(path)
            assert (reply.status, reply.error) == (200, name)
        nowhere = await on.ask("/v3/everything")
        assert (nowhere.status, nowhere.body) == (404, {"name": "not_found", "message": "No Route matched with those values"})

    at_bithumb(main)


def test_an_order_tells_that_it_was_taken_and_the_look_up_how_it_ended() -> None:
    async def main(on: Caller) -> None:
        taken = await on.buy(client_order_id="a1")
        assert taken.status == 201
        assert differences(taken.body, answers.TAKEN) == []
        order = (await on.call("GET", "/v1/order", {"client_order_id": "a1"})).body
        assert differences(order, documents.ORDER) == []
        assert (order["state"], order["uuid"]) == ("done", taken.body["order_id"])
        assert sum(Decimal(trade["volume"]) for trade in order["trades"]) == 10
        assert Decimal(order["paid_fee"]) == Decimal(order["executed_funds"]) * Decimal("0.0025")
        again = await on.buy(client_order_id="a1")
        assert (again.status, again.error) == (400, "duplicate_client_order_id")
        book = on.box.simulator.book("bithumb", "KRW-XRP")
        book.halt(empty=False)  # it stands still, so that a price is what it was
        best = int(next(book.asks())[0])
        part = (await on.buy("20000", best + 3, client_order_id="a2")).body
        found = (await on.call("GET", "/v1/order", {"uuid": part["order_id"], "client_order_id": "a1"})).body  # the uuid decides
        assert (found["state"], found["client_order_id"]) == ("done", "a2")
        assert 0 < Decimal(found["executed_volume"]) < Decimal(found["volume"])
        nothing = (await on.buy(price=on.resting(), client_order_id="a3")).body
        ended = (await on.call("GET", "/v1/order", {"uuid": nothing["order_id"]})).body
        assert (ended["state"], ended["cancel_type"], ended["trades"]) == ("cancel", "tif_cancel", [])

    at_bithumb(main, limits=False)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("invalid_parameter", {"client_order_id": "x" * 37}),
        ("invalid_parameter", {"client_order_id": "a.b"}),
        ("invalid_parameter", {"order_type": "market"}),
        ("invalid_parameter", {"volume": "NaN"}),
        ("invalid_price", {"price": "3000.5"}),
        ("invalid_volume", {"volume": "1.123456789"}),
        ("under_min_total_bid", {"volume": "1"}),
        ("insufficient_funds_bid", {"volume": "100000000", "price": "3000"}),
    ],
)
def test_what_is_wrong_with_an_order_is_named(name: str, more: dict[str, Any]) -> None:
    async def main(on: Caller) -> None:
        reply = await on.buy(**more)
        assert (reply.status, reply.error) == (400, name)

    at_bithumb(main)


def test_open_and_ended_orders_are_listed_in_pages_and_cancelled_alone_or_together() -> None:
    async def main(on: Caller) -> None:
        for number in range(5):
            assert (await on.buy("10", on.resting(), None, client_order_id=f"r{number}")).status == 201
        seen: list[str] = []
        key: dict[str, str] = {}
        while True:
            page = (await on.call("GET", "/v2/orders/pending", {"state": "wait", "limit": "2", **key})).body
            seen += [row["client_order_id"] for row in page["data"]]
            assert len(page["data"]) <= 2
            if not page["has_next"]:
                break
            key = {"next_key": page["next_key"]}
        assert seen == ["r4", "r3", "r2", "r1", "r0"]
        assert (await on.call("GET", "/v2/orders/pending", {"state": "watch"})).body["data"] == []
        one = await on.call("DELETE", "/v2/order", {"client_order_id": "r0"})
        assert set(one.body) == {"order_id", "client_order_id", "created_at"}
        gone = await on.call("DELETE", "/v2/order", {"client_order_id": "r0"})
        assert (gone.status, gone.error) == (404, "order_not_found")
        many = (await on.call("POST", "/v2/orders/cancel", {"client_order_ids": ["r1", "r2", "r0"]})).body
        assert [row["client_order_id"] for row in many["success"]] == ["r1", "r2"]
        assert [(row["client_order_id"], row["error"]["name"]) for row in many["fail"]] == [("r0", "order_not_found")]
        ended = (await on.call("GET", "/v2/orders/history", {"states[]": ["cancel"], "order_by": "asc"})).body
        assert [row["client_order_id"] for row in ended["data"]] == ["r0", "r1", "r2"]
        row = {**documents.PAGE["data"][0], "stp_type": "cancel_taker"}  # told since 2026-05-07
        assert differences(ended["data"][0], row) == []
        week = 7 * 86_400_000
        assert (await on.call("GET", "/v2/orders/history", {"start_time": "0", "end_time": str(week + 1)})).error == "invalid_parameter"

    at_bithumb(main, limits=False)


def test_what_is_told_of_the_account_and_its_markets_has_the_documented_shape() -> None:
    async def main(on: Caller) -> None:
        chance = (await on.call("GET", "/v1/orders/chance", {"market": "KRW-XRP"})).body
        assert differences(chance, {**answers.CHANCE, **{side: {**answers.CHANCE[side], "avg_buy_price_modified": False}
                                                        for side in ("bid_account", "ask_account")}}) == []  # fmt: skip
        assert (await on.call("GET", "/v1/api_keys")).body[0]["access_key"] == on.key.key
        (book,) = (await on.ask("/v1/orderbook?markets=KRW-XRP")).body
        assert set(book) == {"market", "timestamp", "total_ask_size", "total_bid_size", "orderbook_units"}
        markets = (await on.ask("/v1/market/all?isDetails=true")).body
        assert {row["market"]: row["market_warning"] for row in markets} == dict.fromkeys(("KRW-USDT", "KRW-XRP", "KRW-BTC"), "NONE")
        ticker = await on.ask("/v1/ticker?markets=KRW-XRP,KRW-BTC")
        assert ticker.headers["x-ratelimit-burst-capacity"] == "150"
        ahead_h = (ticker.body[0]["timestamp"] - time.time() * 1000) / 3_600_000
        assert ahead_h == pytest.approx(9.0, abs=0.1)  # Korean time, written as if it were Unix time

    at_bithumb(main)


def test_more_than_twenty_orders_a_second_of_one_asset_are_refused() -> None:
    async def main(on: Caller) -> None:
        replies = await asyncio.gather(*(on.buy("10", on.resting(), None) for _ in range(25)))
        refused = [reply.error for reply in replies if reply.status == 429]
        assert 0 < len(refused) <= 5
        assert set(refused) == {"too_many_requests"}

    at_bithumb(main)


def test_a_category_over_its_limit_is_restricted_and_no_other() -> None:
    async def main(on: Caller) -> None:
        replies = await asyncio.gather(*(on.ask("/v1/market/all") for _ in range(200)))
        assert 429 in {reply.status for reply in replies}
        await asyncio.sleep(1.1)
        assert (await on.ask("/v1/market/all")).error == "too_many_requests"
        assert (await on.ask("/v1/ticker?markets=KRW-XRP")).status == 200

    at_bithumb(main)


def test_a_subscription_is_confirmed_by_its_first_book_and_replaces_the_one_before() -> None:
    async def main(on: Caller) -> None:
        codes = ["KRW-XRP", "KRW-NONE"]  # unknown ones are passed over in silence
        async with on.socket({"type": "orderbook", "codes": codes}, {"type": "trade", "codes": codes}, {"format": "DEFAULT"}) as socket:
            first = await socket.next(lambda told: told["type"] == "orderbook")
            assert (first["stream_type"], first["code"], len(first["orderbook_units"])) == ("SNAPSHOT", "KRW-XRP", 15)
            assert differences(first, json.loads(frames.BOOK)) == []
            assert first["timestamp"] > 10**15
            trade = await socket.next(lambda told: told["type"] == "trade" and told["stream_type"] == "REALTIME")
            assert differences(trade, json.loads(frames.TRADE)) == []
            await socket.send(
                [{"ticket": "t"}, {"type": "orderbook", "codes": ["KRW-BTC.5"], "isOnlyRealtime": True}, {"format": "SIMPLE"}]
            )
            short = await socket.next(lambda told: "ty" in told)
            assert (short["cd"], short["st"], len(short["obu"]), set(short["obu"][0])) == (
                "KRW-BTC",
                "REALTIME",
                5,
                {"ap", "bp", "as", "bs"},
            )
            assert {(await socket.next())["cd"] for _ in range(5)} == {"KRW-BTC"}

    at_bithumb(main)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("nonsense", "WRONG_FORMAT"),
        ('{"ticket":"t"}', "WRONG_FORMAT"),
        ([{"type": "orderbook", "codes": ["KRW-XRP"]}], "NO_TICKET"),
        ([{"ticket": "t"}], "NO_TYPE"),
        ([{"ticket": "t"}, {"type": "orderbook"}], "NO_CODES"),
        ([{"ticket": "t"}, {"type": "orderbook", "codes": "KRW-XRP"}], "INVALID_PARAM"),
        ([{"ticket": "t"}, {"type": "orderbook", "codes": ["KRW-XRP"]}, {"format": "YAML"}], "INVALID_PARAM"),
    ],
)
def test_an_error_ends_the_connection(message: Any, name: str) -> None:
    async def main(on: Caller) -> None:
        async with on.socket() as socket:
            await socket.send(message)
            assert (await socket.next())["error"]["name"] == name
            end = await socket.ended()
            assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 1000)

    at_bithumb(main)


def test_the_private_socket_confirms_nothing_answers_pings_and_tells_orders_and_balances() -> None:
    async def main(on: Caller) -> None:
        async with on.session.get(on.urls["private"].replace("ws:", "http:"), headers={"Upgrade": "websocket"}) as answer:
            assert answer.status == 401
        async with on.socket({"type": "myOrder"}, {"type": "myAsset"}, private=True) as socket:
            await until(lambda: on.box.venues["bithumb"].private_streams == 2)
            await socket.send("PING")
            assert await socket.next() == {"status": "UP"}
            await on.buy(client_order_id="a1")
            states: list[str] = []
            while "done" not in states:
                event = await socket.next(lambda told: told.get("type") == "myOrder")
                states.append(event["state"])
                if event["state"] == "trade":
                    assert differences(event, documents.EVENT) == []
                    assert (event["side"], event["client_order_id"]) == ("buy", "a1")
                else:
                    assert not [name for name in event if name.startswith("trade_")]
            assert states[0] == "wait"
            assert set(states[1:-1]) == {"trade"}
            assets = await socket.next(lambda told: told.get("type") == "myAsset")
            assert differences(assets, documents.ASSETS) == []

    at_bithumb(main)


def test_scripted_faults_meet_its_sockets() -> None:
    async def main(on: Caller) -> None:
        on.box.fault(WireFault("bithumb", WireFaultKind.SUBSCRIBE_ERROR, error="INVALID_PARAM", stream="public"))
        async with on.socket({"type": "orderbook", "codes": ["KRW-XRP"]}) as socket:
            assert (await socket.next())["error"]["name"] == "INVALID_PARAM"
            await socket.ended()
        on.box.fault(WireFault("bithumb", WireFaultKind.CLOCK_SKEW, ms=5_000))
        on.box.fault(WireFault("bithumb", WireFaultKind.BAD_BOOK, how="nan", symbol="KRW-XRP", count=1))
        async with on.socket({"type": "orderbook", "codes": ["KRW-XRP"], "isOnlyRealtime": True}) as socket:
            bad = await socket.next()
            assert bad["orderbook_units"][0]["bid_price"] == "NaN"
            good = await socket.next()
            assert 3_000 < good["timestamp"] / 1000 - time.time() * 1000 < 7_000

    at_bithumb(main)


@pytest.mark.parametrize("seed", range(2))
def test_nonsense_is_refused_in_its_own_words_and_it_goes_on(seed: int) -> None:
    names = [
        "market", "side", "order_type", "volume", "price", "time_in_force", "client_order_id", "uuid", "order_id", "markets", "count",
        "limit", "states[]", "start_time", "end_time", "next_key", "order_ids", "client_order_ids", "currency", "isDetails",
    ]  # fmt: skip

    async def main(on: Caller) -> None:
        chance = random.Random(seed)
        door = on.box.door(BithumbVenue)
        for method, path in [*door._signed, *(("GET", path) for path in door._open)]:
            for _ in range(6):
                params = {name: chance.choice(NASTY_JSON if method == "POST" else NASTY) for name in chance.sample(names, 4)}
                if chance.random() < 0.5:
                    params["market"] = "KRW-XRP"
                reply = await on.call(method, path, params)
                assert reply.status < 500, (method, path, params)
                json.loads(reply.raw)
        for body in (b"", b"\xff\xfe", b"[1]", b"{", b'"x"', b"null"):
            async with on.session.post(on.urls["rest"] + "/v2/orders", data=body) as answer:
                assert 400 <= answer.status < 500
        assert (await on.buy()).status == 201

    at_bithumb(main, limits=False)
