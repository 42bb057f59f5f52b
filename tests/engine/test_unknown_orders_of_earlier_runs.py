"""Orders whose fate a start could not find out count at their venue like those of the run."""

from pathlib import Path

from arbtui.failover.reconciler import Reconciled, Unresolved
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import UPBIT_DEAR, world


def test_they_close_it_for_entries_until_they_are_known(tmp_path: Path) -> None:
    """A restart made the count begin at nothing: a venue that had lost sight of several orders was traded at, at once."""

    async def main() -> None:
        async with world(tmp_path) as w:
            guard = w.engine.risk.exchange["binance"]
            most = guard.limits.max_unknown_orders
            orders = [Unresolved(f"a{number}", "r0-1", "binance:ADAUSDT", "not found", "looked up", False) for number in range(most)]
            elsewhere = Unresolved("b", "r0-1", "gone:ADAUSD", "the profile has no such venue", "put it back", True)
            w.engine.on_resolved(Reconciled(unresolved=[*orders[1:], elsewhere]))
            assert (guard.unknown, guard.unfit(w.clock.monotonic())) == (most - 1, None)
            w.engine.on_resolved(Reconciled(unresolved=[*orders, elsewhere]))
            assert guard.unfit(w.clock.monotonic()) is Reason.ORDERS_UNKNOWN
            assert guard.why_unfit(w.clock.monotonic()).startswith(f"{most} orders of unknown fate")
            w.show("upbit", UPBIT_DEAR)
            assert not w.engine.executor.open
            assert w.engine.risk.denials == {Reason.ORDERS_UNKNOWN: 1}
            assert w.engine.risk.exchange["upbit"].unfit(w.clock.monotonic()) is None
            w.engine.on_resolved(Reconciled())
            assert (guard.unknown, guard.unfit(w.clock.monotonic())) == (0, None)
            await w.trade("upbit", UPBIT_DEAR)

    run_virtual(main())
