"""Cancelling a profile's orders without its engine: for `arbtui kill` and `arbtui guardian`, when no engine does it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from arbtui.engine.cancels import Cleared, cancel_standing
from arbtui.exchanges.adapter import StandingOrder
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.documented_limits import documented_limits
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError
from arbtui.settings.own_keys import OwnKeys
from arbtui.settings.profile import Settings

#: For how long the lists are asked at least, in s: a request of the engine may be under way, and be accepted late.
_WATCH_S = 3.0
#: How long one venue may take in all, in s.
_WHOLE_S = 30.0

Covers = Callable[[str, StandingOrder], bool]  #: whether an order at an exchange is meant


def _all(exchange: str, order: StandingOrder) -> bool:
    return True


async def cancel_alone(settings: Settings, keys: OwnKeys, lacks: Mapping[str, str], covers: Covers = _all) -> tuple[Cleared, ...]:
    """Cancel orders of ours at each venue of ``settings``, with ``keys``; what each venue has confirmed.

    Foreign orders are named and left alone, whatever the profile says: who kills from outside sees less than an engine does.

    Args:
        settings: the profile's, in mode live.
        keys: by venue.
        lacks: the venues without keys, and why: they are told as not confirmed.
        covers: which orders are meant; by default all.

    Raises:
        UsageError: an exchange is none that orders can be sent to.
    """
    clock = SystemClock()
    exchanges = {name: settings.exchanges[name] for name in keys}
    limits = {name: RateLimitManager(name, clock, documented_limits(name)) for name in exchanges}
    registry = await ExchangeRegistry.open(exchanges, keys, clock, limits, {})
    try:
        cleared = await asyncio.gather(*(_clear(name, adapter, covers) for name, adapter in registry.adapters.items()))
    finally:
        await registry.close()
    return (*cleared, *(Cleared(name, why, ()) for name, why in lacks.items()))


async def _clear(name: str, adapter: CcxtAdapter, covers: Covers) -> Cleared:
    try:
        async with asyncio.timeout(_WHOLE_S):
            with suppress(ArbtuiError):  # Binance refuses what our clock dates wrongly; without an answer it is tried all the same
                await adapter.ping()
            return await cancel_standing(
                name,
                adapter,
                exclusive=False,
                covers=lambda order: covers(name, order),
                is_unsure=lambda: True,
                within_s=_WATCH_S,
            )
    except TimeoutError:
        return Cleared(name, f"no end within {_WHOLE_S:g} s", ())
    except ArbtuiError as error:
        return Cleared(name, str(error), ())
