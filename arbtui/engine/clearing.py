"""Cancels what is ours at the venues after a kill, or of one scope while a halt stands over it."""

import asyncio
import logging

from arbtui.engine.breaches import BreachBook
from arbtui.engine.cancels import Cleared, cancel_standing
from arbtui.engine.components import EngineComponents
from arbtui.engine.scope_orders import ScopeOrders
from arbtui.exchanges.adapter import StandingOrder
from arbtui.execution.tracker import OrderTracker
from arbtui.model.scoped_halts import Depth
from arbtui.risk.breach import Severity

log = logging.getLogger("arbtui")

#: How long a scope's halt waits for answers to orders that were under way, and between two attempts, in seconds.
_SETTLE_S = 10.0
_AGAIN_S = 5.0


class Clearing:
    """The venues' own lists say what stands; the tracker, what may still come to stand."""

    def __init__(self, components: EngineComponents, tracker: OrderTracker, breaches: BreachBook) -> None:
        self._components = components
        self._tracker = tracker
        self._breaches = breaches

    async def clear(self, exchange: str, settle_s: float, orders: ScopeOrders | None = None) -> Cleared:
        """Cancel at ``exchange`` what is ours, of ``orders`` alone where given; orders under way are waited for ``settle_s`` long."""
        return await cancel_standing(
            exchange,
            self._components.adapters[exchange],
            exclusive=self._components.execution.exclusive_account,
            covers=lambda order: orders is None or orders.covers(exchange, order),
            is_unsure=lambda: self._is_unsure(exchange, orders),
            within_s=settle_s,
        )

    async def clear_scope(self, scope: str) -> None:
        """A halt of depth HALTED stands over ``scope``: cancel what is ours there, again and again while it is not confirmed."""
        orders = ScopeOrders(scope, self._assets_of, self._route_of)
        named = orders.exchanges(self._components.adapters)
        moved = (name for name in self._components.adapters if name not in named and self._is_unsure(name, orders))
        exchanges = [*named, *moved]  # a leg of a route may be at a venue that its id does not name
        while exchanges and self._is_halted(scope) and not self._components.halt.is_closed:
            cleared = await asyncio.gather(*(self.clear(name, _SETTLE_S, orders) for name in exchanges))
            words = ", ".join(one.in_words() for one in cleared)
            log.warning("%s is halted: %s", scope, words)
            is_confirmed = all(one.is_confirmed for one in cleared)
            if is_confirmed and not any(self._is_unsure(name, orders) for name in exchanges):
                return
            if not is_confirmed:
                self._breaches.record(Severity.CRIT, "CANCELS", scope, words, "tried again while the halt stands")
            await asyncio.sleep(_AGAIN_S)

    def _is_halted(self, scope: str) -> bool:
        return any(halt.scope == scope and halt.depth is Depth.HALTED for halt in self._components.risk.halts.standing)

    def _assets_of(self, exchange: str, code: str) -> tuple[str, ...]:
        market = self._components.adapters[exchange].markets.get(code)
        return () if market is None else (market.base, market.quote)

    def _route_of(self, client_order_id: str) -> str | None:
        cycle = self._components.portfolio.cycle_of_order(client_order_id)
        return None if cycle is None else cycle.route

    def _is_unsure(self, exchange: str, orders: ScopeOrders | None) -> bool:
        """Whether an order of ours at ``exchange``, of ``orders`` where given, may still be open or come to be."""
        return any(
            order.market.exchange == exchange
            and (orders is None or orders.covers(exchange, StandingOrder(order.market.code, order.client_order_id, "")))
            for order in self._tracker.open.values()
        )
