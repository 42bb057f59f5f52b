"""The result over the last hour and the last day, minute by minute: what was lost within an hour, and how far it is below its best."""

from collections import deque

_MINUTE_S = 60.0
_HOUR = 60
_DAY = 24 * 60


class ResultHistory:
    """Results in the PnL currency, the best and the last of each minute. Begins with the run: an earlier one's are not in it."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, float, float]] = deque()  # minute, best in it, first in it

    def add(self, now: float, result: float) -> None:
        """``result`` at ``now`` (monotonic seconds)."""
        minute = int(now // _MINUTE_S)
        if self._minutes and self._minutes[-1][0] == minute:
            _, best, first = self._minutes[-1]
            self._minutes[-1] = (minute, max(best, result), first)
        else:
            self._minutes.append((minute, result, result))
        while self._minutes[0][0] <= minute - _DAY:
            self._minutes.popleft()

    def lost_in_hour(self, now: float, result: float) -> float:
        """What was lost since an hour ago (to the minute), or since the first result; negative for a gain."""
        oldest = int(now // _MINUTE_S) - _HOUR
        return next((first - result for minute, _, first in self._minutes if minute >= oldest), 0.0)

    def drawdown(self, result: float) -> float:
        """How far ``result`` is below the best of the last 24 hours."""
        return max(best for _, best, _ in self._minutes) - result if self._minutes else 0.0
