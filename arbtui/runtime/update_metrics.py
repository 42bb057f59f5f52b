"""What a run measures of itself on the way of one update, at the price of two clock reads a batch."""

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter, thread_time

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.model.clock import Clock
from arbtui.model.histogram import Histogram


class UpdateMetrics:
    """Stands between feed and aggregator. CPU in seconds of this thread, decision time from a batch's arrival to its end.

    Args:
        due: monotonic seconds at which the parts of the batch being delivered were due, where a feed can tell: at the simulated market, or
            by a socket's usual delay.
    """

    def __init__(self, aggregator: OrderbookAggregator, clock: Clock, due: Callable[[], Sequence[float]] | None = None) -> None:
        self._aggregator = aggregator
        self._clock = clock
        self._due = due
        self.staleness = Histogram()  #: ms from a message's being due to the end of the decision on it
        self.first_at: float | None = None  #: monotonic seconds of the first batch
        self.first = asyncio.Event()
        self.updates = 0
        self.cpu_s = 0.0
        self.decision = Histogram()

    def deliver(self, frames: Sequence[Frame]) -> None:
        """Hand a batch to the aggregator."""
        if not frames:
            return
        if self.first_at is None:
            self.first_at = self._clock.monotonic()
            self.first.set()
        cpu, wall = thread_time(), perf_counter()
        self._aggregator.deliver(frames)
        self.cpu_s += thread_time() - cpu
        self.decision.add((perf_counter() - wall) * 1000)
        self.updates += len(frames)
        if self._due is not None:
            now = self._clock.monotonic()
            for due in self._due():  # each its own: what waited together waited for different times
                self.staleness.add((now - due) * 1000)
