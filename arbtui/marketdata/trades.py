"""TradeStreamProcessor: volume and imbalance of each market's public trades over the last minute."""

from array import array
from collections.abc import Iterable
from math import inf

from arbtui.model.order import Side

WINDOW_S = 60  #: length of the sliding window, in whole seconds


class TradeTape:
    """The trades of one market. The window slides in steps of one second, so memory does not grow with the rate of trades."""

    __slots__ = ("_bought", "_second", "_sold", "last_at", "last_id")

    def __init__(self) -> None:
        self.last_at = -inf  #: monotonic seconds of receipt of the last trade
        self.last_id = -1  #: the highest trade id so far
        self._bought = array("d", bytes(8 * WINDOW_S))  # of plain doubles: two thousand lists of float objects take four times as much
        self._sold = array("d", bytes(8 * WINDOW_S))
        self._second = 0

    def add(self, qty: float, taker: Side, now: float) -> None:
        """Add one trade of ``qty`` in base, received at ``now`` (monotonic seconds)."""
        self._advance(now)
        slot = self._second % WINDOW_S
        if taker is Side.BUY:
            self._bought[slot] += qty
        else:
            self._sold[slot] += qty
        self.last_at = now

    def volume(self, now: float) -> float:
        """Base traded in the window that ends at ``now``."""
        self._advance(now)
        return sum(self._bought) + sum(self._sold)

    def imbalance(self, now: float) -> float:
        """(bought - sold) / (bought + sold) by takers in the window, -1 to 1; 0.0 without trades."""
        self._advance(now)
        bought, sold = sum(self._bought), sum(self._sold)
        return (bought - sold) / (bought + sold) if bought + sold > 0.0 else 0.0

    def _advance(self, now: float) -> None:
        second = int(now)
        passed = second - self._second
        if passed <= 0:
            return
        for empty in range(second - min(passed, WINDOW_S) + 1, second + 1):
            self._bought[empty % WINDOW_S] = 0.0
            self._sold[empty % WINDOW_S] = 0.0
        self._second = second


class TradeStreamProcessor:
    """The tapes of all markets of the universe, by (exchange, code)."""

    def __init__(self, markets: Iterable[tuple[str, str]]) -> None:
        self.tapes = {market: TradeTape() for market in markets}
