"""Which markets trade: the venues are asked once a minute, and routes through one that does not are off the list until it does."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from arbtui.engine.breaches import BreachBook
from arbtui.engine.caution_watch import CautionWatch
from arbtui.engine.components import EngineComponents
from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError
from arbtui.model.market import Market
from arbtui.risk.breach import Severity
from arbtui.routes.finder import Liquidity
from arbtui.routes.route import ArbRoute

log = logging.getLogger("arbtui")

EVERY_S = 60.0
_ANSWER_S = 30.0
KIND = "MARKET_GONE"
"""Breach, one a venue: markets of the run do not trade there. It acknowledges itself once they all trade again."""
_NAMED = 10  # markets that a breach names


class MarketWatch:
    """Compares what each venue lets trade with what routes are found among. A market that the start did not know waits for the next start.

    Args:
        breaches: told of what no longer trades.
        liquidity: what longer routes are chosen by, where a market trades again.
        on_new: called with routes that are new on the list, of one venue's answer together, before anything else sees them.
        cautions: told of what each venue warns of at its markets.
    """

    def __init__(
        self,
        components: EngineComponents,
        breaches: BreachBook,
        liquidity: Liquidity,
        on_new: Callable[[Sequence[ArbRoute]], None],
        cautions: CautionWatch,
    ) -> None:
        self._universe = components.universe
        self._adapters = components.adapters
        self._breaches = breaches
        self._liquidity = liquidity
        self._on_new = on_new
        self._cautions = cautions
        self._gone: dict[str, dict[Market, None]] = {}  # by venue that has answered: those of its markets that do not trade
        self._unread: dict[str, str] = {}  # by venue: why it did not answer last

    async def run(self) -> None:
        """Ask again and again, until cancelled; at once where venues flag their markets: one may have been flagged while nothing ran."""
        if any(adapter.capabilities.flags for adapter in self._adapters.values()):
            await self.look()
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Ask every venue once; of one that does not answer nothing changes."""
        await asyncio.gather(*(self._ask(name, adapter) for name, adapter in self._adapters.items()))

    async def _ask(self, name: str, adapter: ExchangeAdapter) -> None:
        markets = [market for market in self._universe.markets if market.exchange == name]
        try:
            async with asyncio.timeout(_ANSWER_S):
                trading = await adapter.fetch_trading([market.code for market in markets])
        except (ArbtuiError, TimeoutError) as error:
            words = str(error) or "no answer"
            log.log(
                logging.INFO if self._unread.get(name) == words else logging.WARNING,
                "%s: which markets trade is not known: %s",
                name,
                words,
            )
            self._unread[name] = words
            return
        self._unread.pop(name, None)
        self._compare(name, markets, trading)
        self._cautions.look(name, markets, trading)

    def _compare(self, name: str, markets: Sequence[Market], trading: Collection[str]) -> None:
        known = self._gone.get(name)
        gone = self._gone.setdefault(name, {})
        new = [market for market in markets if market.code not in trading and market not in gone]
        back = [market for market in gone if market.code in trading]
        if new:
            self._take_away(name, new, gone)
        if back:
            self._bring_back(name, back, gone)
        if not gone and (back or known is None):  # known is None: what an earlier run has told is over, too
            for scope in dict.fromkeys(one.scope for one in self._breaches.breaches.values() if one.kind == KIND):
                if scope.partition(":")[0] == name:
                    self._breaches.acknowledge_all(KIND, scope, "recovered")

    def _take_away(self, name: str, markets: Sequence[Market], gone: dict[Market, None]) -> None:
        why = f"{name} does not list it as trading: halted, in maintenance, or delisted"
        routes = sum(len(self._universe.delist_market(market, why)) for market in markets)
        gone.update(dict.fromkeys(markets))
        codes = [market.code for market in gone]
        more = f" and {len(codes) - _NAMED} more" if len(codes) > _NAMED else ""
        detail = f"not listed as trading (halted, in maintenance, or delisted): {', '.join(codes[:_NAMED])}{more}"
        action = f"{counted(routes, 'route')} off the list until they trade again; open cycles go on"
        self._breaches.acknowledge_all(KIND, name, "recovered")  # the new one names those of the one before as well
        self._breaches.record(Severity.WARN, KIND, name, detail, action, every_time=True)

    def _bring_back(self, name: str, markets: Sequence[Market], gone: dict[Market, None]) -> None:
        made: list[ArbRoute] = []
        for market in markets:
            del gone[market]
            made += self._universe.list_market(market, self._liquidity)
        self._on_new(made)
        codes = ", ".join(market.code for market in markets)
        log.info("%s: %s trade again: %s on the list", name, codes, counted(len(made), "route"))
