"""Which backup of a journal is the newest, judged by its events: the time in a file name may be wrong."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from arbtui.journal.backup_files import FOLDER, backups_of
from arbtui.journal.sqlite_errors import SQLITE_ERRORS


@dataclass(frozen=True, slots=True)
class _Held:
    """A backup that can be read, and its newest event."""

    path: Path
    db: sqlite3.Connection
    seq: int
    ts_ms: int
    hash: bytes | None

    def can_be_compared(self, others: Sequence["_Held"]) -> bool:
        """Whether the events that ``others`` end with can be read here; not where it was damaged since it was made."""
        with suppress(*SQLITE_ERRORS):
            for other in others:
                self._hash_of(other.seq)
            return True
        return False

    def goes_on_from(self, other: "_Held") -> bool:
        """Whether this one holds all that ``other`` does; also where its archives alone could tell."""
        if self.seq <= other.seq:
            return False
        found = self._hash_of(other.seq)
        return found is None or other.hash is None or found[0] == other.hash

    def _hash_of(self, seq: int) -> tuple[bytes | None] | None:
        found: tuple[bytes | None] | None = self.db.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
        return found


def newest_in_words(journal: Path) -> str:
    """The advice in a message about a damaged journal: restore the backup that contains everything the others contain.

    If an older backup was restored and trading continued from it, histories differ: then the one whose last event is the latest.
    """
    folder = journal.parent / FOLDER
    with ExitStack() as stack:
        opened = list(_readable(journal, stack))
        held = [one for one in opened if one.can_be_compared(opened)]
        ends = [one for one in held if not any(other.goes_on_from(one) for other in held)]
        newest = max(ends, key=lambda one: (one.ts_ms, one.seq), default=None)
    if newest is None:
        return f"restore a backup ({folder} holds none that can be read)"
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(newest.ts_ms / 1000))
    return f"restore the newest backup, {newest.path} (event {newest.seq:,}, {when}, whole when it was made)"


def _readable(journal: Path, stack: ExitStack) -> Iterator[_Held]:
    """Each backup that can be opened, until ``stack`` is closed; nothing is left beside it."""
    try:
        found = backups_of(journal)
    except OSError:
        return
    for backup in found:
        with suppress(*SQLITE_ERRORS):
            place = f"file:{quote(str(backup.path.absolute()))}?mode=ro&immutable=1"
            db = stack.enter_context(closing(sqlite3.connect(place, uri=True)))
            row = db.execute("SELECT seq, ts_ms, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
            if row is not None:
                yield _Held(backup.path, db, *row)
