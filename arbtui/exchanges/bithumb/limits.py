"""Bithumb's limits: apidocs.bithumb.com/docs/api-요청-수-제한-안내 as of 2026-10-27, and their use as its answers report it.

REST requests count by IP address and category, by the second: public ones 150 in each of five categories, which share one group here,
which is stricter; private ones 140 in each of orders, cancels, and everything else. Orders and cancels of many at once: 20. More than
20 orders and cancels a second *of one asset* may be restricted: here all assets share that count, which is stricter too. WebSocket
connections: 10 a second and address, then an address may be blocked for ten minutes (reference/기본-정보). Messages have no documented
limit; the one here is our own.
"""

from collections.abc import Collection, Iterator, Mapping

from arbtui.exchanges.rate_limit import CANCELS_ONLY, DATA_ONLY, RateLimit

#: s; how far a queue in the network may compress requests in time
_JITTER_S = 0.1

_PUBLIC = 150

LIMITS = (
    RateLimit("quotation", "quotation", _PUBLIC, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("default", "default", 140, 1.0, jitter_s=_JITTER_S),
    RateLimit("order", "order", 140, 1.0, jitter_s=_JITTER_S),
    RateLimit("order/asset", "order", 20, 1.0, jitter_s=_JITTER_S),
    RateLimit("order-cancel", "order-cancel", 140, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("order-cancel/asset", "order-cancel", 20, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("order-cancel-all", "order-cancel-all", 20, 1.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("socket-connect", "socket-connect", 10, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("socket-message/1s", "socket-message", 10, 1.0, DATA_ONLY, _JITTER_S),
)


def used(headers: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """(limit's name, units used) from an answer's ``x-ratelimit-remaining`` and ``x-ratelimit-burst-capacity``.

    The headers are in no document; they were seen on 2026-09-23 (nemanull/arbitrage-observatory, docs/venues/bithumb/rest.md @ 2cbe7062).
    They do not name the category: a capacity of 150 is a public one, which is one limit here; of a private one nothing can be told.
    """
    try:
        left, most = float(headers["x-ratelimit-remaining"]), float(headers["x-ratelimit-burst-capacity"])
    except (KeyError, ValueError):
        return
    if most == _PUBLIC and 0.0 <= left <= most:
        yield "quotation", most - left


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: the category is restricted for a while, says Bithumb, the others are not."""
    return groups if status == 429 and groups else None
