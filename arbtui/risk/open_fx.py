"""The hard limit of what cycles may leave open of a settlement currency."""

from arbtui.model.reason import Reason
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.routes.route import ArbRoute


class OpenFxGuard:
    """Denies what would add to it beyond the limit; what takes it away passes. Amounts in the PnL currency, at live marks.

    Args:
        limit: the most that may be open of each settlement currency but the PnL's; ``inf`` for no limit.
    """

    def __init__(self, limit: float, portfolio: Portfolio, marks: LiveMarks) -> None:
        self.limit = limit
        self._portfolio = portfolio
        self._marks = marks

    def check(self, route: ArbRoute, value: float, cycle_id: str = "") -> Reason | None:
        """May a cycle of ``route`` that moves ``value`` open, or go on to its entries? ``cycle_id``: itself, once it is open.

        Open cycles count with all that they may still add in the same direction, whatever they may take away.
        """
        if route.shrinks_exposure:
            return None
        state = self._portfolio.state
        for asset, way in route.ways.items():
            if asset == state.currency or asset not in state.settlement:
                continue
            direction = -1 if way > 0.0 else 1  # a purchase takes it, a sale brings it
            mark = self._marks.value(asset)
            if mark is None:
                return Reason.NO_MARK
            price = float(mark)
            now = direction * float(self._portfolio.open_amount(asset)) * price
            pending = float(self._portfolio.under_way.pending(asset, direction, cycle_id))
            if not now + pending * price + value <= self.limit:
                return Reason.OPEN_FX
        return None
