"""What the tests' child processes run: writers that are stopped or killed from outside."""

import asyncio
import itertools
from multiprocessing.connection import Connection
from pathlib import Path

from arbtui.journal.events import Adjusted
from arbtui.journal.journal import Journal
from arbtui.model.clock import SystemClock
from arbtui.model.money import ONE
from arbtui.model.virtual_loop import run_virtual
from tests.journal.synthetic import SyntheticRun


def commit_for_ever(path: Path, door: str, acknowledged: Connection) -> None:
    """Commit, and tell each number once it is durable; eight tasks at once in real time."""

    async def one(journal: Journal) -> None:
        while True:
            journal.post(Adjusted("a", "posted", ONE, "", "operator"))
            mark = f"{journal.seq + 1}"
            await journal.commit(Adjusted("a", mark, ONE, "", "operator"), Adjusted("a", f"{mark}+", ONE, "", "operator"))
            acknowledged.send(int(mark))

    async def main() -> None:
        journal = await Journal.open(path, clock=SystemClock(), door="aio" if door == "aio" else "sync")
        await asyncio.gather(*(one(journal) for _ in range(8 if door == "aio" else 1)))

    (asyncio.run if door == "aio" else run_virtual)(main())


def trade_for_ever(path: Path, run_id: str, acknowledged: Connection) -> None:
    """A synthetic run without an end; tells each cycle's number once it is durable."""

    async def main() -> None:
        journal = await Journal.open(path, clock=SystemClock(), door="aio")
        run = SyntheticRun(run_id)
        await journal.commit(*run.start())
        for number in itertools.count():
            await journal.commit(*run.intents(number))
            journal.post(*run.fill(number, 0))
            journal.post(*run.fill(number, 1))
            await journal.commit(*run.end(number))
            acknowledged.send(number)

    asyncio.run(main())
