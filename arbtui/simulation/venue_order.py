"""One of our orders, as the venue keeps it."""

from dataclasses import dataclass
from decimal import Decimal

from arbtui.model.money import ZERO
from arbtui.model.order import OrderState, Side, TimeInForce


@dataclass(slots=True, eq=False)
class VenueOrder:
    """One order, from its arrival on. Quantities in base, ``price`` in quote, ``ts_ms`` the venue's time of arrival."""

    client_order_id: str
    venue_order_id: int
    code: str
    side: Side
    qty: Decimal
    price: Decimal
    tif: TimeInForce
    ts_ms: int
    state: OrderState = OrderState.ACCEPTED
    filled_qty: Decimal = ZERO
    reason: str = ""
    locked_asset: str = ""
    locked: Decimal = ZERO  #: of ``locked_asset``: the part of the balance locked for the order's remainder
    ahead: Decimal = ZERO  #: quantity of others at our price that trades first; infinite while the book does not reach its level
    exact_fees: Decimal = ZERO  #: of its fills, before rounding

    @property
    def leaves_qty(self) -> Decimal:
        """What is not filled, in base."""
        return self.qty - self.filled_qty

    def is_before(self, price: Decimal) -> bool:
        """True when this order's price has priority over ``price``."""
        return self.price > price if self.side is Side.BUY else self.price < price
