"""Routes over networks in `sim`, through the command line: the played person moves the coins, over a restart too, and all adds up."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.cli.command import in_shell
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


def _run(path: Path, state: Path, seconds: int) -> dict[str, Any]:
    arguments = ("--headless", "--symbols", "XRP", "--seed", "3", "--speed", "max", "--max-runtime", str(seconds), "--json", "-")
    done = in_shell("--profile", str(path), *arguments, "--state-dir", str(state))
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
