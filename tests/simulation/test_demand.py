"""With more than two venues: coins that are wanted where won is paid, one after the other, and touches that are thin."""

from itertools import pairwise
from random import Random
from statistics import mean

import pytest

from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.demand import FALL_HALF_LIFE_S, RISE_S, STEP_TICKS, DemandMaker, premium
from arbtui.simulation.event_scheduler import EventScheduler
from arbtui.simulation.ladder import size_palette, top_palette
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.paths import AssetPath
from tests.simulation.market_worlds import simulator

HOUR_S = 3600
THREE = ("upbit", "binance", "okx")


def test_a_premium_rises_holds_and_falls_by_half_in_its_half_life() -> None:
    assert [premium(age_s, 100.0) for age_s in (0.0, RISE_S / 2, RISE_S, RISE_S + 100.0)] == [0.0, 0.5, 1.0, 1.0]
    assert premium(RISE_S + 100.0 + FALL_HALF_LIFE_S, 100.0) == pytest.approx(0.5)


def _hour(seed: int) -> list[tuple[float, ...]]:
    """The premium of three coins, second by second, in bps."""
    stage, paths = EventScheduler(0, ()), [AssetPath(Random(number), 1.0, 1.0, None) for number in range(3)]
    DemandMaker(stage, Random(seed), paths, 90.0, lambda _: None).start()
    told = []
    for tick in range(1, HOUR_S * STEP_TICKS + 1):
        stage.act(tick, 0)
        if tick % STEP_TICKS == 0:
            told.append(tuple(1e4 * (path.demand - 1.0) for path in paths))
    return told


def test_one_coin_after_another_is_wanted_and_no_premium_rises_beside_another_that_holds() -> None:
    told = _hour(1)
    assert told == _hour(1)
    assert told != _hour(2)
    highest = [max(row[coin] for row in told) for coin in range(3)]
    assert highest == pytest.approx([90.4] * 3, abs=0.1)
    assert all(sum(bps > 80.0 for bps in row) <= 1 for row in told)
    begun = sum(bps > 0.0 and before == 0.0 for rows in pairwise(told) for before, bps in zip(*rows, strict=True))
    assert 3600 / (20 + 180 + 30) - 1 <= begun <= 3600 / (20 + 120 + 10)
    assert all(any(row[coin] == 0.0 for row in told[600:]) for coin in range(3))  # and it comes back


def test_two_venues_and_calm_ones_know_no_demand_and_what_others_are_priced_in_is_not_wanted() -> None:
    async def main() -> None:
        def wanted(made: MarketSimulator) -> set[str]:
            for tick in range(1, 40 * STEP_TICKS):
                for action in made._scheduler._appointments.pop(tick, ()):
                    if "DemandMaker" in getattr(action, "__qualname__", ""):  # no market need move for it
                        made._scheduler.tick = tick
                        action()
            return {symbol for symbol, path in made._paths.items() if path.demand != 1.0}

        assert wanted(simulator(["BTC", "XRP"])) == set()
        assert wanted(simulator(["BTC", "XRP"], "calm", venues=THREE)) == set()
        assert wanted(simulator(["BTC", "XRP"], venues=THREE, cross_quotes={"upbit": ["BTC"]})) == {"XRP"}

    run_virtual(main())


def test_the_best_level_is_thinner_where_lots_allow() -> None:
    usual = size_palette(1000.0, 0.1, "{:.8f}".format)
    assert top_palette(1000.0, 1.0, 0.1, "{:.8f}".format, usual) is usual
    thinner = top_palette(1000.0, 0.25, 0.1, "{:.8f}".format, usual)
    assert mean(qty for _, qty in thinner) == pytest.approx(0.25 * mean(qty for _, qty in usual), rel=0.01)
    assert top_palette(1000.0, 0.25, 1e9, "{:.8f}".format, usual) is usual  # else a size could not become another one


def test_touches_are_thin_with_more_than_two_venues_alone() -> None:
    async def main() -> None:
        def share(made: MarketSimulator) -> float:
            """Of the best level in the mean of the next four, at the openings of many markets."""
            books = [made.book("upbit", code) for code in made.markets["upbit"] if code != "KRW-USDT"]
            sides = [[qty for _, qty in levels] for book in books for levels in (book.bids(), book.asks())]
            return mean(qtys[0] / mean(qtys[1:5]) for qtys in sides)

        assert share(simulator(180, venues=THREE)) < 0.5
        assert share(simulator(180)) > 1.0

    run_virtual(main())
