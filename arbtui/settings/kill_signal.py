"""``SIGUSR1``: how another process makes a running engine close its gate now, and how the engine confirms it.

The engine's end is :class:`KillSignal`. Its handler runs between two bytecodes of the main thread, so it does not wait
for the event loop; inside a call into C it runs when that call returns, and in a stopped process when it continues. The
answer is a count in the file ``kill.ack``, opened and filled at the start: overwriting it needs no disk space.
The other end is :func:`ask`. Standard library only.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from arbtui.model.halt import Halt
from arbtui.model.regular_file import read_regular
from arbtui.settings.lock import holder
from arbtui.settings.process import STOPPED, process_facts

ACK_NAME = "kill.ack"
NUMBER = signal.SIGUSR1
#: How long :func:`ask` waits for the answer, in seconds: a running engine answers in milliseconds.
CONFIRM_S = 1.0
_LOOK_S = 0.002


class KillSignal:
    """Handles the signal for the duration of a run: ``with KillSignal(folder, halt): ...``, in the main thread, lock held."""

    def __init__(self, folder: Path, halt: Halt) -> None:
        self._path = folder / ACK_NAME
        self._halt = halt
        self._started = process_facts(os.getpid()).started or "-"
        self._answers = 0
        self._fd: int | None = None

    def __enter__(self) -> Self:
        # Without SA_RESTART, unlike asyncio's own handlers: a blocking call of the main thread must be interrupted.
        signal.signal(NUMBER, self._heard)
        with suppress(OSError):  # then kills go unconfirmed; the flag works all the same
            self._fd = os.open(self._path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._answer()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._fd is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = None
        signal.signal(NUMBER, signal.SIG_IGN)  # by default it ends the process, and one may be pending

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._halt.flag_stands()  # first the cause in the flag, then this kill, which may be another one
        self._halt.close("CLI", "SIGUSR1")
        self._answers += 1
        self._answer()

    def _answer(self) -> None:
        if self._fd is not None:
            with suppress(OSError):
                os.pwrite(self._fd, f"{os.getpid():010d} {self._started} {self._answers:010d}\n".encode(), 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the engine that holds the lock."""

    pid: int  #: 0: unknown
    confirmed: bool  #: it has confirmed that its gate is closed
    state: str = ""  #: of the process, unless confirmed; see :class:`ProcessFacts`
    why: str = ""  #: the reason of a missing confirmation, as far as known


def ask(folder: Path, within_s: float = CONFIRM_S) -> Answer | None:
    """Signal the engine that runs on ``folder`` and wait for its answer; None when none runs there (any more).

    A process is signalled only if the lock is held, its pid is in the lock, and it has written to ``kill.ack`` that
    it listens; where the kernel shows start times, they must agree too, since pids are reused.
    """
    started = time.monotonic()
    asked_pid, answers, why = 0, 0, ""
    while True:
        pid = holder(folder)
        if pid is None:
            return None
        answered = _answers_of(folder, pid) if pid else None
        if answered is not None and asked_pid != pid:
            asked_pid, answers = pid, answered
            why = _send(pid)
        elif answered is not None and answered > answers:
            return Answer(pid, True)
        if time.monotonic() - started >= within_s:
            state = process_facts(pid).state if pid else ""
            return Answer(pid, False, state, why or _why(state, asked=asked_pid != 0))
        time.sleep(_LOOK_S)


def _send(pid: int) -> str:
    """Signal ``pid``; why that was not possible, else nothing."""
    try:
        os.kill(pid, NUMBER)
    except ProcessLookupError:
        return ""  # it has ended, and its lock with it
    except OSError as error:
        return f"it cannot be signalled ({error.strerror})"
    return ""


def _answers_of(folder: Path, pid: int) -> int | None:
    """How often the process ``pid`` has answered on ``folder``; None unless it has written that it listens."""
    try:
        number, started, answers = read_regular(folder / ACK_NAME, 100).decode("ascii").split()
        is_same = int(number) == pid and started == (process_facts(pid).started or "-")
        return int(answers) if is_same else None
    except (OSError, ValueError):
        return None


def _why(state: str, *, asked: bool) -> str:
    if state in STOPPED:
        return f"it is stopped (state {state})"
    if not asked:
        return "it does not listen (just starting, another version, or in another container)"
    if state == "D":
        return "it waits in the kernel, for a disk perhaps (state D)"
    return f"it is busy (state {state})" if state else "it is busy or stopped"
