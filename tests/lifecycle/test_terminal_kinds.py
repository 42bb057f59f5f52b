"""Terminals on which the console would wedge are refused before anything starts; those that can show it are not."""

import pytest

from tests.lifecycle.state import State
from tests.lifecycle.terminal import CTRL_Q, console, text_of


@pytest.mark.parametrize("term", ["dumb", "", None, "unknown", "vt52", "teletype-33", "\udcff"])
def test_a_terminal_that_cannot_place_text_is_refused_in_one_sentence(state: State, term: str | None) -> None:
    with console(*state.arguments(), term=term) as terminal:
        assert terminal.ended() == 2
        said = text_of(terminal.screen).strip()
    assert said.startswith("arbtui: TERM")
    assert "--headless" in said
    assert len(said.splitlines()) == 1
    assert not state.journal.exists()


@pytest.mark.parametrize("term", ["linux", "tmux-256color", "xterm-ghostty"])
def test_a_terminal_that_can_is_not(state: State, term: str) -> None:
    with console(*state.arguments(), "--symbols", "5", term=term) as terminal:
        terminal.shows("[ARMED]")
        terminal.type(CTRL_Q * 2)
        terminal.ended()
        terminal.assert_restored()
