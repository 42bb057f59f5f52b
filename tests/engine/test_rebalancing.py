"""Reverse trades in a running engine: they bring stock back by themselves, within the day's budget, and every book agrees."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import CycleState, TargetSet
from arbtui.model.money import ZERO
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.config import RebalanceConfig
from arbtui.portfolio.ledger import read_ledger
from tests.execution.world import FAIR, World, world

ROUTE = "XRP:binance>upbit"


async def _short_at_binance(w: World, target: int) -> None:
    """Binance should hold far more than it does; the prices are fair, so bringing stock there costs the fees."""
    await w.journal.commit(TargetSet("binance", "XRP", Decimal(target), ZERO, "me", "x"))
    w.show("upbit", FAIR["upbit"])
    w.engine.marks.take("day")
    await asyncio.sleep(1.5)


async def _trade_on(w: World, seconds: int) -> None:
    for _ in range(seconds * 2):
        w.freshen()
        w.show("upbit", FAIR["upbit"])
        await asyncio.sleep(0.5)
    await w.engine.executor.quiet.wait()


def test_by_default_nothing_is_traded_at_a_loss_however_short_stock_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await _short_at_binance(w, 100_000)
            await _trade_on(w, 5)
            assert not w.engine.cycles
            assert w.engine.risk.denials == {}

    run_virtual(main())


def test_stock_is_brought_back_and_its_cost_is_rotation(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rebalance=RebalanceConfig(max_cost_bps_day=100.0, max_cost_bps=60.0)) as w:
            await _short_at_binance(w, 100_000)
            before = w.portfolio.total("binance", "XRP")
            await _trade_on(w, 5)
            cycles = list(w.engine.cycles.values())
            assert cycles
            assert {(cycle.plan.route.id, cycle.state) for cycle in cycles} == {(ROUTE, CycleState.HEDGED)}
            assert all(cycle.plan.edge_bps < 0 and cycle.plan.most_cost > 0 for cycle in cycles)
            assert w.portfolio.total("binance", "XRP") > before
            pnl = w.engine.pnl()
            assert pnl.trading == pnl.fees == 0
            assert pnl.rotation < 0
            spent = w.portfolio.rebalance_spent_today()
            assert spent == -pnl.rotation
            assert spent <= sum((cycle.plan.most_cost for cycle in cycles), ZERO)
            assert 0 < spent <= w.engine.rebalancer.budget()
            w.engine.marks.take("end")
            w.agree()
            w.same_after_restart()
        ledger = read_ledger(tmp_path / "journal.db")
        assert Decimal(ledger["pnl"]["rotation"]) == pytest.approx(-spent, abs=Decimal("1e-7"))

    run_virtual(main())


def test_the_budget_ends_it_and_a_restart_does_not_renew_it(tmp_path: Path) -> None:
    config = RebalanceConfig(max_cost_bps_day=2.0, max_cost_bps=60.0)

    async def main() -> None:
        async with world(tmp_path, rebalance=config) as w:
            await _short_at_binance(w, 100_000)
            await _trade_on(w, 20)
            spent, budget = w.portfolio.rebalance_spent_today(), w.engine.rebalancer.budget()
            assert 0 < spent <= budget
            opened = len(w.engine.cycles)
            await _trade_on(w, 5)
            assert len(w.engine.cycles) == opened  # nothing that may cost more than what is left
            assert w.components.universe.by_id[ROUTE].threshold_bps() > -60.0
        async with world(tmp_path, rebalance=config) as w:
            w.show("upbit", FAIR["upbit"])
            assert w.portfolio.rebalance_spent_today() == spent
            await _trade_on(w, 5)
            assert not w.engine.cycles

    run_virtual(main())


def test_the_gate_refuses_a_reverse_trade_that_the_budget_does_not_hold(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, rebalance=RebalanceConfig(max_cost_bps_day=100.0, max_cost_bps=60.0)) as w:
            await _short_at_binance(w, 100_000)
            w.show("upbit", FAIR["upbit"])
            plan = next(iter(w.engine.cycles.values())).plan
            await w.engine.executor.quiet.wait()
            too_dear = replace(plan, most_cost=w.engine.rebalancer.budget(), decided_at=w.clock.monotonic())
            assert w.engine.open(too_dear) is Reason.REBALANCE_BUDGET

    run_virtual(main())


def test_a_short_runway_makes_stock_scarce_and_a_likely_refill_less_so(tmp_path: Path) -> None:
    config = RebalanceConfig(shadow_bps_at_empty=40.0, shadow_runway_min=600.0)

    async def main() -> None:
        async with world(tmp_path, rebalance=config) as w:
            await w.trade()  # bought at Binance, sold at Upbit: Upbit's stock flows out, Binance's in
            await asyncio.sleep(2.0)
            sold, bought = w.components.universe.nodes["upbit", "XRP"], w.components.universe.nodes["binance", "XRP"]
            lasts = w.portfolio.runway("upbit", "XRP", w.clock.time_ms())
            assert sold.urgency == pytest.approx(1.0 - lasts.drain_hours / 10.0, abs=0.02)
            assert sold.scarcity == sold.urgency > 0.5
            assert bought.scarcity == bought.urgency == 0.0
            assert w.components.universe.by_id[ROUTE].shadow_bps() == pytest.approx(40.0 * sold.urgency)

    run_virtual(main())
