"""At each snapshot of a simulated run: what the engine holds is what its journal says, or nothing is traded any more."""

import asyncio
import sqlite3
import threading
from contextlib import AbstractContextManager, closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from arbtui.engine.fold_check import FoldCheck
from arbtui.journal.journal import Journal
from arbtui.journal.reader import reading
from arbtui.model.clock import SystemClock
from arbtui.model.errors import JournalFailed
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.restore import restore
from arbtui.risk.breach import Breach, Severity
from tests.disk.descriptors import no_more_files
from tests.execution.world import UPBIT_CHEAP, World, world
from tests.journal.synthetic import SyntheticRun
from tests.portfolio.archived import archive, grow


def _mismatches(w: World) -> list[Breach]:
    return [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "FOLD_MISMATCH"]


def test_what_is_live_agrees_with_what_is_written_snapshot_after_snapshot(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for count, levels in enumerate((None, UPBIT_CHEAP), 1):
                await (w.trade() if levels is None else w.trade("upbit", levels))
                await w.engine.snapshot({})
                assert w.engine.fold_check.agreed == count
                await asyncio.sleep(2)
                w.freshen()
            assert (_mismatches(w), w.halt.is_closed) == ([], False)
            w.same_after_restart()

    run_virtual(main())


def test_in_other_modes_only_a_snapshot_that_old_events_wait_for_is_compared(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            await w.engine.snapshot(None)
            check = w.engine.fold_check
            assert (check.agreed, check.agreed_seq) == (0, 0)
            check.wanted = True
            await w.engine.snapshot(None)
            seq = check.agreed_seq
            await w.engine.snapshot(None)
            assert (check.agreed, check.agreed_seq, check.wanted) == (1, seq, False)
            assert 0 < seq < w.journal.seq

    run_virtual(main())


def test_the_order_in_which_amounts_are_held_is_no_difference(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            live = w.portfolio.encode()
            turned = msgspec.json.encode({name: held for name, held in reversed(msgspec.json.decode(live).items())})
            assert turned != live
            await w.engine.fold_check.compare(turned, w.journal.seq)
            assert (w.engine.fold_check.agreed, _mismatches(w)) == (1, [])

    run_virtual(main())


def test_a_difference_halts_and_names_what_differs(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.portfolio.state.balances["upbit"]["KRW"] += Decimal("0.01")
            await w.engine.snapshot({})
            (breach,) = _mismatches(w)
            assert breach.detail.endswith("differ in: balances")
            assert w.halt.is_closed
            assert w.engine.fold_check.agreed == 0

    run_virtual(main())


def test_a_sum_kept_beside_the_state_that_is_not_what_the_state_says_halts(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.portfolio.under_way._kept["upbit", "KRW"] = Decimal("0.01")
            await w.engine.snapshot({})
            (breach,) = _mismatches(w)
            assert breach.detail.endswith("differ in: reserved")
            assert (w.halt.is_closed, w.engine.fold_check.agreed) == (True, 0)

    run_virtual(main())


def test_without_a_descriptor_nothing_is_compared_and_the_next_snapshot_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            w.engine.fold_check.wanted = True
            with no_more_files():
                await w.engine.snapshot(None)
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "FOLD_UNCHECKED"]
            assert "Too many open files" in told.detail
            assert (w.engine.fold_check.agreed, w.engine.fold_check.wanted, w.halt.is_closed) == (0, True, False)
            await w.engine.snapshot(None)
            assert (w.engine.fold_check.agreed, w.engine.fold_check.wanted) == (1, False)

    run_virtual(main())


def test_f45_damage_that_a_snapshot_finds_fails_the_journal_and_halts(tmp_path: Path) -> None:
    """It would not be read again: nothing more may be acknowledged into it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            with closing(sqlite3.connect(w.journal.path)) as other:
                other.execute("DROP TRIGGER event_never_changes")
                other.execute("UPDATE event SET payload = replace(payload, '0.', '1.') WHERE type = 'FillRecorded'")
                other.commit()
            await w.engine.snapshot({})
            assert w.journal.failure is not None
            assert "is not what was written: its hash does not fit" in str(w.journal.failure)
            cause = w.halt.cause
            assert cause is not None
            assert cause.source == "JOURNAL"
            with pytest.raises(JournalFailed):
                await w.engine.snapshot({})

    run_virtual(main())


def test_a_damaged_archive_is_told_and_the_engine_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    grow(path, 1, 40, SyntheticRun())
    assert archive(path) > 0
    kept = sorted((tmp_path / "archives").iterdir())[0]
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    told: list[tuple[object, ...]] = []

    class Told:
        def record(self, *what: object, **more: object) -> None:
            told.append(what)

    async def main() -> None:
        _, restored = restore(path)
        journal = await Journal.open(path, clock=SystemClock(), door="sync")
        try:
            await FoldCheck(journal, restored, Told(), None).compare(restored.encode(), restored.state.seq)  # type: ignore[arg-type]
        finally:
            await journal.close()

    asyncio.run(main())
    ((severity, kind, _, detail, _),) = told
    assert (severity, kind) == (Severity.WARN, "FOLD_UNCHECKED")
    assert f"{kept}: it is damaged" in str(detail)


def test_in_real_time_the_loop_does_not_wait_for_what_the_disk_has_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.db"
    grow(path, 1, 40, SyntheticRun())
    readers: list[threading.Thread] = []

    def noted(path: Path) -> AbstractContextManager[sqlite3.Connection]:
        readers.append(threading.current_thread())
        return reading(path)

    async def main() -> int:
        _, restored = restore(path)
        journal = await Journal.open(path, clock=SystemClock(), door="aio")
        try:
            monkeypatch.setattr("arbtui.engine.fold_check.reading", noted)
            check = FoldCheck(journal, restored, None, None)  # type: ignore[arg-type]
            await check.compare(restored.encode(), restored.state.seq)
            return check.agreed
        finally:
            await journal.close()

    assert asyncio.run(main()) == 1
    assert readers
    assert threading.main_thread() not in readers
