"""What limits do: deny, hold back until it is over, or halt; each with its own reason."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from math import nan
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine.machine_watch import MachineSample, RecentCommits
from arbtui.journal.events import Adjusted, BreachAcknowledged, CycleState
from arbtui.model.histogram import Histogram
from arbtui.model.order import Order
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.blocks import HYSTERESIS_S
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import FAIR, UPBIT_DEAR, World, world

FINE = MachineSample(1.0, 1.0, 1e6)


def limits(**changes: Mapping[str, Any]) -> RiskConfig:
    """The paper limits with ``changes`` by tier."""
    return RiskConfig.model_validate({tier: {**table, **changes.get(tier, {})} for tier, table in default_limits("paper").items()})


async def refusal(w: World) -> Reason | None:
    """Why the next gap is not taken; None where it is."""
    before = len(w.engine.cycles)
    await asyncio.sleep(1.0)
    w.show("upbit", UPBIT_DEAR)
    denied = w.components.universe.by_id["XRP:binance>upbit"].denied
    await w.engine.executor.quiet.wait()
    w.show("upbit", FAIR["upbit"])
    return denied if len(w.engine.cycles) == before else None


@pytest.mark.parametrize(
    ("key", "cause"),
    [("max_loss_hour", "loss limit of an hour"), ("max_drawdown", "drawdown limit"), ("max_loss_day", "loss limit of the day")],
)
def test_what_is_lost_within_an_hour_or_from_the_best_halts(key: str, cause: str, tmp_path: Path) -> None:
    """Sold far too cheap: the leg that is left is taken back at a loss of about ten."""

    async def main() -> None:
        async with world(tmp_path, risk=limits(**{"global": {key: 0.05}})) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 3)
            cycle = await w.trade()
            assert cycle.state is CycleState.UNWOUND
            await asyncio.sleep(1.5)
            assert w.engine.state in (TradingState.HALTED, TradingState.HALTED_DIRTY, TradingState.HALTING)
            assert w.halt.cause is not None
            assert (w.halt.cause.source, w.halt.cause.reason) == ("GUARD", cause)

    run_virtual(main())


def test_nobody_for_so_many_cycles_and_any_act_of_a_person_counts_anew(tmp_path: Path) -> None:
    risk = limits(**{"global": {"max_cycles_unattended": 2}})

    async def main() -> None:
        async with world(tmp_path, risk=risk) as w:
            assert [await refusal(w), await refusal(w), await refusal(w)] == [None, None, Reason.UNATTENDED]
            assert "nobody has looked" in w.engine.why_idle()
            w.engine.operator.toggle_pause()
            assert w.portfolio.state.unattended == 2, "pausing is no look at what goes on"
            w.engine.operator.toggle_pause()
            assert [await refusal(w), await refusal(w), await refusal(w)] == [None, None, Reason.UNATTENDED]
            w.journal.post(BreachAcknowledged("b1", "recovered"))
            assert await refusal(w) is Reason.UNATTENDED, "nobody acknowledged that"
            (breach, *_) = [one for one in w.engine.breaches.breaches.values() if one.kind == "UNATTENDED"]
            assert w.engine.operator.acknowledge(breach.id) is None
            assert await refusal(w) is None
            w.agree()
        async with world(tmp_path, risk=risk) as w:
            assert [await refusal(w), await refusal(w)] == [None, Reason.UNATTENDED], "a restart is nobody's look"

    run_virtual(main())


@pytest.mark.parametrize(("most", "reason"), [(1, Reason.ORDER_PACE), (2, None)])
def test_a_cycle_waits_where_its_orders_would_be_too_many(most: int, reason: Reason | None, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, risk=limits(**{"global": {"max_orders_s": most}})) as w:
            assert await refusal(w) is reason
            w.agree()

    run_virtual(main())


def test_a_price_that_jumps_rests_its_asset_for_a_minute_and_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), risk=limits(symbol={"max_jump_1s_bps": 50.0})) as w:
            await asyncio.sleep(1.1)  # a sample of the fair prices
            w.show("upbit", UPBIT_DEAR)  # 110 bps at once
            route = w.components.universe.by_id["XRP:binance>upbit"]
            assert route.denied is Reason.PRICE_JUMP
            w.show("upbit", FAIR["upbit"])
            now = w.clock.monotonic()
            assert w.engine.risk.blocked(w.components.universe.by_id["ADA:binance>upbit"], now) is None
            await asyncio.sleep(59.0)
            assert w.engine.risk.blocked(route, w.clock.monotonic()) is Reason.PRICE_JUMP
            await asyncio.sleep(1.1)
            assert w.engine.risk.blocked(route, w.clock.monotonic()) is None

    run_virtual(main())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (MachineSample(2000.001, 1.0, 1e6), Reason.LOOP_LAG),
        (MachineSample(1.0, 250.001, 1e6), Reason.COMMIT_LATE),
        (MachineSample(1.0, 1.0, 499.999), Reason.DISK_FULL),
        (MachineSample(nan, 1.0, 1e6), Reason.LOOP_LAG),
        (MachineSample(1.0, nan, 1e6), Reason.COMMIT_LATE),
        (MachineSample(1.0, 1.0, nan), Reason.DISK_FULL),
        (MachineSample(2000.0, 250.0, 500.0), None),
        (MachineSample(1999.999, 249.999, 500.001), None),
    ],
)
def test_a_machine_that_is_not_fit_holds_entries_back_until_it_is(bad: MachineSample, reason: Reason | None, tmp_path: Path) -> None:
    machine = {"max_loop_lag_ms": 2000, "max_commit_ms": 250, "min_free_disk_mb": 500}

    async def main() -> None:
        async with world(tmp_path, risk=limits(**{"global": machine})) as w:
            w.engine.machine.sampled(bad, w.clock.monotonic())
            assert await refusal(w) is reason
            if reason is not None:
                assert w.engine.why_idle() != ""
                assert [one.kind for one in w.engine.breaches.breaches.values()] == [reason.value]
            w.engine.machine.sampled(FINE, w.clock.monotonic())
            await asyncio.sleep(HYSTERESIS_S)
            assert await refusal(w) is None
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("times", "apart_s", "halts"), [(5, 10.0, False), (6, 10.0, True), (600, 1.0, False), (602, 1.0, True)])
def test_a_machine_that_is_not_fit_again_and_again_or_for_long_needs_a_person(
    times: int, apart_s: float, halts: bool, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for number in range(times):
                w.engine.machine.sampled(MachineSample(20_000.0, 1.0, 1e6), 1000.0 + number * apart_s)
            assert w.halt.is_closed is halts
            if halts:
                assert w.halt.cause is not None
                assert w.halt.cause.reason.startswith("LOOP_LAG")

    run_virtual(main())


def test_the_slow_commits_of_earlier_are_forgotten() -> None:
    recent, latency = RecentCommits(seconds=3), Histogram()
    assert recent.look(latency) == 0.0
    for _ in range(100):
        latency.add(500.0)
    assert recent.look(latency) == pytest.approx(500.0, rel=0.03)
    for _ in range(3):
        for _ in range(100):
            latency.add(1.0)
        last = recent.look(latency)
    assert last == pytest.approx(1.0, rel=0.03)


def test_cycles_whose_legs_part_rest_their_route(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, risk=limits(route={"max_one_leg_hour": 1, "refusal_pause_s": 0.0})) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 3)
            assert (await w.trade()).state is CycleState.UNWOUND
            w.quote("binance", ([(2.1399, 350.0)], [(2.14, 350.0)]))
            assert await refusal(w) is Reason.ONE_LEG
            await asyncio.sleep(3600)
            assert await refusal(w) is None

    run_virtual(main())


def test_an_order_whose_reservation_is_gone_does_not_leave(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            done: list[int] = []

            def take_away(_: Order) -> None:
                if not done:
                    done.append(1)
                    w.journal.post(Adjusted("upbit", "XRP", Decimal(-1000), "a test", "operator", "ann"))

            w.upbit.before_place = take_away
            await w.trade()
            assert w.engine.risk.denials[Reason.RESERVATION] >= 1
            assert w.upbit.placed == []

    run_virtual(main())


def test_an_edge_that_pays_only_at_the_books_own_rate_is_not_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            route = w.components.universe.by_id["XRP:binance>upbit"]
            sells, buys = route.trades[-1].market.quote, route.trades[0].market.quote
            w.components.rates.conversion(sells, buys).margin_bps = 500.0
            w.show("upbit", UPBIT_DEAR)
            assert (route.denied, list(w.engine.cycles)) == (Reason.RATE_UNCONFIRMED, [])

    run_virtual(main())


def _counted(w: World) -> dict[str, float]:
    w.engine.losses.measure()
    total, (_, _, day) = w.engine.risk.total, w.engine.risk.pace.counts()
    parted = w.engine.risk.route.one_leg("XRP:binance>upbit")
    return {"day": total.loss_today, "hour": total.loss_hour, "drawdown": total.drawdown, "orders": day, "one leg": parted}


def test_a_restart_counts_what_a_running_engine_counts(tmp_path: Path) -> None:
    """A gain, then a leg taken back at a loss; then the process ends, and another goes on at the same moment."""
    risk = limits(route={"max_one_leg_hour": 1, "refusal_pause_s": 0.0}, **{"global": {"max_orders_day": 6}})

    async def main() -> None:
        async with world(tmp_path, risk=risk) as w:
            assert (await w.trade()).state is CycleState.HEDGED
            gained = -_counted(w)["hour"]
            assert gained > 0
            await asyncio.sleep(600)
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 3)
            assert (await w.trade()).state is CycleState.UNWOUND
            before = _counted(w)
            assert before["drawdown"] == pytest.approx(before["hour"] + gained)
            assert before["drawdown"] > 0
            assert (before["one leg"], before["orders"] >= 5) == (1, True)
            w.same_after_restart()
        async with world(tmp_path, risk=risk) as w:
            after = _counted(w)
            assert (after["orders"], after["one leg"]) == (before["orders"], before["one leg"])
            for name in ("day", "hour", "drawdown"):
                assert after[name] == pytest.approx(before[name], abs=1e-9)
            assert await refusal(w) is Reason.ONE_LEG
            await asyncio.sleep(3600)
            assert _counted(w)["one leg"] == 0
            assert await refusal(w) is Reason.ORDER_PACE, "the day's orders are used up"

    run_virtual(main())


def test_a_loss_that_halts_is_still_over_the_limit_after_a_restart(tmp_path: Path) -> None:
    risk = limits(**{"global": {"max_loss_hour": 0.05}})

    async def main() -> None:
        async with world(tmp_path, risk=limits()) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 3)
            assert (await w.trade()).state is CycleState.UNWOUND
            assert not w.halt.is_closed
        async with world(tmp_path, risk=risk) as w:
            assert w.halt.is_closed, "what an earlier run lost counts"
            assert w.halt.cause is not None
            assert w.halt.cause.reason == "loss limit of an hour"

    run_virtual(main())
