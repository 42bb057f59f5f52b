"""Numbers as an operator reads them, on a screen or on a phone: fixed decimals, thousands separated, ``-`` where one is missing."""

import math

MISSING = "-"

WIDE = 40
"""Cells that hold any number: where a number stands by itself."""

_MOST_OFF = 0.005
"""Of a number, by which it may be rounded to fit: three significant digits are left."""

_UNITS = ((1e3, "k"), (1e6, "M"), (1e9, "B"), (1e12, "T"))


def price(value: float, width: int = WIDE) -> str:
    """A price in its quote currency, in at most ``width`` cells.

    Decimals by magnitude, so that a row keeps its width while the price moves; three or more significant digits, also of what
    costs a millionth (``0.00000812``).
    """
    if not value or not math.isfinite(value):
        return MISSING
    size = abs(value)
    decimals = 0 if size >= 100_000 else 1 if size >= 1_000 else 2 if size >= 100 else 3 if size >= 10 else 4 if size >= 1 else 6
    return within(value, decimals if size >= 0.001 else _small(size), width)


def quantity(value: float, width: int = WIDE) -> str:
    """A quantity of the base asset, in at most ``width`` cells: four or five significant digits, three or more of less than a hundredth."""
    if not value or not math.isfinite(value):
        return MISSING
    size = abs(value)
    decimals = 0 if size >= 10_000 else 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 1 else 5
    return within(value, decimals if size >= 0.001 else _small(size), width)


def within(value: float, decimals: int, width: int, sign: str = "") -> str:
    """``value`` in at most ``width`` cells: with fewer decimals, else in thousands, millions and so on, else as ``8.12e-07``.

    What does not have ``decimals`` is off by half a percent at most. ``sign``: ``+`` shows that of a gain, too. ``###`` where nothing fits.
    """
    for places in range(decimals, -1, -1):
        text = f"{value:{sign},.{places}f}"
        if len(text) <= width and (places == decimals or abs(round(value, places) - value) <= _MOST_OFF * abs(value)):
            return text
    for unit, name in _UNITS:
        for places in (2, 1, 0) if 1.0 <= abs(value) / unit < 10_000.0 else ():
            text = f"{value / unit:{sign},.{places}f}{name}"
            if len(text) <= width:
                return text
    return next((text for places in (2, 1, 0) if len(text := f"{value:{sign}.{places}e}") <= width), "#" * width)


def _small(size: float) -> int:
    """Decimals of a price or quantity far below one: eight, as venues have, or what three significant digits take."""
    return max(8, 2 - math.floor(math.log10(size)))


def _has_digit(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def short(value: float, width: int = WIDE) -> str:
    """An amount in few cells, two or three digits of it: ``0.029``, ``880``, ``1.1k``, ``40k``, ``3.2M``, ``1.5B``."""
    if not value or not math.isfinite(value):
        return MISSING
    for unit, name in reversed(_UNITS[:3]):
        if abs(value) >= unit:
            scaled = value / unit
            return f"{scaled:.1f}{name}" if abs(scaled) < 10 else f"{scaled:.0f}{name}"
    if abs(value) >= 99.95:
        return f"{value:.0f}"
    return next((text for digits in (3, 2) if len(text := f"{value:.{digits}g}") <= width), f"{value:.1g}")


def signed(value: float, decimals: int = 2, width: int = WIDE) -> str:
    """A signed amount with separated thousands, in at most ``width`` cells; a rounded zero carries no sign."""
    if not math.isfinite(value):
        return MISSING
    text = within(value, decimals, width, "+")
    return text if _has_digit(text) else text[1:]


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


def figure(value: float) -> str:
    """A limit, or what is used of it: ``2,000``, ``4``, ``0.35``; ``?`` where it is not known."""
    if not math.isfinite(value):
        return "?"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def amount(value: float, unit: str) -> str:
    """A limit with its unit: ``2,000 USDT``, ``250 ms``, ``4``."""
    return f"{figure(value)} {unit}".strip()
