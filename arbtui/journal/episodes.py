"""Episodes in the journal: gaps that were seen, taken or not. Statistics beside the events, bounded, that no order waits for."""

import csv
import io
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from msgspec import Struct

from arbtui.journal.database import Statement
from arbtui.journal.reader import reading
from arbtui.model.clock import iso_in, iso_ms
from arbtui.model.money import decimal_of, plain

LOOKS_MS = (50, 100, 200, 500)
"""How long after an episode began its orders are held against the books again, in ms."""

KEPT = 10_000
"""Episodes that a journal keeps, the newest ones."""

RUN_ENDED = "RUN_ENDED"
"""What ended an episode whose edge still cleared when the run ended."""

ROUTE_GONE = "ROUTE_GONE"
"""What ended an episode whose route was taken off the list while it lasted: a market of it no longer trades, say."""

_COLUMNS = (
    *("run_id", "route", "symbol", "started_ms", "ended_ms", "ended_by", "best_edge_bps", "size", "cycles", "gate"),
    *(f"fills_at_{ms}" for ms in LOOKS_MS),
)
_FACTS = ("run_id", "route", "symbol", "start", "end", "ended_by", "best_edge_bps", "size", "cycles", "gate")
_ROW = f"INSERT INTO episode ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_OLD_ROWS = f"DELETE FROM episode WHERE episode_no <= (SELECT max(episode_no) FROM episode) - {KEPT}"


class EpisodeRecord(Struct, frozen=True):
    """One gap, from the moment a route's edge cleared its threshold until it no longer did. Edge in bps net, size in base."""

    route: str
    symbol: str
    started_ms: int  #: our clock
    ended_ms: int
    ended_by: str  #: BELOW_THRESHOLD, why the prices were not to be believed any more, ROUTE_GONE or RUN_ENDED
    best_edge_bps: float
    size: float  #: at that edge
    cycles: int  #: opened on it; 0: not taken
    gate: str  #: the first reason why it was not taken; empty where it was
    would_fill: tuple[bool | None, ...]  #: after each of LOOKS_MS; None where the run ended before


def episode_statements(run_id: str, episodes: Sequence[EpisodeRecord]) -> list[Statement]:
    """What adds ``episodes`` of a run to the journal and takes those beyond the newest :data:`KEPT` out."""
    rows: list[Statement] = [
        (
            _ROW,
            (
                *(run_id, one.route, one.symbol, one.started_ms, one.ended_ms, one.ended_by, one.best_edge_bps, one.size),
                *(one.cycles, one.gate, *one.would_fill),
            ),
        )
        for one in episodes
    ]
    return [*rows, (_OLD_ROWS, ())] if rows else []


def read_episodes(path: Path, run: str | None = None, since_ms: int | None = None, until_ms: int | None = None) -> list[dict[str, Any]]:
    """The episodes that the journal at ``path`` keeps, oldest first, as JSON can hold them; of one ``run``, begun in a span of time.

    Raises:
        UsageError: no journal there, not readable, of another format, or damaged.
    """
    wanted = "(?1 IS NULL OR run_id = ?1) AND (?2 IS NULL OR started_ms >= ?2) AND (?3 IS NULL OR started_ms <= ?3)"
    with reading(path) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'episode'").fetchone() is None:
            return []  # written by a version without them, and not opened for writing since
        rows = db.execute(f"SELECT * FROM episode WHERE {wanted} ORDER BY started_ms, episode_no", (run, since_ms, until_ms)).fetchall()
    return [_facts(row) for row in rows]


def episodes_csv(episodes: Sequence[Mapping[str, Any]], zone: tzinfo = UTC) -> str:
    """``episodes`` of :func:`read_episodes` as CSV: one header line, then a line an episode; ``would_fill`` takes a column a delay.

    Times are those of ``zone``.
    """
    later = {f"would_fill_{ms}": str(ms) for ms in LOOKS_MS}
    out = io.StringIO()
    writer = csv.DictWriter(out, (*_FACTS, *later), lineterminator="\n")
    writer.writeheader()
    for one in episodes:
        answers = {column: one["would_fill"][ms] for column, ms in later.items()}
        facts = {**{name: one[name] for name in _FACTS}, "start": iso_in(one["start"], zone), "end": iso_in(one["end"], zone)}
        writer.writerow(facts | {name: "" if yes is None else int(yes) for name, yes in answers.items()})
    return out.getvalue()


def _facts(row: sqlite3.Row) -> dict[str, Any]:
    fills = {str(ms): None if row[f"fills_at_{ms}"] is None else bool(row[f"fills_at_{ms}"]) for ms in LOOKS_MS}
    return {
        "run_id": row["run_id"],
        "route": row["route"],
        "symbol": row["symbol"],
        "start": iso_ms(row["started_ms"]),
        "end": iso_ms(row["ended_ms"]),
        "ended_by": row["ended_by"],
        "best_edge_bps": round(row["best_edge_bps"], 4),
        "size": plain(decimal_of(float(f"{row['size']:.8g}"))),
        "cycles": row["cycles"],
        "gate": row["gate"],
        "would_fill": fills,
    }
