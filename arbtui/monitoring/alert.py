"""An alert and its text."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.model.clock import iso_ms
from arbtui.monitoring.alert_rules import Urgency

#: Telegram takes 4096 UTF-16 units (Bot API, sendMessage); the rest is for times, ids and the sender.
_LONGEST = 2800
_PLAIN = 500
#: Numbers of alerts that a message of a flood names.
_NAMED = 50
#: Forms of a message, used in turn when it is refused: as it is, short ASCII, and a bare reference to the journal.
WORDINGS = 3


@dataclass(slots=True)
class Alert:
    """One alert. ``more``: later ones of its kind that it represents, ``last`` the newest of them."""

    alert_id: str
    ts_ms: int
    urgency: Urgency
    kind: str
    text: str
    journaled: bool = True  #: False: the journal had failed, so it is not marked there
    taken: bool = False  #: a channel has begun to send it, so nothing can be added
    more: int = 0
    last: str = ""
    since: float = 0.0  #: when it was queued in this run, on the monotonic clock, in s
    last_at: float = 0.0  #: when the newest was added, likewise
    is_delivered: bool = False  #: a channel has taken it


#: So many CRITICAL alerts of one kind that wait are a flood: they are sent as one message, with their number.
FLOOD = 50


def is_flood(alerts: Sequence[Alert]) -> bool:
    """Whether ``alerts``, of one kind, are too many to be sent one by one."""
    return len(alerts) >= FLOOD or any(alert.more for alert in alerts)


def message(sender: str, alerts: Sequence[Alert], wording: int) -> str:
    """The message for ``alerts``: CRITICAL one by one, others of one kind, and a flood, as one with their number.

    ``sender`` names the profile; ``wording`` counts how often the server has refused it.
    """
    first = alerts[0]
    if wording >= WORDINGS - 1:
        return f"{first.urgency} alert {first.alert_id}: see the journal"
    if first.urgency is Urgency.CRITICAL and not is_flood(alerts):
        room = _LONGEST // len(alerts)  # none may displace another
        body = "\n".join(f"{_cut(f'CRITICAL {alert.kind} {alert.text}', room)}\n{_when(alert)}" for alert in alerts)
    else:
        count = sum(1 + alert.more for alert in alerts)
        newest = alerts[-1].last or alerts[-1].text
        body = _cut(f"{first.urgency} {first.kind} {first.text}", _LONGEST // 2)
        if count > 1:
            body += f"\n{count} times, the last: {_cut(newest, _LONGEST // 2)}"
        if first.urgency is Urgency.CRITICAL:
            others = [alert.alert_id for alert in alerts[1 : _NAMED + 1]]
            body += f"\nwith {' '.join(others)}" + (f" and {len(alerts) - 1 - _NAMED} more" if len(alerts) - 1 > _NAMED else "")
        body += f"\n{_when(first)}"
    text = f"{body}\n{sender}"
    if wording:
        return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()[:_PLAIN]
    return text


def _cut(text: str, room: int) -> str:
    """``text`` in at most ``room`` UTF-16 units, which is what Telegram counts: a character beyond the first 65,536 is two."""
    if 2 * len(text) <= room:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return text if len(units) <= 2 * room else f"{units[: 2 * (room - 3)].decode('utf-16-le', 'ignore')}..."


def _when(alert: Alert) -> str:
    return f"{iso_ms(alert.ts_ms)} {alert.alert_id}"
