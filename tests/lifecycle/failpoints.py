"""The program that dies at a named point: ``python -m tests.lifecycle.failpoints POINT NUMBER SIGNAL ARGUMENTS...``.

It gets SIGNAL (KILL, STOP), from inside, the NUMBERth time that it comes by POINT; ``none`` does nothing. The product knows no such
points: they are put around its functions here. So that a transaction and a checkpoint have a middle, SQLite's cache is a few pages, which
makes it write before the commit, and it checkpoints often. An order is proved absent after ``ABSENCE_S`` instead of 30 s: the sandbox loses
none.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from arbtui.cli import main
from arbtui.exchanges import ccxt_adapter, ccxt_client
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.execution.executor import CycleExecutor
from arbtui.execution.plan import CyclePlan
from arbtui.execution.tracker import OrderTracker
from arbtui.failover.start_report import StartStep
from arbtui.journal import database, journal, store
from arbtui.model.reason import Reason
from arbtui.runtime.start_steps import StartSteps

ABSENCE_S = 3.0
#: Names the variable with the file for :func:`tell_opened`.
OPENED = "FAILPOINTS_OPENED"
#: Pages that SQLite keeps in memory, and pages of the write-ahead log after which it checkpoints.
_PAGES = 10

Die = Callable[[], None]


class _Point:
    """Dies, or stops, when it is met for the ``number``th time."""

    def __init__(self, number: int, by: signal.Signals) -> None:
        self._left = number
        self._by = by

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._by)


def _in_transactions(kind: str, where: str, die: Die) -> None:
    """Die in a transaction that holds an event of ``kind``: after its row, before the commit, or after it."""
    whole = store.WriterConnection.executemany

    def executemany(self: Any, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        if sql is not store.WHOLE_TRANSACTION:
            return whole(self, sql, parameters)
        statements = list(parameters)
        if not any(_is_of(statement, kind) for statement in statements):
            return whole(self, sql, statements)

        def rows() -> Iterator[Any]:
            for statement in statements:
                yield statement
                if where == "inside" and _is_of(statement, kind):
                    die()
            if where == "before":
                die()

        done = whole(self, sql, rows())
        if where == "after":
            die()
        return done

    store.WriterConnection.executemany = executemany  # type: ignore[method-assign]


def _is_of(statement: tuple[str, tuple[Any, ...]], kind: str) -> bool:
    return statement[0] == journal._EVENT_ROW and statement[1][3] == kind


def _before_send(die: Die) -> None:
    """The gate has let an order through, and nothing of it has left."""
    whole = OrderTracker._last_look

    def last_look(self: OrderTracker, followed: Any) -> None:
        whole(self, followed)
        die()

    OrderTracker._last_look = last_look  # type: ignore[method-assign]


def _after_send(die: Die) -> None:
    """An order's bytes are the kernel's; the venue's answer is not here."""
    whole = ccxt_client._GatedRequest.write_bytes

    async def write_bytes(self: Any, *arguments: Any, **more: Any) -> None:
        await whole(self, *arguments, **more)
        if self.method == "POST" and not self.url.path.endswith("/test"):
            die()

    ccxt_client._GatedRequest.write_bytes = write_bytes  # type: ignore[method-assign]


def _after_answer(die: Die) -> None:
    """The venue has answered an order, and nothing of that is journaled."""
    whole = CcxtAdapter.place

    async def place(self: CcxtAdapter, *arguments: Any) -> Any:
        report = await whole(self, *arguments)
        die()
        return report

    CcxtAdapter.place = place  # type: ignore[method-assign,assignment]


def _before_tip(die: Die) -> None:
    """The journal is on disk, its tip is not."""

    def write_tip(*_: Any, **__: Any) -> None:
        die()

    journal.write_tip = write_tip  # type: ignore[attr-defined]


def _inside_tip(die: Die) -> None:
    """The new tip is on disk, and the old one is not replaced by it."""
    whole = Path.replace

    def replace(self: Any, target: Any) -> Any:
        if self.name.endswith(".tip.new"):
            die()
        return whole(self, target)

    Path.replace = replace  # type: ignore[method-assign]


def _step(name: str) -> Callable[[Die], None]:
    """In a start: a step has been done, and its end is not told."""

    def plant(die: Die) -> None:
        whole = StartSteps._on_change

        def on_change(self: StartSteps, step: StartStep) -> None:
            if step.name == name and step.result:
                die()
            whole(self, step)

        StartSteps._on_change = on_change  # type: ignore[method-assign]

    return plant


def _transaction(kind: str, where: str) -> Callable[[Die], None]:
    return lambda die: _in_transactions(kind, where, die)


POINTS: dict[str, Callable[[Die], None]] = {
    "intent, before its commit": _transaction("OrderIntended", "before"),
    "intent, inside its transaction": _transaction("OrderIntended", "inside"),
    "intent, after its commit": _transaction("OrderIntended", "after"),
    "before the send": _before_send,
    "after the send": _after_send,
    "after the answer": _after_answer,
    "fill, inside its transaction": _transaction("FillRecorded", "inside"),
    "fill, before its commit": _transaction("FillRecorded", "before"),
    "fill, after its commit": _transaction("FillRecorded", "after"),
    "end of a cycle, inside its transaction": _transaction("CycleEnded", "inside"),
    "snapshot, inside its transaction": _transaction("SnapshotTaken", "inside"),
    "snapshot, before its commit": _transaction("SnapshotTaken", "before"),
    "snapshot, after its commit": _transaction("SnapshotTaken", "after"),
    "tip, before it is written": _before_tip,
    "tip, before it replaces the old one": _inside_tip,
}
#: Steps of a start after which one that takes up what a crash left may die.
START_POINTS = ("journal", "venue lists")
_ALL: dict[str, Callable[[Die], None]] = {**POINTS, **{f"start, {name}": _step(name) for name in START_POINTS}, "none": lambda _: None}


def tell_opened(file: Path) -> None:
    """Append a line for each cycle that opens: the time now and of the oldest of its books, ms since the epoch, by the venues' clock."""
    whole = CycleExecutor.start

    def start(self: CycleExecutor, plan: CyclePlan, tasks: Any) -> Any:
        opened = whole(self, plan, tasks)
        if not isinstance(opened, Reason):
            with file.open("a") as lines:
                print(self._clock.time_ms(), min(book.ts_event for book in plan.route.books), file=lines)
        return opened

    CycleExecutor.start = start  # type: ignore[method-assign]


def plant(name: str, number: int, by: signal.Signals) -> None:
    """Put the point there, and make what the sandbox needs not be waited for short."""
    _ALL[name](_Point(number, by))
    whole = database.apply_pragmas

    def apply_pragmas(connection: sqlite3.Connection, *, synchronous: str) -> None:
        whole(connection, synchronous=synchronous)
        connection.execute(f"PRAGMA cache_size = {_PAGES}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES}")

    store.apply_pragmas = apply_pragmas  # type: ignore[attr-defined]
    ccxt_adapter.ABSENCE_PROOF_S = ABSENCE_S


if __name__ == "__main__":
    point, nth, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    del sys.argv[1:4]
    plant(point, nth, signal.Signals[f"SIG{name}"])
    if OPENED in os.environ:
        tell_opened(Path(os.environ[OPENED]))
    sys.exit(main())
