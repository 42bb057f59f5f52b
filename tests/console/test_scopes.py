"""Holding back one exchange, symbol or route from the console, and setting it free again."""

import pytest
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from arbtui.console.screens.rearm import RearmScreen
from arbtui.console.screens.scopes import HaltScopeScreen, RearmScopeScreen
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint, screen_text

SIZES = [(80, 24), (160, 48)]


@pytest.mark.parametrize("size", SIZES)
def test_the_route_under_the_cursor_is_held_back_in_one_dialog_and_listed_with_who_and_why(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        row = app.main.routes.current
        assert row is not None
        await pilot.press("h")
        await pilot.pause()
        assert isinstance(app.screen, HaltScopeScreen)
        text = screen_text(app)
        for shown in (
            f"2 symbol.{row.symbol}",
            "3 exchange.upbit",
            "4 exchange.binance",
            "p PAUSED",
            "h HALTED",
            "How deep",
            "Esc leave it",
        ):
            assert shown in text, shown
        await pilot.press("2", "enter", "h", "enter", *"wallet closed", "enter")
        await pilot.pause()
        assert [(halt.scope, halt.depth, halt.reason) for halt in model.header().scopes] == [
            (f"symbol.{row.symbol}", "HALTED", "wallet closed")
        ]
        assert "held back" in await repaint(app, pilot)
        await pilot.press("3")
        assert f"HALT symbol.{row.symbol} HALTED by operator" in await repaint(app, pilot)
        assert model.kills == []

    drive(steps, size)


def test_what_is_wrong_is_said_in_the_dialog_and_nothing_is_held_back() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("h")
        await pilot.pause()
        await pilot.press("9", "enter", "enter", "enter")
        await pilot.pause()
        assert "which? type 1 to 4" in screen_text(app)
        await pilot.press(*"symbol.ZZZ", "enter", "x", "enter", "enter")
        await pilot.pause()
        assert "how deep? type p, r or h" in screen_text(app)
        await pilot.press("r", "enter", "enter")
        await pilot.pause()
        assert "nothing that it trades falls under symbol.ZZZ" in screen_text(app)
        await pilot.press("escape")
        assert model.header().scopes == ()

    drive(steps)


def test_in_other_panes_the_exchanges_are_offered() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("3", "h")
        await pilot.pause()
        await pilot.press("enter", "enter", *"maintenance", "enter")
        await pilot.pause()
        assert [(halt.scope, halt.depth) for halt in model.header().scopes] == [("exchange.upbit", "PAUSED")]

    drive(steps)


@pytest.mark.parametrize("size", SIZES)
def test_one_of_several_is_set_free_by_name_and_reason(size: tuple[int, int]) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.halt_scope("exchange.upbit", "PAUSED", "maintenance")
        model.halt_scope("symbol.XRP", "HALTED", "its network is halted")
        await repaint(app, pilot)
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, RearmScopeScreen)
        text = screen_text(app)
        assert "1 exchange.upbit PAUSED 00:02:13 by operator (CONSOLE): maintenance" in text
        assert "2 symbol.XRP HALTED 00:02:13 by operator (CONSOLE): its network" in text
        await pilot.press("2", "enter", *"other", "enter", *"open again", "enter")
        await pilot.pause()
        assert "type the profile's name" in screen_text(app)
        assert len(model.header().scopes) == 2
        await pilot.press(*"upbit-binance", "enter", "enter")
        await pilot.pause()
        assert [halt.scope for halt in model.header().scopes] == ["exchange.upbit"]
        assert "set free, and journaled" in await repaint(app, pilot)

    drive(steps, size)


def test_after_a_kill_the_same_key_is_about_the_kill() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.halt_scope("exchange.upbit", "PAUSED", "maintenance")
        await pilot.press("ctrl+k", "r")
        await pilot.pause()
        assert isinstance(app.screen, RearmScreen)

    drive(steps)


def test_a_halt_in_risk_is_not_acknowledged_away() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model._breaches.clear()
        model.halt_scope("exchange.upbit", "PAUSED", "maintenance")
        await pilot.press("3")
        await repaint(app, pilot)
        await pilot.press("a")
        assert "r sets it free" in await repaint(app, pilot)
        assert len(model.header().scopes) == 1

    drive(steps)
