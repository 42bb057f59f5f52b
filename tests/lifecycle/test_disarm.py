"""``arbtui disarm``: of an engine that runs headless, and of none; latched, and told with its reason until somebody arms."""

import json
from pathlib import Path

from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")


def test_a_headless_engine_is_disarmed_from_another_shell_and_its_restart_says_who_did_it(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "120", folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and state.count("fill") > 0, "a fill")
        done = run("disarm", *state.arguments(), "--reason", "for the night")
        assert (done.code, done.err) == (0, "")
        last = state.rows("SELECT seq FROM event WHERE type = 'StateChanged' ORDER BY seq DESC LIMIT 1")[0]["seq"]
        told = json.loads(run("status", *state.arguments(), "--json").out)
        assert (told["state"], told["kill"]["latched"]) == ("DISARMED", False)
        assert told["disarmed"].endswith("(CLI): for the night")
        again = run("disarm", *state.arguments())
        assert (again.code, "DISARMED already, also after a restart" in again.err) == (2, True)
    assert state.count("event", f"type = 'CycleOpened' AND seq > {last}") == 0

    stopped = run("status", *state.arguments())
    assert told["disarmed"] in " ".join(stopped.out.split())
    assert f"arbtui rearm --profile {state.profile}" in " ".join(stopped.out.split())
    ended = run(*state.arguments(), *SYMBOLS, "--headless", "--max-runtime", "2")
    assert ended.code in (0, 3), ended.err
    assert f"DISARMED ({told['disarmed']}), until arbtui rearm --profile {state.profile}" in ended.err
    assert state.count("event", "type = 'CycleOpened' AND run_id = 'r2'") == 0


def test_a_profile_on_which_nothing_runs_is_disarmed_for_its_next_start(state: State) -> None:
    nothing = run("disarm", *state.arguments())
    assert (nothing.code, "it has not run there yet" in nothing.err) == (2, True)
    started = (*state.arguments(), *SYMBOLS, "--headless", "--speed", "max", "--max-runtime")
    assert run(*started, "1").code in (0, 3)
    done = run("disarm", *state.arguments(), "--reason", "holiday")
    assert (done.code, done.err) == (0, "")
    assert f"{state.profile} is DISARMED in mode sim, and that is journaled" in done.out
    before = state.count("event", "type = 'CycleOpened'")
    assert run(*started, "30").code in (0, 3)
    assert state.count("event", "type = 'CycleOpened'") == before
    assert "DISARMED since" in run("rearm", *state.arguments(), "--confirm", "other", "--reason", "back").out
    assert run("rearm", *state.arguments(), "--confirm", state.profile, "--reason", "back", "--override").code == 0
    assert json.loads(run("status", *state.arguments(), "--json").out)["disarmed"] is None
