"""Several routes that pay at once share stock, cash and depth: none is given away twice, and what is scarce goes where it earns most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import combinations, permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import Level, OrderBook
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.hops import InventoryHop, Node, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import ArbRoute, Opportunity, SizedHop
from tests.routes.pairs import NOW, OTHER_XRP, TERMS, book

VENUES = ("near", "far", "third", "fourth")
LEVELS = st.lists(st.integers(1, 400), min_size=1, max_size=4)


@dataclass
class Desk:
    """One asset at several venues of one currency, a route each way between any two, and cycles that only reserve."""

    bids: Mapping[str, tuple[float, Sequence[int]]]
    asks: Mapping[str, tuple[float, Sequence[int]]]
    stock: float = 1e9
    cash: float = 1e9
    order_value: float = 1e6
    min_edge_bps: float = 3.0
    opened: list[Opportunity] = field(default_factory=list)

    def __post_init__(self) -> None:
        terms = replace(TERMS, order_value=self.order_value, min_edge_bps=self.min_edge_bps)
        self.books: dict[str, OrderBook] = {}
        self.nodes: dict[tuple[str, str], Node] = {}
        self.routes: list[InventoryRoute] = []
        for name in self.bids:
            (bid, bid_qtys), (ask, ask_qtys) = self.bids[name], self.asks[name]
            bids: list[Level] = [(round(bid - n * 0.001, 4), float(qty)) for n, qty in enumerate(bid_qtys)]
            asks: list[Level] = [(round(ask + n * 0.001, 4), float(qty)) for n, qty in enumerate(ask_qtys)]
            self.books[name] = book(name, "XRP-USDT", bids, asks)
            self.nodes[name, "XRP"] = Node(name, "XRP", self.stock, self.stock)
            self.nodes[name, "USDT"] = Node(name, "USDT", self.cash)
        markets = {name: replace(OTHER_XRP, exchange=name) for name in self.bids}
        for bought in self.bids:
            for sold in self.bids:
                if bought != sold:
                    self.routes.append(
                        InventoryRoute(
                            "XRP",
                            TradeHop(markets[bought], self.books[bought], Side.BUY),
                            TradeHop(markets[sold], self.books[sold], Side.SELL),
                            InventoryHop(self.nodes[bought, "XRP"], self.nodes[sold, "XRP"], 0.0),
                            self.nodes[bought, "USDT"],
                            RateBook(),
                            terms,
                        )
                    )

    def found(self) -> list[Opportunity]:
        return [found for route in self.routes if (found := route.evaluate(NOW)) is not None]

    def open_cycle(self, opportunity: Opportunity) -> Reason | None:
        for order in opportunity.orders:
            market, qty = order.hop.market, float(order.qty)
            spent = qty if order.hop.side is Side.SELL else qty * float(order.price) * (1 + float(market.fees.taker))
            self.nodes[market.exchange, order.hop.spends].available -= spent
        self.opened.append(opportunity)
        return None

    def share_out(self, found: Sequence[Opportunity]) -> list[tuple[str, Reason | None]]:
        prioritizer, said = RoutePrioritizer(), []
        for opportunity in prioritizer.rank(found):
            sized, refusal = prioritizer.share_out(opportunity, self.open_cycle)
            said.append((sized.route.id, refusal))
        return said


def levels(of: OrderBook) -> tuple[list[Level], list[Level]]:
    return list(of.bids()), list(of.asks())


@settings(max_examples=150)
@given(
    prices=st.lists(st.tuples(st.integers(0, 60), LEVELS, LEVELS), min_size=3, max_size=4),
    stock=st.sampled_from([1e9, 300.0, 40.0]),
    cash=st.sampled_from([1e9, 700.0, 90.0]),
    value=st.sampled_from([1e6, 500.0]),
)
def test_nothing_is_given_away_twice(prices: list[tuple[int, list[int], list[int]]], stock: float, cash: float, value: float) -> None:
    """However books, stock and cash are: each order can fill from what earlier ones left, and nobody's money is spent twice."""
    bids = {name: (round(2.0 + cents / 1000, 4), qtys) for name, (cents, qtys, _) in zip(VENUES, prices, strict=False)}
    asks = {name: (round(2.001 + cents / 1000, 4), qtys) for name, (cents, _, qtys) in zip(VENUES, prices, strict=False)}
    desk, again = Desk(bids, asks, stock, cash, value), Desk(bids, asks, stock, cash, value)
    found = desk.found()
    assume(len(found) > 1)
    before = {name: levels(one) for name, one in desk.books.items()}
    said = desk.share_out(found)
    assert {name: levels(one) for name, one in desk.books.items()} == before, "books are as the venues have shown them"
    assert len(said) == len(found)
    left = {(name, side): list(sides[side is Side.BUY]) for name, sides in before.items() for side in Side}
    for opportunity in desk.opened:
        assert opportunity.edge_bps >= desk.min_edge_bps
        for order in opportunity.orders:
            qty, there = float(order.qty), left[order.hop.market.exchange, order.hop.side]
            while qty > 1e-9:
                assert there, "it wants more than the book holds"
                price, size = there.pop(0)
                assert price <= float(order.price) if order.hop.side is Side.BUY else price >= float(order.price)
                if size > qty:
                    there.insert(0, (price, size - qty))
                qty -= min(size, qty)
    assert all(node.available >= -1e-6 for node in desk.nodes.values())
    assert again.share_out(again.found()) == said, "the same again"


def _shared_asks(qtys: Sequence[int]) -> Desk:
    """Cheap at ``near``; dear at ``third``, and dearer at ``far``, which each bid for more than ``near`` offers."""
    bids = {"near": (2.0, [10]), "far": (2.05, [900]), "third": (2.04, [900])}
    asks = {"near": (2.001, qtys), "far": (2.051, [10]), "third": (2.041, [10])}
    return Desk(bids, asks, order_value=400.0)


def test_the_second_is_sized_on_what_the_first_has_left() -> None:
    desk = _shared_asks([300])
    found = [one for one in desk.found() if one.route.id != "XRP:third>far"]
    assert [one.size for one in found] == pytest.approx([199.74, 199.74], abs=0.1)
    said = desk.share_out(found)
    assert said == [("XRP:near>far", None), ("XRP:near>third", None)]
    assert [one.size for one in desk.opened] == pytest.approx([199.74, 300 - 199.74], abs=0.1)


def test_what_is_refused_says_why_until_the_book_is_shown_anew() -> None:
    desk = _shared_asks([199])
    found = [one for one in desk.found() if one.route.id != "XRP:third>far"]
    prioritizer = RoutePrioritizer()
    first, second = prioritizer.rank(found)
    assert prioritizer.share_out(first, desk.open_cycle)[1] is None
    assert prioritizer.share_out(second, desk.open_cycle)[1] is Reason.DEPTH_TAKEN
    assert prioritizer.share_out(second, desk.open_cycle)[1] is Reason.DEPTH_TAKEN, "nothing new was shown"
    desk.books["near"].updates += 1
    assert prioritizer.share_out(second, desk.open_cycle)[1] is None


def test_what_a_cycle_was_given_and_has_not_taken_is_there_again_when_it_ends() -> None:
    desk = _shared_asks([199])
    first, second = RoutePrioritizer().rank([one for one in desk.found() if one.route.id != "XRP:third>far"])
    prioritizer = RoutePrioritizer()
    assert prioritizer.share_out(first, desk.open_cycle)[1] is None
    prioritizer.release(second.route)
    assert prioritizer.share_out(second, desk.open_cycle)[1] is Reason.DEPTH_TAKEN, "that was not its own"
    prioritizer.release(first.route)
    assert prioritizer.share_out(second, desk.open_cycle)[1] is None


def test_stock_that_the_first_has_reserved_is_not_promised_to_the_second() -> None:
    """Two buy apart and sell at one venue, from a stock that only one of them can use."""
    bids = {"near": (2.0, [10]), "third": (2.0, [10]), "far": (2.05, [900])}
    asks = {"near": (2.001, [500]), "third": (2.002, [500]), "far": (2.051, [10])}
    for stock, expected in ((300.0, [199.74, 100.26]), (200.0, [199.74])):
        desk = Desk(bids, asks, stock=stock, order_value=400.0)
        said = desk.share_out(desk.found())
        assert [one.size for one in desk.opened] == pytest.approx(expected, abs=0.15)
        assert said[1][1] in ((None,) if len(expected) == 2 else (Reason.NO_STOCK, Reason.TOO_SMALL, Reason.LOT_TOO_COARSE))


class Linear(ArbRoute):
    """Earns ``edge`` bps on any size, up to ``most`` units of the one stock that it sells."""

    def __init__(self, name: str, node: Node, most: float, edge: float) -> None:
        hop = TradeHop(OTHER_XRP, book("other", name, [(1.0, 1e9)], [(1.1, 1e9)]), Side.SELL)
        super().__init__(name, "XRP", (hop,), RateBook(), TERMS)
        self.node, self.most, self.edge = node, most, edge

    @property
    def uses(self) -> tuple[Node, ...]:
        return (self.node,)

    def clears(self) -> bool:
        return True

    def walk(self, now: float) -> Opportunity | None:
        qty = min(self.most, self.node.available)
        if qty < 1.0:
            self.denied = Reason.NO_STOCK
            return None
        order = SizedHop(self.trades[0], Decimal(str(qty)), Decimal(1))
        return Opportunity(self, (order,), self.edge, qty, qty, now, 0.0)


@settings(max_examples=100)
@given(
    wants=st.lists(st.tuples(st.integers(10, 100), st.integers(1, 100)), min_size=2, max_size=4),
    stock=st.integers(10, 250),
)
def test_no_other_order_earns_more_of_a_stock_that_is_too_small_for_all(wants: list[tuple[int, int]], stock: int) -> None:
    def earned(first: Sequence[int] | None) -> float:
        node, total = Node("other", "XRP", float(stock), float(stock)), 0.0
        routes = [Linear(f"r{n}", node, float(most), float(edge)) for n, (most, edge) in enumerate(wants)]
        found = [opportunity for route in routes if (opportunity := route.evaluate(NOW)) is not None]
        prioritizer = RoutePrioritizer()

        def open_cycle(opportunity: Opportunity) -> Reason | None:
            nonlocal total
            node.available -= opportunity.size
            total += opportunity.expected_pnl
            return None

        for opportunity in prioritizer.rank(found) if first is None else [found[place] for place in first]:
            prioritizer.share_out(opportunity, open_cycle)
        return total

    ours = earned(None)
    for order in permutations(range(len(wants))):
        assert ours >= earned(order) - 1e-2 * max(edge for _, edge in wants) / 100  # what is under one unit is not traded


def test_where_nothing_is_contended_profit_alone_ranks() -> None:
    node = Node("other", "XRP", 1e6, 1e6)
    routes = [Linear(f"r{n}", node, most, edge) for n, (most, edge) in enumerate(((10.0, 90.0), (100.0, 20.0), (50.0, 30.0)))]
    found = [route.evaluate(NOW) for route in routes]
    assert None not in found
    ranked = RoutePrioritizer().rank([one for one in found if one is not None])
    assert [one.route.id for one in ranked] == ["r1", "r2", "r0"]
    node.available = 120.0
    scarce = RoutePrioritizer().rank([one for one in found if one is not None])
    assert [one.route.id for one in scarce] == ["r0", "r2", "r1"], "now it is the profit for each unit that counts"


def test_a_book_without_its_best_levels_is_whole_again_afterwards() -> None:
    for whole in (True, False):
        one = book("near", "XRP-USDT", [(2.0, 5.0), (1.9, 7.0)], [(2.1, 3.0), (2.2, 4.0)])
        if not whole:
            one.apply([(1.8, 2.0)], [])
        one.touch(2.01, 4.0, 2.1, 3.0)
        before = levels(one)
        for bids, asks in combinations((0.0, 2.5, 4.0, 6.0, 1e6), 2):
            with one.without(bids=bids, asks=asks):
                inside = levels(one)
                assert sum(qty for _, qty in inside[0]) == pytest.approx(max(0.0, sum(qty for _, qty in before[0]) - bids))
                assert sum(qty for _, qty in inside[1]) == pytest.approx(max(0.0, sum(qty for _, qty in before[1]) - asks))
                assert (one.bid, one.bid_qty) == (inside[0][0] if inside[0] else (0.0, 0.0))
            assert levels(one) == before
            assert (one.bid, one.bid_qty, one.ask, one.ask_qty) == (2.01, 4.0, 2.1, 3.0)
