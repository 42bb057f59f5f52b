"""Opening an SQLite file for good: its settings, whose it is, its modes, and every refusal by name."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.chain import file_of
from arbtui.journal.database import (
    BUSY_TIMEOUT_MS,
    apply_pragmas,
    check_identity,
    create_file,
    create_tables,
    open_reader,
    opened_with,
    refusal,
    refuse_links,
)
from arbtui.model.errors import UsageError

OURS, FORMAT = 0x41524254, 3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "x.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    create_file(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def pragma(db: sqlite3.Connection, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(("synchronous", "told"), [("FULL", 2), ("OFF", 0)])
def test_a_writing_connection_waits_a_while_logs_ahead_and_trusts_nothing_inside(
    db: sqlite3.Connection, synchronous: str, told: int
) -> None:
    for name, other in (("trusted_schema", "ON"), ("cell_size_check", "OFF"), ("mmap_size", "1000000"), ("foreign_keys", "OFF")):
        db.execute(f"PRAGMA {name} = {other}")
    apply_pragmas(db, synchronous=synchronous)
    expected = {
        "busy_timeout": BUSY_TIMEOUT_MS, "trusted_schema": 0, "cell_size_check": 1, "mmap_size": 0, "foreign_keys": 1,
        "journal_mode": "wal", "journal_size_limit": 64 * 2**20, "synchronous": told,
    }  # fmt: skip
    assert {name: pragma(db, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("identity", "version", "oldest", "tables", "said"),
    [
        (0, 0, 0, False, 0),
        (0, 0, 0, True, "belongs to another program"),
        (0, 1, 0, False, "belongs to another program"),
        (OURS + 1, FORMAT, 0, True, "belongs to another program"),
        (OURS, FORMAT, FORMAT, True, FORMAT),
        (OURS, FORMAT - 1, FORMAT - 1, True, FORMAT - 1),
        (OURS, FORMAT - 1, FORMAT, True, "written by an earlier version (format 2, this program reads 3 to 3)"),
        (OURS, FORMAT + 1, 0, True, "written by a newer version (format 4, this program knows up to 3)"),
    ],
)
def test_whose_it_is_and_of_which_version(
    db: sqlite3.Connection, path: Path, identity: int, version: int, oldest: int, tables: bool, said: int | str
) -> None:
    db.execute(f"PRAGMA application_id = {identity}")
    db.execute(f"PRAGMA user_version = {version}")
    if tables:
        db.execute("CREATE TABLE t (x)")
    if isinstance(said, int):
        assert check_identity(db, path, OURS, FORMAT, oldest) == said
    else:
        with pytest.raises(UsageError) as caught:
            check_identity(db, path, OURS, FORMAT, oldest)
        assert str(caught.value).startswith(f"{path}: ")
        assert said in str(caught.value)


def test_a_file_and_its_folders_are_the_owners_and_stay_so(path: Path) -> None:
    create_file(path)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    log = path.with_name("x.db-wal")
    log.touch(mode=0o644)
    path.chmod(0o640)
    log.chmod(0o604)
    create_file(path)  # what stands there already
    assert [file.stat().st_mode & 0o777 for file in (path, log)] == [0o600, 0o600]
    path.chmod(0o400)
    log.chmod(0o400)
    if os.geteuid() == 0:  # who may write anything
        create_file(path)
        assert path.stat().st_mode & 0o777 == 0o400, "tighter than needed is left alone"


def test_two_that_make_the_folder_at_once_do_not_disturb_each_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Path.mkdir

    def other_was_quicker(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        made(self, mode)
        made(self, mode, parents, exist_ok)

    monkeypatch.setattr(Path, "mkdir", other_was_quicker)
    create_file(path)
    assert path.exists()


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_a_link_is_never_followed(path: Path, ending: str) -> None:
    path.parent.mkdir()
    link = path.with_name(f"x.db{ending}")
    link.symlink_to(path.parent / "elsewhere")
    for look in (refuse_links, create_file, lambda one: open_reader(one, OURS, FORMAT)):
        with pytest.raises(UsageError, match=rf"{link} is a symbolic link"):
            look(path)
    assert not (path.parent / "elsewhere").exists()


def test_a_directory_and_a_place_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.db").mkdir()
    with pytest.raises(UsageError, match=r"x\.db: a directory stands where a database should be"):
        create_file(tmp_path / "x.db")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/x\.db: .*check the owner, mode and free space"):
        create_file(tmp_path / "file" / "x.db")


def test_tables_are_made_after_what_an_older_file_lacks_and_the_file_is_marked(db: sqlite3.Connection, path: Path) -> None:
    upgrade, schema = ["CREATE TABLE old (x)"], ["CREATE TABLE IF NOT EXISTS new (x)", "CREATE INDEX IF NOT EXISTS i ON old (x)"]
    create_tables(db, schema, OURS, FORMAT, upgrade)
    assert check_identity(db, path, OURS, FORMAT) == FORMAT
    assert not db.in_transaction
    create_tables(db, schema, OURS, FORMAT)  # again: nothing is new
    with pytest.raises(sqlite3.OperationalError):
        create_tables(db, ["CREATE TABLE more (x)", "nonsense"], OURS, FORMAT + 1)
    assert not db.in_transaction
    assert db.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall() == []
    assert pragma(db, "user_version") == FORMAT


def test_a_reader_cannot_write_and_sees_what_the_writer_has_committed(db: sqlite3.Connection, path: Path) -> None:
    apply_pragmas(db, synchronous="OFF")
    create_tables(db, ["CREATE TABLE t (x)"], OURS, FORMAT)
    db.execute("INSERT INTO t VALUES (7)")
    with closing(open_reader(path, OURS, FORMAT)) as reader:
        assert reader.execute("SELECT x FROM t").fetchone()[0] == 7
        assert (pragma(reader, "busy_timeout"), pragma(reader, "trusted_schema"), pragma(reader, "query_only")) == (BUSY_TIMEOUT_MS, 0, 1)
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("INSERT INTO t VALUES (8)")


@pytest.mark.parametrize("name", ["#1", "a?b", "50%41"])
def test_a_path_means_itself_and_is_told_as_a_uri_where_it_is_one(name: str, tmp_path: Path) -> None:
    """Some builds of SQLite take every name for a URI, others none that is not told as one."""
    path, told = tmp_path / name / "x.db", list[tuple[str, bool]]()
    create_file(path)
    with closing(sqlite3.connect(path)) as db:
        create_tables(db, ["CREATE TABLE t (x)"], OURS, FORMAT)

    def opening(opened: str, **options: Any) -> sqlite3.Connection:
        told.append((opened, options.get("uri", False)))
        connection: sqlite3.Connection = sqlite3.connect(opened, **options)
        return connection

    with opened_with(opening), closing(open_reader(path, OURS, FORMAT)) as reader:
        assert Path(reader.execute("PRAGMA database_list").fetchone()[2]) == path
    assert [(opened.startswith("file:"), is_uri) for opened, is_uri in told] == [(True, True)]
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY | 5 << 8, *(sqlite3.SQLITE_IOERR | more << 8 for more in (18, 19, 21))]
)
def test_where_sqlite_can_read_nothing_without_writing_a_private_copy_is_read(
    db: sqlite3.Connection, path: Path, code: int, log: bool
) -> None:
    apply_pragmas(db, synchronous="OFF")
    create_tables(db, ["CREATE TABLE t (x)"], OURS, FORMAT)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("INSERT INTO t VALUES (7)")
    if not log:
        db.close()
    assert path.with_name("x.db-wal").exists() is log

    def refuse(opened: str, **options: Any) -> sqlite3.Connection:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        raise error

    with opened_with(refuse), closing(open_reader(path, OURS, FORMAT)) as reader:
        assert reader.execute("SELECT x FROM t").fetchall() == [(7,)]
        assert file_of(reader) == path
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("INSERT INTO t VALUES (8)")


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR])
def test_where_sqlite_can_read_nothing_for_another_reason_nothing_is_read(db: sqlite3.Connection, path: Path, code: int) -> None:
    create_tables(db, ["CREATE TABLE t (x)"], OURS, FORMAT)

    def refuse(opened: str, **options: Any) -> sqlite3.Connection:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = code
        raise error

    with opened_with(refuse), pytest.raises(UsageError, match=r"x\.db: no: "):
        open_reader(path, OURS, FORMAT)


def test_where_a_copy_has_no_room_either_that_is_told(db: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_tables(db, ["CREATE TABLE t (x)"], OURS, FORMAT)

    def refuse(opened: str, **options: Any) -> sqlite3.Connection:
        error = sqlite3.OperationalError("no")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 19 << 8
        raise error

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/x.db")

    monkeypatch.setattr("arbtui.journal.database.shutil.copyfile", full)
    with opened_with(refuse), pytest.raises(UsageError, match=r"x\.db: .*No space left on device.*: the disk is full: free space"):
        open_reader(path, OURS, FORMAT)


def test_a_folder_in_place_of_a_journal_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(UsageError, match=r"x\.db: a directory stands where a database should be: move it away"):
        open_reader(path, OURS, FORMAT)


def test_a_file_that_is_missing_or_empty_is_no_journal(path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.db: there is no such journal"):
        open_reader(path, OURS, FORMAT)
    create_file(path)
    with pytest.raises(UsageError, match=r"x\.db: it is empty"):
        open_reader(path, OURS, FORMAT)


def test_each_failure_of_sqlite_says_what_to_do() -> None:
    said = sqlite3.OperationalError("database is locked")
    said.sqlite_errorcode = sqlite3.SQLITE_BUSY | 2 << 8  # an extended code
    assert str(refusal(Path("/j"), said)) == "/j: database is locked: another process holds it: end that process first"
    said.sqlite_errorcode = sqlite3.SQLITE_AUTH
    assert str(refusal(Path("/j"), said)) == "/j: database is locked: it cannot be used"
    assert "it cannot be opened" in str(refusal(Path("/j"), PermissionError("no")))
