"""The four tiers. Each answers with the first limit that an opportunity would break, or None.

Comparisons are written so that NaN is a breach: ``not value <= limit``. A missing input denies.
"""

from collections.abc import Callable
from math import inf

from arbtui.exchanges.health import ExchangeHealthMonitor, Health
from arbtui.model.reason import Reason
from arbtui.risk.config import ExchangeLimits, GlobalLimits, RouteLimits, SymbolLimits
from arbtui.risk.state import TradingState
from arbtui.routes.route import ArbRoute

#: Why nothing opens in a state; in every other one, because it is halted.
_NO_ENTRIES = {
    TradingState.PAUSED: Reason.PAUSED,
    TradingState.DISARMED: Reason.DISARMED,
    TradingState.RECOVERING: Reason.DISARMED,
}


class GlobalGuard:
    """Exposure and loss over everything that runs. Amounts in the PnL currency."""

    def __init__(self, limits: GlobalLimits) -> None:
        self.limits = limits
        self.state = TradingState.DISARMED
        self.journal_failed = False
        self.exposure: dict[str, float] = {}  #: worst case by open cycle or unacknowledged residual
        self.open_cycles = 0
        self.pnl_day = 0.0

    def check(self, value: float) -> Reason | None:
        """May a cycle of ``value`` open?"""
        if self.journal_failed:
            return Reason.JOURNAL
        if not self.state.allows_entries:
            return _NO_ENTRIES.get(self.state, Reason.HALTED)
        if not self.open_cycles < self.limits.max_open_cycles:
            return Reason.OPEN_CYCLES
        if not self.unhedged + value <= self.limits.max_unhedged:
            return Reason.UNHEDGED
        if not -self.pnl_day <= self.limits.max_loss_day:
            return Reason.LOSS_DAY
        return None

    @property
    def unhedged(self) -> float:
        """Worst-case open exposure: a cycle counts with its whole leg until it has ended."""
        return sum(self.exposure.values())


#: Nothing opens at a venue that is not HEALTHY.
_UNFIT = {Health.DEGRADED: Reason.VENUE_DEGRADED, Health.FROZEN: Reason.VENUE_FROZEN, Health.DOWN: Reason.VENUE_DOWN}


class ExchangeGuard:
    """A venue's unanswered orders, its silence, its health and its rate limits.

    Args:
        last_message: gives monotonic seconds of the venue's last frame.
        throttled: why the venue's rate limits leave no room for an order now, or None.
    """

    def __init__(
        self,
        exchange: str,
        limits: ExchangeLimits,
        last_message: Callable[[str], float],
        health: ExchangeHealthMonitor,
        throttled: Callable[[], str | None],
    ) -> None:
        self.exchange = exchange
        self.limits = limits
        self.health = health
        self._throttled = throttled
        self._unanswered: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        self._last_message = last_message

    @property
    def in_flight(self) -> int:
        """Orders admitted and not yet answered, those of unknown fate among them."""
        return len(self._unanswered)

    def admitted(self, client_order_id: str) -> None:
        """Count an order, from the gate's first look on: legs of two cycles must not pass it on one free place."""
        self._unanswered[client_order_id] = None

    def lost_sight(self, client_order_id: str) -> None:
        """An order was sent, and nobody knows whether it stands."""
        self._unknown[client_order_id] = None

    def settled(self, client_order_id: str) -> None:
        """An order's end is known."""
        self._unknown.pop(client_order_id, None)

    def answered(self, client_order_id: str) -> None:
        """Count it no longer: its fate is known, or it was never sent."""
        self._unanswered.pop(client_order_id, None)

    def check(self, now: float, client_order_id: str = "") -> Reason | None:
        """May an order go to this venue at ``now``? ``client_order_id``: the one that asks, which is not in its own way."""
        others = self.in_flight - (client_order_id in self._unanswered)
        if not others < self.limits.max_in_flight_orders:
            return Reason.IN_FLIGHT
        if not (now - self._last_message(self.exchange)) * 1000 <= self.limits.max_message_age_ms:
            return Reason.MESSAGE_AGE
        return None

    def budget(self) -> Reason | None:
        """Whether an order has room in the venue's limits. Asked when a cycle is decided: a leg sent alone would wait for its other."""
        return Reason.RATE_LIMITED if self._throttled() is not None else None

    def unfit(self, now: float) -> Reason | None:
        """Why nothing new may open at this venue at ``now``. Hedges do not ask: a leg left open is worse than a late answer."""
        self.health.on_message(self._last_message(self.exchange))
        unfit = _UNFIT.get(self.health.state(now))
        if unfit is None and not len(self._unknown) < self.limits.max_unknown_orders:
            return Reason.ORDERS_UNKNOWN
        return unfit

    def rests(self, code: str, now: float) -> Reason | None:
        """Whether the venue alone of all its markets refuses orders of ``code``, with a code that no document has."""
        return Reason.REFUSED if self.health.rests(code, now) else None

    def untried(self, other_cycles: int) -> Reason | None:
        """Whether it must be seen first that the venue takes an order of ours: until then one cycle goes alone."""
        return Reason.VENUE_UNTRIED if other_cycles > 0 and not self.health.is_proven else None

    def why_unfit(self, now: float) -> str:
        """What :meth:`unfit` comes from, in words."""
        return self.health.why(now) or f"{len(self._unknown)} orders of unknown fate, looked up and never sent again"


class SymbolGuard:
    """Age and price of an asset's books."""

    def __init__(self, limits: SymbolLimits) -> None:
        self.limits = limits

    def check(self, route: ArbRoute, now: float) -> Reason | None:
        """May the two books of ``route`` be traded on at ``now``?"""
        buy, sell = route.buy_book, route.sell_book
        limit = self.limits.max_book_age_ms
        if not ((now - buy.ts_init) * 1000 <= limit and (now - sell.ts_init) * 1000 <= limit):
            return Reason.BOOK_AGE
        if not abs(buy.ts_init - sell.ts_init) * 1000 <= self.limits.max_leg_skew_ms:
            return Reason.LEG_SKEW
        ratio = route.price_ratio()
        if not abs(ratio - 1.0) * 1e4 <= self.limits.price_band_bps:
            return Reason.PRICE_BAND
        return None


class RouteGuard:
    """One route's recent past."""

    def __init__(self, limits: RouteLimits) -> None:
        self.limits = limits
        self.losses: dict[str, int] = {}  #: consecutive, by route
        self.paused_until: dict[str, float] = {}
        self.refused_until: dict[str, float] = {}  #: by symbol: a venue refused an order that was to open a cycle
        self.cooling_until: dict[str, float] = {}  #: by route; its flag, which spares even the pricing, only follows this
        self.busy: dict[str, str] = {}  #: symbol -> its open cycle
        self.residual: dict[str, str] = {}  #: symbol -> its unacknowledged residual cycle

    def check(self, route: ArbRoute, edge_bps: float, now: float) -> Reason | None:
        """May ``route`` open a cycle with ``edge_bps`` at ``now``?"""
        if route.symbol in self.residual:
            return Reason.RESIDUAL
        if route.symbol in self.busy:
            return Reason.ROUTE_BUSY
        if self.cools(route.id, now):
            return Reason.COOLDOWN
        if now < self.refused_until.get(route.symbol, -inf):
            return Reason.REFUSED
        if now < self.paused_until.get(route.id, -inf):
            return Reason.LOSSES
        if not edge_bps <= self.limits.max_edge_bps:
            return Reason.EDGE_TOO_GOOD
        return None

    def cools(self, route_id: str, now: float) -> bool:
        """True while a route rests after its last cycle."""
        return now < self.cooling_until.get(route_id, -inf)

    def ended(self, route_id: str, pnl: float, now: float) -> bool:
        """Count how a cycle of ``route_id`` ended; True when the route pauses because of it. One that filled nothing counts for nothing."""
        if pnl > 0.0:
            self.losses[route_id] = 0
        if pnl >= 0.0:
            return False
        self.losses[route_id] = self.losses.get(route_id, 0) + 1
        if self.losses[route_id] < self.limits.max_consecutive_losses:
            return False
        self.losses[route_id] = 0
        self.paused_until[route_id] = now + self.limits.loss_pause_s
        return True
