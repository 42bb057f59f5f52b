"""Guardian and supervisor together, real processes: what the one ends the other starts again, once, and HALTED."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from arbtui.model.halt import read_flag
from arbtui.settings.lock import holder
from tests import warm_start
from tests.lifecycle.guarding import guarding
from tests.lifecycle.programs import run
from tests.lifecycle.state import State, assert_venues_agree
from tests.lifecycle.waiting import DEADLINE_S, until

#: Longer than the guardian's patience here, twice over: a loop of kills would show.
_QUIET_S = 5.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Patience of the least that a profile may set; 5 s in earnest."""
    monkeypatch.setenv("ARBTUI_GUARDIAN__HEARTBEAT_S", "2.0")


def test_what_the_guardian_ends_is_started_again_halted_and_left_alone(state: State, tmp_path: Path) -> None:
    marks, err = tmp_path / "marks", tmp_path / "supervisor.err"
    marks.mkdir()
    command = ["tests.lifecycle.stuck_supervised", "c", str(marks), "supervise", *state.arguments(), "--symbols", "10"]
    with err.open("wb") as file:
        supervisor = warm_start.popen(*command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        with guarding(*state.arguments(), folder=tmp_path) as guardian:
            until(lambda: supervisor.poll() is None and (marks / "blocked").exists(), "the first engine hangs")
            first = holder(state.folder)
            guardian.says("did not confirm, and was ended (SIGKILL)")
            until(lambda: "the engine has died (SIGKILL); started again in 1 s" in err.read_text(), "it is started again")
            second = until(lambda: (holder(state.folder) or 0) if holder(state.folder) != first else 0, "the second engine")
            until(lambda: state.count("run", "run_id = 'r2'") and state.last_run["state"].startswith("HALTED"), "HALTED")
            cause = read_flag(state.folder)
            assert cause is not None
            assert cause.source == "GUARDIAN"
            said, since = guardian.said, time.monotonic()
            until(lambda: guardian.alive() and time.monotonic() - since > _QUIET_S, "the guardian looks at it for a while")
            assert guardian.said == said, "it kills nothing more"
            assert (holder(state.folder), supervisor.poll()) == (second, None), "the same engine runs"
            assert err.read_text().count("started again in") == 1
            assert state.count("order_", "run_id = 'r2'") == 0, "and has sent nothing"
            assert json.loads(run("status", *state.arguments(), "--json").out)["kill"]["source"] == "GUARDIAN"
            refused = run("supervise", *state.arguments())
            assert refused.code == 2, "under a kill a person is told, and starts nothing"
            assert "is HALTED (killed by GUARDIAN)" in refused.err
            supervisor.send_signal(signal.SIGTERM)
            assert supervisor.wait(DEADLINE_S) in (3, 128 + signal.SIGTERM)
        assert_venues_agree(state)
        assert [row["source"] for row in state.ledger()["kills"]] == ["GUARDIAN"]
    finally:
        (marks / "release").touch()
        if supervisor.poll() is None:
            os.kill(supervisor.pid, signal.SIGTERM)
            supervisor.wait(DEADLINE_S)
