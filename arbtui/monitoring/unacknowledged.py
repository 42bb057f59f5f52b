"""Alerts that no person has acknowledged yet, and the breaches that each of them tells of."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from arbtui.monitoring.alert import Alert
from arbtui.monitoring.alert_rules import Urgency

#: Warnings that are remembered, so that a person can acknowledge them by their number; those of a flood fall out, oldest first.
_WARNINGS = 1_000


@dataclass(slots=True)
class OpenAlert:
    """An alert that waits for a person. Without a breach it stands for itself."""

    alert: Alert
    breaches: dict[str, None] = field(default_factory=dict)  #: ids of its breaches that nobody has acknowledged, oldest first
    is_escalated: bool = False


class Unacknowledged:
    """Which alerts wait for a person. INFO never does."""

    def __init__(self) -> None:
        self._open: dict[str, OpenAlert] = {}  #: by the alert's id, oldest first
        self._of_breach: dict[str, str] = {}  #: the alert that tells of a breach

    def tell(self, alert: Alert, breach_id: str = "") -> OpenAlert | None:
        """``alert`` was queued, or ``breach_id`` was added to it; None where nobody has to acknowledge it."""
        if alert.urgency is Urgency.INFO:
            return None
        waits = self._open.setdefault(alert.alert_id, OpenAlert(alert))
        if breach_id:
            waits.breaches[breach_id] = None
            self._of_breach[breach_id] = alert.alert_id
        if alert.urgency is Urgency.WARN and len(self._open) > _WARNINGS:
            self._forget_a_warning()
        return waits

    def breach_acknowledged(self, breach_id: str) -> None:
        """A person, or its end, has acknowledged ``breach_id``; an alert all of whose breaches are, is."""
        alert_id = self._of_breach.pop(breach_id, None)
        if alert_id is None:
            return
        waits = self._open[alert_id]
        waits.breaches.pop(breach_id, None)
        if not waits.breaches:
            del self._open[alert_id]

    def close(self, alert_id: str) -> None:
        """``alert_id`` itself was acknowledged."""
        waits = self._open.pop(alert_id, None)
        for breach_id in waits.breaches if waits else ():
            del self._of_breach[breach_id]

    def find(self, number: str) -> OpenAlert | None:
        """The alert of that number, or the one that tells of the breach of that number."""
        return self._open.get(self._of_breach.get(number, number))

    @property
    def all(self) -> Iterable[OpenAlert]:
        """Those that wait, oldest first."""
        return self._open.values()

    def _forget_a_warning(self) -> None:
        oldest = next((one for one in self._open.values() if one.alert.urgency is Urgency.WARN), None)
        if oldest is not None:
            self.close(oldest.alert.alert_id)
