"""A venue's ledger stays bounded: old fills become sums, exactly, and everything that can still be asked is there."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from decimal import Decimal, localcontext
from pathlib import Path

import pytest

from arbtui.journal.database import open_reader
from arbtui.model.order import Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.sandbox.order_log import OrderLog
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.simulation.ledger import APPLICATION_ID, VERSION
from arbtui.simulation.order_request import OrderRequest
from tests.simulation.worlds import World, world

KEPT, AT_ONCE = 20, 5
XRP = "KRW-XRP"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.simulation.roll_up.KEPT", KEPT)
    monkeypatch.setattr("arbtui.simulation.roll_up.AT_ONCE", AT_ONCE)


async def trade(w: World, numbers: range) -> None:
    """A buy that fills in two parts, then a sell, then one that fills nothing; with each number."""
    for number in numbers:
        w.books["upbit"].ask_levels = [(3000.0, 2.0 + number / 1000), (3001.0, 50.0 + number)]
        w.books["upbit"].bid_levels = [(2999.0, 60.0 + number)]
        for name, side, qty, price in (("b", Side.BUY, "3", "3001"), ("s", Side.SELL, "3", "2999"), ("m", Side.BUY, "3", "2990")):
            await w.upbit.core.execute(OrderRequest(f"{name}{number}", XRP, side, Decimal(qty), Decimal(price)))


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def adds_up(path: Path) -> None:
    """What was paid in, what has become sums and the fills that are left make the balances, to the last digit."""
    held: dict[tuple[object, object], Decimal] = defaultdict(Decimal)
    with localcontext(prec=60):
        for table in ("balance_change", "rolled_change"):
            for exchange, asset, change in rows(path, f"SELECT exchange, asset, change FROM {table}"):
                held[exchange, asset] += Decimal(str(change))
        for exchange, base, quote, side, *amounts, currency in rows(
            path, "SELECT exchange, base, quote, side, qty, cost, fee, fee_currency FROM venue_fill"
        ):
            qty, cost, fee = (Decimal(str(amount)) for amount in amounts)
            sign = 1 if side == "buy" else -1
            held[exchange, base] += sign * qty
            held[exchange, quote] -= sign * cost
            held[exchange, currency] -= fee
        for exchange, asset, free, locked in rows(path, "SELECT exchange, asset, free, locked FROM account"):
            assert Decimal(str(free)) + Decimal(str(locked)) == held[exchange, asset], (exchange, asset)


def count(path: Path, table: str) -> int:
    (found,) = rows(path, f"SELECT count(*) FROM {table}")
    return int(str(found[0]))


def test_the_ledger_stays_as_large_as_its_newest_fills_and_adds_up_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"

    async def main() -> None:
        ids: list[str] = []
        for life in range(3):
            async with world(path) as w:
                await trade(w, range(life * 40, life * 40 + 40))
                fills = w.upbit.core.fills_since(0)
                ids += [fill.trade_id for fill in fills if fill.trade_id not in ids]
                assert KEPT <= len(fills) < KEPT + 2 * AT_ONCE
                newest = w.upbit.core.find(f"b{life * 40 + 39}")
                assert newest is not None
                assert sum(fill.qty for fill in newest.fills) == newest.filled_qty == 3
                assert w.upbit.core.find("b0") is None

    run_virtual(main())
    adds_up(path)
    ((rolled,),) = rows(path, "SELECT fills FROM rolled_up WHERE exchange = 'upbit' AND market = 'KRW-XRP'")
    assert int(str(rolled)) + count(path, "venue_fill") == 120 * 3
    (top,) = rows(path, "SELECT max(trade_id), max(venue_order_id) FROM venue_fill")
    assert top[0] == 120 * 3, "no number was given twice"
    assert count(path, "venue_order") < KEPT + 2 * AT_ONCE
    for number, filled in rows(path, "SELECT venue_order_id, filled_qty FROM venue_order"):  # no order without all of its fills
        own = rows(path, f"SELECT qty FROM venue_fill WHERE venue_order_id = {number}")
        assert sum((Decimal(str(qty)) for (qty,) in own), Decimal(0)) == Decimal(str(filled))


def test_an_open_order_keeps_its_fills_and_all_that_came_after(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"

    async def main() -> None:
        async with world(path) as w:
            w.books["upbit"].ask_levels = [(3000.0, 2.0), (3010.0, 90.0)]
            await w.upbit.core.execute(OrderRequest("rest", XRP, Side.BUY, Decimal(5), Decimal(3000), TimeInForce.GTC))
            await trade(w, range(30))
            resting = w.upbit.core.find("rest")
            assert resting is not None
            assert (resting.filled_qty, len(resting.fills)) == (Decimal(2), 1)
            fills = w.upbit.core.fills_since(0)
            assert [int(fill.trade_id) for fill in fills] == list(range(1, len(fills) + 1))
            assert len(fills) > KEPT + 10 * AT_ONCE
            await w.upbit.core.cancel("rest")
            await trade(w, range(100, 125))
            assert len(w.upbit.core.fills_since(0)) < KEPT + 3 * AT_ONCE
            assert w.upbit.core.find("rest") is None

    run_virtual(main())
    adds_up(path)


def test_an_order_that_goes_on_numbers_from_where_it_was_though_only_sums_are_left(tmp_path: Path) -> None:
    path = tmp_path / "venue.db"

    async def main() -> None:
        async with world(path) as w:
            await trade(w, range(30))
            before = w.upbit.core.fills_since(0)[-1]
        async with world(path) as w:
            await trade(w, range(50, 51))
            after = [fill for fill in w.upbit.core.fills_since(0) if int(fill.trade_id) > int(before.trade_id)]
            assert [int(fill.trade_id) for fill in after] == [int(before.trade_id) + number for number in (1, 2, 3)]
            assert int(after[0].venue_order_id) == int(before.venue_order_id) + 2  # one that filled nothing lay between

    run_virtual(main())


def test_trades_are_named_at_the_venue_as_they_were_before_they_became_sums(tmp_path: Path) -> None:
    """What ``GET /ledger`` of the sandbox lists of Binance: numbers by symbol, over a restart."""
    path = tmp_path / "venue.db"

    def told() -> tuple[TradeNumbers, OrderLog]:
        log = OrderLog("binance", open_reader(path, APPLICATION_ID, VERSION))
        return TradeNumbers(log.fills(), log.rolled_up()), log

    async def main() -> None:
        async with world(path) as w:
            for number in range(60):
                w.books["binance"].ask_levels = [(2.14, 40.0 + number)]
                w.books["binance"].bid_levels = [(2.1399, 40.0 + number)]
                for name, side, price in (("b", Side.BUY, "2.14"), ("s", Side.SELL, "2.1399")):
                    await w.binance.core.execute(OrderRequest(f"{name}{number}", "XRPUSDT", side, Decimal(3), Decimal(price)))
            numbers, log = told()
            assert log.rolled_up() == {"XRPUSDT": 120 - len(log.fills())}
            assert KEPT <= len(log.fills()) < KEPT + 2 * AT_ONCE
            assert {numbers.of(fill) for fill in log.fills()} == set(range(log.rolled_up()["XRPUSDT"] + 1, 121))
            assert all(numbers.of(fill) == int(fill.trade_id) for fill in log.fills())

    run_virtual(main())
