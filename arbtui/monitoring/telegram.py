"""Telegram by python-telegram-bot, loaded only when a :class:`TelegramBot` is made.

Bot API: https://core.telegram.org/bots/api (sendMessage, getUpdates, "Making requests"); its FAQ: one message a second to
a chat, twenty a minute to a group. Every error raised here is one of ours and holds no token.
"""

import asyncio
import logging
import os
import warnings
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from arbtui.model.errors import ArbtuiError
from arbtui.model.printable import printable
from arbtui.monitoring.channel import MessageRefused, Pace, SendLater
from arbtui.monitoring.redact import hide, redact

if TYPE_CHECKING:
    import telegram
    import telegram.request

log = logging.getLogger("arbtui")

PRIVATE_EVERY_S = 1.0
GROUP_EVERY_S = 3.0
#: How long the server holds an empty answer to getUpdates, in seconds.
POLL_S = 25
#: Kinds of updates to ask for: more than is obeyed, so that ignored ones can be counted.
_ASKED = ["message", "edited_message", "channel_post", "edited_channel_post", "callback_query", "inline_query"]
#: Loggers that would print URLs, and so the token, or answers of a server; their errors are raised here anyway.
_LOUD = ("httpx", "httpcore", "telegram")


class PollConflict(ArbtuiError):
    """Another program polls with this token, or has set a webhook: 409."""


class ChatMoved(SendLater):
    """The group has become a supergroup; ``chat_id`` is its number now (Bot API, ResponseParameters)."""

    def __init__(self, chat_id: int) -> None:
        super().__init__(f"the group has become a supergroup with the number {chat_id}")
        self.chat_id = chat_id


class TelegramBot:
    """The bot: reads updates, and creates its chats. ``await close()`` ends its connections.

    Args:
        timeout_s: for one message, from connecting to the last byte of the answer.
        every_s: seconds between two messages to a private chat; a group gets three times as long.
    """

    def __init__(self, token: SecretStr, base_url: str, *, timeout_s: float = 15.0, every_s: float = PRIVATE_EVERY_S) -> None:
        hide(token.get_secret_value())
        silence()
        os.environ.setdefault("PTB_TIMEDELTA", "true")  # else each 429 warns of a type that will change
        from telegram import Bot
        from telegram.request import HTTPXRequest
        from telegram.warnings import PTBUserWarning

        # Raw updates are wanted: one that the library cannot parse must not hide a later /kill.
        warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'", category=PTBUserWarning)
        # A proxy of the environment would read the token on its way to a local server, where nothing is encrypted.
        client = {"trust_env": base_url.startswith("https:")}
        self._requests: list[telegram.request.HTTPXRequest] = [
            HTTPXRequest(connection_pool_size=size, pool_timeout=timeout_s, httpx_kwargs=client) for size in (1, 8)
        ]
        polling, sending = self._requests
        self._bot: telegram.Bot = Bot(token.get_secret_value(), base_url=f"{base_url}/bot", request=sending, get_updates_request=polling)
        self._timeout_s = timeout_s
        self._waits: dict[str, Any] = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout", "pool_timeout"), timeout_s)
        self._every_s = every_s
        self._chats: dict[int, TelegramChat] = {}

    def chat(self, chat_id: int) -> "TelegramChat":
        """The chat of that number; the same object each time, so that all its senders share its pace."""
        if chat_id not in self._chats:
            every_s = self._every_s * (GROUP_EVERY_S / PRIVATE_EVERY_S if chat_id < 0 else 1)
            self._chats[chat_id] = TelegramChat(self, chat_id, Pace(every_s))
        return self._chats[chat_id]

    async def send(self, chat_id: int, text: str, *, monospaced: bool = False) -> None:
        """Send ``text`` without markup, so that no text can be malformed; ``monospaced``: all of it in letters of one width.

        Raises:
            SendLater: no answer, no usable one, asked to wait, or the chat or the token is refused.
            ChatMoved: the chat has another number now.
            MessageRefused: the server refuses this text.
        """
        from telegram import MessageEntity

        whole = [MessageEntity(MessageEntity.PRE, 0, len(text.encode("utf-16-le")) // 2)] if monospaced else None
        await self._deliver(lambda: self._bot.send_message(chat_id, text, entities=whole, **self._waits))

    async def send_picture(self, chat_id: int, png: bytes) -> None:
        """Send a PNG of at most 10 MB (Bot API, sendPhoto).

        Raises:
            SendLater, ChatMoved, MessageRefused: as :meth:`send`.
        """
        await self._deliver(lambda: self._bot.send_photo(chat_id, png, filename="picture.png", **self._waits))

    async def _deliver(self, send: Callable[[], Awaitable[object]]) -> None:
        from telegram.error import BadRequest, ChatMigrated, RetryAfter

        try:
            async with asyncio.timeout(self._timeout_s):
                await send()
        except RetryAfter as error:
            raise SendLater(_words(error), _seconds(error.retry_after)) from None
        except ChatMigrated as error:
            raise ChatMoved(int(error.new_chat_id)) from None
        except BadRequest as error:
            words = _words(error)
            if "chat not found" in words.lower():
                raise SendLater(words) from None
            raise MessageRefused(words) from None
        except Exception as error:  # the library, its HTTP client and an odd server may raise anything; all of it means: try again
            raise SendLater(_words(error)) from None

    async def updates(self, offset: int | None, poll_s: int = POLL_S) -> list[Any]:
        """The updates from ``offset`` on, as JSON; waits up to ``poll_s`` for the first. Asking confirms those before ``offset``.

        Raises:
            PollConflict: another program polls with this token.
            SendLater: no usable answer.
        """
        from telegram.error import Conflict, RetryAfter

        asked: dict[str, Any] = {"timeout": poll_s, "limit": 100, "allowed_updates": _ASKED}
        if offset is not None:
            asked["offset"] = offset
        wait = self._timeout_s
        try:
            async with asyncio.timeout(poll_s + 2 * wait):
                answer: Any = await self._bot.do_api_request(
                    "getUpdates", asked, connect_timeout=wait, read_timeout=poll_s + wait, write_timeout=wait, pool_timeout=wait
                )
        except Conflict as error:
            raise PollConflict(_words(error)) from None
        except RetryAfter as error:
            raise SendLater(_words(error), _seconds(error.retry_after)) from None
        except Exception as error:  # as above
            raise SendLater(_words(error)) from None
        if not isinstance(answer, list):
            raise SendLater("the answer to getUpdates is not a list")
        return answer

    async def close(self) -> None:
        """Close every connection."""
        for request in self._requests:
            await request.shutdown()


class TelegramChat:
    """One chat as a channel of alerts, followed for the run when it gets another number. See :class:`arbtui.monitoring.channel.Channel`.

    Attributes:
        on_moved: told of the number in the profile and the new one, when a group became a supergroup.
    """

    def __init__(self, bot: TelegramBot, chat_id: int, pace: Pace) -> None:
        self.name = f"telegram:{chat_id}"
        self.pace = pace
        self.on_moved: Callable[[int, int], None] = lambda old, new: None
        self._bot = bot
        self._told = self._chat_id = chat_id

    async def send(self, text: str, *, monospaced: bool = False) -> None:
        """Deliver ``text``; ``monospaced``: in letters of one width."""
        text = printable(text, keep="\n")
        await self._followed(lambda chat_id: self._bot.send(chat_id, text, monospaced=monospaced))

    async def send_picture(self, png: bytes) -> None:
        """Deliver a PNG."""
        await self._followed(lambda chat_id: self._bot.send_picture(chat_id, png))

    async def _followed(self, send: Callable[[int], Awaitable[None]]) -> None:
        try:
            await send(self._chat_id)
        except ChatMoved as moved:
            log.warning("%s: the group has become a supergroup; messages go to %d for this run", self.name, moved.chat_id)
            self._chat_id = moved.chat_id
            self.on_moved(self._told, moved.chat_id)
            await send(self._chat_id)  # moved on once more: that is followed at the next try


def silence() -> None:
    """Keep the library's and its HTTP client's own log lines off the terminal and out of all files."""
    for name in _LOUD:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _words(error: BaseException) -> str:
    """An error in at most one short line, without secrets."""
    return printable(redact(" ".join(f"{type(error).__name__}: {error}".split())))[:200]


def _seconds(wait: int | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
