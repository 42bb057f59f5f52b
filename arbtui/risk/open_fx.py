"""The hard limit of what cycles may leave open of a settlement currency."""

from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.portfolio.accounts import CycleAccount
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
        self._planned: dict[tuple[str, str], float] = {}  # by cycle and asset: what its legs bring of it, less what they take; in units

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
            if not now + value <= self.limit:  # spares the look at all that is open
                return Reason.OPEN_FX
            pending = sum(
                max(0.0, direction * self._pending(cycle, asset)) for cycle in self._portfolio.open_cycles if cycle.id != cycle_id
            )
            if not now + pending * price + value <= self.limit:
                return Reason.OPEN_FX
        return None

    def _pending(self, cycle: CycleAccount, asset: str) -> float:
        """What the legs of an open cycle still change of ``asset`` if they fill, in units, as planned."""
        planned = self._planned.get((cycle.id, asset))
        if planned is None:
            open_now = {each.id for each in self._portfolio.open_cycles}
            self._planned = {key: known for key, known in self._planned.items() if key[0] in open_now}
            legs = [leg for leg in cycle.legs if leg.quote == asset]
            planned = sum(float(leg.qty) * float(leg.price) * (1.0 if leg.side is Side.SELL else -1.0) for leg in legs)
            self._planned[cycle.id, asset] = planned
        for held in cycle.flows.values():
            if asset in held:
                planned -= float(held[asset])
        return planned


def _moved(route: ArbRoute, currency: str) -> dict[str, int]:
    """Which way ``route`` moves each quote currency but the PnL's: +1 it brings it, -1 it takes it; not what it brings and takes."""
    signs: dict[str, int] = {}
    for hop in route.trades:
        quote = hop.market.quote
        if quote != currency:
            signs[quote] = signs.get(quote, 0) + (1 if hop.side is Side.SELL else -1)
    return {asset: 1 if sign > 0 else -1 for asset, sign in signs.items() if sign}
