"""The one boundary between floats (books, edges) and Decimal (orders, fills, fees, balances, PnL)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
BPS = Decimal(10_000)
#: Digits that sums of money are kept to: 28, Decimal's default, could lose the last of a large balance of small fractions.
DIGITS = 60


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The greatest multiple of ``step`` not above ``value``."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The least multiple of ``step`` not below ``value``."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def decimal_of(value: float) -> Decimal:
    """The shortest decimal that reads back as ``value``: the only way a float becomes money.

    Raises:
        ValueError: for NaN and infinities, which are never an amount.
    """
    result = Decimal(repr(value))
    if not result.is_finite():
        raise ValueError(f"{value!r} is not an amount")
    return result


def plain(value: Decimal) -> str:
    """``value`` without exponent and without trailing zeros, as ledgers print it (``0.0001``, ``1200``)."""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
