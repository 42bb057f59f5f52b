"""Which routes a run lists: shapes, what is allowed or denied by name, coarse prices, thin markets, and how many at most."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf

from arbtui.routes.route import ArbRoute

#: What kinds of routes there are; see :attr:`ArbRoute.shape`.
SHAPES = ("two_leg", "triangular", "split_leg", "multi_hop", "cross_chain")


@dataclass(frozen=True, slots=True)
class RouteRules:
    """The rules of one run, as table ``[universe]`` has them. Patterns are those of a shell: ``*`` is any text.

    Args:
        shapes: kinds of routes that are listed.
        allow: of each route its id, one of its markets (``upbit:KRW-XRP``) or one of its coins must match one of these; none: all may.
        deny: likewise what keeps a route off the list.
        max_routes: of routes that are no two-leg ones, so many at most: the shortest and most liquid.
        max_tick_bps: a market whose price unit is coarser, in bps of its price, is in no route but two-leg ones.
        min_liquidity: likewise one that trades less in a minute, in the PnL currency.
    """

    shapes: Collection[str] = ("two_leg",)
    allow: Sequence[str] = ()
    deny: Sequence[str] = ()
    max_routes: int = 2000
    max_tick_bps: float = inf
    min_liquidity: float = 0.0

    @property
    def wants_more(self) -> bool:
        """Whether any other than two-leg routes are wanted."""
        return any(shape != "two_leg" for shape in self.shapes)

    def refusal(self, route: ArbRoute) -> str | None:
        """Why ``route`` is not listed, in words; None where it is."""
        if route.shape not in self.shapes:
            return f"{route.shape} is not in universe.shapes"
        if not self.allow and not self.deny:
            return None
        names = (route.id, *(hop.market.key for hop in route.trades), *route.coins)
        denied = next((pattern for pattern in self.deny if _matches(pattern, names)), None)
        if denied is not None:
            return f"universe.deny has {denied}"
        if self.allow and not any(_matches(pattern, names) for pattern in self.allow):
            return "nothing in universe.allow is of it"
        return None


def _matches(pattern: str, names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)
