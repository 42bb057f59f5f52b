"""cryptofeed's two capture formats: "format 2" (JSON lines) and the older text lines (bmoscon/cryptofeed, ``sample_data/``).

Format 2: ``{"t":"header"|"http"|"connect"|"send"|"recv","conn":..,"ts":<seconds>,"data":<payload> or "b64":<binary payload>}``.
Text: ``<url> <-> <ts>`` connects, ``<url> <- <ts>: <sent>``, ``<ts>: <received>``, and REST ``<url> -> <ts>: <body>``; older ones begin
with the recorder's ``configuration: {...}``, and hold binary frames as Python writes them, ``b'...'``. Of REST
answers only depth snapshots are market data; lines of one connection follow each other, connections do not: sort by time.
"""

import ast
import re
from base64 import b64decode
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.venues import VENUES
from arbtui.marketdata.formats.lines import read_lines
from arbtui.marketdata.formats.message import Message, bad_line, snapshot_market
from arbtui.model.errors import UsageError

#: How cryptofeed names the exchanges that there is a decoder for; others keep their own name.
_NAMES = {venue.captures.cryptofeed: name for name, venue in VENUES.items() if venue.captures.cryptofeed}
_HOSTS = {
    host: name
    for name, venue in VENUES.items()
    for host in (*(urlsplit(url).hostname or "" for url in venue.urls.all), *venue.captures.hosts)
}
_URL_LINE = re.compile(rb"((?:wss?|https?)://\S+) (<->|<-|->) (\d+\.?\d*)(?:: ?(.*))?$", re.DOTALL)
_RECEIVED = re.compile(rb"(\d{9,}\.?\d*): ?(.*)$", re.DOTALL)
_FILE_NAME = re.compile(r"(?:\d{4}-\d{2}-\d{2}\.)?([A-Z][A-Z0-9_]*)(?:-[0-9a-f]+)?\.")
_CONFIGURATION = b"configuration: "
#: Lines in which a text capture must name the host that it listened to; after them its file's name tells the venue.
_HOST_WITHIN = 1000


class _Line(Struct):
    t: str
    ts: float = 0.0
    data: str | None = None
    b64: str | None = None
    url: str = ""
    conn: str = ""
    addr: str = ""


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
        self._exchange = _NAMES.get(name, name)
        self._own_path = VENUES[self._exchange].captures.path if self._exchange in VENUES else ""
        self.exchanges = [self._exchange]

    def messages(self) -> Iterator[Message]:
        """Every frame received and every REST depth answer, in the order of the file; none of another market of the venue's operator."""
        decode = msgspec.json.Decoder(_Line).decode
        foreign: set[str] = set()  # connections
        for number, line in read_lines(self._path):
            try:
                message = decode(line)
                raw = _bare(message.data.encode()) if message.data is not None else b64decode(message.b64 or "", validate=True)
                ts_ns = _ns(message.ts)
            except (ValueError, OverflowError):  # msgspec's errors, base64's and those of text are all ValueErrors
                raise bad_line(self._path, number, "a line of a cryptofeed capture") from None
            if message.t == "connect" and self._own_path and urlsplit(message.addr).path != self._own_path:
                foreign.add(message.conn)
            elif message.t == "recv" and message.conn not in foreign:
                yield Message(ts_ns, number, Frame(self._exchange, raw))
            elif message.t == "http" and (code := snapshot_market(self._exchange, message.url)):
                yield Message(ts_ns, number, Frame(self._exchange, raw, code))


class CryptofeedText:
    """Reads the text format. The venue is told by the host of the first URL, else by the file's name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._exchange = self._venue()
        self.exchanges = [self._exchange]

    def _venue(self) -> str:
        host = ""
        for _, line in islice(read_lines(self._path), _HOST_WITHIN):
            found = _URL_LINE.match(line)
            if found is not None:
                host = found.group(1).split(b"/")[2].split(b":")[0].decode("latin-1")
                break
        name = _FILE_NAME.match(self._path.name)
        venue = _HOSTS.get(host) or (_NAMES.get(name.group(1), name.group(1)) if name else host)
        if not venue:
            raise UsageError(
                f"{self._path}: a cryptofeed text capture that does not tell its venue, neither by a URL in its first {_HOST_WITHIN} lines "
                "nor by its name; name it as cryptofeed does, UPBIT.0 or 2021-04-05.BINANCE.0"
            )
        return venue

    @staticmethod
    def begins_with(line: bytes) -> bool:
        """True when ``line`` can be the first of such a capture."""
        return bool(_URL_LINE.match(line) or _RECEIVED.match(line) or line.startswith(_CONFIGURATION))

    def messages(self) -> Iterator[Message]:
        """Every frame received and every REST depth answer, in the order of the file."""
        for number, line in read_lines(self._path):
            if received := _RECEIVED.match(line):
                try:
                    raw = _bare(received.group(2))
                except ValueError:
                    raise bad_line(self._path, number, "a line of a cryptofeed text capture") from None
                yield Message(_ns(float(received.group(1))), number, Frame(self._exchange, raw))
            elif other := _URL_LINE.match(line):
                if other.group(2) == b"->" and (code := snapshot_market(self._exchange, other.group(1).decode("latin-1"))):
                    yield Message(_ns(float(other.group(3))), number, Frame(self._exchange, other.group(4) or b"", code))
            elif not line.startswith(_CONFIGURATION):
                raise bad_line(self._path, number, "a line of a cryptofeed text capture")


def _bare(text: bytes) -> bytes:
    """A payload without the quotes that Python puts around bytes; as it is where it has none.

    Raises:
        ValueError: it begins as such a literal, and is none.
    """
    if not text.startswith((b"b'", b'b"')):
        return text
    try:
        raw = ast.literal_eval(text.decode("ascii"))
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(raw, bytes):
        raise ValueError("not bytes")
    return raw


def _ns(seconds: float) -> int:
    return round(seconds * 1e6) * 1000  # a float of seconds holds microseconds, no more
