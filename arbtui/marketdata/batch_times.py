"""Receive times of a recording: frames delivered together share one, so that a replay delivers the same batches."""

import asyncio

from arbtui.model.clock import Clock

#: Batches of a recording whose times differ by less were delivered in one turn of the loop, with no other work between them.
TURN_NS = 1000


class BatchTimes:
    """One receive time a batch, in ns since the epoch, always rising, even where the wall clock is set back.

    The first batch of a loop's turn is at least :data:`TURN_NS` after the one before; those that follow it in the same turn are one
    ns apart. A replay delivers by these times, and so in the same batches and turns.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base = clock.time_ms() * 1_000_000 - int(clock.monotonic() * 1e9)
        self._last = 0
        self._in_turn = False

    def next(self) -> int:
        """The receive time of the batch being delivered."""
        if self._in_turn:
            self._last += 1
            return self._last
        self._in_turn = True
        asyncio.get_running_loop().call_soon(self._turn_over)
        self._last = max(self._base + int(self._clock.monotonic() * 1e9), self._last + TURN_NS)
        return self._last

    def now(self) -> int:
        """The time now by the same clock, in ns since the epoch; never before the last batch."""
        return max(self._base + int(self._clock.monotonic() * 1e9), self._last)

    def _turn_over(self) -> None:
        self._in_turn = False
