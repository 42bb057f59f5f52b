"""Episodes: one for each gap, from the moment a route's edge clears its threshold until it no longer does, taken or not."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from itertools import islice

from msgspec import Struct, field

from arbtui.engine.denials import Denials
from arbtui.engine.round import Round
from arbtui.journal.episodes import KEPT, LOOKS_MS, ROUTE_GONE, RUN_ENDED, EpisodeRecord
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute, Opportunity

#: Episodes written along with one snapshot, so that no order waits for more than a few ms of them.
_WRITTEN_AT_ONCE = 500
#: Gaps whose time is given to a reason in one slice, 4 us each.
_ACCOUNTED_AT_ONCE = 50
#: The edge at the touch clears its threshold, and that of no tradable size does.
_NO_EDGE = (Reason.BELOW_THRESHOLD, Reason.RATE_UNCONFIRMED)


class _Episode(Struct, eq=False):
    """One that is open, or waits for its last look. ``orders``: (base quantity, worst price) of each trade hop when it began."""

    route: ArbRoute
    trades: tuple[TradeHop, ...]
    started: float  #: monotonic seconds
    started_ms: int
    orders: tuple[tuple[float, float], ...]
    threshold_bps: float  #: the lowest since it began: what we take ourselves makes stock scarcer, and ends nothing
    best_bps: float
    size: float
    sized: bool  #: best edge and size are an opportunity's, else those of the touch
    gate: str
    held_by: Reason | None  #: what keeps us from it now; None where a cycle was opened on it a moment ago
    held_since: float  #: monotonic seconds, up to which its time was given to a reason
    cycles: int = 0
    ended_ms: int = 0
    ended_by: str = ""
    would_fill: list[bool] = field(default_factory=list)


class Episodes:
    """The gaps that are open, and those that ended and are not written yet. Told by the :class:`Decider`, which looks once a batch.

    An episode begins with an opportunity, or with prices that clear the threshold at the touch where something else bars the
    route (no stock, a cycle that runs, a rest, ...). It ends when the touch no longer clears, or when its prices are not to be
    believed (stale, gapped, no rate): then nobody knows the edge. Only batches begin and end episodes, so a replay counts the same.

    Whether its first orders would fill later is looked up by the loop's clock, 50 to 500 ms after it began.

    Args:
        denials: given the time of each gap, by what keeps us from it.
        call_at: of the loop; None where there is no loop, and then nobody looks again.
    """

    def __init__(self, clock: Clock, denials: Denials, call_at: Callable[..., object] | None) -> None:
        self._clock = clock
        self._time_ms = clock.time_ms
        self._denials = denials
        self._call_at = call_at
        self._ended: deque[EpisodeRecord] = deque(maxlen=KEPT)
        self._unrecorded: dict[_Episode, None] = {}  # open, or before their last look
        self._looks: Round[_Episode] = Round(lambda episode: episode.ended_by != "")  # of all that are open, after a rate moved
        self._unaccounted: deque[_Episode] = deque()  # that were open when the last second began
        self._waiting: dict[_Episode, None] = {}  # those that are to be looked at, since a book of theirs changed
        self._closed = False
        self.on_book: dict[OrderBook, dict[_Episode, None]] = {}  #: the open ones: a batch must not cost more where many are open
        self.open: dict[str, _Episode] = {}  #: by route
        self.count = 0  #: begun in this run
        self.on_record: Callable[[EpisodeRecord], None] = lambda _: None  #: told of each that is over and was looked at again

    def found(self, opportunity: Opportunity, refusal: Reason | None) -> None:
        """An opportunity was found; ``refusal``: why it was not taken, None where a cycle was opened on it."""
        route = opportunity.route
        episode = self.open.get(route.id)
        if episode is None:
            episode = self._begin(
                route,
                opportunity.decided_at,
                _amounts(opportunity),
                opportunity.least_bps,
                opportunity.edge_bps,
                opportunity.size,
                refusal,
                sized=True,
            )
        else:
            episode.threshold_bps = min(episode.threshold_bps, opportunity.least_bps)
            if not episode.sized or opportunity.edge_bps > episode.best_bps:
                episode.best_bps, episode.size, episode.sized = opportunity.edge_bps, opportunity.size, True
        self._hold(episode, refusal, opportunity.decided_at)
        if refusal is None:
            episode.cycles += 1

    def refused(self, routes: Sequence[ArbRoute], now: float) -> None:
        """These routes may pay and are no opportunity at ``now`` (monotonic seconds): begin episodes of those that do pay."""
        for route in sorted(routes, key=lambda route: route.id):
            if route.id in self.open:
                continue
            reason = route.blocked or route.denied
            edge, least = route.touch_edge_bps(), route.threshold_bps()
            if reason in _NO_EDGE or not edge > least or route.data_refusal(now) is not None:
                continue
            size = route.touch_size()
            self._begin(route, now, route.touch_orders(), least, edge, size, reason, sized=False)

    def look(self, books: Sequence[OrderBook] | None, now: float, most: int, found: ArbRoute | None = None) -> None:
        """End the open episodes that ``books`` changed (None: a rate moved, all of them) and that no longer clear.

        ``found``: the route of the one opportunity that these books make, of which :meth:`found` was told: it clears, and is not looked at
        unless it was taken. Where those are more than ``most`` to look at, all of them wait for :meth:`look_on`.
        """
        if books is None and len(self.open) > most:
            self._looks.begin()
            return
        touched = self._touched_by(books)
        if len(touched) > most:
            self._waiting.update(dict.fromkeys(touched))
            return
        for episode in sorted(touched, key=lambda episode: episode.route.id) if len(touched) > 1 else list(touched):
            if episode.route is not found or episode.held_by is None:
                self._look(episode, now)

    def look_on(self, now: float, most: int) -> None:
        """The same for ``most`` of those that wait, the longest waiting first."""
        for episode in self._looks.take(most // 2 if self._waiting else most):
            most -= 1
            self._look(episode, now)
        for episode in list(islice(self._waiting, most)):
            del self._waiting[episode]
            self._look(episode, now)

    @property
    def left(self) -> int:
        """How many wait to be looked at."""
        return self._looks.left + len(self._waiting)

    def _look(self, episode: _Episode, now: float) -> None:
        route = episode.route
        refusal = route.data_refusal(now)
        if refusal is not None:
            self._end(episode, now, refusal)
            self._denials.count(route.id, refusal)
            return
        episode.threshold_bps = min(episode.threshold_bps, route.threshold_bps())
        edge = route.touch_edge_bps()
        self._hold(episode, route.blocked or route.denied, now)
        if not edge > episode.threshold_bps:
            self._end(episode, now, Reason.BELOW_THRESHOLD)
        elif not episode.sized and edge > episode.best_bps:
            episode.best_bps, episode.size = edge, route.touch_size()

    def account(self, now: float) -> None:
        """Give the time of every open gap up to ``now`` to what kept us from it: once a second, and not only when it ends.

        Of many open gaps that is done in slices, see :meth:`account_on`; the next round begins when all had their turn.
        """
        if not self._unaccounted:
            self._unaccounted.extend(self.open.values())
        self.account_on(now)

    def account_on(self, now: float) -> None:
        """Do a slice of what :meth:`account` has begun."""
        for _ in range(min(_ACCOUNTED_AT_ONCE, len(self._unaccounted))):
            episode = self._unaccounted.popleft()
            if not episode.ended_by:
                self._account(episode, now)

    def gone(self, routes: Sequence[ArbRoute]) -> None:
        """``routes`` were taken off the list: nothing looks at them any more."""
        now = self._clock.monotonic()
        for route in routes:
            if (episode := self.open.get(route.id)) is not None and episode.route is route:
                self._end(episode, now, ROUTE_GONE)

    def close(self) -> None:
        """The run ends: so does every episode. Looks that were still due stay unanswered."""
        self._closed = True
        now = self._clock.monotonic()
        for episode in tuple(self.open.values()):
            self._end(episode, now, RUN_ENDED)
        for episode in tuple(self._unrecorded):
            self._record(episode)

    @property
    def is_closed(self) -> bool:
        """True once the run has ended for it."""
        return self._closed

    def take(self) -> Sequence[EpisodeRecord]:
        """Take episodes that ended, oldest first, to write them down: a few hundred at once, after :meth:`close` all."""
        most = len(self._ended) if self._closed else min(len(self._ended), _WRITTEN_AT_ONCE)
        return [self._ended.popleft() for _ in range(most)]

    def _touched_by(self, books: Sequence[OrderBook] | None) -> Collection[_Episode]:
        if books is None:
            return self.open.values()
        if len(books) == 1:  # as most batches are
            return self.on_book.get(books[0], {})
        ordered = sorted(books, key=lambda book: (book.exchange, book.code))  # that of the batch must make no difference
        return dict.fromkeys(episode for book in ordered for episode in self.on_book.get(book, ()))

    def _begin(
        self,
        route: ArbRoute,
        now: float,
        orders: tuple[tuple[float, float], ...],
        least_bps: float,
        edge_bps: float,
        size: float,
        gate: Reason | None,
        *,
        sized: bool,
    ) -> _Episode:
        trades = route.trades
        episode = _Episode(
            route=route,
            trades=trades,
            started=now,
            started_ms=self._time_ms(),
            orders=orders,
            threshold_bps=least_bps,
            best_bps=edge_bps,
            size=size,
            sized=sized,
            gate="" if gate is None else str(gate),
            held_by=None,
            held_since=now,
        )
        self._hold(episode, gate, now)
        self.count += 1
        self.open[route.id] = episode
        for hop in trades:
            self.on_book.setdefault(hop.book, {})[episode] = None
        self._looks.add(episode)
        self._unrecorded[episode] = None
        self._look_later(episode)
        return episode

    def _hold(self, episode: _Episode, reason: Reason | None, now: float) -> None:
        """From ``now`` on it is ``reason`` that keeps us from it."""
        if reason is not episode.held_by:
            self._account(episode, now)
            episode.held_by = reason
            if reason is not None:
                self._denials.hold(episode.route.id, reason, 0.0, times=1)

    def _account(self, episode: _Episode, now: float) -> None:
        seconds = now - episode.held_since
        episode.held_since = now
        if episode.held_by is not None and seconds > 0.0:
            self._denials.hold(episode.route.id, episode.held_by, seconds)

    def _end(self, episode: _Episode, now: float, why: str) -> None:
        self._account(episode, now)
        del self.open[episode.route.id]
        self._waiting.pop(episode, None)
        for hop in episode.trades:
            there = self.on_book.get(hop.book, {})
            there.pop(episode, None)
            if not there:
                self.on_book.pop(hop.book, None)
        episode.ended_ms = episode.started_ms + round((now - episode.started) * 1000)  # the wall clock may be set meanwhile
        episode.ended_by = str(why)
        if len(episode.would_fill) == len(LOOKS_MS) or self._call_at is None:
            self._record(episode)

    def _look_later(self, episode: _Episode) -> None:
        if self._call_at is not None:
            self._call_at(episode.started + LOOKS_MS[len(episode.would_fill)] / 1000, self._look_again, episode)

    def _look_again(self, episode: _Episode) -> None:
        if self._closed:
            return
        pairs = zip(episode.trades, episode.orders, strict=True)
        episode.would_fill.append(all(hop.would_fill(qty, price) for hop, (qty, price) in pairs))
        if len(episode.would_fill) < len(LOOKS_MS):
            self._look_later(episode)
        elif episode.ended_by:
            self._record(episode)

    def _record(self, episode: _Episode) -> None:
        del self._unrecorded[episode]
        unanswered = (None,) * (len(LOOKS_MS) - len(episode.would_fill))
        record = EpisodeRecord(
            route=episode.route.id,
            symbol=episode.route.symbol,
            started_ms=episode.started_ms,
            ended_ms=episode.ended_ms,
            ended_by=episode.ended_by,
            best_edge_bps=episode.best_bps,
            size=episode.size,
            cycles=episode.cycles,
            gate="" if episode.cycles else episode.gate,
            would_fill=(*episode.would_fill, *unanswered),
        )
        self._ended.append(record)
        self.on_record(record)


def _amounts(opportunity: Opportunity) -> tuple[tuple[float, float], ...]:
    return tuple([(float(order.qty), float(order.price)) for order in opportunity.orders])
