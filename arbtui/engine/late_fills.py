"""Fills that nobody waited for: after their order's end, or of no order that this run has sent."""

from collections.abc import Callable

from arbtui.engine.breaches import BreachBook
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.executor import CycleExecutor
from arbtui.journal.events import CycleState
from arbtui.model.money import plain
from arbtui.model.order import Fill, Order
from arbtui.risk.breach import Severity


class LateFills:
    """Says them out loud, and lets a cycle that had ended end again by what it holds now.

    Args:
        on_end_again: told of each such cycle.
    """

    def __init__(self, breaches: BreachBook, executor: CycleExecutor, on_end_again: Callable[[ArbCycle], None]) -> None:
        self._breaches = breaches
        self._executor = executor
        self._on_end_again = on_end_again

    def on_late(self, cycle: ArbCycle, order: Order, fill: Fill) -> None:
        """A fill came after its order had ended, and is booked. A cycle that still runs hedges it; one that has ended is a person's."""
        symbol = cycle.plan.route.symbol
        detail = f"{plain(fill.qty)} {symbol} at {fill.exchange} after order {order.client_order_id} had ended, cycle {cycle.id}"
        if cycle.state is CycleState.OPEN:
            self._breaches.record(Severity.WARN, "LATE_FILL", symbol, detail, "hedged by its cycle", every_time=True)
            return
        before = cycle.state
        self._executor.end_again(cycle, fill)
        self._on_end_again(cycle)
        if cycle.state is CycleState.RESIDUAL and before is not CycleState.RESIDUAL:  # what a person acknowledges
            left = f"cycle {cycle.id} left {plain(cycle.excess)} {symbol} ({cycle.reason})"
            self._breaches.record(Severity.CRIT, "RESIDUAL", symbol, left, "acknowledge", every_time=True)
        self._breaches.record(Severity.CRIT, "LATE_FILL", symbol, detail, f"its cycle is {cycle.state} now", every_time=True)

    def on_stray(self, fill: Fill) -> None:
        """A fill of an order that this run does not know, a person's or an earlier run's. The comparison of balances deals with it."""
        detail = f"{fill.side} {plain(fill.qty)} {fill.base}, order {fill.client_order_id or fill.venue_order_id}, is none of this run's"
        self._breaches.record(Severity.WARN, "STRAY_FILL", fill.exchange, detail, "not booked; balances are compared at quiescence")
