"""Whether a journal knows an order, of whichever run: for one that a venue tells of and this run has not sent."""

from pathlib import Path

from arbtui.journal.archives import holds_text
from arbtui.journal.reader import reading

_ARCHIVES = 20  #: some 400,000 events, read in half a second; an order from before those would be nobody's


def knows_order(path: Path, exchange: str, client_order_id: str, venue_order_id: str) -> bool:
    """Whether the journal at ``path`` holds the intent of an order. Without a client id it is found by the venue's own id.

    With one it is looked for in the newest archives, too.

    Raises:
        UsageError: as :func:`arbtui.journal.state.load`.
    """
    with reading(path) as db:
        if client_order_id:
            row = db.execute("SELECT 1 FROM order_ WHERE client_order_id = ?", (client_order_id,)).fetchone()
        else:
            row = db.execute("SELECT 1 FROM order_ WHERE exchange = ? AND venue_order_id = ?", (exchange, venue_order_id)).fetchone()
        return row is not None or (bool(client_order_id) and holds_text(db, f'\\"{client_order_id}\\"', _ARCHIVES))
