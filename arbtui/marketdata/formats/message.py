"""One recorded message, and what the formats share."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from arbtui.exchanges.feed import Frame
from arbtui.model.errors import UsageError

#: How cryptofeed names the exchanges that there is a decoder for; others keep their own name.
CRYPTOFEED_NAMES = {"UPBIT": "upbit", "BINANCE": "binance", "BINANCE_FUTURES": "binanceusdm"}

_DEPTH_URL = re.compile(r"/(?:api/v3|fapi/v1)/depth\?(?:\S*&)?symbol=([A-Z0-9_]+)")


class Message(NamedTuple):
    """A frame, when it was received (ns since the epoch, the recorder's clock) and its line in the file."""

    ts_ns: int
    line: int
    frame: Frame


class RecordingFormat(Protocol):
    """A recording opened in one format."""

    exchanges: list[str]  #: exchanges whose frames it holds, by the names of :data:`arbtui.exchanges.streams.PUBLIC_STREAMS` where known

    def messages(self) -> Iterator[Message]:
        """Every frame, in the order of the file; raises UsageError where the file cannot be read further."""
        ...


def depth_market(url: str) -> str:
    """The market code of a Binance REST depth request, or an empty string for any other request."""
    found = _DEPTH_URL.search(url)
    return found.group(1) if found else ""


def bad_line(path: Path, line: int, expected: str) -> UsageError:
    """The error for a line that is not part of a recording."""
    return UsageError(f"{path}: line {line} is not {expected}; the recording is damaged or was cut there")
