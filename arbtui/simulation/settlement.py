"""The money of one order at a venue: the amount it needs, the amount it locks while it rests, and the balance changes of each fill."""

from decimal import Decimal

from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Side
from arbtui.simulation.fees import booked_fee, exact_fee, fee_currency
from arbtui.simulation.matching import Execution
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.venue_order import VenueOrder


def needed_to_place(market: Market, request: OrderRequest) -> tuple[str, Decimal]:
    """(asset, amount) that must be free for an order to be accepted: its whole quantity at its limit, with the higher fee."""
    if request.side is Side.SELL:
        return market.base, request.qty
    needed = request.price * request.qty
    if fee_currency(market, Side.BUY) == market.quote:
        worst = Execution(request.price, request.qty)
        needed += max(booked_fee(market, exact_fee(market, Side.BUY, worst, maker=maker)) for maker in (False, True))
    return market.quote, needed


def needed_at_rest(market: Market, order: VenueOrder) -> tuple[str, Decimal]:
    """(asset, amount) that the rest of an order locks: its quantity at its limit, with the maker's fee."""
    if order.side is Side.SELL:
        return market.base, order.leaves_qty
    needed = order.price * order.leaves_qty
    if fee_currency(market, Side.BUY) == market.quote:
        rest = exact_fee(market, Side.BUY, Execution(order.price, order.leaves_qty), maker=True)
        needed += booked_fee(market, order.exact_fees + rest) - booked_fee(market, order.exact_fees)
    return market.quote, needed


def still_locked(order: VenueOrder, fill: Fill) -> Decimal:
    """What stays locked after ``fill``, of :attr:`VenueOrder.locked_asset`; a filled order holds nothing."""
    if order.leaves_qty == ZERO:
        return ZERO
    if order.side is Side.SELL:
        return order.locked - fill.qty
    return order.locked - fill.cost - (fill.fee if fill.fee_currency == fill.quote else ZERO)


def take_fee(market: Market, order: VenueOrder, execution: Execution, *, maker: bool) -> Decimal:
    """Add an execution to the order's quantity and fees; the fee that the venue books for it, in :func:`fee_currency`."""
    cost = execution.price * execution.qty
    before = booked_fee(market, order.exact_fees)
    order.exact_fees += exact_fee(market, order.side, execution, maker=maker)
    fee = booked_fee(market, order.exact_fees) - before
    order.filled_qty += execution.qty
    if order.side is Side.SELL:
        return min(fee, cost)  # it is taken from the proceeds
    if maker and fee_currency(market, order.side) == market.quote:
        return min(fee, order.locked - cost - order.price * order.leaves_qty)  # never more than was locked for it
    return fee


def balance_changes(fill: Fill) -> tuple[tuple[str, Decimal, str, str], ...]:
    """(asset, change, reason, trade id) of a fill's three movements: base, quote and fee."""
    base, quote = (fill.qty, -fill.cost) if fill.side is Side.BUY else (-fill.qty, fill.cost)
    return (
        (fill.base, base, "trade", fill.trade_id),
        (fill.quote, quote, "trade", fill.trade_id),
        (fill.fee_currency, -fill.fee, "fee", fill.trade_id),
    )
