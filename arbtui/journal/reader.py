"""Reading a journal from outside its writer: beside a running, wedged or dead engine, one moment at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from arbtui.journal.database import open_reader, refusal
from arbtui.journal.events import Recorded, decode
from arbtui.journal.schema import APPLICATION_ID, OLDEST_VERSION, USER_VERSION


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads the journal at ``path``, as it is at this moment; rows by column name.

    Raises:
        UsageError: no journal there, not SQLite, another program's, of a format that this program does not read, or damaged.
    """
    with closing(open_reader(path, APPLICATION_ID, USER_VERSION, OLDEST_VERSION)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN")
            yield connection
        except sqlite3.Error as error:
            raise refusal(path, error) from error


def events(connection: sqlite3.Connection, after: int = 0, last: int | None = None) -> Iterator[Recorded]:
    """The events numbered above ``after``, up to ``last``, in order.

    Raises:
        UsageError: an event is of another version, or damaged.
    """
    rows = connection.execute(
        "SELECT seq, ts_ms, run_id, type, version, payload FROM event WHERE seq > ? AND seq <= ? ORDER BY seq",
        (after, last if last is not None else 2**62),
    )
    for seq, ts_ms, run_id, kind, version, payload in rows:
        yield Recorded(seq, ts_ms, run_id, decode(kind, version, payload))
