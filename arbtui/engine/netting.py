"""Closes what cycles leave open of a settlement currency, over all venues: one trade of the exchange rate at a time, to the band's edge.

It is traded where that is cheapest: of the markets of that rate the best one that may be used and holds what is spent.
"""

import logging
from collections.abc import Callable
from decimal import Decimal

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan, conversion_plan
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity
from arbtui.routes.hops import TradeHop
from arbtui.routes.netting_route import NettingRoute

log = logging.getLogger("arbtui")

#: What stands in the way for a moment, or because a person wants it so: nobody is told.
_QUIET = frozenset(
    {
        *(Reason.DISARMED, Reason.PAUSED, Reason.HALTED, Reason.OLD_EPOCH, Reason.DISABLED),
        *(Reason.SCOPE_PAUSED, Reason.SCOPE_REDUCING, Reason.SCOPE_HALTED),
        *(Reason.ROUTE_BUSY, Reason.COOLDOWN, Reason.TOO_SMALL, Reason.JOURNAL),
    }
)
_WORDS = {
    Reason.NO_CASH: "there is none of it left to sell",
    Reason.NO_STOCK: "there is nothing left to buy it back with",
    Reason.NO_BOOK: "the rate's book holds nothing near its touch",
}
#: After so long in the way, in seconds, it is told.
_TELL_AFTER_S = 5.0
#: After a trade, in seconds: the book must show what it took. After one that filled nothing longer, doubled each time in a row.
_PAUSE_S, _MISS_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 1.0, 60.0


class Netting:
    """Decides when to trade, and how much. What is open is the portfolio's to say, and whether it may leave the gate's.

    Args:
        open_plan: opens a cycle of a plan, or says why not.
    """

    def __init__(self, components: EngineComponents, breaches: BreachBook, open_plan: Callable[[CyclePlan], Reason | None]) -> None:
        self._components = components
        self._breaches = breaches
        self._open_plan = open_plan
        self.band = components.netting.band_for(components.execution.order_value)  #: in the PnL currency
        self.blocked: Reason | None = None  #: why what is beyond the band is not traded back; None where it is, or nothing is
        self._routes = _routes(components)
        self._blocked_since = 0.0
        self._told = self._told_of = ""  # the id of the breach that says so, and of which currency
        self._misses = 0
        self._rest_until = 0.0

    def look(self, now: float) -> None:
        """A few times a second (``now``: monotonic s): where more than the band is open, trade one order's worth back."""
        beyond = self._beyond() if self._components.netting.enabled else []
        if not beyond:
            self._unblock()
        elif now >= self._rest_until and not self._is_under_way():
            blocked: list[tuple[NettingRoute, Reason]] = []
            for routes, amount in beyond:
                reasons = self._try_in_turn(routes, amount, now)
                if not reasons:
                    self._unblock()
                    return
                blocked += reasons
            self._block(*blocked[0], now)

    def on_end(self, cycle: ArbCycle) -> None:
        """``cycle`` has ended: after one of ours that filled nothing, wait longer each time."""
        if not cycle.plan.route.shrinks_exposure:
            return
        self._misses = 0 if cycle.account.fills else self._misses + 1
        longer_s = min(_MISS_PAUSE_S * 2.0 ** min(self._misses - 1, 20), _LONGEST_PAUSE_S)
        self._rest_until = cycle.closed_at + (longer_s if self._misses else _PAUSE_S)

    def _beyond(self) -> list[tuple[list[NettingRoute], Decimal]]:
        """Of each currency of which more than the band is open: the routes that trade it back, the best price first, and how much."""
        parts, found = self._components, []
        for asset, routes in self._routes.items():
            amount = parts.portfolio.open_amount(asset)
            mark = parts.marks.value(asset) if amount else None
            if mark is None:
                continue
            beyond = abs(amount) - decimal_of(self.band) / mark
            spends_it = amount > ZERO
            usable = [one for one in routes if (one.spends == asset) is spends_it and _in_quote(one, beyond) >= one.hop.market.min_cost]
            if usable:
                found.append((sorted(usable, key=lambda one: one.price(), reverse=True), beyond))
        return found

    def _is_under_way(self) -> bool:
        ours = {route.id for routes in self._routes.values() for route in routes}
        return any(cycle.route in ours for cycle in self._components.portfolio.open_cycles)

    def _try_in_turn(self, routes: list[NettingRoute], beyond: Decimal, now: float) -> list[tuple[NettingRoute, Reason]]:
        """Trade on the first of ``routes`` that can: empty then, else why not on each."""
        reasons: list[tuple[NettingRoute, Reason]] = []
        for route in routes:
            reason = self._try(route, beyond, now)
            if reason is None:
                return []
            reasons.append((route, reason))
        return reasons

    def _try(self, route: NettingRoute, beyond: Decimal, now: float) -> Reason | None:
        parts = self._components
        refusal = route.data_refusal(now)
        if refusal is not None:
            return refusal
        market = route.hop.market
        available = parts.portfolio.available(market.exchange, route.spends)
        order = route.order_for(beyond, available, parts.netting.max_walk_bps)
        if isinstance(order, Reason):
            return order
        deadline_s = parts.execution.leg_deadline_ms / 1000
        return self._open_plan(conversion_plan(route, order, cost_bps=route.cost_bps(order), decided_at=now, deadline_s=deadline_s))

    def _block(self, route: NettingRoute, reason: Reason, now: float) -> None:
        if self.blocked is None:
            self._blocked_since = now
        self.blocked = reason
        if self._told or reason in _QUIET or now - self._blocked_since < _TELL_AFTER_S:
            return
        parts, market = self._components, route.hop.market
        asset = self._told_of = route.asset
        value = float(parts.portfolio.open_amount(asset) * (parts.marks.value(asset) or ZERO))
        why = f"{reason}, {_WORDS[reason]}" if reason in _WORDS else reason
        detail = f"{value:+,.0f} {parts.portfolio.state.currency} of {asset} open and not traded back: {why}"
        action = f"entries that would add to it stop at {parts.risk.open_fx.limit:,.0f}"
        breach = self._breaches.record(Severity.WARN, "NETTING_BLOCKED", f"{market.exchange}:{asset}", detail, action, every_time=True)
        self._told = breach.id if breach is not None else ""

    def _unblock(self) -> None:
        self.blocked = None
        if self._told:
            self._breaches.acknowledge(self._told, "recovered")
            self._told = ""
            log.info("what is open of %s can be traded back again, or is within its band", self._told_of)


def _routes(components: EngineComponents) -> dict[str, list[NettingRoute]]:
    """By currency: both ways over each market that trades it for the one that PnL is counted in; none where no venue of the run has one."""
    if not components.universe.routes:
        return {}
    rates, terms = components.rates, components.universe.routes[0].terms
    listed = {(market.exchange, market.code): market for market in components.universe.markets}
    found: dict[str, list[NettingRoute]] = {}
    for rate in rates.markets:
        market = listed.get((rate.book.exchange, rate.book.code))
        if market is not None and terms.value_currency in (market.base, market.quote):
            for side in Side:
                route = NettingRoute(TradeHop(market, rate.book, side), rate, rates, terms)
                found.setdefault(route.asset, []).append(route)
    return found


def _in_quote(route: NettingRoute, amount: Decimal) -> Decimal:
    """``amount`` of what is open, in the quote of the route's market, as its least order is."""
    return amount if route.asset == route.hop.market.quote else amount * decimal_of(route.rate.mid())
