"""A seed replays exactly: the same ledger to the byte in an empty folder, another one for another seed."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path

from tests.lifecycle.programs import run
from tests.lifecycle.state import State, assert_venues_agree

VIRTUAL = ("--headless", "--speed", "max", "--symbols", "5")


def ledger(root: Path, seed: int, *, cold: bool = False) -> str:
    state = State(root)
    ended = run(*state.arguments(), *VIRTUAL, "--max-runtime", "30", "--seed", str(seed), cold=cold)
    assert ended.code in (0, 3), ended.err
    return run("ledger", *state.arguments(), "--json").out


def test_one_seed_one_ledger(home: Path) -> None:
    first, second, other = ledger(home / "a", 7), ledger(home / "b", 7, cold=True), ledger(home / "c", 8)  # cold: other hashes
    assert first == second
    assert len(json.loads(first)["fills"]) > 10
    assert json.loads(first)["fills"] != json.loads(other)["fills"]
    assert_venues_agree(State(home / "a"))


def test_a_second_run_goes_on_and_a_ledger_can_tell_one_run_alone(home: Path) -> None:
    state = State(home / "a")
    ledger(state.root, 7)
    whole = json.loads(ledger(state.root, 7))
    ids = [row["run_id"] for row in state.rows("SELECT run_id FROM run ORDER BY seq")]
    assert ids == ["r1", "r2"]
    parts = [json.loads(run("ledger", *state.arguments(), "--json", "--run", run_id).out) for run_id in ids]
    assert all(part["fills"] for part in parts)
    assert parts[0]["fills"] + parts[1]["fills"] == whole["fills"]
    assert parts[0]["start_balances"] == whole["start_balances"]
    assert parts[0]["balances"] == parts[1]["start_balances"]
    assert parts[1]["balances"] == whole["balances"]
    assert len({order["client_order_id"] for order in whole["orders"]}) == len(whole["orders"])
    assert_venues_agree(state)
    refused = run("ledger", *state.arguments(), "--json", "--run", "r9")
    assert refused.code == 2
    assert "r9" in refused.err

    table = list(csv.DictReader(io.StringIO(run("ledger", *state.arguments(), "--csv").out)))
    assert len(table) == len(whole["fills"])
    for row, fill in zip(table, whole["fills"], strict=True):
        assert all(row[name] == str(fill[name]) for name in ("exchange", "trade_id", "client_order_id", "qty", "price", "fee"))
        assert datetime.fromisoformat(row["ts_event"]) == datetime.fromisoformat(fill["ts_event"])
    alone = list(csv.DictReader(io.StringIO(run("ledger", *state.arguments(), "--csv", "--run", "r1").out)))
    assert alone == table[: len(alone)]
    assert len(alone) == len(parts[0]["fills"])
