"""The operator hears of a rate that is doubted, and of coins that have parted from all others."""

import logging

from arbtui.engine.breaches import BreachBook
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity

log = logging.getLogger("arbtui")

#: Scope of a breach about the rate itself.
RATE = "rate"


class RateDoubts:
    """Compares what the rate is thought of with the last look. A breach of it acknowledges itself once it is over."""

    def __init__(self, watch: RateWatch | None, breaches: BreachBook) -> None:
        self._watch = watch
        self._breaches = breaches
        self._told: dict[str, str] = {}  # scope (the rate, or a coin) -> the id of the breach that says so

    def look(self, now: float) -> None:
        """A few times a second: coins move between two changes of the rate, and a doubt ends by time."""
        watch = self._watch
        if watch is None:
            return
        watch.look_at_all(now)
        self._tell(RATE, Reason.RATE_DOUBTED, watch.rates.doubted, watch.why, "no entries that need the rate until it is confirmed")
        for coin in watch.coins:
            if coin.doubted or coin.symbol in self._told:
                detail = f"its implied rate {coin.implied():,.2f} has parted from all others' {watch.median:,.2f}"
                self._tell(coin.symbol, Reason.COIN_DOUBTED, coin.doubted, detail, "its routes open nothing until it is back")

    def _tell(self, scope: str, kind: Reason, doubted: bool, detail: str, action: str) -> None:
        told = self._told.get(scope)
        if doubted and told is None:
            breach = self._breaches.record(Severity.WARN, kind, scope, detail, action, every_time=True)
            if breach is not None:
                self._told[scope] = breach.id
        elif not doubted and told is not None:
            del self._told[scope]
            self._breaches.acknowledge(told, "recovered")
            log.info("%s: %s is over", scope, kind)
