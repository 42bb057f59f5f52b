"""What a day's cycles came to, by the journal's tables."""

import sqlite3
from contextlib import closing
from pathlib import Path

from arbtui.journal.day import DayOfCycles, read_day
from arbtui.journal.events import BreachRecorded
from tests.journal.recorded import record

SINCE_MS = 1_767_225_600_000


def write(path: Path, *cycles: tuple[str, int, str, str], breaches: tuple[tuple[str, int], ...] = ()) -> None:
    """Cycles, each (route, closed_ms, state, PnL), and breaches, each (severity, ts_ms)."""
    record(path, [BreachRecorded(f"b{number}", severity, "KIND", "global", "", "") for number, (severity, _) in enumerate(breaches)])
    with closing(sqlite3.connect(path)) as db:
        names = [name for _, name, *_ in db.execute("PRAGMA table_info(cycle)")]
        for number, (route, closed_ms, state, total) in enumerate(cycles):
            row = dict.fromkeys(names, 0) | {"cycle_id": f"c{number}", "route": route, "closed_ms": closed_ms, "state": state}
            row["pnl"] = f'{{"total": "{total}"}}'
            db.execute(f"INSERT INTO cycle ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
        for number, (_, ts_ms) in enumerate(breaches):
            assert db.execute("UPDATE breach SET ts_ms = ? WHERE breach_id = ?", (ts_ms, f"b{number}")).rowcount == 1
        db.commit()


def test_a_day_without_anything(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, ("a", SINCE_MS - 1, "HEDGED", "1"), breaches=(("CRIT", SINCE_MS - 1),))
    assert read_day(path, SINCE_MS) == DayOfCycles({}, [], [], {})


def test_cycles_are_counted_by_their_end_and_routes_summed_the_three_best_and_worst_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    at = SINCE_MS
    gains = [(route, at, "HEDGED", total) for route, total in (("a", "4"), ("b", "3"), ("c", "2"), ("d", "1"))]
    losses = [(route, at + 5, "UNWOUND", total) for route, total in (("w", "-1"), ("x", "-2"), ("y", "-3"), ("z", "-4"))]
    mixed = [("b", at, "RESIDUAL", "2.5"), ("even", at, "HEDGED", "1"), ("even", at, "HEDGED", "-1"), ("a", at - 1, "HEDGED", "100")]
    write(path, *gains, *losses, *mixed, breaches=(("CRIT", at), ("WARN", at), ("WARN", at + 1), ("WARN", at - 1)))
    day = read_day(path, SINCE_MS)
    assert day.ended == {"HEDGED": 6, "UNWOUND": 4, "RESIDUAL": 1}
    assert day.best == [("b", 5.5, 2), ("a", 4.0, 1), ("c", 2.0, 1)]
    assert day.worst == [("z", -4.0, 1), ("y", -3.0, 1), ("x", -2.0, 1)]
    assert day.breaches == {"CRIT": 1, "WARN": 2}
