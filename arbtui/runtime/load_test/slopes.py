"""Straight lines through what a run's levels were: does anything keep rising?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt

from arbtui.runtime.load_test.rows import Row

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Slope:
    """A least-squares line over the last half of a run: how one level rose there."""

    name: str
    per_hour: float  #: in the level's unit
    error: float  #: standard error of ``per_hour``, as if each sample knew nothing of the one before it
    error_in_series: float  #: the same where a level stays what it was for a while, as memory does: what a reader should believe
    over_s: float  #: from the first to the last sample that the line goes through
    first: float  #: the line's value at the first of them
    last: float  #: and at the last
    most: float  #: the largest value of the whole run

    @property
    def risen(self) -> float:
        """How much higher the line ends than it begins."""
        return self.last - self.first


def fit(name: str, seconds: Sequence[float], values: Sequence[float]) -> Slope:
    """The line through the last half, by time, of a series; level where there are fewer than three samples."""
    if not seconds:
        return Slope(name, 0.0, inf, inf, 0.0, 0.0, 0.0, 0.0)
    half = (seconds[0] + seconds[-1]) / 2
    points = [(x, y) for x, y in zip(seconds, values, strict=True) if x >= half]
    mean_x, mean_y = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if len(points) < 3 or spread <= 0.0:
        return Slope(name, 0.0, inf, inf, 0.0, mean_y, mean_y, max(values))
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    left = [y - mean_y - rise * (x - mean_x) for x, y in points]
    error = sqrt(sum(one * one for one in left) / (len(points) - 2) / spread) * HOUR_S
    begin, end = points[0][0], points[-1][0]
    first, last = mean_y + rise * (begin - mean_x), mean_y + rise * (end - mean_x)
    return Slope(name, rise * HOUR_S, error, error * _following(left), end - begin, first, last, max(values))


def _following(left: Sequence[float]) -> float:
    """By how much the standard error grows where what is left of a sample follows on the one before it (first-order autoregression)."""
    squares = sum(one * one for one in left)
    if squares <= 0.0:
        return 1.0
    share = sum(one * following for one, following in pairwise(left)) / squares
    share = min(max(share, 0.0), 1.0 - 2.0 / len(left))
    return sqrt((1.0 + share) / (1.0 - share))


def slopes(row: Row) -> dict[str, Slope]:
    """The slope of each level of a measured row, by name; empty where the child sampled none."""
    levels = row.figures.get("levels") or {}
    columns, rows = levels.get("columns", []), levels.get("rows", [])
    if not rows:
        return {}
    series = dict(zip(columns, zip(*rows, strict=True), strict=True))
    seconds = series.pop("second")
    return {name: fit(name, seconds, values) for name, values in series.items()}
