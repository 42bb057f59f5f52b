"""What SQLite finds in a journal's pages, where reading its rows finds nothing."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.backup import back_up
from arbtui.journal.backup_files import backups_of
from arbtui.journal.events import BreachAcknowledged
from arbtui.journal.journal import Journal
from arbtui.journal.reader import check_pages, reading
from arbtui.journal.state import load
from arbtui.model.errors import UsageError
from arbtui.model.virtual_loop import run_virtual
from tests.journal.recorded import record
from tests.journal.synthetic import FixedClock, whole_run

#: Where a file tells how many pages of it are free, and to what it is set here: none is.
FREE_PAGES = 36


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "sim" / "journal.db"
    record(file, *whole_run())
    return file


def lose_a_page(path: Path) -> None:
    """A free page that no list leads to, as a write that was lost leaves it."""
    with path.open("r+b") as file:
        file.seek(FREE_PAGES)
        assert file.read(4) == bytes(4)
        file.seek(FREE_PAGES)
        file.write((1).to_bytes(4, "big"))


def widen_an_index(path: Path) -> None:
    """It has none of the rows that it should have since."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        wider = "UPDATE sqlite_master SET sql = replace(sql, 'acknowledged_ms IS NULL', 'seq > 0') WHERE name = 'breach_open'"
        assert db.execute(wider).rowcount == 1
        db.commit()


def opened(path: Path) -> None:
    async def main() -> None:
        await (await Journal.open(path, clock=FixedClock(), door="sync")).close()

    run_virtual(main())


def refused(path: Path, says: str, looks: Callable[[Path], object]) -> None:
    """In one sentence, which names the newest backup of this journal."""
    with pytest.raises(UsageError) as error:
        looks(path)
    (backup,) = backups_of(path)
    said = str(error.value)
    assert re.match(rf"{path}: SQLite finds damage \({says}\): the journal is damaged; move it away", said)
    assert f" restore the newest backup, {backup.path} (event 46, " in said
    assert "\n" not in said


@pytest.mark.parametrize("looks", [opened, back_up])
def test_f45_a_page_that_is_lost_is_seen_before_anything_is_written(path: Path, looks: Callable[[Path], object]) -> None:
    back_up(path)
    lose_a_page(path)
    load(path)  # each row can be read
    refused(path, ".*freelist: size is 0 but should be 1", looks)


def test_f45_a_row_that_an_index_lacks_is_seen_where_indexes_are_looked_at(path: Path) -> None:
    back_up(path)
    record(path, [BreachAcknowledged(breach.breach_id, "person") for breach in load(path).breaches])
    widen_an_index(path)
    refused(path, "row 1 missing from index breach_open", back_up)
    with reading(path) as db:
        check_pages(db)  # which a start does: it is quick
        with pytest.raises(UsageError, match="row 1 missing from index breach_open"):
            check_pages(db, indexes=True)
