"""Which of several opportunities goes first: stock, cash and venue limits are shared, so order decides."""

from collections.abc import Sequence

from arbtui.routes.health_score import RouteHealthScore
from arbtui.routes.route import ArbRoute, Opportunity


class RoutePrioritizer:
    """Ranks opportunities by the profit one may expect to *capture*: net profit, less the shadow price of stock, times the route's health.

    Args:
        health: scores the routes; without one, by the share of their cycles that filled alone.
    """

    def __init__(self, health: RouteHealthScore | None = None) -> None:
        self.health = health if health is not None else RouteHealthScore()

    def rank(self, opportunities: Sequence[Opportunity]) -> list[Opportunity]:
        """Best first; equal scores keep their order, so a replay repeats."""
        return sorted(opportunities, key=self.score, reverse=True)

    def score(self, opportunity: Opportunity) -> float:
        """Expected captured profit, in the PnL currency."""
        worth = opportunity.expected_pnl - opportunity.value * opportunity.route.shadow_bps() / 1e4
        return worth * self.health.of(opportunity).score

    def learn(self, route: ArbRoute, *, captured: bool) -> None:
        """Tell how a cycle of ``route`` ended: captured when both legs filled."""
        self.health.learn(route, captured=captured)
