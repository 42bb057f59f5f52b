"""Runs cycles: opens one from a plan, sends both legs, hedges what differs, and ends it when no order can fill any more."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from itertools import count
from math import isfinite
from typing import Any

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.execution.config import ExecutionConfig
from arbtui.execution.cycle import ArbCycle, due, transfer_of
from arbtui.execution.gate import OrderGate
from arbtui.execution.hedging import UNDO_FIRST, HedgeStep, HedgingEngine
from arbtui.execution.plan import CyclePlan, needs
from arbtui.execution.tracker import OrderTracker
from arbtui.journal.events import CycleEnded, CycleOpened, CycleState, Event, PlannedLeg
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed
from arbtui.model.halt import Halt
from arbtui.model.ids import client_order_id
from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import Order, Purpose, TimeInForce
from arbtui.model.reason import Reason
from arbtui.portfolio.operator_events import begin_transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.guard import RiskGuard
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute

log = logging.getLogger("arbtui")

#: Between two hedging orders of a cycle: the books must show what the first one took, in seconds.
_HEDGE_PAUSE_S = 0.1
#: How long a cycle waits for a book or the gate to let its next hedge pass, in seconds; a stream that hiccups is back by then.
_HEDGE_WAIT_S = 5.0


class CycleExecutor:
    """The open cycles, each a task. It journals what it does; how a cycle stands is read from the portfolio.

    Args:
        run_id: part of every cycle's id, so ids never repeat over runs.
        salt: of the state folder and this run, part of every client order id.
        refresh_book: asks a venue for a market's book once more: (exchange, code).
        elsewhere: the routes that trade a leg of a route at another venue, when its own takes no order of it, each with its trade there.
        on_end: called with each cycle that ended, after its end is durable.
        on_moving: called with each cycle whose coins are to be moved to another venue now.
    """

    def __init__(
        self,
        *,
        config: ExecutionConfig,
        adapters: Mapping[str, ExchangeAdapter],
        gate: OrderGate,
        tracker: OrderTracker,
        risk: RiskGuard,
        portfolio: Portfolio,
        journal: Journal,
        clock: Clock,
        halt: Halt,
        run_id: str,
        salt: str,
        refresh_book: Callable[[str, str], None],
        on_end: Callable[[ArbCycle], None],
        on_moving: Callable[[ArbCycle], None] = lambda _: None,
        elsewhere: Callable[[ArbRoute, TradeHop], Sequence[tuple[ArbRoute, TradeHop]]] = lambda *_: (),
    ) -> None:
        self._config = config
        self._adapters = adapters
        self._gate = gate
        self._tracker = tracker
        self.hedging = HedgingEngine(
            config.completion_bps,
            config.unwind_bps,
            lambda cycle, hop: self._fit_for(cycle, elsewhere(cycle.plan.route, hop)),
            self._is_closed,
        )
        self._risk = risk
        self._portfolio = portfolio
        self._journal = journal
        self._clock = clock
        self._halt = halt
        self._run_id = run_id
        self._salt = salt
        self._refresh_book = refresh_book
        self._on_end = on_end
        self._on_moving = on_moving
        self.open: dict[str, ArbCycle] = {}
        self.moving: dict[str, ArbCycle] = {}  #: of this run, whose coins are on their way: no order of them is under way
        self.naked_value_s = 0.0  #: of cycles that have ended: what was uncovered, in the PnL currency times seconds
        self.largest_naked = 0.0  #: the most that one of them had uncovered at once, in the PnL currency
        self._sequence = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.quiet = asyncio.Event()  #: set while no cycle is open
        self.quiet.set()

    def start(self, plan: CyclePlan, tasks: asyncio.TaskGroup) -> ArbCycle | Reason:
        """Open a cycle, or say why not. Synchronous: looked at, reserved and journaled before anything else can run."""
        cycle_id = f"{self._run_id}-{self._sequence + 1}"
        orders = [
            self._order(cycle_id, plan, [], HedgeStep(leg.leg, plan.hops[leg.leg], leg.side, leg.qty, leg.price, Purpose.ENTRY))
            for leg in plan.first
        ]
        refusal = self._gate.entry_refusal(plan, orders) or self._reserve_requests(cycle_id, plan)
        if refusal is not None:
            return refusal
        opened = CycleOpened(
            cycle_id,
            plan.route.id,
            plan.route.symbol,
            round(plan.edge_bps, 6),
            round(plan.value, 6),
            plan.legs,
            plan.reserved,
            self._clock.time_ms(),
            plan.most_cost,
            plan.transfers,
        )
        self._sequence += 1
        try:
            durable = self._tracker.intend(orders, (opened,))
        except JournalFailed:  # the engine has closed the gate by now
            self._release_requests(cycle_id, plan)
            return Reason.JOURNAL
        account = self._portfolio.cycle(cycle_id)
        assert account is not None, "the fold has opened it"
        cycle = ArbCycle(cycle_id, plan, account, self._portfolio.state.settlement, self._clock.monotonic(), orders)
        self.open[cycle_id] = cycle
        self.quiet.clear()
        self._tasks[cycle_id] = _begun(tasks, self._run(cycle, durable), cycle_id)
        return cycle

    def resume(self, cycle: ArbCycle, sent: int, wait_s: float, tasks: asyncio.TaskGroup) -> None:
        """Go on with a cycle none of whose orders can fill any more, of an earlier run, or whose coins have been moved.

        What it left is sold or hedged at the prices of now. ``sent``: its hedging orders so far, which count on; its clocks begin anew.
        ``wait_s``: for its venues and fresh books.
        """
        self.moving.pop(cycle.id, None)
        self.open[cycle.id] = cycle
        self.quiet.clear()
        self._tasks[cycle.id] = _begun(tasks, self._run_on(cycle, sent, wait_s), f"{cycle.id} resumed")

    async def _run_on(self, cycle: ArbCycle, sent: int, wait_s: float) -> None:
        await asyncio.sleep(0)  # as in :meth:`_run`
        with suppress(JournalFailed):
            if await self._market_is_back(cycle, wait_s):
                for leg in cycle.plan.legs:
                    order = self._next_of(cycle, leg) if leg.leg in cycle.sold_where_it_comes else None
                    if order is not None:
                        cycle.orders.append(order)
                        await self._tracker.send(cycle, [order], self._tracker.intend([order]))
                await self._hedge(cycle, sent)
            await self._end(cycle)

    async def _market_is_back(self, cycle: ArbCycle, wait_s: float) -> bool:
        """Wait until every venue of ``cycle`` is fit and every book of it fresh, or it is of no use any more."""
        give_up_at = self._clock.monotonic() + wait_s
        while not self._halt.is_closed:
            now = self._clock.monotonic()
            hops = cycle.ways_out
            away = [hop for hop in hops if self._risk.exchange[hop.market.exchange].unfit(now) is not None]
            old = [hop for hop in hops if not self._risk.symbol.is_current(hop.book, now)]
            refusal = cycle.plan.route.data_refusal(now) if len(hops) == len(cycle.plan.hops) else None
            if not away and not old and refusal is None:
                return True
            cycle.reason = refusal or (Reason.VENUE_DOWN if away else Reason.BOOK_AGE)
            if now >= give_up_at:
                return False
            await asyncio.sleep(_HEDGE_PAUSE_S)
        cycle.reason = Reason.HALTED
        return False

    def _reserve_requests(self, cycle_id: str, plan: CyclePlan) -> Reason | None:
        """Take every venue's share of its limits for the legs and one hedge order, all or none."""
        legs: dict[str, int] = {}
        for leg in plan.legs:
            legs[leg.exchange] = legs.get(leg.exchange, 0) + 1
        for exchange, entries in legs.items():
            if self._adapters[exchange].reserve_orders(cycle_id, entries) is not None:
                self._release_requests(cycle_id, plan)
                return Reason.RATE_LIMITED
        return None

    def _release_requests(self, cycle_id: str, plan: CyclePlan) -> None:
        for exchange in {leg.exchange for leg in plan.legs}:
            self._adapters[exchange].release_orders(cycle_id)

    def naked(self) -> tuple[float, float]:
        """What was uncovered in this run, in the PnL currency times seconds, and the most that one cycle had uncovered at once."""
        now = self._clock.monotonic()
        cycles = [*self.open.values(), *self.moving.values()]
        value_s = self.naked_value_s + sum(cycle.naked_until(now) for cycle in cycles)
        return value_s, max([self.largest_naked, *(cycle.largest_naked for cycle in cycles)])

    def abandon(self) -> None:
        """Stop waiting for open cycles: the next start resolves them against the venues."""
        for task in self._tasks.values():
            task.cancel()
        self._tracker.abandon()

    async def _run(self, cycle: ArbCycle, durable: Awaitable[None]) -> None:
        # From Python 3.12 on the console's loop runs a task's first stretch inside create_task: nothing may end before `start`.
        await asyncio.sleep(0)
        # When the journal fails the engine has closed the gate by now; the cycle stays open for the next start to resolve.
        with suppress(JournalFailed):
            await self._work(cycle, durable)
            begun = self._begin_transfers(cycle)
            if begun is not None:
                await self._let_move(cycle, begun)
                return
            await self._hedge(cycle)
            await self._end(cycle)

    async def _work(self, cycle: ArbCycle, durable: Awaitable[None]) -> None:
        """Send the legs of the plan, each once the legs that it waits for let it."""
        first = self._tracker.send(cycle, cycle.orders.copy(), durable)
        waiting = [leg for leg in cycle.plan.legs if leg.after]
        if not waiting:
            await first
            return
        sending = {asyncio.create_task(first, name=f"{cycle.id} first legs")}
        try:
            while sending:
                filled = asyncio.create_task(cycle.changed.wait())
                await asyncio.wait({*sending, filled}, return_when=asyncio.FIRST_COMPLETED)
                filled.cancel()
                cycle.changed.clear()
                for done in [task for task in sending if task.done()]:
                    sending.discard(done)
                    await done
                for leg in waiting:
                    order = self._next_of(cycle, leg)
                    if order is not None:
                        cycle.orders.append(order)
                        send = self._tracker.send(cycle, [order], self._tracker.intend([order]))
                        sending.add(asyncio.create_task(send, name=order.client_order_id))
        finally:
            for task in sending:
                task.cancel()

    def _next_of(self, cycle: ArbCycle, leg: PlannedLeg) -> Order | None:
        """The order of a waiting leg for what has come since its last one, where the gate lets it leave."""
        hop = cycle.plan.hops[leg.leg]
        qty = due(cycle, leg, hop.market)
        if hop.market.refusal(leg.price, qty) is not None:  # too little yet, or nothing
            return None
        order = self._order(cycle.id, cycle.plan, cycle.orders, HedgeStep(leg.leg, hop, leg.side, qty, leg.price, Purpose.FOLLOW))
        refusal = self._gate.hedge_refusal(cycle, order)
        if refusal is None:
            return order
        self._risk.count_order(refusal, cycle.account.route)
        cycle.reason = refusal.value
        return None

    def _begin_transfers(self, cycle: ArbCycle) -> Awaitable[None] | None:
        """Record that what ``cycle`` bought is to be moved now, which a person does; None where nothing is, or not any more.

        What does not go on its way is hedged where it is.
        """
        events: list[Event] = []
        for move in cycle.plan.transfers:
            wanted = transfer_of(cycle, move)
            refusal = wanted if isinstance(wanted, str) else ""
            if self._halt.is_closed:
                refusal = Reason.HALTED
            if not refusal and not isinstance(wanted, str):
                begun = begin_transfer(self._portfolio, wanted, "arbtui", f"cycle {cycle.id}", cycle.id)
                refusal = begun if isinstance(begun, str) else ""
                events += [] if isinstance(begun, str) else begun
            if refusal:
                cycle.reason = refusal
                return None
        return self._journal.record(*events) if events else None

    async def _let_move(self, cycle: ArbCycle, durable: Awaitable[None]) -> None:
        """Its coins are on their way, and nothing of it is sent until they have come: it is no open work of this run meanwhile."""
        self.moving[cycle.id] = cycle
        del self.open[cycle.id], self._tasks[cycle.id]
        self._gate.forget(cycle.id)
        self._release_requests(cycle.id, cycle.plan)
        self._on_moving(cycle)
        await durable
        if not self.open:
            self.quiet.set()

    async def _hedge(self, cycle: ArbCycle, sent: int = 0) -> None:
        """Bring the legs together again, order by order, until what is left is dust or nothing more may be tried.

        ``sent``: how many have been tried already.
        """
        give_up_at = self._clock.monotonic() + _HEDGE_WAIT_S
        undo_at = self._clock.monotonic() + self._config.completion_s
        refused: list[Market] = []  # since the last order: where the gate refuses one way out, another one is tried
        around = False  # the way out that is usual now leads to where a halt of less than everything stands: try the other one
        for attempt in count():
            if cycle.is_flat() or sent >= self._config.max_attempts - 1:
                return
            if self._halt.is_closed:
                cycle.reason = Reason.HALTED
                return
            completes = (sent < self._config.completion_attempts and self._clock.monotonic() < undo_at) is not around
            step = self.hedging.next_step(cycle, attempt if completes else UNDO_FIRST, refused)
            if step is None and cycle.account.leaves_trifles(cycle.settlement):
                return  # no market takes an order so small, and nobody needs to be kept for it
            if step is None:
                cycle.reason = Reason.NO_BOOK
                self._ask_for_books(cycle.plan.hops)
            else:
                cycle.trade_on(step.hop)
                order = self._order(cycle.id, cycle.plan, cycle.orders, step)
                refusal = self._gate.hedge_refusal(cycle, order)
                if refusal is Reason.RESERVATION and (less := step.one_lot_less()) is not None:  # it was rounded up, and no stock is there
                    order = self._order(cycle.id, cycle.plan, cycle.orders, less)
                    refusal = self._gate.hedge_refusal(cycle, order)
                if refusal is None:
                    if step.hop not in cycle.plan.hops:
                        log.warning("%s: its venue takes no order of leg %d, which moves to %s", cycle.id, step.leg, order.market.exchange)
                    cycle.orders.append(order)
                    await self._tracker.send(cycle, [order], self._tracker.intend([order]))
                    cycle.reason = order.reason
                    sent, refused = sent + 1, []
                    give_up_at = self._clock.monotonic() + _HEDGE_WAIT_S
                    if cycle.is_flat():
                        return
                else:
                    self._risk.count_order(refusal, cycle.account.route)
                    refused.append(step.hop.market)
                    cycle.reason = refusal.value
                    around = around is not (refusal is Reason.SCOPE_HALTED)
                    self._ask_for_books((step.hop,))
            if self._clock.monotonic() >= give_up_at:
                return
            await asyncio.sleep(_HEDGE_PAUSE_S)

    def _fit_for(self, cycle: ArbCycle, places: Sequence[tuple[ArbRoute, TradeHop]]) -> Sequence[TradeHop]:
        """The trades of those ``places`` that risk lets a leg move to, and that hold what the missing quantity needs there.

        That is at the worst price, and free of other cycles.
        """
        found: list[TradeHop] = []
        now = self._clock.monotonic()
        for route, hop in places:
            missing = abs(cycle.residual.get(hop.market.base, ZERO))
            worst = decimal_of(hop.touch_price * (1.0 + self._config.unwind_bps / 1e4)) if isfinite(hop.touch_price) else ZERO
            exchange, asset, amount = needs(hop.market, hop.side, missing, worst)
            is_held = worst and self._portfolio.available(exchange, asset, cycle.id) >= amount
            if is_held and self._risk.check_move(route, hop, cycle.account, now) is None:
                found.append(hop)
        return found

    def _is_closed(self, cycle: ArbCycle, hop: TradeHop) -> bool:
        """Whether the venue of ``hop`` is silent, its book of no use, or a halt stands there: no hedge may leave there now."""
        return self._risk.closed(hop.market, hop.book, cycle.account.route, self._clock.monotonic()) is not None

    def _ask_for_books(self, hops: tuple[TradeHop, ...]) -> None:
        """A book that is too old to hedge on is asked for once more, whatever its stream does."""
        now = self._clock.monotonic()
        for hop in hops:
            if not self._risk.symbol.is_young(hop.book, now):
                self._refresh_book(hop.market.exchange, hop.market.code)

    def _order(self, cycle_id: str, plan: CyclePlan, orders: list[Order], step: HedgeStep) -> Order:
        leg = step.leg
        attempt = sum(1 for order in orders if order.leg == leg)
        now = self._clock.monotonic()
        entry = step.purpose is Purpose.ENTRY
        planned = step.purpose.is_planned
        return Order(
            client_order_id=client_order_id(self._salt, cycle_id, leg, attempt),
            market=step.hop.market,
            side=step.side,
            qty=step.qty,
            price=step.price,
            cycle_id=cycle_id,
            leg=leg,
            attempt=attempt,
            purpose=step.purpose,
            epoch=self._halt.epoch,
            decided_at=plan.decided_at if entry else now,
            deadline=plan.deadline if entry else now + self._config.leg_deadline_ms / 1000,
            tif=plan.legs[leg].tif if planned else TimeInForce.IOC,
        )

    async def _end(self, cycle: ArbCycle) -> None:
        cycle.closed_at = self._clock.monotonic()
        cycle.look(cycle.closed_at)
        self.naked_value_s += cycle.naked_value_s
        self.largest_naked = max(self.largest_naked, cycle.largest_naked)
        durable = self._journal.record(CycleEnded(cycle.id, self._clock.time_ms(), cycle.reason))
        del self.open[cycle.id], self._tasks[cycle.id]
        self._gate.forget(cycle.id)
        self._release_requests(cycle.id, cycle.plan)
        self._on_end(cycle)
        await durable
        if not self.open:
            self.quiet.set()


#: How a cycle can end, in the order in which summaries name it.
ENDINGS = (CycleState.HEDGED, CycleState.UNWOUND, CycleState.RESIDUAL, CycleState.ABANDONED, CycleState.MISSED)


def _begun(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
    """``work`` as a task.

    Raises:
        RuntimeError: the run is ending with an error; nothing of ``work`` is done, and the next start resolves what was journaled.
    """
    try:
        return tasks.create_task(work, name=name)
    except RuntimeError:
        work.close()
        raise
