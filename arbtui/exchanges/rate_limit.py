"""One rate limit of a venue, the lanes that share it, and its recent use."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import floor, inf


class Lane(IntEnum):
    """Priority of a request. A lower number never waits behind a higher one."""

    CANCEL = 0  #: reduces risk: may use all of a limit
    HEDGE = 1  #: hedges, unwinds and look-ups of orders
    ENTRY = 2  #: opens a cycle
    DATA = 3  #: snapshots, lists, connections
    CHECK = 4  #: the comparison of an account while it trades: can wait for everything else


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of a limit each lane may fill, 0 to 1; a cancel may fill all of it."""

    hedge: float
    entry: float
    data: float
    check: float = 0.3

    def of(self, lane: Lane) -> float:
        """The share of ``lane``."""
        return (1.0, self.hedge, self.entry, self.data, self.check)[lane]


#: 20 % are reserved for cancels and 30 % are closed to entries: a kill in the busiest second must still pass. Data stops at
#: half, since a burst of snapshots would otherwise block entries until the window has passed; comparing accounts goes on all the
#: time, and stops at three tenths, so that snapshots find room at any moment.
TRADING = Shares(hedge=0.8, entry=0.7, data=0.5, check=0.3)
#: Groups that no cancel ever needs; a tenth is left to other programs behind the same IP address.
DATA_ONLY = Shares(hedge=0.9, entry=0.9, data=0.9, check=0.9)
#: Groups that nothing but cancels uses.
CANCELS_ONLY = Shares(hedge=1.0, entry=1.0, data=1.0, check=1.0)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A venue's documented limit: ``hard`` units of ``group`` in each ``window_s`` seconds.

    ``jitter_s`` is added to the window: the venue counts when a request *arrives*, and a queue on the way can squeeze
    two seconds' requests into one. ``per_request``: each turn of the group costs 1, whatever it asks. ``aligned``: the
    venue counts in whole minutes or days of UTC, so what it reports is reset at the next one.
    """

    name: str
    group: str
    hard: float
    window_s: float
    shares: Shares = TRADING
    jitter_s: float = 0.0
    per_request: bool = False
    aligned: bool = False

    def cap(self, lane: Lane) -> float:
        """Units that ``lane`` may fill this limit up to."""
        return self.hard * self.shares.of(lane)


@dataclass(frozen=True, slots=True)
class VenueLimits:
    """All limits of one venue.

    Attributes:
        limits: the limits.
        used: reads (limit's name, units used) from an answer's headers, their names in lower case.
        banned: which groups a refusal for too many requests silences, from its HTTP status, the venue's code (empty where none was
            told) and the groups that the request counted in; None: all of them.
        used_in: as ``used``, where an answer speaks of the groups that its request counted in, and does not name them.
    """

    limits: Sequence[RateLimit]
    used: Callable[[Mapping[str, str]], Iterator[tuple[str, float]]] = lambda headers: iter(())
    banned: Callable[[int, str, Collection[str]], Collection[str] | None] = lambda status, code, groups: None
    used_in: Callable[[Mapping[str, str], Collection[str]], Iterator[tuple[str, float]]] = lambda headers, groups: iter(())


@dataclass(frozen=True, slots=True)
class LimitLeft:
    """One limit as screens show it. ``used`` may be over ``soft`` (cancels, other programs); times are in seconds from now."""

    name: str
    used: float
    soft: float  #: where entries stop
    hard: float
    resets_s: float  #: until none of the present use counts any more
    banned_s: float  #: until requests of its group are allowed again; 0 when they are


#: Own requests are counted in this many steps a window, each to the end of its step: never released too early, and the
#: list stays short even for a day of orders.
_STEPS = 100


class Window:
    """The use of one limit in its last window: by us, and as the venue reports."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._span = limit.window_s + limit.jitter_s
        self._step = limit.window_s / _STEPS
        self._own: deque[tuple[float, float]] = deque()  # (expires, cost), oldest first
        self._own_used = 0.0
        self._others: deque[tuple[float, float]] = deque()  # (expires, units), descending: the first is the largest that still counts

    def cost(self, asked: float) -> float:
        """Units that a turn asking ``asked`` takes from this limit."""
        return 1.0 if self.limit.per_request and asked else asked

    def used(self, now: float) -> float:
        """Units that count at ``now`` (monotonic s)."""
        while self._own and self._own[0][0] <= now:
            self._own_used -= self._own.popleft()[1]
        if not self._own:
            self._own_used = 0.0  # rounding must not add up over days
        while self._others and self._others[0][0] <= now:
            self._others.popleft()
        return self._own_used + (self._others[0][1] if self._others else 0.0)

    def free_at(self, now: float, lane: Lane, cost: float) -> float:
        """The first moment, ``now`` or later, at which ``cost`` fits under the lane's share.

        An empty window takes any cost up to the hard limit, so that a small limit's share never rounds to nothing.
        """
        used, cap = self.used(now), self.limit.cap(lane)
        if used + cost <= cap or (used == 0.0 and cost <= self.limit.hard):
            return now
        own, others = list(self._own), list(self._others)
        own_used = self._own_used
        while own or others:
            at = min(own[0][0] if own else inf, others[0][0] if others else inf)
            while own and own[0][0] <= at:
                own_used -= own.pop(0)[1]
            while others and others[0][0] <= at:
                others.pop(0)
            left = (own_used if own else 0.0) + (others[0][1] if others else 0.0)
            if left + cost <= cap or (left == 0.0 and cost <= self.limit.hard):
                return at
        return inf

    def spend(self, now: float, cost: float) -> float:
        """Count ``cost`` from ``now`` on; until when (monotonic s), which :meth:`give_back` takes."""
        expires = (floor(now / self._step) + 1) * self._step + self._span
        if self._own and self._own[-1][0] >= expires:
            self._own[-1] = (self._own[-1][0], self._own[-1][1] + cost)
        else:
            self._own.append((expires, cost))
        self._own_used += cost
        return self._own[-1][0]

    def give_back(self, expires: float, cost: float) -> None:
        """What was spent until ``expires`` was never sent: it counts no more. What has expired is gone already."""
        for place, (at, spent) in enumerate(self._own):
            if at == expires:
                self._own[place] = (at, spent - cost)
                self._own_used -= cost
                return

    def set_venue_count(self, now: float, now_ms: int, used: float) -> None:
        """The venue counts ``used``: the part that is not ours was spent by other programs, and counts too."""
        others = used - (self.used(now) - (self._others[0][1] if self._others else 0.0))
        if not others > 0.0:
            return
        lasts = self._span
        if self.limit.aligned:  # one more second for a clock that is not the venue's
            lasts = min(lasts, self.limit.window_s - (now_ms / 1000) % self.limit.window_s + 1.0)
        expires = now + lasts
        while self._others and self._others[-1][1] <= others:
            expires = max(expires, self._others.pop()[0])
        self._others.append((expires, others))

    def resets_s(self, now: float) -> float:
        """Seconds until nothing that is used at ``now`` counts any more."""
        if self.used(now) == 0.0:
            return 0.0
        return max(expiries[-1][0] for expiries in (self._own, self._others) if expiries) - now
