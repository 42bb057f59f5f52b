"""Routes over networks in `sim`, through the command line: the played person moves the coins, over a restart too, and all adds up."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import in_shell
from tests.lifecycle.programs import run
from tests.portfolio.auditing import AUDIT, audit, disagreements

#: Coins stay dearer at Upbit by about half of what a cycle costs, so a little below break-even something is always found.
PROFILE = """
[exchanges.upbit]
quote = 'KRW'
[exchanges.binance]
quote = 'USDT'
[universe]
shapes = ["cross_chain"]
[simulator]
scenario = 'premium'
person = 'auto'
[execution]
min_edge_bps = -20.0
[costs]
transfer_risk_sd = 0.0
"""


#: s of real time that a run may take.
WITHIN_S = 900.0

#: As shipped but for fewer venues and coins, which make it quick: one coin is wanted from 20 s on, the other one from 196 s on.
WANTED = """
[exchanges.upbit]
quote = 'KRW'
[exchanges.binance]
quote = 'USDT'
[exchanges.bybit]
quote = 'USDT'
[universe]
pairs = [["upbit", "binance"], ["upbit", "bybit"]]
shapes = ["two_leg", "cross_chain"]
[simulator]
person = 'auto'
"""


def _run(path: Path, state: Path, seconds: int, symbols: str = "XRP", seed: int = 3) -> dict[str, Any]:
    arguments = ("--headless", "--symbols", symbols, "--seed", str(seed), "--speed", "max", "--max-runtime", str(seconds), "--json", "-")
    done = run("--profile", str(path), *arguments, "--state-dir", str(state), within=WITHIN_S)
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def _told(path: Path, state: Path, *words: str) -> Any:
    done = in_shell(*words, "--profile", str(path), "--state-dir", str(state), "--json")
    assert done.code in (0, 1), done.err
    return json.loads(done.out)


def test_what_is_bought_is_moved_and_sold_over_a_restart_in_transit(tmp_path: Path) -> None:
    path, state = tmp_path / "dear.toml", tmp_path / "state"
    path.write_text(PROFILE)
    first = _run(path, state, 300)  # four minutes until the price is measured; two is the way
    assert first["in_transit"]["cycles"] == first["cycles"]["opened"] == 1
    (cycle,) = _told(path, state, "status")["open_cycles"]
    assert (cycle["phase"], cycle["transfer"]["state"]) == ("IN_TRANSIT", "IN_TRANSIT")
    second = _run(path, state, 200)
    assert second["cycles"]["hedged"] >= 1
    ledger = _told(path, state, "ledger")
    assert next(row for row in ledger["cycles"] if row["id"] == cycle["id"])["state"] == "HEDGED"
    assert {row["state"] for row in ledger["cycles"]} <= {"HEDGED", "OPEN", "MISSED"}
    assert disagreements(ledger) == []
    told, equity = ledger["pnl"], ledger["equity"]
    assert abs(Decimal(told["total"]) - (Decimal(equity["end"]) - Decimal(equity["start"]))) < Decimal("0.000001")
    assert ledger["adjustments"] == ledger["breaches"] == []
    if AUDIT.is_file():
        code, said = audit(ledger)
        assert code == 0, said


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S)
def test_in_busy_a_wanted_coin_is_bought_moved_and_sold_beside_the_refills_of_its_stock(tmp_path: Path) -> None:
    path, state = tmp_path / "wanted.toml", tmp_path / "state"
    path.write_text(WANTED)
    told = _run(path, state, 430, "XRP,ADA", 1)
    assert told["cycles_by_shape"]["cross_chain"] >= 1, told["cycles_by_shape"]
    ledger = _told(path, state, "ledger")
    moved = [row for row in ledger["cycles"] if ">chain>" in row["route"]]
    assert "HEDGED" in {row["state"] for row in moved}
    assert any(row["reason"].endswith("played") for row in ledger["transfers"]), "the played person refilled stock, too"
    assert ledger["breaches"] == []
    assert disagreements(ledger) == []
