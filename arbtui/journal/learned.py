"""What routes have taught, in the journal: one row a route. Statistics beside the events, bounded by the number of routes."""

import sqlite3
from collections.abc import Sequence

from msgspec import Struct

from arbtui.journal.database import Statement
from arbtui.journal.episodes import LOOKS_MS

#: Rows that a journal keeps: those of routes that were told of last. More than any profile has routes.
KEPT = 50_000

_SURVIVED = tuple(f"survived_{ms}" for ms in LOOKS_MS)
_COLUMNS = ("route", "updated_ms", "slippage_bps", "slippages", "realised", "cycles", "gaps", *_SURVIVED)
_ROW = f"INSERT OR REPLACE INTO learned ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_OLD_ROWS = f"DELETE FROM learned WHERE route IN (SELECT route FROM learned ORDER BY updated_ms DESC, route LIMIT -1 OFFSET {KEPT})"


class LearnedRow(Struct, frozen=True):
    """What one route has taught; see :class:`arbtui.routes.learned.LearnedRoute`."""

    route: str
    updated_ms: int  #: our clock, when its slippage was last learned; 0 before that
    slippage_bps: float
    slippages: int
    realised: float | None
    cycles: int
    gaps: float
    survived: tuple[float, ...]  #: after each of LOOKS_MS


def learned_statements(rows: Sequence[LearnedRow]) -> list[Statement]:
    """What adds or replaces ``rows``, and takes out those beyond :data:`KEPT`."""
    if not rows:
        return []
    told: list[Statement] = [
        (
            _ROW,
            (one.route, one.updated_ms, one.slippage_bps, one.slippages, one.realised, one.cycles, one.gaps, *one.survived),
        )
        for one in rows
    ]
    return [*told, (_OLD_ROWS, ())]


def learned_rows(db: sqlite3.Connection) -> list[LearnedRow]:
    """Everything that is kept; nothing in a journal of a version without it that was not opened for writing since."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'learned'").fetchone() is None:
        return []
    rows = db.execute(f"SELECT {', '.join(_COLUMNS)} FROM learned ORDER BY route").fetchall()
    plain = len(_COLUMNS) - len(_SURVIVED)
    return [LearnedRow(*(*row[:plain], tuple(row[plain:]))) for row in map(tuple, rows)]
