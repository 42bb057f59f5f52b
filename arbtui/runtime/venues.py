"""The venues of a mode: a feed of frames, an adapter for each exchange, and the markets they trade."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.exchanges.config import ExchangeConfig
from arbtui.exchanges.feed import MarketDataFeed
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.venues import VENUES
from arbtui.journal.store import Door
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.recording_feed import RecordingFeed
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import Clock
from arbtui.model.errors import UsageError
from arbtui.model.market import Market
from arbtui.model.money import BPS, decimal_of
from arbtui.model.rng import Rng
from arbtui.routes.finder import PairsOf
from arbtui.runtime.rates import is_rate, linked
from arbtui.settings.profile import Settings
from arbtui.settings.symbols_source import symbols_source
from arbtui.simulation.assets import UNIVERSE, Asset, select
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.played_venue import played_names, played_venues, simulated_markets
from arbtui.simulation.venue import VenueCore


def _nothing_held() -> None:
    """Simulated and recorded venues hold nothing beyond their process."""


def _unattached(aggregator: OrderbookAggregator) -> None:
    """Frames of a simulator or a recording need to know nobody's books."""


@dataclass(slots=True)
class Venues:
    """What a run trades at."""

    feed: MarketDataFeed
    adapters: Mapping[str, ExchangeAdapter]
    markets: Mapping[str, Mapping[str, Market]]
    symbols: list[str]  #: in order of liquidity, or of naming
    ledger: VenueLedger | None  #: the paper venues' own; real ones keep theirs
    pairs: PairsOf  #: by symbol: the pairs of venues between which it is traded
    simulator: MarketSimulator | None = None
    build_rss: int = 0  #: bytes that building the simulator took
    books: Mapping[tuple[str, str], OrderBook] = field(default_factory=dict)  #: ours, for paper exchanges that match against them
    limits: Mapping[str, RateLimitManager] = field(default_factory=dict)  #: where requests go to a venue
    health: Mapping[str, ExchangeHealthMonitor] | None = None  #: where streams and adapters report to one

    is_streamed: bool = False  #: frames come over sockets, when the venues send them

    on_books: Callable[[OrderbookAggregator], None] = _unattached
    on_closed: Callable[[], None] = _nothing_held  #: once nothing can be sent any more

    def attach(self, aggregator: OrderbookAggregator) -> None:
        """Give the venues the books that their frames fill, once they exist."""
        self.books = aggregator.books
        self.on_books(aggregator)

    def due(self, aggregator: OrderbookAggregator) -> Callable[[], Sequence[float]] | None:
        """When what was just delivered was due, in monotonic seconds: by the simulated market, or by the sockets' usual delays."""
        simulator = self.simulator
        if simulator is not None:
            return lambda: simulator.due
        return aggregator.delays.due if self.is_streamed else None

    def simulator_state(self) -> dict[str, Any] | None:
        """What the simulator needs to go on from here; None without one."""
        return None if self.simulator is None else self.simulator.state()

    async def close(self) -> None:
        """Let orders under way arrive, then close connections and ledger."""
        try:
            await asyncio.gather(*(adapter.close() for adapter in self.adapters.values()))
            if self.ledger is not None:
                await self.ledger.close()
        finally:
            self.on_closed()


@dataclass(frozen=True, slots=True)
class Ground:
    """What venues are built on: the run's clock, chance and folder, and the simulator's state of an earlier run."""

    clock: Clock
    rng: Rng
    folder: Path
    door: Door
    state: Mapping[str, Any] | None
    open_markets: tuple[tuple[str, str], ...] = ()  #: (exchange, code) of orders that an earlier run left open
    new_coins: frozenset[str] = frozenset()  #: that a venue's notice has listed: none is traded by itself


def refuse_unplayable(settings: Settings) -> None:
    """Look at what ``sim`` is asked to play, before anything is made.

    Raises:
        UsageError: the profile names a venue that the simulator does not play, settles in currencies that it has no rate between, or
            names an unknown symbol.
    """
    try:
        played_venues(settings.exchanges, settings.quotes)
    except UsageError as error:
        raise UsageError(
            f"profile {settings.name}: {error}; replay a recording with this profile, or start another one (arbtui profiles)"
        ) from None
    listed = simulated_markets(1, list(settings.exchanges), currencies=settings.quotes)
    rates = [market for markets in listed.values() for market in markets.values() if is_rate(market, settings.settlement)]
    if lacking := [currency for currency in settings.settlement if currency not in linked(settings.desk.currency, rates)]:
        raise UsageError(
            f"profile {settings.name}: none of its venues, as the simulator plays them, trades {lacking[0]} for {settings.desk.currency}: "
            "without a rate nothing could be priced; add a venue that does"
        )
    simulated_assets(settings)


async def simulated_venues(settings: Settings, ground: Ground) -> Venues:
    """Build ``sim``: prices go on from the ground's state, balances from its ``venue.db``.

    Raises:
        UsageError: the profile names a venue that the simulator does not play, or an unknown symbol.
    """
    refuse_unplayable(settings)
    before = psutil.Process().memory_info().rss
    simulator = MarketSimulator(
        settings.simulator,
        selection(settings),
        ground.rng,
        ground.clock,
        ground.state,
        list(settings.exchanges),
        settings.cross_quotes,
        settings.quotes,
    )
    grown = max(0, psutil.Process().memory_info().rss - before)
    markets = {name: with_fees(simulator.markets[name], settings.exchanges[name]) for name in settings.exchanges}
    ledger = await VenueLedger.open(ground.folder / "venue.db", ground.door)
    prices = simulator.prices()
    balances = starting_balances(settings.simulator, markets, prices)
    adapters: dict[str, ExchangeAdapter] = {}
    for name in settings.exchanges:
        core = VenueCore(name, markets[name], partial(simulator.book, name), ledger, ground.clock)
        await core.open_account(balances[name])
        simulator.attach(name, core)
        adapters[name] = PaperExchange(core, ground.rng, settings.simulator.latency_ms)
    return Venues(simulator, adapters, markets, list(prices), ledger, pairs_of(settings, markets, prices), simulator, grown)


async def recorded_venues(settings: Settings, ground: Ground, files: Sequence[Path], speed: float) -> Venues:
    """Build a replay: frames from recordings, orders on paper against our own books.

    Rules and sizes of the markets are the simulator's: recordings hold none.

    Raises:
        UsageError: a recording cannot be read or does not fit the profile, or an unknown symbol.
    """
    feed = RecordingFeed(files, ground.clock, list(settings.exchanges), speed)
    assets = simulated_assets(settings)
    played = [name for name in settings.exchanges if name in played_names()]
    listed = simulated_markets([asset.symbol for asset in assets], played, settings.cross_quotes, settings.quotes)
    for name, venue in VENUES.items():
        if name not in listed and venue.plain_market is not None:
            made = [venue.plain_market(asset.symbol, asset.tick, asset.lot) for asset in assets]
            listed[name] = {market.code: market for market in made}
    if stray := [name for name in settings.exchanges if name not in listed]:
        can = ", ".join(dict.fromkeys([*played_names(), *listed]))
        raise UsageError(f"profile {settings.name}: {stray[0]} cannot be replayed yet; {can} can")
    markets = {name: with_fees(listed[name], settings.exchanges[name]) for name in settings.exchanges}
    ledger = await VenueLedger.open(ground.folder / "venue.db", ground.door)
    balances = starting_balances(settings.simulator, markets, {asset.symbol: asset.price for asset in assets})
    adapters: dict[str, ExchangeAdapter] = {}
    symbols = [asset.symbol for asset in assets]
    venues = Venues(feed, adapters, markets, symbols, ledger, pairs_of(settings, markets, symbols))
    venues.on_books = feed.attach
    for name in settings.exchanges:
        core = VenueCore(name, markets[name], partial(book_of, venues, name), ledger, ground.clock)
        await core.open_account(balances[name])
        adapters[name] = PaperExchange(core, ground.rng, settings.simulator.latency_ms)
    return venues


def pairs_of(settings: Settings, markets: Mapping[str, Mapping[str, Market]], symbols: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Of each symbol the profile's pairs of venues both of which list it."""
    bases = {name: {market.base for market in listed.values()} for name, listed in markets.items()}
    return {symbol: [pair for pair in settings.pairs if all(symbol in bases[name] for name in pair)] for symbol in symbols}


_NO_BOOK = OrderBook("", "")


def book_of(venues: Venues, exchange: str, code: str) -> OrderBook:
    """What a paper exchange matches against: our own book while it is LIVE, else an empty one."""
    ours = venues.books[exchange, code]
    return ours if ours.state is BookState.LIVE else _NO_BOOK


def with_fees(markets: Mapping[str, Market], exchange: ExchangeConfig) -> dict[str, Market]:
    """``markets`` with the profile's taker fee, those against a coin excepted; as they are when the profile leaves it to the venue."""
    if exchange.taker_bps is None:
        return dict(markets)
    taker = decimal_of(exchange.taker_bps) / BPS
    return {
        code: market if market.quote in exchange.cross_quotes else replace(market, fees=replace(market.fees, taker=taker))
        for code, market in markets.items()
    }


def simulated_assets(settings: Settings) -> list[Asset]:
    """The assets that the universe selects, as the simulator knows them.

    Raises:
        UsageError: it does not know one; the message begins with who named it.
    """
    try:
        return select(selection(settings))
    except UsageError as error:
        raise UsageError(f"{symbols_source(settings)}: {error}") from None


def selection(settings: Settings) -> int | list[str]:
    """The universe's symbols without the excluded ones: a number where nothing is excluded, else names."""
    wanted, excluded = settings.universe.symbols, settings.universe.exclude
    if isinstance(wanted, list):
        return [symbol for symbol in wanted if symbol not in excluded]
    if not excluded:
        return wanted
    return [asset.symbol for asset in select(UNIVERSE) if asset.symbol not in excluded][:wanted]


def rss_mb() -> float:
    """Resident memory of this process, in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6
