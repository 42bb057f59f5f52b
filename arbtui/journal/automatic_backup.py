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
from arbtui.journal.backup_files import FOLDER, UNFINISHED, backups_of, no_longer_kept
from arbtui.model.errors import UsageError

#: A file that nobody has written to for so long is nobody's, in seconds.
_ABANDONED_S = 3600.0


def back_up_by_itself(journal: Path, hours: int) -> Backup:
    """Make one, and remove what is not kept any more; where the disk lacks the space, older automatic ones go first, all but the newest.

    Raises:
        UsageError: as :func:`arbtui.journal.backup.back_up`.
    """
    now_s = time.time()
    for old in no_longer_kept(backups_of(journal), now_s, hours):
        old.path.unlink()
    backups = journal.parent / FOLDER
    for unfinished in (*backups.glob(UNFINISHED), *backups.glob(UNFINISHED_COPIES)):  # of a process that was killed
        if now_s - unfinished.stat().st_mtime > _ABANDONED_S:
            unfinished.unlink()
    dispensable = [backup for backup in backups_of(journal) if backup.automatic][:-1]
    while True:
        try:
            return back_up(journal, automatic=True)
        except NoSpace:
            if not dispensable:
                raise
            dispensable.pop(0).path.unlink()


def main() -> int:
    """The whole process."""
    journal, hours = Path(sys.argv[1]), int(sys.argv[2])
    with suppress(OSError):
        os.nice(19)
    try:
        done = back_up_by_itself(journal, hours)
    except (UsageError, OSError) as error:
        print(str(error))
        return 1
    print(done.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
