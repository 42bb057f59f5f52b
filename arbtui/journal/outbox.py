"""What a start-up reads back of alerts and remote commands: alerts that still wait, and commands that must not act twice."""

from dataclasses import dataclass
from pathlib import Path

from arbtui.journal.reader import reading


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert that waits. ``settled``: channels that took it, or refused it for good."""

    alert_id: str
    seq: int
    ts_ms: int
    severity: str
    kind: str
    text: str
    settled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outbox:
    """All that waits, oldest first.

    ``commands``: outcome by update id; None of a /kill where a crash came between receipt and act, :data:`CUT_OFF` of another command:
    that one is too old to be carried out, and is not.
    """

    alerts: list[AlertRow]
    commands: dict[int, str | None]


KILL = "/kill"  #: the one command that is carried out however late
CUT_OFF = "cut off"
CHAT_MOVED = "TELEGRAM_CHAT_MOVED"  #: kind of the breach that tells of a chat's new number; its scope is ``telegram:OLD``


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What a look from outside needs to know. ``moved``: details of breaches that tell of a chat's new number, by channel."""

    waiting: int  #: alerts that some channel has not taken yet
    oldest_ms: int | None  #: when the oldest of those was queued, on the journal's clock
    oldest_warn_ms: int | None  #: the oldest of those that may be held back to be counted
    moved: dict[str, str]


def read_undelivered(path: Path) -> Undelivered:
    """What the journal at ``path`` has not delivered, beside its writer or without one.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        waiting, oldest_ms, oldest_warn_ms = db.execute(
            "SELECT count(*), min(iif(severity = 'WARN', NULL, ts_ms)), min(iif(severity = 'WARN', ts_ms, NULL))"
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
        rows = db.execute("SELECT alert_id, seq, ts_ms, severity, kind, text FROM alert WHERE state = 'QUEUED' ORDER BY seq")
        alerts = [
            AlertRow(alert_id, seq, ts_ms, severity, kind, text, tuple(settled.get(alert_id, ())))
            for alert_id, seq, ts_ms, severity, kind, text in rows
        ]
        rows = db.execute(
            "SELECT update_id, coalesce(outcome, iif(command = ?, NULL, ?)) FROM remote_command ORDER BY seq", (KILL, CUT_OFF)
        )
        commands = {row[0]: row[1] for row in rows}
        return Outbox(alerts, commands)
