"""From what the profile's venues list to the pairs that a run on real venues trades."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from arbtui.exchanges.assets import AssetRegistry
from arbtui.exchanges.ccxt_adapter import Listing
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.venues import roughly
from arbtui.model.errors import UsageError
from arbtui.model.market import Market
from arbtui.runtime.rates import is_rate
from arbtui.runtime.tradable import tradable_symbols
from arbtui.settings.profile import Settings


@dataclass(frozen=True, slots=True)
class Pairs:
    """What a run trades."""

    between: Mapping[str, list[tuple[str, str]]]  #: by symbol (most liquid first, or as the profile names them): the pairs that trade it
    markets: Mapping[str, Mapping[str, Market]]  #: by exchange and code, those of exchange rates among them
    prices: Mapping[str, float]  #: by symbol, in the currency of the play money's stock
    rates: Mapping[str, float]  #: units of each currency that a venue settles in for one of that currency, and one of itself

    @property
    def symbols(self) -> list[str]:
        """In their order."""
        return list(self.between)

    @property
    def codes(self) -> dict[str, list[str]]:
        """Market codes by exchange."""
        return {name: list(listed) for name, listed in self.markets.items()}

    def codes_of(self, symbol: str) -> dict[str, str]:
        """The code of ``symbol`` at each exchange, of its market in the venue's own currency."""
        found: dict[str, str] = {}
        for name, listed in self.markets.items():
            for market in listed.values():
                if market.base == symbol:
                    found.setdefault(name, market.code)  # those against a coin come later
        return found


def pair(
    settings: Settings,
    profile_folder: Path,
    listings: Mapping[str, Mapping[str, Listing]],
    odd: Mapping[str, Collection[str]] | None = None,
    networks: Mapping[str, Networks] | None = None,
    new_coins: Collection[str] = (),
) -> Pairs:
    """Pair the listings of the profile's venues by asset; sign-offs lie in ``profile_folder``.

    ``odd``: codes of markets that were left out, by exchange. ``networks``: by exchange, of venues that publish contract addresses.
    ``new_coins``: as :func:`tradable_symbols` takes them.

    Raises:
        UsageError: a named symbol cannot be traded, nothing is left, or there is no rate between the venues' currencies.
    """
    by_asset = {
        name: {listing.market.base: listing for listing in listings[name].values() if listing.market.quote == exchange.quote}
        for name, exchange in settings.exchanges.items()
    }
    units = _units(settings, listings)
    prices = {
        name: {base: listing.price * units[settings.exchanges[name].quote] for base, listing in listed.items()}
        for name, listed in by_asset.items()
    }
    places = {symbol: place for place, symbol in enumerate(AssetRegistry.shipped().assets)}  # the table's order is that of liquidity
    tickers = {name: sorted(listed, key=lambda base: places.get(base, len(places))) for name, listed in by_asset.items()}
    left_out = {
        code.removesuffix(settings.exchanges[name].quote).removeprefix(f"{settings.exchanges[name].quote}-")
        for name, codes in (odd or {}).items()
        for code in codes
    }
    between = tradable_symbols(settings, profile_folder, tickers, prices, left_out, networks, new_coins)
    markets: dict[str, dict[str, Market]] = {name: {} for name in settings.exchanges}
    for symbol, pairs in between.items():
        for name in dict.fromkeys(name for pair in pairs for name in pair):
            market = by_asset[name][symbol].market
            markets[name][market.code] = market
    for name, coins in settings.cross_quotes.items():
        if lacking := [coin for coin in coins if name not in {name for pair in between.get(coin, ()) for name in pair}]:
            raise UsageError(f"exchanges.{name}.cross_quotes: {lacking[0]} itself is not traded there, so nothing says what it is worth")
        for listing in listings[name].values():
            if listing.market.quote in coins and listing.market.base in {market.base for market in markets[name].values()}:
                markets[name][listing.market.code] = listing.market
    for listing in _rates(settings, listings):
        markets[listing.market.exchange][listing.market.code] = listing.market
    stock = settings.simulator.stock_currency
    told = {name: listed[stock].price for name, listed in by_asset.items() if stock in listed}
    unit = units.get(stock) or next((price * units[settings.exchanges[name].quote] for name, price in told.items() if price), 0.0)
    unit = unit or roughly(1.0, stock, settings.desk.currency) or 1.0
    worth = {symbol: prices[pairs[0][0]][symbol] / unit for symbol, pairs in between.items()}
    return Pairs(between, markets, worth, {stock: 1.0, **{currency: unit / units[currency] for currency in settings.settlement}})


def _rates(settings: Settings, listings: Mapping[str, Mapping[str, Listing]]) -> Iterable[Listing]:
    """The listings that trade one settlement currency for another."""
    return [listing for name in settings.exchanges for listing in listings[name].values() if is_rate(listing.market, settings.settlement)]


def _units(settings: Settings, listings: Mapping[str, Mapping[str, Listing]]) -> dict[str, float]:
    """What one unit of each settlement currency is worth in the desk's now, over two markets at most.

    Raises:
        UsageError: no venue of the profile tells.
    """
    currency = settings.desk.currency
    found = {currency: 1.0}
    rates = list(_rates(settings, listings))
    for _ in range(2):
        for listing in rates:
            base, quote, price = listing.market.base, listing.market.quote, listing.price
            if price > 0.0 and base in found:
                found.setdefault(quote, found[base] / price)
            elif price > 0.0 and quote in found:
                found.setdefault(base, found[quote] * price)
    for quote in settings.settlement:
        if quote not in found:
            its = [listing.market for listing in rates if quote in (listing.market.base, listing.market.quote)]
            told = [f"{market.exchange} tells no price of {market.code} now" for market in its]
            why = " and ".join(told) or f"no venue of this profile trades {quote} for {currency}"
            raise UsageError(f"{why}: without it there is no rate between {quote} and {currency}")
    return found
