"""Moves old events of a running journal into archives, a little at a time: nothing that trades waits for it.

An archive is on disk before the journal tells of it; rows go only after that is durable, too. A process that ends between two steps leaves
a file that nothing names, which is written again, or rows that an archive has as well, which the next run takes away.
"""

import asyncio
from collections.abc import Callable
from contextlib import closing

from arbtui.journal.archives import ArchiveWriter
from arbtui.journal.chain import Chain
from arbtui.journal.database import open_reader
from arbtui.journal.events import EventsArchived, RowsRolledUp
from arbtui.journal.journal import Journal
from arbtui.journal.projections import IS_ROLLED_UP
from arbtui.journal.reader import reading
from arbtui.journal.schema import APPLICATION_ID, IS_SWEPT, OLDEST_VERSION, USER_VERSION

PORTION = 20_000
"""Events of one archive: less than 1 MB on disk, some ten in memory while it is read."""

_SLICE = 50
"""Events that are packed before other work gets its turn: about a millisecond."""

_ROLL_UP = 2_000
"""Events whose orders, fills and cycles leave the tables in one transaction, which an order may have to wait for: some 10 ms."""

_SWEEP = 500
"""Events that leave the journal in one transaction: some 3 ms."""

_PAUSE_S = 0.01

#: What is read here is read once, in order: pages kept of it, up to 2 MB, would lie between what lasts, and keep the heap from shrinking.
_FEW_PAGES = "PRAGMA cache_size = 20"
_ROWS = "SELECT seq, ts_ms, run_id, type, version, payload, hash FROM event WHERE seq > ? AND seq <= ? ORDER BY seq"


class Archiver:
    """Keeps the newest ``keep`` events of ``journal`` in its file.

    Args:
        proven: the last event up to which a stored snapshot was found equal to a second fold of the file; nothing after it is archived.
    """

    def __init__(self, journal: Journal, keep: int, proven: Callable[[], int], portion: int = PORTION) -> None:
        self._journal = journal
        self._keep = keep
        self._proven = proven
        self._portion = portion
        self._end: Chain | None = None  # where the archives end; None until a first look has finished what an earlier process began

    @property
    def due(self) -> bool:
        """Whether there is an archive's worth of old events, proven or not."""
        return self._end is not None and self._last <= self._journal.seq - self._keep

    @property
    def _last(self) -> int:
        assert self._end is not None
        return self._end.seq + self._portion

    async def work(self) -> int:
        """Archive what is due and proven; how many archives were made.

        Raises:
            JournalFailed: the journal has failed.
            UsageError: an event is not what was written: the journal is damaged, and stays as it is.
            OSError: an archive could not be written; nothing was taken away.
        """
        if self._end is None:
            await self._finish()
        made = 0
        while self.due and self._last <= min(self._proven(), self._settled()):
            told = await self._write(self._last)
            await self._journal.commit(told)
            self._end = None
            await self._finish()
            made += 1
        return made

    def _settled(self) -> int:
        """The last event that neither the tip nor a stored snapshot stands on."""
        with reading(self._journal.path) as db:
            (oldest,) = db.execute("SELECT coalesce(min(seq), 0) FROM snapshot").fetchone()
        return min(int(oldest), self._journal.tip_seq) - 1

    async def _write(self, last: int) -> EventsArchived:
        journal = self._journal
        with closing(open_reader(journal.path, APPLICATION_ID, USER_VERSION, OLDEST_VERSION)) as db:
            db.execute(_FEW_PAGES)
            chain = Chain.archived(db)
            writer = ArchiveWriter(journal.path, journal.salt, chain, last)
            try:
                while chain.seq < last:
                    rows = db.execute(_ROWS, (chain.seq, min(last, chain.seq + _SLICE))).fetchall()
                    if not rows:
                        chain.end_of(db)  # which tells that it is damaged: what is due is there
                    writer.add(rows)
                    await asyncio.sleep(_PAUSE_S)
                return await journal.aside(writer.seal)
            except BaseException:  # whatever it was, no half of a file stays
                writer.drop()
                raise

    async def _finish(self) -> None:
        """Take away what the newest archive holds, as far as it is still there."""
        with reading(self._journal.path) as db:
            db.execute(_FEW_PAGES)
            end = Chain.archived(db)
            rolled_up = f"SELECT 1 FROM cycle WHERE closed_seq <= ? AND {IS_ROLLED_UP} LIMIT 1"
            has_rows = db.execute(rolled_up, (end.seq,)).fetchone() is not None
            first = max(0, end.seq - self._portion)
            has_events = db.execute(f"SELECT 1 FROM event WHERE seq > ? AND seq <= ? AND {IS_SWEPT} LIMIT 1", (first, end.seq)).fetchone()
        if has_rows:
            for last in (*range(first + _ROLL_UP, end.seq, _ROLL_UP), end.seq):
                await self._journal.commit(RowsRolledUp(last))
                await asyncio.sleep(_PAUSE_S)
        for after in range(first, end.seq, _SWEEP) if has_events else ():
            await self._journal.sweep(after, min(after + _SWEEP, end.seq))
            await asyncio.sleep(_PAUSE_S)
        self._end = end
