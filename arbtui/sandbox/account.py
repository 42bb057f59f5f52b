"""The account at one venue, between its wire and its core: orders in, events out to whoever listens."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from arbtui.model.market import Market
from arbtui.model.order import Balance, Fill, OrderState, Side, TimeInForce
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.order_log import OrderLog, OrderRecord
from arbtui.simulation.venue import OrderRequest, VenueCore


class What(Enum):
    """What happened to an order."""

    NEW = "new"  #: accepted
    TRADE = "trade"  #: one fill
    DONE = "done"  #: nothing is left of it to fill
    CANCELED = "canceled"  #: by its owner
    EXPIRED = "expired"  #: the venue ended what did not fill at once


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One change of one order; ``order`` as it stands after it, with the fills up to then."""

    what: What
    order: OrderRecord
    fill: Fill | None
    ts_ms: int


Listener = Callable[[AccountEvent], None]


class Account:
    """One venue's account. Events are told when what they tell is durable."""

    def __init__(self, core: VenueCore, log: OrderLog, clock: VenueClock) -> None:
        self.log = log
        self._core = core
        self._clock = clock
        self._listeners: list[Listener] = []
        self._under_way: set[asyncio.Task[OrderRecord]] = set()

    @property
    def markets(self) -> Mapping[str, Market]:
        """The venue's markets by code."""
        return self._core.markets

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` every event from now on."""
        self._listeners.append(listener)

    def balances(self) -> dict[str, Balance]:
        """Balances by asset."""
        return self._core.balances()

    async def place(self, client_order_id: str, code: str, side: Side, qty: Decimal, price: Decimal, tif: TimeInForce) -> OrderRecord:
        """Execute an order now; how it stands, once that is durable. A caller that stops waiting does not stop its order.

        Raises:
            OrderRejected: as :meth:`VenueCore.execute`.
        """
        task = asyncio.create_task(self._place(client_order_id, code, side, qty, price, tif), name=f"sandbox order {client_order_id}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def cancel(self, order: OrderRecord) -> OrderRecord | None:
        """Cancel ``order``; None when it is no longer open."""
        return None

    async def settle(self) -> None:
        """Wait for the orders under way."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _place(self, client_order_id: str, code: str, side: Side, qty: Decimal, price: Decimal, tif: TimeInForce) -> OrderRecord:
        report = await self._core.execute(OrderRequest(client_order_id, code, side, qty, price))
        order = self.log.by_number(int(report.venue_order_id))
        if order is None:
            raise LookupError(f"order {report.venue_order_id} was committed and is not in the ledger")
        self._tell(order)
        return order

    def _tell(self, order: OrderRecord) -> None:
        for event in events_of(order):
            for listener in self._listeners:
                listener(event)

    def _ended(self, task: asyncio.Task[OrderRecord]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # its sender may be gone: the outcome is in the ledger


def events_of(order: OrderRecord) -> list[AccountEvent]:
    """The events of an immediate order, in the order in which a venue tells them."""
    steps = [AccountEvent(What.NEW, _as_of(order, 0), None, order.ts_ms)]
    for count, fill in enumerate(order.fills, 1):
        steps.append(AccountEvent(What.TRADE, _as_of(order, count), fill, fill.ts_event))
    if order.state is OrderState.FILLED:
        steps.append(AccountEvent(What.DONE, order, None, order.updated_ms))
    elif order.state is OrderState.EXPIRED:
        steps.append(AccountEvent(What.EXPIRED, order, None, order.updated_ms))
    return steps


def _as_of(order: OrderRecord, fills: int) -> OrderRecord:
    """``order`` as it stood after so many fills."""
    done = order.fills[:fills]
    filled = sum((fill.qty for fill in done), Decimal(0))
    state = OrderState.FILLED if filled == order.qty else OrderState.PARTIALLY_FILLED if done else OrderState.ACCEPTED
    return OrderRecord(
        order.number, order.client_order_id, order.code, order.side, order.qty, order.price, order.tif, order.ts_ms, state, filled, done
    )
