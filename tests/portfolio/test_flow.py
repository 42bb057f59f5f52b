"""The runway: how long stock lasts at the measured flow, and what comes first."""

from decimal import Decimal
from math import exp, inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.events import RunStarted
from arbtui.model.money import ONE
from arbtui.model.order import Side
from arbtui.portfolio.flow import NO_FLOW, TIME_CONSTANT_S, Flow, Runway, TradingTime, runway
from arbtui.portfolio.portfolio import Portfolio
from tests.portfolio.telling import Telling, fill_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}


def test_a_place_without_flow_lasts_for_ever() -> None:
    assert runway(100.0, None, 60.0) is NO_FLOW
    assert NO_FLOW.hours == inf
    assert Runway(inf, inf, inf, 0.0, 0.0, None) == NO_FLOW


@pytest.mark.parametrize("hours", [0.05, 1.0, 10.0])
def test_a_steady_flow_is_measured_as_what_it_is_however_long_it_has_been_watched(hours: float) -> None:
    flow, now = Flow(), 0.0
    while now < hours * 3600:
        now += 10.0
        flow.add(-5.0, now)  # 1,800 an hour
    found = runway(3600.0, flow, now)
    assert found.out_per_hour == pytest.approx(1800, rel=0.06)
    assert found.hours == found.drain_hours == pytest.approx(2.0, rel=0.06)
    assert found.cycles == pytest.approx(720)
    assert found.refill_first == 0.0


def test_what_refills_it_lengthens_the_runway_and_a_flow_that_has_ended_is_forgotten() -> None:
    flow = Flow()
    for second in range(0, 3600, 10):
        flow.add(-5.0, float(second))
        if second % 20 == 0:
            flow.add(5.0, float(second))
    found = runway(900.0, flow, 3600.0)
    assert found.in_per_hour == pytest.approx(found.out_per_hour / 2, rel=0.01)
    assert found.hours == pytest.approx(2 * found.drain_hours, rel=0.02)
    later = runway(900.0, flow, 3600.0 + 20 * TIME_CONSTANT_S)
    assert later.hours == inf


def test_the_chance_of_a_refill_first_is_that_of_competing_arrivals() -> None:
    flow = Flow(out_qty=30.0, out_cycles=3.0, in_qty=10.0, in_cycles=1.0, at_s=3600.0)
    found = runway(40.0, flow, 3600.0)  # four cycles of ten
    rng = Random(1)
    lives = 20_000
    dry = sum(all(rng.expovariate(3.0) < rng.expovariate(1.0) for _ in range(4)) for _ in range(lives))
    assert found.refill_first is not None
    assert 1 - found.refill_first == pytest.approx(dry / lives, abs=0.01)


def test_a_flow_forgets_by_the_time_that_passed_and_counts_each_way_by_itself() -> None:
    flow = Flow()
    assert (flow.out_qty, flow.out_cycles, flow.in_qty, flow.in_cycles, flow.at_s) == (0.0,) * 5
    flow.add(-0.5, 100.0)
    flow.add(0.25, 100.0)
    assert (flow.out_qty, flow.out_cycles, flow.in_qty, flow.in_cycles, flow.at_s) == (0.5, 1.0, 0.25, 1.0, 100.0)
    flow.add(0.0, 100.0 + TIME_CONSTANT_S)  # nothing moved, and all before counts e times less
    kept = exp(-1)
    assert [flow.out_qty, flow.out_cycles] == pytest.approx([0.5 * kept, kept])
    assert [flow.in_qty, flow.in_cycles] == pytest.approx([0.25 * kept, kept])
    assert flow.at_s == 100.0 + TIME_CONSTANT_S
    flow.add(-2.0, 50.0)  # a clock that was set back forgets nothing
    assert [flow.out_qty, flow.out_cycles] == pytest.approx([0.5 * kept + 2.0, kept + 1.0])
    assert flow.at_s == 100.0 + TIME_CONSTANT_S
    barely = Flow(out_qty=8.0, at_s=10.0)
    barely.add(-1.0, 10.5)
    assert barely.out_qty == pytest.approx(8.0 * exp(-0.5 / TIME_CONSTANT_S) + 1.0, rel=1e-9)


def test_a_runway_in_exact_numbers() -> None:
    """Three cycles of 10 out and one of 10 in, just now, after one time constant: 1 - 1/e of the flow is in the sums."""
    flow = Flow(out_qty=30.0, out_cycles=3.0, in_qty=10.0, in_cycles=1.0, at_s=TIME_CONSTANT_S)
    measured_h = (1.0 - exp(-1.0)) * TIME_CONSTANT_S / 3600.0
    found = runway(40.0, flow, TIME_CONSTANT_S)
    assert found.out_per_hour == pytest.approx(30.0 / measured_h)
    assert found.in_per_hour == pytest.approx(10.0 / measured_h)
    assert found.hours == pytest.approx(40.0 / (20.0 / measured_h))
    assert found.drain_hours == pytest.approx(40.0 / (30.0 / measured_h))
    assert found.cycles == pytest.approx(4.0)
    assert found.refill_first == pytest.approx(1.0 - 0.75**4)
    later = runway(40.0, flow, 2 * TIME_CONSTANT_S)
    assert later.out_per_hour == pytest.approx(30.0 * exp(-1.0) * 3600.0 / ((1.0 - exp(-2.0)) * TIME_CONSTANT_S))
    assert later.cycles == pytest.approx(4.0)
    assert runway(-1.0, flow, TIME_CONSTANT_S).cycles == runway(-1.0, flow, TIME_CONSTANT_S).hours == 0.0
    even = Flow(out_qty=10.0, out_cycles=1.0, in_qty=10.0, in_cycles=1.0, at_s=TIME_CONSTANT_S)
    assert runway(40.0, even, TIME_CONSTANT_S).hours == inf
    assert runway(0.5, flow, TIME_CONSTANT_S).cycles == pytest.approx(0.05)
    little = Flow(out_qty=0.3, out_cycles=3.0, in_qty=0.1, in_cycles=1.0, at_s=TIME_CONSTANT_S)
    assert runway(0.4, little, TIME_CONSTANT_S).hours == pytest.approx(0.4 / (0.2 / measured_h))
    assert runway(0.4, little, TIME_CONSTANT_S).drain_hours == pytest.approx(0.4 / (0.3 / measured_h))
    assert runway(40.0, flow, 0.0) is NO_FLOW
    assert runway(40.0, Flow(10.0, 1.0, at_s=0.5), 0.5).cycles == pytest.approx(4.0)


def test_too_few_cycles_are_no_measurement() -> None:
    for cycles, measured in ((0.0499, False), (0.05, True)):
        found = runway(10.0, Flow(10.0 * cycles, cycles, 5.0, 1.0, TIME_CONSTANT_S), TIME_CONSTANT_S)
        assert (found.out_per_hour > 0.0, found.refill_first is not None) == (measured, measured)
        assert found.in_per_hour > 0.0
    assert runway(10.0, Flow(0.0, 1.0, 0.0, 0.0, 60.0), 60.0).hours == inf


def test_trading_time_begins_at_nothing_and_never_goes_back() -> None:
    time = TradingTime()
    assert (time.seconds(), time.seconds(500)) == (0.0, 0.5)
    time.start(5_000)
    assert (time.before_ms, time.seconds(), time.seconds(5_500)) == (0, 0.0, 0.5)
    time.last_ms = 4_000  # a clock that was set back
    assert time.seconds() == 0.0
    time.start(9_000)
    assert time.before_ms == 0
    time.last_ms = 9_250
    assert time.seconds(9_100) == 0.25


@given(
    changes=st.lists(st.tuples(st.floats(-100, 100), st.floats(0, 5000)), max_size=30),
    free=st.floats(-10, 1e6),
)
def test_a_runway_is_always_a_sensible_number(changes: list[tuple[float, float]], free: float) -> None:
    flow, now = Flow(), 1.0
    for change, passed in changes:
        now += passed
        flow.add(change, now)
    found = runway(free, flow, now)
    assert found.hours >= found.drain_hours >= 0.0
    assert found.out_per_hour >= 0.0
    assert found.in_per_hour >= 0.0
    assert found.refill_first is None or 0.0 <= found.refill_first <= 1.0


def test_only_time_in_which_runs_traded_counts() -> None:
    time = TradingTime()
    time.start(1_000_000)
    time.last_ms = 1_060_000
    time.start(9_000_000)  # the night in between is no trading time
    assert time.seconds() == 60.0
    assert time.seconds(9_030_000) == 90.0
    assert time.seconds(8_000_000) == 60.0  # a clock that was set back takes nothing away


def _hedged(tell: Telling, cycle_id: str, qty: int) -> None:
    tell.open(cycle_id, leg(0, "binance", Side.BUY, Decimal(qty), Decimal(2)), leg(1, "upbit", Side.SELL, Decimal(qty), Decimal(3000)))
    buy = fill_of("binance", Side.BUY, Decimal(qty), Decimal(2), f"b{cycle_id}", client_order_id=f"{cycle_id}-0")
    sell = fill_of("upbit", Side.SELL, Decimal(qty), Decimal(3000), f"s{cycle_id}", client_order_id=f"{cycle_id}-1")
    tell.fill(cycle_id, buy, PRICES)
    tell.fill(cycle_id, sell, PRICES)
    tell.end(cycle_id)


def test_hedged_cycles_are_the_flow_and_it_outlives_a_restart() -> None:
    tell = Telling().start()
    for number in range(4):
        tell.now_ms += 600_000
        _hedged(tell, f"c{number}", 10)
    tell.now_ms += 600_000
    lasts = tell.portfolio.runway("upbit", "XRP", tell.now_ms)
    assert lasts.cycles == pytest.approx(6.0)  # sixty are left, ten a cycle
    assert lasts.out_per_hour > 40.0 > lasts.hours > 0.5
    assert tell.portfolio.runway("binance", "XRP", tell.now_ms).hours == inf  # there it only comes in
    assert tell.portfolio.runway("binance", "USDT", tell.now_ms).cycles == pytest.approx(6.0)  # cash is stock, too
    again = Portfolio.load(tell.portfolio.dump())
    assert again.dump() == tell.portfolio.dump()
    assert again.runway("upbit", "XRP", tell.now_ms) == lasts
    started = RunStarted("r2", "p", "sim", 1, "0", "c", {}, "RECOVERING")
    tell.now_ms += 40_000_000  # a night without trading
    tell(started)
    assert tell.portfolio.runway("upbit", "XRP", tell.now_ms).cycles == pytest.approx(6.0)


def test_a_cycle_that_took_its_leg_back_is_no_flow() -> None:
    tell = Telling().start()
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2)))
    tell.end("c1")
    assert tell.portfolio.state.flows == {}
