"""A child is watched to its end and never left behind."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from arbtui.runtime.load_test.child import run_child

WRITES = "import json,sys; json.dump({'a': 1}, open(sys.argv[sys.argv.index('--json') + 1], 'w'))"


def command(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def nothing() -> None:
    pass


def test_code_words_and_summary(tmp_path: Path) -> None:
    ended = run_child(command(f"{WRITES}; print('one'); print('two', file=sys.stderr); sys.exit(3)"), os.environ, tmp_path, 60, nothing)
    assert (ended.exit_code, ended.summary) == (3, {"a": 1})
    assert ended.said in ("one", "two")
    assert 0 < ended.wall_s < 60


def test_a_signal_is_told_by_its_number(tmp_path: Path) -> None:
    ended = run_child(command("import os; os.kill(os.getpid(), 9)"), os.environ, tmp_path, 60, nothing)
    assert (ended.exit_code, ended.summary) == (-9, None)


@pytest.mark.parametrize("written", ["", "{", "[1]"])
def test_half_a_summary_is_none(tmp_path: Path, written: str) -> None:
    program = f"import sys; open(sys.argv[sys.argv.index('--json') + 1], 'w').write({written!r})"
    assert run_child(command(program), os.environ, tmp_path, 60, nothing).summary is None


def test_one_that_hangs_is_ended(tmp_path: Path) -> None:
    waits: list[float] = []
    started = time.monotonic()
    ended = run_child(command("import time; time.sleep(600)"), os.environ, tmp_path, 1.0, lambda: waits.append(time.monotonic()))
    assert ended.exit_code is None
    assert time.monotonic() - started < 30
    assert len(waits) >= 2
    assert ours() == []


def test_an_interrupted_wait_leaves_no_child(tmp_path: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(command("import time; time.sleep(600)"), os.environ, tmp_path, 60, interrupt)
    assert ours() == []


def test_it_runs_in_the_environment_that_was_given(tmp_path: Path) -> None:
    ended = run_child(command("import os; print(os.environ['GIVEN'])"), {**os.environ, "GIVEN": "this"}, tmp_path, 60, nothing)
    assert ended.said == "this"


def ours() -> list[str]:
    """Sleeping children of this process that are still there."""
    return [" ".join(child.cmdline()) for child in psutil.Process().children() if "time.sleep(600)" in " ".join(child.cmdline())]
