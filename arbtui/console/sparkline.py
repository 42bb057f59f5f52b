"""A sparkline in block characters: one cell a sample."""

from collections.abc import Iterable

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(samples: Iterable[float], width: int, floor: float = 0.0) -> str:
    """The last ``width`` samples, padded on the left, from ``floor`` (lowest block) to the largest sample shown (highest)."""
    history = list(samples)[-width:] if width > 0 else []
    span = max(1e-9, *history, floor + 1e-9) - floor
    cells = "".join(BLOCKS[min(7, max(0, int((value - floor) / span * 7.999)))] for value in history)
    return cells.rjust(width)
