"""Runs the console without a terminal and reads what stands on its screen."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from arbtui.console.app import ConsoleApp
from tests.console.demo import DemoModel, demo_app

Steps = Callable[[ConsoleApp, DemoModel, Pilot[str]], Awaitable[None]]


def drive(steps: Steps, size: tuple[int, int] = (80, 24), model: DemoModel | None = None) -> ConsoleApp:
    """Run ``steps`` against the console at ``size``; the app afterwards."""
    model = model or DemoModel().settle()
    app = demo_app(model)

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
