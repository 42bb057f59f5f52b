"""The whole look at a journal: pages, hashes, tables and snapshots; each kind of damage is named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.failover.snapshot import StateSnapshot
from arbtui.journal.chain import BEGINNING, link
from arbtui.journal.events import Killed
from arbtui.journal.schema import PROJECTIONS
from arbtui.model.errors import UsageError
from arbtui.portfolio.projections import rebuild
from arbtui.portfolio.restore import restore
from arbtui.portfolio.verification import verify
from tests.journal.recorded import tamper
from tests.journal.synthetic import whole_run
from tests.journal.test_reader import widen_an_index
from tests.portfolio.recorded import record
from tests.portfolio.test_restore import snapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of one run, with a snapshot in its middle."""
    file = tmp_path / "journal.db"
    groups = list(whole_run())
    record(file, *groups[:9])
    snapshot(file, StateSnapshot(restore(file)[1].encode()).payload())
    record(file, *groups[9:])
    return file


def test_a_whole_journal_is_whole(path: Path) -> None:
    found = verify(path)
    with closing(sqlite3.connect(path)) as db:
        assert (found.events, bytes.fromhex(found.last_hash)) == db.execute("SELECT seq, hash FROM event ORDER BY seq DESC").fetchone()
    assert (found.first_hashed, found.snapshots) == (1, [1])


@pytest.mark.parametrize("table", [name for name in PROJECTIONS if name not in ("adjustment", "transfer", "archive")])
def test_a_row_that_is_gone_from_any_table_is_missed(path: Path, table: str) -> None:
    tamper(path, f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    with pytest.raises(UsageError, match=f"a row of table {table} .* is (missing|not what its event says): .* arbtui journal rebuild"):
        verify(path)
    rebuild(path)
    verify(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE fill SET qty = '0.31' WHERE trade_id = 'tr1-0-0'", r"a row of table fill \(binance\)"),
        ("UPDATE balance SET total = '9' WHERE asset = 'KRW'", r"a row of table balance \(upbit\)"),
        ("UPDATE cycle SET state = 'RESIDUAL'", r"a row of table cycle \(r1-0\)"),
        ("UPDATE snapshot SET payload = replace(payload, 'upbit', 'Upbit')", "snapshot 1 is not what was stored"),
        ("INSERT INTO transfer SELECT seq, 0, 'r1', 'a', 'b', '1', '' FROM run", "a row of table transfer"),
    ],
)
def test_a_value_that_changed_beside_the_events_is_found_and_made_anew(path: Path, change: str, says: str) -> None:
    whole = restore(path)[1].dump()
    tamper(path, change)
    with pytest.raises(UsageError, match=says):
        verify(path)
    rebuild(path)
    verify(path)
    assert restore(path)[1].dump() == whole


def test_a_snapshot_that_means_something_else_than_the_events_is_found(path: Path) -> None:
    """Stored as it is, with its digest: a fault of the program, not of the disk."""
    portfolio = restore(path)[1]
    dumped = portfolio.dump()
    dumped["balances"]["upbit"]["KRW"] = "1"
    snapshot(path, {"portfolio": dumped})
    with pytest.raises(UsageError, match="snapshot 2 is not what the events up to"):
        verify(path)


def test_events_that_were_all_hashed_anew_are_still_no_life_that_could_have_been(path: Path) -> None:
    """Somebody with a program may do that; the portfolio and the tables do not follow."""
    tamper(path, "UPDATE event SET payload = replace(payload, '0.30', '0.29') WHERE type = 'FillRecorded'")
    with closing(sqlite3.connect(path)) as db:
        last = BEGINNING
        for row in db.execute("SELECT seq, ts_ms, run_id, type, version, payload FROM event ORDER BY seq").fetchall():
            last = link(last, *row)
            db.execute("UPDATE event SET hash = ? WHERE seq = ?", (last, row[0]))
        db.commit()
    with pytest.raises(UsageError):
        verify(path)


def test_a_damaged_page_is_found(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 + 3)
        file.write(b"\xff\xff")
    with pytest.raises(UsageError, match=f"{path}: .*damage"):
        verify(path)


def test_a_row_that_an_index_lacks_is_found(path: Path) -> None:
    widen_an_index(path)
    with pytest.raises(UsageError, match="missing from index breach_open"):
        verify(path)


def test_a_rebuild_leaves_whole_snapshots_alone(path: Path) -> None:
    record(path, [Killed("KEY", "", 1)])
    rebuild(path)
    assert restore(path)[0].snapshot_no == 1
