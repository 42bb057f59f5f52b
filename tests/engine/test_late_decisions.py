"""A machine too slow to send what it decided: told once while it lasts, in the header too, and over by itself."""

import asyncio
from pathlib import Path

from arbtui.journal.events import CycleState
from arbtui.model.order import Order
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.risk.breach import Breach
from arbtui.views.live import EngineViews
from tests.execution.world import FAIR, UPBIT_CHEAP, UPBIT_DEAR, World, world


def told(w: World) -> list[Breach]:
    return [breach for breach in w.engine.breaches.breaches.values() if breach.kind == Reason.DECISION_AGE]


def slow_words(w: World) -> str:
    return EngineViews(w.engine, "SIM", "", LogRing()).header().slow


def decided_long_ago(order: Order) -> None:
    """As if the process had stood still between the intent's commit and the send."""
    order.decided_at -= 1.0


async def cycles(w: World, states: list[CycleState]) -> None:
    """One cycle for each of ``states``: ABANDONED where its orders come too late."""
    for turn, state in enumerate(states):
        late = state is CycleState.ABANDONED
        for venue in (w.upbit, w.binance):
            venue.before_admit = decided_long_ago if late else lambda _: None
        w.quote("upbit", FAIR["upbit"])
        w.quote("binance", FAIR["binance"])
        assert (await w.trade("upbit", UPBIT_DEAR if turn % 2 else UPBIT_CHEAP)).state is state
        await asyncio.sleep(1.0)  # the symbol rests after a cycle


def test_it_is_told_once_from_the_third_late_cycle_on_and_is_over_a_minute_after_the_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await cycles(w, [CycleState.HEDGED, CycleState.ABANDONED, CycleState.ABANDONED])
            assert not told(w)
            assert slow_words(w) == ""
            await cycles(w, [CycleState.ABANDONED, CycleState.ABANDONED])
            (breach,) = told(w)
            why = "were given up because decisions were over 250 ms old: this machine is too slow"
            assert breach.detail == f"3 of 4 cycles of the last minute {why}"
            assert slow_words(w) == "4 of 5 cycles given up"
            assert w.engine.breaches.open == 1
            await asyncio.sleep(61.0)
            assert w.engine.breaches.open == 0
            assert slow_words(w) == ""
            await cycles(w, [CycleState.ABANDONED] * 3)
            assert len(told(w)) == 2
            w.agree()

    run_virtual(main())


def test_a_few_late_cycles_among_many_are_no_breach(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            watch = w.engine.late_decisions
            await cycles(w, [CycleState.HEDGED, CycleState.ABANDONED])
            hedged, late = w.engine.cycles.values()
            for cycle in (*[hedged] * 28, late, late):  # with those two: 3 of 32
                watch.on_end(cycle)
            assert not told(w)
            watch.on_end(late)
            assert told(w)

    run_virtual(main())


def test_what_an_earlier_run_told_is_over_with_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await cycles(w, [CycleState.ABANDONED] * 3)
            assert w.engine.breaches.open == 1
        async with world(tmp_path) as w:
            await asyncio.sleep(0.2)
            assert w.engine.breaches.open == 0

    run_virtual(main())
