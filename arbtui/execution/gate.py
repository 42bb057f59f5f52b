"""The last code before a request: everything that leaves passes here, and is looked at twice.

The first look comes before the intent is committed; the second inside the adapter, immediately before the request. A
refusal at the second closes the intent as ABANDONED. Cancels always pass and never come here.
"""

from arbtui.model.clock import Clock
from arbtui.model.errors import OrderAbandoned
from arbtui.model.order import Order, Purpose
from arbtui.model.reason import Reason
from arbtui.positions.inventory import InventoryLedger
from arbtui.risk.guard import RiskGuard
from arbtui.risk.kill_switch import KillSwitch
from arbtui.routes.route import ArbRoute


class OrderGate:
    """Halt, risk, reservation, age.

    Args:
        enabled: false refuses everything (books and edges only).
        max_decision_age_s: an entry decided longer ago is dropped, in seconds.
    """

    def __init__(
        self,
        *,
        kill_switch: KillSwitch,
        risk: RiskGuard,
        inventory: InventoryLedger,
        clock: Clock,
        enabled: bool,
        max_decision_age_s: float,
    ) -> None:
        self._kill_switch = kill_switch
        self._risk = risk
        self._inventory = inventory
        self._clock = clock
        self._enabled = enabled
        self._max_decision_age_s = max_decision_age_s
        self.closed_for_entries = False  #: the run is ending: open cycles may finish, none may start

    def refusal(self, order: Order, route: ArbRoute) -> Reason | None:
        """Why ``order`` may not leave now, or None."""
        if self._kill_switch.look():
            return Reason.HALTED
        if order.epoch != self._kill_switch.halt.epoch:
            return Reason.OLD_EPOCH
        if not self._enabled:
            return Reason.DISABLED
        now = self._clock.monotonic()
        if order.purpose is Purpose.ENTRY:
            if self.closed_for_entries:
                return Reason.DISARMED
            if not now - order.decided_at <= self._max_decision_age_s:
                return Reason.DECISION_AGE
        if not now <= order.deadline:
            return Reason.DEADLINE
        if not self._inventory.holds_reservation(order):
            return Reason.RESERVATION
        return self._risk.check_order(order, route, now)

    def last_look(self, order: Order, route: ArbRoute) -> None:
        """The second look.

        Raises:
            OrderAbandoned: the order must not leave.
        """
        reason = self.refusal(order, route)
        if reason is not None:
            self._risk.count(reason)
            raise OrderAbandoned(reason)
