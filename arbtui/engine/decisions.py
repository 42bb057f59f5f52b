"""What was decided lately on each route: opened, denied, ended. The usual "no" is never recorded."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.model.clock import Clock

KEPT = 20
"""Decisions kept for each route."""


@dataclass(slots=True)
class Decision:
    """One decision, or a run of equal ones. ``edge_bps`` is the newest's net edge, ``ts_ms`` its wall time."""

    ts_ms: int
    word: str  #: ``OPENED``, how a cycle ended, or the reason of a denial
    edge_bps: float
    detail: str
    count: int = 1


class DecisionLog:
    """The last decisions of each route. Called only where an opportunity was found, so it costs the usual update nothing.

    A denial repeats with every update of a book while its cause lasts; a run of the same word is one entry that counts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_route: dict[str, deque[Decision]] = {}

    def record(self, route_id: str, word: str, edge_bps: float, detail: str = "") -> None:
        """Add a decision, or count it to the run that it continues."""
        kept = self._of_route.get(route_id)
        if kept is None:
            kept = self._of_route[route_id] = deque(maxlen=KEPT)
        if kept and kept[-1].word == word and not detail:
            last = kept[-1]
            last.ts_ms, last.edge_bps = self._clock.time_ms(), edge_bps
            last.count += 1
            return
        kept.append(Decision(self._clock.time_ms(), word, edge_bps, detail))

    def of_route(self, route_id: str) -> Sequence[Decision]:
        """The last decisions on a route, newest first."""
        return tuple(reversed(self._of_route.get(route_id, ())))
