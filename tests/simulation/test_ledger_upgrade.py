"""A ledger that an earlier version wrote opens with everything in it, and can do what is new."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.ledger import APPLICATION_ID, VERSION
from arbtui.simulation.order_request import OrderRequest
from tests.simulation.worlds import FUNDS, world

#: As version 1 made it, with one filled and one refused order.
_VERSION_1 = f"""
CREATE TABLE account (exchange TEXT NOT NULL, asset TEXT NOT NULL, free TEXT NOT NULL, PRIMARY KEY (exchange, asset)) WITHOUT ROWID;
CREATE TABLE balance_change (
    id INTEGER PRIMARY KEY, exchange TEXT NOT NULL, asset TEXT NOT NULL, change TEXT NOT NULL, reason TEXT NOT NULL,
    trade_id TEXT NOT NULL, ts_ms INTEGER NOT NULL);
CREATE TABLE venue_order (
    exchange TEXT NOT NULL, client_order_id TEXT NOT NULL, venue_order_id INTEGER NOT NULL, market TEXT NOT NULL,
    side TEXT NOT NULL, qty TEXT NOT NULL, price TEXT NOT NULL, state TEXT NOT NULL, filled_qty TEXT NOT NULL,
    reason TEXT NOT NULL, ts_ms INTEGER NOT NULL, PRIMARY KEY (exchange, client_order_id)) WITHOUT ROWID;
CREATE TABLE venue_fill (
    exchange TEXT NOT NULL, trade_id INTEGER NOT NULL, client_order_id TEXT NOT NULL, venue_order_id INTEGER NOT NULL,
    market TEXT NOT NULL, base TEXT NOT NULL, quote TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL,
    price TEXT NOT NULL, cost TEXT NOT NULL, fee TEXT NOT NULL, fee_currency TEXT NOT NULL, liquidity TEXT NOT NULL,
    ts_event INTEGER NOT NULL, PRIMARY KEY (exchange, trade_id)) WITHOUT ROWID;
CREATE INDEX venue_fill_by_order ON venue_fill (exchange, client_order_id);
CREATE INDEX venue_fill_by_time ON venue_fill (exchange, ts_event);
INSERT INTO account VALUES ('upbit', 'KRW', '969985'), ('upbit', 'XRP', '510'), ('binance', 'USDT', '1000'), ('binance', 'XRP', '500');
INSERT INTO venue_order VALUES
    ('upbit', 'z1', 1, 'KRW-XRP', 'buy', '10', '3000', 'FILLED', '10', '', 5),
    ('upbit', 'b2', 2, 'KRW-XRP', 'buy', '1', '3000', 'REJECTED', '0', 'MIN_COST', 6);
INSERT INTO venue_fill VALUES
    ('upbit', 1, 'z1', 1, 'KRW-XRP', 'XRP', 'KRW', 'buy', '10', '3000', '30000', '15', 'KRW', 'taker', 5);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = 1;
"""


def test_a_ledger_of_version_1_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(_VERSION_1)

    async def main() -> None:
        for _ in range(2):  # the second time there is nothing to do
            async with world(path) as w:
                core = w.upbit.core
                assert core.balances() == {"KRW": Balance(Decimal(969_985)), "XRP": Balance(Decimal(510))}
                assert core.open_orders() == ()
                filled, refused = core.find("z1"), core.find("b2")
                assert filled is not None
                assert refused is not None
                assert (filled.state, filled.filled_qty, len(filled.fills)) == (OrderState.FILLED, Decimal(10), 1)
                assert (refused.state, refused.reason) == (OrderState.REJECTED, "MIN_COST")
        async with world(path) as w:
            made = await w.upbit.core.execute(OrderRequest("a3", "KRW-XRP", Side.SELL, Decimal(10), Decimal(3005), TimeInForce.GTC))
            assert made.venue_order_id == "3"
            assert w.upbit.core.balances()["XRP"] == Balance(Decimal(500), Decimal(10))
        assert FUNDS["upbit"]["XRP"] == 500

    run_virtual(main())
    with closing(sqlite3.connect(path)) as now:
        assert now.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(_VERSION_1 + "CREATE TABLE venue_order_1 (in_the_way TEXT);")
        before = list(old.iterdump())

    async def main() -> None:
        async with world(path):
            raise AssertionError("it opened")

    with pytest.raises(UsageError, match=r"venue\.db"):
        run_virtual(main())
    with closing(sqlite3.connect(path)) as after:
        assert list(after.iterdump()) == before
        assert after.execute("PRAGMA user_version").fetchone() == (1,)
