"""Whether a path still leads to the file that is written: one that was moved or deleted takes writes that nobody will find."""

import os
from pathlib import Path

from arbtui.model.errors import JournalFailed

_Identity = tuple[int, int]


class FilePlace:
    """The identity of a database and of its write-ahead log, as they are from now on. A look takes some 3 us."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = f"{path}-wal"
        self._is = _identity(str(path))
        self._log_is: _Identity | None = None  # SQLite makes the log with the first write

    def check(self) -> None:
        """Look again.

        Raises:
            JournalFailed: another file stands there, or none.
        """
        log = _identity(self._log)
        if self._log_is is None:
            self._log_is = log
        if _identity(str(self.path)) != self._is or log != self._log_is:
            gone = self.path if _identity(str(self.path)) != self._is else self._log
            raise JournalFailed(
                f"{gone} was moved, deleted or replaced while it was written: nothing more is written; put it back, then start again"
            )


def _identity(path: str) -> _Identity | None:
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return found.st_dev, found.st_ino
