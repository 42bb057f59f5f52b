"""Why and when a run stops: the first reason counts."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from arbtui.model.errors import ArbtuiError

#: Signals that end a run in order: asked by a person, by the system, and by a terminal that went away.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


Result = TypeVar("Result")


class Stopped(Exception):
    """A start was told to stop before it was done."""


class Stop:
    """Waits for the first reason to stop. ``reason`` is a ``stop_reason`` of docs/interface.md; ``code`` the exit code it asks for."""

    def __init__(self) -> None:
        self.reason = ""
        self.code = 0
        self.error: BaseException | None = None
        self._event = asyncio.Event()

    def ask(self, reason: str, code: int = 0, error: BaseException | None = None) -> None:
        """Stop for ``reason``; later reasons change nothing."""
        if not self.reason:
            self.reason, self.code, self.error = reason, code, error
            self._event.set()

    def fail(self, error: BaseException) -> None:
        """Stop because something broke."""
        self.ask("error", error.exit_code if isinstance(error, ArbtuiError) else 1, error)

    def on_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop on SIGINT, SIGTERM and SIGHUP: Textual installs no handlers of its own, and would die unsaved."""
        for number in SIGNALS:
            loop.add_signal_handler(number, self.ask, "signal", 128 + number)

    async def wait(self) -> None:
        """Until the first reason."""
        await self._event.wait()

    async def unless(self, work: Coroutine[Any, Any, Result], grace_s: float = 0.0) -> Result:
        """``work``'s result; a reason to stop that comes first ends it ``grace_s`` later.

        Raises:
            Stopped: it did.
        """
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait((task,), timeout=grace_s)
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait((task,))
        if task.cancelled():
            raise Stopped
        return task.result()
