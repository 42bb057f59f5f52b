"""The live venues of a profile, each with its own adapter and connections."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.config import ExchangeConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.keys import VenueKeyHolder
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.venues import VENUES
from arbtui.model.clock import Clock
from arbtui.model.errors import UsageError
from arbtui.model.market import Market

log = logging.getLogger("arbtui")


class ExchangeRegistry:
    """Adapters by exchange. Make it with :meth:`open`, then :meth:`connect`; ``await close()`` at the end in any case."""

    def __init__(self, adapters: Mapping[str, CcxtAdapter]) -> None:
        self.adapters = adapters

    @classmethod
    async def open(
        cls,
        exchanges: Mapping[str, ExchangeConfig],
        keys: Mapping[str, VenueKeyHolder],
        clock: Clock,
        limits: Mapping[str, RateLimitManager],
        health: Mapping[str, ExchangeHealthMonitor],
    ) -> "ExchangeRegistry":
        """Make an adapter for each of ``exchanges``; nothing is sent yet. Imports ccxt, which blocks the loop for 0.4 s.

        Raises:
            UsageError: an exchange that cannot be traded at yet.
        """
        traded = {name: (venue, venue.adapter) for name, venue in VENUES.items() if venue.adapter is not None}
        for name in exchanges:
            if name not in traded:
                raise UsageError(f"[exchanges.{name}]: no orders can be sent there yet; {', '.join(traded)} can be traded at")
        adapters: dict[str, CcxtAdapter] = {}
        for name, config in exchanges.items():
            venue, made = traded[name]
            if config.real_orders and not venue.is_proven_in(config.quote) and not config.urls.is_loopback:
                where = f"{name} in {config.quote}" if venue.is_proven else name
                raise UsageError(f"exchanges.{name}.real_orders: real orders were never proven at {where}; leave it out")
            client = CcxtClient(name, venue.rest, config, keys[name], clock, limits.get(name), health.get(name))
            adapters[name] = made()(client, config.urls.private, clock)
            adapters[name].capabilities = venue.capabilities
        return cls(adapters)

    async def connect(self, codes: Mapping[str, Sequence[str]] | None = None) -> dict[str, dict[str, Market]]:
        """Connect all venues at once; the markets of ``codes`` (by exchange; None: all) that trade, by exchange and code.

        Raises:
            VenueRefused: keys are refused, or may withdraw.
            VenueFailed: a venue does not answer usably.
        """
        results = await asyncio.gather(
            *(adapter.connect(None if codes is None else codes.get(name, ())) for name, adapter in self.adapters.items()),
            return_exceptions=True,
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return {name: adapter.markets for name, adapter in self.adapters.items()}

    async def close(self) -> None:
        """Close every connection, each within a few seconds."""
        await asyncio.gather(*(adapter.close() for adapter in self.adapters.values()))
