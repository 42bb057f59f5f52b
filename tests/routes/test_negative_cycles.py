"""A search for negative cycles, by a library that knows no shapes and no routes: nothing that pays has no route.

A closed sequence of trades that gains is a negative cycle of the graph whose edges are the negated logarithms of rates, fees in.
Of one that passes an asset twice the parts count: a route passes none twice, and ends in money.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, log
from operator import itemgetter

import networkx as nx  # type: ignore[import-untyped]
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side
from arbtui.routes.graph import FEWEST_TRADES, MOST_TRADES
from tests.routes.listings import PAIRS, Links, Pairs, Trades, closes, ends, links_of, listings, trades_of, turned
from tests.routes.pairs import rate_book
from tests.routes.venues import ALL, MONEY, books_of, market, universe

#: What floats may be off by: as a share, and in bps.
_HAIR, _SAME = 1e-9, 1e-6
#: What one of it is worth, so that prices are apart by what they are drawn apart, and by fees.
_WORTH = {"KRW": 1.0, "USDT": 1400.0, "BTC": 9e7, "ETH": 4e6, "XRP": 3000.0, "SOL": 2e5}
_FEES = {"u": ("0.0005", FeeTakenIn.QUOTE), "b": ("0.001", FeeTakenIn.RECEIVED), "o": ("0.002", FeeTakenIn.QUOTE)}

Books = dict[tuple[str, str], OrderBook]
Place = tuple[str, str]  #: (venue, asset); of money the venue is empty, since it is counted together


@dataclass(frozen=True)
class World:
    """What a search may know: markets, books, rates between currencies, and where coins may be closed out of stock."""

    markets: Sequence[Market]
    books: Books
    rates: RateBook
    linked: Links | None

    def rate(self, trade: tuple[Market, Side]) -> float:
        """What comes out of a trade for one that goes in, at the touch, by the venue's words about fees."""
        one, side = trade
        book, fee = self.books[one.exchange, one.code], float(one.fees.taker)
        if side is Side.SELL:
            return book.bid * (1.0 - fee)
        return (1.0 - fee) / book.ask if one.fees.taken_in is FeeTakenIn.RECEIVED else 1.0 / (book.ask * (1.0 + fee))

    def join(self, brought: Place, spent: Place) -> float | None:
        """What one of ``brought`` counts as where ``spent`` is spent next; None where the books do not close."""
        (one, asset), (other, wanted) = brought, spent
        if asset in MONEY and wanted in MONEY:
            return self.rates.conversion(asset, wanted).value
        if asset != wanted:
            return None
        return 1.0 if one == other or self.linked is None or (asset, frozenset((one, other))) in self.linked else None

    def gain(self, trades: Trades) -> float:
        """What one unit becomes in ``trades``, back where it began; 0 where the books do not close."""
        gained = 1.0
        for trade, after in zip(trades, (*trades[1:], trades[0]), strict=True):
            gained *= self.rate(trade) * (self.join(places(trade)[1], places(after)[0]) or 0.0)
        return gained


def places(trade: tuple[Market, Side]) -> tuple[Place, Place]:
    """Where a trade spends, and where it brings."""
    spent, brought = [("" if asset in MONEY else trade[0].exchange, asset) for asset in ends(trade)]
    return spent, brought


def best_lap(world: World, most: int) -> tuple[float, Trades]:
    """The closed sequence of at most ``most`` trades that gains most from money to the same money, and what one unit becomes in it.

    Each trade leads from one layer to the next, so that the graph has no cycle, and the shortest way back is the best lap.
    """
    graph = nx.DiGraph()
    trades = [(one, side) for one in world.markets for side in Side]
    spent, brought = ({places(trade)[end] for trade in trades} for end in (0, 1))
    for done in range(most):
        for trade in trades:
            here, there = places(trade)
            graph.add_edge((done, "spends", here), (done + 1, "brought", there), weight=-log(world.rate(trade)), trade=trade)
        for one, other in itertools.product(brought, spent):
            if (rate := world.join(one, other)) is not None:
                graph.add_edge((done + 1, "brought", one), (done + 1, "spends", other), weight=-log(rate))
                if other[1] in MONEY:
                    graph.add_edge((done + 1, "brought", one), ("back", other), weight=-log(rate))
    best: tuple[float, Trades] = (0.0, ())
    for start in (("", money) for money in MONEY):
        ends_here = graph.has_node(("back", start)) and nx.has_path(graph, (0, "spends", start), ("back", start))
        if ends_here:
            way = list(itertools.pairwise(nx.bellman_ford_path(graph, (0, "spends", start), ("back", start))))
            gain = exp(-sum(graph.edges[edge]["weight"] for edge in way))
            best = max(best, (gain, tuple(graph.edges[edge]["trade"] for edge in way if "trade" in graph.edges[edge])), key=itemgetter(0))
    return best


def may_gain(world: World) -> bool:
    """Whether any closed sequence gains, of however many trades, in money or in a coin: whether the rate graph has a negative cycle."""
    graph = nx.DiGraph()
    trades = [(one, side) for one in world.markets for side in Side]
    for trade in trades:
        here, there = places(trade)
        graph.add_edge(("spends", here), ("brought", there), weight=-log(world.rate(trade)))
    for one, other in itertools.product({places(trade)[1] for trade in trades}, {places(trade)[0] for trade in trades}):
        if (rate := world.join(one, other)) is not None:
            graph.add_edge(("brought", one), ("spends", other), weight=-log(rate) + _HAIR)
    return bool(nx.negative_edge_cycle(graph, heuristic=False))


def bps(gain: float) -> float:
    return (gain - 1.0) * 1e4


def parts(trades: Trades) -> Iterator[Trades]:
    """``trades``, or where they pass an asset twice what that makes of them: closed sequences that do not."""
    after = (*trades[1:], trades[0])
    passed = [{ends(one)[1], ends(other)[0]} for one, other in zip(trades, after, strict=True)]
    for one, other in itertools.combinations(range(len(trades)), 2):
        if not passed[one].isdisjoint(passed[other]):
            yield from parts(trades[one + 1 : other + 1])
            yield from parts(trades[other + 1 :] + trades[: one + 1])
            return
    yield trades


@st.composite
def worlds(draw: st.DrawFn) -> tuple[World, Pairs | None]:
    """Prices that are apart by about what fees come to, so that some of it pays and most does not."""
    markets = [market(one.exchange, one.base, one.quote, *_FEES[one.exchange]) for one in draw(listings())]
    tilt, half = st.integers(-150, 150), st.integers(1, 20)  # bps: of the middle, of half a spread
    touches = {}
    for one in markets:
        middle = _WORTH[one.base] / _WORTH[one.quote] * (1.0 + draw(tilt) / 1e4)
        away = draw(half) / 1e4
        touches[one.exchange, one.code] = (middle * (1.0 - away), middle * (1.0 + away))
    pairs = draw(PAIRS)
    return World(markets, books_of(markets, touches), rate_book(1399.0, 1401.0), links_of(pairs)), pairs


@settings(max_examples=300)
@given(drawn=worlds())
def test_nothing_that_pays_has_no_route(drawn: tuple[World, Pairs | None]) -> None:
    world, pairs = drawn
    made = universe(world.markets, world.books, ALL, rates=world.rates, pairs=pairs)
    edges = {trades_of(route): route.touch_edge_bps() for route in made.routes if route.shape in ("two_leg", "triangular", "multi_hop")}
    for most in range(FEWEST_TRADES, MOST_TRADES + 1):
        best = max((edge for trades, edge in edges.items() if len(trades) <= most), default=-1e4)
        gain, lap = best_lap(world, most)
        assert best <= bps(gain) + _SAME
        if gain <= 1.0 + _HAIR:
            continue
        event(f"gains in {most} trades")
        if most < MOST_TRADES:  # too few to pass an asset twice
            assert abs(best - bps(gain)) < _SAME
        pieces = list(parts(lap))
        closing = [part for part in pieces if closes(part, world.linked)]  # in money, and out of stock only where that is linked
        gaining = [part for part in closing if world.gain(part) > 1.0 + _HAIR]
        for part in gaining:
            assert abs(edges[turned(part)] - bps(world.gain(part))) < _SAME
        assert gaining or closing != pieces
    if not may_gain(world):
        assert max(edges.values(), default=0.0) < _SAME
        event("nothing gains")


def test_the_search_finds_what_is_planted() -> None:
    """One triangle pays, by fees taken in what is received; one trade less finds nothing."""
    listed = [market("b", base, quote, *_FEES["b"]) for base, quote in (("BTC", "KRW"), ("ETH", "KRW"), ("ETH", "BTC"))]
    touches = {("b", "BTC-KRW"): (99.9, 100.0), ("b", "ETH-KRW"): (10.1, 10.2), ("b", "ETH-BTC"): (0.0999, 0.1)}
    world = World(listed, books_of(listed, touches), rate_book(), None)
    gain, lap = best_lap(world, 3)
    assert [(one.code, side) for one, side in lap] == [("BTC-KRW", Side.BUY), ("ETH-BTC", Side.BUY), ("ETH-KRW", Side.SELL)]
    assert gain == pytest.approx(0.999**3 * 1.01, rel=1e-12)
    assert may_gain(world)
    assert best_lap(world, 2)[0] < 1.0
