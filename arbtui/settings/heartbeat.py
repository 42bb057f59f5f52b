"""The engine's heartbeat: a count in the file ``heartbeat`` of the profile's folder, by which a guardian sees that it decides.

The count is of passes through the decider, not of turns of the loop or of ticks of a timer: an engine whose decider is stuck
has none, however busy it looks. The file is opened and filled at the start and overwritten in place, never synced: that
needs no disk space and waits for no disk. Standard library only.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from arbtui.model.errors import ArbtuiError
from arbtui.model.regular_file import read_regular
from arbtui.settings.process import process_facts

HEARTBEAT_NAME = "heartbeat"
#: Phases beside the trading states: recovery included, until the engine arms; a stop in order; the end of one; a failure.
STARTING, STOPPING, ENDED, FAILED = "STARTING", "STOPPING", "ENDED", "FAILED"
#: Phases in which an engine may send by itself, so that its heartbeat is owed.
ACTIVE = ("ARMED", "PAUSED", "REDUCING")


@dataclass(frozen=True, slots=True)
class Beat:
    """What the file says."""

    pid: int
    started: str  #: as :class:`arbtui.settings.process.ProcessFacts`; ``-`` where the platform does not tell
    count: int  #: passes through the decider so far
    phase: str  #: a trading state, or one of this module's words

    @property
    def is_owed(self) -> bool:
        """Whether the count must rise: the engine may send by itself."""
        return self.phase in ACTIVE

    @property
    def is_end(self) -> bool:
        """Whether the engine has ended in order."""
        return self.phase == ENDED


class Heartbeat:
    """The engine's end: ``with Heartbeat(folder) as heartbeat: ...``, lock held. Outside of the block it writes nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / HEARTBEAT_NAME
        self._started = process_facts(os.getpid()).started or "-"
        self._count, self._phase = 0, STARTING
        self._fd: int | None = None
        self.has_failed = False  #: set where the run ends because something broke, in whatever order it ends

    def __enter__(self) -> Self:
        with suppress(OSError):  # then no guardian can watch it, and says so
            self._fd = os.open(self._path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._write()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        broke = self.has_failed or (error is not None and not isinstance(error, ArbtuiError))
        self._phase = FAILED if broke else ENDED
        self._write()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def beat(self, count: int, phase: str) -> None:
        """The decider has made ``count`` passes so far, and the engine is in the trading state ``phase``."""
        self._count = count
        if self._phase != STOPPING:
            self._phase = phase
        self._write()

    def stopping(self) -> None:
        """From here on the run ends in order: no heartbeat is owed any more."""
        self._phase = STOPPING
        self._write()

    def _write(self) -> None:
        if self._fd is not None:
            with suppress(OSError):
                os.pwrite(self._fd, f"{os.getpid():010d} {self._started:>20} {self._count:020d} {self._phase:<12}\n".encode(), 0)


def read_heartbeat(folder: Path) -> Beat | None:
    """The heartbeat of the engine that ran last on ``folder``; None without one that can be read."""
    try:
        pid, started, count, phase = read_regular(folder / HEARTBEAT_NAME, 200).decode("ascii").split()
        return Beat(int(pid), started, int(count), phase)
    except (OSError, ValueError):
        return None
