"""Orders that were sent and are still listened for: the open ones, and the last that ended."""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field

from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.order_owner import OrderOwner
from arbtui.model.order import Fill, Order
from arbtui.portfolio.accounts import fill_key

#: So many orders are followed; a fill of one that ended before those is looked up in the journal.
_REMEMBERED = 1000
#: Seconds for which fills of older ones are remembered as booked: as far back as venues are asked for them, whatever there is in it.
_BOOKED_S = 420.0
#: And at most so many, in 11 MB: those of seven minutes at 240 a second.
_BOOKED = 100_000

#: What whoever waits for the end of an ended order is given.
_OVER = asyncio.Event()
_OVER.set()


@dataclass(slots=True, eq=False)
class TrackedOrder:
    """An order that was sent, or is about to be, and its cycle."""

    cycle: OrderOwner
    order: Order
    sent_at: float  #: monotonic seconds of the decision to send
    left_at: float | None = None  #: monotonic seconds at which the gate let its request go; before that, no byte of it can be anywhere
    claimed: OrderReport | None = None  #: the venue calls it ended, and has not told all its fills
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """It is over: wake whoever waits, and keep nothing that only the waiting needed."""
        self.ended.set()
        self.ended, self.claimed = _OVER, None

    def go_on(self) -> None:
        """It was not over after all."""
        self.ended = asyncio.Event()


class OrderCache:
    """By client order id. Bounded: of those that ended long ago only the fills are known, so that they are told from strangers'."""

    def __init__(self) -> None:
        self.booked_s = _BOOKED_S  #: how long fills of orders that are not followed any more stay known
        self._orders: dict[str, TrackedOrder] = {}  # oldest first
        self._booked: dict[str, int] = {}  # when fills of orders were forgotten, by their keys, newest last
        self._second = 0  # monotonic, of the newest order; one number for all fills of a second

    def add(self, followed: TrackedOrder, is_open: Container[str]) -> None:
        """Follow one more; the oldest that is not open makes room."""
        second = int(followed.sent_at)
        if second != self._second:
            self._second = second
        if len(self._orders) >= _REMEMBERED:
            ended = next((key for key in self._orders if key not in is_open), None)
            if ended is not None:
                self._forget(self._orders.pop(ended))
        self._orders[followed.order.client_order_id] = followed

    def of(self, client_order_id: str) -> TrackedOrder | None:
        """The order of that id, or None."""
        return self._orders.get(client_order_id)

    def is_stray(self, fill: Fill) -> bool:
        """Whether a fill of an order that is not followed is not known to be booked either: only the journal can tell then."""
        return fill_key(fill.exchange, fill.trade_id) not in self._booked

    def book(self, fill: Fill) -> None:
        """A fill of an order that is not followed is booked."""
        booked = self._booked
        booked[fill_key(fill.exchange, fill.trade_id)] = self._second
        while booked:
            oldest, second = next(iter(booked.items()))
            if len(booked) <= _BOOKED and self._second - second <= self.booked_s:
                break
            del booked[oldest]

    def _forget(self, followed: TrackedOrder) -> None:
        for fill in followed.cycle.fills_of(followed.order.client_order_id):
            self.book(fill)
