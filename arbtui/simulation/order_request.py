"""A limit order as a venue receives it, and how long its client id is taken."""

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from arbtui.model.order import Side, TimeInForce


class ClientIdRule(Enum):
    """How long a client order id is taken."""

    UNIQUE_FOREVER = "forever"  #: Upbit's ``identifier``: never usable again, also after a refused order
    UNIQUE_WHILE_OPEN = "while open"  #: Binance's ``newClientOrderId``: usable again when its order is final

    @classmethod
    def of(cls, exchange: str) -> "ClientIdRule":
        """The rule of a venue."""
        return cls.UNIQUE_WHILE_OPEN if exchange.startswith("binance") else cls.UNIQUE_FOREVER


class OrderRequest(NamedTuple):
    """A limit order as it arrives. ``qty`` in base, ``price`` in quote."""

    client_order_id: str
    code: str
    side: Side
    qty: Decimal
    price: Decimal
    tif: TimeInForce = TimeInForce.IOC
