"""Cancelling a profile's orders without its engine: for `arbtui kill`, when the engine is dead or does not answer."""

import asyncio
from contextlib import suppress

from arbtui.engine.cancels import Cleared, cancel_standing
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.documented_limits import documented_limits
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError
from arbtui.settings.profile import Settings
from arbtui.settings.venue_keys import key_holder

#: For how long the lists are asked at least, in s: a request of the engine may be under way, and be accepted late.
_WATCH_S = 3.0
#: How long one venue may take in all, in s.
_WHOLE_S = 30.0


async def cancel_alone(settings: Settings) -> tuple[Cleared, ...]:
    """Cancel every order of ours at each venue of ``settings``, with its own keys; what each venue has confirmed.

    Foreign orders are named and left alone, whatever the profile says: who kills from outside sees less than an engine does.

    Raises:
        UsageError: keys are missing, or an exchange is none that orders can be sent to.
    """
    clock = SystemClock()
    keys = {name: key_holder(name, live=True) for name in settings.exchanges}
    limits = {name: RateLimitManager(name, clock, documented_limits(name)) for name in settings.exchanges}
    registry = await ExchangeRegistry.open(settings.exchanges, keys, clock, limits, {})
    try:
        return tuple(await asyncio.gather(*(_clear(name, adapter) for name, adapter in registry.adapters.items())))
    finally:
        await registry.close()


async def _clear(name: str, adapter: CcxtAdapter) -> Cleared:
    try:
        async with asyncio.timeout(_WHOLE_S):
            with suppress(ArbtuiError):  # Binance refuses what our clock dates wrongly; without an answer it is tried all the same
                await adapter.ping()
            return await cancel_standing(name, adapter, exclusive=False, is_unsure=lambda: True, within_s=_WATCH_S)
    except TimeoutError:
        return Cleared(name, f"no end within {_WHOLE_S:g} s", ())
    except ArbtuiError as error:
        return Cleared(name, str(error), ())
