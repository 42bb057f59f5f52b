"""An error anywhere in the console costs a redraw: it is told, and the console goes on."""

import asyncio
from collections.abc import Callable

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from arbtui.console.app import REPAIR_EVERY_S, ConsoleApp
from arbtui.console.config import ConsoleConfig
from arbtui.console.frame import SLICES
from arbtui.console.screens.help import HelpScreen
from tests.console.demo import DemoModel
from tests.console.driving import drive, repaint, screen_text


class Broken(RuntimeError):
    """What the tests raise."""


def fail(*arguments: object, **named: object) -> None:
    raise Broken("by the test")


async def frames(app: ConsoleApp, pilot: Pilot[str], until: str) -> None:
    """Let the console's own timer paint until ``until`` stands on the screen."""
    await when(lambda: until in screen_text(app))


async def when(look: Callable[[], bool]) -> None:
    """Wait until ``look`` says so. Not pilot.pause: it waits for callbacks, which an error may drop."""
    async with asyncio.timeout(60):
        while not look():  # noqa: ASYNC110  nothing tells a test what stands on a screen
            await asyncio.sleep(0.01)


def surviving(steps: object, expected: int | None = None) -> ConsoleApp:
    """Run ``steps`` in a console that is told what errors do."""
    model = DemoModel().lived()
    told: list[Exception] = []
    app = drive(steps, model=model, on_error=told.append)  # type: ignore[arg-type]
    assert told
    assert [error for error in told if not isinstance(error, Broken)] == []
    assert expected is None or len(told) == expected
    assert app.failure is None
    assert app.return_code in (None, 0)
    return app


def test_a_verb_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        monkeypatch.setattr(model, "toggle_pause", fail)
        await pilot.press("p")
        await frames(app, pilot, "the console met an error (Broken)")
        monkeypatch.undo()
        await pilot.press("p")
        await frames(app, pilot, "[PAUSED]")

    surviving(steps, 1)


def test_a_paint_that_raises_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        monkeypatch.setattr(model, "header", fail)
        await frames(app, pilot, "the console met an error (Broken)")
        await pilot.press("x")
        assert len(model.disabled) == 1
        monkeypatch.undo()
        model.kill("CLI")
        await frames(app, pilot, "HALTED")

    surviving(steps)


def test_a_line_that_cannot_be_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        monkeypatch.setattr(app.main.routes, "spans", fail)
        app.main.routes.repaint()
        await frames(app, pilot, "this line cannot be painted")
        await frames(app, pilot, "the console met an error (Broken)")
        model.kill("CLI")
        await frames(app, pilot, "HALTED")
        monkeypatch.undo()
        model.now_ms += 5_000
        await when(lambda: "cannot be painted" not in screen_text(app))

    surviving(steps)


def test_a_handler_of_a_widget_that_raises_leaves_the_widget_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        await pilot.press("slash")
        monkeypatch.setattr(app.main.filter_bar, "_read", fail)
        await pilot.press("x")
        await pilot.pause()
        monkeypatch.undo()
        await pilot.press("r", "p")
        await pilot.pause()
        assert app.main.query_one("#filter-input", Input).value == "xrp"
        assert {row.symbol for row in app.main.routes.rows} == {"XRP"}

    surviving(steps, 1)


def test_a_dialog_that_cannot_open_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        monkeypatch.setattr(HelpScreen, "on_mount", fail, raising=False)
        app.post_message(events.Key("question_mark", "?"))
        await when(lambda: app.screen is not app.main)
        model.now_ms += 5_000
        await when(lambda: app.screen is app.main)
        monkeypatch.undo()
        await pilot.press("ctrl+k")
        assert model.header().state == "HALTED"
        assert "HALTED" in await repaint(app, pilot)

    surviving(steps)


def test_a_paint_that_always_fails_repaints_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    repaints = 0

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        nonlocal now, repaints

        def repaint_and_fail() -> None:
            nonlocal repaints
            repaints += 1
            fail()

        monkeypatch.setattr(app, "_monotonic", lambda: now)
        monkeypatch.setattr(app.main, "repaint", repaint_and_fail)
        app._handle_exception(Broken())
        for _ in range(20):
            app._repair()
        assert repaints == 1
        now += REPAIR_EVERY_S
        app._repair()
        assert repaints == 2
        monkeypatch.undo()

    surviving(steps)


def test_a_console_that_is_closing_paints_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer can still fire when the screens are gone already."""

    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        close_all = app._close_all

        async def close_and_paint() -> None:
            await close_all()
            for _ in range(SLICES):
                await app._paint_slice()

        monkeypatch.setattr(app, "_close_all", close_and_paint)
        app._handle_exception(Broken())

    surviving(steps, 1)


def test_a_broken_flash_line_and_a_broken_listener_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        monkeypatch.setattr(app.main.flash, "say", fail)
        await pilot.press("p")
        monkeypatch.undo()
        await pilot.press("p")
        await frames(app, pilot, "[ARMED]")
        assert app.failure is None

    drive(steps, on_error=fail)


def test_without_somebody_to_tell_an_error_ends_the_console() -> None:
    async def steps(app: ConsoleApp, model: DemoModel, pilot: Pilot[str]) -> None:
        model.toggle_pause = fail  # type: ignore[method-assign,assignment]
        app.post_message(events.Key("p", "p"))
        await app._exception_event.wait()

    with pytest.raises(Broken):
        drive(steps)


def test_a_console_that_is_not_up_ends() -> None:
    model = DemoModel().lived()
    assert not ConsoleApp(model, model, ConsoleConfig(), on_error=lambda error: None).survives(Broken())
