"""Decides which update is a command of an allowed user, from untrusted raw JSON."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

#: A message that carries one of these was not typed in this chat by its sender: forwarded, sent by a bot or in a chat's name.
_NOT_TYPED = (
    *("forward_origin", "forward_from", "forward_from_chat", "forward_sender_name", "forward_date", "is_automatic_forward"),
    *("via_bot", "sender_chat", "edit_date", "business_connection_id"),
)
_LARGEST_ID = 2**52  #: Bot API: "at most 52 significant bits"


@dataclass(frozen=True, slots=True)
class Command:
    """A message of an allowed user in a private chat.

    ``word``: in small letters, ``/kill``; ``arguments``: the words after it, as typed; ``ts_ms``: Telegram's clock.
    """

    update_id: int
    user_id: int
    chat_id: int
    ts_ms: int
    word: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """Anything else. ``user_id`` None where no sender is named; ``why`` as text for the log."""

    user_id: int | None
    why: str


def read_update(update: Any, user_ids: Collection[int]) -> Command | Ignored:
    """Classify ``update``. Never raises, whatever its content."""
    if not isinstance(update, dict):
        return Ignored(None, "no update")
    kind = "message" if "message" in update else next((key for key in update if key != "update_id"), "nothing")
    content = update.get(kind)
    if not isinstance(content, dict):
        return Ignored(None, "an empty update")
    user_id = _number(_inside(content, "from").get("id"))
    if user_id is None or user_id not in user_ids:
        return Ignored(user_id, "not an allowed user")
    chat = _inside(content, "chat")
    update_id, date, text = update_number(update), _number(content.get("date")), content.get("text")
    if kind != "message":
        return Ignored(user_id, f"a {kind.replace('_', ' ')}, not a message")
    if chat.get("type") != "private" or _number(chat.get("id")) != user_id or _inside(content, "from").get("is_bot") is True:
        return Ignored(user_id, "not in a private chat")
    if any(key in content for key in _NOT_TYPED):
        return Ignored(user_id, "forwarded, edited, or sent in another's name")
    if update_id is None or date is None or not isinstance(text, str) or not text.strip():
        return Ignored(user_id, "without a text")
    word, *arguments = text.split()
    return Command(update_id, user_id, user_id, date * 1000, word.partition("@")[0].lower(), tuple(arguments))


def update_number(update: Any) -> int | None:
    """An update's id; None where it has none."""
    return _number(update.get("update_id")) if isinstance(update, dict) else None


def _inside(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_ID else None
