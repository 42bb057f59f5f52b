"""Two doors to one durable SQLite file: aiosqlite in real time, plain sqlite3 in virtual time.

Both run whole transactions on one connection, in the order in which :meth:`Writer.commit` and :meth:`Writer.post` were
called, and both stop for good at the first error. A failed fsync in particular is never tried again: the kernel may
have dropped the dirty pages and would answer "done" (PostgreSQL's fsyncgate).
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, Protocol

import aiosqlite

from arbtui.journal.database import (
    Statement,
    UpgradeStep,
    apply_pragmas,
    check_identity,
    connect,
    create_file,
    create_tables,
    empty_log,
    refusal,
)
from arbtui.journal.file_place import FilePlace
from arbtui.journal.sqlite_errors import SQLITE_ERRORS
from arbtui.model.errors import JournalFailed
from arbtui.model.histogram import Histogram

#: Told, once, why nothing more is written.
OnFailure = Callable[[JournalFailed], None]


@dataclass(frozen=True, slots=True)
class WatchedDoor:
    """The door of virtual time, with somebody who is told of each transaction and tip: just before it, and once it is durable.

    ``durable``: everything is synced as in real time.
    """

    before: Callable[[], None]
    after: Callable[[], None]
    before_tip: Callable[[], None] = lambda: None
    after_tip: Callable[[], None] = lambda: None
    durable: bool = False


Door = Literal["aio", "sync"] | WatchedDoor

_SQL = itemgetter(0)
WHOLE_TRANSACTION = "-- a whole transaction"  #: to the ``executemany`` of a writer's connection; see :class:`WriterConnection`


class Writer(Protocol):
    """Where durable statements go. One writer a file; statements take effect in the order of the calls."""

    latency: Histogram  #: from call to durable, in ms
    transactions: int  #: transactions committed so far
    durable: int  #: the highest ``number`` of :meth:`submit` that is durable; 0 before the first
    on_failure: OnFailure | None  #: called once, at the first failure, before any waiting caller resumes

    def submit(self, statements: Sequence[Statement], number: int) -> Awaitable[None]:
        """Queue ``statements`` now; awaiting what it returns waits until they are durable, all or none.

        ``number`` rises from call to call. What it returns need not be awaited: a failure reaches :attr:`on_failure` as well.

        Raises:
            JournalFailed: the writer has failed before; nothing was queued.
        """
        ...

    async def commit(self, statements: Sequence[Statement]) -> None:
        """Make ``statements`` durable, all or none; they are when this returns, and so is everything posted before.

        Cancelling the caller takes nothing back: the statements are written or not as if it had waited.

        Raises:
            JournalFailed: SQLite or the disk refused, now or earlier; the writer refuses everything from then on.
        """
        ...

    def post(self, statements: Sequence[Statement], on_failure: OnFailure) -> None:
        """Queue ``statements`` without waiting; ``on_failure`` is called when they could not be made durable."""
        ...

    @property
    def queue(self) -> int:
        """How many calls wait for their transaction."""
        ...

    @property
    def failure(self) -> JournalFailed | None:
        """Why the writer refuses everything, or None while it works."""
        ...

    def look_at_file(self) -> None:
        """Fail when the file's path leads to another file by now, or to none; also done before each transaction."""
        ...

    def fail(self, failure: JournalFailed) -> None:
        """Refuse everything from now on, and tell why: the file is not what was written. Nothing after the first failure."""
        ...

    async def close(self) -> None:
        """Write what is queued, then close the file. Safe to call twice."""
        ...


class WriterConnection(sqlite3.Connection):
    """A connection that runs a list of statements as one transaction, within one call.

    aiosqlite hands each call to its thread, one hop each way. Passing a whole transaction through ``executemany`` makes
    that one hop a group, and leaves no await between BEGIN and COMMIT at which a cancellation could tear it.
    """

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """As :meth:`sqlite3.Connection.executemany`; a whole transaction where ``sql`` is that mark."""
        if sql is not WHOLE_TRANSACTION:
            return super().executemany(sql, parameters)
        return run_transaction(self, parameters)


def run_transaction(connection: sqlite3.Connection, statements: Iterable[Statement]) -> sqlite3.Cursor:
    """Run ``statements`` as one transaction: all of them, or none."""
    cursor = connection.cursor()
    cursor.execute("BEGIN IMMEDIATE")
    try:
        # Only neighbours share an executemany: the order of different statements on one row must stay.
        for statement, run in groupby(statements, _SQL):
            cursor.executemany(statement, (values for _, values in run))
        cursor.execute("COMMIT")
    except BaseException:  # whatever it was, half a transaction must not stay open
        if connection.in_transaction:
            connection.rollback()
        raise
    return cursor


class _Done:
    """What is durable already: awaiting it never suspends."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield  # makes this a generator, as the protocol of await asks


_DONE = _Done()


class SyncWriter:
    """The door of virtual time: commits inside the call and never suspends, so a run replays exactly.

    ``synchronous=OFF``: a simulated hour owes nobody durability against a power cut, and waiting for a disk would cost
    most of its run time. A killed process still loses nothing: each transaction has reached the kernel when it returns.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, door: WatchedDoor | None = None) -> None:
        self.path = path
        self.latency = Histogram()
        self.transactions = 0
        self.durable = 0
        self.on_failure: OnFailure | None = None
        self.queue = 0
        self.failure: JournalFailed | None = None
        self._connection = connection
        self._place = FilePlace(path)
        self._door = door

    def submit(self, statements: Sequence[Statement], number: int) -> Awaitable[None]:
        """See :meth:`Writer.submit`; commits at once."""
        self.commit_now(statements)
        self.durable = number
        return _DONE

    async def commit(self, statements: Sequence[Statement]) -> None:
        """See :meth:`Writer.commit`; has no suspension point."""
        self.commit_now(statements)

    def commit_now(self, statements: Sequence[Statement]) -> None:
        """Commit outside of any coroutine.

        Raises:
            JournalFailed: as :meth:`Writer.commit`.
        """
        if self.failure is not None:
            raise _again(self.failure)
        if self._door is not None:
            self._door.before()
        started = perf_counter()
        try:
            self._place.check()
            self._connection.executemany(WHOLE_TRANSACTION, statements)
        except Exception as error:  # any error at all leaves the file behind what the engine believes: stop for good
            self._fail(_failed(self.path, error))
            raise _again(self.failure) from error  # type: ignore[arg-type]
        if self._door is not None:
            self._door.after()
        self.transactions += 1
        self.latency.add((perf_counter() - started) * 1000)

    def post(self, statements: Sequence[Statement], on_failure: OnFailure) -> None:
        """See :meth:`Writer.post`; commits at once."""
        try:
            self.commit_now(statements)
        except JournalFailed as failure:
            on_failure(failure)

    def look_at_file(self) -> None:
        """See :meth:`Writer.look_at_file`."""
        if self.failure is None:
            try:
                self._place.check()
            except JournalFailed as failure:
                self._fail(failure)

    def fail(self, failure: JournalFailed) -> None:
        """See :meth:`Writer.fail`."""
        if self.failure is None:
            self._fail(failure)

    def _fail(self, failure: JournalFailed) -> None:
        self.failure = failure
        if self.on_failure is not None:
            self.on_failure(failure)

    async def close(self) -> None:
        """Close the file."""
        if self.failure is None:
            self.failure = JournalFailed(f"{self.path}: closed")
        self._connection.close()


class _Call:
    """One :meth:`commit` or :meth:`post` that waits for its transaction."""

    __slots__ = ("number", "on_failure", "started", "statements", "waiter")

    def __init__(
        self, statements: Sequence[Statement], waiter: "asyncio.Future[None] | None", on_failure: OnFailure | None, number: int = 0
    ) -> None:
        self.statements = tuple(statements)
        self.number = number
        self.waiter = waiter
        self.on_failure = on_failure
        self.started = perf_counter()

    def succeed(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def fail(self, failure: JournalFailed) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(_again(failure))
        elif self.on_failure is not None:
            self.on_failure(failure)


class AioWriter:
    """The door of real time: one connection in aiosqlite's thread, one task that feeds it, ``synchronous=FULL``.

    Natural group commit: while one transaction is being synced, the next gathers; a lone commit waits for nothing.
    """

    def __init__(self, path: Path, connection: aiosqlite.Connection) -> None:
        self.path = path
        self.latency = Histogram()
        self.transactions = 0
        self.durable = 0
        self.on_failure: OnFailure | None = None
        self.failure: JournalFailed | None = None
        self._connection = connection
        self._place = FilePlace(path)
        self._pending: list[_Call] = []
        self._group: list[_Call] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._run(), name=f"writer of {path.name}")

    @property
    def queue(self) -> int:
        """How many calls wait for their transaction, the one under way included."""
        return len(self._pending) + len(self._group)

    def submit(self, statements: Sequence[Statement], number: int) -> Awaitable[None]:
        """See :meth:`Writer.submit`."""
        if self.failure is not None:
            raise _again(self.failure)
        waiter = asyncio.get_running_loop().create_future()
        waiter.add_done_callback(_retrieved)
        self._submit(_Call(statements, waiter, None, number))
        return waiter

    async def commit(self, statements: Sequence[Statement]) -> None:
        """See :meth:`Writer.commit`; queues before its first suspension, so calls keep their order."""
        waiter = asyncio.get_running_loop().create_future()
        self._submit(_Call(statements, waiter, None))
        await waiter

    def post(self, statements: Sequence[Statement], on_failure: OnFailure) -> None:
        """See :meth:`Writer.post`."""
        self._submit(_Call(statements, None, on_failure))

    def look_at_file(self) -> None:
        """See :meth:`Writer.look_at_file`."""
        if self.failure is None and not self._closing:
            try:
                self._place.check()
            except JournalFailed as failure:
                self._fail(failure)

    def fail(self, failure: JournalFailed) -> None:
        """See :meth:`Writer.fail`."""
        if self.failure is None and not self._closing:
            self._fail(failure)

    async def close(self) -> None:
        """Write what is queued, then close the file and end aiosqlite's thread."""
        self._closing = True
        self._wake.set()
        await asyncio.wait([self._task])
        await self._connection.close()

    def _submit(self, call: _Call) -> None:
        if self._closing and self.failure is None:
            self.failure = JournalFailed(f"{self.path}: closed")
        if self.failure is not None:
            call.fail(self.failure)
            return
        self._pending.append(call)
        self._wake.set()

    async def _run(self) -> None:
        try:
            while self._pending or not self._closing:
                if not self._pending:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                self._group, self._pending = self._pending, []
                statements = [statement for call in self._group for statement in call.statements]
                self._place.check()
                await self._connection.executemany(WHOLE_TRANSACTION, statements)
                if self.failure is not None:  # the file was found gone meanwhile, and everybody was told so
                    return
                self._committed()
        except asyncio.CancelledError:
            self._fail(JournalFailed(f"{self.path}: its writer was cancelled"))
            await self._connection.close()  # the loop is ending without close(): aiosqlite's thread must not outlive it
            raise
        except Exception as error:  # any error at all leaves the file behind what the engine believes: stop for good
            self._fail(_failed(self.path, error))

    def _committed(self) -> None:
        now = perf_counter()
        group, self._group = self._group, []
        self.transactions += 1
        for call in group:
            self.latency.add((now - call.started) * 1000)
            self.durable = max(self.durable, call.number)
            call.succeed()

    def _fail(self, failure: JournalFailed) -> None:
        self.failure = failure
        if self.on_failure is not None:
            self.on_failure(failure)
        calls, self._group, self._pending = self._group + self._pending, [], []
        for call in calls:
            call.fail(failure)


def _retrieved(waiter: "asyncio.Future[None]") -> None:
    """Mark a failure as seen: one that nobody waits for reaches ``on_failure``, and need not be warned of again."""
    if not waiter.cancelled():
        waiter.exception()


async def open_writer(
    path: Path,
    schema: Sequence[str],
    door: Door,
    *,
    application_id: int,
    user_version: int,
    oldest: int = 0,
    upgrades: Mapping[int, Sequence[UpgradeStep]] | None = None,
) -> Writer:
    """Open or create the database at ``path`` for its one writer.

    ``schema`` is run at every start, so its statements must be repeatable (``CREATE ... IF NOT EXISTS``). The file is
    made 0600, missing folders 0700. ``application_id`` (32 bits) tells our files from others', ``user_version`` their
    format; version 1 is the first, one before ``oldest`` is refused. ``upgrades``: by version, what brings a file of it to
    the next one; all or nothing.

    Raises:
        UsageError: not SQLite, another program's, a newer version or one too old, not writable, a directory, no space; names the file.
    """
    create_file(path)
    is_durable = door == "aio" or (isinstance(door, WatchedDoor) and door.durable)
    synchronous = "FULL" if is_durable else "OFF"
    try:
        connection = connect(path, isolation_level=None, factory=WriterConnection)
        try:
            version = check_identity(connection, path, application_id, user_version, oldest)
            apply_pragmas(connection, synchronous=synchronous)
            if is_durable:
                empty_log(connection)
            steps = sorted((upgrades or {}).items())
            missing = [statement for older, upgrade in steps if 0 < version <= older for statement in upgrade]
            create_tables(connection, schema, application_id, user_version, missing)
        except BaseException:  # the connection is not handed on
            connection.close()
            raise
        if door != "aio":
            return SyncWriter(path, connection, door if isinstance(door, WatchedDoor) else None)
        connection.close()
        return AioWriter(path, await _connect_aio(path, synchronous))
    except (*SQLITE_ERRORS, OSError) as error:
        raise refusal(path, error) from error


async def _connect_aio(path: Path, synchronous: str) -> aiosqlite.Connection:
    def connect_here() -> sqlite3.Connection:
        connection = connect(path, isolation_level=None, factory=WriterConnection, cached_statements=256)
        try:
            apply_pragmas(connection, synchronous=synchronous)
        except BaseException:  # the connection is not handed on
            connection.close()
            raise
        return connection

    return await aiosqlite.Connection(connect_here, iter_chunk_size=64)


def _failed(path: Path, error: BaseException) -> JournalFailed:
    if isinstance(error, JournalFailed):
        return error
    return JournalFailed(f"{path}: {error}: nothing more is written; free space or repair the disk, then start again")


def _again(failure: JournalFailed) -> JournalFailed:
    """A copy: one exception object raised in many tasks would gather all their tracebacks."""
    return JournalFailed(*failure.args)
