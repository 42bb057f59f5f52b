"""A journal, an alert manager and channels by hand, in virtual time: half an hour without Telegram takes a second."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from arbtui.journal.events import BreachRecorded, RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import VIRTUAL_EPOCH_MS, LoopClock
from arbtui.monitoring.alert_manager import AlertManager
from arbtui.monitoring.channel import Pace
from arbtui.monitoring.config import AlertsConfig


@dataclass
class Told:
    """A channel that keeps what it takes, with the second; ``refuses`` gives what it raises instead."""

    name: str
    pace: Pace = field(default_factory=lambda: Pace(1.0))
    taken: list[tuple[float, str]] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    refuses: Callable[[float, str], Exception | None] = lambda now, text: None

    async def send(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        self.asked.append(now)
        await asyncio.sleep(0.05)
        if (error := self.refuses(now, text)) is not None:
            raise error
        self.taken.append((now, text))

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.taken]


@dataclass
class Desk:
    """What runs in virtual time."""

    journal: Journal
    alerts: AlertManager

    def breach(self, number: int, severity: str = "CRIT", kind: str = "RESIDUAL") -> None:
        self.journal.post(BreachRecorded(f"b{number}", severity, kind, "global", f"number {number};", "HALT"))


@asynccontextmanager
async def desk(
    path: Path,
    first: Sequence[Told],
    second: Sequence[Told] = (),
    config: AlertsConfig | None = None,
    *,
    zone: tzinfo = UTC,
    epoch_ms: int = VIRTUAL_EPOCH_MS,
) -> AsyncIterator[Desk]:
    """A journal and an alert manager; they end as abruptly as a crash."""
    clock = LoopClock(asyncio.get_running_loop(), epoch_ms)
    journal = await Journal.open(path, clock=clock, door="sync", salt="0" * 16)
    alerts = AlertManager(journal, clock, first, "desk LIVE", load_outbox(path), config or AlertsConfig(), second=second, zone=zone)
    journal.alert_of, journal.on_dropped = alerts.alert_of, alerts.on_dropped
    sending = asyncio.create_task(alerts.run())
    try:
        await journal.commit(RunStarted(f"r{journal.load().runs + 1}", "desk", "live", None, "0", "c", {}, "ARMED"))
        yield Desk(journal, alerts)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await journal.close()
