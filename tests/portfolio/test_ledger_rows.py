"""Every field of every row that a ledger tells, by hand; and a ledger of a part of a life, whose rows are only of that part."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    BreachAcknowledged,
    BreachRecorded,
    BreachRepeated,
    CycleAcknowledged,
    CycleEnded,
    CycleOpened,
    Event,
    FillRecorded,
    Killed,
    MarksTaken,
    OrderChanged,
    Rearmed,
    ResidualSettled,
    RunEnded,
    RunStarted,
    ScopeHalted,
    ScopeRearmed,
    SettlementBegan,
    StateChanged,
    TargetSet,
    TransferBegun,
    TransferLeft,
    Transferred,
    TransferSettled,
)
from arbtui.model.clock import VIRTUAL_EPOCH_MS, iso_ms
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side, TimeInForce
from arbtui.portfolio.ledger import read_ledger
from tests.portfolio.recorded import record
from tests.portfolio.telling import intent_of, leg, marks_of

START = RunStarted("r1", "desk", "paper", 7, "1.2", "c0ffee", {"upbit": "http://u"}, "ARMED", timezone="Asia/Seoul")
PRICES = {"XRP": Decimal("2.5"), "KRW": Decimal("0.0007"), "USDT": ONE}
BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
#: Of each group that :func:`record` commits, a step after the one before.
STEP_MS = 7


def at(group: int) -> str:
    """When the events of that group, counted from 1, were journaled."""
    return iso_ms(VIRTUAL_EPOCH_MS + STEP_MS * group)


def fill(side: Side, trade: str, order: str, price: str, **more: Any) -> Fill:
    """10 XRP, for a fee of 0.5 in the quote."""
    exchange, quote = ("binance", "USDT") if side is Side.BUY else ("upbit", "KRW")
    qty = Decimal(more.get("qty", "10"))
    return Fill(
        exchange, trade, order, f"v{order}", f"XRP{quote}", "XRP", quote, side, qty, Decimal(price), qty * Decimal(price), Decimal("0.5"),
        more.get("fee_currency", quote), "maker", VIRTUAL_EPOCH_MS + 3,
    )  # fmt: skip


NOTED: list[tuple[str, list[Event], list[dict[str, Any]]]] = [
    (
        "adjustments",
        [Adjusted("upbit", "KRW", Decimal("-5.0"), "taken out", "operator", "ann"), Adjusted("binance", "BNB", ONE, "held", "first seen")],
        [
            {"exchange": "upbit", "asset": "KRW", "change": "-5", "reason": "taken out", "kind": "operator", "by": "ann"},
            {"exchange": "binance", "asset": "BNB", "change": "1", "reason": "held", "kind": "first seen", "by": ""},
        ],
    ),
    (
        "targets",
        [TargetSet("upbit", "XRP", Decimal("70.0"), Decimal("100.0"), "ann", "less")],
        [{"exchange": "upbit", "asset": "XRP", "before": "100", "target": "70", "by": "ann", "reason": "less"}],
    ),
    (
        "transfers",
        [Transferred("upbit", "binance", "XRP", Decimal(20), Decimal("19.5"), "by hand")],
        [
            {"exchange": "upbit", "asset": "XRP", "change": "-20", "reason": "by hand"},
            {"exchange": "binance", "asset": "XRP", "change": "19.5", "reason": "by hand"},
        ],
    ),
    (
        "transfers",
        [
            TransferBegun("t1", "XRP", "upbit", "binance", "net", Decimal(20), Decimal("0.5"), 4.0, "ann", "refill"),
            TransferLeft("t1", "upbit", "XRP", Decimal(20)),
            TransferLeft("t1", "upbit", "XRP", Decimal(20)),  # told again: it moves nothing
            TransferLeft("t9", "upbit", "XRP", Decimal(20)),  # of no transfer
            TransferSettled("t1", "returned", "ann", "x"),
        ],
        [
            {"exchange": "in transit", "asset": "XRP", "change": "20", "reason": "t1: refill"},
            {"exchange": "upbit", "asset": "XRP", "change": "-20", "reason": "t1: refill"},
            {"exchange": "in transit", "asset": "XRP", "change": "-20", "reason": "t1: refill"},
            {"exchange": "upbit", "asset": "XRP", "change": "20", "reason": "t1: refill"},
        ],
    ),
    (
        "kills",
        [
            Killed("KEY", "why", 3),
            Rearmed("ann", "looked"),
            ScopeHalted("symbol.XRP", "REDUCING", "notice", "upbit", "it leaves", VIRTUAL_EPOCH_MS),
            ScopeHalted("route.r", "PAUSED", "operator", "ann", "strange", 0),
            ScopeRearmed("symbol.XRP", "bob", "it stays"),
        ],
        [
            {"action": "killed", "source": "KEY", "reason": "why", "epoch": 3},
            {"action": "rearmed", "source": "ann", "reason": "looked", "epoch": None},
            {
                "action": "scope halted", "source": "notice", "reason": "it leaves", "epoch": None, "scope": "symbol.XRP",
                "depth": "REDUCING", "by": "upbit", "since": iso_ms(VIRTUAL_EPOCH_MS),
            },
            {
                "action": "scope halted", "source": "operator", "reason": "strange", "epoch": None, "scope": "route.r", "depth": "PAUSED",
                "by": "ann", "since": None,
            },
            {"action": "scope rearmed", "source": "bob", "reason": "it stays", "epoch": None, "scope": "symbol.XRP"},
        ],
    ),
    (
        "breaches",
        [
            BreachRecorded("b1", "WARN", "BOOK_AGE", "XRP", "2100 ms", "BLOCKED"),
            BreachRecorded("b1", "CRIT", "OTHER", "global", "the same id again", "HALTED"),
            BreachRecorded("b2", "CRIT", "MAX_LOSS_DAY", "global", "-7 USDT", "HALTED"),
            BreachRepeated("b1", 41, VIRTUAL_EPOCH_MS),
            BreachRepeated("b1", 2, VIRTUAL_EPOCH_MS + 5),
            BreachRepeated("b9", 2, VIRTUAL_EPOCH_MS),
            BreachAcknowledged("b1", "ann"),
            BreachAcknowledged("b9", "ann"),
        ],
        [
            {
                "breach_id": "b1", "severity": "WARN", "kind": "BOOK_AGE", "scope": "XRP", "detail": "2100 ms", "action": "BLOCKED",
                "acknowledged_by": "ann", "acknowledged": at(2), "repeats": 43, "last": iso_ms(VIRTUAL_EPOCH_MS + 5),
            },
            {
                "breach_id": "b2", "severity": "CRIT", "kind": "MAX_LOSS_DAY", "scope": "global", "detail": "-7 USDT", "action": "HALTED",
                "acknowledged_by": None, "acknowledged": None, "repeats": 0, "last": None,
            },
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "events", "rows"), NOTED, ids=[f"{name}-{place}" for place, (name, _, _) in enumerate(NOTED)])
def test_each_row_of_what_was_noted_and_none_of_it_outside_of_its_span(
    name: str, events: list[Event], rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    record(path, [START], events, [Killed("other", "later", 9)])
    whole = read_ledger(path)
    assert whole[name][: len(rows)] == [{**row, "run_id": "r1", "ts": at(2)} for row in rows]
    assert len(whole[name]) == len(rows) + (name == "kills")
    for since, until in ((None, VIRTUAL_EPOCH_MS + 2 * STEP_MS - 1), (VIRTUAL_EPOCH_MS + 2 * STEP_MS + 1, None)):
        outside = read_ledger(path, since_ms=since, until_ms=until)
        assert len(outside[name]) == (since is not None and name == "kills")


def test_each_row_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    later = RunStarted("r2", "other", "sim", None, "1.3", "beef", {}, "DISARMED")
    record(path, [START], [StateChanged("PAUSED", "operator")], [RunEnded("r1", "operator", 3)], [later], [StateChanged("ARMED", "x")])
    first = {
        "run_id": "r1", "profile": "desk", "mode": "paper", "seed": 7, "version": "1.2", "config_hash": "c0ffee", "state": "PAUSED",
        "stop_reason": "operator", "exit_code": 3, "origins": {"upbit": "http://u"}, "started": at(1), "ended": at(3),
    }  # fmt: skip
    second: dict[str, Any] = {
        "run_id": "r2", "profile": "other", "mode": "sim", "seed": None, "version": "1.3", "config_hash": "beef", "state": "ARMED",
        "stop_reason": None, "exit_code": None, "origins": {}, "started": at(4), "ended": None,
    }  # fmt: skip
    whole = read_ledger(path)
    assert whole["runs"] == [first, second]
    assert (whole["profile"], whole["mode"], whole["timezone"]) == ("other", "sim", "UTC")
    of_first = read_ledger(path, "r1")
    assert (of_first["runs"], of_first["profile"], of_first["mode"], of_first["timezone"]) == ([first], "desk", "paper", "Asia/Seoul")
    assert read_ledger(path, since_ms=VIRTUAL_EPOCH_MS + 2 * STEP_MS)["runs"] == [second], "a run is of the span in which it began"


def life(path: Path) -> None:
    """One cycle: bought, half of it sold, ended, seen by a person, who writes off what is left. A group each from the second on."""
    opened = CycleOpened("c1", "XRP:binance>upbit", "XRP", 12.5, 20.0, (BUY, SELL), (), VIRTUAL_EPOCH_MS + 1, Decimal("0.50"))
    record(
        path,
        [START, MarksTaken("start", "2026-01-01", marks_of(PRICES))],
        [opened, intent_of("c1", BUY, "c1-0"), intent_of("c1", SELL, "c1-1", Purpose.FOLLOW)],
        [FillRecorded(fill(Side.BUY, "t1", "c1-0", "2"), "c1", 0, "stream", VIRTUAL_EPOCH_MS + 4, PRICES)],
        [OrderChanged("c1-0", OrderState.FILLED, "v1", Decimal("10.0"), "")],
        [
            FillRecorded(
                fill(Side.SELL, "t2", "c1-1", "3000", qty="5", fee_currency="KRW"), "c1", 1, "recovery", VIRTUAL_EPOCH_MS + 5, PRICES
            )
        ],
        [OrderChanged("c1-1", OrderState.EXPIRED, "v2", Decimal(5), "thin")],
        [CycleEnded("c1", VIRTUAL_EPOCH_MS + 9, "EXPIRED")],
        [CycleAcknowledged("c1", "bob", "seen")],
        [ResidualSettled("c1", "written off", "ann", "kept")],
    )


TRADES = {
    "exchange": "binance", "market": "XRPUSDT", "base": "XRP", "quote": "USDT", "side": "buy", "qty": "10", "price": "2", "cost": "20",
}, {
    "exchange": "upbit", "market": "XRPKRW", "base": "XRP", "quote": "KRW", "side": "sell", "qty": "5", "price": "3000", "cost": "15000",
}  # fmt: skip
#: 25 dollars of coins for 20, and 10.5 dollars of won for 12.5 of coins; fees of 0.5 dollars and 0.5 won.
EARNED = {"currency": "USDT", "total": "2.49965", "trading": "3", "fees": "0.50035"}
SETTLED = {"how": "written off", "by": "ann", "reason": "kept", "ts": at(9)}


def test_each_row_of_a_cycle_its_orders_and_its_residual(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    life(path)
    ledger = read_ledger(path)
    assert ledger["cycles"] == [
        {
            "id": "c1", "route": "XRP:binance>upbit", "symbol": "XRP", "edge_bps": 12.5, "run_id": "r1", "state": "RESIDUAL",
            "opened": iso_ms(VIRTUAL_EPOCH_MS + 1), "closed": iso_ms(VIRTUAL_EPOCH_MS + 9), "most_cost": "0.5", "dust": "0",
            "legs": [
                {
                    "leg": 0, "exchange": "binance", "market": "XRPUSDT", "base": "XRP", "quote": "USDT", "side": "buy", "qty": "10",
                    "price": "2", "lot": "0.1",
                },
                {
                    "leg": 1, "exchange": "upbit", "market": "XRPKRW", "base": "XRP", "quote": "KRW", "side": "sell", "qty": "10",
                    "price": "3000", "lot": "0.1",
                },
            ],
            "filled": list(TRADES), "pnl": ledger["cycles"][0]["pnl"], "reason": "EXPIRED", "acknowledged_by": "bob", "settled": SETTLED,
        },
    ]  # fmt: skip
    common = {
        "tif": TimeInForce.IOC.value, "cycle_id": "c1", "attempt": 1, "epoch": 0, "intended": at(2), "run_id": "r1", "base": "XRP",
        "qty": "10",
    }  # fmt: skip
    assert ledger["orders"] == [
        {
            **common, "client_order_id": "c1-0", "state": "FILLED", "filled_qty": "10", "exchange": "binance", "market": "XRPUSDT",
            "quote": "USDT", "side": "buy", "price": "2", "purpose": "entry", "leg": 0, "venue_order_id": "v1", "reason": "",
            "changed": at(4),
        },
        {
            **common, "client_order_id": "c1-1", "state": "EXPIRED", "filled_qty": "5", "exchange": "upbit", "market": "XRPKRW",
            "quote": "KRW", "side": "sell", "price": "3000", "purpose": "follow", "leg": 1, "venue_order_id": "v2", "reason": "thin",
            "changed": at(6),
        },
    ]  # fmt: skip
    assert [(row["trade_id"], row["source"], row["leg"], row["liquidity"], row["ts_event"], row["ts_init"]) for row in ledger["fills"]] == [
        ("t1", "stream", 0, "maker", iso_ms(VIRTUAL_EPOCH_MS + 3), iso_ms(VIRTUAL_EPOCH_MS + 4)),
        ("t2", "recovery", 1, "maker", iso_ms(VIRTUAL_EPOCH_MS + 3), iso_ms(VIRTUAL_EPOCH_MS + 5)),
    ]
    assert ledger["cycles"][0]["pnl"] == EARNED
    (residual,) = ledger["residuals"]
    assert residual == {
        "cycle_id": "c1", "exchange": "binance", "asset": "XRP", "qty": "5", "currency": "USDT", "value": "12.5", "value_usdt": "12.5",
        "since": iso_ms(VIRTUAL_EPOCH_MS + 9), "cause": "EXPIRED", "acknowledged_by": "bob", "settled": SETTLED,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("group", "state", "filled", "acknowledged", "settled"),
    [
        (2, "OPEN", 0, None, None),
        (3, "OPEN", 1, None, None),
        (5, "OPEN", 2, None, None),
        (7, "RESIDUAL", 2, None, None),
        (8, "RESIDUAL", 2, "bob", None),
        (9, "RESIDUAL", 2, "bob", SETTLED),
    ],
)
def test_a_cycle_is_told_as_it_stood_when_the_span_ended(
    group: int, state: str, filled: int, acknowledged: str | None, settled: dict[str, str] | None, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    life(path)
    ledger = read_ledger(path, until_ms=VIRTUAL_EPOCH_MS + STEP_MS * group)
    (cycle,) = ledger["cycles"]
    assert (cycle["state"], cycle["filled"], cycle["acknowledged_by"], cycle["settled"]) == (
        state,
        list(TRADES[:filled]),
        acknowledged,
        settled,
    )
    ended = state != "OPEN"
    told_end = (cycle["closed"], cycle["reason"], bool(cycle["pnl"]))
    assert told_end == ((iso_ms(VIRTUAL_EPOCH_MS + 9), "EXPIRED", True) if ended else (None, "", False))
    told = [(row["qty"], row["acknowledged_by"], row["settled"]) for row in ledger["residuals"]]
    assert told == ([("5", acknowledged, settled)] if ended else [])
    after = read_ledger(path, since_ms=VIRTUAL_EPOCH_MS + STEP_MS * group + 1)
    assert after["cycles"] == [], "it was opened before"
    assert len(after["fills"]) == 2 - filled
    assert [row["settled"] for row in after["residuals"]] == ([] if settled else [SETTLED])


def test_a_residual_that_was_settled_before_the_span_is_in_it_no_more(tmp_path: Path) -> None:
    """Nor is one that a late fill has made a position again, once as it was and once as it is."""
    path = tmp_path / "journal.db"
    life(path)
    assert read_ledger(path, since_ms=VIRTUAL_EPOCH_MS + STEP_MS * 9 + 1)["residuals"] == []
    late = FillRecorded(fill(Side.SELL, "t3", "c1-1", "3000", qty="5"), "c1", 1, "recovery", VIRTUAL_EPOCH_MS, PRICES)
    record(path, [late])
    (row,) = read_ledger(path)["residuals"]
    assert (row["exchange"], row["qty"], row["settled"]) == ("upbit", "-5", None)


def test_what_a_person_begins_to_settle_is_told_as_it_was_then(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    opened = CycleOpened("c1", "r", "XRP", 1.0, 20.0, (BUY,), (), VIRTUAL_EPOCH_MS)
    settles = intent_of("c1", leg(1000, "binance", Side.SELL, Decimal(10), Decimal(2)), "s1", Purpose.SETTLE)
    back = Fill("binance", "t2", "s1", "v", "XRPUSDT", "XRP", "USDT", Side.SELL, Decimal(10), ONE * 2, ONE * 20, ZERO, "USDT", "taker", 0)
    record(
        path,
        [START, opened, intent_of("c1", BUY, "c1-0")],
        [FillRecorded(fill(Side.BUY, "t1", "c1-0", "2"), "c1", 0, "stream", VIRTUAL_EPOCH_MS, PRICES), CycleEnded("c1", 5, "why")],
        [SettlementBegan("c1", "flatten", "binance", "ann", "x"), settles],
        [FillRecorded(back, "c1", 1000, "stream", VIRTUAL_EPOCH_MS, PRICES)],
    )
    before = read_ledger(path, until_ms=VIRTUAL_EPOCH_MS + STEP_MS * 3)
    assert [(row["qty"], row["settled"]) for row in before["residuals"]] == [("10", None)]
    (row,) = read_ledger(path)["residuals"]
    assert (row["qty"], row["value"], row["settled"]["how"], row["settled"]["by"]) == ("10", "25", "flattened", "ann")
    since = [read_ledger(path, since_ms=VIRTUAL_EPOCH_MS + STEP_MS * group + 1)["residuals"] for group in (3, 4)]
    assert since == [[row], []], "of the span in which it was settled"


def test_a_fill_is_told_once_by_the_first_that_told_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    life(path)
    before = read_ledger(path)
    again = fill(Side.BUY, "t1", "c1-0", "2")
    record(path, [FillRecorded(again, "c1", 0, "recovery", VIRTUAL_EPOCH_MS, {}), FillRecorded(again, "c9", 0, "answer", 0, {})])
    after = read_ledger(path)
    assert (after["fills"], after["cycles"], after["balances"]) == (before["fills"], before["cycles"], before["balances"])


def test_a_part_of_a_run_counts_from_the_prices_before_it_and_a_whole_run_from_those_of_its_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    prices = [MarksTaken("start" if not number else "time", "d", marks_of({"XRP": Decimal(2 + number)})) for number in range(4)]
    record(path, [START, BalanceOpened("binance", "XRP", Decimal(10))], *([marks] for marks in prices))
    for since, start, inventory in ((None, "2", "30"), (2, "2", "30"), (3, "2", "30"), (4, "3", "20"), (5, "4", "10"), (6, "5", "0")):
        ledger = read_ledger(path, "r1", since_ms=None if since is None else VIRTUAL_EPOCH_MS + STEP_MS * since)
        assert (ledger["equity"]["marks"]["XRP"]["start"], ledger["pnl"]["inventory"]) == (start, inventory), since
