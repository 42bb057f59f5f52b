"""Opens recordings of any known format and merges them into one stream in order of receive time."""

from collections.abc import Collection, Iterator, Sequence
from heapq import heappop, heappush, merge
from itertools import islice
from operator import itemgetter
from pathlib import Path

import msgspec

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.streams import require_decoders
from arbtui.marketdata.formats.cryptofeed import CryptofeedJson, CryptofeedText
from arbtui.marketdata.formats.foreign import foreign
from arbtui.marketdata.formats.hftbacktest import HftbacktestRecording
from arbtui.marketdata.formats.lines import read_lines
from arbtui.marketdata.formats.message import Message, RecordingFormat
from arbtui.marketdata.formats.own import OwnRecording
from arbtui.marketdata.formats.seals import RecordingNotes
from arbtui.model.errors import UsageError

#: Messages that may wait to be put in order. Captures write one connection after the other, or lag by a thread's turn;
#: hftbacktest's are always in order. Memory holds at most this many messages a file.
REORDER_WINDOW = 4096


def open_recording(path: Path, notes: RecordingNotes | None = None) -> RecordingFormat:
    """Open one recording in the format that its first line shows; what its seals and receipts say goes to ``notes``.

    Raises:
        UsageError: unreadable, of no known format, or of a venue without a decoder.
    """
    first = next((line for _, line in islice(read_lines(path), 1)), None)
    if first is None:
        raise UsageError(f"{path}: is empty, not a recording")
    recording: RecordingFormat
    if first.startswith(b"{") and (form := _format_field(first)) is not None:
        recording = OwnRecording(path, first, notes) if isinstance(form, str) else CryptofeedJson(path, first)
    elif HftbacktestRecording.begins_with(first):
        recording = HftbacktestRecording(path)
    elif CryptofeedText.begins_with(first):
        recording = CryptofeedText(path)
    else:
        raise UsageError(f"{path}: {foreign(first)}")
    require_decoders(recording.exchanges, f"{path}: a recording of an unknown venue")
    return recording


def open_recordings(
    paths: Sequence[Path], exchanges: Collection[str] | None = None, notes: RecordingNotes | None = None
) -> Iterator[tuple[int, Frame]]:
    """Open all files at once, then yield (receive time in ns, frame) over all of them in order of receive time.

    Equal times are ordered by file as named, then by line. A truncated or damaged file is replayed as far as
    it is intact; then the error is raised.

    Args:
        paths: the files.
        exchanges: the profile's exchanges; None takes any.
        notes: what the recordings' own seals and receipts say, once they were read.

    Raises:
        UsageError: at once, when a file cannot be opened or holds an exchange that is not in ``exchanges``; while iterating, when a
            file is truncated, damaged, or out of order by more than :data:`REORDER_WINDOW` messages.
    """
    recordings = [(path, open_recording(path, notes)) for path in paths]
    for path, recording in recordings:
        for exchange in recording.exchanges:
            if exchanges is not None and exchange not in exchanges:
                raise UsageError(f"{path}: holds {exchange}, and the profile has no [exchanges.{exchange}]")
    return _merged(recordings)


def _merged(recordings: Sequence[tuple[Path, RecordingFormat]]) -> Iterator[tuple[int, Frame]]:
    for message in merge(*(in_order(path, recording.messages()) for path, recording in recordings), key=itemgetter(0)):
        yield message.ts_ns, message.frame


def in_order(path: Path, messages: Iterator[Message]) -> Iterator[Message]:
    """Sort by receive time through a window of :data:`REORDER_WINDOW` messages.

    Raises:
        UsageError: a message came too late for the window, or ``messages`` raised it; in both cases after everything waiting was yielded.
    """
    window: list[Message] = []
    failure: UsageError | None = None
    newest = 0
    try:
        for message in messages:
            if message.ts_ns < newest:
                late = (newest - message.ts_ns) / 1e9
                failure = UsageError(
                    f"{path}: out of order: line {message.line} was received {late:.3f} s before a message more than {REORDER_WINDOW}"
                    " messages up; sort the file by receive time"
                )
                break
            heappush(window, message)
            if len(window) > REORDER_WINDOW:
                oldest = heappop(window)
                newest = oldest.ts_ns
                yield oldest
    except UsageError as error:
        failure = error
    while window:
        yield heappop(window)
    if failure is not None:
        raise failure


def _format_field(line: bytes) -> object | None:
    try:
        header = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(header, dict) and header.get("t") == "header":
        return header.get("format")
    return None
