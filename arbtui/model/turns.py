"""Work that is done beside everything else on the loop: in pieces, between which the loop has its turn."""

import asyncio

PIECE_S = 0.001
"""Seconds that a piece takes at least: no order notices so little, and a busy loop has few turns to give."""


class Turns:
    """Tells how long the piece at hand has taken. One for each piece of work, made when it begins."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    async def pause(self) -> None:
        """Between two steps of the work: where they have taken long enough, everything else goes first."""
        if self._loop.time() - self._began >= PIECE_S:
            await asyncio.sleep(0)
            self._began = self._loop.time()
