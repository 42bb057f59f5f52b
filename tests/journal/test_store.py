"""The two doors: durable when they say so, in order, whole or not at all, and closed for good at the first failure."""

import asyncio
import gc
import os
import sqlite3
import stat
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from arbtui.journal.database import Statement
from arbtui.journal.store import Door, WatchedDoor, Writer, open_writer
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.virtual_loop import run_virtual

SCHEMA = ["CREATE TABLE IF NOT EXISTS entry (number INTEGER UNIQUE, text TEXT)"]
DOORS: list[Door] = ["aio", "sync"]


def entry(number: int, text: str = "") -> Statement:
    return ("INSERT INTO entry (number, text) VALUES (?, ?)", (number, text))


def numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [number for (number,) in db.execute("SELECT number FROM entry ORDER BY rowid")]


def run(door: Door, path: Path, use: Callable[[Writer], Awaitable[None]]) -> None:
    async def main() -> None:
        writer = await open_writer(path, SCHEMA, door, application_id=7, user_version=1)
        try:
            await use(writer)
        finally:
            await writer.close()

    if door == "aio":
        asyncio.run(main())
    else:
        run_virtual(main())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sim" / "a.db"


@pytest.mark.parametrize("door", DOORS)
def test_what_is_committed_is_there_for_other_connections_at_once(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        await writer.commit([entry(1), entry(2)])
        assert numbers(path) == [1, 2]

    run(door, path, use)


@pytest.mark.parametrize("door", DOORS)
def test_files_and_folders_are_the_owners_alone(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        await writer.commit([entry(1)])
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}
        assert [stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]

    run(door, path, use)


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    async def use(writer: Writer) -> None:
        await writer.commit([])

    run("sync", path, use)
    path.chmod(0o644)

    run("sync", path, use)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_real_time_syncs_each_commit_and_virtual_time_none(path: Path) -> None:
    async def use(writer: Writer) -> None:
        connection: Any = writer._connection  # type: ignore[attr-defined]
        rows = connection.execute("PRAGMA synchronous")
        cursor = rows if isinstance(rows, sqlite3.Cursor) else await rows
        row = cursor.fetchone()
        modes.append((row if isinstance(row, tuple) else await row)[0])

    modes: list[int] = []
    for door in DOORS:
        run(door, path, use)
    assert modes == [2, 0]


def test_a_watched_door_syncs_where_it_is_to_be_durable(path: Path) -> None:
    async def synchronous(door: Door) -> int:
        writer = await open_writer(path, SCHEMA, door, application_id=7, user_version=1)
        try:
            return int(writer._connection.execute("PRAGMA synchronous").fetchone()[0])  # type: ignore[attr-defined]
        finally:
            await writer.close()

    def nothing() -> None:
        pass

    for door, mode in ((WatchedDoor(nothing, nothing), 0), (WatchedDoor(nothing, nothing, durable=True), 2)):
        assert run_virtual(synchronous(door)) == mode


def test_a_watched_door_is_told_before_each_transaction_and_once_it_is_durable(path: Path) -> None:
    async def use() -> None:
        told: list[tuple[str, int]] = []

        def tell(what: str) -> Callable[[], None]:
            def tells() -> None:
                with closing(sqlite3.connect(path)) as db:
                    told.append((what, db.execute("SELECT count(*) FROM entry").fetchone()[0]))

            return tells

        door = WatchedDoor(tell("before"), tell("after"))
        writer = await open_writer(path, SCHEMA, door, application_id=7, user_version=1)
        try:
            await writer.commit([entry(1)])
            await writer.commit([entry(2), entry(3)])
            assert told == [("before", 0), ("after", 1), ("before", 1), ("after", 3)]
        finally:
            await writer.close()

    run_virtual(use())


@pytest.mark.parametrize("door", DOORS)
def test_what_is_durable_is_counted_and_timed(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        assert (writer.transactions, writer.durable, writer.latency.count, writer.queue) == (0, 0, 0, 0)
        for number in (1, 2, 7):
            await writer.submit([entry(number)], number)
            assert writer.durable == number
        await writer.commit([entry(8)])
        assert (writer.transactions, writer.durable, writer.latency.count) == (4, 7, 4)
        assert 0 < writer.latency.largest < 60_000
        with pytest.raises(JournalFailed):
            await writer.submit([entry(8)], 9)
        assert (writer.transactions, writer.durable) == (4, 7), "what failed is not durable"

    run(door, path, use)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's descriptors from /proc")
@pytest.mark.parametrize("door", DOORS)
def test_a_closed_writer_holds_no_file(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        await writer.commit([entry(1)])

    run(door, path, use)
    held = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    assert [name for name in held if name.startswith(str(path))] == []


@pytest.mark.parametrize("written", [1, 2])
def test_a_file_of_any_earlier_version_gets_what_it_lacks_and_one_of_now_nothing(path: Path, written: int) -> None:
    upgrades = {1: ["ALTER TABLE entry ADD COLUMN first TEXT"], 2: ["ALTER TABLE entry ADD COLUMN second TEXT"]}

    async def columns(version: int) -> list[str]:
        writer = await open_writer(path, SCHEMA, "sync", application_id=7, user_version=version, upgrades=upgrades)
        await writer.close()
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone()[0] == version
            return [row[1] for row in db.execute("PRAGMA table_info(entry)")]

    assert run_virtual(columns(written)) == ["number", "text"]
    assert run_virtual(columns(3)) == ["number", "text", *["first", "second"][written - 1 :]]
    assert run_virtual(columns(3)) == ["number", "text", *["first", "second"][written - 1 :]]


@pytest.mark.parametrize("how", ["nobody waits", "who waited has gone"])
def test_a_failure_that_nobody_waits_for_is_told_once_and_not_warned_of(path: Path, how: str, caplog: pytest.LogCaptureFixture) -> None:
    async def use(writer: Writer) -> None:
        told: list[JournalFailed] = []
        wrong: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: wrong.append(context))
        failed = asyncio.Event()

        def on_failure(failure: JournalFailed) -> None:
            told.append(failure)
            failed.set()

        writer.on_failure = on_failure
        waiter = writer.submit([entry(1), entry(1)], 1)
        if how != "nobody waits":
            cast(Any, waiter).cancel()
        del waiter
        await failed.wait()
        await writer.close()
        gc.collect()
        await asyncio.sleep(0)
        assert (len(told), wrong) == (1, [])

    run("aio", path, use)
    assert "never retrieved" not in caplog.text


def test_concurrent_commits_share_transactions_and_keep_their_order(path: Path) -> None:
    async def use(writer: Writer) -> None:
        await asyncio.gather(*(writer.commit([entry(n)]) for n in range(200)))
        assert writer.transactions < 10
        assert writer.latency.count == 200
        assert numbers(path) == list(range(200))

    run("aio", path, use)


@pytest.mark.parametrize("door", DOORS)
def test_within_a_group_an_update_never_overtakes_its_insert(path: Path, door: Door) -> None:
    """Grouping all statements of one text, in order of first sight, would run both updates before the second insert."""

    async def use(writer: Writer) -> None:
        def update(number: int) -> Statement:
            return ("UPDATE entry SET text = 'changed' WHERE number = ?", (number,))

        await writer.commit([entry(1)])
        await asyncio.gather(writer.commit([update(1)]), writer.commit([entry(2)]), writer.commit([update(2)]))
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT number, text FROM entry").fetchall() == [(1, "changed"), (2, "changed")]

    run(door, path, use)


@pytest.mark.parametrize("door", DOORS)
def test_posts_and_commits_keep_the_order_of_the_calls(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        failures: list[JournalFailed] = []
        for n in range(0, 100, 2):
            writer.post([entry(n)], failures.append)
            await writer.commit([entry(n + 1)])
            assert numbers(path) == list(range(n + 2))
        assert failures == []

    run(door, path, use)


def test_a_commit_of_nothing_waits_for_the_posts_before_it(path: Path) -> None:
    async def use(writer: Writer) -> None:
        for n in range(20):
            writer.post([entry(n)], lambda failure: pytest.fail(str(failure)))
        await writer.commit([])
        assert len(numbers(path)) == 20

    run("aio", path, use)


def test_closing_writes_what_is_queued(path: Path) -> None:
    async def use(writer: Writer) -> None:
        for n in range(50):
            writer.post([entry(n)], lambda failure: pytest.fail(str(failure)))

    run("aio", path, use)
    assert len(numbers(path)) == 50


@pytest.mark.parametrize("turns", range(6))
def test_f44_cancelling_a_caller_tears_no_transaction_and_lets_no_half_of_one_through(path: Path, turns: int) -> None:
    """Catalogue F44: with one shared connection, the next task's COMMIT would keep a cancelled task's first half."""

    async def use(writer: Writer) -> None:
        cancelled = asyncio.create_task(writer.commit([entry(1), entry(2), entry(3)]))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await writer.commit([entry(10)])
        # Cancelled before its first step it never called the writer; after that it is written whole.
        assert numbers(path) == ([10] if turns == 0 else [1, 2, 3, 10])

    run("aio", path, use)


@pytest.mark.parametrize("door", DOORS)
def test_after_one_failure_nothing_is_written_any_more(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        told: list[JournalFailed] = []
        await writer.commit([entry(1)])
        with pytest.raises(JournalFailed, match=r"a\.db"):
            await writer.commit([entry(2), entry(1)])
        with pytest.raises(JournalFailed):
            await writer.commit([entry(3)])
        writer.post([entry(4)], told.append)
        assert len(told) == 1
        assert writer.failure is not None
        with closing(sqlite3.connect(path, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")  # the failed transaction holds no lock

    run(door, path, use)
    assert numbers(path) == [1]


@pytest.mark.parametrize("door", DOORS)
def test_whoever_finds_that_the_file_is_not_what_was_written_ends_it_once_and_not_after_its_end(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        told: list[str] = []
        writer.on_failure = lambda failure: told.append(str(failure))
        for why in ("row 3 is another", "row 4 is another"):
            writer.fail(JournalFailed(why))
        assert told == ["row 3 is another"]
        with pytest.raises(JournalFailed, match="row 3 is another"):
            await writer.commit([entry(1)])

    async def use_after_its_end(writer: Writer) -> None:
        told: list[JournalFailed] = []
        writer.on_failure = told.append
        await writer.commit([entry(2)])
        await writer.close()
        writer.fail(JournalFailed("row 3 is another"))
        assert told == []

    run(door, path, use)
    run(door, path, use_after_its_end)
    assert numbers(path) == [2]


def test_a_failure_reaches_everyone_who_waits(path: Path) -> None:
    async def use(writer: Writer) -> None:
        told: list[JournalFailed] = []
        writer.post([entry(1), entry(1)], told.append)
        results = await asyncio.gather(*(writer.commit([entry(n)]) for n in range(2, 12)), return_exceptions=True)
        assert [type(result) for result in results] == [JournalFailed] * 10
        assert len(told) == 1
        assert writer.queue == 0

    run("aio", path, use)
    assert numbers(path) == []


@pytest.mark.parametrize("bad", [("INSERT INTO entry VALUES (?, ?)", (1 << 70, "")), ("INSERT INTO entry VALUES (?, ?)", (object(), ""))])
@pytest.mark.parametrize("door", DOORS)
def test_values_that_sqlite_cannot_hold_fail_like_a_disk(path: Path, door: Door, bad: Statement) -> None:
    async def use(writer: Writer) -> None:
        with pytest.raises(JournalFailed):
            await writer.commit([entry(1), bad])

    run(door, path, use)
    assert numbers(path) == []


@pytest.mark.parametrize("door", DOORS)
def test_f43_a_lock_held_by_another_process_is_a_failure_not_a_wait_for_ever(path: Path, door: Door) -> None:
    """Catalogue F43; waits out SQLite's busy timeout of 2 s."""

    async def use(writer: Writer) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(JournalFailed, match="locked"):
                await writer.commit([entry(1)])

    run(door, path, use)


@pytest.mark.parametrize("door", DOORS)
def test_a_closed_writer_refuses(path: Path, door: Door) -> None:
    async def use(writer: Writer) -> None:
        await writer.close()
        await writer.close()
        with pytest.raises(JournalFailed, match="closed"):
            await writer.commit([entry(1)])

    run(door, path, use)


def test_a_loop_that_ends_without_closing_leaves_no_thread_behind(path: Path) -> None:
    async def main() -> None:
        writer = await open_writer(path, SCHEMA, "aio", application_id=7, user_version=1)
        await writer.commit([entry(1)])
        threads.extend(thread for thread in threading.enumerate() if thread not in before)

    before = threading.enumerate()
    threads: list[threading.Thread] = []
    asyncio.run(main())
    assert threads
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert numbers(path) == [1]


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is a diary, not a database\n" * 100)


def _tiny_garbage(path: Path) -> None:
    path.write_bytes(b"no")


def _directory(path: Path) -> None:
    path.mkdir()


def _others(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipe (cake TEXT)")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE entry (number INTEGER PRIMARY KEY, text TEXT)")
        db.execute("PRAGMA application_id = 7")
        db.execute("PRAGMA user_version = 2")


BAD_FILES = {
    "not SQLite": (_garbage, "not an SQLite database"),
    "too short to be anything": (_tiny_garbage, "not an SQLite database"),
    "a directory": (_directory, "a directory stands"),
    "another program's": (_others, "another program"),
    "a newer version's": (_newer, "newer version"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", BAD_FILES)
def test_f45_a_bad_file_is_refused_by_name_and_left_as_it_was(tmp_path: Path, name: str, door: Door) -> None:
    make, says = BAD_FILES[name]
    path = tmp_path / "a.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""

    async def use(writer: Writer) -> None:
        pytest.fail("it opened")

    with pytest.raises(UsageError, match=says) as refused:
        run(door, path, use)
    assert str(path) in str(refused.value)
    assert "--state-dir" in str(refused.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")

    async def use(writer: Writer) -> None:
        pytest.fail("it opened")

    with pytest.raises(UsageError, match=r"a\.db"):
        run("aio", tmp_path / "state" / "a.db", use)


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    """A process killed between making the file and its first table leaves one."""
    path.parent.mkdir(parents=True)
    path.touch()

    async def use(writer: Writer) -> None:
        await writer.commit([entry(1)])

    run("aio", path, use)
    assert numbers(path) == [1]
