"""What a cycle is to do: legs with a worst price and a deadline each, whose sum is flat in everything but money."""

from dataclasses import dataclass
from decimal import Decimal

from arbtui.journal.events import PlannedLeg
from arbtui.model.market import Market
from arbtui.model.money import BPS, ONE, ZERO, decimal_of
from arbtui.model.order import Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import ArbRoute, Opportunity

#: (exchange, asset, amount).
Reservation = tuple[str, str, Decimal]


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """Legs compiled from an opportunity, with the hop that each trades on. Edge in bps, value in the PnL currency, times in monotonic s.

    ``reserved``: what the cycle keeps for its legs and for one hedge order at its worst price.
    """

    route: ArbRoute
    legs: tuple[PlannedLeg, ...]
    hops: tuple[TradeHop, ...]
    reserved: tuple[Reservation, ...]
    edge_bps: float
    value: float
    decided_at: float
    deadline: float


def compile_plan(opportunity: Opportunity, deadline_s: float, completion_bps: float, unwind_bps: float) -> CyclePlan:
    """The plan of an inventory pair: both legs at once, so that no price has time to move between them.

    ``completion_bps``: what may be paid beyond the edge to complete a leg; ``unwind_bps``: what taking one back may lose.
    """
    route = opportunity.route
    hops = (route.buy, route.sell)
    amounts = ((opportunity.sizes.buy_qty, opportunity.buy_price), (opportunity.sizes.sell_qty, opportunity.sell_price))
    legs = tuple(_leg(number, hop, qty, price) for number, (hop, (qty, price)) in enumerate(zip(hops, amounts, strict=True)))
    reserved: dict[tuple[str, str], Decimal] = {}
    for leg, hop in zip(legs, hops, strict=True):
        beyond = decimal_of(max(opportunity.edge_bps, 0.0) + completion_bps)
        for exchange, asset, amount in _reservations(leg, hop.market, beyond, decimal_of(unwind_bps)):
            reserved[exchange, asset] = reserved.get((exchange, asset), ZERO) + amount
    return CyclePlan(
        route,
        legs,
        hops,
        tuple((exchange, asset, amount) for (exchange, asset), amount in reserved.items()),
        opportunity.edge_bps,
        opportunity.value,
        opportunity.decided_at,
        opportunity.decided_at + deadline_s,
    )


def needs(market: Market, side: Side, qty: Decimal, price: Decimal) -> Reservation:
    """What an order uses at worst, and where.

    A fee taken in the coin costs no quote; setting it aside all the same errs on the safe side by the fee.
    """
    if side is Side.SELL:
        return market.exchange, market.base, qty
    return market.exchange, market.quote, qty * price * (ONE + market.fees.taker)


def _leg(number: int, hop: TradeHop, qty: Decimal, price: Decimal) -> PlannedLeg:
    market = hop.market
    return PlannedLeg(number, market.exchange, market.code, market.base, market.quote, hop.side, qty, price, market.lot_step)


def _reservations(leg: PlannedLeg, market: Market, beyond_bps: Decimal, unwind_bps: Decimal) -> list[Reservation]:
    """``beyond_bps``: how far beyond its planned price a leg may be completed: its edge, and what is allowed beyond that."""
    exchange, asset, amount = needs(market, leg.side, leg.qty, leg.price)
    if leg.side is Side.BUY:
        return [(exchange, asset, amount * (ONE + beyond_bps / BPS))]
    # What a purchase that takes the sale back costs beyond what the sale brought.
    loss = leg.qty * leg.price * (unwind_bps / BPS + 2 * market.fees.taker)
    return [(exchange, asset, amount), (exchange, market.quote, loss)]
