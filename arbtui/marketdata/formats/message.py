"""One recorded message, and what the formats share."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import UsageError

_SNAPSHOT_URLS = {name: re.compile(venue.captures.snapshot) for name, venue in VENUES.items() if venue.captures.snapshot}


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


def snapshot_market(exchange: str, url: str) -> str:
    """The market code of a REST query of ``exchange`` whose answer starts a book; an empty string for any other request."""
    pattern = _SNAPSHOT_URLS.get(exchange)
    found = None if pattern is None else pattern.search(url)
    return found.group(1) if found else ""


def bad_line(path: Path, line: int, expected: str) -> UsageError:
    """The error for a line that is not part of a recording."""
    return UsageError(f"{path}: line {line} is not {expected}; the recording is damaged or was cut there")
