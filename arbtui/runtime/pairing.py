"""From what two venues list to the pairs that may be traded."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from arbtui.exchanges.ccxt_adapter import Listing
from arbtui.model.errors import UsageError
from arbtui.model.market import Market
from arbtui.runtime.venues import RATE_MARKET
from arbtui.settings.profile import Settings
from arbtui.simulation.asset_table import REAL_ASSETS

_RANKS = {symbol: rank for rank, (symbol, _) in enumerate(REAL_ASSETS)}


@dataclass(frozen=True, slots=True)
class Pairs:
    """What a run trades. ``prices`` are in USDT by symbol, 0.0 where nobody told one."""

    symbols: list[str]
    markets: Mapping[str, Mapping[str, Market]]  #: by exchange and code, the rate's market among them
    prices: Mapping[str, float]

    @property
    def codes(self) -> dict[str, list[str]]:
        """Market codes by exchange."""
        return {name: list(listed) for name, listed in self.markets.items()}

    def codes_of(self, symbol: str) -> dict[str, str]:
        """The code of ``symbol`` at each exchange."""
        return {name: market.code for name, listed in self.markets.items() for market in listed.values() if market.base == symbol}


def pair(settings: Settings, listings: Mapping[str, Mapping[str, Listing]]) -> Pairs:
    """Pair the listings of ``settings``' venues by asset, most liquid first.

    Raises:
        UsageError: a named symbol is not listed at both, or nothing is left.
    """
    by_asset = {
        name: {listing.market.base: listing for listing in listings[name].values() if listing.market.quote == exchange.quote}
        for name, exchange in settings.exchanges.items()
    }
    common = [base for base in next(iter(by_asset.values())) if all(base in listed for listed in by_asset.values())]
    common.sort(key=lambda base: (_RANKS.get(base, len(_RANKS)), base))
    symbols = _wanted(settings, common, by_asset)
    markets = {name: {listed[symbol].market.code: listed[symbol].market for symbol in symbols} for name, listed in by_asset.items()}
    rate_at, rate_code = RATE_MARKET
    rate = 1.0
    if rate_at in markets:
        if rate_code not in listings[rate_at]:
            raise UsageError(f"{rate_at} does not list {rate_code} now: without it there is no rate between KRW and USDT")
        markets[rate_at][rate_code] = listings[rate_at][rate_code].market
        rate = listings[rate_at][rate_code].price
    local = by_asset.get(rate_at, {})
    prices = {symbol: local[symbol].price / rate for symbol in symbols if symbol in local and rate > 0.0}
    return Pairs(symbols, markets, prices)


def _wanted(settings: Settings, common: list[str], by_asset: Mapping[str, Mapping[str, Listing]]) -> list[str]:
    wanted, excluded = settings.universe.symbols, settings.universe.exclude
    if isinstance(wanted, int):
        symbols = [symbol for symbol in common if symbol not in excluded][:wanted]
        if not symbols:
            raise UsageError(f"nothing is listed at both {' and '.join(by_asset)}")
        return symbols
    for symbol in wanted:
        if symbol not in common:
            missing = " and ".join(name for name, listed in by_asset.items() if symbol not in listed)
            near = difflib.get_close_matches(symbol, common, 1)
            raise UsageError(f"--symbols: {symbol} is not listed at {missing}{f'; the nearest is {near[0]}' if near else ''}")
    return [symbol for symbol in wanted if symbol not in excluded]
