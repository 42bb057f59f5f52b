"""SnapshotRequester: fetches the depth snapshots that books need, one query a market, a limited number at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from math import inf
from random import Random

from arbtui.marketdata.public_rest import RestRefused
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError

log = logging.getLogger("arbtui")

#: Concurrent queries: fifty books are ready in a second, and a thousand do not open a thousand connections.
AT_ONCE = 8
_FIRST_RETRY_S = 0.25
_LONGEST_RETRY_S = 30.0
#: Seconds between two queries for one market, doubling while they repeat. An answer may be
#: older than the stream it is to start (a lagging REST server), and a stream that breaks repeatedly needs a new one each
#: time: an immediate query would get the same answer and use up the rate limit of all others.
_APART_S, _LONGEST_APART_S = 0.3, 10.0
#: Seconds without a query after which a market's next one is sent at once.
_CALM_S = 60.0


class SnapshotRequester:
    """Fetches each wanted market once, again after a failure, and never twice at a time.

    Args:
        fetch: fetches and delivers one market's snapshot; raises ArbtuiError when that fails.
        clock: spaces the queries.
        chance: jitter.
        pause: waits before a question that failed is asked again; shorter when the venue is heard elsewhere.
    """

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[None]],
        clock: Clock,
        chance: Random,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._chance = chance
        self._pause = pause
        self._wanted: dict[str, None] = {}  # waiting, in order of request
        self._busy: set[str] = set()
        self._last: dict[str, float] = {}
        self._apart: dict[str, float] = {}
        self._more = asyncio.Event()
        self.asked = 0  #: queries sent since the start

    def want(self, code: str) -> None:
        """Request a market's snapshot. One under way is not repeated: its book decides whether the answer is usable."""
        if code not in self._busy:
            self._wanted[code] = None
            self._more.set()

    @property
    def waiting(self) -> int:
        """Markets whose snapshot has not arrived yet."""
        return len(self._wanted) + len(self._busy)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            slots = asyncio.Semaphore(AT_ONCE)
            while True:
                await self._more.wait()
                await slots.acquire()
                if not self._wanted:
                    self._more.clear()
                    slots.release()
                    continue
                code = next(iter(self._wanted))
                del self._wanted[code]
                self._busy.add(code)
                tasks.create_task(self._bring(code, slots), name=f"snapshot {code}")

    def _spacing(self, code: str) -> float:
        """Least seconds between the last query for ``code`` and the next."""
        calm = self._clock.monotonic() - self._last.get(code, -inf) > _CALM_S
        apart = self._apart[code] = _APART_S if calm else min(2 * self._apart[code], _LONGEST_APART_S)
        return apart

    async def _bring(self, code: str, slots: asyncio.Semaphore) -> None:
        """Fetch until it succeeds; the slot is free for others while this one pauses."""
        pause = _FIRST_RETRY_S
        while True:
            early = self._last.get(code, -inf) + self._spacing(code) - self._clock.monotonic()
            if early > 0:
                slots.release()
                await asyncio.sleep(early)
                await slots.acquire()
            self._last[code] = self._clock.monotonic()
            self.asked += 1
            try:
                await self._fetch(code)
                break
            except ArbtuiError as error:
                log.warning("%s", error)
                asked_for = error.failure.retry_after_s if isinstance(error, RestRefused) else 0.0
            except Exception:  # a defect of ours may cost one query, never the engine
                asked_for = 0.0
                log.exception("snapshot of %s: internal error", code)
            slots.release()
            if asked_for:
                await asyncio.sleep(asked_for)
            await self._pause(pause * self._chance.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_RETRY_S)
            await slots.acquire()
        slots.release()
        self._busy.discard(code)
