"""Reads a PNG of true colour back, by the standard, so that what was written can be looked at."""

import struct
import zlib


class Pixels:
    """The pixels of a PNG whose rows are unfiltered."""

    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        chunks: dict[bytes, bytes] = {}
        at = 8
        while at < len(data):
            (length,) = struct.unpack(">I", data[at : at + 4])
            kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
            (check,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
            assert check == zlib.crc32(kind + body)
            chunks[kind] = body
            at += 12 + length
        assert kind == b"IEND"
        self.width, self.height, *kinds = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
        assert kinds == [8, 2, 0, 0, 0]
        self._rows = zlib.decompress(chunks[b"IDAT"])
        assert len(self._rows) == self.height * (1 + self.width * 3)

    def at(self, x: int, y: int) -> str:
        """The colour of one pixel as ``#rrggbb``."""
        begin = y * (1 + self.width * 3) + 1 + x * 3
        return "#" + self._rows[begin : begin + 3].hex()
