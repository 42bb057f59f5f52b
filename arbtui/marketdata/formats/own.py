"""Our own recording format, "arbtui-1": gzip, one JSON a line.

The first line is ``{"t":"header","format":"arbtui-1","exchanges":["upbit",...]}``, every other one message:
``{"ts":<receive time, ns since the epoch>,"ex":"upbit","d":"<payload>"}``, with ``"b64"`` instead of ``"d"`` for a payload that is
not UTF-8, and ``"snap":"<market code>"`` where it is the answer to a REST depth request. The file is a row of gzip members, each
holding whole lines: however the recording ends, what was written before is readable.
"""

import gzip
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct, field

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.formats.lines import read_lines
from arbtui.marketdata.formats.message import Message, bad_line
from arbtui.model.errors import ArbtuiError, UsageError

FORMAT = "arbtui-1"
_MEMBER = 256 * 1024  #: bytes of lines that make a gzip member: compressed in a few ms, and nearly as small as one large member


class RecordingFailed(ArbtuiError):
    """The recording could not be continued; what was written before is intact."""


class _Header(Struct):
    t: str
    format: str
    exchanges: list[str]


class _Line(Struct, omit_defaults=True):
    ts: int
    exchange: str = field(name="ex")
    text: str | None = field(name="d", default=None)
    b64: str | None = None
    snapshot_of: str = field(name="snap", default="")


class OwnRecording:
    """Reads a recording in our own format; ``header`` is its first line."""

    def __init__(self, path: Path, header: bytes) -> None:
        try:
            head = msgspec.json.decode(header, type=_Header)
        except msgspec.MsgspecError as error:
            raise UsageError(f"{path}: line 1 is not the header of a recording: {error}") from None
        if head.format != FORMAT:
            raise UsageError(f"{path}: a recording in format {head.format}; this version reads {FORMAT}")
        self._path = path
        self.exchanges = head.exchanges

    def messages(self) -> Iterator[Message]:
        """Every frame in the order of the file."""
        decode = msgspec.json.Decoder(_Line).decode
        known = set(self.exchanges)
        for number, line in read_lines(self._path):
            if number == 1:
                continue
            try:
                message = decode(line)
                raw = message.text.encode() if message.text is not None else b64decode(message.b64 or "", validate=True)
            except ValueError:  # msgspec's errors, base64's and those of text are all ValueErrors
                raise bad_line(self._path, number, f"a message of format {FORMAT}") from None
            if message.exchange not in known:
                raise UsageError(f"{self._path}: line {number} is of {message.exchange}, which the recording's header does not name")
            yield Message(message.ts, number, Frame(message.exchange, raw, message.snapshot_of))


class RecordingWriter:
    """Writes a recording in our own format; a context manager.

    Lines are collected and appended a member at a time. When the disk fills up, a partly written member is removed: the file stays
    readable.

    Args:
        path: the file to create.
        exchanges: exchanges whose frames will come.

    Raises:
        UsageError: the file exists already, or cannot be created.
    """

    def __init__(self, path: Path, exchanges: Sequence[str]) -> None:
        self._path = path
        self._known = set(exchanges)
        self._lines: list[bytes] = []
        self._waiting = 0
        self._closed = False
        self.size = 0  #: bytes in the file
        self.written = 0  #: frames in it
        self._new = 0
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise UsageError(f"{path} exists already, and a recording is never overwritten; name another file") from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror or error})") from None
        try:
            self._put({"t": "header", "format": FORMAT, "exchanges": list(exchanges)})
            self.flush()
        except BaseException:
            os.close(self._file)
            raise

    def write(self, ts_ns: int, frame: Frame) -> None:
        """Append one frame, received at ``ts_ns`` (ns since the epoch).

        Raises:
            RecordingFailed: the disk is full or gone; the file holds what was written before.
        """
        if frame.exchange not in self._known:
            raise ValueError(f"{frame.exchange} was not named when the recording began")
        line = _Line(ts_ns, frame.exchange, snapshot_of=frame.snapshot_of)
        try:
            line.text = frame.raw.decode()
        except UnicodeDecodeError:
            line.b64 = b64encode(frame.raw).decode()
        self._put(line)
        self._new += 1
        if self._waiting >= _MEMBER:
            self.flush()

    def flush(self) -> None:
        """Write the collected frames.

        Raises:
            RecordingFailed: as :meth:`write`.
        """
        if not self._lines:
            return
        member = gzip.compress(b"".join(self._lines), compresslevel=6, mtime=0)
        self._lines.clear()
        self._waiting = 0
        done = 0
        try:
            while done < len(member):
                done += os.write(self._file, member[done:])
        except OSError as error:
            os.ftruncate(self._file, self.size)
            lost, self._new = self._new, 0
            kept = f"the file holds its first {self.written} frames, the {lost} after them are lost"
            raise RecordingFailed(f"{self._path}: {error.strerror or error}; {kept}") from None
        self.size += len(member)
        self.written += self._new
        self._new = 0

    def close(self) -> None:
        """Complete the file; raises RecordingFailed as :meth:`write`."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, line: object) -> None:
        encoded = msgspec.json.encode(line) + b"\n"
        self._lines.append(encoded)
        self._waiting += len(encoded)
