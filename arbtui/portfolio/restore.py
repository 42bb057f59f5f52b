"""The portfolio of a journal on disk: from its newest snapshot and the events after it."""

import logging
import sqlite3
from pathlib import Path

from arbtui.journal.archives import ArchiveRefused, missing_archives
from arbtui.journal.reader import events, reading
from arbtui.journal.state import JournalState, read_state
from arbtui.model.errors import UsageError
from arbtui.model.tip_file import tip_file
from arbtui.portfolio.portfolio import Portfolio

log = logging.getLogger("arbtui")

#: The key of the portfolio in a snapshot's payload.
SNAPSHOT_KEY = "portfolio"


def restore(path: Path) -> tuple[JournalState, Portfolio]:
    """What the journal at ``path`` holds, and what it means, beside its writer or without one.

    Raises:
        UsageError: no journal there, not readable, of another format, or damaged; also where its snapshot cannot be used (another version
            wrote it) and an archive that is needed in its place is missing or damaged.
    """
    with reading(path) as db:
        state = read_state(path, db)
        start, unusable = _snapshot(state)
        if unusable:
            log.warning("%s: %s: every event is read instead", path, unusable)
        try:
            return state, fold(path, db, start, state.seq)
        except ArchiveRefused as error:
            raise _lacks_archive(path, db, unusable, error) from error


def fold(path: Path, db: sqlite3.Connection, start: Portfolio, last: int) -> Portfolio:
    """Bring ``start`` up to the event ``last``.

    Raises:
        UsageError: an event is missing, of another version, or damaged.
    """
    try:
        for recorded in events(db, start.state.seq, last):
            start.apply(recorded)
    except ValueError as error:
        raise UsageError(f"{path}: {error}: the journal is damaged; restore a backup") from error
    return start


def _snapshot(state: JournalState) -> tuple[Portfolio, str]:
    """The newest snapshot's portfolio; a new one, to be brought up from the first event, where it holds none that can be used, with why."""
    if state.snapshot is None:
        return Portfolio(), ""
    why = "it holds no portfolio"
    dumped = state.snapshot.get(SNAPSHOT_KEY)
    if isinstance(dumped, dict):
        try:
            found = Portfolio.load(dumped)
        except ValueError as error:
            why = str(error)
        else:
            if found.state.seq == state.snapshot_seq:
                return found, ""
            why = f"it ends with event {found.state.seq}, not {state.snapshot_seq}"
    return Portfolio(), f"snapshot {state.snapshot_no} cannot be used ({why})"


def _lacks_archive(path: Path, db: sqlite3.Connection, unusable: str, error: ArchiveRefused) -> UsageError:
    """The refusal to start where only the archives could tell what the snapshot does not; every way out is in it."""
    missing = [str(file) for file in missing_archives(db)]
    all_missing = f"; missing are {', '.join(missing)}" if len(missing) > 1 else ""
    return UsageError(
        f"{path}: {unusable or 'it has no snapshot'}, so that every event is needed, and not all can be read: {error.what}{all_missing}; "
        "until then the version of the program that wrote the snapshot starts from it; to begin anew, end with that version what is open "
        f"(arbtui positions), then move the whole folder {path.parent} and {tip_file(path)} away and keep them: the next start takes the "
        "venues' balances as its opening"
    )
