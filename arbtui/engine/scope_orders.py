"""Which orders that stand at the venues fall under a halt of one exchange, symbol or route."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from arbtui.exchanges.adapter import StandingOrder
from arbtui.model.scoped_halts import GLOBAL


@dataclass(frozen=True, slots=True)
class ScopeOrders:
    """The orders of one scope.

    An order that no journal knows, as of a lost one, belongs to every route that trades its market: it is cancelled with each of them.
    """

    scope: str  #: as in :class:`arbtui.model.scoped_halts.ScopedHalt`
    assets_of: Callable[[str, str], Collection[str]]  #: of a market, by exchange and code: its base and quote; none where it is unknown
    route_of: Callable[[str], str | None]  #: of an order, by its client id; None where it is unknown

    def exchanges(self, known: Iterable[str]) -> list[str]:
        """Those of ``known`` at which such orders may stand."""
        kind, _, name = self.scope.partition(".")
        match kind:
            case "exchange":
                return [one for one in known if one == name]
            case "symbol" if ":" in name:
                return [one for one in known if one == name.partition(":")[0]]
            case "route":
                return [one for one in known if one in _places(name)]
            case "wallet":
                return []
        return list(known)

    def covers(self, exchange: str, order: StandingOrder) -> bool:
        """Whether ``order`` at ``exchange`` is one of them."""
        kind, _, name = self.scope.partition(".")
        match kind:
            case "exchange":
                return exchange == name
            case "symbol":
                venue, at_one, asset = name.rpartition(":")
                return asset in self.assets_of(exchange, order.code) and (not at_one or venue == exchange)
            case "route":
                route = self.route_of(order.client_order_id)
                if route is not None:
                    return route == name
                return exchange in _places(name) and name.partition(":")[0] in self.assets_of(exchange, order.code)
        return self.scope == GLOBAL


def _places(route: str) -> list[str]:
    """The exchanges that the id of a route names: ``XRP:upbit>binance``."""
    return re.split(r"[^\w-]+", route.partition(":")[2])
