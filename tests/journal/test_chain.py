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

from arbtui.journal.chain import BEGINNING, Chain, check_events, check_one, file_of, link
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


Row = tuple[int, int, str, str, int, str]
HERE = Path("journal.db")


def rows(count: int, before: bytes = BEGINNING, first: int = 1) -> list[tuple[Row, bytes]]:
    """``count`` rows and the hash of each."""
    made = []
    for seq in range(first, first + count):
        row = (seq, 1_000 + seq, "r1", "Killed", 1, f'{{"seq":{seq}}}')
        before = link(before, *row)
        made.append((row, before))
    return made


def refused(chain: Chain, row: Row, stored: bytes | None) -> str:
    """What is said of the row, and of nothing that was followed."""
    seq, last = chain.seq, chain.last
    with pytest.raises(UsageError) as raised:
        chain.follow(*row, stored)
    assert (chain.seq, chain.last) == (seq, last)
    return str(raised.value)


def test_the_first_hash_after_rows_without_one_covers_them_all() -> None:
    made = rows(4)
    for unhashed in range(4):
        chain = Chain(HERE)
        for number, (row, stored) in enumerate(made):
            if number == unhashed:
                among = f"event {number + 1}, or one of the {number} before it, is" if number else "event 1 is"
                assert f"{among} not what was written" in refused(chain, row, bytes(32))
            chain.follow(*row, None if number < unhashed else stored)
        assert (chain.seq, chain.last) == (4, made[-1][1])


def test_once_there_was_a_hash_each_row_has_its_own() -> None:
    (first, _), (second, stored), (third, last) = rows(3)
    chain = Chain(HERE)
    chain.follow(*first, None)
    chain.follow(*second, stored)
    for wrong in (None, stored, bytes(32)):
        assert "event 3 is not what was written" in refused(chain, third, wrong)
    chain.follow(*third, last)


@pytest.mark.parametrize("has_begun", [True, False])
def test_a_chain_that_is_taken_up_in_the_middle_knows_whether_there_were_hashes(has_begun: bool) -> None:
    (_, _), (_, before), (third, stored) = rows(3)
    Chain(HERE, 2, before, has_begun=has_begun).follow(*third, stored)
    chain = Chain(HERE, 2, before, has_begun=has_begun)
    if has_begun:
        assert "event 3 is not what was written" in refused(chain, third, None)
        assert "event 3 is not what was written" in refused(Chain(HERE, 2, before), third, None)
    else:
        chain.follow(*third, None)
        assert (chain.seq, chain.last) == (3, stored)


def test_an_archive_s_rows_follow_one_another() -> None:
    made = rows(3)
    chain = Chain(HERE)
    for row, stored in made:
        with pytest.raises(UsageError, match=rf"event {row[0]} is missing or out of order \({row[0] + 1} follows on {row[0] - 1}\)"):
            chain.follow_archived(row[0] + 1, *row[1:])
        chain.follow_archived(*row)
        assert (chain.seq, chain.last) == (row[0], stored)


def test_a_row_by_itself_is_compared_with_the_hash_before_it() -> None:
    before: object = None
    for row, stored in rows(3):
        check_one(HERE, before, (*row, stored))
        for wrong in (bytes(32), None) if row[0] > 1 else (bytes(32),):
            with pytest.raises(UsageError, match=f"event {row[0]} is not what was written"):
                check_one(HERE, before, (*row, wrong))
        check_one(HERE, None if row[0] > 1 else before, (*row, stored if row[0] == 1 else None))  # what came before has none
        before = stored


def test_a_connection_knows_its_file_and_what_a_private_copy_is_of(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert file_of(db) == path
    with closing(sqlite3.connect(":memory:")) as db:
        assert file_of(db) == Path("journal.db")
        db.execute("CREATE TEMP TABLE copy_of (path TEXT)")
        db.execute("INSERT INTO copy_of VALUES ('/elsewhere/journal.db')")
        assert file_of(db) == Path("/elsewhere/journal.db")


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


def test_f45_an_event_that_lost_its_hash_is_none_from_before_there_were_any(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        (seq,) = db.execute("SELECT max(seq) FROM event WHERE type = 'Killed'").fetchone()
    tamper(path, f"UPDATE event SET hash = NULL WHERE seq = {seq}")
    with pytest.raises(UsageError, match=f"event {seq} is not what was written"):
        load(path)


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
