"""What a start-up reads back of alerts and remote commands: alerts that still wait, and commands that must not act twice."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from arbtui.journal.reader import reading


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert. ``settled``: channels that took it, or refused it for good; ``breaches``: ids of its unacknowledged breaches."""

    alert_id: str
    seq: int
    ts_ms: int
    severity: str
    kind: str
    text: str
    settled: tuple[str, ...]
    breaches: tuple[str, ...] = ()
    is_seen: bool = False  #: a person has acknowledged its breach
    is_escalated: bool = False  #: it was told by the second way


@dataclass(frozen=True, slots=True)
class Outbox:
    """All that waits, oldest first.

    ``commands``: outcome by update id; None of a /kill where a crash came between receipt and act, :data:`CUT_OFF` of another command:
    that one is too old to be carried out, and is not.
    """

    alerts: list[AlertRow]
    commands: dict[int, str | None]
    unseen: list[AlertRow] = field(default_factory=list)  #: alerts whose breaches no person has acknowledged, delivered or not


KILL = "/kill"  #: the one command that is carried out however late
CUT_OFF = "cut off"
#: Suffix of an alert's number where it is sent once more, by the second way, since nobody has acknowledged it.
SECOND_CALL = "+2"
SECOND_WAY = "second way"  #: as a channel that takes each alert that a second call tells of, beside the channels that deliver the call
CHAT_MOVED = "TELEGRAM_CHAT_MOVED"  #: kind of the breach that tells of a chat's new number; its scope is ``telegram:OLD``


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What a look from outside needs to know. ``moved``: details of breaches that tell of a chat's new number, by channel."""

    waiting: int  #: alerts that some channel has not taken yet
    oldest_ms: int | None  #: when the oldest CRITICAL of those was queued, on the journal's clock; INFO may wait for the morning
    oldest_warn_ms: int | None  #: the oldest of those that may be held back to be counted
    moved: dict[str, str]


def read_undelivered(path: Path) -> Undelivered:
    """What the journal at ``path`` has not delivered, beside its writer or without one.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        waiting, oldest_ms, oldest_warn_ms = db.execute(
            "SELECT count(*), min(iif(severity = 'CRITICAL', ts_ms, NULL)), min(iif(severity = 'WARN', ts_ms, NULL))"
            " FROM alert WHERE state = 'QUEUED'"
        ).fetchone()
        moved = {row[0]: row[1] for row in db.execute("SELECT scope, detail FROM breach WHERE kind = ? ORDER BY seq", (CHAT_MOVED,))}
    return Undelivered(waiting, oldest_ms, oldest_warn_ms, moved)


def load_outbox(path: Path) -> Outbox:
    """Read the outbox of the journal at ``path``, which its writer has opened before (that makes the tables).

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        settled: dict[str, list[str]] = {}
        waiting = "SELECT alert_id FROM alert WHERE state = 'QUEUED'"
        for alert_id, channel in db.execute(f"SELECT alert_id, channel FROM alert_delivery WHERE alert_id IN ({waiting}) ORDER BY seq"):
            settled.setdefault(alert_id, []).append(channel)
        found = []
        for row in db.execute(_WITH_BREACHES, (SECOND_WAY,)):
            breaches = (row["breach_id"],) if row["breach_id"] and row["acknowledged_ms"] is None else ()
            found.append(_alert(row, tuple(settled.get(row["alert_id"], ())), breaches))
        queued = {row[0] for row in db.execute(waiting)}
        rows = db.execute(
            "SELECT update_id, coalesce(outcome, iif(command = ?, NULL, ?)) FROM remote_command ORDER BY seq", (KILL, CUT_OFF)
        )
        commands = {row[0]: row[1] for row in rows}
        alerts = [alert for alert in found if alert.alert_id in queued]
        unseen = [alert for alert in found if alert.breaches]
        kills = list(db.execute("SELECT breach_id, seq FROM breach WHERE kind = 'KILL' AND acknowledged_ms IS NULL ORDER BY seq"))
        if kills:  # told with the kill itself, which comes before its breach
            breaches = tuple(breach_id for breach_id, _ in kills)
            unseen += [_alert(row, (), breaches) for row in db.execute(_NEWEST_KILL, (SECOND_WAY, kills[-1][1]))]
        return Outbox(alerts, commands, unseen)


def _alert(row: sqlite3.Row, settled: tuple[str, ...], breaches: tuple[str, ...]) -> AlertRow:
    return AlertRow(
        row["alert_id"],
        row["seq"],
        row["ts_ms"],
        row["severity"],
        row["kind"],
        row["text"],
        settled,
        breaches,
        is_seen=row["acknowledged_ms"] is not None,
        is_escalated=bool(row["is_escalated"]),
    )


_FACTS = "alert.alert_id, alert.seq, alert.ts_ms, alert.severity, alert.kind, alert.text"
_IS_ESCALATED = "EXISTS (SELECT 1 FROM alert_delivery WHERE alert_delivery.alert_id = alert.alert_id AND channel = ?) AS is_escalated"
#: Alerts that wait, or whose breach no person has acknowledged. An alert stands in the journal right behind the event that it reports.
_WITH_BREACHES = f"""SELECT {_FACTS}, breach_id, acknowledged_ms, {_IS_ESCALATED}
    FROM alert LEFT JOIN breach ON breach.seq = alert.seq - 1
    WHERE alert.seq IN (SELECT seq FROM alert WHERE state = 'QUEUED' UNION SELECT seq + 1 FROM breach WHERE acknowledged_ms IS NULL)
    ORDER BY alert.seq"""
#: Of the newest kill before the event of that number.
_NEWEST_KILL = f"""SELECT {_FACTS}, NULL AS acknowledged_ms, {_IS_ESCALATED} FROM alert
    WHERE kind = 'KILL' AND seq = (SELECT max(seq) FROM kill WHERE seq < ?) + 1"""
