"""Telling the operator that an engine stays down: through its own journal and outbox, since it cannot do so any more."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from arbtui.journal.events import BreachRecorded
from arbtui.journal.journal import Journal
from arbtui.journal.state import refuse_foreign
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError
from arbtui.monitoring.alert import Alert, message
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import Channel, MessageRefused, SendLater
from arbtui.monitoring.telegram import TelegramBot
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.risk.breach import Severity
from arbtui.runtime.alert_channels import other_channels
from arbtui.runtime.operator_notifications import open_notifications
from arbtui.settings.lock import ProfileLock
from arbtui.settings.output import say
from arbtui.settings.profile import Settings
from arbtui.settings.secrets import telegram_token
from arbtui.settings.state import mode_folder, profile_folder

log = logging.getLogger("arbtui")

KIND = "ENGINE_DOWN"
#: How long the message may take to leave, in s; the journal keeps it for the next start.
_SEND_S = 20.0
#: How long it waits for a command that journals, in s: the operator is told at once of what cannot be journaled by then.
_LOCK_S = 5.0
_ACTION = "look at status and log, then start it"


def tell_down(settings: Settings, root: Path, why: str) -> None:
    """Record a CRIT breach in the profile's journal and send its alert; where the journal cannot be written, send it directly."""
    asyncio.run(_tell(settings, root, why))


async def _tell(settings: Settings, root: Path, why: str) -> None:
    token: SecretStr | None = None
    others: list[Channel] = []
    with suppress(ArbtuiError):  # the profile was looked at when the supervisor started
        token = telegram_token(settings)
    with suppress(ArbtuiError):
        others = other_channels(settings)
    path = mode_folder(root, settings.name, settings.mode) / "journal.db"
    try:
        if not path.exists():
            raise ArbtuiError(f"there is no {path}")
        with ProfileLock(profile_folder(root, settings.name), _LOCK_S):
            await _journal(settings, path, token, others, why)
    except (ArbtuiError, OSError) as error:
        say(f"supervisor of {settings.name}: the journal cannot be told that the engine is down ({error})")
        now_ms = time.time_ns() // 1_000_000
        alert = Alert(f"down-{now_ms}", now_ms, Urgency.CRITICAL, KIND, f"{why} ({_ACTION})", journaled=False)
        await _send(settings, token, others, message(f"{settings.name} {settings.mode.upper()}", [alert], 0))


async def _journal(settings: Settings, path: Path, token: SecretStr | None, others: Sequence[Channel], why: str) -> None:
    refuse_foreign(path, settings.name, settings.mode, {})
    journal = await Journal.open(path, clock=SystemClock(), door="aio")
    try:
        remembered, portfolio = restore(path)
        journal.fold = ProjectingPortfolio(portfolio)
        notifications = open_notifications(settings, journal, SystemClock(), token, others)
        run = remembered.last_run.run_id if remembered.last_run is not None else "r0"
        breach_id = f"{run}-down-{time.time_ns() // 1_000_000}"
        try:
            await journal.commit(BreachRecorded(breach_id, Severity.CRIT, KIND, "global", why, _ACTION))
        finally:
            if notifications is not None:
                await notifications.close(_SEND_S)
    finally:
        await journal.close()


async def _send(settings: Settings, token: SecretStr | None, others: Sequence[Channel], text: str) -> None:
    bot = None if token is None else TelegramBot(token, settings.telegram.base_url)
    chats = [] if bot is None else [bot.chat(chat_id) for chat_id in settings.telegram.chat_ids]
    try:
        for channel in (*chats, *others):
            try:
                async with asyncio.timeout(_SEND_S):
                    await channel.send(text)
            except (SendLater, MessageRefused, TimeoutError) as error:
                say(f"supervisor of {settings.name}: {channel.name} was not reached ({str(error) or 'no answer'})")
    finally:
        if bot is not None:
            await bot.close()
