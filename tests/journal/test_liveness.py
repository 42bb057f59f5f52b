"""A journal's last signs of life."""

import asyncio
import os
from pathlib import Path

import pytest

from arbtui.journal.events import RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.liveness import JournalLiveness, read_liveness
from arbtui.model.errors import UsageError
from tests.journal.synthetic import FixedClock


def write(path: Path, *runs: tuple[str, list[int]], written_s: int = 1_000) -> None:
    """A journal with runs and their snapshots at those times (ms), last written when the machine's clock showed that."""

    async def main() -> None:
        clock = FixedClock()
        journal = await Journal.open(path, clock=clock, door="sync", salt="s")
        for run, times in runs:
            clock.now_ms = times[0]
            await journal.commit(RunStarted(run, "p", "sim", 1, "", "", {}, "ARMED"))
            for at in times[1:]:
                clock.now_ms = at
                await journal.snapshot({})
        await journal.close()

    asyncio.run(main())
    os.utime(path, (written_s, written_s))


def test_newest_event_and_snapshot_and_the_usual_gap_within_a_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, ("r1", [0, 5_000, 10_000]), ("r2", [900_000, 907_000, 914_000]))
    assert read_liveness(path) == JournalLiveness(1_000_000, 914_000, 914_000, 7.0)


def test_one_long_gap_does_not_make_long_gaps_usual(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, ("r1", [0, 5_000, 10_000, 70_000, 75_000]))
    assert read_liveness(path).interval_s == 5.0


def test_a_run_of_one_snapshot_is_judged_by_the_runs_before(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, ("r1", [0, 5_000, 10_000]), ("r2", [800_000, 807_000, 814_000]), ("r3", [900_000, 909_000]))
    assert read_liveness(path).interval_s == 6.0


@pytest.mark.parametrize(("times", "snapshot"), [([0], None), ([0, 5_000], 5_000)])
def test_without_two_snapshots_no_interval(tmp_path: Path, times: list[int], snapshot: int | None) -> None:
    path = tmp_path / "journal.db"
    write(path, ("r1", times))
    assert read_liveness(path) == JournalLiveness(1_000_000, times[-1], snapshot, None)


def test_the_journals_clock_goes_on_with_the_machines(tmp_path: Path) -> None:
    pulse = JournalLiveness(written_ms=1_000_000, event_ms=50, snapshot_ms=None, interval_s=None)
    assert pulse.now_ms(1_000_000) == 50
    assert pulse.now_ms(1_002_500) == 2_550
    assert pulse.now_ms(999_000) == 50, "a clock that was set back makes nobody younger than their last event"


def test_an_empty_log_that_a_reader_left_is_no_sign_of_life(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    write(path, ("r1", [0]))
    path.with_name("journal.db-wal").touch()
    assert read_liveness(path).written_ms == 1_000_000


@pytest.mark.parametrize("content", [None, b"", b"no database, and long enough to be taken for one" * 50])
def test_what_is_no_journal(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "journal.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=str(path)):
        read_liveness(path)
