"""Coinone's limits: docs.coinone.co.kr/docs/ratelimit-안내 as of 2026-09-08, and their use as its answers report it.

Public requests: 1,200 a minute and address. Private ones of version 2.1, for each portfolio of an account: 40 a second of orders and
cancels together, 80 a second of everything else. What is left of a limit is in a header of its own, which is there only while something
is left. What is over a limit is answered with error 4, under a status that no document names. At most 20 connections of each socket are
open at once; how many may be opened in a time, and messages, have no documented limit: those here are our own.
"""

from collections.abc import Collection, Iterator, Mapping

from arbtui.exchanges.rate_limit import DATA_ONLY, RateLimit

#: s; how far a queue in the network may compress requests in time
_JITTER_S = 0.1

LIMITS = (
    RateLimit("public", "public", 1200, 60.0, DATA_ONLY, _JITTER_S),
    RateLimit("order", "order", 40, 1.0, jitter_s=_JITTER_S),
    RateLimit("query", "query", 80, 1.0, jitter_s=_JITTER_S),
    RateLimit("socket-connect", "socket-connect", 5, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("socket-message/1s", "socket-message", 1000, 1.0, DATA_ONLY, _JITTER_S),
)
_HEADERS = {"public-ratelimit-remaining": "public", "private-order-ratelimit-remaining": "order", "private-ratelimit-remaining": "query"}
_MOST = {limit.name: limit.hard for limit in LIMITS}


def used(headers: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """(limit's name, units used) from an answer's ``Public-``, ``Private-Order-`` and ``Private-Ratelimit-Remaining``."""
    for header, name in _HEADERS.items():
        try:
            left = float(headers[header])
        except (KeyError, ValueError):
            continue
        if 0.0 <= left <= _MOST[name]:
            yield name, _MOST[name] - left


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: each limit is counted alone."""
    return groups or None
