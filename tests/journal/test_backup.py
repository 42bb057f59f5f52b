"""A backup is whole or it is none; it is made beside a writer, replaces nothing, and can be started from."""

import asyncio
import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.backup import NoSpace, back_up, remove_old
from arbtui.journal.chain import check_events
from arbtui.journal.events import Killed
from arbtui.journal.journal import Journal
from arbtui.journal.newest_backup import newest_in_words
from arbtui.journal.reader import reading
from arbtui.journal.state import load
from arbtui.journal.tip import read_tip
from arbtui.model.errors import UsageError
from arbtui.model.tip_file import tip_file
from arbtui.portfolio.ledger import read_ledger
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import FixedClock, SyntheticRun, whole_run

_PAGE = 4096  # of SQLite, bytes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "profile" / "sim" / "journal.db"
    record(file, *whole_run())
    return file


def test_it_lies_with_the_journal_is_one_file_and_says_the_same(path: Path) -> None:
    done = back_up(path)
    assert done.path.parent == path.parent / "backups"
    assert done.path.name.startswith("journal-46-2")
    assert [file.name for file in done.path.parent.iterdir()] == [done.path.name]
    assert (done.path.stat().st_mode & 0o777, done.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (done.seq, done.last_hash) == (46, read_tip(path).hash)  # type: ignore[union-attr]
    assert read_ledger(done.path) == read_ledger(path)
    assert [file.name for file in done.path.parent.iterdir()] == [done.path.name]  # reading leaves nothing beside it


def test_one_is_made_while_the_journal_is_written_and_holds_one_moment(path: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    async def write(journal: Journal, run: SyntheticRun, ended: asyncio.Event) -> None:
        number = 0
        while not ended.is_set():
            await journal.commit(*run.cycle(number))
            number += 1

    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="aio")
        run, ended = SyntheticRun("r2"), asyncio.Event()
        await journal.commit(*run.start())
        writer = asyncio.create_task(write(journal, run, ended))
        for number in range(5):
            before = journal.durable_seq
            done = await asyncio.to_thread(back_up, path, tmp_path / f"{number}.db")
            assert before <= done.seq <= journal.durable_seq
            seen.append(done.seq)
        ended.set()
        await writer
        await journal.close()

    asyncio.run(main())
    assert len(set(seen)) > 1  # it was written meanwhile
    for number, seq in enumerate(seen):
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as db:
            assert check_events(db).seq == seq
            assert (load(path).seq - seq) % 8 == 0  # no cycle in parts: a commit is a cycle's eight events


def test_what_is_damaged_gets_no_backup_and_leaves_no_file(path: Path) -> None:
    tamper(path, "UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 30")
    with pytest.raises(UsageError, match=f"{path}: event 30 is not what was written"):
        back_up(path)
    assert list((path.parent / "backups").iterdir()) == []


def test_nothing_is_replaced(path: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("somebody's")
    with pytest.raises(UsageError, match=f"{there} is there already; a backup replaces nothing"):
        back_up(path, there)
    assert there.read_text() == "somebody's"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["profile", "there.db"]


def test_a_place_that_is_not_there_is_refused_by_name(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path / 'nowhere'}.*: the backup could not be written: make that folder"):
        back_up(path, tmp_path / "nowhere" / "file.db")
    with pytest.raises(UsageError, match="File name too long: the backup could not be written: look at the disk, or back up to another"):
        back_up(path, tmp_path / ("x" * 300) / "file.db")
    path.unlink()
    with pytest.raises(UsageError, match="has vanished"):
        back_up(path)


@pytest.mark.parametrize(
    ("code", "what_to_do"),
    [
        (errno.ENOSPC, "free space there, or back up to another disk"),
        (errno.EDQUOT, "free space there, or back up to another disk"),
        (errno.EROFS, "let this user write there, or back up to another folder"),
        (errno.EPERM, "let this user write there, or back up to another folder"),
        (errno.EIO, "look at the disk, or back up to another one"),
    ],
)
def test_a_disk_that_refuses_is_told_with_the_place_and_what_to_do(
    code: int, what_to_do: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(code, os.strerror(code), str(source), None, str(target))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(UsageError) as refused:
        back_up(path, tmp_path / "usb.db")
    assert str(refused.value) == f"{tmp_path / 'usb.db'}: {os.strerror(code)}: the backup could not be written: {what_to_do}"
    assert not list(tmp_path.glob(".backup*"))


def test_what_the_write_ahead_log_holds_needs_space_too(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path)) as held:  # so that nothing is put back into the file yet
        held.execute("BEGIN")
        held.execute("SELECT count(*) FROM event").fetchone()
        record(path, *whole_run("r2"))
        size = path.stat().st_size + path.with_name(f"{path.name}-wal").stat().st_size
        assert size > path.stat().st_size
        usage = shutil.disk_usage(path.parent)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * size - 1))
        with pytest.raises(NoSpace, match=r"are free, and .* are needed"):
            back_up(path, tmp_path / "usb.db")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2 * size))
        back_up(path, tmp_path / "usb.db")


def test_into_a_folder_it_takes_its_own_name(path: Path, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    assert back_up(path, tmp_path / "usb").path.parent == tmp_path / "usb"


def test_f46_the_way_back_from_one(path: Path) -> None:
    """As the refusals say: put it in the journal's place, and move the tip away."""
    done = back_up(path)
    record(path, *whole_run("r2"))
    path.unlink()
    shutil.copyfile(done.path, path)
    with pytest.raises(UsageError, match="it is an older copy"):
        load(path)
    tip_file(path).unlink()
    record(path, [Killed("KEY", "", 1)])
    with reading(path) as db:
        assert check_events(db).seq == 47
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_the_newest_is_the_one_that_holds_most_whatever_clocks_and_names_say(path: Path) -> None:
    assert "holds none that can be read" in newest_in_words(path)
    older = back_up(path).path
    record(path, *whole_run("r2"))
    newer = back_up(path).path
    named_later = older.rename(older.with_name("journal-46-20990101T000000Z.db"))  # made while the clock was ahead
    named_early = newer.rename(newer.with_name("auto-1-19990101T000000Z.db"))
    (older.parent / "journal-99-20990101T000000Z.db").write_bytes(b"rubbish")
    assert str(named_early) in newest_in_words(path)
    assert {file.name for file in older.parent.iterdir()} == {named_later.name, named_early.name, "journal-99-20990101T000000Z.db"}


def test_after_a_backup_was_gone_on_with_the_later_history_is_the_newest(path: Path) -> None:
    """What was given up has more events, and stays beside it."""
    early = back_up(path).path
    record(path, *whole_run("r2"), *whole_run("r3"))
    given_up = back_up(path)
    shutil.copyfile(early, path)
    tip_file(path).unlink()
    record(path, [Killed("KEY", "", 1)], step_ms=10**9)
    now = back_up(path)
    assert now.seq < given_up.seq
    assert str(now.path) in newest_in_words(path)


def test_one_that_was_damaged_since_is_not_the_one_to_restore(path: Path) -> None:
    """Its newest event can be read, and no longer the one that the older backup ends with."""
    older = back_up(path)
    record(path, *whole_run("r2"))
    newer = back_up(path).path
    pages, at = bytearray(newer.read_bytes()), newer.read_bytes().index(bytes.fromhex(older.last_hash))
    page = at // _PAGE * _PAGE
    pages[page : page + _PAGE] = b"\xff" * _PAGE
    newer.write_bytes(pages)
    assert str(older.path) in newest_in_words(path)


def test_the_newest_are_kept_and_other_files_left(path: Path) -> None:
    folder = path.parent / "backups"
    folder.mkdir()
    asked_for = [f"journal-{seq}-2026010{day}T000000Z.db" for day, seq in enumerate((9, 10, 2, 11), 1)]
    others = ["auto-1-20260101T000000Z.db", "mine.db"]
    for name in (*asked_for, *others):
        (folder / name).touch()
    done = back_up(path)
    assert [old.name for old in remove_old(path, 2)] == asked_for[:3]
    assert sorted(os.listdir(folder)) == sorted([done.path.name, asked_for[3], *others])
    assert [old.name for old in remove_old(path, 0)] == [asked_for[3], done.path.name]
    assert sorted(os.listdir(folder)) == others


@pytest.mark.parametrize("name", ["#1", "a?b", "50%41", "50% of it"])
def test_a_path_means_itself_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    file = tmp_path / name / "sim" / "journal.db"
    record(file, *whole_run())
    done = back_up(file)
    assert (done.path.parent, done.seq) == (file.parent / "backups", 46)
    assert [each.name for each in done.path.parent.iterdir()] == [done.path.name]
    assert os.listdir(tmp_path) == [name]
