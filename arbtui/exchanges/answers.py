"""What an answer to a request means: executed, not executed, or not known; and whom a refusal concerns.

The tables are the venues' own (``exchanges/<venue>/refusals.py``). Whatever is in neither, and everything said with a status of
500 or more, means UNKNOWN: the request may have been executed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arbtui.exchanges.binance.refusals import refusal as binance_refusal
from arbtui.exchanges.refusals import OPEN, THROTTLED, UNLISTED, UNLISTED_KEY, UNREACHABLE, Meaning, Refusal
from arbtui.exchanges.upbit.refusals import refusal as upbit_refusal
from arbtui.model.errors import ArbtuiError, OrderRejected, OrderUnknown, VenueFailed, VenueRefused

__all__ = ["Answer", "Meaning", "RequestFailed", "refusal_of"]

_TABLES: Mapping[str, Callable[[str, str], Refusal | None]] = {"binance": binance_refusal, "upbit": upbit_refusal}
_OF_US = frozenset({Meaning.KEYS, Meaning.ACCOUNT})


@dataclass(frozen=True, slots=True)
class Answer:
    """The facts of one answer. ``status`` None: none came. ``code``: Binance's number or Upbit's error name, or empty.

    ``sent``: whether bytes of the request may have left. ``retry_at_ms``: until when the venue wants silence, in ms since the
    epoch, where its body says so (Binance: ``data.retryAfter``, "IP banned until").
    """

    status: int | None
    code: str
    message: str
    sent: bool
    retry_at_ms: int | None = None


class RequestFailed(ArbtuiError):
    """A request that brought nothing usable. ``meaning`` decides what its sender may conclude. Holds no URL and no header."""

    def __init__(self, exchange: str, what: str, answer: Answer) -> None:
        self.refusal = refusal_of(exchange, answer)
        self.meaning = self.refusal.meaning
        said = f"{answer.code} {answer.message}".strip() or "no usable answer"
        super().__init__(f"{exchange} {what}: {said}" + (f" (HTTP {answer.status})" if answer.status is not None else ""))
        self.answer = answer

    def of_order(self) -> ArbtuiError:
        """What an order's sender is told: OrderRejected where it surely does not stand, OrderUnknown otherwise."""
        if self.meaning is Meaning.UNKNOWN:
            return OrderUnknown(str(self))
        return OrderRejected(f"{self.refusal.order_word} {self}")

    def of_query(self) -> ArbtuiError:
        """What whoever asked is told: VenueRefused for key and account, VenueFailed for everything else."""
        return VenueRefused(f"{self}; {self.refusal.say}") if self.meaning in _OF_US else VenueFailed(str(self))


def refusal_of(exchange: str, answer: Answer) -> Refusal:
    """The row that ``answer`` falls under."""
    status, code = answer.status, answer.code
    if not answer.sent:
        return UNREACHABLE
    if status in (418, 429):
        found = _TABLES[exchange](code, answer.message)
        return found if found is not None and found.meaning is Meaning.RATE_LIMITED else THROTTLED
    if status is None or not 400 <= status < 500 or not code:
        return OPEN
    return _TABLES[exchange](code, answer.message) or (UNLISTED_KEY if status in (401, 403) else UNLISTED)
