"""The fee of a fill: as the venue reports it, else by the market's rate."""

from decimal import Decimal

from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.money import ZERO
from arbtui.model.order import Side


def fee_of(market: Market, side: Side, qty: Decimal, price: Decimal, fee: Decimal | None, currency: str | None) -> tuple[Decimal, str]:
    """A fill's fee and its currency.

    A fee that is not reported, or without its currency, is not a fee of zero: it is reckoned by the market's rate and rule then.

    Args:
        market: where it was made.
        side: ours.
        qty: of the fill, in base.
        price: of the fill, in quote.
        fee: as reported; negative where we are paid. None: not reported.
        currency: of ``fee``; empty or None: not reported.
    """
    in_coin = side is Side.BUY and market.fees.taken_in is FeeTakenIn.RECEIVED
    received = market.base if in_coin else market.quote
    if fee is not None and (currency or not fee):
        return fee + ZERO, currency or received
    return (qty if in_coin else qty * price) * market.fees.taker, received
