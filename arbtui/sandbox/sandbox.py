"""The whole sandbox: one simulated market, venues on their own ports, a control port, one durable ledger."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from arbtui.exchanges.feed import Frame
from arbtui.journal.database import open_reader
from arbtui.model.clock import Clock, SystemClock
from arbtui.model.errors import UsageError
from arbtui.model.market import FixedUnit, Market
from arbtui.model.money import ZERO, plain
from arbtui.model.rng import Rng
from arbtui.sandbox.account import Account
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.control import Control
from arbtui.sandbox.doors import door_of
from arbtui.sandbox.faults import WireFault, WireFaultKind, WireFaults
from arbtui.sandbox.front import Front
from arbtui.sandbox.keys import Key, play_key
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.order_log import OrderLog, OrderRecord
from arbtui.sandbox.venue import DAY_S, Premises, Venue
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.fees import FeeCoin
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.ledger import APPLICATION_ID, VERSION, VenueLedger
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.networks import simulated_terms
from arbtui.simulation.planted_gap import PlantedGap
from arbtui.simulation.played_venue import DEFAULT_VENUES, CrossQuotes, Quotes
from arbtui.simulation.venue import VenueCore

DEFAULT_PORT = 9100
HOST = "127.0.0.1"
_MARKET_FILE = "market.json"
_SAVE_EVERY_S = 10.0
Door = TypeVar("Door", bound=Venue)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The options of a sandbox. ``port`` is the control's, and those of ``venues`` follow in their order; 0 takes free ones."""

    port: int = DEFAULT_PORT
    symbols: int | Sequence[str] = 20
    venues: Sequence[str] = DEFAULT_VENUES
    config: SimulatorConfig = field(default_factory=SimulatorConfig)
    cross_quotes: CrossQuotes = field(default_factory=dict)  #: by venue, coins that others are traded against there
    state_dir: Path | None = None  #: None: a fresh temporary folder, deleted at the end
    keys: Mapping[str, Key] = field(default_factory=dict)  #: by venue, where it is not the one that is printed
    cut_after_s: float = DAY_S  #: seconds after which a venue closes a socket, where it does
    quotes: Quotes = field(default_factory=dict)  #: by venue, the currency of its markets, where it is not the usual one
    limits: bool = True  #: False: requests are counted and none is refused, for tests with many requests


class Sandbox:
    """A running sandbox; made by :func:`sandbox`."""

    def __init__(self, options: SandboxOptions, folder: Path, ledger: VenueLedger, clock: Clock, state: Mapping[str, Any] | None) -> None:
        self.options = options
        self.folder = folder
        self.ledger = ledger
        doors = {name: door_of(name) for name in options.venues}
        self.keys = {name: options.keys.get(name) or play_key(name, passphrase=door.wants_passphrase) for name, door in doors.items()}
        rng = Rng(options.config.seed)
        self.simulator = MarketSimulator(
            options.config, options.symbols, rng, clock, state, options.venues, options.cross_quotes, options.quotes
        )
        coins = {name: self.simulator.list_fee_coin(name) for name in doors}
        steps = {name: self.simulator.venues[name].fee_coin_step for name in doors}
        #: Of the venues that take fees in a coin of their own; its market is open whatever symbols are chosen, as at the real
        #: venue; fees are computed with its first price.
        self._fee_coins = {name: FeeCoin(coin.symbol, Decimal(coin.price), steps[name]) for name, coin in coins.items() if coin is not None}
        self.clocks = {name: VenueClock(clock) for name in doors}
        self.faults = {name: WireFaults(clock) for name in doors}
        self._markets = {name: dict(self.simulator.markets[name]) for name in doors}  # with the rules that are scripted now
        self.cores: dict[str, VenueCore] = {}
        self.venues: dict[str, Venue] = {}
        self._readers = []
        for name, door in doors.items():
            book_of = partial(self.simulator.book, name)
            core = self.cores[name] = VenueCore(name, self._markets[name], book_of, ledger, self.clocks[name])
            self._readers.append(open_reader(folder / "venue.db", APPLICATION_ID, VERSION))
            account, keys = Account(core, OrderLog(name, self._readers[-1])), {self.keys[name].key: self.keys[name]}
            premises = Premises(account, book_of, self.faults[name], self.clocks[name], keys, options.limits, options.cut_after_s)
            self.venues[name] = cast(Callable[[Premises], Venue], door)(premises)  # a door's own constructor takes nothing else
        self.fronts: dict[str, Front] = {}
        for place, (name, venue) in enumerate(self.venues.items(), 1):
            port = options.port + place if options.port else 0
            self.fronts[name] = Front(name, HOST, port, venue, self.faults[name], clock)
            self.simulator.attach(name, self.cores[name])
            self.faults[name].changed = partial(self._on_fault, name)
        self._transfers: set[asyncio.Task[None]] = set()
        self.control = Control(self, HOST, options.port)
        self._opened = asyncio.Event()
        self.ended = asyncio.Event()  #: set when the market task ends by itself, which is a defect

    @property
    def urls(self) -> dict[str, dict[str, str]]:
        """``[exchanges.NAME.urls]`` of a profile that uses this sandbox."""
        return {name: venue.urls(f"{HOST}:{self.fronts[name].port}") for name, venue in self.venues.items()}

    @property
    def control_url(self) -> str:
        """The URL of the control port."""
        return f"http://{HOST}:{self.control.port}"

    def door(self, kind: type[Door]) -> Door:
        """The door of that kind, for tests that look behind it."""
        return next(venue for venue in self.venues.values() if isinstance(venue, kind))

    def fault(self, fault: WireFault) -> None:
        """Script a fault, from now on.

        Raises:
            UsageError: it cannot be played, or names an unknown market.
        """
        if fault.venue not in self.cores:
            raise UsageError(f"fault: venue {fault.venue!r} is not played; there are {' and '.join(self.cores)}")
        if fault.symbol is not None and fault.symbol not in self.cores[fault.venue].markets:
            raise UsageError(f"fault: {fault.venue} has no market {fault.symbol} here")
        fault.check()
        self.faults[fault.venue].add(fault)

    def plant(self, gap: PlantedGap) -> None:
        """Open a gap.

        Raises:
            UsageError: its market is not played.
        """
        self.simulator.plant(gap)

    def announce(self, notice: PlayedNotice) -> str:
        """Let a venue publish a notice; its id.

        Raises:
            UsageError: no such venue, or one that tells none over its interface.
        """
        venue = self.venues.get(notice.venue)
        if venue is None:
            raise UsageError(f"notice: venue {notice.venue!r}; there are {', '.join(self.venues)}")
        return venue.announce(notice)

    async def deposit(self, venue: str, asset: str, amount: str) -> None:
        """Book a deposit of ``amount`` (negative: a withdrawal), as a transfer would.

        Raises:
            UsageError: an unknown venue, not an amount, or more than the free balance.
        """
        if venue not in self.cores:
            raise UsageError(f"deposit: venue {venue!r} is not played; there are {' and '.join(self.cores)}")
        try:
            change = Decimal(amount)
        except InvalidOperation:
            raise UsageError(f"deposit: {amount!r} is not an amount") from None
        if not change.is_finite() or change != round(change, 8) or self.ledger.free(venue, asset) + change < ZERO:
            raise UsageError(f"deposit: {amount} {asset} cannot be booked at {venue}, which has {self.ledger.free(venue, asset)} free")
        await self.ledger.deposit(venue, {asset: change}, "transfer", self.clocks[venue].time_ms())
        self.venues[venue].on_deposit(asset, change)

    async def transfer(
        self, asset: str, sender: str, receiver: str, amount: str, fee: str | None = None, minutes: float | None = None
    ) -> dict[str, Any]:
        """Take ``amount`` of ``asset`` from ``sender`` now, and pay it in at ``receiver``, less ``fee``, after ``minutes``.

        What is not told is that of the asset's network here. A sandbox that ends meanwhile forgets the payment.

        Raises:
            UsageError: an unknown venue, no amount, more than is free, or not more than the fee.
        """
        terms = simulated_terms(asset)
        wait_min = (terms.minutes or 0.0) if minutes is None else minutes
        try:
            kept = (terms.fee or ZERO) if fee is None else Decimal(fee)
            arrives = Decimal(amount) - kept
        except InvalidOperation:
            raise UsageError(f"transfer: amount {amount!r}, fee {fee!r}: not a number") from None
        if sender == receiver or receiver not in self.cores:
            raise UsageError(f"transfer: from {sender!r} to {receiver!r}; there are {' and '.join(self.cores)}, one to the other")
        if not (arrives.is_finite() and arrives > ZERO and kept >= ZERO and 0.0 <= wait_min <= 10_000.0):
            raise UsageError(f"transfer: {amount} {asset} less a fee of {kept} in {wait_min:g} min cannot be made")
        await self.deposit(sender, asset, str(-Decimal(amount)))
        task = asyncio.create_task(self._pay_in(receiver, asset, str(arrives), wait_min * 60), name="sandbox transfer")
        self._transfers.add(task)
        task.add_done_callback(self._transfers.discard)
        return {"asset": asset, "from": sender, "to": receiver, "left": amount, "arrives": plain(arrives), "minutes": wait_min}

    async def _pay_in(self, venue: str, asset: str, amount: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self.deposit(venue, asset, amount)

    def trades(self) -> Iterator[tuple[str, str]]:
        """(exchange, trade id) of every fill, as adapters must name them."""
        return ((name, trade_id) for name, venue in self.venues.items() for trade_id in venue.trade_ids())

    def order_id(self, venue: str, order: OrderRecord) -> str:
        """The venue's own id of an order, as its protocol has it."""
        return self.venues[venue].order_id(order)

    def health(self) -> dict[str, Any]:
        """The state of the sandbox itself, for the control port."""
        return {
            "status": "up",
            "symbols": len(self.simulator.prices()),
            "frames": self.simulator.messages,
            "skipped_s": round(self.simulator.skipped_s, 3),
            "urls": self.urls,
            "venues": {name: {"open": front.is_open, "requests": front.requests} for name, front in self.fronts.items()},
        }

    async def fund(self) -> None:
        """Book the starting balances of assets that were never held."""
        markets = {name: core.markets for name, core in self.cores.items()}
        balances = starting_balances(self.options.config, markets, self.simulator.prices())
        for name, core in self.cores.items():
            await core.open_account(balances[name])

    async def open(self) -> None:
        """Open the ports, once every market has a book.

        Raises:
            UsageError: a port is taken.
        """
        await self._opened.wait()
        await self.control.open()
        for front in self.fronts.values():
            await front.open()

    async def run(self) -> None:
        """Run the market until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.simulator.run(self._deliver), name="sandbox market")
                tasks.create_task(self._housekeep(), name="sandbox housekeeping")
        finally:
            self.ended.set()
            self._opened.set()

    async def close(self) -> None:
        """Close the ports, wait for orders under way, save the market's state."""
        await self.control.close()
        for task in list(self._transfers):
            task.cancel()
        for front in self.fronts.values():
            await front.close()
        for venue in self.venues.values():
            await venue.account.settle()
        self._save()
        for reader in self._readers:
            reader.close()

    def _deliver(self, frames: Sequence[Frame]) -> None:
        """One turn's frames, split by venue; depth snapshots are only for direct readers of the simulator."""
        mine: dict[str, list[bytes]] = {name: [] for name in self.venues}
        for frame in frames:
            if not frame.snapshot_of:
                mine[frame.exchange].append(frame.raw)
        for name, venue in self.venues.items():
            venue.on_frames(mine[name])
        if not self._opened.is_set() and all(venue.is_ready for venue in self.venues.values()):
            for venue in self.venues.values():
                venue.begin()
            self._opened.set()

    async def _housekeep(self) -> None:
        seconds = 0
        while True:
            await asyncio.sleep(1.0)
            seconds += 1
            for name, venue in self.venues.items():
                venue.housekeep()
                self._set_clock(name)
                self._set_rules(name)
                venue.apply_delay()
            if seconds % _SAVE_EVERY_S == 0:
                self._save()

    def _on_fault(self, venue: str, fault: WireFault | None) -> None:
        """Apply faults that act at once, rather than on a later request."""
        if fault is not None and fault.kind is WireFaultKind.CRASH and fault.seconds is not None:
            self.fronts[venue].crash(fault.seconds)
        elif fault is not None and fault.kind is WireFaultKind.SHUTDOWN:
            self.venues[venue].shut_down(fault.stream, fault.ms / 1000)
        elif fault is not None and fault.kind is WireFaultKind.DROP:
            self.venues[venue].cut(fault.stream)
        self._set_clock(venue)
        self._set_rules(venue)
        self.venues[venue].apply_delay()

    def _set_clock(self, venue: str) -> None:
        skew = self.faults[venue].find(WireFaultKind.CLOCK_SKEW)
        self.clocks[venue].skew_ms = skew.ms if skew is not None else 0

    def _set_rules(self, venue: str) -> None:
        faults, markets = self.faults[venue], self._markets[venue]
        for code, market in self.simulator.markets[venue].items():
            rules = faults.find(WireFaultKind.RULES, symbol=code)
            markets[code] = market if rules is None else _with_rules(market, rules)
        self.cores[venue].fee_coin = None if faults.find(WireFaultKind.FEE_COIN) is None else self._fee_coins.get(venue)

    def _save(self) -> None:
        """Save the market's state, so that prices and ids continue from it; atomically."""
        path = self.folder / _MARKET_FILE
        beside = path.with_suffix(".new")
        with suppress(OSError):  # only the market's state: a restart without it starts a new market, which is consistent too
            beside.write_text(json.dumps(self.simulator.state()), encoding="utf-8")
            beside.replace(path)


@asynccontextmanager
async def sandbox(options: SandboxOptions | None = None) -> AsyncIterator[Sandbox]:
    """A running sandbox: its ports are open and its market moves until the end of the block.

    For tests: ``SandboxOptions(port=0, symbols=3)`` takes free ports; :attr:`Sandbox.urls`, :attr:`Sandbox.cores` and
    :meth:`Sandbox.fault` are what a test needs.

    Raises:
        UsageError: a port is taken, or the state folder cannot be used.
    """
    options = options or SandboxOptions()
    async with AsyncExitStack() as stack:
        if options.state_dir is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arbtui-sandbox-", ignore_cleanup_errors=True)))
        else:
            folder = options.state_dir
        ledger = await VenueLedger.open(folder / "venue.db", "aio")
        stack.push_async_callback(ledger.close)
        running = Sandbox(options, folder, ledger, SystemClock(), _read_state(folder))
        stack.push_async_callback(running.close)
        await running.fund()
        task = asyncio.create_task(running.run(), name="sandbox")
        stack.push_async_callback(_stop, task)
        await running.open()
        yield running
        if task.done():
            await task


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _read_state(folder: Path) -> dict[str, Any] | None:
    path = folder / _MARKET_FILE
    try:
        if not path.exists():
            return None
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}): move it away; a new market is started then") from None
    return state


def _with_rules(market: Market, rules: WireFault) -> Market:
    """``market`` with the rules of a fault."""
    return replace(
        market,
        price_units=market.price_units if rules.tick is None else FixedUnit(Decimal(rules.tick)),
        lot_step=market.lot_step if rules.lot_step is None else Decimal(rules.lot_step),
        min_cost=market.min_cost if rules.min_cost is None else Decimal(rules.min_cost),
    )
