"""How many orders have left lately: all of them at once, whatever they are for; only entries wait."""

from collections.abc import Callable

from arbtui.portfolio.readings import Readings
from arbtui.risk.config import GlobalLimits


class OrderPace:
    """Compares what the fold counts over a second, a minute and the last 24 hours, earlier runs among them.

    Args:
        time_ms: wall clock.
    """

    def __init__(self, portfolio: Readings, time_ms: Callable[[], int]) -> None:
        self._portfolio = portfolio
        self._time_ms = time_ms

    def counts(self) -> tuple[int, int, int]:
        """Orders of the last second, minute and 24 hours."""
        return self._portfolio.state.orders.counts(self._time_ms())

    def allows(self, orders: int, limits: GlobalLimits) -> bool:
        """Whether ``orders`` more may be sent now."""
        kept, of_hours = self._portfolio.state.orders.kept
        if kept + orders <= limits.max_orders_s and kept + orders <= limits.max_orders_min and of_hours + orders <= limits.max_orders_day:
            return True  # however old they are
        second, minute, day = self.counts()
        most_s, most_min, most_day = limits.max_orders_s, limits.max_orders_min, limits.max_orders_day
        return second + orders <= most_s and minute + orders <= most_min and day + orders <= most_day
