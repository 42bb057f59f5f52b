"""Why not, over time: for how long, and how often, each reason kept us from trading a route, in the last minute, hour and day."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arbtui.journal.denials import ALL_ROUTES, SPANS, DenialRow
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason

#: Rows written along with one snapshot, so that no order waits for more than a few ms of them.
_WRITTEN_AT_ONCE = 500
#: Pairs of route and reason that are kept apart; what comes beyond them counts in the sum over all routes only.
_MOST_PAIRS = 4_000


@dataclass(frozen=True, slots=True)
class Held:
    """What one reason did in one span: ``seconds`` for which it held while a gap was open, ``times`` that it began to."""

    seconds: float
    times: int


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason, over the spans of :data:`arbtui.journal.denials.SPANS`."""

    reason: str
    minute: Held
    hour: Held
    day: Held


class _Ring:
    """One span in steps, the oldest overwritten."""

    __slots__ = ("_seconds", "_span_ms", "_starts", "_step_ms", "_times")

    def __init__(self, span_ms: int, step_ms: int) -> None:
        count = span_ms // step_ms
        self._span_ms, self._step_ms = span_ms, step_ms
        self._starts = array("q", [-1]) * count
        self._times = array("q", [0]) * count
        self._seconds = array("d", [0.0]) * count

    def add(self, now_ms: int, times: int, seconds: float) -> None:
        step = now_ms // self._step_ms
        at, start = step % len(self._starts), step * self._step_ms
        if self._starts[at] != start:
            self._starts[at], self._times[at], self._seconds[at] = start, 0, 0.0
        self._times[at] += times
        self._seconds[at] += seconds

    def total(self, now_ms: int) -> Held:
        within = [at for at, start in enumerate(self._starts) if now_ms - self._span_ms < start <= now_ms]
        return Held(sum(self._seconds[at] for at in within), sum(self._times[at] for at in within))

    def rows(self, route: str, reason: str, since_ms: int) -> list[DenialRow]:
        """The steps that something was added to from ``since_ms`` on."""
        return [
            DenialRow(route, reason, self._step_ms, start, times, round(seconds, 3))
            for start, times, seconds in zip(self._starts, self._times, self._seconds, strict=True)
            if start >= 0 and start + self._step_ms > since_ms
        ]


def _rings() -> tuple[_Ring, ...]:
    return tuple(_Ring(*span) for span in SPANS.values())


class Denials:
    """Counts denials by route and reason. A reason that is asked for at every update of a book counts once, with its time.

    While a gap is open (:mod:`arbtui.engine.episodes`), its time goes to the reason that keeps us from it then, and a reason
    counts once each time it begins to. An order that the gate refuses counts once, without a time. The usual "no" never counts.

    Args:
        kept: what an earlier run has left.
    """

    def __init__(self, clock: Clock, kept: Iterable[DenialRow] = ()) -> None:
        self._clock = clock
        self._pairs: dict[tuple[str, str], tuple[_Ring, ...]] = {}
        self._changed: dict[tuple[str, str], int] = {}  # not written yet: ms since when, the longest waiting first
        self._of_route: dict[str, list[str]] = {}
        steps = {step_ms: number for number, (_, step_ms) in enumerate(SPANS.values())}
        for row in kept:
            rings = self._rings_of(row.route, row.reason)
            if rings is not None and row.step_ms in steps:
                rings[steps[row.step_ms]].add(row.start_ms, row.times, row.seconds)

    def count(self, route_id: str, reason: Reason) -> None:
        """An order of ``route_id`` was refused."""
        self.hold(route_id, reason, 0.0, times=1)

    def hold(self, route_id: str, reason: str, seconds: float, *, times: int = 0) -> None:
        """``reason`` kept us from ``route_id`` for so many more seconds; ``times`` 1 where it begins to."""
        now_ms = self._clock.time_ms()
        for route in (ALL_ROUTES, route_id):
            rings = self._rings_of(route, reason)
            if rings is None:
                continue
            self._changed.setdefault((route, reason), now_ms)
            for ring in rings:
                ring.add(now_ms, times, seconds)

    def of_route(self, route_id: str = ALL_ROUTES) -> Sequence[Denial]:
        """What kept us from one route, or from all of them together: in the last day longest first."""
        now_ms = self._clock.time_ms()
        found = [
            Denial(reason, *(ring.total(now_ms) for ring in self._pairs[route_id, reason])) for reason in self._of_route.get(route_id, ())
        ]
        return sorted((one for one in found if one.day.times or one.day.seconds), key=lambda one: (-one.day.seconds, -one.day.times))

    def take(self, *, everything: bool = False) -> Sequence[DenialRow]:
        """Take what has changed since it was last taken, to write it down: a few hundred rows at once, or ``everything``."""
        rows: list[DenialRow] = []
        for key, since_ms in list(self._changed.items()):
            del self._changed[key]
            rows += (row for ring in self._pairs[key] for row in ring.rows(*key, since_ms))
            if len(rows) >= _WRITTEN_AT_ONCE and not everything:
                break
        return rows

    def _rings_of(self, route: str, reason: str) -> tuple[_Ring, ...] | None:
        rings = self._pairs.get((route, reason))
        if rings is None and (route == ALL_ROUTES or len(self._pairs) < _MOST_PAIRS):
            rings = self._pairs[route, reason] = _rings()
            self._of_route.setdefault(route, []).append(reason)
        return rings
