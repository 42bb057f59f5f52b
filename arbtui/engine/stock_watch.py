"""What stock means for prices: once a second, how scarce each place is by its runway, and which routes may open below their threshold."""

from collections.abc import Iterator
from math import inf, isfinite

from arbtui.model.clock import Clock
from arbtui.portfolio.config import RebalanceConfig
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.rebalancer import InventoryRebalancer
from arbtui.routes.hops import Node
from arbtui.routes.universe import ArbUniverse

_EVERY_S = 1.0
#: Places or routes looked at between two looks at the clock of the loop: well under a millisecond.
_SLICE = 200


class StockWatch:
    """Keeps ``urgency`` of nodes and the rebates of routes in step. The hot path only reads them.

    Args:
        rebalancer: says which routes are favoured.
    """

    def __init__(
        self, universe: ArbUniverse, portfolio: Portfolio, clock: Clock, config: RebalanceConfig, rebalancer: InventoryRebalancer
    ) -> None:
        self._universe = universe
        self._portfolio = portfolio
        self._clock = clock
        self._runway_h = config.shadow_runway_min / 60
        self._measures = config.shadow_runway_min > 0.0 and config.shadow_bps_at_empty > 0.0
        self._rebalancer = rebalancer
        self._due = -inf
        self._work: Iterator[None] | None = None

    def look(self, now: float) -> None:
        """Do a slice of what is due at ``now`` (monotonic seconds)."""
        if self._work is None:
            if now < self._due or not (self._measures or self._rebalancer.is_on):
                return
            self._due = now + _EVERY_S
            self._work = self._slices()
        self._work = self._work if next(self._work, self) is None else None

    def at_once(self, symbol: str) -> None:
        """A cycle of ``symbol`` has moved its stock: what it asks for now is known before the next second."""
        if self._rebalancer.is_on:
            self._rebalancer.look(self._universe.of_symbol(symbol))

    def _slices(self) -> Iterator[None]:
        if self._measures:
            nodes = list(self._universe.nodes.values())
            ts_ms = self._clock.time_ms()
            for at in range(0, len(nodes), _SLICE):
                for node in nodes[at : at + _SLICE]:
                    node.urgency = self._urgency(node, ts_ms)
                yield
        if self._rebalancer.is_on:
            routes = self._universe.routes
            for at in range(0, len(routes), _SLICE):
                self._rebalancer.look(routes[at : at + _SLICE])
                yield

    def _urgency(self, node: Node, ts_ms: int) -> float:
        """1 where the stock is used up this minute and nothing brings it back, 0 where it lasts ``shadow_runway_min``."""
        lasts = self._portfolio.runway(node.exchange, node.asset, ts_ms)
        if not isfinite(lasts.drain_hours) or lasts.refill_first is None:
            return 0.0
        return max(0.0, 1.0 - lasts.drain_hours / self._runway_h) * (1.0 - lasts.refill_first)
