"""A timer that does nothing else: how exact an end can be on this machine."""

import threading
import time

from arbtui.model.clock import Clock


class BareTimer(threading.Thread):
    """Sleeps until ``at`` (monotonic seconds of ``clock``), does nothing, and tells how late it woke: what the machine alone costs."""

    def __init__(self, clock: Clock, at: float) -> None:
        super().__init__(name="bare timer", daemon=True)
        self._clock = clock
        self._at = at
        self.late_s: float | None = None  #: None until it has woken

    def run(self) -> None:
        """Sleep, look once."""
        time.sleep(max(0.0, self._at - self._clock.monotonic()))
        self.late_s = self._clock.monotonic() - self._at
