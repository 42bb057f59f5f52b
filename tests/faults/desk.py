"""A whole live session against a sandbox in the same loop: real settings, sockets, ccxt and journal; faults by script.

Waits that are only waits are shortened where a test is not about them: a venue's proof of absence (``ABSENCE_S`` for 30 s),
the patience of its health (``recover_s`` and ``answer_window_s``), the frames until a stream's usual delay is known
(``LEARNING_FRAMES`` for 50) and the rest after a jump of a price (``JUMP_RESTS_S`` for 60 s). Everything else is as shipped.
"""

import asyncio
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from pydantic import SecretStr

from arbtui.engine.engine import Engine
from arbtui.execution.hedging import HedgeStep
from arbtui.execution.plan import CyclePlan
from arbtui.failover.reconcile_report import ReconcileReport
from arbtui.failover.reconciler import Reconciled
from arbtui.journal.events import CycleState, decode
from arbtui.marketdata import stream_delay
from arbtui.model.halt import Halt
from arbtui.model.money import DIGITS
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side, TimeInForce
from arbtui.monitoring.log import LogRing
from arbtui.monitoring.loop_profiler import ProfiledLoop
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.past_cycles import PastCycle
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk import guard
from arbtui.risk.breach import Breach
from arbtui.runtime.modes import origins
from arbtui.runtime.plan import Plan
from arbtui.runtime.real_venues import live_venues
from arbtui.runtime.session import Session
from arbtui.runtime.summary import Run
from arbtui.runtime.venues import Ground, Venues
from arbtui.sandbox.call import Call
from arbtui.sandbox.doors import door_of
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.sandbox.keys import play_key
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES

#: s that anything may take which happens at all, on a busy machine: only a hang takes longer.
DEADLINE_S = 150.0
#: s after which "not found" is believed here; 30 in earnest (``ABSENCE_PROOF_S``).
ABSENCE_S = 3.0
#: Frames of each socket before anything opens; what they have to show, the usual delay, is the same from the first on here.
LEARNING_FRAMES = 10
#: s that an asset rests after a jump; ``tests/engine/test_halts_and_blocks.py`` has the whole minute.
JUMP_RESTS_S = 2.0
#: s that an order rests where a test is about what ends it: longer than any test.
RESTS_S = 600.0
#: Symbols that the simulated market trades in about every second.
SYMBOLS = ("XRP", "SOL", "DOGE")

Who = tuple[str, str]  #: exchange, client order id

#: Where each venue takes a new order, and what it calls our id there.
ORDERS = {
    "upbit": ("/v1/orders", "identifier"),
    "binance": ("/api/v3/order", "newClientOrderId"),
    "okx": ("/api/v5/trade/order", "clOrdId"),
    "bitget": ("/api/v2/spot/trade/place-order", "clientOid"),
}


async def until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait for something that nobody announces."""
    try:
        async with asyncio.timeout(deadline_s):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


def play(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test in the loop, and with the decimal digits, that a session runs in."""

    with localcontext(prec=DIGITS), asyncio.Runner(loop_factory=ProfiledLoop) as runner:
        runner.run(main())


class _Session(Session):
    """A session that hands out what it is made of, and takes a stop from outside."""

    engine: Engine | None = None
    venues: Venues | None = None

    async def _until_stopped(
        self, run: Run, reconciled: Reconciled, venues: Venues, tasks: asyncio.TaskGroup, earlier: Sequence[PastCycle]
    ) -> None:
        self.engine, self.venues = run.engine, venues
        await super()._until_stopped(run, reconciled, venues, tasks, earlier)

    def stop(self) -> None:
        self._stop.ask("operator")


#: What a cycle may end with more or less of.
_MONEY = ("KRW", "USDT")


@dataclass
class Desk:
    """A sandbox, and at most one session against it."""

    box: Sandbox
    settings: Settings
    folder: Path  #: the profile's; the mode's is ``live`` below it
    absence_s: float
    telegram: SecretStr | None = None  #: the bot's token, where the operator is to be reached
    posts: Counter[Who] = field(default_factory=Counter)  #: new orders that reached a venue's port, whatever became of them
    session: _Session | None = None
    _running: "asyncio.Task[int] | None" = None

    async def start(self) -> None:
        """Start a session, and wait until it trades."""
        plan = Plan(
            self.settings,
            self.folder,
            self.folder / "live",
            self._open_venues,
            origins(self.settings),
            virtual=False,
            headless=True,
            max_runtime_s=None,
            json=None,
            scenario="sandbox",
            telegram=self.telegram,
        )
        plan.state_folder.mkdir(parents=True, exist_ok=True)
        session = self.session = _Session(plan, LogRing(), Halt(self.folder))
        self._running = asyncio.create_task(session.run(), name="session")
        await self.until(lambda: session.engine is not None, "the session started")
        await self.until(lambda: all(self.health().values()), "both venues are heard")

    async def stop(self) -> int:
        """End the session in order; its exit code."""
        assert self.session is not None
        assert self._running is not None
        self.session.stop()
        async with asyncio.timeout(DEADLINE_S):
            code = await self._running
        self._running = self.session = None
        return code

    @property
    def engine(self) -> Engine:
        """The running engine."""
        assert self.session is not None
        assert self.session.engine is not None
        return self.session.engine

    @property
    def accounts(self) -> ReconcileReport:
        """How the running session's journal and the venues compare."""
        assert self.session is not None
        assert self.session.accounts is not None
        return self.session.accounts

    @property
    def venues(self) -> Venues:
        """What the running engine trades at."""
        assert self.session is not None
        assert self.session.venues is not None
        return self.session.venues

    async def until(self, condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait for ``condition``; a session that ended by itself ends the wait, too."""

        def met() -> bool:
            if self._running is not None and self._running.done():
                raise AssertionError(f"the session ended ({self._running!r}) before: {what}")
            return condition()

        try:
            await until(met, what, deadline_s)
        except AssertionError as error:
            if self.session is not None and (engine := self.session.engine) is not None:
                error.add_note(f"{engine.state} {engine.halt_detail}; ended {dict(self.ended)}; open {list(engine.executor.open)}")
            raise

    def fault(self, venue: str, kind: WireFaultKind, **more: Any) -> WireFault:
        """Script a fault from now on; its ``met`` tells how often it has happened."""
        fault = WireFault(venue, kind, **more)
        self.box.fault(fault)
        return fault

    async def met(self, *faults: WireFault, times: int = 1) -> None:
        """Wait until each of ``faults`` has happened so often."""
        await self.until(lambda: all(fault.met >= times for fault in faults), f"{faults} happened {times} times")

    async def lost(self) -> str:
        """Wait until the fate of an order is unknown; its client id."""
        orders = self.engine.tracker.open
        await self.until(lambda: any(order.state is OrderState.UNKNOWN for order in orders.values()), "an order is UNKNOWN")
        return next(one for one, order in orders.items() if order.state is OrderState.UNKNOWN)

    @property
    def ended(self) -> Counter[CycleState]:
        """Cycles of this run that have ended, by how."""
        return Counter(
            {state: count for state, count in self.engine.portfolio.state.tally.outcomes.items() if state is not CycleState.OPEN}
        )

    async def cycles(self, count: int, state: CycleState | None = None, symbol: str = "") -> None:
        """Wait until ``count`` more cycles have ended (in ``state``, of ``symbol``, where given)."""
        engine = self.engine
        seen = {id(cycle) for cycle in engine.cycles.values() if cycle.state is not CycleState.OPEN}

        def new() -> int:
            found: Counter[CycleState] = Counter()
            for cycle in engine.cycles.values():
                if id(cycle) not in seen and cycle.state is not CycleState.OPEN and (not symbol or cycle.plan.route.symbol == symbol):
                    found[cycle.state] += 1
            return found.total() if state is None else found[state]

        await self.until(lambda: new() >= count, f"{count} more cycles {state or ''} {symbol}")

    def breaches(self, kind: str) -> list[Breach]:
        """What an operator was told of that ``kind``."""
        return [breach for breach in self.engine.breaches.breaches.values() if breach.kind == kind]

    def health(self) -> dict[str, bool]:
        """Whether each venue is fit to open something new at."""
        now = self.engine.components.clock.monotonic()
        return {name: guard.unfit(now) is None for name, guard in self.engine.risk.exchange.items()}

    async def healthy(self) -> None:
        """Wait until everything is well again by itself: both venues fit, ARMED, and a cycle has been hedged since."""
        await self.until(lambda: all(self.health().values()) and self.engine.state is TradingState.ARMED, "healthy by itself")
        await self.cycles(1, CycleState.HEDGED)

    def rest_next(self, venue: str, *, crossing: bool = False, for_s: float = 0.0) -> list[Order]:
        """Let the next cycle's leg at ``venue`` be an order that rests at half or twice its price, or fills at once and may rest.

        The legs of the product are immediate orders; this is how its cancels are met all the same. The list holds it once it is made.
        ``for_s``: s that it may rest beyond its deadline, at which it would be cancelled.
        """
        executor, made = self.engine.executor, list[Order]()
        whole = executor._order

        def is_unsent() -> bool:  # also when the gate refused the last one
            return not made or made[0].state in (OrderState.PLANNED, OrderState.ABANDONED)

        def order(cycle_id: str, plan: CyclePlan, orders: list[Order], step: HedgeStep) -> Order:
            one = whole(cycle_id, plan, orders, step)
            if is_unsent() and step.purpose is Purpose.ENTRY and step.hop.market.exchange == venue:
                is_low = (one.side is Side.BUY) is not crossing
                factor = (Decimal("0.98") if is_low else Decimal("1.02")) if crossing else (Decimal("0.5") if is_low else Decimal(2))
                one.tif, one.price = TimeInForce.GTC, one.market.price_down(one.price * factor)
                one.deadline += for_s
                made[:] = [one]
            return one

        executor._order = order  # type: ignore[method-assign]
        return made

    async def met_by(self, made: Sequence[Order], venue: str, kind: WireFaultKind, **more: Any) -> Order:
        """Let a fault meet the order that :meth:`rest_next` makes, once; that.

        Our own gate may drop it, as on a busy machine: what then comes first at ``venue`` is an order that covers the other leg.
        """
        while True:
            await self.settle()
            fault = self.fault(venue, kind, on="order", count=1, **more)
            self.resume()
            await self.met(fault)
            if made and self.posts[venue, made[0].client_order_id]:
                return made[0]

    async def resting(self, venue: str, for_s: float = RESTS_S) -> Order:
        """Wait until an order of a cycle rests at ``venue``, its other leg has filled, and all of that is known here.

        ``for_s``: as of :meth:`rest_next`.
        """
        core = self.box.cores[venue]
        while True:
            made = self.rest_next(venue, for_s=for_s)
            await self.until(lambda made=made: bool(made) and bool(core.open_orders()), "an order rests")  # type: ignore[misc]
            (order,) = made
            await self.until(lambda order=order: self._is_alone(order), "nothing else is open")  # type: ignore[misc]
            if self.engine.cycles[order.cycle_id].fills:
                return order
            # The other leg came too late for its price, as it may on a slow machine: this cycle covers nothing.
            await self.venues.adapters[venue].cancel(order.market.code, order.client_order_id)
            await self.until(lambda order=order: order.state.is_final, "it is cancelled")  # type: ignore[misc]

    def _is_alone(self, order: Order) -> bool:
        return order.state is OrderState.ACCEPTED and list(self.engine.tracker.open) == [order.client_order_id]

    def fill_at_venue(self, order: Order, qty: Decimal) -> None:
        """Others trade through a resting order, one price unit beyond it: ``qty`` of it fills."""
        unit = order.market.price_units.at(order.price)
        beyond = order.price - unit if order.side is Side.BUY else order.price + unit
        self.box.cores[order.market.exchange].on_trade(order.market.code, float(beyond), float(qty), order.side.opposite)

    async def settle(self) -> None:
        """Let nothing new open, and wait until nothing is open, here and at the venues, and all of it is durable."""
        engine = self.engine
        if engine.state is TradingState.ARMED:
            engine.operator.toggle_pause()
        portfolio = engine.portfolio  # those of an earlier run among them, which a start looks up on while it trades
        await self.until(
            lambda: not (engine.executor.open or engine.tracker.open or portfolio.open_orders or portfolio.open_cycles),
            "no cycle and no order is open",
        )
        await asyncio.gather(*(venue.account.settle() for venue in self.box.venues.values()))
        await engine.components.journal.commit()

    def resume(self) -> None:
        """End the pause of :meth:`settle`, which a restart keeps."""
        assert self.engine.state is TradingState.PAUSED
        self.engine.operator.toggle_pause()

    def ledger(self) -> dict[str, Any]:
        """The journal's own story."""
        return read_ledger(self.folder / "live" / "journal.db")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the journal holds of that kind of event, oldest first."""
        path = self.folder / "live" / "journal.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT type, version, payload FROM event WHERE type = ? ORDER BY seq", (kind,))
            return [msgspec.to_builtins(decode(*row)) for row in rows]

    def unknown(self) -> dict[str, dict[str, Any]]:
        """The orders whose fate was unknown for a while, as they ended, by client id; call it once settled."""
        ids = {event["client_order_id"] for event in self.events("OrderChanged") if event["state"] == "UNKNOWN"}
        return {row["client_order_id"]: row for row in self.ledger()["orders"] if row["client_order_id"] in ids}

    def sources(self, client_order_id: str) -> set[str]:
        """Where the journal has learned of an order's fills."""
        return {row["source"] for row in self.ledger()["fills"] if row["client_order_id"] == client_order_id}

    def venue_fills(self) -> dict[tuple[str, str], Fill]:
        """Every fill that the venues have, by exchange and trade id as adapters name it."""
        fills = [fill for venue in self.box.venues.values() for fill in venue.account.log.fills()]
        return dict(zip(self.box.trades(), fills, strict=True))

    async def agree(self, *, adjusted: bool = False) -> None:
        """Everything adds up; a running session is paused for it. ``adjusted``: balances were corrected by the venue's word before."""
        if self.session is not None:
            await self.settle()
        ledger, truth = self.ledger(), self.venue_fills()
        self._fills_agree(ledger, truth)
        self._orders_agree(ledger)
        self.balances_agree()
        self._cycles_agree(ledger, truth)
        assert adjusted or ledger["adjustments"] == []

    def _fills_agree(self, ledger: Mapping[str, Any], truth: Mapping[tuple[str, str], Fill]) -> None:
        booked = {(row["exchange"], row["trade_id"]): row for row in ledger["fills"]}
        assert len(booked) == len(ledger["fills"]), "a fill was booked twice"
        assert set(booked) == set(truth), "lost, or invented"
        fees: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for key, fill in truth.items():
            row = booked[key]
            told = tuple(row[name] for name in ("client_order_id", "market", "side", "fee_currency"))
            assert told == (fill.client_order_id, fill.market, fill.side.value, fill.fee_currency)
            assert tuple(Decimal(row[name]) for name in ("qty", "price", "cost")) == (fill.qty, fill.price, fill.cost)
            fees[fill.client_order_id][0] += Decimal(row["fee"])
            fees[fill.client_order_id][1] += fill.fee
        for ours, theirs in fees.values():  # Upbit tells an order's fee in sum only where it is asked
            assert ours == theirs

    def _orders_agree(self, ledger: Mapping[str, Any]) -> None:
        ours = {(row["exchange"], row["client_order_id"]): row for row in ledger["orders"]}
        assert len(ours) == len(ledger["orders"])
        final = {"FILLED", "CANCELED", "EXPIRED", "REJECTED", "ABANDONED"}
        assert {row["state"] for row in ours.values()} <= final, "an order is open or of unknown fate"
        assert set(self.posts.values()) <= {1}, f"sent twice: {[who for who, count in self.posts.items() if count > 1]}"
        assert set(self.posts) <= set(ours), "sent without an intent"
        for name, venue in self.box.venues.items():
            accepted = Counter(order.client_order_id for order in venue.account.log.orders(None, limit=100_000))
            assert set(accepted.values()) <= {1}, "accepted twice"
            assert {(name, one) for one in accepted} <= set(self.posts)
            assert venue.account.log.open_orders() == []

    def balances_agree(self) -> None:
        """What the journal holds is what the venues hold, to the last digit."""
        ledger = self.ledger()
        ours = {
            (exchange, asset): Decimal(balance["free"]) + Decimal(balance["locked"])
            for exchange, assets in ledger["balances"].items()
            for asset, balance in assets.items()
        }
        theirs = {(name, asset): one.total for name, core in self.box.cores.items() for asset, one in core.balances().items()}
        assert {key: ours.get(key, Decimal(0)) for key in theirs} == theirs
        assert set(ours) <= set(theirs)

    def _cycles_agree(self, ledger: Mapping[str, Any], truth: Mapping[tuple[str, str], Fill]) -> None:
        """From the venues' own fills: a cycle is RESIDUAL where more than dust was left, and nowhere else."""
        cycle_of = {row["client_order_id"]: row["cycle_id"] for row in ledger["orders"]}
        fills: dict[str, list[Fill]] = defaultdict(list)
        for fill in truth.values():
            fills[cycle_of[fill.client_order_id]].append(fill)
        for cycle in ledger["cycles"]:
            mine = fills[cycle["id"]]
            assert cycle["state"] != "OPEN", f"cycle {cycle['id']} is open"
            assert (cycle["state"] in ("ABANDONED", "MISSED")) is not bool(mine), f"{cycle} has {len(mine)} fills"
            if all(leg["base"] in _MONEY for leg in cycle["legs"]):  # money for money leaves nothing one-sided
                assert cycle["state"] != "RESIDUAL", f"{cycle}"
                continue
            lots: dict[str, Decimal] = defaultdict(
                Decimal
            )  # under which what is left is dust: a lot, or an order's least value of what is spent
            for leg in cycle["legs"]:
                market = self.box.cores[leg["exchange"]].markets[leg["market"]]
                lots[market.base] = max(lots[market.base], market.lot_step)
                if market.quote not in _MONEY:
                    lots[market.quote] = max(lots[market.quote], market.min_cost, market.lot_step * Decimal(leg["price"]))
            left, largest = dict.fromkeys(lots, Decimal(0)), dict.fromkeys(lots, Decimal(0))
            for fill in mine:
                sign = 1 if fill.side is Side.BUY else -1
                for asset, change in ((fill.base, sign * fill.qty), (fill.quote, -sign * fill.cost), (fill.fee_currency, -fill.fee)):
                    if asset in left:
                        left[asset] += change
                for asset, amount in ((fill.base, fill.qty), (fill.quote, fill.cost)):
                    largest[asset] = max(largest.get(asset, Decimal(0)), amount)
            is_dust = all(one == 0 or (abs(one) < lots[asset] and abs(one) * 50 <= largest[asset]) for asset, one in left.items())
            assert (cycle["state"] == "RESIDUAL") is not is_dust, f"{cycle} leaves {left}"

    async def _open_venues(self, ground: Ground) -> Venues:
        venues = await live_venues(self.settings, ground)
        for adapter in venues.adapters.values():
            adapter.absence_proof_s = self.absence_s
        return venues

    def on_call(self, venue: str, call: Call) -> None:
        """Count what reaches a venue's port."""
        path, name = ORDERS[venue]
        if call.method != "POST" or call.path != path:
            return
        told = parse_qs(call.query + "&" + call.body.decode())[name][0] if venue == "binance" else json.loads(call.body)[name]
        self.posts[venue, told] += 1


@asynccontextmanager
async def desk(
    tmp_path: Path,
    symbols: Sequence[str] = SYMBOLS,
    *,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    absence_s: float = ABSENCE_S,
    simulator: SimulatorConfig | None = None,
    cross_quotes: Sequence[str] = (),
    telegram: SecretStr | None = None,
    start: bool = True,
    profile: str = "upbit-binance",
    venues: Sequence[str] = VENUES,
) -> AsyncIterator[Desk]:
    """A desk that trades; at the end its session is stopped, and must have ended in order.

    ``settings``: tables laid over the profile's. ``absence_s``: what the adapters take as proof of absence.
    ``cross_quotes``: of every venue. ``telegram``: the bot's token. ``profile``: a shipped one, or the path of one, with its ``venues``.
    """
    crosses = {name: list(cross_quotes) for name in venues}
    options = SandboxOptions(
        port=0,
        symbols=symbols,
        venues=venues,
        state_dir=tmp_path / "venues",
        config=simulator or SimulatorConfig(),
        cross_quotes=crosses,
    )
    async with sandbox(options) as box:
        with pytest.MonkeyPatch.context() as patch:
            for name in venues:
                key = play_key(name, passphrase=door_of(name).wants_passphrase)
                patch.setenv(f"ARBTUI_{name.upper()}_KEY", key.key)
                patch.setenv(f"ARBTUI_{name.upper()}_SECRET", key.secret)
                if key.passphrase:
                    patch.setenv(f"ARBTUI_{name.upper()}_PASSPHRASE", key.passphrase)
            patch.setattr(stream_delay, "_LEARNING_FRAMES", LEARNING_FRAMES)
            patch.setattr(guard, "_JUMP_RESTS_S", JUMP_RESTS_S)
            told: dict[str, Any] = {
                "mode": "live",
                "universe": {"symbols": list(symbols)},
                "health": {"recover_s": 0.5, "answer_window_s": 5.0},
                "exchanges": {name: {"urls": urls, "cross_quotes": crosses[name]} for name, urls in box.urls.items()},
            }
            for table, values in (settings or {}).items():
                told[table] = {**told.get(table, {}), **values}
            made = Desk(box, load_profile(profile, told), tmp_path / Path(profile).stem, absence_s, telegram)
            for name in venues:
                box.fronts[name].on_call = partial(made.on_call, name)
            if start:
                await made.start()
            try:
                yield made
            finally:
                if made.session is not None:
                    await made.stop()
