"""However a run is asked to end, it ends saved, with the code that says why, and the terminal as it was."""

import signal
from pathlib import Path

import pytest

from tests.lifecycle.programs import running
from tests.lifecycle.state import State, assert_saved, assert_venues_agree
from tests.lifecycle.terminal import CTRL_Q, console, text_of
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "10")


def trades(state: State) -> bool:
    return state.count("fill") > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_f50_a_signal_to_a_headless_run(state: State, tmp_path: Path, number: signal.Signals) -> None:
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and trades(state), "a fill")
        engine.signal(number)
        ended = engine.ended()
    left = state.count("cycle", "state = 'RESIDUAL'")
    code = 3 if left else 128 + number
    assert (ended.code, ended.out) == (code, "")
    assert "Traceback" not in ended.err
    assert_saved(state, "signal", code)
    assert_venues_agree(state)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_f50_a_signal_to_the_console(state: State, number: signal.Signals) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), "a fill")
        terminal.signal(number)
        code = terminal.ended()
        terminal.assert_restored()
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 128 + number)
    assert_saved(state, "signal", code)
    assert_venues_agree(state, audit=False)


def test_f50_a_terminal_that_is_closed(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), "a fill")
        terminal.hang_up()
        code = terminal.ended(reading=False)
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 128 + signal.SIGHUP)
    assert_saved(state, "signal", code)
    assert_venues_agree(state, audit=False)


def test_the_operator_quits(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        until(lambda: terminal.read(0.05) and trades(state), "a fill")
        terminal.type(CTRL_Q * 2)  # the second answers the question that open cycles raise
        code = terminal.ended()
        terminal.assert_restored()
        left = text_of(terminal.screen.rpartition(b"\x1b[?1049l")[2])  # what stands in the shell's own screen
    assert "arbtui: run r1 of upbit-binance sim ended by operator after " in left
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 0)
    assert_saved(state, "operator", code)
    assert_venues_agree(state, audit=False)


def test_f50_a_signal_to_a_recovery(state: State, tmp_path: Path) -> None:
    """A start that mends what a crash left is ended in order too, and the next one finds nothing half done."""
    with running(*state.arguments(), *SYMBOLS, folder=tmp_path / "killed") as engine:
        until(lambda: engine.alive() and state.count("order_", "state = 'SENDING'"), "an order under way")
        engine.signal(signal.SIGKILL)
        engine.ended()
    with console(*state.arguments(), *SYMBOLS) as terminal:
        until(lambda: (terminal.read(0.01) or True) and state.count("run") == 2, "a recovery")
        terminal.signal(signal.SIGTERM)
        code = terminal.ended()
        if b"\x1b[?1049h" in terminal.screen:
            terminal.assert_restored()
    assert code == (3 if state.count("cycle", "state = 'RESIDUAL'") else 128 + signal.SIGTERM)
    assert_saved(state, "signal", code)
    assert_venues_agree(state, audit=False)
