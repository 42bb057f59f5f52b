"""After a re-arm: the first minutes trade at a share of the usual size, so that what the kill was for shows itself cheaply."""

import logging
from dataclasses import replace

from arbtui.execution.config import ExecutionConfig
from arbtui.journal.state import KillRow
from arbtui.model.clock import Clock
from arbtui.routes.universe import ArbUniverse

log = logging.getLogger("arbtui")


class RearmShare:
    """Lowers ``order_value`` of every route for a while. Told by the machine's clock, so that a restart shortens nothing."""

    def __init__(self, config: ExecutionConfig, universe: ArbUniverse, clock: Clock) -> None:
        self._share, self._lasts_ms = config.rearm_share, round(config.rearm_minutes * 60_000)
        usual = [(route, route.terms) for route in universe.routes]
        self._routes = [(route, terms, replace(terms, order_value=terms.order_value * self._share)) for route, terms in usual]
        self._clock = clock
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
            for route, usual, lowered in self._routes:
                route.terms = lowered if is_on else usual
            if not is_on:
                log.info("the first minutes after the re-arm are over: order_value is whole again")
