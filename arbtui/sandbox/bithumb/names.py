"""Bithumb's ids of orders and trades, derived from the venue core's numbers: the same after every restart."""

_ORDER, _TRADE = "C0101", "C0102"
_DIGITS = 15


def order_id(number: int) -> str:
    """The id of the order of that number."""
    return f"{_ORDER}{number:0{_DIGITS}d}"


def trade_id(number: int | str) -> str:
    """The id of the trade of that number."""
    return f"{_TRADE}{int(number):0{_DIGITS}d}"


def order_number(told: str) -> int | None:
    """The number of the order of that id; None when it is no order's."""
    digits = told.removeprefix(_ORDER)
    return int(digits) if told.startswith(_ORDER) and len(digits) == _DIGITS and digits.isdigit() and digits.isascii() else None
