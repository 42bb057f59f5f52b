"""A bar where there is a terminal, plain lines where not."""

import os
import pty
import re
from contextlib import suppress

import pytest

from arbtui.runtime.load_test.progress import progress


def drive() -> None:
    with progress(20.0) as shown:
        shown.begin("10 symbols, 8 s")
        shown.tick()
        shown.end(10.0)
        shown.begin("20 symbols, 8 s")
        shown.end(10.0)


def test_lines_tell_what_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    drive()
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == ("arbtui: load test: 10 symbols, 8 s, about 20 s to go\narbtui: load test: 20 symbols, 8 s, about 10 s to go\n")


def test_a_terminal_has_a_bar_with_the_row_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", terminal)
        drive()
        terminal.flush()
    painted = b""
    with suppress(OSError):  # a terminal whose other end is closed says so once everything was read
        while some := os.read(ours, 65536):
            painted += some
    os.close(ours)
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", painted.decode())
    for told in ("10 symbols, 8 s", "0:20 left", "0:10 left", "20 symbols, 8 s", "0:00 left"):
        assert told in words


@pytest.mark.parametrize(("took_s", "left"), [(30.0, "about 30 s"), (4.0, "about 10 s")])
def test_parts_that_take_longer_than_estimated_lengthen_what_is_left(
    took_s: float, left: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("arbtui.runtime.load_test.progress.time.monotonic", lambda: now)
    with progress(20.0) as shown:
        shown.begin("10 symbols, 8 s")
        now += took_s
        shown.end(10.0)
        shown.begin("20 symbols, 8 s")
    assert f"20 symbols, 8 s, {left} to go" in capsys.readouterr().err
