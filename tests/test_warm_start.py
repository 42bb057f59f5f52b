"""A program that is started warm finds, and leaves, what it would in an interpreter of its own."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import warm_start
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="every start is a cold one")

_CHILD = "tests.warm_child"


def ended(*arguments: str, cold: bool, **options: Any) -> tuple[int, dict[str, Any], str, str]:
    """Its code, what it was started with, and what else it said."""
    pipe = subprocess.PIPE
    with warm_start.popen(
        _CHILD, *arguments, cold=cold, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, **options
    ) as process:
        out, err = process.communicate(timeout=150)
    facts, _, rest = out.partition("\n")
    return process.returncode, json.loads(facts), rest, err


def test_it_is_started_with_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests").symlink_to(REPOSITORY / "tests")
    monkeypatch.setenv("ONE", "of these \udcff")
    monkeypatch.chdir(tmp_path)
    mask = os.umask(0o027)
    try:
        told = dict(os.environ)  # without what readline puts there behind Python's back
        cold, warm = (ended("0", "a b", "\udcff", cold=cold, env=told)[1] for cold in (True, False))
    finally:
        os.umask(mask)
    for one in (cold, warm):
        del one["signals"]  # tests that ran before in this process have changed its own: below they are compared in a new one
    assert warm == cold
    assert (warm["parent"], warm["folder"], warm["umask"]) == (os.getpid(), str(tmp_path), 0o027)


def test_it_is_started_with_the_same_signals() -> None:
    """Asked of a process in which nothing else has run: sessions and screens ignore signals, and handle ones that a script had ignored."""
    program = (
        "import json, os, tests.conftest\n"
        "from tests import test_warm_start, warm_start\n"
        "told = [test_warm_start.ended('0', cold=cold, env=dict(os.environ))[1]['signals'] for cold in (True, False)]\n"
        "print(json.dumps([*told, len(warm_start._WarmProcess._by_owner)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=True)
    cold, warm, forking = json.loads(done.stdout)
    assert forking == 1, "one of the two was a fork"
    assert warm == cold
    assert {"SIGINT", "SIGUSR1", "SIGPIPE"} < warm.keys()


@pytest.mark.parametrize("encoding", ["ascii", "euc-kr"])
def test_its_streams_are_encoded_as_it_is_told(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    cold, warm = (ended("0", cold=cold, env=environment)[1]["streams"] for cold in (True, False))
    assert warm == cold
    assert {one[0].replace("_", "-") for one in warm} == {encoding}


def test_an_environment_that_the_interpreter_itself_reads_makes_it_a_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ({**os.environ, "PYTHONHASHSEED": "7"}, None):
        process = warm_start.popen(_CHILD, "0", env=given, stdout=subprocess.DEVNULL)
        assert type(process) is subprocess.Popen
        assert process.wait() == 0
        monkeypatch.setenv("PYTHONDEVMODE", "1")


def test_what_a_library_reads_once_and_an_option_that_a_fork_cannot_have_make_it_a_cold_start() -> None:
    options: list[dict[str, Any]] = [{"env": {**os.environ, "TEXTUAL_FPS": "7"}}, {"preexec_fn": os.getpid}]
    for given in options:
        process = warm_start.popen(_CHILD, "0", stdout=subprocess.DEVNULL, **given)
        assert type(process) is subprocess.Popen
        assert process.wait() == 0


@pytest.mark.parametrize("end", ["0", "3", "text", "thread", "signal"])
def test_it_ends_the_same(end: str) -> None:
    cold, warm = (ended(end, cold=cold) for cold in (True, False))
    assert (warm[0], warm[2:]) == (cold[0], cold[2:])


def test_an_error_is_told_and_ends_it() -> None:
    code, _, rest, err = ended("error", cold=False)
    assert (code, rest) == (1, "the end\n")
    assert err.endswith("ValueError: an end by an error\n")


def test_it_takes_a_terminal_for_its_own() -> None:
    master, slave = pty.openpty()
    try:
        told = []
        for cold in (True, False):
            with warm_start.popen(_CHILD, "0", cold=cold, own_terminal=True, stdin=slave, stdout=subprocess.PIPE, text=True) as process:
                facts = json.loads(process.communicate(timeout=150)[0].partition("\n")[0])
            assert (facts["group"], facts["leads"]) == (process.pid, True)
            told.append(facts["streams"])
        assert told[0] == told[1]
    finally:
        os.close(master)
        os.close(slave)


def test_one_that_is_killed_has_ended_by_that() -> None:
    process = warm_start.popen("http.server", "0", "--bind", "127.0.0.1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    assert process.wait(150) == -signal.SIGKILL
