"""Shows the console over a running engine, as a sibling of it in the same task group."""

import logging

from arbtui.console.app import HANGUP, ConsoleApp
from arbtui.console.config import ConsoleConfig
from arbtui.engine.engine import Engine
from arbtui.runtime.stop import Stop
from arbtui.views.live import EngineControls, EngineViews

log = logging.getLogger("arbtui")


async def show(engine: Engine, views: EngineViews, config: ConsoleConfig, stop: Stop) -> None:
    """Run the console until the operator quits, then ask the run to stop."""
    app = ConsoleApp(views, EngineControls(engine), config, after_first_paint=None)
    await app.run_async(mouse=False)
    if app.failure is not None:
        log.error("the console failed: %r", app.failure, exc_info=app.failure)
        stop.fail(app.failure)
    elif app.return_value == HANGUP:
        stop.ask("signal", 129)
    else:
        stop.ask("operator")
