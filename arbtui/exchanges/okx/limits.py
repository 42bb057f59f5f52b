"""OKX's rate limits (okx.com/docs-v5, "Rate limits" and each endpoint's own page, as of 2026-07).

Most windows are two seconds. Placing, cancelling and looking up orders count by user *and market*, 60 each in two seconds; here all
markets share one count, which is stricter. The limit of 1,000 orders a sub-account does not count spot orders. Lists and balances
count by user, market data by address. Answers report no use; a refusal is code 50011 (HTTP 200 or 429), 50040 or 50061, none of them
a ban: the window's end lifts it. Subscribe and login requests count by connection, 480 an hour; here those of all private
connections share one count.
"""

from collections.abc import Collection

from arbtui.exchanges.rate_limit import CANCELS_ONLY, DATA_ONLY, RateLimit

#: s; how far a queue in the network may compress requests in time
_JITTER_S = 0.1
_WINDOW_S = 2.0

LIMITS = (
    RateLimit("order", "order", 60, _WINDOW_S, jitter_s=_JITTER_S),
    RateLimit("cancel", "cancel", 60, _WINDOW_S, CANCELS_ONLY, _JITTER_S),
    RateLimit("order-query", "order-query", 60, _WINDOW_S, jitter_s=_JITTER_S),
    RateLimit("orders-pending", "orders-pending", 60, _WINDOW_S, jitter_s=_JITTER_S),
    RateLimit("fills", "fills", 60, _WINDOW_S, jitter_s=_JITTER_S),
    RateLimit("fills-history", "fills-history", 10, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("balance", "balance", 10, _WINDOW_S, jitter_s=_JITTER_S),
    RateLimit("config", "config", 5, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("trade-fee", "trade-fee", 5, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("instruments", "instruments", 20, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("currencies", "currencies", 6, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("ticker", "ticker", 20, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("books", "books", 40, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("time", "time", 10, _WINDOW_S, DATA_ONLY, _JITTER_S),
    RateLimit("socket-connect", "socket-connect", 3, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("socket-message/1h", "socket-message", 480, 3600.0, DATA_ONLY),
)


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: the request's own; the others' windows run on."""
    return groups or None
