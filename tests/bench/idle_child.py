"""A loop that does nothing, measured like a session's: ``python -m tests.bench.idle_child SECONDS FILE``."""

import asyncio
import json
import sys
from pathlib import Path

from arbtui.monitoring.lag import LagProbe
from arbtui.monitoring.loop_profiler import ProfiledLoop


async def idle(loop: ProfiledLoop, seconds: float) -> dict[str, dict[str, float]]:
    """Wait; what was measured, under the keys of a session's summary."""
    lag = LagProbe(loop)
    lag.start()
    loop.turns.start()
    await asyncio.sleep(seconds)
    lag.stop()
    loop.turns.stop()
    seen, turns = lag.run(), loop.turns
    return {
        "loop_lag_ms": {"p50": seen.p50, "p99": seen.p99, "max": seen.max},
        "loop_turns": {"longest_ms": turns.longest_ms, "longest_at_s": turns.longest_at_s, "longest_cpu_wait_ms": turns.longest_wait_ms},
    }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=ProfiledLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, ProfiledLoop)
        Path(sys.argv[2]).write_text(json.dumps(runner.run(idle(loop, float(sys.argv[1])))))
