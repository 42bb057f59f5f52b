"""The portfolio's own tables, column by column, and what is read back from them; a journal that is looked at as a whole."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    CycleEnded,
    CycleOpened,
    FillRecorded,
    Mark,
    MarksTaken,
    OrderChanged,
    PlannedTransfer,
    ResidualSettled,
    RunStarted,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.model.clock import VIRTUAL_EPOCH_MS
from arbtui.model.errors import UsageError
from arbtui.model.money import ONE
from arbtui.model.order import Fill, OrderState, Side
from arbtui.model.tip_file import tip_file
from arbtui.portfolio import kept_rows, ledger
from arbtui.portfolio.kept_rows import KeptRows, RowFile
from arbtui.portfolio.ledger import ledger_json, open_ledger, read_ledger
from arbtui.portfolio.past_cycles import fills_of_cycle, past_cycles
from arbtui.portfolio.projections import rebuild
from arbtui.portfolio.restore import SNAPSHOT_KEY, restore
from arbtui.portfolio.verification import verify
from tests.journal.recorded import tamper
from tests.journal.synthetic import SyntheticRun, whole_run
from tests.portfolio.recorded import record
from tests.portfolio.telling import intent_of, leg
from tests.portfolio.test_restore import snapshot

START = RunStarted("r1", "p", "sim", 1, "0", "c", {}, "ARMED")
STEP_MS = 7
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))


def at(group: int) -> int:
    """ms at which the events of that group, counted from 1, were journaled."""
    return VIRTUAL_EPOCH_MS + STEP_MS * group


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def seqs(path: Path) -> list[int]:
    """The number of the last event of each group."""
    return [seq for (seq,) in rows(path, "SELECT max(seq) FROM event WHERE run_id != '' GROUP BY ts_ms ORDER BY ts_ms")]


def test_each_column_of_balances_and_marks(tmp_path: Path) -> None:
    """Whichever event moved an amount last is named, with its time; of a fill also the currency of its fee, and its first prices."""
    path = tmp_path / "journal.db"
    fill = Fill("v", "t", "o", "", "XRPUSDT", "XRP", "USDT", Side.BUY, ONE, Decimal(2), Decimal("2.0"), ONE, "BNB", "taker", 0)
    record(
        path,
        [START],
        [BalanceOpened("v", "USDT", Decimal("100.0")), BalanceOpened("v", "XRP", Decimal(5)), BalanceOpened("w", "XRP", ONE)],
        [MarksTaken("start", "d", {"XRP": Mark(Decimal("2.50"), "v:XRPUSDT", 12)})],
        [FillRecorded(fill, "c", 0, "stream", 1, {"XRP": Decimal(3), "USDT": ONE, "BNB": Decimal(600)})],
        [Adjusted("w", "ADA", Decimal(7), "x", "operator")],
        [Transferred("v", "w", "XRP", Decimal(2), Decimal("1.5"), "x")],
    )
    last = seqs(path)
    assert rows(path, "SELECT exchange, asset, total, opening, ts_ms, seq FROM balance ORDER BY exchange, asset") == [
        ("v", "BNB", "-1", "0", at(4), last[3]),
        ("v", "USDT", "98", "100", at(4), last[3]),
        ("v", "XRP", "4", "5", at(6), last[5]),
        ("w", "ADA", "7", "0", at(5), last[4]),
        ("w", "XRP", "2.5", "1", at(6), last[5]),
    ]
    assert rows(path, "SELECT asset, price, source, age_ms, ts_ms, seq FROM mark ORDER BY asset") == [
        ("BNB", "600", "fill", 0, at(4), last[3]),
        ("XRP", "2.5", "v:XRPUSDT", 12, at(3), last[2]),
    ]
    record(path, [MarksTaken("time", "d", {"XRP": Mark(Decimal(4), "w:XRPUSDT", 3)})])
    assert rows(path, "SELECT price, source, age_ms FROM mark WHERE asset = 'XRP'") == [("4", "w:XRPUSDT", 3)]


@pytest.mark.parametrize(
    ("steps", "totals"),
    [
        ([TransferLeft("t", "v", "XRP", Decimal(20))], {"v": "80", "w": "100"}),
        ([TransferLeft("t", "v", "XRP", Decimal(20)), TransferArrived("t", "w", "XRP", Decimal(19))], {"v": "80", "w": "119"}),
        ([TransferLeft("t", "v", "XRP", Decimal(20)), TransferSettled("t", "returned", "me", "x")], {"v": "100", "w": "100"}),
        ([TransferLeft("t", "v", "XRP", Decimal(20)), TransferSettled("t9", "returned", "me", "x")], {"v": "80", "w": "100"}),
    ],
)
def test_each_step_of_a_transfer_is_in_the_table_of_balances(steps: list[Any], totals: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    begun = TransferBegun("t", "XRP", "v", "w", "net", Decimal(20), ONE, 4.0, "me", "x")
    record(path, [START, *(BalanceOpened(name, "XRP", Decimal(100)) for name in ("v", "w")), begun], *([step] for step in steps))
    assert dict(rows(path, "SELECT exchange, total FROM balance")) == totals


def coin_fill(trade: str, coin: str, qty: str, fee: str = "0") -> Fill:
    """Bought for a dollar apiece."""
    amount = Decimal(qty)
    return Fill(
        "binance", trade, "c1-0", "v", f"{coin}USDT", coin, "USDT", Side.BUY, amount, ONE, amount, Decimal(fee), "USDT", "taker", 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("left", "dust"),
    [
        ([], "0"),
        ([("XRP", "10")], "0"),  # no dust
        ([("XRP", "0.05")], "0.05"),
        ([("XRP", "-0.05")], "0.05"),
        ([("XRP", "0.05"), ("ADA", "-0.01")], '{"ADA":"0.01","XRP":"0.05"}'),
    ],
)
def test_each_column_of_an_ended_cycle(left: list[tuple[str, str]], dust: str, tmp_path: Path) -> None:
    """10 of each coin are bought, and sold again but for what is ``left``."""
    path = tmp_path / "journal.db"
    legs = tuple(leg(number, "binance", Side.BUY, Decimal(10), ONE, base=coin) for number, coin in enumerate(("ADA", "XRP")))
    opened = CycleOpened("c1", "r", "XRP", 1.0, 20.0, legs, (), VIRTUAL_EPOCH_MS)
    marks = {"XRP": Decimal("1.123456789"), "ADA": ONE, "USDT": ONE}
    fills = []
    for coin, rest in dict([("XRP", "0"), ("ADA", "0"), *left]).items():
        bought = coin_fill(f"b{coin}", coin, "10", "0.000000004")
        sold = coin_fill(f"s{coin}", coin, str(10 - Decimal(rest)))
        fills += [bought, Fill(**{name: getattr(sold, name) for name in sold.__slots__} | {"side": Side.SELL})]
    record(path, [START, opened], *([FillRecorded(one, "c1", 0, "stream", 1, marks)] for one in fills), [CycleEnded("c1", 5, "why")])
    ((state, told, pnl, *how),) = rows(
        path, "SELECT state, dust, pnl, settled_how, settled_by, settled_ms, settled_reason FROM cycle WHERE cycle_id = 'c1'"
    )
    is_left = left == [("XRP", "10")]
    assert (state, told, how) == ("RESIDUAL" if is_left else "HEDGED", dust, [None] * 4)
    (cycle,) = read_ledger(path)["cycles"]
    assert cycle["dust"] == ({"ADA": "0.01", "XRP": "0.05"} if dust.startswith("{") else dust)
    # Each coin left is worth its mark and cost a dollar; the two fees of 4e-9 come to one of the ledger's last digit.
    trading = (Decimal(dict(left).get("XRP", "0")) * Decimal("0.123456789")).quantize(Decimal("1e-8"))
    text = f"{trading.normalize():f}"
    assert pnl == f'{{"currency":"USDT","total":"{_less(trading)}","trading":"{text}","fees":"0.00000001"}}'
    if is_left:
        record(path, [ResidualSettled("c1", "written off", "ann", "kept")])
        assert rows(path, "SELECT settled_how, settled_by, settled_reason FROM cycle") == [("written off", "ann", "kept")]
        assert rows(path, "SELECT settled_ms FROM cycle") == rows(path, "SELECT max(ts_ms) FROM event WHERE type = 'ResidualSettled'")


def _less(trading: Decimal) -> str:
    return f"{(trading - Decimal('1e-8')).normalize():f}"


@pytest.mark.parametrize("how", ["arrived", "lost"])
def test_what_networks_kept_is_dust_of_a_cycle_but_what_was_lost_is_not(how: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    moves = (PlannedTransfer(0, "XRP", "binance", "upbit", "net", Decimal("0.2"), 4.0),)
    opened = CycleOpened("c1", "r", "XRP", 1.0, 20.0, (BUY,), (), VIRTUAL_EPOCH_MS, transfers=moves)
    sold = Fill("upbit", "s", "c1-1", "v", "KRW-XRP", "XRP", "KRW", Side.SELL, Decimal("9.8"), ONE, Decimal("9.8"), ONE, "KRW", "taker", 0)
    marks = {"XRP": ONE, "USDT": ONE, "KRW": ONE}
    record(
        path,
        [START, opened, FillRecorded(coin_fill("b", "XRP", "10"), "c1", 0, "stream", 1, marks)],
        [TransferBegun("t", "XRP", "binance", "upbit", "net", Decimal(10), Decimal("0.2"), 4.0, "arbtui", "x", "c1")],
        [TransferLeft("t", "binance", "XRP", Decimal(10))],
        [TransferArrived("t", "upbit", "XRP", Decimal("9.8")) if how == "arrived" else TransferSettled("t", "lost", "ann", "x")],
        [FillRecorded(sold, "c1", 0, "stream", 1, marks)] if how == "arrived" else [],
        [CycleEnded("c1", 5, "")],
    )
    assert rows(path, "SELECT state, dust FROM cycle") == ([("HEDGED", "0.2")] if how == "arrived" else [("RESIDUAL", "0")])


def life(path: Path) -> None:
    """One cycle that filled, one that did not, one that is open."""
    opened = [CycleOpened(f"c{number}", "r", "XRP", 1.5, 20.0, (BUY,), (), VIRTUAL_EPOCH_MS + number) for number in range(3)]
    record(
        path,
        [START, *opened],
        [intent_of("c0", BUY, "c0-0"), intent_of("c2", BUY, "c2-0")],
        [FillRecorded(coin_fill("t1", "XRP", "4"), "c0", 0, "stream", 1, {"XRP": ONE, "USDT": ONE})],
        [FillRecorded(coin_fill("t2", "XRP", "6"), "c0", 0, "stream", 1, {"XRP": ONE, "USDT": ONE})],
        [OrderChanged("c0-0", OrderState.FILLED, "v7", Decimal(10), "thin")],
        [CycleEnded("c0", at(9), "why"), CycleEnded("c1", at(9), "")],
    )


def test_an_earlier_cycle_is_read_back_with_every_fact_of_its_order_and_its_fills(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    life(path)
    first, second = past_cycles(path)
    assert (first.opened_ms, first.closed_ms, first.reason, first.edge_bps, first.legs) == (VIRTUAL_EPOCH_MS, at(9), "why", 1.5, (BUY,))
    (order,) = first.orders
    assert (order.intent, order.run_id, order.intended_ms, order.changed_ms) == (intent_of("c0", BUY, "c0-0"), "r1", at(2), at(5))
    assert (order.state, order.venue_order_id, order.filled_qty, order.reason) == (OrderState.FILLED, "v7", Decimal(10), "thin")
    assert first.fills == (coin_fill("t1", "XRP", "4"), coin_fill("t2", "XRP", "6"))
    assert (first.pnl["trading"], first.pnl["fees"]) == ("0", "0")
    assert (second.id, second.orders, second.fills) == ("c1", (), ())
    assert fills_of_cycle(path, "c0") == list(first.fills)
    assert fills_of_cycle(path, "c2") == fills_of_cycle(path, "nobody's") == []
    assert [one.id for one in past_cycles(path, 1)] == ["c1"]
    assert past_cycles(path, 0) == []


@pytest.mark.parametrize(
    ("change", "read", "says"),
    [
        ("UPDATE cycle SET state = 'odd' WHERE cycle_id = 'c0'", past_cycles, "a cycle's row cannot be read"),
        ("UPDATE order_ SET qty = 'odd'", past_cycles, "a cycle's row cannot be read"),
        ("UPDATE fill SET side = 'odd'", past_cycles, "a cycle's row cannot be read"),
        ("UPDATE fill SET side = 'odd'", lambda path: fills_of_cycle(path, "c0"), "a fill of c0 cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_what_to_do(change: str, read: Callable[[Path], object], says: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    life(path)
    tamper(path, change)
    with pytest.raises(UsageError, match=rf"{path}: {says} .*arbtui journal rebuild"):
        read(path)


# the ledger's rows


@pytest.mark.parametrize("piece", [1, 300, 5_000, 1_000_000])
def test_pieces_of_the_text_add_up_to_it_and_are_about_as_long_as_they_should_be(
    piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, run = tmp_path / "sim" / "journal.db", SyntheticRun()
    record(path, run.start(), *(run.cycle(number) for number in range(4)))
    with open_ledger(path) as whole:
        text = "".join(ledger_json(whole))
    longest = 1_500  # of a cycle's row
    monkeypatch.setattr(ledger, "PIECE", piece)
    with open_ledger(path) as told:
        pieces = list(ledger_json(told))
    assert "".join(pieces) == text
    listed = [one for one in pieces if "trade_id" in one]
    assert len(listed) == {1: 8, 300: 8, 5_000: 1, 1_000_000: 1}[piece]
    assert max(map(len, listed)) < piece + longest or piece > len(text)


def test_no_more_rows_than_are_near_are_held_and_none_is_put_away_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "NEAR", 4)
    file = RowFile()
    held = KeptRows(file, "orders")
    for number in range(4):
        held.add(str(number), {"n": number}, listed=True)
    first = held.get("0")
    assert first is not None
    first["n"] = 10
    assert held.get("0") is first, "near"
    held.add("4", {"n": 4}, listed=True)
    again = held.get("0")
    assert again == {"n": 10}
    assert again is not first, "put away, as it was changed last"
    assert [row["n"] for row in held] == [10, 1, 2, 3, 4]
    held.add("5", {"n": 5}, listed=False)
    assert len(held) == 5
    assert held.get("5") == {"n": 5}
    assert len(held) == 5, "what is looked up is not told for that"
    assert (len(held._near), len(held._listed)) == (0, 0), "nothing is remembered of what is put away"
    file.close()


def test_rows_that_find_no_room_are_told_with_what_to_do() -> None:
    file = RowFile()
    held = KeptRows(file, "orders")
    held.add("a", {}, listed=True)
    file.db.execute("DROP TABLE orders")
    with pytest.raises(UsageError, match=r"do not fit into the folder for temporary files: no such table.*SQLITE_TMPDIR"):
        len(held)
    file.close()


def test_a_span_that_ends_before_it_begins_or_lies_outside_of_its_run_is_empty(tmp_path: Path) -> None:
    path, first, second = tmp_path / "journal.db", SyntheticRun(), SyntheticRun("r2")
    record(path, first.start(), first.cycle(0), second.start(), second.cycle(0))
    for run, since, until, fills in (
        (None, at(3), at(2), 0),
        ("r1", at(3), None, 0),
        ("r1", at(2), None, 2),
        ("r2", None, at(2), 0),
        ("r2", None, at(4), 2),
        ("r2", at(1), None, 2),
    ):
        told = read_ledger(path, run, since, until)
        assert len(told["fills"]) == fills, (run, since, until)
        assert told["start_balances"] == told["balances"] or fills


def test_no_more_than_five_runs_are_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *([RunStarted(f"r{number}", "p", "sim", 1, "0", "c", {}, "ARMED")] for number in range(7)))
    with pytest.raises(UsageError, match=r"no run 'x'; the last ones: r6, r5, r4, r3, r2$"):
        read_ledger(path, "x")
    record(tmp_path / "none" / "journal.db")
    with pytest.raises(UsageError, match=r"no run 'x'; the last ones: none yet$"):
        read_ledger(tmp_path / "none" / "journal.db", "x")


# a journal as a whole


def test_what_a_whole_journal_is_told_to_hold(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    found = verify(path)
    ((count, version),) = rows(path, "SELECT count(*), (SELECT user_version FROM pragma_user_version) FROM event")
    assert (found.events, found.journal_format, found.first_hashed, found.snapshots, found.archives) == (count, version, 1, [], 0)
    assert rebuild(path) == count


def test_a_snapshot_that_a_start_would_leave_aside_is_no_damage_and_none_that_agreed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    for change in ({}, {"rules": 0}, {"seq": 3}):
        snapshot(path, {SNAPSHOT_KEY: {**restore(path)[1].dump(), **change}})
    for payload in ({}, {SNAPSHOT_KEY: None}):
        snapshot(path, payload)
    assert verify(path).snapshots == [1]


def test_a_journal_of_before_there_were_hashes_is_read_and_nothing_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    ((count,),) = rows(path, "SELECT count(*) FROM event")
    tip_file(path).unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")
        db.execute("UPDATE cycle SET state = 'MISSED'")
        db.commit()
    found = verify(path)
    assert (found.events, found.last_hash, found.journal_format, found.first_hashed) == (count, "", 2, None)
    assert (found.snapshots, found.archives) == ([], 0)


def test_a_journal_of_before_there_were_archives_lacks_their_table_and_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 3")
        db.execute("DROP TABLE archive")
        db.commit()
    assert (verify(path).journal_format, verify(path).archives) == (3, 0)
    tamper(path, "UPDATE balance SET total = '9' WHERE asset = 'KRW'")
    with pytest.raises(UsageError, match="a row of table balance"):
        verify(path)
