"""How many orders have left lately: all of them at once, whatever they are for; only entries wait."""

from collections import deque

from arbtui.risk.config import GlobalLimits

_MINUTE_S = 60.0
_HOUR_S = 3600.0
_HOURS = 24


class OrderPace:
    """Counts orders of this run over a second, a minute and the last 24 hours (by the running hour and the 23 before it)."""

    def __init__(self) -> None:
        self._minute: deque[float] = deque()
        self._hours: deque[tuple[int, int]] = deque()  # hour, orders in it

    def sent(self, now: float) -> None:
        """An order was admitted at ``now`` (monotonic seconds)."""
        self._minute.append(now)
        hour = int(now // _HOUR_S)
        if self._hours and self._hours[-1][0] == hour:
            self._hours[-1] = (hour, self._hours[-1][1] + 1)
        else:
            self._hours.append((hour, 1))

    def counts(self, now: float) -> tuple[int, int, int]:
        """Orders of the last second, minute and 24 hours."""
        while self._minute and not now - self._minute[0] < _MINUTE_S:
            self._minute.popleft()
        while self._hours and self._hours[0][0] <= int(now // _HOUR_S) - _HOURS:
            self._hours.popleft()
        second = 0
        for at in reversed(self._minute):
            if not now - at < 1.0:
                break
            second += 1
        return second, len(self._minute), sum([count for _, count in self._hours])

    def allows(self, orders: int, limits: GlobalLimits, now: float) -> bool:
        """Whether ``orders`` more may be sent now."""
        second, minute, day = self.counts(now)
        most_s, most_min, most_day = limits.max_orders_s, limits.max_orders_min, limits.max_orders_day
        return second + orders <= most_s and minute + orders <= most_min and day + orders <= most_day
