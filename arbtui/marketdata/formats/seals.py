"""Segments of a recording and their seals, and receipts for what was not recorded. Lines of format ``arbtui-2`` beside the frames.

A seal ends a segment: its number, how many frames it holds, and the SHA-256 over the seal before it (empty for the first) and
every line of the segment, each with its line feed, as they stand unpacked. What follows the last seal is not sealed: the
recording was cut off there. A gap says of an exchange what is missing, from when to when, and why.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from arbtui.model.counted import counted
from arbtui.model.errors import UsageError


class Why(StrEnum):
    """Why something was not recorded."""

    RECONNECT = "reconnect"  #: a connection was lost
    OVERLOAD = "overload"  #: whole books and best prices were replaced by newer ones before their turn came
    RESTART = "restart"  #: the recorder had ended and was started again


class Gap(Struct, frozen=True, tag_field="t", tag="gap", omit_defaults=True, rename={"exchange": "ex", "from_ns": "from", "to_ns": "to"}):
    """What was not recorded of an exchange. Times in ns since the epoch, the recorder's clock."""

    exchange: str
    from_ns: int
    to_ns: int
    why: Why
    codes: tuple[str, ...] = ()  #: the markets; empty: any
    frames: int = 0  #: how many are missing, where that is known

    def in_words(self) -> str:
        """For a person."""
        seconds = max(0.0, (self.to_ns - self.from_ns) / 1e9)
        what = counted(self.frames, "frame") if self.frames else counted(len(self.codes), "market") if self.codes else "everything"
        return f"{self.exchange}: {what} in {seconds:.1f} s ({self.why})"


class Seal(Struct, frozen=True, tag_field="t", tag="seal"):
    """The end of a segment."""

    segment: int
    frames: int
    sha256: str


Note = Gap | Seal
_DECODER = msgspec.json.Decoder(Note)
_BEGINS = (b'{"t":"gap"', b'{"t":"seal"')


def is_note(line: bytes) -> bool:
    """Whether a line is none of a frame's."""
    return line.startswith(_BEGINS)


def read_note(line: bytes) -> Note:
    """A gap or a seal; raises ValueError where it is neither."""
    note: Note = _DECODER.decode(line)
    return note


class SealBroken(UsageError):
    """A segment is not what was recorded."""


class Segment:
    """The segment that is written, or read: its digest and its frames so far."""

    def __init__(self) -> None:
        self.number = 1
        self.frames = 0
        self._digest = hashlib.sha256()

    def add(self, line: bytes, *, frame: bool) -> None:
        """One more line, without its line feed."""
        self._digest.update(line)
        self._digest.update(b"\n")
        self.frames += frame

    def seal(self) -> Seal:
        """What ends it; the next one begins."""
        seal = Seal(self.number, self.frames, self._digest.hexdigest())
        self.number, self.frames, self._digest = self.number + 1, 0, hashlib.sha256(seal.sha256.encode())
        return seal


@dataclass
class RecordingNotes:
    """What the seals and receipts of recordings said, once they were read."""

    segments: int = 0  #: sealed, and what was sealed
    sealed: int = 0  #: frames in them
    unsealed: dict[str, int] = field(default_factory=dict)  #: by file: frames after its last seal
    gaps: list[Gap] = field(default_factory=list)

    def in_words(self) -> list[str]:
        """One line each, for whoever replays; empty where nothing is missing."""
        lines = [
            f"{path}: its last {counted(frames, 'frame')} are not sealed: the recording was cut off there"
            for path, frames in self.unsealed.items()
        ]
        return [*lines, *(f"not recorded of {gap.in_words()}" for gap in self.gaps)]

    def facts(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {
            "segments": self.segments,
            "sealed_frames": self.sealed,
            "unsealed_frames": sum(self.unsealed.values()),
            "gaps": [
                {
                    "exchange": gap.exchange,
                    "from_ns": gap.from_ns,
                    "to_ns": gap.to_ns,
                    "why": gap.why.value,
                    "markets": list(gap.codes),
                    "frames": gap.frames,
                }
                for gap in self.gaps
            ],
        }


class SealReader:
    """Follows the lines of one recording and compares each segment with its seal."""

    def __init__(self, path: Path, notes: RecordingNotes) -> None:
        self._path = path
        self._notes = notes
        self._segment = Segment()
        self._from = 1

    def frame(self, line: bytes) -> None:
        """A line of a frame, or the header."""
        self._segment.add(line, frame=True)

    def header(self, line: bytes) -> None:
        """The first line."""
        self._segment.add(line, frame=False)

    def note(self, number: int, line: bytes) -> bool:
        """A gap or a seal; True where it is a seal, and fits.

        Raises:
            SealBroken: the segment is not what was recorded.
            ValueError: the line is no note.
        """
        note = read_note(line)
        if isinstance(note, Gap):
            self._segment.add(line, frame=False)
            self._notes.gaps.append(note)
            return False
        expected = self._segment.seal()
        if note != expected:
            raise SealBroken(
                f"{self._path}: lines {self._from} to {number} (segment {expected.segment}) are not what was recorded: their seal does not "
                "fit; use another copy of the recording"
            )
        self._from = number + 1
        self._notes.segments += 1
        self._notes.sealed += note.frames
        return True

    def end(self) -> None:
        """The file is at its end."""
        if self._segment.frames:
            self._notes.unsealed[str(self._path)] = self._segment.frames
