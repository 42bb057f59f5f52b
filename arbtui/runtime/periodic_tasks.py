"""What must be done again and again while a run goes on: streams, flag, snapshots, positions, gauges."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from shutil import disk_usage
from typing import Any

from arbtui.engine.engine import Engine
from arbtui.engine.machine_watch import MachineSample, RecentCommits
from arbtui.failover.reconcile_report import ReconcileReport
from arbtui.failover.reconciler import Reconciler
from arbtui.journal.archiver import Archiver
from arbtui.journal.config import JournalConfig
from arbtui.journal.reader import is_damage
from arbtui.model.clock import iso_ms
from arbtui.model.errors import JournalFailed, UsageError
from arbtui.monitoring.resources import ResourceSample
from arbtui.risk.breach import Severity
from arbtui.runtime.freed_memory import EVERY_S as _MEMORY_S
from arbtui.runtime.freed_memory import give_back_free_pages
from arbtui.runtime.loop_stall import record_stall
from arbtui.runtime.summary import Run
from arbtui.runtime.venues import Venues
from arbtui.settings.mode_file import write_reconciliation
from arbtui.settings.requests import pending
from arbtui.views.live import EngineViews
from arbtui.views.open_fx import read_open_fx

log = logging.getLogger("arbtui")

_HOUSEKEEPING_S = 0.1
#: Between two tips of the journal, in seconds; one is also written with each snapshot, a kill, and the end.
_TIP_S = 5.0
#: Between two tellings of how the accounts compare, in seconds.
_TOLD_S = 5.0
_LEFT_OPEN_S = 2.0
#: MB of the journal's write-ahead log beyond which a person is told: it cannot be taken up while somebody reads an old state of the file.
_LOG_MOST_MB = 64.0
_ARCHIVES_S = 5.0
#: After an archive that could not be written, in seconds.
_ARCHIVES_AGAIN_S = 600.0


class PeriodicTasks:
    """The periodic work of one run."""

    def __init__(
        self,
        engine: Engine,
        views: EngineViews,
        venues: Venues,
        run: Run,
        reconciler: Reconciler,
        accounts: ReconcileReport,
        journal: JournalConfig,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._engine = engine
        self._views = views
        self._venues = venues
        self._run = run
        self._reconciler = reconciler
        self._accounts = accounts
        self._progress = progress
        self._snapshot_every_s, self._keep_events = journal.snapshot_interval_s, journal.keep_events
        self._snapshot_at = 0.0
        self._commits = RecentCommits()
        self._counted, self._counted_at = 0, engine.components.clock.monotonic()
        self._began = self._counted_at
        run.resources.on_sample = self.sampled
        run.lag.on_stall = partial(record_stall, engine.breaches)

    def work(self, *, real_time: bool) -> Sequence[tuple[str, Coroutine[Any, Any, None]]]:
        """Named coroutines, one task each; the gauges measure a machine, so virtual time has none."""
        work = [("housekeeping", self._housekeeping()), ("snapshots", self._snapshots())]
        work += [("journal's file", self._journal_file()), ("journal's archives", self._archives())]
        work += [("left open", self._left_open()), ("wallets", self._engine.wallets.run()), ("markets", self._engine.markets.run())]
        if real_time:
            work += [("gauges", self._run.resources.run()), ("account report", self._tell_accounts()), ("free memory", _give_back_memory())]
        return work

    async def _housekeeping(self) -> None:
        while True:
            self._engine.housekeep()
            if self._progress is not None:
                self._progress(self._engine.components.clock.monotonic())
            for request, answer in pending(self._engine.components.halt.folder):
                engine = self._engine
                told = engine.operator.answer(request, engine.halt_detail, engine.cancel_began_ms)
                try:
                    answer(told)
                except OSError as error:  # a full disk, or no descriptor left: whoever asked hears nothing, and says so
                    log.warning("a request could not be answered: %s", error)
            await asyncio.sleep(_HOUSEKEEPING_S)

    async def _snapshots(self) -> None:
        clock = self._engine.components.clock
        while True:
            await asyncio.sleep(self._snapshot_every_s)
            try:
                self._views.gauge.snapshot_no = await self._engine.snapshot(self._venues.simulator_state())
            except JournalFailed:
                return  # the engine was told, and has closed the gate
            self._snapshot_at = clock.monotonic()
            await self._keep_tip()

    async def _journal_file(self) -> None:
        """Whether it is still the file that is written, ten times a second; and how far it goes, told outside of it."""
        clock, halt, journal = self._engine.components.clock, self._engine.components.halt, self._engine.components.journal
        epoch, due = halt.epoch, clock.monotonic() + _TIP_S
        while True:
            await asyncio.sleep(_HOUSEKEEPING_S)
            journal.look_at_file()
            if halt.epoch != epoch or clock.monotonic() >= due:
                self._look_at_log()
                await self._keep_tip()
                epoch, due = halt.epoch, clock.monotonic() + _TIP_S

    def _look_at_log(self) -> None:
        path = self._engine.components.journal.path
        with suppress(FileNotFoundError):
            size_mb = path.with_name(f"{path.name}-wal").stat().st_size / 1e6
            if size_mb > _LOG_MOST_MB:
                detail = f"{path.name}-wal has {size_mb:.0f} MB: a process holds an old state of the journal open, so it only grows"
                self._engine.breaches.record(Severity.WARN, "JOURNAL_LOG", "global", detail, "end whoever reads journal.db since long")

    async def _keep_tip(self) -> None:
        try:
            await self._engine.components.journal.keep_tip()
        except JournalFailed:
            return  # the engine was told, and has closed the gate
        except OSError as error:
            detail = f"{error.filename}: {error.strerror}: a journal that goes back to an older copy would not be noticed"
            self._engine.breaches.record(Severity.WARN, "TIP_UNWRITTEN", "global", detail, "tried again")

    async def _archives(self) -> None:
        """Move old events out of the journal's file."""
        engine = self._engine
        archiver = Archiver(engine.components.journal, self._keep_events, lambda: engine.fold_check.agreed_seq)
        while True:
            await asyncio.sleep(_ARCHIVES_S)
            try:
                await archiver.work()
                engine.fold_check.wanted = archiver.due
            except JournalFailed:
                return  # the engine was told, and has closed the gate
            except (OSError, UsageError) as error:
                if isinstance(error, UsageError) and is_damage(error):
                    engine.components.journal.fail(str(error))
                    return
                where = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
                engine.breaches.record(Severity.WARN, "ARCHIVE_UNWRITTEN", "global", f"{where}: the journal's file grows", "tried again")
                await asyncio.sleep(_ARCHIVES_AGAIN_S)

    async def _tell_accounts(self) -> None:
        """Leave for ``status`` how the accounts compare."""
        clock, journal = self._engine.components.clock, self._engine.components.journal
        while True:
            facts = {"run": self._engine.components.run_id, "ts": iso_ms(clock.time_ms()), **self._accounts.facts()}
            await journal.aside(partial(write_reconciliation, journal.path.parent, facts))
            await asyncio.sleep(_TOLD_S)

    async def _left_open(self) -> None:
        """Orders of earlier runs that the start could not resolve: ask again until they are."""
        run_id = self._engine.components.run_id
        with suppress(JournalFailed):  # the engine was told, and has closed the gate
            while any(order.run_id != run_id for order in self._engine.portfolio.open_orders):
                await asyncio.sleep(_LEFT_OPEN_S)
                self._engine.on_resolved(await self._reconciler.again(run_id, self._engine.executor.open))

    def sampled(self, sample: ResourceSample) -> None:
        """One second is over: refresh the gauges."""
        gauge, run, engine = self._views.gauge, self._run, self._engine
        now = engine.components.clock.monotonic()
        lag = run.lag.window()
        gauge.cpu_percent, gauge.rss_mb, gauge.fds = sample.cpu_percent, sample.rss_mb, sample.fds
        gauge.lag_p50_ms, gauge.lag_p99_ms, gauge.lag_max_ms = lag.p50, lag.p99, lag.max
        passed = now - self._counted_at
        gauge.messages_per_s = (run.update_metrics.updates - self._counted) / passed if passed > 0 else 0.0
        self._counted, self._counted_at = run.update_metrics.updates, now
        journal = engine.components.journal
        machine = MachineSample(lag.max, self._commits.look(journal.latency), disk_usage(journal.path.parent).free / 1e6)
        engine.machine.sampled(machine, now)
        stats = journal.stats
        gauge.journal_p50_ms, gauge.journal_p99_ms, gauge.journal_queue = stats.commit_p50_ms, stats.commit_p99_ms, stats.queue
        gauge.snapshot_age_s = now - self._snapshot_at if self._snapshot_at else 0.0
        gauge.venues = self._views.venues()
        gauge.open_fx = read_open_fx(engine)
        accounts = self._accounts
        gauge.accounts, gauge.accounts_fine = accounts.summary(engine.components.clock.time_ms()), accounts.is_fine and not accounts.found
        run.levels.look(now - self._began, sample.fds, lag.p99)
        gauge.cpu_history.append(gauge.cpu_percent)
        gauge.rss_history.append(gauge.rss_mb)
        gauge.lag_history.append(gauge.lag_p99_ms)
        gauge.messages_history.append(gauge.messages_per_s)


async def _give_back_memory() -> None:
    while True:
        await asyncio.sleep(_MEMORY_S)
        give_back_free_pages()
