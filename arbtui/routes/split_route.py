"""A route with one leg forked over venues: bought at one and sold at several, or bought at several and sold at one, all from stock.

Each unit goes where it costs least, or brings most, as of the level at hand there.
"""

from collections.abc import Callable, Iterable, Sequence
from math import inf

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import Conversion
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.reason import Reason
from arbtui.routes.hops import Hop, InventoryHop, Node, TradeHop, conversion_pieces, rate_mark
from arbtui.routes.leg_walk import LegWalk
from arbtui.routes.pieces import Piece, composed, forked
from arbtui.routes.route import RouteTerms, SizedHop
from arbtui.routes.size import COARSEST_LOT, kept_of_bought
from arbtui.routes.walked_route import WalkedRoute
from arbtui.routes.waterfall import Stage, Way


class SplitRoute(WalkedRoute):
    """``id`` reads ``XRP:binance>upbit+bithumb`` (bought at, sold at). It is none where one of its venues would take nothing.

    Args:
        buys: purchases of the coin.
        sells: sales of it; one of the two sides has one trade.
        node_of: the node of an asset at a venue: (exchange, asset).
        stock_of: how a coin that is bought at one venue is sold at another: (coin, the one, the other).
    """

    __slots__ = ("_bought", "_sold", "_worth")

    def __init__(
        self,
        buys: Sequence[TradeHop],
        sells: Sequence[TradeHop],
        node_of: Callable[[str, str], Node],
        stock_of: Callable[[str, str, str], InventoryHop],
        rates: RateBook,
        terms: RouteTerms,
    ) -> None:
        coin, money = buys[0].market.base, buys[0].market.quote
        stock = [stock_of(coin, buy.market.exchange, sell.market.exchange) for buy in buys for sell in sells]
        marks = [rate_mark(money, buy.market.quote) for buy in buys[1:]] + [rate_mark(sell.market.quote, money) for sell in sells]
        hops: list[Hop] = [*buys, *stock, *sells, *dict.fromkeys(marks)]
        costs = [rates.conversion(money, hop.market.quote) for hop in buys]
        brings = [rates.conversion(hop.market.quote, money) for hop in sells]
        #: By leg: between its quote and the money that the first purchase costs, as the one is changed for the other.
        self._worth: tuple[Conversion, ...] = (*costs, *brings)
        # What the usual "no" reads of each: its book, what the fee leaves, and that conversion.
        self._bought = tuple([(hop.book, hop.kept, worth) for hop, worth in zip(buys, costs, strict=True)])
        self._sold = tuple([(hop.book, hop.kept, worth) for hop, worth in zip(sells, brings, strict=True)])
        places = [node_of(hop.market.exchange, hop.spends) for hop in (*buys, *sells)]
        sides = ["+".join([hop.market.exchange for hop in side]) for side in (buys, sells)]
        super().__init__(f"{coin}:{'>'.join(sides)}", coin, hops, places, rates, terms)

    def _made_legs(self) -> Sequence[LegWalk]:
        """See :class:`WalkedRoute`."""
        return [LegWalk(hop, place) for hop, place in zip(self.trades, self._places, strict=True)]

    @property
    def shape(self) -> str:
        """See :class:`ArbRoute`."""
        return "split_leg"

    def _unit(self, leg: LegWalk, worth: Conversion, price: float) -> float:
        """What one unit of the coin costs (or brings) at ``price`` in the first money, fees in; ``inf`` (0.0) where nothing tells."""
        if leg.buys:
            return price / (leg.factor * worth.value) if worth.value > 0.0 else inf
        return price * leg.factor * worth.value

    def _at_touch(self) -> tuple[float, float]:
        """What a unit costs where it is dearest, and brings where it brings least: what the last venue of the fork is worth."""
        costs, brings = 0.0, inf
        for book, kept, worth in self._bought:
            costs = max(costs, book.ask / (kept * worth.value) if worth.value > 0.0 else inf)
        for book, kept, worth in self._sold:
            brings = min(brings, book.bid * kept * worth.value)
        return costs, brings

    def clears(self) -> bool:
        """See :class:`ArbRoute`: also where it pays least, it must pay."""
        costs, brings = self._at_touch()
        return brings > costs * self._required

    def touch_edge_bps(self) -> float:
        """See :class:`ArbRoute`: where it pays least."""
        costs, brings = self._at_touch()
        return (brings / costs - 1.0) * 1e4 - self.charge_bps if 0.0 < costs < inf and brings > 0.0 else -inf

    def gross_edge_bps(self) -> float:
        """See :class:`ArbRoute`: where it pays least."""
        costs = brings = 0.0
        for leg, worth in zip(self._legs, self._worth, strict=True):
            price = leg.hop.touch_price
            if not (0.0 < price < inf and worth.gross > 0.0):
                return -inf
            if leg.buys:
                costs = max(costs, price / worth.gross)
            else:
                brings = min(brings or inf, price * worth.gross)
        return (brings / costs - 1.0) * 1e4

    def shadow_bps(self) -> float:
        """See :class:`ArbRoute`: of its ways from venue to venue the mean."""
        return sum(hop.shadow_bps() for hop in self.inventories) / len(self.inventories)

    def touch_orders(self) -> tuple[tuple[float, float], ...]:
        """See :class:`ArbRoute`: the fork's venues take as much as they show, the other leg all of it."""
        money = self._value_of_money()
        costs, brings = self._at_touch()
        cap = self.terms.order_value / (money * costs) if money > 0.0 and 0.0 < costs < inf and brings > 0.0 else 0.0
        bought = sum(leg.hop.touch_qty * leg.kept for leg in self._legs if leg.buys)
        sold = sum(leg.hop.touch_qty for leg in self._legs if not leg.buys)
        size = min(cap, bought, sold)
        return tuple((leg.hop.touch_qty * size / ((bought if leg.buys else sold) or 1.0), leg.hop.touch_price) for leg in self._legs)

    def touch_size(self) -> float:
        """See :class:`ArbRoute`."""
        return sum(qty for leg, (qty, _) in zip(self._legs, self.touch_orders(), strict=True) if not leg.buys)

    def price_ratio(self) -> float:
        """The ratio of two venues' mids in one currency that is farthest from 1."""
        mids = [
            leg.hop.book.mid / worth.value if leg.buys else leg.hop.book.mid * worth.value
            for leg, worth in zip(self._legs, self._worth, strict=True)
        ]
        bought = [mid for leg, mid in zip(self._legs, mids, strict=True) if leg.buys]
        sold = [mid for leg, mid in zip(self._legs, mids, strict=True) if not leg.buys]
        return max((sale / purchase for sale in sold for purchase in bought), key=lambda ratio: abs(ratio - 1.0))

    def pieces(self) -> Iterable[Piece]:
        """See :class:`ArbRoute`: each part of the fork with what changes its money, books walked; rates of two parts count apart."""
        sides: dict[bool, list[Iterable[Piece]]] = {True: [], False: []}
        money = self.trades[0].market.quote
        for leg, worth in zip(self._legs, self._worth, strict=True):
            quote = leg.hop.market.quote
            through = conversion_pieces(money if leg.buys else quote, worth) if quote != money else []
            if quote != money and not through:
                return ()
            row = [*through, leg.hop.pieces()] if leg.buys else [leg.hop.pieces(), *through]
            sides[leg.buys].append(composed(row))
        return composed([forked(sides[True]), forked(sides[False])])

    def stages(self) -> Sequence[Stage]:
        """See :class:`ArbRoute`: bought, and sold."""
        ways: dict[bool, list[Way]] = {True: [], False: []}
        for leg, worth in zip(self._legs, self._worth, strict=True):
            rate: list[Piece] = [(worth.value, inf)]
            row = [rate, leg.hop.pieces()] if leg.buys else [leg.hop.pieces(), rate]
            net = worth.value / worth.gross if worth.gross > 0.0 else 0.0
            ways[leg.buys].append(Way(tuple(composed(row)), leg.hop.touch_rate * worth.gross, leg.hop, net))
        return [Stage(ways[True]), Stage(ways[False])]

    def _descend(self, required: float) -> list[float] | None:
        """See :class:`WalkedRoute`: each unit from the cheapest venue to the dearest, as of the levels at hand."""
        money = self._value_of_money()
        if not money > 0.0:
            self.denied = Reason.NO_RATE
            return None
        left = self.terms.order_value / money
        legs = dict(zip(self._legs, self._worth, strict=True))
        worst = dict.fromkeys(self._legs, 0.0)
        for leg in legs:
            leg.begin()
        buying, selling = ([leg for leg in legs if leg.buys is buys] for buys in (True, False))
        while buying and selling and left > 0.0:
            buy = min(buying, key=lambda leg: self._unit(leg, legs[leg], leg.price))
            sell = max(selling, key=lambda leg: self._unit(leg, legs[leg], leg.price))
            costs = self._unit(buy, legs[buy], buy.price)
            if not self._unit(sell, legs[sell], sell.price) > costs * required:
                break
            cash = (self._held(buy) - buy.spent) / (buy.price * buy.pays)
            step = min(buy.left * buy.kept, cash * buy.kept, sell.left, self._held(sell) - sell.spent, left / costs)
            if step > 0.0 and left - step * costs < left:
                buy.take(step / buy.kept * buy.price * buy.pays)
                sell.take(step)
                left -= step * costs
                worst[buy], worst[sell] = buy.price, sell.price
            elif not (cash > 0.0 and self._held(sell) - sell.spent > 0.0):
                (selling if cash > 0.0 else buying).remove(sell if cash > 0.0 else buy)  # the other venue may still do
                continue
            else:
                break
            if not buy.advance():
                buying.remove(buy)
            if not sell.advance():
                selling.remove(sell)
        if all(leg.qty > 0.0 for leg in legs):
            return list(worst.values())
        dry = next((leg for leg in legs if not self._held(leg) > 0.0), None)
        if dry is not None:
            self.denied = Reason.NO_CASH if dry.buys else Reason.NO_STOCK
        return None

    def _sized(self, worst: Sequence[float]) -> tuple[SizedHop, ...] | Reason:
        """See :class:`WalkedRoute`: the parts of the fork are rounded down, the other leg is what they come to, less than a lot off."""
        share = min(self._affordable(leg, price) / leg.qty for leg, price in zip(self._legs, worst, strict=True) if leg.buys)
        if not share > 0.0:
            return Reason.NO_CASH
        buys_alone = sum(leg.buys for leg in self._legs) == 1
        parts = {leg: leg.hop.market.qty_down(decimal_of(leg.qty * min(1.0, share))) for leg in self._legs if leg.buys is not buys_alone}
        orders = []
        for leg, price in zip(self._legs, worst, strict=True):
            market = leg.hop.market
            if leg in parts:
                qty = parts[leg]
            elif buys_alone:
                qty = market.qty_up(sum(parts.values(), ZERO) / kept_of_bought(market))
                if not leg.hop.would_fill(float(qty), price):  # that lot is more than the book holds: what it is short of is dust
                    qty -= market.lot_step
            else:
                qty = market.qty_down(sum((part * kept_of_bought(each.hop.market) for each, part in parts.items()), ZERO))
            limit = market.price_down(decimal_of(price)) if leg.buys else market.price_up(decimal_of(price))
            if qty <= ZERO or market.refusal(limit, qty) is not None:
                return Reason.TOO_SMALL
            if market.lot_step * COARSEST_LOT > qty:
                return Reason.LOT_TOO_COARSE
            orders.append(SizedHop(leg.hop, qty, limit))
        return tuple(orders)

    def _priced(self, orders: Sequence[SizedHop]) -> tuple[float, float, float]:
        """See :class:`WalkedRoute`."""
        cost = proceeds = size = 0.0
        for leg, worth, order in zip(self._legs, self._worth, orders, strict=True):
            quote = leg.cost(float(order.qty))
            if leg.buys:
                cost += quote * leg.pays / worth.value
            else:
                proceeds += quote * leg.brings * worth.value
                size += float(order.qty)
        return (proceeds / cost - 1.0) * 1e4 - self.charge_bps, cost * self._value_of_money(), size
