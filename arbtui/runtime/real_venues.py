"""Venues reached over sockets: ``paper`` takes their books and plays the orders, ``live`` sends them."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.exchanges.assets import AssetRegistry
from arbtui.exchanges.ccxt_adapter import CcxtAdapter, Listing
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.keys import VenueKeyHolder, VenueKeys
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.rights import prove_rights
from arbtui.exchanges.venues import VENUES, account_origin, documented_limits
from arbtui.marketdata.stream import MarketDataStream, VenueSource
from arbtui.model.errors import RateLimited, UsageError, VenueFailed, VenueRefused
from arbtui.model.market import FeeTakenIn, Market
from arbtui.runtime.pairing import Pairs, pair
from arbtui.runtime.venues import Ground, Venues, book_of, with_fees
from arbtui.settings.account_lock import AccountLocks
from arbtui.settings.output import say
from arbtui.settings.profile import Settings
from arbtui.settings.sign_offs import SignOffs
from arbtui.settings.venue_keys import key_holder
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.venue import VenueCore

log = logging.getLogger("arbtui")

NO_KEYS = VenueKeys(SecretStr(""), SecretStr(""), "none")


class _Wires:
    """What both modes hold of each venue: limits, health, and the connection that rules are read over."""

    def __init__(self, settings: Settings, ground: Ground) -> None:
        self.settings, self.ground = settings, ground
        self.limits = {name: RateLimitManager(name, ground.clock, documented_limits(name)) for name in settings.exchanges}
        self.health = {name: ExchangeHealthMonitor(name, ground.clock, settings.health) for name in settings.exchanges}

    async def registry(self, keys: Mapping[str, VenueKeyHolder]) -> ExchangeRegistry:
        """Adapters, not connected yet."""
        return await ExchangeRegistry.open(self.settings.exchanges, keys, self.ground.clock, self.limits, self.health)

    def stream(self, markets: Mapping[str, Mapping[str, Market]]) -> MarketDataStream:
        """The public streams of ``markets``, by exchange and code."""
        sources = [
            VenueSource(name, config.urls, list(markets[name]), self.limits[name], self.health[name])
            for name, config in self.settings.exchanges.items()
        ]
        return MarketDataStream(sources, self.settings.marketdata, self.ground.clock, self.ground.rng)


async def live_venues(settings: Settings, ground: Ground) -> Venues:
    """Build ``live``: keys checked, rules read from the venues, streams ready to be opened.

    Raises:
        UsageError: keys are missing, another engine trades on one of the accounts, or nothing that the profile wants is listed
            at both venues.
        VenueRefused: a venue refuses the keys, or they may do what no key here may do.
        VenueFailed: a venue does not answer usably.
    """
    keys = {name: key_holder(name, live=True) for name in settings.exchanges}
    wires = _Wires(settings, ground)
    registry = await wires.registry(keys)
    locks = AccountLocks(settings.name, ground.folder.parent)
    try:
        _lock_accounts(locks, settings, registry)  # before the first request: of two with one key, the second leaves no trace
        _say_where(settings)
        listings, networks = await _listings_and_networks(registry, ground.folder.parent)
        pairs = pair(settings, ground.folder.parent, listings, _odd(registry), networks, ground.new_coins)
        markets = await registry.connect(_codes(settings, pairs, listings, ground))
        _lock_accounts(locks, settings, registry)  # the venues have told whose accounts they are: other keys of one are known now
        between = _still_traded(pairs, markets)
        await _prove_rights(registry)
    except BaseException:
        try:
            await registry.close()
        finally:  # a start that tries again must not meet its own locks
            locks.release()
        raise
    kept = {name: with_fees(_streamed(pairs.codes[name], listed), settings.exchanges[name]) for name, listed in markets.items()}
    stream = wires.stream(kept)
    adapters = dict(registry.adapters)
    venues = Venues(stream, adapters, kept, list(between), None, between, limits=wires.limits, health=wires.health, is_streamed=True)
    venues.on_books, venues.on_closed = stream.attach, locks.release
    return venues


async def streamed_venues(settings: Settings, ground: Ground) -> Venues:
    """Build ``paper``: the venues' public streams and rules, orders played against our own books. Needs no keys.

    Raises:
        UsageError: nothing that the profile wants is listed at both venues, or ``venue.db`` cannot be used.
        VenueFailed: a venue does not answer usably.
    """
    wires = _Wires(settings, ground)
    _say_where(settings)
    registry = await wires.registry(dict.fromkeys(settings.exchanges, VenueKeyHolder(lambda: NO_KEYS)))
    try:
        pairs = pair(settings, ground.folder.parent, await _listings(registry), _odd(registry), new_coins=ground.new_coins)
        return await _played(settings, ground, wires, registry, pairs)
    except BaseException:
        await registry.close()
        raise


async def _played(settings: Settings, ground: Ground, wires: _Wires, registry: ExchangeRegistry, pairs: Pairs) -> Venues:
    """Paper venues over the streams of ``pairs``; they close the connections of ``registry``, over which they read what trades."""
    markets = {name: with_fees(listed, settings.exchanges[name]) for name, listed in pairs.markets.items()}
    ledger = await VenueLedger.open(ground.folder / "venue.db", ground.door)
    stream = wires.stream(markets)
    adapters: dict[str, ExchangeAdapter] = {}
    venues = Venues(
        stream, adapters, markets, pairs.symbols, ledger, pairs.between, limits=wires.limits, health=wires.health, is_streamed=True
    )
    venues.on_books = stream.attach
    balances = starting_balances(settings.simulator, markets, pairs.prices, pairs.rates)
    for name in settings.exchanges:
        core = VenueCore(name, markets[name], partial(book_of, venues, name), ledger, ground.clock)
        await core.open_account(balances[name])
        adapters[name] = PaperExchange(core, ground.rng, settings.simulator.latency_ms, registry.adapters[name])
    return venues


def _lock_accounts(locks: AccountLocks, settings: Settings, registry: ExchangeRegistry) -> None:
    """Take the locks of what is known of each account by now.

    Raises:
        UsageError: another engine trades on one of them.
    """
    for name, adapter in registry.adapters.items():
        locks.take(name, account_origin(name, settings.exchanges[name].urls.rest), (adapter.key_name, *adapter.account_names))


async def _prove_rights(registry: ExchangeRegistry) -> None:
    """Before anything is armed: each key proves each right that will be used, one line each.

    Raises:
        VenueRefused: a right is not given.
        VenueFailed: a venue does not tell.
    """
    told = dict(zip(registry.adapters, await asyncio.gather(*(prove_rights(one) for one in registry.adapters.values())), strict=True))
    for name, rights in told.items():
        for right in rights:
            say(f"{name.upper()} {right}")
    for name, rights in told.items():
        for right in rights:
            if right.is_given is False:
                raise VenueRefused(f"{name}: the key lacks the right to {right.name}: {right.words}")
            if right.is_given is None and right.can_be_proven:
                raise VenueFailed(f"{name}: whether the key has the right to {right.name} is not known, so nothing is armed: {right.words}")


def _codes(settings: Settings, pairs: Pairs, listings: Mapping[str, Mapping[str, Listing]], ground: Ground) -> dict[str, list[str]]:
    """What each venue is connected to: what is traded, what an order of an earlier run is open in, and the market of a fee's coin."""
    codes = {name: dict.fromkeys(listed) for name, listed in pairs.codes.items()}
    for name, code in ground.open_markets:
        if name in codes:
            codes[name][code] = None
    for name, listed in listings.items():
        for code, listing in listed.items():
            if listing.market.base == VENUES[name].fee_coin and listing.market.quote == settings.exchanges[name].quote:
                codes[name][code] = None
    return {name: list(wanted) for name, wanted in codes.items()}


def _streamed(traded: Sequence[str], connected: Mapping[str, Market]) -> dict[str, Market]:
    """The markets whose books are needed: those that are traded, and that of a coin that fees are taken in."""
    coins = {market.fees.coin for market in connected.values() if market.fees.taken_in is FeeTakenIn.COIN}
    return {code: market for code, market in connected.items() if code in traded or market.base in coins}


async def _listings(registry: ExchangeRegistry) -> dict[str, Mapping[str, Listing]]:
    return {name: await adapter.listed() for name, adapter in registry.adapters.items()}


async def _listings_and_networks(registry: ExchangeRegistry, folder: Path) -> tuple[dict[str, Mapping[str, Listing]], dict[str, Networks]]:
    """What the venues list, and beside it the networks of what may be traded: of the table, or signed off in ``folder``."""
    known = {*AssetRegistry.shipped().assets, *SignOffs(folder).signed()}
    asked = asyncio.create_task(_networks(registry, known))
    try:
        return await _listings(registry), await asked
    finally:
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)


async def _networks(registry: ExchangeRegistry, assets: Collection[str]) -> dict[str, Networks]:
    """Networks with contract addresses, of the venues that publish them. One that does not answer is warned of, and compared by prices."""

    async def asked(name: str, adapter: CcxtAdapter) -> Networks | None:
        try:
            await adapter.measure_clock()
            return await adapter.fetch_networks(assets)
        except (VenueFailed, RateLimited) as error:
            log.warning("%s: contract addresses are not compared with other venues': %s", name, error)
            return None

    publishing = {name: adapter for name, adapter in registry.adapters.items() if adapter.capabilities.publishes_contracts}
    answers = await asyncio.gather(*(asked(name, adapter) for name, adapter in publishing.items()))
    return {name: answer for name, answer in zip(publishing, answers, strict=True) if answer is not None}


def _odd(registry: ExchangeRegistry) -> dict[str, list[str]]:
    """Codes of markets that were left out, by exchange."""
    return {name: list(adapter.odd) for name, adapter in registry.adapters.items()}


def _say_where(settings: Settings) -> None:
    for name, exchange in settings.exchanges.items():
        say(f"connecting to {name.upper()} at {exchange.urls.rest}")


def _still_traded(pairs: Pairs, markets: Mapping[str, Mapping[str, Market]]) -> dict[str, list[tuple[str, str]]]:
    """The symbols that both venues of a pair still trade, once their rules are read, with those pairs."""
    left: dict[str, list[tuple[str, str]]] = {}
    for symbol, between in pairs.between.items():
        codes = pairs.codes_of(symbol)
        there = {name for name, code in codes.items() if code in markets[name]}
        if gone := [name for name in codes if name not in there]:
            log.warning("%s is not traded at %s now; left out there", symbol, " and ".join(gone))
        if kept := [pair for pair in between if there.issuperset(pair)]:
            left[symbol] = kept
    if not left:
        raise UsageError("no symbol of the profile is traded at both venues of a pair now")
    return left
