"""The interface of an alert channel, its pace, and its two kinds of refusal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from arbtui.model.errors import ArbtuiError


class SendLater(ArbtuiError):
    """It may have arrived or not: send the same again. ``retry_after_s``: least seconds to wait, where the server gave them."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class MessageRefused(ArbtuiError):
    """This message will never be accepted as it is; the next one may be."""


class Pace:
    """Admits one sender at a time, ``interval_s`` after the last; in order of request."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._free_at = 0.0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the turn, and keep it while sending."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            await asyncio.sleep(max(0.0, self._free_at - loop.time()))
            try:
                yield
            finally:
                self._free_at = loop.time() + self._interval_s


class Channel(Protocol):
    """One destination of messages, such as a chat."""

    name: str  #: as the journal names it, ``telegram:CHAT``
    pace: Pace

    async def send(self, text: str) -> None:
        """Deliver ``text``; returns once the server has accepted it. Keep a turn of :attr:`pace` meanwhile.

        Raises:
            SendLater: no usable answer, or the server asked to wait.
            MessageRefused: the server refuses this text.
        """
        ...
