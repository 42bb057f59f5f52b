"""Breaches: told at most once a minute for each cause and place."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from arbtui.model.clock import iso_ms
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.state import Repeats
from arbtui.risk.breach import Breach, Severity
from tests.execution.world import World, world


def test_a_breach_is_repeated_after_a_minute_and_places_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            book = w.engine.breaches

            def told(kind: str, scope: str, *, every_time: bool = False) -> bool:
                return book.record(Severity.WARN, kind, scope, "", "", every_time=every_time) is not None

            known = len(book._windows)
            for number in range(100):
                assert told("RESIDUAL", f"cycle {number}", every_time=True)
            assert told("IN_FLIGHT", "upbit")
            await asyncio.sleep(30)
            assert [told("IN_FLIGHT", "upbit"), told("IN_FLIGHT", "binance")] == [False, True]
            assert len(book._windows) == known + 102
            await asyncio.sleep(31)
            assert [told("IN_FLIGHT", "binance"), told("IN_FLIGHT", "upbit")] == [False, True]
            assert len(book._windows) == 2

    run_virtual(main())


async def _rows(w: World) -> list[dict[str, Any]]:
    await w.journal.commit()
    with closing(sqlite3.connect(w.journal.path)) as db:
        return [json.loads(row[0]) for row in db.execute("SELECT payload FROM event WHERE type = 'BreachRepeated' ORDER BY seq")]


def test_what_is_met_again_within_the_minute_is_counted_in_the_journal_with_one_row(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            book = w.engine.breaches
            for _ in range(1000):
                book.record(Severity.WARN, "IN_FLIGHT", "upbit", "seven", "denied")
                await asyncio.sleep(0.01)
            last_ms = w.clock.time_ms() - 10
            (breach,) = [one for one in book.breaches.values() if one.kind == "IN_FLIGHT"]
            assert book.counted(breach) == (999, last_ms)
            assert w.portfolio.state.repeats == {}
            await asyncio.sleep(60.0)  # nothing more is met: the minute ends by itself
            w.engine.housekeep()
            assert book.counted(breach) == (0, 0)
            assert await _rows(w) == [{"breach_id": breach.id, "times": 999, "last_ms": last_ms}]
            assert w.portfolio.state.repeats == {breach.id: Repeats(999, last_ms)}
            w.same_after_restart()
            (told,) = [row for row in read_ledger(w.journal.path)["breaches"] if row["kind"] == "IN_FLIGHT"]
            assert (told["repeats"], told["last"]) == (999, iso_ms(last_ms))

    run_virtual(main())


def test_a_count_is_written_before_the_breach_is_acknowledged_and_before_the_next_is_recorded(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            book = w.engine.breaches

            def met(*, every_time: bool = False) -> Breach | None:
                return book.record(Severity.WARN, "IN_FLIGHT", "upbit", "", "", every_time=every_time)

            first = met()
            met()
            assert first is not None
            assert book.acknowledge(first.id, "ann")
            met()
            second = met(every_time=True)
            assert second is not None
            met()
            met()
            book.end()
            book.end()  # nothing is counted twice
            counts = [(row["breach_id"], row["times"]) for row in await _rows(w)]
            assert counts == [(first.id, 1), (first.id, 1), (second.id, 2)]
            assert {key: told.times for key, told in w.portfolio.state.repeats.items()} == {first.id: 2, second.id: 2}
            w.same_after_restart()

    run_virtual(main())


def test_as_many_counts_are_remembered_as_breaches(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for number in range(600):
                for _ in range(2):
                    w.engine.breaches.record(Severity.WARN, "STALE", f"route {number}", "", "")
            w.engine.breaches.end()
            assert len(w.portfolio.state.repeats) == 500
            w.same_after_restart()

    run_virtual(main())


def test_a_flood_of_one_kind_is_a_few_lines_of_the_log_and_one_with_its_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            caplog.clear()
            for number in range(1000):
                w.engine.breaches.record(Severity.CRIT, "FLOOD", f"route {number}", "a limit was broken", "look")
                await asyncio.sleep(0.005)
            w.engine.breaches.record(Severity.WARN, "IN_FLIGHT", "upbit", "seven", "denied")
            await asyncio.sleep(10.0)
            w.engine.housekeep()
            lines = [line for line in caplog.messages if line.startswith("FLOOD")]
            assert lines[:20] == [f"FLOOD route {number}: a limit was broken (look)" for number in range(20)]
            more = "FLOOD: 980 more within 10 s, which the journal has; the last of route 999: a limit was broken (look)"
            assert lines[20:] == [more]
            assert caplog.messages.count("IN_FLIGHT upbit: seven (denied)") == 1
            w.engine.breaches.record(Severity.CRIT, "FLOOD", "route 0", "again", "look", every_time=True)
            assert caplog.messages[-1] == "FLOOD route 0: again (look)"
            assert [record.levelname for record in caplog.records if record.getMessage() == more] == ["CRITICAL"]

    run_virtual(main())


def _steps(work: Callable[[], object]) -> int:
    """How many instructions of Python ``work`` runs through: the same on every machine, however busy."""
    count = 0

    def step(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_the_thousandth_breach_costs_no_more_than_the_tenth(tmp_path: Path) -> None:
    """The loop that decides also records: in a flood of breaches that all wait for a person it must not slow down."""

    async def main() -> None:
        async with world(tmp_path) as w:

            def met(number: int) -> None:
                w.engine.breaches.record(Severity.CRIT, "FLOOD", f"route {number}", "a limit was broken", "look")

            for number in range(10):
                met(number)
            early = _steps(lambda: met(10))
            for number in range(11, 1000):
                met(number)
            late = _steps(lambda: met(1000))
            again = _steps(lambda: met(1000))
            assert late < 1.2 * early
            assert again < early / 4
            assert len([one for one in w.engine.breaches.breaches.values() if one.kind == "FLOOD"]) == 1001

    run_virtual(main())
