"""The journal's own tables: what was recorded, once, and never changed behind its back."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import Adjusted, FillRecorded, OrderIntended, Transferred
from arbtui.model.errors import JournalFailed
from tests.journal.recorded import record, tables
from tests.journal.synthetic import SyntheticRun, whole_run


@pytest.mark.parametrize("change", ["UPDATE event SET payload = '{}'", "DELETE FROM event"])
def test_events_can_neither_be_changed_nor_deleted(tmp_path: Path, change: str) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError, match="events are never"):
        db.execute(change)


def test_a_fill_that_comes_again_keeps_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    first, changed = run.fill(0, 0)
    assert isinstance(first, FillRecorded)
    record(path, run.start(), [first, changed], run.fill(1, 0))
    live = tables(path)
    again = FillRecorded(first.fill, "other", 1, "recovery", first.ts_init + 1, {})
    record(path, [again], [first])
    assert tables(path) == live


def test_an_order_id_used_twice_stops_the_journal(tmp_path: Path) -> None:
    """Sending it would be sending twice: the gate must close instead."""
    intent = SyntheticRun().intents(0)[1]
    assert isinstance(intent, OrderIntended)
    with pytest.raises(JournalFailed, match="client_order_id"):
        record(tmp_path / "journal.db", [intent], [intent])


def test_flows_from_outside_are_listed_with_who_and_why(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    five = Decimal(5)
    record(
        path,
        [Adjusted("a", "Y", five, "took the venue's word", "operator", "me")],
        [Transferred("a", "b", "X", five, Decimal("4.9"), "by hand")],
    )
    with closing(sqlite3.connect(path)) as db:
        adjustments = db.execute("SELECT exchange, asset, change, reason, kind, by FROM adjustment").fetchall()
        transfers = db.execute("SELECT exchange, asset, change, reason FROM transfer").fetchall()
    assert adjustments == [("a", "Y", "5", "took the venue's word", "operator", "me")]
    assert transfers == [("a", "X", "-5", "by hand"), ("b", "X", "4.9", "by hand")]
