"""Upbit's uuids of orders and trades, derived from the venue core's numbers: the same after every restart."""

_ORDER = "5abd0c5e-0000-4000-8000-"
_TRADE = "7fade000-0000-4000-8000-"


def order_uuid(number: int) -> str:
    """The uuid of the order of that number."""
    return f"{_ORDER}{number:012x}"


def trade_uuid(number: int | str) -> str:
    """The uuid of the trade of that number."""
    return f"{_TRADE}{int(number):012x}"


def order_number(uuid: str) -> int | None:
    """The number of the order of that uuid; None when it is no order's."""
    if not uuid.startswith(_ORDER):
        return None
    try:
        return int(uuid.removeprefix(_ORDER), 16)
    except ValueError:
        return None
