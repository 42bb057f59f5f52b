"""RouteHealthScore: how much of what an opportunity promises one may expect to get, from what is measured of its route."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from arbtui.journal.episodes import LOOKS_MS
from arbtui.marketdata.trades import TradeTape
from arbtui.model.book import OrderBook
from arbtui.model.order import Side
from arbtui.routes.config import RankingConfig
from arbtui.routes.learned import LearnedRoutes
from arbtui.routes.route import ArbRoute, Opportunity

_SPREAD_BPS = 20.0  #: mean spread of all books at which that factor is halfway down
_AGE_S = 1.0  #: age of the oldest book at which that factor is halfway down
_CYCLES = 5.0  #: cycles of stock from which on more of it makes no difference
_LEAST = 0.5  #: no state of the market takes away more than half: together they rank, they do not forbid (that is the risk guard's)
_LEAST_GAPS = 5.0  #: gaps that were looked at again (the newest count most) under which survival is not known
_STEP = 0.05  #: what a score must have moved by before the one that ranks follows

#: ms that an order of this route takes to be answered, as measured; None before the first answer.
LatencyOf = Callable[[ArbRoute], float | None]


class Factor(NamedTuple):
    """One input of a score: 0 to 1, 1 being best; None where it is not measured and counts for nothing."""

    name: str
    value: float | None
    weight: float  #: its exponent in the product


@dataclass(frozen=True, slots=True)
class RouteHealth:
    """The factors of a route for one size. Spread, volume, latency and runway are from 0.5 to 1, the learned ones from 0.

    ``spread``: narrow books, which is what lies behind the touch and what an undone leg pays; ``volume``: the last minute's trades at the
    slowest market, against the size; ``latency``: how fresh the oldest book is; ``flow``: less where takers take what we want;
    ``survival``: share of its gaps that were still there when our order would have arrived; ``realised``: share of the expected edge that
    its cycles brought; ``runway``: cycles of this size that the stock still holds.
    """

    spread: float | None
    volume: float | None
    latency: float | None
    flow: float | None
    survival: float | None
    realised: float | None
    runway: float | None
    weights: Sequence[tuple[str, float]]

    @property
    def factors(self) -> Sequence[Factor]:
        """All of them with their weights."""
        return [Factor(name, getattr(self, name), weight) for name, weight in self.weights]

    @property
    def score(self) -> float:
        """The measured ones multiplied, each to the power of its weight."""
        product = 1.0
        for _, value, weight in self.factors:
            if value is not None and weight != 0.0:
                product *= value if weight == 1.0 else value**weight
        return product


class RouteHealthScore:
    """Scores routes. Plain arithmetic of its inputs, so a replay repeats.

    Args:
        tapes: the last minute's trades by (exchange, code); None where nobody keeps any: then only what was learned counts.
        learned: what cycles and gaps of each route have taught.
        latency_of: how long an order takes.
        weights: of the factors.
    """

    def __init__(
        self,
        tapes: Mapping[tuple[str, str], TradeTape] | None = None,
        learned: LearnedRoutes | None = None,
        latency_of: LatencyOf = lambda _: None,
        weights: Sequence[tuple[str, float]] | None = None,
    ) -> None:
        self._tapes = tapes
        self.learned = learned if learned is not None else LearnedRoutes()
        self._latency_of = latency_of
        self._weights = weights if weights is not None else RankingConfig().weights()
        self._held: dict[str, float] = {}

    def of(self, opportunity: Opportunity) -> RouteHealth:
        """The factors of ``opportunity``, as of when it was decided."""
        return self.at(opportunity.route, opportunity.size, opportunity.decided_at)

    def at(self, route: ArbRoute, qty: float, now: float) -> RouteHealth:
        """The factors of ``route`` for ``qty`` (base) at ``now`` (monotonic seconds)."""
        known = self.learned.of(route.id)
        realised, survival = (None, None) if known is None else (known.realised, self._survival(route, known.gaps, known.survived))
        if self._tapes is None:
            return RouteHealth(None, None, None, None, survival, realised, None, self._weights)
        trades = route.trades
        tapes = [self._tapes.get((hop.book.exchange, hop.book.code)) for hop in trades]
        shares = [
            traded / (traded + wanted) if (traded := tape.volume(now)) > 0.0 else 0.0
            for tape, wanted in zip(tapes, _leg_sizes(route, qty), strict=True)
            if tape is not None
        ]
        # Takers who buy where we buy, and sell where we sell, take it away from under us.
        pressure = [
            max(0.0, tape.imbalance(now) if hop.side is Side.BUY else -tape.imbalance(now))
            for hop, tape in zip(trades, tapes, strict=True)
            if tape is not None
        ]
        age = now - min(book.ts_init for book in route.books)
        runway = route.runway(qty) if qty > 0.0 else inf
        return RouteHealth(
            spread=_from_half(_SPREAD_BPS / (_SPREAD_BPS + sum(map(_spread_bps, route.books)) / len(route.books))),
            volume=_from_half(min(shares)) if len(shares) == len(trades) and qty > 0.0 else None,
            latency=_from_half(_AGE_S / (_AGE_S + max(0.0, age))),
            flow=1.0 - sum(pressure) / (2 * len(trades)) if pressure else None,
            survival=survival,
            realised=realised,
            runway=_from_half(min(1.0, runway / _CYCLES)) if runway < inf else None,
            weights=self._weights,
        )

    def ranked(self, route: ArbRoute, score: float) -> float:
        """The score of ``route`` that ranks it: the last one, until ``score`` is a step away from it."""
        held = self._held.get(route.id)
        self._held[route.id] = held = steady(held, score)
        return held

    def latency_ms(self, route: ArbRoute) -> float | None:
        """How long an order of ``route`` takes to be answered, as measured; None before the first answer."""
        return self._latency_of(route)

    def _survival(self, route: ArbRoute, gaps: float, survived: Sequence[float]) -> float | None:
        """The share of gaps that outlived our latency: between two looks in proportion, after the last one as at it."""
        latency = self._latency_of(route)
        if latency is None or gaps < _LEAST_GAPS:
            return None
        before, share = 0.0, 1.0  # a gap is there when it is found
        for ms, alive in zip(LOOKS_MS, survived, strict=True):
            if latency <= ms:
                return share + (alive - share) * (latency - before) / (ms - before)
            before, share = float(ms), alive
        return share


def _leg_sizes(route: ArbRoute, qty: float) -> list[float]:
    """About what each trade moves of its own base where the route moves ``qty`` of its symbol."""
    symbol, into = route.symbol, 1.0
    sizes = []
    for hop in route.trades:
        out = into * hop.touch_rate * hop.kept
        sizes.append(into if hop.side is Side.SELL else out)
        into = out
    bases = [hop.market.base for hop in route.trades]
    unit = next((size for base, size in zip(bases, sizes, strict=True) if base == symbol), sizes[0])
    return [qty if base == symbol else size * qty / unit if unit > 0.0 else inf for base, size in zip(bases, sizes, strict=True)]


def steady(held: float | None, score: float) -> float:
    """The score to go by: ``held``, the one so far, until ``score`` is a step away from it. Else an order of routes would flicker."""
    return score if held is None or abs(score - held) >= _STEP else held


def _from_half(share: float) -> float:
    """``share`` (0 to 1) laid on 0.5 to 1."""
    return _LEAST + (1.0 - _LEAST) * share


def _spread_bps(book: OrderBook) -> float:
    return (book.ask - book.bid) / book.mid * 1e4 if 0.0 < book.bid < book.ask < inf else inf
