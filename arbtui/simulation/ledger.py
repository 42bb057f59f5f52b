"""The venues' own durable ledger, ``venue.db``: independent of our journal."""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal, localcontext
from functools import partial
from pathlib import Path

from arbtui.journal.database import Statement, open_reader, refusal
from arbtui.journal.sqlite_errors import SQLITE_ERRORS
from arbtui.journal.store import Door, Writer, open_writer
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, OrderState, Side, TimeInForce
from arbtui.simulation.roll_up import SCHEMA as ROLLED_UP
from arbtui.simulation.roll_up import RollUp
from arbtui.simulation.stored_fills import StoredFills
from arbtui.simulation.venue_order import VenueOrder

APPLICATION_ID = 0x41525656  #: "ARVV"
VERSION = 3

_ORDERS = """CREATE TABLE IF NOT EXISTS venue_order (
        exchange TEXT NOT NULL, venue_order_id INTEGER NOT NULL, client_order_id TEXT NOT NULL, market TEXT NOT NULL,
        side TEXT NOT NULL, qty TEXT NOT NULL, price TEXT NOT NULL, tif TEXT NOT NULL, ts_ms INTEGER NOT NULL, state TEXT NOT NULL,
        filled_qty TEXT NOT NULL, reason TEXT NOT NULL, locked_asset TEXT NOT NULL, locked TEXT NOT NULL, ahead TEXT NOT NULL,
        exact_fees TEXT NOT NULL, PRIMARY KEY (exchange, venue_order_id)) WITHOUT ROWID"""

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS account (
        exchange TEXT NOT NULL, asset TEXT NOT NULL, free TEXT NOT NULL, locked TEXT NOT NULL DEFAULT '0',
        PRIMARY KEY (exchange, asset)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS balance_change (
        id INTEGER PRIMARY KEY, exchange TEXT NOT NULL, asset TEXT NOT NULL, change TEXT NOT NULL, reason TEXT NOT NULL,
        trade_id TEXT NOT NULL, ts_ms INTEGER NOT NULL)""",
    _ORDERS,
    """CREATE TABLE IF NOT EXISTS venue_fill (
        exchange TEXT NOT NULL, trade_id INTEGER NOT NULL, client_order_id TEXT NOT NULL, venue_order_id INTEGER NOT NULL,
        market TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL,
        price TEXT NOT NULL, cost TEXT NOT NULL, fee TEXT NOT NULL, fee_currency TEXT NOT NULL, liquidity TEXT NOT NULL,
        ts_event INTEGER NOT NULL, PRIMARY KEY (exchange, trade_id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS venue_order_by_client_id ON venue_order (exchange, client_order_id, venue_order_id)",
    "CREATE INDEX IF NOT EXISTS venue_order_open ON venue_order (exchange) WHERE state IN ('ACCEPTED', 'PARTIALLY_FILLED')",
    "CREATE INDEX IF NOT EXISTS venue_fill_of_order ON venue_fill (exchange, venue_order_id)",
    "CREATE INDEX IF NOT EXISTS venue_fill_by_time ON venue_fill (exchange, ts_event)",
    *ROLLED_UP,
)

#: Version 1 knew immediate orders only, one for each client id, and had nothing locked; 2 wrote down what each fill moved.
UPGRADES = {
    1: (
        "ALTER TABLE account ADD COLUMN locked TEXT NOT NULL DEFAULT '0'",
        "ALTER TABLE venue_order RENAME TO venue_order_1",
        _ORDERS,
        """INSERT INTO venue_order SELECT exchange, venue_order_id, client_order_id, market, side, qty, price, 'ioc', ts_ms, state,
            filled_qty, reason, '', '0', '0', '0' FROM venue_order_1""",
        "DROP TABLE venue_order_1",
        "DROP INDEX venue_fill_by_order",
    ),
    2: ("DELETE FROM balance_change WHERE trade_id <> ''",),
}

_ORDER_COLUMNS = (
    "venue_order_id, client_order_id, market, side, qty, price, tif, ts_ms, state, filled_qty, reason, "
    "locked_asset, locked, ahead, exact_fees"
)
_FILL_COLUMNS = (
    "trade_id, client_order_id, venue_order_id, market, base, quote, side, qty, price, cost, fee, fee_currency, liquidity, ts_event"
)
#: Sums of balances are exact: 60 digits hold any amount of KRW with any number of decimals a fee or cost can have.
_EXACT = Context(prec=60)


#: Explicit: SQLite would otherwise choose the primary key and scan all of an exchange's orders, or fills, for one.
BY_CLIENT_ID = "INDEXED BY venue_order_by_client_id"
OF_ORDER = "INDEXED BY venue_fill_of_order"


class VenueLedger:
    """Balances, orders and fills of all paper venues of one mode. One writer; everything is committed before it is reported."""

    def __init__(self, writer: Writer, reader: sqlite3.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._free: dict[str, dict[str, Decimal]] = {}
        self._locked: dict[str, dict[str, Decimal]] = {}
        self._rolled: dict[str, RollUp] = {}
        for exchange, asset, free, locked in reader.execute("SELECT exchange, asset, free, locked FROM account ORDER BY exchange, asset"):
            self._free.setdefault(exchange, {})[asset] = Decimal(free)
            self._locked.setdefault(exchange, {})[asset] = Decimal(locked)

    @classmethod
    async def open(cls, path: Path, door: Door) -> "VenueLedger":
        """Open or create the file at ``path``.

        Raises:
            UsageError: the file cannot be used; the message says why and what to do.
        """
        writer = await open_writer(path, SCHEMA, door, application_id=APPLICATION_ID, user_version=VERSION, upgrades=UPGRADES)
        try:
            return cls(writer, open_reader(path, APPLICATION_ID, VERSION))
        except SQLITE_ERRORS as error:  # damaged inside, though it could be opened
            await writer.close()
            raise refusal(path, error) from error

    async def close(self) -> None:
        """Write what is queued and close the file."""
        self._reader.close()
        await self._writer.close()

    def has_held(self, exchange: str, asset: str) -> bool:
        """True when ``asset`` was ever paid in or traded at this venue, also when none is left."""
        return asset in self._free.get(exchange, {})

    def free(self, exchange: str, asset: str) -> Decimal:
        """The free balance of ``asset`` at ``exchange`` at this instant."""
        return self._free.get(exchange, {}).get(asset, ZERO)

    def booked_ms(self, exchange: str, reason: str) -> int | None:
        """When a change of a balance was booked for ``reason``, in ms; None where none was."""
        sql = "SELECT ts_ms FROM balance_change WHERE exchange = ? AND reason = ? ORDER BY id DESC LIMIT 1"
        row = self._reader.execute(sql, (exchange, reason)).fetchone()
        return None if row is None else int(row[0])

    async def deposit(self, exchange: str, amounts: Mapping[str, Decimal], reason: str, ts_ms: int) -> None:
        """Book a deposit (negative: a withdrawal); returns when it is durable."""
        changes = [(asset, amount, reason, "") for asset, amount in amounts.items()]
        await self.commit(self.change_balances(exchange, changes, ts_ms))

    def change_balances(
        self,
        exchange: str,
        changes: Iterable[tuple[str, Decimal, str, str]],
        ts_ms: int,
        locks: Iterable[tuple[str, Decimal]] = (),
    ) -> list[Statement]:
        """Change balances in memory; the statements that make the change durable.

        ``changes``: (asset, change of the free amount, reason, trade id). ``locks``: (asset, amount moved from free to
        locked; negative: back), which changes no total and so has no row of its own. What a trade moves has none either: its
        fill tells it.
        """
        free = self._free.setdefault(exchange, {})
        locked = self._locked.setdefault(exchange, {})
        statements: list[Statement] = []
        touched: dict[str, None] = {}
        with localcontext(_EXACT):
            for asset, amount in locks:
                free[asset] = free.get(asset, ZERO) - amount
                locked[asset] = locked.get(asset, ZERO) + amount
                touched[asset] = None
            for asset, change, reason, trade_id in changes:
                free[asset] = free.get(asset, ZERO) + change
                touched[asset] = None
                if trade_id:
                    continue
                statements.append(
                    (
                        "INSERT INTO balance_change (exchange, asset, change, reason, trade_id, ts_ms) VALUES (?, ?, ?, ?, ?, ?)",
                        (exchange, asset, plain(change), reason, trade_id, ts_ms),
                    )
                )
        for asset in touched:
            amounts = (plain(free[asset]), plain(locked.get(asset, ZERO)))
            statements.append(("INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?)", (exchange, asset, *amounts)))
        return statements

    async def commit(self, statements: list[Statement]) -> None:
        """Make ``statements`` durable, all or none.

        Raises:
            JournalFailed: the disk or SQLite refused; this ledger refuses everything from then on.
        """
        await self._writer.commit(statements)

    def post(self, statements: list[Statement]) -> None:
        """Queue ``statements`` in order; they are durable when a later :meth:`commit` returns, which also raises their failure."""
        self._writer.post(statements, lambda _: None)

    def roll_up(self, exchange: str, last_trade_id: int) -> list[Statement]:
        """What makes sums of the oldest fills and orders, where there are more than stay; for the next transaction."""
        rolled = self._rolled.get(exchange)
        if rolled is None:
            rolled = self._rolled[exchange] = RollUp(exchange, self._reader)
        return list(rolled.statements(last_trade_id, self._fills_between)) if rolled.due(last_trade_id) else []

    def _fills_between(self, exchange: str, after: int, last: int) -> list[Fill]:
        sql = f"SELECT {_FILL_COLUMNS} FROM venue_fill WHERE exchange = ? AND trade_id > ? AND trade_id <= ? ORDER BY trade_id"
        return [_fill(exchange, row) for row in self._reader.execute(sql, (exchange, after, last))]

    def last_ids(self, exchange: str) -> tuple[int, int]:
        """The greatest venue order id and trade id used so far; 0 when none."""
        order = self._reader.execute("SELECT max(venue_order_id) FROM venue_order WHERE exchange = ?", (exchange,)).fetchone()[0]
        trade = self._reader.execute("SELECT max(trade_id) FROM venue_fill WHERE exchange = ?", (exchange,)).fetchone()[0]
        return order or 0, trade or 0

    @contextmanager
    def one_view(self) -> Iterator[None]:
        """A read transaction, consistent though the writer goes on: no order without its fills, no fill before its order."""
        self._reader.execute("BEGIN")
        try:
            yield
        finally:
            self._reader.execute("COMMIT")

    def order(self, exchange: str, client_order_id: str) -> VenueOrder | None:
        """The newest committed order of ``client_order_id``, or None."""
        found = self._orders(exchange, "client_order_id = ? ORDER BY venue_order_id DESC LIMIT 1", client_order_id, index=BY_CLIENT_ID)
        return found[0] if found else None

    def order_by_id(self, exchange: str, venue_order_id: int) -> VenueOrder | None:
        """A committed order, or None."""
        found = self._orders(exchange, "venue_order_id = ?", venue_order_id)
        return found[0] if found else None

    def open_orders(self, exchange: str) -> list[VenueOrder]:
        """Committed orders that rest, oldest first."""
        return self._orders(exchange, "state IN ('ACCEPTED', 'PARTIALLY_FILLED') ORDER BY venue_order_id")

    def fills_of(self, exchange: str, venue_order_id: int) -> list[Fill]:
        """Committed fills of one order, oldest first."""
        sql = f"SELECT {_FILL_COLUMNS} FROM venue_fill {OF_ORDER} WHERE exchange = ? AND venue_order_id = ? ORDER BY ts_event, trade_id"
        return [_fill(exchange, row) for row in self._reader.execute(sql, (exchange, venue_order_id))]

    def fills_since(self, exchange: str, since_ms: int) -> Sequence[Fill]:
        """Fills with ``ts_event >= since_ms`` that are committed now, oldest first; read as they are gone through."""
        sql = "SELECT trade_id FROM venue_fill WHERE exchange = ? AND ts_event >= ? ORDER BY ts_event, trade_id"
        trade_ids = array("q", (trade_id for (trade_id,) in self._reader.execute(sql, (exchange, since_ms))))
        return StoredFills(trade_ids, partial(self._fills_between, exchange)) if trade_ids else []

    def balances(self, exchange: str) -> dict[str, Balance]:
        """Committed balances by asset."""
        rows = self._reader.execute("SELECT asset, free, locked FROM account WHERE exchange = ? ORDER BY asset", (exchange,))
        return {asset: Balance(Decimal(free), Decimal(locked)) for asset, free, locked in rows}

    def _orders(self, exchange: str, where: str, *values: object, index: str = "") -> list[VenueOrder]:
        sql = f"SELECT {_ORDER_COLUMNS} FROM venue_order {index} WHERE exchange = ? AND {where}"
        return [_order(row) for row in self._reader.execute(sql, (exchange, *values))]


def order_statement(exchange: str, order: VenueOrder) -> Statement:
    """The statement that records an order as it is now, new or changed."""
    ids: tuple[object, ...] = (exchange, order.venue_order_id, order.client_order_id, order.code)
    what: tuple[object, ...] = (order.side.value, plain(order.qty), plain(order.price), order.tif.value, order.ts_ms)
    outcome: tuple[object, ...] = (order.state.value, plain(order.filled_qty), order.reason)
    rest: tuple[object, ...] = (order.locked_asset, plain(order.locked), plain(order.ahead), plain(order.exact_fees))
    return "INSERT OR REPLACE INTO venue_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ids + what + outcome + rest


def fill_statement(fill: Fill) -> Statement:
    """The statement that records a fill."""
    ids: tuple[object, ...] = (fill.exchange, int(fill.trade_id), fill.client_order_id, int(fill.venue_order_id), fill.market)
    what: tuple[object, ...] = (fill.base, fill.quote, fill.side.value, plain(fill.qty), plain(fill.price), plain(fill.cost))
    fee: tuple[object, ...] = (plain(fill.fee), fill.fee_currency, fill.liquidity, fill.ts_event)
    return "INSERT INTO venue_fill VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ids + what + fee


def _fill(exchange: str, row: tuple[int, str, int, str, str, str, str, str, str, str, str, str, str, int]) -> Fill:
    trade_id, client_order_id, venue_order_id, market, base, quote, side, qty, price, cost, fee, fee_currency, liquidity, ts = row
    money = (Decimal(qty), Decimal(price), Decimal(cost), Decimal(fee))
    ids = (exchange, str(trade_id), client_order_id, str(venue_order_id), market, base, quote)
    return Fill(*ids, Side(side), *money, fee_currency, liquidity, ts)


def _order(row: tuple[int, str, str, str, str, str, str, int, str, str, str, str, str, str, str]) -> VenueOrder:
    venue_order_id, client_order_id, market, side, qty, price, tif, ts_ms, state, filled, reason, asset, locked, ahead, fees = row
    return VenueOrder(
        client_order_id,
        venue_order_id,
        market,
        Side(side),
        Decimal(qty),
        Decimal(price),
        TimeInForce(tif),
        ts_ms,
        OrderState(state),
        Decimal(filled),
        reason,
        asset,
        Decimal(locked),
        Decimal(ahead),
        Decimal(fees),
    )
