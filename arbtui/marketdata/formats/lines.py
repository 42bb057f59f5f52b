"""Reads a recording line by line, gzip or plain, without ever holding more than one line."""

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from arbtui.model.errors import UsageError

LINE_LIMIT = 32 * 1024 * 1024  #: bytes; the largest real line is a venue's whole market list, about 2 MB
_GZIP_MAGIC = b"\x1f\x8b"


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end) of ``path``; empty lines are left out.

    Raises:
        UsageError: the file cannot be opened; is truncated or damaged (after every whole line before that was yielded); or holds a
            line too long to be a message.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    with raw:
        packed = raw.peek(2)[:2] == _GZIP_MAGIC
        # GzipFile has a buffered reader's interface but not its type; wrapped again, it reads lines in C.
        lines = BufferedReader(gzip.GzipFile(fileobj=raw)) if packed else raw
        number = 0
        while True:
            try:
                line = lines.readline(LINE_LIMIT)
            except EOFError:
                raise UsageError(f"{path}: truncated: the gzip data ends early, after {number} whole lines") from None
            except (gzip.BadGzipFile, zlib.error, OSError) as error:
                raise UsageError(f"{path}: damaged after {number} whole lines: {error}") from None
            if not line:
                return
            number += 1
            if len(line) >= LINE_LIMIT:
                raise UsageError(f"{path}: line {number} is longer than {LINE_LIMIT} bytes: not a recording")
            if stripped := line.strip():
                yield number, stripped
