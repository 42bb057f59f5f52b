"""The route that trades what cycles left open of a settlement currency for another one: a single hop, and no edge but its cost."""

from decimal import Decimal
from math import inf

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute, RouteTerms, SizedHop


class NettingRoute(ArbRoute):
    """Trades on the market of an exchange rate, one way. ``id`` reads ``USDT/KRW:upbit:buy``.

    Args:
        hop: on the rate's market, of whose two currencies the one is what is open, the other what PnL is counted in.
        rate: the rate on that market: what is doubted is not traded on.
    """

    __slots__ = ("asset", "hop", "rate")

    shrinks_exposure = True

    def __init__(self, hop: TradeHop, rate: RateMarket, rates: RateBook, terms: RouteTerms) -> None:
        market = hop.market
        super().__init__(f"{market.base}/{market.quote}:{market.exchange}:{hop.side}", market.base, (hop,), rates, terms)
        self.hop = hop
        self.rate = rate
        self.asset = market.quote if market.base == terms.value_currency else market.base  #: what is open
        self.needs_rate = True

    def data_refusal(self, now: float) -> Reason | None:
        """See :class:`ArbRoute`; its own market's rate must be usable, whatever other venues' are."""
        return super().data_refusal(now) or self.rate.refusal(now)

    @property
    def spends(self) -> str:
        """The currency that it trades away."""
        return self.hop.market.quote if self.hop.side is Side.BUY else self.hop.market.base

    def price(self) -> float:
        """What one unit of :attr:`spends` brings of the other currency at the touch, after the fee; 0.0 without a price."""
        touch, fee = self.hop.touch_price, float(self.hop.market.fees.taker)
        if not 0.0 < touch < inf:
            return 0.0
        return 1.0 / (touch * (1.0 + fee)) if self.hop.side is Side.BUY else touch * (1.0 - fee)

    def order_for(self, open_amount: Decimal, available: Decimal, max_walk_bps: float) -> SizedHop | Reason:
        """The order that trades ``open_amount`` (of :attr:`asset`, its fee included) back, or as much as can be traded; why none, or.

        Args:
            open_amount: positive, whichever way it is traded.
            available: of what it spends: the quote of a purchase, the base of a sale.
            max_walk_bps: how far from the touch the worst price may be.
        """
        market, book = self.hop.market, self.hop.book
        buys = self.hop.side is Side.BUY
        fee = float(market.fees.taker)
        touch = self.hop.touch_price
        if not 0.0 < touch < inf:
            return Reason.NO_BOOK
        bound = touch * (1.0 + max_walk_bps / 1e4) if buys else touch * (1.0 - max_walk_bps / 1e4)
        in_quote = self.asset == market.quote
        left, stock = float(open_amount), float(available)
        qty, worst = 0.0, touch
        for price, size in book.asks() if buys else book.bids():
            if price > bound if buys else price < bound:
                break
            unit = price * (1.0 + fee) if buys else price * (1.0 - fee)
            most = stock / unit - qty if buys else stock - qty  # at its worst price all of it must be affordable
            each = unit if in_quote else 1.0  # of what is open, by one of base
            step = min(size, left / each, most)
            if step <= 0.0:
                break
            qty, worst, left = qty + step, price, left - step * each
        limit = market.price_down(decimal_of(worst)) if buys else market.price_up(decimal_of(worst))
        exact = market.qty_down(min(decimal_of(qty), _affordable(market, limit, available) if buys else available))
        if exact > ZERO and market.refusal(limit, exact) is None:
            return SizedHop(self.hop, exact, limit)
        wanted = open_amount / limit if in_quote else open_amount
        if market.refusal(limit, market.qty_down(wanted)) is None:  # it is not what is open that is too little
            dry = _affordable(market, limit, available) if buys else available
            if market.refusal(limit, market.qty_down(max(dry, ZERO))) is not None:
                return Reason.NO_CASH if buys else Reason.NO_STOCK
            return Reason.NO_BOOK
        return Reason.TOO_SMALL

    def cost_bps(self, order: SizedHop) -> float:
        """What ``order`` costs against the mid by the book as it is now, its fee included, in bps."""
        book, buys, left, quote = self.hop.book, self.hop.side is Side.BUY, float(order.qty), 0.0
        for price, size in book.asks() if buys else book.bids():
            step = min(left, size)
            quote += step * price
            left -= step
            if left <= 0.0:
                break
        quote += left * float(order.price)
        price = quote / float(order.qty)
        away = price / book.mid - 1.0 if buys else 1.0 - price / book.mid
        return (away + float(self.hop.market.fees.taker)) * 1e4


def _affordable(market: Market, price: Decimal, available: Decimal) -> Decimal:
    """How much of the base ``available`` of the quote buys at ``price``, its fee included."""
    return available / (price * (1 + market.fees.taker))
