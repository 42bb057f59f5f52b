"""What to send next when the legs of a cycle differ: complete within the edge, then a little beyond it, then undo.

Prices are bounds for IOC orders, computed from what the cycle's fills leave of its edge, and never further from the
touch than the collar. A remainder under the venues' minimum is shed by a round trip: one order over the minimum, then
the minimum back; the exposure in between is one minimum order.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from arbtui.execution.cycle import ArbCycle
from arbtui.model.market import Market
from arbtui.model.money import ONE, ZERO, ceil_to, decimal_of
from arbtui.model.order import Fill, Purpose, Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.size import kept_of_bought

#: An order that must reach the minimum is made a tenth larger: the price may move before it arrives.
_OVER_MINIMUM = Decimal("1.1")


@dataclass(frozen=True, slots=True)
class HedgeStep:
    """One order to send: which leg it belongs to, which way, how much, at which worst price."""

    leg: int
    hop: TradeHop
    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose


class HedgingEngine:
    """Decides the next order of a cycle that is not flat.

    Args:
        completion_bps: how far beyond the edge a missing leg may still be completed.
        unwind_bps: how far from the touch any order may go.
    """

    def __init__(self, completion_bps: float, unwind_bps: float) -> None:
        self._completion_bps = completion_bps
        self._unwind_bps = unwind_bps

    def next_step(self, cycle: ArbCycle, attempt: int) -> HedgeStep | None:
        """The order to try after ``attempt`` earlier tries, or None when neither book can take one now.

        Each try goes one step further than the last; after the unwinding it begins anew, for the market may have come back.
        """
        steps = (self._completion(cycle, 0.0), self._completion(cycle, self._completion_bps), self._unwinding(cycle))
        first = attempt % len(steps)
        return next((step for step in steps[first:] + steps[:first] if step is not None), None)

    def _completion(self, cycle: ArbCycle, beyond_bps: float) -> HedgeStep | None:
        route = cycle.plan.route
        excess = cycle.excess
        conversion = route.rates.conversion(route.sell.market.quote, route.buy.market.quote).value
        if not conversion > 0.0:
            return None
        spent = float(_cash(cycle.fills, route.buy.market))
        got = -float(_cash(cycle.fills, route.sell.market)) * conversion
        slack = got - spent + max(got, spent) * beyond_bps / 1e4  # what the missing leg may still lose, in the buying quote
        missing = abs(float(excess))
        if excess > ZERO:
            bound = -slack / (missing * (1.0 - float(route.sell.market.fees.taker)) * conversion)
            return self._step(cycle, route.sell, Side.SELL, bound, Purpose.COMPLETE)
        fees = float(route.buy.market.fees.taker)
        unit = 1.0 / (1.0 - fees) if kept_of_bought(route.buy.market) != ONE else 1.0 + fees
        return self._step(cycle, route.buy, Side.BUY, slack / (missing * unit), Purpose.COMPLETE)

    def _unwinding(self, cycle: ArbCycle) -> HedgeStep | None:
        route = cycle.plan.route
        if cycle.excess > ZERO:
            return self._step(cycle, route.buy, Side.SELL, 0.0, Purpose.UNWIND)
        return self._step(cycle, route.sell, Side.BUY, float("inf"), Purpose.UNWIND)

    def _step(self, cycle: ArbCycle, hop: TradeHop, side: Side, bound: float, purpose: Purpose) -> HedgeStep | None:
        """An order on ``hop`` no worse than ``bound`` and the collar; None where that bound is beyond the touch."""
        book, market = hop.book, hop.market
        collar = self._unwind_bps / 1e4
        if not 0.0 < book.bid < book.ask < float("inf"):
            return None
        if side is Side.SELL:
            worst = max(bound, book.bid * (1.0 - collar))
            if worst > book.bid:
                return None
            price = market.price_up(decimal_of(worst))
        else:
            worst = min(bound, book.ask * (1.0 + collar))
            if worst < book.ask:
                return None
            price = market.price_down(decimal_of(worst))
        qty = self._qty(cycle, market, side, price)
        if qty is None:
            return None
        return HedgeStep(0 if hop is cycle.plan.route.buy else 1, hop, side, qty, price, purpose)

    def _qty(self, cycle: ArbCycle, market: Market, side: Side, price: Decimal) -> Decimal | None:
        excess = abs(cycle.excess)
        kept = kept_of_bought(market) if side is Side.BUY else ONE
        qty = (excess / kept / market.lot_step).to_integral_value(ROUND_HALF_EVEN) * market.lot_step
        if qty <= ZERO:
            return None
        if market.refusal(price, qty) is None:
            return qty
        least = max(least_qty(hop.market, price_of(cycle, place, market, price)) for place, hop in enumerate(cycle.plan.hops))
        qty = market.qty_up(excess / kept + least)
        return qty if market.refusal(price, qty) is None else None


def least_qty(market: Market, price: Decimal) -> Decimal:
    """A quantity that surely is over the market's minimum at ``price``."""
    return max(ceil_to(market.min_cost * _OVER_MINIMUM / price, market.lot_step), market.min_qty)


def price_of(cycle: ArbCycle, leg: int, market: Market, price: Decimal) -> Decimal:
    """A price of a leg's market to size minimums with: ``price`` itself on ``market``, else the plan's."""
    return price if cycle.plan.hops[leg].market is market else cycle.plan.legs[leg].price


def _cash(fills: list[Fill], market: Market) -> Decimal:
    """Quote paid on ``market``, fees in quote included; negative when more came in."""
    paid = ZERO
    for fill in fills:
        if fill.exchange == market.exchange:
            paid += fill.cost if fill.side is Side.BUY else -fill.cost
            if fill.fee_currency == fill.quote:
                paid += fill.fee
    return paid
