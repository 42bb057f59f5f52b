"""Bybit's limits (v5, "Rate Limit Rules"): every request by address in 5 s, and beside it by endpoint in a rolling second."""

from arbtui.sandbox.answer import Answer, encode
from arbtui.sandbox.bybit.refusals import refused
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.windows import RollingWindow

HTTP_IN_5_S = 600
CONNECTIONS_IN_5_MIN = 500
#: Seconds for which an address that sent too many requests is refused: "at least 10 minutes".
BLOCK_S = 600.0
#: Requests a second by endpoint, for spot.
GROUPS = {
    "create": 20,
    "cancel": 20,
    "cancel-all": 20,
    "orders": 50,
    "history": 50,
    "executions": 50,
    "balances": 50,
    "info": 50,
    "config": 50,
    "fee-rate": 5,
    "key": 10,
    "coins": 5,
}


class BybitLimits:
    """The limits of one address and account (all of this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, clock: VenueClock, *, enforced: bool = True) -> None:
        self._clock = clock
        self._enforced = enforced
        self._http = RollingWindow(HTTP_IN_5_S, 5.0)
        self._groups = {name: RollingWindow(limit, 1.0) for name, limit in GROUPS.items()}
        self._connections = RollingWindow(CONNECTIONS_IN_5_MIN, 300.0)
        self._blocked_until = 0.0

    def take(self) -> Answer | None:
        """Count one request of the address; the refusal when it exceeds the limit."""
        now = self._clock.monotonic()
        if now >= self._blocked_until and (self._http.take(now) or not self._enforced):
            return None
        self._blocked_until = max(self._blocked_until, now + BLOCK_S) if now >= self._blocked_until else self._blocked_until
        return forbidden()

    def take_of(self, group: str) -> Answer | None:
        """Count one request to an endpoint; the refusal when it exceeds the limit."""
        if self._groups[group].take(self._clock.monotonic()) or not self._enforced:
            return None
        answer = refused(10006).answer()
        answer.headers.update(self.headers(group, 1000))
        return answer

    def connect(self) -> Answer | None:
        """Count one new socket; the refusal when it exceeds the limit."""
        return None if self._connections.take(self._clock.monotonic()) or not self._enforced else forbidden()

    def headers(self, group: str, reset_ms: int = 0) -> dict[str, str]:
        """What an answer tells of its endpoint's limit."""
        return {
            "X-Bapi-Limit": str(GROUPS[group]),
            "X-Bapi-Limit-Status": str(self._groups[group].left),
            "X-Bapi-Limit-Reset-Timestamp": str(self._clock.time_ms() + reset_ms),
        }


def forbidden() -> Answer:
    """The 403 of an address that sent too many requests; its words are documented, its form is not."""
    return Answer(b"403, access too frequent", 403, content_type="text/plain")


def overloaded() -> Answer:
    """The 429 of the venue's own protection ("Error Codes", HTTP Code); its form is not documented."""
    return Answer(encode({"retCode": 10429, "retMsg": "System level frequency protection", "result": {}, "retExtInfo": {}}), 429)
