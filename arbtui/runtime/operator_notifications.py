"""Reaching the operator who is away: alerts out and commands in, beside the engine, never in its way."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import SecretStr

from arbtui.engine.breaches import BreachBook
from arbtui.engine.engine import Engine
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import CHAT_MOVED, Outbox, load_outbox
from arbtui.model.clock import Clock
from arbtui.model.counted import counted
from arbtui.model.errors import JournalFailed
from arbtui.model.turns import Turns
from arbtui.monitoring import equity_picture
from arbtui.monitoring.alert_manager import AlertManager, supervised
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import Channel
from arbtui.monitoring.command_log import CommandLog
from arbtui.monitoring.one_time_code import OneTimeCodes
from arbtui.monitoring.remote import TelegramRemote
from arbtui.monitoring.remote_console import RemoteConsole
from arbtui.monitoring.telegram import TelegramBot
from arbtui.risk.breach import Severity
from arbtui.settings.profile import Settings
from arbtui.views.live import EngineViews
from arbtui.views.remote_controls import EngineRemoteControls

log = logging.getLogger("arbtui")

#: What waits at the end of a run may still go out for so long, in seconds; the next start sends the rest.
_FLUSH_S = 2.0
TELEGRAM = "TELEGRAM"
"""Where a kill or a halt of it came from, as journal and screens name it."""

#: s between two points of the picture that goes with ``/pnl``.
_EQUITY_S = 60.0
#: s between two looks at what was not delivered, or has no price yet.
_LOOK_S = 1.0


class OperatorNotifications:
    """Telegram for one run, and other channels. Its tasks stand outside the engine's task group, so nothing of them can end it."""

    def __init__(
        self, settings: Settings, journal: Journal, clock: Clock, bot: TelegramBot | None, outbox: Outbox, others: Sequence[Channel] = ()
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._clock = clock
        self._bot = bot
        self._outbox = outbox
        chats = [] if bot is None else [bot.chat(chat_id) for chat_id in dict.fromkeys(settings.telegram.chat_ids)]
        self._moved: list[tuple[int, int]] = []
        for chat in chats:
            chat.on_moved = lambda old, new: self._moved.append((old, new))
        channels: list[Channel] = [*chats, *others]
        self.channels = len(channels)
        first, second = _by_way(channels, settings.alerts.second)
        sender = f"{settings.name} {settings.mode.upper()}"
        self._alerts = AlertManager(journal, clock, first, sender, outbox, settings.alerts, second=second, zone=settings.desk.zone)
        journal.alert_of, journal.on_dropped = self._alerts.alert_of, self._alerts.on_dropped
        self._tasks = [asyncio.create_task(self._alerts.run(), name="alerts")]

    @property
    def waiting(self) -> int:
        """How many alerts have not reached every channel yet."""
        return self._alerts.waiting

    @property
    def overdue(self) -> Mapping[str, tuple[int, float, str]]:
        """By channel: how many alerts it should have taken a while ago, the age of the oldest in s, and what the last try met."""
        return self._alerts.overdue()

    def load_early(self) -> None:
        """Load what answers need and what would hold the loop up later."""
        if self._settings.telegram.user_ids and self._bot is not None:
            equity_picture.load()

    def attach(self, engine: Engine, views: EngineViews) -> None:
        """Obey commands from now on, where the profile names users; tell the desk of alerts that do not arrive."""
        self._alerts.acknowledge_breach = engine.operator.acknowledge_away
        self._tasks.append(asyncio.create_task(supervised("delivery watch", lambda: self._watch(engine.breaches)), name="delivery watch"))
        if self._settings.telegram.user_ids and self._bot is not None:
            self._obey(self._bot, engine, views)

    def _obey(self, bot: TelegramBot, engine: Engine, views: EngineViews) -> None:
        halt, commands = engine.components.halt, CommandLog(self._journal, self._outbox.commands)
        console = RemoteConsole(
            views,
            lambda user_id: EngineRemoteControls(engine, TELEGRAM, f"telegram user {user_id}"),
            lambda: halt.epoch,
            self._settings.desk.time_of,
            self._alerts,
            commands,
            OneTimeCodes(self._clock.monotonic),
        )
        kill = partial(engine.kill_switch.kill, TELEGRAM)
        remote = TelegramRemote(bot, self._settings.telegram, self._clock, self._alerts, commands, console, kill)
        remote.resume()
        self._tasks.append(asyncio.create_task(remote.run(), name="remote commands"))
        noting = supervised("equity", lambda: _note_equity(views))
        self._tasks.append(asyncio.create_task(noting, name="equity"))

    async def _watch(self, breaches: BreachBook) -> None:
        """Record a breach for a chat with another number, and one for each channel that takes nothing, once an outage."""
        silent: set[str] = set()
        while True:
            while self._moved:
                old, new = self._moved.pop(0)
                detail = f"telegram.chat_ids is out of date: group {old} has become supergroup {new}; write {new} in its place"
                breaches.record(Severity.WARN, CHAT_MOVED, f"telegram:{old}", detail, "alerts go to the new number for this run")
            overdue = self._alerts.overdue()
            for name in overdue.keys() - silent:
                count, age_s, why = overdue[name]
                detail = f"{counted(count, 'alert')} not delivered, the oldest for {age_s:.0f} s{f' ({why})' if why else ''}"
                breaches.record(Severity.CRIT, "ALERTS_WAIT", name, detail, "tried again and again; look here meanwhile")
            silent = set(overdue)
            await asyncio.sleep(_LOOK_S)

    def inform(self, kind: str, text: str) -> None:
        """Tell something that can wait."""
        self._alerts.queue(Urgency.INFO, kind, text)

    def journal_failed(self, failure: JournalFailed) -> None:
        """Nothing can be queued any more: this goes out directly."""
        self._alerts.queue(Urgency.CRITICAL, "JOURNAL", f"the journal failed, the gate is closed: {failure}")

    async def close(self, within_s: float = _FLUSH_S) -> None:
        """Send what can be sent in ``within_s``, then stop."""
        await self._alerts.flush(within_s)
        if self._alerts.waiting:
            log.warning("%d alerts were not sent; the next start sends them", self._alerts.waiting)
        for task in self._tasks:
            task.cancel()
        for task, ended in zip(self._tasks, await asyncio.gather(*self._tasks, return_exceptions=True), strict=True):
            if isinstance(ended, Exception):
                log.error("%s: %r", task.get_name(), ended)
        try:
            if self._bot is not None:
                await self._bot.close()
        except Exception:  # whatever a connection says at its end, the journal behind it must be closed
            log.exception("closing Telegram's connections")


async def _note_equity(views: EngineViews) -> None:
    """Once a minute, for the picture of ``/pnl``."""
    while True:
        noted = await views.note_equity(Turns())
        await asyncio.sleep(_EQUITY_S if noted else _LOOK_S)


def _by_way(channels: Sequence[Channel], second: Sequence[str]) -> tuple[list[Channel], list[Channel]]:
    """The channels of the first way and of the second. A channel's way is what its name begins with (``telegram:42``)."""
    is_second = [channel.name.partition(":")[0] in second for channel in channels]
    ways = [[channel for channel, later in zip(channels, is_second, strict=True) if later is way] for way in (False, True)]
    return ways[0], ways[1]


def open_notifications(
    settings: Settings, journal: Journal, clock: Clock, token: SecretStr | None, others: Sequence[Channel] = ()
) -> OperatorNotifications | None:
    """Telegram, and ``others``, for the run that begins, its alerts sent from now on; None without a token or another channel.

    Raises:
        UsageError: the outbox cannot be read.
    """
    if token is None and not others:
        return None
    outbox = load_outbox(journal.path)
    bot = None if token is None else TelegramBot(token, settings.telegram.base_url)
    return OperatorNotifications(settings, journal, clock, bot, outbox, others)
