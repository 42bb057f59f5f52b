"""The histogram's percentiles are right to two per cent, however many durations it has counted."""

import math
import random

import pytest

from arbtui.model.histogram import Histogram


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
