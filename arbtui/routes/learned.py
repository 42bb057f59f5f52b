"""What a route's own cycles and gaps teach about it: slippage, how much of its edge arrives, how long its gaps last.

Each figure is a mean in which the newest count most. Slippage is forgotten with time, too: a market that was thin yesterday is another one
today. All of it is kept in the journal beside the events (:mod:`arbtui.journal.learned`), so a restart goes on from it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from arbtui.journal.episodes import LOOKS_MS
from arbtui.journal.learned import LearnedRow

_LEARNING = 0.1  #: weight of the last cycle in a mean; the first ones count equally
_GAP_LEARNING = 0.05  #: of the last gap
_WRITTEN_AT_ONCE = 500  #: rows that go along with one snapshot, so that no order waits for more than a few ms of them
_OUTLIER_BPS = 100.0  #: what one cycle may teach at most, either way: a leg that was taken back teaches another thing
_SURE_CYCLES = 5  #: cycles from which on all of a learned slippage is expected; of fewer a part: one bad fill closes no route for days
MOST_SLIPPAGE_BPS = 50.0
"""What is taken off an edge at most: a route that loses more is for the limits on losses."""
HALF_LIFE_MS = 24 * 3_600_000
"""ms in which half of a learned slippage is forgotten while nothing new is learned."""


class LearnedRoute:
    """What is known of one route. ``slippage_bps``: signed, by the expected prices; shares from 0 to 1."""

    __slots__ = ("cycles", "gaps", "realised", "slippage_bps", "slippages", "survived", "updated_ms")

    def __init__(self) -> None:
        self.slippage_bps = 0.0
        self.slippages = 0  #: cycles that taught it
        self.realised: float | None = None
        self.cycles = 0  #: cycles that taught that
        self.survived: list[float] = [0.0] * len(LOOKS_MS)
        self.gaps = 0.0  #: looked at again, weighted as the shares are
        self.updated_ms = 0

    def slippage_at(self, now_ms: int) -> float:
        """Slippage to expect at ``now_ms`` (our clock), in bps: never below 0, and bounded."""
        sure = min(1.0, self.slippages / _SURE_CYCLES)
        return min(MOST_SLIPPAGE_BPS, max(0.0, self.slippage_bps * sure * _left(now_ms - self.updated_ms)))


class LearnedRoutes:
    """By route. Told by whoever sees cycles and gaps end.

    Args:
        kept: what earlier runs have left.
    """

    def __init__(self, kept: Iterable[LearnedRow] = ()) -> None:
        self._routes: dict[str, LearnedRoute] = {}
        self._changed: dict[str, None] = {}
        for row in kept:
            route = self._routes[row.route] = LearnedRoute()
            route.slippage_bps, route.slippages, route.updated_ms = row.slippage_bps, row.slippages, row.updated_ms
            route.realised, route.cycles = row.realised, row.cycles
            route.gaps, route.survived = row.gaps, list(row.survived)

    def of(self, route_id: str) -> LearnedRoute | None:
        """What is known of one route; None where nothing is."""
        return self._routes.get(route_id)

    def slipped(self, route_id: str, slippage_bps: float, now_ms: int) -> LearnedRoute:
        """A cycle of which every leg filled paid so much more than its books had shown, or less (negative)."""
        route = self._change(route_id)
        taught = min(_OUTLIER_BPS, max(-_OUTLIER_BPS, slippage_bps))
        before = route.slippage_bps * _left(now_ms - route.updated_ms)
        route.slippages += 1
        route.slippage_bps = before + (taught - before) * max(_LEARNING, 1 / route.slippages)
        route.updated_ms = now_ms
        return route

    def brought(self, route_id: str, share: float) -> None:
        """A cycle that sent orders brought this share (0 to 1) of the edge that was expected; 0 where a leg was taken back or left over."""
        route = self._change(route_id)
        before = 1.0 if route.realised is None else route.realised
        route.realised = before + _LEARNING * (share - before)
        route.cycles += 1

    def gap_ended(self, route_id: str, alive: Sequence[bool | None]) -> None:
        """A gap that was not taken, looked at again after each of :data:`LOOKS_MS`; None where nobody could: it teaches nothing."""
        if any(one is None for one in alive):
            return
        route = self._change(route_id)
        route.gaps = route.gaps * (1.0 - _GAP_LEARNING) + 1.0
        for place, one in enumerate(alive):
            route.survived[place] += ((1.0 if one else 0.0) - route.survived[place]) / route.gaps

    def take(self, *, everything: bool = False) -> Sequence[LearnedRow]:
        """Take what has changed since it was last taken, to write it down: a few hundred rows at once, or ``everything``."""
        taken = list(self._changed) if everything else list(islice(self._changed, _WRITTEN_AT_ONCE))
        for route_id in taken:
            del self._changed[route_id]
        return [self._row(route_id) for route_id in taken]

    def _change(self, route_id: str) -> LearnedRoute:
        self._changed[route_id] = None
        return self._routes.setdefault(route_id, LearnedRoute())

    def _row(self, route_id: str) -> LearnedRow:
        one = self._routes[route_id]
        return LearnedRow(
            route_id, one.updated_ms, one.slippage_bps, one.slippages, one.realised, one.cycles, one.gaps, tuple(one.survived)
        )


def _left(age_ms: int) -> float:
    """What is left of a slippage after so many ms."""
    return float(0.5 ** (max(0, age_ms) / HALF_LIFE_MS))
