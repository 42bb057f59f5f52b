"""``arbtui simulate``: wrong input is refused in a sentence before anything is played; an interrupt ends it."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.cli.command import Here
from tests.lifecycle.waiting import DEADLINE_S, until


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--minutes", "1", "--hours", "1"), "--minutes or --hours, not both"),
        (("--minutes", "0.1"), "a story of 0.1 minutes: expected from 0.5 minutes to 24 hours"),
        (("--hours", "nan"), "expected from 0.5 minutes to 24 hours"),
        (("--seed", "-1"), "--seed -1: expected a number from 0 up"),
        (("--seeds", "0"), "--seeds 0: expected a number from 1 to 100,000"),
        (("--symbols", "0"), "--symbols 0: expected a number from 1 to 50"),
        (("--jobs", "0"), "--jobs 0: expected a number from 1 to 64"),
        (("--faults", "fire"), "'fire' is no kind of fault; there are all, none, request-lost"),
        (("--only", "a"), "--only 'a': expected numbers of faults with commas between them, or none"),
        (("--profile", "binance-spot-perp"), "not binanceusdm"),
        (("--profile", "upbit-binanc"), "did you mean upbit-binance?"),
    ],
)
def test_wrong_input_is_refused(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer = Here(capsys)("simulate", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_ends_it_in_the_middle_of_a_story(jobs: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "arbtui", "simulate", "--seeds", "4", "--hours", "24", "--jobs", jobs, "--state-dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        until(lambda: has_traded(tmp_path / "seed-1"), "a story that trades")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(DEADLINE_S) == 128 + signal.SIGINT
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def has_traded(story: Path) -> bool:
    """Whether a life of the story is under way: it has written some events."""
    journal = story / "life-1" / "live" / "journal.db"
    if not journal.exists():
        return False
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database, suppress(sqlite3.OperationalError):
        return bool(database.execute("SELECT count(*) > 50 FROM event").fetchone()[0])
    return False
