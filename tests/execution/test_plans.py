"""Plans of more than two legs, built by hand: a triangle at one venue, and one leg split over two; run, and unwound from each state."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.execution.config import ExecutionConfig
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan, Tolerances, plan_of
from arbtui.journal.events import CycleState, Event, LegAfter, On, Phase
from arbtui.model.errors import JournalFailed
from arbtui.model.market import FixedUnit, Market
from arbtui.model.order import Order, OrderState, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.hops import RateMark, TradeHop
from arbtui.routes.route import ArbRoute, SizedHop
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import EXECUTION, UPBIT_DEAR, Levels, World, markets_of, world
from tests.routes.pairs import OTHER_XRP, TERMS

BTC, ETH = krw_market("BTC"), krw_market("ETH")
ETH_BTC = replace(ETH, code="BTC-ETH", quote="BTC", price_units=FixedUnit(Decimal("0.00000001")), min_cost=Decimal("0.00005"))
#: 1 ETH costs 0.03 BTC there, and in won 1.3 % more than 0.03 BTC: KRW > BTC > ETH > KRW pays.
TRIANGLE_BOOKS: dict[tuple[str, str], Levels] = {
    ("upbit", "KRW-BTC"): ([(99_990_000.0, 1.0)], [(100_000_000.0, 1.0)]),
    ("upbit", "BTC-ETH"): ([(0.02999, 10.0)], [(0.03, 10.0)]),
    ("upbit", "KRW-ETH"): ([(3_040_000.0, 10.0)], [(3_041_000.0, 10.0)]),
}
NO_BIDS: Levels = ([(1_000.0, 10.0)], [(3_041_000.0, 10.0)])
AFTER = {number: (LegAfter(number - 1, On.ARRIVAL),) for number in (1, 2)}
TOLERANCES = Tolerances(20.0, 100.0)


def triangle_world(folder: Path, **more: Any) -> AbstractAsyncContextManager[World]:
    listed = {"upbit": {market.code: market for market in (BTC, ETH, ETH_BTC)}, "binance": dict[str, Market]()}
    funds = {"upbit": {"KRW": Decimal(10_000_000), "ETH": Decimal(1), "BTC": Decimal("0.01")}, "binance": {"USDT": Decimal(1000)}}
    return world(folder, symbols=("BTC", "ETH"), listed=listed, funds=funds, books=TRIANGLE_BOOKS, **more)


def triangle(w: World, after: Mapping[int, tuple[LegAfter, ...]] = AFTER) -> CyclePlan:
    """0.0015 BTC for won, 0.0498 ETH for them, and won again."""
    books = w.components.aggregator.books
    hops = [
        TradeHop(market, books["upbit", market.code], side) for market, side in ((BTC, Side.BUY), (ETH_BTC, Side.BUY), (ETH, Side.SELL))
    ]
    route = ArbRoute("BTC>ETH:upbit", "BTC", [*hops, RateMark("KRW", "KRW")], w.components.rates, TERMS)
    orders = [
        SizedHop(hops[0], Decimal("0.0015"), Decimal(100_000_000)),
        SizedHop(hops[1], Decimal("0.0499"), Decimal("0.03")),
        SizedHop(hops[2], Decimal("0.0499"), Decimal(3_040_000)),
    ]
    now = w.clock.monotonic()
    return plan_of(route, orders, after, TOLERANCES, edge_bps=90.0, value=104.0, decided_at=now, deadline_s=1.0)


async def run(w: World, plan: CyclePlan) -> ArbCycle:
    assert w.engine.open(plan) is None
    cycle = list(w.engine.cycles.values())[-1]
    await w.engine.executor.quiet.wait()
    return cycle


def told(cycle: ArbCycle) -> list[tuple[int, Purpose, OrderState]]:
    return [(order.leg, order.purpose, order.state) for order in cycle.orders]


def test_a_triangle_goes_leg_by_leg_and_ends_flat_in_everything_but_money(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            seen: list[tuple[int, Phase | CycleState, list[int]]] = []

            def look(order: Order) -> None:
                cycle = list(w.engine.executor.open.values())[-1]
                seen.append((order.leg, cycle.phase, [each.leg for each in cycle.orders if each.state is OrderState.FILLED]))

            w.upbit.before_admit = look
            won = w.portfolio.total("upbit", "KRW")
            cycle = await run(w, triangle(w))
            assert seen == [(0, Phase.WORKING, []), (1, Phase.WORKING, [0]), (2, Phase.WORKING, [0, 1])]
            assert told(cycle) == [
                (0, Purpose.ENTRY, OrderState.FILLED),
                (1, Purpose.FOLLOW, OrderState.FILLED),
                (2, Purpose.FOLLOW, OrderState.FILLED),
            ]
            assert cycle.state is CycleState.HEDGED
            earned = w.portfolio.total("upbit", "KRW") - won
            assert 1_000 < earned < 2_000  # 1.3 % of 150,000 KRW, less three fees
            assert cycle.largest_naked > 0
            assert cycle.naked_value_s > 0
            w.agree()

    run_virtual(main())


def test_room_for_every_leg_is_kept_of_the_venue_s_limits(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            kept: list[tuple[str, int]] = []
            reserve = w.upbit.reserve_orders

            def reserved(cycle_id: str, entries: int) -> str | None:
                kept.append((cycle_id, entries))
                return reserve(cycle_id, entries)

            w.upbit.reserve_orders = reserved  # type: ignore[method-assign]
            cycle = await run(w, triangle(w))
            assert kept == [(cycle.id, 3)]

    run_virtual(main())


@pytest.mark.parametrize("on", list(On))
def test_what_comes_of_a_leg_scales_the_ones_that_wait_for_it(on: On, tmp_path: Path) -> None:
    """Only a third of the first leg fills: a leg that waits for all of it never leaves; hedging completes what came."""

    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            w.components.aggregator.books["upbit", "KRW-BTC"].replace(
                [(99_990_000.0, 1.0)], [(100_000_000.0, 0.0005), (101_000_000.0, 1.0)]
            )
            after = {number: (LegAfter(number - 1, on),) for number in (1, 2)}
            cycle = await run(w, triangle(w, after))
            purpose = Purpose.COMPLETE if on is On.FULL else Purpose.FOLLOW
            assert [(order.leg, order.purpose) for order in cycle.orders] == [(0, Purpose.ENTRY), (1, purpose), (2, purpose)]
            filled = {order.leg: order.filled_qty for order in cycle.orders}
            assert filled[1] == pytest.approx(Decimal("0.0499") / 3, rel=Decimal("0.01"))
            assert filled[2] == filled[1]
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


#: What goes wrong with the triangle, and how it must end.
TROUBLES: dict[str, tuple[Callable[[World], object], CycleState, list[Purpose]]] = {
    "the first is refused": (
        lambda w: w.upbit.core.faults.add(Fault(FaultKind.REJECT)),
        CycleState.MISSED,
        [Purpose.ENTRY],
    ),
    "the second is refused": (
        lambda w: w.upbit.core.faults.add(None, Fault(FaultKind.REJECT)),
        CycleState.HEDGED,
        [Purpose.ENTRY, Purpose.FOLLOW, Purpose.COMPLETE, Purpose.COMPLETE],
    ),
    "the third is refused": (
        lambda w: w.upbit.core.faults.add(None, None, Fault(FaultKind.REJECT)),
        CycleState.HEDGED,
        [Purpose.ENTRY, Purpose.FOLLOW, Purpose.FOLLOW, Purpose.COMPLETE],
    ),
    "the answer of the first is lost": (
        lambda w: w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST)),
        CycleState.HEDGED,
        [Purpose.ENTRY, Purpose.FOLLOW, Purpose.FOLLOW],
    ),
    "the answer of the second is lost": (
        lambda w: w.upbit.core.faults.add(None, Fault(FaultKind.ANSWER_LOST)),
        CycleState.HEDGED,
        [Purpose.ENTRY, Purpose.FOLLOW, Purpose.FOLLOW],
    ),
}


@pytest.mark.parametrize("trouble", list(TROUBLES))
def test_a_triangle_that_stumbles_is_brought_to_its_end(trouble: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            make_it, state, purposes = TROUBLES[trouble]
            make_it(w)
            cycle = await run(w, triangle(w))
            assert (cycle.state, [order.purpose for order in cycle.orders]) == (state, purposes)
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("code", "levels"), [("BTC-ETH", ([(0.02, 1.0)], [(0.04, 10.0)])), ("KRW-ETH", NO_BIDS)])
def test_a_triangle_that_cannot_go_on_is_taken_back(code: str, levels: Levels, tmp_path: Path) -> None:
    """Nobody sells ETH for BTC, or nobody buys ETH for won, once the first leg has filled."""

    async def main() -> None:
        async with triangle_world(tmp_path) as w:

            def turn_away(order: Order) -> None:
                if order.leg == 0:
                    w.components.aggregator.books["upbit", code].replace(*levels)

            w.upbit.before_admit = turn_away
            cycle = await run(w, triangle(w))
            assert cycle.state is CycleState.UNWOUND
            backwards = [(order.leg, order.side) for order in cycle.orders if order.purpose is Purpose.UNWIND]
            assert backwards == ([(0, Side.SELL)] if code == "BTC-ETH" else [(1, Side.SELL), (0, Side.SELL)])
            assert cycle.account.pnl < 0
            w.agree()

    run_virtual(main())


def test_what_cannot_be_traded_away_is_a_residual_of_each_asset(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:

            def turn_away(order: Order) -> None:
                if order.leg == 1:
                    for code in ("BTC-ETH", "KRW-ETH", "KRW-BTC"):
                        w.components.aggregator.books["upbit", code].replace([(1e-8, 0.001)], [(400_000_000.0, 1.0)])

            w.upbit.before_admit = turn_away
            cycle = await run(w, triangle(w))
            assert cycle.state is CycleState.RESIDUAL
            left = w.portfolio.left(cycle.account)
            assert left.keys() <= {"BTC", "ETH"}
            assert left
            assert w.engine.risk.total.unhedged > 0
            asset = next(iter(left))
            routes = [route for route in w.components.universe.routes if any(asset in hop.market.base for hop in route.trades)]
            assert all(w.engine.risk.route.has_residual(route) for route in routes)
            w.same_after_restart()

    run_virtual(main())


def test_what_is_left_of_two_assets_is_settled_one_by_one_as_the_person_chose(tmp_path: Path) -> None:
    """BTC and ETH are left at one venue: the same verb at the same place, so that only the market tells the two ways apart."""

    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            books = w.components.aggregator.books
            books["upbit", "BTC-ETH"].replace([(1e-8, 0.001)], [(0.03, 0.02)])

            def turn_away(order: Order) -> None:
                if order.leg == 1:
                    for code in ("KRW-ETH", "KRW-BTC"):
                        books["upbit", code].replace([(1e-8, 0.001)], [(400_000_000.0, 1.0)])

            w.upbit.before_admit = turn_away
            cycle = await run(w, triangle(w))
            assert cycle.state is CycleState.RESIDUAL
            left = w.portfolio.left(cycle.account)
            assert left.keys() == {"BTC", "ETH"}
            w.upbit.before_admit = lambda order: None
            for key, levels in TRIANGLE_BOOKS.items():
                books[key].replace(*levels)

            operator = w.engine.operator
            ways = {way.market.code: way for way in operator.ways(cycle.id) if way.market is not None}
            assert [(ways[code].verb, ways[code].exchange) for code in ("KRW-BTC", "KRW-ETH")] == [("flatten", "upbit")] * 2
            assert "left BTC and ETH: say which one" in str(operator.settle_position(cycle.id, "flatten", "upbit", "p", "seen"))
            assert "no flatten" in str(operator.settle_position(cycle.id, "flatten", "upbit", "p", "seen", market="KRW-XRP"))

            for code, remaining in (("KRW-ETH", {"BTC"}), ("KRW-BTC", set())):
                told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
                placed = len(w.upbit.placed)
                seen = {"worst": ways[code].price, "market": code, "tell": told.set_result}
                assert operator.settle_position(cycle.id, "flatten", "upbit", "p", "seen", **seen) is None  # type: ignore[arg-type]
                await told
                assert {order.market.code for order in w.upbit.placed[placed:]} == {code}
                assert set(w.portfolio.left(cycle.account)) == remaining
            assert cycle.account.settled is not None
            assert w.portfolio.positions == []
            w.agree()

    run_virtual(main())


def test_a_kill_between_two_legs_sends_nothing_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            w.upbit.bend = lambda report: (w.engine.kill_switch.kill("TEST", "between two legs"), report)[1]
            cycle = await run(w, triangle(w))
            assert [order.leg for order in w.upbit.placed] == [0]
            assert cycle.state is CycleState.RESIDUAL
            assert cycle.reason == Reason.HALTED
            w.same_after_restart()

    run_virtual(main())


def test_a_journal_that_fails_under_a_plan_ends_its_work_and_leaves_no_failure_unheard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            record = w.journal.record

            def not_committed(*events: Event) -> Awaitable[None]:
                failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                record(*events)
                failed.set_exception(JournalFailed("the disk is full"))
                return failed

            w.journal.record = not_committed  # type: ignore[method-assign]
            assert w.engine.open(triangle(w)) is None
            w.journal.record = record  # type: ignore[method-assign]
            (cycle,) = w.engine.cycles.values()
            await asyncio.sleep(1)
            gc.collect()
            assert (w.upbit.asked, w.engine.executor.open) == ([], {cycle.id: cycle}), "the next start resolves it"
            assert [task for task in asyncio.all_tasks() if task.get_name().startswith(cycle.id)] == []
            assert [record for record in caplog.records if "never retrieved" in record.getMessage()] == []

    run_virtual(main())


@pytest.mark.parametrize("leg", [0, 1])
def test_no_leg_of_a_plan_that_a_run_has_left_alone_leaves_any_more(leg: int, tmp_path: Path) -> None:
    """It waited for its venue's limits when the run ended: the next start may have closed its intent when there is room."""

    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            place, room, waits = w.upbit.place, asyncio.Event(), asyncio.Event()

            async def placed(order: Order, admit: Callable[[], None]) -> OrderReport:
                if order.leg == leg:
                    waits.set()
                    await room.wait()
                return await place(order, admit)

            w.upbit.place = placed  # type: ignore[method-assign]
            assert w.engine.open(triangle(w)) is None
            await waits.wait()
            w.engine.abandon()
            await asyncio.sleep(0.01)
            room.set()
            await asyncio.sleep(0.3)
            assert [order.leg for order in w.upbit.placed] == [*range(leg)]
            w.same_after_restart()

    run_virtual(main())


def test_a_plan_whose_legs_wait_in_a_circle_is_none(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            for after in ({0: (LegAfter(2, On.FULL),), **AFTER}, {1: (LegAfter(1, On.FULL),)}, {1: (LegAfter(7, On.FULL),)}):
                with pytest.raises(ValueError, match="wait"):
                    triangle(w, after)

    run_virtual(main())


#: A third venue, under a name whose streams can be decoded.
THIRD = replace(OTHER_XRP, exchange="binanceusdm", code="XRPUSDT")
SPLIT_LISTED: dict[str, dict[str, Market]] = {**markets_of(("XRP",)), THIRD.exchange: {THIRD.code: THIRD}}
SPLIT_FUNDS = {
    "upbit": {"KRW": Decimal(3_000_000), "XRP": Decimal(1000)},
    "binance": {"USDT": Decimal(2000), "XRP": Decimal(1000)},
    THIRD.exchange: {"USDT": Decimal(2000), "XRP": Decimal(1000)},
}
SPLIT_BOOKS: dict[tuple[str, str], Levels] = {
    ("upbit", "KRW-XRP"): UPBIT_DEAR,
    (THIRD.exchange, THIRD.code): ([(2.16, 300.0), (2.159, 500.0)], [(2.161, 300.0)]),
}


def split_world(folder: Path, **more: Any) -> AbstractAsyncContextManager[World]:
    return world(folder, listed=SPLIT_LISTED, funds=SPLIT_FUNDS, books=SPLIT_BOOKS, **more)


def split(w: World, after: Mapping[int, tuple[LegAfter, ...]] | None = None) -> CyclePlan:
    """50 XRP bought at Binance; 30 sold at Upbit and 20 at a third venue, from stock."""
    listed, books = SPLIT_LISTED, w.components.aggregator.books
    places = [("binance", "XRPUSDT", Side.BUY), ("upbit", "KRW-XRP", Side.SELL), (THIRD.exchange, THIRD.code, Side.SELL)]
    hops = [TradeHop(listed[name][code], books[name, code], side) for name, code, side in places]
    amounts = [("50.1", "2.1401"), ("30", "3030"), ("20", "2.16")]
    orders = [SizedHop(hop, Decimal(qty), Decimal(price)) for hop, (qty, price) in zip(hops, amounts, strict=True)]
    route = ArbRoute("XRP:binance>upbit+other", "XRP", [*hops, RateMark("KRW", "USDT")], w.components.rates, TERMS)
    now = w.clock.monotonic()
    return plan_of(route, orders, after or {}, TOLERANCES, edge_bps=80.0, value=104.0, decided_at=now, deadline_s=1.0)


@pytest.mark.parametrize("after", [{}, {1: (LegAfter(0, On.EACH_FILL),), 2: (LegAfter(0, On.EACH_FILL),)}], ids=["together", "after"])
def test_a_leg_that_is_split_over_two_venues(after: Mapping[int, tuple[LegAfter, ...]], tmp_path: Path) -> None:
    async def main() -> None:
        async with split_world(tmp_path) as w:
            cycle = await run(w, split(w, after))
            assert [order.state for order in cycle.orders] == [OrderState.FILLED] * 3
            assert cycle.state is CycleState.HEDGED
            assert {fill.exchange for fill in cycle.fills} == {"binance", "upbit", THIRD.exchange}

    run_virtual(main())


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_part_of_a_split_leg_goes_where_it_is_not_refused(missing: int, tmp_path: Path) -> None:
    """A part that one venue refuses is sold at the other one; a purchase that is refused, which no other venue makes, is made again."""

    async def main() -> None:
        async with split_world(tmp_path) as w:
            plan = split(w)
            venue = w.venues[plan.legs[missing].exchange]
            venue.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await run(w, plan)
            assert cycle.state is CycleState.HEDGED
            mended = [order for order in cycle.orders if order.purpose is Purpose.COMPLETE]
            assert [order.market.exchange for order in mended] == [{0: "binance", 1: THIRD.exchange, 2: "upbit"}[missing]]

    run_virtual(main())


def test_a_missing_part_goes_to_the_dearer_buyer_whatever_it_pays_in(tmp_path: Path) -> None:
    """The third venue bids 2.18 USDT, Upbit 3,030 KRW, which is less: the number alone says nothing."""

    async def main() -> None:
        async with split_world(tmp_path) as w:
            w.components.aggregator.books[THIRD.exchange, THIRD.code].replace([(2.18, 300.0)], [(2.181, 300.0)])
            plan = split(w)
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await run(w, plan)
            assert cycle.state is CycleState.HEDGED
            (mended,) = (order for order in cycle.orders if order.purpose is Purpose.COMPLETE)
            assert mended.market.exchange == THIRD.exchange

    run_virtual(main())


def test_a_triangle_the_other_way_round_spends_no_more_than_a_sale_brought(tmp_path: Path) -> None:
    """KRW > ETH > BTC > KRW: the last leg sells the BTC that selling ETH brought, less its fee, and no stock."""

    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            books = w.components.aggregator.books
            books["upbit", "BTC-ETH"].replace([(0.0312, 10.0)], [(0.0313, 10.0)])
            sides = ((ETH, Side.BUY), (ETH_BTC, Side.SELL), (BTC, Side.SELL))
            hops = [TradeHop(market, books["upbit", market.code], side) for market, side in sides]
            route = ArbRoute("ETH>BTC:upbit", "ETH", [*hops, RateMark("KRW", "KRW")], w.components.rates, TERMS)
            orders = [
                SizedHop(hops[0], Decimal("0.05"), Decimal(3_041_000)),
                SizedHop(hops[1], Decimal("0.05"), Decimal("0.0312")),
                SizedHop(hops[2], Decimal("0.00156"), Decimal(99_990_000)),
            ]
            now = w.clock.monotonic()
            plan = plan_of(route, orders, AFTER, TOLERANCES, edge_bps=90.0, value=104.0, decided_at=now, deadline_s=1.0)
            cycle = await run(w, plan)
            assert [(order.market.code, order.purpose) for order in cycle.orders] == [
                ("KRW-ETH", Purpose.ENTRY),
                ("BTC-ETH", Purpose.FOLLOW),
                ("KRW-BTC", Purpose.FOLLOW),
            ]
            brought = Decimal("0.05") * Decimal("0.0312") * (1 - ETH_BTC.fees.taker)
            assert cycle.orders[2].qty == BTC.qty_down(brought) < Decimal("0.00156")
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(
    "orders",
    [
        {"entry_order": "hard leg first"},
        {"entry_orders": {"XRP": "hard leg first"}},
        {"entry_orders": {"XRP": "together", "XRP:binance>upbit": "hard leg first"}},
    ],
    ids=["of all routes", "of the asset", "of the route"],
)
def test_the_hard_leg_goes_first_and_the_other_for_what_it_filled(tmp_path: Path, orders: dict[str, object]) -> None:
    """Upbit shows little at the touch: its leg leaves alone, and only as much is bought as it sold."""
    config = replace_config(**orders)

    async def main() -> None:
        async with world(tmp_path, execution=config) as w:
            thin: Levels = ([(3030.0, 60.0), (3029.0, 500.0)], [(3031.0, 400.0)])
            w.binance.before_admit = lambda order: sent.append((order.market.exchange, order.filled_qty))
            w.upbit.before_admit = lambda order: sent.append((order.market.exchange, order.filled_qty))
            sent: list[tuple[str, Decimal]] = []
            cycle = await w.trade(levels=thin)
            assert [exchange for exchange, _ in sent] == ["upbit", "binance"]
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_a_hard_leg_that_misses_costs_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=replace_config(entry_order="hard leg first")) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await w.trade(levels=([(3030.0, 60.0), (3029.0, 500.0)], [(3031.0, 400.0)]))
            assert cycle.state is CycleState.MISSED
            assert [order.market.exchange for order in cycle.orders] == ["upbit"]
            assert w.binance.placed == []
            w.agree()

    run_virtual(main())


def test_another_route_s_entry_order_changes_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=replace_config(entry_orders={"XRP:upbit>binance": "hard leg first"})) as w:
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert [leg.after for leg in cycle.plan.legs] == [(), ()]
            w.agree()

    run_virtual(main())


def replace_config(**changes: object) -> ExecutionConfig:
    return EXECUTION.model_copy(update=changes)


def test_of_each_venue_s_limits_as_many_orders_are_kept_as_the_plan_has_there(tmp_path: Path) -> None:
    kept: list[tuple[str, str, int]] = []

    def listen(w: World) -> None:
        for name, venue in w.venues.items():
            venue.reserve_orders = lambda cycle_id, entries, name=name: kept.append((name, cycle_id, entries))  # type: ignore[method-assign, misc]

    async def main() -> None:
        async with triangle_world(tmp_path / "triangle") as w:
            listen(w)
            await run(w, triangle(w))
            assert kept == [("upbit", "r1-1", 3)]
        kept.clear()
        async with split_world(tmp_path / "split") as w:
            listen(w)
            await run(w, split(w))
            assert kept == [("binance", "r1-1", 1), ("upbit", "r1-1", 1), (THIRD.exchange, "r1-1", 1)]

    run_virtual(main())


def test_where_the_gate_refuses_to_take_a_leg_back_it_is_completed_instead(tmp_path: Path) -> None:
    """Undoing comes first here, and the venue to undo at has gone silent: the other one takes the missing leg."""

    async def main() -> None:
        async with world(tmp_path, execution=replace_config(completion_attempts=0)) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))

            def go_silent(order: Order) -> None:
                w.silent.add("binance")
                w.book("binance").ts_init = w.components.aggregator.watches["binance"].last_message = w.clock.monotonic() - 3.0

            w.upbit.before_admit = go_silent
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert [(order.purpose, order.market.exchange) for order in cycle.orders[2:]] == [(Purpose.COMPLETE, "upbit")]

    run_virtual(main())
