"""How long many routes take: to be found and indexed, to be looked at when a book changes, and when an exchange rate does."""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import Any

from arbtui.engine.decider import Decider
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.market import Market
from arbtui.model.reason import Reason
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.rules import SHAPES, RouteRules
from arbtui.routes.universe import ArbUniverse
from arbtui.runtime.garbage import keep_collections_short, short_collections, uncollected
from tests.bench.table import Row, spread
from tests.routes.pairs import NOW, TERMS, rate_book

WON, DOLLAR = ("upbit", "bithumb", "coinone"), ("binance", "bybit", "okx", "bitget")
#: As the shipped profile of all venues has them.
PAIRS = [("upbit", each) for each in DOLLAR]
PAIRS += [("bithumb", "binance"), ("bithumb", "bybit"), ("upbit", "bithumb"), ("coinone", "binance")]
#: (assets, routes beside those of two legs and over networks): 1,000, 5,000, 20,000 and 52,000 routes of all shapes.
SIZES = ((20, 360), (100, 1_800), (400, 7_200), (1000, 20_000))
_CHANGES = 2_000
_BARE_LOOPS = 10_000_000


def markets(assets: int) -> tuple[list[Market], list[str]]:
    """Of every asset its market at all seven venues, and at the dollar ones against BTC, too."""
    coins = ["BTC", *(f"C{number}" for number in range(1, assets))]
    made = [replace(krw_market(coin), exchange=venue) for venue in WON for coin in coins]
    tick, lot = Decimal("0.00000001"), Decimal("0.0001")
    for venue in DOLLAR:
        made += [replace(spot_market(coin, "USDT", tick, lot, Decimal(5)), exchange=venue) for coin in coins]
        made += [replace(spot_market(coin, "BTC", tick, lot, Decimal("0.0001")), exchange=venue) for coin in coins[1:]]
    return made, coins


def fair_books(listed: list[Market], chance: random.Random) -> dict[tuple[str, str], OrderBook]:
    """Books on which nothing pays: one price a coin, and a spread."""
    dollars: dict[str, float] = {"BTC": 70_000.0, "USDT": 1.0, "KRW": 1 / 1400.5}
    books = {}
    for one in listed:
        worth = dollars.setdefault(one.base, chance.uniform(0.5, 500.0))
        book = books[one.exchange, one.code] = OrderBook(one.exchange, one.code)
        mid = worth / dollars[one.quote]
        book.replace([(mid * 0.9995, 1000.0)], [(mid * 1.0005, 1000.0)])
        book.state, book.ts_init = BookState.LIVE, NOW
    return books


#: Changes one book of a stand, and tells which.
Move = Callable[["Stand"], OrderBook]


class Stand:
    """All venues with so many assets: routes of two legs alone, or of all shapes with ``longer`` more of them."""

    def __init__(self, assets: int, longer: int) -> None:
        listed, coins = markets(assets)
        self.markets = len(listed)
        self.rates = rate_book()
        books = fair_books(listed, random.Random(1))
        rules = RouteRules(SHAPES if longer else ("two_leg",), max_routes=longer)
        pairs = dict.fromkeys(coins, PAIRS)
        gc.collect()
        began = time.process_time()
        with uncollected():  # as a start makes it
            self.universe = ArbUniverse(listed, books, self.rates, TERMS, 0.0, coins, pairs, ("KRW", "USDT"), rules)
        self.took = time.process_time() - began  #: CPU seconds
        for node in self.universe.nodes.values():
            node.available = 1e12
        self.changed = random.Random(2).choices(list(books.values()), k=_CHANGES)
        self.touched = sum(len(self.universe.touched_by.get(book, ())) for book in self.changed) / _CHANGES
        self.gaps = 0  #: that were seen in the last moves
        self.dearest = max(self.universe.touched_by, key=lambda book: len(self.universe.touched_by[book]))
        gc.collect()
        gc.freeze()

    def update(self) -> float:
        """CPU microseconds of one changed book, its routes looked at."""
        evaluate, touched_by = self.universe.evaluate, self.universe.touched_by
        began = time.thread_time()
        for book in self.changed:
            evaluate(touched_by.get(book, ()), NOW, None)
        return (time.thread_time() - began) / _CHANGES * 1e6

    def turns(self, *moves: Move) -> list[list[float]]:
        """CPU milliseconds of each turn of the loop that each of ``moves`` takes, one after the other."""
        with short_collections():
            return asyncio.run(self._turns(moves))

    async def _turns(self, moves: Sequence[Move]) -> list[list[float]]:
        clock = LoopClock(asyncio.get_running_loop())
        decider = _TimedDecider(
            universe=self.universe,
            rates=self.rates,
            prioritizer=RoutePrioritizer(),
            clock=clock,
            episodes=Episodes(clock, Denials(clock), None),
            open_cycle=lambda opportunity: Reason.DISABLED,  # as where opening is off
        )
        keep_collections_short()  # as a start does, with all of it made
        taken = []
        for move in moves:
            decider.turns = []
            book = move(self)
            book.ts_init = clock.monotonic()
            began = time.thread_time()
            decider.on_books([book])
            decider.turns.append((time.thread_time() - began) * 1e3)
            await decider.settled.wait()
            taken.append(decider.turns)
        self.gaps = decider.opportunities
        return taken


def rate_to(price: float) -> Move:
    """A tick of the rate to ``price``."""

    def move(stand: Stand) -> OrderBook:
        book = stand.rates.markets[0].book
        book.replace([(price, 1e6)], [(price + 1.0, 1e6)])
        return book

    return move


def dearest_times(times: float) -> Move:
    """The book that most routes trade on, at so many times its prices."""

    def move(stand: Stand) -> OrderBook:
        book = stand.dearest
        book.replace([(book.bid * times, 1000.0)], [(book.ask * times, 1000.0)])
        return book

    return move


class _TimedDecider(Decider):
    """Notes what each slice takes."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.turns: list[float] = []  #: CPU milliseconds

    def _slice(self) -> None:
        began = time.thread_time()
        super()._slice()
        self.turns.append((time.thread_time() - began) * 1e3)


def bare_loop() -> float:
    """CPU seconds of ten million bare additions: how fast this machine is now."""
    began, total = time.process_time(), 0
    for number in range(_BARE_LOOPS):
        total += number
    return time.process_time() - began


def _longest(turns: Sequence[float]) -> str:
    ordered = sorted(turns)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"{median(ordered):.2f} ms the turn, p99 {p99:.2f}, the longest {ordered[-1]:.2f}"


def rows(*, quick: bool) -> Iterator[Row]:
    """For each size, with the figure of two legs alone beside it: found and indexed, an update, the turns that many routes take."""
    group, rounds = "many routes", 1 if quick else 5
    for assets, longer in SIZES[:2] if quick else SIZES:
        bare = bare_loop()
        two_leg, whole = Stand(assets, 0), Stand(assets, longer)
        what = f"{len(whole.universe.routes):,} routes, {whole.markets:,} markets"
        alone = f"two legs alone ({len(two_leg.universe.routes):,})"
        met = whole.took <= 2.0 if longer == 20_000 else None
        figure = f"{whole.took:.2f} s; {alone} {two_leg.took:.2f}"
        how = f"CPU time, once; ten million bare additions {bare:.2f} s"
        yield Row(group, f"{what}: found and indexed", figure, how, "<= 2 s" if met is not None else "", met)
        took = [(two_leg.update(), whole.update()) for _ in range(rounds)]
        few, many = median([one for one, _ in took]), median([each for _, each in took])
        figure = f"{spread([each for _, each in took], 2, ' us')}, {many / whole.touched * 1000:.0f} ns a route"
        figure += f"; {alone} {few:.2f} us, {few / two_leg.touched * 1000:.0f} ns a route"
        how = f"CPU time, {rounds} rounds in turn; {whole.touched:.1f} routes touched by each beside {two_leg.touched:.1f}"
        yield Row(group, f"{what}: one changed book", figure, how)
        touched = f"{len(whole.universe.touched_by[whole.dearest]):,} routes"
        still, up, gone, *_ = whole.turns(dearest_times(1.0), dearest_times(1.04), dearest_times(1 / 1.04))
        gaps = f"{whole.gaps:,} gaps"
        tick, jump, again, back = whole.turns(rate_to(1399.0), rate_to(1460.0), rate_to(1459.0), rate_to(1400.0))
        of_rate = f"{whole.gaps:,} gaps"
        for said, turns, of_what in (
            ("the book that most of them trade on", still, touched),
            ("that book up 4 %, all that one way pay", up, f"{touched}, {gaps} open"),
            ("that book back, those gaps end", gone, f"{touched}, {gaps} end"),
            ("a rate tick", tick, ""),
            ("a rate jump of 4 %, all that one way pay", jump, f"{of_rate} open"),
            ("a tick with those gaps open", again, ""),
            ("the rate back, those gaps end", back, ""),
        ):
            how = f"CPU time of {len(turns)} turns" + (f", {of_what}" if of_what else "")
            yield Row(group, f"{what}: {said}", _longest(turns), how, "<= 1 ms", max(turns) <= 1.0)
        gc.unfreeze()
