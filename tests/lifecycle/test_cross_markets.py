"""Markets of one coin against another beside those that are traded: the whole program, simulated and live."""

import json
import signal
from pathlib import Path

import pytest

from tests.lifecycle.live import live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State, assert_venues_agree
from tests.lifecycle.test_live import await_cycles

VIRTUAL = ("--headless", "--speed", "max", "--symbols", "5", "--max-runtime", "20", "--seed", "7")
#: Of five symbols: BTC itself has none.
CROSSES = 2 * 4


def ask_for(monkeypatch: pytest.MonkeyPatch, coins: str) -> None:
    for venue in ("UPBIT", "BINANCE"):
        monkeypatch.setenv(f"ARBTUI_EXCHANGES__{venue}__CROSS_QUOTES", coins)


def played(root: Path, *, cold: bool = False) -> tuple[str, int]:
    """The ledger of a simulated run, and how many markets it had."""
    state = State(root)
    ended = run(*state.arguments(), *VIRTUAL, "--json", str(root.with_suffix(".json")), cold=cold)
    assert ended.code in (0, 3), ended.err
    assert_venues_agree(state)
    return run("ledger", *state.arguments(), "--json").out, json.loads(root.with_suffix(".json").read_text())["markets"]


def test_one_seed_one_ledger_and_with_none_the_ledger_that_always_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare, few = played(home / "bare")
    ask_for(monkeypatch, "[]")
    assert played(home / "none") == (bare, few)
    ask_for(monkeypatch, '["BTC"]')
    first, many = played(home / "a")
    assert (first, many) == played(home / "b", cold=True)  # other hashes
    assert many == few + CROSSES
    assert len(json.loads(first)["fills"]) > 10
    assert first != bare


def test_live_they_are_connected_to_and_the_ledgers_agree(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for(monkeypatch, '["BTC"]')
    with live_desk(tmp_path, monkeypatch, 5) as desk:
        with running(*desk.arguments("--json", str(tmp_path / "summary")), folder=tmp_path / "run") as engine:
            await_cycles(desk, engine, 2)
            engine.signal(signal.SIGTERM)
            ended = engine.ended()
        assert ended.code == 128 + signal.SIGTERM, ended.err
        desk.assert_agrees(tmp_path)
        told = run("check", "--profile", str(desk.profile), "--mode", "live", "--state-dir", str(desk.root)).out
        assert told.count("4 of them are against BTC") == 2, told
    summary = json.loads((tmp_path / "summary").read_text())
    assert summary["markets"] == 2 * 5 + 1 + CROSSES  # and the rate's
    assert summary["gaps"] == 0
