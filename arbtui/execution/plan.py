"""What a cycle is to do: legs with a worst price and a deadline each, whose sum is flat in everything but money."""

from dataclasses import dataclass
from decimal import Decimal

from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.routes.route import ArbRoute, Opportunity


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One leg. ``after`` names the legs that must be done before it is sent; the two legs of a pair wait for nothing."""

    market: Market
    side: Side
    qty: Decimal
    price: Decimal
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """Legs compiled from an opportunity. Edge in bps, value in the PnL currency, times in monotonic seconds."""

    route: ArbRoute
    legs: tuple[PlannedLeg, ...]
    edge_bps: float
    value: float
    decided_at: float
    deadline: float


def compile_plan(opportunity: Opportunity, deadline_s: float) -> CyclePlan:
    """The plan of an inventory pair: both legs at once, so that no price has time to move between them."""
    route = opportunity.route
    legs = (
        PlannedLeg(route.buy.market, Side.BUY, opportunity.sizes.buy_qty, opportunity.buy_price),
        PlannedLeg(route.sell.market, Side.SELL, opportunity.sizes.sell_qty, opportunity.sell_price),
    )
    return CyclePlan(route, legs, opportunity.edge_bps, opportunity.value, opportunity.decided_at, opportunity.decided_at + deadline_s)
