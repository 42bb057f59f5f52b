"""Whether a journal is whole: its pages, its chain of hashes, and that everything made from its events is what they make it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.chain import archives, check_events, is_chained
from arbtui.journal.database import damaged
from arbtui.journal.noted import check_noted, compare_table
from arbtui.journal.projections import statements_for
from arbtui.journal.reader import check_pages, events, reading
from arbtui.journal.schema import FIRST_ARCHIVED, PROJECTIONS
from arbtui.journal.snapshots import check_snapshots
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import SNAPSHOT_KEY


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found whole."""

    events: int
    last_hash: str  #: of the newest event, hex; empty in a journal of an earlier format
    journal_format: int
    first_hashed: int | None  #: the first event with a hash of its own; it covers those before it
    snapshots: list[int] = field(default_factory=list)  #: numbers of those that were folded to and found equal
    archives: int = 0  #: files beside the journal that hold its older events, each compared with its hash


def verify(path: Path) -> Verification:
    """Read all of the journal at ``path``, beside its writer or without one: some 50 us an event.

    Pages and indexes as SQLite sees them, every event's hash, every table that is made from events, row by row, and every snapshot
    against a fold of the events up to it. Of a journal of an earlier format that nothing has written to since, there are no hashes.

    Raises:
        UsageError: no journal there, or something is not what was written; the message says what, and what to do.
    """
    with reading(path) as db:
        check_pages(db, indexes=True)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if not is_chained(db):
            (count,) = db.execute("SELECT count(*) FROM event").fetchone()
            for _ in events(db):  # each can be read
                pass
            return Verification(count, "", version, None)
        end = check_events(db)
        check_noted(db)
        check_snapshots(db)
        (first,) = db.execute("SELECT min(seq) FROM event WHERE hash IS NOT NULL").fetchone()
        return Verification(end.seq, end.last.hex(), version, first, _compare_all(path, db, version), len(archives(db)))


def _compare_all(path: Path, db: sqlite3.Connection, version: int) -> list[int]:
    """Make every table anew from the events, and compare; the numbers of the snapshots that the fold agreed with on its way."""
    stored = {row[1]: (row[0], row[2]) for row in db.execute("SELECT snapshot_no, seq, payload FROM snapshot")}
    agreed: list[int] = []
    fold = ProjectingPortfolio(Portfolio())
    with closing(sqlite3.connect("", isolation_level=None)) as expected:  # a file of its own, which SQLite takes away again
        expected.execute("PRAGMA synchronous = OFF")
        expected.execute("BEGIN")
        for name, columns in PROJECTIONS.items():
            expected.execute(f"CREATE TABLE {name} ({columns})")
        try:
            for recorded in events(db):
                for statement, values in [*statements_for(recorded), *fold(recorded)]:
                    expected.execute(statement, values)
                if recorded.seq in stored:
                    number, payload = stored[recorded.seq]
                    if _agrees(path, number, payload, fold.portfolio):
                        agreed.append(number)
        except ValueError as error:
            raise damaged(path, str(error)) from error
        for name in PROJECTIONS if version >= FIRST_ARCHIVED else [name for name in PROJECTIONS if name != "archive"]:
            compare_table(db, expected, name)
    return agreed


def _agrees(path: Path, number: int, payload: str, folded: Portfolio) -> bool:
    """True when a snapshot holds what the events up to it mean; False for one that a start would leave aside.

    Raises:
        UsageError: it holds something else.
    """
    dumped: Any = msgspec.json.decode(payload).get(SNAPSHOT_KEY)
    try:
        usable = isinstance(dumped, dict) and Portfolio.load(dumped).state.seq == folded.state.seq
    except ValueError:
        return False
    if usable and dumped != msgspec.json.decode(folded.encode()):
        raise damaged(path, f"snapshot {number} is not what the events up to {folded.state.seq} mean")
    return usable
