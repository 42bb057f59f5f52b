"""Routes of several legs, priced by the walk and by a slow computation in fractions that shares nothing with it."""

import random
from fractions import Fraction
from math import floor
from typing import cast

import pytest

from arbtui.execution.plan import Tolerances, compile_plan
from arbtui.journal.events import LegAfter, On
from arbtui.marketdata.rate_watch import CoinRate
from arbtui.model.book import Level, OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalt, scope_of
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms
from arbtui.routes.walked_route import WalkedRoute
from tests.routes.pairs import NOW, TERMS, one_rate, rate_book
from tests.routes.pairs import book as made_book
from tests.routes.slow import Costs, Slow, fee_of, quote_of, side_of
from tests.routes.venues import books_of, market, universe

RECEIVED = FeeTakenIn.RECEIVED
#: (markets with a price each, id of the route that pays)
WORLDS: dict[str, tuple[list[tuple[Market, float]], str]] = {
    "triangular": (
        [
            (market("upbit", "BTC", "KRW", tick="1000", least="5000"), 1e8),
            (market("upbit", "ETH", "BTC", "0.0025", tick="0.00001", least="0.0001"), 0.03),
            (market("upbit", "ETH", "KRW", tick="1000", least="5000"), 3.02e6),
        ],
        "ETH:upbit/KRW>BTC>ETH>KRW",
    ),
    "triangular, the other way": (
        [
            (market("binance", "BTC", "USDT", "0.001", RECEIVED, "0.01", "0.00001", "5"), 7.05e4),
            (market("binance", "ETH", "BTC", "0.001", RECEIVED, "0.00001", "0.0001", "0.0001"), 0.03),
            (market("binance", "ETH", "USDT", "0.001", RECEIVED, "0.01", "0.0001", "5"), 2100.0),
        ],
        "ETH:binance/USDT>ETH>BTC>USDT",
    ),
    "multi_hop": (
        [
            (market("upbit", "XRP", "KRW", tick="1", least="5000"), 3000.0),
            (market("binance", "XRP", "BTC", "0.001", RECEIVED, "0.00000001", "0.1", "0.0001"), 3e-5),
            (market("binance", "BTC", "USDT", "0.001", RECEIVED, "0.01", "0.000001", "5"), 7.19e4),
        ],
        "XRP:upbit/KRW>XRP,binance/XRP>BTC>USDT",
    ),
    "four trades over two currencies": (
        [
            (market("upbit", "XRP", "KRW", tick="1", least="5000"), 3000.0),
            (market("binance", "XRP", "USDT", "0.001", RECEIVED, "0.0001", "0.1", "5"), 2.15),
            (market("okx", "ETH", "USDT", "0.001", RECEIVED, "0.01", "0.0001", "5"), 2100.0),
            (market("bithumb", "ETH", "KRW", "0.0004", tick="1000", least="5000"), 2.95e6),
        ],
        "ETH:okx/USDT>ETH,bithumb/ETH>KRW,upbit/KRW>XRP,binance/XRP>USDT",
    ),
    "one purchase, two sales": (
        [
            (market("binance", "XRP", "USDT", "0.001", RECEIVED, "0.0001", "0.1", "5"), 2.13),
            (market("upbit", "XRP", "KRW", tick="1", least="5000"), 3010.0),
            (market("okx", "XRP", "USDT", "0.001", RECEIVED, "0.0001", "0.01", "1"), 2.14),
        ],
        "XRP:binance>okx+upbit",
    ),
    "two purchases, one sale": (
        [
            (market("binance", "XRP", "USDT", "0.001", RECEIVED, "0.0001", "0.1", "5"), 2.13),
            (market("bybit", "XRP", "USDT", "0.001", RECEIVED, "0.0001", "0.01", "1"), 2.131),
            (market("upbit", "XRP", "KRW", tick="1", least="5000"), 3015.0),
        ],
        "XRP:binance+bybit>upbit",
    ),
}


def ladder(one: Market, best: float, way: int, chance: random.Random, worth: float) -> list[Level]:
    """A few levels away from ``best``, each worth some dollars; ``worth``: dollars for one of base."""
    levels, price = [], one.price_down(decimal(best))
    for _ in range(chance.randrange(1, 6)):
        qty = max(one.qty_down(decimal(chance.choice((10.0, 40.0, 80.0)) * (0.3 + chance.random()) / worth)), one.lot_step)
        levels.append((float(price), float(qty)))
        price += way * chance.randrange(1, 4) * one.price_units.at(price)
    return levels


def decimal(value: float):  # type: ignore[no-untyped-def]
    from decimal import Decimal

    return Decimal(repr(round(value, 10)))


def world(name: str, chance: random.Random, order_value: float = 100.0) -> ArbRoute:
    """The route of one of the worlds over random books, which pay more often than not."""
    priced, route_id = WORLDS[name]
    books = books_of([one for one, _ in priced])
    dollars = {"KRW": 1 / 1400.0, "USDT": 1.0, "BTC": 71_000.0}
    for one, price in priced:
        mid = price * (1.0 + chance.gauss(0.0, 6e-4))
        worth = mid * dollars[one.quote]
        bids = ladder(one, mid * (1 - 2e-4 * chance.random()), -1, chance, worth)
        unit = float(one.price_units.at(decimal(mid)))
        books[one.exchange, one.code].replace(bids, ladder(one, bids[0][0] + unit * chance.randrange(1, 3), 1, chance, worth))
    rates = one_rate(made_book("upbit", "KRW-USDT", [(1400.0, 1e9)], [(1400.5, 1e9)]), fee=0.0)
    terms = RouteTerms(chance.choice((0.0, 3.0, 15.0)), chance.choice((0.0, 1.5)), order_value, "USDT", (0.8, 1.25), reserve_bps=100.0)
    made = universe([one for one, _ in priced], books, rates=rates, terms=terms)
    return made.by_id[route_id]


def slow(route: ArbRoute) -> Slow:
    """The second opinion at the terms of ``route``."""
    terms = route.terms
    costs = Costs(Fraction(repr(terms.order_value)), Fraction(100), "USDT", Fraction(repr(terms.slippage_bps)), 0.0, 0.0)
    return Slow(route.rates.markets, costs, NOW)


def effects(found: Opportunity) -> dict[str, Fraction]:
    """What the orders change of each asset if they fill as the books are, fees as the venues take them."""
    changed: dict[str, Fraction] = {}
    for order in found.orders:
        one, qty = order.hop.market, Fraction(str(order.qty))
        quote, fee = quote_of(side_of(order.hop.book, order.hop.side), qty), fee_of(one)
        assert quote is not None, "the book does not show so much"
        if order.hop.side is Side.BUY:
            in_coin = one.fees.taken_in is RECEIVED
            base, spent = (qty * (1 - fee), quote) if in_coin else (qty, quote * (1 + fee))
            parts = ((one.base, base), (one.quote, -spent))
        else:
            parts = ((one.base, -qty), (one.quote, quote * (1 - fee)))
        for asset, change in parts:
            changed[asset] = changed.get(asset, Fraction(0)) + change
    return changed


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_found_is_worth_what_fractions_say_and_leaves_nothing_but_dust(name: str) -> None:
    chance = random.Random(f"7 {name}")
    found_in = deep = 0
    for _ in range(250):
        route = world(name, chance)
        found = route.evaluate(NOW)
        if found is None:
            assert route.denied is not None or not route.clears()
            continue
        found_in += 1
        changed = effects(found)
        cost = slow(route).first_cost(found)
        assert found.edge_bps == pytest.approx(float(slow(route).edge_bps(found)), abs=1e-6)
        assert found.edge_bps >= route.threshold_bps()
        assert isinstance(route, WalkedRoute)
        assert all(next(leg.levels, None) is None for leg in route._legs), "a walk that is over holds no levels"
        assert found.value <= 101.0
        money = found.orders[0].hop.market.quote
        assert found.value == pytest.approx(float(cost) / (1.0 if money == "USDT" else 1400.25))
        for coin, left in changed.items():
            if coin in ("KRW", "USDT"):
                continue
            lots = [Fraction(str(one.hop.market.lot_step)) for one in found.orders if one.hop.market.base == coin]
            lots += [Fraction(str(o.hop.market.lot_step * o.price)) for o in found.orders if o.hop.market.quote == coin]
            assert abs(left) < max(lots) * 2, (coin, float(left))
        for order in found.orders:
            assert order.hop.market.refusal(order.price, order.qty) is None
            worst = next(price for price, _ in reversed(walked(order.hop.book, order.hop.side, Fraction(str(order.qty)))))
            buys = order.hop.side is Side.BUY
            assert Fraction(str(order.price)) >= worst if buys else Fraction(str(order.price)) <= worst
            deep += worst != side_of(order.hop.book, order.hop.side)[0][0]
    assert found_in > 60, "hardly any was found"
    assert deep > 30, "hardly any went below the touch"


def walked(book: OrderBook, side: Side, qty: Fraction) -> list[tuple[Fraction, Fraction]]:
    levels = []
    for price, size in side_of(book, side):
        levels.append((price, min(size, qty)))
        qty -= size
        if qty <= 0:
            break
    return levels


@pytest.mark.parametrize("name", [name for name in WORLDS if ">" in WORLDS[name][1] and "+" not in WORLDS[name][1]])
def test_it_goes_as_deep_as_the_last_unit_pays_and_no_deeper(name: str) -> None:
    """Beside the amount at which one more unit brings back too little, found by halving."""
    chance = random.Random(f"8 {name}")
    compared = 0
    for _ in range(150):
        route = world(name, chance, order_value=1000.0)
        found = route.evaluate(NOW)
        if found is None:
            continue
        least = 1 + (Fraction(repr(route.threshold_bps())) + Fraction(repr(route.terms.slippage_bps))) / 10_000
        most = slow(route).most_cost(route, least)
        coarsest = max(Fraction(str(order.hop.market.lot_step)) / Fraction(str(order.qty)) for order in found.orders)
        assert float(slow(route).first_cost(found)) == pytest.approx(float(most), rel=float(coarsest) * 2 + 1e-6)
        compared += 1
    assert compared > 20


def paying(name: str) -> ArbRoute:
    """One whose books pay, at the touch and for a whole order."""
    chance = random.Random(f"9 {name}")
    for _ in range(1000):
        route = world(name, chance)
        found = route.evaluate(NOW)
        if found is not None and found.value > 30.0:
            return route
    raise AssertionError(f"{name}: nothing pays")


@pytest.mark.parametrize("name", WORLDS)
def test_a_place_that_holds_nothing_stops_it_and_says_what_is_missing(name: str) -> None:
    route = paying(name)
    for node in route.uses:
        held, node.available = node.available, 0.0
        assert route.evaluate(NOW) is None, node
        assert route.denied is (Reason.NO_CASH if node.asset in ("KRW", "USDT") else Reason.NO_STOCK)
        assert route.refusal(NOW) is route.denied
        node.available = held / 2
        assert route.evaluate(NOW) is not None
        node.available = held


@pytest.mark.parametrize("name", WORLDS)
def test_little_of_what_it_uses_makes_a_smaller_order_that_can_be_paid_for(name: str) -> None:
    route = paying(name)
    whole = route.evaluate(NOW)
    assert whole is not None
    needs = {(exchange, asset): float(amount) for exchange, asset, amount in compile_plan(whole, 1.0, Tolerances(0.0, 0.0)).reserved}
    for node in route.uses:
        if (node.exchange, node.asset) not in needs:
            continue
        available = needs[node.exchange, node.asset] * 0.8
        held, node.available = node.available, available
        found = route.evaluate(NOW)
        node.available = held
        if found is None:  # too little for both venues of a fork
            assert (route.shape, route.denied) == ("split_leg", Reason.BELOW_THRESHOLD)
            continue
        assert found.value < whole.value or route.shape == "split_leg", "another venue may do"
        reserved = compile_plan(found, 1.0, Tolerances(0.0, 0.0)).reserved
        assert sum(float(amount) for exchange, asset, amount in reserved if (exchange, asset) == (node.exchange, node.asset)) <= available


def test_a_leg_waits_where_its_place_holds_too_little_and_leaves_at_once_where_it_holds_enough() -> None:
    route = paying("triangular")
    found = route.evaluate(NOW)
    assert found is not None
    assert found.after == {}
    stock = {node.asset: node for leg in route._legs for node in (leg.place,)}  # type: ignore[attr-defined]
    waits = {1: (LegAfter(0, On.ARRIVAL),), 2: (LegAfter(1, On.ARRIVAL),)}
    for empty, after in ((["BTC", "ETH"], waits), (["BTC"], {1: waits[1]}), (["ETH"], {2: waits[2]})):
        for coin in empty:
            stock[coin].available = 0.0
        found = route.evaluate(NOW)
        assert found is not None, "what comes in is enough"
        assert found.after == after
        for coin in empty:
            stock[coin].available = 1e12


def test_one_venue_of_a_fork_that_would_take_nothing_leaves_it_to_the_two_leg_route() -> None:
    route = paying("one purchase, two sales")
    book = route.trades[-1].book
    book.touch(book.bid * 0.98, 1000.0, book.ask, 1000.0)
    assert not route.clears()
    assert route.evaluate(NOW) is None
    assert route.refusal(NOW) is Reason.BELOW_THRESHOLD


@pytest.mark.parametrize("name", WORLDS)
def test_what_stands_at_the_touch_is_what_the_episode_remembers(name: str) -> None:
    route = paying(name)
    orders = route.touch_orders()
    assert [price for _, price in orders] == pytest.approx([hop.touch_price for hop in route.trades])
    assert all(0.0 < qty <= hop.touch_qty * (1 + 1e-9) for hop, (qty, _) in zip(route.trades, orders, strict=True))
    assert route.touch_size() > 0.0
    assert floor(route.touch_edge_bps()) >= floor(route.threshold_bps()) or route.shape == "split_leg"
    route.trades[-1].book.replace([], [])
    assert route.touch_size() == 0.0
    assert not route.clears()
    assert not route.touch_edge_bps() > -1e9


class _Watch:
    """Judges a coin when it is asked to, and only then."""

    def look_at(self, coin: "_Coin", now: float) -> None:
        coin.doubted = True


class _Coin:
    def __init__(self) -> None:
        self.doubted = False
        self.watch = _Watch()


def test_every_shape_has_its_coin_judged_by_the_books_that_it_is_walked_on() -> None:
    listed = [
        market("hill", "XRP", "KRW"),
        market("hill", "BTC", "KRW"),
        market("hill", "XRP", "BTC"),
        market("lake", "XRP", "KRW"),
        market("sea", "XRP", "USDT"),
        market("sea", "BTC", "USDT"),
        market("sea", "XRP", "BTC"),
    ]
    judged: set[str] = set()
    for route in universe(listed, books_of(listed), terms=TERMS, rates=rate_book()).routes:
        if route.needs_rate:
            coin = _Coin()
            route.coin = cast(CoinRate, coin)
            assert route.walk(NOW) is None
            assert coin.doubted, route.id
            judged.add(route.shape)
    assert {"two_leg", "split_leg", "multi_hop", "cross_chain"} <= judged


def test_a_halt_of_each_route_holds_that_route_and_no_other() -> None:
    listed = [
        *(market("upbit", coin, "KRW") for coin in ("BTC", "XRP")),
        market("upbit", "XRP", "BTC"),
        market("bithumb", "XRP", "KRW"),
        *(market("binance", coin, "USDT") for coin in ("BTC", "XRP")),
        market("binance", "XRP", "BTC"),
    ]
    routes = universe(listed, books_of(listed), terms=TERMS, rates=rate_book()).routes
    assert {"two_leg", "triangular", "split_leg", "multi_hop", "cross_chain"} <= {route.shape for route in routes}
    for route in routes:
        for typed in (route.id, route.id.lower(), route.id.upper()):
            halt = ScopedHalt(scope_of(f"route.{typed}"), Depth.HALTED, "OPERATOR", "me", "", 0)
            assert [one.id for one in routes if halt.covers((), (), one.id)] == [route.id]
