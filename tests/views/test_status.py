"""What an outsider may say of an engine: what its lock, its flag and its journal show, and "wedged?" only with reason."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import CycleState
from arbtui.journal.liveness import JournalLiveness
from arbtui.journal.state import BreachRow, CycleRow, JournalState, KillRow, RunRow
from arbtui.model.halt import HaltCause
from arbtui.views.status import DAY_MS, Holder, midnight_ms, read_status

WALL = 1_800_000_000_000
RUN = RunRow("r1", "p", "sim", 1, WALL - 60_000, None, None, None, "ARMED")
HOLDER = Holder(7, "S", WALL - 60_000)
FRESH = JournalLiveness(WALL, WALL, WALL - 1_000, 5.0)


def journal_of(run: RunRow | None) -> JournalState:
    return JournalState(
        path=Path("journal.db"), salt="", seq=1, runs=1, cycles=0, orders=0, fills=0, last_run=run, origins={}, balances={}, open_cycles=[],
        residual_cycles=[], recent_cycles=[], open_orders=[], kills=[], breaches=[], pnl={}, pnl_since={}, route_fills={}, last_fill_ts={},
        snapshot_no=0, snapshot=None,
    )  # fmt: skip


def status(holder: Holder | None = HOLDER, run: RunRow | None = RUN, pulse: JournalLiveness | None = FRESH) -> dict[str, object]:
    return read_status(holder, None, journal_of(run) if run else None, pulse, WALL, 5.0)


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
    assert status(pulse=FRESH)["snapshot_interval_s"] == 5.0
    assert status(pulse=replace(FRESH, interval_s=3600.0, snapshot_ms=WALL - 60_000))["wedged"] is False
    assert read_status(HOLDER, None, journal_of(RUN), replace(FRESH, interval_s=None), WALL, 9.0)["snapshot_interval_s"] == 9.0


def test_a_run_in_virtual_time_is_as_old_as_its_file() -> None:
    virtual = JournalLiveness(written_ms=WALL - 2_000, event_ms=50_000, snapshot_ms=49_000, interval_s=5.0)
    told = status(HOLDER, replace(RUN, started_ms=0), virtual)
    assert (told["last_event_age_s"], told["last_snapshot_age_s"], told["wedged"]) == (2.0, 3.0, False)
    stuck = replace(virtual, written_ms=WALL - 20_000)
    assert status(HOLDER, replace(RUN, started_ms=0), stuck)["wedged"] is True


def test_today_begins_at_midnight_of_the_journals_clock() -> None:
    assert midnight_ms(FRESH, WALL) == WALL // DAY_MS * DAY_MS
    assert midnight_ms(JournalLiveness(WALL, 3 * DAY_MS + 5, None, None), WALL) == 3 * DAY_MS


def killed(action: str) -> JournalState:
    journal = journal_of(RUN)
    journal.kills = [KillRow(3, "killed", "KEY", "earlier", 1), KillRow(4, action, "GUARD", "loss", 2)]
    return journal


def test_the_kill_is_the_flags() -> None:
    told = read_status(None, HaltCause("KEY", "why", 5), killed("killed"), FRESH, WALL, 5.0)
    assert told["kill"] == {"latched": True, "flag": True, "source": "KEY", "reason": "why", "ts": "1970-01-01T00:00:00.005Z"}
    assert status()["kill"] == {"latched": False, "flag": False, "source": None, "reason": None, "ts": None}


def test_a_flag_that_was_taken_away_leaves_the_kill_latched() -> None:
    told = read_status(None, None, killed("killed"), FRESH, WALL, 5.0)
    assert told["kill"] == {"latched": True, "flag": False, "source": "GUARD", "reason": "loss", "ts": "1970-01-01T00:00:00.004Z"}
    assert read_status(None, None, killed("rearmed"), FRESH, WALL, 5.0)["kill"]["latched"] is False


def test_what_waits_for_a_person_is_listed() -> None:
    journal = journal_of(RUN)
    left = CycleRow("r1-9", "r1", "TRX:upbit>binance", "TRX", CycleState.RESIDUAL, 9.0, (), 5, 6, Decimal("1.5"), "WORST_PRICE", {}, (), ())
    journal.residual_cycles = [left]
    journal.open_cycles = [replace(left, cycle_id="r1-10", state=CycleState.OPEN, closed_ms=None, reason="")]
    journal.breaches = [BreachRow("b1", "r1", 7, "CRIT", "RESIDUAL", "TRX", "left 1.5", "acknowledge")]
    told = read_status(HOLDER, None, journal, FRESH, WALL, 5.0)
    assert told["residual_cycles"] == [
        {
            "id": "r1-9",
            "route": "TRX:upbit>binance",
            "symbol": "TRX",
            "state": "RESIDUAL",
            "opened": "1970-01-01T00:00:00.005Z",
            "closed": "1970-01-01T00:00:00.006Z",
            "reason": "WORST_PRICE",
        }
    ]
    assert [(row["id"], row["closed"]) for row in told["open_cycles"]] == [("r1-10", None)]
    assert told["breaches"] == [
        {
            "id": "b1",
            "ts": "1970-01-01T00:00:00.007Z",
            "severity": "CRIT",
            "kind": "RESIDUAL",
            "scope": "TRX",
            "detail": "left 1.5",
            "action": "acknowledge",
        }
    ]
