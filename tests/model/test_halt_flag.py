"""Whatever stands in the flag's place is a flag; nothing there can keep a reader waiting."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from arbtui.model.halt import FLAG_NAME, Halt, HaltCause, archive_flag, read_flag, write_flag


def _link(flag: Path) -> None:
    flag.symlink_to(flag.with_name("nowhere"))


def _loop(flag: Path) -> None:
    flag.symlink_to(flag)


def _binary(flag: Path) -> None:
    flag.write_bytes(b"\xff" * 10)


def _large(flag: Path) -> None:
    with flag.open("wb") as file:
        file.truncate(2**40)


STRANGE: list[Callable[[Path], None]] = [_link, _loop, os.mkfifo, Path.mkdir, _large, _binary]


@pytest.mark.parametrize("make", STRANGE, ids=["dangling", "itself", "pipe", "folder", "a terabyte of nothing", "binary"])
def test_it_halts_and_is_taken_away_by_a_re_arming(tmp_path: Path, make: Callable[[Path], None]) -> None:
    running = Halt(tmp_path)
    assert not running.flag_stands()
    make(tmp_path / FLAG_NAME)
    cause = read_flag(tmp_path)
    assert cause is not None
    assert cause.source == "unknown"
    assert write_flag(tmp_path, "CLI", "again") is False
    assert Halt(tmp_path).is_closed
    assert running.flag_stands()
    assert running.epoch == 1
    archive_flag(tmp_path)
    assert read_flag(tmp_path) is None
    assert not os.path.lexists(tmp_path / "nowhere")


def test_no_reader_finds_it_without_its_cause(tmp_path: Path) -> None:
    for number in range(200):
        folder = tmp_path / str(number)
        folder.mkdir()
        found: list[HaltCause | None] = []

        def read(folder: Path = folder, found: list[HaltCause | None] = found) -> None:
            while not found:
                if (cause := read_flag(folder)) is not None:
                    found.append(cause)

        reading = threading.Thread(target=read)
        reading.start()
        assert write_flag(folder, "KEY", "at once", 5)
        reading.join()
        assert found == [HaltCause("KEY", "at once", 5)]
        assert os.listdir(folder) == [FLAG_NAME]


def test_it_stands_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("a file system without links")  # a mock: none is at hand

    monkeypatch.setattr(os, "link", refuse)
    assert write_flag(tmp_path, "KEY", "at once", 5)
    assert not write_flag(tmp_path, "CLI", "late", 6)
    assert read_flag(tmp_path) == HaltCause("KEY", "at once", 5)
    assert os.listdir(tmp_path) == [FLAG_NAME]


def test_it_stands_on_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda fd, body: 0)  # a mock of ENOSPC's short write
    assert write_flag(tmp_path, "KEY", "at once", 5)
    monkeypatch.undo()
    assert Halt(tmp_path).is_closed
    assert os.listdir(tmp_path) == [FLAG_NAME]
