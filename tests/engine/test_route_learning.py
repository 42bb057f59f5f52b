"""What cycles and gaps teach of their routes, over a whole engine: measured from real fills, kept over a restart, taken off where asked."""

import asyncio
from pathlib import Path

import pytest

from arbtui.engine.route_learning import expected_prices
from arbtui.journal.events import CycleState
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.config import CostsConfig
from arbtui.routes.learned import LearnedRoute
from tests.execution.world import EXECUTION, FAIR, UPBIT_DEAR, Levels, World, world

ROUTE = "XRP:binance>upbit"
#: A won cheaper than UPBIT_DEAR: 3.3 bps.
CHEAPER: Levels = ([(3029.0, 900.0)], [(3031.0, 400.0)])
ON = CostsConfig(learn_slippage=True)


def known(w: World) -> LearnedRoute:
    found = w.engine.learning.learned.of(ROUTE)
    assert found is not None
    return found


async def slip(w: World) -> None:
    """Open at UPBIT_DEAR and let the price fall under way: the sale is completed a won cheaper."""
    w.show("upbit", UPBIT_DEAR)
    await asyncio.sleep(0.001)
    w.quote("upbit", CHEAPER)
    await w.engine.executor.quiet.wait()
    (cycle,) = list(w.engine.cycles.values())[-1:]
    assert cycle.state is CycleState.HEDGED
    assert {float(fill.price) for fill in cycle.fills if fill.exchange == "upbit"} == {3029.0}


def test_fills_as_expected_teach_none_and_worse_ones_what_they_cost(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            assert expected_prices(cycle.plan) is not None
            assert known(w).slippage_bps == pytest.approx(0.0, abs=1e-9)
            assert known(w).realised == 1.0
            await asyncio.sleep(1)
            await slip(w)
            assert known(w).slippages == 2
            assert known(w).slippage_bps == pytest.approx((1 - 3029 / 3030) * 1e4 / 2, rel=1e-6)
            edge = list(w.engine.cycles.values())[-1].plan.edge_bps
            assert known(w).realised == pytest.approx(1.0 - 0.1 * (1 - 3029 / 3030) * 1e4 / edge, rel=1e-6)
            assert w.components.universe.by_id[ROUTE].learned_bps == 0.0, "measured, and not taken off"
            assert w.engine.learning.latency_ms(w.components.universe.by_id[ROUTE]) is not None

    run_virtual(main())


def test_a_leg_that_was_taken_back_teaches_that_nothing_was_brought_and_no_slippage(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.001)
            w.quote("upbit", FAIR["upbit"])
            await w.engine.executor.quiet.wait()
            (cycle,) = w.engine.cycles.values()
            assert cycle.state is CycleState.UNWOUND
            assert (known(w).realised, known(w).slippages) == (0.9, 0)

    run_virtual(main())


@pytest.mark.parametrize("costs", [CostsConfig(), ON])
def test_it_is_kept_over_a_restart_and_taken_off_where_the_profile_says_so(tmp_path: Path, costs: CostsConfig) -> None:
    learned: list[float] = []

    async def first() -> None:
        async with world(tmp_path, costs=costs) as w:
            route = w.components.universe.by_id[ROUTE]
            before = route.touch_edge_bps()
            await slip(w)
            learned.append(known(w).slippage_bps)
            w.quote("upbit", FAIR["upbit"])
            assert before - route.touch_edge_bps() == pytest.approx(learned[0] / 5 if costs is ON else 0.0)
            await w.engine.snapshot(None)

    async def second() -> None:
        async with world(tmp_path, costs=costs) as w:
            await asyncio.sleep(0.1)
            assert known(w).slippage_bps == learned[0]
            route = w.components.universe.by_id[ROUTE]
            assert route.learned_bps == pytest.approx(learned[0] / 5 if costs is ON else 0.0, rel=1e-3)
            falls = route.waterfall()
            assert falls is not None
            assert dict(falls.falls).get("learned", 0.0) == pytest.approx(-learned[0] / 5 if costs is ON else 0.0, rel=1e-3)

    run_virtual(first())
    run_virtual(second())


def test_gaps_that_were_not_taken_teach_how_long_such_gaps_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"enabled": False})) as w:
            for lasts in (0.15, 0.6):
                w.show("upbit", UPBIT_DEAR)
                await asyncio.sleep(lasts)
                w.show("upbit", FAIR["upbit"])
                await asyncio.sleep(0.6)
            assert known(w).survived == pytest.approx([1.0, 1.0, 0.5, 0.5], abs=0.03)
            assert known(w).gaps == pytest.approx(1.95)

    run_virtual(main())
