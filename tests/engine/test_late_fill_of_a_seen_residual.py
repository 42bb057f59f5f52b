"""A person has seen what a cycle left and let its asset trade on; then a late fill makes it something else, which nobody has seen."""

from dataclasses import replace
from pathlib import Path

from arbtui.journal.events import CycleAcknowledged, FillRecorded
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import World, world


def _told(w: World) -> list[bool]:
    """Of each RESIDUAL breach, whether a person has dealt with it."""
    breaches = w.engine.breaches
    return [one.id in breaches.acknowledged for one in breaches.breaches.values() if one.kind == "RESIDUAL"]


def test_it_blocks_its_asset_again_and_is_told_again(tmp_path: Path) -> None:
    """The acknowledgement of a small remainder let the asset trade beside any number of later ones."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            order = next(one for one in cycle.orders if one.market.exchange == "binance")
            bought = cycle.fills_of(order.client_order_id)[0]
            for number in range(2):
                assert w.engine.tracker.on_fill(replace(bought, trade_id=f"late {number}", price=bought.price + number + 1)) == "late fill"
                assert {route.blocked for route in w.components.universe.routes} == {Reason.RESIDUAL}
                assert _told(w) == [True] * number + [False]
                (open_one,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "RESIDUAL" and not _is_seen(w, one.id)]
                assert w.engine.operator.acknowledge(open_one.id) is None
                assert not w.engine.risk.route.residual_assets()
            (position,) = w.portfolio.positions
            assert w.portfolio.left(position)["XRP"] > bought.qty

    run_virtual(main())


def _is_seen(w: World, breach_id: str) -> bool:
    return breach_id in w.engine.breaches.acknowledged


def test_what_a_settlement_trades_of_it_is_what_the_person_wanted(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            order = next(one for one in cycle.orders if one.market.exchange == "binance")
            bought = cycle.fills_of(order.client_order_id)[0]
            w.engine.tracker.on_fill(replace(bought, trade_id="late", price=bought.price + 1))
            await w.journal.commit(CycleAcknowledged(cycle.id, "ann", "seen"))
            cycle.account.settling_orders.append("s1")
            part = replace(bought, trade_id="part", client_order_id="s1", qty=bought.qty / 100, side=Side.SELL)
            await w.journal.commit(FillRecorded(part, cycle.id, 1000, "stream", w.clock.time_ms(), w.components.marks.of_fill(part)))
            assert cycle.account.is_position
            assert cycle.account.acknowledged_by == "ann"

    run_virtual(main())
