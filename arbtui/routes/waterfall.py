"""How a route's gross edge becomes its net edge, step by step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EdgeWaterfall:
    """Everything in bps at the touch; the steps are signed, and with ``gross`` they add up to ``net``.

    ``rate_fee`` is the fee of changing the proceeds back, with a whole order's walk through the rate's book. ``net`` is what is compared
    with ``threshold``: unlike the routes' NET column it also counts the shadow price of stock.
    """

    gross: float
    buy_fee: float
    sell_fee: float
    rate_fee: float
    slippage: float
    shadow: float
    net: float
    threshold: float
