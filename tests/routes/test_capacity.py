"""What a route earns by size: against Fractions, for every shape, and where its books end."""

import random
from dataclasses import replace
from fractions import Fraction as F

import pytest

from arbtui.marketdata.rate_book import RateBook
from arbtui.routes.capacity import SIZES, CapacityPoint, capacity_curve
from arbtui.routes.pieces import composed, forked, poured
from arbtui.routes.route import ArbRoute
from tests.routes import chains
from tests.routes.pairs import Pair

_CASES = 24


def profit(route: ArbRoute, value: F) -> F | None:
    """In dollars, by the second opinion; None where a book ends before."""
    unit = chains.unit_value(route)
    amount = value / unit
    out = chains.through(route, amount)
    return None if out is None else (out - amount) * unit - value * F(route.charge_bps) / 10_000


@pytest.mark.parametrize("shape", chains.SHAPES)
def test_profit_at_every_size_equals_a_slow_computation_in_fractions(shape: str) -> None:
    chance = random.Random(7)
    compared = ended = 0
    for _ in range(_CASES):
        route = chains.route_of(shape, chance)
        curve = route.capacity()
        assert curve is not None
        for value in (*SIZES, 17.0, 333.0, curve.end.value * 0.999, curve.end.value * 1.001):
            point, expected = curve.at(value), profit(route, F(value))
            assert (point is None) is (expected is None), value
            if point is None or expected is None:
                ended += 1
                continue
            assert point.value == value
            assert point.profit == pytest.approx(float(expected), rel=1e-9, abs=1e-9 * value)
            assert point.edge_bps == pytest.approx(float(expected / F(value) * 10_000), abs=1e-6)
            compared += 1
    assert compared > 50, "hardly anything was compared"
    assert ended > 30, "hardly any size was beyond the books"


@pytest.mark.parametrize("shape", chains.SHAPES)
def test_no_size_earns_more_than_the_best(shape: str) -> None:
    chance = random.Random(11)
    inside = 0
    for _ in range(_CASES):
        route = chains.route_of(shape, chance)
        curve = route.capacity()
        assert curve is not None
        best = curve.best
        sizes = [F(curve.end.value) * step / 60 for step in range(1, 60)]
        most = max((earned for size in sizes if (earned := profit(route, size)) is not None), default=F(0))
        if best is None:
            assert most <= F(1, 10**9)
            continue
        inside += best.value < curve.end.value
        assert best.profit >= float(most) - 1e-9
        assert float(profit(route, F(best.value * (1 - 1e-12))) or 0) == pytest.approx(best.profit, rel=1e-9)
    assert inside > 1, "no best size lay within the books"


def test_slippage_that_was_learned_lowers_the_whole_curve() -> None:
    pair = Pair()
    before = pair.to_upbit.capacity()
    pair.to_upbit.learn(5.0)
    after = pair.to_upbit.capacity()
    assert before is not None
    assert after is not None
    assert before.at(100.0).edge_bps - after.at(100.0).edge_bps == pytest.approx(5.0)  # type: ignore[union-attr]


def test_what_is_not_known_has_no_curve() -> None:
    pair = Pair()
    pair.binance.replace([], [])
    assert pair.to_upbit.capacity() is None
    assert pair.to_binance.capacity() is None
    assert Pair(rates=RateBook()).to_upbit.capacity() is None
    assert Pair(rates=RateBook()).to_binance.capacity() is None


def test_the_curve_ends_where_the_first_book_does_the_rates_too() -> None:
    pair = Pair()  # 800 XRP asked at Binance for 1,712.05 USDT, 900 bid for at Upbit
    curve = pair.to_upbit.capacity()
    assert curve is not None
    assert curve.end.value == pytest.approx(300 * 2.14 + 500 * 2.1401)
    assert curve.at(5_000.0) is None
    pair.rates.markets[0].book.replace([(1400.0, 100.0)], [(1401.0, 100.0)])
    shallow = pair.to_upbit.capacity()
    assert shallow is not None
    assert 95.0 < shallow.end.value < 100.0


def test_a_route_that_earns_nothing_has_no_best_size_and_samples_go_to_the_end() -> None:
    curve = Pair().to_binance.capacity()
    assert curve is not None
    assert curve.best is None
    shown = curve.samples(10, 1_000.0)
    assert [point.value for point in shown] == pytest.approx([100.0 * n for n in range(1, 11)])
    assert all(point.profit < 0.0 for point in shown)


def test_a_fixed_loss_is_earned_back_first() -> None:
    """A network that keeps 2 of what is sent: nothing comes out below that, and the edge rises with the size."""
    curve = capacity_curve(composed([[(2.0, 100.0)], [(0.0, 2.0), (1.0, float("inf"))], [(0.51, 150.0), (0.49, 150.0)]]), 1.0, 0.0)
    assert curve is not None
    assert curve.at(1.0) == CapacityPoint(1.0, -1.0)
    assert curve.at(51.0).profit == pytest.approx(100 * 0.51 - 51.0)  # type: ignore[union-attr]
    assert curve.best is not None
    assert (curve.best.value, curve.best.profit) == pytest.approx((76.0, 150 * 0.51 - 76.0))
    assert curve.end.value == 100.0


def test_a_fork_takes_the_better_way_first() -> None:
    pieces = forked([[(1.02, 10.0), (1.00, 10.0)], composed([[(1.0, 5.0)], [(1.01, 9.0)]])])
    assert pieces == [(1.02, 10.0), (1.01, 5.0), (1.00, 10.0)]
    amounts = poured([pieces], 12.0)
    assert amounts == [12.0, pytest.approx(10 * 1.02 + 2 * 1.01)]
    assert poured([pieces], 26.0) is None


def test_sizes_are_told_in_the_pnl_currency_whatever_is_spent() -> None:
    """Bought in won, sold for dollars: 800 bid for at Binance end it, for a desk that counts in won and one that counts in dollars."""
    for currency, unit in (("KRW", 1.0), ("USDT", 1 / 1400.5)):
        curve = Pair(terms=replace(chains.TERMS, value_currency=currency)).to_binance.capacity()
        assert curve is not None
        assert curve.end.value == pytest.approx((400 * 3031.0 + 400 * 3032.0) * 1.0005 * unit)
