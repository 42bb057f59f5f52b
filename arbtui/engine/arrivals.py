"""Cycles whose coins are moved between two of their legs: sold once they have come, in the same run or a later one."""

import asyncio

from arbtui.engine.components import EngineComponents
from arbtui.engine.resumption import Resumption
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.executor import CycleExecutor
from arbtui.journal.events import Phase
from arbtui.portfolio.accounts import CycleAccount
from arbtui.risk.state import trading_state


class Arrivals:
    """Takes a cycle up again when its transfer is over: what came is sold, what is back where it was bought is sold there.

    That only takes exposure away: it goes on while new cycles may not open, and waits while nothing may be sent at all.
    """

    def __init__(self, components: EngineComponents, executor: CycleExecutor, resumption: Resumption, tasks: asyncio.TaskGroup) -> None:
        self._parts = components
        self._executor = executor
        self._resumption = resumption
        self._tasks = tasks

    def look(self) -> None:
        """Take up every cycle whose transfer is over; cheap while there is none."""
        come = [one for one in self._parts.portfolio.open_cycles if self._has_come(one)]
        if come and trading_state(self._parts.portfolio, self._parts.halt, self._parts.journal).allows_hedges:
            for account in come:
                self._take_up(account)

    def _has_come(self, account: CycleAccount) -> bool:
        return account.phase is Phase.IN_TRANSIT and not account.awaits and account.id not in self._executor.open

    def _take_up(self, account: CycleAccount) -> None:
        cycle = self._executor.moving.get(account.id)
        if cycle is None:  # this run cannot trade it: it ends as what it leaves
            self._resumption.take_up([account.id], "", self._tasks)
        elif self._can_be_sold(cycle):
            self._executor.resume(cycle, 0, self._parts.failover.resume_wait_s, self._tasks)

    def _can_be_sold(self, cycle: ArbCycle) -> bool:
        """Whether the market is there where its coins are: until it is, they wait as they did on their way."""
        risk, now = self._parts.risk, self._parts.clock.monotonic()
        return all(
            risk.exchange[hop.market.exchange].unfit(now) is None and risk.symbol.is_current(hop.book, now) for hop in cycle.ways_out
        )
