"""Which of several opportunities goes first, and what is left for the next: stock, cash and the depth of books are shared."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from math import inf

from arbtui.model.book import OrderBook
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.health_score import RouteHealthScore
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute, Opportunity

#: What opportunities share: a side of a book, or an asset at a venue.
_Shared = tuple[OrderBook, Side] | tuple[str, str]

#: With less depth, a route has no edge, or one too small to trade: then it is the depth that it wants for.
_FOR_DEPTH = (None, Reason.BELOW_THRESHOLD, Reason.RATE_UNCONFIRMED, Reason.NO_BOOK, Reason.TOO_SMALL, Reason.LOT_TOO_COARSE)


class RoutePrioritizer:
    """Ranks opportunities by the profit one may expect to *capture* for what is scarce of what they use, and shares that out.

    Expected captured profit is net profit, less the shadow price of stock, times the route's health. Where several opportunities of one
    look want more of a side of a book, or of an asset at a venue, than there is, each one's profit is divided by the share of it that it
    takes: the most for the last coin goes first. Those that take nothing of what is contended are ranked by their profit alone.

    Args:
        health: scores the routes; without one, by what was learned of them alone.
    """

    def __init__(self, health: RouteHealthScore | None = None) -> None:
        self.health = health if health is not None else RouteHealthScore()
        # By side of a book: since which update of it, and how much of it each route was given, in base.
        self._taken: dict[tuple[OrderBook, Side], tuple[int, dict[str, float]]] = {}
        self._opened_at = -inf  # when the newest that was opened was decided, in monotonic seconds

    def rank(self, opportunities: Sequence[Opportunity]) -> list[Opportunity]:
        """Best first; equal scores keep their order, so a replay repeats."""
        wants = [_wants(opportunity) for opportunity in opportunities]
        left = _contended(opportunities, wants)
        order = sorted(
            range(len(opportunities)), key=lambda place: _per_share(self.score(opportunities[place]), wants[place], left), reverse=True
        )
        return [opportunities[place] for place in order]

    def score(self, opportunity: Opportunity) -> float:
        """Expected captured profit, in the PnL currency."""
        route = opportunity.route
        worth = opportunity.expected_pnl - opportunity.value * route.shadow_bps() / 1e4
        return worth * self.health.ranked(route, self.health.of(opportunity).score)

    def share_out(self, opportunity: Opportunity, open_cycle: Callable[[Opportunity], Reason | None]) -> tuple[Opportunity, Reason | None]:
        """Open a cycle on ``opportunity``, or on what others have left of it; why not, or None. The opportunity as it was opened.

        What was opened takes its quantities out of its books until the venue shows them anew, or the cycle has ended: what it has not
        filled by then is left.
        """
        sized = self._left_of(opportunity)
        if isinstance(sized, Reason):
            return opportunity, sized
        refusal = open_cycle(sized)
        if refusal is None:
            self._opened_at = sized.decided_at
            for order in sized.orders:
                self._take(sized.route.id, order.hop, float(order.qty))
        return sized, refusal

    def _left_of(self, opportunity: Opportunity) -> Opportunity | Reason:
        """``opportunity``, sized anew where something that it wants was given away since it was decided; or why nothing is left."""
        route = opportunity.route
        taken = [(order.hop, self._taken_of(order.hop)) for order in opportunity.orders] if self._taken else []
        taken = [(hop, qty) for hop, qty in taken if qty > 0.0]
        # Stock and cash are as it was sized by, but for what was opened of the same look.
        if not taken and (opportunity.decided_at > self._opened_at or not _is_short(opportunity)):
            return opportunity
        with ExitStack() as less:
            for hop, qty in taken:
                less.enter_context(hop.book.without(bids=qty, asks=0.0) if hop.side is Side.SELL else hop.book.without(bids=0.0, asks=qty))
            route.denied = None
            left = route.evaluate(opportunity.decided_at)
        if left is not None:
            return left
        if taken and route.denied in _FOR_DEPTH:
            return Reason.DEPTH_TAKEN
        return route.denied or Reason.RESERVATION

    def release(self, route: ArbRoute) -> None:
        """The cycle of ``route`` has ended: nothing is kept for it any more."""
        for hop in route.trades:
            _, given = self._taken.get((hop.book, hop.side), (0, {}))
            if given.pop(route.id, None) is not None and not given:
                del self._taken[hop.book, hop.side]

    def _take(self, route_id: str, hop: TradeHop, qty: float) -> None:
        self._taken_of(hop)  # what was given of an earlier state of the book does not count
        _, given = self._taken.setdefault((hop.book, hop.side), (hop.book.updates, {}))
        given[route_id] = given.get(route_id, 0.0) + qty

    def _taken_of(self, hop: TradeHop) -> float:
        """What cycles of ours were given of the side that ``hop`` trades on since its book last changed, in base."""
        key = hop.book, hop.side
        updates, given = self._taken.get(key, (hop.book.updates, {}))
        if updates != hop.book.updates:
            del self._taken[key]
            return 0.0
        return sum(given.values())


def _wants(opportunity: Opportunity) -> dict[_Shared, float]:
    """What it would take of each side of a book and of each asset at a venue, in base, or in units of the asset."""
    wants: dict[_Shared, float] = {}
    for order in opportunity.orders:
        hop, market, qty = order.hop, order.hop.market, float(order.qty)
        reserved = (1.0 + float(market.fees.taker)) * (1.0 + opportunity.route.terms.reserve_bps / 1e4)  # of the price, by a purchase
        spent = qty * float(order.price) * reserved if hop.side is Side.BUY else qty
        for key, amount in (((hop.book, hop.side), qty), ((market.exchange, hop.spends), spent)):
            wants[key] = wants.get(key, 0.0) + amount
    return wants


def _contended(opportunities: Sequence[Opportunity], wants: Sequence[Mapping[_Shared, float]]) -> dict[_Shared, float]:
    """What there is of everything that they together want more of than there is."""
    total: dict[_Shared, float] = {}
    for wanted in wants:
        for key, amount in wanted.items():
            total[key] = total.get(key, 0.0) + amount
    there: dict[_Shared, float] = {}
    for opportunity in opportunities:
        for node in opportunity.route.uses:
            there[node.exchange, node.asset] = max(0.0, node.available)
        for order in opportunity.orders:
            key = order.hop.book, order.hop.side
            if total[key] > float(order.qty):  # another one wants it, too
                there[key] = max(there.get(key, 0.0), order.hop.depth_to(float(order.price)))
    return {key: there[key] for key, amount in total.items() if key in there and amount > there[key]}


def _per_share(worth: float, wants: Mapping[_Shared, float], left: Mapping[_Shared, float]) -> float:
    """``worth`` by the largest share that it takes of anything contended; a loss is none the smaller for taking little."""
    if worth <= 0.0:
        return worth
    shares = [min(1.0, amount / left[key]) if left[key] > 0.0 else 1.0 for key, amount in wants.items() if key in left]
    return worth / max(shares, default=1.0)


def _is_short(opportunity: Opportunity) -> bool:
    """Whether stock or cash no longer hold what it was sized for."""
    route = opportunity.route
    wants = _wants(opportunity)
    for node in route.uses:
        wanted = wants.get((node.exchange, node.asset), 0.0)
        if wanted > node.available:
            return True
    return False
