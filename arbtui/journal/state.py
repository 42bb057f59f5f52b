"""What a start-up reads back: everything the engine must know to go on where the last run stopped, cleanly or not."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.database import open_reader, refusal
from arbtui.journal.events import CycleState, PlannedLeg
from arbtui.journal.pnl import Totals, add_pnl
from arbtui.journal.schema import APPLICATION_ID, USER_VERSION
from arbtui.model.errors import UsageError
from arbtui.model.order import Balance, Fill, OrderState, Purpose, Side, TimeInForce

#: Ended cycles that a restarted console can still show.
_RECENT = 100


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run. ``ended_ms`` None: it crashed, or still runs."""

    run_id: str
    profile: str
    mode: str
    seed: int | None
    started_ms: int
    ended_ms: int | None
    stop_reason: str | None
    exit_code: int | None
    state: str

    @property
    def ended_clean(self) -> bool:
        """True when the run ended by itself with everything closed."""
        return self.exit_code == 0


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order attempt, as last known. ``qty`` and ``filled_qty`` in base, ``price`` in quote."""

    client_order_id: str
    run_id: str
    cycle_id: str
    leg: int
    attempt: int
    purpose: Purpose
    exchange: str
    market: str
    base: str
    quote: str
    side: Side
    qty: Decimal
    price: Decimal
    tif: TimeInForce
    epoch: int
    state: OrderState
    venue_order_id: str
    filled_qty: Decimal
    reason: str
    intended_ms: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill with the leg it belongs to. ``ts_init``: our clock at receipt, ms."""

    fill: Fill
    cycle_id: str
    leg: int
    source: str
    ts_init: int


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A cycle with its orders and fills in order."""

    cycle_id: str
    run_id: str
    route: str
    symbol: str
    state: CycleState
    edge_bps: float
    legs: tuple[PlannedLeg, ...]
    opened_ms: int
    closed_ms: int | None
    dust: Decimal
    reason: str
    pnl: dict[str, str]  #: ``currency`` and its parts; empty while open
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]


@dataclass(frozen=True, slots=True)
class KillRow:
    """One line of the kill history. ``action``: ``killed`` or ``rearmed``; ``source``: what killed, or who re-armed."""

    ts_ms: int
    action: str
    source: str
    reason: str
    epoch: int | None


@dataclass(frozen=True, slots=True)
class BreachRow:
    """A breach that nobody has acknowledged."""

    breach_id: str
    run_id: str
    ts_ms: int
    severity: str
    kind: str
    scope: str
    detail: str
    action: str


@dataclass(slots=True)
class JournalState:
    """All of it. Lists are oldest first."""

    path: Path
    salt: str
    seq: int  #: of the last event
    runs: int
    cycles: int
    orders: int
    fills: int
    last_run: RunRow | None
    origins: dict[str, str]  #: exchange to the origin its first run traded at
    balances: dict[tuple[str, str], Balance]  #: by (exchange, asset)
    open_cycles: list[CycleRow]
    residual_cycles: list[CycleRow]  #: RESIDUAL and not acknowledged
    recent_cycles: list[CycleRow]  #: the last ended ones, for the blotter
    open_orders: list[OrderRow]  #: not final, whatever their cycle
    kills: list[KillRow]
    breaches: list[BreachRow]
    pnl: Totals  #: over the journal's whole life, by currency and part
    pnl_since: Totals  #: of the cycles closed at or after ``since_ms``
    route_fills: dict[str, int]
    last_fill_ts: dict[str, int]  #: by exchange: venue clock of the newest fill, ms
    snapshot_no: int
    snapshot: dict[str, Any] | None
    tallies: dict[str, int] = field(default_factory=dict)  #: cycles by state

    @property
    def is_killed(self) -> bool:
        """True when the last line of the kill history is a kill."""
        return bool(self.kills) and self.kills[-1].action == "killed"

    def refuse_other_origins(self, origins: Mapping[str, str]) -> None:
        """Check that ``origins`` (exchange to URL origin) are those this journal was written at; new exchanges pass.

        Raises:
            UsageError: an exchange has moved: balances and orders of one venue would be taken for another's.
        """
        for exchange, origin in origins.items():
            known = self.origins.get(exchange, origin)
            if known != origin:
                raise UsageError(
                    f"{self.path}: this journal was written with {exchange} at {known}, not at {origin}: "
                    f"set [exchanges.{exchange}.urls] back, or name another --state-dir"
                )


def load(path: Path, since_ms: int = 0) -> JournalState:
    """Read the journal at ``path``, beside its writer or without one; ``since_ms``: where :attr:`JournalState.pnl_since` begins.

    Raises:
        UsageError: no journal there, not SQLite, another program's, or newer than this program.
    """
    with closing(open_reader(path, APPLICATION_ID, USER_VERSION)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN")  # one moment for all queries
            return _load(path, connection, since_ms)
        except sqlite3.Error as error:
            raise refusal(path, error) from error


def last_event_ms(path: Path) -> int:
    """Our clock at the newest event of the journal at ``path``, ms; 0 when there is no journal yet.

    Raises:
        UsageError: as :func:`load`, for a file that is there.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return 0  # what else stands there is for the writer to refuse
    with closing(open_reader(path, APPLICATION_ID, USER_VERSION)) as connection:
        try:
            return _one(connection, "SELECT coalesce(max(ts_ms), 0) FROM event")
        except sqlite3.Error as error:
            raise refusal(path, error) from error


def _load(path: Path, db: sqlite3.Connection, since_ms: int) -> JournalState:
    identity = db.execute("SELECT salt FROM identity").fetchone()
    snapshot = db.execute("SELECT snapshot_no, payload FROM snapshot ORDER BY snapshot_no DESC LIMIT 1").fetchone()
    run = db.execute(f"SELECT {_columns(RunRow)} FROM run ORDER BY seq DESC LIMIT 1").fetchone()
    final = ", ".join(f"'{state.value}'" for state in OrderState if state.is_final)
    pnl: Totals = {}
    pnl_since: Totals = {}
    for closed_ms, text in db.execute("SELECT closed_ms, pnl FROM cycle WHERE closed_ms IS NOT NULL ORDER BY seq"):
        parts = msgspec.json.decode(text)
        add_pnl(pnl, parts)
        if closed_ms >= since_ms:
            add_pnl(pnl_since, parts)
    return JournalState(
        path=path,
        salt=identity["salt"] if identity else "",
        seq=_one(db, "SELECT coalesce(max(seq), 0) FROM event"),
        runs=_one(db, "SELECT count(*) FROM run"),
        cycles=_one(db, "SELECT count(*) FROM cycle"),
        orders=_one(db, "SELECT count(*) FROM order_"),
        fills=_one(db, "SELECT count(*) FROM fill"),
        last_run=RunRow(*run) if run else None,
        origins=_pairs(db, "SELECT exchange, origin FROM origin ORDER BY exchange"),
        balances={
            (row["exchange"], row["asset"]): Balance(Decimal(row["free"]), Decimal(row["locked"]))
            for row in db.execute("SELECT exchange, asset, free, locked FROM balance ORDER BY exchange, asset")
        },
        open_cycles=_cycles(db, "state = 'OPEN'"),
        residual_cycles=_cycles(db, "state = 'RESIDUAL' AND acknowledged_ms IS NULL"),
        recent_cycles=_cycles(db, f"seq IN (SELECT seq FROM cycle WHERE state != 'OPEN' ORDER BY seq DESC LIMIT {_RECENT})"),
        open_orders=_orders(db, f"state NOT IN ({final})"),
        kills=[KillRow(*row) for row in db.execute(f"SELECT {_columns(KillRow)} FROM kill ORDER BY seq")],
        breaches=[
            BreachRow(*row) for row in db.execute(f"SELECT {_columns(BreachRow)} FROM breach WHERE acknowledged_ms IS NULL ORDER BY seq")
        ],
        pnl=pnl,
        pnl_since=pnl_since,
        route_fills=_pairs(db, "SELECT route, count(*) FROM fill JOIN cycle USING (cycle_id) GROUP BY route ORDER BY route"),
        last_fill_ts=_pairs(db, "SELECT exchange, max(ts_event) FROM fill GROUP BY exchange ORDER BY exchange"),
        snapshot_no=snapshot["snapshot_no"] if snapshot else 0,
        snapshot=msgspec.json.decode(snapshot["payload"]) if snapshot else None,
        tallies=_pairs(db, "SELECT state, count(*) FROM cycle GROUP BY state ORDER BY state"),
    )


def _cycles(db: sqlite3.Connection, where: str) -> list[CycleRow]:
    rows = db.execute(f"SELECT * FROM cycle WHERE {where} ORDER BY seq").fetchall()
    if not rows:
        return []
    orders: dict[str, list[OrderRow]] = {row["cycle_id"]: [] for row in rows}
    fills: dict[str, list[FillRow]] = {row["cycle_id"]: [] for row in rows}
    mine = f"cycle_id IN (SELECT cycle_id FROM cycle WHERE {where})"
    for order in _orders(db, mine):
        orders[order.cycle_id].append(order)
    for row in db.execute(f"SELECT * FROM fill WHERE {mine} ORDER BY seq"):
        fills[row["cycle_id"]].append(_fill(row))
    return [
        CycleRow(
            cycle_id=row["cycle_id"],
            run_id=row["run_id"],
            route=row["route"],
            symbol=row["symbol"],
            state=CycleState(row["state"]),
            edge_bps=row["edge_bps"],
            legs=msgspec.json.decode(row["legs"], type=tuple[PlannedLeg, ...]),
            opened_ms=row["opened_ms"],
            closed_ms=row["closed_ms"],
            dust=Decimal(row["dust"]),
            reason=row["reason"],
            pnl=msgspec.json.decode(row["pnl"]) if row["pnl"] else {},
            orders=tuple(orders[row["cycle_id"]]),
            fills=tuple(fills[row["cycle_id"]]),
        )
        for row in rows
    ]


def _orders(db: sqlite3.Connection, where: str) -> list[OrderRow]:
    rows = db.execute(f"SELECT {_columns(OrderRow)} FROM order_ WHERE {where} ORDER BY seq")
    return [msgspec.convert(dict(row), OrderRow) for row in rows]


def _fill(row: sqlite3.Row) -> FillRow:
    facts = dict(row)
    return FillRow(msgspec.convert(facts, Fill), row["cycle_id"], row["leg"], row["source"], row["ts_init"])


def _columns(kind: type[Any]) -> str:
    return ", ".join(kind.__dataclass_fields__)


def _one(db: sqlite3.Connection, sql: str) -> int:
    return int(db.execute(sql).fetchone()[0])


def _pairs(db: sqlite3.Connection, sql: str) -> dict[str, Any]:
    return {row[0]: row[1] for row in db.execute(sql)}
