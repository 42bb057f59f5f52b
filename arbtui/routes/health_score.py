"""RouteHealthScore: how much of what an opportunity promises one may expect to get, from what is known of its route."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from arbtui.marketdata.trades import TradeTape
from arbtui.model.book import OrderBook
from arbtui.model.order import Side
from arbtui.routes.route import ArbRoute, Opportunity

_LEARNING = 0.1  #: weight of the last cycle in a route's share of captured ones
_SPREAD_BPS = 20.0  #: mean spread of both books at which that factor is halfway down
_AGE_S = 1.0  #: age of the older book at which that factor is halfway down
_CYCLES = 5.0  #: cycles of stock from which on more of it makes no difference
_LEAST = 0.5  #: no single factor takes away more than half: together they rank, they do not forbid (that is the risk guard's)


@dataclass(frozen=True, slots=True)
class RouteHealth:
    """The factors of one opportunity's route; all but ``survival`` from 0.5 to 1, 1 being best."""

    spread: float  #: narrow books: what lies behind the touch, and what an undone leg pays
    volume: float  #: the last minute's trades at the slower market, against the size
    latency: float  #: how fresh the older of the two books is
    survival: float  #: share of this route's cycles whose both legs filled (0 to 1), less where takers take what we want
    runway: float  #: cycles of this size that the stock still holds

    @property
    def score(self) -> float:
        """All of them multiplied."""
        return self.spread * self.volume * self.latency * self.survival * self.runway


class RouteHealthScore:
    """Scores routes; learns from how their cycles end. Plain arithmetic of its inputs, so a replay repeats.

    Args:
        tapes: the last minute's trades by (exchange, code); None where nobody keeps any: then only survival counts.
    """

    def __init__(self, tapes: Mapping[tuple[str, str], TradeTape] | None = None) -> None:
        self._tapes = tapes
        self._captured: dict[str, float] = {}

    def learn(self, route: ArbRoute, *, captured: bool) -> None:
        """Tell how a cycle of ``route`` ended: captured when both legs filled."""
        before = self._captured.get(route.id, 1.0)
        self._captured[route.id] = before + _LEARNING * ((1.0 if captured else 0.0) - before)

    def of(self, opportunity: Opportunity) -> RouteHealth:
        """The factors of ``opportunity``, as of when it was decided."""
        route, now = opportunity.route, opportunity.decided_at
        captured = self._captured.get(route.id, 1.0)
        if self._tapes is None:
            return RouteHealth(1.0, 1.0, 1.0, captured, 1.0)
        qty, hops = opportunity.size, opportunity.hops
        tapes = [self._tape(hop.book) for hop in hops]
        traded = min(tape.volume(now) if tape else 0.0 for tape in tapes)
        age = now - min(hop.book.ts_init for hop in hops)
        # Takers who buy where we buy, and sell where we sell, take it away from under us.
        pressure = sum(
            max(0.0, tape.imbalance(now) if hop.side is Side.BUY else -tape.imbalance(now))
            for hop, tape in zip(hops, tapes, strict=True)
            if tape
        )
        return RouteHealth(
            spread=_from_half(_SPREAD_BPS / (_SPREAD_BPS + sum(_spread_bps(hop.book) for hop in hops) / len(hops))),
            volume=_from_half(traded / (traded + qty) if qty > 0.0 else 0.0),
            latency=_from_half(_AGE_S / (_AGE_S + max(0.0, age))),
            survival=captured * (1.0 - pressure / (2 * len(hops))),
            runway=_from_half(min(1.0, route.runway(qty) / _CYCLES) if qty > 0.0 else 0.0),
        )

    def _tape(self, book: OrderBook) -> TradeTape | None:
        return self._tapes.get((book.exchange, book.code)) if self._tapes is not None else None


def _from_half(share: float) -> float:
    """``share`` (0 to 1) laid on 0.5 to 1."""
    return _LEAST + (1.0 - _LEAST) * share


def _spread_bps(book: OrderBook) -> float:
    return (book.ask - book.bid) / book.mid * 1e4 if 0.0 < book.bid < book.ask < inf else inf
