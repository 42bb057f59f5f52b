"""Nothing that comes in at the console's keyboard ends the engine or acts by accident, in a real terminal."""

from pathlib import Path

import pytest

from tests.lifecycle.state import State, assert_saved
from tests.lifecycle.terminal import CTRL_K, CTRL_Q, ENTER, ESCAPE, Terminal, console
from tests.lifecycle.waiting import until

SYMBOLS = ("--symbols", "5")
NO_KEYS = {
    "a code point of twenty digits": b"\x1b[99999999999999999999;5u",
    "one beyond Unicode": b"\x1b[1114112;5u",
    "half a surrogate pair": b"\x1b[55296u\x1b[57343;1u",
    "text that is one": b"\x1b[97;;55357:56832u",
    "its bytes": b"\xed\xa0\x80",
    "alternates and event types": b"\x1b[1:2;5A\x1b[97;5:3u\x1b[:::;5u",
    "a size of its own": b"\x1b[48;99999;99999;0;0t",
    "a mouse": b"\x1b[<0;3;3M\x1b[<99999999999999;99999999999999;1M",
    "a cursor far out": b"\x1b[99999999999;99999999R",
}


def quits(terminal: Terminal, state: State) -> None:
    """It still trades and ends in order."""
    before = state.count("fill")
    until(lambda: terminal.read(0.05) and state.count("fill") > before, "a fill")
    terminal.type(CTRL_Q)
    terminal.read(0.5)
    terminal.type(CTRL_Q)
    code = terminal.ended()
    terminal.assert_restored()
    assert_saved(state, "operator", code)


def test_three_thousand_negations_in_the_filter(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        terminal.type(b"/")
        since = terminal.shows("filter /")
        terminal.type(b"!" * 3_000)
        terminal.shows("match", since=since)
        terminal.turns()
        terminal.type(ENTER)
        terminal.turns()
        quits(terminal, state)
    assert "console met an error" not in state.log


def test_what_no_keyboard_sends(state: State) -> None:
    """One after the other to one console: each must leave it as well as it was."""
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        for what, keys in NO_KEYS.items():
            terminal.type(keys)
            terminal.turns()
            since = len(terminal.screen)
            terminal.type(b"/")
            terminal.shows("filter /", since=since)
            terminal.type(keys)
            terminal.turns()
            terminal.type(ESCAPE)
            terminal.turns()
            assert terminal.process.poll() is None, what
            assert "console met an error" not in state.log, what
        quits(terminal, state)
    assert "console met an error" not in state.log


def test_a_paste_without_brackets_does_nothing(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        since = terminal.shows("[ARMED]")
        terminal.type(b"xpara\rupbit-binance\rreason\r\x11y" + b"x" * 5_000)
        terminal.shows("keys at once", since=since)
        terminal.turns()
        assert terminal.process.poll() is None
        assert not state.flag.exists()
        quits(terminal, state)
    log = state.log
    assert "PAUSED" not in log
    assert "disabled" not in log


def test_the_kill_key_within_such_a_paste_halts(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        since = terminal.shows("[ARMED]")
        terminal.type(b"xpar" + CTRL_K + b"xpar")
        until(lambda: terminal.read(0.02) and state.flag.exists(), "the flag")
        terminal.shows("HALTED", since=since)


def test_a_paste_whose_end_is_lost_does_not_make_the_console_deaf(state: State) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        since = terminal.shows("[ARMED]")
        terminal.type(b"\x1b[200~lost")
        terminal.shows("a paste does nothing here", since=since)
        quits(terminal, state)


@pytest.mark.parametrize("quit_", [b"\x1b[12610;5u", CTRL_Q], ids=["kitty", "legacy"])
def test_keys_with_the_korean_input_method_on(state: State, quit_: bytes) -> None:
    with console(*state.arguments(), *SYMBOLS) as terminal:
        terminal.shows("[ARMED]")
        for pause in ("ㅔ".encode(), b"\x1b[12628u", b"\x1b[112;;12628u"):  # a letter, kitty, and kitty with text
            for shown in ("[PAUSED]", "[ARMED]"):
                since = len(terminal.screen)
                terminal.type(pause)
                terminal.shows(shown, since=since)
        terminal.type(quit_)
        terminal.read(0.5)
        if terminal.process.poll() is None:
            terminal.type(quit_)
        assert_saved(state, "operator", terminal.ended())


def test_f54_a_console_that_fails_costs_a_redraw_and_the_engine_trades_on(state: State, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with console(*state.arguments(), *SYMBOLS, program=("tests.lifecycle.broken_console_child", str(broken))) as terminal:
        since = terminal.shows("[ARMED]")
        broken.touch()
        terminal.type(b"p")
        terminal.shows("the console met an error", since=since)
        before = state.count("fill")
        until(lambda: terminal.read(0.05) and state.count("fill") > before + 3, "fills while the console fails")
        broken.unlink()
        since = len(terminal.screen)
        terminal.type(b"p")
        terminal.shows("[PAUSED]", since=since)
        terminal.type(b"p")
        quits(terminal, state)
    assert state.count("breach", "kind = 'CONSOLE_ERROR'") == 1
    assert state.log.count("Traceback") == 1
