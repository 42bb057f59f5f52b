"""Watches what is lost: at every fill, at every end of a cycle, and every second."""

from math import inf

from arbtui.engine.breaches import BreachBook
from arbtui.engine.mark_taker import MarkTaker
from arbtui.model.clock import Clock
from arbtui.model.halt import Halt
from arbtui.risk.breach import Severity
from arbtui.risk.guard import RiskGuard
from arbtui.risk.kill_switch import KillSwitch

_EVERY_S = 1.0


class LossWatch:
    """Halts at the day's loss limit, and pauses a route after losses in a row."""

    def __init__(self, risk: RiskGuard, breaches: BreachBook, marks: MarkTaker, kill_switch: KillSwitch, halt: Halt, clock: Clock) -> None:
        self._risk = risk
        self._breaches = breaches
        self._marks = marks
        self._kill_switch = kill_switch
        self._halt = halt
        self._clock = clock
        self._due = -inf

    def look(self, now: float) -> None:
        """Once a second, whatever happens."""
        if now >= self._due:
            self._due = now + _EVERY_S
            self._risk.factor.measure()
            self.measure()

    def measure(self, route_id: str = "") -> None:
        """Price what is one-sided, and act on what is lost; ``route_id``: the route whose fill or end led to it."""
        total = self._risk.total
        total.measure()
        if route_id and self._risk.route.look(route_id, self._clock.monotonic()):
            self._breaches.record(Severity.WARN, "LOSSES", route_id, "too many losses in a row", "paused")
        if not total.loss_today <= total.limits.max_loss_day and not self._halt.is_closed:
            self._marks.take("limit")
            detail = f"{-total.loss_today:.2f} today, limit {total.limits.max_loss_day:g}"
            self._breaches.record(Severity.CRIT, "LOSS_DAY", "global", detail, "HALT")
            self._kill_switch.kill("GUARD", "loss limit of the day")
