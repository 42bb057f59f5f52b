"""The real program, in which 1,000 CRIT breaches happen within ten seconds, each met twice; FLOOD_FACTS names the file of what that cost.

Ten seconds of flood lie between two times five without one, in one process, so that what else the machine does falls on both.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from arbtui.cli import main
from arbtui.model.histogram import Histogram
from arbtui.monitoring.lag import LagProbe
from arbtui.risk.breach import Severity
from arbtui.runtime.session import Session

_SECONDS, _BREACHES = 10.0, 1000


class Window:
    """What happened on the loop's thread in some time. CPU is that thread's own, in s, whatever else the machine does."""

    def __init__(self, run: Any) -> None:
        self._engine = run.engine
        self.lags = Histogram()
        self.seconds = self.cpu = self.recording = 0.0
        self.evaluations = 0

    async def measure(self, seconds: float, breaches: int) -> None:
        """Measure ``seconds``, in which so many breaches are recorded, evenly, each twice."""
        loop, record = asyncio.get_running_loop(), self._engine.breaches.record
        probe = LagProbe(loop)
        probe.start()
        evaluated, began, cpu = self._engine.decider.evaluations, loop.time(), time.thread_time()
        for number in range(breaches):
            before = time.thread_time()
            for _ in range(2):
                record(Severity.CRIT, "FLOOD", f"route {number}", "a limit was broken", "look")
            self.recording += time.thread_time() - before
            await asyncio.sleep(max(0.0, began + (number + 1) * seconds / breaches - loop.time()))
        await asyncio.sleep(max(0.0, began + seconds - loop.time()))
        probe.stop()
        self.lags.merge(probe.lags)
        self.seconds += loop.time() - began
        self.cpu += time.thread_time() - cpu
        self.evaluations += self._engine.decider.evaluations - evaluated

    def facts(self) -> dict[str, float]:
        """In numbers: lag in ms, the rest as shares and per second."""
        lag = self.lags.quantiles()
        return {
            "p50_ms": lag.p50,
            "p99_ms": lag.p99,
            "max_ms": lag.max,
            "cpu_share": self.cpu / self.seconds,
            "recording_share": self.recording / self.seconds,
            "evaluations_per_s": self.evaluations / self.seconds,
        }


def write(facts: dict[str, Any]) -> None:
    """To where the test looks."""
    Path(os.environ["FLOOD_FACTS"]).write_text(json.dumps(facts))


async def flood(run: Any) -> None:
    """Quiet, the flood, quiet; then the end, however long it took to begin."""
    await asyncio.sleep(3.0)
    quiet, flooded = Window(run), Window(run)
    await quiet.measure(_SECONDS / 2, 0)
    await flooded.measure(_SECONDS, _BREACHES)
    await quiet.measure(_SECONDS / 2, 0)
    write({"quiet": quiet.facts(), "flood": flooded.facts()})
    os.kill(os.getpid(), signal.SIGTERM)


original = Session._until_stopped


async def until_stopped(self: Session, run: Any, reconciled: Any, venues: Any, tasks: asyncio.TaskGroup, earlier: Any) -> None:
    """As it is, with the flood beside it."""
    flooding = tasks.create_task(flood(run))
    try:
        await original(self, run, reconciled, venues, tasks, earlier)
    finally:
        flooding.cancel()


if __name__ == "__main__":
    Session._until_stopped = until_stopped  # type: ignore[method-assign]
    sys.exit(main())
