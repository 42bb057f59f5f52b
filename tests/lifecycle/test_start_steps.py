"""Every start tells its thirteen steps and how the run before ended; what nobody confirms arms as far as the policy allows."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arbtui.failover.start_report import STEPS
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until

P = ("--profile", "upbit-binance", "--symbols", "2")


def status(root: Path, profile: str = "upbit-binance") -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("status", "--profile", profile, "--state-dir", str(root), "--json").out)
    return told


def ending(told: dict[str, Any] | None) -> str:
    assert told is not None
    return str(told["ending"])


def test_the_steps_of_a_first_start_of_one_after_a_crash_and_of_one_after_a_clean_end(state: State, tmp_path: Path) -> None:
    root, summary = tmp_path / "state", tmp_path / "summary"

    def once() -> dict[str, Any]:
        ended = run(*P, "--state-dir", str(root), "--headless", "--max-runtime", "1", "--json", str(summary))
        assert ended.code in (0, 3), ended.err
        told: dict[str, Any] = json.loads(summary.read_text())["start"]
        assert [step["name"] for step in told["steps"]] == list(STEPS)
        assert all(step["result"] for step in told["steps"])
        return told

    assert ending(once()["last_end"]) == "FIRST"
    assert ending(status(root)["last_end"]) == "CLEAN"
    with running(*P, "--state-dir", str(root), folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and "ARMED: run r2" in (tmp_path / "run" / "err").read_text(), "it is armed")
        told = status(root)
        assert ending(told["last_end"]) == ending(told["start"]["last_end"]) == "CLEAN"
        assert (told["start"]["run"], told["start"]["pid"]) == ("r2", engine.pid)
        engine.signal(signal.SIGKILL)
        engine.ended()
    dead = status(root)
    assert (dead["state"], ending(dead["last_end"]), dead["last_end"]["run"]) == ("CRASHED", "CRASHED", "r2")
    assert f"(process {engine.pid})" in dead["last_end"]["words"]
    again = once()
    assert (ending(again["last_end"]), again["last_end"]["run"]) == ("CRASHED", "r2")
    (step,) = [step for step in again["steps"] if step["name"] == "last run"]
    assert not step["ok"]
    assert "CRASHED" in {breach["kind"] for breach in status(root)["breaches"]}
    assert ending(once()["last_end"]) == "CLEAN"


def test_a_lock_of_another_start_of_the_machine_is_a_power_cut(state: State, tmp_path: Path) -> None:
    root = tmp_path / "state"
    with running(*P, "--state-dir", str(root), folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and "ARMED: run r1" in (tmp_path / "run" / "err").read_text(), "it is armed")
        engine.signal(signal.SIGKILL)
        engine.ended()
    lock = root / "upbit-binance" / "lock"
    pid, started, _ = lock.read_text().split()
    lock.write_text(f"{pid} {started} 00000000-0000-0000-0000-000000000000\n")
    assert ending(status(root)["last_end"]) == "POWER_CUT"
    ended = run(*P, "--state-dir", str(root), "--headless", "--max-runtime", "1", "--json", str(tmp_path / "summary"))
    assert ended.code in (0, 3), ended.err
    assert ending(json.loads((tmp_path / "summary").read_text())["start"]["last_end"]) == "POWER_CUT"


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


def test_live_that_nobody_confirms_arms_as_far_as_the_policy_goes(desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = ("--profile", str(desk.profile), "--mode", "live", "--state-dir", str(desk.root), "--headless", "--max-runtime", "1")
    refused = run(*nobody)
    assert refused.code == 2
    assert "without a console nobody can arm it later" in refused.err
    first = run(*nobody, "--unattended")
    assert first.code == 0, first.err
    assert 'DISARMED (not confirmed, and [failover] resume is "manual"), until arbtui rearm --profile desk: run r1' in first.err
    monkeypatch.setenv("ARBTUI_FAILOVER__RESUME", "clean")
    clean = run(*nobody)
    assert clean.code in (0, 3), clean.err
    assert "ARMED: run r2 of desk" in clean.err
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        await_cycles(desk, engine, 1, since=count(desk, "cycle", "closed_ms IS NOT NULL"))
        engine.signal(signal.SIGKILL)
        engine.ended()
    crashed = run(*nobody)
    assert crashed.code in (0, 3), crashed.err
    assert "DISARMED (" in crashed.err, "a crash is no clean end"
    desk.assert_agrees(tmp_path)
