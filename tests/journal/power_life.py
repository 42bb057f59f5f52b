"""A life of a journal that a power cut may end anywhere, and what must be there afterwards of all that was reported done."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from arbtui.journal.events import AlertQueued, Event, FillRecorded, Killed, OrderIntended, Rearmed
from arbtui.journal.journal import Journal
from arbtui.journal.reader import reading
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.model.halt import archive_flag, read_flag, write_flag
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import SNAPSHOT_KEY, fold, restore
from tests.disk.log import DiskLog, Names, Told
from tests.journal.synthetic import FixedClock, SyntheticRun

MODE = "live"


def journal_of(root: Path) -> Path:
    """The journal of the profile at ``root``."""
    return root / "profile" / MODE / "journal.db"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Reported durable: the event ``seq`` with its hash, client ids of intents, ids of fills, kills; and whether the flag stands."""

    seq: int = 0
    hash: bytes = b""
    orders: tuple[str, ...] = ()
    fills: tuple[str, ...] = ()
    kills: int = 0
    alerts: tuple[str, ...] = ()
    flag: bool | None = None


@dataclass
class Life:
    """One run of a journal on the disk of ``log``: ``cycles`` cycles with snapshots, tips, alerts, kills; it tells what is durable."""

    log: DiskLog
    cycles: int
    failures: list[JournalFailed] = field(default_factory=list)  #: what the journal's ``on_failure`` was told
    after_failure: list[str] = field(default_factory=list)  #: what was acknowledged after that: nothing may be
    refused: str = ""  #: why it could not be opened
    on_failure: Callable[[], object] = lambda: None  #: called at the first failure
    failed_at: int = 0  #: the place in the log by then

    def play(self) -> None:
        """All of it; it ends early when the journal fails."""
        asyncio.run(self._play())

    async def _play(self) -> None:
        path, clock = journal_of(self.log.root), FixedClock()
        try:
            self._journal = journal = await Journal.open(path, clock=clock, door="aio")
        except UsageError as error:
            self.refused = str(error)
            return
        journal.on_failure = self._failed
        try:
            state, portfolio = restore(path)
            journal.fold = ProjectingPortfolio(portfolio)
            with suppress(JournalFailed):
                await self._trade(SyntheticRun(f"r{state.runs + 1}"), portfolio, clock)
        finally:
            await journal.close()

    def _failed(self, failure: JournalFailed) -> None:
        self.failures.append(failure)
        self.failed_at = len(self.log.ops)
        self.on_failure()

    async def _commit(self, *groups: Sequence[Event], tip: bool = False) -> None:
        """Record each group, then wait for all of them: they may share a transaction. ``tip``: it is written meanwhile."""
        journal = self._journal
        waits = [journal.record(*group) for group in groups]
        if tip:
            await self._keep_tip()
        for wait in waits:
            await wait
        if self.failures:
            self.after_failure.append(type(groups[0][0]).__name__)
        events = [event for group in groups for event in group]
        self.log.tell(
            Acknowledged(
                journal.seq,
                journal._last_hash,
                tuple(event.client_order_id for event in events if isinstance(event, OrderIntended)),
                tuple(event.fill.trade_id for event in events if isinstance(event, FillRecorded)),
                sum(isinstance(event, Killed) for event in events),
                tuple(event.alert_id for event in events if isinstance(event, AlertQueued)),
            )
        )

    async def _keep_tip(self) -> None:
        with suppress(OSError):  # the old one stands; a run tells it, and tries again
            await self._journal.keep_tip()

    async def _trade(self, run: SyntheticRun, portfolio: Portfolio, clock: FixedClock) -> None:
        journal, folder = self._journal, self.log.root / "profile"
        await self._commit(run.start())
        for number in range(self.cycles):
            clock.now_ms += 100
            await self._commit(run.intents(number))
            await self._commit(run.fill(number, 0), run.fill(number, 1), tip=number % 2 == 0)
            await self._commit(run.end(number))
            if number % 3 == 1:
                await journal.snapshot({SNAPSHOT_KEY: portfolio.dump()})
                await self._keep_tip()
            if number % 5 == 2:
                await self._commit([AlertQueued(f"{run.run_id}-{number}", "CRIT", "TEST", "of the test")])
            if number % 4 == 3:
                with suppress(OSError):  # who kills is told then that the halt may not outlive the process
                    write_flag(folder, "console", "of the test", clock.time_ms())
                    self.log.tell(Acknowledged(flag=True))
                await self._commit([Killed("console", "of the test", 1)])
                await self._keep_tip()
                await self._commit([Rearmed("person", "of the test")])
                self.log.tell(Acknowledged(flag=False))  # from here on it may be gone
                with suppress(OSError):
                    archive_flag(folder)
        await self._commit(run.stop())


def lost(root: Path, told: Sequence[Acknowledged]) -> str:
    """What a start at ``root`` lacks of what was acknowledged, or why it refuses; empty when all is there, and the fold agrees."""
    path = journal_of(root)
    flags = [one.flag for one in told if one.flag is not None]
    if flags and flags[-1] and read_flag(root / "profile") is None:
        return "an acknowledged kill has no flag"

    async def start() -> tuple[int, dict[int, bytes]]:
        journal = await Journal.open(path, clock=FixedClock(), door="sync")
        await journal.close()
        with closing(sqlite3.connect(path)) as db:
            return journal.seq, dict(db.execute("SELECT seq, hash FROM event"))

    try:
        seq, hashes = asyncio.run(start())
        remembered, portfolio = restore(path)
        with reading(path) as db:
            again = fold(path, db, Portfolio(), remembered.seq)
    except UsageError as error:
        return f"the start refuses: {error}"
    if portfolio.encode() != again.encode():
        return "a restart and the fold of all events differ"
    for one in told:
        if one.seq and hashes.get(one.seq) != one.hash:
            return f"event {one.seq} was durable, and the file ends at {seq}" if one.seq > seq else f"event {one.seq} is another one"
    with closing(sqlite3.connect(path)) as db:
        orders = {row[0] for row in db.execute("SELECT client_order_id FROM order_")}
        fills = {row[0] for row in db.execute("SELECT trade_id FROM fill")}
        alerts = {row[0] for row in db.execute("SELECT alert_id FROM alert")}
        (kills,) = db.execute("SELECT count(*) FROM kill WHERE action = 'killed'").fetchone()
    for one in told:
        missing = {*one.orders} - orders or {*one.fills} - fills or {*one.alerts} - alerts
        if missing:
            return f"acknowledged, and in no table: {', '.join(sorted(missing))}"
    return "" if kills >= sum(one.kills for one in told) else "an acknowledged kill is not in the journal"


@dataclass(slots=True)
class Cuts:
    """What power cuts have shown. ``found``: seed and place of each that lost something, and what."""

    done: int = 0
    acknowledged: int = 0
    found: list[str] = field(default_factory=list)


def chosen_places(log: DiskLog, random: Random, count: int) -> list[int]:
    """Places in ``log`` at which the power fails, in order: anywhere, and as often just after somebody relies on something."""
    sharp = [place + 1 for place, op in enumerate(log.ops) if isinstance(op, Told | Names)]
    return sorted(random.choice(sharp) if random.random() < 0.5 else random.randrange(1, len(log.ops) + 1) for _ in range(count))
