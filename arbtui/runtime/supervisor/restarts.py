"""When an engine that has died is started again: sooner at first, and not for ever."""

from collections import deque

#: s before the first restart; twice as long before each next one, up to the second.
FIRST_S, LONGEST_S = 1.0, 60.0
#: No more than so many restarts in so many s.
MOST, WITHIN_S = 5, 600.0


class Restarts:
    """Counts them. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._made: deque[float] = deque(maxlen=MOST)
        self._in_a_row = 0

    def pause(self, now: float, lived_s: float) -> float | None:
        """For how long to wait, in s, before the engine that died ``now``, after ``lived_s``, is started again; None: not any more."""
        if lived_s >= WITHIN_S:  # whatever it died of before is over
            self._in_a_row = 0
        if len(self._made) == MOST and now - self._made[0] < WITHIN_S:
            return None
        pause = min(FIRST_S * 2**self._in_a_row, LONGEST_S)
        self._in_a_row += 1
        self._made.append(now + pause)
        return float(pause)
