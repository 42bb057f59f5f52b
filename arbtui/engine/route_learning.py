"""Learns from ended cycles and gaps, by route: slippage, realised edge, survival of gaps, and how long orders take."""

from collections.abc import Iterable, Mapping
from math import inf
from statistics import median

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan
from arbtui.journal.episodes import EpisodeRecord
from arbtui.journal.events import CycleState
from arbtui.journal.learned import LearnedRow
from arbtui.model.clock import Clock
from arbtui.model.order import Side
from arbtui.routes.learned import LearnedRoutes
from arbtui.routes.route import ArbRoute
from arbtui.routes.universe import ArbUniverse

#: Between two looks at what time has made of learned slippage, in seconds: it halves in a day.
_FORGET_EVERY_S = 60.0


class RouteLearning:
    """Measures always; what was learned of slippage is taken off edges only where the profile says so.

    Args:
        answer_ms: how long orders took to be answered, the last ones by exchange.
        kept: what earlier runs have learned.
        applies_slippage: ``[costs] learn_slippage``.
    """

    def __init__(
        self,
        universe: ArbUniverse,
        clock: Clock,
        answer_ms: Mapping[str, Iterable[float]],
        kept: Iterable[LearnedRow],
        *,
        applies_slippage: bool,
    ) -> None:
        self._universe = universe
        self._clock = clock
        self._answer_ms = answer_ms
        self._applies = applies_slippage
        self.learned = LearnedRoutes(kept)
        self._expected: dict[str, tuple[float, ...]] = {}  # by open cycle: what the books promised for each leg, in quote
        self._latency: dict[str, float] = {}
        self._forget_at = -inf

    def latency_ms(self, route: ArbRoute) -> float | None:
        """The median time that the slowest of its venues takes to answer an order; None before each has answered one."""
        times = [self._latency.get(exchange) for exchange in route.exchanges]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    def look(self, now: float) -> None:
        """Forget a little, once a minute; ``now`` in monotonic seconds."""
        if not self._applies or now < self._forget_at:
            return
        self._forget_at = now + _FORGET_EVERY_S
        for route in self._universe.routes:
            self._apply(route)

    def opened(self, cycle: ArbCycle) -> None:
        """A cycle was opened: keep what its books promise at this moment."""
        expected = expected_prices(cycle.plan)
        if expected is not None:
            self._expected[cycle.id] = expected

    def ended(self, cycle: ArbCycle) -> None:
        """A cycle ended. One that never opened teaches nothing, and slippage only one of which every leg filled."""
        expected = self._expected.pop(cycle.id, None)
        plan, route = cycle.plan, cycle.plan.route
        for exchange in route.exchanges:
            answers = self._answer_ms.get(exchange)
            if answers:
                self._latency[exchange] = median(answers)
        if cycle.state in (CycleState.ABANDONED, CycleState.MISSED) or route.shrinks_exposure:
            return
        if cycle.state is not CycleState.HEDGED:
            self.learned.brought(route.id, 0.0)
            return
        slippage = None if expected is None else slippage_bps(cycle, expected)
        if slippage is None:
            return
        # The edge has what is usually lost taken off already: only what is lost beyond that was not expected.
        if plan.edge_bps > 0.0:
            self.learned.brought(route.id, min(1.0, max(0.0, (plan.edge_bps + route.charge_bps - slippage) / plan.edge_bps)))
        self.learned.slipped(route.id, slippage, self._clock.time_ms())
        if self._applies:
            self._apply(route)

    def gap_ended(self, gap: EpisodeRecord) -> None:
        """A gap is over and was looked at again. One that we took says nothing of those that we do not."""
        if gap.cycles == 0:
            self.learned.gap_ended(gap.route, gap.would_fill)

    def _apply(self, route: ArbRoute) -> None:
        known = self.learned.of(route.id)
        bps = 0.0 if known is None else known.slippage_at(self._clock.time_ms())
        if bps != route.learned_bps:
            route.learn(bps)


def expected_prices(plan: CyclePlan) -> tuple[float, ...] | None:
    """The average price (quote) that the books hold for each leg of ``plan``, as they are now; None where one does not hold as much."""
    prices = []
    for leg, hop in zip(plan.legs, plan.hops, strict=True):
        left = wanted = float(leg.qty)
        cost = 0.0
        for price, size in hop.book.asks() if hop.side is Side.BUY else hop.book.bids():
            step = min(left, size)
            cost, left = cost + step * price, left - step
            if left <= 0.0:
                break
        if left > 0.0:
            return None
        prices.append(cost / wanted)
    return tuple(prices)


def slippage_bps(cycle: ArbCycle, expected: tuple[float, ...]) -> float | None:
    """How much worse than ``expected`` the legs of ``cycle`` filled, all together, in bps of its edge; None where a leg has no fill.

    Legs of one asset and side share the cycle's size, so each counts by its part of it.
    """
    legs = cycle.plan.legs
    total = 0.0
    for leg, price in zip(legs, expected, strict=True):
        own = {order.client_order_id for order in cycle.orders if order.leg == leg.leg}
        place = leg.exchange, leg.market  # what has moved to another venue tells nothing of this one
        fills = [
            fill for fill in cycle.fills if fill.client_order_id in own and fill.side is leg.side and (fill.exchange, fill.market) == place
        ]
        qty = float(sum(fill.qty for fill in fills))
        if qty <= 0.0 or price <= 0.0:
            return None
        worse = float(sum(fill.cost for fill in fills)) / qty / price - 1.0
        part = float(leg.qty / sum(one.qty for one in legs if (one.base, one.side) == (leg.base, leg.side)))
        total += (worse if leg.side is Side.BUY else -worse) * part * 1e4
    return total
