"""From changed books to opened cycles: the way of one update, in plain calls."""

import asyncio
from collections.abc import Callable, Sequence

from arbtui.engine.episodes import Episodes
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity
from arbtui.routes.universe import ArbUniverse, evaluate_all

#: Routes evaluated in one slice after a rate tick: well under 1 ms. Counted, not timed, so that a replay repeats.
_SLICE = 250


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
        self._sweep_at: int | None = None
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
            found = evaluate(touched_by.get(book, ()), now, refused)
            is_open_gap = book in self._gaps
        else:
            rate_moved = not rate_books.isdisjoint(books) and self._rates.refresh(books, now)
            found = []
            for book in books:
                found += evaluate(touched_by.get(book, ()), now, refused)
            is_open_gap = not self._gaps.keys().isdisjoint(books)
        if rate_moved:
            self._sweep()
        if found:
            self._take(found if len(books) == 1 else _in_order_of_routes(found))
        if refused:
            self._episodes.refused(refused, now)
            refused.clear()
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

    def _sweep(self) -> None:
        """A rate tick touches every route: evaluate them all, in slices between which other work gets its turn."""
        if self._sweep_at is None:
            asyncio.get_running_loop().call_soon(self._slice)
        self._sweep_at = 0

    def _slice(self) -> None:
        at = self._sweep_at
        if at is None:
            return
        routes = self._universe.routes[at : at + _SLICE]
        now = self._now()
        refused: list[ArbRoute] = []
        found = evaluate_all(routes, now, refused)
        if at + _SLICE < len(self._universe.routes):
            self._sweep_at = at + _SLICE
            asyncio.get_running_loop().call_soon(self._slice)
        else:
            self._sweep_at = None
        if found:
            self._take(found)
        if refused:
            self._episodes.refused(refused, now)


def _in_order_of_routes(found: Sequence[Opportunity]) -> list[Opportunity]:
    by_id = {opportunity.route.id: opportunity for opportunity in found}
    return [by_id[route_id] for route_id in sorted(by_id)]
