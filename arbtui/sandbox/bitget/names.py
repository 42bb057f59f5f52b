"""Bitget's ids of orders and trades: numbers of nineteen digits, derived from the venue core's, the same after every restart."""

_ORDER = 1_300_000_000_000_000_000
_TRADE = 1_400_000_000_000_000_000


def order_id(number: int) -> str:
    """The id of the order of that number."""
    return str(_ORDER + number)


def trade_id(number: int | str) -> str:
    """The id of the trade of that number."""
    return str(_TRADE + int(number))


def order_number(text: str) -> int:
    """The number of the order of that id, 0 where it is none's."""
    return max(int(text) - _ORDER, 0) if text.isdecimal() else 0


def trade_number(text: str) -> int:
    """The number of the trade of that id, 0 where it is none's."""
    return max(int(text) - _TRADE, 0) if text.isdecimal() else 0
