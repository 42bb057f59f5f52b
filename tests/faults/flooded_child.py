"""The real program, in which 1,000 CRIT breaches happen within ten seconds; lag and decisions go to the file that FLOOD_FACTS names."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from arbtui.cli import main
from arbtui.model.histogram import Histogram
from arbtui.monitoring.lag import LagProbe
from arbtui.risk.breach import Severity
from arbtui.runtime.session import Session

_SECONDS, _BREACHES = 10.0, 1000


async def measured(run: Any, seconds: float, breaches: int) -> dict[str, float]:
    """Lag over ``seconds``, in which so many breaches are recorded, evenly."""
    engine, loop = run.engine, asyncio.get_running_loop()
    probe = LagProbe(loop)
    probe.start()
    evaluated, began = engine.decider.evaluations, loop.time()
    for number in range(breaches):
        engine.breaches.record(Severity.CRIT, "FLOOD", f"route {number}", "a limit was broken", "look")
        await asyncio.sleep(max(0.0, began + (number + 1) * seconds / breaches - loop.time()))
    await asyncio.sleep(max(0.0, began + seconds - loop.time()))
    probe.stop()
    lags: Histogram = probe.lags
    lag = lags.quantiles()
    return {"p50_ms": lag.p50, "p99_ms": lag.p99, "max_ms": lag.max, "evaluations": engine.decider.evaluations - evaluated}


def write(facts: dict[str, Any]) -> None:
    """To where the test looks."""
    Path(os.environ["FLOOD_FACTS"]).write_text(json.dumps(facts))


async def flood(run: Any) -> None:
    """Ten quiet seconds, then ten of a flood."""
    await asyncio.sleep(3.0)
    facts = {"before": await measured(run, _SECONDS, 0), "flood": await measured(run, _SECONDS, _BREACHES)}
    write(facts)


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
