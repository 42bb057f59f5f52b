"""Follows every order from intent to its last fill: committed before it is sent, sent once, applied once.

An answer that does not come, or says nothing, leaves the order UNKNOWN: it is looked up by its client id until it is
found or proved absent, and never sent again. While it is unknown its reservation stays and its cycle waits.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.gate import OrderGate
from arbtui.journal.events import Event, FillRecorded, OrderChanged, OrderIntended, Source
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, OrderAbandoned, OrderRejected
from arbtui.model.order import Fill, Order, OrderState
from arbtui.model.reason import Reason
from arbtui.positions.inventory import InventoryLedger
from arbtui.risk.guard import RiskGuard

#: Pauses between look-ups of an order whose fate is unknown, in seconds; the last repeats.
_LOOK_UP_AFTER = (0.25, 0.5, 1.0, 2.0, 5.0)
#: So many look-ups must find nothing, over the venue's proof time, before an order counts as never placed.
_ABSENT_LOOK_UPS = 3
#: How long one look-up may take, in seconds: a venue that hangs is asked again.
_LOOK_UP_S = 5.0


class OrderTracker:
    """Sends orders and keeps their states, fills and reservations in step with the journal.

    Args:
        adapters: venues by name.
        answer_s: how long a venue's answer may take before the order is UNKNOWN, in seconds.
    """

    def __init__(
        self,
        *,
        adapters: Mapping[str, ExchangeAdapter],
        gate: OrderGate,
        risk: RiskGuard,
        inventory: InventoryLedger,
        journal: Journal,
        clock: Clock,
        answer_s: float,
    ) -> None:
        self._adapters = adapters
        self._gate = gate
        self._risk = risk
        self._inventory = inventory
        self._journal = journal
        self._clock = clock
        self._answer_s = answer_s
        self.open: dict[str, Order] = {}  #: orders that are not final, by client id
        self.sent = 0
        self.fills = 0
        self.fills_per_exchange: dict[str, int] = {}
        self.fills_per_symbol: dict[str, int] = {}
        self.answer_ms: dict[str, deque[float]] = {name: deque(maxlen=50) for name in adapters}

    async def send(self, cycle: ArbCycle, orders: Sequence[Order], opening: Sequence[Event] = ()) -> Reason | None:
        """Send ``orders`` of ``cycle`` together, all or none, and wait until each is final.

        ``opening`` events are committed together with the intents. Returns why nothing was sent, or None.

        Raises:
            JournalFailed: the intents could not be committed; nothing was sent.
        """
        route = cycle.plan.route
        reserved: list[Order] = []
        for order in orders:
            refusal = None if self._inventory.reserve(order) else Reason.RESERVATION
            reserved.append(order)
            refusal = refusal or self._gate.refusal(order, route)
            if refusal is not None:
                self._drop(reserved)
                self._risk.count(refusal)
                return refusal
            self._risk.exchange[order.market.exchange].admitted(order.client_order_id)
        for order in orders:
            order.state = OrderState.SENDING
            self.open[order.client_order_id] = order
            cycle.orders.append(order)
        try:
            await self._journal.commit(*opening, *(OrderIntended.of(order) for order in orders))
        except BaseException:  # nothing was sent, whatever the reason
            self._drop(orders)
            raise
        await asyncio.gather(*(self._place(cycle, order) for order in orders))
        return None

    def _drop(self, orders: Sequence[Order]) -> None:
        """Give back what was set aside for orders that will not be sent."""
        for order in orders:
            self._inventory.release(order)
            self._risk.exchange[order.market.exchange].answered(order.client_order_id)

    async def _place(self, cycle: ArbCycle, order: Order) -> None:
        try:
            await self._ask(cycle, order)
        finally:
            self._risk.exchange[order.market.exchange].answered(order.client_order_id)

    async def _ask(self, cycle: ArbCycle, order: Order) -> None:
        exchange = order.market.exchange
        sent_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._answer_s):
                report = await self._adapters[exchange].place(order, partial(self._gate.last_look, order, cycle.plan.route))
        except OrderAbandoned as error:
            order.state, order.reason = OrderState.ABANDONED, error.reason
            await self._settle(cycle, order, ())
            return
        except OrderRejected as error:
            self.sent += 1
            self._answered(exchange, sent_at, ok=True)
            order.state, order.reason = OrderState.REJECTED, error.reason
            await self._settle(cycle, order, ())
            return
        except (ArbtuiError, TimeoutError) as error:  # OrderUnknown, and whatever else is no proof: bytes may have left
            self.sent += 1
            self._answered(exchange, sent_at, ok=False)
            order.state, order.reason = OrderState.UNKNOWN, str(error) or "no answer in time"
            self._journal.post(OrderChanged.of(order))
            await self.resolve(cycle, order, sent_at)
            return
        self.sent += 1
        self.answer_ms[exchange].append(self._answered(exchange, sent_at, ok=True))
        if not await self.take(cycle, order, report, "answer"):
            await self.resolve(cycle, order, sent_at)

    def _answered(self, exchange: str, sent_at: float, *, ok: bool) -> float:
        """Tell the venue's health how a request ended; how long it took, in ms."""
        ms = (self._clock.monotonic() - sent_at) * 1000
        self._risk.exchange[exchange].health.on_answer(ok, ms)
        return ms

    async def resolve(self, cycle: ArbCycle, order: Order, sent_at: float) -> None:
        """Look ``order`` up until the venue tells its end, or has had time enough to prove that it never came."""
        adapter = self._adapters[order.market.exchange]
        absent = 0
        for turn in range(1_000_000):
            await asyncio.sleep(_LOOK_UP_AFTER[min(turn, len(_LOOK_UP_AFTER) - 1)])
            try:
                async with asyncio.timeout(_LOOK_UP_S):
                    report = await adapter.fetch_order(order.market.code, order.client_order_id)
            except (ArbtuiError, TimeoutError):
                continue  # a failed query is no information
            if report is None:
                absent += 1
                waited = self._clock.monotonic() - sent_at
                if absent >= _ABSENT_LOOK_UPS and waited >= adapter.absence_proof_s:
                    order.state, order.reason = OrderState.REJECTED, "NOT_PLACED"
                    await self._settle(cycle, order, ())
                    return
                continue
            absent = 0
            news = report.state.is_final or report.filled_qty > order.filled_qty
            if news and await self.take(cycle, order, report, "answer"):
                return

    async def take(self, cycle: ArbCycle, order: Order, report: OrderReport, source: Source) -> bool:
        """Apply a venue's report: every new fill once, then the state, all in one commit; True when the order is at its end.

        A venue may call an order final before it tells all its fills: until they add up, its fate is not known.
        """
        events = [event for fill in report.fills if (event := self._book(cycle, order, fill, source)) is not None]
        order.venue_order_id = report.venue_order_id
        order.state, order.reason = report.state, report.reason
        if report.state.is_final and order.filled_qty < report.filled_qty:
            order.state, order.reason = OrderState.UNKNOWN, f"fills of {report.filled_qty - order.filled_qty} are not told yet"
        await self._settle(cycle, order, events)
        return order.state.is_final

    def _book(self, cycle: ArbCycle, order: Order, fill: Fill, source: Source) -> FillRecorded | None:
        if not cycle.add_fill(order, fill):
            return None
        balances = tuple(self._inventory.apply(fill, order))
        self.fills += 1
        self.fills_per_exchange[fill.exchange] = self.fills_per_exchange.get(fill.exchange, 0) + 1
        self.fills_per_symbol[fill.base] = self.fills_per_symbol.get(fill.base, 0) + 1
        return FillRecorded(fill, cycle.id, order.leg, source, self._clock.time_ms(), balances)

    async def _settle(self, cycle: ArbCycle, order: Order, events: Sequence[FillRecorded]) -> None:
        if order.state.is_final:
            self.open.pop(order.client_order_id, None)
            self._inventory.release(order)
        await self._journal.commit(*events, OrderChanged.of(order))
