"""Notices that somebody else trades on an account of ours, and halts that venue: what it holds is no longer ours alone to reckon with.

On one machine a second engine is refused (:mod:`arbtui.settings.account_lock`). From another machine, or with another key, it is
known by what it does: an order whose id is made as ours are and that our journal does not hold, or a fill of any order that it
does not hold, a person's included. Orders of others that have not filled are left alone.

An order of ours that ended so long ago that this run has forgotten it is found in the journal: a fill of it that the journal holds
is nothing new, and one that it does not hold is booked, unless a person has taken over a balance since that holds it.
"""

from collections.abc import Callable

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.engine.late_fills import LateFills
from arbtui.engine.scope_watch import ScopeWatch
from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.tracker import OrderTracker
from arbtui.journal.known_orders import KnownOrder, known_order
from arbtui.journal.open_items import adjusted_at, is_taken_over
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.ids import is_ours
from arbtui.model.money import plain
from arbtui.model.order import Fill, Order
from arbtui.model.scoped_halts import Depth, ScopedHalt, write_halt
from arbtui.portfolio.accounts import fill_key
from arbtui.risk.breach import Severity
from arbtui.risk.kill_switch import KillSwitch

#: The source of its halts.
SOURCE = "ACCOUNT"
#: This many reported orders and fills are remembered: venues list each again, and one must not halt the venue again after a re-arm.
_TOLD = 10_000


class AccountWatch:
    """Takes what venues tell of orders that this run has not sent."""

    def __init__(
        self,
        components: EngineComponents,
        tracker: OrderTracker,
        breaches: BreachBook,
        late: LateFills,
        scopes: ScopeWatch,
        kill_switch: KillSwitch,
        on_forgotten: Callable[[KnownOrder, Fill], None],
    ) -> None:
        self._on_forgotten = on_forgotten
        self._components = components
        self._tracker = tracker
        self._breaches = breaches
        self._late = late
        self._scopes = scopes
        self._kill_switch = kill_switch
        self._told: dict[str, None] = {}  # oldest first

    def on_stray(self, fill: Fill) -> None:
        """A fill of an order that this run does not follow: of one that it has forgotten, of an earlier run's, or of somebody else's."""
        key = fill_key(fill.exchange, fill.trade_id)
        if key in self._told or self._may_be_under_way(fill):
            return
        order = self._known(fill.exchange, fill.client_order_id, fill.venue_order_id, fill.trade_id)
        if order is not None:
            self._take(order, fill)
            return
        self._remember(key)
        name = fill.client_order_id or fill.venue_order_id
        self._halt(fill.exchange, f"{fill.side} {plain(fill.qty)} {fill.base} at {plain(fill.price)}, order {name}, is in no journal here")

    def _take(self, order: KnownOrder, fill: Fill) -> None:
        """A fill of an order in the journal that is not followed."""
        if order.is_booked or self._components.portfolio.knows_fill(fill.exchange, fill.trade_id, order.cycle_id):
            return
        if not order.state.is_final:  # of an earlier run, and its fate not known: who finds that out books its fills
            self._late.on_stray(fill)
            return
        if self._is_taken_over(order.client_order_id, order.cycle_id, fill):
            self._remember(fill_key(fill.exchange, fill.trade_id))
            return
        try:
            is_booked = self._tracker.book_forgotten(order, fill)
        except (JournalFailed, UsageError):  # the gate is closed, and the next start compares balances; or the next reading tells it again
            return
        if is_booked:
            self._on_forgotten(order, fill)

    def is_taken_over(self, cycle: OrderOwner, order: Order, fill: Fill) -> bool:
        """Whether an operator has adjusted a balance since ``fill``, of an order of this run, so that the balance already includes it."""
        return self._is_taken_over(order.client_order_id, cycle.id, fill)

    def _is_taken_over(self, client_order_id: str, cycle_id: str, fill: Fill) -> bool:
        """Whether an operator has adjusted a balance since ``fill``, so that the balance already includes it; reported if so."""
        try:
            is_held = is_taken_over(fill, adjusted_at(self._components.journal.path, fill.exchange))
        except UsageError:  # a journal that cannot be read explains nothing
            return False
        if is_held:
            self._late.on_taken_over(client_order_id, cycle_id, fill)
        return is_held

    def on_stranger(self, report: OrderReport) -> None:
        """An order that this run has not sent stands or has ended."""
        key = f"{report.exchange} {report.client_order_id}"
        if not is_ours(report.client_order_id) or key in self._told:
            return
        if self._known(report.exchange, report.client_order_id, report.venue_order_id) is not None:
            return
        self._remember(key)
        self._halt(report.exchange, f"order {report.client_order_id} ({report.state}) is made as ours are and in no journal here")

    def _may_be_under_way(self, fill: Fill) -> bool:
        """Whether a fill without a client id may belong to an order of ours whose answer is still pending; the next reading decides."""
        if fill.client_order_id:
            return False
        return any((order.market.exchange, order.market.code) == (fill.exchange, fill.market) for order in self._tracker.open.values())

    def _known(self, exchange: str, client_order_id: str, venue_order_id: str, trade_id: str = "") -> KnownOrder | None:
        try:
            return known_order(self._components.journal.path, exchange, client_order_id, venue_order_id, trade_id)
        except UsageError:  # a journal that cannot be read explains nothing
            return None

    def _remember(self, key: str) -> None:
        self._told[key] = None
        if len(self._told) > _TOLD:
            del self._told[next(iter(self._told))]

    def _halt(self, exchange: str, what: str) -> None:
        parts, scope = self._components, f"exchange.{exchange}"
        reason = f"somebody else trades on this account: {what}"
        try:
            write_halt(parts.halt.folder, ScopedHalt(scope, Depth.HALTED, SOURCE, "engine", reason, parts.clock.time_ms()))
        except OSError as error:  # then everything must stop: the kill needs no file
            self._kill_switch.kill(SOURCE, f"{reason}; {scope} could not be halted ({error.strerror or error})")
        action = f"{scope} is HALTED; end the other engine, compare balances, then arbtui rearm --profile {parts.profile} --scope {scope}"
        self._breaches.record(Severity.CRIT, "ACCOUNT_SHARED", scope, what, action)
        self._scopes.look()
