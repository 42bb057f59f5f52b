"""Where a recording that was cut off can be gone on with: after its last whole member."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from arbtui.marketdata.formats.seals import Segment, is_note, read_note
from arbtui.model.errors import UsageError

_CHUNK = 1 << 20


class _Head(Struct):
    format: str
    exchanges: list[str]


class _Frame(Struct):
    ts: int


@dataclass
class Continuation:
    """What the whole part of a recording holds. Sizes in bytes, times in ns since the epoch."""

    size: int = 0  #: of the whole part: what follows it was being written when the recorder ended
    exchanges: list[str] = field(default_factory=list)
    last_ns: int = 0  #: of its last frame
    frames: int = 0
    segment: Segment = field(default_factory=Segment)  #: the one that is not sealed yet


def continuation(path: Path, form: str) -> Continuation:
    """Read the recording at ``path``, of format ``form``, as far as it is whole.

    Raises:
        UsageError: it cannot be read, is no recording of that format, or not what was recorded.
    """
    found = Continuation()
    try:
        with path.open("rb") as file:
            member, plain, at = zlib.decompressobj(31), bytearray(), 0
            rest = b""
            while data := rest or file.read(_CHUNK):
                rest = b""
                try:
                    plain += member.decompress(data)
                except zlib.error:  # what the machine left behind it when it went down
                    break
                at += len(data) - len(member.unused_data)
                if member.eof:
                    _take(path, form, bytes(plain), found)
                    found.size = at
                    rest, member, plain = member.unused_data, zlib.decompressobj(31), bytearray()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if not found.exchanges:
        raise UsageError(f"{path}: no recording of arbtui's that could be gone on with; name another file")
    return found


def _take(path: Path, form: str, plain: bytes, found: Continuation) -> None:
    for line in plain.splitlines():
        try:
            if not found.exchanges:
                head = msgspec.json.decode(line, type=_Head)
                if head.format != form:
                    raise UsageError(
                        f"{path}: a recording in format {head.format}, which has no seals, is not gone on with; name another file"
                    )
                found.exchanges = head.exchanges
                found.segment.add(line, frame=False)
            elif line.startswith(b'{"t":"seal"'):
                if read_note(line) != found.segment.seal():
                    raise UsageError(f"{path}: is not what was recorded: a seal does not fit; name another file")
            else:
                is_frame = not is_note(line)
                if is_frame:
                    found.last_ns = msgspec.json.decode(line, type=_Frame).ts
                    found.frames += 1
                found.segment.add(line, frame=is_frame)
        except ValueError:
            raise UsageError(f"{path}: no recording of arbtui's that could be gone on with; name another file") from None
