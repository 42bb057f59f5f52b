"""Compares the currency of each fee with the one that the plans expect."""

from collections.abc import Iterable

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.model.market import FeeTakenIn
from arbtui.model.money import plain
from arbtui.model.order import Fill
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity

#: The kind of the breach for fees that the venue charged in another currency than its own coin.
KIND = "FEE_COIN_SPENT"


class FeeWatch:
    """Looks at the fee of each fill.

    What fees are taken in is part of a market's rules, which routes and plans are built on at the start: it is told here, and not changed.
    """

    def __init__(self, components: EngineComponents, breaches: BreachBook) -> None:
        self._marks = components.marks
        self._breaches = breaches
        markets = components.universe.markets
        self._coins = {market.exchange: market.fees.coin for market in markets if market.fees.taken_in is FeeTakenIn.COIN}
        self._portfolio = components.portfolio
        self._told: set[str] = set()
        self._recovered: list[Fill] = []

    def look_later(self, fills: Iterable[Fill]) -> None:
        """A recovery has booked ``fills``: they are looked at once the run has taken its first prices, as a start knows none yet."""
        self._recovered += fills

    def look_at_recovered(self) -> None:
        """Look at what was put off, if it is time."""
        if self._recovered and self._portfolio.state.run_started:
            fills, self._recovered = self._recovered, []
            for fill in fills:
                self.look(fill)

    def look(self, fill: Fill) -> None:
        """Tell of a fee in a coin that nothing prices, and once a run and venue of one that was to be taken in the venue's own coin."""
        if not fill.fee:
            return
        coin = self._coins.get(fill.exchange, fill.fee_currency)
        if coin != fill.fee_currency and fill.exchange not in self._told:
            self._told.add(fill.exchange)
            self._breaches.record(
                Severity.WARN,
                KIND,
                fill.exchange,
                f"its fee of {plain(fill.fee)} {fill.fee_currency} on {fill.market} is not taken in {coin}, as its account is set to:"
                f" purchases are not enlarged for a fee in the coin bought, so its stock falls by the fee of each",
                f"pay {coin} in there, or switch fees in {coin} off at the venue and start again",
            )
        if not self._marks.is_known(fill.fee_currency):
            self._breaches.record(
                Severity.CRIT,
                Reason.NO_MARK,
                fill.exchange,
                f"its fee of {plain(fill.fee)} {fill.fee_currency} on {fill.market} has no price: what trading costs there is not known",
                "no entries there; start again, which reads what fees are paid in",
            )
