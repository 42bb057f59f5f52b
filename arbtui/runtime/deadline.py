"""The end of a run that was given a length, to the microsecond."""

import asyncio

from arbtui.runtime.bare_timer import BareTimer
from arbtui.runtime.stop import Stop
from arbtui.runtime.summary import Run

#: The wait for the deadline ends so much earlier, and the rest is waited in turns of the loop: a timer alone is late.
_EARLY_S = 0.002


#: The bare timer's thread begins to wait so long before its moment, in seconds: until then the run has no thread for it.
_BARE_S = 1.0


async def deadline(run: Run, stop: Stop, *, virtual: bool) -> None:
    """Ask ``stop`` to end ``run`` exactly ``run.max_runtime_s`` after its first update; never, when it has no length.

    In real time a bare timer waits for the same moment, for comparison.
    """
    if run.max_runtime_s is None:
        return
    await run.update_metrics.first.wait()
    clock = run.engine.components.clock
    at = (run.update_metrics.first_at or 0.0) + run.max_runtime_s
    if not virtual:
        await asyncio.sleep(max(0.0, at - clock.monotonic() - _BARE_S))
        run.bare_timer = BareTimer(clock, at)
        run.bare_timer.start()
    await asyncio.sleep(max(0.0, at - clock.monotonic() - (0.0 if virtual else _EARLY_S)))
    # In virtual time a timer may end a rounding error early, and no turn of the loop would ever make up for it.
    while not virtual and clock.monotonic() < at:  # noqa: ASYNC110  no event tells the time to the microsecond
        await asyncio.sleep(0)
    stop.ask("max_runtime")
