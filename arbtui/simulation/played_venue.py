"""What the simulator must be told of a venue to play it, and how a venue is found by its name."""

import importlib
import math
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Protocol

from arbtui.exchanges.capabilities import EVERYTHING, Capabilities
from arbtui.exchanges.venue import EIGHT_DECIMALS
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import UsageError
from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.simulation.assets import RATE, Asset, select
from arbtui.simulation.scenario import Scenario, rates
from arbtui.simulation.simulated_market import Rhythm, SimulatedMarket

#: The venues that are played where nobody names any: those of the profile that is the default.
DEFAULT_VENUES = ("upbit", "binance")

USDT = "USDT"  #: what assets are priced in here
#: Units per USDT that the walk of a currency's rate starts from; USDT's own does not walk.
RATES = {"KRW": RATE, "USDC": 1.0, USDT: 1.0}
DOLLARS = frozenset({USDT, "USDC"})  #: the basis lies between venues of these and all others
#: Currencies that venues trade for their own, as assets of the first rank.
CASH = {name: Asset(name, 1, 1.0) for name in (USDT, "USDC")}

Quotes = Mapping[str, str]  #: by venue, the currency of its markets; of one that is not named, its usual one
CrossQuotes = Mapping[str, Sequence[str]]  #: by venue, coins that others are traded against there
NO_CROSS_QUOTES: CrossQuotes = {}
USUAL_QUOTES: Quotes = {}
#: A coin is traded against another where one price unit is no more than this of its price.
_COARSEST_BPS = 50.0


class Priced(Protocol):
    """Makes a market of an asset against a currency."""

    def __call__(self, asset: Asset, quote: str) -> Market:
        """The market, by the venue's own rules."""
        ...


@dataclass(frozen=True, slots=True)
class PlayedVenue:
    """How the simulator plays one venue: ``VENUE`` of the package ``arbtui.simulation.NAME``."""

    name: str
    quote: str  #: currency of its markets where a profile names none: USDT, or one of :data:`RATES`
    market: type[SimulatedMarket]  #: writes its frames
    rules: Callable[[Asset], Market]  #: its market of an asset, also of one of :data:`CASH`
    trade_share: float  #: trades, as a share of all messages of a symbol (:class:`~arbtui.simulation.scenario.Rates`)
    touch_share: float  #: best prices, as a share of those of a symbol; 0: it sends none
    major_spread_bps: float  #: median spread of majors; one price unit at least
    depth_usdt: float  #: mean value of the best five levels of a side of the first symbol
    depth_exponent: float  #: how that falls with rank
    top_share: float = 1.0  #: value of the best level, as a share of any other's, where more than two venues are played
    pace: float = 1.0  #: factor on all its messages a second
    apart_share: float = 0.6  #: its basis against the first venue of its currency, as a share of the basis between currencies
    opens_after: int = 0  #: ticks of 10 ms after the first venues' opening that a market's first book comes
    cash: tuple[str, ...] = ()  #: currencies of :data:`CASH` that it trades for its own
    priced: "Priced | None" = None  #: its market of an asset against another currency than ``quote``; None: it has none
    cross: Callable[[Asset, Asset], Market] | None = None  #: its market of an asset against a coin; None: it has none
    fee_coin: Asset | None = None  #: its own coin, in which it may take fees; the sandbox opens its market, whatever symbols are chosen
    fee_coin_step: Decimal = EIGHT_DECIMALS  #: what fees in it are booked in multiples of; eight decimals where nothing is known

    def quoting(self, quote: str) -> "PlayedVenue":
        """The same with its markets in ``quote``.

        Raises:
            UsageError: the venue has no such markets, or nothing is known of that currency's rate here.
        """
        if quote == self.quote:
            return self
        if self.priced is None or quote not in RATES:
            raise UsageError(f"the simulator plays no {quote} markets of {self.name}")
        return replace(self, quote=quote, rules=partial(self.priced, quote=quote))

    @property
    def is_of_dollars(self) -> bool:
        """Whether its markets are quoted in dollars of some kind."""
        return self.quote in DOLLARS

    def rhythm(self, scenario: Scenario, rank: int) -> Rhythm:
        """Messages a second of the symbol of ``rank``."""
        expected, factor = rates(rank), scenario.rate_factor * self.pace
        touches = expected.touches * self.touch_share
        return Rhythm(factor * expected.books, factor * touches, factor * (self.trade_share * expected.total))

    def level_usdt(self, rank: int) -> float:
        """Mean value of one of the best five levels of a side, in USDT."""
        return self.depth_usdt * math.pow(rank, self.depth_exponent) / 5

    def crosses(self, assets: Sequence[Asset], coins: Sequence[str]) -> list[tuple[Asset, Asset]]:
        """Which of ``assets`` it trades against which of ``coins``: those whose price unit there is no coarser than :data:`_COARSEST_BPS`.

        Raises:
            UsageError: it trades nothing against one of them, or that one is not among ``assets``.
        """
        by_symbol = {asset.symbol: asset for asset in assets}
        found: list[tuple[Asset, Asset]] = []
        for name in coins:
            coin = by_symbol.get(name)
            if self.cross is None or coin is None:
                why = "it has no such markets" if self.cross is None else f"{name} is not among the symbols that are played"
                raise UsageError(f"the simulator plays no markets of {self.name} against {name}: {why}")
            for asset in assets:
                price = asset.price / coin.price
                if asset is not coin and float(self.cross(asset, coin).price_units.at(decimal_of(price))) <= price * _COARSEST_BPS / 1e4:
                    found.append((asset, coin))
        return found

    def cash_among(self, quotes: Iterable[str]) -> list[Asset]:
        """The currencies that it trades for its own in a market where venues quote in ``quotes``: USDT always, others as needed."""
        wanted = {USDT, *quotes} - {self.quote}
        return [CASH[name] for name in self.cash if name in wanted]


def played_venue(name: str) -> PlayedVenue:
    """The venue of that name.

    Raises:
        UsageError: it is not played.
    """
    module = f"{__package__}.{name}"
    try:
        found = getattr(importlib.import_module(module), "VENUE", None) if name.isidentifier() else None
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        found = None
    if not isinstance(found, PlayedVenue):
        raise UsageError(f"the simulator plays {' and '.join(played_names())}, not {name}")
    return found


def played_names() -> list[str]:
    """The names of all venues that are played, the default ones first."""
    path = importlib.import_module(str(__package__)).__path__
    found = {module.name for module in pkgutil.iter_modules(path) if module.ispkg}
    return [*DEFAULT_VENUES, *sorted(found - set(DEFAULT_VENUES))]


def played_venues(names: Iterable[str], quotes: Quotes = USUAL_QUOTES) -> list[PlayedVenue]:
    """The venues of those names, in that order.

    Raises:
        UsageError: one is not played, or not in that currency.
    """
    found = [played_venue(name) for name in names]
    return [venue.quoting(quotes.get(venue.name, venue.quote)) for venue in found]


def played_capabilities(name: str) -> Capabilities:
    """What a simulated venue can do: it takes immediate orders where the real one does; the rest is of interfaces, which it has none of."""
    venue = VENUES.get(name)
    return EVERYTHING if venue is None else replace(EVERYTHING, immediate_orders=venue.capabilities.immediate_orders)


def simulated_markets(
    selection: int | Sequence[str],
    venues: Iterable[str] = DEFAULT_VENUES,
    cross_quotes: CrossQuotes = NO_CROSS_QUOTES,
    currencies: Quotes = USUAL_QUOTES,
) -> dict[str, dict[str, Market]]:
    """The markets of ``selection`` at ``venues``, by exchange and code; those of cash first, those against a coin last.

    Raises:
        UsageError: as :func:`~arbtui.simulation.assets.select`, :func:`played_venue` and :meth:`PlayedVenue.crosses`.
    """
    assets, played = select(selection), played_venues(venues, currencies)
    quotes = [venue.quote for venue in played]
    listed = {venue.name: [venue.rules(asset) for asset in (*venue.cash_among(quotes), *assets)] for venue in played}
    for venue in played:
        crosses = venue.crosses(assets, cross_quotes.get(venue.name, ()))
        listed[venue.name] += [venue.cross(asset, coin) for asset, coin in crosses if venue.cross is not None]
    return {name: {market.code: market for market in markets} for name, markets in listed.items()}
