"""Binance's rate limits, and their use as its answers report it.

Spot: `rateLimits` of GET /api/v3/exchangeInfo and developers.binance.com, "REST API limits" and "WebSocket API rate
limits": weight and raw requests count by IP address, orders by account, each from whole minutes, seconds or days of UTC
on. A filled order stops counting there; here it counts until its window has passed, which is stricter. A
socket accepts 5 messages a second from us (pings included); here all sockets share one count. USD-M futures:
`rateLimits` of GET /fapi/v1/exchangeInfo; 10 messages a second.
"""

from collections.abc import Collection, Iterator, Mapping

from arbtui.exchanges.rate_limit import DATA_ONLY, RateLimit

_DAY_S = 86_400.0

LIMITS = (
    RateLimit("weight/1m", "weight", 6000, 60.0, aligned=True),
    RateLimit("raw/5m", "weight", 61_000, 300.0, per_request=True, aligned=True),
    RateLimit("orders/10s", "orders", 100, 10.0, aligned=True),
    RateLimit("orders/1d", "orders", 200_000, _DAY_S, aligned=True),
    RateLimit("socket-connect/5m", "socket-connect", 300, 300.0, DATA_ONLY),
    RateLimit("socket-message/1s", "socket-message", 5, 1.0, DATA_ONLY, jitter_s=0.1),
)

USDM_LIMITS = (
    RateLimit("weight/1m", "weight", 2400, 60.0, aligned=True),
    RateLimit("orders/10s", "orders", 300, 10.0, aligned=True),
    RateLimit("orders/1m", "orders", 1200, 60.0, aligned=True),
    RateLimit("socket-connect/5m", "socket-connect", 300, 300.0, DATA_ONLY),
    RateLimit("socket-message/1s", "socket-message", 10, 1.0, DATA_ONLY, jitter_s=0.1),
)

_HEADERS = {
    "x-mbx-used-weight-1m": "weight/1m",
    "x-mbx-order-count-10s": "orders/10s",
    "x-mbx-order-count-1m": "orders/1m",
    "x-mbx-order-count-1d": "orders/1d",
}


def used(headers: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """(limit's name, units used) from an answer's headers; their names in lower case."""
    for header, name in _HEADERS.items():
        try:
            units = float(headers.get(header, ""))
        except ValueError:
            continue
        if units >= 0.0:
            yield name, units


#: "Too many new orders": the account's count of orders is full; queries and cancels are not of it.
_TOO_MANY_ORDERS = "-1015"


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: orders, where it is their count that is full; else all, by IP address."""
    return ("orders",) if code == _TOO_MANY_ORDERS else None
