"""What limits count over a minute, an hour or a day. Part of the fold: a restart gives no new allowance. Times are wall clock, in ms."""

from bisect import bisect_right, insort
from decimal import Decimal

from msgspec import Struct, field

from arbtui.model.money import ZERO

SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
_MINUTES, _HOURS = 60, 24


class RecentOrders(Struct):
    """Orders that were to be sent: each of the last minute, and sums of the running hour and the 23 before it."""

    minute: list[int] = field(default_factory=list)  #: when each was journaled, oldest first
    hours: dict[int, int] = field(default_factory=dict)  #: by hours since the epoch

    def add(self, ts_ms: int) -> None:
        """An order was journaled."""
        if self.minute and self.minute[0] <= ts_ms - MINUTE_MS:
            del self.minute[: bisect_right(self.minute, ts_ms - MINUTE_MS)]
        insort(self.minute, ts_ms)
        hour = ts_ms // HOUR_MS
        if hour not in self.hours:
            self.hours = {at: count for at, count in self.hours.items() if at > hour - _HOURS}
        self.hours[hour] = self.hours.get(hour, 0) + 1

    @property
    def kept(self) -> tuple[int, int]:
        """How many are kept one by one, and how many are summed up by hours: never less than :meth:`counts` of any time."""
        return len(self.minute), sum(self.hours.values())

    def counts(self, now_ms: int) -> tuple[int, int, int]:
        """Orders of the last second, minute and 24 hours.

        What lies more than a minute ahead was journaled before the clock was put back: it is none of this minute, but of the day.
        """
        end = bisect_right(self.minute, now_ms + MINUTE_MS)
        second = end - bisect_right(self.minute, now_ms - SECOND_MS, hi=end)
        minute = end - bisect_right(self.minute, now_ms - MINUTE_MS, hi=end)
        oldest = now_ms // HOUR_MS - _HOURS
        return second, minute, sum([count for at, count in self.hours.items() if at > oldest])


def within_hour(times: list[int], now_ms: int) -> int:
    """How many of ``times``, oldest first, are less than an hour ago."""
    return len(times) - bisect_right(times, now_ms - HOUR_MS)


class RecentResults(Struct):
    """What trading has made, in the PnL currency, as it was last known when each minute began, and the best of each hour."""

    last: Decimal = ZERO
    minutes: dict[int, Decimal] = field(default_factory=dict)  #: of the last hour, by minutes since the epoch
    best: dict[int, Decimal] = field(default_factory=dict)  #: of the last 24, by hours since the epoch

    def add(self, ts_ms: int, result: Decimal) -> None:
        """``result`` is what it is now."""
        minute, hour = ts_ms // MINUTE_MS, ts_ms // HOUR_MS
        if minute not in self.minutes:
            self.minutes = {at: known for at, known in self.minutes.items() if at >= minute - _MINUTES}
            self.minutes[minute] = self.last
        if hour not in self.best:
            self.best = {at: known for at, known in self.best.items() if at > hour - _HOURS}
        self.best[hour] = max(self.best.get(hour, self.last), result)
        self.last = result

    def lost_in_hour(self, now_ms: int, result: float) -> float:
        """How far ``result`` is below what it was an hour ago, to the minute; negative for a gain."""
        oldest = now_ms // MINUTE_MS - _MINUTES
        return float(next((known for at, known in self.minutes.items() if at >= oldest), self.last)) - result

    def drawdown(self, now_ms: int, result: float) -> float:
        """How far ``result`` is below the best of the running hour and the 23 before it."""
        oldest = now_ms // HOUR_MS - _HOURS
        return float(max((best for at, best in self.best.items() if at > oldest), default=self.last)) - result
