"""The journal: events go in, in order, and are durable when :meth:`Journal.commit` returns."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from arbtui.journal.chain import Chain, check_events, link
from arbtui.journal.database import Statement
from arbtui.journal.denials import DenialRow, denial_statements
from arbtui.journal.episodes import EpisodeRecord, episode_statements
from arbtui.journal.events import AlertQueued, Event, JournalCreated, Recorded, RunStarted, SnapshotTaken, encode
from arbtui.journal.learned import LearnedRow, learned_statements
from arbtui.journal.projections import statements_for
from arbtui.journal.reader import check_pages, reading, refuse_unlike_tip
from arbtui.journal.schema import APPLICATION_ID, IS_SWEPT, OLDEST_VERSION, SCHEMA, SNAPSHOTS_KEPT, USER_VERSION
from arbtui.journal.snapshots import snapshot_digest
from arbtui.journal.state import JournalState, load
from arbtui.journal.store import Door, WatchedDoor, Writer, open_writer
from arbtui.journal.tip import Tip, write_tip
from arbtui.journal.upgrades import UPGRADES
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.histogram import Histogram

_EVENT_ROW = "INSERT INTO event (seq, ts_ms, run_id, type, version, payload, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SNAPSHOT_ROW = "INSERT INTO snapshot (snapshot_no, seq, ts_ms, run_id, payload) VALUES (?, ?, ?, ?, ?)"
_SWEEP = f"DELETE FROM event WHERE seq > ? AND seq <= ? AND {IS_SWEPT}"
_OLD_SNAPSHOTS = f"DELETE FROM snapshot WHERE snapshot_no <= ? - {SNAPSHOTS_KEPT}"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JournalStats:
    """How the journal does. Times in ms, from call to durable; ``queue``: calls that wait."""

    events: int
    transactions: int
    commit_p50_ms: float
    commit_p99_ms: float
    commit_max_ms: float
    queue: int


class Journal:
    """The one writer of a profile's journal in one mode. Make it with :meth:`open`; ``await close()`` ends its thread."""

    def __init__(self, path: Path, writer: Writer, clock: Clock, salt: str, end: Chain, snapshot_no: int, door: Door) -> None:
        self.path = path
        self.salt = salt  #: of this state folder; goes into every client order id
        self.run_id = ""  #: of the last :class:`RunStarted` committed here
        self.seq = end.seq  #: of the last event
        self.on_failure: Callable[[JournalFailed], None] | None = None  #: told once, at the first failure, however it was met
        self.alert_of: Callable[[Recorded], AlertQueued | None] | None = None  #: asked of each event; what it gives goes along
        self.on_dropped: Callable[[Event], None] | None = None  #: told of each event that was posted after a failure
        self._writer = writer
        self._clock = clock
        self._first_seq = end.seq
        self._last_hash = end.last
        self._door = door
        self._tip_lock = asyncio.Lock()
        self._tip_seq = 0
        self._snapshot_no = snapshot_no
        #: Applied to each event as it gets its number; what it returns is written in the same transaction.
        self.fold: Callable[[Recorded], Sequence[Statement]] | None = None
        writer.on_failure = self._tell

    @classmethod
    async def open(cls, path: Path, *, clock: Clock, door: Door, salt: str | None = None) -> "Journal":
        """Open or create the journal at ``path``; ``door``: ``aio`` in real time, ``sync`` in virtual time.

        ``salt`` is taken by a new journal only, which draws one when none is given; in virtual time it comes from the seed. The whole
        file is read and checked before anything more is written.

        Raises:
            UsageError: the file cannot be a journal of this program, or is damaged; the message names it, where, and what to do.
        """
        refuse_unlike_tip(path)  # nothing is changed in one that is
        writer = await open_writer(
            path, SCHEMA, door, application_id=APPLICATION_ID, user_version=USER_VERSION, oldest=OLDEST_VERSION, upgrades=UPGRADES
        )
        try:
            with reading(path) as reader:
                check_pages(reader)
                end = check_events(reader)
                (snapshot_no,) = reader.execute("SELECT coalesce(max(snapshot_no), 0) FROM snapshot").fetchone()
                known = reader.execute("SELECT salt FROM identity").fetchone()
            journal = cls(path, writer, clock, known[0] if known else salt or secrets.token_hex(8), end, snapshot_no, door)
            if known is None:
                await journal.commit(JournalCreated(journal.salt))
            await journal.keep_tip()
        except OSError as error:
            await writer.close()
            raise UsageError(f"{error.filename}: {error.strerror}: check the owner, mode and free space of its folder") from error
        except JournalFailed as failure:  # so early it is the operator's to mend, not a trading halt
            await writer.close()
            raise UsageError(str(failure)) from failure
        except BaseException:  # nobody else could close it
            await writer.close()
            raise
        return journal

    def record(self, *events: Event) -> Awaitable[None]:
        """Number ``events``, apply each to :attr:`fold`, and queue them; awaiting what it returns waits until they are durable.

        All of it happens before this returns, so whatever reads the fold next sees them. Nothing may be *sent* on an event
        before its own record is durable. What it returns need not be awaited: a failure reaches :attr:`on_failure`.

        Raises:
            JournalFailed: the disk or SQLite has refused before: nothing was numbered or applied.
        """
        if self._writer.failure is not None:
            raise JournalFailed(*self._writer.failure.args)
        statements = self._statements(events)
        return self._writer.submit(statements, self.seq)

    async def commit(self, *events: Event) -> None:
        """:meth:`record` ``events`` and wait until they are durable, all or none. Cancelling the caller takes nothing back.

        Raises:
            JournalFailed: the disk or SQLite refused, now or earlier. The gate is closed by then; nothing is ever tried again.
        """
        await self.record(*events)

    def post(self, *events: Event) -> None:
        """:meth:`record` ``events`` without waiting; after a failure they are dropped, as :attr:`on_failure` has said."""
        try:
            self.record(*events)
        except JournalFailed:
            if self.on_dropped is not None:
                for event in events:
                    self.on_dropped(event)

    async def snapshot(
        self,
        payload: dict[str, Any],
        episodes: Sequence[EpisodeRecord] = (),
        denials: Sequence[DenialRow] = (),
        learned: Sequence[LearnedRow] = (),
    ) -> int:
        """Store a whole state snapshot (anything JSON can hold, Decimals too) and return its number.

        Only the newest few are kept. ``episodes``, ``denials`` and ``learned`` go along: a transaction of their own would be one more
        that an order may have to wait for.

        Raises:
            JournalFailed: as :meth:`commit`.
        """
        text = msgspec.json.encode(payload).decode()
        number, covered, now_ms = self._snapshot_no + 1, self.seq, self._clock.time_ms()
        rows: list[Statement] = [
            (_SNAPSHOT_ROW, (number, covered, now_ms, self.run_id, text)),
            (_OLD_SNAPSHOTS, (number,)),
            *episode_statements(self.run_id, episodes),
            *denial_statements(denials, now_ms),
            *learned_statements(learned),
        ]
        self._snapshot_no = number
        if self._writer.failure is not None:
            raise JournalFailed(*self._writer.failure.args)
        rows += self._statements((SnapshotTaken(number, covered, snapshot_digest(number, covered, now_ms, self.run_id, text)),))
        await self._writer.submit(rows, self.seq)
        return number

    async def keep_tip(self) -> None:
        """Tell outside of the file how far it is durable: see :mod:`arbtui.journal.tip`. No order waits for it.

        Raises:
            JournalFailed: as :meth:`commit`.
            OSError: it could not be written; the old one stands.
        """
        async with self._tip_lock:
            tip = Tip(self.salt, self.seq, self._last_hash.hex(), self._clock.time_ms())
            if tip.seq == self._tip_seq:
                return
            await self._writer.commit(())
            if self._door == "aio":
                await asyncio.to_thread(write_tip, self.path, tip, sync=True)
            elif isinstance(self._door, WatchedDoor):
                self._door.before_tip()
                write_tip(self.path, tip, sync=self._door.durable)
                self._door.after_tip()
            else:
                write_tip(self.path, tip, sync=False)
            self._tip_seq = tip.seq

    @property
    def tip_seq(self) -> int:
        """The event that the tip stands on; 0 before it was written."""
        return self._tip_seq

    async def sweep(self, after: int, last: int) -> None:
        """Take away the events numbered above ``after``, up to ``last``, that an archive holds and no start goes by.

        Raises:
            JournalFailed: as :meth:`commit`; also where one of them is in no archive.
        """
        await self._writer.commit([(_SWEEP, (after, last))])

    async def aside(self, work: Callable[[], T]) -> T:
        """Run what waits for the disk where nothing else waits for it: in a thread, in real time."""
        return await asyncio.to_thread(work) if self._door == "aio" else work()

    def look_at_file(self) -> None:
        """Fail, once and for good, when the file at :attr:`path` is no longer the one that is written."""
        self._writer.look_at_file()

    def fail(self, why: str) -> None:
        """Fail, once and for good: somebody who read the file has found that it is not what was written there; ``why`` says so."""
        self._writer.fail(JournalFailed(why))

    def load(self) -> JournalState:
        """What the journal's tables say; see :func:`arbtui.journal.state.load`. Reads the disk: for start-up only."""
        return load(self.path)

    @property
    def durable_seq(self) -> int:
        """The last event that is known to be on disk."""
        return max(self._first_seq, self._writer.durable)

    @property
    def failure(self) -> JournalFailed | None:
        """Why nothing is written any more, or None."""
        return self._writer.failure

    @property
    def stats(self) -> JournalStats:
        """Counts since this journal was opened."""
        latency = self._writer.latency
        return JournalStats(
            events=self.seq - self._first_seq,
            transactions=self._writer.transactions,
            commit_p50_ms=latency.quantile(0.5),
            commit_p99_ms=latency.quantile(0.99),
            commit_max_ms=latency.largest,
            queue=self._writer.queue,
        )

    @property
    def latency(self) -> Histogram:
        """Of commits, in ms from call to durable, since this journal was opened."""
        return self._writer.latency

    async def close(self) -> None:
        """Write what is queued, and the tip, then close the file and end its thread."""
        try:
            with suppress(JournalFailed, OSError):  # whoever waits for the journal has been told; a tip may lag behind
                await self.keep_tip()
        finally:
            await self._writer.close()

    def _statements(self, events: tuple[Event, ...]) -> list[Statement]:
        encoded = [encode(event) for event in events]  # whatever cannot be encoded fails before a number is used
        now = self._clock.time_ms()
        rows: list[Statement] = []
        projections: list[Statement] = []
        for event, (kind, version, payload) in zip(events, encoded, strict=True):
            if isinstance(event, RunStarted):
                self.run_id = event.run_id
            recorded = self._append(rows, now, event, kind, version, payload)
            projections += statements_for(recorded)
            if self.fold is not None:
                projections += self.fold(recorded)
            if self.alert_of is not None and (alert := self.alert_of(recorded)) is not None:
                noted = self._append(rows, now, alert, *encode(alert))
                projections += statements_for(noted)
                if self.fold is not None:
                    projections += self.fold(noted)
        return rows + projections  # neighbours that are alike run as one

    def _append(self, rows: list[Statement], now: int, event: Event, kind: str, version: int, payload: str) -> Recorded:
        self.seq += 1
        self._last_hash = link(self._last_hash, self.seq, now, self.run_id, kind, version, payload)
        rows.append((_EVENT_ROW, (self.seq, now, self.run_id, kind, version, payload, self._last_hash)))
        return Recorded(self.seq, now, self.run_id, event)

    def _tell(self, failure: JournalFailed) -> None:
        if self.on_failure is not None:
            self.on_failure(failure)
