"""What an outsider may say of an engine: what its lock, its flag and its journal show, and "wedged?" only with reason."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.events import BalanceDisputed, CycleAcknowledged, Killed, Rearmed, ResidualSettled
from arbtui.journal.liveness import JournalLiveness
from arbtui.journal.state import BreachRow, JournalState, KillRow, RunRow
from arbtui.model.halt import HaltCause
from arbtui.model.order import OrderState, Side
from arbtui.portfolio.portfolio import Portfolio
from arbtui.views.status import Holder, read_status
from tests.portfolio.telling import Telling, fill_of, leg

WALL = 1_800_000_000_000
RUN = RunRow("r1", "p", "sim", 1, WALL - 60_000, None, None, None, "ARMED")
HOLDER = Holder(7, "S", WALL - 60_000)
FRESH = JournalLiveness(WALL, WALL, WALL - 1_000, 5.0)


def journal_of(run: RunRow | None) -> JournalState:
    return JournalState(
        path=Path("journal.db"), salt="", seq=1, runs=1, last_run=run, origins={}, kills=[], breaches=[], snapshot_no=0, snapshot_seq=0,
        snapshot=None,
    )  # fmt: skip


def status(holder: Holder | None = HOLDER, run: RunRow | None = RUN, liveness: JournalLiveness | None = FRESH) -> dict[str, object]:
    return read_status(holder, None, journal_of(run) if run else None, Portfolio() if run else None, liveness, WALL, 5.0)


@pytest.mark.parametrize(
    ("holder", "run", "state"),
    [
        (HOLDER, RUN, "ARMED"),
        (HOLDER, replace(RUN, state="HALTED_DIRTY"), "HALTED_DIRTY"),
        (HOLDER, None, "STARTING"),
        (HOLDER, replace(RUN, ended_ms=WALL - 5_000, exit_code=0), "STARTING"),
        (None, None, "NEW"),
        (None, RUN, "CRASHED"),
        (None, replace(RUN, ended_ms=WALL, exit_code=0), "STOPPED"),
    ],
)
def test_state(holder: Holder | None, run: RunRow | None, state: str) -> None:
    assert status(holder, run)["state"] == state


@pytest.mark.parametrize(
    ("holder", "snapshot_ms", "started_ms", "is_wedged"),
    [
        (HOLDER, WALL - 15_000, WALL - 60_000, False),
        (HOLDER, WALL - 15_001, WALL - 60_000, True),
        (HOLDER, WALL - 900_000, WALL - 14_000, False),  # of an earlier run: this one's first is due soon
        (HOLDER, None, WALL - 15_001, True),
        (replace(HOLDER, since_ms=WALL - 1_000), WALL - 900_000, WALL - 999_000, False),  # a crashed run's; a new engine is starting
        (None, WALL - 900_000, WALL - 999_000, False),  # dead is not wedged
    ],
)
def test_wedged_means_that_three_snapshots_are_missing(
    holder: Holder | None, snapshot_ms: int | None, started_ms: int, is_wedged: bool
) -> None:
    told = status(holder, replace(RUN, started_ms=started_ms), JournalLiveness(WALL, WALL, snapshot_ms, 5.0))
    assert told["wedged"] is is_wedged


@pytest.mark.parametrize(("up_ms", "is_wedged"), [(15_000, False), (15_001, True)])
def test_an_engine_that_never_writes_anything_is_wedged_too(up_ms: int, is_wedged: bool) -> None:
    assert status(Holder(7, "T", WALL - up_ms), None, None)["wedged"] is is_wedged


def test_the_interval_is_the_journals_own_else_the_profiles() -> None:
    assert status(liveness=FRESH)["snapshot_interval_s"] == 5.0
    assert status(liveness=replace(FRESH, interval_s=3600.0, snapshot_ms=WALL - 60_000))["wedged"] is False
    assert read_status(HOLDER, None, journal_of(RUN), Portfolio(), replace(FRESH, interval_s=None), WALL, 9.0)["snapshot_interval_s"] == 9.0


def test_a_run_in_virtual_time_is_as_old_as_its_file() -> None:
    virtual = JournalLiveness(written_ms=WALL - 2_000, event_ms=50_000, snapshot_ms=49_000, interval_s=5.0)
    told = status(HOLDER, replace(RUN, started_ms=0), virtual)
    assert (told["last_event_age_s"], told["last_snapshot_age_s"], told["wedged"]) == (2.0, 3.0, False)
    stuck = replace(virtual, written_ms=WALL - 20_000)
    assert status(HOLDER, replace(RUN, started_ms=0), stuck)["wedged"] is True


def killed(action: str) -> tuple[JournalState, Portfolio]:
    journal, tell = journal_of(RUN), Telling().start()
    journal.kills = [KillRow(3, "killed", "KEY", "earlier", 1), KillRow(4, action, "GUARD", "loss", 2)]
    tell(Killed("KEY", "earlier", 1), Killed("GUARD", "loss", 2) if action == "killed" else Rearmed("GUARD", "loss"))
    return journal, tell.portfolio


def test_the_kill_is_the_flags() -> None:
    told = read_status(None, HaltCause("KEY", "why", 5), *killed("killed"), FRESH, WALL, 5.0)
    assert told["kill"] == {"latched": True, "flag": True, "source": "KEY", "reason": "why", "ts": "1970-01-01T00:00:00.005Z"}
    assert status()["kill"] == {"latched": False, "flag": False, "source": None, "reason": None, "ts": None}


def test_a_flag_that_was_taken_away_leaves_the_kill_latched() -> None:
    told = read_status(None, None, *killed("killed"), FRESH, WALL, 5.0)
    assert told["kill"] == {"latched": True, "flag": False, "source": "GUARD", "reason": "loss", "ts": "1970-01-01T00:00:00.004Z"}
    assert read_status(None, None, *killed("rearmed"), FRESH, WALL, 5.0)["kill"]["latched"] is False


BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2), base="TRX")
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000), base="TRX")
PRICES = {"KRW": Decimal("0.0007"), "TRX": Decimal(2), "XRP": Decimal(2)}


def _left() -> Telling:
    """A cycle that left ten coins, one that is open with an order of unknown fate, and a balance that is disputed."""
    tell = Telling().start()
    tell.marks(PRICES, "start", "2026-01-02")
    tell.now_ms = 5
    tell.open("r1-9", BUY, SELL, route="TRX:binance>upbit")
    tell.fill("r1-9", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t1", base="TRX", fee=Decimal("0.1")), PRICES)
    for number in (0, 1):
        tell.order(f"r1-9-{number}", OrderState.FILLED if not number else OrderState.EXPIRED)
    tell.end("r1-9", "WORST_PRICE")
    tell.open("r1-10", BUY, route="TRX:binance>upbit")
    tell.order("r1-10-0", OrderState.UNKNOWN)
    tell(BalanceDisputed("upbit", "KRW", Decimal(2), Decimal(1)))
    return tell


def _told(tell: Telling) -> dict[str, Any]:
    return read_status(HOLDER, None, journal_of(RUN), tell.portfolio, FRESH, WALL, 5.0)


def test_what_waits_for_a_person_is_listed() -> None:
    tell = _left()
    told = _told(tell)
    (residual,) = told["residual_cycles"]
    assert residual == {
        "id": "r1-9",
        "route": "TRX:binance>upbit",
        "symbol": "TRX",
        "state": "RESIDUAL",
        "opened": "1970-01-01T00:00:00.005Z",
        "closed": residual["closed"],
        "reason": "WORST_PRICE",
        "phase": None,
        "transfer": None,
    }
    assert [(row["id"], row["closed"]) for row in told["open_cycles"]] == [("r1-10", None)]
    assert [(row["client_order_id"], row["exchange"], row["state"], row["qty"]) for row in told["open_orders"]] == [
        ("r1-10-0", "binance", "UNKNOWN", "10"),
    ]
    assert [(row["cycle_id"], row["asset"], row["qty"], row["value_usdt"], row["acknowledged_by"]) for row in told["residuals"]] == [
        ("r1-9", "TRX", "10", "20", None),
    ]
    assert [(row["exchange"], row["asset"], row["ours"], row["theirs"]) for row in told["disputes"]] == [("upbit", "KRW", "2", "1")]
    assert told["cycles"] == {"OPEN": 1, "RESIDUAL": 1}


def test_a_position_is_listed_until_it_is_settled_not_until_it_was_seen() -> None:
    tell = _left()
    tell(CycleAcknowledged("r1-9", "me", "seen"))
    assert [row["acknowledged_by"] for row in _told(tell)["residuals"]] == ["me"]
    assert [row["id"] for row in _told(tell)["residual_cycles"]] == ["r1-9"]
    tell(ResidualSettled("r1-9", "written off", "me", "sold"))
    assert (_told(tell)["residuals"], _told(tell)["residual_cycles"]) == ([], [])


def test_profit_is_told_of_the_desks_day_and_of_all_time_with_every_part() -> None:
    tell = _left()
    tell.marks({"XRP": Decimal(3)}, "day", "2026-01-03")
    tell.marks({"XRP": Decimal(4)})
    pnl = read_status(HOLDER, None, journal_of(RUN), tell.portfolio, FRESH, WALL, 5.0)["pnl"]
    assert pnl["day"] == "2026-01-03"
    parts = {"trading": "0", "fees": "0", "fx_open": "0", "fx_stock": "0", "rotation": "0", "adjustments": "0"}
    assert pnl["today"] == {"currency": "USDT", "total": "200", "inventory": "200", **parts}
    fee = Decimal("0.1")
    assert pnl["all"] == {"currency": "USDT", "total": str(400 - fee), "inventory": "400", **parts, "fees": str(fee)}
    assert status()["pnl"] == {"day": None, "today": None, "all": Portfolio().pnl_since(None).payload("USDT")}
    assert status(None, None)["pnl"] is None


def test_breaches_that_nobody_has_seen_are_listed() -> None:
    journal = journal_of(RUN)
    journal.breaches = [BreachRow("b1", "r1", 7, "CRIT", "RESIDUAL", "TRX", "left 1.5", "acknowledge")]
    told = read_status(HOLDER, None, journal, Portfolio(), FRESH, WALL, 5.0)
    assert told["breaches"] == [
        {
            "id": "b1",
            "ts": "1970-01-01T00:00:00.007Z",
            "severity": "CRIT",
            "kind": "RESIDUAL",
            "scope": "TRX",
            "detail": "left 1.5",
            "action": "acknowledge",
            "repeats": 0,
            "last": None,
        }
    ]
