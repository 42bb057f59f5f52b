"""Codes that a person sends back to confirm what they asked for: each for one user, chat, command and scope, once, and soon."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

LIVES_S = 60.0  #: s from the moment that a code is given
TRIES = 3  #: wrong ones until it is void, and until no other is given for as long as one lives
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """What a code confirms. ``reason``: as the person gave it."""

    user_id: int
    chat_id: int
    command: str
    scope: str
    reason: str = ""


@dataclass(slots=True)
class _Waiting:
    asked: Asked
    code: str
    until: float
    wrong: int = 0


class OneTimeCodes:
    """The codes that wait, one at most for each user, chat and command.

    Args:
        monotonic: seconds.
        draw: makes a code; by default the operating system's randomness does.
    """

    def __init__(self, monotonic: Callable[[], float], draw: Callable[[], str] | None = None) -> None:
        self._monotonic = monotonic
        self._draw = draw or _draw
        self._waiting: dict[tuple[int, int, str], _Waiting] = {}
        self._barred: dict[int, float] = {}  # by user: until when none is given

    def give(self, asked: Asked) -> str | None:
        """A code for ``asked``, in place of one that waits for another scope; None after too many wrong ones."""
        now = self._monotonic()
        if now < self._barred.get(asked.user_id, now):
            return None
        before = self._waiting.get(_place(asked))
        wrong = before.wrong if before is not None and now < before.until else 0  # asking once more gives no more tries
        code = self._draw()
        self._waiting[_place(asked)] = _Waiting(asked, code, now + LIVES_S, wrong)
        return code

    def take(self, user_id: int, chat_id: int, command: str, code: str, scope: str | None = None) -> Asked | str:
        """What ``code`` confirms, which is then used up; else why it confirms nothing. ``scope``: None where none was sent with it."""
        place, now = (user_id, chat_id, command), self._monotonic()
        waiting = self._waiting.get(place)
        if waiting is None:
            return "no code waits for that"
        if now >= waiting.until:
            del self._waiting[place]
            return f"that code has expired: one lives for {LIVES_S:.0f} s"
        fits = hmac.compare_digest(code.encode(), waiting.code.encode())
        if fits and scope in (None, waiting.asked.scope):
            del self._waiting[place]
            return waiting.asked
        waiting.wrong += 1
        if waiting.wrong >= TRIES:
            del self._waiting[place]
            self._barred[user_id] = now + LIVES_S
            return f"wrong {TRIES} times: the code is void, and there is no other for {LIVES_S:.0f} s"
        return f"that is not the code{f' for {scope}' if scope else ''}; {TRIES - waiting.wrong} more to try"


def _draw() -> str:
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


def is_code(word: str) -> bool:
    """Whether ``word`` looks like a code."""
    return len(word) == _DIGITS and word.isascii() and word.isdigit()


def _place(asked: Asked) -> tuple[int, int, str]:
    return asked.user_id, asked.chat_id, asked.command
