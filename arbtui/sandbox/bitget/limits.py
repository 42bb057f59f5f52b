"""Bitget's request limits: each endpoint's own a second (its page), 6,000 a minute of an address, then five minutes of silence."""

from collections.abc import Callable

from arbtui.sandbox.windows import RollingWindow

A_MINUTE, BAN_S = 6000, 300.0
CONNECTIONS_A_5_MIN = 300


class BitgetLimits:
    """The limits of one account and address (everything on this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, monotonic: Callable[[], float], *, enforced: bool = True) -> None:
        self._now = monotonic
        self._enforced = enforced
        self._windows: dict[str, RollingWindow] = {}
        self._address = RollingWindow(A_MINUTE, 60.0)
        self._connections = RollingWindow(CONNECTIONS_A_5_MIN, 300.0)
        self._silent_until = 0.0

    def passes(self, endpoint: str, a_second: int) -> bool:
        """Count one request of ``endpoint``; False when it exceeds a limit."""
        now = self._now()
        if not self._enforced:
            return True
        if now < self._silent_until:
            return False
        if not self._address.take(now):
            self._silent_until = now + BAN_S
            return False
        if endpoint not in self._windows:
            self._windows[endpoint] = RollingWindow(a_second, 1.0)
        return self._windows[endpoint].take(now)

    def connects(self) -> bool:
        """Count one new socket; False when it exceeds the limit."""
        return self._connections.take(self._now()) or not self._enforced
