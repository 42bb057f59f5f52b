import asyncio
from types import SimpleNamespace
from typing import Any

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
            meter=SimpleNamespace(first=first, first_at=0.0),
            engine=SimpleNamespace(components=SimpleNamespace(clock=_ShortOfTime())),
        )
        stop = Stop()
        await deadline(run, stop, virtual=True)
        assert stop.reason == "max_runtime"
        assert 59.9 < asyncio.get_running_loop().time() < 60.1

    run_virtual(main())
