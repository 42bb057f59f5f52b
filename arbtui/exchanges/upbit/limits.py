"""Upbit's limits: docs.upbit.com/kr/reference/rate-limits as of 2026-10-07, and their use as its answers report it.

All REST limits are by second. `order` was raised from 8 to 12 on 2026-08-21 (changelog order-rate-limit-update). A
cancel of one order is of the group `default`. Quotation requests count by IP address and kind (market, candle, trade,
ticker, orderbook); here they share one group, which is stricter. Exchange requests count by account (Upbit: "pocket"),
not by key. Messages count by connection; here all connections share one count, which is stricter too.
"""

from collections.abc import Collection, Iterator, Mapping

from arbtui.exchanges.rate_limit import CANCELS_ONLY, DATA_ONLY, RateLimit

#: s; how far a queue in the network may compress requests in time
_JITTER_S = 0.1

LIMITS = (
    RateLimit("quotation", "quotation", 10, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("default", "default", 30, 1.0, jitter_s=_JITTER_S),
    RateLimit("order", "order", 12, 1.0, jitter_s=_JITTER_S),
    RateLimit("order-test", "order-test", 8, 1.0, jitter_s=_JITTER_S),
    RateLimit("order-cancel-all", "order-cancel-all", 1, 2.0, CANCELS_ONLY, _JITTER_S),
    RateLimit("socket-connect", "socket-connect", 5, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("socket-message/1s", "socket-message", 5, 1.0, DATA_ONLY, _JITTER_S),
    RateLimit("socket-message/1m", "socket-message", 100, 60.0, DATA_ONLY),
)

_HARD = {limit.name: limit.hard for limit in LIMITS}
#: Our limit for each group of the header `Remaining-Req`; every other one is a quotation group, which is one limit here.
_OWN_NAMES = {"default": "default", "order": "order", "order-test": "order-test", "order-cancel-all": "order-cancel-all"}


def used(headers: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """(limit's name, units used) from an answer's `Remaining-Req: group=default; min=1800; sec=29`.

    `min` is a constant without meaning. A venue with a smaller limit than ours appears partly used, which
    slows requests down; an unknown group is a quotation group.
    """
    header = headers.get("remaining-req", "")
    fields = dict(part.strip().split("=", 1) for part in header.split(";") if "=" in part)
    try:
        left = float(fields["sec"])
    except (KeyError, ValueError):
        return
    name = _OWN_NAMES.get(fields.get("group", ""), "quotation")
    if left >= 0.0:
        yield name, max(_HARD[name] - left, 0.0)


def banned(status: int, code: str, groups: Collection[str]) -> Collection[str] | None:
    """Which groups a refusal for too many requests silences: a 429 the request's own, the others' seconds run on; a 418 all of them."""
    return groups if status == 429 and groups else None
