"""Upbit's request limits (docs.upbit.com, "Rate Limits", 2026-10-07): by second and group, reported in ``Remaining-Req``."""

from collections.abc import Callable

from arbtui.sandbox.answer import Answer, encode
from arbtui.sandbox.windows import RollingWindow

#: Group -> (requests, seconds).
GROUPS: dict[str, tuple[int, float]] = {
    "market": (10, 1.0),
    "orderbook": (10, 1.0),
    "ticker": (10, 1.0),
    "trade": (10, 1.0),
    "default": (30, 1.0),
    "order": (12, 1.0),
    "order-test": (12, 1.0),
    "order-cancel-all": (1, 2.0),
    "websocket-connect": (5, 1.0),
}
#: This many refused requests in a row, without a pause of a second, turn a 429 into a 418 that lasts longer each time.
STRIKES = 20
FIRST_BLOCK_S = 10.0


class UpbitLimits:
    """The limits of one client (everything on this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, monotonic: Callable[[], float], *, enforced: bool = True) -> None:
        self._now = monotonic
        self._enforced = enforced
        self._windows = {name: RollingWindow(*limit) for name, limit in GROUPS.items()}
        self._strikes: list[float] = []
        self._blocked_until = 0.0
        self._block_s = FIRST_BLOCK_S

    def take(self, group: str) -> Answer | None:
        """Count one request of ``group``; the refusal when it exceeds the limit."""
        now = self._now()
        if now < self._blocked_until:
            return refusal(418, max(1, round(self._blocked_until - now)))
        if self._windows[group].take(now) or not self._enforced:
            return None
        self._strikes = [at for at in self._strikes if at > now - 1.0] + [now]
        if len(self._strikes) >= STRIKES:
            self._strikes.clear()
            self._blocked_until, self._block_s = now + self._block_s, self._block_s * 2
        return refusal(429, 1)

    def header(self, group: str) -> dict[str, str]:
        """The ``Remaining-Req`` of an answer of ``group``; its ``min`` is a constant without meaning."""
        limit, seconds = GROUPS[group]
        return {"Remaining-Req": f"group={group}; min={int(limit / seconds * 60)}; sec={self._windows[group].left}"}


def refusal(status: int, retry_after_s: int) -> Answer:
    """Upbit's 429 or 418, in the format of its other errors."""
    name = "too_many_requests"
    body = {"error": {"name": name, "message": "요청 수 제한을 초과했습니다."}}
    return Answer(encode(body), status, {"Retry-After": str(retry_after_s)} if status == 418 else {})
