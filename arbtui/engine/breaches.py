"""The breaches of this profile: recorded once, repeated at most once a minute, kept until a person has seen them."""

import logging
from collections.abc import Iterable

from arbtui.journal.events import BreachAcknowledged, BreachRecorded
from arbtui.journal.journal import Journal
from arbtui.journal.state import BreachRow
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.risk.breach import Breach, Severity

log = logging.getLogger("arbtui")

_KEPT = 500
_REPEAT_AFTER_S = 60.0

#: Denials that an operator should see as a breach, not only as a count.
TOLD_DENIALS = {
    Reason.UNHEDGED: Severity.WARN,
    Reason.LOSS_DAY: Severity.CRIT,
    Reason.LOSS_HOUR: Severity.CRIT,
    Reason.DRAWDOWN: Severity.CRIT,
    Reason.UNATTENDED: Severity.CRIT,
    Reason.FACTOR: Severity.WARN,
    Reason.ORDER_PACE: Severity.WARN,
    Reason.PRICE_JUMP: Severity.WARN,
    Reason.ONE_LEG: Severity.WARN,
    Reason.MESSAGE_AGE: Severity.WARN,
    Reason.EDGE_TOO_GOOD: Severity.WARN,
    Reason.PRICE_BAND: Severity.WARN,
    Reason.IN_FLIGHT: Severity.WARN,
    Reason.OPEN_CYCLES: Severity.WARN,
}


class BreachBook:
    """Open and acknowledged breaches, newest last, bounded; the journal keeps all."""

    def __init__(self, journal: Journal, clock: Clock, run_id: str, left: Iterable[BreachRow]) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._count = 0
        self._last: dict[tuple[str, str], float] = {}
        self.breaches: dict[str, Breach] = {
            row.breach_id: Breach(row.breach_id, row.ts_ms, Severity(row.severity), row.kind, row.scope, row.detail, row.action)
            for row in left
        }
        self.acknowledged: dict[str, None] = {}
        self.recorded: dict[Severity, int] = dict.fromkeys(Severity, 0)  #: in this run
        self.version = 0

    def record(self, severity: Severity, kind: str, scope: str, detail: str, action: str, *, every_time: bool = False) -> Breach | None:
        """Record a breach; None when the same kind at the same scope was recorded within the last minute, unless ``every_time``."""
        now = self._clock.monotonic()
        key = (kind, scope)
        if not every_time and key in self._last and now - self._last[key] < _REPEAT_AFTER_S:
            return None
        self._last.pop(key, None)
        self._last[key] = now  # newest last
        while now - self._last[oldest := next(iter(self._last))] >= _REPEAT_AFTER_S:  # it says nothing any more
            del self._last[oldest]
        self._count += 1
        self.recorded[severity] += 1
        breach = Breach(f"{self._run_id}-b{self._count}", self._clock.time_ms(), severity, kind, scope, detail, action)
        self.breaches[breach.id] = breach
        if len(self.breaches) > _KEPT:
            self._forget_one()
        self.version += 1
        log.log(logging.CRITICAL if severity is Severity.CRIT else logging.WARNING, "%s %s: %s (%s)", kind, scope, detail, action)
        self._journal.post(BreachRecorded(breach.id, severity, kind, scope, detail, action))
        return breach

    def _forget_one(self) -> None:
        """Drop the oldest that nobody has to look at any more: acknowledged first, then a warning; never what waits for a person."""
        warnings = (key for key, breach in self.breaches.items() if breach.severity is Severity.WARN)
        oldest = next(iter(self.acknowledged), None) or next(warnings, None)
        if oldest is not None:
            del self.breaches[oldest]
            self.acknowledged.pop(oldest, None)

    def acknowledge(self, breach_id: str, by: str) -> bool:
        """A person has seen it; False when there is no such open breach."""
        if breach_id not in self.breaches or breach_id in self.acknowledged:
            return False
        self.acknowledged[breach_id] = None
        self.version += 1
        self._journal.post(BreachAcknowledged(breach_id, by))
        return True

    def acknowledge_all(self, kind: str, scope: str, by: str) -> None:
        """Every breach of ``kind`` at ``scope`` has been dealt with."""
        for breach in [breach for breach in self.breaches.values() if (breach.kind, breach.scope) == (kind, scope)]:
            self.acknowledge(breach.id, by)

    @property
    def open(self) -> int:
        """How many wait for a person."""
        return len(self.breaches) - len(self.acknowledged)
