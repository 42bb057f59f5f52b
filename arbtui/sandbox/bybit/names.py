"""Bybit's ids of orders and executions of spot, which are numbers: the venue core's own, moved to where Bybit's lie."""

_ORDERS = 2_000_000_000_000_000_000
_EXECUTIONS = 2_290_000_000_000_000_000


def order_id(number: int) -> str:
    """The id of the order of that number."""
    return str(_ORDERS + number)


def order_number(text: str) -> int:
    """The number of the order of that id; 0 when it is no order's."""
    return int(text) - _ORDERS if text.isdigit() and int(text) > _ORDERS else 0


def execution_id(number: int) -> str:
    """The id of a symbol's trade of that number."""
    return str(_EXECUTIONS + number)
