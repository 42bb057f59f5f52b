"""Ended cycles of earlier runs, read from a journal on disk."""

from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import CycleState
from arbtui.model.errors import UsageError
from arbtui.model.order import Side
from arbtui.portfolio.past_cycles import past_cycles
from tests.portfolio.recorded import record
from tests.portfolio.telling import Telling, fill_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": Decimal(1)}
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal("2.14"))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))


def told() -> Telling:
    """Two cycles that end hedged, one that filled nothing, and one that is open."""
    tell = Telling().start()
    tell.marks(PRICES, "day")
    for cycle_id in ("c1", "c2"):
        tell.open(cycle_id, BUY, SELL)
        tell.fill(
            cycle_id, fill_of("binance", Side.BUY, Decimal(10), Decimal("2.1"), f"b-{cycle_id}", client_order_id=f"{cycle_id}-0"), PRICES
        )
        tell.fill(
            cycle_id, fill_of("upbit", Side.SELL, Decimal(10), Decimal(3100), f"s-{cycle_id}", client_order_id=f"{cycle_id}-1"), PRICES, 1
        )
        tell.end(cycle_id)
    tell.open("c3", BUY, SELL)
    tell.end("c3")
    tell.open("c4", BUY, SELL)
    return tell


def test_the_last_ended_ones_come_oldest_first_with_their_own_orders_and_fills(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *([each.event] for each in told().told))
    found = past_cycles(path)
    assert [(one.id, one.state) for one in found] == [
        ("c1", CycleState.HEDGED), ("c2", CycleState.HEDGED), ("c3", CycleState.MISSED),
    ]  # fmt: skip
    first = found[0]
    assert (first.route, first.symbol, first.edge_bps, first.legs) == ("XRP:binance>upbit", "XRP", 10.0, (BUY, SELL))
    assert first.closed_ms is not None
    assert first.opened_ms <= first.closed_ms
    assert [(order.intent.client_order_id, order.intent.side, order.intent.qty) for order in first.orders] == [
        ("c1-0", Side.BUY, Decimal(10)), ("c1-1", Side.SELL, Decimal(10)),
    ]  # fmt: skip
    assert {order.run_id for order in first.orders} == {"r1"}
    assert [(fill.trade_id, fill.side, fill.qty, fill.price) for fill in first.fills] == [
        ("b-c1", Side.BUY, Decimal(10), Decimal("2.1")), ("s-c1", Side.SELL, Decimal(10), Decimal(3100)),
    ]  # fmt: skip
    assert first.pnl["currency"] == "USDT"
    assert Decimal(first.pnl["trading"]) == 31_000 * PRICES["KRW"] - 21
    assert found[2].fills == ()
    assert [order.intent.client_order_id for order in found[2].orders] == ["c3-0", "c3-1"]
    assert [one.id for one in past_cycles(path, 2)] == ["c2", "c3"]


def test_where_no_journal_is_nothing_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        past_cycles(tmp_path / "journal.db")
