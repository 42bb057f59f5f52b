"""A route: a closed sequence of hops over nodes (an asset at a venue), and what every shape of route has in common.

How a shape is priced is its own: two legs from stock in :mod:`arbtui.routes.inventory_route`. What uses routes knows :class:`ArbRoute`
and :class:`Opportunity` alone: a shape of route is a subclass, and nobody else asks which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import ClassVar

from msgspec import Struct, field

from arbtui.journal.events import LegAfter, PlannedTransfer
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import Conversion
from arbtui.marketdata.rate_watch import CoinRate
from arbtui.model.book import LIVE, STALE, BookState, OrderBook
from arbtui.model.order import ways
from arbtui.model.reason import Reason
from arbtui.routes.capacity import SIZES, CapacityCurve, capacity_curve
from arbtui.routes.hops import Hop, InventoryHop, Node, RateMark, TradeHop, TransferHop, conversion_pieces
from arbtui.routes.pieces import Piece, composed
from arbtui.routes.waterfall import EdgeWaterfall, Stage, Way, edge_waterfall


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
        transfer_risk_sd: standard deviations of the price's move on the way that a route over a network must pay for.
        financing_pct_year: what money on its way costs, in percent a year.
        sizes: at which a capacity curve is shown, in ``value_currency``, ascending.
    """

    min_edge_bps: float
    slippage_bps: float
    order_value: float
    value_currency: str
    price_ratio: tuple[float, float]
    reserve_bps: float = 0.0
    min_cross_s: float = 0.0
    transfer_risk_sd: float = 1.0
    financing_pct_year: float = 10.0
    sizes: tuple[float, ...] = SIZES


class SizedHop(Struct, frozen=True):
    """An order on a hop: ``qty`` in base, ``price`` the worst allowed, in quote."""

    hop: TradeHop
    qty: Decimal
    price: Decimal


class Opportunity(Struct, frozen=True):
    """A route whose net edge clears its threshold now, sized and priced for sending. Edges in bps, value in the PnL currency."""

    route: "ArbRoute"
    orders: tuple[SizedHop, ...]  #: what is to be sent, in the order of the route's trades
    edge_bps: float  #: net, of the whole walk at these orders
    value: float  #: what it puts at risk: what the money that it spends first is worth
    size: float  #: of the route's symbol, in units, that it moves
    decided_at: float  #: monotonic seconds
    least_bps: float  #: what its edge had to come to
    after: Mapping[int, tuple[LegAfter, ...]] = field(default_factory=dict)  #: by order: those that it waits for; none leave together
    transfers: tuple[PlannedTransfer, ...] = ()  #: what a person moves between two of them

    @property
    def hops(self) -> tuple[TradeHop, ...]:
        """The trades of its orders."""
        return tuple(order.hop for order in self.orders)

    @property
    def expected_pnl(self) -> float:
        """Net profit if every leg fills as walked."""
        return self.value * self.edge_bps / 1e4


class ArbRoute:
    """A closed sequence of hops, and whether it may be traded now.

    A subclass prices: :meth:`clears` (the usual answer, "no", at the touch) and :meth:`walk` (what then is left of it, sized). One whose
    "no" must be cheaper than a call overrides :meth:`evaluate_all` too.

    Args:
        route_id: its name, unique in a universe.
        symbol: the asset, or assets, that it is listed under.
        hops: all of them, in order.
        rates: the exchange rates between settlement currencies.
        terms: what it is priced with.
    """

    __slots__ = (
        "_conversions",
        "_ways",
        "blocked",
        "books",
        "charge_bps",
        "coin",
        "crossed_since",
        "denied",
        "evaluations",
        "exchanges",
        "hops",
        "id",
        "inventories",
        "last_size",
        "learned_bps",
        "markets",
        "needs_rate",
        "rates",
        "symbol",
        "terms",
        "trades",
        "transfers",
        "unfit",
    )

    #: False of what opens something one-sided for a moment; true of what only takes exposure away.
    shrinks_exposure: ClassVar[bool] = False

    def __init__(self, route_id: str, symbol: str, hops: Sequence[Hop], rates: RateBook, terms: RouteTerms) -> None:
        self.id = route_id
        self.symbol = symbol
        trades: list[TradeHop] = []
        inventories: list[InventoryHop] = []
        transfers: list[TransferHop] = []
        conversions: list[Conversion] = []
        for hop in hops:  # once, and lists below: a start makes tens of thousands of routes, and a generator costs twice as much
            if isinstance(hop, TradeHop):
                trades.append(hop)
            elif isinstance(hop, InventoryHop):
                inventories.append(hop)
            elif isinstance(hop, TransferHop):
                transfers.append(hop)
            elif hop.source != hop.target:
                conversions.append(rates.conversion(hop.source, hop.target))
        self.hops: tuple[Hop, ...] = tuple(hops)
        self.trades: tuple[TradeHop, ...] = tuple(trades)
        self.inventories: tuple[InventoryHop, ...] = tuple(inventories)  #: its hops that close the books out of stock
        self.transfers: tuple[TransferHop, ...] = tuple(transfers)
        self.books: tuple[OrderBook, ...] = tuple([hop.book for hop in trades])
        self.markets: tuple[tuple[str, str], ...] = tuple(dict.fromkeys([hop.place for hop in trades]))
        self.exchanges: tuple[str, ...] = tuple(dict.fromkeys([exchange for exchange, _ in self.markets]))  #: in the order of its trades
        self._conversions = tuple(conversions)
        self._ways: Mapping[str, float] | None = None  # made when first asked for: most routes never pay
        self.needs_rate = bool(conversions)
        self.rates = rates
        self.terms = terms
        self.learned_bps = 0.0  #: slippage that its own fills have taught, taken off its edge beside the profile's
        self.charge_bps = terms.slippage_bps  #: everything that is taken off its edge in proportion to the size
        self.blocked: Reason | None = None  #: set while nothing may open here whatever the prices (a cycle runs, a residual waits)
        self.unfit: Reason | None = None  #: set while one of its venues is not fit to open at
        self.denied: Reason | None = None  #: the last refusal of an opportunity by sizing or risk, for the screen
        self.evaluations = 0
        self.last_size = 0.0  #: base quantity of the last opportunity
        self.coin: CoinRate | None = None  #: its symbol's own implied exchange rate, where somebody watches it
        self.crossed_since: float | None = None  #: when the route first paid, while its prices have stayed crossed since

    @property
    def shape(self) -> str:
        """What kind of route it is, for people and for counts; nothing is decided by it. Empty where it seeks no edge."""
        return ""

    @property
    def ways(self) -> Mapping[str, float]:
        """Which way it moves stock where each of its currencies is quoted (:func:`arbtui.model.order.ways`)."""
        if self._ways is None:
            self._ways = ways([(hop.market.quote, hop.side) for hop in self.trades])
        return self._ways

    @property
    def coins(self) -> tuple[str, ...]:
        """Every asset that it is found under: the bases of its trades, each once."""
        return tuple(dict.fromkeys([hop.market.base for hop in self.trades]))

    @property
    def uses(self) -> tuple[Node, ...]:
        """The stock and the cash that it must hold before it opens."""
        return tuple(hop.sold_at for hop in self.inventories)

    def evaluate(self, now: float) -> Opportunity | None:
        """The opportunity at ``now`` (monotonic seconds), or None."""
        found = self.evaluate_all((self,), now)
        return found[0] if found else None

    @staticmethod
    def evaluate_all(
        routes: Iterable["ArbRoute"], now: float, refused: list["ArbRoute"] | None = None, until_one: bool = False
    ) -> list[Opportunity]:
        """The opportunities among ``routes``, all of one class, at ``now`` (monotonic seconds). Called for every update of every book.

        ``refused`` is given the routes that may pay and are no opportunity all the same: blocked, without stock, too small, ... The
        usual "no" is not among them. ``until_one``: stop behind the first that may pay, of ``routes`` that are an iterator.
        """
        found = []
        for route in routes:
            if route.blocked is None:
                route.evaluations += 1
                if route.clears():
                    opportunity = route.walk(now)
                    if opportunity is not None:
                        found.append(opportunity)
                    elif refused is not None:
                        refused.append(route)
                    if until_one:
                        break
                    continue
            elif refused is not None and route.clears():
                refused.append(route)
                if until_one:
                    if route.crossed_since is not None and not route.is_crossed:
                        route.crossed_since = None
                    break
            if route.crossed_since is not None and not route.is_crossed:
                route.crossed_since = None
        return found

    def clears(self) -> bool:
        """Whether the touches pay at the least that may be asked of it: what is looked at on every update."""
        return self.touch_edge_bps() > self.threshold_bps()

    def walk(self, now: float) -> Opportunity | None:
        """Its depth at ``now``, sized: the opportunity, or None with ``denied`` told. Called where :meth:`clears` says so."""
        return None

    def may_walk(self, now: float) -> bool:
        """Let the coins judge its rates, and its coin, by the books of ``now``; then look at the data, and since when prices are crossed.

        False with ``denied`` told. The same for every shape that is walked.
        """
        watched = None if self.coin is None else self.coin.watch
        if self.coin is not None and watched is not None:
            watched.look_at(self.coin, now)
        for conversion in self._conversions:
            for market in conversion.markets:  # which may be another venue's
                if market.watch is not None and market.watch is not watched:
                    market.watch.look(now)
        self.denied = self.unfit or self.data_refusal(now)
        if self.denied is not None:
            self.crossed_since = None
            return False
        if self.crossed_since is None:
            self.crossed_since = now
        if now - self.crossed_since < self.terms.min_cross_s and self.is_crossed:
            self.denied = Reason.CROSS_TOO_NEW
            return False
        return True

    def asset_refusal(self) -> Reason | None:
        """Why its markets' prices may not be of one asset, or None: a doubted coin, or prices too far apart."""
        if self.needs_rate and self.coin is not None and self.coin.doubted:
            return Reason.COIN_DOUBTED
        low, high = self.terms.price_ratio
        return None if low <= self.price_ratio() <= high else Reason.PRICE_RATIO

    @property
    def is_crossed(self) -> bool:
        """True while its prices pay before all costs, and its books are live."""
        return all(book.state is LIVE for book in self.books) and self.gross_edge_bps() > 0.0

    def favour(self, rebate_bps: float, most_cost_bps: float) -> None:
        """Lower the threshold by ``rebate_bps``, to ``most_cost_bps`` below break-even at most, where it refills a stock."""

    def gross_edge_bps(self) -> float:
        """Edge at the touch before fees, in bps; ``-inf`` when a side or the rate is missing, or nobody prices this shape."""
        return -inf

    def charges(self) -> Sequence[tuple[str, float]]:
        """Names and bps of what is taken off its edge in proportion to the size: together :attr:`charge_bps`."""
        learned = (("learned", self.learned_bps),) if self.learned_bps > 0.0 else ()
        return (("slippage", self.terms.slippage_bps), *learned)

    def learn(self, slippage_bps: float) -> None:
        """Take ``slippage_bps`` (0 or more) off its edge from now on, beside the profile's slippage: what its fills have taught."""
        self.learned_bps = slippage_bps
        self.set_terms(self.terms)

    def waterfall(self) -> EdgeWaterfall | None:
        """From the gross edge at the touch to what is compared with the threshold; None when a side or the rate is missing."""
        unit_value = self.unit_value()
        if not 0.0 < unit_value < inf:
            return None
        return edge_waterfall(
            self.stages(),
            self.charges(),
            shadow_bps=self.shadow_bps(),
            threshold_bps=self.threshold_bps(),
            most=self.terms.order_value / unit_value,
            unit_value=unit_value,
        )

    def capacity(self) -> CapacityCurve | None:
        """What it earns by size, books and rates walked as far as they go; None where a side, a rate or a value is missing."""
        return capacity_curve(self.pieces(), self.unit_value(), self.charge_bps)

    def pieces(self) -> Iterable[Piece]:
        """What comes out of the whole route by what goes in, fees included, in units of the asset that it begins and ends with."""
        stages: list[Iterable[Piece]] = []
        for hop in self.hops:
            if isinstance(hop, TradeHop | TransferHop):
                stages.append(hop.pieces())
            elif isinstance(hop, RateMark) and hop.source != hop.target:
                through = conversion_pieces(hop.source, self.rates.conversion(hop.source, hop.target))
                stages += through or [()]
        return composed(stages)

    def unit_value(self) -> float:
        """What one unit of the asset that it begins and ends with is worth in the PnL currency, at the middle; ``inf`` when unknown."""
        first = self.hops[0]
        asset = first.spends if isinstance(first, TradeHop) else ""
        if asset == self.terms.value_currency:
            return 1.0
        mid = self.rates.mid(self.terms.value_currency, asset)
        return 1.0 / mid if mid > 0.0 else inf

    def stages(self) -> Sequence[Stage]:
        """Its hops for a waterfall: each conversion at the one rate that a whole order gets."""
        stages = []
        for hop in self.hops:
            if isinstance(hop, TradeHop):
                stages.append(Stage((Way(tuple(hop.pieces()), hop.touch_rate, hop),)))
            elif isinstance(hop, TransferHop):
                stages.append(Stage((Way(hop.pieces(), 1.0),), loss="network fee"))
            elif isinstance(hop, RateMark) and hop.source != hop.target:
                rate = self.rates.conversion(hop.source, hop.target)
                stages.append(Stage((Way(((rate.value, inf),), rate.gross, net=rate.value / rate.gross if rate.gross > 0.0 else 0.0),)))
        return stages

    def refusal(self, now: float) -> Reason | None:
        """The first reason why this route does not trade at ``now``; None when it would."""
        if self.blocked is not None:
            return self.blocked
        if self.unfit is not None:
            return self.unfit
        data = self.data_refusal(now)
        if data is not None:
            return data
        return self.denied if self.clears() else Reason.BELOW_THRESHOLD

    def assets_at(self, exchange: str) -> tuple[str, ...]:
        """Every asset that its trades at ``exchange`` move, each once."""
        markets = [hop.market for hop in self.trades if hop.market.exchange == exchange]
        return tuple(dict.fromkeys(asset for market in markets for asset in (market.base, market.quote)))

    def set_terms(self, terms: RouteTerms) -> None:
        """Price with ``terms`` from now on: an operator has set a limit, or the first minutes after a re-arm begin or end."""
        self.terms = terms
        self.charge_bps = terms.slippage_bps + self.learned_bps

    def data_refusal(self, now: float) -> Reason | None:
        """Why the books or the rate may not be used at ``now``, or None."""
        for book in self.books:
            if book.state is not LIVE:
                if book.state is STALE:
                    return Reason.STALE
                return Reason.GAPPED if book.state is BookState.GAPPED else Reason.NO_BOOK
            if not (book.bid > 0.0 and book.ask < inf):
                return Reason.NO_BOOK
            if book.bid >= book.ask:
                return Reason.CROSSED
        return self.rate_refusal(now) if self._conversions else None

    def rate_refusal(self, now: float) -> Reason | None:
        """Why an exchange rate that it needs may not be used at ``now``, or None."""
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
        """Quantity of its symbol that the touches and the order's value allow, whatever is held; 0.0 without a price or a rate."""
        return 0.0

    def touch_orders(self) -> tuple[tuple[float, float], ...]:
        """Quantity (base) and price of each trade at the touches, at :meth:`touch_size`."""
        size = self.touch_size()
        return tuple((size, hop.touch_price) for hop in self.trades)

    def runway(self, qty: float) -> float:
        """How many cycles of ``qty`` (base) its stock still holds; ``inf`` for one that needs no stock."""
        return inf

    def price_ratio(self) -> float:
        """How far the prices of one asset at two venues are apart, in one currency: 1 where they agree, or there are no two."""
        return 1.0
