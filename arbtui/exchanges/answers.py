"""What an answer to a request means: executed, not executed, or not known; and whom a refusal concerns.

The tables are the venues' own (``exchanges/<venue>/refusals.py``). A code that its venue's table does not have, and every answer
with a status of 500 or more, means UNKNOWN: the request may have been executed.
"""

from dataclasses import dataclass
from typing import NamedTuple

from arbtui.exchanges.refusals import OPEN, THROTTLED, UNLISTED, UNLISTED_KEY, UNREACHABLE, Meaning, Refusal, RefusalTable, Scope
from arbtui.model.errors import ArbtuiError, OrderRejected, OrderUnknown, VenueFailed, VenueRefused

__all__ = ["EXCERPT", "Answer", "Meaning", "RequestFailed", "VenueError", "refusal_of"]

#: Letters of a venue's words that are kept.
EXCERPT = 200

_OF_US = frozenset({Meaning.KEYS, Meaning.ACCOUNT})
_OF_WHAT_WAS_NAMED = frozenset({Scope.SYMBOL, Scope.ORDER})
_NOT_THERE = 404


class VenueError(NamedTuple):
    """What a venue's error object says. ``retry_at_ms``: until when it accepts no request, in ms since the epoch, where it says so."""

    code: str
    message: str
    retry_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The facts of one answer. ``status`` is None when none came. ``code``: the venue's number or name of the error, or empty.

    ``sent``: whether bytes of the request may have left. ``retry_at_ms``: until when the venue wants silence, in ms since the
    epoch, where its body says so.
    """

    status: int | None
    code: str
    message: str
    sent: bool
    retry_at_ms: int | None = None


class RequestFailed(ArbtuiError):
    """A request without a usable answer. ``meaning`` is what the sender may conclude. Holds no URL and no header.

    ``refusals``: the venue's table.
    """

    def __init__(self, exchange: str, what: str, answer: Answer, refusals: RefusalTable) -> None:
        self.refusal = refusal_of(answer, refusals)
        self.meaning = self.refusal.meaning
        text = f"{answer.code} {answer.message}".strip() or "no usable answer"
        super().__init__(f"{exchange} {what}: {text}" + (f" (HTTP {answer.status})" if answer.status is not None else ""))
        self.answer = answer

    @property
    def is_of_one_market(self) -> bool:
        """Of a question about one market: whether the venue refused it for that market's sake, which says nothing of the others."""
        return self.refusal.scope in _OF_WHAT_WAS_NAMED or self.answer.status == _NOT_THERE or self.answer.code == str(_NOT_THERE)

    def of_order(self) -> ArbtuiError:
        """The error for the sender of an order: OrderRejected where it certainly was not accepted, else OrderUnknown."""
        if self.meaning is Meaning.UNKNOWN:
            return OrderUnknown(str(self))
        return OrderRejected(f"{self.refusal.order_word} {self}")

    def of_query(self) -> ArbtuiError:
        """The error for the sender of a query: VenueRefused for key and account, VenueFailed for everything else."""
        return VenueRefused(f"{self}; {self.refusal.say}") if self.meaning in _OF_US else VenueFailed(str(self))


def refusal_of(answer: Answer, refusals: RefusalTable) -> Refusal:
    """The row of the venue's table ``refusals`` that ``answer`` falls under, or the one that stands in for it."""
    status, code = answer.status, answer.code
    if not answer.sent:
        return UNREACHABLE
    if status in (418, 429):
        found = refusals(code, answer.message)
        return found if found is not None and found.meaning is Meaning.RATE_LIMITED else THROTTLED
    # Some venues state errors under status 200; what is no error object of theirs has no code.
    if status is None or not (200 <= status < 300 or 400 <= status < 500) or not code:
        return OPEN
    return refusals(code, answer.message) or (UNLISTED_KEY if status in (401, 403) else UNLISTED)
