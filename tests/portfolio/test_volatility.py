"""How much a price moves, from marks that come when they come."""

from math import exp, log

import pytest

from arbtui.portfolio.flow import TIME_CONSTANT_S
from arbtui.portfolio.volatility import Volatility

START = 1_000_000  # ms
UP = log(0.505 / 0.5)


def seen(*marks: tuple[float, float]) -> Volatility:
    """After ``marks``: seconds after the start, and the price."""
    made = Volatility()
    for after_s, price in marks:
        made.add(price, START + round(after_s * 1000))
    return made


def test_one_move_is_the_deviation_over_the_time_that_it_took_and_grows_with_the_root_of_time() -> None:
    found = seen((0, 0.5), (60, 0.505))
    assert found.over(1.0) == pytest.approx(UP)
    assert found.over(4.0) == pytest.approx(2 * UP)
    assert found.over(0.25) == pytest.approx(UP / 2)
    assert found.over(0.0) == found.over(-1.0) == 0.0


def test_older_moves_and_their_time_are_forgotten_alike() -> None:
    found = seen((0, 0.5), (60, 0.505), (180, 0.505))
    kept = exp(-120 / TIME_CONSTANT_S)
    assert found.squares == pytest.approx(UP**2 * kept)
    assert found.seconds == pytest.approx(60 * kept + 120)


def test_before_two_samples_nobody_knows() -> None:
    assert Volatility().over(1.0) is None
    assert seen((0, 0.5)).over(1.0) is None
    assert seen((0, 0.5), (29.999, 0.505)).over(1.0) is None


@pytest.mark.parametrize("after_s", [0.0, 0.5, 29.999])
def test_marks_closer_than_half_a_minute_are_no_samples(after_s: float) -> None:
    assert seen((0, 0.5), (after_s, 0.6), (60, 0.505)).over(1.0) == pytest.approx(UP)


def test_at_half_a_minute_and_at_an_hour_it_is_one() -> None:
    assert seen((0, 0.5), (30, 0.505)).seconds == 30.0
    assert seen((0, 0.5), (3600, 0.505)).seconds == 3600.0


def test_over_an_hour_nobody_looked_and_it_begins_from_there() -> None:
    found = seen((0, 0.1), (3600.001, 0.5))
    assert found.over(1.0) is None
    found.add(0.505, START + 3_660_001)
    assert found.over(1.0) == pytest.approx(UP)


def test_a_clock_that_was_set_back_is_no_move() -> None:
    found = seen((0, 0.1), (-100, 0.5))
    assert found.over(1.0) is None
    found.add(0.505, START - 40_000)
    assert found.over(1.0) == pytest.approx(UP)


@pytest.mark.parametrize("price", [0.0, -1.0])
def test_what_is_no_price_is_left_out(price: float) -> None:
    assert seen((0, 0.5), (40, price), (60, 0.505)).over(1.0) == pytest.approx(UP)


def test_the_first_mark_is_a_sample_whenever_it_comes() -> None:
    for at_ms in (0, 1_000, 30_000):
        moves = Volatility()
        moves.add(2.0, at_ms)
        assert (moves.price, moves.at_ms, moves.over(1.0)) == (2.0, at_ms, None)
