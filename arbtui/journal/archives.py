"""Archives: old events of a journal in compressed files beside it, each sealed by its hash, which an event of the journal tells.

A file is gzip; its lines are JSON. The first is an object: ``salt`` of the journal, ``first`` and ``last`` event, the chain's hash
``before`` the first. Then an array an event: seq, ts_ms, run_id, type, version, payload. The rows' hashes follow from these; the last one's
stands in the event that tells of the archive (:class:`~arbtui.journal.events.EventsArchived`), beside the SHA-256 of the whole file.
"""

import gzip
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from arbtui.journal.backup_files import FOLDER as BACKUPS
from arbtui.journal.chain import Chain, archives, file_of
from arbtui.journal.events import EventsArchived
from arbtui.model.durable_folder import make_folders, sync_folder
from arbtui.model.errors import UsageError

FOLDER = "archives"  #: beside the journal

_LEVEL = 6  # of zlib: 6 us an event and a ninth of its bytes; higher levels cost four times as much for a twentieth less
_Row = tuple[int, int, str, str, int, str]
_rows = msgspec.json.Decoder(_Row)


class ArchiveRefused(UsageError):
    """An archive is missing or damaged. The journal's own file may be whole: an engine goes on without, where a snapshot is its start."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; an engine that starts from a snapshot trades without it")
        self.what = what  #: which archive, what is wrong with it, and how it is put back


class ArchiveWriter:
    """Writes one archive, a few rows at a time: under another name until it is whole and on disk.

    Args:
        journal: the journal's file; ``chain``: where its archives end so far; ``last``: the event that this one ends with.

    Raises:
        OSError: it cannot be written; nothing stays of it.
    """

    def __init__(self, journal: Path, salt: str, chain: Chain, last: int) -> None:
        self._folder = journal.parent / FOLDER
        make_folders(self._folder)
        self._chain, self._first, self._last, self._before = chain, chain.seq + 1, last, chain.last
        self._from_ms, self._to_ms = 2**62, 0
        self._new = self._folder / f".events-{self._first}.new"
        with suppress(FileNotFoundError):
            self._new.unlink()  # of a process that ended in the middle
        descriptor = os.open(self._new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        self._raw = os.fdopen(descriptor, "wb")
        self._written = sha256()
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)  # 31: gzip's own frame
        head = {"salt": salt, "first": self._first, "last": last, "before": self._before.hex()}
        self._write(self._packer.compress(msgspec.json.encode(head) + b"\n"))

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows as the table has them: seq, ts_ms, run_id, type, version, payload, hash.

        Raises:
            UsageError: one is not the next one, or not what was written.
            OSError: as the class.
        """
        text = b""
        for row in rows:
            self._chain.follow(*row)
            self._from_ms, self._to_ms = min(self._from_ms, row[1]), max(self._to_ms, row[1])
            text += msgspec.json.encode(tuple(row[:6])) + b"\n"
        self._write(self._packer.compress(text))

    def seal(self) -> EventsArchived:
        """Put it on disk, read it back, and give it its name; what the journal has to tell of it.

        Raises:
            OSError: as the class, also where what was read back is not what was written.
        """
        try:
            self._write(self._packer.flush())
            self._raw.flush()
            os.fsync(self._raw.fileno())
        finally:
            self._raw.close()
        digest = sha256(self._new.read_bytes()).hexdigest()
        after = self._chain.last.hex()
        named = f"events-{self._first}-{self._last}-{after[:8]}.jsonl.gz"  # of another history it has another name
        told = EventsArchived(
            first=self._first,
            last=self._last,
            file=named,
            sha256=digest,
            size=self._new.stat().st_size,
            before=self._before.hex(),
            after=after,
            from_ms=self._from_ms,
            to_ms=self._to_ms,
        )
        if self._chain.seq != self._last or digest != self._written.hexdigest():
            raise OSError(0, "it was read back as something else", str(self._new))
        self._new.replace(self._folder / named)
        sync_folder(self._folder)
        return told

    def _write(self, packed: bytes) -> None:
        self._written.update(packed)
        self._raw.write(packed)

    def drop(self) -> None:
        """Give up; what was written so far goes."""
        self._raw.close()
        with suppress(FileNotFoundError):
            self._new.unlink()


def archived_rows(connection: sqlite3.Connection, after: int, last: int) -> Iterator[_Row]:
    """The rows numbered above ``after``, up to ``last``, that are in archives: seq, ts_ms, run_id, type, version, payload.

    Each archive that is needed is compared with its hash, and its events with the chain, as a whole.

    Raises:
        UsageError: one is missing, cannot be read, or is not what was written; the message names it and what to do.
    """
    journal = file_of(connection)
    for told in archives(connection):
        if told.last > after and told.first <= last:
            yield from (row for row in _checked(journal.parent / FOLDER / told.file, journal, told) if after < row[0] <= last)


def missing_archives(connection: sqlite3.Connection) -> list[Path]:
    """The archives that are not in their folder.

    Raises:
        UsageError: what tells of them is damaged.
    """
    folder = file_of(connection).parent / FOLDER
    return [folder / told.file for told in archives(connection) if not (folder / told.file).is_file()]


def rows_with(connection: sqlite3.Connection, texts: Iterable[str], newest: int) -> Iterator[list[_Row]]:
    """The rows of the ``newest`` archives whose line holds one of ``texts`` anywhere, as :func:`archived_rows` gives them.

    Newest archive first.

    Raises:
        UsageError: an archive is missing or damaged.
    """
    journal, wanted = file_of(connection), [text.encode() for text in texts]
    for told in archives(connection)[: -newest - 1 : -1]:
        unpacked = _unpacked(journal.parent / FOLDER / told.file, journal, told)
        if here := [text for text in wanted if text in unpacked]:
            yield [_rows.decode(line) for line in unpacked.splitlines()[1:] if any(text in line for text in here)]


def _checked(file: Path, journal: Path, told: EventsArchived) -> Iterator[_Row]:
    chain = Chain(journal, told.first - 1, bytes.fromhex(told.before))
    lines = _unpacked(file, journal, told).splitlines()
    try:
        for line in lines[1:]:
            row = _rows.decode(line)
            chain.follow_archived(*row)
            yield row
    except msgspec.DecodeError as error:
        raise _refusal(file, journal, told, str(error)) from error
    if (chain.seq, chain.last.hex()) != (told.last, told.after):
        raise _refusal(file, journal, told, "its events are not those that were archived")


def _unpacked(file: Path, journal: Path, told: EventsArchived) -> bytes:
    """All of it: some ten MB."""
    try:
        packed = file.read_bytes()
    except FileNotFoundError as error:
        raise _refusal(file, journal, told, "it is missing") from error
    except OSError as error:
        raise _refusal(file, journal, told, str(error.strerror or error)) from error
    if sha256(packed).hexdigest() != told.sha256:
        raise _refusal(file, journal, told, "it is damaged: its SHA-256 is not the one that the journal tells")
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise _refusal(file, journal, told, str(error)) from error


def _refusal(file: Path, journal: Path, told: EventsArchived, why: str) -> ArchiveRefused:
    kept = journal.parent / BACKUPS / FOLDER / told.file
    copy = f"the copy {kept}" if kept.is_file() else "a copy of it"
    return ArchiveRefused(
        f"{file}: {why}: it holds the events {told.first} to {told.last} of {journal}: put {copy} back, with the SHA-256 {told.sha256}"
    )
