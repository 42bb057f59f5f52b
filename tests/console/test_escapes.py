"""Whatever a venue or a person wrote: no cell of the console steers the terminal."""

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.numbers import fit
from arbtui.console.screens.whole import WholeScreen
from arbtui.console.styles import Styles
from tests.console.demo import DemoModel
from tests.console.driving import drive, screen_text

HOSTILE = "\x1b[2J\x9b5m\u202e\x07[bold]x"
FORBIDDEN = ("\x1b", "\x9b", "\u202e", "\x07")


def test_a_strip_writes_it_out() -> None:
    inks = Styles({"ink-text": "#ffffff", "on-page": "#000000"})
    strip = inks.strip([(HOSTILE, "text"), (" \x1b[1A", "text")], 60)
    assert strip.cell_length == 60
    assert strip.text.startswith(r"\u001b[2J\u009b5m\u202e\u0007[bold]x \u001b[1A")


def test_a_cell_is_cut_after_it_was_written_out() -> None:
    assert fit("\x1b[31mBTC", 8) == "\\u001b[…"


@pytest.mark.parametrize("place", ["title", "name", "text"])
def test_a_box(place: str) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        told = {"title": "t", "name": "n", "text": "x", place: HOSTILE}
        app.push_screen(WholeScreen(told["title"], [(told["name"], told["text"])]))
        await pilot.pause()
        text = screen_text(app)
        assert r"\u001b[2J" in text
        assert "[bold]" in text
        assert not [mark for mark in FORBIDDEN if mark in text]

    drive(steps)


def test_the_question_before_the_end() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.header().pnl_currency = HOSTILE
        await pilot.press("ctrl+q")
        text = screen_text(app)
        assert "in flight" in text
        assert not [mark for mark in FORBIDDEN if mark in text]

    drive(steps)
