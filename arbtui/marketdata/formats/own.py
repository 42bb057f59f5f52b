"""Our own recording format, "arbtui-2": gzip, one JSON a line.

The first line is ``{"t":"header","format":"arbtui-2","exchanges":["upbit",...]}``, every other one message:
``{"ts":<receive time, ns since the epoch>,"ex":"upbit","d":"<payload>"}``, with ``"b64"`` instead of ``"d"`` for a payload that is
not UTF-8, and ``"snap":"<market code>"`` where it is the answer to a REST depth request; or a seal or a receipt for a gap
(:mod:`arbtui.marketdata.formats.seals`). The file is a row of gzip members, each holding whole lines: however the recording ends,
what was written before is readable. "arbtui-1" is the same without seals and receipts, and is still read.
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
from arbtui.marketdata.formats.continuation import continuation
from arbtui.marketdata.formats.lines import Damaged, read_lines
from arbtui.marketdata.formats.message import Message, bad_line
from arbtui.marketdata.formats.seals import Gap, RecordingNotes, SealBroken, SealReader, Segment, Why, is_note
from arbtui.model.errors import ArbtuiError, UsageError

FORMAT, UNSEALED_FORMAT = "arbtui-2", "arbtui-1"
_MEMBER = 256 * 1024  #: bytes of lines that make a gzip member: compressed in a few ms, and nearly as small as one large member
#: A segment is sealed once it holds so many bytes of lines, or spans so many ns.
_SEGMENT, _SEGMENT_NS = 4 * 1024 * 1024, 60 * 1_000_000_000


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
    """Reads a recording in our own format; ``header`` is its first line. What seals and receipts say goes to ``notes``."""

    def __init__(self, path: Path, header: bytes, notes: RecordingNotes | None = None) -> None:
        try:
            head = msgspec.json.decode(header, type=_Header)
        except msgspec.MsgspecError as error:
            raise UsageError(f"{path}: line 1 is not the header of a recording: {error}") from None
        if head.format not in (FORMAT, UNSEALED_FORMAT):
            raise UsageError(f"{path}: a recording in format {head.format}; this version reads {FORMAT} and {UNSEALED_FORMAT}")
        self._path = path
        self._is_sealed = head.format == FORMAT
        self._notes = RecordingNotes() if notes is None else notes
        self.exchanges = head.exchanges

    def messages(self) -> Iterator[Message]:
        """Every frame in the order of the file. Those of a segment are held back until its seal has been found to fit.

        Raises:
            UsageError: a line is no message, or a segment is not what was recorded.
        """
        if not self._is_sealed:
            yield from self._messages(None, [])
            return
        seals = SealReader(self._path, self._notes)
        held: list[Message] = []
        try:
            for _ in self._messages(seals, held):  # a segment has ended
                yield from held
                held.clear()
        except UsageError as error:
            if not isinstance(error, Damaged | SealBroken):  # cut off: what came before is whole
                yield from held
            raise
        yield from held
        seals.end()

    def _messages(self, seals: SealReader | None, held: list[Message]) -> Iterator[Message]:
        """With ``seals``: puts the messages into ``held``, and yields one (the last) at each seal."""
        decode = msgspec.json.Decoder(_Line).decode
        known = set(self.exchanges)
        lines = read_lines(self._path)
        for number, line in lines:
            if number == 1:
                if seals is not None:
                    seals.header(line)
                continue
            try:
                if seals is not None and is_note(line):
                    if seals.note(number, line) and held:
                        yield held[-1]
                    continue
                message = decode(line)
                raw = message.text.encode() if message.text is not None else b64decode(message.b64 or "", validate=True)
            except ValueError:  # msgspec's errors, base64's and those of text are all ValueErrors
                failure = bad_line(self._path, number, f"a message of format {FORMAT if self._is_sealed else UNSEALED_FORMAT}")
                if seals is not None and next(lines, None) is not None:  # not cut off there: what came before may be wrong as well
                    raise Damaged(*failure.args) from None
                raise failure from None
            if message.exchange not in known:
                raise UsageError(f"{self._path}: line {number} is of {message.exchange}, which the recording's header does not name")
            whole = Message(message.ts, number, Frame(message.exchange, raw, message.snapshot_of))
            if seals is None:
                yield whole
            else:
                seals.frame(line)
                held.append(whole)


class RecordingWriter:
    """Writes a recording in our own format; a context manager.

    Lines are collected and appended a member at a time. When the disk fills up, a partly written member is removed: the file stays
    readable.

    Args:
        path: the file to create.
        exchanges: exchanges whose frames will come.
        go_on: go on with the recording that is there, after its last whole member; a receipt tells what is missing between.

    Raises:
        UsageError: the file exists already, cannot be created, or cannot be gone on with.
    """

    def __init__(self, path: Path, exchanges: Sequence[str], *, go_on: bool = False) -> None:
        self._path = path
        self._known = set(exchanges)
        self._lines: list[bytes] = []
        self._waiting = 0
        self._closed = False
        self.size = 0  #: bytes in the file
        self.written = 0  #: frames in it
        self.gaps = 0  #: receipts written by this recorder
        self._new = 0
        self._failed = False
        self._segment = Segment()
        self._segment_size = 0
        self._segment_from = 0  # time of its first frame of this recorder
        self._left_ns = 0  # time of the last frame of the recording that is gone on with; 0: there is none, or its receipt is written
        found = continuation(path, FORMAT) if go_on and path.exists() else None
        if found is not None and found.exchanges != list(exchanges):
            raise UsageError(f"{path}: holds {', '.join(found.exchanges)}, the profile has {', '.join(exchanges)}; name another file")
        try:
            self._file = os.open(path, os.O_WRONLY | (os.O_CREAT | os.O_EXCL if found is None else 0), 0o600)
        except FileExistsError:
            raise UsageError(
                f"{path} exists already, and a recording is never overwritten; name another file, or go on with it (--append)"
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror or error}); name a file in a folder that is there") from None
        try:
            if found is None:
                self._put({"t": "header", "format": FORMAT, "exchanges": list(exchanges)})
                self.flush()
            else:
                os.ftruncate(self._file, found.size)
                os.lseek(self._file, 0, os.SEEK_END)
                self.size, self.written, self._segment, self._left_ns = found.size, found.frames, found.segment, found.last_ns
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
        if self._left_ns:
            self._tell_restart(ts_ns)
        self._segment_from = self._segment_from or ts_ns
        line = _Line(ts_ns, frame.exchange, snapshot_of=frame.snapshot_of)
        try:
            line.text = frame.raw.decode()
        except UnicodeDecodeError:
            line.b64 = b64encode(frame.raw).decode()
        self._put(line, frame=True)
        self._new += 1
        if self._segment_size >= _SEGMENT or ts_ns - self._segment_from >= _SEGMENT_NS:
            self._seal()
        if self._waiting >= _MEMBER:
            self.flush()

    def gap(self, gap: Gap) -> None:
        """Append a receipt for what was not recorded; raises RecordingFailed as :meth:`write`."""
        self._put(gap)
        self.gaps += 1
        if self._waiting >= _MEMBER:
            self.flush()

    def _tell_restart(self, ts_ns: int) -> None:
        left, self._left_ns = self._left_ns, 0
        for exchange in sorted(self._known):
            self.gap(Gap(exchange, left, ts_ns, Why.RESTART))

    def _seal(self) -> None:
        encoded = msgspec.json.encode(self._segment.seal()) + b"\n"
        self._lines.append(encoded)
        self._waiting += len(encoded)
        self._segment_size = self._segment_from = 0

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
            lost, self._new, self._failed = self._new, 0, True
            kept = f"the file holds its first {self.written} frames, the {lost} after them are lost"
            raise RecordingFailed(f"{self._path}: {error.strerror or error}; {kept}") from None
        self.size += len(member)
        self.written += self._new
        self._new = 0

    def close(self) -> None:
        """Seal and complete the file; raises RecordingFailed as :meth:`write`."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self._failed:  # else the file ends where the disk did: nothing after that can be sealed
                self._seal()
            self.flush()
        finally:
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, line: object, *, frame: bool = False) -> None:
        encoded = msgspec.json.encode(line)
        self._segment.add(encoded, frame=frame)
        self._segment_size += len(encoded) + 1
        encoded += b"\n"
        self._lines.append(encoded)
        self._waiting += len(encoded)
