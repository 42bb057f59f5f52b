"""SQLite's files on a logged disk, which fails when it is told to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import apsw

from tests.disk.failing import Failing
from tests.disk.log import DiskLog, Sync, SyncFolder, Truncate, Write

_NAME = "arbtui-disk"
_SYNCS_ITS_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL  # SQLite's own file system does, at a file's first sync


class _Quiet:
    """An error that is raised here is SQLite's to tell: apsw would print it as well."""

    def excepthook(self, etype: type[BaseException] | None, evalue: BaseException | None, etraceback: TracebackType | None) -> bool:
        """See apsw."""
        return True


class _LoggedFile(_Quiet, apsw.VFSFile):
    def __init__(self, name: str, flags: list[int], log: DiskLog, failing: Failing) -> None:
        self._on_disk = log.has(name)
        super().__init__("unix", name, flags)
        self._log, self._failing = log, failing
        self._file = log.file(name) if self._on_disk else 0
        self._folder = name.rpartition("/")[0] if flags[0] & _SYNCS_ITS_FOLDER else ""

    def xWrite(self, data: bytes, offset: int) -> None:
        if not self._on_disk:
            super().xWrite(data, offset)
            return
        if self._failing.meets("write"):
            if self._failing.how == "short":
                data = bytes(data)[: len(data) // 2]
                super().xWrite(data, offset)
                self._log.ops.append(Write(self._file, offset, data))
            raise apsw.exception_for(apsw.SQLITE_IOERR_WRITE if self._failing.how == "EIO" else apsw.SQLITE_FULL)
        super().xWrite(data, offset)
        self._log.ops.append(Write(self._file, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        super().xTruncate(size)
        if self._on_disk:
            self._log.ops.append(Truncate(self._file, size))

    def xSync(self, flags: int) -> None:
        if not self._on_disk:
            super().xSync(flags)
            return
        if self._failing.meets("sync"):
            self._log.ops.append(Sync(self._file, succeeded=False))
            raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)  # SQLite has no other word for it
        self._log.ops.append(Sync(self._file))  # the file itself need not wait: only the log is played back
        if self._folder:
            self._log.ops.append(SyncFolder(self._folder))
            self._folder = ""


class _LoggedDisk(_Quiet, apsw.VFS):
    def __init__(self, log: DiskLog, failing: Failing) -> None:
        super().__init__(_NAME, "unix")
        self._log, self._failing = log, failing

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        if name is None:
            return super().xOpen(name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _LoggedFile(path, flags, self._log, self._failing)

    def xDelete(self, name: str, syncdir: bool) -> None:
        super().xDelete(name, syncdir)
        if self._log.has(name):
            self._log.name((name, None))
            if syncdir:
                self._log.ops.append(SyncFolder(name.rpartition("/")[0]))


@contextmanager
def _said_by_sqlite_alone() -> Iterator[None]:
    """While SQLite closes a file it meets a second error with nobody to hand it to: apsw then says so beside what SQLite has answered."""
    before = sys.unraisablehook

    def hook(found: "sys.UnraisableHookArgs") -> None:
        if not isinstance(found.exc_value, apsw.Error):
            before(found)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextmanager
def logged_disk(log: DiskLog, failing: Failing) -> Iterator[str]:
    """SQLite's name of a file system that writes to ``log``, for as long as the block lasts.

    Raises:
        AssertionError: a file is still open after the block: it would be closed by chance, in whichever test runs then.
    """
    disk = _LoggedDisk(log, failing)
    try:
        with _said_by_sqlite_alone():
            yield _NAME
        left = [connection.filename for connection in apsw.connections() if connection.open_vfs == _NAME]
        assert not left, f"not closed: {left}"
    finally:
        disk.unregister()
