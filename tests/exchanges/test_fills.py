"""A fill is the same fill, field by field, whichever way a venue tells it; and it is one with its optional fields missing."""

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import read
from arbtui.exchanges.binance import orders as binance
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.upbit import orders as upbit
from arbtui.exchanges.won import orders as won
from arbtui.model.clock import SystemClock
from arbtui.model.errors import OrderUnknown, VenueFailed, WireError
from arbtui.model.market import FeeTakenIn
from arbtui.model.order import Fill, OrderState, Side
from tests.exchanges.scripted_venue import BINANCE_XRP, UPBIT_XRP, ScriptedVenue, adapter_of, order_of, scripted, value
from tests.exchanges.test_venue_words import (
    BINANCE_ANSWER,
    UPBIT_ENDED,
    UPBIT_TAKEN,
    UPBIT_TRADE,
    execution,
    listening,
    run,
)

ABSENT = "absent"  #: instead of a value: the field is left out


def admit() -> None:
    """The gate says yes."""


def with_fields(row: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    return {key: data for key, data in {**row, **changed}.items() if data is not ABSENT}


# One trade of 7 XRP at 2.1399 USDT for order a1 (28 at the venue), trade 56, a fee of 0.007 XRP, at 1499405658657.
BINANCE_FILL = Fill(
    exchange="binance", trade_id="XRPUSDT:56", client_order_id="a1", venue_order_id="28", market="XRPUSDT", base="XRP", quote="USDT",
    side=Side.BUY, qty=Decimal(7), price=Decimal("2.1399"), cost=Decimal("14.9793"), fee=Decimal("0.007"), fee_currency="XRP",
    liquidity="taker", ts_event=1499405658657,
)  # fmt: skip
BINANCE_ORDER = {key: data for key, data in BINANCE_ANSWER.items() if key not in ("fills", "transactTime")}
BINANCE_TRADE = {
    "symbol": "XRPUSDT", "id": 56, "orderId": 28, "orderListId": -1, "price": "2.13990000", "qty": "7.00000000", "quoteQty": "14.97930000",
    "commission": "0.00700000", "commissionAsset": "XRP", "time": 1499405658657, "isBuyer": True, "isMaker": False, "isBestMatch": True,
}  # fmt: skip
BINANCE_EVENT = {
    "x": "TRADE", "X": "EXPIRED", "l": "7.00000000", "L": "2.13990000", "z": "7.00000000", "n": "0.00700000", "N": "XRP", "t": 56,
    "T": 1499405658657,
}  # fmt: skip
ANSWER_FILL = {"price": "2.13990000", "qty": "7.00000000", "commission": "0.00700000", "commissionAsset": "XRP", "tradeId": 56}


# One trade of 7 XRP at 2,999 KRW for order a1 (u1), trade t-1, a fee of 10.4965 KRW (5 bps), at 2024-03-18T09:19:50.421Z.
UPBIT_FILL = Fill(
    exchange="upbit", trade_id="t-1", client_order_id="a1", venue_order_id="u1", market="KRW-XRP", base="XRP", quote="KRW",
    side=Side.BUY, qty=Decimal(7), price=Decimal(2999), cost=Decimal(20993), fee=Decimal("10.4965"), fee_currency="KRW",
    liquidity="taker", ts_event=1710751590421,
)  # fmt: skip
UPBIT_ROW = UPBIT_ENDED | {
    "uuid": "u1", "created_at": "2024-03-18T17:46:30+09:00", "executed_volume": "7.0", "paid_fee": "10.4965", "trades_count": 1,
    "trades": [
        {"market": "KRW-XRP", "uuid": "t-1", "price": "2999.0", "volume": "7.0", "funds": "20993.0", "trend": "up",
         "created_at": "2024-03-18T17:46:30+09:00", "side": "bid"}
    ],
}  # fmt: skip
UPBIT_EVENT = json.loads(UPBIT_TRADE) | {
    "price": 2999.0, "volume": 7.0, "executed_volume": 7.0, "trade_fee": 10.4965, "paid_fee": 10.4965,
}  # fmt: skip


async def binance_answer(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    """The answer to the order itself. Its fills have the order's time."""
    venue.on("POST", "/api/v3/order", value(BINANCE_ANSWER | {"transactTime": 1499405658657, "fills": [ANSWER_FILL]}))
    return list((await adapter.place(order_of("binance"), admit)).fills)


async def binance_look_up(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    """By client id, as after an answer that was lost, and at the next start."""
    venue.on("GET", "/api/v3/order", value(BINANCE_ORDER))
    venue.on("GET", "/api/v3/myTrades", value([BINANCE_TRADE]))
    report = await adapter.fetch_order("XRPUSDT", "a1")
    assert report is not None
    return list(report.fills)


async def binance_list(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    """The list of fills, which names orders by the venue's id only."""
    venue.on("GET", "/api/v3/order", value(BINANCE_ORDER))
    venue.on("GET", "/api/v3/myTrades", value([BINANCE_TRADE]))
    return list(await adapter.fetch_fills(0))


async def binance_stream(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    async with listening(venue, adapter) as (ear, stream):
        await ear.after(execution(**BINANCE_EVENT), stream=stream)
        return list(ear.reports[0].fills)


async def upbit_answer(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    """The answer only says that the order was taken; its end is asked for."""
    venue.on("POST", "/v1/orders", value(UPBIT_TAKEN | {"uuid": "u1"}, 201))
    venue.on("GET", "/v1/order", value(UPBIT_ROW))
    return list((await adapter.place(order_of("upbit"), admit)).fills)


async def upbit_look_up(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    venue.on("GET", "/v1/order", value(UPBIT_ROW))
    report = await adapter.fetch_order("KRW-XRP", "a1")
    assert report is not None
    return list(report.fills)


async def upbit_list(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    """Closed orders, then each order's own fills."""
    closed = {key: data for key, data in UPBIT_ROW.items() if key != "trades"}
    venue.on("GET", "/v1/orders/closed", value([closed]))
    venue.on("GET", "/v1/orders/open", value([]))
    venue.on("GET", "/v1/order", value(UPBIT_ROW))
    return list(await adapter.fetch_fills(1710751590421 - 60_000))


async def upbit_stream(venue: ScriptedVenue, adapter: CcxtAdapter) -> list[Fill]:
    async with listening(venue, adapter) as (ear, stream):
        await ear.after(json.dumps(UPBIT_EVENT), stream=stream)
        return list(ear.reports[0].fills)


Source = Callable[[ScriptedVenue, CcxtAdapter], Awaitable[list[Fill]]]
SOURCES: list[Source] = [
    binance_answer, binance_look_up, binance_list, binance_stream, upbit_answer, upbit_look_up, upbit_list, upbit_stream,
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_every_source_tells_the_same_fill_field_by_field(source: Source) -> None:
    exchange = source.__name__.partition("_")[0]
    expected = {"binance": BINANCE_FILL, "upbit": UPBIT_FILL}[exchange]
    if exchange == "upbit" and source is not upbit_stream:
        expected = dataclasses.replace(expected, ts_event=1710751590000)  # REST has whole seconds

    async def main() -> None:
        # The list of Upbit's closed orders is walked from the time asked for until now, week by week: 90 days at most.
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            adapter._clock = Moment(1710751600000)
            fills = await source(venue, adapter)
            assert [dataclasses.asdict(fill) for fill in fills] == [dataclasses.asdict(expected)]

    run(main)


@dataclass
class Moment(SystemClock):
    """A wall clock that stands."""

    ms: int

    def time_ms(self) -> int:
        return self.ms


#: A market in which a maker would pay another rate, unlike Upbit's.
OTHER_MAKER = dataclasses.replace(UPBIT_XRP, fees=dataclasses.replace(UPBIT_XRP.fees, maker=Decimal("0.5")))


def binance_told(**changed: Any) -> Fill:
    """The fill of an executionReport with other fields."""
    event = json.loads(execution(**BINANCE_EVENT))["event"]
    raw = json.dumps(with_fields(event, **changed)).encode()
    report = binance.report_of_event(raw, {"XRPUSDT": BINANCE_XRP})
    (fill,) = report.fills
    return fill


def binance_answered(**changed: Any) -> Fill:
    """The fill of an order's answer with other fields."""
    answer = BINANCE_ANSWER | {"transactTime": 1499405658657, "fills": [with_fields(ANSWER_FILL, **changed)]}
    (fill,) = binance.report_of_answer(answer, BINANCE_XRP, 0).fills
    return fill


def binance_listed(**changed: Any) -> Fill:
    """The fill of a row of myTrades with other fields."""
    row = read(with_fields(BINANCE_TRADE, **changed), binance.TradeRow, "myTrades")
    return binance.fill_of_trade(row, BINANCE_XRP, "a1")


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
@pytest.mark.parametrize(
    ("told", "fee", "currency"),
    [(binance_told, "n", "N"), (binance_answered, "commission", "commissionAsset"), (binance_listed, "commission", "commissionAsset")],
    ids=["stream", "answer", "list"],
)
def test_binances_fee_that_is_not_told_is_the_documented_one_and_not_zero(
    told: Callable[..., Fill], fee: str, currency: str, missing: str | None
) -> None:
    assert told(**{fee: missing, currency: missing}) == BINANCE_FILL  # 10 bps of the coin that was bought
    assert told(**{fee: missing}) == BINANCE_FILL
    assert told(**{currency: missing}) == BINANCE_FILL  # an amount of nobody knows what
    # No commission is a fee too: of nothing.
    assert told(**{fee: "0", currency: missing}) == dataclasses.replace(BINANCE_FILL, fee=Decimal(0))
    bnb = told(**{fee: "0.00001234", currency: "BNB"})
    assert bnb == dataclasses.replace(BINANCE_FILL, fee=Decimal("0.00001234"), fee_currency="BNB")


@pytest.mark.parametrize(
    ("side", "taken_in", "fee", "currency"),
    [
        (Side.BUY, FeeTakenIn.RECEIVED, "0.007", "XRP"),
        (Side.SELL, FeeTakenIn.RECEIVED, "0.0149793", "USDT"),
        (Side.BUY, FeeTakenIn.QUOTE, "0.0149793", "USDT"),
        (Side.SELL, FeeTakenIn.QUOTE, "0.0149793", "USDT"),
    ],
)
def test_the_documented_fee_is_of_what_the_market_takes_it_in(side: Side, taken_in: FeeTakenIn, fee: str, currency: str) -> None:
    fees = dataclasses.replace(BINANCE_XRP.fees, taken_in=taken_in, maker=Decimal("0.5"))
    market = dataclasses.replace(BINANCE_XRP, fees=fees)
    row = read(with_fields(BINANCE_TRADE, commission=None, isBuyer=side is Side.BUY), binance.TradeRow, "myTrades")
    fill = binance.fill_of_trade(row, market, "a1")
    assert (fill.side, fill.fee, fill.fee_currency) == (side, Decimal(fee), currency)


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
@pytest.mark.parametrize("field", ["m", "C", "r"])
def test_binances_other_optional_fields_are_no_reason_to_lose_a_fill(field: str, missing: str | None) -> None:
    assert binance_told(**{field: missing}) == BINANCE_FILL


def test_a_maker_is_told_as_one_and_may_be_paid() -> None:
    assert binance_told(m=True).liquidity == binance_listed(isMaker=True).liquidity == "maker"
    assert binance_listed(isMaker=None).liquidity == "taker"
    assert binance_told(t=0).trade_id == "XRPUSDT:0"  # a symbol's first trade
    assert binance_told(n="-0.001", N="USDT").fee == Decimal("-0.001")


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
def test_an_answer_without_a_time_has_ours_and_one_without_fills_has_what_was_executed(missing: str | None) -> None:
    report = binance.report_of_answer(with_fields(BINANCE_ANSWER, transactTime=missing), BINANCE_XRP, 1_700_000_000_123)
    assert {fill.ts_event for fill in report.fills} == {1_700_000_000_123}
    report = binance.report_of_answer(with_fields(BINANCE_ANSWER, fills=missing), BINANCE_XRP, 0)
    assert (report.filled_qty, report.fills, report.state) == (Decimal(7), (), OrderState.EXPIRED)


@pytest.mark.parametrize(
    "changed",
    [
        {"t": -1},
        {"X": "ODD"},
        {"n": "NaN"},
        {"l": "NaN"},
        {"L": "-2"},
        {"l": "-7"},
        {"S": "LEFT"},
        {"T": None},
        {"l": None},
        {"L": ABSENT},
        {"i": None},
    ],
    ids=str,
)
def test_a_fill_of_nonsense_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        binance_told(**changed)


def upbit_report(**changed: Any) -> OrderReport:
    """What an order's row says with other fields; ``trade_*`` are those of its trade."""
    trade = {key.removeprefix("trade_"): changed.pop(key) for key in list(changed) if key.startswith("trade_")}
    row = with_fields(UPBIT_ROW, **changed)
    if trade:
        row["trades"] = [with_fields(row["trades"][0], **trade)]
    return won.report_of(read(row, upbit.OrderRow, "order"), OTHER_MAKER)


REST_FILL = dataclasses.replace(UPBIT_FILL, ts_event=1710751590000)


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
@pytest.mark.parametrize(
    "field", ["paid_fee", "remaining_volume", "created_at", "trades_count", "trade_funds", "trade_trend", "trade_created_at"]
)
def test_upbits_optional_fields_are_no_reason_to_lose_a_fill(field: str, missing: str | None) -> None:
    report = upbit_report(**{field: missing})
    assert (report.state, report.filled_qty) == (OrderState.EXPIRED, Decimal(7))
    assert report.fills == (REST_FILL,)  # a fee that is not told is 5 bps, and not zero


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
def test_upbits_order_without_its_trades_has_been_executed_all_the_same(missing: str | None) -> None:
    report = upbit_report(trades=missing)
    assert (report.state, report.filled_qty, report.fills) == (OrderState.EXPIRED, Decimal(7), ())
    other = upbit_report(identifier=missing, time_in_force=missing)
    assert (other.client_order_id, other.state) == ("", OrderState.CANCELED)
    assert other.fills == (dataclasses.replace(REST_FILL, client_order_id="", liquidity="maker"),)


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("trade_fee", {}),
        ("is_maker", {}),
        ("time_in_force", {}),
        ("identifier", {"client_order_id": ""}),
        ("smp_type", {}),
        ("error", {}),
        ("trade_timestamp", {"ts_event": 1710751597500}),
        ("trade_timestamp timestamp", {"ts_event": 0}),
    ],
)
def test_my_orders_optional_fields_are_no_reason_to_lose_a_fill(field: str, changed: dict[str, Any], missing: str | None) -> None:
    frame = json.dumps(with_fields(UPBIT_EVENT, **dict.fromkeys(field.split(), missing))).encode()
    assert upbit.kind_of(frame) == "myOrder"
    report = won.report_of_event(upbit.event_of(frame), {"KRW-XRP": OTHER_MAKER})
    assert report.fills == (dataclasses.replace(UPBIT_FILL, **changed),)


def test_a_negative_fee_of_upbit_is_what_a_maker_is_paid() -> None:
    frame = json.dumps(with_fields(UPBIT_EVENT, trade_fee=-1.5, is_maker=True)).encode()
    (fill,) = won.report_of_event(upbit.event_of(frame), {"KRW-XRP": OTHER_MAKER}).fills
    assert (fill.fee, fill.liquidity) == (Decimal("-1.5"), "maker")


@pytest.mark.parametrize("missing", [None, ABSENT], ids=["null", "absent"])
@pytest.mark.parametrize("field", ["trade_uuid", "price", "volume", "executed_volume", "ask_bid"])
def test_my_order_of_a_trade_without_what_makes_it_one_cannot_be_read(field: str, missing: str | None) -> None:
    with pytest.raises(WireError):
        won.report_of_event(upbit.event_of(json.dumps(with_fields(UPBIT_EVENT, **{field: missing})).encode()), {"KRW-XRP": UPBIT_XRP})


def test_my_order_and_execution_report_of_a_market_that_is_not_connected_tell_whose_order_it_is_and_no_fill() -> None:
    at_upbit = won.report_of_event(upbit.event_of(json.dumps(UPBIT_EVENT).encode()), {})
    here = won.report_of_event(upbit.event_of(json.dumps(UPBIT_EVENT).encode()), {"KRW-XRP": UPBIT_XRP})
    assert here.fills
    assert at_upbit == dataclasses.replace(here, fills=())
    event = json.dumps(json.loads(execution(**BINANCE_EVENT))["event"]).encode()
    known = binance.report_of_event(event, {"XRPUSDT": BINANCE_XRP})
    assert known.fills
    assert binance.report_of_event(event, {}) == dataclasses.replace(known, fills=())


def test_a_maker_of_my_order_and_an_ask_are_told_as_such() -> None:
    frame = json.dumps(with_fields(UPBIT_EVENT, is_maker=True, ask_bid="ASK")).encode()
    report = won.report_of_event(upbit.event_of(frame), {"KRW-XRP": UPBIT_XRP})
    assert report.fills == (dataclasses.replace(UPBIT_FILL, liquidity="maker", side=Side.SELL),)


@pytest.mark.parametrize(
    "changed",
    [{"trade_volume": "NaN"}, {"trade_price": "-1"}, {"trade_funds": "Infinity"}, {"trade_created_at": "noon"},
     {"trade_created_at": "2024-03-18T17:46:30"}, {"paid_fee": "NaN"}, {"executed_volume": "NaN"}, {"state": "odd"},
     {"side": "left"}],
    ids=str,
)  # fmt: skip
def test_an_order_of_nonsense_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        upbit_report(**changed)


def trade(number: int, price: str, volume: str) -> dict[str, Any]:
    funds = str(Decimal(price) * Decimal(volume))
    return {"uuid": f"t-{number}", "price": price, "volume": volume, "funds": funds, "created_at": f"2024-03-18T17:46:3{number}+09:00"}


ALL_THREE = [trade(1, "2999", "2"), trade(2, "3000", "4"), trade(3, "3001", "1")]  # 5,998, 12,000 and 3,001 KRW: 20,999
RATE = UPBIT_XRP.fees.taker


@pytest.mark.parametrize("told", [1, 2])
def test_upbits_fee_of_the_order_is_not_laid_on_the_trades_that_are_told_when_more_were_executed(told: int) -> None:
    report = upbit_report(trades=ALL_THREE[:told], paid_fee=str(Decimal(20_999) * RATE))
    assert report.filled_qty == 7  # what was executed, and not what the told trades add up to
    assert sum(fill.qty for fill in report.fills) < 7
    assert [fill.fee for fill in report.fills] == [Decimal(5998) * RATE, Decimal(12_000) * RATE][:told]


def test_upbits_fees_add_up_once_every_trade_is_told_and_each_is_the_same_as_before() -> None:
    before = upbit_report(trades=ALL_THREE[:2], paid_fee=str(Decimal(20_999) * RATE)).fills
    fills = upbit_report(trades=ALL_THREE[::-1], paid_fee=str(Decimal(20_999) * RATE)).fills
    assert [fill.trade_id for fill in fills] == ["t-1", "t-2", "t-3"]  # oldest first
    assert fills[:2] == before
    assert [fill.fee for fill in fills] == [Decimal(5998) * RATE, Decimal(12_000) * RATE, Decimal(3001) * RATE]


def test_upbits_fee_by_the_rate_is_each_trades_own_to_the_last_digit_and_trades_are_in_the_order_of_their_times() -> None:
    """Fees of 0.00018508234375 and 0.00037022625 KRW: a split of their sum would be rounded to eight places."""
    trades = [trade(1, "3000", "0.0002468175"), trade(2, "2999.5", "0.00012340875")]
    trades[0]["uuid"], trades[1]["uuid"] = "z", "a"
    value = sum((Decimal(each["funds"]) for each in trades), Decimal(0))
    report = upbit_report(executed_volume="0.00037022625", paid_fee=str(value * RATE), trades=trades[::-1])
    assert [(fill.trade_id, fill.fee) for fill in report.fills] == [(each["uuid"], Decimal(each["funds"]) * RATE) for each in trades]


def test_another_fee_than_the_rates_is_split_by_value_to_the_last_digit() -> None:
    fills = upbit_report(trades=ALL_THREE, paid_fee="7.00000001").fills
    assert [fill.fee for fill in fills[:2]] == [
        (Decimal("7.00000001") * part / 20_999).quantize(Decimal("1e-8")) for part in (Decimal(5998), Decimal(12_000))
    ]
    assert sum(fill.fee for fill in fills) == Decimal("7.00000001")
    assert [fill.fee for fill in upbit_report(trades=ALL_THREE, paid_fee="0").fills] == [0, 0, 0]  # told, and nothing


def test_fewer_trades_than_executed_are_asked_for_again_until_they_add_up() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            paid = str(Decimal(20_999) * RATE)
            venue.on("POST", "/v1/orders", value(UPBIT_TAKEN | {"uuid": "u1"}, 201))
            rows = [value(UPBIT_ROW | {"trades": ALL_THREE[:told], "paid_fee": paid}) for told in (0, 1, 3)]
            venue.on("GET", "/v1/order", *rows)
            report = await adapter.place(order_of("upbit"), admit)
            assert len(venue.of("GET", "/v1/order")) == 3
            assert [fill.qty for fill in report.fills] == [2, 4, 1]
            # The list of fills asks again too, and keeps only what is whole.
            closed = {key: data for key, data in UPBIT_ROW.items() if key != "trades"} | {"uuid": "u2"}
            adapter._clock = Moment(1710751600000)
            venue.on("GET", "/v1/orders/closed", value([closed]))
            venue.on("GET", "/v1/orders/open", value([]))
            venue.on("GET", "/v1/order", *(value(UPBIT_ROW | {"uuid": "u2", "trades": ALL_THREE[:told]}) for told in (1, 3)))
            asked = len(venue.of("GET", "/v1/order"))
            found = [len(await adapter.fetch_fills(1710751590000)) for _ in range(3)]
            assert found == [1, 3, 3]
            assert len(venue.of("GET", "/v1/order")) == asked + 2

    run(main)


def test_the_list_of_fills_asks_for_orders_that_rested_and_not_for_immediate_ones_of_long_before() -> None:
    """An immediate order has its fills within a second of its own time; one that rested may fill whenever it likes."""
    now_ms = 1710751600000  # 17:46:40 in Korea
    since_ms = now_ms - 10_000

    def row(uuid: str, tif: str | None, created_at: str) -> dict[str, Any]:
        closed = {key: data for key, data in UPBIT_ROW.items() if key != "trades"}
        return with_fields(closed, uuid=uuid, time_in_force=tif or ABSENT, created_at=created_at)

    rows = [
        row("old-ioc", "ioc", "2024-03-18T17:00:00+09:00"),
        row("old-gtc", None, "2024-03-18T17:00:00+09:00"),
        row("new-ioc", "ioc", "2024-03-18T17:46:35+09:00"),
        row("unfilled", None, "2024-03-18T17:46:35+09:00") | {"executed_volume": "0"},
        row("elsewhere", None, "2024-03-18T17:46:35+09:00") | {"market": "KRW-ADA"},
    ]

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            adapter._clock = Moment(now_ms)
            venue.on("GET", "/v1/orders/closed", value(rows))
            venue.on("GET", "/v1/orders/open", value([]))
            trades = [trade(number, "3000", "7") | {"created_at": f"2024-03-18T17:46:3{number}+09:00"} for number in (5, 6)]
            venue.on("GET", "/v1/order", *(value(row | {"trades": [one]}) for row, one in zip(rows[1:3], trades, strict=True)))
            fills = await adapter.fetch_fills(since_ms)
            assert [asked.query["uuid"] for asked in venue.of("GET", "/v1/order")] == ["old-gtc", "new-ioc"]
            assert [(fill.venue_order_id, fill.trade_id) for fill in fills] == [("old-gtc", "t-5"), ("new-ioc", "t-6")]

    run(main)


def test_a_fill_of_which_no_time_is_told_has_that_of_its_receipt() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            adapter._clock = Moment(1710751600123)
            timeless = [{key: data for key, data in each.items() if key != "created_at"} for each in ALL_THREE[:1]]
            row = {key: data for key, data in UPBIT_ROW.items() if key != "created_at"} | {"trades": [*timeless, *ALL_THREE[1:]]}
            venue.on("GET", "/v1/order", value(row))
            report = await adapter.fetch_order("KRW-XRP", "a1")
            assert report is not None
            assert [(fill.trade_id, fill.ts_event) for fill in report.fills] == [
                ("t-1", 1710751600123),
                ("t-2", 1710751592000),
                ("t-3", 1710751593000),
            ]

    assert won.ms_of(None) == won.ms_of("") == 0
    run(main)


def test_binances_answer_of_fewer_fills_than_executed_says_what_was_executed() -> None:
    report = binance.report_of_answer(BINANCE_ANSWER | {"fills": [ANSWER_FILL | {"qty": "3"}]}, BINANCE_XRP, 0)
    assert (report.filled_qty, [fill.qty for fill in report.fills]) == (Decimal(7), [Decimal(3)])


def test_an_answer_that_makes_no_sense_leaves_the_order_unknown_and_a_list_says_so() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("POST", "/api/v3/order", value(BINANCE_ANSWER | {"fills": [ANSWER_FILL | {"qty": "NaN"}]}))
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of("binance"), admit)
            venue.on("GET", "/api/v3/order", value(BINANCE_ORDER))
            venue.on("GET", "/api/v3/myTrades", value([BINANCE_TRADE | {"price": "NaN"}]))
            with pytest.raises(VenueFailed):
                await adapter.fetch_fills(0)

    run(main)


def test_a_rate_is_the_sum_of_its_parts_and_of_the_dearer_side() -> None:
    def part(maker: str, taker: str, buyer: str, seller: str) -> dict[str, str]:
        return {"maker": maker, "taker": taker, "buyer": buyer, "seller": seller}

    told = {
        "symbol": "XRPUSDT",
        "standardCommission": part("0.001", "0.002", "0.0003", "0.0001"),
        "specialCommission": part("0.01", "0.02", "0.003", "0.004"),
        "taxCommission": part("0.1", "0.2", "0", "0"),
    }
    commission = read(told, binance.Commission, "commission")
    assert (commission.maker, commission.taker) == (Decimal("0.1153"), Decimal("0.2263"))


@pytest.mark.parametrize(
    ("told", "paid"),
    [
        ({"enabledForAccount": True, "enabledForSymbol": True}, True),
        ({"enabledForAccount": True}, False),
        ({"enabledForSymbol": True}, False),
        ({}, False),
    ],
)
def test_fees_are_paid_in_bnb_where_both_the_account_and_the_symbol_say_so(told: dict[str, bool], paid: bool) -> None:
    row = {"symbol": "XRPUSDT", "standardCommission": {"maker": "0.001", "taker": "0.001"}, "discount": told}
    assert read(row, binance.Commission, "commission").is_paid_in_bnb is paid


def test_what_a_key_may_is_read_and_a_list_of_addresses_that_is_not_told_is_none() -> None:
    told = read({"enableWithdrawals": False, "enableSpotAndMarginTrading": True}, binance.KeyRestrictions, "apiRestrictions")
    assert (told.enableInternalTransfer, told.ipRestrict) == (False, False)


def test_a_frame_of_the_stream_is_an_event_an_answer_or_an_error() -> None:
    assert binance.event_of(b'{"id":"1","status":200,"result":{}}')[0] == "answer"
    assert binance.event_of(b'{"subscriptionId":0,"event":{"e":"balanceUpdate"}}') == ("balanceUpdate", b'{"e":"balanceUpdate"}')
    with pytest.raises(WireError, match="-1022"):
        binance.event_of(b'{"id":"1","status":400,"error":{"code":-1022,"msg":"Signature is not valid."}}')
    for half in (b'{"id":"1","status":200,"error":{"code":-1022,"msg":"-1022"}}', b'{"id":"-1022","status":503}'):
        with pytest.raises(StreamRefused, match=r"-1022|503"):
            binance.event_of(half)
    with pytest.raises(WireError, match="neither an event nor an answer"):
        binance.event_of(b"{}")


@pytest.mark.parametrize("reads", [upbit.kind_of, upbit.subscribed])
def test_an_error_of_upbits_stream_is_one_whichever_frame_is_waited_for(reads: Callable[[bytes], object]) -> None:
    with pytest.raises(StreamRefused) as refused:
        reads(b'{"error":{"name":"WRONG_FORMAT","message":"Format is wrong"}}')
    assert (refused.value.code, refused.value.message, refused.value.status) == ("WRONG_FORMAT", "Format is wrong", None)


def test_the_list_of_subscriptions_is_told_from_other_frames() -> None:
    listed = b'{"method":"LIST_SUBSCRIPTIONS","result":[{"type":"myOrder"},{"type":"myAsset"}]}'
    assert upbit.subscribed(listed) == frozenset({"myOrder", "myAsset"})
    assert upbit.subscribed(b'{"method":"LIST_SUBSCRIPTIONS"}') == frozenset()
    assert upbit.subscribed(json.dumps(UPBIT_EVENT).encode()) is None
    assert upbit.kind_of(b'{"status":"UP"}') == ""


@pytest.mark.parametrize(("told", "reason"), [("NONE", ""), (None, ""), ("INSUFFICIENT_BALANCES", "INSUFFICIENT_BALANCES")])
def test_why_an_order_was_rejected_is_told_where_there_is_a_reason(told: str | None, reason: str) -> None:
    event = json.dumps(json.loads(execution(**BINANCE_EVENT | {"x": "REJECTED", "X": "REJECTED", "r": told}))["event"]).encode()
    report = binance.report_of_event(event, {"XRPUSDT": BINANCE_XRP})
    assert (report.state, report.reason, report.fills) == (OrderState.REJECTED, reason, ())


def test_a_stream_goes_on_after_a_fill_without_a_fee() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter, listening(venue, adapter) as (ear, stream):
            await ear.after(execution(**BINANCE_EVENT | {"n": None, "N": None}), stream=stream)
            assert ear.reports[0].fills == (BINANCE_FILL,)
            assert ear.opened.empty()  # nothing had to be asked for anew

    run(main)
