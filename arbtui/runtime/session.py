"""One session: the console or headless, in real or virtual time, from the lock to the exit code."""

import asyncio
import gc
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import getcontext
from functools import partial

from arbtui import __version__
from arbtui.engine.engine import Engine
from arbtui.exchanges.feed import Deliver
from arbtui.failover.crash_detector import CrashDetector
from arbtui.failover.reconcile_report import ReconcileReport
from arbtui.failover.reconciler import Reconciled
from arbtui.failover.snapshot import simulator_of
from arbtui.failover.start_report import StartStep
from arbtui.journal.events import BreachAcknowledged, BreachRecorded
from arbtui.journal.journal import Journal
from arbtui.journal.sqlite_version import sqlite_facts
from arbtui.journal.state import JournalState, last_event_ms, refuse_foreign
from arbtui.journal.store import Door
from arbtui.model.book import OrderBook
from arbtui.model.clock import VIRTUAL_EPOCH_MS, Clock, LoopClock, SystemClock
from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError, JournalFailed, UsageError
from arbtui.model.halt import Halt, read_flag
from arbtui.model.money import DIGITS
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.monitoring.lag import LagProbe
from arbtui.monitoring.log import LogRing, close_logging, set_up_logging
from arbtui.monitoring.loop_profiler import ProfiledLoop
from arbtui.monitoring.resources import ResourceSampler, sampling_interval
from arbtui.portfolio.open_tables import check_open_tables
from arbtui.portfolio.past_cycles import PastCycle, past_cycles
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.breach import Severity
from arbtui.runtime.alert_channels import other_channels
from arbtui.runtime.arming import auto_resume, refuse_unarmed, resume_refusal, unclean
from arbtui.runtime.assemble import assemble
from arbtui.runtime.automatic_backups import AutomaticBackups
from arbtui.runtime.daily_digest import DailyDigest, DigestMaker
from arbtui.runtime.deadline import deadline
from arbtui.runtime.ending import end
from arbtui.runtime.freed_memory import give_back_large_buffers
from arbtui.runtime.garbage import keep_collections_short, short_collections
from arbtui.runtime.heartbeat_writer import HeartbeatWriter
from arbtui.runtime.operator_notifications import OperatorNotifications, open_notifications
from arbtui.runtime.patient_opening import open_patiently
from arbtui.runtime.periodic_tasks import PeriodicTasks
from arbtui.runtime.plan import Plan, session_plan
from arbtui.runtime.played_person import PlayedPerson
from arbtui.runtime.provenance import checkout_commit
from arbtui.runtime.running_accounts import running_reconciler
from arbtui.runtime.session_recorder import SessionRecorder
from arbtui.runtime.start_steps import StartSteps
from arbtui.runtime.startup import (
    accounts_of,
    halted,
    is_new,
    latch_again,
    reconciler_of,
    record_start,
    refuse_lost_journal,
    refuse_lost_venues,
    refuse_other_currency,
    take_up,
    tell_first_start,
)
from arbtui.runtime.stop import Stop, Stopped
from arbtui.runtime.summary import Run
from arbtui.runtime.update_metrics import UpdateMetrics
from arbtui.runtime.venues import Ground, Venues, refuse_unplayable, rss_mb
from arbtui.runtime.virtual_progress import VirtualProgress
from arbtui.settings.core_dump import forbid_core_dump
from arbtui.settings.heartbeat import Heartbeat
from arbtui.settings.kill_signal import KillSignal
from arbtui.settings.limits import limit_problems, limits_in_words
from arbtui.settings.lock import ProfileLock
from arbtui.settings.options import SessionOptions
from arbtui.settings.output import say, show_progress
from arbtui.settings.process import boot_id
from arbtui.settings.secrets import telegram_token
from arbtui.settings.state import keep_private, make_private, mode_folder, profile_folder
from arbtui.settings.traces import traces_left
from arbtui.settings.trust import refuse_untrusted
from arbtui.views.live import EngineViews

log = logging.getLogger("arbtui")

#: How long a start of a supervisor's waits for a command that journals on the stopped profile: one of a large journal takes seconds.
_LOCK_S = 60.0
#: How long open cycles may take to finish after the gate is closed for entries, and a recovery after it was told to stop, in seconds.
_DRAIN_S = 10.0
#: The same at the end of a run that was given a length: nothing of it is under way any more so long after.
_LAST_S = 5.0
#: Venues that will be silent to a start of a supervisor's for so long are told to the operator, in s; less is a network that comes up.
_SILENCE_TOLD_S = 20.0
_START_WAITS = "START_WAITS"
#: By then books and tapes have been filled; the garbage collector need not walk them again, in seconds.
_WARM_S = 3.0


def run_session(options: SessionOptions) -> int:
    """Run until stopped; the exit code of docs/interface.md.

    Raises:
        ArbtuiError: the session could not start; nothing was changed.
    """
    keep_private()
    settings = options.settings
    refuse_unarmed(options)
    if settings.mode == "live":
        forbid_core_dump()
    if settings.mode == "sim":
        refuse_unplayable(settings)
    name = settings.name
    virtual = options.speed == "max"
    token = None if virtual else telegram_token(settings)  # in virtual time nothing may wait for a socket, and nothing is news
    others = [] if virtual else other_channels(settings)
    refuse_untrusted(options.state_root, profile_folder(options.state_root, name))
    folder = make_private(profile_folder(options.state_root, name))
    with ProfileLock(folder, _LOCK_S if options.unattended else 0.0) as lock:
        cause = read_flag(folder)
        if cause is not None and options.headless and not options.unattended:
            raise UsageError(halted(name, cause))
        state_folder = make_private(mode_folder(options.state_root, name, settings.mode))
        traces = traces_left(folder, lock.left)
        return run_plan(session_plan(options, folder, state_folder, token, others, traces, waited=lock.waited_for))


def run_plan(plan: Plan) -> int:
    """Run ``plan`` in a loop of its own; the exit code."""
    try:
        lines = set_up_logging(plan.folder)
    except OSError as error:
        place = f"log {error.filename} cannot be written ({error.strerror or error})"
        raise UsageError(f"{place}; mend it, or name another --state-dir") from None
    halt = Halt(plan.folder)
    getcontext().prec = DIGITS
    give_back_large_buffers()
    loop = VirtualTimeLoop if plan.virtual else ProfiledLoop
    try:
        with short_collections(), KillSignal(plan.folder, halt), _heartbeat(plan) as heartbeat, asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(Session(plan, lines, halt, heartbeat).run())
    finally:
        close_logging()


def _heartbeat(plan: Plan) -> AbstractContextManager[Heartbeat]:
    """The heartbeat of a run; in virtual time nobody watches."""
    heartbeat = Heartbeat(plan.folder)
    return nullcontext(heartbeat) if plan.virtual else heartbeat


class Session:
    """Builds everything, runs it in one task group, and takes it down in order."""

    def __init__(self, plan: Plan, lines: LogRing, halt: Halt, heartbeat: Heartbeat | None = None) -> None:
        self._plan = plan
        self._halt = halt
        self._heartbeat = heartbeat or Heartbeat(plan.folder)
        self._settings = plan.settings
        self._lines = lines
        self._stop = Stop()
        self._notifications: OperatorNotifications | None = None
        self._tap: SessionRecorder | None = None
        self._serves_metrics = plan.settings.metrics.enabled and not plan.virtual  # in virtual time nothing may wait for a socket
        self._judges_rules = bool(plan.settings.alerts.rules) and not plan.virtual
        self._backups: AutomaticBackups | None = None  #: where the journal is backed up by itself
        self._ended_in_order = False
        self._steps: StartSteps
        self.accounts: ReconcileReport | None = None  #: how journal and venues compare, once it trades

    async def run(self) -> int:
        """The whole session; its exit code."""
        self._stop.on_signals(asyncio.get_running_loop())  # before anything is opened: a start, too, is ended in order
        self._tell_limits()
        path = self._plan.state_folder / "journal.db"
        venue_path = self._plan.state_folder / "venue.db"
        plays = self._settings.mode != "live"  # paper venues keep a ledger of their own beside the journal
        if plays:
            refuse_lost_journal(path, venue_path)
        clock: Clock = SystemClock()
        if self._plan.virtual:
            clock = self._plan.clock or LoopClock(asyncio.get_running_loop(), max(VIRTUAL_EPOCH_MS, last_event_ms(path) + 1000))
        if self._serves_metrics or self._judges_rules:
            import arbtui.runtime.metrics
            import arbtui.runtime.rule_watch  # noqa: F401  both now, not while the loop has something to do
        rng = Rng(self._settings.simulator.seed)
        salt = f"{rng.stream('salt').getrandbits(64):016x}" if self._plan.virtual else None
        baseline_mb = rss_mb()
        door: Door = self._plan.door if self._plan.virtual else "aio"
        steps = self._steps = StartSteps(self._plan)
        with steps.report.step("locks") as step:  # taken before anything else was done; those of the accounts follow with the venues
            step.result = f"profile {self._settings.name} is this process's"
            if self._plan.waited:
                step.result += f"; {self._plan.waited}"
                log.warning("%s", self._plan.waited)
        with steps.report.step("kill flag") as step:
            step.result = "stands" if self._halt.is_closed else "none"
        with steps.report.step("journal") as step:
            refuse_foreign(path, self._settings.name, self._settings.mode, self._plan.origins)
            if not plays and is_new(path):
                tell_first_start(self._settings.name, path)
            journal = await Journal.open(path, clock=clock, door=door, salt=salt)
            step.result = f"whole: every page and the hashes of {counted(journal.seq, 'event')}"
        try:
            with steps.report.step("alerts") as step:
                self._notifications = open_notifications(self._settings, journal, clock, self._plan.telegram, self._plan.channels)
                if self._notifications is not None:
                    self._notifications.load_early()
                step.result = (
                    "no channel"
                    if self._notifications is None
                    else f"{counted(self._notifications.waiting, 'alert')} of earlier runs to send"
                )
            with steps.report.step("last run") as step:
                remembered, portfolio = restore(path)
                check_open_tables(path, portfolio)
                journal.fold = ProjectingPortfolio(portfolio)
                steps.last = CrashDetector(self._plan.traces, boot_id()).judge(remembered.last_run, last_event_ms(path))
                step.is_fine, step.result = not steps.last.is_crash, steps.last.words
            refuse_other_currency(remembered, portfolio, self._settings)
            if plays:
                refuse_lost_venues(remembered, venue_path)
            latch_again(remembered, portfolio, self._halt)
            if self._halt.is_closed and self._plan.headless and not self._plan.unattended:
                raise UsageError(halted(self._settings.name, self._halt.cause))
            left_in = tuple(dict.fromkeys((order.intent.exchange, order.intent.market) for order in portfolio.open_orders))
            new_coins = frozenset(portfolio.state.notices.new_coins)
            ground = Ground(clock, rng, self._plan.state_folder, door, simulator_of(remembered.snapshot), left_in, new_coins)
            with steps.report.step("venues") as step:
                venues = await self._stop.unless(self._open_venues(ground, journal, remembered, step))
                step.is_fine = True
                step.result = f"{', '.join(venues.adapters)}: {counted(len(venues.symbols), 'symbol')}"
                step.result += "" if plays else "; accounts locked, rights proven"
            try:
                remembered.refuse_other_accounts(accounts_of(venues))
                if self._plan.record is not None:
                    self._tap = SessionRecorder(self._plan.record, list(self._settings.exchanges), clock)
                run_id = steps.run_id = f"r{remembered.runs + 1}"
                seed = self._settings.simulator.seed if venues.simulator is not None else None
                await record_start(
                    journal, self._settings, run_id, self._plan.origins, accounts_of(venues), seed, portfolio, clock.time_ms()
                )
                return await self._trade(clock, journal, remembered, portfolio, venues, run_id, baseline_mb)
            finally:
                if self._tap is not None:
                    self._tap.close()
                await venues.close()
        except Stopped:  # venues that do not answer, or orders whose end is not known yet: the next start goes on with them
            say("stopped before trading began")
            return 3 if portfolio.open_cycles or portfolio.open_orders else self._stop.code
        finally:
            try:
                if self._notifications is not None:
                    await self._notifications.close()
            finally:  # also when this is cancelled while alerts are sent
                await journal.close()
            if self._backups is not None and self._ended_in_order:
                await self._backups.at_stop()

    async def _open_venues(self, ground: Ground, journal: Journal, remembered: JournalState, step: StartStep) -> Venues:
        """Open them; where a supervisor has made this start, as soon as they answer, however long that takes."""
        waits = [breach.breach_id for breach in remembered.breaches if breach.kind == _START_WAITS]  # of starts that were stopped
        remembered.breaches[:] = [breach for breach in remembered.breaches if breach.kind != _START_WAITS]
        if self._plan.unattended:
            venues = await self._open_patiently(ground, journal, remembered, step, waits)
        else:
            venues = await self._plan.open_venues(ground)
        for breach_id in waits:
            await journal.commit(BreachAcknowledged(breach_id, "recovered"))
        return venues

    async def _open_patiently(
        self, ground: Ground, journal: Journal, remembered: JournalState, step: StartStep, waits: list[str]
    ) -> Venues:
        """``waits``: given the id of the breach that tells of a long silence."""
        began, is_told = ground.clock.monotonic(), False

        async def on_silence(error: ArbtuiError, again_s: float) -> None:
            nonlocal is_told
            self._steps.report.tell(step, f"{error}; asked again in {again_s:g} s", is_fine=False)
            say(f"{error}; asked again in {again_s:g} s")
            if is_told or ground.clock.monotonic() + again_s - began < _SILENCE_TOLD_S:
                return
            is_told = True
            run = remembered.last_run.run_id if remembered.last_run is not None else "r0"
            detail = f"the engine cannot start, nothing trades and nothing is hedged: {error}"
            waits.append(f"{run}-start-{ground.clock.time_ms()}")
            await journal.commit(BreachRecorded(waits[-1], Severity.CRIT, _START_WAITS, "global", detail, "asked again until they answer"))

        return await open_patiently(lambda: self._plan.open_venues(ground), on_silence)

    def _tell_limits(self) -> None:
        """Which limits hold, and which sizes can never pass them: warnings, since books can be watched all the same."""
        log.info("limits: %s", limits_in_words(self._settings))
        log.info("program: %s, commit %s, SQLite %s", __version__, checkout_commit() or "not known", sqlite_facts()["version"])
        for problem in limit_problems(self._settings):
            log.warning("%s", problem)
            if self._plan.headless:
                say(f"warning: {problem}")

    async def _trade(
        self,
        clock: Clock,
        journal: Journal,
        remembered: JournalState,
        portfolio: Portfolio,
        venues: Venues,
        run_id: str,
        baseline_mb: float,
    ) -> int:
        engine: Engine | None = None
        fingerprint = self._plan.fingerprint

        def on_books(books: Sequence[OrderBook]) -> None:
            if fingerprint is not None:
                fingerprint.on_books(books)
            if engine is not None:
                engine.decider.on_books(books)

        components = assemble(
            self._settings,
            run_id=run_id,
            clock=clock,
            halt=self._halt,
            journal=journal,
            adapters=venues.adapters,
            markets=venues.markets,
            symbols=venues.symbols,
            pairs=venues.pairs,
            on_books=on_books,
            request_snapshot=venues.feed.request_snapshot,
            portfolio=portfolio,
            top_check=self._plan.top_check,
            health=venues.health,
        )
        venues.attach(components.aggregator)
        if self._tap is not None:
            self._tap.watch(components.aggregator)
        open_cycles, open_orders = len(portfolio.open_cycles), len(portfolio.open_orders)
        wait_s = self._settings.execution.recovery_wait_s
        if self._settings.mode == "live" and open_orders:
            under_way = "orders that were" if open_orders > 1 else "order that was"
            say(f"asking the venues about {open_orders} {under_way} under way, for {wait_s:g} s at most")
        reconciled = await self._stop.unless(
            take_up(components, wait_s, self._steps.report, resumes=auto_resume(self._settings).resumes_cycles), _DRAIN_S
        )
        for unresolved in reconciled.unresolved:
            say(f"not resolved: {unresolved.why}; {unresolved.action}")
        log.info(
            "run %s of %s: %d routes, %d open cycles resolved",
            run_id,
            components.profile,
            len(components.universe.routes),
            open_cycles,
        )
        update_metrics = UpdateMetrics(components.aggregator, clock, None if self._plan.virtual else venues.due(components.aggregator))
        loop = asyncio.get_running_loop()
        lag, turns = LagProbe(loop), loop.turns if isinstance(loop, ProfiledLoop) else None
        resources = ResourceSampler(every_s=sampling_interval(self._plan.max_runtime_s))
        run: Run | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                engine = Engine(components, remembered, tasks)
                engine.decider.on_found = None if fingerprint is None else fingerprint.on_found
                journal.on_failure = self._journal_failed(engine)
                run = Run(self._settings, engine, update_metrics, lag, turns, resources, baseline_mb, self._plan.max_runtime_s)
                await self._until_stopped(run, reconciled, venues, tasks, past_cycles(journal.path))
        except* Exception as group:  # whatever broke, the gate went with the tasks: say it, save what can be saved, leave with a code
            for error in group.exceptions:
                log.error("the engine stopped: %r", error, exc_info=error)
                self._stop.fail(_cause(error))
        self._heartbeat.stopping()
        self._heartbeat.has_failed = self._stop.error is not None
        if run is None:
            raise self._stop.error or ArbtuiError("the engine could not be built")
        code = await end(run, self._plan, venues, self._stop, self._tap)
        self._ended_in_order = self._stop.error is None and journal.failure is None
        return code

    async def _until_stopped(
        self,
        run: Run,
        reconciled: Reconciled,
        venues: Venues,
        tasks: asyncio.TaskGroup,
        earlier: Sequence[PastCycle],
    ) -> None:
        engine, clock = run.engine, run.engine.components.clock
        views = EngineViews(engine, self._settings.mode.upper(), self._plan.scenario, self._lines, earlier, venues.limits)
        policy = auto_resume(self._settings)
        reconciler = reconciler_of(engine.components, 0.0, resumes=policy.resumes_cycles)
        accounts = running_reconciler(engine, live=self._settings.mode == "live")
        views.accounts = self.accounts = accounts.report
        progress = self._plan.progress or (VirtualProgress(self._plan.max_runtime_s).look if self._plan.virtual else None)
        periodic = PeriodicTasks(engine, views, venues, run, reconciler, accounts.report, self._settings.journal, progress)
        if not self._plan.headless:
            from arbtui.runtime.screen import show  # Textual is loaded for the console only

            screen = tasks.create_task(show(engine, views, self._settings.console, self._stop), name="console")
        if self._notifications is not None:
            self._notifications.attach(engine, views)
        live = self._settings.mode == "live"
        steps = self._steps
        assert steps.last is not None, "the journal was read"
        with steps.report.step("resume") as step:
            refusal = resume_refusal(self._plan, steps.last, reconciled)
            unresumed = policy.why_not_cycles(reconciled)
            engine.arm(reconciled, steps.last, unclean=unclean(reconciled, live=live), unconfirmed=refusal, unresumed=unresumed)
            step.is_fine = engine.state is TradingState.ARMED
            step.result = f"{engine.state}{f': {engine.portfolio.state.why}' if engine.portfolio.state.why else ''}"
        run.start = steps.facts()
        if self._plan.headless and not self._plan.virtual:
            routes = counted(len(views.routes), "route")
            why = f" ({engine.portfolio.state.why})" if engine.state is not TradingState.ARMED else ""
            if engine.state is TradingState.DISARMED:
                why += f", until arbtui rearm --profile {self._settings.name}"
            say(f"{engine.state}{why}: run {engine.components.run_id} of {engine.components.profile}, {routes}; Ctrl+C stops it")
        background = [tasks.create_task(work, name=name) for name, work in periodic.work(real_time=not self._plan.virtual)]
        if not self._plan.virtual:
            background.append(tasks.create_task(HeartbeatWriter(engine, views, self._heartbeat, live=live).run(), name="heartbeat"))
        if self._serves_metrics or self._judges_rules:
            from arbtui.runtime.metrics import RunMetrics  # the library is loaded where it is used only
            from arbtui.runtime.rule_watch import RuleWatch

            metrics = RunMetrics(run, views, self._notifications)
            if self._serves_metrics:
                background.append(tasks.create_task(metrics.serve(headless=self._plan.headless), name="metrics"))
            if self._judges_rules:
                inform = None if self._notifications is None else self._notifications.inform
                rules = RuleWatch(self._settings.alerts, metrics.recent, engine.breaches, inform)
                background.append(tasks.create_task(rules.run(), name="alert rules"))
        digest_at = self._settings.alerts.digest
        if digest_at and self._notifications is not None and not self._plan.virtual:
            desk = self._settings.desk
            digest = DailyDigest(clock, desk, digest_at, DigestMaker(engine, views, desk).text, self._notifications.inform)
            background.append(tasks.create_task(digest.run(), name="daily digest"))
        background.append(tasks.create_task(self._feed(venues, run.update_metrics), name="feed"))
        background.append(tasks.create_task(accounts.run(), name="accounts"))
        every_min = self._settings.journal.backup_interval_min
        if live and not self._plan.virtual and every_min:
            self._backups = AutomaticBackups(engine.components.journal.path, self._settings.journal.backup_hours)
            tell = partial(engine.breaches.record, Severity.WARN, "BACKUP_FAILED", "global", action=f"tried again in {every_min:g} min")
            background.append(tasks.create_task(self._backups.run(every_min * 60.0, tell), name="backups"))
        if venues.simulator is not None and venues.ledger is not None and self._settings.simulator.person == "auto":
            person = PlayedPerson(engine, venues.ledger, clock)
            background.append(tasks.create_task(person.run(), name="played person"))
        background.append(tasks.create_task(deadline(run, self._stop, virtual=self._plan.virtual), name="deadline"))
        if not self._plan.virtual:
            keep_collections_short()  # before anything trades: its pause is nobody's
            run.start_timing()
            asyncio.get_running_loop().call_later(_WARM_S, gc.freeze)  # without collecting it takes a microsecond
        await self._stop.wait()
        if self._plan.virtual:
            show_progress("")
        self._heartbeat.stopping()
        engine.notices.stop()
        engine.gate.closed_for_entries = True
        run.closed_at = clock.monotonic()
        log.info("stopping: %s", self._stop.reason)
        try:  # without a journal no cycle can end any more
            most_s = _LAST_S if self._stop.reason == "max_runtime" else _DRAIN_S
            async with asyncio.timeout(most_s if engine.components.journal.failure is None else 0.0):
                await engine.quiescence()
        except TimeoutError:
            log.error("%d cycles did not finish; the next start resolves them", len(engine.executor.open) + len(engine.settler.open))
            engine.abandon()
        run.drained_at = clock.monotonic()
        run.stop_timing()
        for task in background:
            task.cancel()
        if not self._plan.headless:
            screen.cancel()

    async def _feed(self, venues: Venues, update_metrics: UpdateMetrics) -> None:
        deliver: Deliver = update_metrics.deliver
        if self._plan.fingerprint is not None:
            deliver = self._plan.fingerprint.around(deliver)
        if self._tap is not None:
            deliver = self._tap.around(deliver)
        await venues.feed.run(deliver)
        self._stop.ask("end_of_data")

    def _journal_failed(self, engine: Engine) -> Callable[[JournalFailed], None]:
        def failed(failure: JournalFailed) -> None:
            log.critical("the journal failed, the gate is closed: %s", failure)
            engine.on_journal_failure(failure)
            if self._notifications is not None:
                self._notifications.journal_failed(failure)
            if self._plan.headless:
                self._stop.fail(failure)

        return failed


def _cause(error: BaseException) -> BaseException:
    """What broke first, out of the groups of tasks that it broke in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
