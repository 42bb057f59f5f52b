"""Cycles that ended before this run, with their orders and fills, for screens: from the journal's tables."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.database import out_of_step
from arbtui.journal.events import CycleState, PlannedLeg
from arbtui.journal.reader import reading
from arbtui.model.order import Fill
from arbtui.portfolio.accounts import OrderRecord

#: Ended cycles that a restarted console can still show.
RECENT = 100


@dataclass(frozen=True, slots=True)
class PastCycle:
    """An ended cycle with its orders and fills in order. Times ms."""

    id: str
    route: str
    symbol: str
    state: CycleState
    edge_bps: float
    legs: tuple[PlannedLeg, ...]
    opened_ms: int
    closed_ms: int | None
    reason: str
    pnl: dict[str, str]  #: ``currency`` and its parts
    orders: tuple[OrderRecord, ...]
    fills: tuple[Fill, ...]


def past_cycles(path: Path, limit: int = RECENT) -> list[PastCycle]:
    """The last ended cycles of the journal at ``path``, oldest first.

    Raises:
        UsageError: as :func:`arbtui.journal.reader.reading`.
    """
    with reading(path) as db:
        try:
            return list(_read(db, limit))
        except ValueError as error:
            raise out_of_step(path, f"a cycle's row cannot be read ({error})") from error


def fills_of_cycle(path: Path, cycle_id: str) -> list[Fill]:
    """The fills of one cycle, open or ended, as they were booked.

    Raises:
        UsageError: as :func:`arbtui.journal.reader.reading`.
    """
    with reading(path) as db:
        try:
            return [_convert(row, Fill) for row in db.execute("SELECT * FROM fill WHERE cycle_id = ? ORDER BY seq", (cycle_id,))]
        except ValueError as error:
            raise out_of_step(path, f"a fill of {cycle_id} cannot be read ({error})") from error


def _read(db: sqlite3.Connection, limit: int) -> Iterator[PastCycle]:
    recent = "SELECT cycle_id FROM cycle WHERE state != 'OPEN' ORDER BY seq DESC LIMIT ?"
    orders: dict[str, list[OrderRecord]] = {}
    for row in db.execute(f"SELECT * FROM order_ WHERE cycle_id IN ({recent}) ORDER BY seq", (limit,)):
        orders.setdefault(row["cycle_id"], []).append(_order(row))
    fills: dict[str, list[Fill]] = {}
    for row in db.execute(f"SELECT * FROM fill WHERE cycle_id IN ({recent}) ORDER BY seq", (limit,)):
        fills.setdefault(row["cycle_id"], []).append(_convert(row, Fill))
    for row in db.execute(f"SELECT * FROM cycle WHERE cycle_id IN ({recent}) ORDER BY seq", (limit,)):
        yield PastCycle(
            id=row["cycle_id"],
            route=row["route"],
            symbol=row["symbol"],
            state=CycleState(row["state"]),
            edge_bps=row["edge_bps"],
            legs=msgspec.json.decode(row["legs"], type=tuple[PlannedLeg, ...]),
            opened_ms=row["opened_ms"],
            closed_ms=row["closed_ms"],
            reason=row["reason"],
            pnl=msgspec.json.decode(row["pnl"]) if row["pnl"] else {},
            orders=tuple(orders.get(row["cycle_id"], ())),
            fills=tuple(fills.get(row["cycle_id"], ())),
        )


def _order(row: sqlite3.Row) -> OrderRecord:
    facts = {name: row[name] for name in ("run_id", "intended_ms", "changed_ms", "state", "venue_order_id", "filled_qty", "reason")}
    return msgspec.convert({**facts, "intent": dict(row)}, OrderRecord)


def _convert(row: sqlite3.Row, kind: type[Any]) -> Any:
    return msgspec.convert(dict(row), kind)
