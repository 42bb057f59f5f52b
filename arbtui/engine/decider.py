"""From changed books to opened cycles: the way of one update, in plain calls."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import length_hint

from arbtui.engine.episodes import Episodes
from arbtui.engine.sweep import Sweep
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity
from arbtui.routes.universe import ArbUniverse, evaluate_until_one

#: The work of one slice, in evaluations of routes that do not pay: well under 1 ms. Counted, not timed, so that a replay repeats.
_SLICE = 250
#: As much work as so many of those: each trade of a route that is priced, since it may pay, and an opportunity that is ranked and judged.
_PRICED, _FOUND = 40, 125
#: A book of more routes than these has one slice of them looked at when it changes, the two-leg ones first; the rest waits for a sweep.
#: No more than half of a book's routes pay at once: those that buy there, or those that sell.
_FEW = 12
#: Open gaps that are looked at at once, or in one slice; one that ends takes 16 us.
_GAPS = 25


class Decider:
    """Evaluates the routes that changed books touch, ranks what pays, and opens.

    Args:
        episodes: told of every gap.
        open_cycle: opens one opportunity, or says why not.
    """

    def __init__(
        self,
        *,
        universe: ArbUniverse,
        rates: RateBook,
        prioritizer: RoutePrioritizer,
        clock: Clock,
        episodes: Episodes,
        open_cycle: Callable[[Opportunity], Reason | None],
    ) -> None:
        self._universe = universe
        self._rates = rates
        self._rate_books = frozenset(rates.books)
        self._prioritizer = prioritizer
        self._now = clock.monotonic
        self._episodes = episodes
        self._gaps = episodes.on_book  # looked at after every batch
        self._refused: list[ArbRoute] = []  # of the batch at hand; one list for all, since most batches add nothing
        self._open_cycle = open_cycle
        self._all = Sweep(lambda: universe.routes)  # after a rate tick
        self._rests: dict[OrderBook, Sweep] = {}  # after a change of a book that many routes trade on, while something is left
        self._waiting: dict[Sweep | Episodes, OrderBook | None] = {}  # what has looks left, in the order of the turns; of which book
        self.settled = asyncio.Event()  #: set while no look is left
        self.settled.set()
        self.passes = 0  #: looks at a batch that were finished, with or without an opportunity: the engine's heartbeat
        self.on_found: Callable[[Sequence[Opportunity]], None] | None = None  #: told of all opportunities of one look, as they were found

    def on_books(self, books: Sequence[OrderBook]) -> None:
        """The books that one batch of frames changed, each once. Their order in the batch makes no difference.

        The batch is one moment: its rate is read before any route is priced, and what is found is put in order of the routes'
        ids before it is ranked, a route of which both books changed only once.
        """
        now = self._now()
        refused, rate_books = self._refused, self._rate_books
        touched_by, evaluate = self._universe.touched_by, self._universe.evaluate
        if len(books) == 1:  # as most batches are
            book = books[0]
            rate_moved = book in rate_books and self._rates.refresh(books, now)
            touched = touched_by.get(book, ())
            found = evaluate(touched, now, refused) if len(touched) <= _FEW else self._look_at_many(books, now)
            is_open_gap = book in self._gaps
        else:
            rate_moved = not rate_books.isdisjoint(books) and self._rates.refresh(books, now)
            found, of_many = [], []
            for book in books:
                touched = touched_by.get(book, ())
                if len(touched) <= _FEW:
                    found += evaluate(touched, now, refused)
                else:
                    of_many.append(book)
            if of_many:
                found += self._look_at_many(of_many, now)
            is_open_gap = not self._gaps.keys().isdisjoint(books)
        if rate_moved:
            self._sweep(self._all)
        if found:
            self._take(found if len(books) == 1 else _in_order_of_routes(found))
        if refused:
            self._episodes.refused(refused, now)
            refused.clear()
        if is_open_gap or rate_moved:
            self._episodes.look(None if rate_moved else books, now, _GAPS, found[0].route if len(found) == 1 else None)
            if self._episodes.left:
                self._wait_for_turn(self._episodes)
        self.passes += 1

    def pass_idle(self) -> None:
        """Run once without a changed book, where no market moves: the heartbeat proves that decisions can be made."""
        self.on_books(())

    @property
    def opportunities(self) -> int:
        """How many gaps were seen, each counted once however long it lasted, taken or not."""
        return self._episodes.count

    @property
    def evaluations(self) -> int:
        """How often a route was evaluated."""
        return sum(route.evaluations for route in self._universe.routes)

    def _take(self, found: Sequence[Opportunity]) -> None:
        """Open one at most, since that alone takes most of a ms: what else pays is decided anew in the next turn, on the books of then."""
        if self.on_found is not None:
            self.on_found(found)
        later: list[ArbRoute] = []
        has_opened = False
        for wanted in self._prioritizer.rank(found) if len(found) > 1 else found:
            route, opportunity = wanted.route, wanted
            if has_opened and route.blocked is None:
                later.append(route)
                continue
            refusal = route.blocked  # the other direction, or the same asset, was opened a moment ago
            if refusal is None:
                opportunity, refusal = self._prioritizer.share_out(wanted, self._open_cycle)
                route.denied = refusal
                has_opened = refusal is None
            self._episodes.found(opportunity, refusal)
        if later:
            sweep = Sweep(partial(self._listed, later))
            self._sweep(sweep)
            self._waiting = {sweep: None, **self._waiting}  # their turn is the next one

    def _listed(self, routes: Sequence[ArbRoute]) -> Sequence[ArbRoute]:
        return [route for route in routes if self._universe.by_id.get(route.id) is route]

    def _look_at_many(self, books: Sequence[OrderBook], now: float) -> list[Opportunity]:
        """Look at one slice of the routes of ``books``, each of which has many, and sweep the rest."""
        found: list[Opportunity] = []
        work = 0
        if len(books) > 1:  # their order in the batch must make no difference
            books = sorted(books, key=lambda book: (book.exchange, book.code))
        for book in books:
            touched = self._universe.touched_by[book]
            looking = iter(touched)
            work += self._evaluate(looking, _SLICE - work, now, found, self._refused)
            if rest := length_hint(looking):
                if book not in self._rests:
                    self._rests[book] = Sweep(partial(self._touched, book))
                self._sweep(self._rests[book], len(touched) - rest, book)
        return found

    def _touched(self, book: OrderBook) -> Sequence[ArbRoute]:
        return self._universe.touched_by.get(book, ())

    def _sweep(self, sweep: Sweep, first: int = 0, book: OrderBook | None = None) -> None:
        """Look at each of its routes but the ``first`` ones, in slices between which other work, and other looks, get their turn."""
        sweep.begin(first)
        self._wait_for_turn(sweep, book)

    def _wait_for_turn(self, looks: Sweep | Episodes, book: OrderBook | None = None) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._slice)
        self._waiting[looks] = book
        self.settled.clear()

    def _slice(self) -> None:
        looks = next(iter(self._waiting))
        book = self._waiting.pop(looks)
        now = self._now()
        found: list[Opportunity] = []
        refused: list[ArbRoute] = []
        try:
            if isinstance(looks, Sweep):
                self._look_on(looks, now, found, refused)
            else:
                looks.look_on(now, _GAPS)
        finally:  # a route that cannot be evaluated must not keep all others from their turns for good, nor what was found before it
            if looks.left:
                self._waiting[looks] = book
            elif book is not None:
                del self._rests[book]
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._slice)
            else:
                self.settled.set()
            if found:
                self._take(found)
            if refused:
                self._episodes.refused(refused, now)

    def _look_on(self, sweep: Sweep, now: float, found: list[Opportunity], refused: list[ArbRoute]) -> None:
        ahead = sweep.ahead(_SLICE)
        looking = iter(ahead)
        try:
            self._evaluate(looking, _SLICE, now, found, refused)
        finally:
            sweep.passed(len(ahead) - length_hint(looking))

    def _evaluate(self, looking: Iterator[ArbRoute], most: int, now: float, found: list[Opportunity], refused: list[ArbRoute]) -> int:
        """Evaluate the next routes until that was ``most`` work, right behind the route with which it was; how much it was.

        What pays, and what is refused, is added to ``found`` and ``refused``.
        """
        work, ahead = 0, length_hint(looking)
        while work < most and ahead:
            told = len(refused)
            room = most - work
            pays = evaluate_until_one(looking if ahead <= room else islice(looking, room), now, refused)
            left = length_hint(looking)
            work += ahead - left
            ahead = left
            if pays:
                work += _FOUND + _PRICED * len(pays[0].route.trades)
                found += pays
            if len(refused) > told:
                work += _PRICED * sum([len(route.trades) for route in refused[told:]])
        return work


def _in_order_of_routes(found: Sequence[Opportunity]) -> list[Opportunity]:
    by_id = {opportunity.route.id: opportunity for opportunity in found}
    return [by_id[route_id] for route_id in sorted(by_id)]
