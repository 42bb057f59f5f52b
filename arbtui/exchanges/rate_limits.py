"""RateLimitManager: every request to a venue waits here for its share of the venue's rate limits.

Order is by lane, then by age: a waiting cancel goes before a hedge, an entry, and data. Of the venue's count
and ours, the larger is used.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import inf

from arbtui.exchanges.rate_limit import Lane, LimitLeft, VenueLimits, Window
from arbtui.model.clock import Clock
from arbtui.model.errors import RateLimited

__all__ = ["LimitLeft", "RateLimitManager"]

#: s that a request of each lane waits at most before it is refused. A cancel is worth waiting for; an entry's edge
#: is gone after a quarter of a second; a snapshot, and a comparison of accounts, may wait out a minute's window and then some.
PATIENCE_S: Mapping[Lane, float] = {Lane.CANCEL: 30.0, Lane.HEDGE: 5.0, Lane.ENTRY: 0.25, Lane.DATA: 120.0, Lane.CHECK: 120.0}

#: s of a ban whose length the venue does not state, doubled for each consecutive one. Binance bans for 2 minutes
#: at least (418); a 429 clears with the venue's window, 1 s at Upbit.
_UNTOLD_BAN_S = {429: 2.0, 418: 120.0}
#: s; Binance bans for 3 days at most. A longer one is a mistake in the header.
_LONGEST_BAN_S = 3 * 86_400.0
#: s after a ban in which only cancels are sent, one a second: they find out whether the ban is over.
_CALM_S = 2.0
_PROBE_EVERY_S = 1.0
#: Least retry time, in s, of a request that was refused because others went first.
_SOONEST_RETRY_S = 0.1
#: A timer is never set shorter: rounding of the clock must not turn into a busy loop.
_SHORTEST_WAIT_S = 0.001


@dataclass(slots=True)
class _Ban:
    """Whether requests are silenced, of one group or of the whole venue. Times are monotonic s."""

    until: float = -inf
    probing: bool = False  #: its time has passed, and no answer has confirmed its end yet
    probe_at: float = -inf
    in_a_row: int = 0

    def begin(self, now: float, status: int, retry_s: float | None) -> None:
        """Silence for ``retry_s``, or for a time that doubles with each consecutive ban where the venue does not state one."""
        if now >= self.until:  # later answers to requests already sent report the same ban
            self.in_a_row += 1
        if retry_s is None:
            retry_s = _UNTOLD_BAN_S[status] * 2 ** min(self.in_a_row - 1, 10)
        self.until = max(self.until, now + min(retry_s, _LONGEST_BAN_S))
        self.probing, self.probe_at = True, -inf

    def answered(self, now: float) -> None:
        """A request that it would have silenced was answered."""
        if now >= self.until:
            self.probing, self.in_a_row = False, 0

    def opens(self, now: float, lane: Lane) -> float:
        """When ``lane`` may send; ``now`` where it may."""
        if not self.probing and now >= self.until:
            return now
        return max(now, self.until + (0.0 if lane is Lane.CANCEL else _CALM_S), self.probe_at)

    def spent(self, now: float) -> None:
        """A request leaves: while nothing has confirmed the end, the next one waits."""
        if self.probing:
            self.probe_at = now + _PROBE_EVERY_S


#: What one request took of each limit: the limit's window, until when it counts there (monotonic s), and the units.
Spent = list[tuple[Window, float, float]]


@dataclass(order=True, slots=True)
class _Waiter:
    lane: Lane
    number: int
    costs: Mapping[str, float] = field(compare=False)
    deadline: float = field(compare=False)
    turn: asyncio.Future[Spent] = field(compare=False)


class RateLimitManager:
    """The limits of one venue, for one account behind one IP address.

    Groups at Upbit: `quotation`, `default` (includes the cancel of one order), `order`, `order-test`, `order-cancel-all`; at
    Binance: `weight`, `orders`; at both `socket-connect` and `socket-message`.
    """

    def __init__(self, exchange: str, clock: Clock, venue: VenueLimits) -> None:
        self.exchange = exchange
        self._clock = clock
        self._used_by_headers = venue.used
        self._used_in = venue.used_in
        self._groups_banned = venue.banned
        self._windows = [Window(limit) for limit in venue.limits]
        self._by_name = {window.limit.name: window for window in self._windows}
        self._by_group: dict[str, list[Window]] = {}
        for window in self._windows:
            self._by_group.setdefault(window.limit.group, []).append(window)
        self._tickets: dict[str, list[Spent]] = {}  # by cycle: the share that was taken for each entry that was not sent yet
        self._redeemed: dict[str, list[Spent]] = {}  # by cycle: the shares of entries that were about to be sent
        self._held: dict[str, Mapping[str, float]] = {}  # by cycle: what its one hedge order keeps from entries
        self._waiters: list[_Waiter] = []
        self._waited = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ban = _Ban()  # of the whole venue
        self._group_bans = {group: _Ban() for group in self._by_group}

    @property
    def banned_until(self) -> float:
        """Monotonic seconds until which the venue accepts no request, of one group at least; in the past when it does."""
        return max(self._ban.until, *(ban.until for ban in self._group_bans.values()))

    async def turn(self, lane: Lane, costs: Mapping[str, float]) -> Spent:
        """Wait for ``costs`` (units by group) and spend them. Returns at once, without a task switch, when they are free.

        What it returns :meth:`give_back` takes, where the request is not sent after all.

        Raises:
            RateLimited: they do not become free within :data:`PATIENCE_S` of the lane; nothing was spent.
            ValueError: an unknown group, or more than the whole limit.
        """
        now = self._clock.monotonic()
        if self.refusal(lane, costs) is None:
            return self._spend(now, costs)
        self._waited += 1
        deadline = now + PATIENCE_S[lane]
        waiter = _Waiter(lane, self._waited, costs, deadline, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        self._serve()
        try:
            return await waiter.turn
        finally:
            if waiter in self._waiters:  # cancelled while it waited: others no longer wait behind it
                self._waiters.remove(waiter)
                self._serve()

    def reserve(self, cycle_id: str, entry: Mapping[str, float], entries: int, hedge: Mapping[str, float]) -> str | None:
        """Take the share of ``entries`` orders of a cycle now, and keep that of one hedge order from other entries; why not, or None.

        All of it or nothing: a leg must not be sent whose other leg, or whose way back, the limits would hold up.
        """
        asked = {group: entry.get(group, 0.0) * entries + hedge.get(group, 0.0) for group in {**entry, **hedge}}
        refusal = self.refusal(Lane.ENTRY, asked)
        if refusal is not None:
            return refusal
        now = self._clock.monotonic()
        self._tickets[cycle_id] = [self._spend(now, entry) for _ in range(entries)]
        self._held[cycle_id] = hedge
        return None

    def redeem(self, cycle_id: str) -> bool:
        """Whether an entry order of that cycle has its share already; each ticket serves once."""
        left = self._tickets.get(cycle_id)
        if not left:
            return False
        self._redeemed.setdefault(cycle_id, []).append(left.pop())
        return True

    def restore(self, cycle_id: str) -> None:
        """An entry order that had redeemed its share was not sent: it is the cycle's again, and :meth:`release` gives it back."""
        redeemed = self._redeemed.get(cycle_id)
        if redeemed:
            self._tickets.setdefault(cycle_id, []).append(redeemed.pop())

    def give_back(self, spent: Spent) -> None:
        """A request was not sent: what its turn took counts no more."""
        for window, expires, cost in spent:
            window.give_back(expires, cost)
        if self._waiters:
            self._serve()

    def use_hold(self, cycle_id: str) -> None:
        """The cycle sends its hedge order now: what was kept for it is used."""
        self._held.pop(cycle_id, None)

    def release(self, cycle_id: str) -> None:
        """The cycle has ended, or did not open: nothing is kept for it any more; what was taken for entries never sent comes back."""
        self._held.pop(cycle_id, None)
        self._redeemed.pop(cycle_id, None)
        self.give_back([one for spent in self._tickets.pop(cycle_id, ()) for one in spent])

    def refusal(self, lane: Lane, costs: Mapping[str, float]) -> str | None:
        """Why ``costs`` could not be spent right now, None when they could. Spends nothing and does not wait.

        Raises:
            ValueError: an unknown group, or more than the whole limit.
        """
        now = self._clock.monotonic()
        at, why = self._free_at(now, lane, costs)
        if at > now:
            return f"{why} (free in {at - now:.1f} s)"
        for waiter in self._waiters:
            if waiter.lane <= lane and not waiter.costs.keys().isdisjoint(costs):
                return f"{self.exchange}: a {waiter.lane.name.lower()} waits before it"
        return None

    def observe(self, status: int, headers: Mapping[str, str], groups: Collection[str] = (), code: str = "") -> None:
        """Read the venue's own count, and a ban, from an answer.

        Args:
            status: the answer's HTTP status.
            headers: the answer's headers.
            groups: those that the request counted in, where they are known.
            code: the venue's own code of a refusal.
        """
        now, now_ms = self._clock.monotonic(), self._clock.time_ms()
        lowered = {name.lower(): value for name, value in headers.items()}
        for name, used in (*self._used_by_headers(lowered), *self._used_in(lowered, groups)):
            if name in self._by_name:
                self._by_name[name].set_venue_count(now, now_ms, used)
        retry_s = _retry_s(lowered.get("retry-after", ""), now_ms) if status >= 400 else None
        if status in _UNTOLD_BAN_S or retry_s is not None:
            for ban in self._bans(self._groups_banned(status, code, groups)):
                ban.begin(now, status, retry_s)
        else:
            self._ban.answered(now)
            for group in groups:
                self._group_bans[group].answered(now)
        if self._waiters:
            self._serve()

    def silence(self, status: int, until_ms: int | None = None) -> None:
        """The venue wants to hear nothing, and said so in a body or on a socket. ``until_ms``: ms since the epoch, where it told."""
        now = self._clock.monotonic()
        if until_ms is None and now < self._ban.until:
            return  # the answer's headers have told it already
        retry_s = None if until_ms is None else max((until_ms - self._clock.time_ms()) / 1000, 0.0)
        self._ban.begin(now, 418 if status == 418 else 429, retry_s)
        if self._waiters:
            self._serve()

    def left(self) -> Sequence[LimitLeft]:
        """Every limit as it stands, in the order of the venue's table."""
        now = self._clock.monotonic()

        def banned_s(group: str) -> float:
            return max(self._ban.until - now, self._group_bans[group].until - now, 0.0)

        return [
            LimitLeft(w.limit.name, w.used(now), w.limit.cap(Lane.ENTRY), w.limit.hard, w.resets_s(now), banned_s(w.limit.group))
            for w in self._windows
        ]

    def _bans(self, groups: Iterable[str] | None) -> Iterable[_Ban]:
        """The bans of ``groups``, or the one of the whole venue."""
        return [self._ban] if groups is None else [self._group_bans[group] for group in groups]

    def _free_at(self, now: float, lane: Lane, costs: Mapping[str, float]) -> tuple[float, str]:
        """When ``costs`` are free for ``lane``, with no other request waiting, and the reason until then."""
        at, why = now, ""
        opens = self._ban.opens(now, lane)
        if opens > at:
            at, why = opens, f"{self.exchange} has banned requests"
        for group, asked in costs.items():
            if group not in self._by_group:
                raise ValueError(f"{self.exchange} has no rate limit group {group!r}; it has {', '.join(self._by_group)}")
            opens = self._group_bans[group].opens(now, lane)
            if opens > at:
                at, why = opens, f"{self.exchange} has banned requests of the group {group}"
            kept = sum(hold.get(group, 0.0) for hold in self._held.values()) if lane >= Lane.ENTRY else 0.0
            for window in self._by_group[group]:
                free = window.free_at(now, lane, window.cost(asked))
                if kept and window.used(now) + window.cost(asked) + window.cost(kept) > window.limit.cap(lane):
                    free = max(free, now + _SOONEST_RETRY_S)  # what is kept for hedges comes back when their cycles end
                if free == inf:
                    raise ValueError(f"{self.exchange}: {asked:g} units of {group} are more than the whole limit {window.limit.name}")
                if free > at:
                    at, why = free, f"{self.exchange}: {window.limit.name} is spent"
        return at, why

    def _spend(self, now: float, costs: Mapping[str, float]) -> Spent:
        self._ban.spent(now)
        for group in costs:
            self._group_bans[group].spent(now)
        return [
            (window, window.spend(now, window.cost(asked)), window.cost(asked))
            for group, asked in costs.items()
            for window in self._by_group[group]
        ]

    def _serve(self) -> None:
        """Release every waiter that fits, in order, and set one timer for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.monotonic()
        wake = inf
        held: set[str] = set()  # groups that an earlier waiter needs
        for waiter in sorted(self._waiters):
            at, why = self._free_at(now, waiter.lane, waiter.costs)
            first = held.isdisjoint(waiter.costs)
            if waiter.turn.done():
                self._waiters.remove(waiter)
            elif first and at <= now:
                self._waiters.remove(waiter)
                waiter.turn.set_result(self._spend(now, waiter.costs))
            elif at > waiter.deadline or now >= waiter.deadline:
                self._waiters.remove(waiter)
                retry_s = max(at - now, _SOONEST_RETRY_S)
                message = f"{why or self.exchange + ': others go first'}; not sent, may be had in {retry_s:.1f} s"
                waiter.turn.set_exception(RateLimited(message, retry_s))
            else:
                held |= waiter.costs.keys()
                wake = min(wake, waiter.deadline, at if first else inf)
        if wake < inf:
            delay = max(wake - now, _SHORTEST_WAIT_S)
            self._timer = asyncio.get_running_loop().call_later(delay, self._serve)


def _retry_s(value: str, now_ms: int) -> float | None:
    """Seconds of a `Retry-After` header (RFC 9110: seconds, or a date); None when it is neither."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = date.timestamp() - now_ms / 1000
    return max(seconds, 0.0) if seconds == seconds else None
