"""Exposure through a common factor: coins of one premium are one bet, whatever their number.

A coin at a venue that quotes another settlement currency than PnL is counted in is worth what it is worth elsewhere times one plus
the premium there, and the premiums of all coins move together. So the stock that has moved to such venues, over all coins and against
the targets that the desk began with, is one position in that premium. Cycles that end HEDGED add to it: they leave nothing one-sided,
and more stock on one side.
"""

from collections.abc import Iterable, Mapping
from math import inf

from arbtui.model.market import Market
from arbtui.model.reason import Reason
from arbtui.portfolio.accounts import amount_at
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.routes.route import ArbRoute


class FactorExposure:
    """What stock has moved where another currency is quoted, by currency and coin, in the PnL currency; signed, as of :meth:`measure`."""

    def __init__(self, portfolio: Portfolio, marks: LiveMarks) -> None:
        self._portfolio = portfolio
        self._marks = marks
        self._places: tuple[tuple[str, str, str], ...] = ()  # currency, exchange, asset
        self.by_coin: Mapping[str, Mapping[str, float]] = {}  #: ``inf`` where a coin that has moved has no mark
        self.moved: Mapping[str, float] = {}  #: the sums

    def follow(self, markets: Iterable[Market]) -> None:
        """Look at the coins of ``markets`` from now on."""
        self._places = tuple(dict.fromkeys((one.quote, one.exchange, one.base) for one in markets if self._is_factor(one.quote)))

    def measure(self) -> None:
        """Value what has moved, at live marks: once a second."""
        state, found = self._portfolio.state, dict[str, dict[str, float]]()
        for currency, exchange, asset in self._places:
            moved = amount_at(state.balances, exchange, asset) - amount_at(state.targets, exchange, asset)
            if moved and asset not in state.settlement and currency in state.settlement:
                mark = self._marks.value(asset)
                coins = found.setdefault(currency, {})
                coins[asset] = coins.get(asset, 0.0) + (float(moved * mark) if mark is not None else inf)
        self.by_coin = found
        self.moved = {currency: sum(coins.values()) for currency, coins in found.items()}

    @property
    def largest(self) -> float:
        """The exposure through the factor in which there is most, without its sign."""
        return max((abs(value) for value in self.moved.values()), default=0.0)

    def refusal(self, route: ArbRoute, value: float, limit: float, cycle_id: str = "") -> Reason | None:
        """Whether a cycle of ``value`` on ``route`` would take a factor's exposure over ``limit``, or further beyond it.

        Open cycles that go the same way count with their whole value; ``cycle_id``: itself, which does not. What brings stock back passes,
        and so does what moves it between two venues of one currency.
        """
        if route.shrinks_exposure or route.transfers:  # money for money moves no coin; what comes over a network is sold where it comes
            return None
        state = self._portfolio.state
        for quote, way in route.ways.items():
            if quote == state.currency or quote not in state.settlement:  # _is_factor, written out: every decision asks
                continue
            before = self.moved.get(quote, 0.0) + way * self._portfolio.under_way.value_of_way(quote, way, cycle_id)
            after = before + way * value
            if not (abs(after) <= limit or abs(after) < abs(before)):
                return Reason.FACTOR
        return None

    def _is_factor(self, quote: str) -> bool:
        """Whether prices in ``quote`` have a premium of their own: a coin that others are priced in has that of its venue."""
        state = self._portfolio.state
        return quote != state.currency and quote in state.settlement

    def bets(self, correlation: float) -> tuple[int, float]:
        """How many coins make up the largest exposure, and as how many independent bets they count.

        With values w and one ``correlation`` between any two coins' premiums: (sum w)^2 / (sum w^2 + correlation x the sum of all w w'
        of two different coins), which for n equal ones is n / (1 + (n - 1) x correlation).
        """
        if not self.moved:
            return 0, 0.0
        coins = self.by_coin[max(self.moved, key=lambda currency: abs(self.moved[currency]))]
        sizes = [abs(value) for value in coins.values() if 0.0 < abs(value) < inf]
        total, squares = sum(sizes), sum(size * size for size in sizes)
        return len(coins), total * total / (squares + correlation * (total * total - squares)) if squares > 0.0 else 0.0
