"""A leg that its venue does not take moves to the next best venue that the universe pairs with the other leg's."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.engine.route_learning import slippage_bps
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan, plan_of
from arbtui.journal.events import BalanceDisputed, CycleState
from arbtui.model.book import BookState
from arbtui.model.market import Market
from arbtui.model.order import Order, OrderState, Purpose, Side
from arbtui.model.scoped_halts import Depth, ScopedHalt, write_halt
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.route import SizedHop
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.test_plans import TOLERANCES, run
from tests.execution.world import UPBIT_DEAR, Levels, World, markets_of, world
from tests.routes.pairs import OTHER_XRP

#: Two more venues, under names whose streams can be decoded: the first pays more.
DEARER, CHEAPER = (replace(OTHER_XRP, exchange=name) for name in ("binanceusdm", "bybit"))
LISTED: dict[str, dict[str, Market]] = {**markets_of(("XRP",)), **{one.exchange: {one.code: one} for one in (DEARER, CHEAPER)}}
HELD = {"USDT": Decimal(2000), "XRP": Decimal(1000)}
FUNDS: dict[str, Mapping[str, Decimal]] = {
    "upbit": {"KRW": Decimal(3_000_000), "XRP": Decimal(1000)},
    "binance": HELD,
    DEARER.exchange: HELD,
    CHEAPER.exchange: HELD,
}
BOOKS: dict[tuple[str, str], Levels] = {
    ("upbit", "KRW-XRP"): UPBIT_DEAR,
    ("binance", "XRPUSDT"): ([(2.1399, 300.0)], [(2.14, 300.0)]),
    (DEARER.exchange, DEARER.code): ([(2.163, 300.0)], [(2.164, 300.0)]),
    (CHEAPER.exchange, CHEAPER.code): ([(2.158, 300.0)], [(2.159, 300.0)]),
}


def four(folder: Path, **more: Any) -> AbstractAsyncContextManager[World]:
    return world(folder, **{"listed": LISTED, "funds": FUNDS, "books": BOOKS, **more})


def bought_and_sold(w: World, bought: str = "binance", sold: str = "upbit") -> CyclePlan:
    """50 XRP bought at Binance and sold at Upbit, from stock."""
    route = w.components.universe.by_id[f"XRP:{bought}>{sold}"]
    hops = route.trades
    least = Decimal(3020) if sold == "upbit" else Decimal("2.15")
    orders = [SizedHop(hops[0], Decimal("50.1"), Decimal("2.16")), SizedHop(hops[1], Decimal(50), least)]
    now = w.clock.monotonic()
    return plan_of(route, orders, {}, TOLERANCES, edge_bps=80.0, value=104.0, decided_at=now, deadline_s=1.0)


def completed_at(cycle: ArbCycle) -> list[str]:
    return [order.market.exchange for order in cycle.orders if order.purpose is Purpose.COMPLETE]


def test_a_leg_that_is_refused_is_sold_where_it_brings_most(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with four(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT), Fault(FaultKind.REJECT))
            free: list[Decimal] = []

            def look(order: Order) -> None:
                free.append(w.portfolio.available(DEARER.exchange, "XRP"))

            w.venues[DEARER.exchange].before_admit = look
            cycle = await run(w, bought_and_sold(w))
            assert cycle.state is CycleState.HEDGED
            assert completed_at(cycle) == [DEARER.exchange]
            assert [fill.exchange for fill in cycle.fills] == ["binance", DEARER.exchange]
            assert free == [Decimal(1000) - cycle.orders[-1].qty], "while it is under way, no other cycle may sell that stock"
            assert w.portfolio.total(DEARER.exchange, "XRP") == w.portfolio.available(DEARER.exchange, "XRP") == 1000 - cycle.orders[-1].qty
            assert slippage_bps(cycle, (2.14, 3030.0)) is None, "what it brought elsewhere says nothing of Upbit's prices"
            moves = [record.getMessage() for record in caplog.records if "moves to" in record.getMessage()]
            assert moves == [f"{cycle.id}: its venue takes no order of leg 1, which moves to {DEARER.exchange}"]
            w.agree()

    run_virtual(main())


def test_a_venue_whose_stream_has_fallen_silent_is_not_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with four(tmp_path) as w:

            def falls_silent(order: Order) -> None:
                w.silent.add("upbit")
                w.book("upbit").replace([(2900.0, 400.0)], [(2901.0, 400.0)])
                w.book("upbit").state = BookState.STALE

            w.upbit.before_admit = falls_silent
            cycle = await run(w, bought_and_sold(w))
            assert cycle.orders[1].state is OrderState.EXPIRED
            assert cycle.state is CycleState.HEDGED
            assert completed_at(cycle) == [DEARER.exchange]
            w.agree()

    run_virtual(main())


def test_the_next_best_is_taken_where_the_best_refuses_or_has_no_stock(tmp_path: Path) -> None:
    async def main(folder: Path, funds: Mapping[str, Mapping[str, Decimal]], *refusals: Fault) -> None:
        async with four(folder, funds=funds) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 5)
            w.venues[DEARER.exchange].core.faults.add(*refusals)
            cycle = await run(w, bought_and_sold(w))
            assert cycle.state is CycleState.HEDGED
            assert completed_at(cycle)[-1] == CHEAPER.exchange
            assert len(completed_at(cycle)) == 1 + len(refusals)
            w.agree()

    poor = {**FUNDS, DEARER.exchange: {**HELD, "XRP": Decimal(49)}}
    run_virtual(main(tmp_path / "poor", poor))
    run_virtual(main(tmp_path / "refuses", FUNDS, Fault(FaultKind.REJECT)))


@pytest.mark.parametrize(("lacking", "bought"), [("0", [CHEAPER.exchange]), ("0.00000001", [])])
def test_a_purchase_moves_where_its_worst_price_can_be_paid_with_the_fee(lacking: str, bought: list[str], tmp_path: Path) -> None:
    """50 XRP were sold at Upbit and Binance refuses: at an ask of 2.15 they may cost 1 % more, and 8 bps of fee."""
    cash = Decimal(50) * Decimal("2.15") * Decimal("1.01") * Decimal("1.0008") - Decimal(lacking)
    funds = {**FUNDS, CHEAPER.exchange: {"USDT": cash}, DEARER.exchange: {"USDT": Decimal(0)}}
    books = {**BOOKS, (CHEAPER.exchange, CHEAPER.code): ([(2.149, 300.0)], [(2.15, 300.0)])}

    async def main() -> None:
        async with four(tmp_path, funds=funds, books=books) as w:
            w.binance.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            cycle = await run(w, bought_and_sold(w))
            assert [fill.exchange for fill in cycle.fills if fill.side is Side.BUY and fill.exchange != "upbit"] == bought
            assert cycle.state is (CycleState.HEDGED if bought else CycleState.UNWOUND)
            w.agree()

    run_virtual(main())


def test_what_no_other_venue_takes_is_taken_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with four(tmp_path, funds={**FUNDS, **{one.exchange: {"USDT": Decimal(2000)} for one in (DEARER, CHEAPER)}}) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            cycle = await run(w, bought_and_sold(w))
            assert cycle.state is CycleState.UNWOUND
            assert {fill.exchange for fill in cycle.fills} == {"binance"}
            w.agree()

    run_virtual(main())


def test_a_leg_that_only_missed_stays_at_its_venue(tmp_path: Path) -> None:
    """Upbit bids less by the time the order is there, but takes orders: what was planned is completed within the edge, there."""

    async def main() -> None:
        async with four(tmp_path) as w:
            w.upbit.before_admit = lambda order: w.book("upbit").replace([(3015.0, 400.0)], [(3016.0, 400.0)])
            cycle = await run(w, bought_and_sold(w))
            assert cycle.state is CycleState.HEDGED
            assert completed_at(cycle) == ["upbit"]

    run_virtual(main())


def test_a_refusal_for_a_moment_is_no_reason_to_take_the_other_leg_back(tmp_path: Path) -> None:
    """Upbit refuses once; what the other venues pay is beyond the bounds of a completion: Upbit is asked again."""

    async def main() -> None:
        low: Levels = ([(2.10, 300.0)], [(2.101, 300.0)])
        async with four(tmp_path, books={**BOOKS, (DEARER.exchange, DEARER.code): low, (CHEAPER.exchange, CHEAPER.code): low}) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await run(w, bought_and_sold(w))
            assert cycle.state is CycleState.HEDGED
            assert completed_at(cycle) == ["upbit"]
            w.agree()

    run_virtual(main())


def halted(scope: str, depth: Depth) -> Callable[[World], object]:
    return lambda w: write_halt(w.folder, ScopedHalt(scope, depth, "CLI", "ann", "a test", 1_700_000_000_000))


def at_dearer(w: World) -> Any:
    return w.engine.risk.exchange[DEARER.exchange]


@pytest.mark.parametrize(
    "prepare",
    [
        halted(f"exchange.{DEARER.exchange}", Depth.PAUSED),
        halted(f"symbol.{DEARER.exchange}:XRP", Depth.REDUCING),
        halted(f"route.XRP:binance>{DEARER.exchange}", Depth.REDUCING),
        lambda w: w.engine.availability.toggle(f"XRP:binance>{DEARER.exchange}"),
        lambda w: w.journal.post(BalanceDisputed(DEARER.exchange, "XRP", Decimal(1000), Decimal(990))),
        lambda w: setattr(at_dearer(w).health, "is_proven", False),
        lambda w: at_dearer(w).health.on_account(False),
        lambda w: at_dearer(w).health.resting.update({DEARER.code: 1e9}),
        lambda w: [at_dearer(w).lost_sight(f"order {number}") for number in range(9)],
    ],
    ids=["paused", "flagged", "route halted", "disabled", "disputed", "untried", "deaf", "resting", "unknown orders"],
)
def test_a_leg_moves_to_no_venue_where_nothing_may_open(prepare: Callable[[World], object], tmp_path: Path) -> None:
    """The plan's own venues must be gone on with, whatever they are like; to go to another one is our choice."""

    async def main() -> None:
        async with four(tmp_path) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 5)
            plan = bought_and_sold(w)
            prepare(w)
            cycle = await run(w, plan)
            assert cycle.state is CycleState.HEDGED
            assert completed_at(cycle) == [CHEAPER.exchange]

    run_virtual(main())


def test_a_leg_moves_to_no_market_that_another_cycle_is_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with four(tmp_path) as w:
            w.venues[CHEAPER.exchange].core.faults.add(Fault(FaultKind.REQUEST_LOST, 1e6))
            assert w.engine.open(bought_and_sold(w, CHEAPER.exchange, DEARER.exchange)) is None
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            assert w.engine.open(bought_and_sold(w)) is None
            other, cycle = w.engine.cycles.values()
            await asyncio.sleep(3)
            assert other.account.is_open, "its order at the cheaper venue is looked for"
            assert cycle.state is CycleState.UNWOUND
            assert set(completed_at(cycle)) <= {"upbit"}

    run_virtual(main())


def test_a_market_that_a_leg_has_moved_to_is_busy(tmp_path: Path) -> None:
    async def main() -> None:
        async with four(tmp_path) as w:
            route = w.components.universe.by_id[f"XRP:{CHEAPER.exchange}>{DEARER.exchange}"]
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            busy: list[bool] = []
            w.venues[DEARER.exchange].before_admit = lambda order: busy.append(w.engine.risk.route.is_busy(route))
            cycle = await run(w, bought_and_sold(w))
            assert completed_at(cycle) == [DEARER.exchange]
            assert (busy, w.engine.risk.route.is_busy(route)) == ([True], False)

    run_virtual(main())


def test_a_leg_moves_over_no_rate_that_is_doubted(tmp_path: Path) -> None:
    """Sold at a venue of dollars, which refuses; of the others Upbit alone holds stock, and the won are worth nobody knows what."""

    async def main(folder: Path, *, doubted: bool) -> CycleState:
        dollars = {"USDT": Decimal(2000)}
        async with four(folder, funds={**FUNDS, "binance": dollars, CHEAPER.exchange: dollars}) as w:
            w.venues[DEARER.exchange].core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            w.components.rates.markets[0].doubted = doubted
            cycle = await run(w, bought_and_sold(w, "binance", DEARER.exchange))
            assert ("upbit" in completed_at(cycle)) is not doubted
            return cycle.state

    assert run_virtual(main(tmp_path / "believed", doubted=False)) is CycleState.HEDGED
    assert run_virtual(main(tmp_path / "doubted", doubted=True)) is CycleState.UNWOUND


def test_a_halt_of_its_route_cancels_a_leg_where_it_has_moved_to(tmp_path: Path) -> None:
    async def main() -> None:
        async with four(tmp_path) as w:
            moved_to = w.venues[DEARER.exchange]
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            moved_to.core.faults.add(Fault(FaultKind.ANSWER_LATE, 0.9))
            left = asyncio.Event()
            moved_to.before_admit = lambda order: left.set()
            assert w.engine.open(bought_and_sold(w)) is None
            await left.wait()
            listed = moved_to.listed
            halted("route.XRP:binance>upbit", Depth.HALTED)(w)
            await asyncio.sleep(0.5)
            assert moved_to.listed > listed
            await w.engine.executor.quiet.wait()

    run_virtual(main())


@pytest.mark.parametrize(("shown", "state"), [(300.0, CycleState.HEDGED), (30.0, CycleState.HEDGED)])
def test_what_a_moved_leg_has_filled_is_found_after_a_crash_and_not_sold_again(shown: float, state: CycleState, tmp_path: Path) -> None:
    """Nobody heard of its fill before the crash; Upbit takes orders again after it, for what is left."""
    books = {**BOOKS, (DEARER.exchange, DEARER.code): ([(2.163, shown)], [(2.164, 300.0)])}

    async def main() -> None:
        async with four(tmp_path, books=books) as w:
            moved_to = w.venues[DEARER.exchange]
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            moved_to.core.faults.add(Fault(FaultKind.ANSWER_LOST, 1e6))
            moved_to.bend_look_up = lambda report: None
            assert w.engine.open(bought_and_sold(w)) is None
            await asyncio.sleep(3)
            (cycle,) = w.engine.executor.open.values()
            assert cycle.orders[-1].state is OrderState.UNKNOWN
        async with four(tmp_path, books=books, resumes=True) as w:
            await w.engine.executor.quiet.wait()
            account = w.portfolio.cycle(cycle.id)
            assert account is not None
            assert account.state is state
            sold = {
                name: sum((fill.qty for fill in venue.core.fills_since(0) if fill.side is Side.SELL), Decimal(0))
                for name, venue in w.venues.items()
            }
            assert sold[DEARER.exchange] == min(cycle.orders[-1].qty, Decimal(shown))
            assert abs(sold[DEARER.exchange] + sold["upbit"] - 50) < Decimal("0.1")
            w.agree()

    run_virtual(main())
