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


def _spans() -> tuple[_Recent, ...]:
    return tuple(_Recent(*span) for span in SPANS.values())


class Denials:
    """Counts denials by route and reason. A reason that is asked for at every update of a book counts once, with its time.

    While a gap is open (:mod:`arbtui.engine.episodes`), its time goes to the reason that keeps us from it then, and a reason
    counts once each time it begins to. An order that the gate refuses counts once, without a time. The usual "no" never counts.

    Args:
        kept: what an earlier run has left.
    """

    def __init__(self, clock: Clock, kept: Iterable[DenialRow] = ()) -> None:
        self._clock = clock
        self._pairs: dict[tuple[str, str], tuple[_Recent, ...]] = {}
        self._changed: dict[tuple[str, str], int] = {}  # not written yet: ms since when, the longest waiting first
        self._of_route: dict[str, list[str]] = {}
        steps = {step_ms: number for number, (_, step_ms) in enumerate(SPANS.values())}
        for row in kept:
            spans = self._spans_of(row.route, row.reason)
            if spans is not None and row.step_ms in steps:
                spans[steps[row.step_ms]].add(row.start_ms, row.times, row.seconds)

    def count(self, route_id: str, reason: Reason) -> None:
        """An order of ``route_id`` was refused."""
        self.hold(route_id, reason, 0.0, times=1)

    def hold(self, route_id: str, reason: str, seconds: float, *, times: int = 0) -> None:
        """``reason`` kept us from ``route_id`` for so many more seconds; ``times`` 1 where it begins to."""
        now_ms = self._clock.time_ms()
        for route in (ALL_ROUTES, route_id):
            spans = self._spans_of(route, reason)
            if spans is None:
                continue
            self._changed.setdefault((route, reason), now_ms)
            for recent in spans:
                recent.add(now_ms, times, seconds)

    def of_route(self, route_id: str = ALL_ROUTES) -> Sequence[Denial]:
        """What kept us from one route, or from all of them together: in the last day longest first."""
        now_ms = self._clock.time_ms()
        found = [
            Denial(reason, *(recent.total(now_ms) for recent in self._pairs[route_id, reason]))
            for reason in self._of_route.get(route_id, ())
        ]
        return sorted((one for one in found if one.day.times or one.day.seconds), key=lambda one: (-one.day.seconds, -one.day.times))

    def take(self, *, everything: bool = False) -> Sequence[DenialRow]:
        """Take what has changed since it was last taken, to write it down: a few hundred rows at once, or ``everything``."""
        rows: list[DenialRow] = []
        for key, since_ms in list(self._changed.items()):
            del self._changed[key]
            rows += (row for recent in self._pairs[key] for row in recent.rows(*key, since_ms))
            if len(rows) >= _WRITTEN_AT_ONCE and not everything:
                break
        return rows

    def _spans_of(self, route: str, reason: str) -> tuple[_Recent, ...] | None:
        spans = self._pairs.get((route, reason))
        if spans is None and (route == ALL_ROUTES or len(self._pairs) < _MOST_PAIRS):
            spans = self._pairs[route, reason] = _spans()
            self._of_route.setdefault(route, []).append(reason)
        return spans
