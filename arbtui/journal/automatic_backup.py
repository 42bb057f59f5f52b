"""One automatic backup, in a process of its own: ``python -m arbtui.journal.automatic_backup JOURNAL HOURS``.

Checking costs 6 us of CPU an event, which in the engine's process every order would wait for. It yields to everything else on the machine.
Prints one line: where the backup is, or why there is none (exit code 1).
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from arbtui.journal.archive_copies import UNFINISHED_COPIES
from arbtui.journal.backup import Backup, NoSpace, back_up
from arbtui.journal.backup_files import FOLDER, UNFINISHED, backups_of, no_longer_kept, remove
from arbtui.model.errors import UsageError

#: A file that nobody has written to for so long is nobody's, in seconds.
_ABANDONED_S = 3600.0


def back_up_by_itself(journal: Path, hours: int) -> Backup:
    """Make one, and remove what is not kept any more; where the disk lacks the space, older automatic ones go first, all but the newest.

    Raises:
        UsageError: as :func:`arbtui.journal.backup.back_up`; also where it was made, and what is not kept could not be removed.
    """
    refusals = _remove_what_is_not_kept(journal, hours)
    done = _back_up_with_room(journal)
    if refusals:
        raise UsageError(f"{done.path} is made and whole, but {'; '.join(refusals)}")
    return done


def _remove_what_is_not_kept(journal: Path, hours: int) -> list[str]:
    """Remove older backups, and what a process that was killed has left; why it could not be done, of each."""
    now_s = time.time()
    old = [backup.path for backup in no_longer_kept(backups_of(journal), now_s, hours)]
    backups = journal.parent / FOLDER
    for unfinished in (*backups.glob(UNFINISHED), *backups.glob(UNFINISHED_COPIES)):
        with suppress(FileNotFoundError):  # the process that made it has removed it
            if now_s - unfinished.stat().st_mtime > _ABANDONED_S:
                old.append(unfinished)
    refusals = []
    for path in old:
        try:
            remove(path)
        except UsageError as error:
            refusals.append(str(error))
    return refusals


def _back_up_with_room(journal: Path) -> Backup:
    dispensable = [backup for backup in backups_of(journal) if backup.automatic][:-1]
    while True:
        try:
            return back_up(journal, automatic=True)
        except NoSpace:
            if not dispensable:
                raise
            remove(dispensable.pop(0).path)


def main() -> int:
    """The whole process."""
    journal, hours = Path(sys.argv[1]), int(sys.argv[2])
    with suppress(OSError):
        os.nice(19)
    try:
        done = back_up_by_itself(journal, hours)
    except UsageError as error:
        print(str(error))
        return 1
    except OSError as error:
        place = error.filename or journal.parent / FOLDER
        print(f"{place}: {error.strerror or error}: no backup was made: let this user read and write there")
        return 1
    print(done.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
