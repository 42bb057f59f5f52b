"""The hash chain: what changed, is missing or stands elsewhere is found where it is, and never read as something else."""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.chain import BEGINNING, check_events, link
from arbtui.journal.events import VERSIONS, Event, Killed, Recorded, encode
from arbtui.journal.journal import Journal
from arbtui.journal.noted import check_noted
from arbtui.journal.projections import statements_for
from arbtui.journal.reader import events, reading
from arbtui.journal.schema import NOTED_EVENTS, NOTED_TABLES
from arbtui.journal.snapshots import check_snapshots
from arbtui.journal.state import load
from arbtui.model.errors import UsageError
from arbtui.model.virtual_loop import run_virtual
from tests.journal.recorded import record, tamper
from tests.journal.sequences import any_event
from tests.journal.synthetic import FixedClock, whole_run

DAMAGED = "the journal is damaged; move it away together with its -wal and -shm files, keep all three, and restore a backup"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "sim" / "journal.db"
    record(file, *whole_run())
    return file


def test_a_hash_is_what_any_program_can_work_out(path: Path) -> None:
    """By the rule as it is written down, without a function of ours."""
    last = bytes(32)
    with closing(sqlite3.connect(path)) as db:
        for seq, ts_ms, run_id, kind, version, payload, stored in db.execute("SELECT * FROM event ORDER BY seq"):
            text = f"{seq} {ts_ms} {version} {len(run_id)} {len(kind)} {run_id}{kind}{payload}"
            last = hashlib.sha256(last + text.encode()).digest()
            assert stored == last


def test_a_second_start_goes_on_with_the_chain(path: Path) -> None:
    record(path, [Killed("KEY", "", 1)])
    with reading(path) as db:
        assert check_events(db).seq == len(list(events(db)))


@given(st.data())
def test_no_two_rows_have_the_same_text_under_the_hash(data: st.DataObject) -> None:
    """Nothing can move from one column into the next."""
    texts = st.text(max_size=4)
    numbers = st.integers(min_value=0, max_value=200)
    rows = st.tuples(numbers, numbers, texts, texts, numbers, texts)
    one, other = data.draw(rows), data.draw(rows)
    assert (link(BEGINNING, *one) == link(BEGINNING, *other)) == (one == other)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE event SET payload = replace(payload, '0.30', '0.31') WHERE seq = 25", "event 25 is not what was written"),
        ("UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 9", "event 9 is not what was written"),
        ("UPDATE event SET run_id = 'r2' WHERE seq = 9", "event 9 is not what was written"),
        ("UPDATE event SET payload = NULL WHERE seq = 9", "event 9 is not what was written"),
        ("UPDATE event SET payload = 7 WHERE seq = 9", "event 9 is not what was written"),
        ("UPDATE event SET payload = CAST(payload AS BLOB) WHERE seq = 9", "event 9 is not what was written"),
        ("UPDATE event SET hash = NULL WHERE seq = 9", "event 9 is not what was written"),
        ("UPDATE event SET hash = randomblob(32) WHERE seq = 9", "event 9 is not what was written"),
        ("DELETE FROM event WHERE seq = 9", r"event 9 is missing or out of order \(10 follows on 8\)"),
        ("DELETE FROM event WHERE seq = 1", r"event 1 is missing or out of order \(2 follows on 0\)"),
    ],
)
def test_f45_a_changed_row_is_named_with_what_to_do_and_nothing_after_it_is_read(path: Path, change: str, says: str) -> None:
    try:
        tamper(path, change)
    except sqlite3.IntegrityError:  # the table forbids it; then so may a damaged file
        tamper(path, "PRAGMA writable_schema = ON", "UPDATE sqlite_master SET sql = replace(sql, 'payload TEXT NOT NULL', 'payload TEXT')")
        tamper(path, change)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=says) as refused, reading(path) as db:
        list(_up_to(events(db), 25))
    assert str(path) in str(refused.value)
    assert DAMAGED in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(UsageError, match=says):
        run_virtual(Journal.open(path, clock=FixedClock(), door="sync"))
    assert path.read_bytes() == before


def _up_to(read: Iterator[Recorded], damaged: int) -> Iterator[Recorded]:
    for recorded in read:
        assert recorded.seq < damaged
        yield recorded


def test_f45_two_rows_in_each_others_place_are_found(path: Path) -> None:
    tamper(path, "UPDATE event SET seq = -seq WHERE seq IN (20, 21)", "UPDATE event SET seq = 41 + seq WHERE seq < 0")
    with pytest.raises(UsageError, match="event 20 is not what was written"), reading(path) as db:
        list(events(db))


def test_reading_from_the_middle_compares_as_well(path: Path) -> None:
    tamper(path, "UPDATE event SET ts_ms = 0 WHERE seq = 25")
    with reading(path) as db:
        assert [recorded.seq for recorded in events(db, 25, 27)] == [26, 27]
        with pytest.raises(UsageError, match="event 25 is not"):
            list(events(db, 24))
        with pytest.raises(UsageError, match="event 999 is missing"):
            list(events(db, 999))


def test_text_that_is_none_any_more_ends_in_a_sentence(path: Path) -> None:
    tamper(path, "UPDATE event SET payload = CAST(x'ff41' AS TEXT) WHERE seq = 9")
    with pytest.raises(UsageError, match=f"{path}: .*damaged"):
        load(path)
    with pytest.raises(UsageError, match=f"{path}: .*damaged"), reading(path) as db:
        list(events(db))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("UPDATE kill SET action = 'rearmed'", r"a row of table kill \(\d+\) is not what its event says"),
        ("DELETE FROM kill WHERE action = 'killed'", "a row of table kill"),
        ("UPDATE identity SET salt = 'other'", "a row of table identity"),
        ("UPDATE run SET mode = 'live'", r"a row of table run \(r1\)"),
        ("UPDATE origin SET origin = 'http://elsewhere'", "a row of table origin"),
        ("DELETE FROM breach", r"a row of table breach \(r1-b1\) is missing"),
        ("UPDATE alert SET text = ''", "a row of table alert"),
        ("UPDATE remote_command SET outcome = NULL", "a row of table remote_command"),
    ],
)
def test_a_table_that_a_start_goes_by_is_compared_with_its_events(path: Path, change: str, says: str) -> None:
    tamper(path, change)
    with pytest.raises(UsageError, match=says) as refused:
        load(path)
    assert "make the tables anew from the events with arbtui journal rebuild" in str(refused.value)


def test_f45_an_event_that_the_index_has_lost_is_missed_in_the_table(path: Path) -> None:
    """The index is made by another rule, then says that it was made by the right one."""
    for there, back in (("Killed", "Xilled"), ("Xilled", "Killed")):
        change = f"UPDATE sqlite_master SET sql = replace(sql, '{there}', '{back}') WHERE name = 'event_noted'"
        tamper(path, "PRAGMA writable_schema = ON", change)
        if back == "Xilled":
            tamper(path, "REINDEX event_noted")
    with pytest.raises(UsageError, match="a row of table kill"), reading(path) as db:
        check_noted(db)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE snapshot SET payload = replace(payload, '7', '8')",
        "UPDATE snapshot SET ts_ms = ts_ms + 1",
        "UPDATE snapshot SET seq = seq - 1",
        "UPDATE snapshot SET run_id = ''",
    ],
)
def test_f45_a_snapshot_that_is_not_what_was_stored_is_not_gone_on_from(path: Path, change: str) -> None:
    async def store() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="sync")
        journal.run_id = "r1"
        await journal.snapshot({"what": 7})
        await journal.close()

    run_virtual(store())
    with reading(path) as db:
        check_snapshots(db)
    tamper(path, change)
    with pytest.raises(UsageError, match="snapshot 1 is not what was stored"):
        load(path)


@given(any_event())
def test_what_other_events_bring_about_touches_none_of_these_tables(event: Event) -> None:
    begins = re.compile(r"(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM) (\w+)")
    tables = {begins.match(sql)[1] for sql, _ in statements_for(Recorded(1, 0, "r1", event))}  # type: ignore[index]
    assert tables <= set(NOTED_TABLES) if encode(event)[0] in NOTED_EVENTS else not tables & set(NOTED_TABLES)


def test_every_noted_event_is_one() -> None:
    assert set(NOTED_EVENTS) <= {kind.__name__ for kind in VERSIONS}
