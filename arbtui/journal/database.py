"""Opening an SQLite file for good: whose it is, which version, who may read it; every refusal names the file and the way out."""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from arbtui.journal.newest_backup import newest_in_words
from arbtui.journal.sqlite_errors import SQLITE_ERRORS
from arbtui.model.durable_folder import make_folders
from arbtui.model.errors import UsageError

BUSY_TIMEOUT_MS = 2000  #: a lock held longer by another process is a failed commit (nothing may wait unjournaled)

#: What opens a database: takes what :func:`sqlite3.connect` takes, and raises what that raises.
Connect = Callable[..., sqlite3.Connection]
_connect_with: Connect = sqlite3.connect

#: A statement with its values, as a transaction takes it.
Statement = tuple[str, tuple[object, ...]]

#: One step that brings an older file up to date: a statement, or what a statement cannot do.
UpgradeStep = str | Callable[[sqlite3.Connection], None]

_A_FOLDER = "a directory stands where a database should be: move it away, or name another --state-dir"
#: SQLite's codes, plain and extended, of a journal whose log's index it cannot make: it may not write there, or nothing has room.
_NO_INDEX = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMMAP,
)
#: What to do, by SQLite's primary result code.
_ADVICE = {
    sqlite3.SQLITE_NOTADB: "it is not an SQLite database: move it away, or name another --state-dir",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away together with its -wal and -shm files, keep all three, and {backup}",
    sqlite3.SQLITE_ERROR: "it is not what its format says, so it is damaged: move it away, keep it, and {backup}",
    sqlite3.SQLITE_CONSTRAINT: "it is not what its format says, so it is damaged: move it away, keep it, and {backup}",
    sqlite3.SQLITE_FULL: "the disk is full: free space, then start again",
    sqlite3.SQLITE_READONLY: "it cannot be written: check the owner and mode of the file and its folder, or name another --state-dir",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check the owner and mode of the file and its folder, or name another --state-dir",
    sqlite3.SQLITE_PERM: "access is denied: check the owner and mode of the file and its folder",
    sqlite3.SQLITE_BUSY: "another process holds it: end that process first",
    sqlite3.SQLITE_LOCKED: "another process holds it: end that process first",
    sqlite3.SQLITE_IOERR: "reading or writing it failed: check the disk and its free space",
}


def connect(path: Path | str, **options: object) -> sqlite3.Connection:
    """Open a database of ours, for reading or writing; as :func:`sqlite3.connect`."""
    return _connect_with(path, **options)


def connect_read_only(path: Path, **options: object) -> sqlite3.Connection:
    """A connection to a database of ours that cannot write to it, nor make it; as :func:`sqlite3.connect`.

    Raises:
        sqlite3.OperationalError: no file is there, or it cannot be opened.
    """
    return connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, **options)  # in a URI `#`, `?` and `%` mean something else


class NothingThere(UsageError):
    """A database without tables: the process that created the file ended before it had made them."""


@contextmanager
def opened_with(other: Connect) -> Iterator[None]:
    """Have ``other`` open every database of ours meanwhile, in this process: how tests bring a disk that fails or loses power."""
    global _connect_with
    before, _connect_with = _connect_with, other
    try:
        yield
    finally:
        _connect_with = before


def refusal(path: Path, error: Exception) -> UsageError:
    """The error an operator should see for ``error``, one of :data:`SQLITE_ERRORS` or of the system, met while opening ``path``."""
    unknown = sqlite3.SQLITE_CORRUPT  # as text that is not UTF-8 any more
    if isinstance(error, OSError):
        unknown = sqlite3.SQLITE_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else sqlite3.SQLITE_CANTOPEN
    code = getattr(error, "sqlite_errorcode", None) or unknown
    advice = _ADVICE.get(code & 0xFF, "it cannot be used")
    said = "a name in it is no text" if isinstance(error, UnicodeDecodeError) else error
    return UsageError(f"{path}: {said}: {advice.replace('{backup}', newest_in_words(path))}")


def damaged(path: Path, what: str) -> UsageError:
    """The error for a journal that SQLite can read, and that is not what was written; ``what`` says where."""
    return UsageError(
        f"{path}: {what}: the journal is damaged; move it away together with its -wal and -shm files, keep all three, and "
        f"{newest_in_words(path)}"
    )


def out_of_step(path: Path, what: str) -> UsageError:
    """The error for a table that is not what the events make it; ``what`` says where."""
    return UsageError(
        f"{path}: {what}: end the engine, keep a copy of the file together with its -wal and -shm files, and make the tables anew from the "
        "events with arbtui journal rebuild --profile P"
    )


def apply_pragmas(connection: sqlite3.Connection, *, synchronous: str) -> None:
    """The settings of every writing connection: WAL, and nothing trusted that another program could have left inside."""
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute(f"PRAGMA synchronous = {synchronous}")


def empty_log(connection: sqlite3.Connection) -> None:
    """Bring what the write-ahead log holds into the database, durably, and begin the log anew.

    Where a sync has failed and the process died of it, the log's last transaction may be there in the kernel's memory only, and no later
    sync would write it: what is committed behind it would be gone with a power cut. So nothing is. A reader that goes on for over
    :data:`BUSY_TIMEOUT_MS` keeps the log from being emptied; then it is written on, as SQLite itself does.
    """
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def check_identity(connection: sqlite3.Connection, path: Path, application_id: int, user_version: int, oldest: int = 0) -> int:
    """The version that the database at ``path`` has; 0 for a new, empty one.

    Raises:
        UsageError: it belongs to another application, a newer version of this one wrote it, or one older than ``oldest``.
    """
    (found_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if found_id == 0 and version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        return 0
    if found_id != application_id:
        raise UsageError(f"{path}: this database belongs to another program: move it away, or name another --state-dir")
    if version > user_version:
        raise UsageError(
            f"{path}: written by a newer version (format {version}, this program knows up to {user_version}): "
            "use the newer program, or name another --state-dir"
        )
    if version < oldest:
        raise UsageError(
            f"{path}: written by an earlier version (format {version}, this program reads {oldest} to {user_version}): finish its open "
            f"cycles with that version, then move the folder {path.parent} away as a whole and keep it; the next start takes the venues' "
            "balances as its opening"
        )
    return int(version)


def create_file(path: Path) -> None:
    """Make ``path`` (0600) and its missing folders (0700); SQLite gives its -wal and -shm files the mode of the database.

    Raises:
        UsageError: a directory stands there, or file or folder cannot be made.
    """
    refuse_links(path)
    if path.is_dir():
        raise UsageError(f"{path}: {_A_FOLDER}")
    try:
        make_folders(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            file = path.with_name(name)
            if file.exists() and file.stat().st_mode & 0o077:
                file.chmod(0o600)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror or error}: check the owner, mode and free space of its folder, or name another --state-dir"
        ) from error


def refuse_links(path: Path) -> None:
    """Look at a database and at what SQLite keeps beside it: SQLite would follow a link, and write where it leads.

    Raises:
        UsageError: one of them is a symbolic link.
    """
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        if path.with_name(name).is_symlink():
            link = path.with_name(name)
            raise UsageError(f"{link} is a symbolic link, which is never followed: take it away, or name another --state-dir")


def create_tables(
    connection: sqlite3.Connection, schema: Sequence[str], application_id: int, user_version: int, upgrade: Sequence[UpgradeStep] = ()
) -> None:
    """Run ``upgrade`` (what an older file lacks), then ``schema`` (statements that may be repeated), and mark the file, in one transaction.

    It writes even when nothing is new: a full disk or a read-only file shall be found now, not at the first order.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in (*upgrade, *schema):
            if isinstance(step, str):
                connection.execute(step)
            else:
                step(connection)
        connection.execute(f"PRAGMA application_id = {application_id}")
        connection.execute(f"PRAGMA user_version = {user_version}")
        connection.execute("COMMIT")
    except BaseException:  # a step that is no statement may find more than SQLite does
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_reader(path: Path, application_id: int, user_version: int, oldest: int = 0) -> sqlite3.Connection:
    """A connection that cannot write, beside a running, wedged or dead writer, also where the folder is read-only.

    Without write access, or on a full disk, SQLite cannot always rebuild the index of a write-ahead log; then a private copy is read.

    Raises:
        NothingThere: it has no table.
        UsageError: the file is missing, a folder, no SQLite database, another program's, newer than this program, or older than ``oldest``.
    """
    refuse_links(path)
    if path.is_dir():
        raise UsageError(f"{path}: {_A_FOLDER}")
    if not path.is_file():
        raise UsageError(f"{path}: there is no such journal: check --profile, --mode and --state-dir")
    try:
        try:
            connection = _connect_read_only(path)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _NO_INDEX and error.sqlite_errorcode not in _NO_INDEX:
                raise
            connection = _read_copy(path)
        try:
            if check_identity(connection, path, application_id, user_version, oldest) == 0:
                raise NothingThere(f"{path}: it is empty: nothing has run there yet; check --profile, --mode and --state-dir")
        except (*SQLITE_ERRORS, UsageError):
            connection.close()
            raise
    except (*SQLITE_ERRORS, OSError) as error:
        raise refusal(path, error) from error
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    connection = connect_read_only(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except SQLITE_ERRORS:
        connection.close()
        raise
    return connection


def _read_copy(path: Path) -> sqlite3.Connection:
    """Read ``path`` and its write-ahead log from a copy in memory."""
    with tempfile.TemporaryDirectory(prefix="arbtui-") as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        log = path.with_name(f"{path.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(log.name))
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            with closing(sqlite3.connect(copy)) as source:
                source.backup(connection)
            connection.execute("CREATE TEMP TABLE copy_of (path TEXT NOT NULL)")
            connection.execute("INSERT INTO copy_of VALUES (?)", (str(path),))
            connection.execute("PRAGMA query_only = ON")
        except SQLITE_ERRORS:
            connection.close()
            raise
    return connection
