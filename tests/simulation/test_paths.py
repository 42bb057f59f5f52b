import math
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from arbtui.model.rng import Rng
from arbtui.simulation.paths import JUMP_RATE, AssetPath, RatePath, Swing, VenuePrice


def test_a_swing_is_symmetric_with_unit_deviation_whatever_the_step() -> None:
    """The transition is exact: sampled every 0.1 s or every 1.7 s, mean zero and variance one."""
    swing, chance = Swing(6.0, 0.4), Rng(1).stream("swing")
    for steps, count in ((10, 60_000), (170, 6_000)):
        position, velocity, seen = 0.0, 0.0, []
        for _ in range(count):
            position, velocity = swing.step(position, velocity, steps, chance.gauss(0, 1), chance.gauss(0, 1))
            seen.append(position)
        assert abs(fmean(seen)) < 0.08
        assert pstdev(seen) == pytest.approx(1.0, abs=0.08)


def test_a_swing_crosses_one_deviation_as_often_as_rice_says() -> None:
    swing, chance = Swing(6.0, 0.4), Rng(2).stream("swing")
    position, velocity, seen = 0.0, 0.0, []
    for _ in range(200_000):
        position, velocity = swing.step(position, velocity, 5, chance.gauss(0, 1), chance.gauss(0, 1))
        seen.append(position)
    crossings = sum(before < 1.0 <= after for before, after in pairwise(seen))
    assert crossings / (200_000 * 0.05) == pytest.approx(math.exp(-0.5) / 6.0, rel=0.06)


def test_without_noise_two_steps_are_one_long_step() -> None:
    swing = Swing(6.0, 0.4)
    once = swing.step(0.7, -0.4, 60, 0.0, 0.0)
    assert swing.step(*swing.step(0.7, -0.4, 30, 0.0, 0.0), 30, 0.0, 0.0) == pytest.approx(once)


def test_the_mid_has_the_volatility_asked_for_and_rests_between_jumps() -> None:
    chance = Rng(3).stream("asset")
    path = AssetPath(chance, 100.0, 2.5, None)
    logs = []
    for second in range(1, 30_001):
        for tenth in range(10):
            path.advance(100 * second + 10 * tenth)
        logs.append(path.log_mid)
    changes = [1e4 * (after - before) for before, after in pairwise(logs)]
    assert pstdev(changes) == pytest.approx(2.5, rel=0.06)
    assert sum(change == 0.0 for change in changes) / len(changes) == pytest.approx(math.exp(-JUMP_RATE), abs=0.03)


def test_far_from_its_start_a_price_is_drawn_back() -> None:
    """A hundred runs of a day from 30 % above: on average most of the way is gone, as after two time constants."""
    ends = []
    for run in range(100):
        path = AssetPath(Rng(run).stream("asset"), 100.0, 1.0, None)
        path.restore(math.log(130.0), (0.0, 0.0))
        for tick in range(0, 8_640_000, 2000):
            path.advance(tick)
        ends.append(path.log_mid - math.log(100.0))
    assert fmean(ends) == pytest.approx(math.log(1.3) * math.exp(-2.0), abs=0.02)


def test_the_basis_of_a_swing_is_shared_by_both_venues_and_none_is_left_without_it() -> None:
    rate = RatePath(Rng(1).stream("rate"), 1400.0, None)
    path = AssetPath(Rng(1).stream("asset"), 100.0, 1.0, Swing(6.0, 0.4))
    krw, usdt = VenuePrice(path, rate, None, leads=True), VenuePrice(path, None, None, leads=False)
    path.set_swing(30.0)
    basis = []
    for tick in range(0, 1_000_000, 50):
        krw.advance(tick)
        usdt.advance(tick)
        basis.append(1e4 * math.log(krw.fair / rate.fair / usdt.fair))
        assert math.sqrt(krw.fair / rate.fair * usdt.fair) == pytest.approx(math.exp(path.log_mid))
    assert fmean(basis) == pytest.approx(0.0, abs=2.0)
    assert pstdev(basis) == pytest.approx(30.0, rel=0.05)


def test_a_swing_that_leans_has_that_mean_shared_by_both_venues() -> None:
    rate = RatePath(Rng(1).stream("rate"), 1400.0, None)
    path = AssetPath(Rng(1).stream("asset"), 100.0, 1.0, Swing(6.0, 0.4))
    krw, usdt = VenuePrice(path, rate, None, leads=True), VenuePrice(path, None, None, leads=False)
    path.set_swing(12.0, 21.0)
    basis = []
    for tick in range(0, 1_000_000, 50):
        krw.advance(tick)
        usdt.advance(tick)
        basis.append(1e4 * math.log(krw.fair / rate.fair / usdt.fair))
        assert math.sqrt(krw.fair / rate.fair * usdt.fair) == pytest.approx(math.exp(path.log_mid))
    assert fmean(basis) == pytest.approx(21.0, abs=1.0)
    assert pstdev(basis) == pytest.approx(12.0, rel=0.05)
