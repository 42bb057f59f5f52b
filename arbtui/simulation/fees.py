"""The fees of simulated venues.

A venue that rounds an order's fees rounds them up once, in sum: so an order never costs more than its quantity at its price with the fee
on it, however many fills it has, and the amount locked for it is always enough.
"""

from dataclasses import dataclass
from decimal import Decimal

from arbtui.exchanges.venue import EIGHT_DECIMALS
from arbtui.exchanges.venues import VENUES
from arbtui.model.market import FeeTakenIn, Market
from arbtui.model.money import ceil_to
from arbtui.model.order import Side
from arbtui.simulation.matching import Execution

#: The share of a fee that is due when it is paid in the venue's own coin.
_DISCOUNTED = Decimal("0.75")


@dataclass(frozen=True, slots=True)
class FeeCoin:
    """The venue's own coin, in which fees are paid at a discount (Binance: BNB, 25 %). ``price`` in quote, one for all quotes.

    ``step``: fees in it are booked in multiples of this, each rounded up. It is the coin's, whatever the venue's other fees are rounded
    to: what is due, a value over a price, has no last digit.
    """

    asset: str
    price: Decimal
    step: Decimal = EIGHT_DECIMALS

    def fee(self, market: Market, cost: Decimal) -> Decimal:
        """The fee, in the coin, of a trade that cost ``cost`` in quote."""
        return ceil_to(cost * market.fees.taker * _DISCOUNTED / self.price, self.step)


def fee_currency(market: Market, side: Side) -> str:
    """The asset that ``market`` takes the fee of an order of ``side`` in."""
    return market.base if market.fees.taken_in is FeeTakenIn.RECEIVED and side is Side.BUY else market.quote


def exact_fee(market: Market, side: Side, execution: Execution, *, maker: bool) -> Decimal:
    """The fee of one execution before any rounding, in :func:`fee_currency`."""
    rate = market.fees.maker if maker else market.fees.taker
    return execution.qty * rate if fee_currency(market, side) == market.base else execution.price * execution.qty * rate


def booked_fee(market: Market, exact: Decimal) -> Decimal:
    """An order's ``exact`` fees as its venue books them: rounded up to the step that its row declares, else to the last digit."""
    venue = VENUES.get(market.exchange)
    step = EIGHT_DECIMALS if venue is None else venue.fee_step
    return exact if step is None else ceil_to(exact, step)
