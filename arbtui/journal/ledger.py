"""What happened and where everything is now, for auditors: read from the journal alone, while its writer runs or not."""

import csv
import io
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.database import open_reader, refusal
from arbtui.journal.events import Adjusted, BalanceRecorded, CycleState, FillRecorded, Transferred, decode
from arbtui.journal.pnl import Totals, add_pnl, pnl_json
from arbtui.journal.schema import APPLICATION_ID, USER_VERSION
from arbtui.model.clock import iso_ms
from arbtui.model.errors import UsageError
from arbtui.model.money import plain

Balances = dict[str, dict[str, dict[str, str]]]

#: The facts of a fill, in the order of the CSV's columns. Money and quantities as strings, times UTC ISO 8601 with ms.
FILL_COLUMNS = (
    *("exchange", "trade_id", "client_order_id", "venue_order_id", "market", "base", "quote", "side", "qty", "price", "cost", "fee"),
    *("fee_currency", "liquidity", "ts_event", "ts_init", "cycle_id", "leg", "source", "run_id"),
)
_ORDER_COLUMNS = (
    *("client_order_id", "qty", "state", "filled_qty", "exchange", "market", "base", "quote", "side", "price", "tif", "purpose"),
    *("cycle_id", "leg", "attempt", "epoch", "venue_order_id", "reason", "intended_ms", "changed_ms", "run_id"),
)
_TIMES = ("ts_event", "ts_init")


#: What belongs to the time since a moment: also what a fill of that time belongs to. Our clock, ms.
_SINCE = {
    "fill": "ts_init >= :since",
    "order_": "intended_ms >= :since OR changed_ms >= :since"
    " OR client_order_id IN (SELECT client_order_id FROM fill WHERE ts_init >= :since)",
    "cycle": "opened_ms >= :since OR closed_ms >= :since OR cycle_id IN (SELECT cycle_id FROM fill WHERE ts_init >= :since)",
}


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of the journal that a ledger covers: one run's events, or all (``run_id`` None)."""

    run_id: str | None
    first_seq: int
    last_seq: int
    since_ms: int | None = None  #: leaves out fills, orders and cycles from before


def read_ledger(path: Path, run: str | None = None, since_ms: int | None = None) -> dict[str, Any]:
    """The ledger of the journal at ``path``, as JSON can hold it: its whole life, or one ``run``.

    ``since_ms`` (our clock) leaves out the fills, orders and cycles from before, and so their PnL; balances and all the
    rest stay as they are. Such a ledger no longer adds up to its balances: it cannot be audited.

    Balances are those that the engine recorded with each fill, not a sum made here: so an audit that adds up the fills
    compares two independent things. A start balance is the first ever recorded, or nothing for an asset that came by a flow.
    A cycle belongs to the run that opened it, a fill to the run that learned of it.

    Raises:
        UsageError: no journal there, not SQLite, another program's, newer than this program, or without that run.
    """
    with closing(open_reader(path, APPLICATION_ID, USER_VERSION)) as db:
        db.row_factory = sqlite3.Row
        try:
            db.execute("BEGIN")  # one moment for all queries
            return _ledger(db, replace(_span(path, db, run), since_ms=since_ms))
        except sqlite3.Error as error:
            raise refusal(path, error) from error


def ledger_csv(ledger: dict[str, Any]) -> str:
    """The fills of ``ledger`` as CSV: one header line, then a line a fill, oldest first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FILL_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(ledger["fills"])
    return out.getvalue()


def _span(path: Path, db: sqlite3.Connection, run: str | None) -> _Span:
    (newest,) = db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    if run is None:
        return _Span(None, 0, newest)
    row = db.execute(
        "SELECT seq, (SELECT min(seq) FROM run AS later WHERE later.seq > run.seq) FROM run WHERE run_id = ?", (run,)
    ).fetchone()
    if row is None:
        known = [name for (name,) in db.execute("SELECT run_id FROM run ORDER BY seq DESC LIMIT 5")]
        raise UsageError(f"{path}: no run {run!r}; the last ones: {', '.join(known) or 'none yet'}")
    return _Span(run, row[0], row[1] - 1 if row[1] else newest)


def _ledger(db: sqlite3.Connection, span: _Span) -> dict[str, Any]:
    runs = [_run(row) for row in _rows(db, "run", span)]
    start, end = _balances_of_life(db) if span.run_id is None else _balances_of_run(db, span)
    cycles = [_cycle(row, span) for row in _rows(db, "cycle", span)]
    pnl: Totals = {}
    for cycle in cycles:
        add_pnl(pnl, cycle["pnl"])
    return {
        "profile": runs[-1]["profile"] if runs else "",
        "mode": runs[-1]["mode"] if runs else "",
        "since": _iso(span.since_ms),
        "runs": runs,
        "start_balances": start,
        "balances": end,
        "fills": [_timed({name: row[name] for name in FILL_COLUMNS}) for row in _rows(db, "fill", span)],
        "orders": [_timed({name: row[name] for name in _ORDER_COLUMNS}) for row in _rows(db, "order_", span)],
        "cycles": cycles,
        "adjustments": [_flow(row) for row in _rows(db, "adjustment", span)],
        "transfers": [_flow(row) for row in _rows(db, "transfer", span)],
        "pnl": pnl_json(pnl),
        "breaches": [_breach(row) for row in _rows(db, "breach", span)],
        "kills": [_kill(row) for row in _rows(db, "kill", span)],
    }


def _rows(db: sqlite3.Connection, table: str, span: _Span) -> list[sqlite3.Row]:
    wanted = [] if span.run_id is None else ["run_id = :run"]
    if table == "order_" and span.run_id is not None:  # older ones, too, that the run saw fills of
        wanted = ["(run_id = :run OR client_order_id IN (SELECT client_order_id FROM fill WHERE run_id = :run))"]
    if span.since_ms is not None and table in _SINCE:
        wanted.append(f"({_SINCE[table]})")
    where = f"WHERE {' AND '.join(wanted)} " if wanted else ""
    return db.execute(f"SELECT * FROM {table} {where}ORDER BY seq", {"run": span.run_id, "since": span.since_ms}).fetchall()


def _balances_of_life(db: sqlite3.Connection) -> tuple[Balances, Balances]:
    start: Balances = {}
    end: Balances = {}
    for row in db.execute("SELECT * FROM balance ORDER BY exchange, asset"):
        start.setdefault(row["exchange"], {})[row["asset"]] = {"free": row["start_free"], "locked": row["start_locked"]}
        end.setdefault(row["exchange"], {})[row["asset"]] = {"free": row["free"], "locked": row["locked"]}
    return start, end


def _balances_of_run(db: sqlite3.Connection, span: _Span) -> tuple[Balances, Balances]:
    """The same two, from the events up to the run's first and last: by the rules of the projection (``projections.py``)."""
    nothing = ("0", "0")
    start: dict[tuple[str, str], tuple[str, str]] = {}
    now: dict[tuple[str, str], tuple[str, str]] = {}
    in_run = False
    for row in db.execute(
        "SELECT seq, type, version, payload FROM event WHERE seq <= ? AND type IN (?, ?, ?, ?) ORDER BY seq",
        (span.last_seq, FillRecorded.__name__, BalanceRecorded.__name__, Adjusted.__name__, Transferred.__name__),
    ):
        if not in_run and row["seq"] > span.first_seq:
            start, in_run = dict(now), True
        match decode(row["type"], row["version"], row["payload"]):
            case FillRecorded(fill=fill, balances=balances):
                found = db.execute("SELECT seq FROM fill WHERE exchange = ? AND trade_id = ?", (fill.exchange, fill.trade_id)).fetchone()
                if found is not None and found["seq"] == row["seq"]:  # a fill told twice counts once
                    for exchange, asset, free, locked in balances:
                        start.setdefault((exchange, asset), nothing)
                        now[exchange, asset] = _amounts(free, locked)
            case BalanceRecorded(exchange=exchange, asset=asset, free=free, locked=locked):
                now[exchange, asset] = _amounts(free, locked)
                start.setdefault((exchange, asset), now[exchange, asset])
            case Adjusted(exchange=exchange, asset=asset):
                start.setdefault((exchange, asset), nothing)
                now.setdefault((exchange, asset), nothing)
            case Transferred(from_exchange=sender, to_exchange=receiver, asset=asset):
                for exchange in (sender, receiver):
                    start.setdefault((exchange, asset), nothing)
                    now.setdefault((exchange, asset), nothing)
    return _nested(start if in_run else now), _nested(now)


def _amounts(free: Decimal, locked: Decimal) -> tuple[str, str]:
    return plain(free), plain(locked)


def _nested(flat: dict[tuple[str, str], tuple[str, str]]) -> Balances:
    nested: Balances = {}
    for exchange, asset in sorted(flat):
        free, locked = flat[exchange, asset]
        nested.setdefault(exchange, {})[asset] = {"free": free, "locked": locked}
    return nested


def _run(row: sqlite3.Row) -> dict[str, Any]:
    return {
        **{
            name: row[name] for name in ("run_id", "profile", "mode", "seed", "version", "config_hash", "state", "stop_reason", "exit_code")
        },
        "origins": msgspec.json.decode(row["origins"]),
        "started": iso_ms(row["started_ms"]),
        "ended": _iso(row["ended_ms"]),
    }


def _cycle(row: sqlite3.Row, span: _Span) -> dict[str, Any]:
    """A cycle as it stood at the span's end: one that a later run ended was still open."""
    ended = row["closed_seq"] is not None and row["closed_seq"] <= span.last_seq
    return {
        "id": row["cycle_id"],
        **{name: row[name] for name in ("route", "symbol", "edge_bps", "run_id")},
        "state": row["state"] if ended else CycleState.OPEN.value,
        "opened": iso_ms(row["opened_ms"]),
        "closed": _iso(row["closed_ms"]) if ended else None,
        "dust": row["dust"] if ended else "0",
        "legs": msgspec.json.decode(row["legs"]),
        "pnl": msgspec.json.decode(row["pnl"]) if ended else {},
        "reason": row["reason"] if ended else "",
        "acknowledged_by": row["acknowledged_by"],
    }


def _flow(row: sqlite3.Row) -> dict[str, Any]:
    return {**{name: row[name] for name in ("exchange", "asset", "change", "reason", "run_id")}, "ts": iso_ms(row["ts_ms"])}


def _breach(row: sqlite3.Row) -> dict[str, Any]:
    names = ("breach_id", "severity", "kind", "scope", "detail", "action", "acknowledged_by", "run_id")
    return {**{name: row[name] for name in names}, "ts": iso_ms(row["ts_ms"]), "acknowledged": _iso(row["acknowledged_ms"])}


def _kill(row: sqlite3.Row) -> dict[str, Any]:
    return {**{name: row[name] for name in ("action", "source", "reason", "epoch", "run_id")}, "ts": iso_ms(row["ts_ms"])}


def _timed(facts: dict[str, Any]) -> dict[str, Any]:
    """``facts`` with its times in ISO 8601; keys ``x_ms`` lose their unit."""
    timed: dict[str, Any] = {}
    for name, value in facts.items():
        if name in _TIMES:
            timed[name] = iso_ms(value)
        elif name.endswith("_ms"):
            timed[name.removesuffix("_ms")] = iso_ms(value)
        else:
            timed[name] = value
    return timed


def _iso(ts_ms: int | None) -> str | None:
    return None if ts_ms is None else iso_ms(ts_ms)
