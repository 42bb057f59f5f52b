"""How much a route can carry: net edge and profit by size, as far as its books go, and the size at which profit is greatest."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from arbtui.routes.pieces import Piece

SIZES = (1_000.0, 5_000.0, 20_000.0, 50_000.0)
"""Sizes that a curve is shown at unless the profile says others, in dollars: a careful cycle, a usual one, and what a desk of some millions
would want to move."""


@dataclass(frozen=True, slots=True)
class CapacityPoint:
    """One size. ``value``: what goes in, ``profit``: what is left over of it, both in the PnL currency; ``edge_bps``: their ratio, net."""

    value: float
    profit: float

    @property
    def edge_bps(self) -> float:
        """Profit by value."""
        return self.profit / self.value * 1e4 if self.value > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class CapacityCurve:
    """Profit over size: exact at every size, since it is linear between its ``corners`` (in the order of size, the first at 0)."""

    corners: Sequence[CapacityPoint]

    @property
    def end(self) -> CapacityPoint:
        """Where the first of the books ends: more cannot be priced."""
        return self.corners[-1]

    @property
    def best(self) -> CapacityPoint | None:
        """The size at which profit is greatest (the smallest such size); None where no size earns anything."""
        most = max(self.corners, key=lambda corner: corner.profit)
        return most if most.profit > 0.0 else None

    def at(self, value: float) -> CapacityPoint | None:
        """Of that size; None where the books end before."""
        if not 0.0 < value <= self.end.value:
            return None
        place = bisect_left(self.corners, value, key=lambda corner: corner.value)
        low, high = self.corners[place - 1], self.corners[place]
        share = (value - low.value) / (high.value - low.value)
        return CapacityPoint(value, low.profit + share * (high.profit - low.profit))

    def samples(self, count: int, most: float) -> list[CapacityPoint]:
        """``count`` sizes at equal steps, up to ``most`` or where the books end; for a picture."""
        last = min(most, self.end.value)
        found = (self.at(last * (step + 1) / count) for step in range(count))
        return [point for point in found if point is not None]


def capacity_curve(pieces: Iterable[Piece], unit_value: float, charge_bps: float) -> CapacityCurve | None:
    """The curve of a closed way; None where it has no pieces: a side, a rate or a value is unknown.

    Args:
        pieces: of the whole way, in units of the asset that it begins and ends with.
        unit_value: of one such unit, in the PnL currency.
        charge_bps: what is taken off beside, in proportion to the size.
    """
    if not 0.0 < unit_value < float("inf"):
        return None
    value = profit = 0.0
    corners = [CapacityPoint(0.0, 0.0)]
    for rate, room in pieces:
        if not 0.0 < room < float("inf"):
            continue
        value += room * unit_value
        profit += room * unit_value * (rate - 1.0 - charge_bps / 1e4)
        corners.append(CapacityPoint(value, profit))
    kept = [corners[0], *(later for earlier, later in pairwise(corners) if later.value > earlier.value)]
    return CapacityCurve(kept) if len(kept) > 1 else None
