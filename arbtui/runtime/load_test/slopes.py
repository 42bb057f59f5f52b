"""Straight lines through what a run's levels were: does anything keep rising?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

from arbtui.runtime.load_test.rows import Row

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Slope:
    """A least-squares line over the last half of a run: how one level rose there."""

    name: str
    per_hour: float  #: in the level's unit
    error: float  #: standard error of ``per_hour``
    over_s: float  #: from the first to the last sample that the line goes through
    first: float  #: the line's value at the first of them
    last: float  #: and at the last
    most: float  #: the largest value of the whole run

    @property
    def risen(self) -> float:
        """How much higher the line ends than it begins."""
        return self.last - self.first


def fit(name: str, seconds: Sequence[float], values: Sequence[float]) -> Slope:
    """The line through the last half, by time, of a series; level where there are fewer than three samples.

    Samples follow one another, so that the standard error is a little too small for a level that swings slowly.
    """
    if not seconds:
        return Slope(name, 0.0, inf, 0.0, 0.0, 0.0, 0.0)
    half = (seconds[0] + seconds[-1]) / 2
    points = [(x, y) for x, y in zip(seconds, values, strict=True) if x >= half]
    mean_x, mean_y = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if len(points) < 3 or spread <= 0.0:
        return Slope(name, 0.0, inf, 0.0, mean_y, mean_y, max(values))
    rise = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    left = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in points)
    error = sqrt(left / (len(points) - 2) / spread)
    begin, end = points[0][0], points[-1][0]
    return Slope(
        name, rise * HOUR_S, error * HOUR_S, end - begin, mean_y + rise * (begin - mean_x), mean_y + rise * (end - mean_x), max(values)
    )


def slopes(row: Row) -> dict[str, Slope]:
    """The slope of each level of a measured row, by name; empty where the child sampled none."""
    levels = row.figures.get("levels") or {}
    columns, rows = levels.get("columns", []), levels.get("rows", [])
    if not rows:
        return {}
    series = dict(zip(columns, zip(*rows, strict=True), strict=True))
    seconds = series.pop("second")
    return {name: fit(name, seconds, values) for name, values in series.items()}
