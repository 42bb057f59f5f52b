"""How late the event loop is: the time between when a callback is due and when it runs.

The probe keeps an absolute schedule. After a stall it records not one late callback but every slot that the stall
skipped, each as late as it would have been: otherwise a loop that hangs for five seconds looks good because it
measured itself once in that time ("coordinated omission").
"""

import asyncio
from collections.abc import Callable

from arbtui.model.histogram import Histogram, Quantiles

PERIOD_S = 0.01
"""Seconds between two slots: fine enough for lags of 10 ms, and 100 callbacks a second cost 0.1 % of a core."""

WINDOW_S = 10
"""The period of :meth:`LagProbe.window`, in slices of a second."""

LONGEST_BACKFILL = 60_000
"""Most skipped slots that are recorded (ten minutes): after a suspended laptop this must not become a long loop."""


STALL_S = 1.0
"""A loop that stood still for so long, in seconds, is told: orders, cancels and deadlines waited for it."""


class LagProbe:
    """Measures ``loop`` from :meth:`start` to :meth:`stop`; ``on_stall`` is told, in seconds, when it stood still for a second."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.on_stall: Callable[[float], None] | None = None
        self._loop = loop or asyncio.get_running_loop()
        self._run = Histogram()
        self._slices = [Histogram() for _ in range(WINDOW_S)]
        self._second = 0
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start; a second call changes nothing."""
        if self._handle is None:
            self._due = self._loop.time() + PERIOD_S
            self._second = int(self._due)
            self._handle = self._loop.call_at(self._due, self._tick)

    def stop(self) -> None:
        """Stop; what was measured stays readable."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def window(self) -> Quantiles:
        """Lag over the last ten seconds, in ms."""
        self._turn(int(self._loop.time()))
        merged = Histogram()
        for part in self._slices:
            if part.count:
                merged.merge(part)
        return merged.quantiles()

    @property
    def lags(self) -> Histogram:
        """Every lag since :meth:`start`, in ms."""
        return self._run

    def run(self) -> Quantiles:
        """Lag since :meth:`start`, in ms."""
        return self._run.quantiles()

    def _tick(self) -> None:
        now = self._loop.time()
        self._turn(int(now))
        recent = self._slices[self._second % WINDOW_S]
        late_s = now - self._due
        swallowed = 0
        while self._due <= now and swallowed < LONGEST_BACKFILL:
            lag_ms = (now - self._due) * 1_000
            self._run.add(lag_ms)
            recent.add(lag_ms)
            self._due += PERIOD_S
            swallowed += 1
        if self._due <= now:
            self._due = now + PERIOD_S
        self._handle = self._loop.call_at(self._due, self._tick)
        if late_s >= STALL_S and self.on_stall is not None:
            self.on_stall(late_s)

    def _turn(self, second: int) -> None:
        for old in range(self._second + 1, min(second, self._second + WINDOW_S) + 1):
            self._slices[old % WINDOW_S].clear()
        self._second = max(self._second, second)
