"""OKX's door: who may call, what an order's pushes tell, how its books follow, and how it refuses."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType, SimpleNamespace
from typing import Any

import aiohttp
import pytest

from arbtui.exchanges.config import UrlsConfig
from arbtui.model.book import BookState
from arbtui.sandbox.faults import WireFaultKind
from arbtui.sandbox.keys import Key
from arbtui.sandbox.okx.limits import GROUPS
from tests.marketdata.live import Live
from tests.sandbox.boxes import Socket, run
from tests.sandbox.okx.callers import PRIVATE, OkxBench, OkxCaller, login, okx_bench

XRP = {"channel": "books", "instId": "XRP-USDT"}


def test_who_signs_wrongly_gets_the_venue_s_own_error() -> None:
    async def scenario() -> None:
        async with okx_bench(limits=False) as on:
            ours, asked = on.okx, "GET/api/v5/account/config"

            async def code(
                key: Key = ours.key, at_ms: int | None = None, changed: Mapping[str, str] = MappingProxyType({})
            ) -> tuple[int, str]:
                caller = OkxCaller(on.session, ours.urls, key)
                reply = await caller.get("account/config", {**caller.headers(asked, at_ms=at_ms), **changed})
                return reply.status, str(reply.body["code"])

            now = int(time.time() * 1000)
            assert await code() == (200, "0")
            assert await code(replace(ours.key, secret="wrong")) == (401, "50113")
            assert await code(replace(ours.key, key="stranger")) == (401, "50111")
            assert await code(replace(ours.key, passphrase="wrong")) == (401, "50105")
            assert await code(at_ms=now - 31_000) == (401, "50102")
            assert await code(at_ms=now + 32_000) == (401, "50102")
            assert await code(changed={"OK-ACCESS-TIMESTAMP": "today"}) == (401, "50112")
            for header, missing in (("KEY", "50103"), ("PASSPHRASE", "50104"), ("SIGN", "50106"), ("TIMESTAMP", "50107")):
                assert await code(changed={f"OK-ACCESS-{header}": ""}) == (401, missing)
            other = await ours.get("account/config", ours.headers("GET/api/v5/account/balance"))
            assert other.body["code"] == "50113", "what is signed is what is asked"

    run(scenario)


def test_a_key_that_may_not_trade_reads_and_places_nothing() -> None:
    async def scenario() -> None:
        key = Key("reader", "secret", can_trade=False, passphrase="phrase")
        async with okx_bench(keys={"okx": key}) as on:
            assert (await on.okx.get("account/config")).body["data"][0]["perm"] == "read_only"
            assert await on.okx.code("one") == "50120"
            assert (await on.okx.get("trade/fills")).body["data"] == []

    run(scenario)


@pytest.mark.parametrize(
    ("part", "at_s", "code"), [("secret", 0, "60007"), ("passphrase", 0, "60024"), ("key", 0, "60032"), ("", -60, "60006")]
)
def test_a_login_is_checked_and_without_one_there_are_no_events(part: str, at_s: int, code: str) -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on, on.session.ws_connect(on.okx.urls["private"]) as raw:
            socket = Socket(raw)
            message = login(on.okx.key, int(time.time()) + at_s)
            if part == "secret":
                message = login(replace(on.okx.key, secret="wrong"))
            elif part:
                message["args"][0]["apiKey" if part == "key" else part] = "wrong"
            await socket.send(message)
            assert (await socket.next())["code"] == code
            await socket.send({"op": "subscribe", "args": PRIVATE[:1]})
            told = await socket.next()
            assert (told["event"], told["code"]) == ("error", "60011")

    run(scenario)


def test_a_book_begins_whole_each_change_names_the_one_before_it_and_a_gap_shows() -> None:
    async def scenario() -> None:
        args = [XRP, {"channel": "books", "instId": "BTC-USDT"}]
        async with okx_bench(symbols=["XRP", "BTC"]) as on, on.socket() as socket:
            await socket.send({"op": "subscribe", "args": args})
            at: dict[str, int] = {}
            for _ in range(100):
                assert await _breaks(socket, at) is False
            assert set(at) == {"XRP-USDT", "BTC-USDT"}
            on.fault(WireFaultKind.GAP, symbol="XRP-USDT", count=1)
            while not await _breaks(socket, at):
                pass
            for op in ("unsubscribe", "subscribe"):
                await socket.send({"op": op, "args": [XRP]})
                assert (await socket.next(lambda told: "event" in told))["event"] == op
            again = await socket.next(lambda told: told.get("arg") == XRP)
            assert (again["action"], again["data"][0]["prevSeqId"]) == ("snapshot", -1), "who subscribes again gets the whole book"
            following = await socket.next(lambda told: told.get("arg") == XRP)
            assert (following["action"], following["data"][0]["prevSeqId"]) == ("update", again["data"][0]["seqId"])

    run(scenario)


def _server(on: OkxBench, *codes: str) -> Any:
    return SimpleNamespace(markets={"okx": list(codes)}, urls=lambda _: UrlsConfig(**on.okx.urls))


def test_one_market_that_is_not_listed_takes_no_other_with_it_and_a_gap_is_mended(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP", "BTC"]) as on, Live(_server(on, "XRP-USDT", "GONE-USDT", "BTC-USDT")) as live:
            xrp, btc, gone = (live.book("okx", f"{symbol}-USDT") for symbol in ("XRP", "BTC", "GONE"))
            await live.until(lambda: xrp.state is btc.state is BookState.LIVE, "both books")
            assert gone.state is not BookState.LIVE
            assert "GONE-USDT is not listed there" in caplog.text
            counts = live.aggregator.counts["okx"]
            before = counts.snapshots
            on.fault(WireFaultKind.GAP, symbol="XRP-USDT", count=1)
            await live.until(lambda: counts.gaps == 1 and counts.snapshots == before + 1, "a whole book again")
            await live.until(lambda: xrp.state is BookState.LIVE, "the book again")

    run(scenario)


def test_where_no_market_is_listed_that_is_why() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on, Live(_server(on, "GONE-USDT")) as live:
            await live.until(lambda: any("has none of the markets" in one.why for one in live.stream.status()), "why")

    run(scenario)


def test_each_argument_is_answered_by_itself() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on, on.socket() as socket:
            bad = [{"channel": "books", "instId": "NO-SUCH"}, {"channel": "sprds", "instId": "XRP-USDT"}]
            await socket.send({"op": "subscribe", "args": [*bad, {"channel": "trades", "instId": "XRP-USDT"}]})
            told = [await socket.next(lambda one: "event" in one) for _ in range(3)]
            assert [(one["event"], one.get("code")) for one in told] == [("error", "60018"), ("error", "60018"), ("subscribe", None)]
            for nonsense in ("[]", '{"op": "subscribe"}', '{"op": "dance", "args": []}', "\x00"):
                await socket.send(nonsense)
                assert (await socket.next(lambda one: "event" in one))["code"] == "60012"
            on.fault(WireFaultKind.SUBSCRIBE_ERROR, error="60014", words="later", stream="public")
            await socket.send({"op": "subscribe", "args": [XRP]})
            assert (await socket.next(lambda one: "event" in one))["msg"] == "later"
            await socket.socket.send_str("ping")
            while (message := await socket.socket.receive(30)).data != "pong":
                assert message.type is aiohttp.WSMsgType.TEXT

    run(scenario)


def test_an_order_is_answered_with_its_id_and_its_end_is_told_by_pushes_and_look_ups() -> None:
    async def scenario() -> None:
        async with okx_bench() as on, on.socket(*PRIVATE, private=True) as events:
            placed = (await on.okx.buy("one")).body["data"][0]
            rows: list[dict[str, Any]] = []
            while not rows or rows[-1]["state"] != "filled":
                frame = await events.next(lambda told: told.get("arg", {}).get("channel") == "orders" and "data" in told)
                rows += frame["data"]
            assert [row["state"] for row in rows[:1]] == ["live"]
            assert all((row["ordId"], row["clOrdId"]) == (placed["ordId"], "one") for row in rows)
            assert Decimal(rows[-1]["fillFee"]) < 0, "a fee that is taken has a minus"
            assert rows[-1]["fillFeeCcy"] == "XRP"
            left = await events.next(lambda told: told.get("eventType") == "event_update")
            assert {detail["ccy"] for detail in left["data"][0]["details"]} == {"XRP", "USDT"}
            found = (await on.okx.get("trade/fills", None, instId="XRP-USDT", ordId=placed["ordId"])).body["data"]
            assert {row["tradeId"] for row in found} == {row["tradeId"] for row in rows if row["tradeId"]}
            await on.okx.buy("two", price="0.5")
            missed = (await on.okx.get("trade/order", instId="XRP-USDT", clOrdId="two")).body["data"][0]
            assert (missed["state"], missed["accFillSz"], missed["ordType"]) == ("canceled", "0", "ioc")
            assert await on.okx.code("two", price="0.5", kind="limit") == "0", "a client id is free again once its order has ended"
            assert await on.okx.code("two", price="0.5", kind="limit") == "51016"
            assert (await on.okx.get("trade/order", instId="XRP-USDT", clOrdId="two")).body["data"][0]["state"] == "live", "the newest"

    run(scenario)


def test_an_order_that_was_cancelled_without_a_fill_is_found_for_two_hours() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on:
            for name, price in (("filled", None), ("missed", "0.5")):
                await on.okx.buy(name, price=price)
            for hours, code in ((1.9, "0"), (2.1, "51603")):
                on.box.clocks["okx"].skew_ms = round(hours * 3_600_000)
                now = round(time.time() * 1000) + on.box.clocks["okx"].skew_ms
                for name, expected in (("filled", "0"), ("missed", code)):
                    asked = f"GET/api/v5/trade/order?instId=XRP-USDT&clOrdId={name}"
                    reply = await on.okx.get("trade/order", on.okx.headers(asked, at_ms=now), instId="XRP-USDT", clOrdId=name)
                    assert reply.body["code"] == expected

    run(scenario)


def test_fills_and_open_orders_come_by_pages_newest_first() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on:
            for number in range(5):
                await on.okx.buy(f"f{number}")
                await on.okx.buy(f"o{number}", price="0.5", kind="limit")
            for path, key in (("trade/fills", "billId"), ("trade/orders-pending", "ordId")):
                whole = (await on.okx.get(path)).body["data"]
                assert len(whole) >= 5
                found: list[dict[str, Any]] = []
                while page := (await on.okx.get(path, None, limit="2", **({"after": found[-1][key]} if found else {}))).body["data"]:
                    found += page
                assert found == whole

    run(scenario)


def test_a_limit_counts_by_market_and_its_refusal_is_a_429() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP", "BTC"]) as on:

            async def config() -> tuple[int, str]:
                reply = await on.okx.get("account/config")
                return reply.status, str(reply.body["code"])

            assert [await config() for _ in range(GROUPS["config"][0])] == [(200, "0")] * GROUPS["config"][0]
            assert await config() == (429, "50011")
            assert (await on.okx.get("account/balance")).body["code"] == "0", "each endpoint counts for itself"
            limits = on.box.venues["okx"]._limits  # type: ignore[attr-defined]
            assert all(limits.take("order", "XRP-USDT") is None for _ in range(60))
            assert limits.take("order", "XRP-USDT") is not None
            assert limits.take("order", "BTC-USDT") is None

    run(scenario)


def test_an_order_that_comes_late_or_makes_no_sense_is_not_executed() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on:
            price = await on.okx.dear()
            order = {"instId": "XRP-USDT", "tdMode": "cash", "side": "buy", "ordType": "ioc", "sz": "10", "px": price, "clOrdId": "one"}
            late = await on.okx.post("trade/order", {"expTime": str(int(time.time() * 1000) - 1)}, **order)
            assert late.body["code"] == "50036"
            soon = await on.okx.post("trade/order", {"expTime": str(int(time.time() * 1000) + 60_000)}, **{**order, "clOrdId": "two"})
            assert soon.body["data"][0]["sCode"] == "0"
            for wrong, code in (
                ({"instId": "NO-SUCH"}, "51001"),
                ({"tdMode": "cross"}, "51000"),
                ({"side": "long"}, "51000"),
                ({"ordType": "market"}, "51000"),
                ({"sz": "many"}, "51000"),
                ({"px": "-1"}, "51000"),
                ({"clOrdId": "with-a-dash"}, "51000"),
                ({"sz": "0.01"}, "51020"),
                ({"sz": "10.00000001"}, "51121"),
                ({"px": "1.000000001"}, "51150"),
                ({"sz": "90000000"}, "51008"),
            ):
                body = (await on.okx.post("trade/order", **{**order, "clOrdId": "three", **wrong})).body
                assert (body["code"], body["data"][0]["sCode"]) == ("1", code), wrong
            assert (await on.okx.post("trade/order", instId="XRP-USDT")).body["code"] == "50014"
            assert len((await on.okx.get("trade/fills")).body["data"]) == 1
            on.fault(WireFaultKind.HALT, symbol="XRP-USDT", seconds=600)
            listed = (await on.okx.ask("public/instruments", instType="SPOT")).body["data"]
            assert [row["state"] for row in listed] == ["suspend"]
            assert await on.okx.code("four") == "51022"

    run(scenario)


def test_what_has_ended_cannot_be_cancelled() -> None:
    async def scenario() -> None:
        async with okx_bench(symbols=["XRP"]) as on:
            await on.okx.buy("one", price="0.5", kind="limit")
            told = [(await on.okx.post("trade/cancel-order", instId="XRP-USDT", clOrdId=name)).body for name in ("one", "one", "two")]
            assert [body["data"][0]["sCode"] for body in told] == ["0", "51400", "51400"]
            assert json.dumps(told[0]).count('"one"') == 1

    run(scenario)


async def _breaks(socket: Socket, at: dict[str, int]) -> bool:
    """Whether the next book's frame does not follow the one before it."""
    frame: dict[str, Any] = await socket.next(lambda told: "data" in told)
    code, (book,) = frame["arg"]["instId"], frame["data"]
    before = at.get(code)
    assert frame["action"] == ("snapshot" if before is None else "update")
    at[code] = book["seqId"]
    return before is not None and book["prevSeqId"] != before
