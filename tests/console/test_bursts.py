"""Keys that come in one burst, and arming that a kill has outlived."""

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from arbtui.console.app import ConsoleApp
from arbtui.console.screens.rearm import RearmScreen
from tests.console.demo import DemoModel
from tests.console.driving import burst, drive, repaint, screen_text, settle


def test_what_follows_the_slash_in_one_burst_is_the_filters() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, "slash", " ", *"xrp")
        assert app.main.query_one("#filter-input", Input).value.strip() == "xrp"
        assert model.header().state == "ARMED"
        assert model.disabled == {}
        assert {row.symbol for row in app.main.routes.rows} == {"XRP"}

    drive(steps)


def test_the_arm_dialog_takes_a_whole_burst_field_by_field() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        await burst(app, pilot, "r", *"upbit-binance", "enter", *"px r", "enter")
        await pilot.pause()
        assert model.header().state == "ARMED"
        assert model.disabled == {}
        assert "re-armed: state is ARMED" in await repaint(app, pilot)

    drive(steps)


def test_a_refused_burst_leaves_the_reason_in_its_field() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k")
        await burst(app, pilot, "r", *"upbit", "enter", *"why", "enter")
        assert "the name is not upbit-binance" in screen_text(app)
        assert [app.screen.query_one(f"#rearm-{name}", Input).value for name in ("name", "reason")] == ["upbit", "why"]

    drive(steps)


def test_the_palette_takes_a_burst() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await burst(app, pilot, "ctrl+p", *"px")
        assert app.screen.query_one(Input).value == "px"
        assert (model.header().state, model.disabled) == ("ARMED", {})

    drive(steps)


def test_a_paste_is_no_command_and_goes_into_an_input_only() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        app.post_message(events.Paste("xp\n/r"))
        assert "a paste does nothing here" in await repaint(app, pilot)
        assert (model.header().state, model.disabled, app.main.filter_bar.is_open) == ("ARMED", {}, False)
        await pilot.press("slash")
        app.post_message(events.Paste("xrp"))
        await pilot.pause()
        assert app.main.query_one("#filter-input", Input).value == "xrp"

    drive(steps)


def test_a_kill_closes_an_arm_dialog_and_what_is_still_typed_does_nothing() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.header().state = "DISARMED"
        await repaint(app, pilot)
        await pilot.press("r", *"upbit")
        await settle(app, pilot)
        model.kill("CLI")
        await repaint(app, pilot)
        assert not isinstance(app.screen, RearmScreen)
        await burst(app, pilot, *"xrp", "enter", "x")
        assert (model.header().state, model.disabled, app.main.active) == ("HALTED", {}, "routes")
        assert "not armed: a kill came" in await repaint(app, pilot)
        model.now_ms += 1_100
        await pilot.press("r")
        await settle(app, pilot)
        assert "HALTED since" in screen_text(app)

    drive(steps, model=DemoModel(mode="LIVE").settle())


def test_a_repeated_kill_key_closes_the_dialog_of_the_first() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "r")
        await burst(app, pilot, *"upbit-binance", "enter", *"why", "ctrl+k", "enter")
        assert model.header().state == "HALTED"
        assert not isinstance(app.screen, RearmScreen)

    drive(steps)


def test_a_kill_that_the_screen_has_not_seen_yet_refuses_the_arming() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("ctrl+k", "r", *"upbit-binance", "enter", *"why")
        await settle(app, pilot)
        dialog = app.screen
        assert isinstance(dialog, RearmScreen)
        model.kill("CLI")
        dialog._rearm()
        assert model.header().state == "HALTED"

    drive(steps)
