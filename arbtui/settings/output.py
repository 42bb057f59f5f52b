"""Output: a line for the operator on standard error, text to standard output, a summary also to a file known to be writable.

Nothing else writes to either; so whatever a venue or a file said is made harmless here (:mod:`arbtui.model.printable`), and a line holds
no secret, whatever error it tells (:mod:`arbtui.monitoring.redact`).
"""

import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.model.printable import printable
from arbtui.monitoring.redact import redact

#: How long a line may wait for a blocked terminal (stopped by ^S, or not read), in seconds.
_TERMINAL_S = 1.0


def tell(text: str) -> None:
    """Write ``text``, whole lines, to standard output; characters that its encoding lacks are escaped.

    Raises:
        OSError: nobody reads it any more (BrokenPipeError), or the disk is full.
    """
    if sys.stdout is None:  # started with that descriptor closed
        return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(printable(text, keep="\n").encode(encoding, "backslashreplace").decode(encoding))


def tell_if_read(text: str = "") -> None:
    """Write ``text``, if any, and what was told before it, out to whoever reads standard output: for a command that goes on without one."""
    if sys.stdout is None:
        return
    try:
        tell(text)
        sys.stdout.flush()
    except OSError as error:
        mute_standard_output()
        if not isinstance(error, BrokenPipeError):
            say(f"standard output could not be written ({error.strerror or error})")


def say(message: str) -> None:
    """Write ``message`` as one line to standard error, if that is still open.

    A closed terminal must not turn an orderly end into a failure, neither now nor when Python flushes at exit; and
    a blocked one must not keep the process, and so the profile's lock, for ever.
    """
    if sys.stderr is None:  # started with that descriptor closed
        return
    line = f"arbtui: {printable(redact(' '.join(message.split())))}\n"
    try:
        if sys.stderr.isatty():
            _write_to_terminal(sys.stderr.fileno(), line.encode(errors="replace"))
        else:
            sys.stderr.write(line)
            sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def show_progress(text: str, stream: TextIO | None = None) -> None:
    """Write ``text`` over the last progress line on standard error, where that is a terminal; empty takes the line away.

    ``stream``: in place of what standard error is now.
    """
    stream = stream or sys.stderr
    if stream is None or not stream.isatty():
        return
    try:
        stream.write(f"\r\x1b[K{printable(text)}")
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _write_to_terminal(descriptor: int, rest: bytes) -> None:
    """Write in a thread that may be abandoned. It takes no buffer's lock, which the interpreter would wait for at exit.

    Raises:
        OSError: the terminal is closed.
    """
    failed: list[OSError] = []

    def write() -> None:
        left = rest
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError as error:
            failed.append(error)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    writer.join(_TERMINAL_S)
    if failed:
        raise failed[0]


def mute_standard_output() -> None:
    """Discard what could not be written: otherwise Python fails again at exit, when it flushes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class JsonOutput:
    """The target of ``--json FILE|-``.

    Raises:
        UsageError: the file cannot be written. Checked at the start: a run of hours must not end without a place for its summary.
    """

    def __init__(self, target: str) -> None:
        self.path = None if target == "-" else Path(os.path.expanduser(target))
        if self.path is None:
            if sys.stdout is None:
                raise UsageError("--json -: there is no standard output; name a file")
            return
        try:
            if not target or self.path.is_dir():
                raise UsageError(f"--json {target or repr(target)}: name a file, or - for standard output")
            existed = self.path.exists()
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o600))
            if not existed:
                self.path.unlink()
        except OSError as error:
            raise UsageError(
                f"--json {target}: cannot be written ({error.strerror or error}); name a file in a folder that is there"
            ) from None

    def write(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary`` as one JSON object, atomically.

        Raises:
            ArbtuiError: the disk filled up, or the folder went away, since the start.
            BrokenPipeError: standard output is no longer read.
            ValueError: the summary holds NaN or an infinity, which JSON cannot represent.
        """
        text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
        try:
            self._write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            if self.path is None:
                mute_standard_output()
            place = self.path or "standard output"
            raise ArbtuiError(f"--json: {place} could not be written ({error.strerror or error}); the run itself is saved") from None

    def _write(self, text: str) -> None:
        if self.path is None:
            tell(text)
            sys.stdout.flush()
        elif self.path.exists() and not self.path.is_file():  # a pipe or device: there is nothing to replace
            self.path.write_text(text, encoding="utf-8")
        else:
            partial = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            partial.unlink(missing_ok=True)  # of an earlier process of that number; and never written through a link
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            partial.replace(self.path)
