"""Fills that were not waited for: after their order's or cycle's end, or of no order that this run has sent."""

from arbtui.engine.breaches import BreachBook
from arbtui.journal.events import CycleState
from arbtui.journal.known_orders import KnownOrder
from arbtui.model.money import plain
from arbtui.model.order import Fill, Order
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.breach import Severity


class LateFills:
    """Reports them. The portfolio has re-evaluated the cycle by then."""

    def __init__(self, breaches: BreachBook, portfolio: Portfolio) -> None:
        self._breaches = breaches
        self._portfolio = portfolio
        self._known: dict[str, None] = {}  # cycles whose residual was reported

    def on_late(self, cycle: CycleAccount, order: Order, fill: Fill) -> None:
        """A fill was booked after its order or its cycle had ended. A cycle that still runs hedges it."""
        symbol = cycle.symbol
        detail = f"{plain(fill.qty)} {symbol} at {fill.exchange} after order {order.client_order_id} had ended, cycle {cycle.id}"
        if cycle.state is CycleState.OPEN:
            self._breaches.record(Severity.WARN, "LATE_FILL", symbol, detail, "hedged by its cycle", every_time=True)
            return
        self._on_changed(cycle.id)
        self._breaches.record(Severity.CRIT, "LATE_FILL", symbol, detail, f"its cycle is {cycle.state} now", every_time=True)

    def _on_changed(self, cycle_id: str) -> None:
        """A late fill has changed the position that a cycle leaves; if it is more than a person has acknowledged, report it again."""
        account = self._portfolio.cycle(cycle_id)
        told = [row.id for row in self._breaches.breaches.values() if (row.kind, row.scope) == ("RESIDUAL", cycle_id)]
        if account is not None and not account.acknowledged_by and all(one in self._breaches.acknowledged for one in told):
            self._known.pop(cycle_id, None)
        self.on_residual(cycle_id, "LATE_FILL")

    def on_residual(self, cycle_id: str, cause: str) -> None:
        """A cycle that has ended leaves something one-sided: report it, once for as long as it does."""
        account = self._portfolio.cycle(cycle_id)
        if account is None or not account.is_position:
            self._known.pop(cycle_id, None)
            return
        if cycle_id in self._known:
            return
        self._known = {
            known: None for known in self._known if self._is_position(known)
        }  # what a person has settled meanwhile needs no place
        self._known[cycle_id] = None
        detail = f"{self._leaves(account)} ({cause})"
        self._breaches.record(Severity.CRIT, "RESIDUAL", cycle_id, detail, "acknowledge, settle", every_time=True)

    def on_forgotten(self, order: KnownOrder, fill: Fill) -> None:
        """A fill was booked for an order that ended so long ago that this run no longer follows it. A person decides what to do."""
        self._on_changed(order.cycle_id)
        account = self._portfolio.cycle(order.cycle_id)
        state = "not known" if account is None else account.state
        detail = (
            f"{plain(fill.qty)} {fill.base} at {fill.exchange} long after order {order.client_order_id} had ended, cycle {order.cycle_id}"
        )
        self._breaches.record(Severity.CRIT, "LATE_FILL", fill.base, detail, f"its cycle is {state} now", every_time=True)

    def on_taken_over(self, client_order_id: str, cycle_id: str, fill: Fill) -> None:
        """Report a late fill that a balance already includes, since an operator adjusted it afterwards: it is not booked again."""
        what = f"{fill.side} {plain(fill.qty)} {fill.base} at {plain(fill.price)}, order {client_order_id}, cycle {cycle_id}"
        detail = f"{what}: the balance that was adjusted after it holds it"
        self._breaches.record(Severity.WARN, "FILL_TAKEN_OVER", fill.exchange, detail, "not booked; balances are compared", every_time=True)

    def _is_position(self, cycle_id: str) -> bool:
        account = self._portfolio.cycle(cycle_id)
        return account is not None and account.is_position

    def look_again(self, cycle_id: str, by: str, cause: str) -> None:
        """What a cycle leaves may have become less, or nothing: what was told of it is acknowledged by ``by``, and what is left told."""
        account = self._portfolio.cycle(cycle_id)
        told = [row for row in self._breaches.breaches.values() if (row.kind, row.scope) == ("RESIDUAL", cycle_id)]
        is_left = account is not None and account.is_position
        if account is not None and is_left and any(row.detail.startswith(f"{self._leaves(account)} (") for row in told):
            self._known[cycle_id] = None
            return
        self._breaches.acknowledge_all("RESIDUAL", cycle_id, by)
        self._known.pop(cycle_id, None)
        if account is not None and is_left:
            self.on_residual(cycle_id, (not told and account.reason) or cause)

    def _leaves(self, account: CycleAccount) -> str:
        left = ", ".join(f"{plain(amount)} {asset}" for asset, amount in self._portfolio.left(account).items())
        return f"{account.route or account.symbol} leaves {left}"

    def on_stray(self, fill: Fill) -> None:
        """A fill of an order of an earlier run whose fate is not known yet: it is booked once that is found out."""
        detail = f"{fill.side} {plain(fill.qty)} {fill.base}, order {fill.client_order_id or fill.venue_order_id}, is none of this run's"
        self._breaches.record(Severity.WARN, "STRAY_FILL", fill.exchange, detail, "not booked; balances are compared at quiescence")
