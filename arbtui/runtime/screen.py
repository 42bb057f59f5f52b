"""Shows the console over a running engine, as a sibling of it in the same task group."""

import logging

from arbtui.console.app import HANGUP, ConsoleApp
from arbtui.console.config import ConsoleConfig
from arbtui.engine.engine import Engine
from arbtui.risk.breach import Severity
from arbtui.runtime.stop import Stop
from arbtui.views.live import EngineControls, EngineViews

log = logging.getLogger("arbtui")

LONGEST_TOLD = 200
"""Letters of an error's words in its breach; the log has all."""


async def show(engine: Engine, views: EngineViews, config: ConsoleConfig, stop: Stop) -> None:
    """Run the console until the operator quits, then ask the run to stop."""

    def on_error(error: Exception) -> None:
        kind = type(error).__name__
        told = engine.breaches.record(Severity.WARN, "CONSOLE_ERROR", kind, f"{error}"[:LONGEST_TOLD], "repainted; the engine trades on")
        if told is not None:  # once a minute: a paint that fails every time must not fill the disk
            log.error("the console met an error and goes on: %s", kind, exc_info=error)

    app = ConsoleApp(views, EngineControls(engine), config, after_first_paint=None, on_error=on_error)
    await app.run_async(mouse=False)
    if app.failure is not None:
        log.error("the console failed: %r", app.failure, exc_info=app.failure)
        stop.fail(app.failure)
    elif app.return_value == HANGUP:
        stop.ask("signal", 129)
    else:
        stop.ask("operator")
