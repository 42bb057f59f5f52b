"""Bybit's limits: bybit-exchange/docs, v5, "Rate Limit Rules" of 2026-07 (commit 072c197), and their use as its answers report it.

Every HTTP request counts by IP address: 600 in 5 s; beyond that comes a 403, and all is to rest for ten minutes. Beside it each endpoint
counts by account in a rolling second. Spot: create, cancel, cancel-all 20 each (more for VIPs); order lists, executions, balances and
account 50; fee rates and coins 5; key 10. Sockets: 500 connections in 5 minutes; how fast messages may come is not documented, the value
here is ours.
"""

from collections.abc import Collection, Iterator, Mapping

from arbtui.exchanges.rate_limit import CANCELS_ONLY, DATA_ONLY, RateLimit

#: s; how far a queue in the network may compress requests in time
_JITTER_S = 0.1

LIMITS = (
    RateLimit("http/5s", "http", 600, 5.0, jitter_s=_JITTER_S),
    RateLimit("create", "create", 20, 1.0, jitter_s=_JITTER_S),
    RateLimit("cancel", "cancel", 20, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("cancel-all", "cancel-all", 20, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("orders", "orders", 50, 1.0, jitter_s=_JITTER_S),
    RateLimit("history", "history", 50, 1.0, jitter_s=_JITTER_S),
    RateLimit("executions", "executions", 50, 1.0, jitter_s=_JITTER_S),
    RateLimit("balances", "balances", 50, 1.0, jitter_s=_JITTER_S),
    RateLimit("account", "account", 50, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("fee-rate", "fee-rate", 5, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("key", "key", 10, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("coins", "coins", 5, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("socket-connect/5m", "socket-connect", 500, 300.0, DATA_ONLY),
    RateLimit("socket-message/1s", "socket-message", 20, 1.0, DATA_ONLY, _JITTER_S),
)

_HARD = {limit.group: (limit.name, limit.hard) for limit in LIMITS}


def used(headers: Mapping[str, str], groups: Collection[str]) -> Iterator[tuple[str, float]]:
    """(limit's name, units used) from ``X-Bapi-Limit-Status``: what the asked endpoint has left.

    An account with a greater limit than the documented one appears unused until little is left, one with a smaller one partly used.
    """
    try:
        left = float(headers["x-bapi-limit-status"])
    except (KeyError, ValueError):
        return
    for group in groups:
        if group != "http" and left >= 0.0:
            name, hard = _HARD[group]
            yield name, max(hard - left, 0.0)


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: all of them, which a 403 and a 429 are about."""
    return None
