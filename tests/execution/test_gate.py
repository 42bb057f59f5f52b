import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from math import inf, nan
from pathlib import Path

import pytest
from msgspec import structs

from arbtui.execution.config import ExecutionConfig
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.gate import OrderGate
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.plan import CyclePlan, Tolerances, compile_plan
from arbtui.journal.events import Adjusted, BalanceDisputed, CycleEnded, CycleOpened, CycleState, FillRecorded, PlannedLeg, RouteSwitched
from arbtui.model.book import BookState
from arbtui.model.errors import OrderAbandoned
from arbtui.model.halt import FLAG_NAME
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalt, write_halt
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import GlobalLimits
from tests.execution.world import EXECUTION, UPBIT_DEAR, World, world


def _plan(w: World) -> CyclePlan:
    """A plan that pays."""
    w.quote("upbit", UPBIT_DEAR)
    found = w.components.universe.by_id["XRP:binance>upbit"].evaluate(w.clock.monotonic())
    assert found is not None
    return compile_plan(found, 1.0, Tolerances(20.0, 100.0))


async def _under_way(w: World, plan: CyclePlan) -> ArbCycle:
    """A cycle whose entry orders are journaled and never sent: their second look is still to come."""
    ever = asyncio.Event()

    async def wait(cycle: OrderOwner, orders: Sequence[Order], durable: Awaitable[None]) -> None:
        await ever.wait()

    w.engine.tracker.send = wait  # type: ignore[method-assign]
    cycle = w.engine.executor.start(plan, w.engine._tasks)
    assert isinstance(cycle, ArbCycle)
    return cycle


def _reason(folder: Path, prepare: Callable[[World, Order], object], config: ExecutionConfig | None = None) -> Reason | None:
    """What both looks say of an entry order; they must agree."""

    async def main() -> Reason | None:
        async with world(folder / "first", execution=config) as w:
            plan = _plan(w)
            now = w.clock.monotonic()
            leg = plan.legs[0]
            probe = Order(
                "a1", plan.hops[0].market, leg.side, leg.qty, leg.price, "c1", 0, 0, Purpose.ENTRY, w.halt.epoch, now, now + 1
            )  # fmt: skip
            prepare(w, probe)
            said = w.engine.gate.entry_refusal(plan, [probe])
        if config is not None and not config.enabled:
            return said
        async with world(folder / "second") as w:
            cycle = await _under_way(w, _plan(w))
            order = cycle.orders[0]
            prepare(w, order)
            if said is None:
                w.engine.gate.last_look(cycle, order)
                return None
            before = w.engine.risk.denials.get(said, 0)
            with pytest.raises(OrderAbandoned) as abandoned:
                w.engine.gate.last_look(cycle, order)
            assert abandoned.value.reason == said
            assert w.engine.risk.denials[said] == before + 1
            return said

    found = run_virtual(main())
    assert found is None or isinstance(found, Reason)
    return found


def _set(name: str, value: object) -> Callable[[World, Order], object]:
    return lambda _, order: setattr(order, name, value)


def _halt(scope: str) -> ScopedHalt:
    return ScopedHalt(scope, Depth.HALTED, "a test", "me", "looked odd", 1_700_000_000_000)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda w, o: None, None),
        (lambda w, o: w.halt.close("KEY"), Reason.HALTED),
        (lambda w, o: (w.folder / FLAG_NAME).touch(), Reason.HALTED),
        (lambda w, o: (w.halt.close("KEY"), w.halt.rearm()), Reason.OLD_EPOCH),
        (lambda w, o: setattr(w.engine.gate, "closed_for_entries", True), Reason.DISARMED),
        (lambda w, o: write_halt(w.folder, _halt("route.XRP:binance>upbit")), Reason.SCOPE_HALTED),
        (lambda w, o: write_halt(w.folder, _halt("exchange.binance")), Reason.SCOPE_HALTED),
        (lambda w, o: write_halt(w.folder, _halt("route.XRP:upbit>binance")), None),
        (lambda w, o: setattr(o, "decided_at", w.clock.monotonic() - 0.25), None),
        (lambda w, o: setattr(o, "decided_at", o.decided_at - 0.2501), Reason.DECISION_AGE),
        (_set("decided_at", nan), Reason.DECISION_AGE),
        (_set("decided_at", -inf), Reason.DECISION_AGE),
        (lambda w, o: setattr(o, "deadline", w.clock.monotonic()), None),
        (lambda w, o: setattr(o, "deadline", w.clock.monotonic() - 1e-6), Reason.DEADLINE),
        (_set("deadline", nan), Reason.DEADLINE),
        (lambda w, o: w.engine.operator.change_state(TradingState.PAUSED, ""), Reason.PAUSED),
        (lambda w, o: w.engine.operator.change_state(TradingState.HALTED, ""), Reason.HALTED),
        (lambda w, o: setattr(w.engine.risk.total, "journal_failed", True), Reason.JOURNAL),
        (lambda w, o: setattr(w.book("upbit"), "state", BookState.GAPPED), Reason.GAPPED),
        (lambda w, o: setattr(w.book("upbit"), "ts_init", -inf), Reason.BOOK_AGE),
        (lambda w, o: setattr(w.engine.risk.total, "limits", GlobalLimits(max_unhedged=1.0)), Reason.UNHEDGED),
        (lambda w, o: setattr(w.engine.risk.total, "limits", GlobalLimits(max_unhedged=101.0, max_open_cycles=1)), None),
        (lambda w, o: w.journal.post(BalanceDisputed("upbit", "XRP", ZERO, ONE)), Reason.DISPUTED),
        (lambda w, o: w.journal.post(BalanceDisputed("upbit", "ADA", ZERO, ONE)), None),
        (lambda w, o: w.journal.post(RouteSwitched("XRP:binance>upbit", False, "operator")), Reason.DISABLED),
        (lambda w, o: _lose(w, 1500), Reason.LOSS_DAY),
        (lambda w, o: setattr(w.components.rates.markets[0].book, "ts_init", -inf), Reason.RATE_OLD),
        (lambda w, o: setattr(w.components.aggregator.watches["binance"], "last_message", w.clock.monotonic() - 1.6), Reason.MESSAGE_AGE),
    ],
)
def test_what_the_gate_looks_at_both_times(tmp_path: Path, prepare: Callable[[World, Order], object], reason: Reason | None) -> None:
    assert _reason(tmp_path, prepare) is reason


def test_a_profile_that_only_watches_sends_nothing(tmp_path: Path) -> None:
    assert _reason(tmp_path, lambda w, o: None, EXECUTION.model_copy(update={"enabled": False})) is Reason.DISABLED


@pytest.mark.parametrize("purpose", [Purpose.COMPLETE, Purpose.UNWIND])
def test_a_hedge_faces_only_what_also_binds_orders_that_shrink_exposure(tmp_path: Path, purpose: Purpose) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w, _plan(w))
            order = cycle.orders[0]
            order.purpose, order.decided_at = purpose, -inf
            w.engine.gate.closed_for_entries = True
            w.engine.operator.change_state(TradingState.PAUSED, "")
            w.book("upbit").state = BookState.STALE  # not its own book
            w.book("binance").ts_init = -inf  # a quiet book on a live stream is asked for again, and hedged on
            w.engine.risk.total.limits = GlobalLimits(max_unhedged=1.0, max_open_cycles=1)
            _lose(w, 1500)
            assert w.engine.gate.hedge_refusal(cycle, order) is None
            w.engine.gate.last_look(cycle, order)
            w.components.aggregator.watches["binance"].last_message = -inf
            assert w.engine.gate.hedge_refusal(cycle, order) is Reason.MESSAGE_AGE
            w.book("binance").ts_init = w.clock.monotonic()  # the venue was asked, and has answered
            assert w.engine.gate.hedge_refusal(cycle, order) is None
            w.engine.operator.change_state(TradingState.HALTING, "")
            assert w.engine.gate.hedge_refusal(cycle, order) is Reason.HALTED

    run_virtual(main())


def test_one_second_look_holds_for_the_other_legs_for_fifty_milliseconds(tmp_path: Path) -> None:
    """The tiers are asked once for all entry legs that leave together; halt, epoch and deadline for each."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w, _plan(w))
            first, second = cycle.orders
            w.engine.gate.last_look(cycle, first)
            w.engine.risk.total.limits = GlobalLimits(max_unhedged=1.0)
            w.engine.gate.last_look(cycle, second)  # the first leg has left: its other must
            await asyncio.sleep(0.051)
            with pytest.raises(OrderAbandoned, match=Reason.UNHEDGED):
                w.engine.gate.last_look(cycle, second)
            w.halt.close("KEY")
            with pytest.raises(OrderAbandoned, match=Reason.HALTED):
                w.engine.gate.last_look(cycle, second)

    run_virtual(main())


def test_a_second_look_holds_to_the_end_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.gate._LOOK_HOLDS_S", 0.0625)  # which a float holds exactly

    async def main() -> None:
        async with world(tmp_path) as w:
            loop = asyncio.get_running_loop()

            async def until(at: float) -> None:
                reached = asyncio.Event()
                loop.call_at(at, reached.set)
                await reached.wait()
                assert w.clock.monotonic() == at

            await until(4.0)
            cycle = await _under_way(w, _plan(w))
            first, second = cycle.orders
            w.engine.gate.last_look(cycle, first)
            w.engine.risk.total.limits = GlobalLimits(max_unhedged=1.0)
            await until(4.0625)
            w.engine.gate.last_look(cycle, second)

    run_virtual(main())


def test_a_refusal_of_the_second_look_holds_for_the_other_legs_too_and_losses_are_those_of_that_moment(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w, _plan(w))
            first, second = cycle.orders
            loose, w.engine.risk.total.limits = w.engine.risk.total.limits, GlobalLimits(max_unhedged=1.0)
            with pytest.raises(OrderAbandoned, match=Reason.UNHEDGED):
                w.engine.gate.last_look(cycle, first)
            w.engine.risk.total.limits = loose
            with pytest.raises(OrderAbandoned, match=Reason.UNHEDGED):
                w.engine.gate.last_look(cycle, second)
            await asyncio.sleep(0.051)
            w.engine.gate.last_look(cycle, second)
            await asyncio.sleep(0.051)
            w.journal.post(_loss(1500))  # which nobody has measured yet
            with pytest.raises(OrderAbandoned, match=Reason.LOSS_DAY):
                w.engine.gate.last_look(cycle, second)

    run_virtual(main())


@pytest.mark.parametrize(("exchange", "asset", "refusal"), [("upbit", "XRP", Reason.NO_STOCK), ("binance", "USDT", Reason.NO_CASH)])
def test_what_is_there_to_the_last_unit_is_enough(tmp_path: Path, exchange: str, asset: str, refusal: Reason) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            plan = _plan(w)
            (needed,) = [amount for place, what, amount in plan.reserved if (place, what) == (exchange, asset)]
            spare = w.portfolio.available(exchange, asset) - needed
            for less, expected in ((spare, None), (Decimal("0.00000001"), refusal)):
                w.journal.post(Adjusted(exchange, asset, -less, "x", "operator"))
                assert w.engine.gate.entry_refusal(plan, []) is expected

    run_virtual(main())


def test_a_refusal_at_the_second_look_drops_both_legs(tmp_path: Path) -> None:
    """Between the two looks the day's loss, the exposure or a residual of the asset may break a limit (both legs used to leave)."""

    def main(worse: Callable[[World], None], reason: Reason) -> None:
        async def play() -> None:
            async with world(tmp_path / reason) as w:

                def before_admit(_: Order) -> None:
                    w.upbit.before_admit = w.binance.before_admit = lambda _: None  # once: the other leg's request follows
                    worse(w)

                w.upbit.before_admit = w.binance.before_admit = before_admit
                cycle = await w.trade()
                assert [(order.state, order.reason) for order in cycle.orders] == [(OrderState.ABANDONED, reason)] * 2
                assert (w.upbit.placed, w.binance.placed) == ([], [])
                assert cycle.state is CycleState.ABANDONED
                w.same_after_restart()

        run_virtual(play())

    main(lambda w: setattr(w.engine.risk.total, "limits", GlobalLimits(max_unhedged=1.0)), Reason.UNHEDGED)
    main(lambda w: _lose(w, 1500), Reason.LOSS_DAY)
    main(lambda w: w.journal.post(BalanceDisputed("upbit", "XRP", ZERO, ONE)), Reason.DISPUTED)
    main(_leave_a_residual, Reason.RESIDUAL)


def _leave_a_residual(w: World) -> None:
    """Another cycle of the asset has ended one-sidedly."""
    bought = Fill(
        "binance", "alone", "x", "v", "XRPUSDT", "XRP", "USDT", Side.BUY, ONE, ONE, ONE, ZERO, "USDT", "taker", 0
    )  # fmt: skip
    leg = PlannedLeg(0, "binance", "XRPUSDT", "XRP", "USDT", Side.BUY, ONE, ONE, Decimal("0.1"))
    w.journal.post(
        CycleOpened("one-sided", "XRP:binance>upbit", "XRP", 1.0, 1.0, (leg,), (), 0),
        FillRecorded(bought, "one-sided", 0, "stream", 0, {}),
        CycleEnded("one-sided", 0, ""),
    )


def _loss(usdt: int) -> FillRecorded:
    """A fee that a fill of an ended cycle brought."""
    fill = Fill(
        "binance", "loss", "x", "v", "XRPUSDT", "XRP", "USDT", Side.BUY, ZERO, ONE, ZERO, Decimal(usdt), "USDT", "taker", 0
    )  # fmt: skip
    return FillRecorded(fill, "long-ago", 0, "stream", 0, {})


def _lose(w: World, usdt: int) -> None:
    """The day has lost so much, and it is known."""
    w.journal.post(_loss(usdt))
    w.engine.risk.total.measure()


def test_an_opportunity_too_old_opens_nothing_and_leaves_no_trace(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.quote("upbit", ([(3030.0, 400.0)], [(3031.0, 400.0)]))
            found = w.components.universe.by_id["XRP:binance>upbit"].evaluate(w.clock.monotonic())
            assert found is not None
            w.engine._open_cycle(structs.replace(found, decided_at=found.decided_at - 0.3))
            await w.engine.executor.quiet.wait()
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.DECISION_AGE: 1}
            assert found.route.blocked is None
            assert not w.portfolio.state.cycles
            w.agree()

    run_virtual(main())


def test_what_may_cost_something_opens_only_where_somebody_affords_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            plan = _plan(w)
            now = w.clock.monotonic()
            leg = plan.legs[0]
            order = Order("a1", plan.hops[0].market, leg.side, leg.qty, leg.price, "c1", 0, 0, Purpose.ENTRY, w.halt.epoch, now, now + 1)
            asked: list[Decimal] = []

            def affords(most_cost: Decimal) -> bool:
                asked.append(most_cost)
                return most_cost <= 2

            def gate(**more: Callable[[Decimal], bool]) -> OrderGate:
                switch, risk, portfolio = w.engine.gate._kill_switch, w.engine.risk, w.portfolio
                return OrderGate(
                    kill_switch=switch, risk=risk, portfolio=portfolio, clock=w.clock, enabled=True, max_decision_age_s=0.25, **more
                )

            costs = [Decimal(cost) for cost in ("0", "0.5", "2", "2.5")]
            budget = Reason.REBALANCE_BUDGET
            assert [gate().entry_refusal(replace(plan, most_cost=cost), [order]) for cost in costs] == [None, *[budget] * 3]
            assert [gate(affords=affords).entry_refusal(replace(plan, most_cost=cost), [order]) for cost in costs] == [*[None] * 3, budget]
            assert asked == costs

    run_virtual(main())


def test_nothing_of_a_cycle_that_has_ended_is_remembered(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w, _plan(w))
            w.engine.gate.last_look(cycle, cycle.orders[0])
            assert list(w.engine.gate._looked) == [cycle.id]
            w.engine.gate.forget(cycle.id)
            assert w.engine.gate._looked == {}
            w.engine.gate.forget(cycle.id)  # of a cycle that nobody looked at, either

    run_virtual(main())


@pytest.mark.parametrize(
    ("other", "state", "spare", "held"),
    [
        ("3", OrderState.SENDING, "3", True),
        ("4", OrderState.SENDING, "3", False),
        ("4", OrderState.EXPIRED, "3", True),
        ("0", OrderState.UNKNOWN, "0", True),  # it has filled whole, which is not settled yet
        ("-1", OrderState.UNKNOWN, "0", True),  # a venue that fills too much
        ("-1", OrderState.UNKNOWN, "-1", False),  # gives no stock back by that
    ],
)
def test_what_other_orders_of_the_cycle_still_use_is_not_there_for_the_next(
    tmp_path: Path, other: str, state: OrderState, spare: str, held: bool
) -> None:
    """Stock to sell at Upbit: all that is free but ``spare``; another sale is under way, and a purchase that uses none of it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w, _plan(w))
            market = cycle.plan.hops[1].market
            now = w.clock.monotonic()

            def order(name: str, qty: Decimal, side: Side = Side.SELL) -> Order:
                return Order(name, market, side, qty, Decimal(3000), cycle.id, 1, 1, Purpose.COMPLETE, w.halt.epoch, now, now + 1)

            elsewhere = order("b", Decimal(5), Side.BUY)
            under_way = order("c", Decimal(other) + 2)
            under_way.state, under_way.filled_qty = state, Decimal(2)
            free = w.portfolio.available("upbit", "XRP", cycle.id)
            wanted = order("a", free - Decimal(spare))
            cycle.orders = [elsewhere, under_way, wanted]
            assert w.engine.gate._unheld(cycle, wanted) is (None if held else Reason.RESERVATION)

    run_virtual(main())
