"""Delivers reports of orders once their content is durable, in the order of the writes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from arbtui.exchanges.adapter import OrderReport
from arbtui.model.errors import JournalFailed


class ReportQueue:
    """Holds the reports of one venue until the ledger has written them.

    Args:
        deliver: takes one report.
        written: returns once everything that was queued for the disk before the call is durable; raises JournalFailed.
    """

    def __init__(self, exchange: str, deliver: Callable[[OrderReport], None], written: Callable[[], Awaitable[None]]) -> None:
        self._exchange = exchange
        self._deliver = deliver
        self._written = written
        self._waiting: deque[OrderReport] = deque()  # in the order in which their writes were queued
        self._queued = self._delivered = 0
        self._tasks: dict[asyncio.Task[None], None] = {}

    def add(self, *reports: OrderReport) -> int:
        """Queue reports whose writes are queued now; the mark to pass to :meth:`deliver_up_to` once those are durable."""
        self._waiting.extend(reports)
        self._queued += len(reports)
        return self._queued

    def deliver_up_to(self, mark: int) -> None:
        """Deliver what is due up to ``mark``: what was queued for the disk before it is durable too, so the order is kept."""
        while self._delivered < mark:
            self._delivered += 1
            self._deliver(self._waiting.popleft())

    def deliver_when_written(self, *reports: OrderReport) -> None:
        """Queue reports whose writes are queued now, and deliver them in a task of their own as soon as those are durable."""
        task = asyncio.create_task(self._wait_and_deliver(self.add(*reports)), name=f"reports of {self._exchange}")
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def settled(self) -> None:
        """Wait until every report that is due has been delivered."""
        if self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _wait_and_deliver(self, mark: int) -> None:
        try:
            await self._written()
        except JournalFailed:
            return  # nothing durable, so nothing to report: the next order or query meets the failure
        self.deliver_up_to(mark)
