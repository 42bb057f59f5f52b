"""One engine for one profile: an advisory lock on the file ``lock`` in the profile's folder. Standard library only.

The lock is the kernel's, so it ends with the process however that ends; what is written inside (pid, the process's start, the
machine's start) is for messages, and tells the next engine that the last one did not release it.
"""

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from arbtui.model.errors import AlreadyRunning, UsageError
from arbtui.model.regular_file import read_regular
from arbtui.settings.process import boot_id, process_facts

LOCK_NAME = "lock"


@dataclass(frozen=True, slots=True)
class LockWord:
    """What a process that holds the lock has written into it; what it leaves when it dies."""

    pid: int
    started: str = ""  #: clock ticks after the machine's start; empty where the platform does not tell
    boot: str = ""  #: names the machine's start, likewise


class ProfileLock:
    """Held for as long as an engine runs: ``with ProfileLock(folder): ...``."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_NAME
        self.left: LockWord | None = None  #: once acquired, what a process that died left in it
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock and write our pid.

        Raises:
            AlreadyRunning: another process holds it.
            UsageError: the file cannot be written.
        """
        try:
            fd = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"lock {self.path} cannot be written ({error.strerror})") from None
        if not lock_now(fd):
            os.close(fd)
            pid = _pid_in(self.path)
            raise AlreadyRunning(
                f"profile {self.path.parent.name} is already running{f' as process {pid}' if pid else ''} (lock {self.path}); "
                "stop it first, or start with another --state-dir"
            ) from None
        self._fd = fd
        self.left = read_word(self.path.parent)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()} {process_facts(os.getpid()).started or '-'} {boot_id() or '-'}\n".encode(), 0)
        with contextlib.suppress(OSError):  # after a power cut it tells of one; a full disk keeps nobody out
            os.fsync(fd)

    def release(self) -> None:
        """Release the lock and clear the pid; the file stays, since removing it would let two engines lock two files."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def lock_now(fd: int) -> bool:
    """Lock ``fd``, or False. Tried for a moment: :func:`is_held` holds it for a few microseconds."""
    for pause in (0.001, 0.01, 0.05, None):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if pause is not None:
                time.sleep(pause)
    return False


def is_held(folder: Path) -> bool:
    """True while an engine runs on ``folder``. A folder or lock that cannot be read counts as not held."""
    try:
        fd = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def holder(folder: Path) -> int | None:
    """The pid of the engine that runs on ``folder``; None when none does, 0 when it is unknown."""
    return _pid_in(folder / LOCK_NAME) or 0 if is_held(folder) else None


def read_word(folder: Path) -> LockWord | None:
    """What stands in the lock of ``folder``, held or not; None where nothing does that can be read."""
    with contextlib.suppress(OSError, ValueError):
        pid, *more = read_regular(folder / LOCK_NAME, 200).decode("ascii").split()
        started, boot = ("" if word == "-" else word for word in (*more, "-", "-")[:2])
        return LockWord(int(pid), started, boot)
    return None


def _pid_in(path: Path) -> int | None:
    word = read_word(path.parent)
    return None if word is None else word.pid
