"""A leg that its venue does not take moves to the next best venue that the universe pairs with the other leg's."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from arbtui.engine.route_learning import slippage_bps
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan, plan_of
from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.model.market import Market
from arbtui.model.order import Order, OrderState, Purpose, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.hops import TradeHop
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


def bought_and_sold(w: World) -> CyclePlan:
    """50 XRP bought at Binance and sold at Upbit, from stock."""
    books = w.components.aggregator.books
    places = [("binance", "XRPUSDT", Side.BUY), ("upbit", "KRW-XRP", Side.SELL)]
    hops = [TradeHop(LISTED[name][code], books[name, code], side) for name, code, side in places]
    orders = [SizedHop(hops[0], Decimal("50.1"), Decimal("2.1401")), SizedHop(hops[1], Decimal(50), Decimal(3020))]
    route = w.components.universe.by_id["XRP:binance>upbit"]
    now = w.clock.monotonic()
    return plan_of(route, orders, {}, TOLERANCES, edge_bps=80.0, value=104.0, decided_at=now, deadline_s=1.0)


def completed_at(cycle: ArbCycle) -> list[str]:
    return [order.market.exchange for order in cycle.orders if order.purpose is Purpose.COMPLETE]


def test_a_leg_that_is_refused_is_sold_where_it_brings_most(tmp_path: Path) -> None:
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
