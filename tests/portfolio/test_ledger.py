"""A ledger says what the journal holds, and an auditor who adds it up by himself agrees to the last digit."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    CycleAcknowledged,
    Event,
    FillRecorded,
    Mark,
    MarksTaken,
    OrderChanged,
    ResidualSettled,
    RunStarted,
    SettlementBegan,
    TransferArrived,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.journal.reader import events, reading
from arbtui.journal.schema import USER_VERSION
from arbtui.model.clock import VIRTUAL_EPOCH_MS, iso_ms
from arbtui.model.errors import UsageError
from arbtui.model.money import ONE
from arbtui.model.order import Fill, OrderState, Side
from arbtui.model.tip_file import tip_file
from arbtui.portfolio import ledger as ledger_module
from arbtui.portfolio.ledger import FILL_COLUMNS, ledger_csv, read_ledger, residual_rows
from tests.conftest import REPOSITORY
from tests.journal.synthetic import MARKS, SyntheticRun, whole_run
from tests.portfolio.auditing import audit, disagreements
from tests.portfolio.recorded import record
from tests.portfolio.telling import Telling, fill_of, leg

QTY, ABC, KRW = Decimal("0.3"), MARKS["ABC"].price, MARKS["KRW"].price


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Two whole runs, one after the other, the second at other balances."""
    path = tmp_path / "journal.db"
    second = SyntheticRun("r2")
    first = SyntheticRun("r1")
    record(path, first.start(), *(first.cycle(n) for n in range(3)), first.trouble(), first.stop())
    second.balances = dict(first.balances)
    record(path, second.start(), *(second.cycle(n) for n in range(2)))
    return path


def test_the_auditor_agrees_with_the_whole_life_and_with_each_run(journal: Path) -> None:
    for run, fills in ((None, 10), ("r1", 6), ("r2", 4)):
        ledger = read_ledger(journal, run)
        assert len(ledger["fills"]) == fills
        assert disagreements(ledger) == []
        code, said = audit(ledger)
        assert code == 0, said


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (lambda ledger: ledger["fills"][0].update(fee="0"), "is not"),
        (lambda ledger: ledger["fills"][0].update(qty="0.31"), "filled 0.31 of 0.3"),
        (lambda ledger: ledger["balances"]["upbit"]["KRW"].update(free="1"), "upbit KRW"),
        (lambda ledger: ledger["fills"].pop(0), "leaves"),
        (lambda ledger: ledger["orders"].pop(0), "does not hold"),
        (lambda ledger: ledger["pnl"].update(total="7"), "pnl says 7"),
        (lambda ledger: ledger["equity"].update(end="7"), "equity at the end is 7"),
        (lambda ledger: ledger["equity"]["marks"].pop("ABC"), "has no mark"),
    ],
)
def test_the_auditor_finds_what_was_tampered_with(journal: Path, tamper: Any, says: str) -> None:
    """The ledger that it agrees with is not agreed with because it looks away."""
    ledger = read_ledger(journal)
    tamper(ledger)
    code, said = audit(ledger)
    assert code == 1
    assert says in said


def test_it_has_every_name_that_the_surface_promises(journal: Path) -> None:
    ledger = read_ledger(journal)
    assert list(ledger) == [
        *("profile", "mode", "timezone", "since", "until", "runs", "start_balances", "balances", "unvalued"),
        *("fills", "orders", "cycles"),
        *("adjustments", "transfers", "targets", "pnl", "equity", "residuals", "open_fx", "breaches", "kills"),
    ]
    assert ledger["fills"][0] == {
        "exchange": "binance",
        "trade_id": "tr1-0-0",
        "client_order_id": "r1-0-0",
        "venue_order_id": "vr1-0-0",
        "market": "ABCUSDT",
        "base": "ABC",
        "quote": "USDT",
        "side": "buy",
        "qty": "0.3",
        "price": "20.05",
        "cost": "6.015",
        "fee": "0.0003",
        "fee_currency": "ABC",
        "liquidity": "taker",
        "ts_event": "1970-01-01T00:00:00.000Z",
        "ts_init": "2026-01-01T00:00:00.000Z",
        "cycle_id": "r1-0",
        "leg": 0,
        "source": "stream",
        "run_id": "r1",
    }
    cycle = ledger["cycles"][0]
    assert {"id", "route", "state", "opened", "closed", "dust", "legs", "pnl"} <= set(cycle)
    assert (cycle["state"], cycle["dust"], cycle["opened"], cycle["closed"]) == (
        *("HEDGED", "0.0003"),
        *("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.200Z"),
    )
    assert cycle["legs"][1] == {
        "leg": 1,
        "exchange": "upbit",
        "market": "KRW-ABC",
        "base": "ABC",
        "quote": "KRW",
        "side": "sell",
        "qty": "0.3",
        "price": "27000",
        "lot": "0.001",
    }
    assert cycle["filled"][1] == {
        "exchange": "upbit",
        "market": "KRW-ABC",
        "base": "ABC",
        "quote": "KRW",
        "side": "sell",
        "qty": "0.3",
        "price": "27100",
        "cost": "8130",
    }
    assert {"client_order_id", "qty", "state", "intended", "changed"} <= set(ledger["orders"][0])
    assert ledger["start_balances"]["binance"]["ABC"] == {"free": "5", "locked": "0"}
    assert list(ledger["pnl"]) == [
        *("currency", "total", "trading", "fees", "fx_open", "fx_stock", "inventory", "rotation", "adjustments"),
    ]
    earned, paid = 5 * (QTY * 27100 * KRW - QTY * Decimal("20.05")), 5 * (QTY * 27100 * KRW / 2000 + QTY / 1000 * ABC)
    assert (Decimal(ledger["pnl"]["trading"]), Decimal(ledger["pnl"]["fees"])) == (earned, paid)
    assert ledger["pnl"]["currency"] == ledger["equity"]["currency"] == "USDT"
    assert ledger["equity"]["marks"]["ABC"] == {"start": "20.04", "end": "20.04"}
    assert ledger["residuals"] == []
    assert [(breach["breach_id"], breach["acknowledged_by"]) for breach in ledger["breaches"]] == [("r1-b1", "operator"), ("r1-b2", None)]
    assert [(kill["action"], kill["source"], kill["epoch"]) for kill in ledger["kills"]] == [
        ("killed", "KEY", 1),
        ("rearmed", "operator", None),
    ]
    assert [(run["run_id"], run["stop_reason"], run["exit_code"]) for run in ledger["runs"]] == [
        ("r1", "max_runtime", 0),
        ("r2", None, None),
    ]
    json.dumps(ledger)


def test_a_run_begins_with_what_the_one_before_it_left(journal: Path) -> None:
    first, second = read_ledger(journal, "r1"), read_ledger(journal, "r2")
    assert second["start_balances"] == first["balances"]
    assert first["kills"] != [] == second["kills"]
    assert second["balances"] == read_ledger(journal)["balances"]


def test_what_happens_between_two_runs_is_of_neither_s_beginning(tmp_path: Path) -> None:
    """It lies after the first one's end and before the second one's start: what the first leaves, and the second begins with."""
    path, run = tmp_path / "journal.db", SyntheticRun()
    by_hand = Adjusted("upbit", "KRW", Decimal(-50_000), "taken out", "operator", "me")
    record(path, run.start(), run.cycle(0), run.stop(), [by_hand], SyntheticRun("r2").start(), SyntheticRun("r2").cycle(0))
    first, second = read_ledger(path, "r1"), read_ledger(path, "r2")
    assert ([row["change"] for row in first["adjustments"]], second["adjustments"]) == (["-50000"], [])
    assert second["start_balances"] == first["balances"]
    assert [[row["run_id"] for row in ledger["runs"]] for ledger in (first, second)] == [["r1"], ["r2"]]
    assert [len(ledger["fills"]) for ledger in (first, second)] == [2, 2]
    assert disagreements(first) == disagreements(second) == []


def test_fills_and_ends_that_a_later_run_learned_of_belong_to_that_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun("r1")
    beginning = [run.start(), run.intents(0), run.fill(0, 0)]
    next_run = SyntheticRun("r2")
    next_run.balances = dict(run.balances)
    record(path, *beginning, next_run.start(), run.fill(0, 1), run.end(0))
    crashed, resumed, whole = read_ledger(path, "r1"), read_ledger(path, "r2"), read_ledger(path)
    assert [cycle["state"] for cycle in crashed["cycles"]] == ["OPEN"]
    assert [cycle["state"] for cycle in whole["cycles"]] == ["HEDGED"]
    assert [order["client_order_id"] for order in resumed["orders"]] == ["r1-0-1"]
    for ledger in (crashed, resumed, whole):
        assert disagreements(ledger) == []
        code, said = audit(ledger)
        assert code == 0, said


def test_an_order_is_told_as_it_is_now_by_its_own_run_and_by_each_span_in_which_it_changed(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", SyntheticRun()
    changes: list[Event] = [
        OrderChanged("r1-0-0", OrderState.REJECTED, "v9", Decimal(0), "why"),
        OrderChanged("r1-0-1", OrderState.PARTIALLY_FILLED, "v8", Decimal("0.10"), ""),
        OrderChanged("nobody's", OrderState.FILLED, "v7", Decimal(1), ""),
    ]
    record(path, run.start(), run.intents(0), SyntheticRun("r2").start(), changes)
    with reading(path) as db:
        at_ms = next(one.ts_ms for one in events(db) if isinstance(one.event, OrderChanged))

    def told(**span: Any) -> list[tuple[Any, ...]]:
        rows = read_ledger(path, **span)["orders"]
        return [tuple(row[key] for key in ("client_order_id", "state", "venue_order_id", "filled_qty", "reason", "run_id")) for row in rows]

    now = [("r1-0-0", "REJECTED", "v9", "0", "why", "r1"), ("r1-0-1", "PARTIALLY_FILLED", "v8", "0.1", "", "r1")]
    assert told() == told(since_ms=at_ms) == now
    assert told(since_ms=at_ms + 1) == []
    assert told(run="r1") == [("r1-0-0", "SENDING", "", "0", "", "r1"), ("r1-0-1", "SENDING", "", "0", "", "r1")]
    assert told(run="r2") == [], "it is of the run that sent it"
    assert {row["changed"] for row in read_ledger(path)["orders"]} == {iso_ms(at_ms)}
    assert {row["intended"] < row["changed"] for row in read_ledger(path)["orders"]} == {True}


def test_a_late_fill_of_what_was_settled_is_a_residual_and_no_settled_one(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", SyntheticRun()
    settled = ResidualSettled("r1-0", "written off", "me", "sold by hand")
    record(path, run.start(), run.intents(0), run.fill(0, 0), run.end(0), [settled])
    assert [row["settled"]["how"] for row in read_ledger(path)["residuals"]] == ["written off"]
    record(path, run.fill(0, 1))
    ledger = read_ledger(path)
    assert [(row["exchange"], row["qty"], row["settled"]) for row in ledger["residuals"]] == [("upbit", "-0.3", None)]
    (cycle,) = ledger["cycles"]
    assert (cycle["state"], cycle["settled"], len(cycle["filled"])) == ("RESIDUAL", None, 2)
    assert disagreements(ledger) == []


def test_all_of_it_is_of_one_moment_whatever_is_written_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.cycle(0))
    span = ledger_module._span

    def look_then_write(*arguments: Any) -> Any:
        found = span(*arguments)
        record(path, run.cycle(1))
        return found

    monkeypatch.setattr(ledger_module, "_span", look_then_write)
    ledger = read_ledger(path)
    assert (len(ledger["fills"]), len(ledger["orders"]), len(ledger["cycles"])) == (2, 2, 1)
    assert disagreements(ledger) == []


def test_a_residual_is_told_until_it_is_settled(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.intents(0), run.fill(0, 0), run.end(0))
    ledger = read_ledger(path)
    assert [(cycle["state"], cycle["settled"]) for cycle in ledger["cycles"]] == [("RESIDUAL", None)]
    (row,) = ledger["residuals"]
    assert (row["cycle_id"], row["exchange"], row["asset"], row["qty"], row["acknowledged_by"]) == (
        "r1-0",
        "binance",
        "ABC",
        "0.2997",
        None,
    )
    assert Decimal(row["value_usdt"]) == Decimal("0.2997") * ABC
    assert audit(ledger)[0] == 0

    record(path, [CycleAcknowledged("r1-0", "me", "seen")])
    ledger = read_ledger(path)
    assert [row["acknowledged_by"] for row in ledger["residuals"]] == ["me"]
    assert [cycle["acknowledged_by"] for cycle in ledger["cycles"]] == ["me"]

    record(path, [ResidualSettled("r1-0", "written off", "me", "sold by hand")])
    ledger = read_ledger(path)
    (row,) = ledger["residuals"]
    assert (row["qty"], row["settled"]) == ("0.2997", ledger["cycles"][0]["settled"])
    assert [(cycle["state"], cycle["settled"]["how"], cycle["settled"]["by"]) for cycle in ledger["cycles"]] == [
        ("RESIDUAL", "written off", "me"),
    ]
    assert audit(ledger)[0] == 0


def _outside() -> list[Event]:
    """Won taken out, and stock moved by hand for a fee of the network."""
    return [
        Adjusted("upbit", "KRW", Decimal(-50_000), "taken out", "operator", "me"),
        Transferred("upbit", "binance", "ABC", Decimal(20), Decimal("19.5"), "by hand"),
    ]


def test_flows_from_outside_are_no_profit_and_their_cost_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    run = SyntheticRun()
    record(path, run.start(), run.cycle(0), _outside(), run.cycle(1), run.stop())
    ledger = read_ledger(path)
    assert Decimal(ledger["pnl"]["adjustments"]) == -50_000 * KRW
    assert Decimal(ledger["pnl"]["rotation"]) == Decimal("-0.5") * ABC
    assert [(row["asset"], row["change"], row["kind"]) for row in ledger["adjustments"]] == [("KRW", "-50000", "operator")]
    assert [(row["exchange"], row["change"]) for row in ledger["transfers"]] == [("upbit", "-20"), ("binance", "19.5")]
    assert disagreements(ledger) == []
    code, said = audit(ledger)
    assert code == 0, said


@pytest.mark.parametrize(
    ("end", "rows", "held", "lost"),
    [
        (
            [[TransferArrived("t1", "binance", "ABC", Decimal(10))], [TransferArrived("t1", "binance", "ABC", Decimal("9.5"))]],
            [("in transit", "-10"), ("binance", "10"), ("in transit", "-10"), ("binance", "9.5")],
            {"binance": "24.7997", "upbit": "479.7"},
            "0.5",
        ),
        (
            [[TransferSettled("t1", "returned", "ann", "x")]],
            [("in transit", "-20"), ("upbit", "20")],
            {"binance": "5.2997", "upbit": "499.7"},
            "0",
        ),
        ([[TransferSettled("t1", "lost", "ann", "x")]], [("in transit", "-20")], {"binance": "5.2997", "upbit": "479.7"}, "20"),
        (
            [[TransferArrived("t1", "binance", "ABC", Decimal(10))], [TransferSettled("t1", "returned", "ann", "x")]],
            [("in transit", "-10"), ("binance", "10"), ("in transit", "-10"), ("upbit", "10")],
            {"binance": "15.2997", "upbit": "489.7"},
            "0",
        ),
        ([], [], {"binance": "5.2997", "upbit": "479.7", "in transit": "20"}, "0"),
    ],
    ids=["came in two parts", "returned", "lost", "half of it returned", "under way"],
)
def test_each_step_of_a_transfer_is_told_at_the_venue_and_in_between(
    end: list[list[Event]], rows: list[tuple[str, str]], held: dict[str, str], lost: str, tmp_path: Path
) -> None:
    """20 leave Upbit; the network keeps 0.5 of them where they arrive."""
    path, run = tmp_path / "journal.db", SyntheticRun()
    begun = TransferBegun("t1", "ABC", "upbit", "binance", "net", Decimal(20), Decimal("0.5"), 4.0, "ann", "refill")
    record(path, run.start(), run.cycle(0), [begun], [TransferLeft("t1", "upbit", "ABC", Decimal(20))], *end)
    ledger = read_ledger(path)
    assert [(row["exchange"], row["change"]) for row in ledger["transfers"]] == [("in transit", "20"), ("upbit", "-20"), *rows]
    assert {(row["asset"], row["reason"], row["run_id"]) for row in ledger["transfers"]} == {("ABC", "t1: refill", "r1")}
    assert {name: amounts["ABC"]["free"] for name, amounts in ledger["balances"].items() if amounts["ABC"]["free"] != "0"} == held
    assert Decimal(ledger["pnl"]["rotation"]) == -Decimal(lost) * ABC
    assert ledger["equity"]["marks"]["USDT"] == {"start": "1", "end": "1"}
    assert disagreements(ledger) == []
    assert audit(ledger)[0] == 0


def test_any_span_of_time_begins_where_the_one_before_it_ended(tmp_path: Path) -> None:
    """A group every 7 ms; every cut through them, also those that leave a cycle on both sides, is audited on both."""
    path = tmp_path / "journal.db"
    first, second = SyntheticRun("r1"), SyntheticRun("r2")
    groups = [
        first.start(),
        *(
            group
            for number in range(2)
            for group in (first.intents(number), first.fill(number, 0), first.fill(number, 1), first.end(number))
        ),
        _outside(),
        first.stop(),
        second.start(),
        *(second.intents(0), second.fill(0, 0), second.end(0)),
    ]
    record(path, *groups)
    whole = read_ledger(path)
    for cut in range(1, len(groups) + 2):
        until, since = VIRTUAL_EPOCH_MS + 7 * cut, VIRTUAL_EPOCH_MS + 7 * cut + 1
        before, after = read_ledger(path, until_ms=until), read_ledger(path, since_ms=since)
        for ledger in (before, after):
            assert disagreements(ledger) == []
            code, said = audit(ledger)
            assert code == 0, (cut, said)
        assert len(before["fills"]) + len(after["fills"]) == len(whole["fills"]) == 5
        assert before["balances"] == after["start_balances"]
        assert before["equity"]["end"] == after["equity"]["start"]
        assert after["equity"]["end"] == whole["equity"]["end"]
        assert Decimal(before["pnl"]["total"]) + Decimal(after["pnl"]["total"]) == Decimal(whole["pnl"]["total"])
    both = read_ledger(path, "r1", since_ms=VIRTUAL_EPOCH_MS + 7 * 6, until_ms=VIRTUAL_EPOCH_MS + 7 * 9)
    assert ([cycle["id"] for cycle in both["cycles"]], len(both["fills"])) == (["r1-1"], 2)
    assert audit(both)[0] == 0
    assert (both["since"], both["until"]) == ("2026-01-01T00:00:00.042Z", "2026-01-01T00:00:00.063Z")


def test_a_run_counts_from_the_prices_of_its_own_start(tmp_path: Path) -> None:
    """What the price did while nothing ran is of no run; a span of time that begins there counts from the prices before it."""
    path, first, second = tmp_path / "journal.db", SyntheticRun(), SyntheticRun("r2")
    dearer = MARKS | {"ABC": Mark(Decimal(25), "binance:ABCUSDT", 1)}
    record(path, first.start(), first.stop())
    began = len(read_ledger(path)["runs"])
    record(path, [*second.start()[:-1], MarksTaken("start", "2026-01-01", dearer)])
    ledger = read_ledger(path, "r2")
    assert (began, ledger["equity"]["marks"]["ABC"]) == (1, {"start": "25", "end": "25"})
    assert (ledger["pnl"]["total"], ledger["pnl"]["inventory"]) == ("0", "0")
    whole = read_ledger(path)
    assert whole["equity"]["marks"]["ABC"]["end"] == "25"
    assert Decimal(whole["pnl"]["inventory"]) == 505 * (25 - ABC)
    assert disagreements(ledger) == disagreements(whole) == []


def test_a_span_holds_its_first_and_its_last_millisecond(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", SyntheticRun()
    record(path, run.start(), run.intents(0), run.fill(0, 0), step_ms=1)
    with reading(path) as db:
        at = next(one.ts_ms for one in events(db) if isinstance(one.event, FillRecorded))
    spans = [(at, at), (at - 1, None), (at, None), (at + 1, None), (None, at - 1), (None, at), (None, at + 1)]
    told = [len(read_ledger(path, since_ms=since, until_ms=until)["fills"]) for since, until in spans]
    assert told == [1, 1, 1, 0, 0, 1, 1]


def test_a_journal_of_another_currency_begins_with_that_one_at_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    start = RunStarted("r1", "p", "sim", 1, "0", "c", {}, "ARMED", "EUR", ("EUR",))
    record(path, [start, BalanceOpened("v", "EUR", Decimal(100))], [Adjusted("v", "EUR", Decimal(5), "paid in", "operator", "me")])
    ledger = read_ledger(path)
    assert ledger["equity"]["marks"] == {"EUR": {"start": "1", "end": "1"}}
    assert (ledger["equity"]["currency"], ledger["equity"]["end"], ledger["pnl"]["total"]) == ("EUR", "105", "0")
    assert disagreements(ledger) == []


@pytest.mark.parametrize("price", [None, Decimal(1400)], ids=["never priced", "priced later"])
def test_dollars_of_a_won_desk_are_no_won_at_its_journals_beginning(tmp_path: Path, price: Decimal | None) -> None:
    """They counted as one won each in the equity that it began with, and where a price came, all of that price was profit."""
    path = tmp_path / "journal.db"
    marks = {"USDT": Mark(price, "x", 1)} if price is not None else {}
    began = RunStarted("r1", "p", "sim", 1, "0", "c", {}, "RECOVERING", "KRW", ("KRW",))
    opened = (BalanceOpened("upbit", "KRW", Decimal(1_000_000)), BalanceOpened("upbit", "USDT", Decimal(100)))
    record(path, (began, *opened), (MarksTaken("start", "2026-01-01", marks),))
    ledger = read_ledger(path)
    worth = "1000000" if price is None else "1140000"
    assert (ledger["equity"]["start"], ledger["equity"]["end"], ledger["pnl"]["total"]) == (worth, worth, "0")
    assert ledger["equity"]["marks"]["USDT"] == dict.fromkeys(("start", "end"), None if price is None else "1400")
    assert audit(ledger)[0] == 0, audit(ledger)


def test_what_came_from_outside_without_a_price_is_named_and_in_no_equity(tmp_path: Path) -> None:
    """As an airdrop of a coin that no market of the profile trades, and as one that is taken out. A price, once there is one, books it."""
    path = tmp_path / "journal.db"
    start = RunStarted("r1", "p", "sim", 1, "0", "c", {}, "ARMED")
    record(path, [start, BalanceOpened("v", "USDT", Decimal(100)), BalanceOpened("v", "OLD", Decimal(9)), BalanceOpened("w", "KEPT", ONE)])
    seen = "held by the venue when it was first asked"
    record(path, [Adjusted("v", "DROP", Decimal(5), seen, "first seen"), Adjusted("w", "ONE", ONE, seen, "first seen")])
    record(path, [Adjusted("v", "OLD", Decimal(-9), "delisted", "operator", "me"), Adjusted("v", "USDT", Decimal(2), "", "operator", "me")])
    ledger = read_ledger(path)
    one = {"ONE": {"start": "0", "end": "1"}}
    assert ledger["unvalued"] == {"v": {"DROP": {"start": "0", "end": "5"}, "OLD": {"start": "9", "end": "0"}}, "w": one}
    assert ledger["balances"] == {"v": {"USDT": {"free": "102", "locked": "0"}}, "w": {"KEPT": {"free": "1", "locked": "0"}}}
    assert (ledger["equity"]["start"], ledger["equity"]["end"], ledger["pnl"]["adjustments"]) == ("100", "102", "2")
    assert len(ledger["adjustments"]) == 4
    assert audit(ledger)[0] == 0, audit(ledger)
    record(path, [MarksTaken("time", "2026-01-01", {"DROP": Mark(Decimal(3), "v:DROP", 0), "OLD": Mark(ONE, "v:OLD", 0)})])
    ledger = read_ledger(path)
    assert (ledger["unvalued"], ledger["pnl"]["adjustments"]) == ({"w": one}, "8")
    assert ledger["balances"]["v"]["DROP"]["free"] == "5"
    assert audit(ledger)[0] == 0, audit(ledger)


def test_what_a_fill_has_moved_without_a_price_stays_in_the_balances(tmp_path: Path) -> None:
    """An unknown cost is not put out of sight: the auditor names it."""
    path, run = tmp_path / "journal.db", SyntheticRun()
    record(path, run.start(), run.cycle(0))
    fee = Fill("binance", "t9", "r1-0-0", "", "XRPUSDT", "XRP", "USDT", Side.BUY, ONE, ONE, ONE, ONE, "BNB", "taker", VIRTUAL_EPOCH_MS)
    record(path, [FillRecorded(fee, "r1-0", 0, "stream", VIRTUAL_EPOCH_MS, {"XRP": ONE, "USDT": ONE})])
    ledger = read_ledger(path)
    assert ledger["unvalued"] == {}
    assert "BNB moved from 0 to -1 and has no mark" in audit(ledger)[1]


def test_a_span_in_which_nothing_happened_is_empty_and_adds_up(journal: Path) -> None:
    ledger = read_ledger(journal, since_ms=VIRTUAL_EPOCH_MS + 10_000_000)
    assert (ledger["fills"], ledger["orders"], ledger["cycles"], ledger["kills"]) == ([], [], [], [])
    assert ledger["start_balances"] == ledger["balances"] == read_ledger(journal)["balances"]
    assert Decimal(ledger["pnl"]["total"]) == 0
    assert audit(ledger)[0] == 0


def test_the_table_has_one_header_and_a_line_a_fill(journal: Path) -> None:
    ledger = read_ledger(journal)
    lines = "".join(ledger_csv(ledger)).splitlines()
    assert lines[0] == ",".join(FILL_COLUMNS)
    assert len(lines) == 11
    rows = list(csv.DictReader(io.StringIO("".join(ledger_csv(ledger)))))
    assert rows == [{name: str(value) for name, value in fill.items()} for fill in ledger["fills"]]


def test_times_of_the_table_are_those_of_the_desk_with_their_offset(journal: Path) -> None:
    """Also in the hour that comes twice, when summer time ends."""
    (fill, *_) = read_ledger(journal)["fills"]
    fills = [fill | {"ts_event": f"2026-10-25T0{hour}:30:00.000Z", "ts_init": "2026-10-25T23:00:00.005Z"} for hour in (0, 1)]
    rows = list(csv.DictReader(io.StringIO("".join(ledger_csv({"fills": fills}, ZoneInfo("Europe/Berlin"))))))
    assert [(row["ts_event"], row["ts_init"]) for row in rows] == [
        ("2026-10-25T02:30:00.000+02:00", "2026-10-26T00:00:00.005+01:00"),
        ("2026-10-25T02:30:00.000+01:00", "2026-10-26T00:00:00.005+01:00"),
    ]


def test_the_desk_s_time_zone_is_that_of_the_newest_run_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for number, zone in enumerate(("UTC", "Asia/Seoul"), 1):
        record(path, [RunStarted(f"r{number}", "p", "sim", 1, "0", "c", {}, "ARMED", timezone=zone)])
    assert read_ledger(path)["timezone"] == "Asia/Seoul"
    assert read_ledger(path, "r1")["timezone"] == "UTC"


@pytest.mark.parametrize("piece", [1, 200, 700, 10_000])
def test_pieces_of_the_table_add_up_to_it(journal: Path, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = read_ledger(journal)
    whole = list(ledger_csv(ledger))
    monkeypatch.setattr(ledger_module, "PIECE", piece)
    pieces = list(ledger_csv(ledger))
    assert "".join(pieces) == "".join(whole)
    assert (len(pieces) > 1) is (piece < 10_000)
    assert all(len(one) < piece + 400 for one in pieces), "a piece ends with the line that filled it"


@pytest.mark.parametrize("unit", [ONE, Decimal("0.1")])
@pytest.mark.parametrize("side", list(Side))
def test_a_residual_is_where_most_of_it_is_held_or_is_missing(side: Side, unit: Decimal) -> None:
    """Ten units traded one way at Binance, and four back at Upbit, or nothing."""
    for back in (4, 0):
        tell, other, qty = Telling().start(), Side.SELL if side is Side.BUY else Side.BUY, 10 * unit
        legs = leg(0, "binance", side, qty, Decimal(2)), leg(1, "upbit", other, qty, Decimal(3000))
        tell.open("c1", *legs, send=False)
        tell.fill("c1", fill_of("binance", side, qty, Decimal(2), "b"), {"XRP": Decimal("2.1")})
        if back:
            tell.fill("c1", fill_of("upbit", other, back * unit, Decimal(3000), "u"), {"XRP": Decimal("2.1")})
        tell.end("c1", "why")
        account = tell.portfolio.cycle("c1")
        assert account is not None
        (row,) = residual_rows(tell.portfolio, account)
        sign = 1 if side is Side.BUY else -1
        assert (row["exchange"], row["asset"], Decimal(row["qty"])) == ("binance", "XRP", sign * (10 - back) * unit)
        assert Decimal(row["value_usdt"]) == (10 - back) * unit * Decimal("2.1")
        assert (row["cause"], row["acknowledged_by"], row["settled"]) == ("why", None, None)


def test_what_is_begun_of_no_position_settles_none(tmp_path: Path) -> None:
    path, run = tmp_path / "journal.db", SyntheticRun()
    record(path, run.start(), run.cycle(0))
    record(path, [SettlementBegan("r1-0", "flatten", "binance", "me", "x"), SettlementBegan("r1-9", "flatten", "binance", "me", "x")])
    assert read_ledger(path)["residuals"] == []


def test_an_unknown_run_names_those_that_there_are(journal: Path) -> None:
    with pytest.raises(UsageError, match="no run 'r9'; the last ones: r2, r1"):
        read_ledger(journal, "r9")


def test_a_journal_without_a_run_has_an_empty_ledger(tmp_path: Path) -> None:
    record(tmp_path / "journal.db")
    ledger = read_ledger(tmp_path / "journal.db")
    assert (ledger["profile"], ledger["runs"], ledger["fills"], ledger["balances"]) == ("", [], [], {})
    assert "".join(ledger_csv(ledger)).splitlines() == [",".join(FILL_COLUMNS)]


def test_reading_changes_nothing(journal: Path) -> None:
    before = journal.read_bytes()
    read_ledger(journal)
    assert journal.read_bytes() == before


def _newer(path: Path) -> None:
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {USER_VERSION + 1}")


def _format_1(path: Path) -> None:
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")


def _unhashed_gap(path: Path) -> None:
    """As in a journal from before there were hashes."""
    record(path, *whole_run())
    tip_file(path).unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TRIGGER event_never_goes")
        db.execute("DELETE FROM event WHERE seq = 9")
        db.execute("PRAGMA user_version = 2")
        db.commit()


def _gap(path: Path) -> None:
    record(path, *whole_run())
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TRIGGER event_never_goes")
        db.execute("DELETE FROM event WHERE seq = 9")
        db.commit()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such journal"),
        (lambda path: path.mkdir(), "a directory stands where a database should be"),
        (lambda path: path.write_bytes(b"not a database at all, only text\n" * 40), "not an SQLite database"),
        (lambda path: path.touch(), "nothing has run there"),
        (lambda path: sqlite3.connect(path).executescript("CREATE TABLE recipe (cake TEXT)").connection.close(), "another program"),
        (_newer, "newer version"),
        (_format_1, "earlier version .format 1"),
        (_gap, "event 9 is missing"),
        (_unhashed_gap, "the journal is damaged; restore a backup"),
    ],
)
def test_a_bad_journal_is_refused_by_name(tmp_path: Path, make: Any, says: str) -> None:
    path = tmp_path / "journal.db"
    make(path)
    with pytest.raises(UsageError, match=says) as refused:
        read_ledger(path)
    assert str(path) in str(refused.value)


_READ_ONLY = """
import sys
from pathlib import Path
from arbtui.portfolio.ledger import read_ledger
folder = Path(sys.argv[1])
try:
    (folder / "probe").touch()
except OSError:
    print(len(read_ledger(folder / "journal.db")["fills"]))
else:
    print("writable")
"""


@pytest.mark.parametrize("left", ["clean", "hot", "hot without its index"])
def test_it_reads_in_a_folder_where_nothing_may_be_written(tmp_path: Path, left: str) -> None:
    """A folder mounted read-only in a namespace of its own, since root may write everywhere else."""
    folder = tmp_path / "state"
    folder.mkdir()
    path = folder / "journal.db"
    record(path, *whole_run())
    if left != "clean":
        # A copy taken while a writer has the file open is what a killed one leaves.
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("INSERT INTO kill (seq, ts_ms, run_id, action, source, reason) VALUES (999, 0, '', 'killed', '', '')")
            files = {file.name: file.read_bytes() for file in folder.iterdir()}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        assert (folder / "journal.db-wal").stat().st_size > 0
        if left == "hot without its index":
            (folder / "journal.db-shm").unlink()
    mount = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" -c "$2" "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, sys.executable, str(folder), _READ_ONLY],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.stderr.startswith(("unshare:", "mount:")):
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.stderr == ""
    assert done.stdout.strip() == "6"
