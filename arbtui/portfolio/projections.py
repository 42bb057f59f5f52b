"""The tables that say what events mean, for readers from outside: written from the portfolio in each event's own transaction.

What needs no portfolio (orders, fills, runs, alerts, as they were recorded) is the journal's own
(:mod:`arbtui.journal.projections`). Both can be made anew from the events.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import islice
from pathlib import Path

import msgspec

from arbtui.journal.chain import is_chained
from arbtui.journal.database import Statement, apply_pragmas, check_identity, connect, refusal
from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    CycleEnded,
    FillRecorded,
    MarksTaken,
    Recorded,
    ResidualSettled,
    TransferArrived,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.journal.projections import statements_for
from arbtui.journal.reader import events
from arbtui.journal.schema import APPLICATION_ID, NOTED_INDEX, PROJECTION_TABLES, PROJECTIONS, USER_VERSION
from arbtui.journal.snapshots import damaged_snapshots
from arbtui.journal.sqlite_errors import SQLITE_ERRORS
from arbtui.model.errors import UsageError
from arbtui.model.money import ZERO, plain
from arbtui.portfolio.accounts import CycleAccount, amount_at
from arbtui.portfolio.portfolio import Portfolio

_BALANCE = """INSERT INTO balance (exchange, asset, total, opening, ts_ms, seq) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (exchange, asset) DO UPDATE SET total = excluded.total, opening = excluded.opening, ts_ms = excluded.ts_ms,
    seq = excluded.seq"""
_CYCLE = """UPDATE cycle SET state = ?, dust = ?, pnl = ?, settled_how = ?, settled_by = ?, settled_ms = ?, settled_reason = ?
    WHERE cycle_id = ?"""
_MARK = """INSERT INTO mark (asset, price, source, age_ms, ts_ms, seq) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (asset) DO UPDATE SET price = excluded.price, source = excluded.source, age_ms = excluded.age_ms,
    ts_ms = excluded.ts_ms, seq = excluded.seq"""


class ProjectingPortfolio:
    """Applies each event to ``portfolio`` and gives the statements that keep the tables in step: a journal's ``fold``."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio

    def __call__(self, at: Recorded) -> Sequence[Statement]:
        """Apply ``at``."""
        known = isinstance(at.event, FillRecorded) and self._knows(at.event)
        marked = len(self.portfolio.state.marks)
        self.portfolio.apply(at)
        return [] if known else list(self._statements(at, marked))

    def _knows(self, event: FillRecorded) -> bool:
        return self.portfolio.knows_fill(event.fill.exchange, event.fill.trade_id, event.cycle_id)

    def _statements(self, at: Recorded, marked: int) -> Iterator[Statement]:
        match at.event:
            case FillRecorded(fill=fill, cycle_id=cycle_id):
                yield from (self._mark(at, asset) for asset in islice(self.portfolio.state.marks, marked, None))  # their first prices
                yield from self._balances(at, fill.exchange, {fill.base: None, fill.quote: None, fill.fee_currency: None})
                cycle = self.portfolio.cycle(cycle_id)
                if cycle is not None and not cycle.is_open:
                    yield self._cycle(cycle)
            case CycleEnded(cycle_id=cycle_id) | ResidualSettled(cycle_id=cycle_id):
                cycle = self.portfolio.cycle(cycle_id)
                if cycle is not None:
                    yield self._cycle(cycle)
            case BalanceOpened(exchange=exchange, asset=asset) | Adjusted(exchange=exchange, asset=asset):
                yield from self._balances(at, exchange, (asset,))
            case Transferred(from_exchange=sender, to_exchange=receiver, asset=asset):
                yield from self._balances(at, sender, (asset,))
                yield from self._balances(at, receiver, (asset,))
            case TransferLeft(exchange=exchange, asset=asset) | TransferArrived(exchange=exchange, asset=asset):
                yield from self._balances(at, exchange, (asset,))
            case TransferSettled(transfer_id=transfer_id):
                transfer = self.portfolio.state.transfers.get(transfer_id)
                if transfer is not None:
                    yield from self._balances(at, transfer.sender, (transfer.asset,))
            case MarksTaken(marks=marks):
                yield from (self._mark(at, asset) for asset in marks)
            case _:
                pass

    def _balances(self, at: Recorded, exchange: str, assets: Iterable[str]) -> Iterator[Statement]:
        state = self.portfolio.state
        for asset in assets:
            total, opening = amount_at(state.balances, exchange, asset), amount_at(state.opening, exchange, asset)
            yield _BALANCE, (exchange, asset, plain(total), plain(opening), at.ts_ms, at.seq)

    def _mark(self, at: Recorded, asset: str) -> Statement:
        mark = self.portfolio.state.marks[asset]
        return _MARK, (asset, plain(mark.price), mark.source, mark.age_ms, at.ts_ms, at.seq)

    def _cycle(self, cycle: CycleAccount) -> Statement:
        state = self.portfolio.state
        settled = cycle.settled
        how = (None, None, None, None) if settled is None else (settled.how, settled.by, settled.ts_ms, settled.reason)
        return _CYCLE, (cycle.state.value, dust_text(cycle, state.settlement), _json(cycle_pnl(cycle, state.currency)), *how, cycle.id)


def dust_facts(cycle: CycleAccount, settlement: Sequence[str]) -> str | dict[str, str]:
    """What the fills of ``cycle`` leave untraded: too small, or kept by networks. A number where that is one asset, else by asset."""
    left = cycle.dust(settlement)
    for asset, kept in cycle.network_fees.items() if cycle.lost is None else ():
        left[asset] = left.get(asset, ZERO) + kept
    dust = {asset: plain(abs(amount)) for asset, amount in left.items()}
    return dust if len(dust) > 1 else next(iter(dust.values()), "0")


def dust_text(cycle: CycleAccount, settlement: Sequence[str]) -> str:
    """The same as text: JSON where there are several assets."""
    dust = dust_facts(cycle, settlement)
    return dust if isinstance(dust, str) else _json(dust)


def cycle_pnl(cycle: CycleAccount, currency: str) -> dict[str, str]:
    """What a cycle earned, at the marks of its fills, as ledgers print it."""
    digits = Decimal("0.00000001")
    trading, fees = cycle.trading.quantize(digits), cycle.fees.quantize(digits)
    return {"currency": currency, "total": plain(trading - fees), "trading": plain(trading), "fees": plain(fees)}


def rebuild(path: Path) -> int:
    """Throw the projections of the journal at ``path`` away, and damaged snapshots; make the former anew; the number of events.

    Nothing else may have the journal open for writing. One transaction: a crash in between changes nothing.

    Raises:
        UsageError: no journal there, not writable, or it holds events of another version.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such journal: check --profile, --mode and --state-dir")
    try:
        with closing(connect(path, isolation_level=None)) as connection:
            check_identity(connection, path, APPLICATION_ID, USER_VERSION)
            apply_pragmas(connection, synchronous="FULL")
            connection.execute("BEGIN IMMEDIATE")
            if is_chained(connection):  # the index is made from the events, too
                connection.execute("DROP INDEX IF EXISTS event_noted")
                connection.execute(NOTED_INDEX)
                for number, _ in damaged_snapshots(connection):
                    connection.execute("DELETE FROM snapshot WHERE snapshot_no = ?", (number,))
            for name in PROJECTIONS:
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            for table in PROJECTION_TABLES:
                connection.execute(table)
            fold = ProjectingPortfolio(Portfolio())
            count = 0
            for recorded in events(connection):
                for statement, values in [*statements_for(recorded), *fold(recorded)]:
                    connection.execute(statement, values)
                count += 1
            connection.execute("COMMIT")
            return count
    except (sqlite3.Error, ValueError) as error:
        if isinstance(error, SQLITE_ERRORS):
            raise refusal(path, error) from error
        raise UsageError(f"{path}: {error}: the journal is damaged; restore a backup") from error


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
