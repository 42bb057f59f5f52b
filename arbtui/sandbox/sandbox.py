"""The whole sandbox: one simulated market, two venues on their own ports, a control port, one durable ledger."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

from arbtui.exchanges.feed import Frame
from arbtui.journal.database import open_reader
from arbtui.model.clock import Clock, SystemClock
from arbtui.model.errors import UsageError
from arbtui.model.market import FixedUnit, Market
from arbtui.model.money import ZERO, plain
from arbtui.model.rng import Rng
from arbtui.sandbox.account import Account
from arbtui.sandbox.binance.venue import DAY_S, BinanceVenue
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.control import Control
from arbtui.sandbox.faults import VENUES, WireFault, WireFaultKind, WireFaults
from arbtui.sandbox.front import Front
from arbtui.sandbox.keys import DEFAULT_KEYS, Key
from arbtui.sandbox.order_log import OrderLog, OrderRecord
from arbtui.sandbox.upbit.names import order_uuid, trade_uuid
from arbtui.sandbox.upbit.venue import UpbitVenue
from arbtui.sandbox.venue import Venue
from arbtui.simulation.assets import Asset
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.fees import FeeCoin
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.ledger import APPLICATION_ID, VERSION, VenueLedger
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.matching import ExternalBook
from arbtui.simulation.networks import simulated_terms
from arbtui.simulation.simulated_market import SimulatedMarket
from arbtui.simulation.venue import VenueCore

DEFAULT_PORT = 9100
HOST = "127.0.0.1"
_MARKET_FILE = "market.json"
_SAVE_EVERY_S = 10.0
#: The coin in which Binance takes fees from accounts set that way. Its market is open whatever symbols are chosen, as at the real
#: venue; fees are computed with its first price.
_COIN = Asset("BNB", 5, 600.0)
_FEE_COIN = FeeCoin(_COIN.symbol, Decimal(600))


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The options of a sandbox. ``port`` is the control's, Upbit's is the next and Binance's the one after; 0 takes free ones."""

    port: int = DEFAULT_PORT
    symbols: int | Sequence[str] = 20
    config: SimulatorConfig = field(default_factory=SimulatorConfig)
    state_dir: Path | None = None  #: None: a fresh temporary folder, deleted at the end
    keys: Mapping[str, Key] = field(default_factory=lambda: DEFAULT_KEYS)  #: by venue
    cut_after_s: float = DAY_S  #: seconds after which Binance closes a socket
    limits: bool = True  #: False: requests are counted and none is refused, for tests with many requests


class Sandbox:
    """A running sandbox; made by :func:`sandbox`."""

    def __init__(self, options: SandboxOptions, folder: Path, ledger: VenueLedger, clock: Clock, state: Mapping[str, Any] | None) -> None:
        self.options = options
        self.folder = folder
        self.ledger = ledger
        self.simulator = MarketSimulator(options.config, options.symbols, Rng(options.config.seed), clock, state)
        self.simulator.list_fee_coin("binance")
        self.clocks = {name: VenueClock(clock) for name in VENUES}
        self.faults = {name: WireFaults(clock) for name in VENUES}
        self._markets = {name: dict(self.simulator.markets[name]) for name in VENUES}  # with the rules that are scripted now
        self.cores = {
            name: VenueCore(name, self._markets[name], partial(self.simulator.book, name), ledger, self.clocks[name]) for name in VENUES
        }
        self._readers = [open_reader(folder / "venue.db", APPLICATION_ID, VERSION) for _ in VENUES]
        accounts = {name: Account(self.cores[name], OrderLog(name, reader)) for name, reader in zip(VENUES, self._readers, strict=True)}
        keys = {name: {key.key: key} for name, key in options.keys.items()}
        books = {name: partial(self.simulator.book, name) for name in VENUES}
        self.upbit = UpbitVenue(
            accounts["upbit"],
            books["upbit"],
            self.faults["upbit"],
            self.clocks["upbit"],
            keys["upbit"],
            limits=options.limits,
        )
        self.binance = BinanceVenue(
            accounts["binance"],
            books["binance"],
            _update_id,
            self.faults["binance"],
            self.clocks["binance"],
            keys["binance"],
            limits=options.limits,
            cut_after_s=options.cut_after_s,
        )
        self.venues: dict[str, Venue] = {"upbit": self.upbit, "binance": self.binance}
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
        upbit, binance = (f"{HOST}:{self.fronts[name].port}" for name in VENUES)
        return {
            "upbit": {
                "rest": f"http://{upbit}",
                "stream": f"ws://{upbit}/websocket/v1",
                "private": f"ws://{upbit}/websocket/v1/private",
            },
            "binance": {"rest": f"http://{binance}", "stream": f"ws://{binance}/stream", "private": f"ws://{binance}/ws-api/v3"},
        }

    @property
    def control_url(self) -> str:
        """The URL of the control port."""
        return f"http://{HOST}:{self.control.port}"

    def fault(self, fault: WireFault) -> None:
        """Script a fault, from now on.

        Raises:
            UsageError: it cannot be played, or names an unknown market.
        """
        if fault.venue in self.cores and fault.symbol is not None and fault.symbol not in self.cores[fault.venue].markets:
            raise UsageError(f"fault: {fault.venue} has no market {fault.symbol} here")
        fault.check()
        self.faults[fault.venue].add(fault)

    async def deposit(self, venue: str, asset: str, amount: str) -> None:
        """Book a deposit of ``amount`` (negative: a withdrawal), as a transfer would.

        Raises:
            UsageError: an unknown venue, not an amount, or more than the free balance.
        """
        if venue not in self.cores:
            raise UsageError(f"deposit: venue {venue!r} is not played; there are {' and '.join(VENUES)}")
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
            raise UsageError(f"transfer: from {sender!r} to {receiver!r}; there are {' and '.join(VENUES)}, one to the other")
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
        """(exchange, trade id) of every fill, as adapters must name them: Binance's id with its symbol, Upbit's uuid."""
        for number in range(1, sum(self.upbit.account.log.rolled_up().values()) + 1):
            yield "upbit", trade_uuid(number)
        for fill in self.upbit.account.log.fills():
            yield "upbit", trade_uuid(fill.trade_id)
        for market, fills in self.binance.account.log.rolled_up().items():
            for number in range(1, fills + 1):
                yield "binance", f"{market}:{number}"
        for fill in self.binance.account.log.fills():
            yield "binance", f"{fill.market}:{self.binance.numbers.of(fill)}"

    def order_id(self, venue: str, order: OrderRecord) -> str:
        """The venue's own id of an order, as its protocol has it."""
        return order_uuid(order.number) if venue == "upbit" else str(order.number)

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
        mine: dict[str, list[bytes]] = {"upbit": [], "binance": []}
        for frame in frames:
            if not frame.snapshot_of:
                mine[frame.exchange].append(frame.raw)
        self.upbit.on_frames(mine["upbit"])
        if not self._opened.is_set() and self.upbit.has_every_book:
            for venue in self.venues.values():
                venue.begin()
            self._opened.set()
        self.binance.on_frames(mine["binance"])

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
            self.binance.shut_down(fault.stream, fault.ms / 1000)
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
        self.cores[venue].fee_coin = None if faults.find(WireFaultKind.FEE_COIN) is None else _FEE_COIN

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


def _update_id(book: ExternalBook) -> int:
    return book.update_id if isinstance(book, SimulatedMarket) else 0
