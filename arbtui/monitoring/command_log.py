"""Which remote commands have been acted on: each that changes something once for its update, also over a crash."""

import asyncio
import logging
from collections.abc import Mapping

from arbtui.journal.events import CommandActed, CommandReceived
from arbtui.journal.journal import Journal
from arbtui.model.errors import JournalFailed
from arbtui.monitoring.commands import Command

log = logging.getLogger("arbtui")

_RECEIPT_S = 1.0  #: how long a kill waits for its receipt in the journal


class CommandLog:
    """Receipts and outcomes, in the journal.

    Args:
        known: outcome by update id of earlier runs' commands; None: received and not acted on.
    """

    def __init__(self, journal: Journal, known: Mapping[int, str | None]) -> None:
        self._journal = journal
        self._outcomes = dict(known)

    @property
    def unfinished(self) -> list[int]:
        """Update ids of what was received and not acted on."""
        return [update_id for update_id, outcome in self._outcomes.items() if outcome is None]

    def is_known(self, command: Command) -> bool:
        """Whether its update was received before, in this run or an earlier one."""
        return command.update_id in self._outcomes

    def received(self, command: Command) -> None:
        """It is acted on next; what the journal holds of that comes after this."""
        self._outcomes[command.update_id] = None
        self._journal.post(CommandReceived(command.update_id, command.user_id, command.word))

    async def commit_received(self, command: Command) -> None:
        """As :meth:`received`, and durable before this returns; a journal that cannot make it so within a second is not waited for."""
        self._outcomes[command.update_id] = None
        try:
            async with asyncio.timeout(_RECEIPT_S):
                await self._journal.commit(CommandReceived(command.update_id, command.user_id, command.word))
        except (JournalFailed, TimeoutError):
            log.error("a %s could not be journaled in time; it is carried out all the same", command.word)

    def acted(self, update_id: int, outcome: str) -> None:
        """It was acted on."""
        self._outcomes[update_id] = outcome
        self._journal.post(CommandActed(update_id, outcome))
