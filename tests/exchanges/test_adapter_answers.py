"""What the adapters of the later venues make of answers: who is refused, what is left out and told, pages, windows, and private frames."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.bitget.adapter import BitgetAdapter
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.private_stream import PrivateStream, StreamEnded, StreamRefused
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.errors import VenueFailed, VenueRefused, WireError
from arbtui.model.market import FeeTakenIn
from arbtui.model.order import Balance, OrderState, TimeInForce
from tests.exchanges import test_requests_at_other_venues as venues
from tests.exchanges.bybit.test_orders import EXECUTION, KEY
from tests.exchanges.bybit.test_orders import ROW as BYBIT_ROW
from tests.exchanges.calls import Call
from tests.exchanges.scripted_venue import ScriptedVenue, adapter_of, order_of, scripted, value
from tests.exchanges.test_bithumb_adapter import CHANCE, TAKEN
from tests.exchanges.test_fills import Moment
from tests.exchanges.test_private_stream import FakeSocket, text
from tests.exchanges.test_requests_at_other_venues import (
    API,
    DAY_MS,
    NOW_MS,
    SPOT_API,
    V5,
    data,
    page,
    result,
    said,
    told,
)

Main = Callable[[ScriptedVenue, Any], Coroutine[Any, Any, None]]


def run(exchange: str, main: Main) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), scripted() as venue, adapter_of(venue, exchange) as adapter:
            await main(venue, adapter)

    asyncio.run(bounded())


def call_of(exchange: str, name: str) -> Call:
    (call,) = (one for one in venues.CALLS if (one.exchange, one.name) == (exchange, name))
    return call


def script(venue: ScriptedVenue, call: Call, changed: Mapping[tuple[str, str], Any] | None = None) -> None:
    spoiled = replace(call, answers={**call.answers, **(changed or {})})
    for place in spoiled.answers:
        venue.on(*place, *spoiled.replies(place))


# what is left out is told once

#: By venue: where its list of markets comes from, with an odd row in it, and the odd market's code.
ODD_LISTS: dict[str, tuple[tuple[str, str], Any, str]] = {
    "bybit": (("GET", "/v5/market/instruments-info"), page(venues.BYBIT_RULES, {"symbol": "ODD"}), "ODD"),
    "okx": (("GET", V5 + "public/instruments"), data(venues.OKX_INSTRUMENT, {"instId": "ODD"}), "ODD"),
    "bitget": (("GET", SPOT_API + "public/symbols"), told([venues.BITGET_SYMBOL, {"symbol": "ODD"}]), "ODD"),
    "bithumb": (("GET", "/v1/market/all"), [*venues.MARKETS, {"market": 7}], "7"),
    "coinone": (("GET", "/public/v2/markets/KRW"), said(markets=[venues.COINONE_MARKET, {"quote_currency": "KRW"}]), "KRW-?"),
}
OF_THE_ACCOUNT = {"okx": ("GET", V5 + "account/instruments")}


@pytest.mark.parametrize("exchange", [name for name in ODD_LISTS if name != "bithumb"])
@pytest.mark.parametrize("name", ["listed", "connect"])
def test_a_market_that_is_left_out_is_told_once(exchange: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    call = call_of(exchange, name)
    place, answer, code = ODD_LISTS[exchange]
    if name == "connect":
        place = OF_THE_ACCOUNT.get(exchange, place)

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        script(venue, call, {place: answer})
        adapter.odd["BEFORE"] = "known"
        for _ in range(2):
            assert await call.make(adapter) == call.gives
        assert set(adapter.odd) == {"BEFORE", code}
        left = [line for line in caplog.messages if "left out" in line]
        assert left == [f"{exchange}: 1 of its markets left out: {code}: {adapter.odd[code]}"]

    run(exchange, main)


def test_a_market_of_bithumb_without_a_price_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    call = call_of("bithumb", "listed")

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        script(venue, call, {("GET", "/v1/ticker"): [{"market": "KRW-XRP", "trade_price": 0}]})
        for _ in range(2):
            assert await call.make(adapter) == []
        assert [line for line in caplog.messages if "left out" in line] == ["bithumb: 1 of its markets left out: KRW-XRP: price 0"]

    run("bithumb", main)


def test_a_rule_of_bithumb_that_makes_no_sense_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    call = call_of("bithumb", "connect")

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        script(venue, call, {("GET", "/v1/orders/chance"): CHANCE | {"bid_fee": "2"}})
        assert await call.make(adapter) == []
        assert [line for line in caplog.messages if "left out" in line] == [
            f"bithumb: 1 of its markets left out: KRW-XRP: {adapter.odd['KRW-XRP']}"
        ]

    run("bithumb", main)


@pytest.mark.parametrize(
    ("exchange", "place", "answer"),
    [
        ("bybit", ("GET", "/v5/market/tickers"), page({"symbol": "XRPUSDT", "lastPrice": ""}, 7)),
        ("okx", ("GET", V5 + "market/tickers"), data({"instId": "XRP-USDT", "last": ""}, 7)),
        ("okx", ("GET", V5 + "market/tickers"), data({"instId": "XRP-USDT", "last": "x"}, {"instId": 7})),
    ],
)
def test_a_market_that_was_never_traded_has_no_price(exchange: str, place: tuple[str, str], answer: Any) -> None:
    call = call_of(exchange, "listed")

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        script(venue, call, {place: answer})
        ((_, _, price),) = await call.make(adapter)
        assert price == 0.0
        assert adapter.odd == {}

    run(exchange, main)


def test_an_odd_price_of_bitget_leaves_its_market_out() -> None:
    call = call_of("bitget", "listed")

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows = [{"symbol": "XRPUSDT", "lastPr": "much"}, {"symbol": "OTHER", "lastPr": "much"}, 7]
        script(venue, call, {("GET", SPOT_API + "market/tickers"): told(rows)})
        assert await call.make(adapter) == []
        assert list(adapter.odd) == ["XRPUSDT"]

    run("bitget", main)


# the venue's time


@pytest.mark.parametrize(
    ("exchange", "place", "answer"),
    [
        ("bybit", ("GET", "/v5/market/time"), {"retCode": 0, "time": "soon", "result": {}}),
        ("okx", ("GET", V5 + "public/time"), data({"ts": ""})),
        ("okx", ("GET", V5 + "public/time"), data({"ts": "0"})),
        ("okx", ("GET", V5 + "public/time"), data()),
        ("bitget", ("GET", API + "public/time"), told({"serverTime": "soon"})),
        ("bitget", ("GET", API + "public/time"), told({})),
        ("bitget", ("GET", API + "public/time"), told(7)),
    ],
)
def test_a_time_that_is_none_is_a_failure(exchange: str, place: tuple[str, str], answer: Any) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on(*place, value(answer))
        with pytest.raises(VenueFailed):
            await adapter.ping()
        assert adapter.clock_skew_ms is None

    run(exchange, main)


@pytest.mark.parametrize(
    ("exchange", "place", "answer"),
    [
        ("bybit", ("GET", "/v5/market/time"), {"retCode": 0, "time": NOW_MS, "result": {}}),
        ("okx", ("GET", V5 + "public/time"), data({"ts": str(NOW_MS)})),
        ("bitget", ("GET", API + "public/time"), told({"serverTime": str(NOW_MS)})),
    ],
)
def test_the_clocks_difference_is_measured(exchange: str, place: tuple[str, str], answer: Any) -> None:
    class Still(Moment):
        def monotonic(self) -> float:
            return 1.0

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        adapter._venue_clock._clock = Still(NOW_MS + 77)
        venue.on(*place, value(answer))
        await adapter.ping()
        assert adapter.clock_skew_ms == 77

    run(exchange, main)


# keys and accounts


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"perm": "read_only,withdraw,trade"}, "this key may withdraw"),
        ({"perm": "read_only, withdraw"}, "this key may withdraw"),
        ({"perm": "read_only"}, "this key may not trade"),
        ({"acctLv": "3"}, "a spot order may borrow"),
        ({"acctLv": "4"}, "a spot order may borrow"),
        ({"enableSpotBorrow": True}, "may borrow for spot orders"),
        ({"acctLv": "2"}, ""),
        ({"perm": "trade"}, ""),
    ],
)
def test_which_key_and_account_of_okx_are_refused(changed: Mapping[str, Any], words: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        script(venue, call_of("okx", "connect"), {("GET", V5 + "account/config"): data({**venues.OKX_CONFIG, **changed})})
        for check in (adapter.check_keys, adapter.check_account, adapter.connect):
            if words:
                with pytest.raises(VenueRefused, match=words):
                    await check()
            else:
                await check()

    run("okx", main)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"authorities": ["stow", "wwow"]}, "this key may withdraw"),
        ({"authorities": ["trade", "withdraw"]}, "this key may withdraw"),
        ({"authorities": ["stow", "wtow"]}, "this key may transfer between accounts"),
        ({"authorities": ["stow", "transfer"]}, "this key may transfer between accounts"),
        ({"authorities": ["stor"]}, "this key may not trade spot"),
        ({"authorities": []}, "this key may not trade spot"),
        ({"authorities": ["trade"]}, ""),
        ({"authorities": ["stow"]}, ""),
    ],
)
def test_which_key_of_bitget_is_refused(changed: Mapping[str, Any], words: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", SPOT_API + "account/info", value(told({**venues.BITGET_INFO, **changed})))
        if words:
            with pytest.raises(VenueRefused, match=words):
                await adapter.check_keys()
            assert adapter.account_names == ()
        else:
            await adapter.check_keys()
            assert adapter.account_names == ("uid 7",)

    run("bitget", main)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("exchange", "name", "place", "row", "field", "wrap"),
    [
        ("bybit", "connect", ("GET", "/v5/user/query-api"), KEY, "ips", lambda row: result(row)),
        ("okx", "connect", ("GET", V5 + "account/config"), venues.OKX_CONFIG, "ip", lambda row: data(row)),
        ("bitget", "connect", ("GET", SPOT_API + "account/info"), venues.BITGET_INFO, "ips", lambda row: told(row)),
    ],
)
def test_a_key_that_works_from_every_address_is_told(
    exchange: str, name: str, place: tuple[str, str], row: Any, field: str, wrap: Any, listed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    addresses: Any = {"bybit": ["1.2.3.4"] if listed else ["*"], "okx": "1.2.3.4" if listed else "", "bitget": "1.2.3.4" if listed else " "}

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        call = call_of(exchange, name)
        script(venue, call, {place: wrap({**row, field: addresses[exchange]})})
        await call.make(adapter)
        where = "listed addresses only" if listed else "every address"
        assert len([line for line in caplog.messages if "works from every address" in line]) == (0 if listed else 1)
        assert await adapter.check_keys() == f"may read and trade, cannot withdraw; works from {where}"

    run(exchange, main)


def test_a_key_of_bitget_without_a_list_of_addresses_works_from_everywhere() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", SPOT_API + "account/info", value(told({"userId": "7", "authorities": ["stow"]})))
        assert (await adapter.check_keys()).endswith("works from every address")

    run("bitget", main)


@pytest.mark.parametrize(("status", "refused"), [(1, True), (2, False), (3, False), (6, False)])
def test_a_classic_account_of_bybit_is_refused(status: int, refused: bool) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", "/v5/account/info", value(result({"unifiedMarginStatus": status})))
        if refused:
            with pytest.raises(VenueRefused, match="no unified trading account"):
                await adapter.check_account()
        else:
            await adapter.check_account()

    run("bybit", main)


# fees


@pytest.mark.parametrize(("switch", "taken_in", "coin"), [("on", FeeTakenIn.COIN, "BGB"), ("off", FeeTakenIn.RECEIVED, "")])
def test_the_fees_of_bitget_are_the_accounts_own(switch: str, taken_in: FeeTakenIn, coin: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        script(venue, call_of("bitget", "connect"), {("GET", SPOT_API + "account/deduct-info"): told({"deduct": switch})})
        await adapter.connect()
        (market,) = adapter.markets.values()
        assert (market.fees.taker, market.fees.maker, market.fees.taken_in, market.fees.coin) == (
            Decimal("0.0008"),
            Decimal("0.0002"),
            taken_in,
            coin,
        )

    run("bitget", main)


@pytest.mark.parametrize(("count", "asked"), [(2, 2), (3, 0)])
def test_of_many_markets_of_bitget_the_documented_fees_are_used(count: int, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.bitget.adapter._ASKED_ONE_BY_ONE", 2)

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        rows = [venues.BITGET_SYMBOL | {"symbol": f"C{number}USDT"} for number in range(count)]
        script(venue, call_of("bitget", "connect"), {("GET", SPOT_API + "public/symbols"): told(rows)})
        await adapter.connect()
        assert len(venue.of("GET", API + "common/trade-rate")) == asked
        assert {market.fees.taker for market in adapter.markets.values()} == {Decimal("0.0008" if asked else "0.002")}
        assert list(adapter.markets) == [f"C{number}USDT" for number in range(count)]

    run("bitget", main)


def test_a_rate_of_bitget_that_makes_no_sense_leaves_its_market_out() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        odd = told({"takerFeeRate": "2", "makerFeeRate": "0"})
        script(venue, call_of("bitget", "connect"), {("GET", API + "common/trade-rate"): odd})
        await adapter.connect()
        assert (adapter.markets, list(adapter.odd)) == ({}, ["XRPUSDT"])
        refused = {"code": "40034", "msg": "Parameter does not exist"}
        script(venue, call_of("bitget", "connect"))
        venue.on("GET", API + "common/trade-rate", value(refused, 400))
        adapter.odd.clear()
        await adapter.connect()
        assert (adapter.markets, list(adapter.odd)) == ({}, ["XRPUSDT"])

    run("bitget", main)


@pytest.mark.parametrize(("fee_type", "taken_in"), [("0", FeeTakenIn.RECEIVED), ("1", FeeTakenIn.QUOTE)])
def test_how_okx_takes_fees_is_a_setting_of_the_account(fee_type: str, taken_in: FeeTakenIn, caplog: pytest.LogCaptureFixture) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        leaving = venues.OKX_INSTRUMENT | {"expTime": "1704876947000"}
        other = leaving | {"instId": "ADA-USDT", "baseCcy": "ADA"}
        config = data(venues.OKX_CONFIG | {"feeType": fee_type})
        script(
            venue, call_of("okx", "connect"),
            {("GET", V5 + "account/config"): config, ("GET", V5 + "account/instruments"): data(leaving, other)},
        )  # fmt: skip
        await adapter.connect(["XRP-USDT", "NONE-USDT"])
        (market,) = adapter.markets.values()
        assert (market.fees.taken_in, market.fees.taker, market.fees.maker) == (taken_in, Decimal("0.001"), Decimal("0.0008"))
        assert [line for line in caplog.messages if "leaves" in line] == ["okx: XRP-USDT leaves the venue (expTime 1704876947000)"]
        await adapter.connect()
        assert list(adapter.markets) == ["XRP-USDT", "ADA-USDT"]

    run("okx", main)


# orders


@pytest.mark.parametrize(
    ("exchange", "place", "answer"),
    [
        ("bybit", ("POST", "/v5/order/create"), result({"orderId": "7", "orderLinkId": "b2"})),
        ("okx", ("POST", V5 + "trade/order"), data({"ordId": "o1", "clOrdId": "b2", "sCode": "0"})),
        ("bitget", ("POST", SPOT_API + "trade/place-order"), told({"orderId": "o1", "clientOid": "b2"})),
        ("bithumb", ("POST", "/v2/orders"), TAKEN | {"client_order_id": "b2"}),
    ],
)
def test_an_answer_about_another_order_leaves_ours_unknown(exchange: str, place: tuple[str, str], answer: Any) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on(*place, value(answer))
        with pytest.raises(WireError, match="of another order, b2"):
            await adapter._outcome(order_of(exchange), answer)

    run(exchange, main)


@pytest.mark.parametrize(
    ("exchange", "answer", "venue_order_id"),
    [
        ("bybit", result({"orderId": "7"}), "7"),
        ("bitget", told({"orderId": "o1"}), "o1"),
        ("bithumb", {"order_id": "C1", "market": "KRW-XRP"}, "C1"),
        ("coinone", said(order_id="C1"), "C1"),
    ],
)
def test_an_answer_need_not_name_the_order_that_it_answers(exchange: str, answer: Any, venue_order_id: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        order = order_of(exchange)
        order.tif = TimeInForce.GTC
        report = await adapter._outcome(order, answer)
        assert report == OrderReport(exchange, "a1", venue_order_id, OrderState.ACCEPTED, Decimal(0))

    run(exchange, main)


@pytest.mark.parametrize(
    ("tif", "words"),
    [
        (TimeInForce.IOC, {"bybit": "IOC", "okx": "ioc", "bitget": "ioc"}),
        (TimeInForce.FOK, {"bybit": "FOK", "okx": "fok", "bitget": "fok"}),
        (TimeInForce.GTC, {"bybit": "GTC", "okx": "limit", "bitget": "gtc"}),
    ],
)
@pytest.mark.parametrize(("exchange", "field"), [("bybit", "timeInForce"), ("okx", "ordType"), ("bitget", "force")])
def test_times_in_force_in_the_venues_words(tif: TimeInForce, words: Mapping[str, str], exchange: str, field: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        order = order_of(exchange)
        order.tif = tif
        call = call_of(exchange, "entry")
        script(venue, call)
        await adapter._submit(order, Lane.ENTRY, lambda: None)
        assert json.loads(venue.asked[-1].body)[field] == words[exchange]

    run(exchange, main)


# pages and windows


def test_pages_of_bybit_end_where_there_is_no_cursor_or_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.bybit.adapter._ORDERS_A_PAGE", 2)
    row = venues.BYBIT_OPEN

    def rows(count: int, cursor: str) -> Any:
        answer = page(*[row] * count)
        answer["result"]["nextPageCursor"] = cursor
        return value(answer)

    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        for replies, total, cursors in (
            ([rows(2, "")], 2, [None]),
            ([rows(1, "next")], 1, [None]),
            ([rows(2, "next"), rows(2, "last"), rows(0, "more")], 4, [None, "next", "last"]),
        ):
            venue.asked.clear()
            venue.on("GET", "/v5/order/realtime", *replies)
            assert len(await adapter.list_standing()) == total
            assert [asked.query.get("cursor") for asked in venue.asked] == cursors
        monkeypatch.setattr("arbtui.exchanges.bybit.adapter._MOST_PAGES", 3)
        venue.on("GET", "/v5/order/realtime", rows(2, "next"))
        venue.asked.clear()
        with pytest.raises(VenueFailed, match="more than 3 pages"):
            await adapter.list_standing()
        assert len(venue.asked) == 3

    run("bybit", main)


@pytest.mark.parametrize(
    ("since_ms", "starts"),
    [
        (NOW_MS + 60_000, [NOW_MS + 60_000]),  # the venue's clock may be a minute ahead
        (NOW_MS + 60_001, []),
        (NOW_MS - 7 * DAY_MS + 60_001, [NOW_MS - 7 * DAY_MS + 60_001]),
        (NOW_MS - 7 * DAY_MS + 60_000, [NOW_MS - 7 * DAY_MS + 60_000, NOW_MS + 60_000]),
        (0, [NOW_MS - 90 * DAY_MS + week * 7 * DAY_MS for week in range(13)]),
    ],
)
def test_fills_of_bybit_are_asked_for_week_by_week(since_ms: int, starts: list[int]) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        adapter._clock = Moment(NOW_MS)
        venue.on("GET", "/v5/execution/list", value(page()))
        assert await adapter.fetch_fills(since_ms) == []
        assert [int(asked.query["startTime"]) for asked in venue.asked] == starts
        assert all(int(asked.query["endTime"]) - int(asked.query["startTime"]) == 7 * DAY_MS for asked in venue.asked)

    run("bybit", main)


def test_fills_of_bybit_are_those_of_our_markets_from_the_time_asked_for_each_once() -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        adapter._clock = Moment(NOW_MS)

        def row(number: int, ms: int, **changed: Any) -> dict[str, Any]:
            return EXECUTION | {"execId": str(number), "execTime": str(ms)} | changed

        since_ms = NOW_MS - 8 * DAY_MS
        rows = [row(3, since_ms + 2), row(2, since_ms), row(1, since_ms - 1), row(4, since_ms + 1, symbol="ADAUSDT")]
        venue.on("GET", "/v5/execution/list", value(page(*rows)), value(page(*rows[:1], row(5, since_ms + 1))))
        assert [fill.trade_id for fill in await adapter.fetch_fills(since_ms)] == ["XRPUSDT:2", "XRPUSDT:5", "XRPUSDT:3"]

    run("bybit", main)


@pytest.mark.parametrize(("since_ms", "path"), [(NOW_MS - 3 * DAY_MS, "fills"), (NOW_MS - 3 * DAY_MS - 1, "fills-history")])
def test_fills_of_okx_of_the_last_three_days_are_in_the_short_list(since_ms: int, path: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        adapter._clock = Moment(NOW_MS)
        rows = [
            venues.OKX_TRADE | {"tradeId": str(number), "billId": str(number), "fillTime": str(since_ms + later), "instId": code}
            for number, later, code in ((3, 2, "XRP-USDT"), (2, 0, "XRP-USDT"), (1, -1, "XRP-USDT"), (4, 1, "ADA-USDT"))
        ]
        venue.on("GET", V5 + f"trade/{path}", value(data(*rows)))
        assert [fill.trade_id for fill in await adapter.fetch_fills(since_ms)] == ["XRP-USDT:2", "XRP-USDT:3"]

    run("okx", main)


@pytest.mark.parametrize(
    ("changed", "path"),
    [({"uTime": ""}, "fills"), ({"uTime": str(NOW_MS - 1)}, "fills"), ({"uTime": str(NOW_MS - 4 * DAY_MS)}, "fills-history")],
)
def test_fills_of_an_order_of_okx_are_where_its_time_says(changed: Mapping[str, str], path: str) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        adapter._clock = Moment(NOW_MS)
        venue.on("GET", V5 + "trade/order", value(data({**venues.OKX_ROW, **changed})))
        rows = [venues.OKX_TRADE | {"billId": str(number), **fields} for number, fields in enumerate(
            ({"fillTime": "2"}, {"fillTime": "1", "tradeId": "8"}, {"ordId": "o2", "tradeId": "9"})
        )]  # fmt: skip
        venue.on("GET", V5 + f"trade/{path}", value(data(*rows)))
        report = await adapter.fetch_order("XRP-USDT", "a1")
        assert report is not None
        assert [fill.trade_id for fill in report.fills] == ["XRP-USDT:8", "XRP-USDT:744876980"]

    run("okx", main)


@pytest.mark.parametrize("changed", [{"clOrdId": "b2"}, {"instId": "ADA-USDT"}])
def test_a_look_up_of_okx_that_finds_another_order_is_a_failure(changed: Mapping[str, str]) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", V5 + "trade/order", value(data({**venues.OKX_OPEN, **changed})))
        with pytest.raises(VenueFailed, match="asked for a1, got"):
            await adapter.fetch_order("XRP-USDT", "a1")
        venue.on("GET", V5 + "trade/order", value({"code": "51603", "msg": "Order does not exist", "data": []}))
        assert await adapter.fetch_order("XRP-USDT", "a1") is None

    run("okx", main)


# bitget's ids


def test_an_order_of_bitget_that_was_sent_is_looked_up_by_its_own_id_and_else_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.bitget.adapter._A_PAGE", 2)
    monkeypatch.setattr("arbtui.exchanges.bitget.adapter._PAGES_SEARCHED", 2)

    async def main(venue: ScriptedVenue, adapter: BitgetAdapter) -> None:
        adapter._clock = Moment(NOW_MS)
        other = venues.BITGET_OPEN | {"orderId": "o2", "clientOid": "b2"}
        info, unfilled, history = (SPOT_API + f"trade/{name}" for name in ("orderInfo", "unfilled-orders", "history-orders"))
        venue.on("GET", info, value(told([])))
        venue.on("GET", unfilled, value(told([other, venues.BITGET_OPEN])), value(told([])))
        found = await adapter.fetch_order("XRPUSDT", "a1")
        assert found is not None
        assert (found.venue_order_id, found.state) == ("o1", OrderState.ACCEPTED)
        venue.asked.clear()
        venue.on("GET", info, value(told([venues.BITGET_OPEN])))
        await adapter.fetch_order("XRPUSDT", "a1")
        assert [asked.query for asked in venue.asked] == [{"orderId": "o1"}], "its id was learned"
        # An order that was sent is searched for from ten seconds before on.
        order = order_of("bitget", client_order_id="c3")
        venue.on("POST", SPOT_API + "trade/place-order", value(told({"orderId": "o3", "clientOid": "c3"})))
        await adapter._submit(order, Lane.ENTRY, lambda: None)
        ended = venues.BITGET_OPEN | {"orderId": "o3", "clientOid": "c3", "status": "cancelled"}
        venue.on("GET", info, value(told([])))
        venue.on("GET", unfilled, value(told([])))
        venue.on("GET", history, value(told([other, other])), value(told([other, ended])))
        venue.asked.clear()
        found = await adapter.fetch_order("XRPUSDT", "c3")
        assert found is not None
        assert (found.venue_order_id, found.state) == ("o3", OrderState.EXPIRED), "it was sent as an immediate one"
        asked = [asked.query for asked in venue.of("GET", history)]
        first = {"symbol": "XRPUSDT", "limit": "2", "startTime": str(NOW_MS - 10_000)}
        assert asked == [first, {**first, "idLessThan": "o2"}]
        venue.on("GET", history, value(told([other, other])))
        with pytest.raises(VenueFailed, match=r"d4 is not among the newest 4 ended orders of XRPUSDT"):
            await adapter.fetch_order("XRPUSDT", "d4")
        venue.on("GET", history, value(told([other])))
        assert await adapter.fetch_order("XRPUSDT", "d4") is None

    run("bitget", main)


@pytest.mark.parametrize("changed", [{"clientOid": "b2"}, {"symbol": "ADAUSDT"}])
def test_a_look_up_of_bitget_that_finds_another_order_is_a_failure(changed: Mapping[str, str]) -> None:
    async def main(venue: ScriptedVenue, adapter: CcxtAdapter) -> None:
        venue.on("GET", SPOT_API + "trade/orderInfo", value(told([{**venues.BITGET_OPEN, **changed}])))
        with pytest.raises(VenueFailed, match="asked for a1, got"):
            await adapter.fetch_order("XRPUSDT", "a1")

    run("bitget", main)


def test_whose_a_fill_of_bitget_is_is_asked_once() -> None:
    async def main(venue: ScriptedVenue, adapter: BitgetAdapter) -> None:
        adapter._clock = Moment(NOW_MS)
        trades = [
            venues.BITGET_TRADE | {"tradeId": "t1", "orderId": "o1", "cTime": "9"}, venues.BITGET_TRADE | {"tradeId": "t2", "cTime": "8"},
            venues.BITGET_TRADE | {"tradeId": "t3", "orderId": "o9", "cTime": "10"}, venues.BITGET_TRADE | {"tradeId": "t4", "cTime": "7"},
            venues.BITGET_TRADE | {"tradeId": "t5", "cTime": "9", "symbol": "ADAUSDT"},
        ]  # fmt: skip
        venue.on("GET", SPOT_API + "trade/fills", value(told(trades)))
        venue.on("GET", SPOT_API + "trade/orderInfo", value(told([venues.BITGET_ROW])), value(told([])))
        for _ in range(2):
            fills = await adapter.fetch_fills(8)
            assert [(fill.trade_id, fill.client_order_id) for fill in fills] == [("t2", "a1"), ("t1", "a1"), ("t3", "")]
        assert [asked.query for asked in venue.of("GET", SPOT_API + "trade/orderInfo")] == [{"orderId": "o1"}, {"orderId": "o9"}]

    run("bitget", main)


def test_of_so_many_ids_of_bitget_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.bitget.adapter._REMEMBERED", 2)

    async def main(venue: ScriptedVenue, adapter: BitgetAdapter) -> None:
        for number in range(4):
            adapter._learn(f"o{number}", f"a{number}")
        adapter._learn("o9", "")
        assert (list(adapter._client_ids), list(adapter._ids)) == (["o3", "o9"], ["a2", "a3"])
        venue.on("POST", SPOT_API + "trade/place-order", value(venues.BITGET_PLACED))
        for number in range(3):
            await adapter._submit(order_of("bitget", client_order_id=f"c{number}"), Lane.ENTRY, lambda: None)
        assert list(adapter._sent) == ["c1", "c2"]

    run("bitget", main)


def test_markets_of_bitget_for_bitcoin_are_listed_where_its_price_is_known() -> None:
    async def main(venue: ScriptedVenue, adapter: BitgetAdapter) -> None:
        cross = venues.BITGET_SYMBOL | {"symbol": "XRPBTC", "quoteCoin": "BTC"}
        venue.on("GET", SPOT_API + "public/symbols", value(told([venues.BITGET_SYMBOL, cross])))
        tickers = SPOT_API + "market/tickers"
        venue.on(
            "GET", tickers, value(told([{"symbol": "BTCUSDT", "lastPr": "60000"}])), value(told([{"symbol": "BTCUSDT", "lastPr": "0"}]))
        )
        assert list(await adapter.fetch_trading(["XRPBTC"])) == ["XRPUSDT", "XRPBTC"]
        assert list(await adapter.fetch_trading(["XRPBTC"])) == ["XRPUSDT"]
        assert list(await adapter.fetch_trading(["XRPUSDT"])) == ["XRPUSDT"]
        assert [asked.query for asked in venue.of("GET", tickers)] == [{"symbol": "BTCUSDT"}] * 2
        adapter.quotes = ("USDT", "USDC", "BTC")
        venue.on(
            "GET", tickers, value(told([{"symbol": "BTCUSDT", "lastPr": "60000"}])), value(told([{"symbol": "XRPBTC", "lastPr": "1"}]))
        )
        assert {code: one.price for code, one in (await adapter.listed()).items()} == {"XRPUSDT": 0.0, "XRPBTC": 1.0}

    run("bitget", main)


# the private streams


def subscribing(exchange: str, *frames: Any) -> tuple[list[Any], list[bytes], Exception | None]:
    """What is sent while the venue says ``frames`` one after the other, with how many it had said; what is passed on; how it ended."""
    sent: list[Any] = []
    taken: list[bytes] = []

    class Socket(FakeSocket):
        async def send_str(self, said: str) -> None:
            sent.append((len(frames) - self._messages.qsize(), json.loads(said)))

        async def send_json(self, said: Any) -> None:
            await self.send_str(json.dumps(said))

    async def main() -> Exception | None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            adapter.client.signing.stream_login = lambda: {"signed": 1}  # type: ignore[method-assign]
            socket = Socket(*(text(json.dumps(frame)) for frame in frames))
            try:
                async with asyncio.timeout(5.0):
                    await adapter._subscribe(cast(Any, socket), taken.append)
            except (TimeoutError, WireError) as error:
                return error
            return None

    return sent, taken, asyncio.run(main())


OKX_ARGS = [{"channel": "orders", "instType": "SPOT"}, {"channel": "account", "extraParams": '{"updateInterval": "0"}'}]
BITGET_ARGS = [
    {"instType": "SPOT", "channel": "orders", "instId": "default"}, {"instType": "SPOT", "channel": "account", "coin": "default"},
]  # fmt: skip
BYBIT_ARGS = ["order.spot", "execution.spot", "wallet"]


@pytest.mark.parametrize(
    ("exchange", "logged_in", "subscribed", "times", "login", "args"),
    [
        ("okx", {"event": "login", "code": "0"}, {"event": "subscribe", "arg": {"channel": "orders"}}, 2, [{"signed": 1}], OKX_ARGS),
        ("bitget", {"event": "login", "code": 0}, {"event": "subscribe", "arg": {"channel": "orders"}}, 2, [{"signed": 1}], BITGET_ARGS),
        ("bybit", {"op": "auth", "success": True}, {"op": "subscribe", "success": True}, 1, None, BYBIT_ARGS),
    ],
)
def test_a_stream_subscribes_once_its_login_is_confirmed_and_is_open_once_that_is(
    exchange: str, logged_in: Any, subscribed: Any, times: int, login: Any, args: Any
) -> None:
    before = {"okx": {"event": "notice"}, "bitget": {"arg": {"channel": "x"}, "data": []}, "bybit": {"topic": "x", "data": []}}[exchange]
    sent, taken, error = subscribing(exchange, before, logged_in, before, *[subscribed] * times)
    first = {"signed": 1} if login is None else {"op": "login", "args": login}
    assert sent == [(0, first), (2, {"op": "subscribe", "args": args})]
    assert (taken, error) == ([json.dumps(before).encode()] * 2, None)


@pytest.mark.parametrize(
    ("exchange", "frames"),
    [
        ("okx", [{"event": "error", "code": "60009", "msg": "no"}]),
        ("okx", [{"event": "login", "code": "0"}, {"event": "error", "code": "60012", "msg": "no"}]),
        ("bitget", [{"event": "error", "code": 30005, "msg": "no"}]),
        ("bitget", [{"event": "login", "code": 0}, {"event": "error", "code": 30001, "msg": "no"}]),
        ("bybit", [{"op": "auth", "success": False, "ret_msg": "no"}]),
        ("bybit", [{"op": "auth", "success": True}, {"op": "subscribe", "success": False, "ret_msg": "no"}]),
        ("binance", [{"id": "1", "status": 401, "error": {"code": -2015, "msg": "no"}}]),
    ],
)
def test_a_stream_that_is_refused_is_none(exchange: str, frames: list[Any]) -> None:
    _, _, error = subscribing(exchange, *frames)
    assert isinstance(error, StreamRefused)


def test_binances_stream_is_open_once_it_is_answered() -> None:
    sent, taken, error = subscribing("binance", {"event": {"e": "x"}}, {"id": "1", "status": 200, "result": {}})
    assert sent == [(0, {"id": "1", "method": "userDataStream.subscribe.signature", "params": {"signed": 1}})]
    assert (taken, error) == ([b'{"event": {"e": "x"}}'], None)


class Heard:
    """An account that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_order(self, report: OrderReport) -> None:
        self.told.append((report.client_order_id, report.state, len(report.fills)))

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        self.told.append((exchange, sorted(balances)))

    def on_announcement(self, said: Announcement) -> None:
        self.told.append(said)


def heard(exchange: str, *frames: Any) -> tuple[list[Any], list[str], list[str]]:
    """What an account hears of frames, whose end was told to who waits for it, and how often the stream was to be renewed."""
    account, ends, renewed = Heard(), list[str](), list[str]()

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            outcomes = SimpleNamespace(on_report=lambda report: ends.append(report.client_order_id))
            if hasattr(adapter, "_outcomes"):
                adapter._outcomes = outcomes
            stream = SimpleNamespace(renew=lambda: renewed.append("renew"))
            for frame in frames:
                raw = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
                adapter._on_frame(raw, cast(AccountEvents, account), cast(PrivateStream, stream))

    asyncio.run(main())
    return account.told, ends, renewed


def test_private_frames_of_bybit() -> None:
    order = BYBIT_ROW | {"category": "spot"}
    frames = [
        {"topic": "order.spot", "data": [order]}, {"topic": "execution.spot", "data": [EXECUTION | {"category": "spot"}]},
        {"topic": "wallet", "data": [{"coin": [{"coin": "XRP", "walletBalance": "1"}]}]}, {"topic": "other", "data": [7]},
        {"op": "pong"},
    ]  # fmt: skip
    assert heard("bybit", *frames) == (
        [("a1", OrderState.EXPIRED, 0), ("a1", OrderState.PARTIALLY_FILLED, 1), ("bybit", ["XRP"])],
        ["a1"],
        [],
    )


def test_private_frames_of_okx() -> None:
    from tests.exchanges.test_order_rows import OKX_PUSH

    balances = {"details": [{"ccy": "XRP", "availBal": "1", "frozenBal": "0"}]}
    frames = [
        {"arg": {"channel": "orders"}, "data": [OKX_PUSH, {**OKX_PUSH, "instType": "SWAP"}, OKX_PUSH]},
        {"arg": {"channel": "account"}, "data": [balances]}, {"arg": {"channel": "other"}, "data": [7]},
        {"event": "notice", "code": "64008"}, {"event": "notice", "code": "1"}, {"event": "other", "code": "64008"}, b"pong",
    ]  # fmt: skip
    told, ends, renewed = heard("okx", *frames)
    assert told == [("a1", OrderState.PARTIALLY_FILLED, 1)] * 2 + [("okx", ["XRP"])]
    assert (ends, renewed) == (["a1", "a1"], ["renew"])
    with pytest.raises(StreamEnded, match="too many connections"):
        heard("okx", {"event": "channel-conn-count-error"})


def test_private_frames_of_bitget() -> None:
    from tests.exchanges.test_order_rows import BITGET_EVENT

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "bitget") as adapter:
            assert isinstance(adapter, BitgetAdapter)
            account = Heard()
            nameless = {name: told for name, told in BITGET_EVENT.items() if name != "clientOid"} | {"orderId": "o9"}
            for frame in (
                {"arg": {"channel": "orders"}, "data": [BITGET_EVENT, nameless]},
                {"arg": {"channel": "account"}, "data": [{"coin": "XRP", "available": "1", "frozen": "0"}]},
                {"arg": {"channel": "other"}, "data": [7]}, {"event": "subscribe", "arg": {"channel": "orders"}},
            ):  # fmt: skip
                adapter._on_frame(json.dumps(frame).encode(), cast(AccountEvents, account), cast(PrivateStream, None))
            assert account.told == [("a1", OrderState.PARTIALLY_FILLED, 1), ("", OrderState.PARTIALLY_FILLED, 1), ("bitget", ["XRP"])]
            assert adapter._client_ids == {"o1": "a1"}, "what has no name of ours is asked for"

    asyncio.run(main())


def test_a_notice_of_a_venue_that_was_asked_for_none_is_passed_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    assert heard("bithumb", {"type": "announcement"}) == ([], [], [])
    assert caplog.messages == ["bithumb: a notice cannot be read (announcement: none was asked for); read it at the venue"]
