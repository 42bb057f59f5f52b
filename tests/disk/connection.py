"""apsw in the place of sqlite3: as much of its connections as the journal uses, with its errors."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import apsw

from arbtui.journal.database import opened_with
from arbtui.journal.store import WHOLE_TRANSACTION, run_transaction
from tests.disk.failing import Failing
from tests.disk.files import logged_files
from tests.disk.log import DiskLog
from tests.disk.vfs import logged_disk

_READ = apsw.SQLITE_OPEN_READONLY
_CHECKPOINT = 1000  #: pages; SQLite's own number
_WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        kind = {
            apsw.ConstraintError: sqlite3.IntegrityError,
            apsw.CorruptError: sqlite3.DatabaseError,
            apsw.NotADBError: sqlite3.DatabaseError,
        }
        told = kind.get(type(error), sqlite3.OperationalError)(str(error))
        told.sqlite_errorcode = cast(Any, error).extendedresult
        raise told from error


class _Row(tuple[Any, ...]):
    """A row whose columns have names, too."""

    names: Sequence[str] = ()

    def keys(self) -> Sequence[str]:
        return self.names

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


class _Cursor:
    def __init__(self, connection: "Connection") -> None:
        self._cursor = connection.apsw.cursor()
        self._options = connection.options
        if connection.row_factory is not None:
            self._cursor.row_trace = _named

    def execute(self, sql: str, values: Sequence[Any] = ()) -> "_Cursor":
        words = sql.split()
        if words[:2] == ["PRAGMA", "synchronous"] and self._options.synchronous:
            sql = f"PRAGMA synchronous = {self._options.synchronous}"
        with _errors():
            self._cursor.execute(sql, tuple(values))
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> "_Cursor":
        with _errors():
            self._cursor.executemany(sql, rows)
        return self

    def fetchone(self) -> Any:
        with _errors():
            return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        with _errors():
            return self._cursor.fetchall()

    def __iter__(self) -> "_Cursor":
        return self

    def __next__(self) -> Any:
        with _errors():
            return next(self._cursor)

    def close(self) -> None:
        self._cursor.close()


def _named(cursor: apsw.Cursor, row: tuple[Any, ...]) -> _Row:
    kind = type("Row", (_Row,), {"names": [column[0] for column in cursor.description]})
    return cast(_Row, kind(row))


@dataclass(frozen=True, slots=True)
class DiskOptions:
    """``synchronous``: in place of what is asked for. ``checkpoint``: pages of the log at which it begins anew; 0 for SQLite's."""

    synchronous: str = ""
    checkpoint: int = 0


class Connection:
    """What :func:`sqlite3.connect` gives, from apsw. ``opened`` holds it until it is closed."""

    def __init__(
        self, disk: str, options: DiskOptions, opened: set["Connection"], path: Path | str, *, uri: bool = False, **_: Any
    ) -> None:
        self.options = options
        self._opened = opened
        self.row_factory: Any = None
        flags = (_READ if "mode=ro" in str(path) else _WRITE) | (apsw.SQLITE_OPEN_URI if uri else 0)
        with _errors():
            self.apsw = apsw.Connection(str(path), flags=flags, vfs=disk)
            self.apsw.set_wal_hook(self._committed)
        opened.add(self)

    def _committed(self, connection: apsw.Connection, name: str, pages: int) -> int:
        """As SQLite does by itself, which passes over what goes wrong; apsw would tell it as the commit's error."""
        if pages >= (self.options.checkpoint or _CHECKPOINT):
            with suppress(apsw.Error):
                connection.wal_checkpoint(name)
        return apsw.SQLITE_OK

    def cursor(self) -> _Cursor:
        return _Cursor(self)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> _Cursor:
        return _Cursor(self).execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Any]) -> Any:
        if sql is WHOLE_TRANSACTION:
            return run_transaction(cast(sqlite3.Connection, self), rows)
        return _Cursor(self).executemany(sql, rows)

    @property
    def in_transaction(self) -> bool:
        return self.apsw.in_transaction

    def rollback(self) -> None:
        self.execute("ROLLBACK")

    def backup(self, target: "Connection", *, pages: int = -1, progress: Callable[[int, int, int], object] | None = None, **_: Any) -> None:
        with _errors(), target.apsw.backup("main", self.apsw, "main") as copy:
            while not copy.done:
                copy.step(pages)
                if progress is not None:
                    progress(0, copy.remaining, copy.page_count)

    def close(self) -> None:
        try:
            self.apsw.close()
        except apsw.Error:  # of the last checkpoint, or its lock: SQLite passes over them, and apsw tells them
            self.apsw.close(True)
        self._opened.discard(self)

    def abandon(self) -> None:
        """Close what a process that was killed would have left open: files stay as they are."""
        self.apsw.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.close()


@contextmanager
def on_disk(root: Path, failing: Failing | None = None, options: DiskOptions | None = None, prefix: str = "") -> Iterator[DiskLog]:
    """Log all that this process does to files below ``root`` (paths begin with ``prefix``), also by SQLite, while the block lasts."""
    log, failing = DiskLog(root, prefix), failing or Failing()
    opened: set[Connection] = set()
    with (
        logged_disk(log, failing) as disk,
        logged_files(log, failing),
        opened_with(cast(Any, partial(Connection, disk, options or DiskOptions(), opened))),
    ):
        try:
            yield log
        finally:  # left to the garbage collector, they would be closed on a disk that is no more
            for connection in list(opened):
                connection.abandon()
