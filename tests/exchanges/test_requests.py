"""What each call of an adapter asks its venue, word for word, in which lane and at which cost of the limits, and what it gives."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from arbtui.exchanges.adapter import AccountEvents, OrderReport, StandingOrder
from arbtui.exchanges.binance.adapter import BinanceAdapter
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.private_stream import PrivateStream
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.upbit.adapter import UpbitAdapter
from arbtui.model.errors import OrderUnknown, VenueFailed, VenueRefused, WireError
from arbtui.model.order import Balance, Order, OrderState, Purpose, TimeInForce
from tests.exchanges.calls import Call, Request, made
from tests.exchanges.scripted_venue import adapter_of, market_of, order_of, scripted, value
from tests.exchanges.test_fills import BINANCE_EVENT, BINANCE_ORDER, BINANCE_TRADE, UPBIT_EVENT, UPBIT_ROW, Moment
from tests.exchanges.test_venue_words import (
    ACCOUNT,
    BINANCE_ANSWER,
    COMMISSION,
    UPBIT_ENDED,
    UPBIT_TAKEN,
    chance,
    execution,
    list_upbit,
    run,
)

UNITS = {"market": "KRW-XRP", "quote_currency": "KRW", "tick_size": "1"}
TICKER = {"market": "KRW-XRP", "trade_price": 3000.5}
CANCELLED = {"success": {"count": 0}, "failed": {"count": 0}}
PRICE = {"symbol": "XRPUSDT", "price": "2.14005"}
STANDS = UPBIT_TAKEN | {"uuid": "u9"}
OPEN = BINANCE_ORDER | {"status": "NEW", "executedQty": "0"}


def admit() -> None:
    """The gate says yes."""


def upbit(
    path: str, params: Mapping[str, Any] | None = None, lane: Lane = Lane.DATA, method: str = "GET", group: str = "default"
) -> Request:
    return "private", method, path, dict(params or {}), lane, {group: 1}


def public(path: str, params: Mapping[str, Any] | None = None) -> Request:
    return "public", "GET", path, dict(params or {}), Lane.DATA, {"quotation": 1}


def binance(
    path: str, params: Mapping[str, Any] | None, weight: int, lane: Lane = Lane.DATA, method: str = "GET", section: str = "private"
) -> Request:
    return section, method, path, dict(params or {}), lane, {"weight": weight}


UPBIT_ORDER = {"market": "KRW-XRP", "side": "bid", "ord_type": "limit", "volume": "10", "price": "3000", "identifier": "a1"}
UPBIT_ORDER |= {"time_in_force": "ioc"}
BINANCE_SENT = {
    "symbol": "XRPUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "10", "price": "2.14",
    "newClientOrderId": "a1", "newOrderRespType": "FULL",
}  # fmt: skip


def hedge_of(exchange: str) -> Order:
    order = order_of(exchange)
    order.purpose = Purpose.COMPLETE
    return order


async def keys(adapter: CcxtAdapter) -> tuple[str, tuple[str, ...]]:
    return (await adapter.check_keys()).partition(";")[0], adapter.account_names


async def account(adapter: CcxtAdapter) -> tuple[str, ...]:
    await adapter.check_account()
    return adapter.account_names


async def listed(adapter: CcxtAdapter) -> list[tuple[str, Decimal, float]]:
    found = await adapter.listed()
    return [(code, one.market.price_units.at(Decimal(3000)), one.price) for code, one in found.items()]


MAY = {"enableWithdrawals": False, "enableSpotAndMarginTrading": True}
INFO = {
    "symbol": "XRPUSDT", "status": "TRADING", "baseAsset": "XRP", "quoteAsset": "USDT", "isSpotTradingAllowed": True,
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.0001", "minPrice": "0.0001", "maxPrice": "1000"},
        {"filterType": "LOT_SIZE", "stepSize": "0.1", "minQty": "0.1", "maxQty": "9000000"},
        {"filterType": "NOTIONAL", "minNotional": "5", "applyMinToMarket": True, "maxNotional": "9000000", "avgPriceMins": 5},
    ],
    "permissionSets": [["SPOT"]],
}  # fmt: skip
CALLS = [
    Call("keys", "upbit", keys, {("GET", "/v1/api_keys"): [{"access_key": "k7"}]}, [upbit("api_keys")], ("is accepted", ("key k7",))),
    Call("ping", "upbit", lambda one: one.ping(), {("GET", "/v1/api_keys"): [{"access_key": "k7"}]}, [upbit("api_keys")]),
    Call(
        "listed", "upbit", listed,
        {("GET", "/v1/market/all"): [{"market": "KRW-XRP"}, {"market": "BTC-XRP"}], ("GET", "/v1/orderbook/instruments"): [UNITS],
         ("GET", "/v1/ticker"): [TICKER]},
        [public("market/all", {"is_details": "true"}), public("orderbook/instruments", {"markets": "KRW-XRP"}),
         public("ticker", {"markets": "KRW-XRP"})],
        [("KRW-XRP", Decimal(1), 3000.5)],
    ),
    Call(
        "test order", "upbit", lambda one: one.test_order(),
        {("GET", "/v1/orderbook/instruments"): [UNITS], ("GET", "/v1/ticker"): [TICKER], ("POST", "/v1/orders/test"): {}},
        [public("orderbook/instruments", {"markets": "KRW-XRP"}), public("ticker", {"markets": "KRW-XRP"}),
         upbit("orders/test",
               {"market": "KRW-XRP", "side": "bid", "ord_type": "limit", "volume": "1.83333334", "price": "3000", "time_in_force": "ioc"},
               Lane.HEDGE, "POST", "order-test")],
    ),
    Call("cancel", "upbit", lambda one: one.cancel("KRW-XRP", "a1"), {("DELETE", "/v1/order"): UPBIT_ENDED},
         [upbit("order", {"identifier": "a1"}, Lane.CANCEL, "DELETE")]),
    Call("cancel all", "upbit", lambda one: one.cancel_all(), {("DELETE", "/v1/orders/open"): CANCELLED},
         [upbit("orders/open", {"cancel_side": "all", "count": 300}, Lane.CANCEL, "DELETE", "order-cancel-all")], 0),
    Call("standing", "upbit", lambda one: one.list_standing(),
         {("GET", "/v1/orders/open"): [STANDS, {key: data for key, data in STANDS.items() if key != "identifier"}]},
         [upbit("orders/open", {"limit": 100, "page": 1}, Lane.CANCEL)],
         [StandingOrder("KRW-XRP", "a1", "u9"), StandingOrder("KRW-XRP", "", "u9")]),
    Call("cancel standing", "upbit", lambda one: one.cancel_standing(StandingOrder("KRW-XRP", "a1", "u9")),
         {("DELETE", "/v1/order"): UPBIT_ENDED}, [upbit("order", {"uuid": "u9"}, Lane.CANCEL, "DELETE")]),
    Call("open orders", "upbit", lambda one: one.fetch_open_orders(), {("GET", "/v1/orders/open"): [STANDS]},
         [upbit("orders/open", {"limit": 100, "page": 1})], [OrderReport("upbit", "a1", "u9", OrderState.ACCEPTED, Decimal(0))]),
    Call("look-up", "upbit", lambda one: one.fetch_order("KRW-XRP", "a1"), {("GET", "/v1/order"): UPBIT_ROW},
         [upbit("order", {"identifier": "a1"}, Lane.HEDGE)]),
    Call("balances", "upbit", lambda one: one.fetch_balances(),
         {("GET", "/v1/accounts"): [{"currency": "KRW", "balance": "5.5", "locked": "2"}]}, [upbit("accounts")],
         {"KRW": Balance(Decimal("5.5"), Decimal(2))}),
    Call("entry", "upbit", lambda one: one.place(order_of("upbit"), admit),
         {("POST", "/v1/orders"): UPBIT_TAKEN | {"uuid": "u1"}, ("GET", "/v1/order"): UPBIT_ROW},
         [upbit("orders", UPBIT_ORDER, Lane.ENTRY, "POST", "order"), upbit("order", {"identifier": "a1"}, Lane.HEDGE)]),
    Call("hedge", "upbit", lambda one: one.place(hedge_of("upbit"), admit),
         {("POST", "/v1/orders"): UPBIT_TAKEN | {"uuid": "u1"}, ("GET", "/v1/order"): UPBIT_ROW},
         [upbit("orders", UPBIT_ORDER, Lane.HEDGE, "POST", "order"), upbit("order", {"identifier": "a1"}, Lane.HEDGE)]),
    Call("keys", "binance", keys, {("GET", "/sapi/v1/account/apiRestrictions"): MAY | {"ipRestrict": True}},
         [binance("account/apiRestrictions", None, 1, section="sapi")], ("may read and trade, cannot withdraw", ())),
    Call("account", "binance", account, {("GET", "/api/v3/account"): ACCOUNT | {"uid": 7}},
         [binance("account", {"omitZeroBalances": "true"}, 20)], ("uid 7",)),
    Call("listed", "binance", listed, {("GET", "/api/v3/exchangeInfo"): {"symbols": [INFO]}, ("GET", "/api/v3/ticker/price"): [PRICE]},
         [binance("exchangeInfo", {"permissions": "SPOT"}, 20, section="public"), binance("ticker/price", None, 4, section="public")],
         [("XRPUSDT", Decimal("0.0001"), 2.14005)]),
    Call("test order", "binance", lambda one: one.test_order(),
         {("GET", "/api/v3/ticker/price"): PRICE, ("POST", "/api/v3/order/test"): {}},
         [binance("ticker/price", {"symbol": "XRPUSDT"}, 2, section="public"),
          binance("order/test",
                  {"symbol": "XRPUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "2.6", "price": "2.14"},
                  1, Lane.HEDGE, "POST")]),
    Call("cancel", "binance", lambda one: one.cancel("XRPUSDT", "a1"), {("DELETE", "/api/v3/order"): BINANCE_ORDER},
         [binance("order", {"symbol": "XRPUSDT", "origClientOrderId": "a1"}, 1, Lane.CANCEL, "DELETE")]),
    Call("cancel all", "binance", lambda one: one.cancel_all(),
         {("GET", "/api/v3/openOrders"): [OPEN], ("DELETE", "/api/v3/openOrders"): [OPEN, OPEN]},
         [binance("openOrders", None, 80, Lane.CANCEL), binance("openOrders", {"symbol": "XRPUSDT"}, 1, Lane.CANCEL, "DELETE")], 2),
    Call("standing", "binance", lambda one: one.list_standing(), {("GET", "/api/v3/openOrders"): [OPEN]},
         [binance("openOrders", None, 80, Lane.CANCEL)], [StandingOrder("XRPUSDT", "a1", "28")]),
    Call("cancel standing", "binance", lambda one: one.cancel_standing(StandingOrder("XRPUSDT", "a1", "28")),
         {("DELETE", "/api/v3/order"): BINANCE_ORDER},
         [binance("order", {"symbol": "XRPUSDT", "orderId": "28"}, 1, Lane.CANCEL, "DELETE")]),
    Call("open orders", "binance", lambda one: one.fetch_open_orders(), {("GET", "/api/v3/openOrders"): [OPEN]},
         [binance("openOrders", None, 80)], [OrderReport("binance", "a1", "28", OrderState.ACCEPTED, Decimal(0))]),
    Call("look-up", "binance", lambda one: one.fetch_order("XRPUSDT", "a1"),
         {("GET", "/api/v3/order"): OPEN}, [binance("order", {"symbol": "XRPUSDT", "origClientOrderId": "a1"}, 4, Lane.HEDGE)],
         OrderReport("binance", "a1", "28", OrderState.ACCEPTED, Decimal(0))),
    Call("look-up of fills", "binance", lambda one: one.fetch_order("XRPUSDT", "a1"),
         {("GET", "/api/v3/order"): BINANCE_ORDER, ("GET", "/api/v3/myTrades"): [BINANCE_TRADE]},
         [binance("order", {"symbol": "XRPUSDT", "origClientOrderId": "a1"}, 4, Lane.HEDGE),
          binance("myTrades", {"symbol": "XRPUSDT", "orderId": 28}, 5, Lane.HEDGE)]),
    Call("fills", "binance", lambda one: one.fetch_fills(17),
         {("GET", "/api/v3/order"): BINANCE_ORDER, ("GET", "/api/v3/myTrades"): [BINANCE_TRADE]},
         [binance("myTrades", {"symbol": "XRPUSDT", "startTime": 17, "limit": 1000}, 20),
          binance("order", {"symbol": "XRPUSDT", "orderId": 28}, 4)]),
    Call("balances", "binance", lambda one: one.fetch_balances(), {("GET", "/api/v3/account"): ACCOUNT},
         [binance("account", {"omitZeroBalances": "true"}, 20)], {"XRP": Balance(Decimal("1.5"))}),
    Call("entry", "binance", lambda one: one.place(order_of("binance"), admit), {("POST", "/api/v3/order"): BINANCE_ANSWER},
         [("private", "POST", "order", BINANCE_SENT, Lane.ENTRY, {"weight": 1, "orders": 1})]),
    Call("hedge", "binance", lambda one: one.place(hedge_of("binance"), admit), {("POST", "/api/v3/order"): BINANCE_ANSWER},
         [("private", "POST", "order", BINANCE_SENT, Lane.HEDGE, {"weight": 1, "orders": 1})]),
]  # fmt: skip


async def fills_of_ten_seconds(adapter: CcxtAdapter) -> list[str]:
    adapter._clock = Moment(1710751600000)
    return [fill.trade_id for fill in await adapter.fetch_fills(1710751590000)]


CALLS += [
    Call("fills", "upbit", fills_of_ten_seconds,
         {("GET", "/v1/orders/closed"): [{key: data for key, data in UPBIT_ROW.items() if key != "trades"}],
          ("GET", "/v1/orders/open"): [], ("GET", "/v1/order"): UPBIT_ROW},
         [upbit("orders/closed",
                {"start_time": "2024-03-18T07:46:30Z", "end_time": "2024-03-25T07:46:30Z", "limit": 1000, "order_by": "asc"}),
          upbit("orders/open", {"limit": 100, "page": 1}), upbit("order", {"uuid": "u1"})], ["t-1"]),
    Call("cancel what has ended", "upbit", lambda one: one.cancel_all(),
         {("DELETE", "/v1/orders/open"): {"success": {"count": 1}, "failed": {"count": 1, "orders": [{"uuid": "u9", "market": "KRW-XRP"}]}},
          ("GET", "/v1/order"): UPBIT_ENDED},
         [upbit("orders/open", {"cancel_side": "all", "count": 300}, Lane.CANCEL, "DELETE", "order-cancel-all"),
          upbit("order", {"uuid": "u9"}, Lane.CANCEL)], 1),
    Call("connect", "upbit", lambda one: one.connect(["KRW-XRP"]),
         {("GET", "/v1/api_keys"): [{"access_key": "k7"}], ("GET", "/v1/market/all"): [{"market": "KRW-XRP"}],
          ("GET", "/v1/orderbook/instruments"): [UNITS], ("GET", "/v1/ticker"): [TICKER], ("GET", "/v1/orders/chance"): chance("KRW-XRP")},
         [upbit("api_keys"), public("market/all", {"is_details": "true"}), public("orderbook/instruments", {"markets": "KRW-XRP"}),
          public("ticker", {"markets": "KRW-XRP"}), upbit("orders/chance", {"market": "KRW-XRP"})]),
    Call("connect", "binance", lambda one: one.connect(["XRPUSDT"]),
         {("GET", "/api/v3/time"): {"serverTime": 1}, ("GET", "/sapi/v1/account/apiRestrictions"): MAY, ("GET", "/api/v3/account"): ACCOUNT,
          ("GET", "/api/v3/exchangeInfo"): {"symbols": [INFO]}, ("GET", "/api/v3/account/commission"): COMMISSION},
         [*[binance("time", None, 1, Lane.HEDGE, section="public")] * 3, binance("account/apiRestrictions", None, 1, section="sapi"),
          binance("account", {"omitZeroBalances": "true"}, 20), binance("exchangeInfo", {"symbols": '["XRPUSDT"]'}, 20, section="public"),
          binance("account/commission", {"symbol": "XRPUSDT"}, 20)]),
]  # fmt: skip
EACH = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.exchange} {call.name}")


@EACH
def test_a_call_asks_for_this_at_that_cost_and_gives_what_was_answered(call: Call) -> None:
    seen, given = made(call)
    assert seen == call.asked
    assert call.gives in (None, given)


#: Answers that are not read, or of which an odd one is told of its market alone.
UNREAD = ("/test", "/api_keys", "/chance", "/commission")
READ = [call for call in CALLS if call.name not in ("ping", "keys", "cancel", "cancel standing")]


@pytest.mark.parametrize("call", READ, ids=lambda call: f"{call.exchange} {call.name}")
def test_an_answer_of_another_form_says_nothing_and_the_call_says_so(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a call's answers in turn; an order that was taken is one of unknown fate, or one whose end is not known yet."""
    monkeypatch.setattr("arbtui.exchanges.upbit.adapter._LOOK_AFTER_S", (0.0, 0.0))
    is_order = call.name in ("entry", "hedge")
    places = [place for place in call.answers if place != ("DELETE", "/api/v3/openOrders") and not place[1].endswith(UNREAD)]

    async def main(odd: tuple[str, str]) -> None:
        async with scripted() as venue, adapter_of(venue, call.exchange) as adapter:
            for (method, path), answer in call.answers.items():
                venue.on(method, path, value({"odd": 1} if (method, path) == odd else answer))
            if is_order and odd[0] == "GET":
                assert (await call.make(adapter)).state is OrderState.ACCEPTED
                return
            with pytest.raises(OrderUnknown if is_order else WireError if call.name == "test order" else VenueFailed):
                await call.make(adapter)

    for odd in places:
        run(partial(main, odd))


@pytest.mark.parametrize("changed", [{"identifier": "b2"}, {"market": "KRW-ADA"}], ids=str)
def test_an_answer_about_another_order_is_none_about_this_one(changed: dict[str, str]) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/order", value(UPBIT_ROW | changed))
            with pytest.raises(VenueFailed):
                await adapter.fetch_order("KRW-XRP", "a1")
            venue.on("POST", "/v1/orders", value(UPBIT_TAKEN | {"identifier": "b2"}))
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of("upbit"), admit)
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/order", value(OPEN | {"clientOrderId": "b2"}))
            venue.on("POST", "/api/v3/order", value(BINANCE_ANSWER | {"clientOrderId": "b2"}))
            with pytest.raises(VenueFailed):
                await adapter.fetch_order("XRPUSDT", "a1")
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of("binance"), admit)

    run(main)


def test_upbits_answer_need_not_name_the_order_that_it_answers() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            nameless = {key: data for key, data in UPBIT_TAKEN.items() if key != "identifier"} | {"uuid": "u1"}
            venue.on("POST", "/v1/orders", value(nameless))
            resting = order_of("upbit")
            resting.tif = TimeInForce.GTC
            report = await adapter.place(resting, admit)
            assert (report.client_order_id, report.venue_order_id, report.state) == ("a1", "u1", OrderState.ACCEPTED)
            assert venue.asked[0].body.find("time_in_force") < 0  # an order without it rests
            assert len(venue.asked) == 1, "the end of what rests is not waited for"

    run(main)


def test_open_orders_of_upbit_are_read_page_by_page() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            rows = [STANDS | {"uuid": f"u{number}"} for number in range(205)]
            venue.on("GET", "/v1/orders/open", value(rows[:100]), value(rows[100:200]), value(rows[200:]))
            assert [one.venue_order_id for one in await adapter.list_standing()] == [f"u{number}" for number in range(205)]
            venue.on("GET", "/v1/orders/open", value(rows[:100]), value([]))
            assert len(await adapter.fetch_open_orders()) == 100
            pages = [asked.query["page"] for asked in venue.of("GET", "/v1/orders/open")]
            assert pages == ["1", "2", "3", "1", "2"]

    run(main)


def test_fills_of_binance_are_read_page_by_page_from_the_highest_number_on() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            numbers = [*range(1, 1000), 1500, 1501]
            rows = [BINANCE_TRADE | {"id": number, "time": 2000 - number} for number in numbers]
            venue.on("GET", "/api/v3/order", value(BINANCE_ORDER))
            venue.on("GET", "/api/v3/myTrades", value([rows[999], *rows[:999]]), value(rows[1000:]))
            fills = await adapter.fetch_fills(17)
            assert [fill.ts_event for fill in fills] == [2000 - number for number in numbers[::-1]]
            assert [asked.query.get("fromId") for asked in venue.of("GET", "/api/v3/myTrades")] == [None, "1501"]
            assert len(venue.of("GET", "/api/v3/order")) == 1  # an order is asked once whose it is

    run(main)


def test_a_fill_of_the_second_that_is_asked_for_is_listed_and_the_fills_of_an_order_that_was_looked_up_are_not_asked_for_again() -> None:
    """Upbit tells whole seconds: 17:46:30 is not before 17:46:30.421."""

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            adapter._clock = Moment(1710751600000)
            venue.on("GET", "/v1/order", value(UPBIT_ROW))
            looked_up = await adapter.fetch_order("KRW-XRP", "a1")
            assert looked_up is not None
            timeless = {key: data for key, data in UPBIT_ROW.items() if key not in ("trades", "created_at")} | {"uuid": "u2"}
            closed = {key: data for key, data in UPBIT_ROW.items() if key != "trades"}
            venue.on("GET", "/v1/orders/closed", value([closed, timeless]))
            venue.on("GET", "/v1/orders/open", value([]))
            trade = {"uuid": "t-9", "price": "2999", "volume": "7", "created_at": "2024-03-18T17:46:30+09:00"}
            venue.on("GET", "/v1/order", value(UPBIT_ROW | {"uuid": "u2", "trades": [trade]}))
            fills = await adapter.fetch_fills(1710751590421)
            assert [fill.trade_id for fill in fills] == ["t-1", "t-9"]  # an order without a time is asked for, too
            assert list(looked_up.fills) == [fills[0]]
            assert [asked.query for asked in venue.of("GET", "/v1/order")] == [{"identifier": "a1"}, {"uuid": "u2"}]

    run(main)


@pytest.mark.parametrize(("created_at", "asked"), [("17:46:25.000", True), ("17:46:24.999", False)])
def test_an_immediate_order_has_no_fills_five_seconds_after_it_was_made(created_at: str, asked: bool) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            adapter._clock = Moment(1710751600000)
            closed = {key: data for key, data in UPBIT_ROW.items() if key != "trades"} | {"created_at": f"2024-03-18T{created_at}+09:00"}
            venue.on("GET", "/v1/orders/closed", value([closed]))
            venue.on("GET", "/v1/orders/open", value([]))
            venue.on("GET", "/v1/order", value(UPBIT_ROW))
            await adapter.fetch_fills(1710751590000)
            assert bool(venue.of("GET", "/v1/order")) is asked

    run(main)


DAY_MS = 86_400_000


def upbit_row(uuid: str, ms: int) -> dict[str, Any]:
    """A closed order that was made then, in whole seconds."""
    created_at = datetime.fromtimestamp(ms // 1000, timezone(timedelta(hours=9))).isoformat()
    return {key: data for key, data in UPBIT_ROW.items() if key != "trades"} | {
        "uuid": uuid,
        "created_at": created_at,
        "time_in_force": None,
    }


@pytest.mark.parametrize("since_days", [14, 20, 100])
def test_every_order_of_upbit_that_closed_is_found_week_by_week_and_page_by_page(since_days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A venue that lists three orders a page, oldest first, of the times asked for; some weeks have more, and some share a second."""
    monkeypatch.setattr("arbtui.exchanges.upbit.adapter._ORDERS_A_PAGE", 3)
    now_ms = 1710751600000
    ages_days = [0.0, 3.0] if since_days == 14 else [0.0, 0.001, 3, 6.9, 7, 7, 7.1, 7.2, 7.3, 15, 15, 15, 50, 50.1, 50.2, 89.9, 95]
    rows = {f"u{number}": upbit_row(f"u{number}", round(now_ms - age * DAY_MS)) for number, age in enumerate(ages_days)}
    windows: list[tuple[float, float]] = []

    def ms_of(text: str) -> int:
        return round(datetime.fromisoformat(text).timestamp() * 1000)

    async def closed(request: web.Request) -> web.StreamResponse:
        start, end = ms_of(request.query["start_time"]), ms_of(request.query["end_time"])
        assert (request.query["limit"], request.query["order_by"]) == ("3", "asc")
        assert 0 < end - start <= 7 * DAY_MS
        windows.append(((now_ms - start) / DAY_MS, (end - start) / DAY_MS))
        found = sorted((row for row in rows.values() if start <= ms_of(row["created_at"]) <= end), key=lambda row: row["created_at"])
        return web.json_response(found[:3])

    async def one(request: web.Request) -> web.StreamResponse:
        row = rows[request.query["uuid"]]
        trade = {"uuid": f"t-{row['uuid']}", "price": "2999", "volume": "7", "created_at": row["created_at"]}
        return web.json_response(row | {"trades": [trade]})

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            adapter._clock = Moment(now_ms)
            venue.on("GET", "/v1/orders/closed", closed)
            venue.on("GET", "/v1/orders/open", value([]))
            venue.on("GET", "/v1/order", one)
            fills = await adapter.fetch_fills(now_ms - since_days * DAY_MS + 3_600_000)  # orders of the hour before are looked at, too
            assert windows[0][0] == min(since_days, 90)
            since_ms = now_ms - since_days * DAY_MS + 3_600_000
            expected = {uuid for uuid, row in rows.items() if max(since_ms, now_ms - 90 * DAY_MS) <= ms_of(row["created_at"])}
            assert {fill.venue_order_id for fill in fills} == expected
            assert len(fills) == len(expected)
            if since_days == 14:
                assert windows == [(14.0, 7.0), (7.0, 7.0), (0.0, 7.0)]  # what is made at this very moment, too

    run(main)


def test_the_fills_of_so_many_ended_orders_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.won.adapter._SETTLED", 2)
    rows = [upbit_row(f"u{number}", 1710751590000) for number in (1, 2, 3)]

    async def one(request: web.Request) -> web.StreamResponse:
        uuid = request.query["uuid"]
        trade = {"uuid": f"t-{uuid}", "price": "2999", "volume": "7", "created_at": "2024-03-18T17:46:30+09:00"}
        return web.json_response(UPBIT_ROW | {"uuid": uuid, "trades": [trade]})

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            adapter._clock = Moment(1710751600000)
            venue.on("GET", "/v1/orders/open", value([]))
            venue.on("GET", "/v1/order", one)
            for listed in (rows[:2], rows[:2], rows, rows[1:]):
                venue.on("GET", "/v1/orders/closed", value(listed))
                assert len(await adapter.fetch_fills(1710751590000)) == len(listed)
            # Two are kept: the third takes the place of the first.
            assert [asked.query["uuid"] for asked in venue.of("GET", "/v1/order")] == ["u1", "u2", "u3"]
            venue.on("GET", "/v1/orders/closed", value(rows[:1]))
            await adapter.fetch_fills(1710751590000)
            assert venue.of("GET", "/v1/order")[-1].query["uuid"] == "u1"

    run(main)


REFUSED = {"error": {"name": "invalid_access_key", "message": "x"}}
ODD_MARKET = {"error": {"name": "market_offline", "message": "x"}}


@pytest.mark.parametrize(
    ("answer", "status"), [(ODD_MARKET, 400), ({"error": {"name": "a_name_of_tomorrow", "message": "?"}}, 404), ({"odd": 1}, 200)], ids=str
)
def test_a_market_of_upbit_whose_rules_cannot_be_had_is_left_out_and_named(
    answer: dict[str, Any], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            list_upbit(venue, "KRW-XRP", "KRW-ADA")
            bid, ask = {"currency": "KRW", "min_total": "7000"}, {"currency": "XRP", "min_total": "6000"}
            rules = chance("KRW-XRP") | {"maker_bid_fee": "0.0001", "maker_ask_fee": "0.0003", "bid_fee": "0.0009"}
            rules["market"] = rules["market"] | {"bid": bid, "ask": ask}
            venue.on("GET", "/v1/orders/chance", value(rules), value(answer, status))
            await adapter.connect(["KRW-XRP", "KRW-ADA"])
            assert (list(adapter.markets), list(adapter.odd)) == (["KRW-XRP"], ["KRW-ADA"])
            assert adapter.odd["KRW-ADA"]
            (xrp,) = adapter.markets.values()
            # The dearer side's rate, and the higher of both minimums.
            assert (xrp.fees.taker, xrp.fees.maker, xrp.min_cost) == (Decimal("0.0009"), Decimal("0.0003"), Decimal(7000))
            assert adapter.standing.due_in() is None
            assert [line for line in caplog.messages if "left out" in line] == [
                f"upbit: 1 of its markets left out: KRW-ADA: {adapter.odd['KRW-ADA']}"
            ]
            assert not [line for line in caplog.messages if "price unit" in line]  # it is the documented one

    run(main)


def test_what_makes_no_sense_of_the_public_list_is_named_once_and_another_price_unit_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            list_upbit(venue, "KRW-XRP", "KRW-ADA")
            venue.on(
                "GET", "/v1/orderbook/instruments", value([UNITS | {"tick_size": "5"}, UNITS | {"market": "KRW-ADA", "tick_size": "0"}])
            )
            venue.on("GET", "/v1/orders/chance", value(chance("KRW-XRP")))
            assert list(await adapter.listed()) == ["KRW-XRP"]
            await adapter.connect(["KRW-XRP", "KRW-ADA"])
            odd = "upbit: 1 of its markets left out: KRW-ADA: price 3000.5, price unit 0"
            assert [line for line in caplog.messages if "left out" in line] == [odd]
            units = [line for line in caplog.messages if "price unit 5" in line]
            assert units == ["upbit KRW-XRP: price unit 5 at 3000.5 is not the documented one; the venue's own is used"]

    run(main)


def test_a_test_order_needs_a_price() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/orderbook/instruments", value([]))
            with pytest.raises(WireError, match="nothing of KRW-XRP"):
                await adapter.test_order()
            assert venue.of("POST", "/v1/orders/test") == []

    run(main)


def test_the_end_of_an_immediate_order_is_waited_for_until_the_stream_tells_it_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between look-ups it waits; the stream's word ends a wait, once; a look-up that fails is followed by another."""
    waits: list[bool] = []
    made: list[UpbitAdapter] = []

    async def pause(event: asyncio.Event, seconds: float) -> None:
        waits.append(event.is_set())
        if len(waits) == 2:
            made[0]._outcomes._awaited["a1"].set()  # as the stream does

    monkeypatch.setattr("arbtui.exchanges.order_outcome.pause_until", pause)

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            assert isinstance(adapter, UpbitAdapter)
            made.append(adapter)
            venue.on("POST", "/v1/orders", value(UPBIT_TAKEN | {"uuid": "u1"}, 201))
            venue.on("GET", "/v1/order", value({}, 503), value(UPBIT_TAKEN | {"uuid": "u1"}), value(UPBIT_ROW))
            report = await adapter.place(order_of("upbit"), admit)
            assert (report.state, report.filled_qty, len(report.fills)) == (OrderState.EXPIRED, Decimal(7), 1)
            assert waits == [False, False, False]  # what was told once does not spare the waits after it
            assert len(venue.of("GET", "/v1/order")) == 3
            assert adapter._outcomes._awaited == {}

    run(main)


@pytest.mark.parametrize(("state", "ends"), [("trade", False), ("wait", False), ("done", True), ("cancel", True)])
def test_the_stream_wakes_who_waits_for_the_end_of_an_order(state: str, ends: bool) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            assert isinstance(adapter, UpbitAdapter)
            awaited, other = adapter._outcomes._awaited["a1"], adapter._outcomes._awaited["b2"] = asyncio.Event(), asyncio.Event()
            seen: list[OrderReport] = []
            account = cast(AccountEvents, SimpleNamespace(on_order=seen.append))
            adapter._on_frame(json.dumps(UPBIT_EVENT | {"state": state}).encode(), account, cast(PrivateStream, None))
            assert (awaited.is_set(), other.is_set()) == (ends, False)
            assert [report.client_order_id for report in seen] == ["a1"]
            adapter._on_frame(json.dumps(UPBIT_EVENT | {"identifier": "c3"}).encode(), account, cast(PrivateStream, None))
            assert len(seen) == 2

    run(main)


def test_what_a_cancel_of_everything_leaves_is_asked_for_by_the_venues_id() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            failed = {"count": 1, "orders": [{"uuid": "u9", "market": "KRW-XRP"}]}
            venue.on("DELETE", "/v1/orders/open", value({"success": {"count": 1}, "failed": failed}))
            venue.on("GET", "/v1/order", value(STANDS))
            with pytest.raises(VenueFailed, match="1 orders could not be cancelled: u9 of KRW-XRP"):
                await adapter.cancel_all()
            assert venue.of("GET", "/v1/order")[0].query == {"uuid": "u9"}
            venue.on("GET", "/v1/order", value({"odd": 1}))
            with pytest.raises(VenueFailed, match="cannot be read"):
                await adapter.cancel_all()

    run(main)


def test_a_refused_key_ends_a_start_and_is_known_to_the_venues_standing() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            list_upbit(venue, "KRW-XRP")
            venue.on("GET", "/v1/orders/chance", value(REFUSED, 401))
            with pytest.raises(VenueRefused):
                await adapter.connect(["KRW-XRP"])
            assert adapter.odd == {}
            assert adapter.standing.due_in() is not None

    run(main)


def test_an_order_is_named_by_our_id() -> None:
    async def main() -> None:
        for exchange, named in (("upbit", {"identifier": "a1"}), ("binance", {"symbol": "XRPUSDT", "origClientOrderId": "a1"})):
            async with scripted() as venue, adapter_of(venue, exchange) as adapter:
                assert adapter.unknown_order(market_of(exchange), "a1") == named

    run(main)


def test_a_price_of_binance_that_makes_no_sense_leaves_its_market_out_and_one_that_is_missing_is_not_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            infos = [INFO, INFO | {"symbol": "ADAUSDT", "baseAsset": "ADA"}, INFO | {"symbol": "SOLUSDT", "baseAsset": "SOL"}]
            venue.on("GET", "/api/v3/exchangeInfo", value({"symbols": infos}))
            odd: list[Any] = [PRICE, {"symbol": "ADAUSDT", "price": "much"}, {"symbol": "OLDUSDT"}, 7, {"price": "1"}]
            venue.on("GET", "/api/v3/ticker/price", value(odd))
            found = await adapter.listed()
            assert {code: one.price for code, one in found.items()} == {"XRPUSDT": 2.14005, "SOLUSDT": 0.0}
            assert list(adapter.odd) == ["ADAUSDT"]
            assert [line for line in caplog.messages if "left out" in line] == [
                f"binance: 1 of its markets left out: ADAUSDT: {adapter.odd['ADAUSDT']}"
            ]

    run(main)


def test_an_account_that_may_not_trade_and_a_key_that_may_not_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/time", value({"serverTime": 1}))
            venue.on("GET", "/sapi/v1/account/apiRestrictions", value(MAY))
            venue.on("GET", "/api/v3/account", value(ACCOUNT | {"canTrade": False}))
            for call in (adapter.connect, adapter.check_account):
                with pytest.raises(VenueRefused, match="may not trade"):
                    await call()
            assert (await adapter.check_keys()).endswith("works from every address")
            for changed, why in (
                ({"enableWithdrawals": True}, "may withdraw"),
                ({"enableInternalTransfer": True}, "may transfer between accounts"),
                ({"enableSpotAndMarginTrading": False}, "may not trade"),
            ):
                venue.on("GET", "/sapi/v1/account/apiRestrictions", value(MAY | changed))
                with pytest.raises(VenueRefused, match=why):
                    await adapter.check_keys()
            assert any("works from every address" in line for line in caplog.messages)
            caplog.clear()
            venue.on("GET", "/sapi/v1/account/apiRestrictions", value(MAY | {"ipRestrict": True}))
            assert (await adapter.check_keys()).endswith("works from listed addresses only")
            assert not any("works from every address" in line for line in caplog.messages)

    run(main)


class Steps(Moment):
    """A clock whose monotonic time goes on by given steps, in seconds."""

    steps: list[float]
    now = 100.0

    def monotonic(self) -> float:
        self.now += self.steps.pop(0)
        return self.now


def test_the_clock_is_read_three_times_and_the_quickest_answer_counts() -> None:
    """Answers take 40, 10 and 20 s; half of that is the way back."""

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            clock = Steps(1_700_000_000_000)
            clock.steps = [0.0, 40.0, 0.0, 10.0, 0.0, 20.0]
            adapter._venue_clock._clock = clock
            times = [1_699_999_990_000, 1_699_999_999_000, 1_699_999_980_000]
            venue.on("GET", "/api/v3/time", *(value({"serverTime": each}) for each in times))
            await adapter.measure_clock()
            assert adapter.clock_skew_ms == 1_000 + 5_000
            venue.on("GET", "/api/v3/time", value({"serverTime": "soon"}))
            clock.steps = [0.0, 0.1]
            with pytest.raises(VenueFailed, match="no serverTime"):
                await adapter.measure_clock()

    run(main)


def test_rates_of_many_markets_are_the_accounts_own_and_those_of_few_each_markets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("arbtui.exchanges.binance.adapter._ASKED_ONE_BY_ONE", 3)

    async def main() -> None:
        for count, asked, left_out in ((3, 3, 1), (4, 2, 1)):
            caplog.clear()
            async with scripted() as venue, adapter_of(venue, "binance") as adapter:
                venue.on("GET", "/api/v3/time", value({"serverTime": 1}))
                venue.on("GET", "/sapi/v1/account/apiRestrictions", value(MAY))
                rates = {"maker": "0.0002", "taker": "0.0004"}
                venue.on("GET", "/api/v3/account", value(ACCOUNT | {"commissionRates": rates}))
                infos = [INFO | {"symbol": f"C{number}USDT", "baseAsset": f"C{number}"} for number in range(count)]
                venue.on("GET", "/api/v3/exchangeInfo", value({"symbols": infos}))
                in_bnb = COMMISSION | {"discount": {"enabledForAccount": True, "enabledForSymbol": True}}
                venue.on("GET", "/api/v3/account/commission", value({"odd": 1}), value(in_bnb))
                await adapter.connect([f"C{number}USDT" for number in range(count)])
                assert len(venue.of("GET", "/api/v3/account/commission")) == asked
                assert (len(adapter.markets), len(adapter.odd)) == (count - left_out, left_out)
                own = ("0.00076", "0.001") if count == 3 else ("0.0004", "0.0002")
                assert {
                    (str(market.fees.taker.normalize()), str(market.fees.maker.normalize())) for market in adapter.markets.values()
                } == {own}
                assert {market.fees.coin for market in adapter.markets.values()} == {"BNB"}
                assert list(adapter.odd) == ["C0USDT"]
                assert [line for line in caplog.messages if "left out" in line] == [
                    f"binance: 1 of its markets left out: C0USDT: {adapter.odd['C0USDT']}"
                ]

    run(main)


def test_where_no_rate_can_be_read_a_start_fails() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/time", value({"serverTime": 1}))
            venue.on("GET", "/sapi/v1/account/apiRestrictions", value(MAY))
            venue.on("GET", "/api/v3/account", value(ACCOUNT))
            codes = [f"C{number}USDT" for number in range(51)]
            infos = [INFO | {"symbol": code, "baseAsset": code.removesuffix("USDT")} for code in codes]
            venue.on("GET", "/api/v3/exchangeInfo", value({"symbols": infos}))
            venue.on("GET", "/api/v3/account/commission", value({"odd": 1}))
            with pytest.raises(VenueFailed, match="commission"):
                await adapter.connect(codes)
            assert len(venue.of("GET", "/api/v3/account/commission")) == 5

    run(main)


def test_an_order_of_binance_that_ended_without_a_fill_long_ago_is_told_as_expired() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            archived = {"code": -2026, "msg": "Order was canceled or expired with no executed qty over 90 days ago and has been archived."}
            venue.on("GET", "/api/v3/order", value(archived, 400))
            report = await adapter.fetch_order("XRPUSDT", "a1")
            assert report == OrderReport("binance", "a1", "", OrderState.EXPIRED, Decimal(0), (), "ORDER_ARCHIVED")
            venue.on("GET", "/api/v3/order", value({"code": -2013, "msg": "Order does not exist."}, 400))
            assert await adapter.fetch_order("XRPUSDT", "a1") is None

    run(main)


@pytest.mark.parametrize("count", [100, 101])
def test_up_to_a_hundred_markets_of_binance_are_asked_for_by_name(count: int) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            assert isinstance(adapter, BinanceAdapter)
            venue.on("GET", "/api/v3/exchangeInfo", value({"symbols": [INFO, INFO | {"symbol": "ADAUSDT", "baseAsset": "ADA"}]}))
            codes = ["XRPUSDT", *(f"C{number}USDT" for number in range(count - 1))]
            found = await adapter._listed(codes)
            (asked,) = venue.of("GET", "/api/v3/exchangeInfo")
            if count == 100:
                assert json.loads(asked.query["symbols"]) == codes
            else:
                assert asked.query == {"permissions": "SPOT"}
                assert list(found) == ["XRPUSDT"]
            venue.on("GET", "/api/v3/exchangeInfo", value({"code": -1100, "msg": "Illegal characters."}, 400), value({"symbols": [INFO]}))
            with pytest.raises(VenueFailed):
                await adapter._listed(["XRPUSDT"])

    run(main)


def test_a_symbol_that_binance_does_not_know_is_found_by_halves_and_not_asked_for_again_for_a_while() -> None:
    known = [f"C{number}USDT" for number in range(60)]

    async def answer(request: web.Request) -> web.StreamResponse:
        assert "permissions" not in request.query, "all of it, some megabytes, is not asked for"
        codes = json.loads(request.query["symbols"])
        if "NONEUSDT" in codes:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        return web.json_response({"symbols": [INFO | {"symbol": code} for code in codes]})

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/exchangeInfo", answer)
            codes = [*known[:30], "NONEUSDT", *known[30:]]
            assert sorted(await adapter.fetch_trading(codes)) == sorted(known)
            first = len(venue.of("GET", "/api/v3/exchangeInfo"))
            assert first <= 2 * 7 + 1  # 61 of them: six halvings
            assert sorted(await adapter.fetch_trading(codes)) == sorted(known)
            (asked,) = venue.of("GET", "/api/v3/exchangeInfo")[first:]
            assert json.loads(asked.query["symbols"]) == known
            assert list(await adapter.fetch_trading(["NONEUSDT"])) == []
            assert len(venue.of("GET", "/api/v3/exchangeInfo")) == first + 1
            assert isinstance(adapter, BinanceAdapter)
            adapter._unknown["NONEUSDT"] -= 601
            await adapter.fetch_trading(["NONEUSDT"])
            assert len(venue.of("GET", "/api/v3/exchangeInfo")) == first + 2

    run(main)


@pytest.mark.parametrize("how", ["answer", "look-up", "stream", "list"])
def test_whose_an_order_of_binance_is_is_asked_once_at_most(how: str) -> None:
    """``myTrades`` names the venue's id alone; what has told both before is remembered."""

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("POST", "/api/v3/order", value(BINANCE_ANSWER))
            venue.on("GET", "/api/v3/order", value(BINANCE_ORDER))
            venue.on("GET", "/api/v3/myTrades", value([BINANCE_TRADE]))
            if how == "answer":
                await adapter.place(order_of("binance"), admit)
            elif how == "look-up":
                await adapter.fetch_order("XRPUSDT", "a1")
            elif how == "stream":
                account = cast(AccountEvents, SimpleNamespace(on_order=lambda report: None))
                adapter._on_frame(execution(**BINANCE_EVENT, i=28, c="a1").encode(), account, cast(PrivateStream, None))
            asked = len(venue.of("GET", "/api/v3/order"))
            for _ in range(2):
                assert [fill.client_order_id for fill in await adapter.fetch_fills(0)] == ["a1"]
            assert len(venue.of("GET", "/api/v3/order")) - asked == (1 if how == "list" else 0)

    run(main)


def test_of_many_markets_only_those_that_were_traded_are_asked_for_fills() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("POST", "/api/v3/order", value(BINANCE_ANSWER))
            venue.on("GET", "/api/v3/myTrades", value([]))
            market = market_of("binance")
            for number in range(49):
                adapter.markets[f"C{number}USDT"] = market
            await adapter.fetch_fills(0)
            assert len(venue.of("GET", "/api/v3/myTrades")) == 50
            adapter.markets["C49USDT"] = market
            await adapter.fetch_fills(0)
            assert len(venue.of("GET", "/api/v3/myTrades")) == 50
            await adapter.place(order_of("binance"), admit)
            await adapter.fetch_fills(0)
            assert [asked.query["symbol"] for asked in venue.of("GET", "/api/v3/myTrades")[50:]] == ["XRPUSDT"]

    run(main)


def test_a_symbol_that_cannot_be_cancelled_is_told_after_every_other_was_tried() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/openOrders", value([OPEN, OPEN | {"symbol": "ADAUSDT"}]))
            venue.on("DELETE", "/api/v3/openOrders", value({"code": -1000, "msg": "?"}, 500), value([OPEN]))
            with pytest.raises(VenueFailed):
                await adapter.cancel_all()
            assert len(venue.of("DELETE", "/api/v3/openOrders")) == 2

    run(main)


@pytest.mark.parametrize("standing", [False, True])
@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_a_cancel_that_was_refused_is_done_where_the_order_has_ended(exchange: str, standing: bool) -> None:
    order = StandingOrder("KRW-XRP" if exchange == "upbit" else "XRPUSDT", "a1", "u1" if exchange == "upbit" else "28")
    path = "/v1/order" if exchange == "upbit" else "/api/v3/order"

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            refused = {"error": {"name": "a_name_of_tomorrow", "message": "x"}} if exchange == "upbit" else {"code": -2999, "msg": "x"}
            venue.on("DELETE", path, value(refused, 400))
            ended, stands = (UPBIT_ROW, STANDS) if exchange == "upbit" else (BINANCE_ORDER, OPEN)
            venue.on("GET", "/api/v3/myTrades", value([BINANCE_TRADE]))
            venue.on("GET", path, value(ended), value(stands))
            call = partial(adapter.cancel_standing, order) if standing else partial(adapter.cancel, order.code, "a1")
            await call()
            with pytest.raises(VenueFailed):
                await call()
            named = "identifier" if exchange == "upbit" else "origClientOrderId"
            assert [asked.query[named] for asked in venue.of("GET", path)] == ["a1", "a1"]

    run(main)


@pytest.mark.parametrize(
    ("exchange", "path", "row"),
    [
        ("upbit", "/v1/orders/open", STANDS | {"executed_volume": "NaN"}),
        ("binance", "/api/v3/openOrders", OPEN | {"executedQty": "NaN"}),
    ],
)
def test_an_open_order_of_nonsense_is_no_empty_list(exchange: str, path: str, row: dict[str, Any]) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("GET", path, value([row]))
            with pytest.raises(VenueFailed, match="cannot be read"):
                await adapter.fetch_open_orders()

    run(main)


def test_the_ids_of_the_newest_ten_thousand_orders_of_binance_are_remembered() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            assert isinstance(adapter, BinanceAdapter)
            for number in range(10_000):
                adapter._learn("XRPUSDT", number, f"a{number}")
            assert len(adapter._client_ids) == 10_000
            adapter._learn("XRPUSDT", 10_000, "a10000")
            assert len(adapter._client_ids) == 10_000
            assert next(iter(adapter._client_ids)) == ("XRPUSDT", 1)

    run(main)


def test_the_fills_of_the_newest_ten_thousand_ended_orders_of_a_won_venue_are_remembered() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            assert isinstance(adapter, UpbitAdapter)
            for number in range(10_001):
                adapter._remember(OrderReport("upbit", "a1", f"u{number}", OrderState.EXPIRED, Decimal(0)))
                if number == 9_999:
                    assert len(adapter._settled) == 10_000
            assert (len(adapter._settled), next(iter(adapter._settled))) == (10_000, "u1")

    run(main)
