"""Automatic backups: kept by the hour, made where there is room; and named where a journal is damaged."""

import errno
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from arbtui.journal import automatic_backup
from arbtui.journal.automatic_backup import back_up_by_itself, main
from arbtui.journal.backup import NoSpace, remove_old
from arbtui.journal.backup_files import BackupFile, backups_of, name_of, no_longer_kept
from arbtui.journal.state import load
from arbtui.model.errors import UsageError
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import whole_run

_HOUR = 3600.0
_NOW = 1_800_000_000.0  # on the hour


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "profile" / "live" / "journal.db"
    record(file, *whole_run())
    return file


def _made(minutes_ago: float, automatic: bool = True) -> BackupFile:
    made_s = _NOW - minutes_ago * 60.0
    return BackupFile(Path(name_of(100_000 - int(minutes_ago), made_s, automatic=automatic)), 1, made_s, automatic)


def test_the_last_hour_and_the_last_of_each_hour_are_kept() -> None:
    made = [_made(quarters * 15.0 + 1.0) for quarters in range(4 * 30)][::-1]
    gone = no_longer_kept(made, _NOW, 24)
    kept = [round((_NOW - backup.made_s) / 60.0) for backup in made if backup not in gone]
    assert kept == [60 * hour + 1 for hour in range(23, 0, -1)] + [46, 31, 16, 1]


def test_the_newest_is_kept_however_old_and_nothing_that_was_asked_for_goes() -> None:
    old = [_made(9000.0), _made(8000.0), _made(7000.0, automatic=False)]
    assert no_longer_kept(old, _NOW, 24) == [old[0]]
    assert no_longer_kept([], _NOW, 24) == []


def test_a_damaged_journal_names_the_newest_backup_that_is_whole(path: Path) -> None:
    whole = path.read_bytes()
    tamper(path, "UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 30")
    with pytest.raises(UsageError, match=r"restore a backup .*backups holds none"):
        record(path)
    path.write_bytes(whole)
    back_up_by_itself(path, 24)
    (made,) = backups_of(path)
    for number in (3, 4):
        (path.parent / "backups" / name_of(number, _NOW - (100_000 - number) * _HOUR)).touch()
    tamper(path, "UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 30")
    with pytest.raises(
        UsageError, match=rf"event 30 .*restore the newest backup, {made.path} \(event 46, 20.* UTC, whole when it was made\)$"
    ):
        record(path)
    path.write_bytes(b"no database any more" * 100)
    path.parent.parent.joinpath("live.tip").unlink()
    with pytest.raises(UsageError, match="it is not an SQLite database"):
        load(path)


def test_older_ones_make_room_all_but_the_newest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = path.parent / "backups"
    folder.mkdir()
    now = time.time()
    names = [name_of(seq, now - 600.0 + seq, automatic=True) for seq in (1, 2, 3)]
    for name in names:
        (folder / name).touch()
    usage = shutil.disk_usage(folder)

    def free(_: object) -> object:
        left = len(list(folder.glob("auto-*")))
        return usage._replace(free=usage.free if left <= 2 else 0)

    monkeypatch.setattr(shutil, "disk_usage", free)
    made = back_up_by_itself(path, 24)
    assert sorted(file.name for file in folder.iterdir()) == sorted([*names[1:], made.path.name])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    with pytest.raises(NoSpace, match=r"0.0 MB are free, and .* MB are needed: for a backup of .*: free space, or remove older backups"):
        back_up_by_itself(path, 24)
    assert [file.name for file in folder.iterdir()] == [made.path.name]


def test_what_cannot_be_removed_any_more_is_told_and_keeps_no_backup_from_being_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = path.parent / "backups"
    folder.mkdir()
    stuck = folder / name_of(1, time.time() - 40 * 86_400.0, automatic=True)
    stuck.touch()
    (folder / name_of(2, time.time() - 3000.0, automatic=True)).touch()
    unlink = Path.unlink

    def refuse(file: Path, missing_ok: bool = False) -> None:
        if file == stuck:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        unlink(file, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    said = rf"is made and whole, but {stuck}: Permission denied: the old backup could not be removed: remove it, and let this user"
    with pytest.raises(UsageError, match=said):
        back_up_by_itself(path, 24)
    assert len(backups_of(path)) == 3
    asked_for = folder / name_of(3, time.time() - 40 * 86_400.0)
    asked_for.touch()
    stuck = asked_for
    with pytest.raises(UsageError, match=rf"{stuck}: Permission denied: the old backup could not be removed"):
        remove_old(path, 0)


@pytest.fixture
def niced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """By how much the process has yielded to others."""
    by: list[int] = []
    monkeypatch.setattr(os, "nice", by.append)
    return by


@pytest.mark.parametrize(("hours", "kept"), [(24, True), (1, False)])
def test_the_process_yields_and_prints_where_the_backup_is(
    path: Path, hours: int, kept: bool, niced: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = path.parent / "backups"
    folder.mkdir()
    ages_s = {number: hours_ago * _HOUR for number, hours_ago in ((1, 1.5), (2, 0.5))}
    earlier, later = (folder / name_of(number, time.time() - age_s, automatic=True) for number, age_s in ages_s.items())
    earlier.touch()
    later.touch()
    monkeypatch.setattr(sys, "argv", ["automatic_backup", str(path), str(hours)])
    assert main() == 0
    made = backups_of(path)[-1]
    assert (made.seq, made.automatic) == (46, True)
    assert capsys.readouterr().out == f"{made.path}\n"
    assert niced == [19]
    assert {backup.path for backup in backups_of(path)} == {made.path, later} | ({earlier} if kept else set())


def test_the_process_prints_why_there_is_none(
    path: Path, niced: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["automatic_backup", str(path), "24"])
    tamper(path, "UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 30")
    assert main() == 1
    assert capsys.readouterr().out.startswith(f"{path}: event 30 is not what was written: ")

    def refuse(error: OSError) -> None:
        def refused(journal: Path) -> list[BackupFile]:
            raise error

        monkeypatch.setattr(automatic_backup, "backups_of", refused)

    for place, said in (("/somewhere", "/somewhere"), (None, f"{path.parent / 'backups'}")):
        refuse(PermissionError(errno.EACCES, "Permission denied", place))
        assert main() == 1
        assert capsys.readouterr().out == f"{said}: Permission denied: no backup was made: let this user read and write there\n"


def test_what_a_process_that_was_killed_has_left_goes_after_an_hour(path: Path) -> None:
    backups = path.parent / "backups"
    (backups / "archives").mkdir(parents=True)
    left = [
        backups / name for name in (".backup-1.new", ".backup-2.new", "archives/.events-1-90.gz-1.new", "archives/.events-1-90.gz-2.new")
    ]
    for file, age_s in zip(left, (3700.0, 3500.0) * 2, strict=True):
        file.touch()
        os.utime(file, (time.time() - age_s,) * 2)
    back_up_by_itself(path, 24)
    assert [file.exists() for file in left] == [False, True] * 2
