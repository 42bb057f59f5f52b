"""Remote commands: polls a bot's updates, obeys allowed users in private chats, ignores and counts all others."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Sequence

from arbtui.journal.outbox import KILL
from arbtui.model.clock import Clock
from arbtui.model.printable import printable
from arbtui.monitoring.alert_manager import AlertManager, supervised
from arbtui.monitoring.alert_queue import BACKOFF_S
from arbtui.monitoring.alert_rules import Urgency
from arbtui.monitoring.channel import MessageRefused, SendLater
from arbtui.monitoring.command_log import CommandLog
from arbtui.monitoring.commands import Command, Ignored, read_update, update_number
from arbtui.monitoring.config import TelegramConfig
from arbtui.monitoring.remote_console import RemoteConsole
from arbtui.monitoring.replies import HELP, Reply, cut
from arbtui.monitoring.telegram import POLL_S, PollConflict, TelegramBot, TelegramChat

log = logging.getLogger("arbtui")

_FRESH_MS = 60_000  #: older commands are dropped, except /kill
_QUIET_S = 86_400.0  #: after this long without updates their ids may start anywhere (Bot API, Update), so none is asked from
_REMEMBERED = 2_000
_LOGGED_USERS = 100
_WAITING = 20  #: commands that wait for an answer, and replies that wait to be sent
_REPLY_TRIES = 3


class TelegramRemote:
    """Obeys the commands of :data:`arbtui.monitoring.config.COMMAND_NAMES`. It can never re-arm.

    A ``/kill`` goes before everything else. It is journaled before it acts and acts once for each update id, also after a crash in
    between; one without a receipt in time acts all the same. All others are answered in turn, beside the polling.

    Args:
        config: who may use what.
        commands: what was acted on, in this run and before it.
        console: answers what is no ``/kill``.
        kill: closes the gate; takes the reason, and says whether it was open. Safe from any thread.
    """

    def __init__(
        self,
        bot: TelegramBot,
        config: TelegramConfig,
        clock: Clock,
        alerts: AlertManager,
        commands: CommandLog,
        console: RemoteConsole,
        kill: Callable[[str], bool],
        *,
        backoff_s: Sequence[float] = BACKOFF_S,
        poll_s: int = POLL_S,
    ) -> None:
        self._bot = bot
        self._config = config
        self._clock = clock
        self._alerts = alerts
        self._commands = commands
        self._console = console
        self._kill_all = kill
        self._backoff_s = backoff_s
        self._poll_s = poll_s
        self._seen: dict[int, None] = {}
        self._logged: dict[int | None, None] = {}
        self._asked: asyncio.Queue[Command] = asyncio.Queue(_WAITING)
        self._replies: deque[tuple[int, Reply]] = deque(maxlen=_WAITING)
        self._to_reply = asyncio.Event()

    @property
    def ignored(self) -> int:
        """How many updates were no command of an allowed user."""
        return self._console.ignored

    def resume(self) -> None:
        """Carry out each ``/kill`` that an earlier run received and could not act on."""
        for update_id in self._commands.unfinished:
            log.warning("a /kill that the last run received before it stopped is carried out now")
            self._act(update_id, "received by an earlier run")

    async def run(self) -> None:
        """Poll and answer until cancelled, or until another program is found to poll with this token."""
        beside = [
            asyncio.create_task(supervised("replies", self._reply_all), name="telegram replies"),
            asyncio.create_task(supervised("answers", self._answer_all), name="telegram answers"),
        ]
        try:
            await supervised("remote commands", self._poll)
            await asyncio.gather(*beside)
        finally:
            for task in beside:
                task.cancel()

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
            read = read_update(update, self._config.user_ids)
            if isinstance(read, Command):
                commands.append(read)
            else:
                self._ignore(read)
        for command in sorted(commands, key=lambda one: one.word != KILL):  # a kill goes first
            await self._obey(command, self._config.commands_of(command.user_id))

    def _ignore(self, read: Ignored) -> None:
        self._console.ignored += 1
        if read.user_id not in self._logged and len(self._logged) < _LOGGED_USERS:
            self._logged[read.user_id] = None
            sender = "an unknown sender" if read.user_id is None else f"user {read.user_id}"
            log.warning("remote commands: ignored one from %s (%s); more from there are only counted", sender, read.why)

    async def _obey(self, command: Command, allowed: Collection[str]) -> None:
        if command.word == KILL and KILL.removeprefix("/") in allowed:
            await self._kill(command)
        elif self._clock.time_ms() - command.ts_ms > _FRESH_MS:
            known = command.word.removeprefix("/") in HELP
            log.info("remote commands: dropped an old %s", command.word if known else "message")
        elif self._asked.full():
            log.warning("remote commands: dropped one of user %d: %d wait already", command.user_id, _WAITING)
            self._answer(command.chat_id, Reply(f"Not done: {_WAITING} commands wait already. Send it again in a moment.", is_table=False))
        else:
            self._asked.put_nowait(command)

    async def _answer_all(self) -> None:
        while True:
            command = await self._asked.get()
            self._answer(command.chat_id, await self._console.answer(command, self._config.commands_of(command.user_id)))

    async def _kill(self, command: Command) -> None:
        if self._commands.is_known(command):
            return
        await self._commands.commit_received(command)
        closed_now = self._act(command.update_id, f"user {command.user_id}")
        self._answer(command.chat_id, self._console.killed(closed_now=closed_now))

    def _act(self, update_id: int, reason: str) -> bool:
        closed_now = self._kill_all(reason)
        self._commands.acted(update_id, "killed" if closed_now else "was halted already")
        return closed_now

    def _conflict(self, error: PollConflict) -> None:
        log.critical("remote commands are off: another program polls with this bot's token (%s)", error)
        text = (
            "another program polls with this bot's token: a second profile, or a thief of the token. "
            "Remote commands are off until the next start; if it is not yours, revoke the token with @BotFather"
        )
        self._alerts.queue(Urgency.CRITICAL, "TELEGRAM_CONFLICT", text)

    def _answer(self, chat_id: int, reply: Reply) -> None:
        self._replies.append((chat_id, reply))
        self._to_reply.set()

    async def _reply_all(self) -> None:
        while True:
            if not self._replies:
                self._to_reply.clear()
                await self._to_reply.wait()
            chat_id, reply = self._replies.popleft()
            chat = self._bot.chat(chat_id)
            for text in cut(printable(reply.text, keep="\n")):
                await self._send(chat, text, reply.is_table)
            if reply.picture is not None:
                await self._send(chat, reply.picture)

    async def _send(self, chat: TelegramChat, content: str | bytes, is_table: bool = False) -> None:
        for failures in range(_REPLY_TRIES):
            try:
                async with chat.pace.turn():
                    if isinstance(content, bytes):
                        await chat.send_picture(content)
                    else:
                        await chat.send(content, monospaced=is_table)
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
