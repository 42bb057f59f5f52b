"""What routes of several legs that are walked together have in common: thresholds, doubts, and what stands before a walk."""

from abc import abstractmethod
from collections.abc import Sequence

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.reason import Reason
from arbtui.routes.hops import Hop, Node
from arbtui.routes.leg_walk import LegWalk
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms, SizedHop


class WalkedRoute(ArbRoute):
    """A route whose legs are walked level by level. A subclass says how they go together.

    Args:
        places: for each trade, in their order, where what it spends is held.
    """

    __slots__ = ("_places", "_required", "_walks", "most_cost_bps", "rebate_bps")

    def __init__(self, route_id: str, symbol: str, hops: Sequence[Hop], places: Sequence[Node], rates: RateBook, terms: RouteTerms) -> None:
        super().__init__(route_id, symbol, hops, rates, terms)
        self._places = tuple(places)
        self._walks: tuple[LegWalk, ...] = ()  # made when they are first walked: most routes never pay
        self.rebate_bps = 0.0  #: taken off the threshold, since it refills a stock that has run short
        self.most_cost_bps = 0.0  #: how far below break-even it may open for that
        self.set_terms(terms)

    def set_terms(self, terms: RouteTerms) -> None:
        """See :class:`ArbRoute`."""
        super().set_terms(terms)
        self.favour(self.rebate_bps, self.most_cost_bps)

    def favour(self, rebate_bps: float, most_cost_bps: float) -> None:
        """See :class:`ArbRoute`."""
        self.rebate_bps, self.most_cost_bps = rebate_bps, most_cost_bps
        refilled_bps = sum(hop.shadow_bps_at_empty for hop in self.inventories)
        #: What one unit must bring back at least, whatever its stocks are worth.
        self._required = 1.0 + (self._least_bps(-refilled_bps) + self.charge_bps) / 1e4

    def _least_bps(self, shadow_bps: float) -> float:
        """The edge that it must have at ``shadow_bps``: stock, whatever it is worth, is paid for out of the budget alone."""
        return max(self.terms.min_edge_bps + shadow_bps - self.rebate_bps, self.break_even_bps - self.most_cost_bps)

    def threshold_bps(self) -> float:
        """See :class:`ArbRoute`: the least edge, the price of scarce stock, the margins of doubted rates."""
        return self._least_bps(self.shadow_bps()) + self._margin_bps()

    def _margin_bps(self) -> float:
        return sum(conversion.margin_bps for conversion in self._conversions)

    def runway(self, qty: float) -> float:
        """See :class:`ArbRoute`: of its symbol where it is sold from stock."""
        held = [hop.sold_at.available for hop in self.inventories if hop.sold_at.asset == self.symbol]
        return min(held) / qty if held else super().runway(qty)

    def data_refusal(self, now: float) -> Reason | None:
        """See :class:`ArbRoute`; the prices of its markets must be of the same assets, too."""
        return super().data_refusal(now) or self.asset_refusal()

    def walk(self, now: float) -> Opportunity | None:
        """See :class:`ArbRoute`."""
        return self._opportunity(now) if self.may_walk(now) else None

    def _opportunity(self, now: float) -> Opportunity | None:
        below = Reason.RATE_UNCONFIRMED if self._margin_bps() > 0.0 else Reason.BELOW_THRESHOLD
        least_bps = self.threshold_bps()
        worst = self._descend(1.0 + (least_bps + self.charge_bps) / 1e4)
        for leg in self._legs:
            leg.end()
        if worst is None:
            self.denied = self.denied or below
            return None
        orders = self._sized(worst)
        if isinstance(orders, Reason):
            self.denied = self._short_of() or orders
            return None
        edge, value, size = self._priced(orders)
        if not edge >= least_bps:
            self.denied = below
            return None
        self.last_size = size
        return Opportunity(self, orders, edge, value, size, now, least_bps)

    @property
    def _legs(self) -> tuple[LegWalk, ...]:
        """One for each trade, in their order."""
        if not self._walks:
            self._walks = tuple(self._made_legs())
        return self._walks

    @abstractmethod
    def _made_legs(self) -> Sequence[LegWalk]:
        """Its legs, with nothing traded."""

    @abstractmethod
    def _descend(self, required: float) -> list[float] | None:
        """Walk the books while one more unit brings back ``required``; what was walked stays in the legs.

        Returns the worst price of each leg; None when nothing can be traded so, with ``denied`` set where our own stock, cash or a
        missing price is why.
        """

    @abstractmethod
    def _sized(self, worst: Sequence[float]) -> tuple[SizedHop, ...] | Reason:
        """The orders of what was walked, on every market's lots and grid, or why there are none."""

    @abstractmethod
    def _priced(self, orders: Sequence[SizedHop]) -> tuple[float, float, float]:
        """By the books as they are now: the net edge in bps, in the PnL currency what the purchase costs, and the size in its symbol."""

    def _reserve_unit(self, leg: LegWalk) -> float:
        """Quote set aside for one bought, per unit of price, whatever the fee is taken in."""
        return (1.0 + leg.hop.fee) * (1.0 + self.terms.reserve_bps / 1e4)

    def _held(self, leg: LegWalk) -> float:
        """How much ``leg`` may spend of what its place holds: of what buys less, since its worst price and one lot are set aside."""
        if not leg.buys:
            return leg.place.available
        return leg.place.available * leg.pays / self._reserve_unit(leg) - float(leg.hop.market.lot_step) * leg.price * leg.pays

    def _affordable(self, leg: LegWalk, worst_price: float) -> float:
        """The base that may be bought at ``worst_price`` with what is held for it."""
        return leg.place.available / (worst_price * self._reserve_unit(leg)) - float(leg.hop.market.lot_step)

    def _short_of(self) -> Reason | None:
        """What made the walk too short to trade, when it was our own stock or cash and not the books."""
        for leg in self._legs:
            if not leg.direct and leg.spent >= self._held(leg) * 0.9:
                return Reason.NO_CASH if leg.buys else Reason.NO_STOCK
        return None

    def _value_of_money(self) -> float:
        """PnL currency for one unit of the money that it spends first, at mid: for sizes only; 0.0 when unknown."""
        quote = self.trades[0].market.quote
        if quote == self.terms.value_currency:
            return 1.0
        mid = self.rates.mid(self.terms.value_currency, quote)
        return 1.0 / mid if mid > 0.0 else 0.0

    @property
    def uses(self) -> tuple[Node, ...]:
        """See :class:`ArbRoute`: what each leg spends, where none before it brings it there."""
        return self._places
