"""The graph of exchange rates against a slow oracle in fractions: the best way over two markets at most, or the reason why none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.marketdata.rate_book import BestConversion, RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import BookState, OrderBook
from arbtui.model.reason import Reason
from tests.routes.pairs import NOW, book

MAX_AGE_S = 5.0
CURRENCIES = ("KRW", "USDT", "USDC")


@dataclass(frozen=True)
class Edge:
    """A market as drawn: levels are (price, quantity), best first."""

    base: str
    quote: str
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    age_s: float
    is_live: bool
    doubted: bool
    fee: float
    sold_margin_bps: float
    bought_margin_bps: float

    def made(self, number: int) -> RateMarket:
        of = book(f"v{number}", f"{self.quote}-{self.base}", self.bids, self.asks, NOW - self.age_s)
        of.state = BookState.LIVE if self.is_live else BookState.STALE
        market = RateMarket(of, self.base, self.quote, MAX_AGE_S, self.fee)
        market.doubted = self.doubted
        market.set_margin(self.sold_margin_bps, self.bought_margin_bps)
        return market

    def is_fit(self) -> bool:
        return self.is_live and not self.doubted and self.age_s <= MAX_AGE_S

    def walked(self, source: str, size: Fraction) -> Fraction:
        """One unit of ``source`` in the other currency, for an order of ``size`` base; 0 where the side does not show it."""
        levels = self.bids if source == self.base else self.asks
        left, total = size, Fraction(0)
        for price, qty in levels:
            step = min(left, Fraction(qty))
            total, left = total + step * Fraction(price), left - step
        if left > 0:
            return Fraction(0)
        average = total / size if size else Fraction(levels[0][0])
        return average * (1 - Fraction(self.fee)) if source == self.base else 1 / (average * (1 + Fraction(self.fee)))

    def margin(self, source: str) -> Fraction:
        return Fraction(self.sold_margin_bps if source == self.base else self.bought_margin_bps) / 10_000

    def other(self, source: str) -> str:
        return self.quote if source == self.base else self.base


def _ways(edges: Sequence[Edge], source: str, target: str) -> Iterator[tuple[tuple[Edge, str], ...]]:
    """Every way of one or two markets, each with the currency that it starts from."""
    for first in edges:
        if source not in (first.base, first.quote):
            continue
        between = first.other(source)
        if between == target:
            yield ((first, source),)
            continue
        for second in edges:
            if between in (second.base, second.quote) and second.other(between) == target:
                yield (first, source), (second, between)


def _worth(way: Sequence[tuple[Edge, str]], sizes: dict[int, Fraction], *, confirmed: bool) -> Fraction:
    worth = Fraction(1)
    for edge, source in way:
        worth *= edge.walked(source, sizes[id(edge)])
        if confirmed:
            worth *= 1 - edge.margin(source)
    return worth


_LEVEL_QTY = st.sampled_from((20.0, 60.0, 1e6))


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    base, quote = draw(st.sampled_from((("USDT", "KRW"), ("USDT", "KRW"), ("USDC", "USDT"), ("USDC", "KRW"))))
    unit = {("USDT", "KRW"): 0.5, ("USDC", "USDT"): 0.0001, ("USDC", "KRW"): 0.5}[base, quote]
    middle = draw(st.integers(2780, 2820)) * 0.5 if quote == "KRW" else 1.0 + draw(st.integers(-20, 20)) * unit
    qtys = draw(st.tuples(*[_LEVEL_QTY] * 4))
    return Edge(
        base,
        quote,
        ((middle - unit, qtys[0]), (middle - 3 * unit, qtys[1])),
        ((middle + unit, qtys[2]), (middle + 4 * unit, qtys[3])),
        draw(st.sampled_from((0.0, 1.0, 5.0, 5.001, 60.0))),
        draw(st.sampled_from((True, True, True, False))),
        draw(st.sampled_from((False, False, False, True))),
        draw(st.sampled_from((0.0, 0.0005, 0.001))),
        draw(st.sampled_from((0.0, 0.0, 12.0))),
        draw(st.sampled_from((0.0, 0.0, 25.0))),
    )


def _sizes(graph: RateBook, drawn: Sequence[Edge]) -> dict[int, Fraction]:
    """Of the order, in each market's base: the graph's own valuation at the middle, which is no money."""
    found = {}
    for edge, market in zip(drawn, graph.markets, strict=True):
        if edge.base == graph.currency:
            assert market.size == graph.order_value
        elif graph.order_value:
            value = graph.value(edge.base)
            assert market.size == (pytest.approx(graph.order_value / value) if value > 0.0 else inf)
        found[id(edge)] = Fraction(market.size) if market.size < inf else Fraction(10**12)
    return found


@settings(max_examples=300)
@given(st.lists(edges(), max_size=5), st.sampled_from(CURRENCIES), st.sampled_from((0.0, 50.0, 100.0)))
def test_every_conversion_is_the_best_usable_way_of_an_exact_oracle(drawn: list[Edge], currency: str, order_value: float) -> None:
    graph = RateBook([edge.made(n) for n, edge in enumerate(drawn)], currency, order_value)
    shared = {(a, b): graph.conversion(a, b) for a in CURRENCIES for b in CURRENCIES}
    graph.refresh(now=NOW)
    graph.refresh(now=NOW)  # a size in a currency that is valued over a market read later
    sizes = _sizes(graph, drawn)
    for (source, target), conversion in shared.items():
        assert graph.conversion(source, target) is conversion
        if source == target:
            assert (conversion.value, conversion.refusal(NOW)) == (1.0, None)
            continue
        ways = list(_ways(drawn, source, target))
        usable = [way for way in ways if all(edge.is_fit() for edge, _ in way) and _worth(way, sizes, confirmed=False) > 0]
        refusal = conversion.refusal(NOW)
        if not usable:
            assert refusal is not None
            if not ways:
                assert (refusal, conversion.value) == (Reason.NO_RATE, 0.0)
            continue
        assert refusal is None
        best = max(_worth(way, sizes, confirmed=True) for way in usable)
        assert all(market.refusal(NOW) is None for market in conversion.markets)
        taken = [way for way in usable if float(_worth(way, sizes, confirmed=False)) == pytest.approx(conversion.value, rel=1e-12)]
        assert taken, "what it is worth is no usable way's"
        assert max(float(_worth(way, sizes, confirmed=True)) for way in taken) == pytest.approx(float(best), rel=1e-12)


def _two(upbit: OrderBook, bithumb: OrderBook) -> RateBook:
    graph = RateBook([RateMarket(one, "USDT", "KRW", MAX_AGE_S, 0.0005) for one in (upbit, bithumb)], "USDT")
    graph.refresh(now=NOW)
    return graph


@pytest.fixture
def books() -> tuple[OrderBook, OrderBook]:
    return (
        book("upbit", "KRW-USDT", [(1400.0, 1e6)], [(1401.0, 1e6)]),
        book("bithumb", "KRW-USDT", [(1399.0, 1e6)], [(1400.5, 1e6)]),
    )


def test_each_direction_is_taken_where_it_is_best(books: tuple[OrderBook, OrderBook]) -> None:
    graph = _two(*books)
    assert graph.conversion("USDT", "KRW").markets == (graph.markets[0],)  # the higher bid
    assert graph.conversion("KRW", "USDT").markets == (graph.markets[1],)  # the lower ask


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda market: setattr(market.book, "state", BookState.STALE), Reason.NO_RATE),
        (lambda market: setattr(market.book, "ts_init", NOW - 6.0), Reason.RATE_OLD),
        (lambda market: setattr(market, "doubted", True), Reason.RATE_DOUBTED),
    ],
    ids=["dead", "old", "doubted"],
)
def test_an_edge_that_may_not_be_used_drops_out_and_the_other_carries_on(books: tuple[OrderBook, OrderBook], spoil, reason) -> None:  # type: ignore[no-untyped-def]
    graph = _two(*books)
    sold = graph.conversion("USDT", "KRW")
    spoil(graph.markets[0])  # no book changes: who asks is told all the same
    assert sold.refusal(NOW) is None
    assert sold.markets == (graph.markets[1],)
    assert sold.value == pytest.approx(1399.0 * 0.9995)
    spoil(graph.markets[1])
    assert sold.refusal(NOW) is reason
    graph.markets[1].doubted = False
    graph.markets[1].book.state, graph.markets[1].book.ts_init = BookState.LIVE, NOW
    assert sold.refusal(NOW) is None


def test_the_better_market_is_taken_again_once_it_may_be_used(books: tuple[OrderBook, OrderBook]) -> None:
    graph = _two(*books)
    sold = graph.conversion("USDT", "KRW")
    graph.markets[0].doubted = True
    graph.look(NOW)
    assert sold.markets == (graph.markets[1],)
    graph.markets[0].doubted = False
    graph.look(NOW)
    assert sold.markets == (graph.markets[0],)


def test_a_rate_that_is_better_than_the_coins_confirm_is_not_chosen_for_it(books: tuple[OrderBook, OrderBook]) -> None:
    graph = _two(*books)
    graph.markets[0].set_margin(20.0, 0.0)  # 7 bps better, 20 of them not confirmed
    graph.look(NOW)
    sold = graph.conversion("USDT", "KRW")
    assert (sold.markets, sold.margin_bps) == ((graph.markets[1],), 0.0)


def test_a_tick_is_a_change_only_where_it_changes_what_is_shared(books: tuple[OrderBook, OrderBook]) -> None:
    graph = _two(*books)
    graph.conversion("USDT", "KRW")
    books[1].touch(1399.5, 1e6, 1400.5, 1e6)
    assert not graph.refresh([books[1]], NOW)  # the other venue's bid is still better
    books[1].touch(1400.5, 1e6, 1401.0, 1e6)
    assert graph.refresh([books[1]], NOW)
    assert not graph.refresh([OrderBook("upbit", "KRW-XRP")], NOW)


def test_two_markets_join_what_none_joins_alone() -> None:
    won = book("upbit", "KRW-USDT", [(1400.0, 1e6)], [(1401.0, 1e6)])
    dollars = book("bybit", "USDCUSDT", [(0.9990, 1e6)], [(0.9992, 1e6)])
    graph = RateBook([RateMarket(won, "USDT", "KRW", 5.0, 0.0005), RateMarket(dollars, "USDC", "USDT", 5.0, 0.001)], "USDT", 100.0)
    graph.refresh(now=NOW)
    sold = graph.conversion("USDC", "KRW")
    assert isinstance(sold, BestConversion)
    assert sold.value == pytest.approx(0.9990 * 0.999 * 1400.0 * 0.9995)
    assert sold.gross == pytest.approx(0.9990 * 1400.0)
    assert graph.mid("USDC", "KRW") == pytest.approx(0.9991 * 1400.5)
    graph.markets[1].doubted = True
    assert sold.refusal(NOW) is Reason.RATE_DOUBTED
    assert graph.conversion("USDT", "KRW").refusal(NOW) is None


def test_sizes_and_marks_are_read_from_the_first_rate_that_is_live_and_believed(books: tuple[OrderBook, OrderBook]) -> None:
    graph = _two(*books)
    assert graph.mid("USDT", "KRW") == 1400.5
    graph.markets[0].doubted = True
    assert (graph.mid("USDT", "KRW"), graph.middle("KRW", "USDT")) == (1399.75, (1 / 1399.75, graph.markets[1]))
    graph.markets[1].book.state = BookState.STALE
    assert graph.mid("USDT", "KRW") == 1400.5  # none is: the first that has a price at all
    assert graph.shown() is graph.markets[0]
