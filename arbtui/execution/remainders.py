"""Remainders under a venue's minimum: how large an order that sheds one is, and which orders of a cycle have shed one.

A remainder is shed by a round trip: one order over the minimum, then the minimum back. Whichever way its orders go, they say nothing
of whether the legs of the cycle are being taken back. Which ones they were is told by the fills, so that a restart knows it too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from arbtui.execution.cycle import ArbCycle
from arbtui.model.market import Market
from arbtui.model.money import ZERO, ceil_to
from arbtui.model.order import Fill
from arbtui.portfolio.accounts import fill_changes

#: An order that must reach the minimum is made a tenth larger: the price may move before it arrives.
_OVER_MINIMUM = Decimal("1.1")
#: What a round trip's first half leaves is one least order. Its limit was further away than the price it got: up to twice that is one.
_LEAST_ORDERS = 2


@dataclass(frozen=True, slots=True)
class Remainders:
    """What the fills of a cycle tell of its remainders.

    ``shed_by``: client ids of the orders of round trips. ``halfway``: coins of which the first half of one has filled, and no more.
    """

    shed_by: Collection[str]
    halfway: Collection[str]


def remainders_of(cycle: ArbCycle) -> Remainders:
    """Read them from the fills of ``cycle``, in the order in which its orders filled.

    An order begins a round trip where it takes away what was too little for an order of its own, and it is halfway where it took so
    much that the opposite is left. Only markets that are paid in money are looked at: where there is one, round trips are made there.
    Of these, those of the plan: an order that has moved to another venue completes a leg, and ends a round trip.
    """
    orders: dict[str, list[Fill]] = {}
    for fill in cycle.fills:
        orders.setdefault(fill.client_order_id, []).append(fill)
    left: dict[str, Decimal] = {}
    shed_by: set[str] = set()
    halfway: dict[str, tuple[Market, Decimal]] = {}  # where, and at which price
    for client_order_id, fills in orders.items():
        first = fills[0]
        before = left.get(first.base, ZERO)
        for fill in fills:
            for asset, change in (*fill_changes(fill), (fill.fee_currency, -fill.fee)):
                left[asset] = left.get(asset, ZERO) + change
        after = left[first.base]
        market = _market_of(cycle, first)
        takes_away = first.quote in cycle.settlement and before * (after - before) < ZERO
        if market and takes_away and (first.base in halfway or is_too_little(market, before, first.price)):
            shed_by.add(client_order_id)
            if before * after < ZERO:
                halfway[first.base] = market, first.price
        else:
            halfway.pop(first.base, None)
        halfway.pop(first.quote, None)
    most = {asset: _LEAST_ORDERS * least_order(cycle, market, price) for asset, (market, price) in halfway.items()}
    return Remainders(shed_by, {asset for asset in halfway if abs(left[asset]) <= most[asset]})


def least_order(cycle: ArbCycle, market: Market, price: Decimal) -> Decimal:
    """A quantity of the base of ``market`` that surely is over the minimum of each market of ``cycle`` that trades it.

    ``price``: on ``market``; the others' are the plan's.
    """
    places = [place for place, hop in enumerate(cycle.plan.hops) if hop.market.base == market.base]
    in_plan = (least_qty(cycle.plan.hops[place].market, price_of(cycle, place, market, price)) for place in places)
    return max(least_qty(market, price), *in_plan)  # a leg may have moved to a market that is not in the plan


def least_qty(market: Market, price: Decimal) -> Decimal:
    """A quantity that surely is over the market's minimum at ``price``."""
    return max(ceil_to(market.min_cost * _OVER_MINIMUM / price, market.lot_step), market.min_qty)


def price_of(cycle: ArbCycle, leg: int, market: Market, price: Decimal) -> Decimal:
    """A price of a leg's market to size minimums with: ``price`` itself on ``market``, else the plan's."""
    return price if cycle.plan.hops[leg].market is market else cycle.plan.legs[leg].price


def is_too_little(market: Market, amount: Decimal, price: Decimal) -> bool:
    """Whether ``amount`` of the base of ``market``, bought or sold at ``price``, is less than an order there may be."""
    qty = market.qty_down(abs(amount))
    return qty < market.min_qty or qty * price < market.min_cost


def _market_of(cycle: ArbCycle, fill: Fill) -> Market | None:
    """The market of its plan on which a fill was made; None: its order had moved to another venue."""
    here = fill.exchange, fill.market
    return next((hop.market for hop in cycle.plan.hops if (hop.market.exchange, hop.market.code) == here), None)
