"""A journal, a bot and an alert manager as a run has them, with short waits; what they left is read from the journal alone."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from arbtui.journal.events import BreachRecorded, RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import load_outbox
from arbtui.model.clock import SystemClock
from arbtui.monitoring.alert_manager import AlertManager
from arbtui.monitoring.channel import Channel
from arbtui.monitoring.config import AlertsConfig
from arbtui.monitoring.telegram import TelegramBot
from tests.monitoring.bot_api import TOKEN

CHAT = 42
BACKOFF_S = (0.02, 0.05, 0.05)


@dataclass
class Outpost:
    """What runs."""

    journal: Journal
    bot: TelegramBot
    alerts: AlertManager

    def breach(self, number: int, severity: str = "CRIT", kind: str = "RESIDUAL") -> None:
        """Record one, as the engine does."""
        self.journal.post(BreachRecorded(f"b{number}", severity, kind, "global", f"number {number};", "HALT"))


def alerts_config(**values: Any) -> AlertsConfig:
    """Settings of alerts that no profile would take: a test does not wait for minutes."""
    return AlertsConfig().model_copy(update=values)


@asynccontextmanager
async def outpost(
    path: Path,
    url: str,
    chats: Sequence[int] = (CHAT,),
    *,
    every_s: float = 0.0,
    timeout_s: float = 5.0,
    warn_every_s: float = 60.0,
    backoff_s: Sequence[float] = BACKOFF_S,
    config: AlertsConfig | None = None,
    second: Sequence[Channel] = (),
) -> AsyncIterator[Outpost]:
    """Open all of it over the journal at ``path``, begin a run, and end as abruptly as a crash: nothing is flushed."""
    clock = SystemClock()
    journal = await Journal.open(path, clock=clock, door="aio")
    bot = TelegramBot(SecretStr(TOKEN), url, timeout_s=timeout_s, every_s=every_s)
    channels = [bot.chat(chat) for chat in chats]
    outbox = load_outbox(path)
    alerts = AlertManager(
        journal, clock, channels, "desk SIM", outbox, config or alerts_config(cool_down_s=warn_every_s), second=second, backoff_s=backoff_s
    )
    journal.alert_of, journal.on_dropped = alerts.alert_of, alerts.on_dropped
    sending = asyncio.create_task(alerts.run())
    try:
        await journal.commit(RunStarted(f"r{journal.load().runs + 1}", "desk", "sim", None, "0", "c", {}, "ARMED"))
        yield Outpost(journal, bot, alerts)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await bot.close()
        await journal.close()


async def until(look: Callable[[], object], what: str, within: float = 150.0) -> None:
    """Look again and again until ``look`` gives something true."""
    deadline = asyncio.get_running_loop().time() + within
    while not look():
        assert asyncio.get_running_loop().time() < deadline, f"not within {within:g} s: {what}"
        await asyncio.sleep(0.005)


def states(path: Path) -> dict[str, int]:
    """How many alerts of the journal are in which state."""
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT state, count(*) FROM alert GROUP BY state ORDER BY state").fetchall())
