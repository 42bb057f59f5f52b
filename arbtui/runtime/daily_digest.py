"""Once a day, at the desk's time, what the day came to goes to the operator, as INFO: quiet hours hold it back until morning."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from arbtui.engine.engine import Engine
from arbtui.journal.day import DayOfCycles, read_day
from arbtui.model.clock import Clock
from arbtui.model.turns import Turns
from arbtui.monitoring.digest import KIND, digest
from arbtui.monitoring.quiet_hours import DeskHours, minute_of
from arbtui.portfolio.config import DeskConfig
from arbtui.views.live import EngineViews

log = logging.getLogger("arbtui")

#: s of sleep at most: a clock that is set, or a machine that was suspended, is noticed so soon.
_STEP_S = 30.0
#: s after its time at which it is still worth making; a machine that slept through the night has a new day.
_LATE_S = 600.0


async def _in_a_thread(path: Path, since_ms: int) -> DayOfCycles:
    return await asyncio.to_thread(read_day, path, since_ms)


class DigestMaker:
    """Makes the digest of one run's desk.

    Args:
        read: the day's cycles; in a thread by default, since a busy day has many.
    """

    def __init__(
        self, engine: Engine, views: EngineViews, desk: DeskConfig, read: Callable[[Path, int], Awaitable[DayOfCycles]] = _in_a_thread
    ) -> None:
        self._engine = engine
        self._views = views
        self._desk = desk
        self._read = read

    async def text(self) -> str:
        """The digest of the desk's day, as of now."""
        engine, views = self._engine, self._views
        now_ms = engine.components.clock.time_ms()
        cycles = await self._read(engine.components.journal.path, DeskHours(self._desk.zone).last_midnight(now_ms))
        _, day = await views.pnl(Turns())
        residuals = (len(engine.portfolio.positions), engine.risk.total.positions_value)
        return digest(self._desk.day_of(now_ms), views.header(), views.gauges(), day, cycles, views.denials(), residuals)


class DailyDigest:
    """Tells the digest at its time.

    Args:
        at: time of the desk's day, ``23:59``; the digest covers the day up to then.
        make: gives the text.
        inform: tells its kind and text.
    """

    def __init__(
        self, clock: Clock, desk: DeskConfig, at: str, make: Callable[[], Awaitable[str]], inform: Callable[[str, str], None]
    ) -> None:
        self._clock = clock
        self._hours = DeskHours(desk.zone)
        self._minute = minute_of(at)
        self._make = make
        self._inform = inform

    async def run(self) -> None:
        """Wait for each day's time, until cancelled."""
        due_ms = self._hours.next(self._clock.time_ms(), self._minute)
        while True:
            left_s = (due_ms - self._clock.time_ms()) / 1000
            if left_s > 0:
                await asyncio.sleep(min(left_s, _STEP_S))
                continue
            if left_s > -_LATE_S:
                try:
                    self._inform(KIND, await self._make())
                except Exception:  # a digest that cannot be made must not end a run
                    log.exception("the daily digest could not be made")
            due_ms = self._hours.next(self._clock.time_ms(), self._minute)
