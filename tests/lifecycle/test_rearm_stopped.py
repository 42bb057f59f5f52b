"""``arbtui rearm`` while no engine runs: typed now, checked by the next start, which then arms by itself; headless, too."""

import signal
from pathlib import Path

from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")


def test_a_kill_is_taken_back_while_nothing_runs_and_headless_arms_once_checked(state: State, tmp_path: Path) -> None:
    said = ("--confirm", state.profile, "--reason", "looked at it")
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "first") as engine:
        until(lambda: engine.alive() and state.count("fill"), "a fill")
        assert run("kill", *state.arguments()).code == 0
        until(lambda: engine.alive() and state.last_run["state"].startswith("HALTED"), "HALTED")
        engine.signal(signal.SIGTERM)
        engine.ended()
    refused = run(*state.arguments(), "--headless", "--max-runtime", "1")
    assert refused.code == 2
    assert "or arbtui rearm --profile" in refused.err
    wrong = run("rearm", *state.arguments(), "--confirm", "other", "--reason", "looked at it", "--override")
    assert (wrong.code, state.flag.exists()) == (2, True)
    unreasoned = run("rearm", *state.arguments(), "--confirm", state.profile, "--reason", " ", "--override")
    assert (unreasoned.code, state.flag.exists()) == (2, True)

    done = run("rearm", *state.arguments(), *said, "--override")  # the kill may have left one leg
    assert done.code == 0, done.err
    assert "HALTED by CLI" in done.out
    assert "feeds and clocks: asked by the next start" in done.out
    assert not state.flag.exists()
    assert list(state.folder.glob("kill.flag.*")), "archived, not deleted"
    assert [row["action"] for row in state.ledger()["kills"]] == ["killed", "rearmed"]
    again = run("rearm", *state.arguments(), *said)
    assert (again.code, "nothing to re-arm" in again.err) == (2, True)

    with running(*state.arguments(), *SYMBOLS, "--max-runtime", "120", folder=tmp_path / "second") as engine:
        until(lambda: engine.alive() and state.count("event", "type = 'StateChanged' AND run_id = 'r2'"), "it has started")
        first = state.rows("SELECT payload FROM event WHERE type = 'StateChanged' AND run_id = 'r2' ORDER BY seq LIMIT 1")[0]["payload"]
        assert '"DISARMED"' in first
        assert "while it was stopped (looked at it" in first
        until(lambda: engine.alive() and state.last_run["state"] == "ARMED", "it arms by itself")
        until(lambda: engine.alive() and state.count("fill", "run_id = 'r2'") > 0, "it trades again")


def test_a_flag_of_a_profile_that_never_ran(state: State) -> None:
    assert run("kill", *state.arguments()).code == 1
    done = run("rearm", *state.arguments(), "--confirm", state.profile, "--reason", "a typing mistake")
    assert done.code == 0, done.err
    assert "there is no journal yet" in done.out
    assert not state.flag.exists()
    assert run(*state.arguments(), "--headless", "--max-runtime", "1").code in (0, 3)


def test_a_kill_while_nothing_ran_is_journaled_with_its_rearm(state: State) -> None:
    assert run(*state.arguments(), "--headless", "--max-runtime", "1").code in (0, 3)
    assert run("kill", *state.arguments(), "--reason", "holiday").code == 1
    done = run("rearm", *state.arguments(), "--confirm", state.profile, "--reason", "back", "--override")
    assert done.code == 0, done.err
    rows = state.ledger()["kills"]
    assert [(row["action"], row["reason"].split(" (")[0]) for row in rows] == [("killed", "holiday"), ("rearmed", "back")]
