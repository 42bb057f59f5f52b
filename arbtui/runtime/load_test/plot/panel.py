"""One panel: curves over the number of symbols, both axes logarithmic, so that a power of symbols is a straight line."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from arbtui.runtime.load_test.plot.drawing import Box, Drawing, Line, Text
from arbtui.runtime.load_test.plot.drawing import Dot as Mark
from arbtui.runtime.load_test.rows import exponent

INK, FAINT, GRID, PAPER = "#24292f", "#6e7781", "#d8dee4", "#ffffff"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of (symbols, value), fewest symbols first; values of zero are left out of a logarithmic plot."""

    name: str
    color: str
    points: Sequence[tuple[float, float]]

    @property
    def shown(self) -> list[tuple[float, float]]:
        """The points that can be shown on the axes."""
        return [(x, y) for x, y in self.points if y > 0.0]

    @property
    def label(self) -> str:
        """The name with the growth exponent between the ends, where there are two."""
        shown = self.shown
        return f"{self.name}  ~N^{exponent(shown[0], shown[-1]):.2f}" if len(shown) > 1 else self.name


class Panel:
    """``title`` names the quantity and its unit; the frame is of ``width`` by ``height`` at ``(x, y)``."""

    def __init__(self, x: float, y: float, width: float, height: float, title: str, curves: Sequence[Curve]) -> None:
        self._x, self._y, self._width, self._height = x, y, width, height
        self._title = title
        self._curves = [curve for curve in curves if curve.shown]
        places = [point for curve in self._curves for point in curve.shown] or [(1.0, 1.0)]
        self._counts = sorted({x for x, _ in places})
        self._across = _range([x for x, _ in places], pad=0.08)
        self._up = _range([y for _, y in places], pad=0.15)

    def draw(self, drawing: Drawing) -> None:
        """Paint it."""
        add = drawing.shapes.append
        bottom, right = self._y + self._height, self._x + self._width
        add(Text(self._x, self._y - 26, self._title, INK, 12))
        for value in _ticks(*self._up):
            _, y = self._place(1.0, value)
            add(Line([(self._x, y), (right, y)], GRID))
            add(Text(self._x - 6, y + 3.5, _short(value), FAINT, 10, "end"))
        for count in self._counts:
            x, _ = self._place(count, 1.0)
            add(Line([(x, self._y), (x, bottom)], GRID))
            add(Text(x, bottom + 14, f"{count:g}", FAINT, 10, "middle"))
        add(Line([(self._x, self._y), (self._x, bottom), (right, bottom)], FAINT))
        place = self._x
        for curve in self._curves:
            add(Box(place, self._y - 16, 10, 3, curve.color))
            add(Text(place + 14, self._y - 11, curve.label, curve.color, 10))
            place += 14 + len(curve.label) * 6.3 + 12
            points = [self._place(x, y) for x, y in curve.shown]
            add(Line(points, curve.color, 2.0))
            drawing.shapes.extend(Mark(x, y, 3.0, curve.color) for x, y in points)

    def _place(self, symbols: float, value: float) -> tuple[float, float]:
        (left, right), (low, high) = self._across, self._up
        return (
            self._x + (log10(symbols) - left) / (right - left) * self._width,
            self._y + self._height - (log10(value) - low) / (high - low) * self._height,
        )


def _range(values: Sequence[float], pad: float) -> tuple[float, float]:
    low, high = log10(min(values)), log10(max(values))
    if high - low < 0.4:  # a curve that hardly rises should look like it
        middle = (low + high) / 2
        low, high = middle - 0.2, middle + 0.2
    space = (high - low) * pad
    return low - space, high + space


def _ticks(low: float, high: float) -> list[float]:
    steps = (1, 2, 5) if high - low < 2.2 else (1,)
    values = [step * 10.0**power for power in range(floor(low), ceil(high) + 1) for step in steps]
    return [value for value in values if low <= log10(value) <= high]


def _short(value: float) -> str:
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"
