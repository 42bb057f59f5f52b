"""Reads a recording line by line, packed or plain, without ever holding more than one line."""

from collections.abc import Iterator
from pathlib import Path

from arbtui.marketdata.formats.compression import DAMAGED, unpacked
from arbtui.model.errors import UsageError

LINE_LIMIT = 32 * 1024 * 1024  #: bytes; the largest real line is a venue's whole market list, about 2 MB
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Damaged(UsageError):
    """Packed data that is not what was packed: the last lines before it may be wrong, too."""


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end) of ``path``; empty lines are left out.

    Raises:
        Damaged: a UsageError of its own, since not all lines before it may be right.
        UsageError: the file cannot be opened; is truncated (after every whole line before that was yielded); or holds a
            line too long to be a message.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    with raw:
        lines, packing = unpacked(raw)
        number = 0
        while True:
            try:
                line = lines.readline(LINE_LIMIT)
            except EOFError:
                raise UsageError(f"{path}: truncated: the {packing} data ends early, after {number} whole lines") from None
            except DAMAGED as error:
                raise Damaged(f"{path}: damaged after {number} whole lines: {error}") from None
            if number == 0 and line.startswith(_BYTE_ORDER_MARK):
                line = line[len(_BYTE_ORDER_MARK) :]
            if not line:
                return
            number += 1
            if len(line) >= LINE_LIMIT:
                raise UsageError(f"{path}: line {number} is longer than {LINE_LIMIT} bytes: not a recording")
            if stripped := line.strip():
                yield number, stripped
