"""Where alerts go out: the contract of a channel, its pace, and the two ways in which it can refuse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from arbtui.model.errors import ArbtuiError


class SendLater(ArbtuiError):
    """It may have arrived or not: send the same again. ``retry_after_s``: not before so many seconds, where the other side told."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class MessageRefused(ArbtuiError):
    """This very message will never be taken as it is; the next may be."""


class Pace:
    """Lets one sender at a time through, ``interval_s`` after the last; in order of asking."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._free_at = 0.0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn, and hold it while sending."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            await asyncio.sleep(max(0.0, self._free_at - loop.time()))
            try:
                yield
            finally:
                self._free_at = loop.time() + self._interval_s


class Channel(Protocol):
    """One place that takes messages, such as a chat."""

    name: str  #: as the journal knows it, ``telegram:CHAT``
    pace: Pace

    async def send(self, text: str) -> None:
        """Deliver ``text``; returns once the other side has taken it. Hold a turn of :attr:`pace` meanwhile.

        Raises:
            SendLater: no usable answer, or asked to wait.
            MessageRefused: a definite no to this text.
        """
        ...
