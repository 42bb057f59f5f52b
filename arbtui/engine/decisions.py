"""What was decided lately on each route: opened, denied, ended. The usual "no" is never recorded."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.model.clock import Clock

KEPT = 20
"""Decisions kept for each route."""

_NUMBERS = 3  #: wall time, edge and count of one decision


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, or a run of equal ones. ``edge_bps`` is the newest's net edge, ``ts_ms`` its wall time."""

    ts_ms: int
    word: str  #: ``OPENED``, how a cycle ended, or the reason of a denial
    edge_bps: float
    detail: str
    count: int = 1


class _Kept:
    """The last decisions of one route, in columns: a third of what objects would take, and a thousand routes keep twenty each."""

    __slots__ = ("details", "numbers", "words")

    def __init__(self) -> None:
        self.numbers = array("d")
        self.words: list[str] = []
        self.details: list[str] = []

    def add(self, ts_ms: int, word: str, edge_bps: float, detail: str) -> None:
        self.numbers.extend((ts_ms, edge_bps, 1.0))
        self.words.append(word)
        self.details.append(detail)
        if len(self.words) > KEPT:
            del self.numbers[:_NUMBERS], self.words[0], self.details[0]

    def repeat(self, ts_ms: int, edge_bps: float) -> None:
        """The last decision was made again."""
        numbers = self.numbers
        numbers[-3], numbers[-2] = ts_ms, edge_bps
        numbers[-1] += 1.0

    def read(self) -> list[Decision]:
        """Newest first."""
        rows = [self.numbers[at : at + _NUMBERS] for at in range(0, len(self.numbers), _NUMBERS)]
        kept = zip(rows, self.words, self.details, strict=True)
        return [Decision(int(ts_ms), word, edge_bps, detail, int(count)) for (ts_ms, edge_bps, count), word, detail in kept][::-1]


class DecisionLog:
    """The last decisions of each route. Called only where an opportunity was found, so it costs the usual update nothing.

    A denial repeats with every update of a book while its cause lasts; a run of the same word is one entry that counts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_route: dict[str, _Kept] = {}

    def record(self, route_id: str, word: str, edge_bps: float, detail: str = "") -> None:
        """Add a decision, or count it to the run that it continues."""
        kept = self._of_route.get(route_id)
        if kept is None:
            kept = self._of_route[route_id] = _Kept()
        if kept.words and kept.words[-1] == word and not detail:
            kept.repeat(self._clock.time_ms(), edge_bps)
        else:
            kept.add(self._clock.time_ms(), word, edge_bps, detail)

    def of_route(self, route_id: str) -> Sequence[Decision]:
        """The last decisions on a route, newest first."""
        kept = self._of_route.get(route_id)
        return () if kept is None else kept.read()
