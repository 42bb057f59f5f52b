"""Writes a journal on disk without anything that says what its events mean, and reads its tables back."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from arbtui.journal.events import Event, Recorded
from arbtui.journal.journal import Journal
from arbtui.journal.schema import PROJECTIONS
from arbtui.journal.store import Statement
from arbtui.model.virtual_loop import run_virtual
from tests.journal.synthetic import FixedClock


def record(path: Path, *groups: Sequence[Event], fold: Callable[[Recorded], Sequence[Statement]] | None = None, step_ms: int = 7) -> None:
    """Commit each of ``groups`` at once, ``step_ms`` after the one before; ``fold`` as of :class:`Journal`."""

    async def main() -> None:
        clock = FixedClock()
        journal = await Journal.open(path, clock=clock, door="sync", salt="salt")
        journal.fold = fold
        try:
            for group in groups:
                clock.now_ms += step_ms
                await journal.commit(*group)
        finally:
            await journal.close()

    run_virtual(main())


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every projection, in an order of their own."""
    with closing(sqlite3.connect(path)) as db:
        return {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in PROJECTIONS}
