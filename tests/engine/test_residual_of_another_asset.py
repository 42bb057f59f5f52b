"""A cycle may leave another asset than the one that its route is listed under: a chain through BTC that was to move XRP leaves BTC."""

from dataclasses import replace
from pathlib import Path

from arbtui.failover.reconciler import Reconciled
from arbtui.journal.events import FillRecorded
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import world


def test_seen_by_a_person_it_blocks_no_route_of_that_asset_any_more(tmp_path: Path) -> None:
    """Only the routes of the cycle's own asset were looked at: those of what it had left stayed blocked."""

    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            cycle = await w.trade()
            fill = replace(cycle.fills[0], base="ADA", market=f"{cycle.fills[0].market}-ADA", trade_id="late")
            await w.journal.commit(FillRecorded(fill, cycle.id, 0, "recovery", w.clock.time_ms(), w.components.marks.of_fill(fill)))
            w.engine.on_resolved(Reconciled(fills=1))
            assert w.portfolio.left(cycle.account).keys() == {"ADA"}
            of_ada = w.components.universe.of_symbol("ADA")
            assert {route.blocked for route in of_ada} == {Reason.RESIDUAL}
            (breach,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "RESIDUAL"]
            assert w.engine.operator.acknowledge(breach.id) is None
            assert {route.blocked for route in of_ada} == {None}

    run_virtual(main())
