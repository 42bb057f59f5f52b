"""``InventoryRebalancer``: brings stock back by trades the other way, and pays for that out of a budget of the day, never more.

A route that fills a venue which has run short, from one that has more than its part, may open below its usual threshold: the emptier
the place, the lower, down to ``max_cost_bps`` below break-even. What opens below break-even is a *reverse trade*. It is charged to
the budget ``max_cost_bps_day``: bps of the desk's equity, all coins and cash, at the beginning of the desk's day. Before one opens, the
most that it may cost must fit into what is left, after what the day has spent and what open reverse trades may still cost.
"""

from collections.abc import Iterable
from decimal import Decimal

from arbtui.model.money import BPS, ZERO, decimal_of
from arbtui.portfolio.config import RebalanceConfig
from arbtui.portfolio.readings import Readings
from arbtui.routes.hops import Node
from arbtui.routes.route import ArbRoute

#: Digits of the PnL currency that a cost is told in.
_DIGITS = Decimal("0.00000001")


class InventoryRebalancer:
    """Says how far below its threshold each route may open, and whether a reverse trade still fits into the day's budget.

    Args:
        config: the budget, and when stock counts as short.
        portfolio: what was spent, from the fold.
        order_value: of one cycle, in the PnL currency.
        tolerance_bps: how much worse than planned a cycle may end: completing and taking a leg back.
    """

    def __init__(self, config: RebalanceConfig, portfolio: Readings, order_value: float, tolerance_bps: float) -> None:
        self._config = config
        self._portfolio = portfolio
        self._order_value = order_value
        self._tolerance_bps = tolerance_bps
        self._favoured: set[str] = set()

    @property
    def is_on(self) -> bool:
        """Whether anything may be spent at all."""
        return self._config.max_cost_bps_day > 0.0

    def budget(self) -> Decimal:
        """What the desk's day may spend, in the PnL currency; nothing before the day's first prices."""
        day = self._portfolio.state.day
        if day is None or not self.is_on:
            return ZERO
        return self._portfolio.value_at(day).equity * decimal_of(self._config.max_cost_bps_day) / BPS

    def left(self) -> Decimal:
        """What of it is neither spent nor kept for reverse trades that are open."""
        return self.budget() - self._portfolio.rebalance_spent_today() - self._portfolio.rebalance_at_stake()

    def most_cost(self, route: ArbRoute, edge_bps: float, value: float) -> Decimal:
        """The most that a cycle of ``route`` at ``edge_bps`` may cost, in the PnL currency; 0 for one that is no reverse trade."""
        if edge_bps >= route.break_even_bps:
            return ZERO
        return decimal_of(value * (self._tolerance_bps + _fees_bps(route) - edge_bps) / 1e4).quantize(_DIGITS)

    def fits(self, most_cost: Decimal) -> bool:
        """Whether a reverse trade that may cost ``most_cost`` may open now; what costs nothing always may."""
        return most_cost <= ZERO or most_cost <= self.left()

    def look(self, routes: Iterable[ArbRoute]) -> None:
        """Set how far below its threshold each of ``routes`` may open now. Costs nothing while it is off."""
        if not self.is_on:
            return
        affordable = float(self.left()) / self._order_value * 1e4 - self._tolerance_bps
        for route in routes:
            depth = max((self._shortage(hop.bought_at, hop.sold_at) for hop in route.inventories), default=0.0)
            if depth <= 0.0 and route.id not in self._favoured:
                continue
            if depth > 0.0:
                self._favoured.add(route.id)
            else:
                self._favoured.discard(route.id)
            rebate_bps = depth * (max(route.terms.min_edge_bps, 0.0) + self._config.max_cost_bps)
            route.favour(rebate_bps, max(0.0, min(self._config.max_cost_bps, affordable - _fees_bps(route))))

    def _shortage(self, short: Node, giving: Node) -> float:
        """0 where ``short`` is not short, or ``giving`` has nothing to give; 1 where it is empty, and nothing is on its way there."""
        threshold = self._config.refill_below
        if short.target <= 0.0 or giving.target <= 0.0:
            return 0.0
        coming = float(self._portfolio.coming(short.exchange, short.asset))  # a person has begun it: it is not paid for twice
        share, other = (short.available + coming) / short.target, giving.available / giving.target
        if share >= threshold or other <= max(threshold, share):
            return 0.0
        return min(1.0, 1.0 - share / threshold)


def _fees_bps(route: ArbRoute) -> float:
    """What a leg that is taken back pays once more, at most."""
    return sum(float(hop.market.fees.taker) for hop in route.trades) * 1e4
