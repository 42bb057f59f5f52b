"""cryptofeed's two capture formats: "format 2" (JSON lines) and the older text lines (bmoscon/cryptofeed, ``sample_data/``).

Format 2: ``{"t":"header"|"http"|"connect"|"send"|"recv","conn":..,"ts":<seconds>,"data":<payload> or "b64":<binary payload>}``.
Text: ``<url> <-> <ts>`` connects, ``<url> <- <ts>: <sent>``, ``<ts>: <received>``, and REST ``<url> -> <ts>: <body>``. Of REST
answers only depth snapshots are market data; lines of one connection follow each other, connections do not: sort by time.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.formats.lines import read_lines
from arbtui.marketdata.formats.message import CRYPTOFEED_NAMES, Message, bad_line, depth_market
from arbtui.model.errors import UsageError

_HOSTS = {"api.upbit.com": "upbit", "stream.binance.com": "binance", "api.binance.com": "binance",
          "fstream.binance.com": "binanceusdm", "fapi.binance.com": "binanceusdm"}  # fmt: skip
_URL_LINE = re.compile(rb"((?:wss?|https?)://\S+) (<->|<-|->) (\d+\.?\d*)(?:: ?(.*))?$", re.DOTALL)
_RECEIVED = re.compile(rb"(\d{9,}\.?\d*): ?(.*)$", re.DOTALL)
_FILE_NAME = re.compile(r"(?:\d{4}-\d{2}-\d{2}\.)?([A-Z][A-Z0-9_]*)\.")


class _Line(Struct):
    t: str
    ts: float = 0.0
    data: str | None = None
    b64: str | None = None
    url: str = ""


class _Header(Struct):
    exchange: str


class CryptofeedJson:
    """Reads "format 2"; ``header`` is the first line."""

    def __init__(self, path: Path, header: bytes) -> None:
        try:
            name = msgspec.json.decode(header, type=_Header).exchange
        except msgspec.MsgspecError as error:
            raise UsageError(f"{path}: line 1 is not the header of a cryptofeed capture: {error}") from None
        self._path = path
        self._exchange = CRYPTOFEED_NAMES.get(name, name)
        self.exchanges = [self._exchange]

    def messages(self) -> Iterator[Message]:
        """Every frame received and every REST depth answer, in the order of the file."""
        decode = msgspec.json.Decoder(_Line).decode
        for number, line in read_lines(self._path):
            try:
                message = decode(line)
                raw = message.data.encode() if message.data is not None else b64decode(message.b64 or "", validate=True)
                ts_ns = _ns(message.ts)
            except (ValueError, OverflowError):  # msgspec's errors, base64's and those of text are all ValueErrors
                raise bad_line(self._path, number, "a line of a cryptofeed capture") from None
            if message.t == "recv":
                yield Message(ts_ns, number, Frame(self._exchange, raw))
            elif message.t == "http" and (code := depth_market(message.url)):
                yield Message(ts_ns, number, Frame(self._exchange, raw, code))


class CryptofeedText:
    """Reads the text format. The venue follows from the host of the first line's URL, else from the file's name."""

    def __init__(self, path: Path, first: bytes) -> None:
        self._path = path
        found = _URL_LINE.match(first)
        host = found.group(1).split(b"/")[2].split(b":")[0].decode("latin-1") if found else ""
        name = _FILE_NAME.match(path.name)
        venue = _HOSTS.get(host) or (CRYPTOFEED_NAMES.get(name.group(1), name.group(1)) if name else host)
        if not venue:
            raise UsageError(f"{path}: a cryptofeed text capture of an unknown venue: neither a URL in line 1 nor the file's name has it")
        self._exchange = venue
        self.exchanges = [venue]

    @staticmethod
    def begins_with(line: bytes) -> bool:
        """True when ``line`` can be the first of such a capture."""
        return bool(_URL_LINE.match(line) or _RECEIVED.match(line) or line.startswith(b"configuration: "))

    def messages(self) -> Iterator[Message]:
        """Every frame received and every REST depth answer, in the order of the file."""
        for number, line in read_lines(self._path):
            if received := _RECEIVED.match(line):
                yield Message(_ns(float(received.group(1))), number, Frame(self._exchange, received.group(2)))
            elif other := _URL_LINE.match(line):
                if other.group(2) == b"->" and (code := depth_market(other.group(1).decode("latin-1"))):
                    yield Message(_ns(float(other.group(3))), number, Frame(self._exchange, other.group(4) or b"", code))
            elif not line.startswith(b"configuration: "):
                raise bad_line(self._path, number, "a line of a cryptofeed text capture")


def _ns(seconds: float) -> int:
    return round(seconds * 1e6) * 1000  # a float of seconds holds microseconds, no more
