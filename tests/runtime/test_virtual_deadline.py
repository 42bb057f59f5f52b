import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from arbtui.model.clock import LoopClock, SystemClock
from arbtui.model.virtual_loop import run_virtual
from arbtui.runtime.deadline import deadline
from arbtui.runtime.stop import Stop


class _ShortOfTime:
    """Virtual time that is a rounding error short of each timer, and says so when it is asked for ever."""

    def __init__(self) -> None:
        self.asked = 0

    def monotonic(self) -> float:
        self.asked += 1
        assert self.asked < 1000, "the wait for the deadline turns for ever"
        return asyncio.get_running_loop().time() - 1e-12


def test_a_timer_that_ends_a_rounding_error_early_ends_the_run_all_the_same() -> None:
    async def main() -> None:
        first = asyncio.Event()
        first.set()
        run: Any = SimpleNamespace(
            max_runtime_s=60.0,
            update_metrics=SimpleNamespace(first=first, first_at=0.0),
            engine=SimpleNamespace(components=SimpleNamespace(clock=_ShortOfTime())),
        )
        stop = Stop()
        await deadline(run, stop, virtual=True)
        assert stop.reason == "max_runtime"
        assert 59.9 < asyncio.get_running_loop().time() < 60.1

    run_virtual(main())


@pytest.mark.parametrize("hours", [6, 24])
def test_an_end_hours_away_comes_with_a_bare_timer_of_the_same_loop(hours: int) -> None:
    """With work that is due again and again meanwhile, at moments that are no round numbers."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        first, began, seconds = asyncio.Event(), loop.time(), hours * 3600.0
        first.set()
        run: Any = SimpleNamespace(
            max_runtime_s=seconds,
            update_metrics=SimpleNamespace(first=first, first_at=began),
            engine=SimpleNamespace(components=SimpleNamespace(clock=LoopClock(loop))),
        )
        stop, bare = Stop(), loop.create_future()
        loop.call_at(began + seconds, lambda: bare.set_result(loop.time()))
        turns = 0

        async def work() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(1.7)
                turns += 1

        busy = asyncio.create_task(work())
        await deadline(run, stop, virtual=True)
        ended = loop.time()
        busy.cancel()
        assert stop.reason == "max_runtime"
        assert turns > seconds / 2
        assert abs(ended - await bare) < 1e-6
        assert abs(ended - began - seconds) < 1e-6

    run_virtual(main())


def test_in_real_time_a_bare_timer_waits_for_the_same_moment() -> None:
    async def main() -> None:
        first, clock = asyncio.Event(), SystemClock()
        first.set()
        began = clock.monotonic()
        run: Any = SimpleNamespace(
            max_runtime_s=0.1,
            update_metrics=SimpleNamespace(first=first, first_at=began),
            engine=SimpleNamespace(components=SimpleNamespace(clock=clock)),
            bare_timer=None,
        )
        stop = Stop()
        await deadline(run, stop, virtual=False)
        assert clock.monotonic() >= began + 0.1
        await asyncio.to_thread(run.bare_timer.join)
        assert run.bare_timer.late_s >= 0.0

    asyncio.run(main())
