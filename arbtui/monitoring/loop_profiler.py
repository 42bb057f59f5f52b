"""How long each turn of the event loop takes, and how much of that time the thread waited for a CPU.

Loop lag alone cannot tell a process that blocks from a machine that is busy elsewhere. A loop stalls because a callback
computes or blocks; all callbacks of one turn run between two calls of the selector, so the turn is timed there. What the
thread spent in the kernel's run queue in that time (Linux: ``schedstat``, "time spent waiting on a runqueue",
Documentation/scheduler/sched-stats.rst) is not a stall of ours: it is subtracted and reported separately.
"""

import asyncio
import os
import selectors
import sys
import threading
from time import perf_counter

STALL_MS = 40.0
"""A turn that takes this long counts as a stall: four slots of the lag probe."""

NOTICE_MS = 10.0
"""A turn that is counted as long."""


class ProfiledSelector(selectors.DefaultSelector):
    """The platform's selector; between :meth:`start` and :meth:`stop` it times the loop's turns."""

    def __init__(self) -> None:
        super().__init__()
        self._schedstat: int | None = None
        self._timing = False
        self._woke = 0.0
        self._queued_at = 0.0
        self._started = (0.0, 0.0)
        self.turns = 0
        self.longest_ms = 0.0  #: the longest turn, less the wait for the CPU in it
        self.longest_at_s = 0.0  #: when it ended, seconds since the start
        self.long = 0  #: turns of NOTICE_MS and more
        self.stalls = 0  #: turns of STALL_MS and more
        self.longest_wait_ms = 0.0  #: the longest wait for the CPU within one turn
        self.waited_percent = 0.0  #: share of the time in which the thread was runnable and did not run

    def start(self) -> None:
        """Start, in the loop's own thread."""
        if sys.platform == "linux" and self._schedstat is None:
            try:
                self._schedstat = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:  # a kernel without it: turns are reported without subtraction
                self._schedstat = None
        self._timing = True
        self._woke, self._queued_at = perf_counter(), self._queued_ms()
        self._started = (self._woke, self._queued_at)

    def stop(self) -> None:
        """Stop; what was measured stays readable."""
        if self._timing:
            self._timing = False
            passed_ms = (perf_counter() - self._started[0]) * 1000
            self.waited_percent = (self._queued_ms() - self._started[1]) / passed_ms * 100 if passed_ms > 0 else 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See :meth:`selectors.BaseSelector.select`."""
        if not self._timing:
            return super().select(timeout)
        self._turn_over()
        ready = super().select(timeout)
        self._woke, self._queued_at = perf_counter(), self._queued_ms()
        return ready

    def close(self) -> None:
        """See :meth:`selectors.BaseSelector.close`."""
        super().close()
        if self._schedstat is not None:
            os.close(self._schedstat)
            self._schedstat = None

    def _turn_over(self) -> None:
        held = (perf_counter() - self._woke) * 1000
        self.turns += 1
        if held <= self.longest_ms and held < NOTICE_MS:
            return
        waited = self._queued_ms() - self._queued_at
        self.longest_wait_ms = max(self.longest_wait_ms, waited)
        own = max(0.0, held - waited)
        if own > self.longest_ms:
            self.longest_ms, self.longest_at_s = own, perf_counter() - self._started[0]
        self.long += own >= NOTICE_MS
        self.stalls += own >= STALL_MS

    def _queued_ms(self) -> float:
        if self._schedstat is None:
            return 0.0
        return int(os.pread(self._schedstat, 100, 0).split()[1]) / 1e6


class ProfiledLoop(asyncio.SelectorEventLoop):
    """The platform's selector loop with its turns timed in ``turns``."""

    def __init__(self) -> None:
        self.turns = ProfiledSelector()
        super().__init__(self.turns)
