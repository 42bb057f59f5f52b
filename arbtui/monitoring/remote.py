"""Remote commands: polls a bot's updates, obeys allowed users in private chats, ignores and counts all others."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from arbtui.journal.events import CommandActed, CommandReceived
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed
from arbtui.monitoring import replies
from arbtui.monitoring.alert_manager import AlertManager, supervised
from arbtui.monitoring.alert_queue import BACKOFF_S
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import MessageRefused, SendLater
from arbtui.monitoring.commands import Command, Ignored, read_update, update_number
from arbtui.monitoring.telegram import POLL_S, PollConflict, TelegramBot
from arbtui.views import Controls, ReadModel

log = logging.getLogger("arbtui")

KILL = "/kill"
_FRESH_MS = 60_000  #: older commands are dropped, except /kill
_RECEIPT_S = 1.0  #: how long a kill waits for its receipt in the journal
_QUIET_S = 86_400.0  #: after this long without updates their ids may start anywhere (Bot API, Update), so none is asked from
_REMEMBERED = 2_000
_LOGGED_USERS = 100
_REPLY_TRIES = 3


class TelegramRemote:
    """Obeys ``/status``, ``/pnl`` and ``/kill``. It can never re-arm.

    A ``/kill`` is journaled before it acts and acts once for each update id, also after a crash in between; one without
    a receipt in time acts all the same.

    Args:
        epoch: the halt's epoch, for replies.
        known: outcome by update id of earlier runs' commands; None: received and not acted on.
    """

    def __init__(
        self,
        bot: TelegramBot,
        user_ids: Collection[int],
        journal: Journal,
        clock: Clock,
        alerts: AlertManager,
        known: Mapping[int, str | None],
        views: ReadModel,
        controls: Controls,
        epoch: Callable[[], int],
        *,
        backoff_s: Sequence[float] = BACKOFF_S,
        poll_s: int = POLL_S,
    ) -> None:
        self.ignored = 0
        self._bot = bot
        self._user_ids = frozenset(user_ids)
        self._journal = journal
        self._clock = clock
        self._alerts = alerts
        self._acted = dict(known)
        self._backoff_s = backoff_s
        self._poll_s = poll_s
        self._seen: dict[int, None] = {}
        self._logged: dict[int | None, None] = {}
        self._replies: deque[tuple[int, str]] = deque(maxlen=20)
        self._to_reply = asyncio.Event()
        self._views, self._controls, self._epoch = views, controls, epoch

    def resume(self) -> None:
        """Carry out what an earlier run received and could not act on."""
        for update_id in [number for number, outcome in self._acted.items() if outcome is None]:
            log.warning("a /kill that the last run received before it stopped is carried out now")
            self._act(update_id, "received by an earlier run")

    async def run(self) -> None:
        """Poll and answer until cancelled, or until another program is found to poll with this token."""
        replying = asyncio.create_task(supervised("replies", self._reply_all), name="telegram replies")
        try:
            await supervised("remote commands", self._poll)
            await replying
        finally:
            replying.cancel()

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        offset: int | None = None
        failures, heard_at = 0, loop.time()
        while True:
            if loop.time() - heard_at > _QUIET_S:
                offset = None
            asked_at = loop.time()
            try:
                updates = await self._bot.updates(offset, self._poll_s)
            except PollConflict as error:
                self._conflict(error)
                return
            except SendLater as error:
                if failures == 0:
                    log.warning("remote commands: not reached (%s)", error)
                await asyncio.sleep(error.retry_after_s or self._backoff_s[min(failures, len(self._backoff_s) - 1)])
                failures += 1
                continue
            failures = 0
            new = [update for update in updates if self._is_new(update)]
            if new:
                heard_at = loop.time()
                await self._take(new)
            elif updates or loop.time() - asked_at < self._backoff_s[0]:  # a server that repeats itself, or does not wait
                await asyncio.sleep(self._backoff_s[0])
            offset = _after(updates, offset)

    def _is_new(self, update: object) -> bool:
        number = update_number(update)
        if number is None or number in self._seen:
            return False
        self._seen[number] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    async def _take(self, updates: Sequence[object]) -> None:
        commands = []
        for update in updates:
            read = read_update(update, self._user_ids)
            if isinstance(read, Command):
                commands.append(read)
            else:
                self._ignore(read)
        for command in sorted(commands, key=lambda one: one.word != KILL):  # a kill goes first
            await self._obey(command)

    def _ignore(self, read: Ignored) -> None:
        self.ignored += 1
        if read.user_id not in self._logged and len(self._logged) < _LOGGED_USERS:
            self._logged[read.user_id] = None
            sender = "an unknown sender" if read.user_id is None else f"user {read.user_id}"
            log.warning("remote commands: ignored one from %s (%s); more from there are only counted", sender, read.why)

    async def _obey(self, command: Command) -> None:
        if command.word == KILL:
            await self._kill(command)
        elif self._clock.time_ms() - command.ts_ms > _FRESH_MS:
            log.info("remote commands: dropped an old %s", command.word if command.word in ("/status", "/pnl") else "message")
        else:
            header, epoch = self._views.header(), self._epoch()
            match command.word:
                case "/status":
                    text = replies.status(header, epoch, self._alerts.waiting, self.ignored)
                case "/pnl":
                    text = replies.pnl(header, epoch)
                case _:
                    text = f"{replies.HELP}\n{replies.state_line(header, epoch)}"
            self._answer(command.user_id, text)

    async def _kill(self, command: Command) -> None:
        if command.update_id in self._acted:
            return
        self._acted[command.update_id] = None
        try:
            async with asyncio.timeout(_RECEIPT_S):
                await self._journal.commit(CommandReceived(command.update_id, command.user_id, KILL))
        except (JournalFailed, TimeoutError):
            log.error("a /kill could not be journaled in time; it is carried out all the same")
        closed_now = self._act(command.update_id, f"user {command.user_id}")
        self._answer(command.user_id, replies.killed(self._views.header(), self._epoch(), closed_now=closed_now))

    def _act(self, update_id: int, reason: str) -> bool:
        closed_now = self._controls.kill("TELEGRAM", reason)
        outcome = "killed" if closed_now else "was halted already"
        self._acted[update_id] = outcome
        self._journal.post(CommandActed(update_id, outcome))
        return closed_now

    def _conflict(self, error: PollConflict) -> None:
        log.critical("remote commands are off: another program polls with this bot's token (%s)", error)
        text = (
            "another program polls with this bot's token: a second profile, or a thief of the token. "
            "Remote commands are off until the next start; if it is not yours, revoke the token with @BotFather"
        )
        self._alerts.queue(Urgency.CRITICAL, "TELEGRAM_CONFLICT", text)

    def _answer(self, user_id: int, text: str) -> None:
        self._replies.append((user_id, text))
        self._to_reply.set()

    async def _reply_all(self) -> None:
        while True:
            if not self._replies:
                self._to_reply.clear()
                await self._to_reply.wait()
            user_id, text = self._replies.popleft()
            await self._reply(user_id, text)

    async def _reply(self, user_id: int, text: str) -> None:
        chat = self._bot.chat(user_id)
        for failures in range(_REPLY_TRIES):
            try:
                async with chat.pace.turn():
                    await chat.send(text)
                return
            except MessageRefused as error:
                log.warning("remote commands: a reply was refused (%s)", error)
                return
            except SendLater as error:
                wait = error.retry_after_s or self._backoff_s[min(failures, len(self._backoff_s) - 1)]
            await asyncio.sleep(min(wait, self._backoff_s[-1]))
        log.warning("remote commands: a reply could not be sent")


def _after(updates: Sequence[object], offset: int | None) -> int | None:
    """The number that confirms all of ``updates``; the last one's, since numbers may begin anew."""
    numbers = [number for update in updates if (number := update_number(update)) is not None]
    return numbers[-1] + 1 if numbers else offset
