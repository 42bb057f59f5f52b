"""What a venue's no, or its silence, means for what comes after: the operator is told, and a refused symbol rests."""

from arbtui.engine.breaches import BreachBook
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState
from arbtui.model.clock import Clock
from arbtui.model.money import plain
from arbtui.model.order import Fill, Order, OrderState, Purpose
from arbtui.risk.breach import Severity
from arbtui.risk.tiers import RouteGuard

#: First words of an order's end that say nothing of its symbol: nobody answered, the next moment differs, or the venue is stopped.
_PASSING = frozenset({"NOT_PLACED", "RATE_LIMITED", "CLOCK", "UNREACHABLE", "KEYS", "ACCOUNT", "VENUE"})
#: A symbol that is refused again and again is tried once an hour, in seconds.
_LONGEST_PAUSE_S = 3600.0


class OrderTroubles:
    """Orders of unknown fate, and orders that were refused.

    A market that is halted, or whose rules have changed since they were read, refuses every leg, and each refusal costs the
    other leg's way back. So the symbol rests, twice as long each time, until a cycle of it is hedged.
    """

    def __init__(self, breaches: BreachBook, routes: RouteGuard, clock: Clock) -> None:
        self._breaches = breaches
        self._routes = routes
        self._clock = clock
        self._in_a_row: dict[str, int] = {}  # refused cycles by symbol

    def on_unknown(self, order: Order) -> None:
        """Nobody knows whether ``order`` stands."""
        detail, action = f"order {order.client_order_id} of {order.market.code}: {order.reason}", "looked up, never sent again"
        self._breaches.record(Severity.WARN, "ORDER_UNKNOWN", order.market.exchange, detail, action)

    def on_told_again(self, client_order_id: str, fill: Fill) -> None:
        """``fill`` is a booked one under another number: it was not booked again, and nothing is hedged for it."""
        detail = f"{fill.side} {plain(fill.qty)} {fill.base} of order {client_order_id} is told again as trade {fill.trade_id}"
        action = "not booked: its order has no room for it; look the order up at the venue, whose balance decides"
        self._breaches.record(Severity.CRIT, "FILL_TWICE", fill.exchange, detail, action)

    def on_end(self, cycle: ArbCycle) -> None:
        """``cycle`` has ended: pause its symbol when a market took neither the order that opened it nor a later one."""
        symbol = cycle.plan.route.symbol
        taken = [order.market for order in cycle.orders if order.state is not OrderState.REJECTED and order.venue_order_id]
        refused = next((order for order in cycle.orders if _is_refusal(order) and order.market not in taken), None)
        if refused is None:
            if cycle.state is CycleState.HEDGED:
                self._in_a_row.pop(symbol, None)
            return
        count = self._in_a_row[symbol] = self._in_a_row.get(symbol, 0) + 1
        pause_s = min(self._routes.limits_of(cycle.plan.route.id).refusal_pause_s * 2.0 ** min(count - 1, 20), _LONGEST_PAUSE_S)
        self._routes.refused_until[symbol] = self._clock.monotonic() + pause_s
        detail = f"{refused.market.exchange} does not take {refused.side} {plain(refused.qty)} at {plain(refused.price)}: {refused.reason}"
        self._breaches.record(Severity.WARN, "ORDER_REFUSED", symbol, detail, f"paused for {pause_s:g} s", every_time=True)


def _is_refusal(order: Order) -> bool:
    return order.purpose is Purpose.ENTRY and order.state is OrderState.REJECTED and order.reason.partition(" ")[0] not in _PASSING
