"""Which of several opportunities goes first: stock, cash and venue limits are shared, so order decides."""

from collections.abc import Sequence

from arbtui.routes.route import ArbRoute, Opportunity


class RoutePrioritizer:
    """Ranks opportunities by the profit one may expect to *capture*: net profit times the route's share of cycles that filled.

    The share is an exponential average over past cycles of a route, starting at 1: an edge that is always gone on
    arrival falls behind smaller ones that are not.
    """

    _WEIGHT = 0.1

    def __init__(self) -> None:
        self._captured: dict[str, float] = {}

    def rank(self, opportunities: Sequence[Opportunity]) -> list[Opportunity]:
        """Best first; equal scores keep their order, so a replay repeats."""
        return sorted(opportunities, key=self.score, reverse=True)

    def score(self, opportunity: Opportunity) -> float:
        """Expected captured profit, in the PnL currency."""
        return opportunity.expected_pnl * self._captured.get(opportunity.route.id, 1.0)

    def learn(self, route: ArbRoute, *, captured: bool) -> None:
        """Tell how a cycle of ``route`` ended: captured when both legs filled."""
        before = self._captured.get(route.id, 1.0)
        self._captured[route.id] = before + self._WEIGHT * ((1.0 if captured else 0.0) - before)
