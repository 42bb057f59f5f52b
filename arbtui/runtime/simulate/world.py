"""What goes on without the engine: two simulated venues with their markets and ledgers, the network, and the faults' times."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from contextvars import Context, ContextVar, copy_context
from functools import partial
from pathlib import Path
from typing import Any

from arbtui.exchanges.feed import Deliver, Frame, MarketDataFeed
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.journal.store import Door
from arbtui.model.clock import LoopClock
from arbtui.model.market import Market
from arbtui.model.rng import Rng
from arbtui.runtime.simulate.disk import Disk
from arbtui.runtime.simulate.faults import Fault, FaultKind
from arbtui.runtime.simulate.network import Connection, Sender, SimulatedVenue
from arbtui.runtime.simulate.story import Story
from arbtui.runtime.venues import Ground, Venues, pairs_of, selection, with_fees
from arbtui.settings.profile import Settings
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.venue import VenueCore

#: The engine's process that a task belongs to: tasks are made in the context of the one that makes them. None: of the world.
PROCESS: ContextVar["Tasks | None"] = ContextVar("PROCESS", default=None)


class Tasks:
    """The tasks of one process of the engine, oldest first."""

    _PRUNE = 1000

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []
        self._prune_at = self._PRUNE

    def add(self, task: asyncio.Task[Any]) -> None:
        """A task was made."""
        self._tasks.append(task)
        if len(self._tasks) >= self._prune_at:
            self._tasks = self.alive()
            self._prune_at = len(self._tasks) + self._PRUNE

    def alive(self) -> list[asyncio.Task[Any]]:
        """Those that have not ended."""
        return [task for task in self._tasks if not task.done()]


def make_task(loop: asyncio.AbstractEventLoop, work: Any, *, context: Context | None = None, **options: Any) -> asyncio.Task[Any]:
    """The task factory of a simulation's loop: each task is listed with the process that it belongs to."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context, **options)
    process = PROCESS.get() if context is None else context.get(PROCESS)
    if process is not None:
        process.add(task)
    return task


class World:
    """Everything but the engine. Make it with :meth:`open`, inside the loop; :meth:`close` it there."""

    def __init__(
        self, settings: Settings, clock: LoopClock, story: Story, faults: Sequence[Fault], ledger: VenueLedger, disk: Disk
    ) -> None:
        self.clock = clock
        self.disk = disk  #: of the engine
        self.story = story
        self.faults = list(faults)  #: that have not fired yet, by time
        self.ledger = ledger
        self.venues: dict[str, SimulatedVenue] = {}
        self.settings = settings
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._tasks: dict[asyncio.Task[None], None] = {}
        self.deliver: Deliver | None = None  #: of the engine that is connected
        self.progress: Callable[[float], None] | None = None  #: told how far the clock is
        self.told: list[str] = []  #: messages that have reached the operator, in every life
        self.sent: dict[str, None] = {}  #: client ids of all orders that have left, in every life
        self._counting: dict[tuple[FaultKind, ...], tuple[Fault, int]] = {}
        rng = Rng(settings.simulator.seed)
        self.simulator = MarketSimulator(
            settings.simulator, selection(settings), rng, clock, None, list(settings.exchanges), settings.cross_quotes, settings.quotes
        )
        self.markets: dict[str, dict[str, Market]] = {
            name: with_fees(self.simulator.markets[name], settings.exchanges[name]) for name in settings.exchanges
        }

    @classmethod
    async def open(cls, settings: Settings, story: Story, faults: Sequence[Fault], path: Path, disk: Disk, door: Door = "sync") -> "World":
        """Build it; ``path``: of the venues' ledger, which no crash touches."""
        clock = LoopClock(asyncio.get_running_loop())
        story.clock = clock
        world = cls(settings, clock, story, faults, await VenueLedger.open(path, door), disk)
        rng = Rng(settings.simulator.seed)
        balances = starting_balances(settings.simulator, world.markets, world.simulator.prices())
        for name in settings.exchanges:
            venue = SimulatedVenue(name, rng.stream(f"network:{name}"), story, world.spawn, world.take)
            books = venue.books(partial(world.simulator.book, name))
            venue.core = VenueCore(name, world.markets[name], books, world.ledger, clock)
            venue.core.on_report = venue.on_report
            await venue.core.open_account(balances[name])
            world.simulator.attach(name, venue.core)
            world.venues[name] = venue
        world.spawn(world.simulator.run(world._delivered))
        for fault in faults:
            if fault.kind in (FaultKind.STREAM_CUT, FaultKind.NOT_FOUND, FaultKind.OUTAGE):
                world.spawn(world._trouble(fault))
        return world

    def connect(self, sender: Sender, ground: Ground) -> Venues:
        """A new process of the engine opens its connections."""
        adapters = {name: Connection(venue, sender) for name, venue in self.venues.items()}
        health = {name: ExchangeHealthMonitor(name, ground.clock, self.settings.health) for name in self.venues}
        symbols = list(self.simulator.prices())
        pairs = pairs_of(self.settings, self.markets, symbols)
        return Venues(_Feed(self), adapters, self.markets, symbols, None, pairs, health=health)

    def disconnect(self) -> None:
        """The engine's process is gone."""
        self.deliver = None
        for venue in self.venues.values():
            venue.account = venue.sender = None

    def take(self, kinds: Collection[FaultKind], venue: str = "") -> Fault | None:
        """The oldest fault of ``kinds`` whose time has come; it is out of the list then."""
        now = self._loop.time()
        for place, fault in enumerate(self.faults):
            if fault.at_s > now:
                return None
            if fault.kind in kinds and (not venue or fault.venue == venue):
                del self.faults[place]
                return fault
        return None

    def occasion(self, kinds: tuple[FaultKind, ...], only: Collection[FaultKind] = ()) -> Fault | None:
        """Something happened at which a fault of ``kinds`` may fire: the one whose turn it is. ``only``: which of them this may be."""
        counting = self._counting.pop(kinds, None)
        if counting is None:
            fault = self.take(kinds)
            if fault is None:
                return None
            counting = fault, fault.turn
        fault, left = counting
        if only and fault.kind not in only:
            self._counting[kinds] = counting
            return None
        if left > 1:
            self._counting[kinds] = fault, left - 1
            return None
        return fault

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run ``work`` in the world: it goes on when the engine's process is gone."""
        task = self._loop.create_task(work, context=self._context)
        self._tasks[task] = None
        task.add_done_callback(self._ended, context=self._context)
        return task

    async def close(self) -> None:
        """Stop everything and close the ledger."""
        for task in list(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(list(self._tasks))
        await self.ledger.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.story.check("the world goes on", False, f"{type(error).__name__}: {error}")

    def _delivered(self, frames: Sequence[Frame]) -> None:
        if self.deliver is not None:
            self.deliver(frames)

    async def _trouble(self, fault: Fault) -> None:
        """A fault that lasts."""
        await asyncio.sleep(fault.at_s - self._loop.time())
        venue = self.venues[fault.venue]
        self.faults.remove(fault)
        self.story.fire(fault.number, fault.kind, f"{fault.venue}: {fault.kind} for {fault.seconds:.1f} s")
        if fault.kind is FaultKind.NOT_FOUND:
            venue.blind_until = self._loop.time() + fault.seconds
        elif fault.kind is FaultKind.STREAM_CUT:
            venue.cut_stream(True)
            await asyncio.sleep(fault.seconds)
            venue.cut_stream(False)
        else:
            venue.core.on_outage(True)
            await asyncio.sleep(fault.seconds)
            venue.core.on_outage(False)


class _Feed(MarketDataFeed):
    """The engine's public streams: what the markets send while it is connected."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self, deliver: Deliver) -> None:
        """See :meth:`MarketDataFeed.run`."""
        world = self._world
        world.deliver = deliver
        for exchange, listed in world.markets.items():
            for code in listed:
                world.simulator.request_snapshot(exchange, code)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            if world.deliver is deliver:
                world.deliver = None

    def request_snapshot(self, exchange: str, code: str) -> None:
        """See :meth:`MarketDataFeed.request_snapshot`."""
        self._world.simulator.request_snapshot(exchange, code)
