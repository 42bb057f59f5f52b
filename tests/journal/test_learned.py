"""What routes have taught, in the journal: written with a snapshot, replaced, read back, and bounded."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.journal import Journal
from arbtui.journal.learned import KEPT, LearnedRow, learned_rows, learned_statements
from arbtui.journal.reader import reading
from arbtui.journal.state import load
from arbtui.model.virtual_loop import run_virtual
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import FixedClock


def row(route: str, updated_ms: int = 7, slippage_bps: float = 1.5, realised: float | None = -0.25) -> LearnedRow:
    return LearnedRow(route, updated_ms, slippage_bps, 3, realised, 4, 5.5, (0.9, 0.8, 0.7, 0.6))


def write(path: Path, *snapshots: Sequence[LearnedRow]) -> None:
    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="sync", salt="salt")
        for learned in snapshots:
            await journal.snapshot({}, learned=learned)
        await journal.close()

    run_virtual(main())


def test_nothing_to_add_writes_nothing() -> None:
    assert learned_statements([]) == []


def test_what_a_snapshot_took_along_is_read_back_and_replaced_by_what_is_known_now(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, [row("b"), row("a", realised=None)], [row("b", 9, 2.5)])
    assert load(path).learned == [row("a", realised=None), row("b", 9, 2.5)]


def test_of_too_many_those_told_of_last_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    write(path)
    with closing(sqlite3.connect(path)) as db:
        for number in range(KEPT):
            db.execute(*learned_statements([row(f"r{number:05}", number)])[0])
        db.commit()
    write(path, [row("new", KEPT)])
    told = load(path).learned
    assert len(told) == KEPT
    assert {one.route for one in told} == {"new", *(f"r{number:05}" for number in range(1, KEPT))}


def test_a_journal_from_before_there_was_the_table_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path)
    tamper(path, "DROP TABLE learned")
    with reading(path) as db:
        assert learned_rows(db) == []
