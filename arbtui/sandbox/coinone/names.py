"""Coinone's ids of orders and trades, derived from the venue core's numbers: the same after every restart."""

_ORDER = "0e30219d-1e4d-11e9-9ec7-"
_TRADE = "1e9c062e-1e4d-11e9-9ec7-"


def order_id(number: int) -> str:
    """The id of the order of that number."""
    return f"{_ORDER}{number:012x}"


def trade_id(number: int | str) -> str:
    """The id of the trade of that number."""
    return f"{_TRADE}{int(number):012x}"


def order_number(told: str) -> int | None:
    """The number of the order of that id; None when it is no order's."""
    try:
        return int(told.removeprefix(_ORDER), 16) if told.startswith(_ORDER) and len(told) == len(_ORDER) + 12 else None
    except ValueError:
        return None
