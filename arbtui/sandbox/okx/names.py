"""OKX's ids of orders and bills, which are numbers: the venue core's own, moved to where OKX's lie."""

_ORDERS = 1_753_000_000_000_000_000
_BILLS = 1_754_000_000_000_000_000


def order_id(number: int) -> str:
    """The id of the order of that number."""
    return str(_ORDERS + number)


def order_number(text: str) -> int:
    """The number of the order of that id; 0 when it is no order's."""
    return int(text) - _ORDERS if text.isdecimal() and int(text) > _ORDERS else 0


def bill_id(trade_id: str) -> str:
    """The id of the bill of a trade; unlike a trade's, unique over all markets."""
    return str(_BILLS + int(trade_id))


def bill_number(text: str) -> int:
    """The venue core's trade of the bill of that id.

    Raises:
        ValueError: it is no bill's.
    """
    return int(text) - _BILLS
