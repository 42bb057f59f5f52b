"""A limit order as a venue receives it, and how long its client id is taken."""

from decimal import Decimal
from typing import NamedTuple

from arbtui.exchanges.venue import ClientIdRule
from arbtui.exchanges.venues import VENUES
from arbtui.model.order import Side, TimeInForce


def client_id_rule(exchange: str) -> ClientIdRule:
    """How long a client order id is taken at a venue, as it declares; for ever at one that is not declared."""
    declared = VENUES.get(exchange)
    return ClientIdRule.UNIQUE_FOREVER if declared is None else declared.client_ids.rule


class OrderRequest(NamedTuple):
    """A limit order as it arrives. ``qty`` in base, ``price`` in quote."""

    client_order_id: str
    code: str
    side: Side
    qty: Decimal
    price: Decimal
    tif: TimeInForce = TimeInForce.IOC
