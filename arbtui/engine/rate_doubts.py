"""The operator hears of a rate that is doubted, and of coins that have parted from all others."""

import logging
from collections import Counter
from collections.abc import Sequence

from arbtui.engine.breaches import BreachBook
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_watch import CoinRate, RateWatch
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity

log = logging.getLogger("arbtui")

#: Scope of a breach about the rate itself; where several venues have it, followed by the market.
RATE = "rate"
_ACTION = "no entries that need the rate until it is confirmed"


class RateDoubts:
    """Compares what rates are thought of with the last look. A breach of it acknowledges itself once it is over."""

    def __init__(self, watches: Sequence[RateWatch], rates: RateBook, breaches: BreachBook) -> None:
        self._watches = watches
        self._rates = rates
        self._breaches = breaches
        self._told: dict[str, str] = {}  # scope (a rate, or a coin) -> the id of the breach that says so
        coins = Counter(coin.symbol for watch in watches for coin in watch.coins)
        self._pairs = {symbol for symbol, count in coins.items() if count > 1}

    def look(self, now: float) -> None:
        """A few times a second: coins move between two changes of the rate, and a doubt ends by time."""
        for watch in self._watches:
            watch.look_at_all(now)
            market, others = watch.market, len(self._rates.between(watch.market.base, watch.market.quote)) - 1
            scope = f"{RATE} {market.name}" if others else RATE
            action = "entries use the same rate at another venue, where that is usable" if others else _ACTION
            self._tell(scope, Reason.RATE_DOUBTED, market.doubted, watch.why, action)
            for coin in watch.coins:
                if coin.doubted or (self._told and self._scope(coin) in self._told):
                    detail = f"its implied rate {coin.implied():,.2f} has parted from all others' {watch.median:,.2f}"
                    self._tell(self._scope(coin), Reason.COIN_DOUBTED, coin.doubted, detail, "its routes open nothing until it is back")
        self._rates.look(now)

    def _scope(self, coin: CoinRate) -> str:
        """The coin; where it is watched at several pairs of venues, at which."""
        return f"{coin.symbol} {coin.local.exchange}/{coin.foreign.exchange}" if coin.symbol in self._pairs else coin.symbol

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
