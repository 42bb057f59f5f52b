"""Opens a file whatever it is compressed with, told by its first bytes and never by its name.

gzip, bzip2 and xz by the standard library; zstd, which cryptofeed's captures are packed with today, by ``zstandard``, loaded
only when such a file comes (Python has a module of its own for it from 3.14 on).
"""

import bz2
import gzip
import lzma
import zlib
from io import BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: What a damaged file raises while it is read; an early end raises EOFError. zstd's own error comes as a ZstdDamaged.
DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, OSError)
_ZSTD, _SKIPPABLE = b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
_CHUNK = 64 * 1024


def unpacked(raw: BufferedReader) -> tuple[BufferedReader, str]:
    """A reader of what ``raw`` holds, and the name of its compression (empty: none)."""
    start = raw.peek(6)[:6]
    if start.startswith(b"\x1f\x8b"):
        return _buffered(gzip.GzipFile(fileobj=raw)), "gzip"
    if start.startswith(b"BZh"):
        return _buffered(bz2.BZ2File(raw)), "bzip2"
    if start.startswith(b"\xfd7zXZ\x00"):
        return _buffered(lzma.LZMAFile(raw)), "xz"
    if start.startswith(_ZSTD) or (start[1:4] == _SKIPPABLE and 0x50 <= start[0] <= 0x5F):  # pzstd begins with a frame to be skipped
        return BufferedReader(_ZstdFile(raw), _CHUNK), "zstd"
    return raw, ""


def _buffered(file: IO[bytes] | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile) -> BufferedReader:
    return BufferedReader(cast(RawIOBase, file))  # a buffered reader in all but its type; wrapped again, it reads lines in C


class _ZstdFile(RawIOBase):
    """Unpacks zstd frames, one after the other. The library's own reader takes an early end for the end; this one raises EOFError."""

    def __init__(self, raw: BufferedReader) -> None:
        import zstandard

        self._raw = raw
        self._error = zstandard.ZstdError
        self._new = zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj
        self._frame = self._new()
        self._begun = False  # the frame holds something
        self._packed = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """The next bytes; raises EOFError where the data ends within a frame, and OSError where it is damaged."""
        while not self._plain:
            if not self._packed:
                self._packed = self._raw.read(_CHUNK)
                if not self._packed:
                    if self._begun:
                        raise EOFError("the data ends within a frame")
                    return 0
            try:
                self._begun = True
                self._plain = memoryview(self._frame.decompress(self._packed))
            except self._error as error:
                raise OSError(str(error)) from None
            self._packed = b""
            if self._frame.eof:
                self._packed = self._frame.unused_data
                self._frame, self._begun = self._new(), False
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._plain))
        target[:count] = self._plain[:count]
        self._plain = self._plain[count:]
        return count
