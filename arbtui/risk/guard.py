"""The guard that every order passes: four tiers, first refusal wins, every refusal counted by its reason."""

from collections.abc import Callable, Iterable, Mapping

from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.model.book import BookState
from arbtui.model.order import Order, Purpose
from arbtui.model.reason import Reason
from arbtui.risk.config import RiskConfig
from arbtui.risk.tiers import ExchangeGuard, GlobalGuard, RouteGuard, SymbolGuard
from arbtui.routes.route import ArbRoute, Opportunity


class RiskGuard:
    """All four tiers in the path of every order.

    Args:
        config: limits by tier.
        exchanges: names of the venues.
        last_message: monotonic seconds of a venue's last frame (``-inf`` before the first).
        health: each venue's monitor.
        throttled: for each venue, why its rate limits leave no room for an order now, or None.
    """

    def __init__(
        self,
        config: RiskConfig,
        exchanges: Iterable[str],
        last_message: Callable[[str], float],
        health: Mapping[str, ExchangeHealthMonitor],
        throttled: Mapping[str, Callable[[], str | None]],
    ) -> None:
        self.total = GlobalGuard(config.global_)
        self.exchange = {name: ExchangeGuard(name, config.exchange, last_message, health[name], throttled[name]) for name in exchanges}
        self.symbol = SymbolGuard(config.symbol)
        self.route = RouteGuard(config.route)
        self.denials: dict[Reason, int] = {}

    def check_entry(self, opportunity: Opportunity, now: float) -> Reason | None:
        """Why no cycle may open on ``opportunity`` at ``now`` (monotonic seconds), or None. Counts the refusal."""
        route = opportunity.route
        buying, selling = self.exchange[route.buy.market.exchange], self.exchange[route.sell.market.exchange]
        reason = (
            self.total.check(opportunity.value)
            or self.route.check(route, opportunity.edge_bps, now)
            or buying.unfit(now)
            or selling.unfit(now)
            or buying.untried(self.total.open_cycles)
            or selling.untried(self.total.open_cycles)
            or buying.rests(route.buy.market.code, now)
            or selling.rests(route.sell.market.code, now)
            or self.symbol.check(route, now)
            or buying.check(now)
            or selling.check(now)
            or buying.budget()
            or selling.budget()
        )
        if reason is not None:
            self.count(reason)
        return reason

    def check_order(self, order: Order, route: ArbRoute, now: float) -> Reason | None:
        """The tiers as they bear on one order, at the gate: both books for an entry, its own book for a hedge."""
        if self.total.journal_failed:
            return Reason.JOURNAL
        reason = self.exchange[order.market.exchange].check(now, order.client_order_id)
        if reason is not None:
            return reason
        if order.purpose is Purpose.ENTRY:
            if not self.total.state.allows_entries:
                return Reason.HALTED if not self.total.state.allows_hedges else Reason.PAUSED
            for hop in (route.buy, route.sell):  # both: one leg must not leave where the other will be refused
                unfit = self.exchange[hop.market.exchange].unfit(now)
                if unfit is not None:
                    return unfit
            untried = self.exchange[order.market.exchange].untried(self.total.open_cycles - 1)
            if untried is not None:
                return untried
            return route.data_refusal(now) or self.symbol.check(route, now)
        if not self.total.state.allows_hedges:
            return Reason.HALTED
        book = route.buy_book if route.buy.market is order.market else route.sell_book
        if book.state is not BookState.LIVE:
            return Reason.STALE
        if not (now - book.ts_init) * 1000 <= self.symbol.limits.max_book_age_ms:
            return Reason.BOOK_AGE
        return None

    def count(self, reason: Reason) -> None:
        """Count one refusal."""
        self.denials[reason] = self.denials.get(reason, 0) + 1
