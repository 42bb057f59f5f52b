"""The hard limit of open won: what adds to it stops there, what takes it away passes, and nothing under way slips through."""

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.execution.config import NettingConfig
from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.model.order import Order, Side
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.marks import LiveMarks
from arbtui.risk.open_fx import OpenFxGuard
from arbtui.routes.hops import InventoryHop, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from tests.execution.world import UPBIT_CHEAP, UPBIT_DEAR, world
from tests.marketdata.frames import HandClock
from tests.portfolio.telling import Telling, fill_of, leg
from tests.routes.pairs import NOW, Pair
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP

#: Limits without netting: what is open stays open.
OFF = NettingConfig(band=1.0, max_open_fx=1e6, enabled=False)


def test_at_the_limit_itself_is_allowed_and_beyond_it_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=OFF) as w:
            guard, routes = w.engine.risk.open_fx, w.components.universe.by_id
            brings, takes = routes["XRP:binance>upbit"], routes["XRP:upbit>binance"]
            await w.trade("upbit", UPBIT_DEAR)
            price = w.components.marks.value("KRW")
            assert price is not None
            now = float(w.portfolio.open_amount("KRW")) * float(price)
            assert now > 90.0
            guard.limit = now + 50.0
            assert guard.check(brings, 50.0 - 1e-9) is None
            assert guard.check(brings, 50.0) is None
            assert guard.check(brings, 50.0 + 1e-6) is Reason.OPEN_FX
            assert guard.check(brings, float("nan")) is Reason.OPEN_FX
            # The other way it shrinks, until it is as large on the other side.
            assert guard.check(takes, 2 * now + 50.0) is None
            assert guard.check(takes, 2 * now + 50.0 + 1e-6) is Reason.OPEN_FX
            guard.limit = 1.0  # beyond it already: what shrinks it passes
            assert guard.check(brings, 1e-9) is Reason.OPEN_FX
            assert guard.check(takes, now) is None

    run_virtual(main())


def test_what_open_cycles_may_still_add_counts_and_what_they_may_take_away_does_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), netting=OFF) as w:
            guard, routes = w.engine.risk.open_fx, w.components.universe.by_id
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.executor.open.values()
            assert not cycle.fills
            guard.limit = 150.0
            assert guard.check(routes["ADA:binance>upbit"], 100.0) is Reason.OPEN_FX  # about 100 are under way
            assert guard.check(routes["ADA:binance>upbit"], 100.0, cycle.id) is None  # itself is not in its own way
            assert guard.check(routes["ADA:upbit>binance"], 151.0) is Reason.OPEN_FX  # it may yet fill nothing
            await w.engine.executor.quiet.wait()
            assert guard.check(routes["ADA:upbit>binance"], 151.0) is None

    run_virtual(main())


def test_both_looks_ask_and_a_denial_is_counted_by_its_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=OFF) as w:
            guard = w.engine.risk.open_fx
            guard.limit = 50.0
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.OPEN_FX: 1}
            guard.limit = 1e6

            def lower(order: Order) -> None:
                guard.limit = 50.0

            for venue in w.venues.values():
                venue.before_admit = lower
            cycle = await w.trade("upbit", UPBIT_CHEAP)
            assert (cycle.state, {order.reason for order in cycle.orders}) == (CycleState.ABANDONED, {Reason.OPEN_FX})
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("levels", [UPBIT_DEAR, UPBIT_CHEAP], ids=["more and more won", "less and less"])
def test_however_good_the_prices_it_never_passes_the_limit(
    tmp_path: Path, levels: tuple[list[tuple[float, float]], list[tuple[float, float]]]
) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NettingConfig(band=1.0, max_open_fx=250.0, enabled=False)) as w:
            for _ in range(40):
                w.show("upbit", levels)
                await asyncio.sleep(0.3)
            await w.engine.executor.quiet.wait()
            price = w.components.marks.value("KRW")
            assert price is not None
            assert 150.0 < abs(float(w.portfolio.open_amount("KRW") * price)) <= 250.0
            assert w.engine.risk.denials[Reason.OPEN_FX] > 0

    run_virtual(main())


EPS = 1e-6
#: USDT for a won, at the mid of the pair's rate.
WON = 1 / 1400.5


def guard_of(tell: Telling, pair: Pair, limit: float = 0.0) -> OpenFxGuard:
    marks = LiveMarks("USDT", pair.rates, [(UPBIT_XRP, pair.upbit), (BINANCE_XRP, pair.binance)], HandClock(NOW))
    return OpenFxGuard(limit, tell.portfolio, marks)


def least(guard: OpenFxGuard, route: InventoryRoute, value: float, cycle_id: str = "") -> float:
    """The lowest limit at which a cycle of ``value`` on ``route`` may open, to a millionth."""
    low, high = 0.0, 1e6
    while high - low > EPS / 4:
        guard.limit = (low + high) / 2
        low, high = (low, guard.limit) if guard.check(route, value, cycle_id) is None else (guard.limit, high)
    return high


def test_a_desk_that_holds_what_it_began_with_may_open_up_to_the_limit_either_way() -> None:
    pair = Pair()
    guard = guard_of(Telling().start(), pair)
    assert least(guard, pair.to_upbit, 100.0) == pytest.approx(100.0, abs=EPS)
    assert least(guard, pair.to_binance, 100.0) == pytest.approx(100.0, abs=EPS)


def test_an_open_cycle_counts_with_what_its_legs_may_still_bring_whatever_they_have_brought() -> None:
    tell, pair = Telling().start(), Pair()
    buy, sell = leg(0, "binance", Side.BUY, Decimal(10), Decimal("2.14")), leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
    tell.open("c1", buy, sell)
    guard = guard_of(tell, pair)
    assert least(guard, pair.to_upbit, 100.0) == pytest.approx(100.0 + 30_000 * WON, abs=EPS)
    assert least(guard, pair.to_upbit, 100.0, "c1") == pytest.approx(100.0, abs=EPS)
    assert least(guard, pair.to_binance, 100.0) == pytest.approx(100.0, abs=EPS), "it may yet bring nothing"
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal("2.14"), "b"))
    tell.fill("c1", fill_of("upbit", Side.SELL, Decimal(4), Decimal(3100), "s"), {}, 1)
    assert least(guard, pair.to_upbit, 100.0) == pytest.approx(100.0 + 30_000 * WON, abs=EPS), "12,400 are there and 17,600 may come"
    assert least(guard, pair.to_binance, 100.0) == pytest.approx(100.0 - 12_400 * WON, abs=EPS)
    tell.end("c1")
    assert least(guard, pair.to_upbit, 100.0) == pytest.approx(100.0 + 12_400 * WON, abs=EPS)


def test_an_open_cycle_that_takes_won_counts_for_those_that_take_it_too() -> None:
    tell, pair = Telling().start(), Pair()
    tell.open("c1", leg(0, "upbit", Side.BUY, Decimal(10), Decimal(3000)), leg(1, "binance", Side.SELL, Decimal(10), Decimal("2.14")))
    guard = guard_of(tell, pair)
    assert least(guard, pair.to_binance, 100.0) == pytest.approx(100.0 + 30_000 * WON, abs=EPS)
    assert least(guard, pair.to_upbit, 100.0) == pytest.approx(100.0, abs=EPS)


def test_what_was_planned_counts_while_a_cycle_is_open() -> None:
    tell, pair = Telling().start(), Pair()
    for cycle_id in ("c1", "c2"):
        tell.open(cycle_id, leg(0, "upbit", Side.SELL, Decimal(1), Decimal(3000)))
    planned = [3000 / 1400.5 * cycles for cycles in (0, 1, 2)]
    assert guard_of(tell, pair, planned[2] + 1 - EPS).check(pair.to_upbit, 1.0) is Reason.OPEN_FX
    assert guard_of(tell, pair, planned[2] + 1 + EPS).check(pair.to_upbit, 1.0) is None
    assert guard_of(tell, pair, planned[1] + 1 + EPS).check(pair.to_upbit, 1.0, "c1") is None
    tell.end("c1")
    assert guard_of(tell, pair, planned[1] + 1 - EPS).check(pair.to_upbit, 1.0) is Reason.OPEN_FX
    assert guard_of(tell, pair, planned[1] + 1 + EPS).check(pair.to_upbit, 1.0) is None


def test_without_a_rate_nobody_knows_what_is_open() -> None:
    pair = Pair()
    guard = guard_of(Telling().start(), pair, 1e9)
    pair.rates.markets[0].book.clear(BookState.EMPTY)
    pair.rates.refresh()
    assert guard.check(pair.to_upbit, 1.0) is Reason.NO_MARK


def test_a_route_that_brings_and_takes_the_same_currency_moves_none_of_it() -> None:
    pair = Pair()
    elsewhere = dataclasses.replace(UPBIT_XRP, exchange="bithumb")
    route = InventoryRoute(
        "XRP",
        TradeHop(UPBIT_XRP, pair.upbit, Side.BUY),
        TradeHop(elsewhere, pair.upbit, Side.SELL),
        InventoryHop(pair.stock["upbit"], pair.stock["binance"], 0.0),
        pair.cash["upbit"],
        pair.rates,
        pair.terms,
    )
    assert guard_of(Telling().start(), pair, 1.0).check(route, 100.0) is None


def test_a_currency_that_settles_nothing_has_no_limit_here() -> None:
    pair = Pair()
    foreign = dataclasses.replace(UPBIT_XRP, quote="EUR")
    route = InventoryRoute(
        "XRP",
        TradeHop(foreign, pair.upbit, Side.BUY),
        TradeHop(BINANCE_XRP, pair.binance, Side.SELL),
        InventoryHop(pair.stock["upbit"], pair.stock["binance"], 0.0),
        pair.cash["upbit"],
        pair.rates,
        pair.terms,
    )
    assert guard_of(Telling().start(), pair, 1.0).check(route, 100.0) is None
