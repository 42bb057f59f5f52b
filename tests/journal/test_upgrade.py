"""A journal of format 2, from before there were hashes: readable as it is, and chained when it is first opened for writing."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.chain import check_events
from arbtui.journal.events import Killed
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import load_outbox
from arbtui.journal.reader import events, reading
from arbtui.journal.schema import SCHEMA, USER_VERSION
from arbtui.journal.state import load
from arbtui.model.errors import UsageError
from arbtui.model.tip_file import tip_file
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.restore import restore
from arbtui.portfolio.verification import verify
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import FixedClock, SyntheticRun

OLD = Path(__file__).with_name("format_2.sql")
LAST = 84
CHAINED = Path(__file__).with_name("format_3.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The old file."""
    file = tmp_path / "journal.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript(OLD.read_text())
    return file


def upgrade(path: Path) -> None:
    record(path)


def test_it_is_read_as_it_is(path: Path) -> None:
    state, portfolio = restore(path)
    assert (state.seq, state.runs, state.last_run and state.last_run.run_id) == (LAST, 2, "r2")
    assert portfolio.state.seq == LAST
    found = verify(path)
    assert (found.events, found.last_hash, found.journal_format) == (LAST, "", 2)


def test_f47_what_it_says_is_the_same_after_it_was_upgraded(path: Path) -> None:
    before, portfolio = read_ledger(path), restore(path)[1].dump()
    upgrade(path)
    assert read_ledger(path) == before
    assert restore(path)[1].dump() == portfolio
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (USER_VERSION,)
        assert db.execute("SELECT seq FROM event WHERE hash IS NOT NULL").fetchall() == [(LAST,)]
        with pytest.raises(sqlite3.IntegrityError, match="events are never changed"):
            db.execute("UPDATE event SET payload = ''")
    found = verify(path)
    assert (found.events, found.first_hashed) == (LAST, LAST)
    assert found.snapshots == [], "its snapshot was folded by earlier rules: it is read past"


@pytest.mark.parametrize("number", [2, 3, 5, 10, 20, 40, 60])
def test_f47_killed_at_a_statement_of_the_upgrade_it_is_the_old_file_still_and_is_upgraded_by_the_next_start(
    path: Path, number: int
) -> None:
    before = read_ledger(path)
    killed = subprocess.run([sys.executable, "-m", "tests.journal.upgrade_child", str(path), str(number)], capture_output=True, timeout=150)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert read_ledger(path) == before
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
        assert "hash" not in {row[1] for row in db.execute("PRAGMA table_info(event)")}
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    upgrade(path)
    assert read_ledger(path) == before
    assert verify(path).journal_format == USER_VERSION


def test_f47_its_tables_are_the_ones_of_a_new_journal(path: Path, tmp_path: Path) -> None:
    """Word for word: what the schema says is what stands in every file."""
    upgrade(path)
    new = tmp_path / "new" / "journal.db"
    record(new)
    assert _schema(path) == _schema(new)
    assert len(_schema(new)) == len(SCHEMA)


def _schema(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_the_chain_goes_on_from_there(path: Path) -> None:
    upgrade(path)
    record(path, [Killed("KEY", "", 1)])
    with reading(path) as db:
        assert len(list(events(db))) == LAST + 1
        assert [recorded.seq for recorded in events(db, LAST - 2)] == [LAST - 1, LAST, LAST + 1]


@pytest.mark.parametrize("seq", [1, 30, LAST])
@pytest.mark.parametrize("after", [0, 60])
def test_an_event_from_before_that_changes_afterwards_is_found(path: Path, seq: int, after: int) -> None:
    upgrade(path)
    tamper(path, f"UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = {seq}")
    with (
        pytest.raises(UsageError, match=rf"event {LAST}, or one of the {LAST - 1} before it, is not what was written"),
        reading(path) as db,
    ):
        list(events(db, after))
    with pytest.raises(UsageError, match="is not what was written"):
        run_virtual(Journal.open(path, clock=FixedClock(), door="sync"))


def test_f47_an_event_that_cannot_be_read_leaves_the_old_file_as_it_was(path: Path) -> None:
    """All or nothing: the upgrade is one transaction."""
    tamper(path, "UPDATE event SET version = 9 WHERE type = 'Killed'")
    with closing(sqlite3.connect(path)) as db:
        before = list(db.iterdump())
    with pytest.raises(UsageError, match="Killed version 9: written by a newer version"):
        upgrade(path)
    with closing(sqlite3.connect(path)) as db:
        assert list(db.iterdump()) == before
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_f47_a_format_number_that_the_tables_do_not_bear_out_is_refused(path: Path) -> None:
    """A bit of the number may be turned over: the chain must not be begun a second time."""
    upgrade(path)
    tamper(path, "PRAGMA user_version = 2")
    with pytest.raises(UsageError, match="is another history than the one that was written here"):
        load(path)
    tip_file(path).unlink()
    with pytest.raises(UsageError, match=r"duplicate column name: hash: .*it is damaged"):
        upgrade(path)
    assert load(path).seq == LAST


def test_f47_one_from_before_there_were_alerts_is_read_and_opened(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM snapshot")
        for table in ("alert", "alert_delivery", "remote_command"):
            db.execute(f"DROP TABLE {table}")
        db.commit()
    assert load(path).runs == 2
    upgrade(path)
    assert [alert.alert_id for alert in load_outbox(path).alerts] == ["r1-a1", "r2-a1"]
    assert load(path).runs == 2


@pytest.fixture
def chained(tmp_path: Path) -> Path:
    """A file of format 3: events with hashes, and with the names of their fields."""
    file = tmp_path / "three" / "journal.db"
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as db:
        db.executescript(CHAINED.read_text())
    return file


def test_events_with_the_names_of_their_fields_are_read_and_gone_on_from(chained: Path) -> None:
    before, ledger, (state, portfolio) = verify(chained), read_ledger(chained), restore(chained)
    assert (before.journal_format, before.first_hashed, before.snapshots) == (3, 1, [])  # of earlier rules: a start folds anew
    upgrade(chained)
    run = SyntheticRun("r3")
    record(chained, run.start(), run.cycle(0))
    after = read_ledger(chained)
    assert after["fills"][: len(ledger["fills"])] == ledger["fills"]
    assert after["cycles"][: len(ledger["cycles"])] == ledger["cycles"]
    assert len(after["fills"]) == len(ledger["fills"]) + 2
    assert restore(chained)[1].state.seq > portfolio.state.seq == state.seq
    with closing(sqlite3.connect(chained)) as db:
        forms = db.execute(
            "SELECT version, substr(payload, 1, 1), count(*) FROM event WHERE type = 'FillRecorded' GROUP BY 1, 2"
        ).fetchall()
        assert forms == [(2, "{", len(ledger["fills"])), (3, "[", 2)]
        assert db.execute("PRAGMA user_version").fetchone() == (USER_VERSION,)
    with reading(chained) as db:
        assert check_events(db).seq == restore(chained)[0].seq
