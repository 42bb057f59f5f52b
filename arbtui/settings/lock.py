"""One process for one thing: advisory locks on files. Standard library only.

Each is the kernel's, so it ends with the process however that ends. What is written inside is for messages, and tells the next one that the
last did not release it. The file stays when it is released, since removing it would let two processes lock two files.

There are four kinds: of a profile (:class:`ProfileLock`: its engine, or whoever writes its journal), of its guardian and its
supervisor, each in a folder of the profile's, and of the accounts that a live engine trades on (:mod:`arbtui.settings.account_lock`).
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from arbtui.model.errors import AlreadyRunning, UsageError
from arbtui.model.regular_file import read_regular
from arbtui.settings.heartbeat import read_heartbeat
from arbtui.settings.output import say
from arbtui.settings.process import boot_id, process_facts

LOCK_NAME = "lock"
_LARGEST = 10_000
#: How often a lock that is waited for is tried, in s.
_AGAIN_S = 0.1
#: How a lock says that somebody else has it.
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@dataclass(frozen=True, slots=True)
class LockWord:
    """What a process that holds the lock of a profile has written into it; what it leaves when it dies."""

    pid: int
    started: str = ""  #: clock ticks after the machine's start; empty where the platform does not tell
    boot: str = ""  #: names the machine's start, likewise


class FileLock:
    """Held for as long as the process does what it is for: ``with FileLock(path, refusal): ...``.

    Args:
        path: the file.
        refusal: the error to raise where another process holds it.
        word: what to write into it; the process and the machine's start unless given otherwise.
    """

    def __init__(self, path: Path, refusal: Callable[[], Exception], word: str = "") -> None:
        self.path = path
        self.before = b""  #: once acquired, what a process that did not release it has left in it
        self._refusal = refusal
        self._word = word
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock and write its word.

        Raises:
            UsageError: the file cannot be written.
            Exception: ``refusal``'s, another process holds it.
        """
        try:
            fd = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from None
        if not lock_now(fd):
            os.close(fd)
            raise self._refusal()
        with contextlib.suppress(OSError):
            self.before = os.pread(fd, _LARGEST, 0)
        word = (self._word or _own_word()).encode()
        try:
            if os.pwrite(fd, word, 0) != len(word):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.ftruncate(fd, len(word))
        except OSError as error:
            os.close(fd)
            raise self._unwritable(error) from None
        self._fd = fd
        with contextlib.suppress(OSError):  # after a power cut it tells of one; a full disk keeps nobody out
            os.fsync(fd)

    def _unwritable(self, error: OSError) -> UsageError:
        no_room = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "free space there" if no_room else "mend its owner and mode, or move away what stands there"
        return UsageError(f"lock {self.path} cannot be written ({error.strerror}): {advice}, or name another --state-dir")

    def release(self) -> None:
        """Release the lock and clear its word."""
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


class ProfileLock(FileLock):
    """One engine for one profile, in its folder. The folder itself is locked, too: whoever takes the file away frees nothing.

    Args:
        folder: the profile's.
        wait_s: for how long to wait, in s, for a command that holds it while it journals; an engine is never waited for.
    """

    def __init__(self, folder: Path, wait_s: float = 0.0) -> None:
        super().__init__(folder / LOCK_NAME, lambda: AlreadyRunning(_runs_already(folder)))
        self._folder_fd: int | None = None
        self._wait_s = wait_s
        self.waited_for = ""  #: once acquired, for whom it waited, in words

    def acquire(self) -> None:
        """See :meth:`FileLock.acquire`."""
        folder, until = self.path.parent, time.monotonic() + self._wait_s
        while True:
            try:
                return self._take()
            except AlreadyRunning:
                if time.monotonic() >= until or _is_engine(folder):
                    raise
            if not self.waited_for:
                self.waited_for = f"waited for a command that held the profile's lock{_who(folder)}"
                say(f"{folder.name}: a command holds its lock{_who(folder)}; waiting up to {self._wait_s:g} s for it")
            time.sleep(_AGAIN_S)

    def _take(self) -> None:
        try:
            fd = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._unwritable(error) from None
        if lock_now(fd):
            self._folder_fd = fd
        else:
            os.close(fd)
            if _is_locked(self.path.parent):  # else a file system that locks no folders
                raise self._refusal()
        try:
            super().acquire()
        except BaseException:  # whatever it was, nobody would give it back
            self._release_folder()
            raise

    def release(self) -> None:
        """See :meth:`FileLock.release`."""
        super().release()
        self._release_folder()

    def _release_folder(self) -> None:
        if self._folder_fd is not None:
            os.close(self._folder_fd)
            self._folder_fd = None

    @property
    def left(self) -> LockWord | None:
        """Once acquired, what an engine that died has left in it."""
        return _word_of(self.before)


def guardian_lock(folder: Path) -> FileLock:
    """One guardian for one profile; ``folder``: the guardian's, in the profile's."""
    return FileLock(
        folder / LOCK_NAME, lambda: AlreadyRunning(f"a guardian of {folder.parent.name} watches already{_who(folder)}; one is enough")
    )


def supervisor_lock(folder: Path) -> FileLock:
    """One supervisor for one profile; ``folder``: the supervisor's, in the profile's."""
    return FileLock(folder / LOCK_NAME, lambda: AlreadyRunning(f"{folder.parent.name} is supervised already{_who(folder)}; one is enough"))


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
    """True while a process holds the lock of ``folder``. A folder or lock that cannot be read counts as not held."""
    return any(_is_locked(path) for path in (folder / LOCK_NAME, folder))


def _is_locked(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _TAKEN
    finally:
        os.close(fd)
    return False


def can_be_seen(folder: Path) -> bool:
    """False where this user may not look whether a process holds the lock of ``folder``."""
    try:
        os.close(os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return False
    except OSError:
        pass
    return True


def holder(folder: Path) -> int | None:
    """The pid of the process that holds the lock of ``folder``; None when none does, 0 when it is unknown."""
    if not is_held(folder):
        return None
    word = read_word(folder)
    return 0 if word is None else word.pid


def read_word(folder: Path) -> LockWord | None:
    """What stands in the lock of ``folder``, held or not; None where nothing does that can be read."""
    with contextlib.suppress(OSError):
        return _word_of(read_regular(folder / LOCK_NAME, 200))
    return None


def _own_word() -> str:
    return f"{os.getpid()} {process_facts(os.getpid()).started or '-'} {boot_id() or '-'}\n"


def _word_of(text: bytes) -> LockWord | None:
    with contextlib.suppress(ValueError):
        pid, *more = text.decode("ascii").split()
        started, boot = ("" if word == "-" else word for word in (*more, "-", "-")[:2])
        return LockWord(int(pid), started, boot)
    return None


def _who(folder: Path) -> str:
    word = read_word(folder)
    return f" (process {word.pid})" if word is not None else ""


def _is_engine(folder: Path) -> bool:
    """Whether it is an engine that holds the profile's lock: it has a heartbeat, a command has none."""
    word, beat = read_word(folder), read_heartbeat(folder)
    return word is not None and beat is not None and not beat.is_end and (beat.pid, beat.started) == (word.pid, word.started or "-")


def _runs_already(folder: Path) -> str:
    word = read_word(folder)
    as_process = f" as process {word.pid}" if word is not None else ""
    return (
        f"profile {folder.name} is already running{as_process} (lock {folder / LOCK_NAME}); "
        "stop it first, or start with another --state-dir"
    )
