"""``[simulator] person = "auto"``: in sim, plans are carried out by themselves, and nothing is lost or made over a restart."""

import json
from decimal import Decimal
from pathlib import Path

from tests.cli.command import in_shell


def _profile(folder: Path, person: str) -> Path:
    path = folder / "played.toml"
    path.write_text(
        "[exchanges.upbit]\nquote = 'KRW'\n[exchanges.binance]\nquote = 'USDT'\n[simulator]\n"
        f"person = '{person}'\nstock_value = 2000.0\n[execution]\nenabled = false\n"
    )
    return path


def _run(path: Path, state: Path, seconds: int) -> None:
    arguments = ("--headless", "--symbols", "XRP,ADA", "--max-runtime", str(seconds), "--speed", "max", "--state-dir", str(state))
    done = in_shell("--profile", str(path), *arguments)
    assert done.code == 0, done.err


def _short_at_upbit(path: Path, state: Path) -> None:
    place = ("--profile", str(path), "--state-dir", str(state), "--confirm", "played", "--reason", "test")
    for target in ("upbit.XRP", "binance.XRP"):
        amount = "1600" if target.startswith("upbit") else "100"
        done = in_shell("targets", "set", target, amount, *place)
        assert done.code == 0, done.err
    state_rows = json.loads(in_shell("stock", "--profile", str(path), "--state-dir", str(state), "--json").out)
    assert next(row for row in state_rows if row["asset"] == "XRP")["imbalance"] > 0.3


def _transfers(path: Path, state: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(in_shell("transfers", "list", "--profile", str(path), "--state-dir", str(state), "--json").out)
    return found


def _held(path: Path, state: Path) -> dict[str, Decimal]:
    ledger = json.loads(in_shell("ledger", "--profile", str(path), "--state-dir", str(state), "--json").out)
    assert ledger["breaches"] == []
    return {exchange: Decimal(held["XRP"]["free"]) for exchange, held in ledger["balances"].items() if "XRP" in held}


def test_a_plan_is_carried_out_also_over_a_restart_in_transit(tmp_path: Path) -> None:
    path, state = _profile(tmp_path, "auto"), tmp_path / "state"
    _run(path, state, 5)
    before = _held(path, state)
    # Just over half of what it should hold is no shortage; just under is.
    place = ("--profile", str(path), "--state-dir", str(state), "--confirm", "played", "--reason", "test")
    for name, amount in (("upbit.XRP", before["upbit"] * 3), ("binance.XRP", before["binance"] / 4)):
        assert in_shell("targets", "set", name, str(amount), *place).code == 0
    _run(path, state, 60)  # begun, left, seen to have left; two minutes is the way
    (transfer,) = _transfers(path, state)
    assert transfer["state"] == "IN_TRANSIT"
    held = _held(path, state)
    assert held["in transit"] == Decimal(transfer["qty"]) == before["binance"] - held["binance"]
    _run(path, state, 180)
    (transfer, *_) = _transfers(path, state)
    assert transfer["state"] == "ARRIVED"
    after = _held(path, state)
    assert after["upbit"] - before["upbit"] == Decimal(transfer["qty"]) - Decimal(transfer["fee"])
    assert sum(after.values()) == sum(before.values()) - Decimal(transfer["fee"])


def test_as_shipped_nobody_moves_anything(tmp_path: Path) -> None:
    path, state = _profile(tmp_path, "none"), tmp_path / "state"
    _run(path, state, 5)
    _short_at_upbit(path, state)
    _run(path, state, 60)
    assert _transfers(path, state) == []
