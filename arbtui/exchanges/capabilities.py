"""What a venue's interface can do, declared by each venue; whatever needs one of these asks for it before it relies on it."""

from dataclasses import dataclass
from enum import StrEnum


class CancelAll(StrEnum):
    """How every open order is cancelled. An adapter's ``cancel_all`` does it in any case; this tells how many requests it takes."""

    ACCOUNT = "account"  #: one request for all of the account's, or for some hundreds of them
    MARKET = "market"  #: one request for each market
    ORDER = "order"  #: one request for each order


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One venue's. The defaults are those of a venue that can do everything.

    Attributes:
        immediate_orders: it takes limit orders that are immediate or cancelled (IOC). Without them an entry is a limit order at its worst
            price that we cancel ourselves at its deadline.
        private_stream: it reports orders and balances over a socket. Without one the adapter asks for them.
        cancel_all: how all open orders are cancelled.
        test_orders: it checks an order without making it. Without that a right to order is not proven before the first real order, and
            a refusal is over only when a real order is taken.
        requests_carry_time: a signed request holds our time, so the venue refuses it when it comes late, and clocks can differ.
        tells_permissions: it states what a key may do. Without that nobody but a person knows whether a key can withdraw.
        announces_shutdown: it says beforehand that it is about to end a connection.
    """

    immediate_orders: bool = True
    private_stream: bool = True
    cancel_all: CancelAll = CancelAll.ACCOUNT
    test_orders: bool = True
    requests_carry_time: bool = True
    tells_permissions: bool = True
    announces_shutdown: bool = False


#: A venue that can do everything; what simulated venues are unless they are told otherwise.
EVERYTHING = Capabilities()
