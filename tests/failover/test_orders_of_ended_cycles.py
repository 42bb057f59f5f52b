"""An order that counted as absent is there after all, and its cycle has ended: until its fate is known, it may still fill."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import OrderChanged
from arbtui.model.errors import VenueFailed
from arbtui.model.order import Fill, Order, OrderState
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.portfolio import Portfolio
from arbtui.runtime.startup import reconciler_of
from tests.execution.world import UPBIT_DEAR, Venue, World, world
from tests.failover.test_missed_fills import _hide


async def _revived(w: World) -> str:
    """A cycle that was hedged beside an order that counted as absent, and is not; its id."""
    show = await _hide(w.binance)
    cycle = await w.trade()
    (missed,) = (order for order in cycle.orders if order.reason == "NOT_PLACED")
    await w.journal.commit(OrderChanged(missed.client_order_id, OrderState.UNKNOWN, "", Decimal(0), "it is there"))
    show()
    return cycle.id


def _holds_what_it_may_use(w: World) -> None:
    assert w.portfolio.reserved("binance", "USDT") == Decimal("46.7") * Decimal("2.14")
    assert Portfolio.load(w.portfolio.dump()).reserved("binance", "USDT") == w.portfolio.reserved("binance", "USDT")
    w.engine.risk.total.measure()
    assert w.engine.risk.total.unhedged == pytest.approx(100, rel=0.02)


def test_it_keeps_what_it_may_use_blocks_its_market_and_counts_as_filled(tmp_path: Path) -> None:
    """Nothing was kept for it, another cycle opened on its market, and no limit of exposure knew of it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            before = w.portfolio.available("binance", "USDT")
            await _revived(w)
            _holds_what_it_may_use(w)
            assert w.portfolio.available("binance", "USDT") < before - 190  # what hedged the cycle was bought, too
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            assert not w.engine.executor.open
            assert w.engine.risk.denials.get(Reason.ROUTE_BUSY)

    run_virtual(main())


def test_so_it_is_after_a_restart_that_cannot_find_it_out_until_a_later_look(tmp_path: Path) -> None:
    async def fails(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        raise VenueFailed("binance: not now")

    def does_not_tell(venues: Mapping[str, Venue]) -> None:
        told.append(venues["binance"].fetch_order)
        venues["binance"].fetch_order = fails  # type: ignore[method-assign]

    told: list[object] = []

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await _revived(w)
        async with world(tmp_path, on_open=does_not_tell, recovery_wait_s=2.0) as w:
            assert [one.cycle_id for one in w.reconciled.unresolved] == [cycle_id]
            _holds_what_it_may_use(w)
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            assert not w.engine.executor.open
            w.binance.fetch_order = told[0]  # type: ignore[method-assign, assignment]
            found = await reconciler_of(w.components, 0.0).again("r2")
            assert (found.fills, found.residual) == (1, [cycle_id])
            assert w.portfolio.reserved("binance", "USDT") == 0
            w.agree()

    run_virtual(main())


def test_so_is_one_that_came_back_while_its_cycle_still_ran(tmp_path: Path) -> None:
    """Its cycle ended without waiting for it, and what had been set aside went with the cycle: the rest of it could be spent twice."""
    part = Decimal(6)

    async def fails(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        raise VenueFailed("binance: not now")

    async def main() -> None:
        async with world(tmp_path) as w:
            came_back: list[Order] = []

            def fills_in_part(order: Order, why: str, is_new: bool) -> None:
                if order.reason != "NOT_PLACED" or came_back:
                    return
                came_back.append(order)
                w.binance.fetch_order = fails  # type: ignore[method-assign]
                cost = part * order.price
                made = Fill(
                    "binance", "late", order.client_order_id, "v1", order.market.code, "XRP", "USDT", order.side, part, order.price, cost,
                    Decimal(0), "USDT", "taker", w.clock.time_ms(),
                )  # fmt: skip
                w.engine.tracker.on_order(
                    OrderReport("binance", order.client_order_id, "v1", OrderState.PARTIALLY_FILLED, part, (made,), "")
                )

            w.engine.tracker.on_looked_up = fills_in_part
            await _hide(w.binance)
            cycle = await w.trade()
            (order,) = came_back
            assert (order.state, cycle.account.is_open) == (OrderState.PARTIALLY_FILLED, False)
            left = (order.qty - part) * order.price
            assert w.portfolio.reserved("binance", "USDT") == left
            assert Portfolio.load(w.portfolio.dump()).reserved("binance", "USDT") == left
            w.engine.risk.total.measure()
            assert w.engine.risk.total.positions_value >= float(left) * 0.98

    run_virtual(main())
