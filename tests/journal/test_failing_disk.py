"""F42: a write or a sync fails, at any of them: the failure is final and told first, and nothing that was acknowledged is lost.

A sync that failed makes nothing durable, also when the next one says that all is well (the kernel may have dropped the pages).
"""

import os
import shutil
from functools import partial
from itertools import product
from pathlib import Path
from random import Random

import pytest

from arbtui.journal.reader import reading
from tests.disk.connection import DiskOptions, on_disk
from tests.disk.failing import Failing
from tests.disk.log import DiskLog, PowerCuts
from tests.journal.power_life import Life, journal_of, lost
from tests.proof.steps import DISK_FAULTS

_SEED = 20261129
_CYCLES = 5
_CHECKPOINT = 12  #: pages: the log begins anew several times in a life
_FAULTS = int(os.environ.get(DISK_FAULTS, "0")) or 36
_HOW = [("write", "EIO"), ("write", "ENOSPC"), ("write", "short"), ("sync", "EIO"), ("sync", "ENOSPC")]


def lives_of(root: Path, failing: Failing) -> tuple[DiskLog, Life, Life, int]:
    """A life on a disk that fails, and one after it in the same boot, when it does not any more; where in the log the second began."""
    with on_disk(root, failing, DiskOptions(checkpoint=_CHECKPOINT)) as log:
        first = Life(log, _CYCLES)
        first.play()
        failing.times, second_at = 0, len(log.ops)
        second = Life(log, _CYCLES)
        second.play()
    return log, first, second, second_at


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many writes and syncs a life has."""
    never = Failing()
    with on_disk(tmp_path_factory.mktemp("counted"), never, DiskOptions(checkpoint=_CHECKPOINT)) as log:
        Life(log, _CYCLES).play()
    return never.seen


def places(operations: dict[str, int], random: Random) -> list[Failing]:
    """Faults spread over all operations of a life, each kind of fault on its own and for good."""
    kinds = list(product(_HOW, (1, 10**9)))
    each = max(1, _FAULTS // len(kinds))
    return [
        Failing(kind, random.randint(1 + share * operations[kind] // each, (share + 1) * operations[kind] // each), how, times)
        for (kind, how), times in kinds
        for share in range(each)
    ]


def test_f42_a_failed_write_or_sync_is_final_and_loses_nothing(tmp_path: Path, operations: dict[str, int]) -> None:
    random = Random(_SEED)
    shown = dict.fromkeys(("refused at the start", "failed", "passed over"), 0)
    for number, failing in enumerate(places(operations, random)):
        where = f"{failing.how} at {failing.kind} {failing.at}{'' if failing.times == 1 else ' and all after it'}"
        root = tmp_path / f"{number}"
        root.mkdir()
        log, first, second, second_at = lives_of(root, failing)
        assert failing.fired, where
        assert len(first.failures) <= 1, where
        assert not first.after_failure, f"{where}: acknowledged after the failure: {first.after_failure}"
        if first.refused:
            shown["refused at the start"] += 1
            assert "\n" not in first.refused
        else:  # SQLite tries a checkpoint again, and a tip or a flag is told of where it is written
            shown["failed" if first.failures else "passed over"] += 1
        assert not second.refused, f"{where}: {second.refused}"
        assert not second.failures, where
        walk = PowerCuts(log, random)
        for place in (second_at, random.randint(second_at, len(log.ops)), len(log.ops)):
            walk.advance(place)
            left = tmp_path / "left"
            walk.leave(left)
            why = lost(left, walk.told)
            assert not why, f"{where}, power cut at operation {place} of {len(log.ops)} (the second life begins at {second_at}): {why}"
            shutil.rmtree(left)
        assert not lost(root, [op.what for op in log.ops if hasattr(op, "what")]), where  # the machine ran on
        shutil.rmtree(root)
    print(f"FAULTS {sum(shown.values())}: {', '.join(f'{times} {what}' for what, times in shown.items())}")
    assert shown["failed"] > 0


def test_f42_what_a_failed_sync_left_in_the_log_is_made_durable_by_the_next_start(tmp_path: Path) -> None:
    """A process that died with it: the log's last frames are read from memory, and lie on the disk below all that is committed next.

    Another process that reads meanwhile (`status`, the guardian) keeps SQLite from emptying the log by itself.
    """
    random, crashes = Random(_SEED), 0
    for at in range(20, 32):
        root, crashed, durable, left = (tmp_path / f"{at}" / name for name in ("root", "crashed", "durable", "left"))
        root.mkdir(parents=True)
        with on_disk(root, Failing("sync", at)) as log:
            first = Life(log, _CYCLES)
            first.on_failure = partial(shutil.copytree, root, crashed, ignore=shutil.ignore_patterns("*-shm"))
            first.play()
        if not first.failures:  # it was a tip's
            continue
        crashes += 1
        walk = PowerCuts(log, random)
        walk.advance(first.failed_at)
        walk.leave(durable)
        with on_disk(crashed) as log:
            for path, number in log.names.items():
                below = durable / Path(path).relative_to(crashed)
                if below.is_file():
                    log.contents[number] = below.read_bytes()
            with reading(journal_of(crashed)) as beside:
                beside.execute("COMMIT")
                Life(log, _CYCLES).play()
                place = len(log.ops)
        cut = PowerCuts(log, random)
        cut.advance(place)
        cut.leave(left)
        assert not (why := lost(left, [*walk.told, *cut.told])), f"sync {at}: {why}"
    assert crashes > 5
