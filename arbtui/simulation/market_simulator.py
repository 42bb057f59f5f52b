"""The market simulator: the wire bytes of any set of venues from a random process, in real or virtual time by the same code."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from random import Random
from typing import Any

from arbtui.exchanges.feed import Deliver, MarketDataFeed
from arbtui.model.clock import Clock
from arbtui.model.errors import UsageError
from arbtui.model.market import FixedUnit, Market
from arbtui.model.money import decimal_of
from arbtui.model.rng import Rng
from arbtui.simulation.assets import Asset, select
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.cross_price import CrossPrice, deviation
from arbtui.simulation.demand import DemandMaker
from arbtui.simulation.event_scheduler import EventScheduler, MarketListener
from arbtui.simulation.frame_sink import FrameSink, VenueLine
from arbtui.simulation.paths import BPS, TICK_S, Apart, AssetPath, CashPrice, RatePath, Swing, VenuePrice
from arbtui.simulation.planted_gap import PlantedGap
from arbtui.simulation.played_venue import (
    DEFAULT_VENUES,
    NO_CROSS_QUOTES,
    RATES,
    USDT,
    USUAL_QUOTES,
    CrossQuotes,
    PlayedVenue,
    Quotes,
    played_venues,
    simulated_markets,
)
from arbtui.simulation.saved_state import SavedMarket, SavedState, State
from arbtui.simulation.scenario import SCENARIOS, SWING_OF_MANY, THRESHOLD_BPS, WIDEST_OF_MANY_BPS, volatility_bps
from arbtui.simulation.simulated_market import FairPrice, Quoting, Rhythm, SimulatedMarket
from arbtui.simulation.troubles import TroubleMaker

log = logging.getLogger("arbtui")

#: After a stall of the process at most this much is caught up; the rest of the market's time is skipped.
MAX_CATCH_UP_TICKS = 50
#: So much of that in one turn of the loop: what orders wait for, answers and commits, has its turn in between.
TICKS_A_TURN = 10
#: Markets that open in one tick: a thousand symbols are open after one second, without one large burst.
OPENINGS_PER_TICK = 10

_CASH_RHYTHM = Rhythm(books=4.0, touches=4.0, trades=1.0)
_CASH_LEVEL_USDT = 40_000.0  #: a market of one currency in another is among its venue's deepest
_CASH_APART_SHARE = 0.3  #: what sets a second venue's rate apart, as a share of the basis of assets: 2 bps
#: A market of one coin against another: its spread where the asset is a major, and its messages and depth beside the asset's own market.
_CROSS_SPREAD_BPS, _CROSS_PACE, _CROSS_DEPTH = 3.0, 0.5, 0.3
_DRIFTING = "KRW"  #: the currency whose rate ``rate_drift_bps`` moves


class MarketSimulator(MarketDataFeed):
    """The markets of ``symbols`` at ``venues``, those that trade one of their currencies for another, and those of ``cross_quotes``.

    ``state`` is the result of :meth:`state` in an earlier run: prices and ids continue from it, with new randomness. The same
    seed, symbols, venues and state give the same bytes.

    Raises:
        UsageError: a venue or a symbol that is not played.
    """

    def __init__(
        self,
        config: SimulatorConfig,
        symbols: int | Sequence[str],
        rng: Rng,
        clock: Clock,
        state: State | None = None,
        venues: Sequence[str] = DEFAULT_VENUES,
        cross_quotes: CrossQuotes = NO_CROSS_QUOTES,
        quotes: Quotes = USUAL_QUOTES,
    ) -> None:
        self.config = config
        # Whatever order they are named in: those whose prices lead come first.
        self.venues = {venue.name: venue for venue in sorted(played_venues(venues, quotes), key=lambda venue: venue.is_of_dollars)}
        self.markets: dict[str, dict[str, Market]] = simulated_markets(symbols, self.venues, cross_quotes, quotes)
        self.messages = 0  #: frames delivered so far
        self.cpu_s = 0.0  #: seconds of CPU that this thread spent inside the simulator
        self.skipped_s = 0.0  #: seconds of the market's time that were never played, because the process stalled for too long
        self.due: Sequence[float] = ()  #: monotonic seconds at which the ticks of this delivery were due
        self._clock = clock
        self._scenario = SCENARIOS[config.scenario]
        self._saved = SavedState(state)
        self._rng = rng
        self._scheduler = EventScheduler(clock.time_ms(), self.venues)
        self._swing = Swing(self._scenario.swing_period_s, self._scenario.swing_damping) if self._scenario.swing else None
        self._quotes = [venue.quote for venue in self.venues.values()]
        self._rates = {
            currency: RatePath(
                self._stream("rate" if currency == _DRIFTING else f"rate {currency}"),
                RATES[currency],
                self._saved.rates.get(currency),
                config.rate_drift_bps if currency == _DRIFTING else 0.0,
            )
            for currency in RATES
            if currency != USDT and currency in (_DRIFTING, *self._quotes)
        }
        self._paths: dict[str, AssetPath] = {}
        self._prices: dict[tuple[str, str], tuple[VenuePrice, Apart | None]] = {}  # by venue and symbol
        self._open_markets: dict[str, dict[str, SimulatedMarket]] = {name: {} for name in self.venues}
        self._lines = {name: VenueLine() for name in self.venues}
        self._codes: dict[tuple[str, str], str] = {}  # likewise
        self._first: dict[bool, PlayedVenue] = {}  # of the venues of dollars, and of the others
        for venue in self.venues.values():
            self._first.setdefault(venue.is_of_dollars, venue)
        cash = self._open_cash_markets()
        for place, asset in enumerate(select(symbols)):
            self._open(asset, 1 + place // OPENINGS_PER_TICK)
        self._crosses: dict[tuple[str, str], tuple[CrossPrice, Apart]] = {}  # by venue and code
        for name, venue in self.venues.items():
            for asset, coin in venue.crosses(select(symbols), cross_quotes.get(name, ())):
                self._open_cross(venue, asset, coin)
        self._plantable: dict[tuple[str, str], VenuePrice | CrossPrice] = {
            **{(name, self._codes[name, symbol]): price for (name, symbol), (price, _) in self._prices.items()},
            **{place: price for place, (price, _) in self._crosses.items()},
        }
        #: Causes the troubles of scenario ``crash``; None in every other.
        self.troubles: TroubleMaker | None = None
        if self._scenario.troubled:
            prices = {place: price for place, (price, _) in self._prices.items()}
            stream = self._stream("troubles")
            self.troubles = TroubleMaker(self._scheduler, stream, self._lines, self._open_markets, prices, self._codes, cash)
            self.troubles.start()
        if self._scenario.demand_bps and self._is_of_many:
            self._start_demand(cross_quotes)
        for text in config.plant:
            self.plant(PlantedGap.read(text))

    def plant(self, gap: PlantedGap) -> None:
        """Open ``gap``, from now on or later; of two on one market at once the later one counts.

        Raises:
            UsageError: the market is not played, or trades a currency.
        """
        price = self._plantable.get((gap.exchange, gap.code))
        if price is None:
            wanted, known = f"{gap.exchange}:{gap.code}", [f"{exchange}:{code}" for exchange, code in self._plantable]
            raise UsageError(f"no gap can be planted in {wanted}; the nearest is {get_close_matches(wanted, known, 1, 0.0)[0]}")
        start = self._scheduler.tick + 1 + round(gap.at_s / TICK_S)
        self._scheduler.at(start, partial(price.stand_apart, 1.0 + gap.bps * BPS))
        self._scheduler.at(start + max(1, round(gap.for_s / TICK_S)), partial(price.stand_apart, 1.0))

    def list_fee_coin(self, exchange: str) -> Asset | None:
        """Add the market of the coin in which ``exchange`` takes fees, and no other venue's; a restart opens it at its first price.

        None where the venue has none.
        """
        venue = self.venues[exchange]
        coin = venue.fee_coin
        if coin is not None:
            market = venue.rules(coin)
            self.markets[exchange][market.code] = market
            stream = self._stream(coin.symbol)
            price = VenuePrice(self._path(coin, stream), self._rates.get(venue.quote), None, leads=not venue.is_of_dollars)
            self._open_at(venue, coin, price, stream, 1)
        return coin

    async def run(self, deliver: Deliver) -> None:
        """Deliver what is due every 10 ms until cancelled; what a late wake-up finds, in several turns of the loop."""
        clock, scheduler = self._clock, self._scheduler
        first = scheduler.tick
        start = clock.monotonic()
        start_ms = clock.time_ms()
        while True:
            # The grid is absolute, so a late wake-up does not delay the next one.
            await asyncio.sleep(start + (scheduler.tick + 1 - first) * TICK_S - clock.monotonic())
            entered = time.thread_time()
            due = first + math.floor((clock.monotonic() - start) / TICK_S + 1e-6)
            skipped = due - scheduler.tick - MAX_CATCH_UP_TICKS
            if skipped > 0:
                start += skipped * TICK_S
                start_ms += skipped * 10
                due -= skipped
                self.skipped_s += skipped * TICK_S
            ticks = range(scheduler.tick + 1, min(due, scheduler.tick + TICKS_A_TURN) + 1)
            self.due = [start + (tick - first) * TICK_S for tick in ticks]
            for tick in ticks:
                scheduler.act(tick, start_ms + (tick - first) * 10)
            frames, scheduler.frames = scheduler.frames, []
            self.messages += len(frames)
            self.cpu_s += time.thread_time() - entered
            if frames:
                deliver(frames)

    def request_snapshot(self, exchange: str, code: str) -> None:
        """Send a whole book soon; of a venue whose every frame is one, in the next delivery."""
        self._open_markets[exchange][code].request_snapshot()

    def book(self, exchange: str, code: str) -> SimulatedMarket:
        """The book at the venue now: the same that the last frames describe."""
        return self._open_markets[exchange][code]

    def attach(self, exchange: str, listener: MarketListener) -> None:
        """Report every event of ``exchange`` to ``listener``, as it happens at the venue."""
        self._scheduler.listeners[exchange] = listener

    def prices(self) -> dict[str, float]:
        """The present fair prices in USDT by symbol."""
        return {symbol: math.exp(path.log_mid) for symbol, path in self._paths.items()}

    def state(self) -> dict[str, Any]:
        """The state from which a later run can continue, as JSON-able values; symbols and venues of earlier runs are kept."""
        saved = self._saved
        for symbol, path in self._paths.items():
            saved.assets[symbol] = (path.log_mid, *path.basis)
        for (name, symbol), (_, apart) in self._prices.items():
            market = self._open_markets[name][self._codes[name, symbol]]
            basis = None if apart is None else apart.basis
            saved.markets.setdefault(name, {})[symbol] = SavedMarket(market.update_id, market.trade_id, basis)
        for (name, code), (_, deviating) in self._crosses.items():
            market = self._open_markets[name][code]
            saved.markets.setdefault(name, {})[code] = SavedMarket(market.update_id, market.trade_id, deviating.basis)
        return saved.written({currency: rate.log_rate for currency, rate in self._rates.items()})

    def _open(self, asset: Asset, tick: int) -> None:
        """Open the markets of ``asset`` at every venue: the path first, then all prices, then the markets."""
        stream = self._stream(asset.symbol)
        path = self._paths[asset.symbol] = self._path(asset, stream)
        if asset.symbol in self._saved.assets:
            log_mid, position, second = self._saved.assets[asset.symbol]
            path.restore(log_mid, (position, second))
        for name, venue in self.venues.items():
            apart = None
            if self._first[venue.is_of_dollars] is not venue:
                share = self._scenario.basis_factor * venue.apart_share
                apart = Apart(stream, self._swing, share, of_mid=len(self._first) > 1)
                saved = self._saved.market(name, asset.symbol)
                if saved.basis is not None:
                    apart.basis = saved.basis
            self._codes[name, asset.symbol] = venue.rules(asset).code
            price = VenuePrice(path, self._rates.get(venue.quote), apart, leads=not venue.is_of_dollars)
            self._prices[name, asset.symbol] = price, apart
        for name, venue in self.venues.items():
            price, apart = self._prices[name, asset.symbol]
            self._open_at(venue, asset, price, stream, tick, self._tune(venue, asset, path, apart))

    def _tune(self, venue: PlayedVenue, asset: Asset, path: AssetPath, apart: Apart | None) -> Callable[[float], None] | None:
        """What sets how far the prices of ``venue`` swing, told its price unit in bps; None where another venue's does.

        The first venue that is none of dollars swings by what trading it against the first of dollars costs, each later one by what
        trading it against the first of the other kind does, or of its own where there is no other. So all pairs have gaps as often.
        """
        scenario, is_later = self._scenario, apart is not None
        kind = venue.is_of_dollars if is_later else True
        other = self._first.get(kind if apart is None or not apart.of_mid else not kind)
        if other is None or other is venue:
            return None
        rate_of = other.quote if venue.is_of_dollars else venue.quote
        rate_bps, rate_fee_bps = (0.0, 0.0) if other.quote == venue.quote else self._rate_costs_bps(rate_of)
        market = other.rules(asset)
        beside = scenario.spread_bps(other.major_spread_bps, asset.rank, _unit_bps(market, self._opening_price(other, asset)))
        fees_bps = _taker_bps(venue.rules(asset)) + _taker_bps(market) + rate_fee_bps

        def tune(unit_bps: float) -> None:
            spread = scenario.spread_bps(venue.major_spread_bps, asset.rank, unit_bps)
            deviation_bps, mean_bps = scenario.swing_bps(fees_bps, spread + beside, rate_bps)
            if self._is_of_many and len(self._first) > 1:
                deviation_bps = min(SWING_OF_MANY * deviation_bps, WIDEST_OF_MANY_BPS)
            if apart is None:
                path.set_swing(deviation_bps, mean_bps)
            elif apart.of_mid:  # half of the first two's swing is that of the venue which it is traded against
                apart.deviation_bps = math.sqrt(max(deviation_bps**2 - (path.swing_bps / BPS / 2) ** 2, 0.0))
            else:
                apart.deviation_bps = deviation_bps

        return tune

    def _open_at(
        self,
        venue: PlayedVenue,
        asset: Asset,
        price: FairPrice,
        stream: Random,
        tick: int,
        on_unit: Callable[[float], None] | None = None,
    ) -> None:
        market, saved = self.markets[venue.name][venue.rules(asset).code], self._saved.market(venue.name, asset.symbol)
        scenario = self._scenario
        # Where the unit follows the price, the market itself widens a spread to it.
        unit_bps = _unit_bps(market, self._opening_price(venue, asset)) if isinstance(market.price_units, FixedUnit) else 0.0
        quoting = Quoting(
            rhythm=venue.rhythm(scenario, asset.rank),
            spread_bps=scenario.spread_bps(venue.major_spread_bps, asset.rank, unit_bps),
            level_usdt=venue.level_usdt(asset.rank),
            top_share=venue.top_share if self._is_of_many else 1.0,
            least_move_bps=scenario.least_move_bps,
            update_id=saved.update_id,
            trade_id=saved.trade_id,
            on_unit=on_unit,
        )
        self._start(venue, market, price, stream, quoting, tick + venue.opens_after)

    def _open_cross(self, venue: PlayedVenue, asset: Asset, coin: Asset) -> None:
        """The market of ``asset`` against ``coin``: its price deviates from the venue's two own by what going round the three costs."""
        assert venue.cross is not None, "it lists none"
        scenario, code = self._scenario, venue.cross(asset, coin).code
        market, saved = self.markets[venue.name][code], self._saved.market(venue.name, code)
        stream = self._stream(f"{venue.name} {code}")
        of_asset, of_coin = (self._prices[venue.name, one.symbol][0] for one in (asset, coin))
        spread = scenario.spread_bps(_CROSS_SPREAD_BPS, asset.rank, _unit_bps(market, asset.price / coin.price))
        ways = [(venue.rules(one), one) for one in (asset, coin)]
        spreads = [
            scenario.spread_bps(venue.major_spread_bps, one.rank, _unit_bps(way, self._opening_price(venue, one))) for way, one in ways
        ]
        fees = _taker_bps(market) + sum(_taker_bps(way) for way, _ in ways)
        apart = deviation(stream, self._swing, scenario.cross_over_costs * (fees + THRESHOLD_BPS + (spread + sum(spreads)) / 2))
        if saved.basis is not None:
            apart.basis = saved.basis
        price = CrossPrice(of_asset, of_coin, apart)
        self._crosses[venue.name, code] = price, apart
        rhythm = venue.rhythm(scenario, asset.rank)
        quoting = Quoting(
            rhythm=Rhythm(*(_CROSS_PACE * each for each in (rhythm.books, rhythm.touches, rhythm.trades))),
            spread_bps=spread,
            level_usdt=_CROSS_DEPTH * venue.level_usdt(asset.rank),
            top_share=venue.top_share if self._is_of_many else 1.0,
            least_move_bps=scenario.least_move_bps,
            update_id=saved.update_id,
            trade_id=saved.trade_id,
        )
        self._start(venue, market, price, stream, quoting, 2 + venue.opens_after)

    def _open_cash_markets(self) -> dict[str, str]:
        """The markets of currencies; one code of them by venue."""
        codes: dict[str, str] = {}
        lead: set[tuple[str, str]] = set()
        for venue in self.venues.values():
            for asset in venue.cash_among(self._quotes):
                market = self.markets[venue.name][venue.rules(asset).code]
                inverse = market.quote == USDT
                rate, pair = self._rates[market.base if inverse else market.quote], (market.base, market.quote)
                price: FairPrice = rate
                first = pair not in lead
                stream = self._stream("rate market" if not lead else f"rate market {venue.name} {market.code}")
                lead.add(pair)
                if inverse or not first:
                    price = CashPrice(rate, None if first else Apart(stream, None, _CASH_APART_SHARE), inverse=inverse)
                quoting = Quoting(_CASH_RHYTHM, _unit_bps(market, price.fair), _CASH_LEVEL_USDT, least_move_bps=0.0)
                self._start(venue, market, price, stream, quoting, 1)
                codes[venue.name] = market.code
        return codes

    @property
    def _is_of_many(self) -> bool:
        """Whether more venues are played than in a run of the two default ones, whose bytes stay as they are."""
        return len(self.venues) > len(DEFAULT_VENUES)

    def _start_demand(self, cross_quotes: CrossQuotes) -> None:
        """Coins are wanted one after another where won is paid; not those that others are traded against: theirs would be all coins'."""
        wanted = {path: symbol for symbol, path in self._paths.items() if not any(symbol in coins for coins in cross_quotes.values())}
        if len(self._first) < len((True, False)) or not wanted:
            return

        def say(path: AssetPath) -> None:
            log.info("simulator: %s is wanted where won is paid: some minutes of a premium", wanted[path])

        DemandMaker(self._scheduler, self._stream("demand"), list(wanted), self._scenario.demand_bps, say).start()

    def _start(self, venue: PlayedVenue, market: Market, price: FairPrice, stream: Random, quoting: Quoting, tick: int) -> None:
        sink = FrameSink(self._scheduler, venue.name, self._lines[venue.name])
        opened = self._open_markets[venue.name][market.code] = venue.market(market, price, self._scheduler, stream, sink, quoting)
        opened.start(tick)

    def _path(self, asset: Asset, stream: Random) -> AssetPath:
        sigma_bps = self._scenario.volatility_factor * volatility_bps(asset.rank)
        return AssetPath(stream, asset.price, sigma_bps, self._swing, self._scenario.basis_factor)

    def _opening_price(self, venue: PlayedVenue, asset: Asset) -> float:
        return asset.price if venue.quote == USDT else asset.price * self._rates[venue.quote].fair

    def _rate_costs_bps(self, quote: str) -> tuple[float, float]:
        """Spread and fee of the first market that trades ``quote`` for USDT, in bps; 0 where none does."""
        for venue in self.venues.values():
            for asset in venue.cash_among(self._quotes):
                market = self.markets[venue.name][venue.rules(asset).code]
                if {market.base, market.quote} == {quote, USDT}:
                    rate = self._rates[quote].fair
                    return _unit_bps(market, 1.0 / rate if market.quote == USDT else rate), _taker_bps(market)
        return 0.0, 0.0

    def _stream(self, name: str) -> Random:
        return self._rng.stream(f"simulator:{name}:{self._saved.generation}")


def _unit_bps(market: Market, price: float) -> float:
    """The price unit at ``price``, in bps of it."""
    return float(market.price_units.at(decimal_of(price))) / price / BPS


def _taker_bps(market: Market) -> float:
    return float(market.fees.taker * 10_000)
