"""The portfolio of a journal on disk: from its newest snapshot and the events after it."""

import logging
import sqlite3
from pathlib import Path

from arbtui.journal.reader import events, reading
from arbtui.journal.state import JournalState, read_state
from arbtui.model.errors import UsageError
from arbtui.portfolio.portfolio import Portfolio

log = logging.getLogger("arbtui")

#: The key of the portfolio in a snapshot's payload.
SNAPSHOT_KEY = "portfolio"


def restore(path: Path) -> tuple[JournalState, Portfolio]:
    """What the journal at ``path`` holds, and what it means, beside its writer or without one.

    Raises:
        UsageError: no journal there, not readable, of another format, or damaged.
    """
    with reading(path) as db:
        state = read_state(path, db)
        return state, fold(path, db, _snapshot(state), state.seq)


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


def _snapshot(state: JournalState) -> Portfolio:
    """The newest snapshot's portfolio; a new one, to be brought up from the first event, where it holds none that can be read."""
    dumped = (state.snapshot or {}).get(SNAPSHOT_KEY)
    if isinstance(dumped, dict):
        try:
            found = Portfolio.load(dumped)
        except ValueError as error:
            log.warning("snapshot %d of %s cannot be used (%s): every event is read instead", state.snapshot_no, state.path, error)
        else:
            if found.state.seq == state.snapshot_seq:
                return found
    return Portfolio()
