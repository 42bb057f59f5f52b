"""A halt of one exchange: real processes, from the command to the ledger, over a restart."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from arbtui.model.scoped_halts import read_halts
from arbtui.settings.lock import ProfileLock
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")


def fills(state: State) -> int:
    return state.count("fill")


def test_a_halted_exchange_stops_entries_over_a_restart_until_it_is_rearmed(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "60", folder=tmp_path / "first") as engine:
        until(lambda: engine.alive() and fills(state) > 0, "a fill")
        done = run("kill", *state.arguments(), "--scope", "exchange.upbit", "--depth", "paused", "--reason", "wallet closed")
        assert done.code == 0, done.err
        assert f"confirmed by the engine (pid {engine.pid})" in done.out
        until(lambda: engine.alive() and state.count("event", "type = 'ScopeHalted'") == 1, "it is journaled")
        halted_seq = state.rows("SELECT seq FROM event WHERE type = 'ScopeHalted'")[0]["seq"]
        wrong = run("kill", *state.arguments(), "--scope", "exchange.upbitt", "--depth", "paused")
        assert wrong.code == 1
        assert "did you mean exchange.upbit?" in wrong.err
        told = json.loads(run("status", *state.arguments(), "--json").out)
        assert [row["scope"] for row in told["halts"]] == ["exchange.upbit", "exchange.upbitt"]
    assert state.count("event", f"type = 'CycleOpened' AND seq > {halted_seq}") == 0

    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "60", folder=tmp_path / "second") as engine:
        until(lambda: engine.alive() and state.count("event", "type = 'ScopeHalted' AND run_id = 'r2'") == 2, "told again")
        before = fills(state)
        refused = run("rearm", *state.arguments(), "--scope", "exchange.upbit", "--confirm", "other", "--reason", "open")
        assert refused.code == 2
        done = run("rearm", *state.arguments(), "--scope", "exchange.upbit", "--confirm", state.profile, "--reason", "open again")
        assert done.code == 0, done.err
        until(lambda: engine.alive() and state.count("event", "type = 'ScopeRearmed'") == 1, "it is journaled")
        rearmed_seq = state.rows("SELECT seq FROM event WHERE type = 'ScopeRearmed'")[0]["seq"]
        assert state.count("event", f"type = 'CycleOpened' AND run_id = 'r2' AND seq < {rearmed_seq}") == 0
        until(lambda: engine.alive() and fills(state) > before, "it trades again")
    assert [halt.scope for halt in read_halts(state.folder)[0]] == ["exchange.upbitt"]
    rows = [row for row in state.ledger()["kills"] if row["scope"] == "exchange.upbit"]
    assert [row["action"] for row in rows] == ["scope halted", "scope halted", "scope rearmed"]
    assert rows[0]["reason"] == "wallet closed"
    assert rows[-1]["reason"] == "open again"


def test_a_headless_engine_is_rearmed_from_another_shell(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "60", folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and fills(state) > 0, "a fill")
        assert run("kill", *state.arguments(), "--reason", "a test").code == 0
        until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "HALTED")
        said = ("--confirm", state.profile, "--reason", "looked at it", "--override")  # the kill may have left one leg
        refused = run("rearm", *state.arguments(), "--confirm", "other", "--reason", "looked at it", "--override")
        assert refused.code == 2
        assert state.flag.exists()
        done = run("rearm", *state.arguments(), *said)
        assert done.code == 0, done.err
        assert "ok   journal: healthy" in done.out
        assert not state.flag.exists()
        rearmed_seq = state.rows("SELECT seq FROM event WHERE type = 'Rearmed'")[0]["seq"]
        until(lambda: engine.alive() and state.count("event", f"type = 'FillRecorded' AND seq > {rearmed_seq}") > 0, "it trades again")
        assert "nothing to re-arm" in run("rearm", *state.arguments(), *said).err
    assert [row["action"] for row in state.ledger()["kills"]] == ["killed", "rearmed"]
    gone = run("rearm", *state.arguments(), *said)
    assert (gone.code, "nothing to re-arm: no kill stands, and no engine runs" in gone.err) == (2, True)


def test_a_drill_kills_measures_rearms_and_is_remembered(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "60", folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and fills(state) > 0, "a fill")
        assert json.loads(run("status", *state.arguments(), "--json").out)["drill"] is None
        done = run("kill", *state.arguments(), "--drill", "--json")
        assert done.code == 0, done.err
        facts = json.loads(done.out)
        assert facts["gate_ms"] > 0
        assert facts["cancel_began_ms"] >= 0
        assert not state.flag.exists()
        assert list(state.folder.glob("kill.flag.*")), "it was a real kill"
        rearmed_seq = state.rows("SELECT seq FROM event WHERE type = 'Rearmed'")[0]["seq"]
        until(lambda: engine.alive() and state.count("event", f"type = 'FillRecorded' AND seq > {rearmed_seq}") > 0, "it trades again")
        told = json.loads(run("status", *state.arguments(), "--json").out)["drill"]
        assert told["gate_ms"] == facts["gate_ms"]
        assert told["age_s"] >= 0
        assert run("kill", *state.arguments(), "--depth", "paused").code == 0
        assert run("kill", *state.arguments()).code == 0
        refused = run("kill", *state.arguments(), "--drill")
        assert refused.code == 2
        assert "only an armed engine is rehearsed on" in refused.err
        assert state.flag.exists(), "a kill that stands is not taken back"
    gone = run("kill", *state.arguments(), "--drill")
    assert (gone.code, "no engine runs on" in gone.err) == (2, True)


def test_nobody_drills_where_real_money_is_traded(state: State) -> None:
    """An engine holds the lock; its journal says that it trades live, at a venue that is not on this machine."""
    state.folder.joinpath("live").mkdir(parents=True, mode=0o700)
    with closing(sqlite3.connect(state.folder / "live" / "journal.db")) as db:
        db.execute("CREATE TABLE event (seq INTEGER, type TEXT, payload TEXT)")
        db.execute("INSERT INTO event VALUES (1, 'RunStarted', ?)", (json.dumps({"origins": {"upbit": "https://api.upbit.com"}}),))
        db.commit()
    with ProfileLock(state.folder):
        refused = run("kill", *state.arguments(), "--drill")
    assert (refused.code, "trades at real venues" in refused.err) == (2, True)
    assert not state.flag.exists()
