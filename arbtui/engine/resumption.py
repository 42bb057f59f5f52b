"""Half done cycles of an earlier run: hedged on at the prices of now, within the bounds of the profile, or ended as what they leave."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.executor import CycleExecutor
from arbtui.execution.plan import CyclePlan
from arbtui.journal.events import CycleEnded
from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.model.money import plain
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.past_cycles import fills_of_cycle
from arbtui.risk.breach import Severity
from arbtui.routes.hops import RateMark, TradeHop
from arbtui.routes.route import ArbRoute

log = logging.getLogger("arbtui")


class Resumption:
    """Takes up cycles that a recovery has left open.

    Every order of them is at its end by then. What is the cycle's own goes on: its reservation, its legs, its fills, the count of its
    hedging orders. Its clocks begin anew, and prices are those of now.

    Args:
        on_resume: called with each cycle that goes on.
        on_end: called with the id of each that ends instead, and why.
    """

    def __init__(
        self,
        components: EngineComponents,
        executor: CycleExecutor,
        breaches: BreachBook,
        on_resume: Callable[[ArbCycle], None],
        on_end: Callable[[str, str], None],
    ) -> None:
        self._parts = components
        self._executor = executor
        self._breaches = breaches
        self._on_resume = on_resume
        self._on_end = on_end

    def take_up(self, cycle_ids: Iterable[str], why_not: str, tasks: asyncio.TaskGroup) -> None:
        """Go on with each, or end it: all of them where ``why_not`` says why, else those that cannot be gone on with."""
        for cycle_id in cycle_ids:
            account = self._parts.portfolio.cycle(cycle_id)
            if account is None or not account.is_open:
                continue
            cycle = self.rebuilt(account)
            refusal = why_not or (cycle if isinstance(cycle, str) else "")
            if isinstance(cycle, ArbCycle) and not refusal:
                self._go_on(cycle)
                self._executor.resume(cycle, account.hedges, self._parts.failover.resume_wait_s, tasks)
            else:
                self._parts.journal.post(CycleEnded(cycle_id, self._parts.clock.time_ms(), "RECOVERED"))
                self._on_end(cycle_id, f"not resumed: {refusal}")

    def _go_on(self, cycle: ArbCycle) -> None:
        account = cycle.account
        left = ", ".join(f"{plain(amount)} {asset}" for asset, amount in self._parts.portfolio.left(account).items())
        sent = counted(account.hedges, "hedging order")
        detail = f"{cycle.id} was {account.phase} and leaves {left}; {sent} of it sent before"
        self._breaches.record(Severity.WARN, "CYCLE_RESUMED", account.route, detail, "hedged on at the prices of now", every_time=True)
        self._on_resume(cycle)

    def rebuilt(self, account: CycleAccount) -> ArbCycle | str:
        """The cycle as it can be run on, or why it cannot."""
        parts = self._parts
        age_s = (parts.clock.time_ms() - max(account.opened_ms, account.moved_ms or 0)) / 1000
        if not account.awaits and not age_s <= parts.failover.resume_age_s:
            return f"opened {age_s:.0f} s ago, and failover.resume_age_s is {parts.failover.resume_age_s:g}"
        markets = {(market.exchange, market.code): market for market in parts.universe.markets}
        hops = []
        for leg in account.legs:
            market, book = markets.get((leg.exchange, leg.market)), parts.aggregator.books.get((leg.exchange, leg.market))
            if market is None or book is None:
                return f"{leg.exchange}:{leg.market} is not among the markets of this run"
            hops.append(TradeHop(market, book, leg.side))
        if not hops:
            return "the journal has no plan of it"
        try:
            fills = fills_of_cycle(parts.journal.path, account.id)
        except UsageError as error:
            return str(error)
        now = parts.clock.monotonic()
        reserved = tuple((exchange, asset, amount) for exchange, held in account.reserved.items() for asset, amount in held.items())
        plan = CyclePlan(
            self._route(account, hops),
            account.legs,
            tuple(hops),
            reserved,
            account.edge_bps,
            account.value,
            now,
            now,
            account.most_cost,
            account.transfers,
        )
        cycle = ArbCycle(account.id, plan, account, parts.portfolio.state.settlement, now)
        cycle.fills.extend(fills)
        cycle.look(now)
        return cycle

    def _route(self, account: CycleAccount, hops: list[TradeHop]) -> ArbRoute:
        """The route that it was opened on; where this universe has none of that name, one of the plan's own legs."""
        known = self._parts.universe.by_id.get(account.route)
        if known is not None:
            return known
        quotes = [hop.market.quote for hop in hops if hop.market.quote in self._parts.portfolio.state.settlement]
        closing = [RateMark(quotes[-1], quotes[0])] if len(set(quotes)) > 1 else []
        universe = self._parts.universe
        return ArbRoute(account.route, account.symbol, [*hops, *closing], universe.rates, universe.terms)
