"""Which routes may be priced at all: a flag on each route that spares it even the usual "no"."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from arbtui.journal.events import RouteSwitched
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.tiers import RouteGuard
from arbtui.routes.route import ArbRoute
from arbtui.routes.universe import ArbUniverse

log = logging.getLogger("arbtui")


class RouteAvailability:
    """Sets ``route.blocked`` from what the portfolio and the risk guard say; risk refuses the same for itself.

    Args:
        cooldown_s: how long a route rests after a cycle, or after it was enabled again.
        look_at_halts: reads what is held back of less than everything, where that may have changed.
        held_back: what stands over a route as of then, or None.
    """

    def __init__(
        self,
        universe: ArbUniverse,
        portfolio: Portfolio,
        routes: RouteGuard,
        journal: Journal,
        clock: Clock,
        cooldown_s: float,
        look_at_halts: Callable[[], None],
        held_back: Callable[[ArbRoute], Reason | None],
    ) -> None:
        self._universe = universe
        self._portfolio = portfolio
        self._routes = routes
        self._journal = journal
        self._clock = clock
        self._cooldown_s = cooldown_s
        self._look_at_halts = look_at_halts
        self._held_back = held_back

    def look(self, symbol: str) -> None:
        """Bring the flags of one asset's routes up to date: a cycle of it opened or ended, or a residual was seen or settled."""
        self.look_at(self._universe.of_symbol(symbol))

    def look_at_all(self) -> None:
        """The same for every route: at a start."""
        self.look_at(self._universe.routes)

    def look_at(self, routes: Iterable[ArbRoute]) -> None:
        """The same for ``routes``: they are new on the list."""
        self._look_at_halts()  # once: an asset may have thousands of routes
        waiting = bool(self._routes.residual_assets())
        for route in routes:
            if self._routes.is_on_busy_market(route) or self._routes.is_moved_alike(route):
                route.blocked = Reason.ROUTE_BUSY
            else:
                route.blocked = Reason.RESIDUAL if waiting and self._routes.has_residual(route) else self._standing(route)

    def is_enabled(self, route_id: str) -> bool:
        """False for a route that the operator has disabled."""
        record = self._portfolio.state.routes.get(route_id)
        return record is None or record.enabled

    def rest(self, route: ArbRoute, since: float) -> None:
        """Let ``route`` rest for the cooldown from ``since`` on (monotonic seconds)."""
        until = since + self._cooldown_s
        self._routes.cooling_until[route.id] = until
        if route.blocked is None:
            self._look_at_halts()
            route.blocked = self._standing(route)
        asyncio.get_running_loop().call_at(until, self._rested, route.id)

    def toggle(self, route_id: str) -> str:
        """Disable a route, or enable it again, also for later runs; says what that means now. A cycle that runs goes on to its end."""
        route = self._universe.by_id.get(route_id)
        if route is None:
            return f"no route {route_id}"
        enabled = not self.is_enabled(route_id)
        self._journal.post(RouteSwitched(route_id, enabled, "operator"))
        log.info("%s %s by the operator", route_id, "enabled" if enabled else "disabled")
        if enabled:
            if route.blocked is Reason.DISABLED:
                route.blocked = None
                self.rest(route, self._clock.monotonic())
            return f"{route_id} enabled"
        if route.blocked is None or route.blocked is Reason.COOLDOWN:
            route.blocked = Reason.DISABLED
            return f"{route_id} disabled, also after a restart: it opens nothing"
        return f"{route_id} disabled, also after a restart: {route.blocked} now, it opens nothing after that"

    def _rested(self, route_id: str) -> None:
        route = self._universe.by_id.get(route_id)  # listed anew meanwhile it is another object
        if route is not None and route.blocked is Reason.COOLDOWN:
            route.blocked = None

    def _standing(self, route: ArbRoute) -> Reason | None:
        """What stands against ``route`` when no cycle of its asset is open."""
        if not self.is_enabled(route.id):
            return Reason.DISABLED
        held_back = self._held_back(route)
        if held_back is not None:
            return held_back
        return Reason.COOLDOWN if self._routes.cools(route.id, self._clock.monotonic()) else None
