"""Routes and operator hear of a venue's silence, and of its health when it changes."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from math import inf

from arbtui.engine.breaches import BreachBook
from arbtui.marketdata.staleness import StreamWatch
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity
from arbtui.risk.guard import RiskGuard
from arbtui.routes.route import ArbRoute

log = logging.getLogger("arbtui")

#: s that a venue may take to become fit for the first time before an operator is told: streams open, the account is read.
_SETTLING_S = 10.0


class HealthWatch:
    """Compares each venue's health with what it was at the last look. A breach of it acknowledges itself once it is over."""

    def __init__(self, watches: Mapping[str, StreamWatch], risk: RiskGuard, routes: Sequence[ArbRoute], breaches: BreachBook) -> None:
        self._watches = watches
        self._risk = risk
        self._routes = routes
        self._breaches = breaches
        self._unfit: dict[str, Reason | None] = {}  # by venue, as of the last look
        self._server_times: dict[str, tuple[float, float]] = {}  # by venue, as last taken into account
        self._settling_until: dict[str, float] = {}  # by venue; in the past once it has been fit
        self._told: dict[str, tuple[Reason, str]] = {}  # by venue: why it is unfit, and the id of the breach that says so

    def look(self, now: float) -> None:
        """Mark the routes of each venue whose health changed since the last look, and tell of it once."""
        for name, watch in self._watches.items():
            server_time = self._risk.exchange[name].health.server_time
            if self._risk.symbol.delays is not None and server_time is not None and server_time is not self._server_times.get(name):
                self._server_times[name] = server_time
                self._risk.symbol.delays.limit_base(name, *server_time)
            if watch.last_message == -inf:
                continue  # not heard yet: its books say so
            if watch.is_silent(now):
                self._breaches.record(Severity.WARN, "STREAM_SILENT", name, "no message within the limit: its books are STALE", "wait")
            unfit = self._risk.exchange[name].unfit(now)
            self._tell(name, unfit, now)
            if unfit is self._unfit.get(name):
                continue
            self._unfit[name] = unfit
            self.mark(self._routes)

    def mark(self, routes: Iterable[ArbRoute]) -> None:
        """Mark ``routes`` by their venues' health as of the last look: also those that are new on the list."""
        for route in routes:
            route.unfit = next((reason for venue in route.exchanges if (reason := self._unfit.get(venue)) is not None), None)

    def _tell(self, name: str, unfit: Reason | None, now: float) -> None:
        settling_until = self._settling_until.setdefault(name, now + _SETTLING_S)
        told = self._told.get(name)
        if unfit is None:
            self._settling_until[name] = -inf
        if told is not None and told[0] is not unfit:
            del self._told[name]
            self._breaches.acknowledge(told[1], "recovered")
            if unfit is None:
                log.info("%s is fit to trade at again", name)
            told = None
        if unfit is not None and told is None and now >= settling_until:
            why = self._risk.exchange[name].why_unfit(now)
            severity = Severity.CRIT if self._risk.exchange[name].health.is_refused else Severity.WARN  # it seldom mends itself
            breach = self._breaches.record(severity, unfit, name, why, "no entries there until it is well", every_time=True)
            if breach is not None:
                self._told[name] = (unfit, breach.id)
