"""What Bithumb's adapter asks and makes of answers, on the wire. Shapes: tests/exchanges/test_bithumb_orders.py, from the documents."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.rights import prove_rights
from arbtui.model.errors import OrderRejected, OrderUnknown, VenueFailed, VenueRefused
from arbtui.model.order import Balance, Order, OrderState, Side, TimeInForce
from tests.exchanges.scripted_venue import (
    BITHUMB_XRP,
    SECRET,
    Asked,
    Reply,
    ScriptedVenue,
    Stream,
    adapter_of,
    order_of,
    scripted,
    value,
)
from tests.exchanges.test_answers_on_the_wire import OPEN

Main = Callable[[ScriptedVenue, CcxtAdapter], Coroutine[Any, Any, None]]

TAKEN = {
    "order_id": "C1", "client_order_id": "a1", "market": "KRW-XRP", "side": "bid", "order_type": "limit", "time_in_force": "ioc",
    "created_at": "2026-07-01T09:00:00+09:00", "stp_type": "cancel_taker",
}  # fmt: skip
ROW: dict[str, Any] = {
    "uuid": "C1", "client_order_id": "a1", "side": "bid", "ord_type": "limit", "price": "3000", "state": "done", "market": "KRW-XRP",
    "created_at": "2026-07-01T09:00:00+09:00", "volume": "10", "remaining_volume": "0", "reserved_fee": "75", "remaining_fee": "0",
    "paid_fee": "75", "locked": "0", "executed_volume": "10", "executed_funds": "30000", "trades_count": 1, "time_in_force": "ioc",
    "trades": [
        {"market": "KRW-XRP", "uuid": "T1", "price": "3000", "volume": "10", "funds": "30000", "side": "bid",
         "created_at": "2026-07-01T09:00:00+09:00"},
    ],
}  # fmt: skip
LISTED: dict[str, Any] = {
    "order_id": "C1", "side": "bid", "order_type": "limit", "price": "3000", "state": "wait", "market": "KRW-XRP",
    "created_at": "2026-07-01T09:00:00+09:00", "volume": "10", "remaining_volume": "10", "executed_volume": "0", "client_order_id": "a1",
}  # fmt: skip
CHANCE: dict[str, Any] = {
    "bid_fee": "0.0025", "ask_fee": "0.0025", "maker_bid_fee": "0.0025", "maker_ask_fee": "0.0025",
    "market": {
        "id": "KRW-XRP", "name": "XRP/KRW", "order_types": ["limit"], "order_sides": ["ask", "bid"], "bid_types": ["limit", "price"],
        "ask_types": ["limit", "market"], "bid": {"currency": "KRW", "price_unit": "1", "min_total": "5000"},
        "ask": {"currency": "XRP", "price_unit": "1", "min_total": "5000"}, "max_total": "1000000000", "state": "active",
    },
    "bid_account": {"currency": "KRW", "balance": "0", "locked": "0", "avg_buy_price": "0", "unit_currency": "KRW"},
    "ask_account": {"currency": "XRP", "balance": "0", "locked": "0", "avg_buy_price": "0", "unit_currency": "KRW"},
}  # fmt: skip
NOT_FOUND = value({"error": {"name": "order_not_found", "message": "주문을 찾지 못했습니다."}}, 404)


def run(main: Main) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), scripted() as venue, adapter_of(venue, "bithumb") as adapter:
            await main(venue, adapter)

    asyncio.run(bounded())


def refused(name: str | int, message: str = "x", status: int = 400) -> Reply:
    return value({"error": {"name": name, "message": message}}, status)


def page(*rows: Mapping[str, Any], next_key: str | None = None) -> Reply:
    return value({"data": list(rows), "has_next": next_key is not None, "next_key": next_key})


def admit() -> None:
    """The gate says yes."""


def claims_of(asked: Asked | Stream) -> dict[str, Any]:
    """The claims of a request's token, whose signature is checked."""
    head, claims, signature = asked.headers["Authorization"].removeprefix("Bearer ").split(".")
    made = hmac.digest(SECRET.encode(), f"{head}.{claims}".encode(), "sha256")
    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert isinstance(told, dict)
    return told


def hedge() -> Order:
    order = order_of("bithumb")
    order.tif = TimeInForce.GTC
    return order


def test_an_immediate_order_is_sent_as_documented_and_looked_up() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", "/v2/orders", value(TAKEN, 201))
        venue.on("GET", "/v1/order", refused("order_not_ready", status=422), value(ROW))
        report = await adapter.place(order_of("bithumb"), admit)
        assert (report.state, report.filled_qty, report.venue_order_id) == (OrderState.FILLED, Decimal(10), "C1")
        assert [(fill.trade_id, fill.fee, fill.fee_currency) for fill in report.fills] == [("T1", Decimal(75), "KRW")]
        (sent,) = venue.of("POST", "/v2/orders")
        assert json.loads(sent.body) == {
            "market": "KRW-XRP", "side": "bid", "order_type": "limit", "volume": "10", "price": "3000", "client_order_id": "a1",
            "time_in_force": "ioc",
        }  # fmt: skip
        assert "OPEN-API-PARTNER" not in sent.headers
        claims = claims_of(sent)
        assert set(claims) == {"access_key", "nonce", "timestamp", "query_hash", "query_hash_alg"}
        assert claims["access_key"] == "k3y-of-a-test"
        assert claims["query_hash_alg"] == "SHA512"
        asked = venue.of("GET", "/v1/order")
        assert [one.query for one in asked] == [{"client_order_id": "a1"}] * 2
        assert claims_of(asked[0])["query_hash"] == hashlib.sha512(b"client_order_id=a1").hexdigest()

    run(main)


def test_an_order_that_may_rest_is_reported_as_taken_and_has_no_time_in_force() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", "/v2/orders", value({**TAKEN, "time_in_force": None}, 201))
        report = await adapter.place(hedge(), admit)
        assert (report.state, report.filled_qty) == (OrderState.ACCEPTED, Decimal(0))
        assert "time_in_force" not in json.loads(venue.of("POST", "/v2/orders")[0].body)
        assert venue.of("GET", "/v1/order") == []

    run(main)


@pytest.mark.parametrize("reply", OPEN, ids=range(len(OPEN)))
def test_whatever_says_nothing_leaves_the_order_unknown_and_it_is_sent_once(reply: Reply) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", "/v2/orders", reply)
        with pytest.raises(OrderUnknown):
            await adapter.place(order_of("bithumb"), admit)
        assert len(venue.of("POST", "/v2/orders")) == 1

    run(main)


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (refused("insufficient_funds_bid"), "INSUFFICIENT_FUNDS"),
        (refused("under_min_total_bid"), "MIN_COST"),
        (refused("invalid_price_bid"), "PRICE_UNIT"),
        (refused(404, "Code not found", 200), "UNKNOWN_MARKET"),  # an error under status 200
    ],
)
def test_a_definite_no_is_rejected_with_its_word_first(reply: Reply, word: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", "/v2/orders", reply)
        with pytest.raises(OrderRejected, match=f"^{word}"):
            await adapter.place(order_of("bithumb"), admit)

    run(main)


def test_the_answer_of_another_order_is_no_answer() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("POST", "/v2/orders", value({**TAKEN, "client_order_id": "b2"}, 201))
        with pytest.raises(OrderUnknown):
            await adapter.place(order_of("bithumb"), admit)

    run(main)


@pytest.mark.parametrize("changed", [{"client_order_id": "b2"}, {"market": "KRW-ADA"}], ids=str)
def test_a_look_up_that_answers_of_another_order_is_refused(changed: dict[str, str]) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v1/order", value({**ROW, **changed}))
        with pytest.raises(VenueFailed, match="asked for a1"):
            await adapter.fetch_order("KRW-XRP", "a1")

    run(main)


def test_an_order_that_is_not_there_is_none() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v1/order", NOT_FOUND)
        assert await adapter.fetch_order("KRW-XRP", "a1") is None

    run(main)


def test_a_cancel_names_the_client_id_and_one_that_is_gone_is_done() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("DELETE", "/v2/order", value({"order_id": "C1", "client_order_id": "a1"}), NOT_FOUND)
        await adapter.cancel("KRW-XRP", "a1")
        await adapter.cancel("KRW-XRP", "a1")
        assert [one.query for one in venue.of("DELETE", "/v2/order")] == [{"client_order_id": "a1"}] * 2

    run(main)


def test_all_orders_are_cancelled_by_twenties_and_one_that_ended_meanwhile_is_no_failure() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows = [{**LISTED, "order_id": f"C{i}", "client_order_id": f"a{i}"} for i in range(23)]
        answers = deque([page(*rows[:22], next_key="k2"), page(rows[22]), page()])

        async def pending(request: web.Request) -> web.StreamResponse:
            return await answers.popleft()(request)

        async def cancel(request: web.Request) -> web.StreamResponse:
            ids = json.loads(await request.text())["order_ids"]
            gone = [{"order_id": "C21", "error": {"name": "order_not_found", "message": "x"}}] if "C21" in ids else []
            return await value({"success": [{"order_id": one} for one in ids if one != "C21"], "fail": gone})(request)

        venue.on("GET", "/v2/orders/pending", pending)
        venue.on("POST", "/v2/orders/cancel", cancel)
        venue.on("GET", "/v1/order", value({**ROW, "uuid": "C21"}))
        assert await adapter.cancel_all() == 22
        asked = venue.of("GET", "/v2/orders/pending")
        assert [(one.query["state"], one.query.get("next_key")) for one in asked] == [("wait", None), ("wait", "k2"), ("watch", None)]
        assert [len(json.loads(one.body)["order_ids"]) for one in venue.of("POST", "/v2/orders/cancel")] == [20, 3]
        assert [one.query for one in venue.of("GET", "/v1/order")] == [{"uuid": "C21"}]

    run(main)


def test_an_order_that_still_stands_is_told() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v2/orders/pending", page(LISTED), page())
        venue.on("POST", "/v2/orders/cancel", value({"success": [], "fail": [{"order_id": "C1", "error": {"name": "x", "message": "y"}}]}))
        venue.on("GET", "/v1/order", value({**ROW, "state": "wait", "time_in_force": None, "executed_volume": "0", "trades": []}))
        with pytest.raises(VenueFailed, match="1 orders could not be cancelled: C1 of KRW-XRP"):
            await adapter.cancel_all()

    run(main)


def test_fills_are_those_of_open_and_closed_orders_since_then() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        made = {"created_at": "2026-07-01T09:00:00+09:00", "time_in_force": "ioc"}
        done = {**LISTED, **made, "state": "done", "executed_volume": "10"}
        early = {**done, "order_id": "C0", "created_at": "2026-07-01T08:59:00+09:00"}  # it ended a minute before
        venue.on("GET", "/v2/orders/history", page(early, next_key="k"), page(done), page())
        venue.on("GET", "/v2/orders/pending", page())
        venue.on("GET", "/v1/order", value(ROW))
        since = 1782864000000 - 1000  # a second before 2026-07-01T00:00:00Z
        fills = await adapter.fetch_fills(since)
        assert [fill.trade_id for fill in fills] == ["T1"]
        assert [one.query for one in venue.of("GET", "/v1/order")] == [{"uuid": "C1"}]
        first, second = venue.of("GET", "/v2/orders/history")[:2]
        assert "states[]" in first.query
        assert (first.query["limit"], first.query["order_by"], second.query["next_key"]) == ("1000", "asc", "k")
        assert int(first.query["end_time"]) - int(first.query["start_time"]) == 7 * 86_400_000
        venue.on("GET", "/v2/orders/history", page(done), page())
        assert [fill.trade_id for fill in await adapter.fetch_fills(since)] == ["T1"]
        assert len(venue.of("GET", "/v1/order")) == 1  # an ended order's fills are asked for once

    run(main)


def test_a_start_reads_fees_minimum_and_state_and_tells_of_caution(caplog: pytest.LogCaptureFixture) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows = [
            {"market": "KRW-XRP", "korean_name": "리플", "english_name": "XRP", "market_warning": "CAUTION"},
            {"market": "BTC-ETH", "korean_name": "이더리움", "english_name": "Ethereum", "market_warning": "NONE"},
        ]
        venue.on("GET", "/v1/api_keys", value([{"access_key": "k3y-of-a-test", "expire_at": "2027-07-01T09:00:00+09:00"}]))
        venue.on("GET", "/v1/market/all", value(rows))
        venue.on("GET", "/v1/orders/chance", value({**CHANCE, "bid_fee": "0.0004", "ask_fee": "0.0004"}))
        await adapter.connect()
        (market,) = adapter.markets.values()
        assert (market.code, market.fees.taker, market.min_cost) == ("KRW-XRP", Decimal("0.0004"), Decimal(5000))
        assert adapter.account_names == ("key k3y-of-a-test",)
        assert "designated this market for caution (CAUTION)" in caplog.text
        assert "does not state what a key may do" in caplog.text

    run(main)


@pytest.mark.parametrize(
    ("reply", "odd"),
    [
        (value({**CHANCE, "market": {**CHANCE["market"], "state": "suspended"}}), False),
        (refused(404, "Code not found", 200), True),
        (value({**CHANCE, "bid_fee": "NaN"}), True),
    ],
)
def test_a_market_that_does_not_trade_or_makes_no_sense_is_left_out(reply: Reply, odd: bool) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v1/api_keys", value([]))
        venue.on("GET", "/v1/market/all", value([{"market": "KRW-XRP", "market_warning": "NONE"}]))
        venue.on("GET", "/v1/orders/chance", reply)
        await adapter.connect(["KRW-XRP"])
        assert adapter.markets == {}
        assert ("KRW-XRP" in adapter.odd) is odd

    run(main)


def test_prices_are_asked_for_two_hundred_at_once_and_a_code_that_is_gone_costs_no_other() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        codes = [f"KRW-A{i}" for i in range(201)]

        async def ticker(request: web.Request) -> web.StreamResponse:
            asked = request.query["markets"].split(",")
            if "KRW-A7" in asked:
                return await refused(404, "Code not found", 200)(request)
            return await value([{"market": code, "trade_price": 100} for code in asked])(request)

        venue.on("GET", "/v1/market/all", value([{"market": code, "market_warning": "NONE"} for code in codes]))
        venue.on("GET", "/v1/ticker", ticker)
        listed = await adapter.listed()
        assert set(listed) == set(codes) - {"KRW-A7"}
        assert len(venue.of("GET", "/v1/ticker")[0].query["markets"].split(",")) == 200

    run(main)


def test_a_key_that_is_refused_is_told_in_words() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v1/api_keys", refused("invalid_access_key", "잘못된 엑세스 키입니다.", 401))
        with pytest.raises(VenueRefused, match="Bithumb does not know this key: make a new one"):
            await adapter.check_keys()

    run(main)


def test_the_right_to_order_is_not_proven_before_the_first_order() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v1/accounts", value([{"currency": "KRW", "balance": "1000000.5", "locked": "10"}]))
        venue.on("GET", "/v1/order", NOT_FOUND)
        venue.on("DELETE", "/v2/order", NOT_FOUND)
        rights = {right.name: right.is_given for right in await prove_rights(adapter)}
        assert rights == {"read balances": True, "read orders": True, "order": None, "cancel": True}
        assert venue.of("POST", "/v2/orders") == []
        assert await adapter.fetch_balances() == {"KRW": Balance(Decimal("1000000.5"), Decimal(10))}

    run(main)


class Account(AccountEvents):
    """Notes what the private stream tells."""

    def __init__(self) -> None:
        self.reports: asyncio.Queue[OrderReport] = asyncio.Queue()
        self.balances: asyncio.Queue[Mapping[str, Balance]] = asyncio.Queue()
        self.opened: asyncio.Queue[str] = asyncio.Queue()

    def on_order(self, report: OrderReport) -> None:
        self.reports.put_nowait(report)

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        self.balances.put_nowait(balances)

    def on_reconnected(self, exchange: str) -> None:
        self.opened.put_nowait(exchange)

    def on_disconnected(self, exchange: str) -> None:
        pass


def streaming(main: Callable[[Stream, Account], Coroutine[Any, Any, None]]) -> None:
    async def listening(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        account = Account()
        venue.on("GET", "/v1/api_keys", value([]))
        task = asyncio.create_task(adapter.run(account))
        try:
            await main(await venue.stream(), account)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(listening)


def test_the_private_stream_is_open_when_its_ping_is_answered_and_tells_orders_and_balances() -> None:
    async def main(stream: Stream, account: Account) -> None:
        assert stream.request.path == "/websocket/v2/private"
        assert set(claims_of(stream)) == {"access_key", "nonce", "timestamp"}
        assert await stream.heard() == [{"ticket": "arbtui-private"}, {"type": "myOrder"}, {"type": "myAsset"}]
        assert await stream.said.get() == "PING"
        assert account.opened.empty()
        await stream.send('{"status":"UP"}')
        assert await account.opened.get() == "bithumb"
        event = {
            "type": "myOrder", "code": "KRW-XRP", "order_id": "C1", "client_order_id": "a1", "side": "buy", "state": "trade",
            "time_in_force": "ioc", "order_quantity": 10, "executed_quantity": 4.5, "trade_id": "T1", "trade_price": 3000,
            "trade_quantity": 4.5, "trade_timestamp": 1727052318148,
        }  # fmt: skip
        await stream.send(json.dumps(event))
        report = await account.reports.get()
        assert (report.state, report.filled_qty) == (OrderState.PARTIALLY_FILLED, Decimal("4.5"))
        (fill,) = report.fills
        assert (fill.trade_id, fill.side, fill.qty, fill.fee) == ("T1", Side.BUY, Decimal("4.5"), Decimal("33.75"))
        assert fill.fee == BITHUMB_XRP.fees.taker * 13_500
        await stream.send('{"type":"myAsset","assets":[{"currency":"KRW","balance":"2061832.35","locked":"3824127.3"}]}')
        assert await account.balances.get() == {"KRW": Balance(Decimal("2061832.35"), Decimal("3824127.3"))}

    streaming(main)


def test_without_an_answer_it_is_open_after_some_seconds_without_an_error() -> None:
    async def main(stream: Stream, account: Account) -> None:
        began = asyncio.get_running_loop().time()
        assert await account.opened.get() == "bithumb"
        assert 2.5 < asyncio.get_running_loop().time() - began < 10

    streaming(main)


def test_an_error_in_answer_to_it_is_no_open_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def main(stream: Stream, account: Account) -> None:
        await stream.send('{"error":{"name":"invalid_access_key","message":"x"}}')
        for _ in range(50):
            await asyncio.sleep(0.1)
            if "invalid_access_key" in caplog.text:
                break
        assert "invalid_access_key" in caplog.text
        assert account.opened.empty()

    streaming(main)
