"""Numbers and times in a terminal's cells: as :mod:`arbtui.views.numbers` words any number, fitted, an arrow beside every colour."""

from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from arbtui.model.printable import printable
from arbtui.views.numbers import MISSING, age, duration, hours, price, quantity, short, signed, within

__all__ = ["MISSING", "age", "arrow", "clock", "duration", "fit", "fit_right", "hours", "price", "quantity", "short", "signed", "within"]


def fit(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells, left-aligned, cut with an ellipsis; wide (Korean) letters count two cells."""
    text = printable(text)
    if text.isascii():
        return text.ljust(width) if len(text) <= width else text[: max(0, width - 1)] + "…"[:width]
    size = cell_len(text)
    if size <= width:
        return text + " " * (width - size)
    return set_cell_size(text, max(0, width - 1)) + "…"[:width]


def fit_right(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells, right-aligned. A number that does not fit becomes ``###``: never a wrong digit."""
    return text.rjust(width) if len(text) <= width else "#" * width


def arrow(value: float) -> str:
    """▲ for a gain, ▼ for a loss, a blank for neither: the meaning does not depend on colour."""
    return "▲" if value > 0 else "▼" if value < 0 else " "


@lru_cache(maxsize=512)  # rows on screen, painted again and again
def clock(ts_ms: int) -> str:
    """UTC time of day with milliseconds: ``09:14:05.812``."""
    seconds, ms = divmod(ts_ms, 1_000)
    return f"{seconds // 3_600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
