"""How far a run on a virtual clock is, on standard error: one line where that is a terminal, nothing where not."""

import sys
import time

from arbtui.settings.output import show_progress

_EVERY_S = 0.5


class VirtualProgress:
    """Shown at most twice a second, however fast the clock goes.

    Args:
        total_s: how long the run is, in virtual s; None where that is not known.
        what: shown before it; ``seed 3, ``.
    """

    def __init__(self, total_s: float | None, what: str = "") -> None:
        self._total_s, self._what = total_s, what
        self._stream = sys.stderr  # whoever plays a story sends what is said elsewhere
        self._began = time.monotonic()
        self._due = self._began + _EVERY_S
        self._first_s: float | None = None

    def look(self, clock_s: float) -> None:
        """The virtual clock stands at ``clock_s``; the first time is the run's beginning."""
        if self._first_s is None:
            self._first_s = clock_s
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _EVERY_S
        passed_s = clock_s - self._first_s
        told = f"{passed_s / 60:.1f}"
        if self._total_s is not None:
            told += f" of {self._total_s / 60:.1f}"
        told += " virtual minutes"
        if self._total_s is not None and 0.0 < passed_s < self._total_s:
            left_s = (now - self._began) / passed_s * (self._total_s - passed_s)
            told += f", about {left_s:.0f} s left"
        show_progress(f"{self._what}{told}", self._stream)
