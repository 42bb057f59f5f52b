"""Journals of which the older part is in archives. As a program: archives one, and kills itself at a step of it."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.archiver import Archiver
from arbtui.journal.archives import ArchiveWriter
from arbtui.journal.journal import Journal
from arbtui.journal.schema import SNAPSHOTS_KEPT
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from tests.journal.synthetic import FixedClock, SyntheticRun
from tests.portfolio.recorded import record

KEEP, PORTION = 60, 90


def grow(path: Path, first: int, last: int, run: SyntheticRun) -> None:
    """Record whole cycles, a second apart, and as many snapshots after them as are kept."""
    record(path, *(run.cycle(number) for number in range(first, last)), step_ms=1000)
    with_journal(path, _snapshot)


async def _snapshot(journal: Journal) -> None:
    assert isinstance(journal.fold, ProjectingPortfolio)
    for _ in range(SNAPSHOTS_KEPT):
        await journal.snapshot({"portfolio": msgspec.json.decode(journal.fold.portfolio.encode())})


def with_journal(path: Path, work: Callable[[Journal], Any]) -> Any:
    """Do ``work`` with the journal at ``path``, opened as an engine would."""

    async def main() -> Any:
        clock = FixedClock()
        clock.now_ms += 10_000_000
        journal = await Journal.open(path, clock=clock, door="sync")
        journal.fold = ProjectingPortfolio(restore(path)[1])
        try:
            return await work(journal)
        finally:
            await journal.close()

    return run_virtual(main())


def archive(path: Path, keep: int = KEEP, portion: int = PORTION, proven: int | None = None) -> int:
    """Archive what is due; how many archives were made."""

    async def work(journal: Journal) -> int:
        await journal.keep_tip()
        return await Archiver(journal, keep, lambda: journal.seq if proven is None else proven, portion).work()

    return int(with_journal(path, work))


def _kill_at(steps: int) -> None:
    """End this process as a power cut would, just before the step of that number."""
    left = steps

    def counted(kind: type[Any], name: str) -> None:
        real = getattr(kind, name)

        def step(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        setattr(kind, name, step)

    for kind, name in ((ArchiveWriter, "add"), (ArchiveWriter, "seal"), (Path, "replace"), (Journal, "commit"), (Journal, "sweep")):
        counted(kind, name)


async def _run(path: Path, steps: int) -> None:
    journal = await Journal.open(path, clock=FixedClock(), door="aio")
    journal.fold = ProjectingPortfolio(restore(path)[1])
    await journal.keep_tip()
    _kill_at(steps)
    await Archiver(journal, journal.seq - PORTION, lambda: journal.seq, PORTION).work()
    print("done", flush=True)
    os._exit(0)  # no close: nothing may depend on it


if __name__ == "__main__":
    asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2])))
