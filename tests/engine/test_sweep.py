"""A sweep looks at every route of its list, whatever changes meanwhile, and no slice of one costs more than its share."""

import asyncio
import random
from collections.abc import Callable, Sequence
from operator import length_hint
from typing import cast

import pytest
from hypothesis import given, settings
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
from arbtui.routes.universe import ArbUniverse, evaluate_all, evaluate_until_one
from tests.bench.many_routes import PAIRS, fair_books, markets
from tests.routes.pairs import NOW, TERMS, rate_book


def _taken(sweep: Sweep, most: int) -> Sequence[ArbRoute]:
    taken = sweep.ahead(most)
    sweep.passed(len(taken))
    return taken


def _routes(count: int) -> list[ArbRoute]:
    return [cast(ArbRoute, number) for number in range(count)]


@given(first=st.integers(0, 5), takes=st.lists(st.integers(1, 7)), begins=st.sets(st.integers(0, 20)))
def test_a_sweep_that_begins_again_goes_round(first: int, takes: list[int], begins: set[int]) -> None:
    routes = _routes(12)
    sweep = Sweep(lambda: routes)
    sweep.begin(first)
    since: list[ArbRoute] = []  # what was taken since it last began
    for number, most in enumerate(takes):
        if number in begins:
            sweep.begin(first)
            since = []
        taken = _taken(sweep, most)
        assert len(taken) <= most
        since += taken
    while sweep.left:
        since += _taken(sweep, 3)
    assert sorted(since) == routes[first:], "each once"  # type: ignore[type-var]
    assert _taken(sweep, 3) == []


@given(steps=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), min_size=1))
def test_whatever_was_looked_at_at_once_at_each_change_the_rest_is_looked_at_after_the_last(steps: list[tuple[int, int]]) -> None:
    routes = _routes(12)
    sweep = Sweep(lambda: routes)
    since: list[ArbRoute] = []
    for first, most in steps:
        sweep.begin(first)
        since = [*routes[:first], *_taken(sweep, most)]
    while sweep.left:
        since += _taken(sweep, 3)
    assert sorted(since) == routes, "each once"  # type: ignore[type-var]


def test_what_was_ahead_and_not_looked_at_stays_ahead() -> None:
    routes = _routes(10)
    sweep = Sweep(lambda: routes)
    sweep.begin()
    assert sweep.ahead(6) == routes[:6]
    sweep.passed(2)
    assert sweep.ahead(6) == routes[2:8]
    assert sweep.left == 8


@pytest.mark.parametrize("size", [0, 3, 9, 20])
def test_a_list_that_changes_is_looked_at_whole(size: int) -> None:
    routes = _routes(10)
    sweep = Sweep(lambda: routes)
    sweep.begin(2)
    _taken(sweep, 6)
    routes[:] = _routes(size)
    since: list[ArbRoute] = []
    while sweep.left:
        since += _taken(sweep, 4)
    assert set(since) == set(routes[2:]) if size == 10 else set(since) == set(routes), "nobody knows which of them were looked at"


@pytest.mark.parametrize("gone", range(10))
def test_a_route_that_takes_the_place_of_another_hides_none(gone: int) -> None:
    routes = _routes(10)
    sweep = Sweep(lambda: routes)
    sweep.begin()
    seen = set(_taken(sweep, 6))
    del routes[gone]
    routes.append(cast(ArbRoute, 10))
    while sweep.left:
        seen.update(_taken(sweep, 4))
    assert seen >= set(routes)


def test_changes_that_come_faster_than_a_sweep_ends_pass_nobody_over() -> None:
    routes = _routes(100)
    sweep = Sweep(lambda: routes)
    seen: set[ArbRoute] = set()
    for _ in range(10):
        sweep.begin()
        seen.update(_taken(sweep, 10))
    assert seen == set(routes)


class _Desk:
    """All shapes over seven venues, on which nothing pays, and a decider that opens nothing."""

    def __init__(
        self, coins: int = 12, most: int = 600, open_cycle: Callable[[Opportunity], Reason | None] = lambda _: Reason.DISABLED
    ) -> None:
        listed, symbols = markets(coins)
        self.books = fair_books(listed, random.Random(1))
        self.rates = rate_book()
        rules = RouteRules(SHAPES, max_routes=most)
        pairs = dict.fromkeys(symbols, PAIRS)
        self.universe = ArbUniverse(listed, self.books, self.rates, TERMS, 0.0, symbols, pairs, ("KRW", "USDT"), rules)
        for node in self.universe.nodes.values():
            node.available = 1e12
        clock = LoopClock(asyncio.get_running_loop())
        self.denials = Denials(clock)
        self.episodes = Episodes(clock, self.denials, None)
        self.slices: list[int] = []  #: opportunities told of at once
        self.found: dict[str, Opportunity] = {}  #: the last one of each route
        self.decider = Decider(
            universe=self.universe,
            rates=self.rates,
            prioritizer=RoutePrioritizer(),
            clock=clock,
            episodes=self.episodes,
            open_cycle=open_cycle,
        )
        self.decider.on_found = self._note

    def _note(self, found: Sequence[Opportunity]) -> None:
        self.slices.append(len(found))
        self.found.update((one.route.id, one) for one in found)

    @property
    def rate(self) -> OrderBook:
        return self.rates.markets[0].book

    def decided(self) -> dict[str, tuple[object, ...]]:
        """What was found on each route: size, prices and edge."""
        return {name: (*((order.qty, order.price) for order in one.orders), one.edge_bps) for name, one in self.found.items()}

    def gaps(self) -> dict[str, tuple[object, ...]]:
        return {name: (one.gate, one.best_bps, one.size, one.threshold_bps) for name, one in self.episodes.open.items()}

    def move(self, book: OrderBook, times: float) -> None:
        """Put its prices at so many times what they are, and let it be decided on."""
        book.replace([(book.bid * times, 1000.0)], [(book.ask * times, 1000.0)])
        self.decider.on_books([book])

    def move_rate(self, bid: float) -> None:
        self.rate.replace([(bid, 1e6)], [(bid + 1.0, 1e6)])
        self.rate.ts_init = NOW
        self.decider.on_books([self.rate])

    def looks(self) -> list[int]:
        return [route.evaluations for route in self.universe.routes]


def test_a_book_of_many_routes_is_looked_at_in_part_at_once_and_each_route_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "_SLICE", 30)

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
        # With another one in a batch, in any order: one slice of both together is at once.
        for others in ([book, desk.books["bithumb", "KRW-BTC"]], [desk.books["bithumb", "KRW-BTC"], book]):
            before = desk.looks()
            desk.decider.on_books(others)
            at_once = sum(desk.looks()) - sum(before)
            await desk.decider.settled.wait()
            whole = sum(len(desk.universe.touched_by[one]) for one in others)
            assert (at_once, sum(desk.looks()) - sum(before)) == (30, whole)

    run_virtual(main())


def test_a_tick_after_which_everything_pays_is_priced_a_few_at_a_time() -> None:
    async def main() -> None:
        desk = _Desk()
        desk.move_rate(1500.0)
        assert desk.slices == [], "not at the tick itself"
        await desk.decider.settled.wait()
        assert sum(desk.slices) > 100
        assert max(desk.slices) <= 3
        assert set(desk.looks()) == {1}

    run_virtual(main())


def test_a_book_on_which_everything_pays_is_priced_a_few_at_a_time() -> None:
    async def main() -> None:
        desk = _Desk()
        book = desk.books["upbit", "KRW-BTC"]
        desk.move(book, 1.04)
        assert desk.slices, "some of it at once"
        await desk.decider.settled.wait()
        assert sum(desk.slices) > 50
        assert max(desk.slices) <= 3
        assert {route.evaluations for route in desk.universe.touched_by[book]} == {1}

    run_virtual(main())


@pytest.mark.parametrize("slice_of", [1, 100, 250])
def test_slices_decide_what_one_look_at_everything_decides(slice_of: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> list[object]:
        desk = _Desk()
        told: list[object] = []
        for rate in (1399.0, 1460.0, 1459.0, 1340.0, 1400.0):
            desk.move_rate(rate)
            await desk.decider.settled.wait()
            told += [desk.decided(), desk.gaps(), desk.looks()]
        for venue, code, times in (("upbit", "KRW-BTC", 1.04), ("binance", "BTCUSDT", 1.05), ("upbit", "KRW-BTC", 0.97)):
            desk.move(desk.books[venue, code], times)
            await desk.decider.settled.wait()
            told += [desk.decided(), desk.gaps(), desk.looks()]
        assert desk.decider.opportunities > 200
        return told

    monkeypatch.setattr(deciding, "_SLICE", 10**9)
    monkeypatch.setattr(deciding, "_GAPS", 10**9)
    whole = run_virtual(play())
    monkeypatch.setattr(deciding, "_SLICE", slice_of)
    monkeypatch.setattr(deciding, "_GAPS", min(slice_of, 25))
    assert run_virtual(play()) == whole


def test_a_route_is_priced_at_the_prices_of_its_turn() -> None:
    async def main() -> None:
        desk = _Desk()
        desk.move_rate(1500.0)
        await asyncio.sleep(0)
        early = set(desk.found)
        desk.move_rate(1400.0)  # before most had their turn
        await desk.decider.settled.wait()
        assert set(desk.found) == early
        assert desk.episodes.open == {}

    run_virtual(main())


def test_of_what_pays_at_once_one_cycle_opens_in_a_turn() -> None:
    async def main() -> None:
        opened: list[str] = []

        def open_cycle(opportunity: Opportunity) -> Reason | None:
            if opportunity.route.symbol in {desk.universe.by_id[name].symbol for name in opened}:
                return Reason.ROUTE_BUSY
            opened.append(opportunity.route.id)
            return None

        desk = _Desk(open_cycle=open_cycle)
        desk.move_rate(1500.0)
        while not desk.decider.settled.is_set():
            before = len(opened)
            await asyncio.sleep(0)
            assert len(opened) <= before + 1
        paying = {one.route.symbol for one in desk.found.values()}
        assert len(paying) > 5
        assert {desk.universe.by_id[name].symbol for name in opened} == paying, "none is lost"
        assert desk.episodes.open.keys() >= desk.found.keys()

    run_virtual(main())


def test_what_waits_behind_an_opened_cycle_is_decided_on_the_books_of_its_own_turn() -> None:
    async def main() -> None:
        opened: list[str] = []

        def open_cycle(opportunity: Opportunity) -> Reason | None:
            opened.append(opportunity.route.id)
            opportunity.route.blocked = Reason.ROUTE_BUSY
            return None

        for moves, count in ((True, 1), (False, 2)):
            opened.clear()
            desk = _Desk(coins=3, most=0, open_cycle=open_cycle)
            books = [desk.books["upbit", f"KRW-{coin}"] for coin in ("C1", "C2")]
            for book in books:
                book.replace([(book.bid * 1.04, 1000.0)], [(book.ask * 1.04, 1000.0)])
            for route in desk.universe.routes:  # one for each coin
                route.blocked = None if route.id in ("C1:binance>upbit", "C2:binance>upbit") else Reason.COOLDOWN
            desk.decider.on_books(books)
            assert len(opened) == 1
            if moves:
                for book in books:
                    book.replace([(book.bid / 1.04, 1000.0)], [(book.ask / 1.04, 1000.0)])
            await desk.decider.settled.wait()
            assert len(opened) == count

    run_virtual(main())


def test_a_route_that_is_taken_off_the_list_while_it_waits_is_not_opened() -> None:
    async def main() -> None:
        opened: list[str] = []

        def open_cycle(opportunity: Opportunity) -> Reason | None:
            opened.append(opportunity.route.id)
            opportunity.route.blocked = Reason.ROUTE_BUSY
            return None

        desk = _Desk(coins=3, most=0, open_cycle=open_cycle)
        books = [desk.books["upbit", f"KRW-{coin}"] for coin in ("C1", "C2")]
        for book in books:
            book.replace([(book.bid * 1.04, 1000.0)], [(book.ask * 1.04, 1000.0)])
        for route in desk.universe.routes:
            route.blocked = None if route.id in ("C1:binance>upbit", "C2:binance>upbit") else Reason.COOLDOWN
        desk.decider.on_books(books)
        assert len(opened) == 1
        desk.universe.remove([route for route in desk.universe.routes if route.id not in opened])
        await desk.decider.settled.wait()
        assert len(opened) == 1

    run_virtual(main())


def test_more_gaps_than_are_looked_at_at_once_end_in_slices() -> None:
    async def main() -> None:
        desk = _Desk()
        desk.move_rate(1500.0)
        await desk.decider.settled.wait()
        gaps = len(desk.episodes.open)
        assert gaps > 2 * deciding._GAPS
        desk.move_rate(1400.0)
        assert len(desk.episodes.open) == gaps, "not at the tick itself"
        while not desk.decider.settled.is_set():
            before = len(desk.episodes.open)
            await asyncio.sleep(0)
            assert len(desk.episodes.open) >= before - deciding._GAPS
        assert desk.episodes.open == {}
        desk.move_rate(1401.0)
        await desk.decider.settled.wait()
        assert desk.episodes.count == gaps

    run_virtual(main())


def test_the_gaps_of_one_book_of_many_end_in_slices() -> None:
    async def main() -> None:
        desk = _Desk()
        book = desk.books["upbit", "KRW-BTC"]
        desk.move(book, 1.04)
        await desk.decider.settled.wait()
        gaps = len(desk.episodes.on_book[book])
        assert gaps > deciding._GAPS
        desk.move(book, 1 / 1.04)
        assert len(desk.episodes.open) == gaps, "not at the change itself"
        while not desk.decider.settled.is_set():
            before = len(desk.episodes.open)
            await asyncio.sleep(0)
            assert len(desk.episodes.open) >= before - deciding._GAPS
        assert desk.episodes.open == {}

    run_virtual(main())


def test_a_gap_that_is_over_while_it_waits_is_looked_at_no_more() -> None:
    async def main() -> None:
        desk = _Desk()
        desk.move_rate(1500.0)
        await desk.decider.settled.wait()
        desk.move_rate(1501.0)
        assert desk.episodes.left == len(desk.episodes.open)
        desk.universe.on_removed = desk.episodes.gone
        desk.universe.remove(list(desk.universe.routes))
        assert desk.episodes.open == {}
        before = desk.denials.of_route()
        await desk.decider.settled.wait()
        assert (desk.episodes.left, desk.denials.of_route()) == (0, before)

    run_virtual(main())


def test_the_time_of_many_gaps_is_given_to_its_reason_in_slices_and_none_is_left_out() -> None:
    async def main() -> None:
        desk = _Desk()
        loop = asyncio.get_running_loop()
        desk.move_rate(1500.0)
        await desk.decider.settled.wait()
        gaps = len(desk.episodes.open)
        assert gaps > 150

        def held() -> float:
            return sum(one.minute.seconds for one in desk.denials.of_route())

        await asyncio.sleep(1.0)
        assert held() == 0.0
        desk.episodes.account(loop.time())
        assert held() == pytest.approx(50.0)
        while held() < gaps:
            before = held()
            desk.episodes.account_on(loop.time())
            assert before < held() <= before + 50.0
        desk.episodes.account_on(loop.time())
        assert held() == pytest.approx(gaps)
        await asyncio.sleep(1.0)
        desk.episodes.account(loop.time())
        desk.universe.on_removed = desk.episodes.gone
        desk.universe.remove(list(desk.universe.routes))
        desk.episodes.account_on(loop.time())
        assert held() == pytest.approx(2.0 * gaps)

    run_virtual(main())


def test_of_few_gaps_each_ends_at_the_tick() -> None:
    async def main() -> None:
        desk = _Desk(coins=2, most=0)
        desk.move_rate(1500.0)
        await desk.decider.settled.wait()
        assert 0 < len(desk.episodes.open) <= deciding._GAPS
        desk.move_rate(1400.0)
        assert desk.episodes.open == {}

    run_virtual(main())


def test_a_route_that_cannot_be_evaluated_keeps_no_other_from_its_turn_nor_from_what_it_pays() -> None:
    async def main() -> None:
        well, desk = _Desk(), _Desk()
        well.move_rate(1500.0)
        await well.decider.settled.wait()
        bad = desk.universe.by_id[list(well.found)[4]]  # in the middle of a slice
        bad._factor = None  # type: ignore[attr-defined]
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context.get("exception")))
        for times in (1, 2):
            desk.move_rate(1500.0 - times + 1)
            await desk.decider.settled.wait()
            assert len(told) == times, "it is told each time"
            assert set(desk.looks()) == {times}
            assert desk.found.keys() == well.found.keys() - {bad.id}

    run_virtual(main())


@given(blocked=st.sets(st.integers(0, 400)), rate=st.sampled_from([1340.0, 1400.0, 1460.0]))
@settings(max_examples=20, deadline=None)
def test_routes_evaluated_until_one_pays_are_those_evaluated_together(blocked: set[int], rate: float) -> None:
    async def main() -> None:
        answers = []
        for at_once in (True, False):
            desk = _Desk(coins=6, most=200)
            routes = sorted(desk.universe.routes, key=lambda route: route.id)  # classes by turns
            for number in blocked & set(range(len(routes))):
                routes[number].blocked = Reason.COOLDOWN
            desk.rate.replace([(rate, 1e6)], [(rate + 1.0, 1e6)])
            desk.rates.refresh()
            refused: list[ArbRoute] = []
            found: list[Opportunity] = []
            looking = iter(routes)
            while left := length_hint(looking):
                told = len(found) + len(refused)
                found += evaluate_all(looking, NOW, refused) if at_once else evaluate_until_one(looking, NOW, refused)
                if not at_once:
                    now_told = len(found) + len(refused)
                    assert now_told - told <= 1
                    if now_told > told:  # it stands right behind the one that pays
                        last = routes[len(routes) - length_hint(looking) - 1]
                        assert last in (refused[-1:] + [one.route for one in found[-1:]])
                assert length_hint(looking) < left
            answers.append(([one.route.id for one in found], [route.id for route in refused], [route.evaluations for route in routes]))
        assert answers[0] == answers[1]

    run_virtual(main())


class _Blocked:
    """A route that pays and is blocked, of a class of its own; ``crossed_since`` is still to be taken back."""

    evaluate_all = staticmethod(ArbRoute.evaluate_all)
    is_crossed = False

    def __init__(self) -> None:
        self.blocked, self.crossed_since = Reason.COOLDOWN, 1.0

    def clears(self) -> bool:
        return True


class _BlockedToo(_Blocked):
    """Of another class."""


def test_none_is_passed_over_where_one_class_of_routes_ends_and_the_next_begins() -> None:
    routes = [_Blocked(), _Blocked(), _BlockedToo(), _BlockedToo()]
    looking, refused = iter(routes), []  # type: ignore[var-annotated]
    while length_hint(looking):
        assert not evaluate_until_one(looking, NOW, refused)  # type: ignore[arg-type]
    assert refused == routes
    assert all(route.crossed_since is None for route in routes)
