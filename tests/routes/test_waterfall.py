"""The steps from the gross to the net edge add up for every shape, each step is what it says, and the sum is what is traded."""

import random
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction as F
from math import inf

import pytest

from arbtui.exchanges.networks import NetworkPath
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side
from arbtui.routes.pieces import Piece
from arbtui.routes.route import ArbRoute
from arbtui.routes.rules import SHAPES
from arbtui.routes.waterfall import EdgeWaterfall, Stage, Way, edge_waterfall
from tests.routes import chains
from tests.routes.pairs import NOW, TERMS, Pair, rate_book
from tests.routes.venues import books_of, market, universe

_CASES = 60


def _steps(falls: EdgeWaterfall) -> dict[str, float]:
    steps: dict[str, float] = {}
    for name, bps in falls.falls:
        steps[name] = steps.get(name, 0.0) + bps
    return steps


def _fixed_rate(route: ArbRoute) -> F:
    closing = chains.SHAPES[route.id][1]
    return F(1) if closing is None else F(route.rates.conversion(*closing).value)


@pytest.mark.parametrize("shape", chains.SHAPES)
def test_it_adds_up_and_its_net_is_that_of_the_size_that_it_tells(shape: str) -> None:
    """Net, less rounding and what is charged, equals a slow computation of that size in Fractions, at the rate of a whole order."""
    chance = random.Random(3)
    deep = 0
    for _ in range(_CASES):
        route = chains.route_of(shape, chance, replace(chains.TERMS, order_value=chance.choice((100.0, 3_000.0))))
        route.learn(chance.choice((0.0, 4.0)))
        falls = route.waterfall()
        assert falls is not None
        steps = _steps(falls)
        assert falls.net == pytest.approx(falls.gross + sum(bps for _, bps in falls.falls), abs=1e-9)
        assert falls.threshold == route.terms.min_edge_bps
        assert -steps["slippage"] - steps.get("learned", 0.0) == pytest.approx(route.charge_bps)
        assert len([name for name, _ in falls.falls if name.startswith("fee ")]) == len(route.trades)
        before = falls.net - steps["rounding"] + route.charge_bps
        amount = F(falls.value) * (1 - F(1, 10**12)) / chains.unit_value(route) if falls.value else F(1, 10**9)
        out = chains.through(route, amount, _fixed_rate(route))
        assert out is not None
        assert before == pytest.approx(float((out / amount - 1) * 10_000), abs=1e-5)
        assert (falls.value > 0.0) == (before > falls.threshold + route.charge_bps or steps["depth"] < 0.0)
        deep += steps["depth"] < 0.0
    assert deep > 3, "hardly any went below the touch"


@pytest.mark.parametrize("slippage", [0.0, 2.5])
@pytest.mark.parametrize("shadow", [0.0, 40.0])
@pytest.mark.parametrize("order_value", [20.0, 1_000.0])
def test_of_a_route_that_trades_it_ends_at_the_edge_of_the_opportunity(slippage: float, shadow: float, order_value: float) -> None:
    terms = replace(TERMS, slippage_bps=slippage, order_value=order_value)
    pair = Pair(terms=terms, shadow_bps_at_empty=shadow)
    for node in (*pair.stock.values(), *pair.cash.values()):
        node.available *= 10.0
    for route in (pair.to_upbit, pair.to_binance):
        falls, opportunity = route.waterfall(), route.evaluate(NOW)
        assert falls is not None
        assert (opportunity is not None) == (falls.value > 0.0)
        steps = _steps(falls)
        assert falls.gross == pytest.approx(route.gross_edge_bps())
        if opportunity is None:
            assert steps["depth"] == steps["rounding"] == 0.0
            assert falls.net + route.shadow_bps() == pytest.approx(route.touch_edge_bps())
            assert falls.net < falls.threshold
        else:
            assert falls.net == pytest.approx(opportunity.edge_bps - route.shadow_bps(), abs=0.02)  # 0.02: a lot of the order, in depth
            assert falls.value == pytest.approx(opportunity.value, rel=0.01)


def test_no_price_no_waterfall() -> None:
    pair = Pair()
    pair.binance.replace([], [])
    assert pair.to_upbit.waterfall() is None
    assert pair.to_binance.waterfall() is None
    shallow = Pair()
    shallow.rates.markets[0].size = 1e9
    shallow.rates.refresh()
    assert shallow.to_upbit.waterfall() is None, "a rate that a whole order does not get is none"


def test_what_a_hop_takes_beside_its_price_is_a_step_of_its_own_whether_it_pays_or_not() -> None:
    """A network that keeps 5 XRP: told for a whole order, also while the route is far from paying."""
    pair = Pair()
    stages: list[Stage] = []
    for hop in pair.to_upbit.trades:
        stages.append(Stage((Way(tuple(hop.pieces()), hop.touch_rate, hop),)))
        if hop.side is Side.BUY:
            kept: tuple[Piece, ...] = ((0.0, 5.0), (1.0, inf))
            stages.append(Stage((Way(kept, 1.0),), loss="network fee"))
    stages.append(Stage((Way(((1 / 1401.0, inf),), 1 / 1401.0),)))
    bought = 400.0 / 2.14 * 0.999
    for threshold, value in ((3.0, 400.0), (500.0, 400.0)):
        falls = edge_waterfall(stages, [("price risk", 7.0)], shadow_bps=0.0, threshold_bps=threshold, most=400.0, unit_value=1.0)
        assert falls is not None
        steps = _steps(falls)
        assert falls.value == value
        assert steps["network fee"] == pytest.approx(-5.0 * 3030.0 * 0.9995 / 1401.0 / 400.0 * 1e4)
        assert steps["price risk"] == -7.0
        assert falls.net == pytest.approx(((bought - 5.0) * 3030.0 * 0.9995 / 1401.0 / 400.0 - 1) * 1e4 - 7.0 + steps["rounding"])


def _market_of(exchange: str, base: str, quote: str, fee: str, lot: str) -> Market:
    return market(exchange, base, quote, fee=fee, taken_in=FeeTakenIn.RECEIVED if exchange == "sea" else FeeTakenIn.QUOTE, lot=lot)


def test_every_shape_of_a_whole_universe_ends_at_the_edge_that_it_trades_at() -> None:
    """Triangles, forks and routes over venues, as they are found and walked elsewhere: both curve and waterfall say what the walk says."""
    listed = [
        *(_market_of(name, "XRP", "KRW", "0.0005", "0.0001") for name in ("hill", "lake")),
        _market_of("hill", "BTC", "KRW", "0.0005", "0.00000001"),
        _market_of("hill", "XRP", "BTC", "0.0025", "0.0001"),
        _market_of("sea", "XRP", "USDT", "0.001", "0.0001"),
        _market_of("sea", "BTC", "USDT", "0.001", "0.00000001"),
        _market_of("sea", "XRP", "BTC", "0.001", "0.0001"),
    ]
    chance = random.Random(5)
    shapes: dict[str, int] = {}
    for _ in range(40):
        books = books_of(listed)
        for one in listed:
            made = chains.ladders(one, chance, chance.gauss(0.0, 40.0) / 1e4)
            books[one.exchange, one.code].replace(list(made.bids()), list(made.asks()))
        terms = replace(TERMS, order_value=chance.choice((100.0, 2_000.0)), slippage_bps=1.0, price_ratio=(0.5, 2.0))
        for route in universe(listed, books, terms=terms, rates=rate_book()).routes:
            for hop in route.transfers:  # what nobody has told of costs nobody knows what
                hop.take([NetworkPath(hop.asset, Decimal("0.0001"), None, None, 2.0, "", None, "")], NOW, 0.0001, 1.0)
                route.set_terms(route.terms)
            found, falls, curve = route.evaluate(NOW), route.waterfall(), route.capacity()
            assert falls is not None
            assert curve is not None
            assert falls.net == pytest.approx(falls.gross + sum(bps for _, bps in falls.falls), abs=1e-9)
            if found is None:
                continue
            shapes[route.shape] = shapes.get(route.shape, 0) + 1
            assert falls.value == pytest.approx(found.value, rel=0.02), route.id
            assert falls.net == pytest.approx(found.edge_bps - route.shadow_bps(), abs=0.3), route.id
            assert found.value <= curve.end.value * 1.001, route.id  # more by what a lot is rounded up
            point = curve.at(min(found.value, curve.end.value))
            assert point is not None
            assert point.edge_bps == pytest.approx(found.edge_bps, abs=0.3), route.id
    assert {shape for shape, times in shapes.items() if times > 3} == set(SHAPES), shapes
