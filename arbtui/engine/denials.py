"""Why not, over time: for how long, and how often, each reason kept us from trading a route, in the last minute, hour and day."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from arbtui.journal.denials import ALL_ROUTES, SPANS, DenialRow
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason

#: Rows written along with one snapshot, so that no order waits for more than a few ms of them.
_WRITTEN_AT_ONCE = 500
#: Pairs of route and reason that are kept apart; what comes beyond them counts in the sum over all routes only.
_MOST_PAIRS = 4_000
#: ms of the shortest steps. Each longer step is a whole number of them, from the same beginnings on.
_STEP_MS = min(step_ms for _, step_ms in SPANS.values())


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


class _Recent:
    """One span in steps, the oldest first. A step in which nothing happened takes no memory: most reasons are rare, and pairs many.

    A step is three numbers of an array: when it began (ms), times, seconds.
    """

    __slots__ = ("_most", "_span_ms", "_step_ms", "_steps")

    def __init__(self, span_ms: int, step_ms: int) -> None:
        self._span_ms, self._step_ms = span_ms, step_ms
        self._most = 3 * (span_ms // step_ms)
        self._steps = array("d")

    def add(self, now_ms: int, times: int, seconds: float) -> None:
        start = now_ms - now_ms % self._step_ms
        steps = self._steps
        end = len(steps)
        while end and steps[end - 3] > start:  # only where the clock was put back
            end -= 3
        if end and steps[end - 3] == start:
            steps[end - 2] += times
            steps[end - 1] += seconds
            return
        steps[end:end] = array("d", (start, times, seconds))
        while steps[0] <= now_ms - self._span_ms:
            del steps[:3]
        del steps[self._most :]  # there are more only where the clock was put back: those farthest ahead of it

    def total(self, now_ms: int) -> Held:
        within = [one for one in self._read() if now_ms - self._span_ms < one[0] <= now_ms]
        return Held(sum(seconds for _, _, seconds in within), sum(times for _, times, _ in within))

    def rows(self, route: str, reason: str, since_ms: int) -> list[DenialRow]:
        """The steps that something was added to from ``since_ms`` on."""
        return [
            DenialRow(route, reason, self._step_ms, start, times, round(seconds, 3))
            for start, times, seconds in self._read()
            if start + self._step_ms > since_ms
        ]

    def _read(self) -> Iterator[tuple[int, int, float]]:
        steps = self._steps
        return ((int(steps[at]), int(steps[at + 1]), steps[at + 2]) for at in range(0, len(steps), 3))


class _Pair:
    """One reason on one route, over all spans. The running step of the shortest waits in ``times`` and ``seconds``: all spans are of it."""

    __slots__ = ("_start", "reason", "route", "seconds", "since_ms", "spans", "times")

    def __init__(self, route: str, reason: str) -> None:
        self.route, self.reason = route, reason
        self.spans = tuple(_Recent(*span) for span in SPANS.values())
        self._start = self.times = 0
        self.seconds = 0.0
        self.since_ms: int | None = None  #: when it first changed since it was written; None: it has not

    def add(self, now_ms: int, times: int, seconds: float) -> None:
        start = now_ms - now_ms % _STEP_MS
        if start != self._start:
            self.settle()
            self._start = start
        self.times += times
        self.seconds += seconds

    def settle(self) -> None:
        """Give what waits to every span."""
        if self.times or self.seconds:
            for recent in self.spans:
                recent.add(self._start, self.times, self.seconds)
            self.times, self.seconds = 0, 0.0

    def total(self, now_ms: int) -> Denial:
        self.settle()
        return Denial(self.reason, *(recent.total(now_ms) for recent in self.spans))

    def rows(self, since_ms: int) -> Iterator[DenialRow]:
        """Every step that something was added to from ``since_ms`` on."""
        self.settle()
        return (row for recent in self.spans for row in recent.rows(self.route, self.reason, since_ms))


class Denials:
    """Counts denials by route and reason. A reason that is asked for at every update of a book counts once, with its time.

    While a gap is open (:mod:`arbtui.engine.episodes`), its time goes to the reason that keeps us from it then, and a reason
    counts once each time it begins to. An order that the gate refuses counts once, without a time. The usual "no" never counts.

    Args:
        kept: what an earlier run has left.
    """

    def __init__(self, clock: Clock, kept: Iterable[DenialRow] = ()) -> None:
        self._time_ms = clock.time_ms
        self._count = 0  # of pairs, all routes together not among them
        self._of_route: dict[str, dict[str, _Pair]] = {ALL_ROUTES: {}}
        self._changed: list[_Pair] = []  # not written yet, the longest waiting first
        steps = {step_ms: number for number, (_, step_ms) in enumerate(SPANS.values())}
        for row in kept:
            pair = self._pair(row.route, row.reason)
            if pair is not None and row.step_ms in steps:
                pair.spans[steps[row.step_ms]].add(row.start_ms, row.times, row.seconds)

    def count(self, route_id: str, reason: Reason) -> None:
        """An order of ``route_id`` was refused."""
        self.hold(route_id, reason, 0.0, times=1)

    def hold(self, route_id: str, reason: str, seconds: float, *, times: int = 0) -> None:
        """``reason`` kept us from ``route_id`` for so many more seconds; ``times`` 1 where it begins to."""
        now_ms = self._time_ms()
        for route in (ALL_ROUTES, route_id):
            pair = self._pair(route, reason)
            if pair is None:
                continue
            if pair.since_ms is None:
                pair.since_ms = now_ms
                self._changed.append(pair)
            pair.add(now_ms, times, seconds)

    def of_route(self, route_id: str = ALL_ROUTES) -> Sequence[Denial]:
        """What kept us from one route, or from all of them together: in the last day longest first."""
        now_ms = self._time_ms()
        found = [pair.total(now_ms) for pair in self._of_route.get(route_id, {}).values()]
        return sorted((one for one in found if one.day.times or one.day.seconds), key=lambda one: (-one.day.seconds, -one.day.times))

    def take(self, *, everything: bool = False) -> Sequence[DenialRow]:
        """Take what has changed since it was last taken, to write it down: a few hundred rows at once, or ``everything``."""
        rows: list[DenialRow] = []
        taken = 0
        for pair in self._changed:
            taken += 1
            if pair.since_ms is not None:
                rows += pair.rows(pair.since_ms)
                pair.since_ms = None
            if len(rows) >= _WRITTEN_AT_ONCE and not everything:
                break
        del self._changed[:taken]
        return rows

    def _pair(self, route: str, reason: str) -> _Pair | None:
        of_route = self._of_route.get(route)
        pair = None if of_route is None else of_route.get(reason)
        if pair is None and (route == ALL_ROUTES or self._count < _MOST_PAIRS):
            pair = self._of_route.setdefault(route, {})[reason] = _Pair(route, reason)
            self._count += route != ALL_ROUTES
        return pair
