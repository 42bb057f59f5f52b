"""The supervisor over a child that does as it is told: what is restarted, how often, and what stays down."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arbtui.model.halt import write_flag
from arbtui.runtime.supervisor.restarts import MOST, WITHIN_S, Restarts
from tests.lifecycle.waiting import DEADLINE_S, until

#: Appends its pid and arguments to a file, then does what the next line of its script says: a code to exit with, a signal, or ``wait``.
_CHILD = """
import os, signal, sys, time
log, script = sys.argv[1:3]
with open(log, "a") as file:
    file.write(f"{os.getpid()} {' '.join(sys.argv[3:])}\\n")
turn = sum(1 for _ in open(log)) - 1
what = open(script).read().split()[turn]
if what == "wait":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    while True:
        time.sleep(0.05)  # not pause: a signal that comes just before it would be waited for in vain
if what.startswith("SIG"):
    os.kill(os.getpid(), getattr(signal, what))
if what.startswith("failed"):
    from pathlib import Path
    from arbtui.settings.heartbeat import Heartbeat
    with Heartbeat(Path(log).parent) as beat:
        beat.has_failed = True
    sys.exit(int(what.removeprefix("failed")))
sys.exit(int(what))
"""
_SUPERVISOR = """
import json, sys
from pathlib import Path
from arbtui.runtime.supervisor import restarts
from arbtui.runtime.supervisor.supervisor import Supervisor
restarts.FIRST_S = 0.001
folder, first, again = Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
sys.exit(Supervisor("desk", folder, first, again, lambda why: (folder / "down").write_text(why)).run())
"""


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, script: str, first: str) -> None:
        self.folder = folder
        (folder / "script").write_text(script)
        (folder / "child.py").write_text(_CHILD)
        child = [sys.executable, str(folder / "child.py"), str(folder / "log"), str(folder / "script")]
        commands = (json.dumps([*child, first]), json.dumps([*child, "again"]))
        self.process = subprocess.Popen([sys.executable, "-c", _SUPERVISOR, str(folder), *commands], stderr=subprocess.PIPE, text=True)

    def starts(self) -> list[str]:
        log = self.folder / "log"
        return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []

    def child(self) -> int:
        return int((self.folder / "log").read_text().splitlines()[-1].split()[0])

    def ended(self) -> int:
        self.said = self.process.communicate(timeout=DEADLINE_S)[1]
        return self.process.returncode

    @property
    def down(self) -> str:
        file = self.folder / "down"
        return file.read_text() if file.exists() else ""


@contextmanager
def supervised(folder: Path, script: str, first: str = "first") -> Iterator[Supervised]:
    made = Supervised(folder, script, first)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


@pytest.mark.parametrize("code", [0, 2, 3, 4, 5, 143])
def test_an_engine_that_ends_in_order_or_is_refused_is_left_down(tmp_path: Path, code: int) -> None:
    with supervised(tmp_path, f"{code} 0") as one:
        assert one.ended() == code
        assert one.starts() == ["first"]
        assert one.down == ""


@pytest.mark.parametrize("death", ["SIGKILL", "SIGSEGV", "1", "failed2", "failed3"])
def test_one_that_died_is_started_again_as_nobody_asked_for_it(tmp_path: Path, death: str) -> None:
    with supervised(tmp_path, f"{death} 0") as one:
        assert one.ended() == 0
        assert one.starts() == ["first", "again"]
        assert one.down == ""
        assert "the engine has died (" in one.said


def test_after_five_restarts_it_stays_down_and_tells_so_with_the_childs_code(tmp_path: Path) -> None:
    with supervised(tmp_path, "1 " * 5 + "SIGKILL 0") as one:
        assert one.ended() == 128 + signal.SIGKILL
        assert one.starts() == ["first", *["again"] * 5]
        assert one.down == "the engine has died (SIGKILL) and is not started again: it was restarted 5 times within 10 minutes"


def test_a_restart_that_is_refused_is_told(tmp_path: Path) -> None:
    with supervised(tmp_path, "SIGKILL 2 0") as one:
        assert one.ended() == 2
        assert one.starts() == ["first", "again"]
        assert "its restart was refused (exit code 2" in one.down


@pytest.mark.parametrize(("code", "is_told"), [(2, True), (5, True), (4, False), (0, False)])
def test_a_first_start_that_nobody_confirmed_is_told_when_it_is_refused(tmp_path: Path, code: int, is_told: bool) -> None:
    """As after a power cut, when the machine starts it and nobody reads what it says."""
    with supervised(tmp_path, f"{code} 0", first="again") as one:
        assert one.ended() == code
        assert one.starts() == ["again"]
        assert one.down == (f"the engine's start was refused (exit code {code}; its log and the supervisor's tell why)" if is_told else "")


def test_under_a_kill_it_is_not_started_again(tmp_path: Path) -> None:
    write_flag(tmp_path, "CLI", "enough")
    with supervised(tmp_path, "SIGKILL 0") as one:
        assert one.ended() == 128 + signal.SIGKILL
        assert one.starts() == ["first"]
        assert "desk is killed by CLI (enough)" in one.down


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_passed_on_and_the_code_is_the_childs(tmp_path: Path, number: signal.Signals) -> None:
    with supervised(tmp_path, "wait 0") as one:
        until(lambda: one.starts(), "the child has started")
        until(lambda: Path(f"/proc/{one.child()}/status").read_text().find("SigCgt:\t0000000000000000") < 0, "it handles signals")
        one.process.send_signal(number)
        code = one.ended()
        assert code == (143 if number is signal.SIGTERM else 128 + number)
        assert one.starts() == ["first"]
        assert one.down == ""


class TestRestarts:
    def test_pauses_double_up_to_a_minute(self) -> None:
        restarts = Restarts()
        assert [restarts.pause(1000.0 * turn, 150.0) for turn in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]

    def test_five_in_ten_minutes_and_no_more_until_the_first_is_long_ago(self) -> None:
        restarts = Restarts()
        assert all(restarts.pause(float(turn), 1.0) is not None for turn in range(MOST))
        assert restarts.pause(100.0, 1.0) is None
        assert restarts.pause(WITHIN_S, 1.0) is None  # the first was made a second after it was asked for
        assert restarts.pause(WITHIN_S + 1.0, 1.0) is not None

    def test_one_that_lived_for_ten_minutes_begins_anew(self) -> None:
        restarts = Restarts()
        assert [restarts.pause(0.0, 1.0), restarts.pause(10.0, 1.0), restarts.pause(2000.0, WITHIN_S)] == [1, 2, 1]
