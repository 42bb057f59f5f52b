"""Binance numbers trades by symbol: the same id can occur at another symbol. The venue core numbers them over all symbols."""

from collections.abc import Iterable

from arbtui.model.order import Fill


class TradeNumbers:
    """A symbol's own number for each trade of ours, the same after every restart."""

    def __init__(self, fills: Iterable[Fill]) -> None:
        self._numbers: dict[str, int] = {}  # of the core's trade id
        self._last: dict[str, int] = {}  # of the symbol
        for fill in fills:
            self.of(fill)

    def of(self, fill: Fill) -> int:
        """The symbol's number of ``fill``; a symbol's fills are numbered in the order in which they are first requested."""
        number = self._numbers.get(fill.trade_id)
        if number is None:
            number = self._last.get(fill.market, 0) + 1
            self._last[fill.market] = self._numbers[fill.trade_id] = number
        return number
