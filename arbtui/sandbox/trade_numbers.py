"""Binance numbers trades by symbol: the same id can occur at another symbol. The venue core numbers them over all symbols."""

from collections.abc import Iterable, Mapping

from arbtui.model.order import Fill
from arbtui.simulation.roll_up import KEPT

#: So many trades' numbers are remembered: more than the ledger has rows of.
_REMEMBERED = 2 * KEPT


class TradeNumbers:
    """A symbol's own number for each trade of ours, the same after every restart.

    Args:
        fills: the ledger's.
        rolled_up: how many older ones each symbol had.
    """

    def __init__(self, fills: Iterable[Fill], rolled_up: Mapping[str, int]) -> None:
        self._numbers: dict[str, int] = {}  # of the core's trade id, newest last
        self._last = dict(rolled_up)  # of the symbol
        for fill in fills:
            self.of(fill)

    def of(self, fill: Fill) -> int:
        """The symbol's number of ``fill``; a symbol's fills are numbered in the order in which they are first requested."""
        number = self._numbers.get(fill.trade_id)
        if number is None:
            number = self._last.get(fill.market, 0) + 1
            self._last[fill.market] = self._numbers[fill.trade_id] = number
            if len(self._numbers) > _REMEMBERED:
                del self._numbers[next(iter(self._numbers))]
        return number
