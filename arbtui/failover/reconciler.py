"""Makes the journal agree with the venues after a stop of any kind, before anything new opens.

The same path after a clean end and after ``kill -9``: orders that were not final are looked up by client id, their missing
fills are booked once, balances are compared, and every open cycle is ended by what its fills leave. A remainder is never
hedged here: where the resume policy allows it, a half done cycle is left open for the engine to go on with, at the prices of
then; else an operator decides. What cannot be resolved in time stays open, keeps its reservation, and is named; it never holds
up what it does not touch.
"""

import asyncio
import logging
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from itertools import count

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport, StandingOrder
from arbtui.execution.absence import AbsenceProof
from arbtui.failover.standing import list_standing
from arbtui.failover.start_report import StartReport
from arbtui.journal.events import (
    MARKET_GONE,
    Adjusted,
    BalanceOpened,
    CycleEnded,
    CycleState,
    Event,
    FillRecorded,
    OrderChanged,
    OrderIntended,
    Phase,
)
from arbtui.journal.journal import Journal
from arbtui.journal.known_orders import booked_fills, known_order
from arbtui.journal.open_items import adjusted_at, found_untold, is_taken_over, last_intended
from arbtui.model.clock import Clock
from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError, JournalFailed, MarketUnknown, UsageError
from arbtui.model.ids import is_ours
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, OrderState, TimeInForce, is_told_again
from arbtui.model.turns import Turns
from arbtui.portfolio.accounts import OrderRecord
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.position_sync import CrossExchangePositionSync, Mismatch

log = logging.getLogger("arbtui")

#: Between two look-ups of an order whose absence is not proved yet, in seconds.
_LOOK_UP_EVERY = 1.0
#: s that a start waits for an order of which the venue has answered, without saying what became of it: where its absence may be proved
#: by then, and where not. The rest must not wait for it.
_PATIENCE_S, _BRIEFLY_S = 3.0, 1.5
#: So often an orphan's cancel is tried.
_CANCELS = 3
#: ms before the last order at a venue from which fills are asked for that ended orders may have had.
_MISSED_MS = 3_600_000
#: Balances are read so often, so far apart (s), before a difference counts.
_READS, _APART_S = 3, 1.0


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An order whose fate a recovery could not find out. ``scope``: ``exchange:market``; ``disarms``: no other run could either."""

    client_order_id: str
    cycle_id: str
    scope: str
    why: str
    action: str
    disarms: bool


@dataclass(frozen=True, slots=True)
class Orphan:
    """An order made as ours are that stood at a venue, and that was cancelled: of a lost journal, or of another engine."""

    exchange: str
    order: StandingOrder
    why: str  #: why the venue has not confirmed that it is gone; empty when it has

    @property
    def is_gone(self) -> bool:
        """Whether the venue's own list holds it no more."""
        return not self.why


@dataclass(slots=True)
class Reconciled:
    """What a reconciliation found and did."""

    orders: int = 0  #: orders that were not final
    fills: int = 0  #: fills that the journal had missed
    cycles: dict[CycleState, int] = field(default_factory=dict)  #: open cycles, by how they ended
    residual: list[str] = field(default_factory=list)  #: ids of cycles that leave a position, and ended, or were filled, in it
    partial: list[str] = field(default_factory=list)  #: ids of half done ones that were left open, to be hedged on
    mismatches: list[Mismatch] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)  #: venues that could not be asked for orders or balances, and why
    orphans: list[Orphan] = field(default_factory=list)  #: orders of ours that stood at a venue and that no open order here explains
    foreign: list[StandingOrder] = field(default_factory=list)  #: orders of others, which are left alone
    opened: list[str] = field(default_factory=list)  #: venues whose balances are what the journal begins with
    #: ids of cycles that ``fills`` are of, and of those that starts which died before they armed had found
    filled: dict[str, None] = field(default_factory=dict)
    booked: list[Fill] = field(default_factory=list)  #: what ``fills`` counts

    @property
    def is_nothing(self) -> bool:
        """Whether journal and venues agreed, and nothing was open."""
        return not (
            self.orders
            or self.fills
            or self.cycles
            or self.residual
            or self.partial
            or self.mismatches
            or self.unresolved
            or self.unread
            or self.orphans
        )

    def in_words(self) -> str:
        """What was found, in a few counts; ``found nothing`` where that is so."""
        counts = [
            (self.orders, "order", "not final"),
            (self.fills, "fill", "missed"),
            (sum(self.cycles.values()), "cycle", "open"),
            (len(self.residual), "cycle", "one-sided"),
            (len(self.partial), "cycle", "half done"),
            (len(self.unresolved), "order", "unresolved"),
            (len(self.orphans), "orphan", "cancelled" if all(one.is_gone for one in self.orphans) else "found"),
            (len(self.mismatches), "balance", "disputed"),
            (len(self.unread), "venue", "not read"),
        ]
        told = [f"{counted(number, what)} {how}" for number, what, how in counts if number]
        return f"found {', '.join(told)}" if told else "found nothing"


class Reconciler:
    """Resolves what a journal left open against the venues.

    Args:
        sync: decides what a difference of balances means.
        wait_s: how long a start may wait for a venue that does not answer, in seconds. An order that the venue has answered about, and
            that is neither found nor proved absent within moments, is looked up on while the rest trades.
        report: told of each step of :meth:`run`.
        resumes: half done cycles are left open, and named, for the engine to go on with.
    """

    def __init__(
        self,
        *,
        adapters: Mapping[str, ExchangeAdapter],
        portfolio: Portfolio,
        marks: LiveMarks,
        sync: CrossExchangePositionSync,
        journal: Journal,
        clock: Clock,
        wait_s: float = 30.0,
        report: StartReport | None = None,
        resumes: bool = False,
    ) -> None:
        self._adapters = adapters
        self._portfolio = portfolio
        self._marks = marks
        self._sync = sync
        self._journal = journal
        self._clock = clock
        self._wait_s = wait_s
        self._resumes = resumes
        self._ask_s = max(wait_s, _LOOK_UP_EVERY)
        self._report = report or StartReport(clock.monotonic)
        self._proofs: dict[str, AbsenceProof] = {}  # of orders whose fate is not known yet, by client id: they go on where they stopped

    async def run(self) -> Reconciled:
        """Bring everything that is open to its end, as far as the venues tell.

        Raises:
            JournalFailed: as every commit.
        """
        orders = self._portfolio.open_orders
        done = Reconciled(orders=len(orders))
        began = self._clock.monotonic()
        with self._report.step("venue lists") as step:
            standing = await self._list_standing(done)
            step.is_fine = not done.unread
            step.result = ", ".join(f"{name} {len(found)} open" for name, found in standing.items()) or "none was read"
            step.result += "".join(f", {name} not read ({why})" for name, why in done.unread.items())
        with self._report.step("orders and fills") as step:
            results = await asyncio.gather(*(self._resolve(order, began + self._wait_s) for order in orders))
            for order, (fills, unresolved) in zip(orders, results, strict=True):
                _count(done, order, fills, unresolved)
            step.result = f"{counted(len(orders), 'order')} asked for, {counted(done.fills, 'fill')} booked"
        with self._report.step("unresolved") as step:
            step.is_fine = not done.unresolved
            step.result = "; ".join(one.why for one in done.unresolved) or "none"
        with self._report.step("orphans") as step:
            await self._clear_orphans(standing, done)
            step.is_fine = not done.orphans
            step.result = (
                ", ".join(f"{one.exchange} {one.order.client_order_id} {one.why or 'cancelled'}" for one in done.orphans) or "none"
            )
            step.result += f"; {counted(len(done.foreign), 'foreign order')} left alone" if done.foreign else ""
        with self._report.step("balances") as step:  # before cycles end: fills that it finds say how they do
            for name in self._adapters:
                await self._take_balances(name, done)
            step.is_fine = not (done.mismatches or done.unread)
            told = [f"{one.exchange} {one.asset} {plain(one.ours)} here, {plain(one.theirs)} there" for one in done.mismatches]
            told += [f"{name} not read ({why})" for name, why in done.unread.items()]
            step.result = "; ".join([*([f"{', '.join(done.opened)} opened"] if done.opened else []), *told]) or "as the journal held"
        with self._report.step("cycles") as step:
            done.filled |= found_untold(self._journal.path, self._portfolio.state.tally.run_id)
            await self._end_cycles(done)
            step.is_fine = not (done.residual or done.partial)
            ended = [f"{number} {state}" for state, number in done.cycles.items()]
            half_done = [f"{', '.join(done.partial)} half done, hedged on once armed"] if done.partial else []
            step.result = ", ".join([*ended, *half_done]) or "none was open"
        return done

    async def _list_standing(self, done: Reconciled) -> dict[str, Sequence[StandingOrder]]:
        """What stands at each venue. One that cannot be asked is named: that nothing stands there is not known."""
        found: dict[str, Sequence[StandingOrder]] = {}
        for name, adapter in self._adapters.items():
            try:
                async with asyncio.timeout(self._ask_s):
                    found[name] = await list_standing(adapter, self._journal.path)
            except (ArbtuiError, TimeoutError) as error:
                done.unread[name] = str(error) or "no answer"
        return found

    async def _clear_orphans(self, standing: Mapping[str, Sequence[StandingOrder]], done: Reconciled) -> None:
        """Cancel what is made as our orders are and open in no journal of ours; leave alone and name what is others'."""
        known = {order.intent.client_order_id for order in self._portfolio.open_orders}
        for name, orders in standing.items():
            for order in orders:
                if not is_ours(order.client_order_id):
                    done.foreign.append(order)
                elif order.client_order_id not in known:
                    done.orphans.append(Orphan(name, order, await self._cancel(name, order)))

    async def _cancel(self, name: str, order: StandingOrder) -> str:
        """Cancel an orphan; why the venue still lists it, or nothing once it does not."""
        adapter, why = self._adapters[name], ""
        for attempt in range(_CANCELS):
            if attempt:
                await asyncio.sleep(_LOOK_UP_EVERY)
            try:
                async with asyncio.timeout(self._ask_s):
                    await adapter.cancel_standing(order)
                    if order.venue_order_id not in {one.venue_order_id for one in await adapter.list_standing()}:
                        return ""
                why = "still listed"
            except (ArbtuiError, TimeoutError) as error:
                why = str(error) or "no answer"
        return why

    async def _cancel_left(self, adapter: ExchangeAdapter, intent: OrderIntended) -> str:
        """Cancel an order that an earlier run left open; what is to be said of that. Its end is for the next look-up to tell."""
        try:
            async with asyncio.timeout(self._ask_s):
                await adapter.cancel(intent.market, intent.client_order_id)
        except (ArbtuiError, TimeoutError) as error:
            return f", and its cancel is not confirmed ({str(error) or 'no answer'})"
        return ", and its cancel was sent"

    async def again(self, run_id: str, running: Container[str] = ()) -> Reconciled:
        """Look once more for what an earlier run left and the start could not resolve; ends the cycles that nothing holds open.

        ``running``: ids of cycles of earlier runs that are being hedged on.

        Raises:
            JournalFailed: as every commit.
        """
        done = Reconciled()
        for order in [order for order in self._portfolio.open_orders if order.run_id != run_id]:
            done.orders += 1
            _count(done, order, *await self._resolve(order, self._clock.monotonic()))
        still_open = {order.intent.client_order_id for order in self._portfolio.open_orders}
        done.unresolved = [one for one in done.unresolved if one.client_order_id in still_open]  # a person may have ended one meanwhile
        await self._end_cycles(done, run_id, running)
        return done

    async def _end_cycles(self, done: Reconciled, but_of: str = "", running: Container[str] = ()) -> None:
        """End every open cycle that no order holds open; those of the run ``but_of``, and ``running`` ones, end by themselves."""
        waiting, ended = {unresolved.cycle_id for unresolved in done.unresolved}, dict.fromkeys(done.filled)
        for cycle in list(self._portfolio.open_cycles):
            if cycle.id in waiting or cycle.run_id == but_of or cycle.id in running:
                continue
            if cycle.phase is Phase.IN_TRANSIT:  # its coins are on their way, or have come: the engine sells them
                continue
            if self._resumes and self._portfolio.left(cycle):
                done.partial.append(cycle.id)
                continue
            await self._journal.commit(CycleEnded(cycle.id, self._clock.time_ms(), "RECOVERED"))
            done.cycles[cycle.state] = done.cycles.get(cycle.state, 0) + 1
            ended[cycle.id] = None
        positions = {cycle.id for cycle in self._portfolio.positions}
        done.residual = [cycle_id for cycle_id in ended if cycle_id in positions]

    async def _resolve(self, order: OrderRecord, give_up_at: float) -> tuple[Sequence[Fill], Unresolved | None]:
        """Find out what became of ``order``: fills that were booked, and why it is unresolved where it is."""
        intent = order.intent
        scope = f"{intent.exchange}:{intent.market}"
        name = f"order {intent.client_order_id} ({intent.side} {intent.qty} {intent.base} at {intent.price})"
        adapter = self._adapters.get(intent.exchange)
        if adapter is None:
            action = f"put [exchanges.{intent.exchange}] back into the profile and start again"
            return (), Unresolved(intent.client_order_id, intent.cycle_id, scope, f"{name}: the profile has no such venue", action, True)
        proof = self._proofs.get(intent.client_order_id)
        if proof is None:
            market = _Market(intent.market, intent.base, intent.quote)
            proof = AbsenceProof(adapter, self._clock, self._portfolio, market, intent, order.intended_ms, self._ahead_ms())
            self._proofs[intent.client_order_id] = proof
        patient_until = give_up_at
        why = ""
        for turn in count():
            if turn:
                await asyncio.sleep(_LOOK_UP_EVERY)
            try:
                report = await proof.look()
            except MarketUnknown as error:
                if order.state.is_final:  # a person has ended it while it was asked for
                    return (), None
                await self._note_lost(order)
                action = (
                    "look the order up at the venue; then list its market again in the profile, or take over what the venue holds"
                    f" (arbtui adjust) and end it: arbtui orders end {intent.client_order_id}"
                )
                return (), Unresolved(intent.client_order_id, intent.cycle_id, scope, f"{name}: {error}", action, True)
            if order.state.is_final:
                return (), None
            if report is not None:
                # A venue may call an order final before it tells all its fills.
                if report.state.is_final and sum((fill.qty for fill in report.fills), ZERO) >= report.filled_qty:
                    try:
                        fills = await self._take(order, report)
                    except UsageError as error:  # the journal cannot be read now, so what is booked is not known
                        why = str(error)
                    else:
                        self._proofs.pop(intent.client_order_id, None)
                        return fills, None
                else:
                    why = f"the venue calls it {report.state}"
                if intent.tif is TimeInForce.GTC and not report.state.is_final:  # it stays open by itself, and its run cancels it no more
                    why += await self._cancel_left(adapter, intent)
            elif proof.is_proved:
                self._proofs.pop(intent.client_order_id)
                gone = OrderChanged(intent.client_order_id, OrderState.REJECTED, "", order.filled_qty, "NOT_PLACED")
                await self._journal.commit(gone)
                return (), None
            else:
                why = proof.why_not
            if proof.is_answered:
                due_s = (order.intended_ms + self._ahead_ms() - self._clock.time_ms()) / 1000 + adapter.absence_proof_s
                patience_s = _PATIENCE_S if due_s < _PATIENCE_S else _BRIEFLY_S
                patient_until = min(patient_until, self._clock.monotonic() + patience_s)
            if self._clock.monotonic() + _LOOK_UP_EVERY > patient_until:
                action = "looked up until it is known; what it touches stays blocked"
                return (), Unresolved(intent.client_order_id, intent.cycle_id, scope, f"{name}: {why}", action, False)
        raise AssertionError("count() never ends")

    async def _note_lost(self, order: OrderRecord) -> None:
        """Journal once that the venue no longer lists the market of ``order``: an operator may then end it, also while no engine runs."""
        if order.reason != MARKET_GONE:
            own = order.intent.client_order_id
            await self._journal.commit(OrderChanged(own, OrderState.UNKNOWN, order.venue_order_id, order.filled_qty, MARKET_GONE))

    def _ahead_ms(self) -> int:
        """How far our clock is ahead of the venues', by the one from which it is furthest: so much younger is what an earlier run sent.

        That run's clock was not ahead, as nothing opens while a venue's is another one. A clock that was set between the runs would make
        an order of a moment ago old enough to be absent.
        """
        return max([0, *(skew for adapter in self._adapters.values() if (skew := adapter.clock_skew_ms) is not None)])

    async def _take(self, order: OrderRecord, report: OrderReport) -> Sequence[Fill]:
        """Book what ``report`` tells of ``order``; its fills that are new.

        Raises:
            JournalFailed: as every commit.
            UsageError: the journal cannot be read; nothing was booked.
        """
        intent = order.intent
        events: list[Event] = []
        booked: dict[str, Fill] = {}
        told = await self._journal.aside(partial(booked_fills, self._journal.path, intent.client_order_id))
        if order.state.is_final:  # a person has ended it meanwhile, and taken over what it moved
            return ()
        filled = order.filled_qty
        for fill in report.fills:
            if fill.trade_id in booked or self._portfolio.knows_fill(fill.exchange, fill.trade_id, intent.cycle_id):
                continue
            if is_told_again(fill, min(intent.qty, report.filled_qty), filled, told):
                _tell_again(intent.client_order_id, fill)
                continue
            booked[fill.trade_id] = fill
            filled += fill.qty
            marks = self._marks.of_fill(fill)
            events.append(FillRecorded(fill, intent.cycle_id, intent.leg, "recovery", self._clock.time_ms(), marks))
        await self._journal.commit(
            *events, OrderChanged(intent.client_order_id, report.state, report.venue_order_id, report.filled_qty, report.reason)
        )
        return list(booked.values())

    def _is_to_open(self, name: str) -> bool:
        """Whether what the venue ``name`` holds is what the journal begins with there.

        So it is until a price was taken, from which on PnL is counted: a first start that was cut between two venues is gone on with.
        """
        state = self._portfolio.state
        return name not in state.balances and not state.marks

    async def _take_balances(self, name: str, done: Reconciled) -> None:
        """Compare one venue's balances: the opening of a new journal, an asset seen for the first time, or a difference to decide."""
        is_first = self._is_to_open(name)
        try:
            differences = await self._differences(name, is_first=is_first)
        except (ArbtuiError, TimeoutError) as error:
            done.unread[name] = str(error) or "no answer"
            return
        known = self._portfolio.state.balances.get(name, {})
        counts = (asset in known and not self._sync.is_dust(name, asset, theirs - ours) for asset, ours, theirs in differences)
        if not is_first and any(counts):  # an hour's fills may cost a query for each order: what is booked quietly is not worth them
            try:
                await self._book_missed(name, [asset for asset, _, _ in differences], done)
            except JournalFailed:
                raise
            except (ArbtuiError, TimeoutError) as error:
                done.unread[name] = str(error) or "no answer"
            held = ((asset, self._portfolio.total(name, asset), theirs) for asset, _, theirs in differences)
            differences = [(asset, ours, theirs) for asset, ours, theirs in held if ours != theirs]
        left_to_a_person = {one.client_order_id for one in done.unresolved if one.disarms}
        asked = [order for order in self._portfolio.open_orders if order.intent.client_order_id not in left_to_a_person]
        open_here = {asset for order in asked if order.intent.exchange == name for asset in _assets(order)}
        events: list[Event] = []
        for asset, ours, theirs in differences:
            if is_first:
                events.append(BalanceOpened(name, asset, theirs))
            elif asset in open_here:
                continue  # an unresolved order explains it, or will
            elif asset not in known and not self._sync.is_awaited(name, asset):
                events.append(Adjusted(name, asset, theirs, "held by the venue when it was first asked", "first seen"))
            elif self._sync.decide(name, asset, ours, theirs):
                done.mismatches.append(Mismatch(name, asset, ours, theirs))
        if events:
            await self._journal.commit(*events)
        if is_first:
            done.opened.append(name)

    async def _book_missed(self, name: str, assets: Collection[str], done: Reconciled) -> None:
        """Balances of ``assets`` differ: book what orders that had ended have filled all the same, as a running engine books a late fill.

        Raises:
            JournalFailed: as every commit.
            ArbtuiError, TimeoutError: the venue does not tell its fills.
        """
        path = self._journal.path
        # What is looked for may be in archives, which take some 20 ms each to read: beside the loop, and one after the other.
        last_ms = await self._journal.aside(partial(last_intended, path, name))
        if last_ms is None:
            return
        adapter = self._adapters[name]
        adapter.expect_fills(assets)
        async with asyncio.timeout(self._ask_s):
            fills = await adapter.fetch_fills(last_ms - _MISSED_MS)
        adjusted = adjusted_at(path, name)
        turns = Turns()  # thousands may be listed
        for fill in fills:
            await turns.pause()
            if fill.client_order_id and not is_ours(fill.client_order_id):
                continue  # a person's: no journal is looked through for it
            if is_taken_over(fill, adjusted):
                continue
            order = await self._journal.aside(partial(known_order, path, name, fill.client_order_id, fill.venue_order_id, fill.trade_id))
            if order is None or order.is_booked or not order.state.is_final:
                continue
            if self._portfolio.knows_fill(fill.exchange, fill.trade_id, order.cycle_id):
                continue  # it was told, and booked, while the journal was read
            told = await self._journal.aside(partial(booked_fills, path, order.client_order_id))
            if is_told_again(fill, order.qty, order.filled_qty, told):
                _tell_again(order.client_order_id, fill)
                continue
            booked = replace(fill, client_order_id=order.client_order_id)
            filled = order.filled_qty + fill.qty
            state = OrderState.FILLED if filled >= order.qty else order.state
            await self._journal.commit(
                FillRecorded(booked, order.cycle_id, order.leg, "recovery", self._clock.time_ms(), self._marks.of_fill(fill)),
                OrderChanged(order.client_order_id, state, order.venue_order_id or fill.venue_order_id, filled, order.reason),
            )
            _booked(done, order.cycle_id, [booked])

    async def _differences(self, name: str, *, is_first: bool) -> list[tuple[str, Decimal, Decimal]]:
        """The differences that several reads show alike."""
        found: list[tuple[str, Decimal, Decimal]] = []
        for read in range(1 if is_first else _READS):
            if read:
                await asyncio.sleep(_APART_S)
            async with asyncio.timeout(self._wait_s):
                balances = {asset: balance.total for asset, balance in (await self._adapters[name].fetch_balances()).items()}
            if is_first:
                return [(asset, ZERO, total) for asset, total in balances.items()]
            now = self._portfolio.differences(name, balances)
            found = now if not read else [row for row in found if row in now]
            if not found:
                return []
        return found


def _count(done: Reconciled, order: OrderRecord, fills: Sequence[Fill], unresolved: Unresolved | None) -> None:
    _booked(done, order.intent.cycle_id, fills)
    if unresolved is not None:
        done.unresolved.append(unresolved)


def _booked(done: Reconciled, cycle_id: str, fills: Sequence[Fill]) -> None:
    done.fills += len(fills)
    done.booked += fills
    if fills:
        done.filled[cycle_id] = None


def _tell_again(client_order_id: str, fill: Fill) -> None:
    """Log a booked fill that came under a second number. If it was a fill of its own, the venue's balance differs, and that is reported."""
    log.error(
        "%s: %s %s %s of order %s is told again as trade %s; not booked: its order has no room for it; look it up at the venue",
        *(fill.exchange, fill.side, plain(fill.qty), fill.base, client_order_id, fill.trade_id),
    )


def _assets(order: OrderRecord) -> tuple[str, str]:
    return order.intent.base, order.intent.quote


@dataclass(frozen=True, slots=True)
class _Market:
    """What the proof of absence needs to know of an order's market, which this run may not trade."""

    code: str
    base: str
    quote: str
