"""A sparkline in block characters: one cell a sample."""

from collections.abc import Iterable, Sequence
from math import isfinite

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(samples: Iterable[float], width: int, floor: float = 0.0) -> str:
    """The last ``width`` samples, padded on the left, from ``floor`` (lowest block) to the largest sample shown (highest)."""
    history = list(samples)[-width:] if width > 0 else []
    span = max(1e-9, *history, floor + 1e-9) - floor
    cells = "".join(BLOCKS[min(7, max(0, int((value - floor) / span * 7.999)))] for value in history)
    return cells.rjust(width)


def history(samples: Sequence[float], width: int) -> str:
    """The last ``width`` samples, one cell each, from the least to the largest shown; a blank where one is not a number."""
    shown = list(samples)[-width:] if width > 0 else []
    known = [value for value in shown if isfinite(value)]
    if not known:
        return " " * width
    least, span = min(known), max(1e-9, max(known) - min(known))
    cells = "".join(BLOCKS[min(7, int((value - least) / span * 7.999))] if isfinite(value) else " " for value in shown)
    return cells.rjust(width)
