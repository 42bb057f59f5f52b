"""A bar of stock against its target: the target is the middle, so that a shortage and a surplus are seen alike."""

from math import isfinite

from arbtui.console.styles import Span
from arbtui.views.stock import DRY, LOW


def stock_ink(share: float) -> str:
    """The colour of a share of the target: dry, low, or nothing to look at."""
    return "kill" if share < DRY else "warn" if share < LOW else "spark"


def stock_bar(share: float, width: int) -> list[Span]:
    """``share`` of the target in ``width`` cells; twice the target fills them, and a tick shows where it is full."""
    if not isfinite(share):
        return [(" " * width, "faint")]
    middle = width // 2
    halves = round(min(max(share, 0.0) * middle, float(width)) * 2)
    bar = "━" * (halves // 2) + "╸" * (halves % 2)
    rest = "".join("┊" if place == middle else "·" for place in range(len(bar), width))
    return [(bar, stock_ink(share)), (rest, "faint" if bar else stock_ink(share))]
