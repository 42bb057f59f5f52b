"""After a re-arm: the first minutes trade at a share of the usual size, so that what the kill was for shows itself cheaply."""

import logging
from collections.abc import Callable

from arbtui.execution.config import ExecutionConfig
from arbtui.journal.state import KillRow
from arbtui.model.clock import Clock

log = logging.getLogger("arbtui")


class RearmShare:
    """The share of ``order_value`` that holds now. Told by the machine's clock, so that a restart shortens nothing.

    Args:
        on_change: called when another share holds.
    """

    def __init__(self, config: ExecutionConfig, clock: Clock, on_change: Callable[[], None]) -> None:
        self._share, self._lasts_ms = config.rearm_share, round(config.rearm_minutes * 60_000)
        self._clock = clock
        self._on_change = on_change
        self._until_ms = 0
        self._is_on = False

    @property
    def share(self) -> float:
        """Of the usual size, now; 1 when nothing is lowered."""
        return self._share if self._is_on else 1.0

    @property
    def left_s(self) -> float:
        """For how long it goes on, in s; 0 when nothing is lowered."""
        return max(0.0, (self._until_ms - self._clock.time_ms()) / 1000) if self._is_on else 0.0

    def begin(self, rearmed_ms: int) -> None:
        """The gate was opened again at ``rearmed_ms`` (ms since the epoch), by this run or by an earlier one."""
        self._until_ms = rearmed_ms + self._lasts_ms
        self.look()
        if self._is_on:
            log.info("re-armed: %g %% of order_value for %.0f s", self._share * 100, self.left_s)

    def resume(self, last: KillRow | None) -> None:
        """At a start: a re-arm of an earlier run may still hold."""
        if last is not None and last.action == "rearmed":
            self.begin(last.ts_ms)

    def look(self) -> None:
        """Begin or end it, when its time has come."""
        is_on = self._share < 1.0 and self._clock.time_ms() < self._until_ms
        if is_on != self._is_on:
            self._is_on = is_on
            self._on_change()
            if not is_on:
                log.info("the first minutes after the re-arm are over: order_value is whole again")
