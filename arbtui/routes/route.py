"""A route: a closed sequence of hops over nodes (an asset at a venue), and what every shape of route has in common.

How a shape is priced is its own: two legs from stock in :mod:`arbtui.routes.inventory_route`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import ClassVar

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import BookState, OrderBook
from arbtui.model.reason import Reason
from arbtui.routes.hops import Hop, RateMark, TradeHop
from arbtui.routes.size import LegSizes


@dataclass(frozen=True, slots=True)
class RouteTerms:
    """What every route is priced with.

    Args:
        min_edge_bps: net edge under which nothing is opened.
        slippage_bps: taken off every edge.
        order_value: size of one cycle, in ``value_currency``.
        value_currency: the currency of sizes and PnL.
        price_ratio: lowest and highest ratio of the venues' prices at which one ticker is believed to be one asset.
        reserve_bps: set aside beyond a purchase's worst price, for completing it later.
        min_cross_s: seconds that the prices must have been crossed since the route first paid.
    """

    min_edge_bps: float
    slippage_bps: float
    order_value: float
    value_currency: str
    price_ratio: tuple[float, float]
    reserve_bps: float = 0.0
    min_cross_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SizedHop:
    """An order on a hop: ``qty`` in base, ``price`` the worst allowed, in quote."""

    hop: TradeHop
    qty: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A route whose net edge clears its threshold now, sized and priced for sending. Edges in bps, value in the PnL currency."""

    route: "ArbRoute"
    hops: tuple[TradeHop, TradeHop]  #: bought on, sold on
    sizes: LegSizes
    buy_price: Decimal  #: worst price allowed, in the buying market's quote
    sell_price: Decimal
    edge_bps: float  #: net, of the whole walk at ``sizes``
    value: float  #: what the purchase costs
    decided_at: float  #: monotonic seconds

    @property
    def size(self) -> float:
        """Base quantity that it moves."""
        return float(self.sizes.sell_qty)

    @property
    def orders(self) -> Sequence[SizedHop]:
        """What is to be sent."""
        amounts = ((self.sizes.buy_qty, self.buy_price), (self.sizes.sell_qty, self.sell_price))
        return tuple(SizedHop(hop, qty, price) for hop, (qty, price) in zip(self.hops, amounts, strict=True))

    @property
    def expected_pnl(self) -> float:
        """Net profit if both legs fill as walked."""
        return self.value * self.edge_bps / 1e4


class ArbRoute:
    """A closed sequence of hops, and whether it may be traded now.

    Args:
        route_id: its name, unique in a universe.
        symbol: the asset, or assets, that it is listed under.
        hops: all of them, in order.
        rates: the exchange rates between settlement currencies.
        terms: what it is priced with.
    """

    __slots__ = (
        "_assets",
        "_conversions",
        "blocked",
        "books",
        "denied",
        "evaluations",
        "exchanges",
        "hops",
        "id",
        "last_size",
        "markets",
        "needs_rate",
        "rates",
        "symbol",
        "terms",
        "trades",
        "unfit",
    )

    #: False of what opens something one-sided for a moment; true of what only takes exposure away.
    shrinks_exposure: ClassVar[bool] = False

    def __init__(self, route_id: str, symbol: str, hops: Sequence[Hop], rates: RateBook, terms: RouteTerms) -> None:
        self.id = route_id
        self.symbol = symbol
        self.hops: tuple[Hop, ...] = tuple(hops)
        self.trades: tuple[TradeHop, ...] = tuple(hop for hop in hops if isinstance(hop, TradeHop))
        self.books: tuple[OrderBook, ...] = tuple(hop.book for hop in self.trades)
        self.exchanges: tuple[str, ...] = tuple(dict.fromkeys(hop.market.exchange for hop in self.trades))  #: in the order of its trades
        self.markets: tuple[tuple[str, str], ...] = tuple(dict.fromkeys((hop.market.exchange, hop.market.code) for hop in self.trades))
        self._assets = {exchange: _assets_at(exchange, self.trades) for exchange in self.exchanges}
        marks = [hop for hop in hops if isinstance(hop, RateMark) and hop.source != hop.target]
        self._conversions = tuple(rates.conversion(mark.source, mark.target) for mark in marks)
        self.needs_rate = bool(marks)
        self.rates = rates
        self.terms = terms
        self.blocked: Reason | None = None  #: set while nothing may open here whatever the prices (a cycle runs, a residual waits)
        self.unfit: Reason | None = None  #: set while one of its venues is not fit to open at
        self.denied: Reason | None = None  #: the last refusal of an opportunity by sizing or risk, for the screen
        self.evaluations = 0
        self.last_size = 0.0  #: base quantity of the last opportunity

    def assets_at(self, exchange: str) -> tuple[str, ...]:
        """Every asset that its trades at ``exchange`` move, each once."""
        return self._assets.get(exchange, ())

    def set_terms(self, terms: RouteTerms) -> None:
        """Price with ``terms`` from now on: an operator has set a limit, or the first minutes after a re-arm begin or end."""
        self.terms = terms

    def data_refusal(self, now: float) -> Reason | None:
        """Why the books or the rate may not be used at ``now``, or None."""
        for book in self.books:
            if book.state is not BookState.LIVE:
                if book.state is BookState.STALE:
                    return Reason.STALE
                return Reason.GAPPED if book.state is BookState.GAPPED else Reason.NO_BOOK
            if not (book.bid > 0.0 and book.ask < inf):
                return Reason.NO_BOOK
            if book.bid >= book.ask:
                return Reason.CROSSED
        for conversion in self._conversions:
            refusal = conversion.refusal(now)
            if refusal is not None:
                return refusal
        return None

    def touch_edge_bps(self) -> float:
        """Net edge at the touch in bps; ``-inf`` when a side or the rate is missing, or nobody prices this shape."""
        return -inf

    def threshold_bps(self) -> float:
        """What :meth:`touch_edge_bps` must exceed now."""
        return self.terms.min_edge_bps

    def shadow_bps(self) -> float:
        """What the stock that it uses up is worth beyond its price, less what it refills, in bps; 0 for one that uses none."""
        return 0.0

    @property
    def break_even_bps(self) -> float:
        """The edge below which a cycle costs something: 0, or what the profile asks for where that is less."""
        return min(self.terms.min_edge_bps, 0.0)

    def touch_size(self) -> float:
        """Base quantity that the touches and the order's value allow, whatever stock and cash there is; 0.0 without a price or a rate."""
        return 0.0

    def runway(self, qty: float) -> float:
        """How many cycles of ``qty`` (base) its stock still holds; ``inf`` for one that needs no stock."""
        return inf

    def price_ratio(self) -> float:
        """How far the prices of one asset at two venues are apart, in one currency: 1 where they agree, or there are no two."""
        return 1.0


def _assets_at(exchange: str, trades: Sequence[TradeHop]) -> tuple[str, ...]:
    there = [hop.market for hop in trades if hop.market.exchange == exchange]
    return tuple(dict.fromkeys(asset for market in there for asset in (market.base, market.quote)))
