"""A sweep looks at every route of its list, whatever changes meanwhile, and no slice of one costs more than its share."""

import asyncio
import random
from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.engine import decider as deciding
from arbtui.engine.decider import Decider
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.engine.sweep import Sweep
from arbtui.model.book import OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity
from arbtui.routes.rules import SHAPES, RouteRules
from arbtui.routes.universe import ArbUniverse, evaluate_all
from tests.bench.many_routes import PAIRS, fair_books, markets
from tests.routes.pairs import NOW, TERMS, rate_book


def _routes(count: int) -> list[ArbRoute]:
    return [cast(ArbRoute, number) for number in range(count)]


@given(first=st.integers(0, 5), takes=st.lists(st.integers(1, 7)), begins=st.sets(st.integers(0, 20)))
def test_a_sweep_that_begins_again_goes_round(first: int, takes: list[int], begins: set[int]) -> None:
    routes = _routes(12)
    sweep = Sweep(lambda: routes, first)
    sweep.begin()
    since: list[ArbRoute] = []  # what was taken since it last began
    for number, most in enumerate(takes):
        if number in begins:
            sweep.begin()
            since = []
        taken = sweep.take(most)
        assert len(taken) <= most
        since += taken
    while sweep.left:
        since += sweep.take(3)
    assert sorted(since) == routes[first:], "each once"  # type: ignore[type-var]
    assert sweep.take(3) == []


@pytest.mark.parametrize("size", [0, 3, 9, 20])
def test_a_list_that_changes_is_looked_at_whole(size: int) -> None:
    routes = _routes(10)
    sweep = Sweep(lambda: routes, 2)
    sweep.begin()
    sweep.take(6)
    routes[:] = _routes(size)
    since: list[ArbRoute] = []
    while sweep.left:
        since += sweep.take(4)
    assert set(since) == set(routes[2:])


@pytest.mark.parametrize("gone", range(10))
def test_a_route_that_takes_the_place_of_another_hides_none(gone: int) -> None:
    routes = _routes(10)
    sweep = Sweep(lambda: routes)
    sweep.begin()
    seen = set(sweep.take(6))
    del routes[gone]
    routes.append(cast(ArbRoute, 10))
    while sweep.left:
        seen.update(sweep.take(4))
    assert seen >= set(routes)


def test_changes_that_come_faster_than_a_sweep_ends_pass_nobody_over() -> None:
    routes = _routes(100)
    sweep = Sweep(lambda: routes)
    seen: set[ArbRoute] = set()
    for _ in range(10):
        sweep.begin()
        seen.update(sweep.take(10))
    assert seen == set(routes)


class _Desk:
    """All shapes over seven venues, on which nothing pays, and a decider that opens nothing."""

    def __init__(self, coins: int = 12, most: int = 600) -> None:
        listed, symbols = markets(coins)
        self.books = fair_books(listed, random.Random(1))
        self.rates = rate_book()
        rules = RouteRules(SHAPES, max_routes=most)
        pairs = dict.fromkeys(symbols, PAIRS)
        self.universe = ArbUniverse(listed, self.books, self.rates, TERMS, 0.0, symbols, pairs, ("KRW", "USDT"), rules)
        for node in self.universe.nodes.values():
            node.available = 1e12
        clock = LoopClock(asyncio.get_running_loop())
        self.episodes = Episodes(clock, Denials(clock), None)
        self.slices: list[int] = []  #: opportunities told of at once
        self.decider = Decider(
            universe=self.universe,
            rates=self.rates,
            prioritizer=RoutePrioritizer(),
            clock=clock,
            episodes=self.episodes,
            open_cycle=lambda opportunity: Reason.DISABLED,
        )
        self.decider.on_found = self._note

    def _note(self, found: Sequence[Opportunity]) -> None:
        self.slices.append(len(found))

    @property
    def rate(self) -> OrderBook:
        return self.rates.markets[0].book

    def move_rate(self, bid: float) -> None:
        self.rate.replace([(bid, 1e6)], [(bid + 1.0, 1e6)])
        self.rate.ts_init = NOW
        self.decider.on_books([self.rate])

    def looks(self) -> list[int]:
        return [route.evaluations for route in self.universe.routes]


def test_a_book_of_many_routes_is_looked_at_in_part_at_once_and_each_route_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "_AT_ONCE", 30)
    monkeypatch.setattr(deciding, "_SLICE", 20)

    async def main() -> None:
        desk = _Desk()
        book = desk.books["upbit", "KRW-BTC"]
        touched = desk.universe.touched_by[book]
        assert len(touched) > 60
        desk.decider.on_books([book])
        assert [route.evaluations for route in touched] == [1] * 30 + [0] * (len(touched) - 30)
        assert {route.shape for route in touched[:10]} == {"two_leg"}
        await desk.decider.settled.wait()
        assert {route.evaluations for route in touched} == {1}
        assert sum(desk.looks()) == len(touched)
        # With another one in a batch, in any order: the parts of both are at once.
        for others in ([book, desk.books["bithumb", "KRW-BTC"]], [desk.books["bithumb", "KRW-BTC"], book]):
            before = desk.looks()
            desk.decider.on_books(others)
            at_once = sum(desk.looks()) - sum(before)
            await desk.decider.settled.wait()
            whole = sum(len(desk.universe.touched_by[one]) for one in others)
            assert (at_once, sum(desk.looks()) - sum(before)) == (60, whole)

    run_virtual(main())


def test_a_tick_after_which_everything_pays_is_priced_a_few_at_a_time() -> None:
    async def main() -> None:
        desk = _Desk()
        desk.move_rate(1500.0)
        assert desk.slices == [], "not at the tick itself"
        await desk.decider.settled.wait()
        assert sum(desk.slices) > 100
        assert max(desk.slices) <= 20
        assert set(desk.looks()) == {1}

    run_virtual(main())


def test_more_gaps_than_are_looked_at_at_once_end_along_with_their_routes() -> None:
    async def main() -> None:
        desk = _Desk()
        desk.move_rate(1500.0)
        await desk.decider.settled.wait()
        gaps = len(desk.episodes.open)
        assert gaps > deciding._GAPS_AT_ONCE
        desk.move_rate(1400.0)
        assert len(desk.episodes.open) == gaps, "not at the tick itself"
        await asyncio.sleep(0)
        assert 0 < len(desk.episodes.open) < gaps
        await desk.decider.settled.wait()
        assert desk.episodes.open == {}
        desk.move_rate(1401.0)
        await desk.decider.settled.wait()
        assert desk.episodes.count == gaps

    run_virtual(main())


def test_of_few_gaps_each_ends_at_the_tick() -> None:
    async def main() -> None:
        desk = _Desk(coins=2, most=0)
        desk.move_rate(1500.0)
        await desk.decider.settled.wait()
        assert 0 < len(desk.episodes.open) <= deciding._GAPS_AT_ONCE
        desk.move_rate(1400.0)
        assert desk.episodes.open == {}

    run_virtual(main())


def test_a_route_that_cannot_be_evaluated_keeps_no_other_from_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        desk = _Desk()
        bad = desk.universe.routes[len(desk.universe.routes) // 2]
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context.get("exception")))

        def evaluated(routes: Sequence[ArbRoute], now: float, refused: list[ArbRoute] | None = None) -> list[Opportunity]:
            if bad in routes:
                raise ZeroDivisionError
            return evaluate_all(routes, now, refused)

        monkeypatch.setattr(deciding, "evaluate_all", evaluated)
        for times in (1, 2):
            desk.move_rate(1400.0 + times)
            await desk.decider.settled.wait()
            assert len(told) == times, "it is told each time"
            assert sum(desk.looks()) > times * (len(desk.universe.routes) - 10)

    run_virtual(main())
