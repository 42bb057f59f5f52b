"""Coins that a cycle buys at one venue and a person moves to another: how many go, what may be sold of them, and where."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arbtui.execution.cycle import ArbCycle, due, transfer_of
from arbtui.execution.hedging import HedgingEngine
from arbtui.execution.plan import CyclePlan, plan_of
from arbtui.journal.events import CycleState, LegAfter, On, Phase, PlannedTransfer
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Order, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.operator_events import Transfer
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import SizedHop
from tests.execution.test_hedging import DOLLAR_COIN_FEE, DOLLAR_QUOTE_FEE, LOT, PRICE, WON, around, cycle_of, fill, order_of
from tests.execution.test_plan import ALLOWED, kept, plan, sized
from tests.execution.world import UPBIT_DEAR, World, world
from tests.routes.pairs import NOW

#: 0.2 XRP stay with the network, 20 bps of the 100 that are bought.
MOVE = PlannedTransfer(0, "XRP", "dollar", "won", "XRPL", Decimal("0.2"), 2.0, Decimal(5), Decimal("0.25"))
WAITS = {1: (LegAfter(0, On.ARRIVAL),)}


def moving(
    *fills: Fill, buy: Market = DOLLAR_COIN_FEE, sell: Market = WON, move: PlannedTransfer = MOVE, edge_bps: float = 10.0
) -> ArbCycle:
    """Bought for dollars, to be moved and sold for won: of 100 XRP, what ``fills`` say."""
    ask_book, bid_book = (around(each.exchange, each.code, PRICE[each.quote], PRICE[each.quote] * 2) for each in (buy, sell))
    made = cycle_of(buy, sell, fills, ask_book, bid_book)
    legs = made.plan.legs[0], msgspec.structs.replace(made.plan.legs[1], after=WAITS[1])
    made.plan = dataclasses.replace(made.plan, legs=legs, transfers=(move,), edge_bps=edge_bps)
    return made


def bought(qty: str, of: Market = DOLLAR_COIN_FEE) -> Fill:
    return fill(of, Side.BUY, qty, PRICE["USDT"])


def come(made: ArbCycle, qty: str) -> ArbCycle:
    """As the fold tells it once so many have come, and the network has kept the rest."""
    made.account.flows["dollar"]["XRP"] = ZERO
    made.account.flows.setdefault("won", {})["XRP"] = Decimal(qty)
    made.account.moved_ms = 1
    return made


def sent(qty: str) -> Transfer:
    return Transfer("XRP", "dollar", "won", Decimal(qty), "XRPL", Decimal("0.2"), 2.0)


@pytest.mark.parametrize(("step", "qty"), [("0.25", "99.75"), ("0", "99.9")])
def test_all_that_was_bought_is_moved_in_the_steps_that_the_venue_lets_go(step: str, qty: str) -> None:
    """Of 100 XRP a tenth of a percent was kept as the fee."""
    move = msgspec.structs.replace(MOVE, step=Decimal(step))
    assert transfer_of(moving(bought("100"), move=move), move) == sent(qty)
    assert list(moving(move=move).plan.moved()) == [sent(qty)], "so it was planned"


@pytest.mark.parametrize(
    ("least", "held", "expected"), [("5", "5", sent("5")), ("5", "4.75", Reason.TOO_SMALL), ("0", "0.2", Reason.TOO_SMALL)]
)
def test_less_than_the_venue_lets_go_or_the_network_keeps_is_not_moved(least: str, held: str, expected: Transfer | Reason) -> None:
    move = msgspec.structs.replace(MOVE, least=Decimal(least), step=Decimal("0.05"))
    made = moving(bought(held, DOLLAR_QUOTE_FEE), buy=DOLLAR_QUOTE_FEE, move=move, edge_bps=1000.0)
    assert transfer_of(made, move) == expected


@pytest.mark.parametrize(
    ("bought_qty", "edge_bps", "expected"),
    [
        ("50", 19.001, sent("50")),  # of 50 XRP the network keeps 40 bps, 20 more than of 100: a basis point may be lost
        ("50", 19.0, Reason.BELOW_THRESHOLD),
        ("50", 40.0, sent("50")),
        ("100", -5.0, sent("100")),  # a trade that was worth a loss still is
        ("80", -5.0, Reason.BELOW_THRESHOLD),  # but not one of 5 bps more
    ],
)
def test_a_part_is_moved_while_the_network_s_fee_leaves_something_of_the_edge(
    bought_qty: str, edge_bps: float, expected: Transfer | Reason
) -> None:
    made = moving(bought(bought_qty, DOLLAR_QUOTE_FEE), buy=DOLLAR_QUOTE_FEE, edge_bps=edge_bps)
    assert transfer_of(made, MOVE) == expected


def test_what_has_come_is_sold_once_in_whole_lots_and_nothing_before() -> None:
    market = dataclasses.replace(WON, lot_step=Decimal(1))
    made = moving(bought("100"), sell=market)
    leg = made.plan.legs[1]
    assert made.sold_where_it_comes == {1}
    assert due(made, leg, market) == 0, "it has not been moved"
    come(made, "99.7").account.awaits = "T1"
    assert due(made, leg, market) == 0, "a part of it is under way"
    made.account.awaits = ""
    made.orders = [order_of("a0", DOLLAR_COIN_FEE, Side.BUY, Purpose.ENTRY)]
    assert due(made, leg, market) == 99
    assert due(come(made, "-3"), leg, market) == 0
    assert due(come(made, "0.7"), leg, market) == 0
    mine = order_of("a1", market, Side.SELL, Purpose.FOLLOW)
    mine.leg = 1
    come(made, "99.7").orders.append(mine)
    assert due(made, leg, market) == 0, "what did not fill of it is hedged"


def test_it_can_be_traded_where_it_is() -> None:
    made = moving(bought("100"))
    assert made.ways_out == [made.plan.hops[0]]
    assert come(made, "99.7").ways_out == [made.plan.hops[1]]
    nothing = moving()
    assert (nothing.ways_out, nothing.sold_where_it_comes) == (nothing.plan.hops, {1})
    from_stock = moving(bought("100"))
    from_stock.plan = dataclasses.replace(from_stock.plan, transfers=())
    assert (from_stock.ways_out, from_stock.sold_where_it_comes) == (from_stock.plan.hops, set())


def ways(made: ArbCycle) -> list[tuple[int, Side, Decimal, bool]]:
    return [(way.leg, way.side, way.amount, way.completes) for way in HedgingEngine(20.0, 100.0)._ways(made)]


def test_what_is_left_of_it_is_sold_where_it_lies_from_a_lot_on() -> None:
    made = moving(bought("100"))
    assert ways(made) == [(0, Side.SELL, Decimal("99.9"), False)]
    come(made, "99.7")
    assert ways(made) == [(1, Side.SELL, Decimal("99.7"), True)]
    made.account.flows["dollar"]["XRP"] = LOT
    assert ways(made) == [(0, Side.SELL, LOT, False), (1, Side.SELL, Decimal("99.7"), True)]
    made.account.flows["dollar"]["XRP"] = LOT / 2
    assert ways(made) == [(1, Side.SELL, Decimal("99.7"), True)]
    made.account.flows["dollar"]["XRP"] = Decimal("-10")  # what is owed there is not got by selling there
    assert ways(made) == [(1, Side.SELL, Decimal("99.7"), True)]
    assert ways(come(moving(bought("0.5")), "0.4")) == [(1, Side.SELL, Decimal("0.4"), True)]
    assert ways(come(moving(bought("0.5")), "-0.4")) == [(1, Side.BUY, Decimal("-0.4"), False)]


def test_what_has_come_is_sold_at_last_at_what_the_collar_allows_and_at_no_other_venue() -> None:
    """It cannot be taken back where it was bought: it lies where it has come to, whatever is paid there."""
    asked: list[TradeHop] = []

    def elsewhere(cycle: ArbCycle, hop: TradeHop) -> Sequence[TradeHop]:
        asked.append(hop)
        return ()

    made = come(moving(bought("100")), "99.7")
    made.plan.hops[1].book.touch(2000.0, 1e6, 2001.0, 1e6)  # a third less than it has cost
    engine = HedgingEngine(20.0, 100.0, elsewhere, lambda *_: True)
    for step in (engine.last_resort(made), *(engine.next_step(made, attempt) for attempt in range(3))):
        assert step is not None
        assert (step.leg, step.side, step.qty, step.price, step.purpose) == (
            1,
            Side.SELL,
            Decimal("99.7"),
            Decimal(1980),
            Purpose.COMPLETE,
        )
    assert asked == []


def reserved(*transfers: PlannedTransfer) -> CyclePlan:
    orders = sized(DOLLAR_COIN_FEE, Side.BUY, "100"), sized(WON, Side.SELL, "100")
    route = plan(*orders).route
    return plan_of(route, orders, WAITS, ALLOWED, edge_bps=10.0, value=200.0, decided_at=NOW, deadline_s=1.5, transfers=transfers)


def test_of_what_is_moved_a_plan_keeps_at_the_other_venue_what_the_fees_leave_missing() -> None:
    """100 XRP are sold: of those that are bought 99.9 are kept, and 0.2 stay with the network."""
    of_another = msgspec.structs.replace(MOVE, asset="ADA", fee=Decimal(7))
    of_another_leg = msgspec.structs.replace(MOVE, leg=1, fee=Decimal(9))
    made = reserved(of_another, MOVE, of_another_leg)
    assert kept(made) == {("dollar", "USDT"): 214 * Decimal("1.001") * Decimal("1.003"), ("won", "XRP"): Decimal("0.3")}
    assert made.transfers == (of_another, MOVE, of_another_leg)
    unmoved = reserved()
    assert (kept(unmoved)["won", "XRP"], unmoved.transfers) == (Decimal(100), ())


#: What is bought at Binance to be sold at Upbit, once a person has moved it; 0.2 XRP stay with the network.
PLANNED = PlannedTransfer(0, "XRP", "binance", "upbit", "XRPL", Decimal("0.2"), 2.0, Decimal(5), Decimal("0.25"))


async def bought_to_be_moved(w: World, move: PlannedTransfer = PLANNED) -> ArbCycle:
    """Buy 50.1 XRP for it, and wait until nothing is to be done now."""
    w.quote("upbit", UPBIT_DEAR)
    route = w.components.universe.by_id["XRP:binance>upbit"]
    orders = SizedHop(route.trades[0], Decimal("50.1"), Decimal("2.16")), SizedHop(route.trades[1], Decimal(50), Decimal(3020))
    now = w.clock.monotonic()
    made = plan_of(route, orders, WAITS, ALLOWED, edge_bps=80.0, value=104.0, decided_at=now, deadline_s=1.0, transfers=(move,))
    assert w.engine.open(made) is None
    (cycle,) = w.engine.cycles.values()
    await w.engine.executor.quiet.wait()
    return cycle


def test_what_was_bought_goes_on_its_way_as_it_was_planned_and_nothing_is_sent_meanwhile(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await bought_to_be_moved(w)
            (begun,) = w.portfolio.state.transfers.values()
            assert (begun.cycle_id, begun.asset, begun.sender, begun.receiver) == (cycle.id, "XRP", "binance", "upbit")
            assert (begun.qty, begun.fee) == (Decimal(50), Decimal("0.2")), "of 50.0499 what goes in steps of 0.25"
            executor = w.engine.executor
            assert (cycle.phase, executor.moving, executor.open, executor._tasks) == (Phase.IN_TRANSIT, {cycle.id: cycle}, {}, {})
            assert (w.engine.gate._looked, [order.purpose for order in cycle.orders]) == ({}, [Purpose.ENTRY])
            w.same_after_restart()

    run_virtual(main())


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"least": Decimal(1000)}, Reason.TOO_SMALL), ({"minutes": 0.0}, "0 min: give what it usually takes, more than 0")],
)
def test_what_cannot_be_moved_is_sold_where_it_was_bought_and_says_why(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            said: list[str] = []

            def look(order: Order) -> None:
                if order.purpose is not Purpose.ENTRY:
                    (cycle,) = w.engine.executor.open.values()
                    said.append(cycle.reason)

            w.binance.before_admit = look
            cycle = await bought_to_be_moved(w, msgspec.structs.replace(PLANNED, **changes))
            assert said == [why]
            assert (cycle.state, cycle.orders[-1].purpose) == (CycleState.UNWOUND, Purpose.UNWIND)
            assert not w.portfolio.state.transfers
            w.agree()

    run_virtual(main())


def test_nothing_goes_on_its_way_after_a_kill(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.binance.bend = lambda report: (w.engine.kill_switch.kill("KEY"), report)[1]
            cycle = await bought_to_be_moved(w)
            assert (cycle.state, cycle.reason, len(cycle.orders)) == (CycleState.RESIDUAL, Reason.HALTED, 1)
            assert not w.portfolio.state.transfers
            w.agree()

    run_virtual(main())
