"""A drawing as PNG, rasterised here: lines and dots by their distance to each pixel, text from a bitmap font."""

import struct
import zlib
from collections.abc import Sequence
from math import ceil, floor, hypot

from arbtui.runtime.load_test.plot.drawing import Box, Dot, Drawing, Line, Text
from arbtui.runtime.load_test.plot.font import ADVANCE, HEIGHT, dots

SCALE = 2  #: pixels a unit of the drawing
_DASH = 4.0  #: units of a dash, and of the gap after it


def png(drawing: Drawing) -> bytes:
    """The whole file, in true colour."""
    canvas = Canvas(drawing.width * SCALE, drawing.height * SCALE, drawing.background)
    for shape in drawing.shapes:
        if isinstance(shape, Line):
            for start, end in _strokes(shape):
                canvas.stroke(_scaled(start), _scaled(end), shape.width * SCALE / 2, shape.color)
        elif isinstance(shape, Dot):
            center = _scaled((shape.x, shape.y))
            canvas.stroke(center, center, shape.radius * SCALE, shape.color)
        elif isinstance(shape, Box):
            left, top = _scaled((shape.x, shape.y))
            canvas.fill(round(left), round(top), round(shape.width * SCALE), round(shape.height * SCALE), shape.color)
        else:
            _write(canvas, shape)
    return canvas.encoded()


class Canvas:
    """Pixels, three bytes each, row by row."""

    def __init__(self, width: int, height: int, background: str) -> None:
        self.width, self.height = width, height
        self._pixels = bytearray(_rgb(background) * (width * height))

    def fill(self, left: int, top: int, width: int, height: int, color: str) -> None:
        """Paint a rectangle; parts outside the image are clipped."""
        first, last = max(0, left), min(self.width, left + width)
        if first >= last:
            return
        row = _rgb(color) * (last - first)
        for y in range(max(0, top), min(self.height, top + height)):
            at = (y * self.width + first) * 3
            self._pixels[at : at + len(row)] = row

    def stroke(self, start: tuple[float, float], end: tuple[float, float], radius: float, color: str) -> None:
        """Paint every pixel within ``radius`` of the segment; its edge is smoothed over one pixel."""
        rgb = _rgb(color)
        (x0, y0), (x1, y1) = start, end
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        reach = radius + 1
        for y in range(max(0, floor(min(y0, y1) - reach)), min(self.height, ceil(max(y0, y1) + reach))):
            left, right = min(x0, x1) - reach, max(x0, x1) + reach
            if abs(dy) > 1e-9 and abs(dx) > 1e-9:  # only the stretch near the segment in this row
                across = reach * hypot(dx, dy) / abs(dy)
                middle = x0 + (y + 0.5 - y0) / dy * dx
                left, right = max(left, middle - across), min(right, middle + across)
            for x in range(max(0, floor(left)), min(self.width, ceil(right))):
                px, py = x + 0.5 - x0, y + 0.5 - y0
                along = max(0.0, min(1.0, (px * dx + py * dy) / length)) if length else 0.0
                self._blend(x, y, rgb, radius + 0.5 - hypot(px - along * dx, py - along * dy))

    def encoded(self) -> bytes:
        """PNG (W3C recommendation, 2nd edition): signature, header, one data chunk with unfiltered rows, end."""
        stride = self.width * 3
        rows = b"".join(b"\0" + self._pixels[y * stride : (y + 1) * stride] for y in range(self.height))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")

    def _blend(self, x: int, y: int, rgb: bytes, cover: float) -> None:
        if cover <= 0.0:
            return
        at = (y * self.width + x) * 3
        if cover >= 1.0:
            self._pixels[at : at + 3] = rgb
            return
        for part in range(3):
            below = self._pixels[at + part]
            self._pixels[at + part] = round(below + (rgb[part] - below) * cover)


def _write(canvas: Canvas, text: Text) -> None:
    dot = max(1, round(text.size * SCALE / 10))
    width = (len(text.text) * ADVANCE - 1) * dot
    left = text.x * SCALE - {"start": 0.0, "middle": width / 2, "end": float(width)}[text.anchor]
    top = text.y * SCALE - HEIGHT * dot
    for place, character in enumerate(text.text):
        for column, row in dots(character):
            canvas.fill(round(left) + (place * ADVANCE + column) * dot, round(top) + row * dot, dot, dot, text.color)


def _strokes(line: Line) -> Sequence[tuple[tuple[float, float], tuple[float, float]]]:
    whole = list(zip(line.points, line.points[1:], strict=False))
    if not line.dashed:
        return whole
    parts: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for (x0, y0), (x1, y1) in whole:
        length = hypot(x1 - x0, y1 - y0)
        for number in range(ceil(length / (2 * _DASH))):
            begin, end = 2 * number * _DASH / length, min(1.0, (2 * number + 1) * _DASH / length)
            parts.append(((x0 + (x1 - x0) * begin, y0 + (y1 - y0) * begin), (x0 + (x1 - x0) * end, y0 + (y1 - y0) * end)))
    return parts


def _scaled(point: tuple[float, float]) -> tuple[float, float]:
    return point[0] * SCALE, point[1] * SCALE


def _rgb(color: str) -> bytes:
    return bytes.fromhex(color.removeprefix("#"))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
