"""The venues' own durable ledger, ``venue.db``: the truth at the venue, never our journal."""

import sqlite3
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, localcontext
from pathlib import Path

from arbtui.exchanges.adapter import OrderReport
from arbtui.journal.database import open_reader, refusal
from arbtui.journal.store import Door, Statement, Writer, open_writer
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, OrderState, Side

APPLICATION_ID = 0x41525656  #: "ARVV"
VERSION = 1

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS account (
        exchange TEXT NOT NULL, asset TEXT NOT NULL, free TEXT NOT NULL, PRIMARY KEY (exchange, asset)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS balance_change (
        id INTEGER PRIMARY KEY, exchange TEXT NOT NULL, asset TEXT NOT NULL, change TEXT NOT NULL, reason TEXT NOT NULL,
        trade_id TEXT NOT NULL, ts_ms INTEGER NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS venue_order (
        exchange TEXT NOT NULL, client_order_id TEXT NOT NULL, venue_order_id INTEGER NOT NULL, market TEXT NOT NULL,
        side TEXT NOT NULL, qty TEXT NOT NULL, price TEXT NOT NULL, state TEXT NOT NULL, filled_qty TEXT NOT NULL,
        reason TEXT NOT NULL, ts_ms INTEGER NOT NULL, PRIMARY KEY (exchange, client_order_id)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS venue_fill (
        exchange TEXT NOT NULL, trade_id INTEGER NOT NULL, client_order_id TEXT NOT NULL, venue_order_id INTEGER NOT NULL,
        market TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL,
        price TEXT NOT NULL, cost TEXT NOT NULL, fee TEXT NOT NULL, fee_currency TEXT NOT NULL, liquidity TEXT NOT NULL,
        ts_event INTEGER NOT NULL, PRIMARY KEY (exchange, trade_id)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS venue_fill_by_order ON venue_fill (exchange, client_order_id)",
    "CREATE INDEX IF NOT EXISTS venue_fill_by_time ON venue_fill (exchange, ts_event)",
)

_FILL_COLUMNS = (
    "trade_id, client_order_id, venue_order_id, market, base, quote, side, qty, price, cost, fee, fee_currency, liquidity, ts_event"
)
#: Sums of balances are exact: 60 digits hold any amount of KRW with any number of decimals a fee or cost can have.
_EXACT = Context(prec=60)


class VenueLedger:
    """Balances, orders and fills of all paper venues of one mode. One writer; everything is committed before it is told."""

    def __init__(self, writer: Writer, reader: sqlite3.Connection) -> None:
        self._writer = writer
        self._reader = reader
        self._free: dict[str, dict[str, Decimal]] = {}
        for exchange, asset, free in reader.execute("SELECT exchange, asset, free FROM account ORDER BY exchange, asset"):
            self._free.setdefault(exchange, {})[asset] = Decimal(free)

    @classmethod
    async def open(cls, path: Path, door: Door) -> "VenueLedger":
        """Open or create the file at ``path``.

        Raises:
            UsageError: the file cannot be used; the message says why and what to do.
        """
        writer = await open_writer(path, SCHEMA, door, application_id=APPLICATION_ID, user_version=VERSION)
        try:
            return cls(writer, open_reader(path, APPLICATION_ID, VERSION))
        except sqlite3.Error as error:  # damaged inside: it opened all the same
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
        """What can be spent of ``asset`` at ``exchange`` at this instant."""
        return self._free.get(exchange, {}).get(asset, ZERO)

    async def deposit(self, exchange: str, amounts: Mapping[str, Decimal], reason: str, ts_ms: int) -> None:
        """Add to (or, negative, take from) balances from outside; returns when it is durable."""
        changes = [(asset, amount, reason, "") for asset, amount in amounts.items()]
        await self.commit(self.change_balances(exchange, changes, ts_ms))

    def change_balances(self, exchange: str, changes: Iterable[tuple[str, Decimal, str, str]], ts_ms: int) -> list[Statement]:
        """Move balances in memory; the statements that make it durable. ``changes``: (asset, change, reason, trade id)."""
        accounts = self._free.setdefault(exchange, {})
        statements: list[Statement] = []
        touched: dict[str, None] = {}
        with localcontext(_EXACT):
            for asset, change, reason, trade_id in changes:
                accounts[asset] = accounts.get(asset, ZERO) + change
                touched[asset] = None
                statements.append(
                    (
                        "INSERT INTO balance_change (exchange, asset, change, reason, trade_id, ts_ms) VALUES (?, ?, ?, ?, ?, ?)",
                        (exchange, asset, plain(change), reason, trade_id, ts_ms),
                    )
                )
        statements += [("INSERT OR REPLACE INTO account VALUES (?, ?, ?)", (exchange, asset, plain(accounts[asset]))) for asset in touched]
        return statements

    async def commit(self, statements: list[Statement]) -> None:
        """Make ``statements`` durable, all or none.

        Raises:
            JournalFailed: the disk or SQLite refused; this ledger refuses everything from then on.
        """
        await self._writer.commit(statements)

    def last_ids(self, exchange: str) -> tuple[int, int]:
        """The greatest venue order id and trade id given out so far; 0 when none."""
        order = self._reader.execute("SELECT max(venue_order_id) FROM venue_order WHERE exchange = ?", (exchange,)).fetchone()[0]
        trade = self._reader.execute("SELECT max(trade_id) FROM venue_fill WHERE exchange = ?", (exchange,)).fetchone()[0]
        return order or 0, trade or 0

    def order(self, exchange: str, client_order_id: str) -> OrderReport | None:
        """A committed order with its fills, or None."""
        row = self._reader.execute(
            "SELECT venue_order_id, state, filled_qty, reason FROM venue_order WHERE exchange = ? AND client_order_id = ?",
            (exchange, client_order_id),
        ).fetchone()
        if row is None:
            return None
        fills = self._fills(exchange, "client_order_id = ?", client_order_id)
        return OrderReport(exchange, client_order_id, str(row[0]), OrderState(row[1]), Decimal(row[2]), tuple(fills), row[3])

    def fills_since(self, exchange: str, since_ms: int) -> list[Fill]:
        """Committed fills with ``ts_event >= since_ms``, oldest first."""
        return self._fills(exchange, "ts_event >= ?", since_ms)

    def balances(self, exchange: str) -> dict[str, Balance]:
        """Committed balances by asset."""
        rows = self._reader.execute("SELECT asset, free FROM account WHERE exchange = ? ORDER BY asset", (exchange,))
        return {asset: Balance(Decimal(free)) for asset, free in rows}

    def _fills(self, exchange: str, where: str, value: object) -> list[Fill]:
        sql = f"SELECT {_FILL_COLUMNS} FROM venue_fill WHERE exchange = ? AND {where} ORDER BY ts_event, trade_id"
        return [_fill(exchange, row) for row in self._reader.execute(sql, (exchange, value))]


def order_statement(exchange: str, report: OrderReport, market: str, side: Side, qty: Decimal, price: Decimal, ts_ms: int) -> Statement:
    """The statement that records an order with its final state."""
    ids: tuple[object, ...] = (exchange, report.client_order_id, int(report.venue_order_id), market)
    what: tuple[object, ...] = (side.value, plain(qty), plain(price))
    outcome: tuple[object, ...] = (report.state.value, plain(report.filled_qty), report.reason, ts_ms)
    return "INSERT INTO venue_order VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ids + what + outcome


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
