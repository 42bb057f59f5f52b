"""What a day's cycles came to, read from the journal's tables beside its writer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arbtui.journal.reader import reading

#: Routes at either end that the digest lists.
_MOST = 3


@dataclass(frozen=True, slots=True)
class DayOfCycles:
    """The cycles that ended since a moment. PnL is each cycle's own, in the journal's currency: fills at their marks, less fees."""

    ended: Mapping[str, int]  #: how many, by how they ended
    best: Sequence[tuple[str, float, int]]  #: route, PnL, cycles; only gains, most first
    worst: Sequence[tuple[str, float, int]]  #: only losses, most first
    breaches: Mapping[str, int]  #: recorded since then, by severity


def read_day(path: Path, since_ms: int) -> DayOfCycles:
    """Read the journal at ``path``, for what is at or after ``since_ms``. May take a second after a busy day: call it in a thread.

    Raises:
        UsageError: as :func:`arbtui.journal.reader.reading`.
    """
    of_route = """SELECT route, sum(CAST(json_extract(pnl, '$.total') AS REAL)) AS made, count(*) FROM cycle
        WHERE closed_ms >= ? GROUP BY route HAVING made {} 0 ORDER BY made {} LIMIT ?"""
    with reading(path) as db:
        ended = dict(db.execute("SELECT state, count(*) FROM cycle WHERE closed_ms >= ? GROUP BY state", (since_ms,)).fetchall())
        best = [tuple(row) for row in db.execute(of_route.format(">", "DESC"), (since_ms, _MOST))]
        worst = [tuple(row) for row in db.execute(of_route.format("<", "ASC"), (since_ms, _MOST))]
        breaches = dict(db.execute("SELECT severity, count(*) FROM breach WHERE ts_ms >= ? GROUP BY severity", (since_ms,)).fetchall())
    return DayOfCycles(ended, best, worst, breaches)
