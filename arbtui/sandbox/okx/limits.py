"""OKX's limits (okx.com/docs-v5, each endpoint's "Rate Limit"): requests in a rolling window, by endpoint, of orders by market, too."""

from collections.abc import Callable

from arbtui.sandbox.answer import Answer
from arbtui.sandbox.okx.refusals import refused
from arbtui.sandbox.windows import RollingWindow

#: Group -> (requests, seconds).
GROUPS: dict[str, tuple[int, float]] = {
    "order": (60, 2.0),
    "cancel": (60, 2.0),
    "order-query": (60, 2.0),
    "orders-pending": (60, 2.0),
    "fills": (60, 2.0),
    "fills-history": (10, 2.0),
    "balance": (10, 2.0),
    "config": (5, 2.0),
    "trade-fee": (5, 2.0),
    "instruments": (20, 2.0),
    "account-instruments": (20, 2.0),
    "currencies": (6, 1.0),
    "tickers": (20, 2.0),
    "ticker": (20, 2.0),
    "books": (40, 2.0),
    "time": (10, 2.0),
    "connect": (3, 1.0),
}
#: Groups whose every market has a count of its own.
BY_MARKET = frozenset({"order", "cancel", "order-query"})


class OkxLimits:
    """The limits of one address and account (all of this machine is one); ``enforced`` False counts and refuses nothing."""

    def __init__(self, monotonic: Callable[[], float], *, enforced: bool = True) -> None:
        self._now = monotonic
        self._enforced = enforced
        self._windows: dict[tuple[str, str], RollingWindow] = {}

    def take(self, group: str, code: str = "") -> Answer | None:
        """Count one request of ``group``, about market ``code``; the refusal when it exceeds the limit."""
        place = (group, code if group in BY_MARKET else "")
        window = self._windows.get(place)
        if window is None:
            window = self._windows[place] = RollingWindow(*GROUPS[group])
        return None if window.take(self._now()) or not self._enforced else refused("50011").answer()
