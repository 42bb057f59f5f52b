"""Orders, fills and balances, and the states an order can be in."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from arbtui.model.market import Market
from arbtui.model.money import ZERO


class Side(StrEnum):
    """Which way an order goes, seen from the base asset."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


#: Members by a name of their own, for what every decision asks (:data:`arbtui.model.book.LIVE`).
BUY: Final = Side.BUY
SELL: Final = Side.SELL


def ways(trades: Iterable[tuple[str, Side]]) -> dict[str, float]:
    """Which way trades, by quote and side, move stock where each currency is quoted: 1 there, -1 from there; not there and from there."""
    found: dict[str, float] = {}
    for quote, side in trades:
        found[quote] = found.get(quote, 0.0) + (1.0 if side is BUY else -1.0)
    return {quote: 1.0 if way > 0.0 else -1.0 for quote, way in found.items() if way}


class TimeInForce(StrEnum):
    """How long an order may stay open. Taker legs are IOC only: what does not fill at once is cancelled by the venue."""

    IOC = "ioc"
    FOK = "fok"  #: fill or kill: all of it at once, or nothing
    GTC = "gtc"  #: what does not fill at once rests in the book until it fills or is cancelled


class Purpose(StrEnum):
    """Why an order is sent; each purpose is allowed in different trading states."""

    ENTRY = "entry"  #: opens a cycle
    FOLLOW = "follow"  #: a planned leg that waited for what another one brings
    COMPLETE = "complete"  #: buys or sells the rest of a leg that filled less than the other
    UNWIND = "unwind"  #: reverses the part of a leg that filled more than the other
    SETTLE = "settle"  #: trades away what an ended cycle left, on a person's typed word

    @property
    def is_planned(self) -> bool:
        """True for the legs of a plan; what mends a cycle is not planned."""
        return self in (Purpose.ENTRY, Purpose.FOLLOW)


class OrderState(StrEnum):
    """The state of an order. UNKNOWN counts as filled in the worse way until proved otherwise."""

    PLANNED = "PLANNED"
    SENDING = "SENDING"  #: intent committed; bytes may have left
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    EXPIRED = "EXPIRED"  #: an IOC's remainder ended at the venue (with or without fills before)
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"  #: definitely refused by the venue
    ABANDONED = "ABANDONED"  #: intent committed, then refused by our gate; never sent
    UNKNOWN = "UNKNOWN"  #: sent, and no usable answer

    @property
    def is_final(self) -> bool:
        """True when nothing more can happen to the order at the venue."""
        return self in _FINAL


_FINAL = frozenset({OrderState.FILLED, OrderState.EXPIRED, OrderState.CANCELED, OrderState.REJECTED, OrderState.ABANDONED})


@dataclass(slots=True, eq=False)
class Order:
    """One order attempt of one leg. ``qty`` in base, ``price`` (the worst allowed) in quote."""

    client_order_id: str
    market: Market
    side: Side
    qty: Decimal
    price: Decimal
    cycle_id: str
    leg: int
    attempt: int
    purpose: Purpose
    epoch: int  #: halt epoch at decision; an order of an older epoch is void
    decided_at: float  #: monotonic seconds of the decision
    deadline: float  #: monotonic seconds after which it must not be sent any more
    tif: TimeInForce = TimeInForce.IOC
    state: OrderState = OrderState.PLANNED
    venue_order_id: str = ""
    filled_qty: Decimal = ZERO
    reason: str = ""

    @property
    def leaves_qty(self) -> Decimal:
        """What is not filled yet, in base."""
        return self.qty - self.filled_qty


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, as a venue reports it. ``cost`` = price x qty in quote, before the fee. ``fee`` is in ``fee_currency``."""

    exchange: str
    trade_id: str
    client_order_id: str
    venue_order_id: str
    market: str  #: the venue's own code
    base: str
    quote: str
    side: Side
    qty: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str  #: "taker" or "maker"
    ts_event: int  #: venue clock, ms


def is_told_again(fill: Fill, room: Decimal, filled_qty: Decimal, booked: Iterable[tuple[Decimal, Decimal]]) -> bool:
    """Whether ``fill`` is a booked one under another number, as where a stream and a list number trades differently.

    So it is where its order has no room for it, and one of the fills that are ``booked`` (quantity and price) is equal to it. ``room``:
    the order's quantity, or what its venue says has filled of it in all; ``filled_qty``: what is booked of it; in base.
    """
    return filled_qty + fill.qty > room and any((fill.qty, fill.price) == one for one in booked)


@dataclass(frozen=True, slots=True)
class Balance:
    """An asset at a venue: what is free, and what open orders lock."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Free plus locked."""
        return self.free + self.locked
