"""The program's log: a rotating file that only its owner can read, and a ring of the last lines for the console."""

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from arbtui.model.printable import printable
from arbtui.monitoring.redact import redact
from arbtui.monitoring.redacting_formatter import RedactingFormatter
from arbtui.views import LogLine

FILE_NAME = "arbtui.log"
MAX_BYTES = 5_000_000
BACKUPS = 3
RING_LINES = 500
"""Number of lines that the log pane can scroll back."""

_LOGGERS = ("arbtui", "asyncio")
"""Ours, and asyncio's (errors of tasks that were never awaited). Others stay out: what they log may hold secrets."""

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"


class _PrivateFileHandler(RotatingFileHandler):
    """Creates its files with mode 0600, whatever the umask. One is full by what is in it: to ask its base would format each line twice."""

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the file is full."""
        return self.stream is not None and self.stream.tell() >= self.maxBytes

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:
        """A line that the disk does not take stays in the ring: logging would print a traceback, over the console, for each."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        """Close the file, whether or not the disk takes what is left."""
        with suppress(OSError):
            super().close()


class LogRing(logging.Handler):
    """Keeps the last lines as the console shows them. Any thread may log; :meth:`lines` is a snapshot."""

    def __init__(self, size: int = RING_LINES) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=size)
        self._snapshot: tuple[int, Sequence[LogLine]] = (0, ())
        self._guard = threading.Lock()
        self.version = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record; of a traceback only the last line (the file has all of it)."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            text = f"{text}: {type(error).__name__}: {error}"
        line = LogLine(int(record.created * 1_000), record.levelname, printable(" ".join(redact(text).split())))
        with self._guard:
            self._lines.append(line)
            self.version += 1

    def lines(self) -> Sequence[LogLine]:
        """The last lines, oldest first; the same object until something is logged."""
        if self._snapshot[0] != self.version:
            with self._guard:
                self._snapshot = (self.version, tuple(self._lines))
        return self._snapshot[1]


def set_up_logging(folder: Path | None, level: int = logging.INFO) -> LogRing:
    """Send what arbtui and asyncio log to ``folder``'s log file (none when None) and to the ring that is returned.

    Nothing goes to the terminal, which the console owns. A second call replaces the first's handlers.

    Raises:
        OSError: the log file cannot be created.
    """
    close_logging()
    ring = LogRing()
    handlers: list[logging.Handler] = [ring]
    if folder is not None:
        handler = _PrivateFileHandler(folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
        formatter = RedactingFormatter(_FORMAT, _TIME_FORMAT)
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        handlers.append(handler)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(level if name == "arbtui" else logging.WARNING)
        logger.propagate = False
        for each in handlers:
            logger.addHandler(each)
    return ring


def close_logging() -> None:
    """Flush and close what :func:`set_up_logging` opened."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
        logger.propagate = True
