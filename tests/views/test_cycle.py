"""One cycle in full: from the running engine, and from the journal after a restart."""

import asyncio
from decimal import Decimal
from pathlib import Path

from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.past_cycles import past_cycles
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.views.live import EngineViews
from tests.execution.world import UPBIT_DEAR, world
from tests.views.test_detail import views_of


def test_a_hedged_cycle_tells_both_legs(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            views = views_of(w)
            (line,) = views.cycles()
            told = views.cycle(line.id)
            assert told is not None
            assert (told.state, told.reason, line.reason) == ("HEDGED", "", "")
            assert [(order.side, order.exchange, order.state) for order in told.orders] == [
                ("buy", "BINANCE", "FILLED"),
                ("sell", "UPBIT", "FILLED"),
            ]
            for order in told.orders:
                assert order.ordered == order.filled
                assert Decimal(order.average) > 0
                assert order.fees
                assert order.client_order_id
                assert order.venue_order_id
            assert told.pnl["currency"] == "USDT"
            assert views.cycle("nobody") is None
        async with world(tmp_path) as w:
            earlier = EngineViews(w.engine, "SIM", "", LogRing(), past_cycles(w.journal.path))
            before = earlier.cycle(line.id)
            assert before is not None
            assert (before.orders, before.pnl, before.reason) == (told.orders, told.pnl, told.reason)

    run_virtual(main())


def test_a_cycle_in_which_nothing_filled_tells_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for venue in w.venues.values():
                venue.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            await w.engine.executor.quiet.wait()
            await asyncio.sleep(0)
            (line,) = views_of(w).cycles()
            told = views_of(w).cycle(line.id)
            assert told is not None
            assert line.buy_qty == line.sell_qty == 0.0
            assert line.reason == told.reason != ""
            assert all(order.filled == "0" and order.average == "" for order in told.orders)

    run_virtual(main())
