"""Cancelling a profile's orders without its engine: for `arbtui kill` and `arbtui guardian`, when no engine does it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from arbtui.engine.cancels import Cleared, cancel_standing
from arbtui.engine.scope_orders import ScopeOrders
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.venues import documented_limits
from arbtui.failover.standing import list_standing
from arbtui.journal.open_items import read_route
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.model.scoped_halts import GLOBAL
from arbtui.settings.own_keys import OwnKeys
from arbtui.settings.profile import Settings

#: For how long the lists are asked at least, in s: a request of the engine may be under way, and be accepted late.
_WATCH_S = 3.0
#: How long one venue may take in all, in s.
_WHOLE_S = 30.0


async def cancel_alone(
    settings: Settings, keys: OwnKeys, lacks: Mapping[str, str], scope: str = GLOBAL, journal: Path | None = None
) -> tuple[Cleared, ...]:
    """Cancel orders of ours at each venue of ``settings``, with ``keys``; what each venue has confirmed.

    Foreign orders are named and left alone, whatever the profile says: who kills from outside sees less than an engine does.

    Args:
        settings: the profile's, in mode live.
        keys: by venue.
        lacks: the venues without keys, and why: they are told as not confirmed.
        scope: cancel only what falls under it, at the venues where that may stand.
        journal: the profile's, which knows the route of an order; None where there is none.

    Raises:
        UsageError: an exchange is none that orders can be sent to.
    """
    clock = SystemClock()
    concerned = ScopeOrders(scope, _nothing_known, _no_route).exchanges(settings.exchanges)
    exchanges = {name: settings.exchanges[name] for name in concerned if name in keys}
    limits = {name: RateLimitManager(name, clock, documented_limits(name)) for name in exchanges}
    registry = await ExchangeRegistry.open(exchanges, keys, clock, limits, {})
    try:
        cleared = await asyncio.gather(*(_clear(name, adapter, scope, journal) for name, adapter in registry.adapters.items()))
    finally:
        await registry.close()
    return (*cleared, *(Cleared(name, why, ()) for name, why in lacks.items() if name in concerned))


async def _clear(name: str, adapter: CcxtAdapter, scope: str, journal: Path | None) -> Cleared:
    try:
        async with asyncio.timeout(_WHOLE_S):
            with suppress(ArbtuiError):  # Binance refuses what our clock dates wrongly; without an answer it is tried all the same
                await adapter.ping()
            orders = await _orders(adapter, scope, journal)
            if journal is not None and not adapter.capabilities.lists_name_our_ids:
                # What a journal that cannot be read held is not known, and a list that fails is asked for again: what stands is named.
                with suppress(ArbtuiError):
                    await list_standing(adapter, journal)
            return await cancel_standing(
                name,
                adapter,
                exclusive=False,
                covers=lambda order: orders.covers(name, order),
                is_unsure=lambda: True,
                within_s=_WATCH_S,
            )
    except TimeoutError:
        return Cleared(name, f"no end within {_WHOLE_S:g} s", ())
    except ArbtuiError as error:
        return Cleared(name, str(error), ())


async def _orders(adapter: CcxtAdapter, scope: str, journal: Path | None) -> ScopeOrders:
    """The orders of ``scope`` at one venue; its markets are asked for where a symbol or a route depends on them.

    Raises:
        VenueFailed: it does not tell its markets.
    """
    if not scope.startswith(("symbol.", "route.")):
        return ScopeOrders(scope, _nothing_known, _no_route)
    listed = await adapter.listed()

    def assets_of(exchange: str, code: str) -> tuple[str, ...]:
        return (listed[code].market.base, listed[code].market.quote) if code in listed else ()

    def route_of(client_order_id: str) -> str | None:
        if journal is None:
            return None
        try:
            return read_route(journal, client_order_id)
        except UsageError:
            return None

    return ScopeOrders(scope, assets_of, route_of)


def _nothing_known(exchange: str, code: str) -> tuple[str, ...]:
    return ()


def _no_route(client_order_id: str) -> str | None:
    return None
