"""A run of days remembers no more than one of an hour: nothing in the engine grows with the number of cycles."""

import asyncio
import gc
from collections import Counter
from pathlib import Path
from types import FunctionType, MethodType, ModuleType

import pytest

from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import FAIR, UPBIT_CHEAP, UPBIT_DEAR, World, world

#: What is remembered, and for this test so little that it is full after a few cycles.
BOUNDS = (
    "arbtui.execution.order_cache._REMEMBERED",
    "arbtui.execution.order_cache._BOOKED",
    "arbtui.execution.order_cache._BLOCK",
    "arbtui.portfolio.portfolio._KEPT_ENDED",
    "arbtui.portfolio.portfolio._KEPT_FILLS",
    "arbtui.portfolio.portfolio._REPEATS_KEPT",
    "arbtui.engine.engine._KEPT_CYCLES",
    "arbtui.engine.decisions.KEPT",
    "arbtui.engine.breaches._KEPT",
    "arbtui.engine.episodes.KEPT",
    "arbtui.engine.account_watch._TOLD",
    "arbtui.execution.settler._KEPT",
)
CYCLES = 30


def held(root: object) -> Counter[str]:
    """How many objects of each type ``root`` leads to; not through classes, modules and code."""
    seen = {id(root)}
    waiting: list[object] = [root]
    counted: Counter[str] = Counter()
    while waiting:
        one = waiting.pop()
        counted[type(one).__name__] += 1
        if isinstance(one, FunctionType):
            reached: list[object] = [one.__closure__, one.__defaults__]
        elif isinstance(one, MethodType):
            reached = [one.__self__]
        else:
            reached = gc.get_referents(one)
        for other in reached:
            if id(other) not in seen and not isinstance(other, type | ModuleType | asyncio.AbstractEventLoop | asyncio.Task):
                seen.add(id(other))
                waiting.append(other)
    return counted


async def trade(w: World, cycles: int) -> None:
    for number in range(cycles):
        await w.trade("upbit", UPBIT_DEAR if number % 2 else UPBIT_CHEAP)
        w.quote("upbit", FAIR["upbit"])
        await asyncio.sleep(2)
        w.freshen()
    for venue in w.venues.values():  # what the tests themselves look at
        for seen in (venue.placed, venue.asked, venue.look_ups):
            seen.clear()
    w.ended.clear()


def test_nothing_grows_with_the_number_of_cycles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in BOUNDS:
        monkeypatch.setattr(bound, 5)

    async def main() -> None:
        async with world(tmp_path) as w:
            await trade(w, 2 * CYCLES)  # everything is full, and what counts over a minute has seen one
            gc.collect()
            before = held(w.engine)
            await trade(w, CYCLES)
            gc.collect()
            more = {name: after - before[name] for name, after in held(w.engine).items() if after - before[name] >= CYCLES}
            assert more == {}, "kept for each cycle"
            assert before["Order"] > 0

    run_virtual(main())


def test_what_is_kept_for_each_cycle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above sees a memory without a bound."""
    for bound in BOUNDS:
        monkeypatch.setattr(bound, 5)
    monkeypatch.setattr("arbtui.engine.engine._KEPT_CYCLES", 10**6)

    async def main() -> None:
        async with world(tmp_path) as w:
            await trade(w, 10)
            before = held(w.engine)
            await trade(w, 10)
            assert held(w.engine)["ArbCycle"] - before["ArbCycle"] >= 10

    run_virtual(main())
