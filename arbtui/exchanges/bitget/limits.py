"""Bitget's rate limits (bitget.com/api-doc, 2025-11): each endpoint's page, "Quick Start" (access restriction) and "Websocket API".

Each endpoint has a limit of its own a second, by account (UID) or, where it is public, by IP address; the public ones that are used
share one count here, which is stricter. All requests of an address together are 6,000 a minute; beyond it the address is refused for
five minutes (changelog, 2025-08-11). A 429 does not say which limit was met: the endpoint's own is silenced, and an endpoint of the
same address that is refused as well is silenced by its own answer. No header that reports a use is documented.
"""

from collections.abc import Collection

from arbtui.exchanges.rate_limit import CANCELS_ONLY, DATA_ONLY, RateLimit

#: s; how far a queue in the network may compress requests in time
_JITTER_S = 0.1

#: The group of all requests of one address.
ADDRESS = "address"

LIMITS = (
    RateLimit("order", "order", 10, 1.0, jitter_s=_JITTER_S),
    RateLimit("cancel", "cancel", 10, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("cancel-symbol", "cancel-symbol", 5, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("order-info", "order-info", 20, 1.0, jitter_s=_JITTER_S),
    RateLimit("open-orders", "open-orders", 20, 1.0, jitter_s=_JITTER_S),
    RateLimit("history", "history", 20, 1.0, jitter_s=_JITTER_S),
    RateLimit("fills", "fills", 10, 1.0, jitter_s=_JITTER_S),
    RateLimit("assets", "assets", 10, 1.0, jitter_s=_JITTER_S),
    RateLimit("account-info", "account-info", 1, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("deduct-info", "deduct-info", 5, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("trade-rate", "trade-rate", 10, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("market", "market", 20, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("coins", "coins", 3, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("address/1m", ADDRESS, 6000, 60.0, per_request=True),
    RateLimit("socket-connect/5m", "socket-connect", 300, 300.0, DATA_ONLY),
    RateLimit("socket-message/1s", "socket-message", 10, 1.0, DATA_ONLY, _JITTER_S),
)


def cost(group: str) -> dict[str, float]:
    """What one request of ``group`` costs: one of it, and one of the address."""
    return {group: 1.0, ADDRESS: 1.0}


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: the request's own; all of them where it is not known."""
    return [group for group in groups if group != ADDRESS] or None
