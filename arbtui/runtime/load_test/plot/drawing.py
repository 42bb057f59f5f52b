"""A drawing: shapes in units of a pixel, x to the right, y down. Writers render it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Line:
    """A polyline; ``dashed`` for what is not data."""

    points: Sequence[tuple[float, float]]
    color: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    color: str


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Text:
    """ASCII text; ``y`` is its baseline, ``size`` its font size."""

    x: float
    y: float
    text: str
    color: str
    size: float = 10.0
    anchor: Anchor = "start"


Shape = Line | Dot | Box | Text


@dataclass(slots=True)
class Drawing:
    """Shapes in the order in which they are painted."""

    width: int
    height: int
    background: str
    shapes: list[Shape] = field(default_factory=list)
