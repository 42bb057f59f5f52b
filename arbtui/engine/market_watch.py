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
"""Breach: a market of the run does not trade. It acknowledges itself once the market trades again."""


class MarketWatch:
    """Compares what each venue lets trade with what routes are found among. A market that the start did not know waits for the next start.

    Args:
        breaches: told of what no longer trades.
        liquidity: what longer routes are chosen by, where a market trades again.
        on_new: called with routes that are new on the list, before anything else sees them.
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
        self._told: dict[Market, str] = {}  # of those that do not trade, the breach's id
        self._unread: dict[str, str] = {}  # by venue: why it did not answer last

    async def run(self) -> None:
        """Ask again and again, until cancelled; at once where venues flag their markets: none that is flagged at a start is entered."""
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
        self._compare(markets, trading)
        self._cautions.look(name, markets, trading)

    def _compare(self, markets: Sequence[Market], trading: Collection[str]) -> None:
        for market in markets:
            if market.code not in trading and market not in self._told:
                self._gone(market)
            elif market.code in trading and market in self._told:
                self._back(market)

    def _gone(self, market: Market) -> None:
        why = f"{market.exchange} does not list it as trading: halted, in maintenance, or delisted"
        gone = self._universe.delist_market(market, why)
        action = f"{counted(len(gone), 'route')} off the list until it trades again; open cycles go on"
        breach = self._breaches.record(Severity.WARN, KIND, market.key, why, action, every_time=True)
        self._told[market] = "" if breach is None else breach.id

    def _back(self, market: Market) -> None:
        made = self._universe.list_market(market, self._liquidity)
        self._on_new(made)
        self._breaches.acknowledge(self._told.pop(market), "trades again")
        log.info("%s trades again: %s on the list", market.key, counted(len(made), "route"))
