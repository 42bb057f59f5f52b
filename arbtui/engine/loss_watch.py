"""Watches what is lost: at every fill, at every end of a cycle, and every second."""

from collections.abc import Iterable
from math import inf

from arbtui.engine.breaches import BreachBook
from arbtui.engine.mark_taker import MarkTaker
from arbtui.model.clock import Clock
from arbtui.model.halt import Halt
from arbtui.model.reason import Reason
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.breach import Severity
from arbtui.risk.guard import RiskGuard
from arbtui.risk.kill_switch import KillSwitch

_EVERY_S = 1.0
_SPANS = {Reason.LOSS_DAY: "today", Reason.LOSS_HOUR: "within an hour", Reason.DRAWDOWN: "from the best of the last day"}
_CAUSES = {Reason.LOSS_DAY: "loss limit of the day", Reason.LOSS_HOUR: "loss limit of an hour", Reason.DRAWDOWN: "drawdown limit"}


class LossWatch:
    """Halts at the limits of what may be lost, and pauses a route after losses in a row."""

    def __init__(
        self,
        risk: RiskGuard,
        portfolio: Portfolio,
        breaches: BreachBook,
        marks: MarkTaker,
        kill_switch: KillSwitch,
        halt: Halt,
        clock: Clock,
    ) -> None:
        self._risk = risk
        self._portfolio = portfolio
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

    def resume(self, route_ids: Iterable[str]) -> None:
        """At a start: what paused these routes still stands in the journal, and for how long they had paused does not. They pause anew."""
        for route_id in route_ids:
            self._pause(route_id)

    def _pause(self, route_id: str) -> None:
        if self._risk.route.look(route_id, self._clock.monotonic()):
            self._breaches.record(Severity.WARN, "LOSSES", route_id, "too many losses in a row", "paused")

    def measure(self, route_id: str = "") -> None:
        """Price what is one-sided, and act on what is lost; ``route_id``: the route whose fill or end led to it."""
        total = self._risk.total
        total.measure()
        if route_id:
            self._pause(route_id)
        results, now_ms = self._portfolio.state.results, self._clock.time_ms()
        total.loss_hour, total.drawdown = results.lost_in_hour(now_ms, total.result), results.drawdown(now_ms, total.result)
        broken = [(reason, lost, limit) for reason, lost, limit in total.losses() if not lost <= limit]
        if broken and not self._halt.is_closed:
            reason, lost, limit = broken[0]
            self._marks.take("limit")
            self._breaches.record(Severity.CRIT, reason, "global", f"{-lost:.2f} {_SPANS[reason]}, limit {limit:g}", "HALT")
            self._kill_switch.kill("GUARD", _CAUSES[reason])
