"""Reading a journal from outside its writer: beside a running, wedged or dead engine, one moment at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from arbtui.journal.archives import ArchiveRefused, archived_rows
from arbtui.journal.chain import Chain, archives, file_of, is_chained, newest_archive
from arbtui.journal.database import damaged, open_reader, refusal
from arbtui.journal.events import Recorded, decode
from arbtui.journal.schema import APPLICATION_ID, OLDEST_VERSION, USER_VERSION
from arbtui.journal.sqlite_errors import SQLITE_ERRORS
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
        except SQLITE_ERRORS as error:
            raise refusal(path, error) from error


def is_damage(error: UsageError) -> bool:
    """Whether ``error``, met while reading a journal, says that its file is not what was written there; else it could not be read now."""
    return not isinstance(error, ArchiveRefused) and not isinstance(error.__cause__, OSError | sqlite3.OperationalError)


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
    """The events numbered above ``after``, up to ``last``, in order, each compared with its hash; those in archives too.

    Raises:
        UsageError: an event is of another version, missing, or not what was written, or an archive is.
    """
    last = last if last is not None else 2**62
    chained = is_chained(connection)
    told = newest_archive(connection) if chained else None
    if told is not None and after < told.last:
        for seq, ts_ms, run_id, kind, version, payload in archived_rows(connection, after, last):
            yield Recorded(seq, ts_ms, run_id, decode(kind, version, payload))
        after = told.last
    if after >= last:
        return
    chain = Chain.after(connection, after) if chained else None
    rows = connection.execute(  # without an upper bound: one number too high in the middle would end the reading there, unnoticed
        f"SELECT seq, ts_ms, run_id, type, version, payload, {'NULL' if chain is None else 'hash'} FROM event WHERE seq > ? ORDER BY seq",
        (after,),
    )
    for seq, ts_ms, run_id, kind, version, payload, stored in rows:
        if chain is not None:
            chain.follow(seq, ts_ms, run_id, kind, version, payload, stored)
        elif seq > last:
            return
        yield Recorded(seq, ts_ms, run_id, decode(kind, version, payload))
        if seq == last:
            return
    if chain is not None:
        chain.end_of(connection)


def last_before(connection: sqlite3.Connection, ts_ms: int) -> int:
    """The number of the last event with a time before ``ts_ms`` (our clock); 0 where there is none. It may be in an archive.

    Raises:
        UsageError: as :func:`events`.
    """
    told = archives(connection)
    sql = "SELECT coalesce(max(seq), 0) FROM event WHERE seq > ? AND ts_ms < ?"
    (found,) = connection.execute(sql, (told[-1].last if told else 0, ts_ms)).fetchone()
    for one in reversed(told):
        if found:
            break
        if one.from_ms < ts_ms:
            found = max((row[0] for row in archived_rows(connection, one.first - 1, one.last) if row[1] < ts_ms), default=0)
    return int(found)


def check_pages(connection: sqlite3.Connection, *, indexes: bool = False) -> None:
    """Have SQLite look at every page, with ``indexes`` also whether those agree with their tables.

    Raises:
        UsageError: it found damage.
    """
    (found,) = connection.execute("PRAGMA integrity_check(1)" if indexes else "PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damaged(file_of(connection), f"SQLite finds damage ({' '.join(str(found).split())})")
