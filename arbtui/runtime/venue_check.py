"""What `check` asks the venues: whether they are reached, how far the clocks are, what the keys may do. Nothing is traded."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.keys import VenueKeyHolder
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.redirects import refuse_redirects
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.rights import prove_rights
from arbtui.exchanges.this_machine import socket_factory
from arbtui.exchanges.venues import documented_limits
from arbtui.marketdata.connection_errors import FAILURES, failure_of
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.runtime.real_venues import NO_KEYS
from arbtui.settings.profile import Settings
from arbtui.settings.venue_keys import key_holder

_CONNECT_S = 10.0


@dataclass(slots=True)
class VenueFacts:
    """What was found of one venue. ``facts`` are in words; ``problems`` are (area, words)."""

    exchange: str
    facts: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def check_venues(settings: Settings) -> list[VenueFacts]:
    """Ask every venue of ``settings``; keys only in mode ``live``."""
    return asyncio.run(_check(settings))


async def _check(settings: Settings) -> list[VenueFacts]:
    found = {name: VenueFacts(name) for name in settings.exchanges}
    holders: dict[str, VenueKeyHolder] = {}
    for name in found:
        holders[name] = VenueKeyHolder(lambda: NO_KEYS)
        if settings.mode == "live":
            with suppress(UsageError):  # whoever reads the profile tells of keys that are not there
                holders[name] = key_holder(name, live=True)
    clock = SystemClock()
    limits = {name: RateLimitManager(name, clock, documented_limits(name)) for name in settings.exchanges}
    try:
        registry = await ExchangeRegistry.open(settings.exchanges, holders, clock, limits, {})
    except UsageError as error:
        return [VenueFacts("", problems=[("markets", str(error))])]
    try:
        asked = [_ask(found[name], adapter, settings.exchanges[name].cross_quotes) for name, adapter in registry.adapters.items()]
        listened = [_listen(found[name], config.urls.stream) for name, config in settings.exchanges.items()]
        await asyncio.gather(*asked, *listened)
    finally:
        await registry.close()
    return list(found.values())


async def _ask(found: VenueFacts, adapter: CcxtAdapter, coins: Sequence[str]) -> None:
    started = time.perf_counter()
    try:
        listed = await adapter.listed()
        found.facts.append(f"REST answers: {len(listed)} markets in {(time.perf_counter() - started) * 1000:.0f} ms")
    except ArbtuiError as error:
        found.problems.append(("network", str(error)))
        return
    for coin in coins:
        there = sum(listing.market.quote == coin for listing in listed.values())
        if there:
            found.facts.append(f"{there} of them are against {coin}")
        else:
            found.problems.append(("markets", f"exchanges.{found.exchange}.cross_quotes: it lists no market against {coin} now"))
    if adapter.odd:
        found.facts.append(f"{len(adapter.odd)} of its markets left out, whose rules cannot be read:")
        found.facts += [f"  {code}: {why}" for code, why in adapter.odd.items()]
    try:
        await adapter.measure_clock()
    except ArbtuiError as error:
        found.problems.append(("clock", str(error)))
    skew = adapter.clock_skew_ms
    if not adapter.capabilities.requests_carry_time:
        found.facts.append("its requests carry no time, so no clock can be wrong")
    elif skew is not None:
        found.facts.append(f"our clock is {skew:+d} ms from its")
    if not adapter.has_keys:
        return
    try:
        found.facts.append(f"key {adapter.key_tail} {await adapter.check_keys()}")
    except ArbtuiError as error:
        found.problems.append(("keys", str(error)))
        return
    if not adapter.markets:  # any will do to ask with
        adapter.markets = {code: listing.market for code, listing in list(listed.items())[:1]}
    for right in await prove_rights(adapter):
        found.facts.append(str(right))
        if not right.is_given and right.can_be_proven:
            found.problems.append(("keys", f"{found.exchange}: {right}"))


async def _listen(found: VenueFacts, url: str) -> None:
    try:
        async with (
            asyncio.timeout(_CONNECT_S),
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=socket_factory(url)), middlewares=(refuse_redirects,)
            ) as session,
            session.ws_connect(url),
        ):
            found.facts.append("public stream opens")
    except FAILURES as error:
        found.problems.append(("network", failure_of(found.exchange, url, error).words))
