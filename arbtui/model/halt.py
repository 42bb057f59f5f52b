"""The halt: an epoch in memory and a flag on disk. Standard library only: it must work when everything else fails.

The *flag* is a file in the profile's folder; any process may create it (`arbtui kill`, `touch`), and while it exists
no order is sent. The *epoch* rises with each kill; an order decided in an older epoch is void. The console's input
thread, signal handlers and the event loop all call :meth:`Halt.close`; it takes no lock that the event loop could hold.
"""

import contextlib
import errno
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from arbtui.model.durable_folder import make_folders, sync_folder
from arbtui.model.regular_file import read_regular

FLAG_NAME = "kill.flag"
_PLACE = "cause"


@dataclass(frozen=True, slots=True)
class HaltCause:
    """Who closed the gate, when (ms since the epoch, UTC) and why. Unreadable flags give source ``unknown``."""

    source: str
    reason: str
    ts_ms: int


def write_flag(folder: Path, source: str, reason: str, ts_ms: int | None = None) -> bool:
    """Create the kill flag in ``folder`` durably; False when there is one already (the first cause is kept).

    Raises:
        OSError: the folder cannot be written; the caller must report it.
    """
    if not folder.is_dir():
        make_folders(folder)
    path = folder / FLAG_NAME
    stamp = time.time_ns() // 1_000_000 if ts_ms is None else ts_ms
    body = json.dumps({"source": source, "reason": reason, "ts_ms": stamp}).encode()
    if os.path.lexists(path) or not _create_somehow(path, body):
        with contextlib.suppress(OSError):  # another process may just have made it, and not be done: the caller relies on it, too
            sync_folder(folder)
        return False
    sync_folder(folder)
    return True


def _create_somehow(path: Path, body: bytes) -> bool:
    """Create the flag; False when another process was faster."""
    try:
        _create_whole(path, body)
    except FileExistsError:
        return False
    except OSError:  # a file system without links, or no room: a flag that says nothing halts as well
        return _create(path, body)
    return True


def _create_whole(path: Path, body: bytes) -> None:
    """Let the flag appear with its cause, so that no reader finds it empty."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    fd = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    try:
        try:
            if os.write(fd, body) != len(body):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(fd)
        finally:
            os.close(fd)
        os.link(part, path, follow_symlinks=False)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _create(path: Path, body: bytes) -> bool:
    """Create the flag in its place; it stands also when its cause cannot be written."""
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    try:
        with contextlib.suppress(OSError):
            os.write(fd, body)
        os.fsync(fd)
    finally:
        os.close(fd)
    return True


def read_flag(folder: Path) -> HaltCause | None:
    """The cause that the flag in ``folder`` holds, or None without a flag. Anything at its place counts, also a dangling link."""
    path = folder / FLAG_NAME
    try:
        ts_ms = round(path.lstat().st_mtime * 1000)
        raw = read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:  # a link counts wherever it leads, and so does a pipe
        return HaltCause("unknown", f"the flag cannot be read ({error.strerror or error})", 0)
    try:
        body = json.loads(raw)
        return HaltCause(str(body["source"]), str(body["reason"]), int(body["ts_ms"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return HaltCause("unknown", "made by hand", ts_ms)


def archive_flag(folder: Path) -> None:
    """Remove the flag by renaming it (never deleting); called only when the operator re-arms."""
    path = folder / FLAG_NAME
    if os.path.lexists(path):
        path.rename(folder / f"{FLAG_NAME}.{time.time_ns() // 1_000_000}")
        sync_folder(folder)


class Halt:
    """The halt of one running engine: read at the gate before every order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._flag = str(folder / FLAG_NAME)
        self._causes: dict[str, HaltCause] = {}  # of one place, taken by `setdefault`: whoever comes first, in whichever thread
        if (found := read_flag(folder)) is not None:
            self._causes[_PLACE] = found
        self.epoch = 0
        self.kills = 0  #: kills requested, including repeated ones, which raise no epoch: re-arming must name the last one
        self.flag_written = found is not None
        self.closed_at: float | None = None  #: `time.monotonic()` of the closing, for measuring the kill's latency

    @property
    def cause(self) -> HaltCause | None:
        """Of the kill that closed the gate; None while it is open."""
        return self._causes.get(_PLACE)

    @property
    def is_closed(self) -> bool:
        """True from the first instruction of a kill until the operator re-arms."""
        return _PLACE in self._causes

    def flag_stands(self) -> bool:
        """Whether the flag exists on disk (another process may have created it); closes the gate if so."""
        if not self.is_closed and os.path.lexists(self._flag):
            if self._take(read_flag(self.folder) or HaltCause("unknown", "the flag vanished", 0)):
                self.kills += 1
            self.flag_written = True
        return self.is_closed

    def _take(self, cause: HaltCause) -> bool:
        """Close the gate in memory; True for the first one only. Kills that come at once, from threads and signals, raise one epoch."""
        if self._causes.setdefault(_PLACE, cause) is not cause:
            return False
        self.epoch += 1
        self.closed_at = time.monotonic()
        return True

    def close(self, source: str, reason: str = "", ts_ms: int | None = None) -> bool:
        """Close the gate now, from any thread, then create the flag. False when it was closed already.

        The gate is closed in memory first, so a disk that is full or gone cannot keep it open; ``flag_written`` tells
        whether the halt will outlive this process.
        """
        self.kills += 1
        stamp = time.time_ns() // 1_000_000 if ts_ms is None else ts_ms
        if self.is_closed or not self._take(HaltCause(source, reason, stamp)):
            return False
        try:
            write_flag(self.folder, source, reason, stamp)
            self.flag_written = True
        except OSError:
            self.flag_written = False
        return True

    def rearm(self) -> None:
        """Open the gate again, after the operator typed the profile's name and a reason. The epoch stays raised.

        A kill from another thread during the call wins: from the first line on it counts as a new one.

        Raises:
            OSError: the flag cannot be removed; the gate stays closed.
        """
        before = self._causes.pop(_PLACE, None)
        try:
            archive_flag(self.folder)
        except OSError:
            if before is not None:
                self._causes.setdefault(_PLACE, before)
            raise
        if not self._closed_meanwhile():
            self.flag_written = False
            self.closed_at = None

    def _closed_meanwhile(self) -> bool:
        """Whether a kill came during re-arming; its flag may have been removed with the old one, and is created again."""
        if self.cause is None:
            return False
        write_flag(self.folder, self.cause.source, self.cause.reason, self.cause.ts_ms)
        self.flag_written = True
        return True
