"""The hard limit of what cycles may leave open of a settlement currency."""

from arbtui.model.order import SELL
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
        for asset, direction in _moved(route, self._portfolio.state.currency).items():
            if asset not in self._portfolio.state.settlement:
                continue
            mark = self._marks.value(asset)
            if mark is None:
                return Reason.NO_MARK
            price = float(mark)
            now = direction * float(self._portfolio.open_amount(asset)) * price
            pending = float(self._portfolio.under_way.pending(asset, direction, cycle_id))
            if not now + pending * price + value <= self.limit:
                return Reason.OPEN_FX
        return None


def _moved(route: ArbRoute, currency: str) -> dict[str, int]:
    """Which way ``route`` moves each quote currency but the PnL's: +1 it brings it, -1 it takes it; not what it brings and takes."""
    signs: dict[str, int] = {}
    for hop in route.trades:
        quote = hop.market.quote
        if quote != currency:
            signs[quote] = signs.get(quote, 0) + (1 if hop.side is SELL else -1)
    return {asset: 1 if sign > 0 else -1 for asset, sign in signs.items() if sign}
