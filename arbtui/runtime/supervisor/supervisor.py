"""Runs a profile's engine, headless, as a child, and starts it again when it has died.

Only a death is answered by a restart: a signal that ended it, an internal error, or a failure of which the heartbeat tells. An
engine that ended in order, was refused, or stands under a person's kill stays down; where nobody has confirmed the start that was
refused, as at the machine's start, the operator is told. One that the guardian has killed is started again, for
the guardian may have ended it in the middle of anything: it is HALTED by the flag, cancels and books what was left, and waits for a person.
Signals to end are passed on, and the exit code is the child's.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from arbtui.model.halt import read_flag
from arbtui.runtime.supervisor.restarts import MOST, WITHIN_S, Restarts
from arbtui.settings.heartbeat import FAILED, read_heartbeat
from arbtui.settings.output import say

#: The ones that end it: a person, the system, a terminal that went away.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: The source of a guardian's kills.
GUARDIAN = "GUARDIAN"
_INTERNAL = 1
#: Exit codes of a start that was refused for the configuration, the journal or a venue.
_REFUSED = (2, 5)
_RUNS_ALREADY = 4


class Supervisor:
    """Keeps one engine running.

    Args:
        name: the profile's.
        folder: its state folder, where heartbeat and kill flag are.
        first: the command of the first start, as a person asked for it.
        again: the command of every restart, for which nobody was asked.
        on_down: called with the reason, in words, when it stays down after it had died.
    """

    def __init__(self, name: str, folder: Path, first: Sequence[str], again: Sequence[str], on_down: Callable[[str], None]) -> None:
        self._name = name
        self._folder = folder
        self._first, self._again = tuple(first), tuple(again)
        self._on_down = on_down
        self._restarts = Restarts()
        self._child: subprocess.Popen[bytes] | None = None
        self._lived_s = 0.0  # of the last child
        self._asked = 0  # the signal that asked for the end
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def run(self) -> int:
        """Run until the engine ends in order or stays down; its exit code (128 + n where signal n ended it)."""
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        code, died = self._run_once(self._first)
        if code in _REFUSED and not died and self._first == self._again:
            self._stay_down(f"the engine's start was refused (exit code {code}; its log and the supervisor's tell why)")
        while died and not self._asked:
            how = _in_words(code)
            refusal = self._refusal()
            pause = None if refusal else self._restarts.pause(time.monotonic(), self._lived_s)
            if pause is None:
                why = refusal or f"it was restarted {MOST} times within {WITHIN_S / 60:g} minutes"
                self._stay_down(f"the engine has died ({how}) and is not started again: {why}")
                break
            say(f"supervisor of {self._name}: the engine has died ({how}); started again in {pause:g} s")
            if self._is_asked_within(pause):
                return 128 + self._asked
            code, died = self._run_once(self._again)
            if code in (*_REFUSED, _RUNS_ALREADY) and not died:  # nobody sits there who would read why
                self._stay_down(
                    f"the engine had died, and its restart was refused (exit code {code}; its log and the supervisor's tell why)"
                )
        return code

    def _run_once(self, command: Sequence[str]) -> tuple[int, bool]:
        """Start it and wait for its end; the exit code, and whether it died."""
        started = time.monotonic()
        # In a session of its own: a terminal's signals come here first, and each is passed on once.
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        pid = self._child.pid
        if self._asked:
            self._pass_on(self._asked)
        code = self._child.wait()
        self._child = None
        self._lived_s = time.monotonic() - started
        return (code if code >= 0 else 128 - code), self._has_died(code, pid)

    def _has_died(self, code: int, pid: int) -> bool:
        """Whether it ended otherwise than in order. A code may say what it left open, or what kind of error it was: its heartbeat tells."""
        if code < 0 or code == _INTERNAL:
            return True
        beat = read_heartbeat(self._folder)
        return beat is not None and beat.pid == pid and beat.phase == FAILED

    def _is_asked_within(self, seconds: float) -> bool:
        """Wait so long, or until a signal asks for the end; whether one has."""
        select.select([self._wake_read], [], [], seconds)
        return self._asked != 0

    def _refusal(self) -> str:
        """Why no restart may be tried, or nothing: whom a person has killed, only a person starts again."""
        cause = read_flag(self._folder)
        if cause is None or cause.source == GUARDIAN:
            return ""
        return f"{self._name} is killed by {cause.source}{f' ({cause.reason})' if cause.reason else ''}: arbtui rearm, then start it"

    def _stay_down(self, why: str) -> None:
        say(f"supervisor of {self._name}: {why}")
        self._on_down(why)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked = number
        os.write(self._wake_write, b"x")
        self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(number)


def engine_command(arguments: Sequence[str]) -> list[str]:
    """The command of a headless session with ``arguments``, by this interpreter."""
    return [sys.executable, "-m", "arbtui", *arguments, "--headless"]


def _in_words(code: int) -> str:
    if code <= 128:
        return f"exit code {code}"
    try:
        return f"{signal.Signals(code - 128).name}"
    except ValueError:
        return f"exit code {code}"
