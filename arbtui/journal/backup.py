"""Copies of a journal that are known to be whole: made beside a running engine, checked, and only then given their name."""

import errno
import os
import shutil
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from arbtui.journal.archive_copies import copy_archives, lacking_bytes
from arbtui.journal.backup_files import FOLDER, UNFINISHED, backups_of, name_of, remove
from arbtui.journal.chain import archives, check_events, is_chained
from arbtui.journal.database import connect, connect_read_only, refusal
from arbtui.journal.events import EventsArchived
from arbtui.journal.newest_backup import newest_in_words
from arbtui.journal.noted import check_noted
from arbtui.journal.reader import check_pages, events, reading
from arbtui.journal.snapshots import check_snapshots
from arbtui.journal.sqlite_errors import SQLITE_ERRORS
from arbtui.model.durable_folder import make_folders
from arbtui.model.errors import UsageError


class NoSpace(UsageError):
    """The disk has too little room for a backup."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is done. ``seq``, ``last_hash`` (hex; empty in a journal of an earlier format): of its newest event."""

    path: Path
    seq: int
    last_hash: str
    bytes: int
    archives: int  #: that it tells of, and that lie in a folder beside it


def back_up(journal: Path, target: Path | None = None, *, automatic: bool = False) -> Backup:
    """Copy the journal at ``journal``, as it is at this moment, to ``target``: a file that is not there yet, or a folder.

    ``automatic``: it is named as one that the engine has made by itself.

    SQLite's own backup, read within one transaction: nothing that is committed meanwhile waits for it, and nothing of it is in the
    copy. That is checked by itself: every page and index, the chain of hashes, the tables that a start goes by, every snapshot. The
    archives that it tells of are copied beside it, as far as they are not there yet.

    Raises:
        NoSpace: too little space.
        UsageError: no journal there, ``target`` is there already or cannot be written, or damage; also where the backup was made, and
            an archive is missing or damaged.
    """
    folder = journal.parent / FOLDER
    try:
        if target is not None:
            folder = target if target.is_dir() else target.parent
        else:
            make_folders(folder)
        _check_space(journal, folder)
        new = folder / UNFINISHED.replace("*", str(os.getpid()))
        try:
            os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
            seq, last_hash, told = _copy(journal, new)
            named = folder / name_of(seq, time.time(), automatic=automatic) if target is None or target.is_dir() else target
            os.link(new, named)  # unlike a rename it replaces nothing
            _sync(folder)
        finally:
            with suppress(FileNotFoundError):
                new.unlink()
        try:
            copy_archives(journal, told, folder)
        except UsageError as error:
            raise UsageError(f"{named} is made and whole, but not its archives: {error}") from error
    except FileExistsError as error:
        raise UsageError(f"{error.filename2 or error.filename} is there already; a backup replaces nothing: name another file") from error
    except OSError as error:
        place = error.filename2 or error.filename or folder
        raise UsageError(f"{place}: {error.strerror or error}: the backup could not be written: {_what_to_do(error)}") from error
    return Backup(named, seq, last_hash, named.stat().st_size, len(told))


def remove_old(journal: Path, keep: int) -> list[Path]:
    """Remove all but the newest ``keep`` backups in the journal's own folder of them that were asked for; which ones.

    Raises:
        UsageError: one could not be removed.
    """
    found = [backup.path for backup in backups_of(journal) if not backup.automatic]
    old = found[:-keep] if keep else found
    for path in old:
        remove(path)
    return old


def _check_space(journal: Path, folder: Path) -> None:
    """There must be room for the copy, for the archives that have none yet, and for the journal to grow by as much as it is long.

    What the journal's write-ahead log holds is in the copy too.

    Raises:
        NoSpace: there is not.
    """
    parts = (journal, journal.with_name(f"{journal.name}-wal"))
    size, archived = sum(part.stat().st_size for part in parts if part.exists()), lacking_bytes(journal, folder)
    free, needed = shutil.disk_usage(folder).free, 2 * size + archived
    if free < needed:
        beside = f" and {_mb(archived)} of archives beside it" if archived else ""
        raise NoSpace(
            f"{folder}: {_mb(free)} are free, and {_mb(needed)} are needed: for a backup of {_mb(size)}{beside}, and as much again"
            " for the journal to grow: free space, or remove older backups"
        )


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _what_to_do(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free space there, or back up to another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "let this user write there, or back up to another folder"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "make that folder, or name one that is there"
    return "look at the disk, or back up to another one"


def _copy(journal: Path, new: Path) -> tuple[int, str, list[EventsArchived]]:
    try:
        with reading(journal) as source, closing(connect(new, isolation_level=None)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, and readable where nothing can be written
        with closing(connect_read_only(new)) as copy:
            check_pages(copy, indexes=True)
            check_noted(copy)
            check_snapshots(copy)
            if is_chained(copy):
                end = check_events(copy)
                seq, last_hash = end.seq, end.last.hex()
            else:
                seq, last_hash = max((recorded.seq for recorded in events(copy)), default=0), ""
            told = archives(copy)
    except SQLITE_ERRORS as error:
        raise refusal(journal, error) from error
    except UsageError as error:  # what is wrong with the copy is wrong with the journal
        said = str(error).replace(newest_in_words(new), newest_in_words(journal))
        raise UsageError(said.replace(str(new), str(journal))) from error
    _sync(new)
    return seq, last_hash, told


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
