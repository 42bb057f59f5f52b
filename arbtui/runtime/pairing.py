"""From what two venues list to the pairs that a run on real venues trades."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from arbtui.exchanges.assets import AssetRegistry
from arbtui.exchanges.ccxt_adapter import Listing
from arbtui.model.errors import UsageError
from arbtui.model.market import Market
from arbtui.runtime.tradable import tradable_symbols
from arbtui.runtime.venues import RATE_MARKET
from arbtui.settings.profile import Settings


@dataclass(frozen=True, slots=True)
class Pairs:
    """What a run trades."""

    symbols: list[str]  #: most liquid first, or as the profile names them
    markets: Mapping[str, Mapping[str, Market]]  #: by exchange and code, the rate's market among them
    prices: Mapping[str, float]  #: in USDT, by symbol
    rate: float  #: KRW for one USDT; 0.0 where no venue of the run has it

    @property
    def codes(self) -> dict[str, list[str]]:
        """Market codes by exchange."""
        return {name: list(listed) for name, listed in self.markets.items()}

    def codes_of(self, symbol: str) -> dict[str, str]:
        """The code of ``symbol`` at each exchange."""
        return {name: market.code for name, listed in self.markets.items() for market in listed.values() if market.base == symbol}


def pair(
    settings: Settings,
    profile_folder: Path,
    listings: Mapping[str, Mapping[str, Listing]],
    odd: Mapping[str, Collection[str]] | None = None,
) -> Pairs:
    """Pair the listings of the profile's venues by asset; sign-offs lie in ``profile_folder``.

    ``odd``: codes of markets that were left out, by exchange.

    Raises:
        UsageError: a named symbol cannot be traded, nothing is left, or there is no rate between the venues' currencies.
    """
    rate_at, rate_code = RATE_MARKET
    by_asset = {
        name: {listing.market.base: listing for listing in listings[name].values() if listing.market.quote == exchange.quote}
        for name, exchange in settings.exchanges.items()
    }
    rate = listings[rate_at].get(rate_code) if rate_at in listings else None
    if rate_at in listings and (rate is None or not rate.price > 0.0):
        raise UsageError(f"{rate_at} tells no price of {rate_code} now: without it there is no rate between KRW and USDT")
    prices = {
        name: {base: listing.price / (rate.price if rate is not None and name == rate_at else 1.0) for base, listing in listed.items()}
        for name, listed in by_asset.items()
    }
    places = {symbol: place for place, symbol in enumerate(AssetRegistry.shipped().assets)}  # the table's order is that of liquidity
    tickers = {name: sorted(listed, key=lambda base: places.get(base, len(places))) for name, listed in by_asset.items()}
    left_out = {
        code.removesuffix(settings.exchanges[name].quote).removeprefix(f"{settings.exchanges[name].quote}-")
        for name, codes in (odd or {}).items()
        for code in codes
    }
    symbols = tradable_symbols(settings, profile_folder, tickers, prices, left_out)
    markets = {name: {listed[symbol].market.code: listed[symbol].market for symbol in symbols} for name, listed in by_asset.items()}
    if rate is not None:
        markets[rate_at][rate_code] = rate.market
    return Pairs(symbols, markets, prices[rate_at if rate_at in prices else next(iter(prices))], rate.price if rate is not None else 0.0)
