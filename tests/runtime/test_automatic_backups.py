"""Backups that nobody asks for, made by a process of its own, which the engine waits for at its end."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.backup import remove_old
from arbtui.journal.backup_files import backups_of
from arbtui.journal.chain import check_events
from arbtui.runtime import automatic_backups
from arbtui.runtime.automatic_backups import AutomaticBackups
from tests.disk.descriptors import no_more_files
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import whole_run


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a backup comes to is asked here, not how long a stop waits: on a busy machine a process takes its time."""
    monkeypatch.setattr(automatic_backups, "_STOP_S", 600.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "profile" / "live" / "journal.db"
    record(file, *whole_run())
    return file


def test_one_is_made_and_checked_by_another_process(path: Path) -> None:
    (path.parent / "backups").mkdir()
    left_behind = path.parent / "backups" / ".backup-1.new"
    left_behind.touch()
    os.utime(left_behind, (0, 0))  # by a process that was killed
    asyncio.run(AutomaticBackups(path, 24).at_stop())
    (made,) = backups_of(path)
    assert (made.seq, made.automatic) == (46, True)
    assert [file.name for file in made.path.parent.iterdir()] == [made.path.name]
    with closing(sqlite3.connect(made.path)) as db:
        assert check_events(db).seq == 46
    assert remove_old(path, 1) == []


def test_why_there_is_none_is_told_in_one_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(path, "UPDATE event SET ts_ms = ts_ms + 1 WHERE seq = 30")
    asyncio.run(AutomaticBackups(path, 24).at_stop())
    said = capsys.readouterr().err
    assert "no backup of the journal: " in said
    assert "event 30 is not what was written" in said
    assert "Traceback" not in said
    assert backups_of(path) == []


def test_without_a_descriptor_there_is_none_and_the_run_goes_on(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        with no_more_files():
            await AutomaticBackups(path, 24).at_stop()

    asyncio.run(main())
    assert "no backup of the journal: its process could not be started: " in capsys.readouterr().err
    assert backups_of(path) == []
