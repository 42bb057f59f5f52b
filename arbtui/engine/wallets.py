"""What the venues' wallets do: asked for every ten minutes, for the transfer plans. Nothing trades on it, and nothing waits for it."""

import asyncio
import logging
from collections.abc import Mapping
from decimal import Decimal

from arbtui.engine.components import EngineComponents
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.venues import is_bank_money
from arbtui.model.errors import ArbtuiError
from arbtui.portfolio.transfer_plan import TransferPlan, transfer_plans

log = logging.getLogger("arbtui")

EVERY_S = 600.0
_ANSWER_S = 300.0  # Upbit tells one asset at a time


class Wallets:
    """The last known terms of every venue, and the plans that follow from them."""

    def __init__(self, components: EngineComponents) -> None:
        self._components = components
        self.networks: dict[str, Networks] = {}  #: by exchange; of a venue that has not answered there are none
        self.asked_ms: dict[str, int] = {}  #: when each answered last

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(EVERY_S)

    async def refresh(self) -> None:
        """Ask every venue once; one that does not answer keeps what it last told."""
        settlement = [asset for asset in self._components.portfolio.state.settlement if not is_bank_money(asset)]
        assets = [*self._components.universe.symbols, *settlement]
        for name, adapter in self._components.adapters.items():
            try:
                async with asyncio.timeout(_ANSWER_S):
                    self.networks[name] = await adapter.fetch_networks(assets)
            except (ArbtuiError, TimeoutError) as error:
                log.warning("%s: its networks are not known: %s", name, str(error) or "no answer")
            else:
                self.asked_ms[name] = self._components.clock.time_ms()

    def plans(self, asset: str | None = None) -> list[TransferPlan]:
        """What a person could move now."""
        parts = self._components
        prices: Mapping[str, Decimal] = parts.marks.prices(parts.portfolio.state.counters.qty)
        below, gated = parts.rebalance.refill_below, parts.risk.halts.is_gated
        plans = transfer_plans(parts.portfolio, self.networks, prices, below, parts.clock.time_ms(), self._reverse_edge, asset)
        return [plan.gated() if gated(plan.sender, plan.asset) or gated(plan.receiver, plan.asset) else plan for plan in plans]

    def _reverse_edge(self, asset: str, bought_at: str, sold_at: str) -> float | None:
        for route in self._components.universe.of_symbol(asset):
            if [(one.bought_at.asset, one.bought_at.exchange, one.sold_at.exchange) for one in route.inventories] == [
                (asset, bought_at, sold_at)
            ]:
                edge = route.touch_edge_bps()
                return edge if edge > -1e6 else None
        return None
