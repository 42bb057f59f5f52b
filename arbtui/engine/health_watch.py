"""Routes and operator hear of a venue's health when it changes."""

import logging
from collections.abc import Mapping, Sequence
from math import inf

from arbtui.engine.breaches import BreachBook
from arbtui.marketdata.staleness import StreamWatch
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity
from arbtui.risk.guard import RiskGuard
from arbtui.routes.route import ArbRoute

log = logging.getLogger("arbtui")


class HealthWatch:
    """Compares each venue's health with what it was at the last look."""

    def __init__(self, watches: Mapping[str, StreamWatch], risk: RiskGuard, routes: Sequence[ArbRoute], breaches: BreachBook) -> None:
        self._watches = watches
        self._risk = risk
        self._routes = routes
        self._breaches = breaches
        self._unfit: dict[str, Reason | None] = {}  #: by venue, as of the last look

    def look(self, now: float) -> None:
        """Mark the routes of each venue whose health changed since the last look, and record it once."""
        for name, watch in self._watches.items():
            if watch.last_message == -inf:
                continue  # not heard yet: its books say so
            guard = self._risk.exchange[name]
            unfit = guard.unfit(now)
            if unfit is self._unfit.get(name):
                continue
            self._unfit[name] = unfit
            if unfit is None:
                log.info("%s is fit to trade at again", name)
            else:
                why, action = guard.health.why(now), "no entries there until it is well"
                self._breaches.record(Severity.WARN, unfit, name, why, action, every_time=True)
            for route in self._routes:
                venues = (route.buy.market.exchange, route.sell.market.exchange)
                route.unfit = next((reason for venue in venues if (reason := self._unfit.get(venue)) is not None), None)
