"""The driver in a real pseudo-terminal: a child process on its one end, this test on the other."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from arbtui.model.halt import read_flag

DEADLINE_S = 60


class Terminal:
    """The screen's side of a terminal, and the reports of the console in it."""

    def __init__(self, what: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.reports, theirs = os.pipe()
        program = (
            "import os, runpy, sys; os.dup2(int(sys.argv[1]), 3); sys.argv[:] = ['child', *sys.argv[2:]];"
            "runpy.run_module('tests.console.terminal_child', run_name='__main__')"
        )
        self.child = subprocess.Popen(
            [sys.executable, "-c", program, str(theirs), what, str(folder)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=(theirs,),
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(theirs)
        self._report = b""
        self.screen = b""

    def type(self, keys: bytes) -> None:
        """Type ``keys``."""
        os.write(self.master, keys)

    def report(self, *, reading: bool) -> dict[str, Any]:
        """The console's next report; meanwhile read the screen, or let it fill up."""
        while b"\n" not in self._report:
            watched = [self.reports, self.master] if reading else [self.reports]
            ready, _, _ = select.select(watched, [], [], DEADLINE_S)
            assert ready, "the console said nothing"
            if self.master in ready:
                self.screen += os.read(self.master, 65_536)
            if self.reports in ready:
                data = os.read(self.reports, 4_096)
                assert data, f"the console ended early: {self.screen[-2000:]!r}"
                self._report += data
        line, _, self._report = self._report.partition(b"\n")
        return dict(json.loads(line))

    def read_until(self, text: bytes) -> None:
        """Read the screen until ``text`` has come."""
        while text not in self.screen:
            assert select.select([self.master], [], [], DEADLINE_S)[0], f"never saw {text!r}"
            self.screen += os.read(self.master, 65_536)

    def drain(self) -> None:
        """Read what has come, and forget all that was read."""
        while select.select([self.master], [], [], 0)[0]:
            os.read(self.master, 65_536)
        self.screen = b""

    def finish(self) -> int:
        """Read the screen until the child has ended; its exit code."""
        while self.child.poll() is None:
            if select.select([self.master], [], [], 0.05)[0]:
                self.screen += os.read(self.master, 65_536)
        while select.select([self.master], [], [], 0)[0]:
            self.screen += os.read(self.master, 65_536)
        return self.child.returncode

    def close(self) -> None:
        """Hang up."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for descriptor in (self.master, self.slave, self.reports):
            os.close(descriptor)


@contextmanager
def terminal(what: str, folder: Path, **environment: str) -> Iterator[Terminal]:
    opened = Terminal(what, folder, environment)
    try:
        assert opened.report(reading=True) == {"painted": True}
        yield opened
    finally:
        opened.close()


def test_a_terminal_that_nobody_reads_does_not_stop_the_loop(tmp_path: Path) -> None:
    with terminal("stall", tmp_path) as screen:
        report = screen.report(reading=False)
        assert report["drops"] > 0
        assert report["lag_max_ms"] < report["stalled_s"] * 1_000 / 4
        screen.screen = b""
        assert screen.report(reading=True) == {"recovered": True}
        screen.read_until(b"KILL")  # the footer never changes: only a full repaint sends it again
        screen.type(b"\x11")
        assert screen.report(reading=True)["result"] == "operator"
        assert screen.finish() == 0


def test_quitting_into_a_stalled_terminal_does_not_hang(tmp_path: Path) -> None:
    with terminal("stall", tmp_path) as screen:
        screen.report(reading=False)
        screen.type(b"\x11")
        assert screen.report(reading=False)["result"] == "operator"
        assert screen.child.wait(timeout=DEADLINE_S) == 0


@pytest.mark.parametrize("key", [b"\x0b", b"\x1b[107;5u", b"\x1b\x0b", b"\x1b[27;5;107~"])
def test_kill_key_closes_the_gate_while_the_loop_is_blocked(tmp_path: Path, key: bytes) -> None:
    with terminal("block", tmp_path) as screen:
        assert screen.report(reading=True) == {"blocking": True}
        screen.type(key)
        report = screen.report(reading=True)
        assert report["closed"]
        assert report["source"] == "KEY"
        screen.finish()
    cause = read_flag(tmp_path)
    assert cause is not None
    assert cause.source == "KEY"


def test_pasted_text_does_not_kill(tmp_path: Path) -> None:
    with terminal("idle", tmp_path) as screen:
        screen.type(b"\x1b[200~one\x0btwo\x1b[107;5u\x1b[201~")
        screen.read_until(b"a paste does nothing here")  # keys that come with it would count as pasted
        screen.type(b"\x11")
        report = screen.report(reading=True)
        assert report == {"result": "operator", "code": 0, "failure": "None", "closed": False}
        assert screen.finish() == 0
    assert read_flag(tmp_path) is None


def test_the_terminal_knows_its_size_better_than_the_environment(tmp_path: Path) -> None:
    with terminal("idle", tmp_path, COLUMNS="5", LINES="2") as screen:
        screen.read_until(b"\x1b[48;")
        fcntl.ioctl(screen.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 100, 0, 0))
        screen.child.send_signal(signal.SIGWINCH)
        screen.read_until(b"\x1b[60;")


def test_no_report_of_focus_is_asked_for(tmp_path: Path) -> None:
    with terminal("idle", tmp_path) as screen:
        assert screen.screen.rindex(b"\x1b[?1004l") > screen.screen.rindex(b"\x1b[?1004h")


def test_the_terminal_is_given_back_as_it_was(tmp_path: Path) -> None:
    with terminal("idle", tmp_path) as screen:
        assert termios.tcgetattr(screen.slave) != screen.before
        screen.type(b"\x11")
        screen.report(reading=True)
        screen.finish()
        assert termios.tcgetattr(screen.slave) == screen.before
        assert screen.screen.rindex(b"\x1b[?1049l") > screen.screen.rindex(b"\x1b[?1049h")
        assert b"\x1b[?25h" in screen.screen
        assert b"Traceback" not in screen.screen


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
@pytest.mark.parametrize("dialog", [b"", b"?"])
def test_a_console_that_was_stopped_paints_all_of_itself_again(tmp_path: Path, stop: signal.Signals, dialog: bytes) -> None:
    with terminal("idle", tmp_path) as screen:
        screen.type(dialog)
        screen.read_until(b"Esc close" if dialog else b"KILL")
        screen.child.send_signal(stop)
        os.waitpid(screen.child.pid, os.WUNTRACED)
        screen.drain()
        screen.child.send_signal(signal.SIGCONT)
        for text in (b"\x1b[?1049h", b"KILL", b"[5]", *([b"Esc close"] if dialog else [])):
            screen.read_until(text)
        screen.type(b"\x1b\x11" if dialog else b"\x11")
        assert screen.report(reading=True)["result"] == "operator"
        assert screen.finish() == 0
        assert termios.tcgetattr(screen.slave) == screen.before


def test_a_crash_is_reported_without_local_variables(tmp_path: Path) -> None:
    with terminal("broken", tmp_path) as screen:
        report = screen.report(reading=True)
        assert report["code"] == 1
        assert report["failure"] == "RuntimeError('no header 7')"
        assert screen.finish() == 1
        assert b"hunter2" not in screen.screen
        assert termios.tcgetattr(screen.slave) == screen.before


def test_a_terminal_that_goes_away_ends_the_console(tmp_path: Path) -> None:
    with terminal("idle", tmp_path) as screen:
        os.close(screen.master)
        screen.master = os.open(os.devnull, os.O_RDWR)
        report = screen.report(reading=False)
        assert report["result"] == "hangup"
        assert screen.child.wait(timeout=DEADLINE_S) == 0


def test_an_engine_that_dies_takes_the_console_down_in_order(tmp_path: Path) -> None:
    with terminal("engine", tmp_path) as screen:
        assert screen.report(reading=True) == {"group": "RuntimeError('the engine is broken')"}
        screen.report(reading=True)
        screen.finish()
        assert termios.tcgetattr(screen.slave) == screen.before
        assert screen.screen.rindex(b"\x1b[?1049l") > screen.screen.rindex(b"\x1b[?1049h")
