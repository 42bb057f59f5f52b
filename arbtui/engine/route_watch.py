"""Keeps the list of routes in step with what markets trade: the longer routes are found anew every ten minutes, in slices.

A start knows no price and no trade, so its list is the order of the symbols, and no market is too coarse or too thin: the first time
comes as soon as the last minute's trades are known.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from math import inf

from arbtui.engine.components import EngineComponents
from arbtui.model.counted import counted
from arbtui.model.market import Market
from arbtui.routes.route import ArbRoute

log = logging.getLogger("arbtui")

EVERY_S = 600.0
FIRST_S = 90.0  # a minute of trades, and the seconds in which streams begin
#: Paths looked at between two turns of the loop: about a millisecond.
_SLICE = 50


class RouteWatch:
    """Looks at the order of the markets' liquidity; the universe says which routes that leaves.

    Args:
        on_new: called with routes that are new on the list, before anything else sees them.
    """

    def __init__(self, components: EngineComponents, on_new: Callable[[Sequence[ArbRoute]], None]) -> None:
        self._components = components
        self._on_new = on_new
        self._due = inf if not components.universe.finder.rules.wants_more else -inf
        self._work: Iterator[Sequence[ArbRoute] | None] | None = None

    def look(self, now: float) -> None:
        """Do a slice of what is due at ``now`` (monotonic seconds). The first time is :data:`FIRST_S` after the first look."""
        if self._work is None:
            if self._due == -inf:
                self._due = now + FIRST_S
            if now < self._due:
                return
            self._due = now + EVERY_S
            self._work = self._components.universe.refreshing(self.liquidity)
        for _ in range(_SLICE):
            found = next(self._work, ())
            if found is None:
                continue
            if found:
                self._on_new(found)
                log.info("routes: %s found anew by what their markets trade", counted(len(found), "route"))
            self._work = None
            return

    def liquidity(self, market: Market) -> float | None:
        """What ``market`` traded in the last minute, in the PnL currency; None where nothing tells."""
        parts = self._components
        tape = parts.aggregator.trades.tapes.get((market.exchange, market.code))
        value = parts.marks.value(market.base)
        return None if tape is None or value is None else tape.volume(parts.clock.monotonic()) * float(value)
