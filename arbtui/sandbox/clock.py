"""A venue's own clock: the machine's, plus a scripted skew."""

from arbtui.model.clock import Clock


class VenueClock:
    """The clock that one venue stamps with. ``skew_ms`` is how far it runs ahead of the machine's."""

    def __init__(self, clock: Clock) -> None:
        self.skew_ms = 0
        self._clock = clock

    def time_ms(self) -> int:
        """The venue's UTC wall time in ms since the epoch."""
        return self._clock.time_ms() + self.skew_ms

    def monotonic(self) -> float:
        """Seconds on the event loop's time base; never skewed."""
        return self._clock.monotonic()
