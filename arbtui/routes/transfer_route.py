"""A route over a network: buy an asset at one venue, have it moved, and sell it at another on arrival.

Its edge is net of both trades' fees, of the network's fee, which is so much whatever the size, of the price risk on the way and of
the financing of the money meanwhile. Nobody holds the other side while the coins move, so the risk is that of the price itself: a
multiple of its standard deviation over the usual minutes (the square root of time), which contains the move of the premium. The same
move sold ahead from stock is a two-leg route with a transfer of stock after it; it is not this.
"""

from collections.abc import Sequence
from math import inf

from arbtui.journal.events import LegAfter, On, PlannedTransfer
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import BookState
from arbtui.model.market import FeeTakenIn
from arbtui.model.money import ZERO, ceil_to, decimal_of, floor_to
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.capacity import CapacityCurve
from arbtui.routes.hops import Node, TradeHop, TransferHop, rate_mark
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms, SizedHop
from arbtui.routes.size import COARSEST_LOT, coarser_lot, kept_of_bought
from arbtui.routes.waterfall import EdgeWaterfall

_MINUTES_A_YEAR = 365.0 * 24 * 60


class TransferRoute(ArbRoute):
    """Buy, move, sell. ``id`` reads ``XRP:upbit>chain>binance`` (bought at, sold at).

    Args:
        symbol: the asset.
        buy: where it is bought.
        transfer: how it is moved; whoever changes it sets the terms anew, which prices it in.
        sell: where it is sold on arrival.
        cash: what it is bought with.
        name: its id, where venues alone do not name its markets.
    """

    __slots__ = (
        "_buy_net",
        "_buy_unit",
        "_conversion",
        "_factor",
        "_reserve_unit",
        "_sell_unit",
        "bought",
        "cash",
        "moved",
        "sold",
    )

    def __init__(
        self,
        symbol: str,
        buy: TradeHop,
        transfer: TransferHop,
        sell: TradeHop,
        cash: Node,
        rates: RateBook,
        terms: RouteTerms,
        name: str = "",
    ) -> None:
        hops = (buy, transfer, sell, rate_mark(sell.market.quote, buy.market.quote))
        super().__init__(name or f"{symbol}:{buy.market.exchange}>chain>{sell.market.exchange}", symbol, hops, rates, terms)
        self.bought, self.moved, self.sold = buy, transfer, sell
        self.cash = cash
        self._conversion = rates.conversion(sell.market.quote, buy.market.quote)
        fee, takes_base = buy.fee, buy.market.fees.taken_in is FeeTakenIn.RECEIVED
        self._buy_net = 1.0 - fee if takes_base else 1.0  # base received of one bought
        self._buy_unit = 1.0 / (1.0 - fee) if takes_base else 1.0 + fee  # quote paid for one received, per unit of price
        self._reserve_unit = (1.0 + fee) * (1.0 + terms.reserve_bps / 1e4)  # quote set aside for one bought, likewise
        self._sell_unit = sell.kept
        self.set_terms(terms)

    @property
    def shape(self) -> str:
        """See :class:`ArbRoute`."""
        return "cross_chain"

    @property
    def uses(self) -> tuple[Node, ...]:
        """See :class:`ArbRoute`: the cash that it buys with; it needs no stock."""
        return (self.cash,)

    def set_terms(self, terms: RouteTerms) -> None:
        """See :class:`ArbRoute`."""
        super().set_terms(terms)
        # While anything of its transfer is not known, the route pays at no price.
        self.charge_bps = sum(bps for _, bps in self.charges())
        least = 1.0 + (self.terms.min_edge_bps + self.charge_bps) / 1e4
        self._factor = self._sell_unit / (self._buy_unit * least) if 0.0 < least < inf else 0.0

    def charges(self) -> Sequence[tuple[str, float]]:
        """See :class:`ArbRoute`: what the price may do on the way, and the money's cost meanwhile; ``inf`` where it is not known."""
        terms, minutes = self.terms, self.moved.minutes
        return (
            *super().charges(),
            ("price risk", terms.transfer_risk_sd * self.moved.risk_bps if terms.transfer_risk_sd > 0.0 else 0.0),
            ("financing", terms.financing_pct_year * 100.0 * minutes / _MINUTES_A_YEAR),
        )

    def clears(self) -> bool:
        """See :class:`ArbRoute`: without the network's fee, which only a size tells."""
        return self.sold.book.bid * self._conversion.value * self._factor > self.bought.book.ask

    def gross_edge_bps(self) -> float:
        """See :class:`ArbRoute`."""
        ask, bid = self.bought.book.ask, self.sold.book.bid * self._conversion.gross
        return (bid / ask - 1.0) * 1e4 if ask < inf and bid > 0.0 else -inf

    def touch_edge_bps(self) -> float:
        """See :class:`ArbRoute`; the network's fee as a whole order bears it. ``-inf`` also while anything of the transfer is not known."""
        ask, bid, whole = self.bought.book.ask, self.sold.book.bid * self._conversion.value, self._whole()
        if not (ask < inf and bid > 0.0 and whole > self.moved.fee and self.charge_bps < inf):
            return -inf
        ratio = bid * self._sell_unit / (ask * self._buy_unit) * (1.0 - self.moved.fee / whole)
        return (ratio - 1.0) * 1e4 - self.charge_bps

    def waterfall(self) -> EdgeWaterfall | None:
        """See :class:`ArbRoute`; None also while anything of the transfer is not known."""
        return super().waterfall() if self.charge_bps < inf and self.moved.fee < inf else None

    def capacity(self) -> CapacityCurve | None:
        """See :class:`ArbRoute`; None also while anything of the transfer is not known."""
        return super().capacity() if self.charge_bps < inf and self.moved.fee < inf else None

    def threshold_bps(self) -> float:
        """See :class:`ArbRoute`: the least edge, and the margin of a doubted rate."""
        return self.terms.min_edge_bps + self._conversion.margin_bps

    def touch_size(self) -> float:
        """See :class:`ArbRoute`."""
        return min(self._whole(), self.bought.book.ask_qty, self.sold.book.bid_qty)

    def price_ratio(self) -> float:
        """See :class:`ArbRoute`."""
        return self.sold.book.mid * self._conversion.value / self.bought.book.mid

    @property
    def is_crossed(self) -> bool:
        """See :class:`ArbRoute`."""
        live = all(book.state is BookState.LIVE for book in self.books)
        return live and self.sold.book.bid * self._conversion.gross > self.bought.book.ask

    def refusal(self, now: float) -> Reason | None:
        """See :class:`ArbRoute`; what is not known of its transfer comes before the price."""
        return self.blocked or self.unfit or self.moved.refusal(now) or super().refusal(now)

    def data_refusal(self, now: float) -> Reason | None:
        """See :class:`ArbRoute`; the network must be open and known, and the two venues' prices must be of one asset."""
        return super().data_refusal(now) or self.moved.refusal(now) or self.asset_refusal()

    def walk(self, now: float) -> Opportunity | None:
        """See :class:`ArbRoute`. As deep as each further unit still pays; then the whole, with the network's fee, must."""
        if not self.may_walk(now):
            return None
        least_bps = self.threshold_bps()
        walked, worst_ask, worst_bid = self._depth(1.0 + (least_bps + self.charge_bps) / 1e4)
        if not walked > 0.0:
            self.denied = Reason.BELOW_THRESHOLD
            return None
        lot = float(self.bought.market.lot_step)
        affordable = (self.cash.available / (worst_ask * self._reserve_unit) - lot) * self._buy_net  # a lot less, for rounding up to one
        if not affordable > 0.0:
            self.denied = Reason.NO_CASH
            return None
        orders, planned = self._orders(min(walked, affordable), worst_ask, worst_bid)
        if planned is None:
            self.denied = Reason.NO_CASH if affordable < walked else self.denied
            return None
        edge, value = self._priced(orders)
        if not edge >= least_bps:
            self.denied = Reason.BELOW_THRESHOLD
            return None
        self.last_size = float(orders[1].qty)
        return Opportunity(self, orders, edge, value, self.last_size, now, least_bps, {1: (LegAfter(0, On.ARRIVAL),)}, (planned,))

    def _whole(self) -> float:
        """Base units that one order's value buys; 0.0 without a price."""
        unit_value = self.bought.book.ask * self._buy_unit * self._value_of_quote()
        return self.terms.order_value / unit_value if 0.0 < unit_value < inf else 0.0

    def _depth(self, required: float) -> tuple[float, float, float]:
        """Net base units of which each still brings ``required``, up to one order's value, and the worst ask and bid of them."""
        unit = self._sell_unit * self._conversion.value / (self._buy_unit * required)
        cap, walked, worst_ask, worst_bid = self._whole(), 0.0, inf, 0.0
        asks, bids = self.bought.book.asks(), self.sold.book.bids()
        ask, ask_qty = next(asks)
        bid, bid_qty = next(bids)
        ask_qty *= self._buy_net
        while walked < cap and bid * unit > ask:
            worst_ask, worst_bid = ask, bid
            step = min(ask_qty, bid_qty, cap - walked)
            walked, ask_qty, bid_qty = walked + step, ask_qty - step, bid_qty - step
            if ask_qty <= 0.0:
                ask, ask_qty = next(asks, (inf, 0.0))
                ask_qty *= self._buy_net
            if bid_qty <= 0.0:
                bid, bid_qty = next(bids, (0.0, 0.0))
        return walked, worst_ask, worst_bid

    def _orders(self, walked: float, worst_ask: float, worst_bid: float) -> tuple[tuple[SizedHop, ...], PlannedTransfer | None]:
        """The two orders and the transfer between them for ``walked`` net base units; none, with ``denied`` told, where that is too little.

        What arrives is what is sold: so much is sent, in the sender's steps, that the network's fee leaves whole lots of it.
        """
        buy, sell, path = self.bought.market, self.sold.market, self.moved.path
        self.denied = Reason.TOO_SMALL
        if path is None or path.fee is None or path.minutes is None:
            return (), None
        step, least = path.step or ZERO, path.least or ZERO
        kept = kept_of_bought(buy)
        if sell.lot_step >= buy.lot_step:  # the coarser one is rounded first
            sell_qty = sell.qty_down(decimal_of(walked) - path.fee)
            sent = ceil_to(sell_qty + path.fee, step) if step else sell_qty + path.fee
            buy_qty = buy.qty_up(sent / kept)
        else:
            buy_qty = buy.qty_down(decimal_of(walked) / kept)
            sent = floor_to(buy_qty * kept, step) if step else buy_qty * kept
            sell_qty = sell.qty_down(sent - path.fee)
        buy_price, sell_price = buy.price_down(decimal_of(worst_ask)), sell.price_up(decimal_of(worst_bid))
        if (
            sell_qty <= ZERO
            or sent < least
            or buy.refusal(buy_price, buy_qty) is not None
            or sell.refusal(sell_price, sell_qty) is not None
        ):
            return (), None
        if max(coarser_lot(buy, sell), step) * COARSEST_LOT > sell_qty:
            self.denied = Reason.LOT_TOO_COARSE
            return (), None
        self.denied = None
        planned = PlannedTransfer(0, buy.base, buy.exchange, sell.exchange, path.network, path.fee, path.minutes, least, step)
        return (SizedHop(self.bought, buy_qty, buy_price), SizedHop(self.sold, sell_qty, sell_price)), planned

    def _priced(self, orders: Sequence[SizedHop]) -> tuple[float, float]:
        """Net edge in bps, and purchase cost in the PnL currency, of ``orders`` by the books as they are now."""
        bought, sold = orders
        cost = _cost(bought) * self._buy_unit * self._buy_net
        proceeds = _cost(sold) * self._sell_unit * self._conversion.value
        return (proceeds / cost - 1.0) * 1e4 - self.charge_bps, cost * self._value_of_quote()

    def _value_of_quote(self) -> float:
        """PnL currency for one unit of the buying market's quote, at mid: for sizes only."""
        if self.bought.market.quote == self.terms.value_currency:
            return 1.0
        mid = self.rates.mid(self.terms.value_currency, self.bought.market.quote)
        return 1.0 / mid if mid > 0.0 else inf


def _cost(order: SizedHop) -> float:
    """Quote that ``order`` comes to level by level; what the book does not hold counts at its worst price."""
    book, left, total = order.hop.book, float(order.qty), 0.0
    for price, size in book.asks() if order.hop.side is Side.BUY else book.bids():
        step = min(left, size)
        total, left = total + step * price, left - step
        if left <= 0.0:
            return total
    return total + left * float(order.price)
