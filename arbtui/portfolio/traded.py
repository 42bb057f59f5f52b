"""What fills come to, by market and side: where a cycle really traded, whatever was planned, and at what average price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, Side


@dataclass(slots=True)
class Traded:
    """The fills of one side at one market, hence in one currency. ``qty`` in base, ``cost`` in quote, before fees."""

    exchange: str
    market: str
    side: Side
    base: str
    quote: str
    qty: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def average(self) -> Decimal:
        """Average price in quote, to eight significant digits."""
        return Decimal(f"{self.cost / self.qty:.8g}")

    def facts(self) -> dict[str, str]:
        """As ledgers print it."""
        amounts = {"qty": plain(self.qty), "price": plain(self.average), "cost": plain(self.cost)}
        places = {"exchange": self.exchange, "market": self.market, "base": self.base, "quote": self.quote, "side": self.side.value}
        return {**places, **amounts}


class TradedSums:
    """Adds fills up, by market and side, in order of the first fill of each."""

    def __init__(self, fills: Iterable[Fill] = ()) -> None:
        self._sums: dict[tuple[str, str, Side], Traded] = {}
        for fill in fills:
            self.add(fill)

    @classmethod
    def resumed(cls, facts: Iterable[Mapping[str, str]]) -> "TradedSums":
        """The sums that ``facts`` of their rows tell of, to go on with."""
        sums = cls()
        for row in facts:
            side = Side(row["side"])
            sums._sums[row["exchange"], row["market"], side] = Traded(
                row["exchange"], row["market"], side, row["base"], row["quote"], Decimal(row["qty"]), Decimal(row["cost"])
            )
        return sums

    def add(self, fill: Fill) -> None:
        """Take one more fill."""
        key = (fill.exchange, fill.market, fill.side)
        one = self._sums.get(key)
        if one is None:
            one = self._sums[key] = Traded(fill.exchange, fill.market, fill.side, fill.base, fill.quote)
        one.qty += fill.qty
        one.cost += fill.cost

    def rows(self) -> list[Traded]:
        """A row a market and side at which anything filled."""
        return [one for one in self._sums.values() if one.qty > ZERO]
