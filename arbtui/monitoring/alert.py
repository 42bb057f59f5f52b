"""An alert on its way, and its words."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.model.clock import iso_ms
from arbtui.monitoring.alert_rules import Urgency

#: Telegram takes 4096 characters (Bot API, sendMessage); the rest is room for counting them differently.
_LONGEST = 3500
_PLAIN = 500
#: How often a refused message is worded more plainly: as it is, in short ASCII, and as a bare pointer to the journal.
WORDINGS = 3


@dataclass(slots=True)
class Alert:
    """One alert. ``more``: later ones of its kind that it stands for, ``last`` the newest of them."""

    alert_id: str
    ts_ms: int
    urgency: Urgency
    kind: str
    text: str
    journaled: bool = True  #: False: the journal had failed, nothing is to be marked there
    taken: bool = False  #: a channel has begun to send it, so nothing can be added
    more: int = 0
    last: str = ""
    wording: int = 0  #: how plainly it must be worded


def message(sender: str, alerts: Sequence[Alert]) -> str:
    """The message that tells ``alerts``: of one kind as one with their number, else one a line; ``sender`` names the profile."""
    first = alerts[0]
    wording = max(alert.wording for alert in alerts)
    if wording >= WORDINGS - 1:
        return f"{first.urgency} alert {first.alert_id}: see the journal"
    if first.urgency is Urgency.CRITICAL:
        body = "\n".join(f"CRITICAL {alert.kind} {alert.text}\n{_when(alert)}" for alert in alerts)
    else:
        count = sum(1 + alert.more for alert in alerts)
        newest = alerts[-1].last or alerts[-1].text
        body = f"{first.urgency} {first.kind} {first.text}"
        if count > 1:
            body += f"\n{count} times, the last: {newest}"
        body += f"\n{_when(first)}"
    text = f"{body}\n{sender}"
    if wording:
        return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()[:_PLAIN]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _when(alert: Alert) -> str:
    return f"{iso_ms(alert.ts_ms)} {alert.alert_id}"
