"""A route of any closed sequence of trades, and its price: the walk through all its books at once.

At the touch it is one product of prices and one folded factor, and a compare. What passes is walked level by level, all legs together,
each in what the legs before it bring; what survives is sized in Decimal, once.
"""

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from itertools import pairwise
from math import inf, prod

from msgspec import structs

from arbtui.journal.events import LegAfter, On
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.graph import ClosedPath, Trade
from arbtui.routes.hops import Hop, InventoryHop, Node, RateMark, TradeHop, rate_mark
from arbtui.routes.leg_walk import LegWalk
from arbtui.routes.route import Opportunity, RouteTerms, SizedHop
from arbtui.routes.size import COARSEST_LOT, kept_of_bought
from arbtui.routes.walked_route import WalkedRoute

#: What a place must hold of what a leg spends, so that it may leave together with the leg that brings it, and stock is left after it.
_AMPLE = 1.05
#: And of what a sale brings, to take it back with.
_TO_TAKE_BACK = 0.1


class TradeRoute(WalkedRoute):
    """A closed path of trades, at one venue or over several.

    ``id`` reads ``ETH:upbit/KRW>BTC>ETH>KRW``, over two venues ``ETH:upbit/KRW>ETH,binance/ETH>BTC>USDT``.

    Args:
        path: its trades, the first one a purchase with money.
        hops: the same as hops, each with its live book.
        node_of: the node of an asset at a venue: (exchange, asset).
        stock_of: how a coin that is bought at one venue is sold at another: (coin, the one, the other).
        settlement: the settlement currencies.
        shape: of ``path``, where it is known already.
    """

    __slots__ = ("_asks", "_bids", "_closing", "_factor", "_shape")

    def __init__(
        self,
        path: ClosedPath,
        hops: Sequence[TradeHop],
        node_of: Callable[[str, str], Node],
        stock_of: Callable[[str, str, str], InventoryHop],
        rates: RateBook,
        terms: RouteTerms,
        settlement: Collection[str],
        shape: str = "",
    ) -> None:
        joined: list[Hop] = []
        for trade, following, hop in zip(path, (*path[1:], path[0]), hops, strict=True):
            joined.append(hop)
            if trade.gives in settlement:
                joined.append(rate_mark(trade.gives, following.spends))
            elif trade.exchange != following.exchange:
                joined.append(stock_of(trade.gives, trade.exchange, following.exchange))
        coin = main_coin(path)
        places = [node_of(trade.exchange, trade.spends) for trade in path]
        super().__init__(route_id(path, coin), coin, joined, places, rates, terms)
        self._closing = rates.conversion(path[-1].gives, path[0].spends)
        self._asks = tuple([hop.book for hop in hops if hop.side is Side.BUY])
        self._bids = tuple([hop.book for hop in hops if hop.side is Side.SELL])
        self._factor = prod([hop.kept for hop in hops])
        self._shape = shape or path_shape(path)

    def _made_legs(self) -> Sequence[LegWalk]:
        """See :class:`WalkedRoute`: each may spend what the one before it brings where that is where it spends."""
        legs = [LegWalk(self.trades[0], self._places[0])]
        for before, hop, place in zip(self.trades, self.trades[1:], self._places[1:], strict=False):
            conversion = self.rates.conversion(before.gives, hop.spends) if before.gives != hop.spends else None
            legs.append(LegWalk(hop, place, conversion, direct=_feeds(before, hop)))
        return legs

    @property
    def uses(self) -> tuple[Node, ...]:
        """See :class:`ArbRoute`: what its first leg spends, and the others where none before them brings it there."""
        fed = [False, *(_feeds(before, hop) for before, hop in pairwise(self.trades))]
        return tuple(place for place, is_fed in zip(self._places, fed, strict=True) if not is_fed)

    @property
    def shape(self) -> str:
        """See :class:`ArbRoute`."""
        return self._shape

    def clears(self) -> bool:
        """See :class:`ArbRoute`: bids, rates and all fees in one factor, against the asks and what is required."""
        brought, paid = self._factor, self._required
        for book in self._bids:
            brought *= book.bid
        for conversion in self._conversions:
            brought *= conversion.value
        for book in self._asks:
            paid *= book.ask
        return brought > paid

    def touch_edge_bps(self) -> float:
        """See :class:`ArbRoute`."""
        gain = self._gain([leg.factor for leg in self._legs], [conversion.value for conversion in self._conversions])
        return (gain - 1.0) * 1e4 - self.charge_bps if gain > 0.0 else -inf

    def gross_edge_bps(self) -> float:
        """See :class:`ArbRoute`."""
        gain = self._gain((), [conversion.gross for conversion in self._conversions])
        return (gain - 1.0) * 1e4 if gain > 0.0 else -inf

    def _gain(self, *factors: Sequence[float]) -> float:
        """What one unit of the money that it spends first brings back of it at the touches; 0.0 where a side or a rate is missing."""
        gain = 1.0
        for leg in self._legs:
            price = leg.hop.touch_price
            if not 0.0 < price < inf:
                return 0.0
            gain *= 1.0 / price if leg.buys else price
        for each in factors:
            for factor in each:
                gain *= factor
        return gain

    def shadow_bps(self) -> float:
        """See :class:`ArbRoute`."""
        return sum(hop.shadow_bps() for hop in self.inventories)

    def touch_orders(self) -> tuple[tuple[float, float], ...]:
        """See :class:`ArbRoute`."""
        money = self._value_of_money()
        brought, most = 1.0, self.terms.order_value / money if money > 0.0 else 0.0
        for leg in self._legs:
            leg.begin()
            leg.end()  # the touch is enough
            brought *= 1.0 if leg.conversion is None else leg.conversion.value
            if not (leg.room > 0.0 and brought > 0.0):
                return tuple((0.0, leg.hop.touch_price) for leg in self._legs)
            most = min(most, leg.room / brought)
            brought *= leg.rate
        self._trade(most)
        return tuple((leg.qty, leg.price) for leg in self._legs)

    def touch_size(self) -> float:
        """See :class:`ArbRoute`."""
        sizes = [qty for hop, (qty, _) in zip(self.trades, self.touch_orders(), strict=True) if hop.market.base == self.symbol]
        return sizes[-1]

    def price_ratio(self) -> float:
        """What one unit brings back at the mids, before all costs: 1 where its markets agree."""
        ratio = 1.0
        for leg in self._legs:
            ratio *= 1.0 / leg.hop.book.mid if leg.buys else leg.hop.book.mid
        for conversion in self._conversions:
            ratio *= conversion.value
        return ratio

    def _descend(self, required: float) -> list[float] | None:
        """See :class:`WalkedRoute`: all books together, each leg in what the legs before it bring."""
        money = self._value_of_money()
        if not money > 0.0:
            self.denied = Reason.NO_RATE  # one foreign currency throughout, and no rate to size in another
            return None
        legs, most = self._legs, self.terms.order_value / money
        for leg in legs:
            leg.begin()
        worst: list[float] | None = None
        walked, deeper = 0.0, True
        while deeper and walked < most:
            brought, step, dry = 1.0, most - walked, None
            for leg in legs:
                if leg.conversion is not None:
                    brought *= leg.conversion.value
                if not (leg.left > 0.0 and brought > 0.0):
                    return worst
                step = min(step, leg.room / brought)
                if not leg.direct and (held := (self._held(leg) - leg.spent) / brought) < step:
                    step, dry = held, leg
                brought *= leg.rate
            if not brought * self._closing.value > required:
                return worst
            if not walked + step > walked:  # nothing, or too little for a float
                if worst is None and dry is not None:
                    self.denied = Reason.NO_CASH if dry.buys else Reason.NO_STOCK
                return worst
            worst = [leg.price for leg in legs]
            self._trade(step)
            walked += step
            deeper = all([leg.advance() for leg in legs])
        return worst

    def _trade(self, amount: float) -> None:
        """Spend ``amount`` of the first money at the levels at hand, and what that brings on each leg after it."""
        for leg in self._legs:
            if leg.conversion is not None:
                amount *= leg.conversion.value
            rate = leg.rate
            leg.take(amount)
            amount *= rate

    def _sized(self, worst: Sequence[float]) -> tuple[SizedHop, ...] | Reason:
        """See :class:`WalkedRoute`.

        The coarsest lot is rounded first, and once more where what the others need for it is more than their books hold.
        """
        legs, share = self._legs, 1.0
        for leg, price in zip(legs, worst, strict=True):
            if leg.buys and not leg.direct:  # what is set aside is set aside at the worst price
                share = min(share, self._affordable(leg, price) / leg.qty)
        if not share > 0.0:
            return Reason.NO_CASH
        coarsest = max(range(len(legs)), key=lambda number: float(legs[number].hop.market.lot_step) / legs[number].qty)
        market = legs[coarsest].hop.market
        exact = market.qty_down(decimal_of(legs[coarsest].qty * share))
        orders = self._rounded(worst, coarsest, exact)
        if not isinstance(orders, Reason) and not _are_shown(orders, worst):
            orders = self._rounded(worst, coarsest, exact - market.lot_step)
        return orders

    def _rounded(self, worst: Sequence[float], coarsest: int, exact: Decimal) -> tuple[SizedHop, ...] | Reason:
        """The orders with ``exact`` on the leg of that number, or why there are none.

        The legs before it bring enough for it; all others spend what is brought, rounded down: full fills leave less than one lot of
        any coin.
        """
        legs = self._legs
        scale = float(exact) / legs[coarsest].qty
        orders: list[SizedHop] = []
        brought = ZERO
        for number, (leg, price) in enumerate(zip(legs, worst, strict=True)):
            market, average = leg.hop.market, decimal_of(leg.average)
            given = brought if leg.conversion is None else brought * decimal_of(leg.conversion.value)
            qty = exact if number == coarsest else market.qty_down(given / (average * decimal_of(leg.pays)) if leg.buys else given)
            if number < coarsest:
                qty = max(qty, market.qty_up(decimal_of(leg.qty * scale)))
            limit = market.price_down(decimal_of(price)) if leg.buys else market.price_up(decimal_of(price))
            if qty <= ZERO or market.refusal(limit, qty) is not None:
                return Reason.TOO_SMALL
            if market.lot_step * COARSEST_LOT > qty:
                return Reason.LOT_TOO_COARSE
            orders.append(SizedHop(leg.hop, qty, limit))
            brought = qty * kept_of_bought(market) if leg.buys else qty * average * decimal_of(leg.brings)
        return tuple(orders)

    def _priced(self, orders: Sequence[SizedHop]) -> tuple[float, float, float]:
        """See :class:`WalkedRoute`.

        What is left of coins by rounding counts as nothing; what is left of money between two legs at its conversion.
        """
        first, conversion = self.trades[0].market.quote, self.rates.conversion
        cost = earned = have = 0.0
        for number, (leg, order) in enumerate(zip(self._legs, orders, strict=True)):
            quote = leg.cost(float(order.qty)) * (leg.pays if leg.buys else leg.brings)
            if number == 0:
                cost = quote
            elif leg.buys and have > 0.0:  # money was brought before it, and is spent again
                rest, currency = have * (1.0 if leg.conversion is None else leg.conversion.value) - quote, order.hop.market.quote
                earned += rest * conversion(currency, first).value if rest > 0.0 else rest / conversion(first, currency).value
                have = 0.0
            elif not leg.buys and self._brings_money(number):
                have = quote
        earned += have * self._closing.value - cost
        size = [float(order.qty) for order in orders if order.hop.market.base == self.symbol][-1]
        return earned / cost * 1e4 - self.charge_bps, cost * self._value_of_money(), size

    def _brings_money(self, number: int) -> bool:
        """Whether a money mark follows the leg."""
        hop = self.trades[number]
        return isinstance(self.hops[(self.hops.index(hop) + 1) % len(self.hops)], RateMark)

    def _opportunity(self, now: float) -> Opportunity | None:
        found = super()._opportunity(now)
        return None if found is None else structs.replace(found, after=self._after())

    def _after(self) -> dict[int, tuple[LegAfter, ...]]:
        """The legs that wait: those that can only spend what the leg before them brings, since their place holds too little of it."""
        legs = self._legs
        return {
            number: (LegAfter(number - 1, On.ARRIVAL),)
            for number, leg in enumerate(legs)
            if leg.direct and not self._is_ample(leg, legs[number + 1] if number + 1 < len(legs) else None)
        }

    def _is_ample(self, leg: LegWalk, following: LegWalk | None) -> bool:
        """Whether ``leg`` can be paid for out of stock, and taken back too where what it brings is a coin."""
        unit = self._reserve_unit(leg) / leg.pays if leg.buys else 1.0
        ample = leg.place.available >= leg.spent * unit * _AMPLE
        if not leg.buys and following is not None and following.direct:
            return ample and following.place.available >= following.spent * _TO_TAKE_BACK
        return ample


def _feeds(before: TradeHop, hop: TradeHop) -> bool:
    """Whether ``hop`` may spend what ``before`` brings: the same asset at the same venue."""
    return before.market.exchange == hop.market.exchange and before.gives == hop.spends


def _are_shown(orders: Sequence[SizedHop], worst: Sequence[float]) -> bool:
    """Whether the books hold each of ``orders`` at its worst price or better."""
    return all(order.hop.would_fill(float(order.qty), price) for order, price in zip(orders, worst, strict=True))


def route_id(path: ClosedPath, coin: str) -> str:
    """The name of the route over ``path``: its main ``coin``, then by venue the assets that it passes."""
    parts: list[list[str]] = []
    for before, trade in zip((None, *path), path, strict=False):
        if before is None or (before.exchange, before.gives) != (trade.exchange, trade.spends):
            parts.append([f"{trade.exchange}/{trade.spends}"])
        parts[-1].append(trade.gives)
    return f"{coin}:{','.join(['>'.join(part) for part in parts])}"


def path_shape(path: Sequence[Trade]) -> str:
    """The shape of a route over ``path``; see :attr:`ArbRoute.shape`."""
    if len(path) == 2:
        return "two_leg"
    return "triangular" if len(path) == 3 and len({trade.exchange for trade in path}) == 1 else "multi_hop"


def main_coin(path: Sequence[Trade]) -> str:
    """What a route over ``path`` is listed under: the asset that most of its markets are of, the first of several."""
    bases = [trade.market.base for trade in path]
    return max(dict.fromkeys(bases), key=bases.count)
