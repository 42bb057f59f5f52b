"""The tip outside the journal: an older copy, one that was cut off, another file, or none is never taken for the journal."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from arbtui.journal.events import Killed
from arbtui.journal.journal import Journal
from arbtui.journal.reader import reading
from arbtui.journal.state import load
from arbtui.journal.store import WatchedDoor
from arbtui.journal.tip import Tip, read_tip, write_tip
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.tip_file import tip_file, vanished
from arbtui.model.virtual_loop import run_virtual
from arbtui.runtime.startup import is_new
from tests.journal.recorded import record
from tests.journal.synthetic import FixedClock, SyntheticRun, whole_run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "profile" / "sim" / "journal.db"
    record(file, *whole_run())
    return file


def _open(path: Path) -> None:
    async def main() -> None:
        await (await Journal.open(path, clock=FixedClock(), door="sync")).close()

    run_virtual(main())


def _refused(path: Path, says: str) -> None:
    """By the writer and by each reader, in one sentence that says what to do; and nothing is changed."""
    before = path.read_bytes() if path.exists() else b""
    for begin in (_open, load):
        with pytest.raises(UsageError, match=says) as refused:
            begin(path)
        assert str(path) in str(refused.value)
        assert f"{tip_file(path).name}" in str(refused.value)
        assert "\n" not in str(refused.value)
    assert (path.read_bytes() if path.exists() else b"") == before


def test_it_lies_beside_the_folder_of_the_journal_and_is_the_owner_s_alone(path: Path) -> None:
    file = path.parent.parent / "sim.tip"
    assert file.stat().st_mode & 0o777 == 0o600
    with reading(path) as db:
        seq, last = db.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    assert read_tip(path) == Tip("salt", seq, last.hex(), read_tip(path).ts_ms)  # type: ignore[union-attr]


def test_f46_yesterday_s_copy_is_refused_with_both_ends(path: Path, tmp_path: Path) -> None:
    shutil.copyfile(path, tmp_path / "yesterday.db")
    record(path, *whole_run("r2"))
    shutil.copyfile(tmp_path / "yesterday.db", path)
    _refused(path, r"ends with event 46, and event 87 was on disk at 2026-01-01T00:00:00\.\d+Z: it is an older copy, or was cut off")


def test_f46_one_that_went_another_way_is_refused(path: Path, tmp_path: Path) -> None:
    """A copy that was gone on with elsewhere, as far as this one and further."""
    other = tmp_path / "elsewhere" / "sim" / "journal.db"
    other.parent.mkdir(parents=True)
    shutil.copyfile(path, other)
    record(path, [Killed("KEY", "here", 1)])
    record(other, [Killed("KEY", "there", 1)], [Killed("KEY", "", 2)])
    shutil.copyfile(other, path)
    _refused(path, "is another history than the one that was written here, or damaged, at or before event 47")


def test_f45_another_journal_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "sim" / "journal.db"

    async def begin() -> None:
        await (await Journal.open(other, clock=FixedClock(), door="sync", salt="another")).close()

    run_virtual(begin())
    record(other, *whole_run(), *whole_run("r2"))
    shutil.copyfile(other, path)
    _refused(path, "is another journal than the one that was written here")


@pytest.mark.parametrize("make", [Path.unlink, lambda path: path.write_bytes(b""), lambda path: shutil.rmtree(path.parent)])
def test_f45_one_that_is_gone_has_vanished_and_is_no_first_start(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    _refused(path, r"has vanished: .*sim\.tip tells that it was there; put it back, or restore a backup")


def test_moved_away_with_its_tip_it_is_a_first_start(path: Path) -> None:
    shutil.rmtree(path.parent)
    tip_file(path).unlink()
    _open(path)
    assert load(path).runs == 0


def test_f46_an_older_one_is_gone_on_with_once_its_tip_is_moved_away(path: Path, tmp_path: Path) -> None:
    shutil.copyfile(path, tmp_path / "yesterday.db")
    record(path, *whole_run("r2"))
    shutil.copyfile(tmp_path / "yesterday.db", path)
    tip_file(path).unlink()
    record(path, [Killed("KEY", "", 1)])
    assert (load(path).seq, read_tip(path).seq) == (47, 47)  # type: ignore[union-attr]


def test_a_journal_that_is_ahead_of_its_tip_is_the_usual_thing(path: Path) -> None:
    """A process that was killed has written its tip seconds before."""
    before = tip_file(path).read_bytes()
    record(path, *whole_run("r2"))
    tip_file(path).write_bytes(before)
    assert load(path).runs == 2
    _open(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:40],
        lambda content: content.replace(b'"seq":46', b'"seq":44'),
        lambda content: content.replace(b'"salt":"salt"', b'"salt":"malt"'),
    ],
)
def test_f45_a_tip_that_is_damaged_is_refused_by_name(path: Path, damage: Callable[[bytes], bytes]) -> None:
    file = tip_file(path)
    content = file.read_bytes()
    assert damage(content) != content
    file.write_bytes(damage(content))
    _refused(path, f"{file}: .*: it tells how far .* went; if that journal is the right one, move sim.tip away")


def test_a_link_in_the_place_of_a_tip_is_not_followed(path: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    tip_file(path).rename(moved)
    tip_file(path).symlink_to(moved)
    with pytest.raises(UsageError, match="if that journal is the right one"):
        load(path)
    write_tip(path, Tip("salt", 1, "", 0), sync=True)
    assert not tip_file(path).is_symlink()
    assert '"seq":46' in moved.read_text()


def test_it_is_one_line_that_any_program_can_work_out(path: Path) -> None:
    write_tip(path, Tip("salt", 7, "ab", 1), sync=False)
    check = hashlib.sha256(b"salt 7 ab 1").hexdigest()[:16]
    line = f'{{"tip":{{"salt":"salt","seq":7,"hash":"ab","ts_ms":1}},"check":"{check}"}}\n'
    assert tip_file(path).read_text() == line


@pytest.mark.parametrize("sync", [True, False])
def test_it_is_synced_where_that_is_asked_for_and_nothing_stays_open(path: Path, sync: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    files = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(20):
        write_tip(path, Tip("salt", 7, "ab", 1), sync=sync)
    assert len(synced) == (20 if sync else 0)
    if files:
        assert len(os.listdir("/proc/self/fd")) < files + 10


def test_one_that_was_written_in_part_replaces_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_tip(path)
    write = os.write
    monkeypatch.setattr("os.write", lambda descriptor, line: write(descriptor, line[:-10]))
    with pytest.raises(OSError, match="No space left"):
        write_tip(path, Tip("salt", 7, "ab", 1), sync=True)
    monkeypatch.undo()
    assert read_tip(path) == before


@pytest.mark.parametrize("sync", [True, False])
def test_what_a_process_left_of_a_new_tip_is_in_nobody_s_way(path: Path, sync: bool) -> None:
    left = tip_file(path).with_name("sim.tip.new")
    left.write_text("half of o")
    tip = Tip("salt", 7, "ab", 1)
    write_tip(path, tip, sync=sync)
    assert read_tip(path) == tip
    assert not left.exists()


def test_no_tip_says_more_than_is_on_disk(tmp_path: Path) -> None:
    """It is taken while commits are under way, again and again; a copy made after it must never be behind it."""
    path = tmp_path / "live" / "journal.db"

    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="aio")
        run = SyntheticRun()
        journal.post(*run.start())
        for number in range(30):
            journal.post(*run.cycle(number))
            await journal.keep_tip()
            tip = read_tip(path)
            assert tip is not None
            assert journal.durable_seq >= tip.seq
            with reading(path):
                pass
        await journal.close()

    asyncio.run(main())
    assert read_tip(path).seq == load(path).seq  # type: ignore[union-attr]


@pytest.mark.parametrize("durable", [True, False])
def test_behind_a_watched_door_it_is_told_of_before_and_after_and_synced_where_that_is_durable(
    tmp_path: Path, durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "live" / "journal.db"
    told: list[tuple[str, int]] = []
    synced: list[int] = []

    def tell(what: str) -> Callable[[], None]:
        def tells() -> None:
            tip = read_tip(path)
            told.append((what, 0 if tip is None else tip.seq))

        return tells

    async def main() -> None:
        door = WatchedDoor(lambda: None, lambda: None, tell("before"), tell("after"), durable)
        journal = await Journal.open(path, clock=FixedClock(), door=door)
        await journal.commit(Killed("KEY", "", 1))
        monkeypatch.setattr("os.fsync", synced.append)
        await journal.keep_tip()
        await journal.keep_tip()  # it stands there already
        monkeypatch.undo()
        assert journal.tip_seq == 2
        await journal.close()

    run_virtual(main())
    assert told == [("before", 0), ("after", 1), ("before", 1), ("after", 2)]
    assert len(synced) == (1 if durable else 0)


def test_a_close_that_is_cancelled_at_the_tip_closes_the_file_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "live" / "journal.db"
    begun, may_end = Event(), Event()

    def slow(journal: Path, tip: Tip, *, sync: bool) -> None:
        begun.set()
        may_end.wait()
        write_tip(journal, tip, sync=sync)

    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="aio")
        await journal.commit(*SyntheticRun().start())
        monkeypatch.setattr("arbtui.journal.journal.write_tip", slow)
        ends = asyncio.create_task(journal.close())
        try:
            await asyncio.to_thread(begun.wait)
            ends.cancel()
            with pytest.raises(asyncio.CancelledError):
                await ends
            with pytest.raises(JournalFailed, match="closed"):
                await journal.commit(*SyntheticRun().cycle(0))
        finally:
            may_end.set()

    asyncio.run(main())
    assert read_tip(path).seq == load(path).seq  # type: ignore[union-attr]


def take_away(path: Path, what: str, elsewhere: Path) -> None:
    match what:
        case "moved":
            path.rename(elsewhere / "elsewhere.db")
        case "deleted":
            path.unlink()
        case "replaced":
            shutil.copyfile(path, elsewhere / "copy.db")
            (elsewhere / "copy.db").rename(path)
        case _:
            path.with_name("journal.db-wal").unlink()


@pytest.mark.parametrize("door", ["aio", "sync"])
@pytest.mark.parametrize("what", ["moved", "deleted", "replaced", "log deleted"])
def test_f45_a_file_that_is_no_longer_there_is_a_failed_journal_at_once(path: Path, tmp_path: Path, what: str, door: str) -> None:
    told: list[str] = []

    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="aio" if door == "aio" else "sync")
        journal.on_failure = lambda failure: told.append(str(failure))
        await journal.commit(Killed("KEY", "", 1))
        journal.look_at_file()
        assert not told
        take_away(path, what, tmp_path)
        journal.look_at_file()
        assert len(told) == 1
        with pytest.raises(JournalFailed, match="was moved, deleted or replaced while it was written"):
            await journal.commit(Killed("KEY", "", 2))
        await journal.close()

    if door == "aio":
        asyncio.run(main())
    else:
        run_virtual(main())
    assert len(told) == 1


def test_f45_nothing_is_acknowledged_between_two_looks(path: Path) -> None:
    """The writer looks by itself before each transaction."""

    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="aio")
        await journal.commit(Killed("KEY", "", 1))
        take_away(path, "deleted", path.parent)
        with pytest.raises(JournalFailed, match="put it back, then start again"):
            await journal.commit(Killed("KEY", "", 2))
        await journal.close()

    asyncio.run(main())
    _refused(path, "has vanished")


@pytest.mark.parametrize("folder", ["backups", "archives"])
def test_a_journal_and_tip_that_are_gone_beside_what_only_a_journal_leaves_have_vanished(path: Path, folder: str) -> None:
    path.unlink()
    tip_file(path).unlink()
    left = path.parent / folder
    left.mkdir()
    assert vanished(path) == ""
    assert is_new(path)
    (left / "one").write_bytes(b"it was there")
    assert not is_new(path)
    _refused(path, f"has vanished: {left / 'one'} tells")
