"""The account at one venue, between its protocol and its core: orders in, events out to listeners."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from arbtui.exchanges.adapter import OrderReport
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState
from arbtui.sandbox.order_log import OrderLog, OrderRecord
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.venue import VenueCore


class What(Enum):
    """What happened to an order."""

    NEW = "new"  #: accepted
    TRADE = "trade"  #: one fill
    DONE = "done"  #: completely filled
    CANCELED = "canceled"  #: by its owner
    EXPIRED = "expired"  #: the venue ended what did not fill at once


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One change of one order; ``order`` is its state after the change, with the fills up to then."""

    what: What
    order: OrderRecord
    fill: Fill | None
    ts_ms: int


_ENDS = {OrderState.FILLED: What.DONE, OrderState.CANCELED: What.CANCELED, OrderState.EXPIRED: What.EXPIRED}

Listener = Callable[[AccountEvent], None]


class Account:
    """One venue's account. Events are sent once their content is durable."""

    def __init__(self, core: VenueCore, log: OrderLog) -> None:
        self.log = log
        self._core = core
        self._listeners: list[Listener] = []
        self._under_way: set[asyncio.Task[OrderReport]] = set()
        self._resting = {order.number for order in log.open_orders()}
        core.on_report = self._on_report

    @property
    def markets(self) -> Mapping[str, Market]:
        """The venue's markets by code."""
        return self._core.markets

    @property
    def is_down(self) -> bool:
        """The venue cannot be reached: it answers nothing, and what arrives is lost (scenario ``crash``)."""
        return self._core.is_down

    def is_halted(self, code: str) -> bool:
        """The market accepts no orders (scenario ``crash``)."""
        return self._core.is_halted(code)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every event from now on."""
        self._listeners.append(listener)

    def balances(self) -> dict[str, Balance]:
        """Balances by asset."""
        return self._core.balances()

    async def place(self, request: OrderRequest) -> OrderRecord:
        """Execute an order now; its state, once durable. A caller that stops waiting does not stop its order.

        Raises:
            OrderRejected: as :meth:`VenueCore.execute`.
        """
        task = asyncio.create_task(self._core.execute(request), name=f"sandbox order {request.client_order_id}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        report = await asyncio.shield(task)
        return self._record(report)

    async def cancel(self, order: OrderRecord) -> OrderRecord | None:
        """Cancel ``order``; its final state, or None when it is no longer open."""
        current = self.log.by_number(order.number)
        if current is None or current.state.is_final:
            return None
        report = await self._core.cancel(order.client_order_id)
        return None if report is None else self._record(report)

    async def settle(self) -> None:
        """Wait for the orders under way, and for events not sent yet."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._core.settled()

    def _record(self, report: OrderReport) -> OrderRecord:
        order = self.log.by_number(int(report.venue_order_id))
        if order is None:
            raise LookupError(f"order {report.venue_order_id} of {report.exchange} was committed and is not in the ledger")
        return order

    def _on_report(self, report: OrderReport) -> None:
        """Turn a report of the core, which holds the new fills only, into the events that a venue sends."""
        if report.state is OrderState.REJECTED:
            return
        latest = self._record(report)
        after = next(
            (count for count in range(len(latest.fills) + 1) if sum_of(latest.fills[:count]) == report.filled_qty), len(latest.fills)
        )
        steps: list[AccountEvent] = []
        if latest.number not in self._resting:
            steps.append(AccountEvent(What.NEW, as_of(latest, after - len(report.fills)), None, latest.ts_ms))
        for count in range(after - len(report.fills), after):
            fill = latest.fills[count]
            steps.append(AccountEvent(What.TRADE, as_of(latest, count + 1), fill, fill.ts_event))
        if report.state in _ENDS:
            self._resting.discard(latest.number)
            steps.append(AccountEvent(_ENDS[report.state], latest, None, latest.updated_ms))
        else:
            self._resting.add(latest.number)
        for event in steps:
            for listener in self._listeners:
                listener(event)

    def _ended(self, task: asyncio.Task[OrderReport]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # its sender may be gone: the outcome is in the ledger


def sum_of(fills: Iterable[Fill]) -> Decimal:
    """The sum of ``fills``, in base."""
    return sum((fill.qty for fill in fills), ZERO)


def as_of(order: OrderRecord, fills: int) -> OrderRecord:
    """``order`` as it was after the first ``fills`` fills, before it ended otherwise."""
    done = order.fills[:fills]
    filled = sum_of(done)
    state = OrderState.FILLED if filled == order.qty else OrderState.PARTIALLY_FILLED if done else OrderState.ACCEPTED
    locked = order.locked if fills == len(order.fills) else ZERO  # earlier amounts are not stored
    return replace(order, state=state, filled_qty=filled, fills=done, locked=locked)
