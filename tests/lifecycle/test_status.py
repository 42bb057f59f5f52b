"""``arbtui status`` of a real engine: while it trades, while it is stopped, when it was killed, when it is dead."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.lifecycle.profiles import changed_profile
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until


def status(arguments: tuple[str, ...]) -> dict[str, Any]:
    answer = run("status", *arguments, "--json")
    assert (answer.code, answer.err) == (0, "")
    told: dict[str, Any] = json.loads(answer.out)
    return told


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel for a process's state")
def test_it_works_whatever_the_engine_does(state: State, tmp_path: Path) -> None:
    profile = changed_profile(tmp_path, "quick", ("snapshot_interval_s", "snapshot_interval_s = 0.2"))
    quick = State(state.root, "quick")
    arguments = ("--profile", str(profile), "--state-dir", str(state.root))
    with running(*arguments, "--symbols", "10", folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and quick.count("cycle", "state = 'HEDGED'"), "a cycle")
        until(lambda: engine.alive() and quick.count("snapshot") > 2, "snapshots")
        told = status(arguments)
        assert (told["running"], told["pid"], told["state"], told["wedged"]) == (True, engine.pid, "ARMED", False)
        assert 0.15 < told["snapshot_interval_s"] < 2
        assert told["last_event_age_s"] < 5
        assert told["cycles"]["HEDGED"] > 0
        assert told["run"]["ended"] is None

        engine.signal(signal.SIGSTOP)
        stuck = until(lambda: told if (told := status(arguments))["wedged"] else None, "wedged?")
        assert (stuck["running"], stuck["process_state"], stuck["state"]) == (True, "T", "ARMED")
        assert stuck["last_snapshot_age_s"] > 3 * stuck["snapshot_interval_s"]
        page = " ".join(run("status", *arguments).out.split())
        assert f"stopped (state T; it goes on with: kill -CONT {engine.pid})" in page
        assert "wedged? its newest snapshot is " in page

        assert run("kill", *arguments).code == 0
        killed = status(arguments)
        assert (killed["kill"]["latched"], killed["kill"]["source"]) == (True, "CLI")
        engine.signal(signal.SIGCONT)
        until(lambda: engine.alive() and quick.last_run["state"].startswith("HALTED"), "the end of the halt")
        halted = until(lambda: told if not (told := status(arguments))["wedged"] else None, "its next snapshot")
        assert halted["state"] in ("HALTED", "HALTED_DIRTY")
        assert "KILL" in {breach["kind"] for breach in halted["breaches"]}
        engine.signal(signal.SIGKILL)
        engine.ended()
    dead = status(arguments)
    assert (dead["running"], dead["pid"], dead["state"], dead["wedged"]) == (False, None, "CRASHED", False)
    assert dead["kill"]["latched"] is True
    quick.flag.unlink()
    assert status(arguments)["kill"] == {**dead["kill"], "flag": False, "ts": status(arguments)["kill"]["ts"]}
    assert "the flag is gone; the journal has it" in " ".join(run("status", *arguments).out.split())
    assert dead["pnl"]["all"] == quick.ledger()["pnl"]


def test_how_journal_and_venues_compare_is_told_while_it_runs_and_after_it(state: State, tmp_path: Path) -> None:
    often = changed_profile(tmp_path, "often", *((f"{check}_s", f"{check}_s = 1.0") for check in ("open_orders", "trades", "balances")))
    arguments = ("--profile", str(often), "--state-dir", str(state.root))
    with running(*arguments, "--symbols", "2", folder=tmp_path / "told") as engine:

        def compared() -> dict[str, Any] | None:
            told: dict[str, Any] | None = status(arguments)["reconciliation"]
            rows = [] if told is None else [row for row in told["checks"] if row["check"] != "in flight"]
            return told if rows and all(row["done"] for row in rows) else None

        until(lambda: engine.alive() and "ARMED" in (tmp_path / "told" / "err").read_text(), "it is armed")
        told = until(compared, "every check was made")
        assert told["run"] == "r1"
        assert {(row["exchange"], row["check"]) for row in told["checks"]} == {
            (exchange, check) for exchange in ("upbit", "binance") for check in ("in flight", "open orders", "trades", "balances")
        }
        assert (told["found"], told["differences"]) == (0, [])
        engine.signal(signal.SIGTERM)
        engine.ended()
    assert status(arguments)["reconciliation"]["run"] == "r1"
    assert "no difference in " in " ".join(run("status", *arguments).out.split())


@pytest.mark.parametrize(
    ("name", "left"),
    [("start.json", '{"steps": [1]}'), ("start.json", '{"steps": [{"no": 1}], "seconds": "x"}'), ("reconcile.json", '{"checks": [{}]}')],
)
def test_what_another_version_has_left_keeps_nobody_from_the_rest(state: State, name: str, left: str) -> None:
    state.journal.parent.mkdir(parents=True, mode=0o700)
    (state.folder / "lock").touch(mode=0o600)
    (state.journal.parent / name).write_text(left)
    (state.journal).touch(mode=0o600)
    told = run("status", *state.arguments())
    assert told.code == 0, told.err
    assert "what the last session left of it cannot be read" in told.out
