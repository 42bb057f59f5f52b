"""What a cycle is to do: legs with a worst price each, in the order that they wait for one another, flat in everything but money."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.execution.config import EntryOrder
from arbtui.journal.events import LegAfter, On, PlannedLeg, PlannedTransfer
from arbtui.model.market import Market
from arbtui.model.money import BPS, ONE, ZERO, decimal_of, floor_to
from arbtui.model.order import Side
from arbtui.portfolio.operator_events import Transfer
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute, Opportunity, SizedHop
from arbtui.routes.size import kept_of_bought

#: (exchange, asset, amount).
Reservation = tuple[str, str, Decimal]


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """Legs, with the hop that each trades on. Edge in bps, value in the PnL currency, times in monotonic s.

    ``reserved``: what the cycle keeps for its legs and for one hedge order at its worst price. ``transfers``: what a person moves between
    two legs; the later one sells as much as comes.
    """

    route: ArbRoute
    legs: tuple[PlannedLeg, ...]
    hops: tuple[TradeHop, ...]
    reserved: tuple[Reservation, ...]
    edge_bps: float
    value: float
    decided_at: float
    deadline: float
    most_cost: Decimal = ZERO  #: of a reverse trade, in the PnL currency; 0 of any other cycle
    transfers: tuple[PlannedTransfer, ...] = ()

    @property
    def first(self) -> Sequence[PlannedLeg]:
        """The legs that wait for no other."""
        return [leg for leg in self.legs if not leg.after]

    @property
    def assets(self) -> tuple[str, ...]:
        """Every asset that a leg buys or sells, in the order of the legs."""
        return tuple(dict.fromkeys(leg.base for leg in self.legs))

    def moved(self) -> Iterator[Transfer]:
        """What is moved of legs that fill whole."""
        for move in self.transfers:
            bought = self.legs[move.leg].qty * kept_of_bought(self.hops[move.leg].market)
            qty = floor_to(bought, move.step) if move.step else bought
            yield Transfer(move.asset, move.from_exchange, move.to_exchange, qty, move.network, move.fee, move.minutes)


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far beyond its edge a leg may be completed, and from the touch one may be taken back, in bps."""

    completion_bps: float
    unwind_bps: float


def compile_plan(
    opportunity: Opportunity, deadline_s: float, tolerances: Tolerances, entry: EntryOrder = "together", most_cost: Decimal = ZERO
) -> CyclePlan:
    """The plan of an opportunity. Its legs leave together, so that no price has time to move between them, or the hard one first.

    Those of an opportunity that says itself which wait for which do as it says.
    """
    orders, after = opportunity.orders, opportunity.after
    if entry == "hard leg first" and not after:  # else what waits for what is the route's own to say
        hard = min(range(len(orders)), key=lambda number: _depth(orders[number]))
        after = {number: (LegAfter(hard, On.EACH_FILL),) for number in range(len(orders)) if number != hard}
    return plan_of(
        opportunity.route,
        orders,
        after,
        tolerances,
        edge_bps=opportunity.edge_bps,
        value=opportunity.value,
        decided_at=opportunity.decided_at,
        deadline_s=deadline_s,
        most_cost=most_cost,
        transfers=opportunity.transfers,
    )


def plan_of(
    route: ArbRoute,
    orders: Sequence[SizedHop],
    after: Mapping[int, tuple[LegAfter, ...]],
    tolerances: Tolerances,
    *,
    edge_bps: float,
    value: float,
    decided_at: float,
    deadline_s: float,
    most_cost: Decimal = ZERO,
    transfers: tuple[PlannedTransfer, ...] = (),
) -> CyclePlan:
    """A plan of any number of legs; ``after``: by leg number, the legs that it waits for; ``transfers``: what is moved between them.

    Raises:
        ValueError: a leg waits for itself, for one that is not there, or in a circle.
    """
    _ordered(len(orders), after)
    legs = tuple(_leg(number, order, after.get(number, ())) for number, order in enumerate(orders))
    beyond, unwind_bps = decimal_of(max(edge_bps, 0.0) + tolerances.completion_bps), decimal_of(tolerances.unwind_bps)
    money = {route.rates.currency, *route.rates.currencies}
    reserved: dict[tuple[str, str], Decimal] = {}
    for leg, order in zip(legs, orders, strict=True):
        brought = _brought(leg, legs, orders, transfers)
        for exchange, asset, amount in _reservations(leg, order.hop.market, beyond, unwind_bps, brought, money):
            if amount > ZERO:
                reserved[exchange, asset] = reserved.get((exchange, asset), ZERO) + amount
    return CyclePlan(
        route,
        legs,
        tuple(order.hop for order in orders),
        tuple((exchange, asset, amount) for (exchange, asset), amount in reserved.items()),
        edge_bps,
        value,
        decided_at,
        decided_at + deadline_s,
        most_cost,
        transfers,
    )


def conversion_plan(route: ArbRoute, order: SizedHop, *, cost_bps: float, decided_at: float, deadline_s: float) -> CyclePlan:
    """The plan of one trade of settlement currencies: whatever fills of it is final, so nothing is set aside to mend it with.

    ``cost_bps``: what it is expected to cost; it puts nothing at risk, so its value is nothing.
    """
    leg = _leg(0, order, ())
    reserved = (needs(order.hop.market, leg.side, leg.qty, leg.price),)
    return CyclePlan(route, (leg,), (order.hop,), reserved, -cost_bps, 0.0, decided_at, decided_at + deadline_s)


def needs(market: Market, side: Side, qty: Decimal, price: Decimal) -> Reservation:
    """What an order uses at worst, and where.

    A fee taken in the coin costs no quote; setting it aside all the same errs on the safe side by the fee.
    """
    if side is Side.SELL:
        return market.exchange, market.base, qty
    return market.exchange, market.quote, qty * price * (ONE + market.fees.taker)


def brings(market: Market, side: Side, qty: Decimal, price: Decimal) -> Reservation:
    """What an order brings at least when it fills, and where."""
    if side is Side.BUY:
        return market.exchange, market.base, qty * kept_of_bought(market)
    return market.exchange, market.quote, qty * price * (ONE - market.fees.taker)


def _leg(number: int, order: SizedHop, after: tuple[LegAfter, ...]) -> PlannedLeg:
    hop, market = order.hop, order.hop.market
    return PlannedLeg(
        number,
        market.exchange,
        market.code,
        market.base,
        market.quote,
        hop.side,
        order.qty,
        order.price,
        market.lot_step,
        market.min_cost,
        after=after,
        min_qty=market.min_qty,
    )


def _depth(order: SizedHop) -> float:
    """How many times the order fits into what its book shows at the touch."""
    book = order.hop.book
    return (book.ask_qty if order.hop.side is Side.BUY else book.bid_qty) / float(order.qty)


def _brought(
    leg: PlannedLeg, legs: Sequence[PlannedLeg], orders: Sequence[SizedHop], transfers: Sequence[PlannedTransfer]
) -> dict[tuple[str, str], Decimal]:
    """What the legs that ``leg`` waits for bring, by place: that where it is moved to, less what the network keeps."""
    brought: dict[tuple[str, str], Decimal] = {}
    for edge in leg.after:
        earlier = legs[edge.leg]
        exchange, asset, amount = brings(orders[edge.leg].hop.market, earlier.side, earlier.qty, earlier.price)
        for move in transfers:
            if (move.leg, move.asset) == (edge.leg, asset):
                exchange, amount = move.to_exchange, amount - move.fee
        brought[exchange, asset] = brought.get((exchange, asset), ZERO) + amount
    return brought


def _reservations(
    leg: PlannedLeg,
    market: Market,
    beyond_bps: Decimal,
    unwind_bps: Decimal,
    brought: Mapping[tuple[str, str], Decimal],
    money: Collection[str],
) -> list[Reservation]:
    """``beyond_bps``: how far beyond its planned price a leg may be completed: its edge, and what is allowed beyond that.

    A leg that spends what an earlier one brings needs no stock of it. A purchase that is paid for in a coin that comes so is sent for
    what that pays for at its worst price (:func:`arbtui.execution.cycle.due`): what it would need beyond that is nothing to hold.
    """
    exchange, asset, amount = needs(market, leg.side, leg.qty, leg.price)
    if (exchange, asset) in brought:
        if leg.side is Side.BUY and asset not in money:
            return []
        return [(exchange, asset, amount - brought[exchange, asset])]
    if leg.side is Side.BUY:
        return [(exchange, asset, amount * (ONE + beyond_bps / BPS))]
    # What a purchase that takes the sale back costs beyond what the sale brought.
    loss = leg.qty * leg.price * (unwind_bps / BPS + 2 * market.fees.taker)
    return [(exchange, asset, amount), (exchange, market.quote, loss)]


def _ordered(count: int, after: Mapping[int, tuple[LegAfter, ...]]) -> None:
    """Raises ValueError where no order of the legs satisfies ``after``."""
    left = set(range(count))
    if not all(edge.leg in left for number, edges in after.items() for edge in edges) or not left.issuperset(after):
        raise ValueError("a leg waits for one that is not in the plan")
    while left:
        free = {number for number in left if all(edge.leg not in left for edge in after.get(number, ()))}
        if not free:
            raise ValueError(f"legs {sorted(left)} wait for one another")
        left -= free
