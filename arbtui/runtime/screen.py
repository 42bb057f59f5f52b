"""Shows the console over a running engine, as a sibling of it in the same task group."""

import gc
import logging

from arbtui.console.app import HANGUP, ConsoleApp
from arbtui.console.config import ConsoleConfig
from arbtui.engine.engine import Engine
from arbtui.runtime.stop import Stop
from arbtui.views.live import EngineControls, EngineViews

log = logging.getLogger("arbtui")

_GC_THRESHOLDS = (700, 3, 1000)
"""Painting makes thousands of short-lived objects a second, and the collector stops the loop for what it looks at: young ones
often and few at a time (1 ms, not 4), all of them (30 ms) once in many minutes. Python's own are 700, 10 and 10."""


async def show(engine: Engine, views: EngineViews, config: ConsoleConfig, stop: Stop) -> None:
    """Run the console until the operator quits, then ask the run to stop."""
    app = ConsoleApp(views, EngineControls(engine), config, after_first_paint=None)
    thresholds = gc.get_threshold()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        await app.run_async(mouse=False)
    finally:
        gc.set_threshold(*thresholds)
    if app.failure is not None:
        log.error("the console failed: %r", app.failure, exc_info=app.failure)
        stop.fail(app.failure)
    elif app.return_value == HANGUP:
        stop.ask("signal", 129)
    else:
        stop.ask("operator")
