"""``max_runtime``: nothing new from T on, all of it over five seconds later, whatever is under way."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arbtui.simulation.roll_up import KEPT
from tests.lifecycle.state import State, assert_venues_agree
from tests.proof.steps import SECONDS

VIRTUAL = ("--headless", "--speed", "max")
LAST_S = 5.0


def played(state: State, seconds: float, *more: str, program: tuple[str, ...] = ("arbtui",)) -> tuple[int, dict[str, Any]]:
    target = state.root.parent / "summary.json"
    flags = (*state.arguments(), *VIRTUAL, "--max-runtime", f"{seconds:g}", "--json", str(target), *more)
    command = [sys.executable, "-m", *program, *flags]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=max(120.0, seconds))
    assert target.exists(), ended.stderr
    told: dict[str, Any] = json.loads(target.read_text())
    assert (told["stop_reason"], told["max_runtime_s"]) == ("max_runtime", seconds), ended.stderr
    return ended.returncode, told


def opened_after(state: State, told: dict[str, Any]) -> list[dict[str, Any]]:
    """Cycles that were opened after the gate had closed for entries."""
    (row,) = state.rows("SELECT ended_ms FROM run")
    return state.rows("SELECT cycle_id FROM cycle WHERE opened_ms > ?", row["ended_ms"] - told["drain_s"] * 1000 + 1)


def test_a_run_ends_exactly_when_it_should_in_virtual_time(home: Path) -> None:
    """30 s here; 6 h and 24 h in a proof."""
    state = State(home / "a")
    code, told = played(state, float(os.environ.get(SECONDS, "30")), "--symbols", "5")
    print(f"RUNTIME {told['runtime_s']:.6f} of {told['max_runtime_s']:g} s, then {told['drain_s']:.3f} s until all had ended")
    assert told["runtime_s"] == pytest.approx(told["max_runtime_s"], abs=1e-5)
    assert told["drain_s"] <= LAST_S
    assert code == 0
    assert opened_after(state, told) == []
    if told["fills"] < KEPT:  # beyond, the venues have made sums of the oldest
        assert_venues_agree(state)


def test_f59_a_run_of_a_given_length_with_orders_open_stops_new_ones_at_its_end_and_is_over_five_seconds_later(home: Path) -> None:
    """The venues fall silent 17 s after the first order: every one that leaves from then on stays open."""
    state = State(home / "a")
    code, told = played(state, 20.0, "--symbols", "20", program=("tests.lifecycle.unanswered_child", "17"))
    left = state.rows("SELECT client_order_id FROM order_ WHERE state IN ('SENDING', 'UNKNOWN')")
    assert left != [], "the fault fired: orders were open at the end"
    assert code == 3
    assert told["runtime_s"] == pytest.approx(20.0, abs=1e-5)
    assert told["drain_s"] == pytest.approx(LAST_S, abs=0.2)
    assert opened_after(state, told) == []
    (row,) = state.rows("SELECT ended_ms, started_ms FROM run")
    late = state.rows("SELECT client_order_id FROM order_ WHERE intended_ms > ?", row["ended_ms"])
    assert late == []
