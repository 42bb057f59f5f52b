"""The quantities of the two legs, exact: what is bought net of fees is what is sold, on both venues' lots, above both minimums."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.money import ONE, ZERO
from arbtui.model.reason import Reason

_RECEIVED: Final = FeeTakenIn.RECEIVED  #: by a name of its own: asked for each opportunity
#: A lot over this share of the order makes remainders that are no longer dust.
COARSEST_LOT = Decimal(50)


class LegSizes(Struct, frozen=True):
    """Order quantities in base: ``buy_qty`` grossed up where the venue takes its fee in the coin, so stock does not bleed."""

    buy_qty: Decimal
    sell_qty: Decimal


def kept_of_bought(market: Market) -> Decimal:
    """The share of a bought quantity that arrives: 1, or 1 minus the fee where the fee is taken in the coin."""
    return ONE - market.fees.taker if market.fees.taken_in is _RECEIVED else ONE


def coarser_lot(first: Market, second: Market) -> Decimal:
    """The larger lot step of two markets; a remainder below it is dust."""
    return max(first.lot_step, second.lot_step)


def leg_sizes(buy: Market, sell: Market, qty: Decimal, buy_price: Decimal, sell_price: Decimal) -> LegSizes | Reason:
    """Quantities nearest below ``qty`` (net base) that both markets accept, or why there are none.

    The coarser lot is rounded first and the finer follows it, so full fills leave less than one lot step.
    """
    kept = kept_of_bought(buy)
    if sell.lot_step >= buy.lot_step:
        sell_qty = sell.qty_down(qty)
        buy_qty = buy.qty_up(sell_qty / kept)
    else:
        buy_qty = buy.qty_down(qty / kept)
        sell_qty = sell.qty_down(buy_qty * kept)
    if sell_qty <= ZERO or buy_qty <= ZERO:
        return Reason.TOO_SMALL
    if buy.refusal_of_lots(buy_price, buy_qty) is not None or sell.refusal_of_lots(sell_price, sell_qty) is not None:
        return Reason.TOO_SMALL
    if coarser_lot(buy, sell) * COARSEST_LOT > sell_qty:
        return Reason.LOT_TOO_COARSE
    return LegSizes(buy_qty, sell_qty)
