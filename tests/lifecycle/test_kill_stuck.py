"""``arbtui kill`` of an engine that hangs: what it says is true, and when the engine goes on, nothing leaves."""

import json
import re
import signal
import sys
from pathlib import Path

import pytest

from arbtui.model.halt import read_flag
from arbtui.settings.process import process_facts
from tests.lifecycle.programs import Running, run, running
from tests.lifecycle.state import State, assert_saved, assert_venues_agree
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")
LINUX = sys.platform.startswith("linux")
BUSY = "it is busy (state S)" if LINUX else "it is busy or stopped"
STOPPED = "it is stopped (state T)" if LINUX else "it is busy or stopped"


def admitted(folder: Path) -> list[str]:
    return (folder / "admitted").read_text().split()


def let_go(engine: Running, folder: Path) -> None:
    (folder / "release").touch()
    engine.signal(signal.SIGCONT)


def answers(state: State) -> int:
    return int((state.folder / "kill.ack").read_text().split()[2])


@pytest.mark.parametrize(("kind", "why"), [("python", ""), ("c", BUSY), ("c-gil", BUSY), ("stopped", STOPPED)])
def test_f53_nothing_leaves_an_engine_that_hung_when_it_was_killed(state: State, tmp_path: Path, kind: str, why: str) -> None:
    """The loop hangs between the intent of an order and the gate's second look; that one, too, must not leave."""
    folder = tmp_path / "marks"
    folder.mkdir()
    program = ("tests.lifecycle.stuck_child", kind, str(folder))
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told", program=program) as engine:
        until(lambda: engine.alive() and (folder / "blocked").exists(), "the mishap")
        if kind == "stopped" and LINUX:
            until(lambda: process_facts(engine.pid).state == "T", "state T")
        sent_before = admitted(folder)
        killed = run("kill", *state.arguments())
        cause = read_flag(state.folder)
        assert cause is not None
        again = json.loads(run("kill", *state.arguments(), "--json").out)
        assert not (folder / "went-on").exists(), "it hung all the while"
        assert (killed.code, killed.err) == (0, "")
        assert (again["running"], again["pid"], again["written"]) == (True, engine.pid, False)
        if why:
            assert f"flag of upbit-binance written; the engine (pid {engine.pid}) has not confirmed within 1 s: {why}" in killed.out
            assert "cannot send while it does not run, and looks at the flag before every order" in killed.out
            assert (again["confirmed"], again["confirm_ms"], again["why"]) == (False, None, why)
        else:
            assert re.search(rf"gate of upbit-binance closed, confirmed by the engine \(pid {engine.pid}\) in \d+ ms", killed.out)
            assert again["confirmed"]
        let_go(engine, folder)
        until(lambda: engine.alive() and answers(state) > 0, "the engine's answer, once it could")
        until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "the end of the halt")
        assert json.loads(run("kill", *state.arguments(), "--json").out)["confirmed"]
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    states = assert_venues_agree(state)
    code = 3 if states["RESIDUAL"] else 128 + signal.SIGTERM
    assert ended.code == code
    assert_saved(state, "kill", code)
    assert admitted(folder) == sent_before, "an order passed the second look after the kill"
    at_venue = {row["client_order_id"] for row in state.rows("SELECT client_order_id FROM venue_order", path=state.venue)}
    assert at_venue == set(sent_before)
    held = (folder / "blocked").read_text()
    (order,) = state.rows("SELECT state, reason FROM order_ WHERE client_order_id = ?", held)
    assert order == {"state": "ABANDONED", "reason": "HALTED"}
    for row in state.rows("SELECT client_order_id, state FROM order_"):
        assert (row["state"] == "ABANDONED") == (row["client_order_id"] not in sent_before)
    assert state.rows("SELECT * FROM order_ WHERE intended_ms > ?", cause.ts_ms) == []
    assert [row["source"] for row in state.ledger()["kills"]] == ["CLI"]


def test_the_program_itself_stopped_at_any_moment(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and state.count("fill"), "a fill")
        engine.signal(signal.SIGSTOP)
        killed = run("kill", *state.arguments())
        assert killed.code == 0
        assert STOPPED in killed.out
        assert not LINUX or f"It goes on with: kill -CONT {engine.pid}" in killed.out
        engine.signal(signal.SIGCONT)
        cause = read_flag(state.folder)
        assert cause is not None
        until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "the end of the halt")
        engine.signal(signal.SIGTERM)
        engine.ended()
    assert_venues_agree(state)
    intended = {row["client_order_id"]: row for row in state.rows("SELECT client_order_id, state, intended_ms FROM order_")}
    assert [row for row in intended.values() if row["intended_ms"] > cause.ts_ms and row["state"] != "ABANDONED"] == []
    for row in state.rows("SELECT client_order_id FROM venue_order", path=state.venue):
        assert intended[row["client_order_id"]]["intended_ms"] <= cause.ts_ms
