"""Denials in the journal: for how long, and how often, each reason kept us from trading a route. Statistics beside the events.

Each span is kept in steps (:data:`SPANS`): a sum over the last hour covers the last sixty minutes by the clock, the running one
included. What is older than its span is taken out whenever something is added, so the table stays bounded.
"""

import csv
import io
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from arbtui.journal.database import Statement
from arbtui.journal.reader import reading

#: Each span over which denials are summed, the newest included: ms, and ms of the steps in which it is kept.
SPANS = {"minute": (60_000, 10_000), "hour": (3_600_000, 60_000), "day": (86_400_000, 3_600_000)}

#: The route of what is summed over all routes.
ALL_ROUTES = ""

_ROW = """INSERT INTO denial (step_ms, start_ms, route, reason, times, seconds) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (step_ms, start_ms, route, reason) DO UPDATE SET times = excluded.times, seconds = excluded.seconds"""
_OLD_ROWS = "DELETE FROM denial WHERE step_ms = ? AND start_ms <= ?"
_SUMS = """SELECT route, reason, sum(times) AS times, sum(seconds) AS seconds FROM denial
    WHERE step_ms = ? AND start_ms > ? AND start_ms <= ? GROUP BY route, reason"""


class DenialRow(Struct, frozen=True):
    """One step of one route and reason. ``times``: how often it began to hold; ``seconds``: for how long it held, while a gap was open."""

    route: str  #: :data:`ALL_ROUTES` for the sum over all
    reason: str
    step_ms: int
    start_ms: int  #: our clock
    times: int
    seconds: float


def denial_statements(rows: Sequence[DenialRow], now_ms: int) -> list[Statement]:
    """What adds or replaces ``rows`` and takes out what is older than its span."""
    if not rows:
        return []
    old: list[Statement] = [(_OLD_ROWS, (step_ms, now_ms - span_ms)) for span_ms, step_ms in SPANS.values()]
    return [*((_ROW, (one.step_ms, one.start_ms, one.route, one.reason, one.times, one.seconds)) for one in rows), *old]


def denial_rows(db: sqlite3.Connection) -> list[DenialRow]:
    """Everything that is kept; nothing in a journal of a version without denials that was not opened for writing since."""
    if not _has_denials(db):
        return []
    rows = db.execute("SELECT route, reason, step_ms, start_ms, times, seconds FROM denial ORDER BY start_ms")
    return [DenialRow(*row) for row in rows]


def read_denials(path: Path, now_ms: int) -> list[dict[str, Any]]:
    """Each route and reason with its sums over the spans that end at ``now_ms``, as JSON can hold them.

    The sums over all routes come first, with route None; longest in the last day first.

    Raises:
        UsageError: no journal there, not readable, of another format, or damaged.
    """
    with reading(path) as db:
        if not _has_denials(db):
            return []
        sums = {
            name: {(row["route"], row["reason"]): row for row in db.execute(_SUMS, (step_ms, now_ms - span_ms, now_ms))}
            for name, (span_ms, step_ms) in SPANS.items()
        }
    keys = dict.fromkeys(key for rows in sums.values() for key in rows)
    facts = [{"route": route or None, "reason": reason, **_sums(sums, route, reason)} for route, reason in keys]
    return sorted(facts, key=lambda one: (one["route"] or "", -one["day"]["seconds"], -one["day"]["times"], one["reason"]))


def denials_csv(denials: Sequence[Mapping[str, Any]]) -> str:
    """``denials`` of :func:`read_denials` as CSV: one header line, then a line a route and reason; the sums over all have no route."""
    figures = [(span, figure) for span in SPANS for figure in ("seconds", "times")]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["route", "reason", *(f"{span}_{figure}" for span, figure in figures)])
    for one in denials:
        writer.writerow([one["route"] or "", one["reason"], *(one[span][figure] for span, figure in figures)])
    return out.getvalue()


def _sums(sums: dict[str, dict[tuple[str, str], sqlite3.Row]], route: str, reason: str) -> dict[str, dict[str, Any]]:
    found = {name: rows.get((route, reason)) for name, rows in sums.items()}
    return {
        name: {"seconds": 0.0 if row is None else round(row["seconds"], 3), "times": 0 if row is None else row["times"]}
        for name, row in found.items()
    }


def _has_denials(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'denial'").fetchone() is not None
