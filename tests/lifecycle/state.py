"""A state folder as an outsider sees it: files, tables, and what the two databases say about one another."""

import json
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from arbtui.journal.events import decode
from arbtui.portfolio.ledger import read_ledger
from arbtui.simulation.assets import UNIVERSE
from arbtui.simulation.played_venue import simulated_markets
from tests.lifecycle.programs import run
from tests.portfolio.auditing import AUDIT

#: Recomputes a ledger without importing anything of ours; beside the repository, where developers have it.

_FILL = (
    *("exchange", "trade_id", "client_order_id", "venue_order_id", "market", "base", "quote", "side", "qty", "price", "cost"),
    *("fee", "fee_currency", "liquidity", "ts_event"),
)
_FINAL = {"FILLED", "CANCELLED", "EXPIRED", "REJECTED", "ABANDONED"}


@dataclass(frozen=True, slots=True)
class State:
    """The state of one profile below ``root``."""

    root: Path
    profile: str = "upbit-binance"

    @property
    def folder(self) -> Path:
        return self.root / self.profile

    @property
    def journal(self) -> Path:
        return self.folder / "sim" / "journal.db"

    @property
    def venue(self) -> Path:
        return self.folder / "sim" / "venue.db"

    @property
    def flag(self) -> Path:
        return self.folder / "kill.flag"

    @property
    def log(self) -> str:
        return (self.folder / "arbtui.log").read_text(encoding="utf-8")

    def rows(self, sql: str, *values: object, path: Path | None = None) -> list[dict[str, Any]]:
        """Rows of the journal (or of ``path``), beside its writer; none while it has no tables yet."""
        path = path or self.journal
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in connection.execute(sql, values)]
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
                return []

    def count(self, table: str, where: str = "1", *, path: Path | None = None) -> int:
        rows = self.rows(f"SELECT count(*) AS n FROM {table} WHERE {where}", path=path)
        return int(rows[0]["n"]) if rows else 0

    @property
    def last_run(self) -> dict[str, Any]:
        return self.rows("SELECT * FROM run ORDER BY seq DESC LIMIT 1")[0]

    def ledger(self) -> dict[str, Any]:
        return read_ledger(self.journal)

    def arguments(self) -> tuple[str, ...]:
        return ("--profile", self.profile, "--state-dir", str(self.root))


def assert_saved(state: State, reason: str, code: int) -> None:
    """The last run ended in order: recorded with reason and code, a snapshot stored after the last trade, nothing open."""
    last = state.last_run
    assert last["ended_ms"] is not None
    assert (last["stop_reason"], last["exit_code"]) == (reason, code)
    events = state.rows("SELECT type FROM event WHERE run_id = ? ORDER BY seq DESC LIMIT 2", last["run_id"])
    assert [row["type"] for row in events] == ["RunEnded", "SnapshotTaken"]
    assert state.rows("SELECT 1 FROM snapshot WHERE run_id = ?", last["run_id"])


def assert_venues_agree(state: State, *, audit: bool = True, adjusted: bool = False) -> Counter[str]:
    """Venue and journal tell one story at quiescence, to the last digit; how many cycles ended in which state."""
    venue_fills = _by_key(state.rows("SELECT * FROM venue_fill", path=state.venue))
    fills = _by_key(state.rows("SELECT * FROM fill"))
    assert set(fills) == set(venue_fills)
    assert fills == venue_fills

    orders = {row["client_order_id"]: row for row in state.rows("SELECT * FROM order_")}
    assert {row["state"] for row in orders.values()} <= _FINAL
    assert not [row for row in orders.values() if "DUPLICATE" in row["reason"]], "a client order id was used twice"
    stored = state.rows("SELECT type, version, payload FROM event WHERE type = 'OrderIntended'")
    intents = Counter(decode(row["type"], row["version"], row["payload"]).client_order_id for row in stored)  # type: ignore[union-attr]
    assert set(intents.values()) <= {1}, "an order was intended twice"
    assert set(intents) == set(orders)
    sent = state.rows("SELECT * FROM venue_order", path=state.venue)
    assert len({row["client_order_id"] for row in sent}) == len(sent)
    for row in sent:
        assert row["client_order_id"] in orders, "an order stands at the venue that no journal ever intended"
        assert orders[row["client_order_id"]]["intended_ms"] <= row["ts_ms"]

    ledger = state.ledger()
    held: dict[tuple[str, str], Decimal] = {}
    for row in state.rows("SELECT * FROM account", path=state.venue):
        held[row["exchange"], row["asset"]] = Decimal(row["free"]) + Decimal(row["locked"])
    ours = {
        (exchange, asset): Decimal(balance["free"]) + Decimal(balance["locked"])
        for exchange, assets in ledger["balances"].items()
        for asset, balance in assets.items()
    }
    assert ours == held
    assert adjusted or ledger["adjustments"] == []

    states = _assert_cycles_ended_rightly(state, orders)
    if audit and AUDIT.exists():
        _assert_audited(state)
    return states


def _by_key(rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(row["exchange"], str(row["trade_id"])): tuple(str(row[name]) for name in _FILL) for row in rows}


def _assert_cycles_ended_rightly(state: State, orders: dict[str, dict[str, Any]]) -> Counter[str]:
    """From the venue's own fills: flat cycles say so, and RESIDUAL is said only where more than dust was left."""
    markets = simulated_markets(UNIVERSE)
    net: dict[str, Decimal] = defaultdict(Decimal)
    largest: dict[str, Decimal] = defaultdict(Decimal)
    for fill in state.rows("SELECT * FROM venue_fill", path=state.venue):
        cycle, qty = orders[fill["client_order_id"]]["cycle_id"], Decimal(fill["qty"])
        if fill["base"] in ("KRW", "USDT"):  # money for money: nothing of it is one-sided
            net[cycle] += 0
            continue
        net[cycle] += qty if fill["side"] == "buy" else -qty
        if fill["fee_currency"] == fill["base"]:
            net[cycle] -= Decimal(fill["fee"])
        largest[cycle] = max(largest[cycle], qty)
    states: Counter[str] = Counter()
    for row in state.rows("SELECT cycle_id, state, legs FROM cycle"):
        cycle = row["cycle_id"]
        states[row["state"]] += 1
        if row["state"] in ("ABANDONED", "MISSED"):
            assert cycle not in net, f"cycle {cycle} is {row['state']} and has filled"
            continue
        assert row["state"] in ("HEDGED", "UNWOUND", "RESIDUAL"), f"cycle {cycle} is {row['state']}"
        assert cycle in net, f"cycle {cycle} is {row['state']} and nothing has filled"
        lot = max(markets[leg["exchange"]][leg["market"]].lot_step for leg in json.loads(row["legs"]))
        left = abs(net[cycle])
        dust = left == 0 or (left < lot and left * 50 <= largest[cycle])
        assert (row["state"] != "RESIDUAL") == dust, f"cycle {cycle} is {row['state']} and leaves {left}, lot {lot}"
    return states


def _assert_audited(state: State) -> None:
    told = run("ledger", *state.arguments(), "--json")
    assert told.code == 0, told.err
    truth = [[row["exchange"], str(row["trade_id"])] for row in state.rows("SELECT exchange, trade_id FROM venue_fill", path=state.venue)]
    ledger_file, venue_file = state.root / "ledger.json", state.root / "fills.json"
    ledger_file.write_text(told.out)
    venue_file.write_text(json.dumps(truth))
    verdict = run("--venue", str(venue_file), str(ledger_file), program=AUDIT)
    assert verdict.code == 0, verdict.out
