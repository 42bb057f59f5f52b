"""The limits of what is on its way between venues: it is at neither, so nobody can sell it, whatever its price does.

What a cycle has bought and not sold yet is uncovered until it has come; stock that a person moves to refill a venue is not one-sided,
and may be late or lost all the same.
"""

from decimal import Decimal
from math import inf

from arbtui.model.reason import Reason
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.config import GlobalLimits
from arbtui.routes.route import ArbRoute


class InTransitGuard:
    """Denies cycles that would put more on its way than may be. Amounts in the PnL currency."""

    def __init__(self, portfolio: Portfolio, marks: LiveMarks) -> None:
        self._portfolio = portfolio
        self._marks = marks

    def uncovered(self, asset: str = "", but: str = "") -> float:
        """What open cycles have moved, or will have, and sell on arrival, at its whole value from their opening to their end.

        Args:
            asset: of this one alone.
            but: id of a cycle that is left out.
        """
        return sum(
            cycle.value
            for cycle in self._portfolio.under_way.with_transfers.values()
            if cycle.id != but and any(move.asset == (asset or move.asset) for move in cycle.transfers)
        )

    def total(self, but: str = "") -> float:
        """The same and all stock on its way, at live marks; ``inf`` where some of that has no mark."""
        stock = 0.0
        for one in self._portfolio.open_transfers if self._portfolio.state.transfers else ():
            if not one.cycle_id:
                mark = self._marks.value(one.asset)
                stock += inf if mark is None else float((one.waiting + one.under_way) * mark)
        return stock + self.uncovered(but=but)

    def largest(self) -> float:
        """The most that is uncovered of one asset."""
        assets = {move.asset for cycle in self._portfolio.under_way.with_transfers.values() for move in cycle.transfers}
        return max((self.uncovered(asset) for asset in assets), default=0.0)

    def leaves_room(self, asset: str, qty: Decimal, limits: GlobalLimits) -> bool:
        """Whether stock may be put on its way so that cycles may still put all there that they may; False where it has no mark."""
        mark = self._marks.value(asset)
        return mark is not None and self.total() + float(qty * mark) <= limits.max_in_transit - limits.max_uncovered_in_transit

    def check(self, route: ArbRoute, value: float, limits: GlobalLimits, cycle_id: str = "") -> Reason | None:
        """May a cycle of ``route`` that puts ``value`` on its way open? ``cycle_id``: itself, once it is open."""
        if not route.transfers:
            return None
        figures = [
            (self.total(cycle_id), limits.max_in_transit),
            (self.uncovered(but=cycle_id), limits.max_uncovered_in_transit),
            *((self.uncovered(hop.asset, cycle_id), limits.max_asset_in_transit) for hop in route.transfers),
        ]
        return None if all(figure + value <= limit for figure, limit in figures) else Reason.IN_TRANSIT
