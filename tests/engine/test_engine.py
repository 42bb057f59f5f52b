import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.engine.breaches import BreachBook
from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import BalanceDisputed, CycleEnded, CycleState, Event
from arbtui.model.book import BookState
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.halt import FLAG_NAME, write_flag
from arbtui.model.order import Fill, OrderState
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.config import DeskConfig
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.operator_events import adjustment_preview
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.breach import Severity
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.views.live import EngineControls
from tests.execution.world import EXECUTION, FAIR, UPBIT_CHEAP, UPBIT_DEAR, World, armed, world

_DAY_S = 86_400.0


def _limits(**tiers: dict[str, float]) -> RiskConfig:
    limits = default_limits("paper")
    limits["route"]["refusal_pause_s"] = 0.0  # scripted refusals are these tests' tool
    for tier, changed in tiers.items():
        limits[tier] |= changed
    return RiskConfig.model_validate(limits)


def _kinds(w: World) -> list[tuple[str, str]]:
    return [(breach.kind, breach.scope) for breach in w.engine.breaches.breaches.values()]


async def _residual(w: World) -> str:
    """Leave a residual of XRP: a bought leg that neither venue lets go; its cycle's id."""
    w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
    w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
    cycle = await w.trade()
    assert cycle.state is CycleState.RESIDUAL
    for venue in w.venues.values():
        while venue.core.faults.take() is not None:
            pass
    return cycle.id


def test_a_rate_tick_reaches_every_route_in_slices(tmp_path: Path) -> None:
    async def main() -> None:
        symbols = ["XRP", "ADA", *(f"C{n}" for n in range(200))]
        async with world(tmp_path, symbols=symbols) as w:
            before = [route.evaluations for route in w.components.universe.routes]
            rate = w.components.rates.markets[0].book
            assert rate is not None
            rate.replace([(1380.0, 1e6)], [(1381.0, 1e6)])  # the dollar falls: everything is dearer at Upbit
            w.engine.decider.on_books([rate])
            await asyncio.sleep(0)
            w.engine.decider.on_books([rate])  # told again without a change: no second sweep
            await w.engine.decider.settled.wait()
            evaluated = {route.id: route.evaluations - count for route, count in zip(w.components.universe.routes, before, strict=True)}
            # Each once, but for the one that waited while another cycle was opened.
            assert {name: count for name, count in evaluated.items() if count != 1} == {"ADA:binance>upbit": 2}
            assert {cycle.plan.route.symbol for cycle in w.engine.cycles.values()} == {"XRP", "ADA"}  # only these have stock
            await w.engine.executor.quiet.wait()
            w.agree()

    run_virtual(main())


def test_one_asset_has_one_cycle_at_a_time_in_either_direction(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            w.show("upbit", UPBIT_DEAR)
            w.show("upbit", UPBIT_DEAR)
            w.show("upbit", UPBIT_CHEAP)  # the other direction pays now
            w.show("upbit", UPBIT_DEAR, "ADA")  # another asset is free
            assert [cycle.plan.route.id for cycle in w.engine.cycles.values()] == ["XRP:binance>upbit", "ADA:binance>upbit"]
            assert [route.refusal(w.clock.monotonic()) for route in w.components.universe.of_symbol("XRP")] == [Reason.ROUTE_BUSY] * 2
            assert w.engine.risk.denials == {}  # a busy asset costs nothing, not even a denial
            await w.engine.executor.quiet.wait()
            assert len(w.engine.cycles) == 2
            w.agree()

    run_virtual(main())


def test_a_route_rests_after_a_cycle_and_then_trades_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.4)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 1
            assert w.components.universe.by_id["XRP:binance>upbit"].refusal(w.clock.monotonic()) is Reason.COOLDOWN
            await asyncio.sleep(0.2)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 2
            await w.engine.executor.quiet.wait()
            w.agree()

    run_virtual(main())


def test_what_starts_disarmed_sends_nothing_until_name_and_reason_are_typed(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, unconfirmed="not confirmed") as w:
            assert not armed(w)
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(1)
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.DISARMED: 1}
            assert "only an armed or paused engine" in w.engine.operator.toggle_pause()
            assert w.engine.operator.rearm("other", "why", w.halt.kills) == "type the profile's name, p"
            assert "reason" in str(w.engine.operator.rearm("p", " ", w.halt.kills))
            assert not armed(w)
            assert w.engine.operator.rearm("p", "opening", w.halt.kills) is None
            assert armed(w)
            assert w.engine.halt_detail == ""
            w.show("upbit", UPBIT_CHEAP)
            await w.engine.executor.quiet.wait()
            assert len(w.engine.cycles) == 1
            assert "nothing to re-arm" in str(w.engine.operator.rearm("p", "again", w.halt.kills))
            w.agree()

    run_virtual(main())


def test_a_kill_outranks_a_disarmed_start(tmp_path: Path) -> None:
    async def main() -> None:
        write_flag(tmp_path, "KEY", "before", 1)
        async with world(tmp_path, unconfirmed="not confirmed") as w:
            assert w.engine.halt_detail == ""
            assert not armed(w)
            assert w.engine.operator.rearm("p", "seen", w.halt.kills) is None
            assert armed(w)

    run_virtual(main())


def test_the_guard_refuses_a_resting_route_whatever_its_flag_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            route = w.components.universe.by_id["XRP:binance>upbit"]
            assert route.blocked is Reason.COOLDOWN
            route.blocked = None
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 1
            assert w.engine.risk.denials == {Reason.COOLDOWN: 1}

    run_virtual(main())


def test_a_cycle_of_the_other_direction_does_not_end_a_rest(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.engine.availability.look("XRP")
            rested, other = (w.components.universe.by_id[name] for name in ("XRP:binance>upbit", "XRP:upbit>binance"))
            assert (rested.blocked, other.blocked) == (Reason.COOLDOWN, None)
            await asyncio.sleep(1)
            assert rested.blocked is None

    run_virtual(main())


def test_a_profile_that_only_watches_finds_and_opens_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"enabled": False})) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(1)
            assert w.engine.decider.opportunities == 1
            assert w.engine.cycles == {}
            assert w.components.universe.by_id["XRP:binance>upbit"].refusal(w.clock.monotonic()) is Reason.DISABLED

    run_virtual(main())


def test_pausing_keeps_open_cycles_going_and_opens_none(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)
            assert w.engine.operator.toggle_pause() == TradingState.PAUSED
            await w.engine.executor.quiet.wait()
            (cycle,) = w.engine.cycles.values()
            assert cycle.state is CycleState.HEDGED  # completed although paused
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 1
            assert w.engine.risk.denials == {Reason.PAUSED: 1}
            assert w.engine.operator.toggle_pause() == TradingState.ARMED
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 2
            await w.engine.executor.quiet.wait()

    run_virtual(main())


@pytest.mark.parametrize("how", ["key", "flag"])
def test_a_kill_halts_cancels_and_is_told_once(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            if how == "key":
                for _ in range(100):
                    w.engine.kill_switch.kill("KEY", "seen something")
            else:
                (tmp_path / FLAG_NAME).write_text("{}")
            await asyncio.sleep(0.06)
            assert str(w.engine.state) == "HALTING"
            await asyncio.sleep(1)
            assert str(w.engine.state) == "HALTED"
            assert [venue.listed - 1 for venue in w.venues.values()] == [2, 2]  # one list was the start's
            assert _kinds(w) == [("KILL", "global")]
            assert [(kill.action, kill.epoch) for kill in w.journal.load().kills] == [("killed", 1)]
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(1)
            assert w.engine.cycles == {}
            assert w.engine.operator.toggle_pause().startswith("HALTED")

    run_virtual(main())


def test_a_kill_that_was_dirty_only_while_a_cycle_ended_is_clean_in_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            executor = w.engine.executor
            executor.open[cycle.id] = cycle  # its end is not on disk yet, all its orders are final
            executor.quiet.clear()
            w.engine.kill_switch.kill("KEY", "seen something")
            await asyncio.sleep(12)
            assert str(w.engine.state) == "HALTED_DIRTY"
            del executor.open[cycle.id]
            executor.quiet.set()
            await asyncio.sleep(12)
            assert str(w.engine.state) == "HALTED"

    run_virtual(main())


def test_rearming_needs_the_name_a_reason_and_nothing_unsettled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert w.engine.operator.rearm("p", "why not", w.halt.kills) is not None  # nothing to re-arm
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.1))
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.2)
            w.engine.kill_switch.kill("KEY")
            await asyncio.sleep(0.1)
            unsettled = w.engine.operator.rearm("p", "all clear", w.halt.kills)
            assert unsettled is not None
            assert "not settled yet: 1 cycle, 1 order" in unsettled
            await w.engine.executor.quiet.wait()
            await asyncio.sleep(3)
            assert w.engine.state is TradingState.HALTED_DIRTY  # the bought leg is left, for a person
            assert w.engine.halt_detail.startswith("1 residual (XRP), ")  # before what needs nobody
            for name, reason in (("q", "x"), ("", "x"), ("P", "x"), ("p", ""), ("p", "  ")):
                assert w.engine.operator.rearm(name, reason, w.halt.kills) is not None
                assert w.halt.is_closed
            assert w.engine.operator.rearm("p", "looked at it", w.halt.kills) is None
            assert (w.engine.state, w.halt.is_closed) == (TradingState.ARMED, False)
            assert not (tmp_path / FLAG_NAME).exists()
            assert [kill.action for kill in w.journal.load().kills] == ["killed", "rearmed"]
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 1  # the residual still blocks its asset
            assert w.components.universe.routes[0].blocked is Reason.RESIDUAL

    run_virtual(main())


@pytest.mark.parametrize("how", ["key", "key again", "flag"])
def test_who_arms_must_have_seen_the_last_kill(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with world(tmp_path, unconfirmed="not confirmed") as w:
            if how == "key again":
                w.engine.kill_switch.kill("KEY", "first")
            seen = w.halt.kills
            if how == "flag":
                (tmp_path / FLAG_NAME).write_text("{}")  # nobody has looked at it yet
            else:
                w.engine.kill_switch.kill("KEY", "second")
            assert "a kill came since" in str(w.engine.operator.rearm("p", "from an old dialog", seen))
            assert w.halt.is_closed
            assert (tmp_path / FLAG_NAME).exists()
            assert w.engine.operator.rearm("p", "looked again", w.halt.kills) is None
            assert armed(w)

    run_virtual(main())


def test_a_kill_that_follows_a_rearming_is_a_kill_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for epoch in (1, 2, 3):
                assert w.engine.kill_switch.kill("KEY")
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert w.halt.epoch == epoch
                assert w.engine.breaches.open == 1
                assert w.engine.operator.rearm("p", "at once", w.halt.kills) is None
                assert w.engine.state is TradingState.ARMED
                assert w.engine.breaches.open == 0  # whoever re-arms has seen the kill
            await asyncio.sleep(15)
            assert w.engine.state is TradingState.ARMED  # the halting of an old kill has no say any more
            assert len(w.journal.load().kills) == 6

    run_virtual(main())


def test_a_latched_kill_beats_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.kill_switch.kill("KEY")
            await asyncio.sleep(1)
        async with world(tmp_path) as w:
            assert w.engine.state is TradingState.HALTED
            await w.journal.commit()
            assert [row.action for row in w.journal.load().kills] == ["killed"]  # it was told when it was made, and once
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.operator.rearm("p", "new day", w.halt.kills) is None
            await w.trade()
            w.agree()

    run_virtual(main())


def test_a_kill_made_while_nothing_ran_reaches_the_journal_at_the_next_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            folder = w.halt.folder
        write_flag(folder, "CLI", "")
        async with world(tmp_path) as w:
            assert w.engine.state is TradingState.HALTED
            await w.journal.commit()
            assert [(row.action, row.source) for row in w.journal.load().kills] == [("killed", "CLI")]

    run_virtual(main())


def test_what_a_kill_left_is_dirty_at_the_next_start_too(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await _residual(w)
            w.engine.kill_switch.kill("KEY")
            await asyncio.sleep(15)
            assert w.engine.state is TradingState.HALTED_DIRTY
        async with world(tmp_path) as w:
            assert w.engine.state is TradingState.HALTED_DIRTY

    run_virtual(main())


def test_a_residual_blocks_its_asset_until_it_is_acknowledged_and_counts_until_it_is_settled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            cycle_id = await _residual(w)
            assert w.engine.unsettled
            exposed = w.engine.risk.total.unhedged
            assert exposed == pytest.approx(100, abs=5)
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            assert [cycle.id for cycle in w.portfolio.positions] == [cycle_id]
            assert w.engine.risk.total.unhedged == pytest.approx(exposed, rel=0.02)  # it is still out there
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            w.show("upbit", UPBIT_DEAR, "ADA")
            assert [cycle.plan.route.symbol for cycle in w.engine.cycles.values()] == ["ADA"]
            await w.engine.executor.quiet.wait()
            (breach,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "RESIDUAL"]
            assert w.engine.operator.acknowledge("no such") is not None
            assert w.engine.operator.acknowledge(breach.id) is None
            assert w.engine.operator.acknowledge(breach.id) is not None
            assert "1 residual (XRP)" in w.engine.unsettled  # its alarm is silent, it is still there
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 2  # and the asset trades again
            await w.engine.executor.quiet.wait()
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            assert not w.engine.risk.route.has_residual(w.components.universe.of_symbol("XRP")[0])
            assert w.engine.risk.total.unhedged == pytest.approx(exposed, rel=0.05)
            held = w.portfolio.total("binance", "XRP")
            assert w.engine.operator.write_off(cycle_id, "q", "x") == "type the profile's name, p"
            assert "a reason is needed" in str(w.engine.operator.write_off(cycle_id, "p", " "))
            assert w.engine.operator.write_off(cycle_id, "p", "kept as stock") is None
            assert w.engine.operator.write_off(cycle_id, "p", "again") == f"{cycle_id} leaves no position; open positions: none"
            assert w.engine.unsettled == ""
            assert w.portfolio.total("binance", "XRP") == held  # a write-off moves the target, not the balance
            w.engine.risk.total.measure()
            assert w.engine.risk.total.unhedged == 0
            w.same_after_restart()

    run_virtual(main())


def test_two_residuals_of_one_asset_are_acknowledged_and_settled_each_by_its_own_id(tmp_path: Path) -> None:
    """One acknowledgement used to name the other cycle."""

    async def main() -> None:
        async with world(tmp_path) as w:
            first = await w.trade()
            await asyncio.sleep(2)
            second = await w.trade()
            for number, cycle in enumerate((first, second)):
                _tell_late(w, cycle, f"L{number}", Decimal(20 + number))
            assert [account.id for account in w.portfolio.positions] == [first.id, second.id]
            told = {breach.scope: breach.id for breach in w.engine.breaches.breaches.values() if breach.kind == "RESIDUAL"}
            assert list(told) == [first.id, second.id]
            assert w.engine.operator.acknowledge(told[first.id]) is None
            assert [account.acknowledged_by for account in w.portfolio.positions] == ["operator", ""]
            assert w.engine.risk.route.has_residual(w.components.universe.of_symbol("XRP")[0])
            controls = EngineControls(w.engine)
            (way,) = [way for way in controls.ways(told[second.id]) if way.verb == "write-off"]
            assert way.text == f"write-off: what {second.id} left counts as stock from then on"
            ends: list[str] = []
            assert controls.settle(way, "q", "kept", ends.append) == "type the profile's name, p"
            assert controls.settle(way, "p", "kept", ends.append) is None
            assert ends == [f"{second.id} is settled: written off"]
            assert controls.ways(told[second.id]) == []
            assert controls.settle(way, "p", "again", ends.append) == f"{second.id} leaves no position; open positions: {first.id}"
            assert [account.id for account in w.portfolio.positions] == [first.id]
            w.engine.losses.measure()
            assert w.engine.risk.total.unhedged == pytest.approx(20 * 2.14, rel=0.05)
            w.same_after_restart()

    run_virtual(main())


def _tell_late(w: World, cycle: ArbCycle, trade_id: str, qty: Decimal, price: str = "2.14") -> None:
    """The buying order of an ended cycle fills once more."""
    order = cycle.orders[0]
    market, at = order.market, Decimal(price)
    fill = Fill(
        market.exchange, trade_id, order.client_order_id, order.venue_order_id or "v", market.code, market.base, market.quote, order.side,
        qty, at, qty * at, Decimal(0), market.quote, "taker", 0,
    )  # fmt: skip
    report = OrderReport(market.exchange, order.client_order_id, "v", OrderState.FILLED, order.filled_qty + qty, (fill,))
    w.engine.tracker.on_order(report)


def test_the_loss_limit_of_the_day_halts(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, risk=_limits(**{"global": {"max_loss_day": 0.1}})) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)
            w.quote("upbit", FAIR["upbit"])  # the edge is gone: whatever ends this cycle costs about 20 cents
            await w.engine.executor.quiet.wait()
            await asyncio.sleep(1)
            assert w.engine.risk.total.loss_today > 0.1
            assert w.engine.state.is_halt
            assert w.halt.cause is not None
            assert w.halt.cause.source == "GUARD"
            assert ("LOSS_DAY", "global") in _kinds(w)
            w.same_after_restart()

    run_virtual(main())


@pytest.mark.parametrize("when", ["late", "recovered"])
def test_a_loss_that_becomes_known_late_is_in_the_days_limit_the_streak_and_the_exposure(tmp_path: Path, when: str) -> None:
    """200 XRP bought at ten times their price, of an order that had ended: no limit used to know of it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            before = w.engine.risk.total.loss_today
            _tell_late(w, cycle, "L", Decimal(200), "21.4")
            lost = w.engine.risk.total.loss_today - before
            assert lost == pytest.approx(200 * (21.4 - 2.14), rel=0.02)
            assert w.halt.is_closed
            assert ("LOSS_DAY", "global") in _kinds(w)
            assert w.portfolio.state.routes[cycle.plan.route.id].losses == 1
            assert w.engine.risk.total.unhedged == pytest.approx(200 * 2.14, rel=0.05)
            w.same_after_restart()
        if when == "recovered":
            async with world(tmp_path) as w:
                assert w.engine.risk.total.loss_today == pytest.approx(lost + before, rel=0.01)

    run_virtual(main())


def test_a_late_fill_while_the_end_is_being_written_gives_one_outcome_and_one_alarm(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            record = w.journal.record

            def slow(*events: Event) -> Awaitable[None]:
                durable = record(*events)
                if not any(isinstance(event, CycleEnded) for event in events):
                    return durable

                async def fsync() -> None:
                    await durable
                    await asyncio.sleep(0.05)

                return fsync()

            w.journal.record = slow  # type: ignore[method-assign]
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.cycles.values()
            while cycle.state is CycleState.OPEN:  # noqa: ASYNC110  the end is announced by nothing but the state
                await asyncio.sleep(0.005)
            _tell_late(w, cycle, "L", Decimal(20))
            await w.engine.executor.quiet.wait()
            assert {state: count for state, count in w.portfolio.state.outcomes.items() if count} == {CycleState.RESIDUAL: 1}
            assert [kind for kind, _ in _kinds(w)].count("RESIDUAL") == 1
            w.same_after_restart()

    run_virtual(main())


def test_a_late_fill_on_another_day_is_that_days_and_leaves_the_closed_day_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            await asyncio.sleep(0.2)
            w.fresh, w.step_s = False, 30.0
            w.components.aggregator.watches.clear()  # nobody waits a day for silent streams
            await asyncio.sleep(_DAY_S + 40)
            yesterday = w.portfolio.value().so_far.realised
            assert w.portfolio.pnl_since(w.portfolio.state.day).realised == 0
            _tell_late(w, cycle, "L", Decimal(1))
            today = w.portfolio.pnl_since(w.portfolio.state.day).realised
            assert today == w.portfolio.value().so_far.realised - yesterday != 0
            w.same_after_restart()
        async with world(tmp_path) as w:
            assert w.portfolio.pnl_since(w.portfolio.state.day).realised == today

    run_virtual(main())


def test_a_days_loss_is_remembered_over_a_restart_and_forgotten_at_midnight(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert VIRTUAL_EPOCH_MS % 86_400_000 == 0
            earned = float((await w.trade()).account.pnl)
            assert w.engine.risk.total.loss_today == pytest.approx(-earned)
        async with world(tmp_path) as w:
            assert w.engine.risk.total.loss_today == pytest.approx(-earned)
            w.fresh, w.step_s = False, 30.0
            w.components.aggregator.watches.clear()  # nobody waits a day for silent streams
            await asyncio.sleep(_DAY_S - w.clock.monotonic() - 1)
            assert w.engine.risk.total.loss_today != 0
            await asyncio.sleep(40)
            assert w.engine.risk.total.loss_today == 0

    run_virtual(main())


def test_the_desks_day_begins_at_its_own_midnight(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, desk=DeskConfig(timezone="Asia/Seoul")) as w:
            await w.trade()
            await asyncio.sleep(0.2)
            assert w.portfolio.state.day is not None
            assert w.portfolio.state.day.name == "2026-01-01"
            w.fresh, w.step_s = False, 30.0
            w.components.aggregator.watches.clear()
            await asyncio.sleep(15 * 3600 - w.clock.monotonic() - 1)  # 00:00 in Seoul is 15:00 UTC
            assert w.portfolio.state.day.name == "2026-01-01"
            await asyncio.sleep(40)
            assert w.portfolio.state.day.name == "2026-01-02"
            assert w.engine.risk.total.loss_today == 0

    run_virtual(main())


def test_f57_a_day_begins_once_however_the_clock_is_put_back_and_on_again(tmp_path: Path) -> None:
    """Each beginning of a day gives a whole new allowance of what may be lost."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            clock, lost = w.clock, w.engine.risk.total.loss_today
            assert lost != 0
            for step_ms in (-86_400_000, 0, -3_600_000, 3_600_000, 0):
                clock._epoch_ms = VIRTUAL_EPOCH_MS + step_ms
                await asyncio.sleep(5)
                assert w.portfolio.state.day is not None
                assert w.portfolio.state.day.name == "2026-01-01"
                assert w.engine.risk.total.loss_today == pytest.approx(lost)
            clock._epoch_ms = VIRTUAL_EPOCH_MS - 86_400_000
        async with world(tmp_path) as w:
            assert w.portfolio.state.day is not None
            assert w.portfolio.state.day.name == "2026-01-01", "nor by a start"

    run_virtual(main())


def test_paused_disarmed_and_disabled_routes_outlive_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert w.engine.operator.toggle_pause() == TradingState.PAUSED
            assert "disabled, also after a restart" in w.engine.availability.toggle("XRP:binance>upbit")
        async with world(tmp_path) as w:
            assert w.engine.state is TradingState.PAUSED
            assert w.components.universe.by_id["XRP:binance>upbit"].blocked is Reason.DISABLED
            assert w.engine.operator.toggle_pause() == TradingState.ARMED
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.availability.toggle("XRP:binance>upbit") == "XRP:binance>upbit enabled"
        async with world(tmp_path, unclean="1 balance is not what the journal held") as w:
            assert w.engine.state is TradingState.DISARMED
        async with world(tmp_path) as w:  # a clean start later arms nothing that a recovery disarmed
            assert w.engine.state is TradingState.DISARMED
            assert w.portfolio.state.why.endswith("Z by the recovery: 1 balance is not what the journal held")
            assert w.engine.operator.rearm("p", "looked at it", w.halt.kills) is None
        async with world(tmp_path) as w:
            assert w.engine.state is TradingState.ARMED
            assert w.engine.operator.disarm("lunch") is None
            assert w.engine.operator.disarm("again") is not None
        async with world(tmp_path) as w:
            assert w.engine.state is TradingState.DISARMED
            assert w.engine.operator.rearm("p", "back", w.halt.kills) is None
        async with world(tmp_path, unconfirmed="not confirmed") as w:
            assert w.engine.state is TradingState.DISARMED
        async with world(tmp_path) as w:  # what nobody had confirmed is no latch: --confirm arms
            assert w.engine.state is TradingState.ARMED

    run_virtual(main())


def test_a_silent_stream_is_stale_a_breach_and_back_with_its_next_book(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.silent.add("upbit")
            await asyncio.sleep(1.4)
            assert w.book("upbit").state is BookState.LIVE
            await asyncio.sleep(0.2)
            assert w.book("upbit").state is BookState.STALE
            assert w.book("binance").state is BookState.LIVE
            assert ("STREAM_SILENT", "upbit") in _kinds(w)
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.components.universe.routes[0].refusal(w.clock.monotonic()) is Reason.STALE
            w.silent.clear()
            await asyncio.sleep(0.1)
            await w.trade()
            w.agree()

    run_virtual(main())


def test_a_venue_that_is_down_shows_on_its_routes_once_as_a_breach_and_comes_back_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            routes = w.components.universe.routes
            w.silent.add("upbit")
            await asyncio.sleep(2.9)
            assert {route.refusal(w.clock.monotonic()) for route in routes} == {Reason.STALE}, "a hiccup is no outage"
            await asyncio.sleep(0.3)
            assert {route.refusal(w.clock.monotonic()) for route in routes} == {Reason.VENUE_DOWN}
            await asyncio.sleep(100)
            assert _kinds(w).count(("VENUE_DOWN", "upbit")) == 1
            assert ("VENUE_DOWN", "binance") not in _kinds(w)
            w.silent.clear()
            await asyncio.sleep(2.2)
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}, "it may go again: nothing opens before it has stayed"
            await asyncio.sleep(1)
            assert {route.refusal(w.clock.monotonic()) for route in routes} != {Reason.VENUE_DOWN}
            await w.trade()
            w.agree()

    run_virtual(main())


def test_acknowledging_that_a_venue_refuses_us_says_that_it_is_dealt_with(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            released: list[str] = []
            for name, guard in w.engine.risk.exchange.items():
                guard.health.on_release = lambda name=name: released.append(name)  # type: ignore[misc]
            w.engine.risk.exchange["upbit"].health.on_refused("it refuses our account")
            await asyncio.sleep(15)
            (breach,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "VENUE_DOWN"]
            assert (breach.scope, breach.severity) == ("upbit", Severity.CRIT)
            assert w.engine.operator.acknowledge(breach.id) is None
            assert released == ["upbit"]

    run_virtual(main())


def test_a_venue_that_does_not_answer_its_orders_gets_no_more_and_is_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.ANSWER_LOST, seconds=30.0)] * 12)
            route = w.components.universe.routes[0]
            for _ in range(200):  # losses pause the route in between
                if route.refusal(w.clock.monotonic()) in (Reason.VENUE_DEGRADED, Reason.VENUE_DOWN):
                    break
                w.show("upbit", UPBIT_DEAR)
                w.show("upbit", FAIR["upbit"])
                await w.engine.executor.quiet.wait()
                await asyncio.sleep(1.1)
            assert route.refusal(w.clock.monotonic()) in (Reason.VENUE_DEGRADED, Reason.VENUE_DOWN)
            opened = len(w.engine.cycles)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == opened
            await asyncio.sleep(75)
            assert route.refusal(w.clock.monotonic()) not in (Reason.VENUE_DEGRADED, Reason.VENUE_DOWN)
            await w.trade()
            w.agree()

    run_virtual(main())


def test_a_breach_is_told_once_a_minute(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, risk=_limits(route={"max_edge_bps": 10.0})) as w:
            for turn in range(100):
                w.quote("binance", ([(2.1399, 300.0 + turn)], [(2.14, 300.0 + turn)]))
                w.show("upbit", UPBIT_DEAR)
                await asyncio.sleep(0.5)
            assert w.engine.risk.denials == {Reason.EDGE_TOO_GOOD: 100}
            assert _kinds(w) == [("EDGE_TOO_GOOD", "XRP:binance>upbit")]
            await asyncio.sleep(15)
            w.show("upbit", UPBIT_DEAR)
            assert len(_kinds(w)) == 2
            assert len(w.journal.load().breaches) == 2

    run_virtual(main())


def test_the_list_of_breaches_is_bounded_and_keeps_what_waits_for_a_person(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            book: BreachBook = w.engine.breaches
            first = book.record(Severity.CRIT, "RESIDUAL", "XRP", "", "acknowledge")
            assert first is not None
            for n in range(2000):
                book.record(Severity.WARN, "PRICE_BAND", f"r{n}", "", "denied")
            assert len(book.breaches) == 500
            assert first.id in book.breaches
            assert book.open == 500
            assert book.acknowledge(first.id, "operator")
            assert book.open == 499
            book.record(Severity.WARN, "PRICE_BAND", "last", "", "denied")
            assert first.id not in book.breaches
            assert book.open == 500

    run_virtual(main())


def test_every_asset_on_which_a_venue_disagrees_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.upbit.core._ledger.deposit("upbit", {"KRW": Decimal(-500), "XRP": Decimal(-900)}, "someone", 0)
            await w.engine.compare_positions()
            assert _kinds(w) == []  # one read proves nothing
            for _ in range(3):
                await asyncio.sleep(1.1)
                await w.engine.compare_positions()
            assert _kinds(w) == [("BALANCE_MISMATCH", "upbit:KRW"), ("BALANCE_MISMATCH", "upbit:XRP")]
            assert w.portfolio.total("upbit", "KRW") == 3_000_000  # disputed, not taken
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.DISPUTED: 1}
            won, xrp = (breach.id for breach in w.engine.breaches.breaches.values())
            controls = EngineControls(w.engine)
            (way,) = controls.ways(xrp)
            assert "take upbit's word for its balance of XRP" in way.text
            assert "nothing prices" not in way.text
            ends: list[str] = []
            assert controls.settle(way, "p", "sent to another desk", ends.append) is None
            assert ends == ["the balance of XRP at upbit is settled"]
            assert (w.portfolio.total("upbit", "XRP"), w.portfolio.total("upbit", "KRW")) == (Decimal(100), Decimal(3_000_000))
            assert list(w.portfolio.state.disputes["upbit"]) == ["KRW"]
            assert (controls.ways(xrp), controls.ways("no such breach")) == ([], [])
            assert won not in w.engine.breaches.acknowledged
            w.same_after_restart()

    run_virtual(main())


def test_taking_a_word_for_what_nothing_prices_says_beforehand_that_no_figure_will_hold_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.journal.post(BalanceDisputed("upbit", "POINT", Decimal(0), Decimal(7)))
            w.engine.breaches.record(Severity.CRIT, "BALANCE_MISMATCH", "upbit:POINT", "", "")
            (breach,) = w.engine.breaches.breaches.values()
            (way,) = EngineControls(w.engine).ways(breach.id)
            told = "nothing prices POINT, so it will count in no equity and no PnL: the ledger lists it as unvalued"
            assert told in way.text
            assert told in adjustment_preview(w.portfolio, "upbit", "POINT")
            assert EngineControls(w.engine).settle(way, "p", "a gift", lambda _: None) is None
            await w.journal.commit()
            assert read_ledger(w.journal.path)["unvalued"]

    run_virtual(main())


def test_dust_that_a_venue_rounds_away_is_booked_quietly(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.upbit.core._ledger.deposit("upbit", {"KRW": Decimal("0.00000001")}, "rounding", 0)
            for _ in range(4):
                await w.engine.compare_positions()
                await asyncio.sleep(1.1)
            assert _kinds(w) == []
            (row,) = read_ledger(w.journal.path)["adjustments"]
            assert (row["asset"], row["change"], row["kind"]) == ("KRW", "0.00000001", "dust")
            await w.trade()
            w.agree()

    run_virtual(main())


def test_losses_in_a_row_pause_the_route(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, risk=_limits(route={"max_consecutive_losses": 2, "loss_pause_s": 30, "refusal_pause_s": 0})) as w:
            for turn in range(2):
                w.quote("upbit", FAIR["upbit"])
                w.quote("binance", ([(2.1399, 300.0 + turn)], [(2.14, 300.0 + turn)]))
                w.upbit.core.faults.add(Fault(FaultKind.REJECT))
                w.show("upbit", UPBIT_DEAR)
                await asyncio.sleep(0.01)
                w.quote("upbit", FAIR["upbit"])
                await w.engine.executor.quiet.wait()
                await asyncio.sleep(1)
            assert ("LOSSES", "XRP:binance>upbit") in _kinds(w)
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.risk.denials == {Reason.LOSSES: 1}
            await asyncio.sleep(30)
            w.show("upbit", UPBIT_DEAR)
            assert len(w.engine.cycles) == 3
            await w.engine.executor.quiet.wait()

    run_virtual(main())
