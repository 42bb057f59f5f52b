"""Orders of earlier runs whose fate nobody knows yet: a warning at first, critical when it lasts, and withdrawn when it is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.engine.breaches import BreachBook
from arbtui.failover.reconciler import Unresolved
from arbtui.model.clock import Clock
from arbtui.risk.breach import Severity

_KIND = "ORDER_UNRESOLVED"


@dataclass(slots=True)
class _Told:
    scope: str
    since: float  #: monotonic s
    severity: Severity


class UnresolvedOrders:
    """Records a breach for each order: WARN while proofs are gathered, CRIT where no run could ever know, or after ``patience_s``."""

    def __init__(self, breaches: BreachBook, clock: Clock, patience_s: float) -> None:
        self._breaches = breaches
        self._clock = clock
        self._patience_s = patience_s
        self._told: dict[str, _Told] = {}

    def tell(self, orders: Sequence[Unresolved]) -> None:
        """These are unresolved now, and no others."""
        now = self._clock.monotonic()
        for order in orders:
            told = self._told.get(order.client_order_id)
            is_grave = order.disarms or (told is not None and now - told.since >= self._patience_s)
            severity = Severity.CRIT if is_grave else Severity.WARN
            if told is None or severity is not told.severity:
                self._breaches.record(severity, _KIND, order.scope, order.why, order.action, every_time=True)
                self._told[order.client_order_id] = _Told(order.scope, now if told is None else told.since, severity)
        left = {order.client_order_id for order in orders}
        self._told = {own: told for own, told in self._told.items() if own in left}
        standing = {row.scope for row in self._breaches.breaches.values() if row.kind == _KIND}  # those of earlier runs, too
        for scope in sorted(standing - {told.scope for told in self._told.values()}):
            self._breaches.acknowledge_all(_KIND, scope, "recovered")
