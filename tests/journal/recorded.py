"""Writes a journal on disk without anything that says what its events mean, and reads its tables back."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from arbtui.journal.chain import link
from arbtui.journal.database import Statement
from arbtui.journal.events import Event, Recorded
from arbtui.journal.journal import Journal
from arbtui.journal.schema import PROJECTIONS
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


def insert_event(path: Path, kind: str, version: int, payload: str, ts_ms: int = 0) -> None:
    """Add a row to the events as a journal's writer would, with its hash and whatever it says."""
    with closing(sqlite3.connect(path)) as db:
        seq, last = db.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        values = (seq + 1, ts_ms, "", kind, version, payload)
        db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, link(last, *values)))
        db.commit()


def tamper(path: Path, *statements: str) -> None:
    """Run ``statements`` on a journal that nothing has open; its triggers do not keep events from changing."""
    with closing(sqlite3.connect(path)) as db:
        for name in ("event_never_changes", "event_never_goes"):
            db.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            assert db.execute(statement).rowcount != 0, f"changes nothing: {statement}"
        db.commit()
