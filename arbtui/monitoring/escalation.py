"""When a CRITICAL alert is sent by the second way: nobody has acknowledged it, or the first way does not take it."""

from collections.abc import Iterable, Sequence

from arbtui.model.counted import counted
from arbtui.monitoring.alert import Alert
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.unacknowledged import OpenAlert

#: An alert of an earlier run is sent once more up to this age, in ms; after a day whoever starts the engine looks at the console.
OLDEST_MS = 86_400_000


class Escalation:
    """Judges which alerts have waited for too long.

    Args:
        after_s: since an alert was queued, where it has been delivered and nobody has acknowledged it.
        undelivered_s: the same where no channel of the first way has taken it.
    """

    def __init__(self, after_s: float, undelivered_s: float) -> None:
        self._after_s = after_s
        self._undelivered_s = undelivered_s

    def take(self, waiting: Iterable[OpenAlert], now: float) -> Sequence[Alert]:
        """Those to tell now, oldest first, each once. ``now``: monotonic s."""
        due = [one for one in waiting if one.alert.urgency is Urgency.CRITICAL and not one.is_escalated and self._is_late(one.alert, now)]
        for one in due:
            one.is_escalated = True
        return [one.alert for one in due]

    def wording(self, alerts: Sequence[Alert], now: float) -> str:
        """What is said of ``alerts`` before their own words."""
        first = alerts[0]
        age = f"{max(now - first.since, 0.0) / 60:.0f} min" if now - first.since >= 90 else f"{max(now - first.since, 0.0):.0f} s"
        others = f" (and {counted(len(alerts) - 1, 'other alert')})" if len(alerts) > 1 else ""
        why = "nobody has acknowledged this" if first.is_delivered else "the first channel does not take this"
        return f"{why} for {age}{others}: {first.kind} {first.text}"

    def _is_late(self, alert: Alert, now: float) -> bool:
        return now - alert.since >= (self._after_s if alert.is_delivered else self._undelivered_s)
