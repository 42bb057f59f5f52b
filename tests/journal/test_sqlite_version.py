"""The versions of SQLite that can damage a write-ahead log, and why ours cannot make them do it."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from arbtui.journal.events import Killed
from arbtui.journal.journal import Journal
from arbtui.journal.reader import reading
from arbtui.journal.sqlite_version import has_wal_reset_fault, sqlite_facts
from tests.journal.synthetic import FixedClock


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_which_versions_have_the_fault(version: tuple[int, ...], fault: bool) -> None:
    assert has_wal_reset_fault(version) is fault


def test_what_is_told_is_of_the_library_that_is_used() -> None:
    assert sqlite_facts()["version"] == sqlite3.sqlite_version


def test_a_reader_can_neither_write_nor_reset_the_log(tmp_path: Path) -> None:
    """Even without the lock that it does not take: so there is one connection that does."""
    path = tmp_path / "sim" / "journal.db"

    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="aio")
        await journal.commit(Killed("KEY", "", 1))
        log = path.with_name("journal.db-wal").stat().st_size
        assert log > 0
        with reading(path) as db:
            for sql in ("PRAGMA wal_checkpoint(TRUNCATE)", "DELETE FROM kill"):
                with pytest.raises(sqlite3.OperationalError):
                    db.execute(sql).fetchone()
        assert path.with_name("journal.db-wal").stat().st_size == log
        await journal.close()

    asyncio.run(main())
