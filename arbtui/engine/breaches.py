"""The breaches of this profile: recorded once, repeated at most once a minute and counted meanwhile, kept until a person has seen them."""

import logging
from collections.abc import Iterable

from arbtui.journal.events import BreachAcknowledged, BreachRecorded, BreachRepeated
from arbtui.journal.journal import Journal
from arbtui.journal.state import BreachRow
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.risk.breach import Breach, Severity

log = logging.getLogger("arbtui")

_KEPT = 500
_REPEAT_AFTER_S = 60.0
#: Of one kind, so many breaches are logged line by line in so many s; the others then in one line: to format and redact a line and write
#: it to the file costs the loop twice what all else of a breach does. The journal has every one.
_LOGGED, _LOGGED_S = 20, 10.0

_LEVELS = {Severity.CRIT: logging.CRITICAL, Severity.WARN: logging.WARNING}

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


class _Window:
    """The minute after a breach was recorded, in which the same one is only counted."""

    __slots__ = ("breach_id", "last_ms", "since", "times")

    def __init__(self, breach_id: str, since: float) -> None:
        self.breach_id = breach_id
        self.since = since  #: monotonic s
        self.times = 0  #: since it was recorded, or counted in the journal last
        self.last_ms = 0


class _Spate:
    """The breaches of one kind in some seconds, as far as the log is concerned."""

    __slots__ = ("last", "since", "times")

    def __init__(self, since: float) -> None:
        self.since = since  #: monotonic s
        self.times = 0
        self.last: Breach | None = None  #: of those that were not logged


class BreachBook:
    """Open and acknowledged breaches, newest last, bounded; the journal keeps all."""

    def __init__(self, journal: Journal, clock: Clock, run_id: str, left: Iterable[BreachRow]) -> None:
        self._journal = journal
        self._clock = clock
        self._run_id = run_id
        self._count = 0
        self._windows: dict[tuple[str, str], _Window] = {}  # the one that was opened last at the end
        self._spates: dict[str, _Spate] = {}  # by kind, likewise
        self.breaches: dict[str, Breach] = {
            row.breach_id: Breach(row.breach_id, row.ts_ms, Severity(row.severity), row.kind, row.scope, row.detail, row.action)
            for row in left
        }
        self.acknowledged: dict[str, None] = {}
        self._warnings = {key: None for key, breach in self.breaches.items() if breach.severity is Severity.WARN}  # oldest first
        self.recorded: dict[Severity, int] = dict.fromkeys(Severity, 0)  #: in this run
        self.version = 0

    def record(self, severity: Severity, kind: str, scope: str, detail: str, action: str, *, every_time: bool = False) -> Breach | None:
        """Record a breach; None when the same kind at the same scope was within the last minute, which counts it, unless ``every_time``."""
        self.look()
        key = (kind, scope)
        window = self._windows.get(key)
        if window is not None and not every_time:
            window.times += 1
            window.last_ms = self._clock.time_ms()
            return None
        if window is not None:
            self._close(key)
        self._count += 1
        self.recorded[severity] += 1
        breach = Breach(f"{self._run_id}-b{self._count}", self._clock.time_ms(), severity, kind, scope, detail, action)
        self.breaches[breach.id] = breach
        if severity is Severity.WARN:
            self._warnings[breach.id] = None
        self._windows[key] = _Window(breach.id, self._clock.monotonic())
        if len(self.breaches) > _KEPT:
            self._forget_one()
        self.version += 1
        self._log(breach)
        self._journal.post(BreachRecorded(breach.id, severity, kind, scope, detail, action))
        return breach

    def look(self) -> None:
        """Write what was counted in minutes that are over; cheap while none is."""
        now = self._clock.monotonic()
        while self._windows and now - next(iter(self._windows.values())).since >= _REPEAT_AFTER_S:
            self._close(next(iter(self._windows)))
        while self._spates and now - next(iter(self._spates.values())).since >= _LOGGED_S:
            self._log_others(self._spates.pop(next(iter(self._spates))))

    def counted(self, breach: Breach) -> tuple[int, int]:
        """How often ``breach`` was met again and is not journaled yet, and when last, in ms."""
        window = self._windows.get((breach.kind, breach.scope))
        return (window.times, window.last_ms) if window is not None and window.breach_id == breach.id and window.times else (0, 0)

    def end(self) -> None:
        """The run ends: write what has been counted so far."""
        for window in self._windows.values():
            self._write(window)
        while self._spates:
            self._log_others(self._spates.popitem()[1])

    def _log(self, breach: Breach) -> None:
        spate = self._spates.get(breach.kind)
        if spate is None:
            spate = self._spates[breach.kind] = _Spate(self._clock.monotonic())
        spate.times += 1
        if spate.times > _LOGGED:
            spate.last = breach
        else:
            log.log(_LEVELS[breach.severity], "%s %s: %s (%s)", breach.kind, breach.scope, breach.detail, breach.action)

    def _log_others(self, spate: _Spate) -> None:
        last = spate.last
        if last is not None:
            words = "%s: %d more within %g s, which the journal has; the last of %s: %s (%s)"
            told = last.kind, spate.times - _LOGGED, _LOGGED_S, last.scope, last.detail, last.action
            log.log(_LEVELS[last.severity], words, *told)

    def _close(self, key: tuple[str, str]) -> None:
        self._write(self._windows.pop(key))

    def _write(self, window: _Window) -> None:
        if window.times and self._journal.failure is None:
            self._journal.post(BreachRepeated(window.breach_id, window.times, window.last_ms))
            window.times = 0
            self.version += 1

    def _forget_one(self) -> None:
        """Drop the oldest that nobody has to look at any more: acknowledged first, then a warning; never what waits for a person."""
        oldest = next(iter(self.acknowledged), None) or next(iter(self._warnings), None)
        if oldest is not None:
            del self.breaches[oldest]
            self.acknowledged.pop(oldest, None)
            self._warnings.pop(oldest, None)

    def acknowledge(self, breach_id: str, by: str) -> bool:
        """A person has seen it; False when there is no such open breach."""
        if breach_id not in self.breaches or breach_id in self.acknowledged:
            return False
        breach = self.breaches[breach_id]
        window = self._windows.get((breach.kind, breach.scope))
        if window is not None and window.breach_id == breach_id:  # what was met before it was seen
            self._write(window)
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
