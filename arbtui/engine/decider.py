"""From changed books to opened cycles: the way of one update, in plain calls."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from arbtui.engine.episodes import Episodes
from arbtui.engine.sweep import Sweep
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity
from arbtui.routes.universe import ArbUniverse, evaluate_all

#: Routes evaluated in one slice of a sweep: well under 1 ms. Counted, not timed, so that a replay repeats.
_SLICE = 250
#: What counts there besides, each as so many routes: each trade of one that is priced, since it may pay, and an open gap.
_PRICED, _GAP = 10, 5
#: So many are evaluated before it is counted what they came to.
_GROUP = 5
#: Routes of one book that are evaluated at once when it changes, the two-leg ones first; the rest waits for a sweep.
_AT_ONCE = 500
#: Open gaps that are looked at at once when a rate moves; of more each along with its route.
_GAPS_AT_ONCE = 50


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
        self._rests: dict[OrderBook, Sweep] = {}  # after a change of a book that many routes trade on
        self._waiting: dict[Sweep, None] = {}  # those of which something is left, in the order of their turns
        self.settled = asyncio.Event()  #: set while no sweep has anything left
        self.settled.set()
        self._gaps_wait = False  # the sweep after the last rate tick looks at the open gaps, too
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
            if len(touched) > _AT_ONCE:
                touched = touched[:_AT_ONCE]
                self._sweep_rest(books)
            found = evaluate(touched, now, refused)
            is_open_gap = book in self._gaps
        else:
            rate_moved = not rate_books.isdisjoint(books) and self._rates.refresh(books, now)
            found = []
            for book in books:
                found += evaluate(touched_by.get(book, ())[:_AT_ONCE], now, refused)
            self._sweep_rest(books)
            is_open_gap = not self._gaps.keys().isdisjoint(books)
        if rate_moved:
            self._sweep(self._all)
        if found:
            self._take(found if len(books) == 1 else _in_order_of_routes(found))
        if refused:
            self._episodes.refused(refused, now)
            refused.clear()
        if rate_moved and len(self._episodes.open) > _GAPS_AT_ONCE:
            self._gaps_wait, rate_moved = True, False
        if is_open_gap or rate_moved:
            self._episodes.look(None if rate_moved else books, now)
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
        if self.on_found is not None:
            self.on_found(found)
        for wanted in self._prioritizer.rank(found) if len(found) > 1 else found:
            route, opportunity = wanted.route, wanted
            refusal = route.blocked  # the other direction, or the same asset, was opened a moment ago
            if refusal is None:
                opportunity, refusal = self._prioritizer.share_out(wanted, self._open_cycle)
                route.denied = refusal
            self._episodes.found(opportunity, refusal)

    def _sweep_rest(self, books: Sequence[OrderBook]) -> None:
        """Sweep what is left of the books that more routes trade on than are evaluated at once, in an order that is not the batch's."""
        of_many = [book for book in books if len(self._touched(book)) > _AT_ONCE]
        for book in sorted(of_many, key=lambda book: (book.exchange, book.code)):
            if book not in self._rests:
                self._rests[book] = Sweep(partial(self._touched, book), _AT_ONCE)
            self._sweep(self._rests[book])

    def _touched(self, book: OrderBook) -> Sequence[ArbRoute]:
        return self._universe.touched_by.get(book, ())

    def _sweep(self, sweep: Sweep) -> None:
        """Look at each of its routes, in slices between which other work, and other sweeps, get their turn."""
        sweep.begin()
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._slice)
        self._waiting[sweep] = None
        self.settled.clear()

    def _slice(self) -> None:
        sweep = next(iter(self._waiting))
        del self._waiting[sweep]
        now, work = self._now(), 0
        routes: list[ArbRoute] = []
        found: list[Opportunity] = []
        refused: list[ArbRoute] = []
        try:
            while sweep.left and work < _SLICE:
                group = sweep.take(_GROUP)
                at = len(refused)
                pays = evaluate_all(group, now, refused)
                priced = [*(one.route for one in pays), *(route for route in refused[at:] if route.blocked is None)]
                work += len(group) + _PRICED * sum([len(route.trades) for route in priced])
                if self._gaps_wait:
                    work += _GAP * sum([route.id in self._episodes.open for route in group])
                found += pays
                routes += group
        finally:  # a route that cannot be evaluated must not keep all others from their turns for good
            if sweep.left:
                self._waiting[sweep] = None
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._slice)
            else:
                self.settled.set()
        if found:
            self._take(found)
        if refused:
            self._episodes.refused(refused, now)
        if sweep is self._all and self._gaps_wait:
            self._episodes.look_at(routes, now)
            self._gaps_wait = sweep.left > 0


def _in_order_of_routes(found: Sequence[Opportunity]) -> list[Opportunity]:
    by_id = {opportunity.route.id: opportunity for opportunity in found}
    return [by_id[route_id] for route_id in sorted(by_id)]
