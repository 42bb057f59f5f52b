"""Events alone say everything: tables and portfolio made anew from them are the same, row for row, and a fill counts once."""

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    CycleEnded,
    CycleOpened,
    Event,
    FillRecorded,
    Killed,
    Mark,
    MarksTaken,
    Recorded,
    ResidualSettled,
    RunStarted,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.journal.schema import PROJECTIONS, USER_VERSION
from arbtui.model.errors import UsageError
from arbtui.model.money import ONE
from arbtui.model.order import Side
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import ProjectingPortfolio, rebuild
from arbtui.portfolio.restore import restore
from tests.journal.recorded import insert_event, tables, tamper
from tests.journal.sequences import histories
from tests.journal.synthetic import SyntheticRun, whole_run
from tests.portfolio.recorded import record
from tests.portfolio.telling import Telling, fill_of, leg


@settings(max_examples=60)
@given(histories())
def test_rebuilding_from_the_events_alone_gives_the_portfolio_and_every_row_again(history: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sim" / "journal.db"  # its tip lies beside the folder it is in
        path.parent.mkdir()
        portfolio = record(path, *([event] for event in history))
        live = tables(path)
        assert rebuild(path) == len(history) + 1
        assert tables(path) == live
        assert restore(path)[1].dump() == portfolio.dump()


def test_the_tables_say_what_the_portfolio_says(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    portfolio = record(path, run.start(), run.cycle(0), run.intents(1), run.fill(1, 0), run.end(1), run.intents(2), run.fill(2, 0))
    with closing(sqlite3.connect(path)) as db:
        cycles = db.execute("SELECT cycle_id, state, dust FROM cycle ORDER BY seq").fetchall()
        balances = {(exchange, asset): total for exchange, asset, total in db.execute("SELECT exchange, asset, total FROM balance")}
        opening = {(exchange, asset): total for exchange, asset, total in db.execute("SELECT exchange, asset, opening FROM balance")}
        marks = dict(db.execute("SELECT asset, price FROM mark").fetchall())
        (pnl,) = db.execute("SELECT pnl FROM cycle WHERE cycle_id = 'r1-0'").fetchone()
    assert cycles == [("r1-0", "HEDGED", "0.0003"), ("r1-1", "RESIDUAL", "0"), ("r1-2", "OPEN", "0")]
    assert {place: run.balances[place] for place in balances} == {
        (exchange, asset): portfolio.total(exchange, asset) for exchange, asset in balances
    }
    assert all(msgspec.convert(total, type(run.balances[place]), strict=False) == run.balances[place] for place, total in balances.items())
    assert opening == {(exchange, asset): str(total) for (exchange, asset), total in SyntheticRun().balances.items()}
    assert marks == {"ABC": "20.04", "KRW": "0.00074"}
    assert set(msgspec.json.decode(pnl)) == {"currency", "total", "trading", "fees"}


def test_a_residual_that_was_settled_says_by_whom_and_why(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.intents(0), run.fill(0, 0), run.end(0), [ResidualSettled("r1-0", "written off", "me", "sold by hand")])
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT settled_how, settled_by, settled_reason FROM cycle").fetchall() == [
            ("written off", "me", "sold by hand"),
        ]


def test_rebuilding_mends_projections_that_were_tampered_with(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    live = tables(path)
    assert all(live[name] for name in PROJECTIONS if name not in ("adjustment", "transfer", "archive"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE fill SET qty = '99'")
        db.execute("UPDATE balance SET total = '99'")
        db.execute("DELETE FROM cycle")
        db.execute("DROP TABLE breach")
        db.commit()
    assert rebuild(path) > 0
    assert tables(path) == live


@pytest.mark.parametrize(
    ("kind", "version", "says"),
    [("Killed", 9, "newer version"), ("CycleEnded", 1, "earlier version"), ("Rearmed", 1, "event 40 is missing or out of order")],
)
def test_a_rebuild_that_meets_an_event_it_cannot_take_changes_nothing(tmp_path: Path, kind: str, version: int, says: str) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    insert_event(path, kind, version, '{"by":"me","reason":""}' if kind == "Rearmed" else "{}")
    if "missing" in says:
        tamper(path, "DELETE FROM event WHERE seq = 40")
    live = tables(path)
    with pytest.raises(UsageError, match=says) as refused:
        rebuild(path)
    assert tables(path) == live
    if "missing" in says:
        assert str(path) in str(refused.value)
    with pytest.raises(UsageError):
        restore(path)


def test_a_journal_that_is_not_there_cannot_be_rebuilt(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such journal"):
        rebuild(tmp_path / "journal.db")


def _without_seq(portfolio: Portfolio) -> dict[str, object]:
    return {name: value for name, value in portfolio.dump().items() if name != "seq"}


@pytest.mark.parametrize("ended", [False, True])
def test_a_fill_that_is_told_twice_changes_nothing(tmp_path: Path, ended: bool) -> None:
    """Answer, stream, look-up and recovery may all tell it, each with marks and a source of its own."""
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    first, changed = run.fill(0, 0)
    assert isinstance(first, FillRecorded)
    end: Sequence[Event] = run.end(0) if ended else []
    before = record(path, run.start(), run.intents(0), [first, changed], end, run.fill(1, 0))
    live = tables(path)
    again = [
        FillRecorded(first.fill, first.cycle_id, 0, "recovery", first.ts_init + 1, {}),
        FillRecorded(first.fill, "another", 1, "answer", first.ts_init, {asset: 2 * price for asset, price in first.marks.items()}),
        first,
    ]
    after = record(path, *([event] for event in again))
    assert _without_seq(after) == _without_seq(before)
    assert tables(path) == live


def test_a_fill_that_comes_after_its_cycle_had_ended_changes_how_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.intents(0), run.fill(0, 0), run.end(0))

    def state() -> str:
        with closing(sqlite3.connect(path)) as db:
            return str(db.execute("SELECT state FROM cycle").fetchone()[0])

    assert state() == "RESIDUAL"
    record(path, run.fill(0, 1))
    assert state() == "HEDGED"


def test_an_end_of_a_cycle_that_nobody_knows_and_marks_of_nothing_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, [CycleEnded("ghost", 5, "")], [MarksTaken("time", "2026-01-01", {})])
    assert rebuild(path) == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (f"PRAGMA user_version = {USER_VERSION + 1}", "newer version"),
        ("PRAGMA application_id = 7", "another program"),
    ],
)
def test_what_is_no_journal_of_this_program_is_not_rebuilt(change: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute(change)
        db.execute("UPDATE fill SET qty = '99'")
        db.commit()
    before = tables(path)
    with pytest.raises(UsageError, match=says):
        rebuild(path)
    assert tables(path) == before


def test_the_rows_that_each_event_changes_by_hand() -> None:
    """By table, the key of each row in the order in which it is written: no disk, so that any change of this is seen at once."""
    tell, fold = Telling(), ProjectingPortfolio(Portfolio())
    buy = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))

    def bought(trade: str, **fee: Any) -> FillRecorded:
        fill = fill_of("binance", Side.BUY, Decimal(10), Decimal(2), trade, client_order_id="c1-0", **fee)
        return FillRecorded(fill, "c1", 0, "stream", 0, {"XRP": Decimal(3), "USDT": ONE, "BNB": Decimal(600)})

    def changed(event: Event) -> list[tuple[str, ...]]:
        tell.now_ms += 1
        found = []
        for sql, values in fold(Recorded(fold.portfolio.state.seq + 1, tell.now_ms, "r1", event)):
            table = next(name for name in ("balance", "cycle", "mark") if f" {name} " in sql)
            found.append(
                (table, *(str(value) for value in ((values[-1],) if table == "cycle" else values[: 2 if table == "balance" else 1])))
            )
        return found

    def at(*places: str) -> list[tuple[str, ...]]:
        return [("balance", *place.split()) for place in places]

    begun = TransferBegun("t", "XRP", "binance", "upbit", "net", Decimal(5), ONE, 4.0, "me", "x")
    told: list[tuple[Event, list[tuple[str, ...]]]] = [
        (RunStarted("r1", "p", "sim", 1, "0", "c", {}, "ARMED"), []),
        (BalanceOpened("binance", "XRP", Decimal(100)), at("binance XRP")),
        (MarksTaken("start", "d", {"XRP": Mark(ONE, "x", 1), "KRW": Mark(ONE, "k", 1)}), [("mark", "XRP"), ("mark", "KRW")]),
        (CycleOpened("c1", "r", "XRP", 1.0, 1.0, (buy,), (), 0), []),
        (bought("t1", fee=ONE, fee_currency="BNB"), [("mark", "BNB"), *at("binance XRP", "binance USDT", "binance BNB")]),
        (bought("t1"), []),  # told again
        (bought("t2"), at("binance XRP", "binance USDT")),
        (CycleEnded("c1", 5, ""), [("cycle", "c1")]),
        (CycleEnded("c9", 5, ""), []),  # nobody's
        (bought("t3"), [*at("binance XRP", "binance USDT"), ("cycle", "c1")]),  # late
        (ResidualSettled("c1", "written off", "me", "x"), [("cycle", "c1")]),
        (ResidualSettled("c9", "written off", "me", "x"), []),
        (Adjusted("upbit", "KRW", ONE, "x", "operator"), at("upbit KRW")),
        (Transferred("binance", "upbit", "XRP", ONE, ONE, "x"), at("binance XRP", "upbit XRP")),
        (begun, []),
        (TransferLeft("t", "binance", "XRP", Decimal(5)), at("binance XRP")),
        (TransferArrived("t", "upbit", "XRP", Decimal(2)), at("upbit XRP")),
        (TransferSettled("t", "returned", "me", "x"), at("binance XRP")),
        (TransferSettled("t9", "returned", "me", "x"), []),
        (Killed("KEY", "", 1), []),
    ]
    for event, rows in told:
        assert changed(event) == rows, event
