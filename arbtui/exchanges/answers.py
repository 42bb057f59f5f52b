"""What an answer to a request means: executed, not executed, or unknown. A mistake here sends an order twice.

Sources: the venues' error lists (developers.binance.com, Spot, Error Codes; docs.upbit.com, REST API guide), and the
classes that ccxt 4.5.90 sorts them into (``exceptions`` of its ``binance`` and ``upbit``). An answer in neither, and
every answer with a status of 500 or more, means UNKNOWN: the request may have been executed.
"""

from dataclasses import dataclass
from enum import StrEnum

from arbtui.model.errors import ArbtuiError, OrderRejected, OrderUnknown, VenueFailed, VenueRefused


class Meaning(StrEnum):
    """The fate of the request. UNKNOWN leaves it open; each other value is also an order's reason."""

    UNREACHABLE = "UNREACHABLE"  #: nothing was sent
    RATE_LIMITED = "RATE_LIMITED"  #: refused for too many requests; not executed
    CLOCK = "CLOCK"  #: its timestamp was outside the venue's window; not executed
    KEYS = "KEYS"  #: keys, permissions or address refused; not executed
    NOT_FOUND = "NOT_FOUND"  #: the venue does not know the order that was named
    REFUSED = "REFUSED"  #: definitely refused
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Answer:
    """The facts of one answer. ``status`` is None when none came. ``code``: Binance's number or Upbit's error name, or empty.

    ``kinds``: names of ccxt's error class and its bases. ``sent``: whether bytes of the request may have been sent.
    """

    status: int | None
    code: str
    message: str
    kinds: frozenset[str]
    sent: bool


class RequestFailed(ArbtuiError):
    """A request without a usable answer. ``meaning`` is what the sender may conclude. Holds no URL and no header."""

    def __init__(self, exchange: str, what: str, answer: Answer) -> None:
        self.meaning = meaning_of(answer)
        text = f"{answer.code} {answer.message}".strip() or "no usable answer"
        super().__init__(f"{exchange} {what}: {text}" + (f" (HTTP {answer.status})" if answer.status is not None else ""))
        self.answer = answer

    def of_order(self) -> ArbtuiError:
        """The error for the sender of an order: OrderRejected where it certainly was not accepted, else OrderUnknown."""
        if self.meaning is Meaning.UNKNOWN:
            return OrderUnknown(str(self))
        word = _word(self.answer) if self.meaning is Meaning.REFUSED else self.meaning.value
        return OrderRejected(f"{word} {self}")

    def of_query(self) -> ArbtuiError:
        """The error for the sender of a query: VenueRefused for keys, VenueFailed for everything else."""
        return VenueRefused(str(self)) if self.meaning is Meaning.KEYS else VenueFailed(str(self))


#: Binance: too much weight, too many orders. Upbit's name beside status 429 is not documented; the status is.
_THROTTLED = frozenset({"-1003", "-1015", "too_many_requests"})
_CLOCK = frozenset({"-1021"})
#: Binance: unauthorized, bad signature, key format, key or address or permission. ccxt makes -2015 a DDoSProtection once a
#: request of the same instance had succeeded (binance.py, handle_errors), so the code is looked at before the class.
_KEYS = frozenset({"-1002", "-1022", "-2008", "-2014", "-2015"})
#: ccxt's classes for "it may have been executed"; -1000, -1001, -1006, -1007 and -1008 are among them.
_OPEN = frozenset({"OperationFailed", "BadResponse", "RequestTimeout", "ExchangeNotAvailable"})
_AUTHENTICATION = frozenset({"AuthenticationError", "PermissionDenied", "AccountSuspended"})
#: Our client ids are never reused: "used before" proves that an earlier copy of the same request was accepted.
_DUPLICATE = ("duplicate", "identifier", "중복")


def meaning_of(answer: Answer) -> Meaning:
    """The fate of the request, from ``answer``."""
    status, code = answer.status, answer.code
    if not answer.sent:
        return Meaning.UNREACHABLE
    # Before everything else: Upbit's 429 with an error object is a plain ExchangeError in ccxt, not RateLimitExceeded.
    if status in (418, 429) or code in _THROTTLED:
        return Meaning.RATE_LIMITED
    if status is None or not 400 <= status < 500 or not code:
        return Meaning.UNKNOWN
    if code in _CLOCK:
        return Meaning.CLOCK
    if code in _KEYS or status in (401, 403) or answer.kinds & _AUTHENTICATION:
        return Meaning.KEYS
    if answer.kinds & _OPEN or _is_duplicate(answer):
        return Meaning.UNKNOWN
    if "OrderNotFound" in answer.kinds:
        return Meaning.NOT_FOUND
    return Meaning.REFUSED


def _is_duplicate(answer: Answer) -> bool:
    text = f"{answer.code} {answer.message}".lower()
    return any(word in text for word in _DUPLICATE)


#: An order's reason, by a part of the venue's own message; the names are those that the paper venue uses.
_WORDS = (
    ("insufficient", "INSUFFICIENT_FUNDS"),
    ("price_filter", "PRICE_UNIT"),
    ("invalid_price", "PRICE_UNIT"),
    ("notional", "MIN_COST"),
    ("under_min_total", "MIN_COST"),
    ("lot_size", "LOT_SIZE"),
    ("volume", "LOT_SIZE"),
    ("-1121", "UNKNOWN_MARKET"),
    ("market_does_not_exist", "UNKNOWN_MARKET"),
    ("market_not_found", "UNKNOWN_MARKET"),
    ("market is closed", "MARKET_CLOSED"),
    ("market_offline", "MARKET_CLOSED"),
)


def _word(answer: Answer) -> str:
    text = f"{answer.code} {answer.message}".lower()
    return next((word for part, word in _WORDS if part in text), Meaning.REFUSED.value)
