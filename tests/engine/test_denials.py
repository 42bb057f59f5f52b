"""Why not, over time: the time of each gap by what keeps us from it, and every order that the gate refuses."""

import asyncio
import sqlite3
import tracemalloc
from contextlib import closing
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.engine.denials import Denials
from arbtui.journal.denials import ALL_ROUTES, SPANS, DenialRow, denial_rows, denial_statements, read_denials
from arbtui.journal.events import BalanceOpened
from arbtui.journal.reader import reading
from arbtui.journal.schema import EVENT_TABLES
from arbtui.model.book import BookState
from arbtui.model.order import Order
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.views.live import EngineViews
from tests.execution.world import EXECUTION, FAIR, FUNDS, UPBIT_DEAR, World, world
from tests.journal.recorded import record
from tests.marketdata.frames import HandClock

ROUTE = "XRP:binance>upbit"
OFF = EXECUTION.model_copy(update={"enabled": False})
DAY_S = 86_400


def held(w: World, route: str = ROUTE) -> dict[str, tuple[float, int]]:
    """By reason: seconds and times of the last minute."""
    return {one.reason: (round(one.minute.seconds, 3), one.minute.times) for one in w.engine.denials.of_route(route)}


def test_a_gaps_time_goes_to_what_keeps_us_from_it_however_often_that_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.operator.toggle_pause()
            for _ in range(50):  # as many refusals, one denial
                w.show("upbit", UPBIT_DEAR)
                await asyncio.sleep(0.02)
            w.engine.operator.toggle_pause()
            w.show("upbit", UPBIT_DEAR)  # taken: from now on our own cycle is in the way, then the rest after it
            await w.engine.executor.quiet.wait()
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.3)
            w.show("upbit", FAIR["upbit"])
            found = held(w)
            assert found.keys() == {"PAUSED", "ROUTE_BUSY", "COOLDOWN"}
            assert found["PAUSED"] == (1.0, 1)
            assert found["COOLDOWN"] == (0.3, 1)
            assert found["ROUTE_BUSY"][1] == 1
            before = held(w)
            await asyncio.sleep(5.0)  # no gap, no denial
            assert held(w) == before == held(w, ALL_ROUTES)

    run_virtual(main())


def test_the_time_of_a_gap_that_goes_on_is_known_while_it_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(20.5)
            seconds, times = held(w)["DISABLED"]
            assert (19.0 <= seconds <= 20.5, times) == (True, 1)
            views = EngineViews(w.engine, "SIM", "", LogRing())
            (line,) = views.detail(ROUTE).why_not
            assert (line.reason, line.minute.times) == ("DISABLED", 1)
            assert [one.reason for one in views.denials()] == ["DISABLED"]

    run_virtual(main())


def test_every_step_is_a_whole_number_of_the_steps_of_the_next_shorter_span() -> None:
    steps = [step_ms for _, step_ms in SPANS.values()]
    assert [longer % shorter for shorter, longer in pairwise(steps)] == [0] * (len(steps) - 1)


@given(st.lists(st.tuples(st.integers(-90_000, 400_000), st.sampled_from([0.0, 0.25, 3.5]), st.sampled_from([0, 1])), max_size=40))
def test_reading_between_does_not_change_what_is_read_or_written(told: list[tuple[int, float, int]]) -> None:
    clock = HandClock(100.0 * DAY_S)
    asked, left = Denials(clock), Denials(clock)
    for ms, seconds, times in told:
        clock.now += ms / 1000
        for denials in (asked, left):
            denials.hold(ROUTE, Reason.COOLDOWN, seconds, times=times)
        asked.of_route(ROUTE)
        asked.of_route()
    assert asked.of_route(ROUTE) == left.of_route(ROUTE)
    assert asked.of_route() == left.of_route()
    assert asked.take(everything=True) == left.take(everything=True)


def test_a_gap_that_is_not_believed_any_more_counts_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=OFF) as w:
            w.show("upbit", UPBIT_DEAR)
            w.book("upbit").state = BookState.STALE
            w.engine.decider.on_books((w.book("upbit"),))
            assert held(w)["STALE"] == (0.0, 1)

    run_virtual(main())


def test_an_order_that_the_gate_keeps_back_counts_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:

            def kill(_: Order) -> None:
                w.halt.close("TEST", "", w.clock.time_ms())

            w.upbit.before_place = kill
            await w.trade()
            assert held(w)["HALTED"][1] >= 1
            assert held(w)["HALTED"][0] == 0.0

    run_virtual(main())


def test_denials_outlive_a_restart(tmp_path: Path) -> None:
    async def first() -> None:
        async with world(tmp_path, execution=OFF) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(2.0)
            w.show("upbit", FAIR["upbit"])
            assert held(w) == {"DISABLED": (2.0, 1)}
            await w.engine.snapshot(None)
            assert read_denials(w.journal.path, w.clock.time_ms())[0] == {
                "route": None,
                "reason": "DISABLED",
                **{span: {"seconds": 2.0, "times": 1} for span in SPANS},
            }

    async def again() -> None:
        async with world(tmp_path, execution=OFF) as w:
            assert held(w) == held(w, ALL_ROUTES) == {"DISABLED": (2.0, 1)}
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(1.0)
            w.show("upbit", FAIR["upbit"])
            await w.engine.snapshot(None)
            assert held(w) == {"DISABLED": (3.0, 2)}
            (row,) = [one for one in read_denials(w.journal.path, w.clock.time_ms()) if one["route"] == ROUTE]
            assert row["hour"] == {"seconds": 3.0, "times": 2}

    run_virtual(first())
    run_virtual(again())


@pytest.mark.parametrize(("span", "seconds"), [("minute", 60), ("hour", 3_600), ("day", DAY_S)])
def test_what_is_older_than_its_span_is_forgotten(span: str, seconds: int) -> None:
    clock = HandClock(1_767_225_600.0)
    denials = Denials(clock)
    denials.hold("r", Reason.NO_STOCK, 1.5, times=1)
    step_s = SPANS[span][1] / 1000
    clock.now += seconds - step_s
    assert getattr(denials.of_route("r")[0], span).seconds == 1.5
    clock.now += step_s
    assert [getattr(one, span).times for one in denials.of_route("r")] in ([0], [])


def test_the_table_holds_what_is_within_its_span_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, [BalanceOpened("upbit", "KRW", Decimal(5))])
    now = 1_767_225_600_000
    with closing(sqlite3.connect(path)) as db:
        for minutes in range(200):
            at = now + minutes * 60_000
            for sql, values in denial_statements([DenialRow("r", "STALE", 60_000, at, 1, 0.5)], at):
                db.execute(sql, values)
        db.commit()
    with reading(path) as db:
        rows = denial_rows(db)
    assert len(rows) == 60
    assert max(row.start_ms for row in rows) == now + 199 * 60_000
    (found,) = read_denials(path, now + 199 * 60_000)
    assert found["hour"] == {"seconds": 30.0, "times": 60}


def test_many_rows_are_written_a_few_hundred_at_once_and_all_at_the_end() -> None:
    clock = HandClock(0.0)
    denials = Denials(clock)
    for number in range(1_000):
        denials.hold(f"r{number}", Reason.NO_CASH, 1.0, times=1)
    first, rest = denials.take(), denials.take(everything=True)
    assert 500 <= len(first) < 510
    assert {row.route for row in (*first, *rest)} == {ALL_ROUTES, *(f"r{number}" for number in range(1_000))}
    assert list(denials.take()) == []


def test_a_journal_from_before_there_were_denials_has_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, [BalanceOpened("upbit", "KRW", Decimal(5))])
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE denial")
    assert read_denials(path, 1) == []
    with reading(path) as db:
        assert denial_rows(db) == []
    assert any("denial" in sql for sql in EVENT_TABLES)


def test_without_stock_it_says_so_for_as_long_as_the_gap_is_there(tmp_path: Path) -> None:
    async def main() -> None:
        funds = {**FUNDS, "upbit": {"KRW": Decimal(3_000_000), "XRP": Decimal(0)}}
        async with world(tmp_path, funds=funds) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.5)
            w.show("upbit", FAIR["upbit"])
            assert held(w) == {"NO_STOCK": (0.5, 1)}

    run_virtual(main())


def test_a_reason_that_is_rare_takes_little_memory() -> None:
    """New pairs of route and reason go on to come for hours: what each takes at once is what a long run grows by."""
    clock, pairs = HandClock(), 1_000
    tracemalloc.start()
    try:
        denials = Denials(clock)
        for number in range(pairs):
            denials.count(f"C{number}:binance>upbit", Reason.COOLDOWN)
        denials.take(everything=True)
        held_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held_bytes / pairs < 1_500


def test_no_pair_takes_more_than_its_spans_have_steps_though_the_clock_is_put_back_again_and_again() -> None:
    clock = HandClock(100.0 * DAY_S)
    denials = Denials(clock)
    for _ in range(90):
        for _ in range(50):
            clock.now += 601.0
            denials.count(ROUTE, Reason.COOLDOWN)
        clock.now -= 30_000.0 + DAY_S
        denials.count(ROUTE, Reason.COOLDOWN)
        (one,) = denials.of_route(ROUTE)
        assert (one.minute.times, one.day.times) >= (1, 1)
    numbers = sum(len(recent._steps) for recent in denials._of_route[ROUTE][Reason.COOLDOWN].spans)
    assert numbers <= 3 * sum(span_ms // step_ms for span_ms, step_ms in SPANS.values())
