"""A symbol whose order a venue refuses rests, longer each time; nothing else makes it rest."""

import asyncio
from pathlib import Path

import pytest

from arbtui.journal.events import CycleState
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.config import risk_defaults
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import FAIR, UPBIT_DEAR, World, world

PAUSE_S = 60.0  #: as shipped for play money


async def _refused(w: World, turn: int, times: int = 3) -> CycleState:
    """Open a cycle whose leg at Upbit is refused ``times`` times; how it ends."""
    w.quote("upbit", FAIR["upbit"])
    w.quote("binance", ([(2.1399, 300.0 + turn)], [(2.14, 300.0 + turn)]))
    w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * times)
    cycle = await w.trade()
    while w.upbit.core.faults.take() is not None:
        pass
    return cycle.state


def test_a_refused_symbol_rests_twice_as_long_each_time_and_no_longer_after_a_hedge(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, risk=risk_defaults("paper")) as w:
            for turn, pause_s in enumerate((PAUSE_S, 2 * PAUSE_S)):
                assert await _refused(w, turn) is CycleState.UNWOUND
                await asyncio.sleep(pause_s - 1.0)
                w.show("upbit", UPBIT_DEAR)
                assert [route.denied for route in w.components.universe.of_symbol("XRP") if route.denied is Reason.REFUSED]
                await asyncio.sleep(1.0)
            told = [breach.action for breach in w.engine.breaches.breaches.values() if breach.kind == "ORDER_REFUSED"]
            assert told == ["paused for 60 s", "paused for 120 s"]
            w.quote("binance", ([(2.1399, 350.0)], [(2.14, 350.0)]))
            assert (await w.trade()).state is CycleState.HEDGED
            await asyncio.sleep(1.0)
            await _refused(w, 5)
            last = [breach.action for breach in w.engine.breaches.breaches.values() if breach.kind == "ORDER_REFUSED"][-1]
            assert last == "paused for 60 s"
            w.agree()

    run_virtual(main())


def test_a_market_that_took_the_next_order_does_not_rest(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert await _refused(w, 0, times=1) is CycleState.HEDGED
            assert w.engine.risk.route.refused_until == {}

    run_virtual(main())


@pytest.mark.parametrize("kind", [FaultKind.REQUEST_LOST, FaultKind.ANSWER_LOST])
def test_an_order_that_nobody_answered_is_told_and_does_not_rest_its_symbol(kind: FaultKind, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(kind))
            await w.trade()
            assert w.engine.risk.route.refused_until == {}
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "ORDER_UNKNOWN"]
            assert told.scope == "upbit"
            w.agree()

    run_virtual(main())
