"""One life of the engine's process inside a simulated world: a whole session, from its start to its end or its crash.

A crash leaves the files as they are at that instant: they are copied then, and the next life starts on the copy. Nothing that the
dead process still does can be seen: its connections are cut, its files are nobody's, and its tasks are ended.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from pathlib import Path

from arbtui.engine.engine import Engine
from arbtui.failover.reconciler import Reconciled
from arbtui.journal.database import connect_read_only
from arbtui.journal.store import WatchedDoor
from arbtui.model.errors import ArbtuiError
from arbtui.model.halt import Halt
from arbtui.model.order import Order
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.past_cycles import PastCycle
from arbtui.portfolio.trading_state import TradingState
from arbtui.runtime.modes import origins
from arbtui.runtime.plan import Plan
from arbtui.runtime.session import Session
from arbtui.runtime.simulate.chat import SimulatedChat
from arbtui.runtime.simulate.checks import check_order, check_resume, check_standing
from arbtui.runtime.simulate.faults import COMMITS, EXECUTIONS, FLAGS, SENDS, Fault, FaultKind
from arbtui.runtime.simulate.world import PROCESS, Tasks, World
from arbtui.runtime.summary import Run
from arbtui.runtime.venues import Ground, Venues

MODE = "live"
#: The person at the desk looks so often, and acts on what has stood for so long, in seconds.
_LOOKS_EVERY_S, _ACTS_AFTER_S = 1.0, 6.0
#: What is quiet for so long has settled, in seconds: the venues' fills and balances have been asked for by then.
_QUIET_S = 3.0


class _WatchedHalt(Halt):
    """A halt at whose flag the process may crash."""

    def __init__(self, folder: Path, before: Callable[[], None], after: Callable[[], None]) -> None:
        super().__init__(folder)
        self._before, self._after = before, after

    def close(self, source: str, reason: str = "", ts_ms: int | None = None) -> bool:
        """See :meth:`Halt.close`."""
        self._before()
        closed = super().close(source, reason, ts_ms)
        self._after()
        return closed


class Life(Session):
    """One process. ``folder``: of the profile, with what earlier lives left in it; ``trades``: set while it trades."""

    def __init__(self, world: World, folder: Path, number: int, trades: asyncio.Event, *, settles: bool = False) -> None:
        self.world = world
        self.story = world.story
        self.settles = settles  #: nothing opens, and it ends when nothing is under way any more
        self.folder = folder
        self.number = number
        self.is_dead = False
        self.left_behind = folder  #: the files that the next life starts on
        self.down_s = 0.0  #: from its end to the next start
        self.over = asyncio.Event()  #: it crashed
        self.engine: Engine | None = None  #: once it trades
        self._trades = trades
        self.killed = False  #: a kill was acknowledged in this life, and not re-armed since
        self.tasks = Tasks()
        self._durable = 0
        self._reading: sqlite3.Connection | None = None
        plan = Plan(
            settings=world.settings,
            folder=folder,
            state_folder=folder / MODE,
            open_venues=self._connect,
            origins=origins(world.settings),
            virtual=True,
            headless=True,
            max_runtime_s=None,
            json=None,
            clock=world.clock,
            progress=world.progress or (lambda _: None),
            door=WatchedDoor(
                partial(self._at_commit, before=True),
                partial(self._at_commit, before=False),
                partial(self._at_tip, FaultKind.CRASH_BEFORE_TIP),
                partial(self._at_tip, FaultKind.CRASH_AFTER_TIP),
                durable=world.disk.durable,
            ),
            channels=(SimulatedChat(world),),
            confirmed=number == 1,  # later starts arm as their policy says
        )
        self._flag_fault: Fault | None = None
        self._crash_after_send: Fault | None = None
        halt = _WatchedHalt(folder, partial(self._at_flag, FaultKind.CRASH_BEFORE_FLAG), partial(self._at_flag, FaultKind.CRASH_AFTER_FLAG))
        super().__init__(plan, LogRing(), halt)

    @property
    def failure(self) -> BaseException | None:
        """What broke in it; None when it ended in order."""
        return self._stop.error

    @property
    def durable(self) -> int:
        """The last event that was reported durable before it ended."""
        return self._durable

    @property
    def journal(self) -> Path:
        """The journal's file in this life."""
        return self.folder / MODE / "journal.db"

    async def live(self) -> int | None:
        """The whole life: the session's exit code, or None after a crash. What it raises is the session's own."""
        context = copy_context()
        context.run(PROCESS.set, self.tasks)
        task = asyncio.get_running_loop().create_task(self.run(), context=context)
        crash = asyncio.ensure_future(self.over.wait())
        await asyncio.wait((task, crash), return_when=asyncio.FIRST_COMPLETED)
        crash.cancel()
        if self._reading is not None:
            self._reading.close()
        if not self.is_dead:
            self.world.disconnect()
            return task.result()
        while alive := self.tasks.alive():
            for one in alive:
                one.cancel()
            await asyncio.wait(alive, timeout=1.0)
        if not task.cancelled():
            task.exception()  # whatever it met after its death is of no interest
        return None

    def crash(self, fault: Fault, where: str, *, since_mark: bool = False) -> None:
        """The process is gone, now. ``since_mark``: or at any moment since the disk's mark."""
        if self.is_dead:
            return
        self.is_dead = True
        self._durable = 0 if self.engine is None else self.engine.components.journal.durable_seq
        self.story.fire(fault.number, fault.kind, f"the engine's process is gone {where}; down for {fault.down_s:.1f} s")
        self.down_s = fault.down_s
        self.left_behind = self.folder.with_name(f"life-{self.number + 1}")
        self.world.disk.leave(self.folder, self.left_behind, since_mark=since_mark)
        self.world.disconnect()
        self._trades.clear()
        self.over.set()

    def cut_off(self) -> None:
        """The story is over: an invariant broke."""
        if not self.is_dead:
            self.is_dead = True
            self.world.disconnect()
            self._trades.clear()
            self.over.set()

    def end(self, down_s: float = 0.0) -> None:
        """Tell it to end, as SIGTERM does."""
        self.down_s = down_s
        self._stop.ask("operator")

    def kill(self, fault: Fault | None) -> None:
        """A person kills from the console. ``fault``: crashes at the flag."""
        if self.engine is None or self.is_dead:
            return
        self._flag_fault = fault if fault is not None and fault.kind in FLAGS else None
        self.engine.kill_switch.kill("console", "simulated")
        self._flag_fault = None
        if not self.is_dead:
            self.killed = True

    # what the connections tell

    def sends(self, order: Order) -> None:
        """See :class:`Sender`."""
        fault = None if self.is_dead else self.world.occasion(SENDS)
        if fault is not None and fault.kind is FaultKind.CRASH_BEFORE_SEND:
            self.crash(fault, f"just before it sends {order.client_order_id}")
        self._crash_after_send = fault if fault is not None and fault.kind is FaultKind.CRASH_AFTER_SEND else None
        if not self.is_dead and self.engine is not None:
            check_order(self.story, self.engine, order, self._reader(), self.world)

    def _reader(self) -> sqlite3.Connection:
        """Reads the journal's file beside its writer."""
        if self._reading is None:
            self._reading = connect_read_only(self.journal, isolation_level=None)
        return self._reading

    def has_sent(self, order: Order) -> None:
        """See :class:`Sender`."""
        if self._crash_after_send is not None:
            self.crash(self._crash_after_send, f"just after it has sent {order.client_order_id}")

    def executed(self, exchange: str, client_order_id: str) -> None:
        """See :class:`Sender`."""
        fault = None if self.is_dead or self.engine is None else self.world.occasion(EXECUTIONS)
        if fault is not None:
            self.crash(fault, f"just after {exchange} has executed {client_order_id}")

    # what the files tell

    def _at_tip(self, kind: FaultKind) -> None:
        if self.is_dead or self.engine is None:
            return
        before = kind is FaultKind.CRASH_BEFORE_TIP
        if before:
            self.world.disk.mark()
        fault = self.world.take((kind,))
        if fault is not None:
            self.crash(fault, f"just {'before' if before else 'after'} the journal's tip is written", since_mark=not before)

    def _at_commit(self, *, before: bool) -> None:
        if self.is_dead or self.engine is None:
            return
        if before:
            self.world.disk.mark()
        fault = self.world.occasion(COMMITS, (FaultKind.CRASH_BEFORE_COMMIT if before else FaultKind.CRASH_AFTER_COMMIT,))
        if fault is not None:
            self.crash(
                fault,
                f"just {'before' if before else 'after'} a commit (event {self.engine.components.journal.seq})",
                since_mark=not before,
            )

    def _at_flag(self, kind: FaultKind) -> None:
        if self._flag_fault is not None and self._flag_fault.kind is kind:
            self.crash(
                self._flag_fault, f"at a kill, just {'before' if kind is FaultKind.CRASH_BEFORE_FLAG else 'after'} its flag is written"
            )
            self.killed = kind is FaultKind.CRASH_AFTER_FLAG

    async def _connect(self, ground: Ground) -> Venues:
        return self.world.connect(self, ground)

    async def _until_stopped(
        self, run: Run, reconciled: Reconciled, venues: Venues, tasks: asyncio.TaskGroup, earlier: Sequence[PastCycle]
    ) -> None:
        engine = self.engine = run.engine
        found = f"{reconciled.orders} orders looked up, {reconciled.fills} fills booked"
        self.story.note(f"start {self.number}: {found}, {len(reconciled.unresolved)} unresolved")
        self._trades.set()
        if self.settles:
            engine.gate.closed_for_entries = True
        person = tasks.create_task(self._wait_for_the_end(engine) if self.settles else self._person(engine), name="person")
        try:
            await super()._until_stopped(run, reconciled, venues, tasks, earlier)
        finally:
            person.cancel()

    async def _person(self, engine: Engine) -> None:
        """Whoever sits at the desk: acknowledges what is one-sided, arms again what was disarmed or killed."""
        if self.number > 1:
            check_resume(self.story, engine, self._reader(), self._settings.failover.resume)
        since, last = self.world.clock.monotonic(), engine.state
        while True:
            await asyncio.sleep(_LOOKS_EVERY_S)
            check_standing(self.story, engine)
            now, state = self.world.clock.monotonic(), engine.state
            if state is not last:
                self.story.note(f"the engine is {state} ({engine.portfolio.state.why or engine.halt_detail})")
                since, last = now, state
            idle = state in (TradingState.DISARMED, TradingState.HALTED, TradingState.HALTED_DIRTY)
            if idle and now - since > _ACTS_AFTER_S:
                since = now
                for breach in list(engine.breaches.breaches.values()):
                    if breach.kind == "RESIDUAL":
                        engine.operator.acknowledge(breach.id)
                why = engine.operator.rearm(self._settings.name, "simulated", engine.components.halt.kills)
                if why is None:
                    self.killed = False
                    self.story.note("the person arms it again")

    async def _wait_for_the_end(self, engine: Engine) -> None:
        portfolio, disturbed_at = engine.portfolio, self.world.clock.monotonic()
        while True:
            await asyncio.sleep(_LOOKS_EVERY_S)
            check_standing(self.story, engine)
            now = self.world.clock.monotonic()
            if portfolio.open_orders or portfolio.open_cycles or engine.sync.has_doubts:
                disturbed_at = now
            alerts_wait = self._notifications is not None and self._notifications.waiting
            if now - disturbed_at > _QUIET_S and not alerts_wait:
                self.end()


async def ended(life: Life) -> tuple[int | None, str]:
    """Run ``life``: its exit code and, where the session refused to start or broke, why."""
    try:
        return await life.live(), ""
    except ArbtuiError as error:
        return error.exit_code, str(error)
