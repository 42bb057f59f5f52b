"""What a journal knows of an order, of whichever run and however long ago: for one that is told of and not followed any more."""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from arbtui.journal.archives import rows_with
from arbtui.journal.events import FillRecorded, OrderChanged, OrderIntended, decode
from arbtui.journal.reader import reading
from arbtui.model.order import OrderState

_ARCHIVES = 20  #: some 400,000 events, read in half a second; an order from before those would be nobody's


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order as the journal holds it. ``qty`` and ``filled_qty`` in base."""

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

    ``trade_id``: of a fill of it, to be looked for. An order that is in no table any more is looked for in the newest archives.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    if not client_order_id and not venue_order_id:  # an order that has not left has no number of the venue yet: it is not meant
        return None
    columns = "client_order_id, cycle_id, leg, qty, filled_qty, state, venue_order_id, reason"
    with reading(path) as db:
        if client_order_id:
            row = db.execute(f"SELECT {columns} FROM order_ WHERE client_order_id = ?", (client_order_id,)).fetchone()
        else:
            where = "exchange = ? AND venue_order_id = ?"
            row = db.execute(f"SELECT {columns} FROM order_ WHERE {where}", (exchange, venue_order_id)).fetchone()
        if row is None:
            own_ids = [client_order_id] if client_order_id else _own_ids(db, venue_order_id)
            return next((known for own in own_ids if (known := _archived(db, exchange, own, trade_id)) is not None), None)
        booked = db.execute("SELECT 1 FROM fill WHERE exchange = ? AND trade_id = ?", (exchange, trade_id)).fetchone()
    own, cycle_id, leg, qty, filled, state, venue_id, reason = row
    return KnownOrder(own, cycle_id, leg, Decimal(qty), Decimal(filled), OrderState(state), venue_id, reason, booked is not None)


def own_ids(path: Path, exchange: str, venue_order_ids: Collection[str]) -> dict[str, str]:
    """Our ids of orders by the numbers that ``exchange`` has given them: those of which the journal at ``path`` holds the intent.

    What is in no table any more is looked for in the newest archives, once for all of them.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    found: dict[str, str] = {}
    with reading(path) as db:
        for number in venue_order_ids:
            query = "SELECT client_order_id FROM order_ WHERE exchange = ? AND venue_order_id = ?"
            row = db.execute(query, (exchange, number)).fetchone()
            if row is not None:
                found[number] = row[0]
        left = [number for number in venue_order_ids if number not in found]
        numbers: dict[str, str] = {}  # by our id: of any venue, as two may use the same
        for rows in rows_with(db, map(_quoted, left), _ARCHIVES) if left else ():
            for row in rows:
                event = decode(*row[3:])
                if isinstance(event, OrderChanged) and event.venue_order_id in left:
                    numbers[event.client_order_id] = event.venue_order_id
        for rows in rows_with(db, map(_quoted, numbers), _ARCHIVES) if numbers else ():
            for row in rows:
                event = decode(*row[3:])
                if isinstance(event, OrderIntended) and event.exchange == exchange and event.client_order_id in numbers:
                    found[numbers[event.client_order_id]] = event.client_order_id
    return found


def _quoted(text: str) -> str:
    """``text`` as a value in a payload, which is a string within the line of an archive."""
    return f'\\"{text}\\"'


def booked_fills(path: Path, client_order_id: str) -> list[tuple[Decimal, Decimal]]:
    """Quantity (base) and price (quote) of each fill of an order that is in the tables of the journal at ``path``, archives apart.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        rows = db.execute("SELECT qty, price FROM fill WHERE client_order_id = ?", (client_order_id,)).fetchall()
    return [(Decimal(qty), Decimal(price)) for qty, price in rows]


def _own_ids(db: sqlite3.Connection, venue_order_id: str) -> Iterator[str]:
    """The client ids of archived orders that have that number at their venue, each once: two venues may use the same."""
    found: set[str] = set()
    for rows in rows_with(db, [_quoted(venue_order_id)], _ARCHIVES):
        for row in rows:
            event = decode(*row[3:])
            if isinstance(event, OrderChanged) and event.venue_order_id == venue_order_id and event.client_order_id not in found:
                found.add(event.client_order_id)
                yield event.client_order_id


def _archived(db: sqlite3.Connection, exchange: str, client_order_id: str, trade_id: str) -> KnownOrder | None:
    """The order of archives, from its own events; those that came after them are in the event table still."""
    intent: OrderIntended | None = None
    last: OrderChanged | None = None
    is_booked = False
    for rows in rows_with(db, [_quoted(client_order_id)], _ARCHIVES):
        for row in reversed(rows):  # the newest first: what it says of the order's state counts
            event = decode(*row[3:])
            if isinstance(event, OrderIntended) and (event.client_order_id, event.exchange) == (client_order_id, exchange):
                intent = event
            elif isinstance(event, OrderChanged) and event.client_order_id == client_order_id:
                last = last or event
            elif isinstance(event, FillRecorded) and (event.fill.exchange, event.fill.trade_id) == (exchange, trade_id):
                is_booked = True
        if intent is not None:  # older archives hold nothing of it
            break
    if intent is None or last is None:  # what is not final yet is in no archive alone
        return None
    is_booked = (
        is_booked or db.execute("SELECT 1 FROM fill WHERE exchange = ? AND trade_id = ?", (exchange, trade_id)).fetchone() is not None
    )
    return KnownOrder(
        client_order_id, intent.cycle_id, intent.leg, intent.qty, last.filled_qty, last.state, last.venue_order_id, last.reason, is_booked
    )
