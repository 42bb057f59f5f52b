"""How long many routes take: to be found and indexed, to be looked at when a book changes, and when an exchange rate does."""

import gc
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from statistics import median

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.model.book import BookState, OrderBook
from arbtui.model.market import Market
from arbtui.routes.rules import SHAPES, RouteRules
from arbtui.routes.universe import ArbUniverse, evaluate_all
from arbtui.runtime.garbage import uncollected
from tests.bench.table import Row, spread
from tests.routes.pairs import NOW, TERMS, rate_book

WON, DOLLAR = ("upbit", "bithumb", "coinone"), ("binance", "bybit", "okx", "bitget")
#: As the shipped profile of all venues has them.
PAIRS = [("upbit", each) for each in DOLLAR]
PAIRS += [("bithumb", "binance"), ("bithumb", "bybit"), ("upbit", "bithumb"), ("coinone", "binance")]
#: (assets, routes beside the two-leg ones); the first is two-leg routes alone.
SIZES = ((1000, 0), (60, 1_000), (200, 5_000), (1000, 20_000))
#: Routes of one slice after a rate tick; see :mod:`arbtui.engine.decider`.
_SLICE = 250
_CHANGES = 2_000


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


def rows(*, quick: bool) -> Iterator[Row]:
    """For each size: found and indexed, an update, a slice of a rate tick."""
    group = "many routes"
    for assets, longer in SIZES[:2] if quick else SIZES:
        listed, coins = markets(assets)
        books = fair_books(listed, random.Random(1))
        rules = RouteRules(SHAPES if longer else ("two_leg",), max_routes=longer)
        gc.collect()
        began = time.process_time()
        with uncollected():  # as a start makes it
            universe = ArbUniverse(listed, books, rate_book(), TERMS, 0.0, coins, dict.fromkeys(coins, PAIRS), ("KRW", "USDT"), rules)
        took = time.process_time() - began
        what = f"{len(universe.routes):,} routes ({longer:,} longer than two legs), {len(listed):,} markets"
        met = took <= 2.0 if longer == 20_000 else None
        yield Row(group, f"{what}: found and indexed", f"{took:.2f} s", "CPU time, once", "<= 2 s" if met is not None else "", met)
        gc.collect()
        gc.freeze()
        changed = random.Random(2).choices(list(universe.touched_by), k=_CHANGES)
        touched = sum(len(universe.touched_by[book]) for book in changed)
        each: list[float] = []
        for _ in range(1 if quick else 5):
            began = time.process_time()
            for book in changed:
                universe.evaluate(universe.touched_by[book], NOW, None)
            each.append((time.process_time() - began) / _CHANGES * 1e6)
        most = max(len(routes) for routes in universe.touched_by.values())
        figure = f"{spread(each, 2, ' us')}, {median(each) * _CHANGES / touched * 1000:.0f} ns a route"
        yield Row(group, f"{what}: one changed book", figure, f"{touched / _CHANGES:.1f} routes touched by each, {most:,} at most")
        slices = []
        for at in range(0, len(universe.routes), _SLICE):
            began = time.perf_counter()
            evaluate_all(universe.routes[at : at + _SLICE], NOW)
            slices.append((time.perf_counter() - began) * 1000)
        gc.unfreeze()
        figure = f"{median(slices):.3f} ms the slice, the longest {max(slices):.3f}"
        yield Row(group, f"{what}: a rate tick", figure, f"{len(slices)} slices of {_SLICE}, wall time", "<= 1 ms", median(slices) <= 1.0)
