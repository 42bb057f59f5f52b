"""Routes of any number of trades made by hand, with a slow second opinion on them: Fractions only, and nothing of the routes' own code.

Fees as the venues' documents have them: Upbit takes its fee in won on top of a purchase, Binance takes it out of what is bought; both
take a sale's fee out of its proceeds.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import Level, OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side
from arbtui.routes.hops import Hop, RateMark, TradeHop
from arbtui.routes.route import ArbRoute, RouteTerms
from tests.routes.pairs import BINANCE_XRP, OTHER_XRP, UPBIT_XRP, book, one_rate

TERMS = RouteTerms(min_edge_bps=3.0, slippage_bps=2.0, order_value=100.0, value_currency="USDT", price_ratio=(0.5, 2.0))
ROUGH = {"KRW": 1400.0, "USDT": 1.0, "BTC": 1.0 / 60_000, "ETH": 1.0 / 3_000, "XRP": 1.0 / 2.0}  # of one dollar

UPBIT_BTC = replace(UPBIT_XRP, base="BTC", code="KRW-BTC", lot_step=Decimal("0.00000001"), min_qty=Decimal("0.00000001"))
UPBIT_ETH = replace(UPBIT_XRP, base="ETH", code="KRW-ETH", lot_step=Decimal("0.0001"))
UPBIT_ETH_BTC = replace(
    UPBIT_ETH, quote="BTC", code="BTC-ETH", min_cost=Decimal("0.00005"), fees=replace(UPBIT_XRP.fees, taker=Decimal("0.0025"))
)
BINANCE_ETH_BTC = replace(BINANCE_XRP, base="ETH", quote="BTC", code="ETHBTC", lot_step=Decimal("0.001"))
BINANCE_BTC = replace(BINANCE_XRP, base="BTC", code="BTCUSDT", lot_step=Decimal("0.00001"))

#: Closed sequences: (market, side), then the conversion that closes them, if any.
SHAPES: dict[str, tuple[Sequence[tuple[Market, Side]], tuple[str, str] | None]] = {
    "two legs, won and dollar": (((UPBIT_XRP, Side.BUY), (BINANCE_XRP, Side.SELL)), ("USDT", "KRW")),
    "two legs, dollar and won": (((BINANCE_XRP, Side.BUY), (UPBIT_XRP, Side.SELL)), ("KRW", "USDT")),
    "two legs, one currency": (((OTHER_XRP, Side.BUY), (BINANCE_XRP, Side.SELL)), None),
    "triangle at one venue": (((UPBIT_BTC, Side.BUY), (UPBIT_ETH_BTC, Side.BUY), (UPBIT_ETH, Side.SELL)), None),
    "triangle the other way": (((UPBIT_ETH, Side.BUY), (UPBIT_ETH_BTC, Side.SELL), (UPBIT_BTC, Side.SELL)), None),
    "over two venues": (((UPBIT_ETH, Side.BUY), (BINANCE_ETH_BTC, Side.SELL), (BINANCE_BTC, Side.SELL)), ("USDT", "KRW")),
}


def rough_price(market: Market) -> float:
    """About what one of base costs in quote."""
    return ROUGH[market.quote] / ROUGH[market.base]


def ladders(market: Market, chance: random.Random, tilt: float) -> OrderBook:
    """A book of a few levels around the market's rough price times ``1 + tilt``; quantities worth 50 to 20,000 dollars each."""
    mid = rough_price(market) * (1 + tilt)
    bids: list[Level] = []
    asks: list[Level] = []
    for side, way in ((bids, -1), (asks, 1)):
        away = chance.uniform(0.5, 3.0) / 1e4
        for _ in range(chance.randrange(2, 7)):
            dollars = chance.choice((50.0, 500.0, 5_000.0, 20_000.0)) * chance.uniform(0.5, 1.5)
            side.append((mid * (1 + way * away), dollars * ROUGH[market.base]))
            away += chance.uniform(0.5, 8.0) / 1e4
    return book(market.exchange, market.code, bids, asks)


def rates(chance: random.Random, size: float) -> RateBook:
    """A rate whose book must be walked for a few thousand dollars."""
    bid = chance.randrange(2780, 2820) / 2
    sides = [[(bid + way * n * 0.5, chance.choice((300.0, 3_000.0, 90_000.0))) for n in range(4)] for way in (-1, 1)]
    sides[1] = [(price + 0.5, qty) for price, qty in sides[1]]
    return one_rate(book("upbit", "KRW-USDT", sides[0], sides[1]), size=size)


def route_of(name: str, chance: random.Random, terms: RouteTerms = TERMS) -> ArbRoute:
    """A route of that shape over books of its own, its net edge somewhere around nothing."""
    trades, closing = SHAPES[name]
    hops: list[Hop] = []
    fees = sum(float(market.fees.taker) for market, _ in trades) + (0.0005 if closing is not None else 0.0)
    gain = fees + chance.gauss(8.0, 8.0) / 1e4
    for number, (market, side) in enumerate(trades):
        tilt = gain if number == len(trades) - 1 else 0.0
        hops.append(TradeHop(market, ladders(market, chance, tilt), side))
    if closing is not None:
        hops.append(RateMark(*closing))
    return ArbRoute(name, "XRP", hops, rates(chance, min(terms.order_value, 300.0)), terms)


# the second opinion

F = Fraction
Side1 = Sequence[tuple[Fraction, Fraction]]


def exact(levels: Sequence[Level]) -> list[tuple[Fraction, Fraction]]:
    return [(F(price), F(qty)) for price, qty in levels]


def trade(market: Market, side: Side, levels: Side1, amount: Fraction) -> Fraction | None:
    """What a taker gets for ``amount``, level by level; None where the book ends before."""
    fee, out = F(market.fees.taker), F(0)
    if side is Side.SELL:
        for price, qty in levels:
            part = min(qty, amount)
            out += part * price
            amount -= part
        return None if amount > 0 else out * (1 - fee)
    on_top = market.fees.taken_in is not FeeTakenIn.RECEIVED
    notional = amount / (1 + fee) if on_top else amount
    for price, qty in levels:
        part = min(qty, notional / price)
        out += part
        notional -= part * price
    return None if notional > 0 else out if on_top else out * (1 - fee)


def through(route: ArbRoute, amount: Fraction, fixed_rate: Fraction | None = None) -> Fraction | None:
    """What the whole route makes of ``amount``; the rate's book is walked, or taken at ``fixed_rate``."""
    found = amount
    for hop in route.trades:
        levels = exact(list(hop.book.asks() if hop.side is Side.BUY else hop.book.bids()))
        brought = trade(hop.market, hop.side, levels, found)
        if brought is None:
            return None
        found = brought
    closing = SHAPES[route.id][1]
    if closing is None:
        return found
    if fixed_rate is not None:
        return found * fixed_rate
    market = route.rates.markets[0]
    fee = F(market.fee)
    if closing[0] == market.base:
        out = F(0)
        for price, qty in exact(list(market.book.bids())):
            part = min(qty, found)
            out, found = out + part * price, found - part
        return None if found > 0 else out * (1 - fee)
    notional, out = found / (1 + fee), F(0)
    for price, qty in exact(list(market.book.asks())):
        part = min(qty, notional / price)
        out, notional = out + part, notional - part * price
    return None if notional > 0 else out


def unit_value(route: ArbRoute) -> Fraction:
    """Dollars for one unit of what the route begins with, at the middle of the rate."""
    if SHAPES[route.id][0][0][0].quote == "USDT":
        return F(1)
    rate = route.rates.markets[0].book
    return 1 / ((F(rate.bid) + F(rate.ask)) / 2)
