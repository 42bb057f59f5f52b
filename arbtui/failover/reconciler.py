"""Makes the journal agree with the venues after a stop of any kind, before anything new opens.

The same path after a clean end and after ``kill -9``: orders that were not final are looked up by client id, their
missing fills are booked once, balances are compared, and every open cycle is ended by what its fills leave. A remainder
is never hedged here: prices have moved on, and a person decides.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.execution.cycle import left_value, net_base, outcome
from arbtui.execution.executor import pnl_payload
from arbtui.journal.events import Adjusted, BalanceRecorded, CycleEnded, CycleState, Event, FillRecorded, OrderChanged
from arbtui.journal.journal import Journal
from arbtui.journal.state import CycleRow, JournalState, OrderRow
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, OrderState, Purpose
from arbtui.positions.coordinator import Mismatch, PositionCoordinator
from arbtui.positions.pnl import cycle_pnl

#: Between two look-ups of an order whose absence is not proved yet, in seconds.
_LOOK_UP_EVERY = 1.0


@dataclass(slots=True)
class Reconciled:
    """What a reconciliation found and did."""

    orders: int = 0  #: orders that were not final
    fills: int = 0  #: fills that the journal had missed
    cycles: dict[CycleState, int] = field(default_factory=dict)  #: open cycles, by how they ended
    residual: list[CycleRow] = field(default_factory=list)
    exposure: dict[str, float] = field(default_factory=dict)  #: what those leave uncovered, in PnL currency, by cycle
    pnl: Decimal = ZERO  #: of the cycles that ended here, in PnL currency
    mismatches: list[Mismatch] = field(default_factory=list)


class Reconciler:
    """Resolves a journal's open ends against the venues.

    Args:
        markets: by (exchange, code), for the lot steps; a cycle of a market that is not here has no dust.
    """

    def __init__(
        self,
        *,
        adapters: Mapping[str, ExchangeAdapter],
        markets: Mapping[tuple[str, str], Market],
        positions: PositionCoordinator,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._adapters = adapters
        self._markets = markets
        self._positions = positions
        self._journal = journal
        self._clock = clock

    async def run(self, state: JournalState) -> Reconciled:
        """Bring everything in ``state`` to its end.

        Raises:
            UsageError: the journal holds open orders of a venue that the profile no longer has.
            JournalFailed: as every commit.
        """
        done = Reconciled(orders=len(state.open_orders))
        fills = {cycle.cycle_id: [row.fill for row in cycle.fills] for cycle in state.open_cycles}
        for order in state.open_orders:
            report = await self._find(order)
            done.fills += await self._take(order, report, fills.setdefault(order.cycle_id, []))
        for cycle in state.open_cycles:
            ended, pnl = await self._end(cycle, fills[cycle.cycle_id])
            done.cycles[ended] = done.cycles.get(ended, 0) + 1
            done.pnl += pnl
            if ended is CycleState.RESIDUAL:
                done.residual.append(cycle)
                done.exposure[cycle.cycle_id] = left_value(fills[cycle.cycle_id], self._positions.marks)
        done.mismatches = await self._compare()
        return done

    async def _find(self, order: OrderRow) -> OrderReport | None:
        """The venue's last word on ``order``; None once its absence is proved."""
        adapter = self._adapters.get(order.exchange)
        if adapter is None:
            raise UsageError(
                f"the journal holds order {order.client_order_id} of {order.exchange}: "
                f"put [exchanges.{order.exchange}] back into the profile"
            )
        while True:
            try:
                report = await adapter.fetch_order(order.market, order.client_order_id)
            except ArbtuiError:
                report = None  # no information: a failed query proves nothing
            else:
                if report is None and self._clock.time_ms() - order.intended_ms >= adapter.absence_proof_s * 1000:
                    return None
            # A venue may call an order final before it tells all its fills.
            if report is not None and report.state.is_final and sum(fill.qty for fill in report.fills) >= report.filled_qty:
                return report
            await asyncio.sleep(_LOOK_UP_EVERY)

    async def _take(self, order: OrderRow, report: OrderReport | None, fills: list[Fill]) -> int:
        if report is None:
            await self._journal.commit(OrderChanged(order.client_order_id, OrderState.REJECTED, "", order.filled_qty, "NOT_PLACED"))
            return 0
        known = {(fill.exchange, fill.trade_id) for fill in fills}
        events: list[Event] = []
        for fill in report.fills:
            if (fill.exchange, fill.trade_id) not in known:
                fills.append(fill)
                balances = tuple(self._positions.inventory.apply(fill, None))
                events.append(FillRecorded(fill, order.cycle_id, order.leg, "recovery", self._clock.time_ms(), balances))
        await self._journal.commit(
            *events, OrderChanged(order.client_order_id, report.state, report.venue_order_id, report.filled_qty, report.reason)
        )
        return len(events)

    async def _end(self, cycle: CycleRow, fills: list[Fill]) -> tuple[CycleState, Decimal]:
        lots = [market.lot_step for leg in cycle.legs if (market := self._markets.get((leg.exchange, leg.market))) is not None]
        lot = max(lots) if len(lots) == len(cycle.legs) else ZERO
        undone_ids = {order.client_order_id for order in cycle.orders if order.purpose is Purpose.UNWIND}
        undone = any(fill.client_order_id in undone_ids for fill in fills)
        ended = outcome(fills, undone, lot)
        dust = ZERO if ended is CycleState.RESIDUAL else abs(net_base(fills))
        pnl = cycle_pnl(fills, self._positions.marks)
        payload = pnl_payload(pnl, self._positions.marks.currency)
        await self._journal.commit(CycleEnded(cycle.cycle_id, ended, dust, payload, self._clock.time_ms(), "RECOVERED"))
        return ended, pnl.total

    async def _compare(self) -> list[Mismatch]:
        """Compare balances; the venue is right, and what no fill explains is booked as an adjustment, never as a fill."""
        mismatches = list(await self._positions.sync.check() or ())
        for found in mismatches:
            change = self._positions.inventory.adjust(found.exchange, found.asset, found.theirs)
            await self._journal.commit(
                Adjusted(found.exchange, found.asset, change, "the venue's balance, which no fill explains"),
                BalanceRecorded(found.exchange, found.asset, found.theirs, Decimal(0), "check"),
            )
        return mismatches
