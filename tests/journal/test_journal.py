"""The journal: numbered, timed, remembered over restarts, and honest about what it could not write."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from arbtui.journal.database import apply_pragmas, create_file
from arbtui.journal.events import (
    Adjusted,
    BalanceOpened,
    BreachAcknowledged,
    Killed,
    OrderChanged,
    OrderIntended,
    Rearmed,
    RunStarted,
    StateChanged,
)
from arbtui.journal.journal import Journal
from arbtui.journal.open_items import read_open_items
from arbtui.journal.schema import SNAPSHOTS_KEPT, USER_VERSION
from arbtui.journal.state import last_event_ms, load, refuse_foreign
from arbtui.journal.store import Door
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import OrderState, Side
from arbtui.model.virtual_loop import run_virtual
from tests.journal.recorded import record, tamper
from tests.journal.synthetic import ORIGINS, FixedClock, SyntheticRun, whole_run

DOORS: list[Door] = ["aio", "sync"]


def use(path: Path, door: Door, what: Callable[[Journal], Awaitable[None]], salt: str | None = "salt") -> None:
    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door=door, salt=salt)
        try:
            await what(journal)
        finally:
            await journal.close()

    if door == "aio":
        asyncio.run(main())
    else:
        run_virtual(main())


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT seq, ts_ms, run_id, type FROM event ORDER BY seq").fetchall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sim" / "journal.db"


@pytest.mark.parametrize("door", DOORS)
def test_events_are_numbered_in_order_of_the_calls_timed_and_given_their_run(path: Path, door: Door) -> None:
    async def what(journal: Journal) -> None:
        journal.post(StateChanged("RECOVERING", ""))
        commits = asyncio.gather(*(journal.commit(Adjusted("a", str(n), ONE, "", "operator")) for n in range(3)))
        await asyncio.sleep(0)
        journal.post(*SyntheticRun().start()[:1], Killed("KEY", "", 1))
        await commits
        await journal.commit()

    use(path, door, what)
    clock = FixedClock()
    assert rows(path) == [
        (1, clock.now_ms, "", "JournalCreated"),
        (2, clock.now_ms, "", "StateChanged"),
        *((3 + n, clock.now_ms, "", "Adjusted") for n in range(3)),
        (6, clock.now_ms, "r1", "RunStarted"),
        (7, clock.now_ms, "r1", "Killed"),
    ]


def test_both_doors_write_the_same(tmp_path: Path) -> None:
    async def what(journal: Journal) -> None:
        for group in whole_run():
            journal.post(*group[:1])
            await journal.commit(*group[1:])

    content = []
    for door in DOORS:
        path = tmp_path / str(door) / "journal.db"
        use(path, door, what)
        with closing(sqlite3.connect(path)) as db:
            content.append(list(db.iterdump()))
    assert content[0] == content[1]


@pytest.mark.parametrize("door", DOORS)
def test_a_second_start_goes_on_counting_and_keeps_the_salt(path: Path, door: Door) -> None:
    async def first(journal: Journal) -> None:
        await journal.commit(Killed("KEY", "", 1))
        assert journal.salt == "salt"

    async def second(journal: Journal) -> None:
        assert journal.salt == "salt"
        await journal.commit(Rearmed("me", "fine"))
        assert journal.stats.events == 1

    use(path, door, first)
    use(path, door, second, salt="another")
    assert [(seq, kind) for seq, _, _, kind in rows(path)] == [(1, "JournalCreated"), (2, "Killed"), (3, "Rearmed")]


def test_a_salt_is_drawn_when_none_is_given(tmp_path: Path) -> None:
    async def what(journal: Journal) -> None:
        salts.append(journal.salt)

    salts: list[str] = []
    for name in ("a", "b"):
        use(tmp_path / name / "journal.db", "sync", what, salt=None)
    assert len(set(salts)) == 2
    assert all(len(salt) == 16 for salt in salts)


@pytest.mark.parametrize("door", DOORS)
def test_a_failure_is_raised_to_who_waits_and_told_once_to_who_does_not(path: Path, door: Door) -> None:
    intent = SyntheticRun().intents(0)[1]

    async def what(journal: Journal) -> None:
        told: list[JournalFailed] = []
        journal.on_failure = told.append
        await journal.commit(intent)
        assert journal.failure is None
        journal.post(intent)
        with pytest.raises(JournalFailed):
            await journal.commit(Killed("KEY", "", 1))
        with pytest.raises(JournalFailed):
            await journal.snapshot({})
        journal.post(intent)
        assert len(told) == 1
        assert journal.failure is not None

    use(path, door, what)
    assert [kind for *_, kind in rows(path)] == ["JournalCreated", "OrderIntended"]


@pytest.mark.parametrize("door", DOORS)
def test_what_cannot_be_encoded_uses_no_number_and_breaks_nothing(path: Path, door: Door) -> None:
    async def what(journal: Journal) -> None:
        with pytest.raises(TypeError):
            await journal.commit(Killed("KEY", "", 1), Killed("KEY", object(), 1))  # type: ignore[arg-type]
        await journal.commit(Killed("KEY", "", 2))

    use(path, door, what)
    assert [(seq, kind) for seq, _, _, kind in rows(path)] == [(1, "JournalCreated"), (2, "Killed")]


@pytest.mark.parametrize("door", DOORS)
def test_only_the_newest_snapshots_are_kept_and_the_last_comes_back(path: Path, door: Door) -> None:
    async def what(journal: Journal) -> None:
        for number in range(1, 9):
            assert await journal.snapshot({"number": number, "amount": Decimal("1.50"), "side": Side.BUY}) == number

    use(path, door, what)
    state = load(path)
    assert (state.snapshot_no, state.snapshot_seq) == (8, 8)  # the event that tells of the newest is not in it
    assert (state.snapshot_no, state.snapshot) == (8, {"number": 8, "amount": "1.50", "side": "buy"})
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*), min(snapshot_no) FROM snapshot").fetchone() == (SNAPSHOTS_KEPT, 9 - SNAPSHOTS_KEPT)

    async def again(journal: Journal) -> None:
        assert await journal.snapshot({}) == 9

    use(path, door, again)


def test_a_new_journal_remembers_nothing_but_its_salt(path: Path) -> None:
    record(path)
    state = load(path)
    assert (state.salt, state.seq, state.runs, state.last_run, state.snapshot) == ("salt", 1, 0, None, None)
    assert (state.origins, state.kills, state.breaches, state.snapshot_no, state.snapshot_seq) == ({}, [], [], 0, 0)
    assert not state.is_killed


def test_a_start_reads_back_runs_kills_and_breaches(path: Path) -> None:
    run = SyntheticRun()
    record(path, run.start(), run.trouble(), run.cycle(0), [StateChanged("REDUCING", "why")], [Killed("CLI", "enough", 2)])
    state = load(path)
    assert state.last_run is not None
    assert (state.last_run.run_id, state.last_run.state, state.last_run.ended_ms, state.last_run.ended_clean) == (
        "r1",
        "REDUCING",
        None,
        False,
    )
    assert (state.origins, state.runs) == (ORIGINS, 1)
    assert [(kill.action, kill.source, kill.epoch) for kill in state.kills] == [
        ("killed", "KEY", 1),
        ("rearmed", "operator", None),
        ("killed", "CLI", 2),
    ]
    assert state.is_killed
    assert [breach.breach_id for breach in state.breaches] == ["r1-b2"]


def test_what_a_person_has_acknowledged_does_not_come_back(path: Path) -> None:
    run = SyntheticRun()
    record(path, run.start(), run.trouble(), [BreachAcknowledged("r1-b2", "me")], run.stop())
    state = load(path)
    assert (state.breaches, state.is_killed) == ([], False)
    assert state.last_run is not None
    assert state.last_run.ended_clean


@pytest.mark.parametrize("final", [state for state in OrderState if state.is_final])
def test_a_look_from_the_side_counts_what_is_not_settled(path: Path, final: OrderState) -> None:
    intent = SyntheticRun().intents(0)[1]
    assert isinstance(intent, OrderIntended)
    record(path, [intent])
    assert (read_open_items(path).open_orders, read_open_items(path).last_run) == (1, None)
    record(path, [OrderChanged(intent.client_order_id, final, "", ZERO, "")], SyntheticRun().start()[:1])
    assert (read_open_items(path).open_orders, read_open_items(path).last_run) == (0, "r1")


def test_f45_another_origin_of_a_known_venue_is_refused(path: Path) -> None:
    record(path, SyntheticRun().start())
    state = load(path)
    state.refuse_other_origins(ORIGINS)
    state.refuse_other_origins({"upbit": ORIGINS["upbit"], "okx": "http://127.0.0.1:9300"})
    with pytest.raises(UsageError, match=r"upbit at http://127.0.0.1:9100, not at https://api.upbit.com") as refused:
        state.refuse_other_origins({**ORIGINS, "upbit": "https://api.upbit.com"})
    assert str(path) in str(refused.value)


def test_f45_another_profile_s_or_mode_s_journal_is_refused(path: Path) -> None:
    record(path)
    load(path).refuse_another_profile("anybody", "live")  # nobody has run on it yet
    record(path, SyntheticRun().start())
    load(path).refuse_another_profile("upbit-binance", "sim")
    for profile, mode in (("upbit-bybit", "sim"), ("upbit-binance", "live")):
        with pytest.raises(
            UsageError, match=f"by profile upbit-binance in mode sim, and this is profile {profile} in mode {mode}"
        ) as refused:
            load(path).refuse_another_profile(profile, mode)
        assert str(path) in str(refused.value)


def test_f45_whose_a_journal_is_is_seen_before_it_is_opened_for_writing(path: Path) -> None:
    refuse_foreign(path, "anybody", "sim", ORIGINS)  # there is none yet
    record(path, SyntheticRun().start())
    refuse_foreign(path, "upbit-binance", "sim", ORIGINS)
    whole, age = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(UsageError, match="written by profile upbit-binance in mode sim"):
        refuse_foreign(path, "mine", "sim", ORIGINS)
    with pytest.raises(UsageError, match="written with upbit at"):
        refuse_foreign(path, "upbit-binance", "sim", {"upbit": "https://api.upbit.com"})
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (whole, age)


def test_f40_a_first_start_that_died_before_its_tables_were_made_is_gone_on_with(path: Path) -> None:
    create_file(path)
    with closing(sqlite3.connect(path)) as db:
        apply_pragmas(db, synchronous="FULL")
    assert path.stat().st_size
    refuse_foreign(path, "upbit-binance", "sim", ORIGINS)
    record(path, SyntheticRun().start())
    assert load(path).runs == 1


def test_f45_a_changed_name_in_a_table_is_damage_and_no_other_profile(path: Path) -> None:
    record(path, SyntheticRun().start())
    tamper(path, "UPDATE run SET profile = 'upbit-bhnance'")
    with pytest.raises(UsageError, match="journal rebuild"):
        refuse_foreign(path, "upbit-binance", "sim", ORIGINS)


def test_f45_another_account_is_refused_where_both_are_known(path: Path) -> None:
    start = SyntheticRun().start()
    assert isinstance(start[0], RunStarted)
    record(path, [replace(start[0], accounts={"binance": "a1"}), *start[1:]], [replace(start[0], run_id="r2")])
    state = load(path)
    assert state.accounts == {"binance": "a1"}
    state.refuse_other_accounts({})
    state.refuse_other_accounts({"binance": "a1", "upbit": "u1"})
    with pytest.raises(UsageError, match="written for another account at binance than the one of the present keys"):
        state.refuse_other_accounts({"binance": "a2"})


def test_the_first_origin_of_a_venue_stays(path: Path) -> None:
    record(path, [RunStarted("a", "p", "sim", None, "", "", {"upbit": "one"}, "ARMED")])
    record(path, [RunStarted("b", "p", "sim", None, "", "", {"upbit": "two", "okx": "three"}, "ARMED")])
    assert load(path).origins == {"upbit": "one", "okx": "three"}


def test_the_time_of_the_last_event_is_known_before_anything_is_opened(path: Path) -> None:
    assert last_event_ms(path) == 0
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert last_event_ms(path) == 0
    record(path, SyntheticRun().start(), [Killed("KEY", "", 1)])
    assert last_event_ms(path) == FixedClock().now_ms + 14


def _write(path: Path) -> None:
    async def what(journal: Journal) -> None:
        pytest.fail("it opened")

    use(path, "sync", what)


@pytest.mark.parametrize("begin", [_write, load])
def test_f47_a_journal_of_format_1_is_refused_with_what_to_do(path: Path, begin: Callable[[Path], object]) -> None:
    """Its events said what they meant (balances, outcome, PnL): reading on would count some of it twice."""
    record(path, SyntheticRun().start())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 1")
        db.commit()
    before = path.read_bytes()
    with pytest.raises(UsageError, match=rf"written by an earlier version \(format 1, this program reads 2 to {USER_VERSION}\)") as refused:
        begin(path)
    assert str(path) in str(refused.value)
    assert f"move the folder {path.parent} away as a whole and keep it" in str(refused.value)
    assert path.read_bytes() == before


def test_stats_tell_how_long_commits_took(path: Path) -> None:
    async def what(journal: Journal) -> None:
        await asyncio.gather(*(journal.commit(BalanceOpened("a", str(n), ONE)) for n in range(100)))
        stats = journal.stats
        assert stats.events == 101
        assert stats.transactions < 10
        assert 0 < stats.commit_p50_ms <= stats.commit_p99_ms <= stats.commit_max_ms
        assert stats.queue == 0

    use(path, "aio", what)
