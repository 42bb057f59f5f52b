import os
import re

import pytest

from arbtui.runtime.record_progress import progress


def test_a_terminal_has_a_bar_with_what_came_and_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    monkeypatch.setenv("COLUMNS", "120")
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", terminal)
        with progress(90.0) as bar:
            bar.show(30.0, 1234, "")
            bar.show(60.0, 2345, "upbit at 127.0.0.1:1: cannot be reached")
        terminal.flush()
        painted = b""
        while b"0:30 left" not in painted:
            painted += os.read(ours, 65536)
    os.close(ours)
    words = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", painted.decode())
    for told in ("connecting", "1,234 frames", "1:00 left", "upbit at 127.0.0.1:1: cannot be reached", "0:30 left"):
        assert told in words


def test_without_a_terminal_nothing_is_painted(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(90.0) as bar:
        bar.show(30.0, 1234, "")
    assert capsys.readouterr() == ("", "")
