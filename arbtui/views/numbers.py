"""Numbers as an operator reads them, on a screen or on a phone: fixed decimals, thousands separated, ``-`` where one is missing."""

import math

MISSING = "-"


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
