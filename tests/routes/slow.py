"""A slow second opinion on a route of any shape, at its touch, in depth and at its orders: Fractions, and nothing of the routes' code.

Of a route it reads which markets are traded in which order and direction; of a market, how its venue takes its fee.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import BookState, Level, OrderBook
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.order import Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute, Opportunity, SizedHop

F = Fraction
Levels = Sequence[tuple[Fraction, Fraction]]
BPS = 10_000
_HALVINGS = 34  # of an order: to a ten thousand millionth of it


def exact(levels: Iterable[Level]) -> Levels:
    return [(F(repr(price)), F(repr(qty))) for price, qty in levels]


def side_of(book: OrderBook, side: Side) -> Levels:
    return exact(book.asks() if side is Side.BUY else book.bids())


def fee_of(one: Market) -> Fraction:
    return F(str(one.fees.taker))


def quote_of(levels: Levels, qty: Fraction) -> Fraction | None:
    """What ``qty`` comes to level by level; None where the book does not show so much."""
    total = F(0)
    for price, size in levels:
        part = min(size, qty)
        total, qty = total + part * price, qty - part
    return total if qty <= 0 else None


@dataclass(frozen=True)
class Costs:
    """What the desk counts with: sizes of an order and of a conversion, in which currency, slippage, and what is paid for on the way."""

    order_value: Fraction
    rate_size: Fraction
    currency: str
    slippage_bps: Fraction
    risk_sd: float
    financing_pct_year: float


@dataclass(frozen=True)
class Slow:
    """Prices routes at one moment.

    Args:
        rates: the markets of two settlement currencies, the desk's first choice first.
        now: monotonic seconds.
    """

    rates: Sequence[RateMarket]
    costs: Costs
    now: float

    # rates

    def rate(self, source: str, target: str) -> Fraction:
        """What one of ``source`` gets of ``target`` in an order of the desk's size, at the venue where that is best; 0 without one."""
        if source == target:
            return F(1)
        return max(
            (self._converted(market, source) for market in self.rates if {market.base, market.quote} == {source, target}), default=F(0)
        )

    def _converted(self, market: RateMarket, source: str) -> Fraction:
        book, fee, size = market.book, F(repr(market.fee)), self.costs.rate_size
        if book.state is not BookState.LIVE or self.now - book.ts_init > market.max_age_s:
            return F(0)
        quote = quote_of(side_of(book, Side.SELL if market.base == source else Side.BUY), size)
        if quote is None:
            return F(0)
        return quote / size * (1 - fee) if market.base == source else 1 / (quote / size * (1 + fee))

    def worth(self, money: str) -> Fraction:
        """One of ``money`` in the desk's currency, at the middle of the first rate that is LIVE."""
        if money == self.costs.currency:
            return F(1)
        book = next(market.book for market in self.rates if market.book.state is BookState.LIVE)
        return 2 / (F(repr(book.bid)) + F(repr(book.ask)))

    # trades

    def unit(self, hop: TradeHop, price: Fraction) -> Fraction:
        """Of a purchase what one unit that arrives costs, fee in; of a sale what one unit brings."""
        fee = fee_of(hop.market)
        if hop.side is Side.SELL:
            return price * (1 - fee)
        return price / (1 - fee) if _in_coin(hop) else price * (1 + fee)

    def arriving(self, hop: TradeHop, qty: Fraction) -> Fraction:
        """What arrives of ``qty`` bought."""
        return qty * (1 - fee_of(hop.market)) if _in_coin(hop) else qty

    def in_quote(self, order: SizedHop) -> Fraction:
        """What an order costs, or brings, if it fills as its book is."""
        fee = fee_of(order.hop.market)
        quote = quote_of(side_of(order.hop.book, order.hop.side), F(str(order.qty)))
        assert quote is not None, "the book does not show so much"
        if order.hop.side is Side.SELL:
            return quote * (1 - fee)
        return quote if _in_coin(order.hop) else quote * (1 + fee)

    # routes

    def charge_bps(self, route: ArbRoute) -> Fraction:
        """What is taken off its edge in proportion to the size."""
        charge = self.costs.slippage_bps
        for hop in route.transfers:
            assert hop.sigma is not None
            charge += F(self.costs.risk_sd * hop.sigma * sqrt(hop.minutes) * BPS)
            charge += F(self.costs.financing_pct_year) / 100 * BPS * F(hop.minutes) / (365 * 24 * 60)
        return charge

    def touch_edge_bps(self, route: ArbRoute) -> Fraction:
        """Its net edge at the touch: of a fork where it pays least, over a network with that fee as a whole order bears it."""
        if route.shape == "split_leg":
            money = route.trades[0].market.quote
            touches = [(hop, self.unit(hop, side_of(hop.book, hop.side)[0][0])) for hop in route.trades]
            cost = max(unit / self.rate(money, hop.market.quote) for hop, unit in touches if hop.side is Side.BUY)
            gain = min(unit * self.rate(hop.market.quote, money) for hop, unit in touches if hop.side is Side.SELL) / cost
        else:
            gain = self._next_unit(route, F(0))
            for hop in route.transfers:
                gain *= 1 - F(str(hop.fee)) / self._whole(route)
        return (gain - 1) * BPS - self.charge_bps(route)

    def edge_bps(self, found: Opportunity) -> Fraction:
        """The net edge of its orders. Dust of coins counts as nothing, money that is left between two trades at its rate."""
        return self._gain(found) / self.first_cost(found) * BPS - self.charge_bps(found.route)

    def first_cost(self, found: Opportunity) -> Fraction:
        """What the purchases of its beginning cost, in the money of the first: of a fork all of them."""
        money = found.orders[0].hop.market.quote
        first = [order for order in found.orders if order.hop.side is Side.BUY] if found.route.shape == "split_leg" else found.orders[:1]
        return sum((self.in_quote(order) / self.rate(money, order.hop.market.quote) for order in first), F(0))

    def _gain(self, found: Opportunity) -> Fraction:
        money = found.orders[0].hop.market.quote
        gain, have, currency = -self.first_cost(found), F(0), ""
        for number, order in enumerate(found.orders):
            quote = order.hop.market.quote
            if found.route.shape == "split_leg":
                gain += self.in_quote(order) * self.rate(quote, money) if order.hop.side is Side.SELL else 0
            elif order.hop.side is Side.SELL and quote in MONEY:
                have, currency = self.in_quote(order), quote
            elif order.hop.side is Side.BUY and quote in MONEY and number:
                rest = have * self.rate(currency, quote) - self.in_quote(order)
                gain += rest * self.rate(quote, money) if rest > 0 else rest / self.rate(money, quote)
                have = F(0)
        return gain + (have * self.rate(currency, money) if have else 0)

    def most_cost(self, route: ArbRoute, least: Fraction) -> Fraction:
        """The first money that goes in while one more unit brings back ``least``: an order's size at most, and what the books show."""
        if route.shape == "split_leg":
            return self._fork(route, self.costs.order_value / self.worth(route.trades[0].market.quote), least)[0]
        first = route.trades[0]
        high = self.costs.order_value / self.worth(first.market.quote)
        if route.shape in ("two_leg", "cross_chain"):  # which count an order's size in units of the coin, at the touch
            high = self._cost_of(first, self._whole(route))
        low = F(0)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._next_unit(route, middle) > least else (low, middle)
        return low

    def _whole(self, route: ArbRoute) -> Fraction:
        """The coins that an order's size buys at the touch."""
        first = route.trades[0]
        return self.costs.order_value / self.worth(first.market.quote) / self.unit(first, side_of(first.book, Side.BUY)[0][0])

    def _cost_of(self, hop: TradeHop, qty: Fraction) -> Fraction:
        """What a purchase of which ``qty`` arrives costs; of what the book does not show nothing."""
        cost = F(0)
        for price, size in side_of(hop.book, Side.BUY):
            part = min(self.arriving(hop, size), qty)
            cost, qty = cost + part * self.unit(hop, price), qty - part
        return cost

    def _next_unit(self, route: ArbRoute, amount: Fraction) -> Fraction:
        """What one more unit of the first money brings back once ``amount`` of it was spent; 0 where a book ends."""
        gain, money = F(1), route.trades[0].market.quote
        given = money
        for hop in route.trades:
            if given != hop.spends:
                rate = self.rate(given, hop.spends)
                amount, gain = amount * rate, gain * rate
            brought = F(0)
            for price, size in side_of(hop.book, hop.side):
                unit = self.unit(hop, price)
                room, makes = (self.arriving(hop, size) * unit, 1 / unit) if hop.side is Side.BUY else (size, unit)
                if amount < room:
                    gain, amount = gain * makes, brought + amount * makes
                    break
                brought, amount = brought + room * makes, amount - room
            else:
                return F(0)
            given = hop.market.base if hop.side is Side.BUY else hop.market.quote
        return gain * self.rate(given, money)

    def through(self, route: ArbRoute, amount: Fraction) -> tuple[Fraction, list[Fraction]]:
        """What ``amount`` of the first money brings back of it, fees in, and the base quantity that each trade takes of it."""
        if route.shape == "split_leg":
            return self._fork(route, amount, F(0))[1:]
        money = given = route.trades[0].market.quote
        quantities = []
        for hop in route.trades:
            amount *= self.rate(given, hop.spends)
            left, brought, qty = amount, F(0), F(0)
            for price, size in side_of(hop.book, hop.side):
                unit = self.unit(hop, price)
                part = min(size, left / (self.arriving(hop, F(1)) * unit) if hop.side is Side.BUY else left)
                left -= self.arriving(hop, part) * unit if hop.side is Side.BUY else part
                brought, qty = brought + (self.arriving(hop, part) if hop.side is Side.BUY else part * unit), qty + part
            quantities.append(qty)
            for moved in route.transfers if hop is route.trades[0] else ():
                brought -= F(str(moved.fee))
            amount, given = brought, hop.market.base if hop.side is Side.BUY else hop.market.quote
        return amount * self.rate(given, money), quantities

    def _fork(self, route: ArbRoute, left: Fraction, least: Fraction) -> tuple[Fraction, Fraction, list[Fraction]]:
        """Each unit from where it costs least to where it brings most while it brings ``least``: cost, proceeds, quantities."""
        money = route.trades[0].market.quote
        sides: dict[Side, list[list[Fraction]]] = {Side.BUY: [], Side.SELL: []}
        for number, hop in enumerate(route.trades):
            for price, size in side_of(hop.book, hop.side):
                unit, quote = self.unit(hop, price), hop.market.quote
                worth = unit / self.rate(money, quote) if hop.side is Side.BUY else unit * self.rate(quote, money)
                sides[hop.side].append([worth, self.arriving(hop, size) if hop.side is Side.BUY else size, F(number)])
        asks, bids = sorted(sides[Side.BUY], key=lambda row: row[0]), sorted(sides[Side.SELL], key=lambda row: -row[0])
        cost, proceeds, quantities = F(0), F(0), [F(0)] * len(route.trades)
        while asks and bids and left > 0 and bids[0][0] > asks[0][0] * least:
            step = min(asks[0][1], bids[0][1], left / asks[0][0])
            cost, left, proceeds = cost + step * asks[0][0], left - step * asks[0][0], proceeds + step * bids[0][0]
            for side in (asks, bids):
                quantities[int(side[0][2])] += step
                side[0][1] -= step
                if side[0][1] <= 0:
                    side.pop(0)
        return cost, proceeds, quantities


MONEY = ("KRW", "USDT")


def _in_coin(hop: TradeHop) -> bool:
    return hop.market.fees.taken_in is FeeTakenIn.RECEIVED
