"""The last code before a request: everything that leaves passes here, and is looked at twice.

The first look comes before the intent is committed; the second inside the adapter, immediately before the request. All
four tiers are asked at both, the second time once for all entry legs that leave together: inside the first of their
requests, good for the others for 50 ms. Halt (global, or HALTED of a scope), epoch and deadline are asked for each
request. A refusal at the second look closes the intent as ABANDONED. Cancels always pass and never come here.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.plan import CyclePlan, needs
from arbtui.model.clock import Clock
from arbtui.model.errors import OrderAbandoned
from arbtui.model.money import ZERO
from arbtui.model.order import Order, Purpose
from arbtui.model.reason import Reason
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.guard import RiskGuard
from arbtui.risk.kill_switch import KillSwitch

#: How long a second look at one entry leg holds for the others, in seconds.
_LOOK_HOLDS_S = 0.05


class OrderGate:
    """Halt, risk, reservation, age.

    Args:
        enabled: false refuses everything (books and edges only).
        max_decision_age_s: an entry decided longer ago is dropped, in seconds.
        affords: whether a reverse trade that may cost so much, in the PnL currency, may open.
    """

    def __init__(
        self,
        *,
        kill_switch: KillSwitch,
        risk: RiskGuard,
        portfolio: Portfolio,
        clock: Clock,
        enabled: bool,
        max_decision_age_s: float,
        affords: Callable[[Decimal], bool] = lambda most_cost: most_cost <= ZERO,
    ) -> None:
        self._kill_switch = kill_switch
        self._risk = risk
        self._portfolio = portfolio
        self._clock = clock
        self._enabled = enabled
        self._max_decision_age_s = max_decision_age_s
        self._affords = affords
        self._looked: dict[str, tuple[float, Reason | None]] = {}  # by cycle: when the tiers were asked, and what they said
        self.closed_for_entries = False  #: the run is ending: open cycles may finish, none may start

    def entry_refusal(self, plan: CyclePlan, orders: Sequence[Order]) -> Reason | None:
        """The first look at the entry orders of ``plan``: why its cycle may not open, or None. All of them, or none."""
        now = self._clock.monotonic()
        for order in orders:
            refusal = self._standing(order, plan.route.id, now)
            if refusal is not None:
                return refusal
        if not self._affords(plan.most_cost):
            return Reason.REBALANCE_BUDGET
        return self._tiers(plan, now) or self._unreserved(plan)

    def hedge_refusal(self, cycle: OrderOwner, order: Order) -> Reason | None:
        """The first look at an order that shrinks what ``cycle`` leaves open: why it may not be sent now, or None."""
        now = self._clock.monotonic()
        return self._standing(order, cycle.account.route, now) or self._hedge(cycle, order, now) or self._unheld(cycle, order)

    def last_look(self, cycle: OrderOwner, order: Order) -> None:
        """The second look.

        Raises:
            OrderAbandoned: the order must not leave.
        """
        now = self._clock.monotonic()
        refusal = self._standing(order, cycle.account.route, now)
        if refusal is None:
            if order.purpose is Purpose.ENTRY and isinstance(cycle, ArbCycle):  # nothing else enters
                refusal = self._entry(cycle, now)
            else:
                refusal = self._hedge(cycle, order, now)
        if refusal is None:
            refusal = self._unheld(cycle, order)
        if refusal is not None:
            self._risk.count_order(refusal, cycle.account.route)
            raise OrderAbandoned(refusal)

    def forget(self, cycle_id: str) -> None:
        """A cycle has ended: nothing of it is looked at any more."""
        self._looked.pop(cycle_id, None)

    def _standing(self, order: Order, route_id: str, now: float) -> Reason | None:
        """What is asked for each request, whatever it is for."""
        if self._kill_switch.look():
            return Reason.HALTED
        if order.epoch != self._kill_switch.halt.epoch:
            return Reason.OLD_EPOCH
        halted = self._risk.scope_halted(order, route_id)
        if halted is not None:
            return halted
        if not self._enabled:
            return Reason.DISABLED
        if order.purpose is Purpose.ENTRY:
            if self.closed_for_entries:
                return Reason.DISARMED
            if not now - order.decided_at <= self._max_decision_age_s:
                return Reason.DECISION_AGE
        if not now <= order.deadline:
            return Reason.DEADLINE
        return None

    def _entry(self, cycle: ArbCycle, now: float) -> Reason | None:
        looked = self._looked.get(cycle.id)
        if looked is not None and now - looked[0] <= _LOOK_HOLDS_S:
            return looked[1]
        self._risk.total.measure()
        said = self._tiers(cycle.plan, now, cycle)
        self._looked[cycle.id] = (now, said)
        return said

    def _tiers(self, plan: CyclePlan, now: float, cycle: ArbCycle | None = None) -> Reason | None:
        """What data and all four tiers say of the entries of ``plan``; ``cycle``: once it is open."""
        own = [order.client_order_id for order in cycle.orders] if cycle is not None else []
        cycle_id = cycle.id if cycle is not None else ""
        return (
            plan.route.data_refusal(now)
            or self._risk.check_entry(plan.route, plan.edge_bps, plan.value, now, cycle_id, own)
            or (self._risk.route.mistaken(plan.moved()) if plan.transfers else None)
        )

    def _hedge(self, cycle: OrderOwner, order: Order, now: float) -> Reason | None:
        return self._risk.check_hedge(order, cycle.book_of(order.market), now)

    def _unreserved(self, plan: CyclePlan) -> Reason | None:
        """Whether everything that ``plan`` sets aside is there."""
        for exchange, asset, amount in plan.reserved:
            if self._portfolio.available(exchange, asset) < amount:
                return Reason.NO_CASH if asset in self._portfolio.state.settlement else Reason.NO_STOCK
        return None

    def _unheld(self, cycle: OrderOwner, order: Order) -> Reason | None:
        """Whether ``cycle`` still holds what ``order`` needs, its other orders that are under way apart."""
        exchange, asset, amount = needs(order.market, order.side, order.leaves_qty, order.price)
        for other in cycle.orders:
            if other is not order and not other.state.is_final:
                place, held, used = needs(other.market, other.side, max(other.leaves_qty, ZERO), other.price)
                amount += used if (place, held) == (exchange, asset) else ZERO
        return None if self._portfolio.available(exchange, asset, cycle.id) >= amount else Reason.RESERVATION
