"""The kill switch: one call from anywhere closes the gate; what follows is done by the engine when its loop gets to it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from arbtui.model.clock import Clock
from arbtui.model.halt import Halt


class KillSwitch:
    """Closes the gate synchronously, from any thread, then wakes the engine.

    Nothing here depends on the loop, the journal, the screen or a venue. ``on_kill`` runs in the loop, once a kill,
    whoever made it: a key, a signal, a guard, or a flag that another process wrote.
    """

    def __init__(self, halt: Halt, clock: Clock, on_kill: Callable[[], None]) -> None:
        self.halt = halt
        self._clock = clock
        self._on_kill = on_kill
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = halt.is_closed  # a halt found at start was told by whoever made it

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on kills wake this loop."""
        self._loop = loop

    def kill(self, source: str, reason: str = "") -> bool:
        """Close the gate now. False when it was closed already."""
        closed = self.halt.close(source, reason, self._clock.time_ms())
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop closed just now: the gate is closed all the same
                self._loop.call_soon_threadsafe(self._tell)
        return closed

    def look(self) -> bool:
        """Look for a flag from outside (called four times a second, and by the gate before every order)."""
        if self.halt.flag_stands():
            self._tell()
        return self.halt.is_closed

    def rearm(self) -> None:
        """A person has typed the profile's name and a reason."""
        self.halt.rearm()
        self._told = False

    def _tell(self) -> None:
        if self.halt.is_closed and not self._told:
            self._told = True
            self._on_kill()
