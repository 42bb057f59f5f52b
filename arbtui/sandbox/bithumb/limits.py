"""Bithumb's request limits (apidocs.bithumb.com, docs/api-요청-수-제한-안내, 2026-10-27): by second and category, for each address.

A category over its limit is restricted for a while; how long is in no document, and a minute is the shortest time that its help names.
More than twenty orders, or cancels, a second of one asset "may be restricted": here they are refused, and nothing else is.
"""

from collections.abc import Callable

from arbtui.sandbox.answer import Answer
from arbtui.sandbox.bithumb.refusals import refused
from arbtui.sandbox.windows import RollingWindow

#: Category -> (requests, seconds). The public ones have answers that tell their use.
PUBLIC = {"market": (150, 1.0), "ticker": (150, 1.0), "trades": (150, 1.0), "orderbook": (150, 1.0)}
GROUPS: dict[str, tuple[int, float]] = PUBLIC | {
    "order": (140, 1.0),
    "cancel": (140, 1.0),
    "default": (140, 1.0),
    "batch": (20, 1.0),
    "websocket-connect": (10, 1.0),
}
OF_ONE_ASSET = 20, 1.0
RESTRICTED_S = 60.0


class BithumbLimits:
    """The limits of one client (everything on this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, monotonic: Callable[[], float], *, enforced: bool = True) -> None:
        self._now = monotonic
        self._enforced = enforced
        self._windows = {name: RollingWindow(*limit) for name, limit in GROUPS.items()}
        self._assets: dict[tuple[str, str], RollingWindow] = {}
        self._restricted_until: dict[str, float] = {}

    def take(self, group: str) -> Answer | None:
        """Count one request of ``group``; the refusal when it exceeds the limit."""
        now = self._now()
        if now < self._restricted_until.get(group, 0.0):
            return refusal()
        if self._windows[group].take(now) or not self._enforced:
            return None
        self._restricted_until[group] = now + RESTRICTED_S
        return refusal()

    def take_of_asset(self, group: str, code: str) -> Answer | None:
        """Count one order or cancel of one market."""
        window = self._assets.setdefault((group, code), RollingWindow(*OF_ONE_ASSET))
        return None if window.take(self._now()) or not self._enforced else refusal()

    def headers(self, group: str) -> dict[str, str]:
        """What an answer of ``group`` tells of its use; nothing for a private one, as no document says otherwise."""
        if group not in PUBLIC:
            return {}
        most = str(GROUPS[group][0])
        return {
            "x-ratelimit-remaining": str(self._windows[group].left),
            "x-ratelimit-requested-tokens": "1",
            "x-ratelimit-burst-capacity": most,
            "x-ratelimit-replenish-rate": most,
        }


def refusal(status: int = 429) -> Answer:
    """Bithumb's 429, in the format of its other errors."""
    answer = refused("too_many_requests").answer()
    answer.status = status
    return answer
