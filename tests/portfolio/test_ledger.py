"""A ledger says what the journal holds, and an auditor who adds it up by himself agrees to the last digit."""

import csv
import io
import itertools
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import arbtui.journal.ledger as ledger_module
from arbtui.journal.events import CycleState
from arbtui.journal.ledger import FILL_COLUMNS, ledger_csv, read_ledger
from arbtui.model.errors import UsageError
from tests.conftest import REPOSITORY
from tests.journal.synthetic import SyntheticRun, whole_run
from tests.journal.test_projections import record

AUDIT = REPOSITORY.parent / "shared" / "tools" / "audit"


def disagreements(ledger: dict[str, Any]) -> list[str]:
    """Balances that start, fills and flows do not explain: what the auditor's first check does."""
    total: dict[tuple[str, str], Decimal] = {}

    def add(exchange: str, asset: str, change: Decimal) -> None:
        total[exchange, asset] = total.get((exchange, asset), Decimal(0)) + change

    for sign, balances in ((1, ledger["start_balances"]), (-1, ledger["balances"])):
        for exchange, assets in balances.items():
            for asset, amounts in assets.items():
                add(exchange, asset, sign * (Decimal(amounts["free"]) + Decimal(amounts["locked"])))
    for fill in ledger["fills"]:
        sign = 1 if fill["side"] == "buy" else -1
        add(fill["exchange"], fill["base"], sign * Decimal(fill["qty"]))
        add(fill["exchange"], fill["quote"], -sign * Decimal(fill["cost"]))
        add(fill["exchange"], fill["fee_currency"], -Decimal(fill["fee"]))
    for flow in [*ledger["adjustments"], *ledger["transfers"]]:
        add(flow["exchange"], flow["asset"], Decimal(flow["change"]))
    return [f"{place}: {left}" for place, left in total.items() if left]


def audit(ledger: dict[str, Any]) -> tuple[int, str]:
    """The auditor's verdict; skips where the developers' tools are absent."""
    if not AUDIT.is_file():
        pytest.skip(f"no auditor: {AUDIT} is absent")
    done = subprocess.run([sys.executable, str(AUDIT)], input=json.dumps(ledger), capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Two whole runs, one after the other, the second at other balances."""
    path = tmp_path / "journal.db"
    second = SyntheticRun("r2")
    first = SyntheticRun("r1")
    record(path, first.start(), *(first.cycle(n) for n in range(3)), first.trouble(), first.stop())
    second.balances = dict(first.balances)
    record(path, second.start(), *(second.cycle(n) for n in range(2)))
    return path


def test_the_auditor_agrees_with_the_whole_life_and_with_each_run(journal: Path) -> None:
    for run, fills in ((None, 10), ("r1", 6), ("r2", 4)):
        ledger = read_ledger(journal, run)
        assert len(ledger["fills"]) == fills
        assert disagreements(ledger) == []
        code, said = audit(ledger)
        assert code == 0, said


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        ("UPDATE fill SET fee = '0' WHERE trade_id = 'tr1-0-0'", "is not"),
        ("UPDATE fill SET qty = '0.31' WHERE trade_id = 'tr1-0-0'", "filled 0.31 of 0.3"),
        ("UPDATE balance SET free = '1' WHERE asset = 'KRW'", "upbit KRW"),
        ("DELETE FROM fill WHERE trade_id = 'tr1-0-0'", "leaves"),
        ("DELETE FROM order_ WHERE client_order_id = 'r1-0-0'", "does not hold"),
    ],
)
def test_the_auditor_finds_what_was_tampered_with(journal: Path, tamper: str, says: str) -> None:
    with closing(sqlite3.connect(journal)) as db:
        assert db.execute(tamper).rowcount == 1
        db.commit()
    code, said = audit(read_ledger(journal))
    assert code == 1
    assert says in said


def test_it_has_every_name_that_the_surface_promises(journal: Path) -> None:
    ledger = read_ledger(journal)
    assert list(ledger) == [
        *("profile", "mode", "since", "runs", "start_balances", "balances", "fills", "orders", "cycles"),
        *("adjustments", "transfers", "pnl", "breaches", "kills"),
    ]
    assert ledger["fills"][0] == {
        "exchange": "binance",
        "trade_id": "tr1-0-0",
        "client_order_id": "r1-0-0",
        "venue_order_id": "vr1-0-0",
        "market": "ABCUSDT",
        "base": "ABC",
        "quote": "USDT",
        "side": "buy",
        "qty": "0.3",
        "price": "20.05",
        "cost": "6.015",
        "fee": "0.0003",
        "fee_currency": "ABC",
        "liquidity": "taker",
        "ts_event": "1970-01-01T00:00:00.000Z",
        "ts_init": "2026-01-01T00:00:00.000Z",
        "cycle_id": "r1-0",
        "leg": 0,
        "source": "stream",
        "run_id": "r1",
    }
    cycle = ledger["cycles"][0]
    assert {"id", "route", "state", "opened", "closed", "dust", "legs", "pnl"} <= set(cycle)
    assert (cycle["state"], cycle["dust"], cycle["opened"], cycle["closed"]) == (
        *("HEDGED", "0.0003"),
        *("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.200Z"),
    )
    assert cycle["legs"][1] == {"leg": 1, "exchange": "upbit", "market": "KRW-ABC", "side": "sell", "qty": "0.3", "price": "27000"}
    assert {"client_order_id", "qty", "state", "intended", "changed"} <= set(ledger["orders"][0])
    assert ledger["start_balances"]["binance"]["ABC"] == {"free": "5", "locked": "0"}
    assert ledger["pnl"] == {"currency": "KRW", "total": "62.5", "trading": "65", "fees": "-2.5"}
    assert [(breach["breach_id"], breach["acknowledged_by"]) for breach in ledger["breaches"]] == [("r1-b1", "operator"), ("r1-b2", None)]
    assert [(kill["action"], kill["source"], kill["epoch"]) for kill in ledger["kills"]] == [
        ("killed", "KEY", 1),
        ("rearmed", "operator", None),
    ]
    assert [(run["run_id"], run["stop_reason"], run["exit_code"]) for run in ledger["runs"]] == [
        ("r1", "max_runtime", 0),
        ("r2", None, None),
    ]
    json.dumps(ledger)


def test_a_run_begins_with_what_the_one_before_it_left(journal: Path) -> None:
    first, second = read_ledger(journal, "r1"), read_ledger(journal, "r2")
    assert second["start_balances"] == first["balances"]
    assert first["kills"] != [] == second["kills"]
    assert second["balances"] == read_ledger(journal)["balances"]


def test_fills_and_ends_that_a_later_run_learned_of_belong_to_that_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun("r1")
    beginning = [run.start(), run.intents(0), run.fill(0, 0)]
    next_run = SyntheticRun("r2")
    next_run.balances = dict(run.balances)
    record(path, *beginning, next_run.start(), run.fill(0, 1), run.end(0))
    crashed, resumed, whole = read_ledger(path, "r1"), read_ledger(path, "r2"), read_ledger(path)
    assert [cycle["state"] for cycle in crashed["cycles"]] == ["OPEN"]
    assert [cycle["state"] for cycle in whole["cycles"]] == ["HEDGED"]
    assert [order["client_order_id"] for order in resumed["orders"]] == ["r1-0-1"]
    for ledger in (crashed, resumed, whole):
        assert disagreements(ledger) == []
        code, said = audit(ledger)
        assert code == 0, said


def test_all_of_it_is_of_one_moment_whatever_is_written_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.cycle(0))
    numbers = itertools.count(1)
    query = ledger_module._rows

    def write_then_query(db: sqlite3.Connection, table: str, span: Any) -> list[sqlite3.Row]:
        record(path, run.cycle(next(numbers)))
        return query(db, table, span)

    monkeypatch.setattr(ledger_module, "_rows", write_then_query)
    ledger = read_ledger(path)
    assert (len(ledger["fills"]), len(ledger["orders"]), len(ledger["cycles"])) == (2, 2, 1)
    assert disagreements(ledger) == []


def test_a_residual_cycle_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.intents(0), run.fill(0, 0), run.end(0, CycleState.RESIDUAL))
    assert [cycle["state"] for cycle in read_ledger(path)["cycles"]] == ["RESIDUAL"]
    assert audit(read_ledger(path))[0] == 0


def test_the_table_has_one_header_and_a_line_a_fill(journal: Path) -> None:
    ledger = read_ledger(journal)
    lines = ledger_csv(ledger).splitlines()
    assert lines[0] == ",".join(FILL_COLUMNS)
    assert len(lines) == 11
    rows = list(csv.DictReader(io.StringIO(ledger_csv(ledger))))
    assert rows == [{name: str(value) for name, value in fill.items()} for fill in ledger["fills"]]


def test_an_unknown_run_names_those_that_there_are(journal: Path) -> None:
    with pytest.raises(UsageError, match="no run 'r9'; the last ones: r2, r1"):
        read_ledger(journal, "r9")


def test_a_journal_without_a_run_has_an_empty_ledger(tmp_path: Path) -> None:
    record(tmp_path / "journal.db")
    ledger = read_ledger(tmp_path / "journal.db")
    assert (ledger["profile"], ledger["runs"], ledger["fills"], ledger["balances"]) == ("", [], [], {})
    assert ledger_csv(ledger).splitlines() == [",".join(FILL_COLUMNS)]


def test_reading_changes_nothing(journal: Path) -> None:
    before = journal.read_bytes()
    read_ledger(journal)
    assert journal.read_bytes() == before


def _newer(path: Path) -> None:
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such journal"),
        (lambda path: path.mkdir(), "no such journal"),
        (lambda path: path.write_bytes(b"not a database at all, only text\n" * 40), "not an SQLite database"),
        (lambda path: path.touch(), "nothing has run there"),
        (lambda path: sqlite3.connect(path).executescript("CREATE TABLE recipe (cake TEXT)").connection.close(), "another program"),
        (_newer, "newer version"),
    ],
)
def test_a_bad_journal_is_refused_by_name(tmp_path: Path, make: Any, says: str) -> None:
    path = tmp_path / "journal.db"
    make(path)
    with pytest.raises(UsageError, match=says) as refused:
        read_ledger(path)
    assert str(path) in str(refused.value)


_READ_ONLY = """
import sys
from pathlib import Path
from arbtui.journal.ledger import read_ledger
folder = Path(sys.argv[1])
try:
    (folder / "probe").touch()
except OSError:
    print(len(read_ledger(folder / "journal.db")["fills"]))
else:
    print("writable")
"""


@pytest.mark.parametrize("left", ["clean", "hot", "hot without its index"])
def test_it_reads_in_a_folder_where_nothing_may_be_written(tmp_path: Path, left: str) -> None:
    """A folder mounted read-only in a namespace of its own, since root may write everywhere else."""
    folder = tmp_path / "state"
    folder.mkdir()
    path = folder / "journal.db"
    record(path, *whole_run())
    if left != "clean":
        # A copy taken while a writer has the file open is what a killed one leaves.
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("INSERT INTO kill (seq, ts_ms, run_id, action, source, reason) VALUES (999, 0, '', 'killed', '', '')")
            files = {file.name: file.read_bytes() for file in folder.iterdir()}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        assert (folder / "journal.db-wal").stat().st_size > 0
        if left == "hot without its index":
            (folder / "journal.db-shm").unlink()
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" -c "$2" "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, sys.executable, str(folder), _READ_ONLY],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.stderr.startswith(("unshare:", "mount:")):
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.stderr == ""
    assert done.stdout.strip() == "6"
