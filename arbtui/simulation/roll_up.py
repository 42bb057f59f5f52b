"""Old fills and orders of a venue become sums: ``venue.db`` stays as large as its newest fills make it.

A fill's movements follow from it, so its row is all that is kept of it; beyond :data:`KEPT` of a venue the oldest are added to
``rolled_change`` (by asset, exact) and counted in ``rolled_up`` (by market), and go with their orders. Trades are numbered one
after the other, so their ids are still known: those of ``GET /ledger`` stay all that ever were.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from decimal import Context, Decimal, localcontext

from arbtui.journal.database import Statement
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill
from arbtui.simulation.settlement import balance_changes

#: Fills of a venue that stay; with their orders about 7 MB.
KEPT = 20_000
#: So many become sums at once, once so many more are there: a ms or two of the loop, and little to write.
AT_ONCE = 200

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS rolled_up (exchange TEXT NOT NULL, market TEXT NOT NULL, fills INTEGER NOT NULL, "
    "PRIMARY KEY (exchange, market)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS rolled_change (exchange TEXT NOT NULL, asset TEXT NOT NULL, change TEXT NOT NULL, "
    "PRIMARY KEY (exchange, asset)) WITHOUT ROWID",
)
_OPEN = "state IN ('ACCEPTED', 'PARTIALLY_FILLED')"
#: The first fill up to a limit whose order is open, or has filled beyond the limit: an order's fills stay together.
_BOUND_TO_LATER = f"""SELECT min(trade_id) FROM venue_fill AS old WHERE exchange = :exchange AND trade_id <= :limit AND (
    EXISTS (SELECT 1 FROM venue_fill AS late INDEXED BY venue_fill_of_order
        WHERE late.exchange = old.exchange AND late.venue_order_id = old.venue_order_id AND late.trade_id > :limit)
    OR EXISTS (SELECT 1 FROM venue_order AS placed
        WHERE placed.exchange = old.exchange AND placed.venue_order_id = old.venue_order_id AND placed.{_OPEN}))"""
_DROP_ORDERS = f"""DELETE FROM venue_order WHERE exchange = ? AND venue_order_id <= ? AND NOT {_OPEN}
    AND venue_order_id < (SELECT max(venue_order_id) FROM venue_order WHERE exchange = ?)
    AND NOT EXISTS (SELECT 1 FROM venue_fill INDEXED BY venue_fill_of_order
        WHERE venue_fill.exchange = venue_order.exchange AND venue_fill.venue_order_id = venue_order.venue_order_id)"""
_EXACT = Context(prec=60)


#: Fills of an exchange with a trade id above the first number, up to the second.
Reading = Callable[[str, int, int], Sequence[Fill]]


class RollUp:
    """What has become sums at one venue."""

    def __init__(self, exchange: str, reader: sqlite3.Connection) -> None:
        self._exchange = exchange
        self._reader = reader
        counted = reader.execute("SELECT market, fills FROM rolled_up WHERE exchange = ?", (exchange,))
        self.fills: dict[str, int] = dict(counted)  #: by market
        rows = reader.execute("SELECT asset, change FROM rolled_change WHERE exchange = ?", (exchange,))
        self._changes = {asset: Decimal(change) for asset, change in rows}
        self.last: int = sum(self.fills.values())  #: the greatest trade id that is no row any more

    def due(self, last_trade_id: int) -> bool:
        """Whether there are fills enough beyond those that stay."""
        return last_trade_id - self.last >= KEPT + AT_ONCE

    def statements(self, last_trade_id: int, read: Reading) -> Iterator[Statement]:
        """What makes sums of the oldest fills; nothing where an order that is open, or filled later, holds them."""
        limit = min(self.last + AT_ONCE, last_trade_id - KEPT)
        while (bound := self._reader.execute(_BOUND_TO_LATER, {"exchange": self._exchange, "limit": limit}).fetchone()[0]) is not None:
            limit = bound - 1
        old = read(self._exchange, self.last, limit)
        if len(old) != limit - self.last or not old:  # not committed yet, or held
            return
        markets: dict[str, None] = {}
        assets: dict[str, None] = {}
        with localcontext(_EXACT):
            for fill in old:
                markets[fill.market] = None
                self.fills[fill.market] = self.fills.get(fill.market, 0) + 1
                for asset, change, _, _ in balance_changes(fill):
                    assets[asset] = None
                    self._changes[asset] = self._changes.get(asset, ZERO) + change
        self.last = limit
        for market in markets:
            yield "INSERT OR REPLACE INTO rolled_up VALUES (?, ?, ?)", (self._exchange, market, self.fills[market])
        for asset in assets:
            yield "INSERT OR REPLACE INTO rolled_change VALUES (?, ?, ?)", (self._exchange, asset, plain(self._changes[asset]))
        yield "DELETE FROM venue_fill WHERE exchange = ? AND trade_id <= ?", (self._exchange, limit)
        yield _DROP_ORDERS, (self._exchange, max(int(fill.venue_order_id) for fill in old), self._exchange)
