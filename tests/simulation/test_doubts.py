"""In a healthy simulated market of many venues nothing is doubted, neither a rate nor a coin; a real fault is, at once.

An hour of fair prices, rounded to each market's price unit, under the same watches that a session has: no frames, no engine.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.book import BookState, OrderBook
from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.model.rng import Rng
from arbtui.routes.route import RouteTerms
from arbtui.routes.universe import ArbUniverse
from arbtui.runtime.rates import rate_book_of
from arbtui.runtime.venues import pairs_of
from arbtui.settings.load import load_profile
from arbtui.simulation.assets import select
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.paths import TICK_S

SYMBOLS = [asset.symbol for asset in select(20)]  # as the profile has them: a rate is compared with the median of eleven
STEP_TICKS = 50
HOUR_TICKS = round(3600 / TICK_S)
_SIZE = 1e9


class _Clock:
    def __init__(self) -> None:
        self.tick = 0

    def monotonic(self) -> float:
        return 1000.0 + self.tick * TICK_S

    def time_ms(self) -> int:
        return 1_700_000_000_000 + round(self.tick * TICK_S * 1000)


class _Quoted:
    """A market's book around the simulator's fair price, one price unit wide."""

    def __init__(self, market: Market, book: OrderBook, fair: float) -> None:
        self.book = book
        self.unit = float(market.price_units.at(decimal_of(fair)))
        self.wrong = 1.0  #: a factor on its prices: a fault

    def quote(self, fair: float, now: float) -> None:
        bid = math.floor(fair * self.wrong / self.unit) * self.unit
        self.book.replace([(bid, _SIZE)], [(bid + self.unit, _SIZE)])
        self.book.state, self.book.ts_init = BookState.LIVE, now


class Watched:
    """The venues of a profile, and what is doubted among them."""

    def __init__(self, profile: str, symbols: Sequence[str], seed: int, scenario: str = "busy") -> None:
        settings = load_profile(profile, {"mode": "sim", "universe": {"symbols": list(symbols)}, "simulator": {"scenario": scenario}})
        self.clock = _Clock()
        self.sim = MarketSimulator(settings.simulator, symbols, Rng(seed), self.clock, None, list(settings.exchanges))
        self.books = {(name, code): OrderBook(name, code) for name, listed in self.sim.markets.items() for code in listed}
        traded = [market for listed in self.sim.markets.values() for market in listed.values()]
        self.rates = rate_book_of(settings, traded, self.books)
        terms = RouteTerms(3.0, 0.0, 100.0, settings.desk.currency, (0.8, 1.25))
        universe = ArbUniverse(traded, self.books, self.rates, terms, 0.0, symbols, pairs_of(settings, self.sim.markets, symbols))
        self.watches = [RateWatch(market, settings.rates, self.clock) for market in self.rates.markets]
        universe.watch_rates(self.watches)
        self.quoted = {
            (market.exchange, market.code): _Quoted(
                market, self.books[market.exchange, market.code], self.sim.book(market.exchange, market.code).price.fair
            )
            for market in traded
        }

    def doubts(self, ticks: int) -> Counter[str]:
        """What was doubted within so many ticks, by the steps that it was."""
        found: Counter[str] = Counter()
        for _ in range(0, ticks, STEP_TICKS):
            self.clock.tick += STEP_TICKS
            found.update(self._look())
        return found

    def _look(self) -> Iterator[str]:
        now = self.clock.monotonic()
        for (exchange, code), quoted in self.quoted.items():
            price = self.sim.book(exchange, code).price
            price.advance(self.clock.tick)
            quoted.quote(price.fair, now)
        self.rates.refresh(now=now)
        for watch in self.watches:
            watch.look_at_all(now)
            if watch.market.doubted:
                yield watch.market.name
            for coin in watch.coins:
                if coin.doubted:
                    yield f"{coin.symbol} {coin.local.exchange} {coin.foreign.exchange}"


@pytest.mark.parametrize("seed", [1, 2])
def test_an_hour_of_seven_healthy_venues_raises_no_doubt(seed: int) -> None:
    watched = Watched("all-venues", SYMBOLS, seed)
    assert len(watched.watches) == 3
    assert all(len(watch.coins) >= len(SYMBOLS) for watch in watched.watches)
    assert watched.doubts(HOUR_TICKS) == {}


@pytest.mark.parametrize("exchange", ["upbit", "bithumb", "coinone"])
def test_a_rate_that_is_wrong_at_one_venue_is_doubted_there_at_once_and_nowhere_else(exchange: str) -> None:
    watched = Watched("all-venues", SYMBOLS, 1)
    assert watched.doubts(6_000) == {}
    watched.quoted[exchange, "KRW-USDT"].wrong = 1.012
    found = watched.doubts(3_000)
    assert found == {f"{exchange}:KRW-USDT": 3_000 // STEP_TICKS}


def test_a_coin_that_is_wrong_at_one_venue_is_doubted_there() -> None:
    watched = Watched("all-venues", SYMBOLS, 1)
    assert watched.doubts(6_000) == {}
    watched.quoted["bithumb", "KRW-XRP"].wrong = 1.04
    assert watched.doubts(3_000).keys() == {"XRP bithumb binance", "XRP bithumb bybit"}
