"""The vocabulary of a venue's refusals: whom each concerns, what became of the request, and when it may be tried again.

Each venue's own table is ``exchanges/<venue>/refusals.py``; :mod:`arbtui.exchanges.answers` looks answers up there, and
:class:`arbtui.exchanges.standing.VenueStanding` is the one place that acts on their scope.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Whom or what a refusal concerns: nothing that it covers is tried again one by one."""

    ORDER = "order"  #: this request as it was made
    SYMBOL = "symbol"  #: every order of this market
    ACCOUNT = "account"  #: every order of this account
    KEY = "key"  #: everything that is signed with this key, or with this right of it
    IP = "ip"  #: everything from this address
    VENUE = "venue"  #: everybody: the venue itself is unable
    EARLIER_COPY = "earlier copy"  #: a copy of the same request came through before: it says nothing against us


class Meaning(StrEnum):
    """What became of the request. Only UNKNOWN leaves it open; the rest name an order's reason."""

    UNREACHABLE = "UNREACHABLE"  #: no byte of it left
    RATE_LIMITED = "RATE_LIMITED"  #: refused for its number; not executed
    CLOCK = "CLOCK"  #: its time was outside the venue's window; not executed
    KEYS = "KEYS"  #: keys, permissions or address refused; not executed
    ACCOUNT = "ACCOUNT"  #: the account may not; not executed
    VENUE = "VENUE"  #: the venue takes nothing from anybody now; not executed
    NOT_FOUND = "NOT_FOUND"  #: the venue does not know what was named
    ARCHIVED = "ARCHIVED"  #: what was named ended without a fill, so long ago that the venue keeps no more of it
    REFUSED = "REFUSED"  #: a definite no to what was asked
    UNKNOWN = "UNKNOWN"


class Retry(StrEnum):
    """When the same may be asked again."""

    NEVER = "never"  #: as it was asked it is refused each time
    LATER = "later"  #: by itself, after a pause
    CLOCK = "clock"  #: once the clocks are compared anew
    PROBE = "probe"  #: once the venue has taken a test order, or an order


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of a venue's table.

    ``say``: what to do about it, for the operator. ``word``: the first word of a refused order's reason, where the meaning's own
    name is too wide. ``is_listed``: False where the table has no row and this one stands in.
    """

    scope: Scope
    meaning: Meaning
    retry: Retry
    say: str
    word: str = ""
    is_listed: bool = True

    @property
    def order_word(self) -> str:
        """The first word of the reason of an order that was refused so."""
        return self.word or self.meaning.value

    @property
    def stops_entries(self) -> bool:
        """True when nothing new may open at the venue until a probe or an order is taken."""
        return self.retry is Retry.PROBE


#: A venue's table: the row of an error, from its code or name and its message; None where the table has none.
RefusalTable = Callable[[str, str], Refusal | None]

#: An answer that says nothing of the request's fate: none came, a status of 500 or more, or a body that is not the venue's.
OPEN = Refusal(Scope.VENUE, Meaning.UNKNOWN, Retry.LATER, "no usable answer; orders are looked up by their id, never sent again")
UNREACHABLE = Refusal(Scope.VENUE, Meaning.UNREACHABLE, Retry.LATER, "check the network and [exchanges.*.urls]")
THROTTLED = Refusal(Scope.IP, Meaning.RATE_LIMITED, Retry.LATER, "nothing is sent until the venue's time is over")
EARLIER_COPY = Refusal(Scope.EARLIER_COPY, Meaning.UNKNOWN, Retry.NEVER, "an earlier copy of the request came through; it is looked up")
#: A code that no table has. Whether the request was executed is not known, so an order is looked up; the account is stopped until a
#: test order is taken.
UNLISTED = Refusal(
    Scope.ACCOUNT,
    Meaning.UNKNOWN,
    Retry.PROBE,
    "no documented refusal: look it up in the venue's documents or ask its support",
    is_listed=False,
)
#: The same where the status itself says that the key is refused (401 and 403 in both venues' documents).
UNLISTED_KEY = Refusal(
    Scope.KEY, Meaning.UNKNOWN, Retry.PROBE, "no documented refusal of the key: check it at the venue, and its rights", is_listed=False
)


def of_order(say: str, word: str = "") -> Refusal:
    """The row of a no to this order or request, which would be refused each time."""
    return Refusal(Scope.ORDER, Meaning.REFUSED, Retry.NEVER, say, word)


def of_symbol(say: str, word: str = "") -> Refusal:
    """The row of a no to every order of this market for now."""
    return Refusal(Scope.SYMBOL, Meaning.REFUSED, Retry.LATER, say, word)


def of_key(say: str, scope: Scope = Scope.KEY) -> Refusal:
    """The row of a no to the key; ``scope`` IP where it is to this machine's address."""
    return Refusal(scope, Meaning.KEYS, Retry.PROBE, say)


def of_account(say: str) -> Refusal:
    """The row of a no to the account."""
    return Refusal(Scope.ACCOUNT, Meaning.ACCOUNT, Retry.PROBE, say)


def rows(codes: str, row: Refusal) -> dict[str, Refusal]:
    """``row`` for each of ``codes``, which spaces part."""
    return dict.fromkeys(codes.split(), row)


MADE_WRONG = of_order("the request itself is wrong, which is a fault of arbtui: report it with this line")
OTHER_INTERFACE = of_order("of an interface or order type that arbtui does not use: report it with this line")
FUNDS = of_order("fewer funds than thought: compare balances", "INSUFFICIENT_FUNDS")
PRICE_UNIT = of_symbol("the price unit has changed; start anew to read the rules", "PRICE_UNIT")
PRICE_BAND = of_symbol("the price is too far from the market's own", "PRICE_BAND")
OPEN_ORDERS = of_account("the account has as many open orders as it may: cancel some")
