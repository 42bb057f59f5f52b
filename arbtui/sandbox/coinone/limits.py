"""Coinone's request limits (docs.coinone.co.kr/docs/ratelimit-안내, 2026-09-08): public ones a minute, private ones a second, in two kinds.

An answer tells what is left only while something is. How long a refusal lasts is in no document: here until the window has room again.
"""

from collections.abc import Callable

from arbtui.sandbox.answer import Answer
from arbtui.sandbox.coinone.refusals import refused
from arbtui.sandbox.windows import RollingWindow

#: Limit -> (requests, seconds, header).
GROUPS: dict[str, tuple[int, float, str]] = {
    "public": (1200, 60.0, "Public-Ratelimit-Remaining"),
    "order": (40, 1.0, "Private-Order-Ratelimit-Remaining"),
    "query": (80, 1.0, "Private-Ratelimit-Remaining"),
}
CONNECTIONS = 20  #: of each socket


class CoinoneLimits:
    """The limits of one client (everything on this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, monotonic: Callable[[], float], *, enforced: bool = True) -> None:
        self._now = monotonic
        self._enforced = enforced
        self._windows = {name: RollingWindow(most, seconds) for name, (most, seconds, _) in GROUPS.items()}

    def take(self, group: str) -> Answer | None:
        """Count one request of ``group``; the refusal when it exceeds the limit."""
        return None if self._windows[group].take(self._now()) or not self._enforced else refusal()

    def headers(self, group: str) -> dict[str, str]:
        """What an answer of ``group`` tells of its use."""
        left = self._windows[group].left
        return {GROUPS[group][2]: str(left)} if left > 0 else {}


def refusal(status: int = 200) -> Answer:
    """Coinone's answer to what is over a limit."""
    answer = refused("4").answer()
    answer.status = status
    return answer
