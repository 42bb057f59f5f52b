"""How often the console paints: full rate while the loop keeps up, a lower one when it lags or the terminal stalls."""

LAG_LIMIT_MS = 8.0
"""ms; p99 of the loop's lag above which the frame rate falls: decisions take microseconds, so painting causes such a lag."""

WARM_UP_S = 12.0
"""s after the start from which lag is judged: the start itself (imports, first paint) has then left the ten-second window."""

STEP_DOWN_S = 11.0
"""s between two steps down at least: a single lag stays in the window for ten seconds, and must not count twice."""

STEP_UP_S = 10.0
"""Seconds without lag before one step up."""


SLICES = 4
"""A frame is painted in this many slices, between which the engine runs: blocks of 3 ms instead of one of 10."""


class FrameRate:
    """Decides which ticks of a timer at ``full`` Hz paint. Steps ``full``, half, a fifth (10, 5, 2 Hz)."""

    def __init__(self, full: int) -> None:
        self._dividers = (1, 2, 5)
        self._step = 0
        self._ticks = 0
        self._judged_from: float | None = None
        self._changed_at = -STEP_DOWN_S
        self._trouble_at = 0.0
        self.full = full
        self.drops = 0

    @property
    def hz(self) -> float:
        """Frames a second now."""
        return max(1.0, self.full / self._dividers[self._step])

    def due(self) -> bool:
        """Whether this tick paints."""
        self._ticks += 1
        return self._ticks % max(1, round(self.full / self.hz)) == 0

    def observe(self, now: float, lag_p99_ms: float, drops: int) -> None:
        """Judge the last second: ``now`` in monotonic seconds, the lag's p99 in ms, the driver's dropped writes so far."""
        if self._judged_from is None:
            self._judged_from = now + WARM_UP_S
        trouble = (lag_p99_ms > LAG_LIMIT_MS and now >= self._judged_from) or drops > self.drops
        self.drops = drops
        if trouble:
            self._trouble_at = now
            if self._step < len(self._dividers) - 1 and now - self._changed_at >= STEP_DOWN_S:
                self._step += 1
                self._changed_at = now
        elif self._step and now - max(self._trouble_at, self._changed_at) >= STEP_UP_S:
            self._step -= 1
            self._changed_at = now
