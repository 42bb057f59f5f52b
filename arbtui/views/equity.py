"""How equity and trading went over the last day of a run, a point a minute, for pictures."""

from collections import deque
from dataclasses import dataclass

_EVERY_MS = 60_000
_KEPT = 1_441  #: points: a day of minutes, both ends


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """One moment, in the PnL currency at live marks, as the header shows it."""

    ts_ms: int
    equity: float  #: everything that the venues hold
    trading: float  #: what trading has earned in this run, net of fees


class EquityHistory:
    """The points, oldest first. The newest is as of now; older ones are a minute apart."""

    def __init__(self) -> None:
        self._points: deque[EquityPoint] = deque(maxlen=_KEPT)

    @property
    def points(self) -> tuple[EquityPoint, ...]:
        """All of them, unchanged by what is added later."""
        return tuple(self._points)

    def add(self, point: EquityPoint) -> None:
        """Put ``point`` at the end, in place of a newest one that came less than a minute after the one before it."""
        if len(self._points) > 1 and self._points[-1].ts_ms - self._points[-2].ts_ms < _EVERY_MS:
            self._points.pop()
        self._points.append(point)
