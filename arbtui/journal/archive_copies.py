"""The archives that a backup refers to, beside it: a journal without them has lost its older part."""

import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from arbtui.journal.archives import FOLDER
from arbtui.journal.events import EventsArchived
from arbtui.model.durable_folder import make_folders, sync_folder
from arbtui.model.errors import UsageError

UNFINISHED_COPIES = f"{FOLDER}/.events-*.new"
"""Copies that have no name yet, in a folder of backups."""


def lacking_bytes(journal: Path, beside: Path) -> int:
    """Size of the archives of ``journal`` that the folder ``beside`` has no copies of, in bytes."""
    sizes = {name: size for name, size in _sizes(journal.parent / FOLDER).items() if name.startswith("events-")}
    there = _sizes(beside / FOLDER)
    return sum(size for name, size in sizes.items() if there.get(name) != size)


def copy_archives(journal: Path, told: Sequence[EventsArchived], beside: Path) -> None:
    """Have a copy of each archive that ``told`` names in a folder of the same name as the journal's own, in ``beside``.

    An archive never changes, so one of which a copy is there, of its size, is not read again. What can be copied is copied first.

    Raises:
        UsageError: some are missing or are not what was archived; names them.
        OSError: a copy could not be written.
    """
    folder = beside / FOLDER
    sizes = _sizes(folder)
    lacking = [one for one in told if sizes.get(one.file) != one.size]
    if not lacking:
        return
    make_folders(folder)
    refused = [why for one in lacking if (why := _copy(journal.parent / FOLDER / one.file, folder, one))]
    sync_folder(folder)
    if refused:
        raise UsageError("; ".join(refused))


def _copy(source: Path, folder: Path, told: EventsArchived) -> str:
    """Copy one archive; why it cannot be, else empty."""
    try:
        packed = source.read_bytes()
    except OSError as error:
        return f"{source} (events {told.first} to {told.last}) cannot be read: {error.strerror or error}"
    if sha256(packed).hexdigest() != told.sha256:
        return f"{source} (events {told.first} to {told.last}) is damaged: its SHA-256 is not {told.sha256}"
    new = folder / f".{told.file}-{os.getpid()}.new"
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / told.file)
    finally:
        with suppress(FileNotFoundError):
            new.unlink()
    return ""


def _sizes(folder: Path) -> dict[str, int]:
    """Of the files in a folder, by name; none where there is no such folder."""
    try:
        return {entry.name: entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder)}
    except FileNotFoundError:
        return {}
