"""A route of two legs and its price: the walk through both books, net of fees, rate and costs.

The usual answer is "no", and it costs one multiply and one compare: fees, costs and threshold are folded into one factor
a route, the exchange rate is one shared number. Only what passes is walked level by level; only what survives the walk
becomes Decimal.
"""

from collections.abc import Iterable, Iterator
from math import inf
from typing import Any

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import LIVE, Level, OrderBook
from arbtui.model.market import FeeTakenIn
from arbtui.model.money import decimal_of
from arbtui.model.reason import Reason
from arbtui.routes.hops import Hop, InventoryHop, Node, TradeHop, rate_mark
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms, SizedHop
from arbtui.routes.size import leg_sizes


class InventoryRoute(ArbRoute):
    """Buy an asset at one venue, sell the same quantity from stock at another: two legs, the simplest closed sequence of hops.

    ``id`` reads ``XRP:upbit>binance`` (bought at, sold at), unless another one is given.
    """

    __slots__ = (
        "_buy_lot",
        "_buy_net",
        "_buy_unit",
        "_conversion",
        "_factor",
        "_reserve_unit",
        "_sell_unit",
        "ask_book",
        "bid_book",
        "bought",
        "cash",
        "inventory",
        "most_cost_bps",
        "rebate_bps",
        "sold",
    )

    def __init__(
        self,
        symbol: str,
        buy: TradeHop,
        sell: TradeHop,
        inventory: InventoryHop,
        cash: Node,
        rates: RateBook,
        terms: RouteTerms,
        route_id: str = "",
    ) -> None:
        hops: tuple[Hop, ...] = (buy, inventory, sell, rate_mark(sell.market.quote, buy.market.quote))
        super().__init__(route_id or f"{symbol}:{buy.market.exchange}>{sell.market.exchange}", symbol, hops, rates, terms)
        self.bought = buy
        self.sold = sell
        self.inventory = inventory
        self.cash = cash
        self.ask_book: OrderBook = buy.book
        self.bid_book: OrderBook = sell.book
        self._conversion = rates.conversion(sell.market.quote, buy.market.quote)
        fee, takes_base = buy.fee, buy.market.fees.taken_in is FeeTakenIn.RECEIVED
        self._buy_net = 1.0 - fee if takes_base else 1.0  # base received of one bought
        self._buy_unit = 1.0 / (1.0 - fee) if takes_base else 1.0 + fee  # quote paid for one received, per unit of price
        self._buy_lot = float(buy.market.lot_step)
        # Quote set aside for one bought, per unit of price, whatever the fee is taken in.
        self._reserve_unit = (1.0 + fee) * (1.0 + terms.reserve_bps / 1e4)
        self._sell_unit = sell.kept
        self.rebate_bps = 0.0  #: taken off the threshold, since it refills a stock that has run short
        self.most_cost_bps = 0.0  #: how far below break-even it may open for that
        self.set_terms(terms)

    def set_terms(self, terms: RouteTerms) -> None:
        """See :class:`ArbRoute`."""
        super().set_terms(terms)
        self.favour(self.rebate_bps, self.most_cost_bps)

    def favour(self, rebate_bps: float, most_cost_bps: float) -> None:
        """Lower the threshold by ``rebate_bps``, to ``most_cost_bps`` below break-even at most."""
        self.rebate_bps, self.most_cost_bps = rebate_bps, most_cost_bps
        least_edge = self._least_bps(-self.inventory.shadow_bps_at_empty) + self.charge_bps
        self._factor = self._sell_unit / (self._buy_unit * (1.0 + least_edge / 1e4))

    def _least_bps(self, shadow_bps: float) -> float:
        """The edge that it must have at ``shadow_bps``: stock, whatever it is worth, is paid for out of the budget alone."""
        return max(self.terms.min_edge_bps + shadow_bps - self.rebate_bps, self.break_even_bps - self.most_cost_bps)

    @property
    def shape(self) -> str:
        """See :class:`ArbRoute`."""
        return "two_leg"

    @property
    def uses(self) -> tuple[Node, ...]:
        """See :class:`ArbRoute`: the coin that it sells, and the cash that it buys with."""
        return (self.inventory.sold_at, self.cash)

    @staticmethod
    def evaluate_all(
        routes: Iterable[Any], now: float, refused: list[ArbRoute] | None = None, until_one: bool = False
    ) -> list[Opportunity]:
        """See :class:`ArbRoute`: one call for all routes of a book, since the usual answer, "no", costs less than a call does."""
        found = []
        for route in routes:
            if route.blocked is None:
                route.evaluations += 1
                if route.bid_book.bid * route._conversion.value * route._factor > route.ask_book.ask:
                    opportunity = route.walk(now)
                    if opportunity is not None:
                        found.append(opportunity)
                    elif refused is not None:
                        refused.append(route)
                    if until_one:
                        break
                    continue
            elif refused is not None and route.bid_book.bid * route._conversion.value * route._factor > route.ask_book.ask:
                refused.append(route)
                if until_one:
                    if route.crossed_since is not None and not route.is_crossed:
                        route.crossed_since = None
                    break
            if route.crossed_since is not None and not route.is_crossed:
                route.crossed_since = None
        return found

    def clears(self) -> bool:
        """See :class:`ArbRoute`: fees, costs and the least threshold are in one factor."""
        return self.bid_book.bid * self._conversion.value * self._factor > self.ask_book.ask

    def touch_edge_bps(self) -> float:
        """See :class:`ArbRoute`."""
        ask, bid = self.ask_book.ask, self.bid_book.bid * self._conversion.value
        if not (ask < inf and bid > 0.0):
            return -inf
        return (bid * self._sell_unit / (ask * self._buy_unit) - 1.0) * 1e4 - self.charge_bps

    def threshold_bps(self) -> float:
        """See :class:`ArbRoute`: the least edge, the price of scarce stock, the margin of a doubted rate."""
        return self._least_bps(self.inventory.shadow_bps()) + self._conversion.margin_bps

    def shadow_bps(self) -> float:
        """See :class:`ArbRoute`."""
        return self.inventory.shadow_bps()

    def touch_size(self) -> float:
        """See :class:`ArbRoute`."""
        unit_value = self.ask_book.ask * self._buy_unit * self._value_of_quote()
        if not 0.0 < unit_value < inf:
            return 0.0
        return min(self.terms.order_value / unit_value, self.ask_book.ask_qty, self.bid_book.bid_qty)

    def gross_edge_bps(self) -> float:
        """Edge at the touch before fees, in bps; ``-inf`` when a side or the rate is missing."""
        ask, bid = self.ask_book.ask, self.bid_book.bid * self._conversion.gross
        if not (ask < inf and bid > 0.0):
            return -inf
        return (bid / ask - 1.0) * 1e4

    def data_refusal(self, now: float) -> Reason | None:
        """See :class:`ArbRoute`; the two venues' prices must be of one asset, too."""
        return super().data_refusal(now) or self.asset_refusal()

    def runway(self, qty: float) -> float:
        """See :class:`ArbRoute`."""
        return self.inventory.sold_at.available / qty

    def price_ratio(self) -> float:
        """Selling venue's mid over buying venue's mid, in one currency."""
        buy, sell = self.ask_book, self.bid_book
        return (sell.bid + sell.ask) * self._conversion.value / (buy.bid + buy.ask)

    @property
    def is_crossed(self) -> bool:
        """True while both books are live and the selling venue's bid is above the buying venue's ask, before all costs."""
        buy, sell = self.ask_book, self.bid_book
        live = buy.state is LIVE and sell.state is LIVE
        return live and sell.bid * self._conversion.gross > buy.ask

    def walk(self, now: float) -> Opportunity | None:
        """See :class:`ArbRoute`."""
        if not self.may_walk(now):
            return None
        margin_bps = self._conversion.margin_bps
        least_bps = self._least_bps(self.inventory.shadow_bps()) + margin_bps
        required = 1.0 + (least_bps + self.charge_bps) / 1e4
        sell_unit = self._sell_unit * self._conversion.value / (self._buy_unit * required)
        cap = self._most()
        if cap <= 0.0:
            return None
        asks, bids = self.ask_book.asks(), self.bid_book.bids()
        ask, ask_qty = next(asks)
        bid, bid_qty = next(bids)
        ask_qty *= self._buy_net
        worst_ask, worst_bid, walked = ask, bid, 0.0
        while walked < cap and bid * sell_unit > ask:
            worst_ask, worst_bid = ask, bid
            step = min(ask_qty, bid_qty, cap - walked)
            walked += step
            ask_qty -= step
            bid_qty -= step
            if ask_qty <= 0.0:
                level = next(asks, None)
                if level is None:
                    break
                ask, ask_qty = level[0], level[1] * self._buy_net
            if bid_qty <= 0.0:
                level = next(bids, None)
                if level is None:
                    break
                bid, bid_qty = level
        if not walked > 0.0:
            self.denied = Reason.RATE_UNCONFIRMED if margin_bps > 0.0 else Reason.BELOW_THRESHOLD
            return None
        walked = min(walked, self._affordable(worst_ask))
        if not walked > 0.0:
            self.denied = Reason.NO_CASH
            return None
        buy_price = self.bought.market.price_down(decimal_of(worst_ask))
        sell_price = self.sold.market.price_up(decimal_of(worst_bid))
        sizes = leg_sizes(self.bought.market, self.sold.market, decimal_of(walked), buy_price, sell_price)
        if isinstance(sizes, Reason):
            self.denied = self._short_of(walked) or sizes
            return None
        edge, value = self._priced(float(sizes.buy_qty), float(sizes.sell_qty))
        if not edge >= least_bps:
            self.denied = Reason.RATE_UNCONFIRMED if margin_bps > 0.0 else Reason.BELOW_THRESHOLD
            return None
        self.last_size = float(sizes.sell_qty)
        orders = (SizedHop(self.bought, sizes.buy_qty, buy_price), SizedHop(self.sold, sizes.sell_qty, sell_price))
        return Opportunity(self, orders, edge, value, self.last_size, now, least_bps)

    def _most(self) -> float:
        """The most base units that value, stock and cash allow; sets ``denied`` and returns 0.0 when one allows nothing."""
        price = self.ask_book.ask * self._buy_unit
        stock = self.inventory.sold_at.available
        if stock <= 0.0:
            self.denied = Reason.NO_STOCK
            return 0.0
        cash = self.cash.available / price
        if cash <= 0.0:
            self.denied = Reason.NO_CASH
            return 0.0
        unit_value = price * self._value_of_quote()
        if not unit_value < inf:
            self.denied = Reason.NO_RATE  # two venues of one currency, and no rate to size in another
            return 0.0
        return min(self.terms.order_value / unit_value, stock, cash)

    def _short_of(self, walked: float) -> Reason | None:
        """What made the walk too short to trade, when it was our own stock or cash and not the books."""
        if walked >= self.inventory.sold_at.available:
            return Reason.NO_STOCK
        price = self.ask_book.ask * self._buy_unit
        return Reason.NO_CASH if walked * price >= self.cash.available * 0.9 else None

    def _affordable(self, worst_ask: float) -> float:
        """Net base units whose order at ``worst_ask`` the cash can be reserved for; a lot less, for rounding up to one."""
        return (self.cash.available / (worst_ask * self._reserve_unit) - self._buy_lot) * self._buy_net

    def _value_of_quote(self) -> float:
        """PnL currency for one unit of the buying market's quote, at mid: for sizes only."""
        if self.bought.market.quote == self.terms.value_currency:
            return 1.0
        mid = self.rates.mid(self.terms.value_currency, self.bought.market.quote)
        return 1.0 / mid if mid > 0.0 else inf

    def _priced(self, buy_qty: float, sell_qty: float) -> tuple[float, float]:
        """Net edge in bps and purchase cost in PnL currency of buying ``buy_qty`` (gross) and selling ``sell_qty`` now."""
        asks, bids = self.ask_book, self.bid_book
        paid = buy_qty * asks.ask if buy_qty <= asks.ask_qty else _cost(asks.asks(), buy_qty)
        brought = sell_qty * bids.bid if sell_qty <= bids.bid_qty else _cost(bids.bids(), sell_qty)
        cost = paid * self._buy_unit * self._buy_net
        proceeds = brought * self._sell_unit * self._conversion.value
        return (proceeds / cost - 1.0) * 1e4 - self.charge_bps, cost * self._value_of_quote()


def _cost(levels: Iterator[Level], qty: float) -> float:
    total = 0.0
    for price, size in levels:
        if qty <= size:
            return total + qty * price
        total += size * price
        qty -= size
    return total
