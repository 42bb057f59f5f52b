"""Rows of a ledger that may be millions: those that still change are near, the others in a file that is gone with the program."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from arbtui.model.errors import UsageError

Row = dict[str, Any]

NEAR = 2000  #: rows that are held in memory at most: more than there are open orders and cycles at any moment

_ROW = """INSERT INTO {name} (key, listed, row) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET row = excluded.row, listed = max(listed, excluded.listed)"""


class RowFile:
    """The file of all :class:`KeptRows` of one ledger: SQLite's own temporary one (``SQLITE_TMPDIR``, ``TMPDIR``), without a name."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -4000"):
            self.db.execute(f"PRAGMA {setting}")
        self.db.execute("BEGIN")  # never committed: nobody else reads it

    def close(self) -> None:
        """Give the file back."""
        self.db.close()


class KeptRows:
    """Rows by key, in the order in which they were added. Only those that are *listed* are told of when it is read.

    Memory holds :data:`NEAR` rows, whatever their number.
    """

    def __init__(self, file: RowFile, name: str) -> None:
        self._db, self._name = file.db, name
        self._db.execute(f"CREATE TABLE {name} (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, listed INTEGER NOT NULL, row BLOB)")
        self._sql = _ROW.format(name=name)
        self._near: dict[str, Row] = {}
        self._listed: dict[str, None] = {}  # of the near ones

    def add(self, key: str, row: Row, *, listed: bool) -> None:
        """Take ``row``; under a key that is there already it replaces that row, in its place."""
        self._near[key] = row
        if listed:
            self._listed[key] = None
        if len(self._near) > NEAR:
            self._put_away(NEAR // 2)

    def get(self, key: str) -> Row | None:
        """The row of that key, to be changed in place until another one is asked for."""
        row = self._near.get(key)
        if row is None:
            found = self._db.execute(f"SELECT row FROM {self._name} WHERE key = ?", (key,)).fetchone()
            if found is None:
                return None
            row = msgspec.json.decode(found[0])
            self.add(key, row, listed=False)
        return row

    def list(self, key: str) -> None:
        """Tell of the row of that key, if there is one."""
        if key in self._near:
            self._listed[key] = None
        else:
            self._db.execute(f"UPDATE {self._name} SET listed = 1 WHERE key = ?", (key,))

    def __len__(self) -> int:
        self._put_away(len(self._near))
        return int(self._db.execute(f"SELECT count(*) FROM {self._name} WHERE listed").fetchone()[0])

    def __iter__(self) -> Iterator[Row]:
        return map(msgspec.json.decode, self.encoded())

    def encoded(self) -> Iterator[bytes]:
        """Each row that is listed, as JSON."""
        self._put_away(len(self._near))
        for (row,) in self._db.execute(f"SELECT row FROM {self._name} WHERE listed ORDER BY number"):
            yield row

    def _put_away(self, count: int) -> None:
        """Put the ``count`` rows away that have been near for longest."""
        oldest = [key for key, _ in zip(self._near, range(count), strict=False)]
        try:
            rows = ((key, key in self._listed, msgspec.json.encode(self._near[key])) for key in oldest)
            self._db.executemany(self._sql, rows)
        except sqlite3.Error as error:
            raise UsageError(
                f"the rows of the ledger do not fit into the folder for temporary files: {error}: free space there, or name another one "
                "with SQLITE_TMPDIR"
            ) from error
        for key in oldest:
            del self._near[key]
            self._listed.pop(key, None)
