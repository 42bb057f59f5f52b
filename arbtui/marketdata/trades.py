"""TradeStreamProcessor: what the public trades of each market say about the last minute."""

from collections.abc import Iterable
from math import inf

from arbtui.model.order import Side

WINDOW_S = 60  #: length of the sliding window, in whole seconds


class TradeTape:
    """The trades of one market. The window slides in steps of one second, so memory does not grow with the rate of trades.

    ``last_price`` is in quote (0.0 before the first trade), ``count`` counts since the start.
    """

    __slots__ = ("_bought", "_counts", "_second", "_sold", "count", "last_at", "last_id", "last_price", "last_ts_event")

    def __init__(self) -> None:
        self.last_price = 0.0
        self.last_ts_event = 0
        self.last_at = -inf  #: monotonic seconds of receipt of the last trade
        self.last_id = -1  #: the highest trade id so far
        self.count = 0
        self._bought = [0.0] * WINDOW_S
        self._sold = [0.0] * WINDOW_S
        self._counts = [0] * WINDOW_S
        self._second = 0

    def add(self, price: float, qty: float, taker: Side, ts_event: int, now: float) -> None:
        """Take one trade, received at ``now`` (monotonic seconds)."""
        self._advance(now)
        slot = self._second % WINDOW_S
        if taker is Side.BUY:
            self._bought[slot] += qty
        else:
            self._sold[slot] += qty
        self._counts[slot] += 1
        self.last_price = price
        self.last_ts_event = ts_event
        self.last_at = now
        self.count += 1

    def volume(self, now: float) -> float:
        """Base traded in the window that ends at ``now``."""
        self._advance(now)
        return sum(self._bought) + sum(self._sold)

    def rate(self, now: float) -> float:
        """Trades a second in the window."""
        self._advance(now)
        return sum(self._counts) / WINDOW_S

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
            self._counts[empty % WINDOW_S] = 0
        self._second = second


class TradeStreamProcessor:
    """The tapes of all markets of the universe, by (exchange, code)."""

    def __init__(self, markets: Iterable[tuple[str, str]]) -> None:
        self.tapes = {market: TradeTape() for market in markets}
