"""What makes a route be looked at again, and what an opened cycle counts as while it is open."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.book import Level
from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import UPBIT_CHEAP, UPBIT_DEAR, Levels, World, world
from tests.routes.oracle import cost_of

#: So wide that nothing pays while the rate is 1,400; a move of one side alone makes one direction pay.
WIDE_UPBIT: Levels = ([(2960.0, 400.0)], [(3031.0, 400.0)])
WIDE_BINANCE: Levels = ([(2.115, 500.0)], [(2.165, 500.0)])


def _exact(levels: list[Level]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(repr(price)), Decimal(repr(qty))) for price, qty in levels]


def _opened(w: World) -> list[str]:
    return [cycle.plan.route.id for cycle in w.engine.cycles.values()]


@pytest.mark.parametrize(
    ("exchange", "moved", "route"),
    [
        ("upbit", ([(3030.0, 400.0)], WIDE_UPBIT[1]), "XRP:binance>upbit"),  # a better bid
        ("upbit", (WIDE_UPBIT[0], [(2961.0, 400.0)]), "XRP:upbit>binance"),  # a better ask
        ("binance", ([(2.16, 500.0)], WIDE_BINANCE[1]), "XRP:upbit>binance"),
        ("binance", (WIDE_BINANCE[0], [(2.12, 500.0)]), "XRP:binance>upbit"),
    ],
    ids=["upbit bid", "upbit ask", "binance bid", "binance ask"],
)
def test_a_move_of_one_side_alone_opens_the_route_that_trades_on_it(exchange: str, moved: Levels, route: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            fair: Levels = ([(2996.0, 400.0)], [(2997.0, 400.0)])
            steady: Levels = ([(2.1399, 500.0)], [(2.14, 500.0)])
            w.quote("upbit", WIDE_UPBIT if exchange == "upbit" else fair)
            w.show("binance", WIDE_BINANCE if exchange == "binance" else steady)
            assert _opened(w) == []
            before = {each.id: each.evaluations for each in w.components.universe.routes}
            w.show(exchange, moved)
            assert _opened(w) == [route]
            assert {each.id: each.evaluations - before[each.id] for each in w.components.universe.routes} == dict.fromkeys(before, 1)
            await w.engine.executor.quiet.wait()
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(
    ("bid", "ask", "route"),
    [
        (1420.0, 1421.0, "XRP:upbit>binance"),  # dollars from the sale bring more
        (1380.0, 1381.0, "XRP:binance>upbit"),  # dollars for the purchase cost less
    ],
    ids=["bid", "ask"],
)
def test_a_move_of_one_side_of_the_rate_alone_looks_at_every_route_again(bid: float, ask: float, route: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            rate = w.components.rates.markets[0].book
            assert rate is not None
            rate.replace([(1380.0, 1e6)], [(1421.0, 1e6)])
            w.engine.decider.on_books([rate])
            await asyncio.sleep(0)
            assert _opened(w) == []
            rate.replace([(bid, 1e6)], [(ask, 1e6)])
            w.engine.decider.on_books([rate])
            for _ in range(2):
                await asyncio.sleep(0)
            assert _opened(w) == [route]
            await w.engine.executor.quiet.wait()
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(
    ("levels", "bought_at", "asks", "fee_on_top", "unit"),
    [
        (UPBIT_DEAR, "binance", [(2.14, 300.0), (2.1401, 500.0)], "0", "1"),  # dollars; the fee is taken in the coin
        (UPBIT_CHEAP, "upbit", UPBIT_CHEAP[1], "0.0005", "1400.5"),  # won, at the rate's middle
    ],
    ids=["dollars", "won"],
)
def test_an_open_cycle_counts_with_what_its_purchase_costs_in_dollars(
    levels: Levels, bought_at: str, asks: list[Level], fee_on_top: str, unit: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", levels)
            (cycle,) = w.engine.cycles.values()
            bought = cycle.plan.legs[0]
            assert bought.exchange == bought_at
            costs = cost_of(_exact(asks), bought.qty) * (1 + Decimal(fee_on_top)) / Decimal(unit)
            assert Decimal(99) < costs < Decimal(101)  # as the profile asks for
            assert w.engine.risk.total.unhedged == pytest.approx(float(costs))
            assert cycle.plan.value == pytest.approx(float(costs))
            await w.engine.executor.quiet.wait()
            assert w.engine.risk.total.unhedged == 0

    run_virtual(main())
