"""Numbers and times as an operator reads them: fixed decimals, thousands separated, sign and arrow beside every colour."""

import math
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from arbtui.model.printable import printable

MISSING = "-"


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


def price(value: float) -> str:
    """A price in its quote currency; decimals by magnitude, so that a row keeps its width while the price moves."""
    if not value or not math.isfinite(value):
        return MISSING
    size = abs(value)
    decimals = 0 if size >= 100_000 else 1 if size >= 1_000 else 2 if size >= 100 else 3 if size >= 10 else 4 if size >= 1 else 6
    return f"{value:,.{decimals}f}"


def quantity(value: float) -> str:
    """A quantity of the base asset: four or five significant digits."""
    if not value or not math.isfinite(value):
        return MISSING
    size = abs(value)
    decimals = 0 if size >= 10_000 else 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 1 else 5
    return f"{value:,.{decimals}f}"


def short(value: float) -> str:
    """A large amount in few cells: ``880``, ``1.1k``, ``40k``, ``3.2M``."""
    if not value or not math.isfinite(value):
        return MISSING
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            scaled = value / unit
            return f"{scaled:.1f}{name}" if abs(scaled) < 10 else f"{scaled:.0f}{name}"
    return f"{value:.3g}"


def signed(value: float, decimals: int = 2) -> str:
    """A signed amount with separated thousands; a rounded zero carries no sign."""
    if not math.isfinite(value):
        return MISSING
    text = f"{value:+,.{decimals}f}"
    return text[1:] if not any(digit in text for digit in "123456789") else text


def arrow(value: float) -> str:
    """▲ for a gain, ▼ for a loss, a blank for neither: the meaning does not depend on colour."""
    return "▲" if value > 0 else "▼" if value < 0 else " "


def age(milliseconds: float) -> str:
    """An age: ``40ms``, ``2.4s``, ``24s``, ``5m``, ``3h``; ``-`` before the first."""
    if not math.isfinite(milliseconds) or milliseconds < 0:
        return MISSING
    if milliseconds < 1_000:
        return f"{milliseconds:.0f}ms"
    seconds = milliseconds / 1_000
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 100:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 6_000 else f"{seconds / 3_600:.0f}h"


def hours(value: float) -> str:
    """A time to come, in hours: ``38m``, ``3.2h``, ``26h``, ``5d``; ``-`` for never."""
    if not math.isfinite(value):
        return MISSING
    if value < 1:
        return f"{value * 60:.0f}m"
    return f"{value:.1f}h" if value < 10 else f"{value:.0f}h" if value < 48 else f"{min(value / 24, 999):.0f}d"


def duration(seconds: float) -> str:
    """``06:12:44``; days are hours beyond 24."""
    whole = max(0, int(seconds))
    return f"{whole // 3_600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@lru_cache(maxsize=512)  # rows on screen, painted again and again
def clock(ts_ms: int) -> str:
    """UTC time of day with milliseconds: ``09:14:05.812``."""
    seconds, ms = divmod(ts_ms, 1_000)
    return f"{seconds // 3_600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"
