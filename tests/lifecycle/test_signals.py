"""However a run is asked to end, it ends saved, with the code that says why, and the terminal as it was."""

import signal
from pathlib import Path

import pytest

from tests.lifecycle.programs import running
from tests.lifecycle.state import State, assert_saved, assert_venues_agree
from tests.lifecycle.terminal import CTRL_Q, console
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")


def trades(state: State) -> bool:
    return state.count("fill") > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_a_headless_run(state: State, tmp_path: Path, number: signal.Signals) -> None:
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and trades(state), 30, "a fill")
        engine.signal(number)
        ended = engine.ended(20)
    left = state.count("cycle", "state = 'RESIDUAL'")
    code = 3 if left else 128 + number
    assert (ended.code, ended.out) == (code, "")
    assert "Traceback" not in ended.err
    assert_saved(state, "signal", code)
    assert_venues_agree(state)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_the_console(state: State, number: signal.Signals) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), 30, "a fill")
        terminal.signal(number)
        code = terminal.ended(20)
        terminal.assert_restored()
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 128 + number)
    assert_saved(state, "signal", code)
    assert_venues_agree(state, audit=False)


def test_a_terminal_that_is_closed(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), 30, "a fill")
        terminal.hang_up()
        code = terminal.ended(20, reading=False)
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 128 + signal.SIGHUP)
    assert_saved(state, "signal", code)
    assert_venues_agree(state, audit=False)


def test_the_operator_quits(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), 30, "a fill")
        terminal.type(CTRL_Q * 2)  # the second answers the question that open cycles raise
        code = terminal.ended(20)
        terminal.assert_restored()
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 0)
    assert_saved(state, "operator", code)
    assert_venues_agree(state, audit=False)


def test_a_residual_outranks_the_signal(state: State, tmp_path: Path) -> None:
    """Legs that take seconds to arrive, and a kill between them: something is left, and 3 says so whatever ended the run."""
    from tests.lifecycle.profiles import slow_profile

    profile = slow_profile(tmp_path)
    slow = State(state.root, profile.stem)
    with running("--profile", str(profile), "--state-dir", str(state.root), *SYMBOLS, folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and slow.count("cycle", "state = 'OPEN'") >= 2, 30, "two open cycles")
        slow.flag.write_text("")
        until(lambda: engine.alive() and slow.last_run["state"].startswith("HALTED"), 30, "the end of the halt")
        engine.signal(signal.SIGTERM)
        ended = engine.ended(20)
    states = assert_venues_agree(slow)
    assert states["RESIDUAL"] > 0, "both legs filled alike: nothing was tried"
    assert ended.code == 3
    assert "residual cycles not acknowledged" in ended.err
    assert slow.last_run["exit_code"] == 3
