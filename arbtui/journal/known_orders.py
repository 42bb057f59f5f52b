"""What a journal knows of an order, of whichever run and however long ago: for one that is told of and not followed any more."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from arbtui.journal.reader import reading
from arbtui.model.order import OrderState


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order as the journal's tables hold it. ``qty`` and ``filled_qty`` in base."""

    client_order_id: str
    cycle_id: str
    leg: int
    qty: Decimal
    filled_qty: Decimal
    state: OrderState
    venue_order_id: str
    reason: str
    is_booked: bool = False  #: the fill that was asked about is in the journal


def known_order(path: Path, exchange: str, client_order_id: str, venue_order_id: str, trade_id: str = "") -> KnownOrder | None:
    """The order that the journal at ``path`` holds the intent of, or None. Without a client id it is found by the venue's own id.

    ``trade_id``: of a fill of it, to be looked for.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    columns = "client_order_id, cycle_id, leg, qty, filled_qty, state, venue_order_id, reason"
    with reading(path) as db:
        if client_order_id:
            row = db.execute(f"SELECT {columns} FROM order_ WHERE client_order_id = ?", (client_order_id,)).fetchone()
        else:
            where = "exchange = ? AND venue_order_id = ?"
            row = db.execute(f"SELECT {columns} FROM order_ WHERE {where}", (exchange, venue_order_id)).fetchone()
        if row is None:
            return None
        booked = db.execute("SELECT 1 FROM fill WHERE exchange = ? AND trade_id = ?", (exchange, trade_id)).fetchone()
    own, cycle_id, leg, qty, filled, state, venue_id, reason = row
    return KnownOrder(own, cycle_id, leg, Decimal(qty), Decimal(filled), OrderState(state), venue_id, reason, booked is not None)
