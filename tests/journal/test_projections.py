"""Projections say what the events say: rebuilt from nothing they are the same, row for row, and a fill counts once."""

import sqlite3
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from arbtui.journal.events import Adjusted, BalanceRecorded, Event, FillRecorded, OrderIntended, Transferred
from arbtui.journal.journal import Journal
from arbtui.journal.rebuild import rebuild
from arbtui.journal.schema import PROJECTIONS
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.virtual_loop import run_virtual
from tests.journal.sequences import histories
from tests.journal.synthetic import FixedClock, SyntheticRun, whole_run


def record(path: Path, *groups: list[Event]) -> None:
    async def main() -> None:
        clock = FixedClock()
        journal = await Journal.open(path, clock=clock, door="sync", salt="salt")
        try:
            for group in groups:
                clock.now_ms += 7
                await journal.commit(*group)
        finally:
            await journal.close()

    run_virtual(main())


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as db:
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in PROJECTIONS}


@settings(max_examples=60, deadline=None)
@given(histories())
def test_rebuilding_from_the_events_alone_gives_every_row_again(history: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        record(path, *([event] for event in history))
        live = tables(path)
        assert rebuild(path) == len(history) + 1
        assert tables(path) == live


def test_rebuilding_mends_projections_that_were_tampered_with(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    live = tables(path)
    assert all(live[name] for name in PROJECTIONS if name not in ("adjustment", "transfer"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE fill SET qty = '99'")
        db.execute("DELETE FROM cycle")
        db.execute("DROP TABLE breach")
        db.commit()
    assert rebuild(path) > 0
    assert tables(path) == live


def test_a_rebuild_that_meets_an_event_of_a_newer_version_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO event (ts_ms, run_id, type, version, payload) VALUES (0, '', 'Killed', 2, '{}')")
        db.commit()
    live = tables(path)
    with pytest.raises(UsageError, match="newer version"):
        rebuild(path)
    assert tables(path) == live


@pytest.mark.parametrize("change", ["UPDATE event SET payload = '{}'", "DELETE FROM event"])
def test_events_can_neither_be_changed_nor_deleted(tmp_path: Path, change: str) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError, match="events are never"):
        db.execute(change)


def test_a_fill_that_comes_again_changes_nothing_not_even_balances(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    first, changed = run.fill(0, 0)
    assert isinstance(first, FillRecorded)
    record(path, run.start(), [first, changed], run.fill(1, 0))
    live = tables(path)
    old = tuple((exchange, asset, Decimal(1), Decimal(1)) for exchange, asset, _, _ in first.balances)
    again = FillRecorded(first.fill, "other", 1, "recovery", first.ts_init + 1, old)
    record(path, [again], [first])
    assert tables(path) == live


def test_an_order_id_used_twice_stops_the_journal(tmp_path: Path) -> None:
    """Sending it would be sending twice: the gate must close instead."""
    intent = SyntheticRun().intents(0)[1]
    assert isinstance(intent, OrderIntended)
    with pytest.raises(JournalFailed, match="client_order_id"):
        record(tmp_path / "journal.db", [intent], [intent])


def test_a_start_balance_is_the_first_recorded_unless_a_flow_came_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    five = Decimal(5)
    record(
        path,
        [BalanceRecorded("a", "X", five, Decimal(0), "start")],
        [Adjusted("a", "Y", five, "airdrop"), BalanceRecorded("a", "Y", five, Decimal(0), "check")],
        [Transferred("a", "b", "X", five, Decimal("4.9"), "by hand")],
        [BalanceRecorded("a", "X", Decimal(0), Decimal(0), "check"), BalanceRecorded("b", "X", Decimal("4.9"), Decimal(0), "check")],
    )
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT exchange, asset, start_free, free FROM balance ORDER BY 1, 2").fetchall()
        flows = db.execute("SELECT exchange, change FROM transfer").fetchall()
    assert rows == [("a", "X", "5", "0"), ("a", "Y", "0", "5"), ("b", "X", "0", "4.9")]
    assert flows == [("a", "-5"), ("b", "4.9")]
