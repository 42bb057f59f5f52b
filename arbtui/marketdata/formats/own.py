"""Our own recording format, "arbtui-1": gzip, one JSON a line.

The first line is ``{"t":"header","format":"arbtui-1","exchanges":["upbit",...]}``, every other one message:
``{"ts":<receive time, ns since the epoch>,"ex":"upbit","d":"<payload>"}``, with ``"b64"`` instead of ``"d"`` for a payload that is
not UTF-8, and ``"snap":"<market code>"`` where it is the answer to a REST depth request.
"""

import gzip
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
from arbtui.model.errors import UsageError

FORMAT = "arbtui-1"


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

    Args:
        path: the file to make or overwrite.
        exchanges: whose frames will come.
    """

    def __init__(self, path: Path, exchanges: Sequence[str]) -> None:
        self._known = set(exchanges)
        self._file = gzip.GzipFile(path, "wb", compresslevel=6, mtime=0)
        self._put({"t": "header", "format": FORMAT, "exchanges": list(exchanges)})

    def write(self, ts_ns: int, frame: Frame) -> None:
        """Append one frame, received at ``ts_ns`` (ns since the epoch)."""
        if frame.exchange not in self._known:
            raise ValueError(f"{frame.exchange} was not named when the recording began")
        line = _Line(ts_ns, frame.exchange, snapshot_of=frame.snapshot_of)
        try:
            line.text = frame.raw.decode()
        except UnicodeDecodeError:
            line.b64 = b64encode(frame.raw).decode()
        self._put(line)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, line: object) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
