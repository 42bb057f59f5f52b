"""A console in a real terminal, for tests/console/test_driver.py: ``python -m tests.console.terminal_child WHAT FOLDER``.

Says what it sees on file descriptor 3, one JSON object a line.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from arbtui.console.app import ConsoleApp
from arbtui.console.config import ConsoleConfig
from arbtui.model.halt import Halt
from arbtui.monitoring.lag import LagProbe
from tests.console.demo import DemoModel

STALL_S = 3.0


def say(**facts: Any) -> None:
    os.write(3, json.dumps(facts).encode() + b"\n")


class HaltedModel(DemoModel):
    """A demo whose kill closes a real gate."""

    def __init__(self, folder: Path) -> None:
        super().__init__(500)
        self.halt = Halt(folder)

    def kill(self, source: str, reason: str = "") -> bool:
        return self.halt.close(source, reason)


async def stall(app: ConsoleApp, model: HaltedModel) -> None:
    """Paint as much as can be; report how the loop does once nobody has read for three seconds, and after."""
    probe = LagProbe()
    stalled_at = 0.0
    told = recovered = False
    while app.return_value is None and app._exit is False:
        await asyncio.sleep(0.02)
        model.touch(model.routes[:200])
        model.now_ms = time.time_ns() // 1_000_000
        now = time.monotonic()
        if not stalled_at and app.is_terminal_stalled:
            stalled_at = now
            probe.start()
        if stalled_at and not told and now - stalled_at > STALL_S:
            told = True
            say(stalled_s=STALL_S, lag_max_ms=probe.run().max, drops=getattr(app._driver, "drops", 0))
        if told and not recovered and not app.is_terminal_stalled:
            recovered = True
            say(recovered=True)


async def block(app: ConsoleApp, model: HaltedModel) -> None:
    """Hold the loop in Python until the gate is closed, or for ten seconds."""
    say(blocking=True)
    started = time.monotonic()
    while not model.halt.is_closed and time.monotonic() - started < 10:
        pass
    cause = model.halt.cause
    say(closed=model.halt.is_closed, source=cause.source if cause else "", loop_ran=False)
    app.exit("done")


async def engine(app: ConsoleApp, model: HaltedModel) -> None:
    """The sibling task dies."""
    raise RuntimeError("the engine is broken")


async def idle(app: ConsoleApp, model: HaltedModel) -> None:
    """Nothing: the test types."""


async def broken(app: ConsoleApp, model: HaltedModel) -> None:
    """A frame that raises, with a secret among its local variables."""

    def header() -> Any:
        secret = "hunter" + str(2)
        raise RuntimeError(f"no header {len(secret)}")

    model.header = header  # type: ignore[method-assign]


async def main() -> int:
    what, folder = sys.argv[1], Path(sys.argv[2])
    model = HaltedModel(folder).lived()
    assert isinstance(model, HaltedModel)
    model.header().open_cycles = model.header().orders_in_flight = 0
    scene = {"stall": stall, "block": block, "idle": idle, "broken": broken, "engine": engine}[what]
    is_painted = asyncio.Event()

    async def sibling() -> None:
        await is_painted.wait()
        say(painted=True)
        await scene(app, model)

    async def console() -> None:
        await app.run_async(mouse=False)
        is_painted.set()
        beside.cancel()

    app = ConsoleApp(model, model, ConsoleConfig(frame_rate=20), after_first_paint=is_painted.set)
    try:
        async with asyncio.TaskGroup() as group:
            beside = group.create_task(sibling())
            group.create_task(console())
    except* RuntimeError as group_error:
        say(group=repr(group_error.exceptions[0]))
    result = app.return_value
    say(result=result, code=app.return_code, failure=repr(app.failure), closed=model.halt.is_closed)
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
