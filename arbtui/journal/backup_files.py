"""The backups that lie beside a journal: their names, and which automatic ones are kept.

A backup gets its name when it was checked, so a file of such a name is whole.
"""

import re
import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arbtui.model.errors import UsageError

FOLDER = "backups"  #: beside the journal
ASKED_FOR = "journal"  #: how the name of one begins that a person or a timer of theirs has asked for
AUTOMATIC = "auto"  #: that the engine has made by itself
UNFINISHED = ".backup-*.new"  #: one that has no name yet
_NAME = re.compile(rf"({ASKED_FOR}|{AUTOMATIC})-(\d{{1,18}})-(\d{{8}}T\d{{6}}Z)\.db")
_TIME = "%Y%m%dT%H%M%SZ"
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One backup, by its name."""

    path: Path
    seq: int  #: of its newest event
    made_s: float  #: when, seconds since the epoch
    automatic: bool


def name_of(seq: int, now_s: float, *, automatic: bool = False) -> str:
    """The name of a backup whose newest event is ``seq``. Its time last: in the order of names, of one number of events too."""
    return f"{AUTOMATIC if automatic else ASKED_FOR}-{seq}-{time.strftime(_TIME, time.gmtime(now_s))}.db"


def backups_of(journal: Path) -> list[BackupFile]:
    """The backups in the journal's own folder of them, oldest first. Files of other names are none."""
    return sorted(_found(journal.parent / FOLDER), key=lambda backup: (backup.made_s, backup.seq))


def remove(backup: Path) -> None:
    """Remove a backup that is not kept any more; nothing where it is gone already.

    Raises:
        UsageError: it could not be removed.
    """
    try:
        backup.unlink(missing_ok=True)
    except OSError as error:
        what_to_do = "remove it, and let this user write to its folder"
        raise UsageError(f"{backup}: {error.strerror or error}: the old backup could not be removed: {what_to_do}") from error


def no_longer_kept(found: list[BackupFile], now_s: float, hours: int) -> list[BackupFile]:
    """Which of the automatic ones may go: all but those of the last hour, the last of each hour before it for ``hours``, and the newest."""
    automatic = [backup for backup in found if backup.automatic]
    kept: dict[int, BackupFile] = {}
    for backup in automatic:
        age_s = now_s - backup.made_s
        if _HOUR_S <= age_s <= hours * _HOUR_S:
            kept[int(backup.made_s // _HOUR_S)] = backup
    recent = [backup for backup in automatic if now_s - backup.made_s < _HOUR_S]
    keep = {backup.path for backup in [*kept.values(), *recent, *automatic[-1:]]}
    return [backup for backup in automatic if backup.path not in keep]


def _found(folder: Path) -> Iterator[BackupFile]:
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match:
            try:
                made_s = float(timegm(time.strptime(match[3], _TIME)))
            except ValueError:  # no such day
                continue
            yield BackupFile(path, int(match[2]), made_s, match[1] == AUTOMATIC)
