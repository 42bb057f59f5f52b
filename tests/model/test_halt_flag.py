"""Whatever stands in the flag's place is a flag; nothing there can keep a reader waiting."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from arbtui.model.halt import FLAG_NAME, Halt, archive_flag, read_flag, write_flag


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
