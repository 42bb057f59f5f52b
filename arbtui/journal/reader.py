"""Reading a journal from outside its writer: beside a running, wedged or dead engine, one moment at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from arbtui.journal.chain import Chain, file_of, is_chained
from arbtui.journal.database import damaged, open_reader, refusal
from arbtui.journal.events import Recorded, decode
from arbtui.journal.schema import APPLICATION_ID, OLDEST_VERSION, USER_VERSION
from arbtui.journal.tip import read_tip, refuse_behind
from arbtui.model.errors import UsageError
from arbtui.model.tip_file import vanished


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads the journal at ``path``, as it is at this moment; rows by column name.

    Raises:
        UsageError: no journal there, not SQLite, another program's, of a format that this program does not read, damaged, or not as far as
            its tip, or vanished beside that.
    """
    if gone := vanished(path):
        raise UsageError(gone)
    tip = read_tip(path)  # first: the journal is never behind it
    with closing(open_reader(path, APPLICATION_ID, USER_VERSION, OLDEST_VERSION)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN")
            if tip is not None:
                refuse_behind(connection, path, tip)
            yield connection
        except sqlite3.Error as error:
            raise refusal(path, error) from error


def refuse_unlike_tip(path: Path) -> None:
    """Look at a journal before it is opened for writing; one without a tip passes, whatever stands there.

    Raises:
        UsageError: it has vanished beside its tip, is behind it, or another one.
    """
    if gone := vanished(path):
        raise UsageError(gone)
    if path.is_file() and read_tip(path) is not None:
        with reading(path):
            pass


def events(connection: sqlite3.Connection, after: int = 0, last: int | None = None) -> Iterator[Recorded]:
    """The events numbered above ``after``, up to ``last``, in order, each compared with its hash.

    Raises:
        UsageError: an event is of another version, missing, or not what was written.
    """
    chain = Chain.after(connection, after) if is_chained(connection) else None
    rows = connection.execute(
        f"SELECT seq, ts_ms, run_id, type, version, payload, {'NULL' if chain is None else 'hash'} FROM event"
        " WHERE seq > ? AND seq <= ? ORDER BY seq",
        (after, last if last is not None else 2**62),
    )
    for seq, ts_ms, run_id, kind, version, payload, stored in rows:
        if chain is not None:
            chain.follow(seq, ts_ms, run_id, kind, version, payload, stored)
        yield Recorded(seq, ts_ms, run_id, decode(kind, version, payload))


def check_pages(connection: sqlite3.Connection, *, indexes: bool = False) -> None:
    """Have SQLite look at every page, with ``indexes`` also whether those agree with their tables.

    Raises:
        UsageError: it found damage.
    """
    (found,) = connection.execute("PRAGMA integrity_check(1)" if indexes else "PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damaged(file_of(connection), f"SQLite finds damage ({' '.join(str(found).split())})")
