"""The histogram's percentiles are right to two per cent, however many durations it has counted."""

import math
import random
import tracemalloc

import pytest

from arbtui.model.histogram import BUCKETS, Histogram


@pytest.mark.parametrize("percent", [50, 99, 100])
def test_percentiles_are_within_two_per_cent_of_the_sorted_truth(percent: float) -> None:
    draw = random.Random(5)
    durations = [draw.lognormvariate(0, 2) for _ in range(5000)]
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)
    truth = sorted(durations)[math.ceil(len(durations) * percent / 100) - 1]
    assert histogram.quantile(percent / 100) == pytest.approx(truth, rel=0.021)
    assert histogram.largest == max(durations)


def test_extremes_are_counted_and_nothing_is_zero() -> None:
    histogram = Histogram()
    assert histogram.quantile(0.5) == 0
    for duration in (0.0, 1e-9, 1e12):
        histogram.add(duration)
    assert histogram.count == 3
    assert histogram.quantile(0.5) <= 0.0011


def test_the_sum_is_exact_and_counts_up_to_a_bound_are_right_to_two_percent() -> None:
    histogram = Histogram()
    for value in (0.5, 1.0, 5.0, 50.0, 50.0):
        histogram.add(value)
    assert histogram.total_ms == 106.5
    assert histogram.at_most([0.1, 1.0, 4.9, 5.0, 49.0, 51.0, 1e9]) == [0, 2, 2, 3, 3, 5, 5]
    before = histogram.copy()
    histogram.add(2.0)
    assert (histogram.since(before).total_ms, histogram.since(before).at_most([1.9, 2.0])) == (2.0, [0, 1])
    histogram.merge(before)
    assert (histogram.total_ms, histogram.count) == (215.0, 11)
    histogram.clear()
    assert (histogram.total_ms, histogram.at_most([1e9])) == (0.0, [0])


def test_its_memory_is_that_of_an_empty_one_however_much_it_has_counted() -> None:
    """Also where each count is a large number: a run of days adds millions to each."""
    spread = Histogram()
    for index in range(BUCKETS):
        spread.add(0.001 * 1.02**index)
    tracemalloc.start()
    try:
        full = Histogram()
        empty_size = tracemalloc.get_traced_memory()[0]
        for _ in range(400):
            full.merge(spread)
        copied = full.copy()
        full_size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert full.count == copied.count == 400 * BUCKETS
    assert full_size < 2 * empty_size + 1000
