"""Binance's limits (Spot API, "LIMITS"): request weight by minute, orders by ten seconds and day, and the penalties of a breach."""

from arbtui.sandbox.answer import Answer
from arbtui.sandbox.binance.refusals import too_many
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.windows import FixedWindow, RollingWindow

WEIGHT_A_MINUTE = 6000
ORDERS_A_10S = 100
ORDERS_A_DAY = 200_000
CONNECTIONS_A_5_MIN = 300
#: This many requests after the first 429 of a minute get the address banned, each time for longer.
STRIKES = 20
FIRST_BAN_S = 120

RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": WEIGHT_A_MINUTE},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": ORDERS_A_10S},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": ORDERS_A_DAY},
    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
]

_TOO_MUCH = (
    f"Too much request weight used; current limit is {WEIGHT_A_MINUTE} request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)


class BinanceLimits:
    """The limits of one address and account (all of this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, clock: VenueClock, *, enforced: bool = True) -> None:
        self._clock = clock
        self._enforced = enforced
        self._weight = FixedWindow(WEIGHT_A_MINUTE, 60)
        self._ten_s, self._day = FixedWindow(ORDERS_A_10S, 10), FixedWindow(ORDERS_A_DAY, 86_400)
        self._connections = RollingWindow(CONNECTIONS_A_5_MIN, 300.0)
        self._strikes = 0
        self._banned_until_ms = 0
        self._ban_s = FIRST_BAN_S

    def take(self, weight: int, orders: int = 0) -> Answer | None:
        """Count one request; the refusal when it exceeds a limit."""
        now = self._clock.time_ms()
        if now < self._banned_until_ms:
            return banned(self._banned_until_ms, -(-(self._banned_until_ms - now) // 1000))
        if self._weight.add(weight, now) > WEIGHT_A_MINUTE and self._enforced:
            return self._strike(now)
        self._strikes = 0
        if orders:
            for window, words in ((self._ten_s, f"{ORDERS_A_10S} orders per 10 SECOND"), (self._day, f"{ORDERS_A_DAY} orders per 1 DAY")):
                if window.used(now) + orders > window.limit and self._enforced:
                    return too_many(429, f"Too many new orders; current limit is {words}.", window.left_s(now), -1015)
            self._ten_s.add(orders, now)
            self._day.add(orders, now)
        return None

    def connect(self) -> Answer | None:
        """Count one new socket; the refusal when it exceeds the limit."""
        now = self._clock.time_ms()
        if now < self._banned_until_ms:
            return banned(self._banned_until_ms, -(-(self._banned_until_ms - now) // 1000))
        passes = self._connections.take(self._clock.monotonic()) or not self._enforced
        return None if passes else too_many(429, "Too many connections.", 60)

    def headers(self, *, orders: bool) -> dict[str, str]:
        """The counts as headers of answers; the order counts with answers to new orders only."""
        now = self._clock.time_ms()
        used = str(self._weight.used(now))
        counts = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if orders:
            counts["X-MBX-ORDER-COUNT-10S"] = str(self._ten_s.used(now))
            counts["X-MBX-ORDER-COUNT-1D"] = str(self._day.used(now))
        return counts

    def rows(self, *, orders: bool) -> list[dict[str, object]]:
        """The counts as the WebSocket API's answers and ``rateLimit/order`` have them."""
        now = self._clock.time_ms()
        counts = {"MINUTE": self._weight.used(now), "SECOND": self._ten_s.used(now), "DAY": self._day.used(now)}
        kinds = ("REQUEST_WEIGHT", "ORDERS") if orders else ("REQUEST_WEIGHT",)
        return [{**row, "count": counts[str(row["interval"])]} for row in RATE_LIMITS if row["rateLimitType"] in kinds]

    def _strike(self, now: int) -> Answer:
        self._strikes += 1
        if self._strikes <= STRIKES:
            return too_many(429, _TOO_MUCH, self._weight.left_s(now))
        self._strikes = 0
        self._banned_until_ms, self._ban_s = now + self._ban_s * 1000, self._ban_s * 2
        return banned(self._banned_until_ms, (self._banned_until_ms - now) // 1000)


def banned(until_ms: int, retry_after_s: int) -> Answer:
    """The 418 of a banned address."""
    words = f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams for live updates to avoid bans."
    return too_many(418, words, max(1, retry_after_s))


def throttled(retry_after_s: int) -> Answer:
    """The 429 of a breach of the request weight."""
    return too_many(429, _TOO_MUCH, retry_after_s)
