"""Counting requests against a venue's limits."""

from collections import deque


class FixedWindow:
    """Counts in windows that begin on whole multiples of ``interval_s``, as Binance's request weight does."""

    def __init__(self, limit: int, interval_s: int) -> None:
        self.limit = limit
        self.interval_s = interval_s
        self._window = -1
        self._used = 0

    def used(self, now_ms: int) -> int:
        """What was counted in the present window."""
        window = now_ms // (self.interval_s * 1000)
        if window != self._window:
            self._window, self._used = window, 0
        return self._used

    def add(self, cost: int, now_ms: int) -> int:
        """Count ``cost`` more; the total used."""
        self._used = self.used(now_ms) + cost
        return self._used

    def left_s(self, now_ms: int) -> int:
        """Whole seconds until the next window, at least 1."""
        interval_ms = self.interval_s * 1000
        return max(1, -(-(interval_ms - now_ms % interval_ms) // 1000))


class RollingWindow:
    """Counts requests within the last ``interval_s``."""

    def __init__(self, limit: int, interval_s: float) -> None:
        self.limit = limit
        self.interval_s = interval_s
        self._times: deque[float] = deque()

    def take(self, now: float) -> bool:
        """Count one more at ``now`` (monotonic s); False when that exceeds the limit (it is not counted then)."""
        times = self._times
        while times and times[0] <= now - self.interval_s:
            times.popleft()
        if len(times) >= self.limit:
            return False
        times.append(now)
        return True

    @property
    def left(self) -> int:
        """How many more are allowed, as of the last :meth:`take`."""
        return self.limit - len(self._times)
