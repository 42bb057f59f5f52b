"""What limits count over an hour or a day: as if everything were remembered, and after a restart as before it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.events import CycleState
from arbtui.model.money import ONE
from arbtui.model.order import Side
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.recent import RecentOrders, RecentResults, within_hour
from tests.portfolio.telling import Telling, fill_of, leg

HOUR_MS = 3_600_000
#: From one thing to the next: mostly close together, at times hours.
STEPS = st.one_of(st.integers(0, 2_000), st.integers(0, 90_000), st.integers(0, 30 * HOUR_MS))
PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}


@given(st.lists(STEPS, max_size=60), STEPS)
def test_orders_are_counted_as_if_all_were_remembered(steps: list[int], later: int) -> None:
    orders, sent, now = RecentOrders(), list[int](), 1_767_225_600_000
    for step in steps:
        now += step
        orders.add(now)
        sent.append(now)
    now += later
    day = sum(at // HOUR_MS > now // HOUR_MS - 24 for at in sent)
    assert orders.counts(now) == (sum(now - at < 1_000 for at in sent), sum(now - at < 60_000 for at in sent), day)
    assert len(orders.hours) <= 24


def test_of_a_steady_stream_of_orders_a_minute_and_a_day_are_kept_and_no_more() -> None:
    orders, start = RecentOrders(), 1_767_225_600_000
    for number in range(1_300):  # ten a second
        now = start + number * 100
        orders.add(now)
        assert len(orders.minute) == min(number + 1, 600)
        assert orders.counts(now) == (min(number + 1, 10), min(number + 1, 600), number + 1)
    orders = RecentOrders()
    for number in range(60):  # one an hour
        orders.add(start + number * HOUR_MS)
        assert len(orders.hours) == min(number + 1, 24)
        assert orders.counts(start + number * HOUR_MS + 2_000) == (0, 1, min(number + 1, 24))


def test_an_hour_ago_is_no_more_within_the_hour() -> None:
    now = 1_767_225_600_000
    times = [now - 2 * HOUR_MS, now - HOUR_MS, now - HOUR_MS + 1, now - 1, now]
    assert within_hour(times, now) == 3
    assert (within_hour([], now), within_hour(times, now + HOUR_MS - 1), within_hour(times, now + HOUR_MS)) == (0, 1, 0)


def test_of_steady_results_an_hour_of_minutes_and_a_day_of_hours_are_kept_and_no_more() -> None:
    """Every minute one more is lost: in an hour, 60 and what the running minute has lost; from the best of a day, 23 hours and that."""
    results, start = RecentResults(), 1_767_225_600_000
    for minute in range(1, 60 * 60):
        now = start + minute * 60_000
        results.add(now, Decimal(-minute))
        assert len(results.minutes) == min(minute, 61)
        assert results.lost_in_hour(now, float(-minute)) == min(minute, 61)
        hours = minute // 60
        assert len(results.best) == min(hours + 1, 24)
        best = 0 if hours < 24 else 1 - (hours - 23) * 60  # known just before the oldest of its hours began
        assert results.drawdown(now, float(-minute)) == minute + best


def test_f57_a_clock_that_is_put_back_keeps_the_days_orders_and_blocks_no_minute() -> None:
    orders, now = RecentOrders(), 1_767_225_600_000
    for number in range(30):
        orders.add(now + number * 100)
    back = now - 24 * HOUR_MS
    assert orders.counts(back) == (0, 0, 30)
    orders.add(back)
    assert orders.counts(back + 500) == (1, 1, 31)
    assert orders.counts(now + 3_000)[1:] == (30, 30), "of the minute that it was put back from"


@given(st.lists(st.tuples(STEPS, st.integers(-500, 500)), max_size=60), STEPS, st.integers(-500, 500))
def test_results_are_compared_as_if_all_were_remembered(told: list[tuple[int, int]], later: int, result: int) -> None:
    history, known, now = RecentResults(), [(0, Decimal(0))], 1_767_225_600_000
    for step, value in told:
        now += step
        history.add(now, Decimal(value))
        known.append((now, Decimal(value)))
    now += later

    def before(since: int) -> Decimal:
        return [value for at, value in known if at < since][-1]

    hour_ago, day = (now // 60_000 - 60) * 60_000, (now // HOUR_MS - 23) * HOUR_MS
    assert history.lost_in_hour(now, float(result)) == float(before(hour_ago)) - result
    # Of an hour without a word nothing is kept: the best counts from the last known value before the first hour that has one.
    first = next((at // HOUR_MS * HOUR_MS for at, _ in known if at >= day), None)
    best = known[-1][1] if first is None else max(before(first), *(value for at, value in known if at >= day))
    assert history.drawdown(now, float(result)) == float(best) - result
    assert (len(history.minutes) <= 61, len(history.best) <= 24) == (True, True)


def test_the_fold_counts_orders_parted_legs_and_results_and_a_snapshot_keeps_them() -> None:
    tell = Telling().start()
    tell.marks(PRICES, "day")
    for number, (bought_at, taken_back) in enumerate(((Decimal("2.0"), True), (Decimal("2.2"), False), (Decimal("2.2"), True))):
        cycle = f"c{number}"
        tell.open(cycle, leg(0, "binance", Side.BUY, Decimal(10), bought_at), leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000)))
        tell.fill(cycle, fill_of("binance", Side.BUY, Decimal(10), bought_at, f"b{number}", client_order_id=f"{cycle}-0"), PRICES)
        if not taken_back:
            sold = fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), f"s{number}", client_order_id=f"{cycle}-1")
            tell.fill(cycle, sold, PRICES)
        tell.end(cycle)
    again = Portfolio.load(tell.portfolio.dump())
    assert again.dump() == tell.portfolio.dump()
    for portfolio in (tell.portfolio, again):
        state, now_ms = portfolio.state, tell.now_ms
        assert state.orders.counts(now_ms) == (6, 6, 6)
        assert [cycle.state for cycle in state.cycles.values()] == [CycleState.RESIDUAL, CycleState.HEDGED, CycleState.RESIDUAL]
        assert len(state.routes["XRP:binance>upbit"].parted) == 2
        result = float(portfolio.result(PRICES))
        assert result == pytest.approx(-1.0)  # 1 earned with the first coins, and lost twice
        assert state.results.lost_in_hour(now_ms, result) == pytest.approx(1.0)
    tell.marks(PRICES)
    assert tell.portfolio.state.results.last == -1


def test_the_bounds_of_a_second_a_minute_an_hour_and_a_day_in_whole_steps() -> None:
    """A second and a minute reach back to just after their beginning; hours are whole ones, the running one and 23; ahead, a minute."""
    now = 1_767_225_600_000
    orders = RecentOrders([now - before_ms for before_ms in (60_000, 59_999, 1_000, 999, 0, -60_000, -60_001)])
    assert [orders.counts(at)[:2] for at in (now - 1, now, now + 1)] == [(3, 5), (3, 5), (3, 5)]
    assert orders.counts(now + 120_000)[:2] == (0, 1)
    day = RecentOrders()
    day.add(now)
    assert [day.counts(now + hours * HOUR_MS)[2] for hours in (0, 23, 24)] == [1, 1, 0]
    results = RecentResults()
    results.add(now, Decimal(9))
    results.add(now + HOUR_MS, Decimal(4))
    drawn = [results.drawdown(now + hours * HOUR_MS, 1.0) for hours in (1, 23, 24, 25)]
    assert drawn == [8.0, 8.0, 8.0, 3.0], "nine was the best until the second hour began, and known when it did"
    assert [results.lost_in_hour(now + minutes * 60_000, 1.0) for minutes in (0, 60, 61, 120, 121)] == [-1.0, -1.0, 8.0, 8.0, 3.0]
    results.add(now + 25 * HOUR_MS, Decimal(2))
    assert (list(results.best.values()), list(results.minutes.values())) == ([Decimal(4)], [Decimal(4)])
