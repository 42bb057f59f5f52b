"""A restart goes on with what a running engine had: from a snapshot, or from every event, it is the same portfolio."""

import json
import sqlite3
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.failover.snapshot import StateSnapshot
from arbtui.journal.events import Event, Killed, OrderChanged, StateChanged
from arbtui.journal.journal import Journal
from arbtui.model.errors import UsageError
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import SNAPSHOT_KEY, restore
from arbtui.portfolio.state import PortfolioState
from tests.journal.sequences import histories
from tests.journal.synthetic import FixedClock, SyntheticRun, whole_run
from tests.portfolio.recorded import record
from tests.portfolio.telling import Telling, leg


def snapshot(path: Path, payload: dict[str, Any]) -> None:
    """Store ``payload`` as a running engine would, which journals it."""

    async def main() -> None:
        portfolio = restore(path)[1]
        journal = await Journal.open(path, clock=FixedClock(), door="sync")
        journal.fold = ProjectingPortfolio(portfolio)
        try:
            await journal.snapshot(payload)
        finally:
            await journal.close()

    run_virtual(main())


@settings(max_examples=60)
@given(histories(), st.data())
def test_a_dump_at_any_moment_goes_on_like_the_original(history: list[Event], data: st.DataObject) -> None:
    whole = Telling()
    whole(*history)
    at = data.draw(st.integers(0, len(history)))
    first = Telling()
    first(*history[:at])
    # Through JSON, as a snapshot is stored.
    assert json.loads(first.portfolio.encode()) == json.loads(json.dumps(first.portfolio.dump()))
    again = Portfolio.load(json.loads(first.portfolio.encode()))
    assert again.dump() == first.portfolio.dump()
    for recorded in whole.told[at:]:
        again.apply(recorded)
    assert again.dump() == whole.portfolio.dump()
    assert [cycle.id for cycle in again.open_cycles] == [cycle.id for cycle in whole.portfolio.open_cycles]
    assert {cycle.id for cycle in again.positions} == {cycle.id for cycle in whole.portfolio.positions}
    assert {order.intent.client_order_id for order in again.open_orders} == {
        order.intent.client_order_id for order in whole.portfolio.open_orders
    }


@settings(max_examples=25)
@given(histories())
def test_from_a_snapshot_on_disk_or_from_the_first_event(before: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sim" / "journal.db"  # its tip lies beside the folder it is in
        path.parent.mkdir()
        portfolio = record(path, *([event] for event in before))
        snapshot(path, StateSnapshot(portfolio.encode()).payload())
        live = record(path, [StateChanged("PAUSED", "", True)], [Killed("KEY", "", 1)])
        state, restored = restore(path)
        assert state.snapshot_seq == len(before) + 1
        assert restored.dump() == live.dump()
        with closing(sqlite3.connect(path)) as db:
            db.execute("DELETE FROM snapshot")
            db.commit()
        assert restore(path)[1].dump() == live.dump()


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {SNAPSHOT_KEY: None},
        {SNAPSHOT_KEY: "text"},
        {SNAPSHOT_KEY: {"balances": 7}},
        {SNAPSHOT_KEY: {"seq": 3, "balances": {"upbit": {"KRW": "1"}}}},  # of another moment than it says
    ],
)
def test_a_snapshot_that_cannot_be_used_is_left_aside_and_every_event_read(tmp_path: Path, payload: dict[str, Any]) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    snapshot(path, payload)
    live = record(path, [Killed("KEY", "", 1)])
    assert live.state.killed
    assert live.total("binance", "USDT") == Decimal("9982.455")
    assert restore(path)[1].dump() == live.dump()


def test_a_snapshot_that_was_folded_by_other_rules_is_left_aside(tmp_path: Path) -> None:
    """An earlier program knew nothing of what is open of a currency: to go on from there would lose it."""
    path = tmp_path / "journal.db"
    before = record(path, *whole_run()).dump()
    del before["rules"], before["open_since"]
    before["counters"]["open_fx"] = {}
    snapshot(path, {SNAPSHOT_KEY: before})
    assert restore(path)[0].snapshot_seq == before["seq"]
    assert restore(path)[1].open_amount("KRW") != ZERO


def test_everything_that_a_start_needs_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    unknown = OrderChanged("r1-3-1", OrderState.UNKNOWN, "", ZERO, "TIMEOUT")
    record(
        path,
        run.start(),
        *(run.cycle(n) for n in range(2)),
        [*run.intents(2), *run.fill(2, 0), *run.end(2)],
        [*run.intents(3), *run.fill(3, 0), unknown, StateChanged("REDUCING", "why")],
        [Killed("CLI", "enough", 2)],
    )
    state, portfolio = restore(path)
    assert (state.runs, state.is_killed, portfolio.state.killed) == (1, True, True)
    assert {
        (exchange, asset): total for exchange, held in portfolio.state.balances.items() for asset, total in held.items()
    } == run.balances
    assert {outcome.value: count for outcome, count in portfolio.state.outcomes.items()} == {"OPEN": 1, "HEDGED": 2, "RESIDUAL": 1}
    assert (portfolio.state.tally.run_id, portfolio.state.tally.opened, portfolio.state.tally.fills) == ("r1", 4, 6)
    (cycle,) = portfolio.open_cycles
    assert (cycle.id, cycle.route, cycle.symbol, cycle.edge_bps, cycle.fills) == ("r1-3", "ABC:binance>upbit", "ABC", 12.5, 1)
    assert [leg.lot for leg in cycle.legs] == [Decimal("0.001")] * 2
    assert portfolio.reserved("upbit", "ABC") == Decimal("0.3")
    # The order of the RESIDUAL cycle that never filled is open too: nobody has seen it end.
    assert [(order.intent.client_order_id, order.state.value, order.reason) for order in portfolio.open_orders] == [
        ("r1-2-1", "SENDING", ""),
        ("r1-3-1", "UNKNOWN", "TIMEOUT"),
    ]
    assert [position.id for position in portfolio.positions] == ["r1-2"]
    assert portfolio.state.routes["ABC:binance>upbit"].fills == 6
    assert {asset: mark.price for asset, mark in portfolio.state.marks.items()} == {"ABC": Decimal("20.04"), "KRW": Decimal("0.00074")}


def test_a_journal_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such journal"):
        restore(tmp_path / "journal.db")


def test_a_snapshot_of_an_older_form_is_not_gone_on_from(tmp_path: Path) -> None:
    """It lacks what the fold remembers now: every event is read instead, so that live and fold stay equal after an update."""
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    whole = restore(path)[1]
    older = whole.dump()
    for name in ("flows", "time", "transfers", "volatility", "rebalance_spent"):
        del older[name]
    snapshot(path, {SNAPSHOT_KEY: older})
    found = restore(path)[1]
    assert {**found.dump(), "seq": 0} == {**whole.dump(), "seq": 0}
    assert found.state.flows


def test_a_snapshot_of_an_earlier_version_is_not_taken_for_what_that_did_not_count() -> None:
    """It lacks the cycles since a person did anything: only the events tell how many there were."""
    tell = Telling().start()
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(1), Decimal(2)), value=2.0)
    dumped = tell.portfolio.dump()
    assert Portfolio.load(dumped).state.unattended == tell.portfolio.state.unattended == 1
    del dumped["unattended"]
    with pytest.raises(ValueError, match="an earlier version wrote it, without unattended"):
        Portfolio.load(dumped)


def test_a_portfolio_that_was_told_nothing_knows_nothing() -> None:
    state = PortfolioState()
    assert (state.seq, state.rules, state.unattended, state.run_started, state.killed) == (0, 1, 0, False, False)
    assert state.state == "DISARMED"
    assert state.rebalance_spent == state.settled_value == 0
    assert (state.tally.opened, state.tally.fills) == (0, 0)
