"""Plays one story: a seed, from the first start to the moment at which everything has settled."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from decimal import localcontext
from io import StringIO
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from arbtui.journal.events import Killed, Rearmed
from arbtui.journal.journal import Journal
from arbtui.journal.store import WatchedDoor
from arbtui.model.durable_folder import make_folders
from arbtui.model.halt import archive_flag, read_flag, write_flag
from arbtui.model.money import DIGITS
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.runtime.simulate.audit import RestartAudit, audit_alerts, audit_settled, digest
from arbtui.runtime.simulate.disk import Disk, KeptDisk
from arbtui.runtime.simulate.faults import FLAGS, Fault, FaultKind, draw
from arbtui.runtime.simulate.life import MODE, Life, ended
from arbtui.runtime.simulate.story import Story
from arbtui.runtime.simulate.world import World, make_task
from arbtui.runtime.venues import refuse_unplayable
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings

#: After the story's time one more life, in which nothing goes wrong, brings everything to its end, in seconds: the proof that an order
#: never came takes 10, and what a start could not resolve is asked for again every 10.
_SETTLES_S = 90.0
#: A person who was told that a start is refused looks for so long before they re-arm, in seconds.
_PERSON_S = 5.0
#: Faults that end the process, or its trading, at a time and not at an occasion.
_TIMED = (FaultKind.CRASH, FaultKind.CRASH_TURN, FaultKind.STOP, FaultKind.KILL, FaultKind.KILL_OUTSIDE, *FLAGS)
#: What a story of a few symbols must meet is near in turn: the limit of exposure, that of open cycles, cash and stock.
_NEAR: Sequence[Mapping[str, Any]] = (
    {"risk": {"global": {"max_unhedged": 260.0}, "exchange": {"max_in_flight_orders": 4, "max_unknown_orders": 2}}},
    {"risk": {"global": {"max_open_cycles": 2}, "exchange": {"max_unknown_orders": 2}}},
    {"simulator": {"stock_value": 450.0, "cash": {"KRW": 1_500_000.0, "USDT": 1000.0}}},
)

#: How later starts arm, in turn.
_POLICIES = ("manual", "clean", "always")


@dataclass(frozen=True, slots=True)
class StoryOptions:
    """One story. ``only``: the numbers of the faults that may fire, of all that the seed draws; None for all of them."""

    seed: int
    minutes: float
    symbols: int
    kinds: tuple[FaultKind, ...]
    only: tuple[int, ...] | None = None
    profile: str = "upbit-binance"


@dataclass(slots=True)
class Played:
    """A story that was played."""

    seed: int
    drawn: list[Fault]
    fired: Mapping[str, int]
    fired_numbers: list[int]
    checked: Mapping[str, int]
    starts: int
    crashes: int
    orders: int
    fills: int
    virtual_s: float
    wall_s: float
    cpu_wall_s: float  #: of this process
    journal_sha256: str  #: over all events of the journal, in order
    broken: tuple[str, str] | None = None  #: the invariant, and what was seen
    story: list[str] = field(default_factory=list)


def settings_of(options: StoryOptions) -> Settings:
    """The settings that a story runs under: the way of ``live``, with venues at this machine.

    Raises:
        UsageError: the profile is wrong, or names venues that the simulator does not play.
    """
    plain = load_profile(options.profile, {"mode": "sim", "universe": {"symbols": options.symbols}})
    refuse_unplayable(plain)
    venues = {
        name: {"urls": {"rest": "http://127.0.0.1:1", "stream": f"ws://127.0.0.1:1/{name}", "private": f"ws://127.0.0.1:1/{name}"}}
        for name in plain.exchanges
    }
    troubled = FaultKind.MARKET_TROUBLES in {fault.kind for fault in faults_of(options)}
    near = _NEAR[options.seed % len(_NEAR)]
    flags = {
        "mode": MODE,
        "exchanges": venues,
        "universe": {"symbols": options.symbols},
        **near,
        "failover": {"resume": _POLICIES[options.seed // len(_NEAR) % len(_POLICIES)]},
        "journal": {"keep_events": 100_000_000},  # its audits read every row of every table
        "simulator": {"seed": options.seed, "scenario": "crash" if troubled else "busy", **near.get("simulator", {})},
    }
    return load_profile(options.profile, flags)


def faults_of(options: StoryOptions) -> list[Fault]:
    """What goes wrong in a story."""
    venues = tuple(load_profile(options.profile, {"mode": "sim"}).exchanges)
    drawn = draw(options.seed, options.minutes * 60.0, venues, options.kinds)
    return [fault for fault in drawn if options.only is None or fault.number in options.only]


def play(
    options: StoryOptions, root: Path | None = None, disk: Disk | None = None, progress: Callable[[float], None] | None = None
) -> Played:
    """Play a story. ``root``: an empty folder that keeps its files, else a temporary one; ``disk``: else one that keeps all.

    ``progress``: told the virtual clock, in s, while it is played.
    """
    if root is None:
        with tempfile.TemporaryDirectory(prefix="arbtui-simulate-") as folder:
            return play(options, Path(folder), disk, progress)
    began, cpu = perf_counter(), process_time()
    with localcontext(prec=DIGITS), redirect_stderr(StringIO()), _Quiet() as errors, asyncio.Runner(loop_factory=_loop) as runner:
        played = runner.run(_Play(options, root, errors, disk or KeptDisk(), progress).run())
    played.wall_s, played.cpu_wall_s = perf_counter() - began, process_time() - cpu
    return played


class _StoryLoop(VirtualTimeLoop):
    """What a life asks of signals is not done: one from outside means the program, not the life, which the story would outlive."""

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: object) -> None:
        """Leaves ``sig`` to the program."""

    def remove_signal_handler(self, sig: int) -> bool:
        """There is none."""
        return False


def _loop() -> VirtualTimeLoop:
    loop = _StoryLoop()
    loop.set_task_factory(make_task)
    return loop


class _Errors(logging.Handler):
    """What nobody caught: asyncio says it in its log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


class _Quiet:
    """The log goes nowhere while a story is played, but for what asyncio says of exceptions that nobody caught."""

    def __enter__(self) -> _Errors:
        self._errors = _Errors()
        self._kept = {name: (log.handlers[:], log.propagate, log.level) for name, log in self._logs()}
        for name, log in self._logs():
            log.handlers[:] = [self._errors] if name == "asyncio" else [logging.NullHandler()]
            log.propagate = False
            log.setLevel(logging.ERROR)
        return self._errors

    def __exit__(self, *_: object) -> None:
        for name, log in self._logs():
            log.handlers[:], log.propagate, level = self._kept[name]
            log.setLevel(level)

    @staticmethod
    def _logs() -> Sequence[tuple[str, logging.Logger]]:
        return [(name, logging.getLogger(name)) for name in ("arbtui", "asyncio")]


class _Play:
    """The story while it is played."""

    def __init__(
        self, options: StoryOptions, root: Path, errors: _Errors, disk: Disk, progress: Callable[[float], None] | None = None
    ) -> None:
        self._progress = progress
        self._options = options
        self._root = root
        self._errors = errors
        self._disk = disk
        self._story = Story()
        self._faults = faults_of(options)
        self._life: Life | None = None
        self._trades = asyncio.Event()  # the life trades
        self._audit = RestartAudit(self._story, root / "venue.db")
        self._killed = False
        self._starts = self._crashes = 0

    async def run(self) -> Played:
        """All of it."""
        venue = self._root / "venue.db"
        self._world = world = await World.open(settings_of(self._options), self._story, self._faults, venue, self._disk)
        world.progress = self._progress
        length_s = self._options.minutes * 60.0
        folder = self._root / "life-1"
        for fault in [fault for fault in self._faults if fault.kind is FaultKind.MARKET_TROUBLES]:
            self._story.fire(fault.number, fault.kind, "the markets have gaps, halts, frozen and late streams, price spikes, outages")
        timed = world.spawn(self._end_lives())
        try:
            while world.clock.monotonic() < length_s and self._story.broken is None:
                folder = await self._live(folder, until_s=length_s)
            timed.cancel()
            world.faults.clear()
            if self._story.broken is None:
                self._story.note("the faults are over: one more start brings everything to its end")
                folder = await self._settle(folder)
            if self._story.broken is None:
                self._audit.look_at_all(folder / MODE / "journal.db")
                audit_settled(self._story, folder / MODE / "journal.db", venue)
                audit_alerts(self._story, folder / MODE / "journal.db", world.told)
        finally:
            await world.close()
        return self._played(folder / MODE / "journal.db", venue)

    async def _live(self, folder: Path, until_s: float, *, settles: bool = False) -> Path:
        """One life, until it ends, crashes or the time is over; the folder that the next one starts on."""
        world, story = self._world, self._story
        make_folders(folder / MODE)
        self._starts += 1
        life = self._life = Life(world, folder, self._starts, self._trades, settles=settles)
        life.killed = self._killed
        story.on_broken = life.cut_off
        timer = world.spawn(self._end_at(life, until_s))
        try:
            code, why = await ended(life)
        except Exception as error:  # whatever it is, the story ends with it
            story.check("the engine goes on", False, f"{type(error).__name__}: {error}")
            return folder
        finally:
            timer.cancel()
            self._life = None
            self._trades.clear()
        if story.broken is not None:
            return folder
        self._killed = life.killed
        self._crashes += life.is_dead
        folder = life.left_behind
        if code is not None:
            story.note(f"the engine has ended with code {code}{f': {why}' if why else ''}")
        if not life.is_dead:
            story.check("the engine goes on", life.failure is None, f"{type(life.failure).__name__}: {life.failure}")
            story.check("no exception is lost", not self._errors.said, "".join(self._errors.said[:1]))
        self._errors.said.clear()
        await asyncio.sleep(life.down_s)
        journal = folder / MODE / "journal.db"
        if not journal.exists() or not journal.stat().st_size:  # it was gone before anything was recorded
            return folder
        self._audit.look(journal, life.durable, killed=self._killed)
        if why or read_flag(folder) is not None:
            await asyncio.sleep(_PERSON_S)
            await self._rearm_stopped(folder, journal)
        return folder

    async def _settle(self, folder: Path) -> Path:
        """Start once more, let nothing open, and wait until nothing is under way."""
        return await self._live(folder, self._world.clock.monotonic() + _SETTLES_S, settles=True)

    async def _end_at(self, life: Life, at_s: float) -> None:
        await asyncio.sleep(at_s - self._world.clock.monotonic())
        if not life.is_dead:
            life.end()

    async def _end_lives(self) -> None:
        """Faults that come at a time: each as soon as an engine trades after it."""
        world = self._world
        for fault in [fault for fault in self._faults if fault.kind in _TIMED]:
            await asyncio.sleep(max(0.0, fault.at_s - world.clock.monotonic()))
            await self._trades.wait()
            assert self._life is not None, "it trades"
            world.faults.remove(fault)
            self._meet(fault, self._life)

    def _meet(self, fault: Fault, life: Life) -> None:
        story = self._story
        if fault.kind is FaultKind.CRASH:
            life.crash(fault, "at an instant")
        elif fault.kind is FaultKind.CRASH_TURN:
            self._world.spawn(self._crash_some_turns_later(fault, life))
        elif fault.kind is FaultKind.STOP:
            story.fire(fault.number, fault.kind, f"the engine is told to end, and started again {fault.down_s:.1f} s later")
            life.end(fault.down_s)
        elif fault.kind is FaultKind.KILL_OUTSIDE:
            story.fire(fault.number, fault.kind, "another process writes the kill flag")
            folder = life.left_behind if life.is_dead else life.folder  # it may have crashed at this very moment
            write_flag(folder, "cli", "simulated", self._world.clock.time_ms())
            life.killed = True
        else:
            if fault.kind is FaultKind.KILL:
                story.fire(fault.number, fault.kind, "a person kills from the console")
            life.kill(fault)

    async def _crash_some_turns_later(self, fault: Fault, life: Life) -> None:
        for _ in range(fault.turn * 7):
            await asyncio.sleep(0)
        life.crash(fault, f"{fault.turn * 7} turns of the loop later")

    async def _rearm_stopped(self, folder: Path, journal: Path) -> None:
        """What `arbtui rearm` does while no engine runs."""
        cause = read_flag(folder)
        portfolio = restore(journal)[1]
        if cause is None and not portfolio.state.killed:
            return
        door = WatchedDoor(lambda: None, lambda: None, durable=self._disk.durable)
        writer = await Journal.open(journal, clock=self._world.clock, door=door)
        try:
            writer.fold = ProjectingPortfolio(portfolio)
            if cause is not None and not portfolio.state.killed:
                await writer.commit(Killed(cause.source, cause.reason, 0))
            await writer.commit(Rearmed("person", "simulated", unchecked=True, overridden=("positions",)))
        finally:
            await writer.close()
        archive_flag(folder)
        self._killed = False
        self._story.note("the person re-arms it while it is stopped")

    def _played(self, journal: Path, venue: Path) -> Played:
        story = self._story
        fills = 0
        if journal.exists():
            fills = story.checked.get("I3 every fill of the venue is ours", 0)
        broken = None if story.broken is None else (story.broken.invariant, story.broken.detail)
        return Played(
            seed=self._options.seed,
            drawn=self._faults,
            fired={str(kind): times for kind, times in sorted(story.fired.items())},
            fired_numbers=sorted(set(story.fired_numbers)),
            checked=dict(sorted(story.checked.items())),
            starts=self._starts,
            crashes=self._crashes,
            orders=len(self._world.sent),
            fills=fills,
            virtual_s=self._world.clock.monotonic(),
            wall_s=0.0,
            cpu_wall_s=0.0,
            journal_sha256=digest(journal) if journal.exists() else "",
            broken=broken,
            story=story.lines() if broken is not None else [],
        )
