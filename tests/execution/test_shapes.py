"""Each shape of route, planted in books by hand: found by the decider, executed, booked; and mended or taken back when any leg fails."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState
from arbtui.model.market import FixedUnit, Market
from arbtui.model.order import Order, OrderState, Purpose
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.routes.rules import SHAPES, RouteRules
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.test_plans import THIRD
from tests.execution.world import EXECUTION, Levels, World, world

#: Names of venues whose streams can be decoded; the third is one of dollars.
WON, DOLLAR, OTHER = "upbit", "binance", THIRD.exchange
WON_BTC, WON_ETH, WON_XRP = (krw_market(coin) for coin in ("BTC", "ETH", "XRP"))
WON_ETH_BTC = replace(WON_ETH, code="BTC-ETH", quote="BTC", price_units=FixedUnit(Decimal("0.00000001")), min_cost=Decimal("0.00005"))


def spot(coin: str, quote: str, tick: str, lot: str, least: str) -> Market:
    return spot_market(coin, quote, Decimal(tick), Decimal(lot), Decimal(least))


BTC, ETH, XRP = (
    spot("BTC", "USDT", "0.01", "0.000001", "5"),
    spot("ETH", "USDT", "0.01", "0.0001", "5"),
    spot("XRP", "USDT", "0.0001", "0.1", "5"),
)
XRP_BTC = spot("XRP", "BTC", "0.00000001", "0.1", "0.0001")


def around(bid: float, ask: float, qty: float) -> Levels:
    return [(bid, qty)], [(ask, qty)]


def behind(bid: float, ask: float, qty: float) -> Levels:
    """Little at the touch, and plenty half a per cent behind it."""
    return [(bid, qty), (round(bid * 0.995, 4), 1e5)], [(ask, qty), (round(ask * 1.005, 4), 1e5)]


@dataclass(frozen=True)
class Planted:
    """Markets with books that nothing pays on, one that is shown last, and the route that pays then."""

    route: str
    shape: str
    books: Mapping[Market, Levels]
    shown: Market
    levels: Levels
    held: Mapping[str, Mapping[str, str]]  #: what there is beside 20 million won, or 20 thousand dollars
    legs: int


#: In dollars, about.
WORTH = {"BTC": 71_000.0, "ETH": 2_100.0, "XRP": 2.14}
CASES = {
    "triangular, from nothing but won": Planted(
        "ETH:upbit/KRW>BTC>ETH>KRW",
        "triangular",
        {
            WON_BTC: around(99_990_000.0, 100_000_000.0, 1.0),
            WON_ETH_BTC: around(0.02999, 0.03, 10.0),
            WON_ETH: around(2_999_000.0, 3_000_000.0, 10.0),
        },
        WON_ETH,
        around(3_040_000.0, 3_041_000.0, 10.0),
        {},
        3,
    ),
    "triangular, from stock": Planted(
        "ETH:upbit/KRW>BTC>ETH>KRW",
        "triangular",
        {
            WON_BTC: around(99_990_000.0, 100_000_000.0, 1.0),
            WON_ETH_BTC: around(0.02999, 0.03, 10.0),
            WON_ETH: around(2_999_000.0, 3_000_000.0, 10.0),
        },
        WON_ETH,
        around(3_040_000.0, 3_041_000.0, 10.0),
        {WON: {"BTC": "0.1", "ETH": "2"}},
        3,
    ),
    "triangular in dollars, the other way": Planted(
        "XRP:binance/USDT>XRP>BTC>USDT",
        "triangular",
        {BTC: around(70_000.0, 70_001.0, 10.0), XRP_BTC: around(3e-5, 3.001e-5, 1e5), XRP: around(2.1, 2.1001, 1e5)},
        XRP_BTC,
        around(3.05e-5, 3.051e-5, 1e5),
        {},
        3,
    ),
    "multi_hop": Planted(
        "XRP:upbit/KRW>XRP,binance/XRP>BTC>USDT",
        "multi_hop",
        {WON_XRP: around(2_999.0, 3_000.0, 1e5), XRP_BTC: around(3e-5, 3.001e-5, 1e5), BTC: around(71_000.0, 71_001.0, 10.0)},
        XRP_BTC,
        around(3.08e-5, 3.081e-5, 1e5),
        {DOLLAR: {"XRP": "1000", "BTC": "0.01"}},
        3,
    ),
    "four trades over two currencies": Planted(
        "ETH:binance/USDT>ETH,upbit/ETH>KRW>XRP,binance/XRP>USDT",
        "multi_hop",
        {
            ETH: around(2_099.99, 2_100.0, 100.0),
            WON_ETH: around(2_939_000.0, 2_940_000.0, 100.0),
            WON_XRP: around(2_999.0, 3_000.0, 1e5),
            XRP: around(2.14, 2.1401, 1e5),
        },
        WON_ETH,
        around(2_980_000.0, 2_981_000.0, 100.0),
        {WON: {"ETH": "2"}, DOLLAR: {"XRP": "1000"}},
        4,
    ),
    "one purchase, two sales": Planted(
        "XRP:binance>binanceusdm+upbit",
        "split_leg",
        {XRP: around(2.1399, 2.14, 1e5), WON_XRP: around(2_995.0, 2_996.0, 30.0), THIRD: behind(2.16, 2.161, 20.0)},
        WON_XRP,
        behind(3_035.0, 3_036.0, 30.0),
        {WON: {"XRP": "1000"}, OTHER: {"XRP": "1000"}, DOLLAR: {"XRP": "1000"}},
        3,
    ),
    "two purchases, one sale": Planted(
        "XRP:binance+binanceusdm>upbit",
        "split_leg",
        {XRP: behind(2.1399, 2.14, 30.0), THIRD: behind(2.14, 2.141, 30.0), WON_XRP: around(2_995.0, 2_996.0, 1e5)},
        WON_XRP,
        around(3_035.0, 3_036.0, 1e5),
        {WON: {"XRP": "1000"}, OTHER: {"XRP": "1000"}, DOLLAR: {"XRP": "1000"}},
        3,
    ),
}


def planted_world(folder: Path, case: Planted) -> AbstractAsyncContextManager[World]:
    listed: dict[str, dict[str, Market]] = {WON: {}, DOLLAR: {}, OTHER: {}}
    for market in case.books:
        listed[market.exchange][market.code] = market
    funds = {name: {"KRW" if name == WON else "USDT": Decimal(20_000_000 if name == WON else 20_000)} for name in listed}
    for name, held in case.held.items():
        funds[name] |= {asset: Decimal(amount) for asset, amount in held.items()}
    return world(
        folder,
        symbols=("BTC", "ETH", "XRP"),
        listed=listed,
        funds=funds,
        books={(market.exchange, market.code): levels for market, levels in case.books.items()},
        rules=RouteRules(SHAPES, allow=[case.route]),
        execution=EXECUTION.model_copy(update={"max_attempts": 12}),
    )


async def show(w: World, case: Planted) -> ArbCycle:
    """Show the book that makes it pay, and wait until the cycle that this opened has ended."""
    book = w.components.aggregator.books[case.shown.exchange, case.shown.code]
    book.replace(*case.levels)
    w.engine.decider.on_books([book])
    (cycle,) = w.engine.cycles.values()
    await w.engine.executor.quiet.wait()
    return cycle


@pytest.mark.parametrize("name", CASES)
def test_it_is_found_executed_and_booked(name: str, tmp_path: Path) -> None:
    case = CASES[name]

    async def main() -> None:
        async with planted_world(tmp_path, case) as w:
            (route,) = w.components.universe.routes
            assert (route.id, route.shape) == (case.route, case.shape)
            w.engine.decider.on_books(list(w.components.aggregator.books.values()))
            assert not w.engine.cycles, "nothing pays yet"
            assert route.refusal(w.clock.monotonic()) is Reason.BELOW_THRESHOLD
            cycle = await show(w, case)
            assert cycle.plan.route is route
            assert [order.state for order in cycle.orders] == [OrderState.FILLED] * case.legs
            assert cycle.state is CycleState.HEDGED
            assert cycle.account.pnl > 0
            earned = float(cycle.account.pnl) / cycle.plan.value * 1e4
            # In the edge the rate costs its fee and spread, and what lots leave over is nothing; marks know neither.
            assert cycle.plan.edge_bps - 1.0 < earned < cycle.plan.edge_bps + 25.0
            assert w.engine.decider.opportunities == 1
            w.agree()

    run_virtual(main())


def test_legs_that_stock_pays_for_leave_together_and_the_others_in_turn(tmp_path: Path) -> None:
    async def main() -> None:
        for name, after in (("triangular, from nothing but won", [0, 1, 1]), ("triangular, from stock", [0, 0, 0])):
            async with planted_world(tmp_path / name, CASES[name]) as w:
                cycle = await show(w, CASES[name])
                assert [len(leg.after) for leg in cycle.plan.legs] == after
                purposes = [Purpose.FOLLOW if waits else Purpose.ENTRY for waits in after]
                assert [order.purpose for order in cycle.orders] == purposes

    run_virtual(main())


def test_what_no_market_takes_as_an_order_and_is_worth_little_keeps_nobody(tmp_path: Path) -> None:
    """Of 47 XRP five were there: what they brought is 16 lots of BTC and nearly half of one, which is more than a fiftieth of it."""
    case = CASES["triangular in dollars, the other way"]
    coarse = replace(BTC, lot_step=Decimal("0.00001"), min_qty=Decimal("0.00001"))
    books = {coarse if market is BTC else market: levels for market, levels in case.books.items()}

    async def main() -> None:
        async with planted_world(tmp_path, replace(case, books=books)) as w:

            def take_most_away(order: Order) -> None:
                if order.purpose is Purpose.ENTRY:
                    w.quote(DOLLAR, ([(2.1, 1e5)], [(2.1001, 5.5), (2.2, 1e5)]))

            w.binance.before_admit = take_most_away
            began = w.clock.monotonic()
            cycle = await show(w, case)
            assert w.clock.monotonic() - began < 3.0, "no book is waited for that would take it"
            left = w.portfolio.left(cycle.account)
            assert [*left] == ["BTC"]
            assert cycle.account.largest["BTC"] / 50 < abs(left["BTC"]) < coarse.lot_step / 2
            assert (cycle.state, w.portfolio.positions) == (CycleState.RESIDUAL, [])
            assert cycle.account.settled is not None
            assert (cycle.account.settled.how, cycle.account.settled.by) == ("dust", "")
            assert not [row for row in w.engine.breaches.breaches.values() if row.kind == "RESIDUAL"]
            assert not w.engine.unsettled
            assert not w.engine.risk.route.residual_assets()
            (told,) = read_ledger(w.journal.path)["cycles"]
            assert told["settled"]["reason"] == f"{left['BTC']:f} BTC: too little for an order"
            w.agree()

    run_virtual(main())


def test_a_chain_without_stock_goes_beyond_the_first_level_of_what_is_paid_for_in_a_coin(tmp_path: Path) -> None:
    """At its worst price the purchase of ETH needs more BTC than was bought: it is made for what that pays for, and the rest is dust."""
    case = CASES["triangular, from nothing but won"]
    books = {**case.books, WON_ETH_BTC: ([(0.02999, 10.0)], [(0.03, 0.02), (0.03005, 10.0)])}

    async def main() -> None:
        async with planted_world(tmp_path, replace(case, books=books)) as w:
            cycle = await show(w, case)
            btc, eth, _ = cycle.plan.legs
            assert (eth.price, eth.after[0].leg) == (Decimal("0.03005"), btc.leg)
            assert [asset for _, asset, _ in cycle.plan.reserved] == ["KRW"]
            assert [order.state for order in cycle.orders] == [OrderState.FILLED] * 3
            assert cycle.state is CycleState.HEDGED
            assert float(cycle.account.pnl) == pytest.approx(cycle.plan.edge_bps * cycle.plan.value / 1e4, rel=0.01)
            assert 0 < cycle.residual["BTC"] < eth.least
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("leg", range(4))
@pytest.mark.parametrize("name", CASES)
def test_a_leg_that_is_refused_is_mended_or_what_had_filled_is_taken_back(name: str, leg: int, tmp_path: Path) -> None:
    case = CASES[name]
    if leg >= case.legs:
        return

    async def main() -> None:
        async with planted_world(tmp_path, case) as w:
            refused: list[Order] = []

            def refuse(order: Order) -> None:
                if order.leg == leg and not refused:
                    refused.append(order)
                    w.venues[order.market.exchange].core.faults.add(Fault(FaultKind.REJECT))

            for venue in w.venues.values():
                venue.before_admit = refuse
            cycle = await show(w, case)
            assert len(refused) == 1
            assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND, CycleState.MISSED)
            assert (cycle.state is CycleState.MISSED) is (not cycle.fills)
            assert w.portfolio.left(cycle.account) == {}
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("leg", range(4))
@pytest.mark.parametrize("name", CASES)
def test_a_leg_whose_book_is_gone_takes_the_others_back(name: str, leg: int, tmp_path: Path) -> None:
    """Nobody trades there any more, neither way, until the cycle has ended."""
    case = CASES[name]
    if leg >= case.legs:
        return

    async def main() -> None:
        async with planted_world(tmp_path, case) as w:
            (route,) = w.components.universe.routes
            gone, loop = route.trades[leg], asyncio.get_running_loop()

            def vanish(order: Order) -> None:
                if order.leg == 0:  # it is on its way, and has not arrived
                    loop.call_later(0.01, gone.book.replace, [], [])

            for venue in w.venues.values():
                venue.before_admit = vanish
            cycle = await show(w, case)
            assert not [fill for fill in cycle.fills if (fill.exchange, fill.market) == (gone.market.exchange, gone.market.code)]
            left = sum(abs(float(amount)) * WORTH[coin] for coin, amount in w.portfolio.left(cycle.account).items())
            assert (cycle.state is CycleState.RESIDUAL) is (left > 0.0)
            assert left < 2.5, "a better price than was allowed for leaves a little of what has no market left"
            w.same_after_restart()
            if not left:
                w.agree()

    run_virtual(main())
