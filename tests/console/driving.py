"""Runs the console without a terminal and reads what stands on its screen."""

import asyncio
from collections.abc import Awaitable, Callable

from textual import events
from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from tests.console.demo import DemoModel, demo_app

Steps = Callable[[ConsoleApp, DemoModel, Pilot[str]], Awaitable[None]]


def drive(
    steps: Steps,
    size: tuple[int, int] = (80, 24),
    model: DemoModel | None = None,
    on_error: Callable[[Exception], None] | None = None,
) -> ConsoleApp:
    """Run ``steps`` against the console at ``size``; the app afterwards."""
    model = model or DemoModel().lived()
    app = demo_app(model, on_error=on_error)

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, model, pilot)

    asyncio.run(main())
    return app


def screen_text(app: ConsoleApp) -> str:
    """Everything on screen, as lines."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def repaint(app: ConsoleApp, pilot: Pilot[str]) -> str:
    """Paint a frame with nothing held back; the screen's text."""
    app.main.tick_all()
    await pilot.pause()
    return screen_text(app)


async def burst(app: ConsoleApp, pilot: Pilot[str], *keys: str) -> None:
    """Give ``keys`` in one go, as a terminal does that was read late; then let the console come to rest."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else "\r" if key == "enter" else None))
    await settle(app, pilot)


async def settle(app: ConsoleApp, pilot: Pilot[str]) -> None:
    """Wait until no key is held for an input that has not opened yet."""
    await pilot.pause()
    while app._type_ahead.is_waiting:
        await pilot.pause(0.01)
    await pilot.pause()
