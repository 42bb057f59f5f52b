"""A loop that stood still for a second is a breach."""

import signal
import time
from pathlib import Path

from tests.lifecycle.programs import running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until

STALL_S = 1.3


def test_f51_a_process_that_was_stopped_for_a_second_tells_it(state: State, tmp_path: Path) -> None:
    with running(*state.arguments(), "--symbols", "5", folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and state.journal.exists() and state.count("fill"), "a fill")
        engine.signal(signal.SIGSTOP)
        time.sleep(STALL_S)  # the pause itself is what is tested
        engine.signal(signal.SIGCONT)
        until(lambda: state.count("breach", "kind = 'LOOP_STALL'"), "the breach")
        engine.signal(signal.SIGTERM)
        engine.ended()
    (breach,) = state.rows("SELECT severity, scope, detail FROM breach WHERE kind = 'LOOP_STALL' LIMIT 1")
    assert (breach["severity"], breach["scope"]) == ("WARN", "global")
    assert float(breach["detail"].split("still for ")[1].split(" s")[0]) >= 1.0
