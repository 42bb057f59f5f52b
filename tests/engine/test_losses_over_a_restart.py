"""Losses in a row pause a route; a restart in between is no way around it."""

import asyncio
from pathlib import Path

from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.config import RiskConfig
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import FAIR, UNRESTING, UPBIT_DEAR, world

ROUTE = "XRP:binance>upbit"


def test_the_pause_begins_anew_with_the_run_and_ends(tmp_path: Path) -> None:
    """It was kept in memory alone: a supervisor that restarts at once let the next losing cycle open at once."""
    limits = UNRESTING.model_dump(by_alias=True)
    limits["route"] |= {"max_consecutive_losses": 2, "loss_pause_s": 30.0}
    risk = RiskConfig.model_validate(limits)

    async def main() -> None:
        async with world(tmp_path, risk=risk) as w:
            for turn in range(2):
                w.quote("upbit", FAIR["upbit"])
                w.quote("binance", ([(2.1399, 300.0 + turn)], [(2.14, 300.0 + turn)]))
                w.upbit.core.faults.add(Fault(FaultKind.REJECT))
                w.show("upbit", UPBIT_DEAR)
                await asyncio.sleep(0.01)
                w.quote("upbit", FAIR["upbit"])
                await w.engine.executor.quiet.wait()
                await asyncio.sleep(1)
            assert w.portfolio.state.routes[ROUTE].losses == 2
        async with world(tmp_path, risk=risk, symbols=("ADA",)) as w:
            assert [one.scope for one in w.engine.breaches.breaches.values() if one.kind == "LOSSES"] == [ROUTE], (
                "it is no route of that run"
            )
        async with world(tmp_path, risk=risk) as w:
            assert [one.scope for one in w.engine.breaches.breaches.values() if one.kind == "LOSSES"] == [ROUTE] * 2
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            assert not w.engine.executor.open
            assert w.engine.risk.denials.get(Reason.LOSSES)
            await asyncio.sleep(30)
            await w.trade()

    run_virtual(main())
