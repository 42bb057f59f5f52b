"""Runs cycles: opens one from a plan, sends both legs, hedges what differs, and closes it HEDGED, UNWOUND or RESIDUAL."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from arbtui.execution.config import ExecutionConfig
from arbtui.execution.cycle import ArbCycle, left_value, outcome
from arbtui.execution.hedging import HedgeStep, HedgingEngine
from arbtui.execution.plan import CyclePlan
from arbtui.execution.tracker import OrderTracker
from arbtui.journal.events import CycleEnded, CycleOpened, CycleState, PlannedLeg
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed
from arbtui.model.halt import Halt
from arbtui.model.ids import client_order_id
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, Order, Purpose
from arbtui.model.reason import Reason
from arbtui.positions.coordinator import PositionCoordinator
from arbtui.positions.pnl import Pnl
from arbtui.risk.guard import RiskGuard

#: Between two hedging orders of a cycle: the books must show what the first one took, in seconds.
_HEDGE_PAUSE_S = 0.1
#: How long a cycle waits for a book or the gate to let its next hedge pass, in seconds; a stream that hiccups is back by then.
_HEDGE_WAIT_S = 5.0


class CycleExecutor:
    """The open cycles, each a task of ``tasks``.

    Args:
        run_id: part of every cycle's id, so ids never repeat over runs.
        salt: of the state folder and this run, part of every client order id.
        on_release: told when a symbol is free again, also when its cycle never came to be.
        on_end: told of each cycle that ended, after its end is committed.
    """

    def __init__(
        self,
        *,
        config: ExecutionConfig,
        tracker: OrderTracker,
        risk: RiskGuard,
        positions: PositionCoordinator,
        journal: Journal,
        clock: Clock,
        halt: Halt,
        run_id: str,
        salt: str,
        on_release: Callable[[ArbCycle], None],
        on_end: Callable[[ArbCycle], None],
    ) -> None:
        self._config = config
        self._tracker = tracker
        self._hedging = HedgingEngine(config.completion_bps, config.unwind_bps)
        self._risk = risk
        self._positions = positions
        self._journal = journal
        self._clock = clock
        self._halt = halt
        self._run_id = run_id
        self._salt = salt
        self._on_release = on_release
        self._on_end = on_end
        self.open: dict[str, ArbCycle] = {}
        self.opened = 0  #: cycles whose orders were sent, this run
        self._sequence = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.ended: dict[CycleState, int] = {CycleState.HEDGED: 0, CycleState.UNWOUND: 0, CycleState.RESIDUAL: 0}
        self.quiet = asyncio.Event()  #: set while no cycle is open
        self.quiet.set()

    def start(self, plan: CyclePlan, tasks: asyncio.TaskGroup) -> ArbCycle:
        """Open a cycle. Synchronous: what it uses is marked busy before anything else can run."""
        self._sequence += 1
        cycle = ArbCycle(f"{self._run_id}-{self._sequence}", plan, self._clock.time_ms(), self._clock.monotonic())
        self.open[cycle.id] = cycle
        self.quiet.clear()
        self._risk.total.open_cycles += 1
        self._risk.total.exposure[cycle.id] = plan.value
        self._risk.route.busy[plan.route.symbol] = cycle.id
        self._tasks[cycle.id] = tasks.create_task(self._run(cycle), name=cycle.id)
        return cycle

    def abandon(self) -> None:
        """Stop waiting for open cycles: the next start resolves them against the venues."""
        for task in self._tasks.values():
            task.cancel()
        self._tracker.abandon()

    async def _run(self, cycle: ArbCycle) -> None:
        # From Python 3.12 on the console's loop runs a task's first stretch inside create_task: nothing may end before `start`.
        await asyncio.sleep(0)
        # When the journal fails the engine has closed the gate by now; the cycle stays open for the next start to resolve.
        with suppress(JournalFailed):
            await self._live(cycle)

    async def _live(self, cycle: ArbCycle) -> None:
        plan = cycle.plan
        orders = [
            self._order(cycle, HedgeStep(leg, hop, planned.side, planned.qty, planned.price, Purpose.ENTRY))
            for leg, (planned, hop) in enumerate(zip(plan.legs, (plan.route.buy, plan.route.sell), strict=True))
        ]
        refusal = await self._tracker.send(cycle, orders, (self._opened(cycle),))
        if refusal is not None:
            # Nothing was committed and nothing sent: the cycle never was.
            plan.route.denied = refusal
            self._release(cycle)
            return
        self.opened += 1
        await self._hedge(cycle)
        await self._close(cycle)

    async def _hedge(self, cycle: ArbCycle) -> None:
        """Bring the legs together again, order by order, until what is left is dust or nothing more may be tried."""
        sent = 0
        give_up_at = self._clock.monotonic() + _HEDGE_WAIT_S
        for attempt in count():
            if cycle.is_flat() or sent >= self._config.max_attempts - 1:
                return
            if self._halt.is_closed:
                cycle.reason = Reason.HALTED
                return
            step = self._hedging.next_step(cycle, attempt)
            if step is None:
                cycle.reason = Reason.NO_BOOK
            else:
                order = self._order(cycle, step)
                refusal = await self._tracker.send(cycle, [order])
                cycle.reason = refusal.value if refusal is not None else order.reason
                if refusal is None:
                    sent += 1
                    give_up_at = self._clock.monotonic() + _HEDGE_WAIT_S
                    if cycle.is_flat():
                        return
            if self._clock.monotonic() >= give_up_at:
                return
            await asyncio.sleep(_HEDGE_PAUSE_S)

    def _order(self, cycle: ArbCycle, step: HedgeStep) -> Order:
        leg = step.leg
        attempt = sum(1 for order in cycle.orders if order.leg == leg)
        now = self._clock.monotonic()
        entry = step.purpose is Purpose.ENTRY
        return Order(
            client_order_id=client_order_id(self._salt, cycle.id, leg, attempt),
            market=step.hop.market,
            side=step.side,
            qty=step.qty,
            price=step.price,
            cycle_id=cycle.id,
            leg=leg,
            attempt=attempt,
            purpose=step.purpose,
            epoch=self._halt.epoch,
            decided_at=cycle.plan.decided_at if entry else now,
            deadline=cycle.plan.deadline if entry else now + self._config.leg_deadline_ms / 1000,
        )

    def _opened(self, cycle: ArbCycle) -> CycleOpened:
        plan = cycle.plan
        legs = tuple(PlannedLeg(i, leg.market.exchange, leg.market.code, leg.side, leg.qty, leg.price) for i, leg in enumerate(plan.legs))
        return CycleOpened(cycle.id, plan.route.id, plan.route.symbol, round(plan.edge_bps, 6), legs, cycle.opened_ms)

    def _release(self, cycle: ArbCycle) -> None:
        del self.open[cycle.id], self._tasks[cycle.id]
        self._risk.total.open_cycles -= 1
        self._risk.total.exposure.pop(cycle.id, None)
        self._risk.route.busy.pop(cycle.plan.route.symbol, None)
        self._on_release(cycle)
        if not self.open:
            self.quiet.set()

    async def _close(self, cycle: ArbCycle) -> None:
        cycle.state = outcome(cycle.fills, cycle.was_undone, cycle.lot)
        cycle.closed_at = self._clock.monotonic()
        cycle.pnl = self._positions.book.book(cycle.fills)  # before the commit: marks move while it waits
        await self._journal.commit(self._ended(cycle))
        self.ended[cycle.state] += 1
        self._release(cycle)
        self._expose(cycle)
        self._on_end(cycle)

    def end_again(self, cycle: ArbCycle, fill: Fill) -> None:
        """Count a fill that came after ``cycle`` had ended: its PnL, and how it has ended after all."""
        self.ended[cycle.state] -= 1
        cycle.state = outcome(cycle.fills, cycle.was_undone, cycle.lot)
        self.ended[cycle.state] += 1
        cycle.pnl = (cycle.pnl or Pnl()) + self._positions.book.book([fill])
        cycle.reason = "LATE_FILL"
        self._journal.post(self._ended(cycle))
        self._expose(cycle)

    def _ended(self, cycle: ArbCycle) -> CycleEnded:
        dust = ZERO if cycle.state is CycleState.RESIDUAL else abs(cycle.excess)
        pnl = pnl_payload(cycle.pnl or Pnl(), self._positions.marks.currency)
        return CycleEnded(cycle.id, cycle.state, dust, pnl, self._clock.time_ms(), cycle.reason)

    def _expose(self, cycle: ArbCycle) -> None:
        if cycle.state is CycleState.RESIDUAL:
            self._risk.route.residual[cycle.plan.route.symbol] = cycle.id
            self._risk.total.exposure[cycle.id] = left_value(cycle.fills, self._positions.marks)


def pnl_payload(pnl: Pnl, currency: str) -> dict[str, str]:
    """A PnL as the journal keeps it."""
    return {
        "currency": currency,
        "total": plain(pnl.total),
        "trading": plain(pnl.trading),
        "fx": plain(pnl.fx),
        "inventory": plain(pnl.inventory),
        "fees": plain(pnl.fees),
    }
