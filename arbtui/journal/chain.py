"""The hash chain over the journal's events: each row holds a SHA-256 of its own content and of the hash before it.

SQLite's own checks find damaged pages, not a digit that has changed inside a row. A row that changed, is missing or stands in another's
place breaks the chain there. What is missing at the end does not: the tip outside the file tells of that (:mod:`arbtui.journal.tip`).

The hash of a row covers 32 bytes, the hash before it (zeros before the first), then the UTF-8 text of
``SEQ TS_MS VERSION LENGTH(RUN_ID) LENGTH(TYPE) `` (lengths in characters) and run_id, type and payload without anything between.
"""

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.database import damaged
from arbtui.journal.events import EventsArchived
from arbtui.journal.schema import FIRST_ARCHIVED, FIRST_CHAINED, IS_NOTED

#: What stands before the first event.
BEGINNING = bytes(32)

_ROWS = "SELECT seq, ts_ms, run_id, type, version, payload, hash FROM event WHERE seq > ? AND seq <= ? ORDER BY seq"
_ARCHIVES = f"INDEXED BY event_noted WHERE {IS_NOTED} AND type = '{EventsArchived.__name__}'"
_END = 2**62


def link(previous: bytes, seq: int, ts_ms: int, run_id: str, kind: str, version: int, payload: str) -> bytes:
    """The hash of an event's row; ``previous``: that of the row before."""
    return sha256(previous + f"{seq} {ts_ms} {version} {len(run_id)} {len(kind)} {run_id}{kind}{payload}".encode()).digest()


def is_chained(connection: sqlite3.Connection) -> bool:
    """True for a journal whose events carry hashes; False for one of an earlier format that no writer has opened since."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0]) >= FIRST_CHAINED


def archives(connection: sqlite3.Connection) -> list[EventsArchived]:
    """The archives that hold the journal's older events, in order; read from the events that tell of them.

    Raises:
        UsageError: such an event is not what was written.
    """
    if not _has_archives(connection):
        return []
    return [_archive(connection, *found) for found in rows_with_hash_before(connection, _ARCHIVES)]


def newest_archive(connection: sqlite3.Connection) -> EventsArchived | None:
    """The last of :func:`archives`, found without the others.

    Raises:
        UsageError: as :func:`archives`.
    """
    found = next(rows_with_hash_before(connection, _ARCHIVES, "DESC LIMIT 1"), None) if _has_archives(connection) else None
    return None if found is None else _archive(connection, *found)


def _has_archives(connection: sqlite3.Connection) -> bool:
    return int(connection.execute("PRAGMA user_version").fetchone()[0]) >= FIRST_ARCHIVED


def _archive(connection: sqlite3.Connection, row: tuple[Any, ...], before: object) -> EventsArchived:
    check_one(file_of(connection), before, row)
    return msgspec.json.decode(row[5], type=EventsArchived)


class Chain:
    """Follows the chain from row to row.

    Events from before there were hashes have none of their own; the first hash after them covers them all.
    """

    def __init__(self, path: Path, seq: int = 0, last: bytes = BEGINNING, *, has_begun: bool = True) -> None:
        self.seq = seq  #: of the last event that was followed
        self.last = last  #: its hash
        self._path = path
        self._has_begun = seq > 0 and has_begun
        self._unhashed = 0

    @classmethod
    def after(cls, connection: sqlite3.Connection, seq: int) -> "Chain":
        """The chain at the event ``seq``, to be followed from there on.

        Raises:
            UsageError: there is no such event, or what comes before the first hash is damaged.
        """
        path, told = file_of(connection), newest_archive(connection)
        if seq == (0 if told is None else told.last):
            return cls.archived(connection)
        row = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise damaged(path, f"event {seq} is missing")
        if isinstance(row[0], bytes):
            return cls(path, seq, row[0])
        start = cls.archived(connection)
        for each in connection.execute(_ROWS, (start.seq, seq)):
            start.follow(*each)
        return start

    @classmethod
    def archived(cls, connection: sqlite3.Connection) -> "Chain":
        """The chain where the archives end, and at the beginning without any: what stands in the file itself goes on from there.

        Raises:
            UsageError: what tells of the archives is damaged.
        """
        path, told = file_of(connection), newest_archive(connection)
        if told is None:
            return cls(path)
        next_one = connection.execute("SELECT hash FROM event WHERE seq = ?", (told.last + 1,)).fetchone()
        return cls(path, told.last, bytes.fromhex(told.after), has_begun=next_one is None or next_one[0] is not None)

    def follow_archived(self, seq: int, ts_ms: int, run_id: str, kind: str, version: int, payload: str) -> None:
        """Take the next row from an archive, which has no hashes but at its ends.

        Raises:
            UsageError: it is not the next one.
        """
        if seq != self.seq + 1:
            raise damaged(self._path, f"event {self.seq + 1} is missing or out of order ({seq} follows on {self.seq})")
        self.seq, self.last = seq, link(self.last, seq, ts_ms, run_id, kind, version, payload)

    def follow(self, seq: int, ts_ms: int, run_id: str, kind: str, version: int, payload: str, stored: bytes | None) -> None:
        """Take the next row.

        Raises:
            UsageError: it is not the next one, or not what was written.
        """
        if seq != self.seq + 1:
            raise damaged(self._path, f"event {self.seq + 1} is missing or out of order ({seq} follows on {self.seq})")
        try:
            found = link(self.last, seq, ts_ms, run_id, kind, version, payload)
        except TypeError:  # a column holds no text any more
            found = b""
        if stored is None and not self._has_begun and found:
            self._unhashed = seq
        elif stored != found:
            among = f"event {seq}, or one of the {seq - 1} before it," if self._unhashed and not self._has_begun else f"event {seq}"
            raise damaged(self._path, f"{among} is not what was written: its hash does not fit")
        else:
            self._has_begun = True
        self.seq, self.last = seq, found

    def end_of(self, connection: sqlite3.Connection) -> None:
        """No row has come after the last that was taken: compare it with the newest one of ``connection``.

        Raises:
            UsageError: there are newer ones, which were not found from there.
        """
        (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
        if newest > self.seq:
            raise damaged(self._path, f"event {self.seq + 1} is missing ({newest} is there)")


def check_events(connection: sqlite3.Connection) -> Chain:
    """Follow the chain over all events in the file itself, from where the archives end; how far it goes.

    Raises:
        UsageError: an event is missing, or not what was written; the message names it.
    """
    chain = Chain.archived(connection)
    for row in connection.execute(_ROWS, (chain.seq, _END)):
        chain.follow(*row)
    chain.end_of(connection)
    return chain


def check_one(path: Path, before: object, row: tuple[Any, ...]) -> None:
    """Check one ``row`` (as :meth:`Chain.follow` takes it) by itself; ``before``: the hash of the row before it.

    Raises:
        UsageError: it is not what was written. One that follows on a row without a hash passes: there is nothing to compare it with.
    """
    seq = row[0]
    previous = BEGINNING if seq == 1 else before
    if isinstance(previous, bytes):
        Chain(path, seq - 1, previous).follow(*row)


def rows_with_hash_before(connection: sqlite3.Connection, source: str, order: str = "") -> Iterator[tuple[tuple[Any, ...], object]]:
    """Rows of ``source`` (what stands behind ``FROM event AS one``), in order, each with the hash of the row before it.

    ``order``: what stands behind ``ORDER BY seq``.
    """
    columns = "seq, ts_ms, run_id, type, version, payload, hash"
    before = "(SELECT earlier.hash FROM event AS earlier WHERE earlier.seq = one.seq - 1)"
    for row in connection.execute(f"SELECT {columns}, {before} FROM event AS one {source} ORDER BY seq {order}"):
        yield tuple(row)[:-1], row[-1]


def file_of(connection: sqlite3.Connection) -> Path:
    """The file that ``connection`` reads, or that the private copy is of that it reads."""
    named = connection.execute("PRAGMA database_list").fetchone()[2]
    if not named and connection.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'copy_of'").fetchone():
        (named,) = connection.execute("SELECT path FROM temp.copy_of").fetchone()
    return Path(named or "journal.db")
