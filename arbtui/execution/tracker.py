"""Follows every order from intent to its last fill: committed before it is sent, sent once, applied once.

An answer that does not come, or says nothing, leaves the order UNKNOWN: it is looked up by its client id until it is
found or proved absent, and never sent again. While it is unknown its reservation stays and its cycle waits. What the
venue's private stream tells counts like an answer, whichever is first; a fill counts once, however often it is told.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.execution.absence import AbsenceProof
from arbtui.execution.gate import OrderGate
from arbtui.execution.order_cache import OrderCache, TrackedOrder
from arbtui.execution.order_owner import OrderOwner
from arbtui.journal.events import Event, FillRecorded, OrderChanged, OrderIntended, Source
from arbtui.journal.journal import Journal
from arbtui.journal.known_orders import KnownOrder, booked_fills
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError, JournalFailed, MarketUnknown, OrderAbandoned, OrderRejected
from arbtui.model.histogram import Histogram
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Order, OrderState, TimeInForce, is_told_again
from arbtui.model.reason import Reason
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.guard import RiskGuard

log = logging.getLogger("arbtui")

#: Pauses before the first look-ups of an order whose fate is unknown, in seconds; later ones have the profile's cadence.
_LOOK_UP_AFTER = (0.25, 0.5, 1.0, 2.0)


class OrderTracker:
    """Sends orders, and journals what becomes of them. What a fill means is the portfolio's to say.

    Args:
        adapters: venues by name.
        answer_s: how long a venue's answer may take before the order is UNKNOWN, in seconds.
        look_up_s: between two look-ups of an order whose fate stays unknown, in seconds.
    """

    def __init__(
        self,
        *,
        adapters: Mapping[str, ExchangeAdapter],
        gate: OrderGate,
        risk: RiskGuard,
        portfolio: Portfolio,
        marks: LiveMarks,
        journal: Journal,
        clock: Clock,
        answer_s: float,
        look_up_s: float,
    ) -> None:
        self._adapters = adapters
        self._gate = gate
        self._risk = risk
        self._portfolio = portfolio
        self._marks = marks
        self._journal = journal
        self._clock = clock
        self._answer_s = answer_s
        self._look_up_after = (*_LOOK_UP_AFTER, look_up_s)
        self.on_late: Callable[[OrderOwner, Order, Fill], None] = lambda *_: None  #: of a fill, once booked, whose order or cycle had ended
        self.on_booked: Callable[[OrderOwner, Fill], None] = lambda *_: None  #: once fills were booked, with the last of them
        self.on_unknown: Callable[[Order], None] = lambda _: None  #: of an order that was sent and not usably answered
        self.on_stray: Callable[[Fill], None] = lambda _: None  #: of a fill of an order that this run has not sent; it is not booked
        #: Whether a balance that an operator adjusted later already includes a fill of an ended order and cycle: then it is not booked.
        self.is_taken_over: Callable[[OrderOwner, Order, Fill], bool] = lambda *_: False
        #: Of a fill that is a booked one of the order with that client id under another number; it is not booked.
        self.on_told_again: Callable[[str, Fill], None] = lambda *_: None
        self.on_stranger: Callable[[OrderReport], None] = lambda _: None  #: of an order that this run has not sent, or has forgotten
        #: Of an order that was looked up: why the venue did not answer (empty where it did), and whether it told something new.
        self.on_looked_up: Callable[[Order, str, bool], None] = lambda *_: None
        self._followed = OrderCache()
        self._background: dict[asyncio.Task[None], None] = {}
        self.open: dict[str, Order] = {}  #: orders that are not final, by client id
        self.sent = 0
        self.fills = 0
        self.late_fills = 0
        self.fills_per_exchange: dict[str, int] = {}
        self.fills_per_symbol: dict[str, int] = {}
        self.answer_ms: dict[str, deque[float]] = {name: deque(maxlen=50) for name in adapters}
        self.answers: dict[str, Histogram] = {name: Histogram() for name in adapters}  #: the same in ms, of the whole run
        self.ends: dict[tuple[str, OrderState], int] = {}  #: orders that have ended, by exchange and how
        self.lost: dict[str, int] = dict.fromkeys(adapters, 0)  #: orders that were sent and not usably answered

    def intend(self, orders: Sequence[Order], opening: Sequence[Event] = ()) -> Awaitable[None]:
        """Journal that ``orders`` are about to be sent, after ``opening``; what it returns waits until that is durable.

        Synchronous: the portfolio knows of them when this returns. At a venue without immediate orders they are sent as limit orders
        that stay open, and :meth:`resolve` cancels them at their deadline.

        Raises:
            JournalFailed: nothing was journaled, and nothing may be sent.
        """
        for order in orders:
            if not self._adapters[order.market.exchange].capabilities.immediate_orders:
                order.tif = TimeInForce.GTC
        durable = self._journal.record(*opening, *(OrderIntended.of(order) for order in orders))
        for order in orders:
            order.state = OrderState.SENDING
            self.open[order.client_order_id] = order
            self._risk.exchange[order.market.exchange].admitted(order.client_order_id)
        return durable

    async def send(self, cycle: OrderOwner, orders: Sequence[Order], durable: Awaitable[None]) -> None:
        """Send ``orders`` of ``cycle`` together once their intents are durable, and wait until each is final.

        Raises:
            JournalFailed: the intents could not be committed; nothing was sent.
        """
        try:
            await durable
        except BaseException:  # nothing was sent, whatever the reason
            for order in orders:
                self._risk.exchange[order.market.exchange].answered(order.client_order_id)
            raise
        await asyncio.gather(*(self._place(self._follow(cycle, order)) for order in orders))

    def _follow(self, cycle: OrderOwner, order: Order) -> TrackedOrder:
        followed = TrackedOrder(cycle, order, self._clock.monotonic())
        self._followed.add(followed, self.open)
        return followed

    async def _place(self, followed: TrackedOrder) -> None:
        order = followed.order
        try:
            await self._ask(followed)
        finally:
            self._risk.exchange[order.market.exchange].answered(order.client_order_id)

    async def _ask(self, followed: TrackedOrder) -> None:
        order = followed.order
        exchange = order.market.exchange
        place = self._adapters[exchange].place(order, partial(self._last_look, followed))
        try:
            report = await self._answer(followed, asyncio.create_task(place, name=f"place {order.client_order_id}"))
        except OrderAbandoned as error:
            order.state, order.reason = OrderState.ABANDONED, error.reason
            await self._settle(followed, ())
            return
        except (ArbtuiError, TimeoutError) as error:  # OrderUnknown, and whatever else is no proof: bytes may have left
            if isinstance(error, TimeoutError) and followed.left_at is None:  # it waited too long for the venue's limits, or a connection
                order.state, order.reason = OrderState.ABANDONED, Reason.DEADLINE
                await self._settle(followed, ())
                return
            self.sent += 1
            if order.state.is_final:  # the stream has told its end, which no answer can change
                return
            # A refusal that the stream contradicts is no proof either.
            refused = isinstance(error, OrderRejected) and not order.venue_order_id
            self._answered(followed, ok=refused)
            if refused:
                order.state, order.reason = OrderState.REJECTED, str(error)
                await self._settle(followed, ())
                return
            order.state, order.reason = OrderState.UNKNOWN, str(error) or "no answer in time"
            self._risk.exchange[exchange].lost_sight(order.client_order_id)
            self.lost[exchange] += 1
            self._journal.post(OrderChanged.of(order))
            self.on_unknown(order)
            await self.resolve(followed)
            return
        self.sent += 1
        answered_ms = self._answered(followed, ok=True)
        self.answer_ms[exchange].append(answered_ms)
        self.answers[exchange].add(answered_ms)
        if report is not None and not await self.take(followed, report, "answer"):
            await self.resolve(followed)

    def _last_look(self, followed: TrackedOrder) -> None:
        self._gate.last_look(followed.cycle, followed.order)
        followed.left_at = self._clock.monotonic()

    async def _answer(self, followed: TrackedOrder, place: asyncio.Task[OrderReport]) -> OrderReport | None:
        """The venue's answer; None when its stream has told the order's end before.

        The request is then left to end by itself: cutting it off would close a connection that the next order needs.

        Raises:
            TimeoutError: neither came in time.
        """
        ended = asyncio.create_task(followed.ended.wait())
        try:
            await self._first_of(followed, place, ended)
            if not place.done() and followed.order.state.is_final:
                self._keep(_swallow(place))
                return None
            if not place.done():
                place.cancel()
                await asyncio.wait((place,))
                if place.cancelled():
                    raise TimeoutError
            return place.result()
        except asyncio.CancelledError:
            place.cancel()
            self._keep(_swallow(place))
            raise
        finally:
            ended.cancel()
            del place  # what it raised holds this frame: a cycle for the garbage collector

    async def _first_of(self, followed: TrackedOrder, place: asyncio.Task[OrderReport], ended: asyncio.Task[bool]) -> None:
        """Wait until one has come, or the answer is overdue: ``answer_s`` after the request left, which may be long after the decision."""
        until = self._clock.monotonic() + self._answer_s
        while (left_s := until - self._clock.monotonic()) > 0.0:
            done, _ = await asyncio.wait((place, ended), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            until = max(until, (followed.left_at or 0.0) + self._answer_s)

    def _answered(self, followed: TrackedOrder, *, ok: bool) -> float:
        """Tell the venue's health how a request ended; how long the venue took, in ms: waiting for its limits is not its doing."""
        ms = (self._clock.monotonic() - (followed.sent_at if followed.left_at is None else followed.left_at)) * 1000
        self._risk.exchange[followed.order.market.exchange].health.on_answer(ok, ms)
        return ms

    async def resolve(self, followed: TrackedOrder) -> None:
        """Look an order up until the venue tells its end, or it is proved that it never came.

        One that stays open by itself is cancelled at its deadline, or at once where its fate is not known, and again for as long as the
        venue shows it open: what it filled, and that it ended, is told by the look-ups as for any other.
        """
        order = followed.order
        stays = order.tif is TimeInForce.GTC
        if stays:
            open_s = 0.0 if order.state is OrderState.UNKNOWN else order.deadline - self._clock.monotonic()
            if open_s > 0.0 and await _happens(followed.ended, open_s):
                return
        is_cancelled = not stays
        since_ms = self._clock.time_ms() - round((self._clock.monotonic() - followed.sent_at) * 1000)
        proof = AbsenceProof(self._adapters[order.market.exchange], self._clock, self._portfolio, order.market, order, since_ms)
        for turn in count():
            if not is_cancelled:
                is_cancelled = await self._cancel(followed)
            if await _happens(followed.ended, self._look_up_after[min(turn, len(self._look_up_after) - 1)]):
                return
            try:
                report = await proof.look()
            except MarketUnknown as error:  # its market was there when it was sent: the venue may list it again
                log.warning("%s cannot be looked up: %s", order.client_order_id, error)
                continue
            if order.state.is_final:  # the stream was quicker
                return
            if report is None:
                is_absent = proof.is_proved and not order.venue_order_id
                if is_absent:
                    order.state, order.reason = OrderState.REJECTED, "NOT_PLACED"
                    await self._settle(followed, ())
                self.on_looked_up(order, "" if proof.is_answered else proof.why_not, is_absent)
                if is_absent:
                    return
                continue
            is_cancelled = not stays or report.state.is_final
            news = report.state.is_final or report.filled_qty > order.filled_qty
            is_over = news and await self.take(followed, report, "answer")
            self.on_looked_up(order, "", news)
            if is_over:
                return

    async def _cancel(self, followed: TrackedOrder) -> bool:
        """Ask the venue to cancel an order; False where it has to be asked again. What became of the order is for a look-up to tell."""
        order = followed.order
        try:
            async with asyncio.timeout(self._answer_s):
                await self._adapters[order.market.exchange].cancel(order.market.code, order.client_order_id)
        except (ArbtuiError, TimeoutError) as error:
            log.warning("%s %s is not cancelled yet: %s", order.market.exchange, order.client_order_id, str(error) or "no answer in time")
            return False
        return True

    async def take(self, followed: TrackedOrder, report: OrderReport, source: Source) -> bool:
        """Apply a venue's report: every new fill once, then the state, all in one commit; True when the order is at its end."""
        late, events = self._apply(followed, report, source)
        await self._settle(followed, events, late)
        return followed.order.state.is_final

    def on_order(self, report: OrderReport, source: Source = "stream") -> None:
        """Apply what a venue tells of an order, unasked or in a list, at once; it is durable before anything that follows from it."""
        followed = self._followed.of(report.client_order_id)
        if followed is None:
            for fill in filter(self._followed.is_stray, report.fills):
                self.on_stray(fill)
            self.on_stranger(report)
            return
        order = followed.order
        before = (order.state, order.venue_order_id, order.filled_qty)
        late, events = self._apply(followed, report, source)
        if events or (order.state, order.venue_order_id, order.filled_qty) != before:
            with suppress(JournalFailed):  # the gate is closed; the next start asks the venue again
                self._settle(followed, events, late)

    def remember_booked(self, seconds: float) -> None:
        """Fills are asked for as far back as that: none of ours must have to be looked for in the journal, which takes a millisecond."""
        self._followed.booked_s = seconds

    def knows(self, client_order_id: str) -> bool:
        """Whether an order of this id was sent in this run, and is still remembered."""
        return self._followed.of(client_order_id) is not None

    def on_fill(self, fill: Fill) -> str:
        """Apply a fill of the venue's list of fills; what it is: new, late, stray, told under a second number (not booked), or nothing."""
        followed = self._followed.of(fill.client_order_id)
        if followed is None:
            if not self._followed.is_stray(fill):
                return ""
            self.on_stray(fill)
            return "stray fill"
        if self._is_booked(followed, fill) or self._is_taken_over(followed, fill):
            return ""
        if self._is_told_again(followed, fill, followed.order.qty):
            return "second number of a fill"
        is_late = followed.order.state.is_final
        told = followed.order.filled_qty + fill.qty
        state, reason = OrderState.PARTIALLY_FILLED, followed.order.reason
        self.on_order(OrderReport(fill.exchange, fill.client_order_id, fill.venue_order_id, state, told, (fill,), reason), "answer")
        return "late fill" if is_late else "fill"

    def book_forgotten(self, order: KnownOrder, fill: Fill) -> bool:
        """Journal a fill of an order that ended so long ago that it is not followed any more. The caller knows that it is not booked.

        False where it is a booked one under another number, and not booked again.

        Raises:
            JournalFailed: nothing is journaled any more; the gate is closed.
            UsageError: the journal cannot be read; nothing was booked.
        """
        fill = replace(fill, client_order_id=order.client_order_id)
        if is_told_again(fill, order.qty, order.filled_qty, booked_fills(self._journal.path, order.client_order_id)):
            self.on_told_again(order.client_order_id, fill)
            return False
        filled = order.filled_qty + fill.qty
        state = OrderState.FILLED if filled >= order.qty else order.state
        change = OrderChanged(order.client_order_id, state, order.venue_order_id or fill.venue_order_id, filled, order.reason)
        booked = FillRecorded(fill, order.cycle_id, order.leg, "recovery", self._clock.time_ms(), self._marks.of_fill(fill))
        self._journal.record(booked, change)
        self._followed.book(fill)
        self._tally(fill)
        self.late_fills += 1
        return True

    def _is_booked(self, followed: TrackedOrder, fill: Fill) -> bool:
        """Whether a fill of a followed order is booked: the portfolio's memory of fills may be shorter than that of orders."""
        if self._portfolio.knows_fill(fill.exchange, fill.trade_id, followed.cycle.id):
            return True
        return any(one.trade_id == fill.trade_id for one in followed.cycle.fills_of(followed.order.client_order_id))

    def _is_taken_over(self, followed: TrackedOrder, fill: Fill) -> bool:
        """Whether an adjusted balance already includes a late fill of an ended cycle. Fills of a running cycle are always hedged."""
        if not (followed.order.state.is_final and followed.cycle.is_over):
            return False
        if not self._followed.is_stray(fill):  # it was told before
            return True
        if not self.is_taken_over(followed.cycle, followed.order, fill):
            return False
        self._followed.book(fill)
        return True

    def _is_told_again(self, followed: TrackedOrder, fill: Fill, room: Decimal) -> bool:
        """Whether a fill is a booked one under another number: booked twice, it would be hedged, with an order that nothing needs."""
        order = followed.order
        booked = ((one.qty, one.price) for one in followed.cycle.fills_of(order.client_order_id))
        if not is_told_again(fill, room, order.filled_qty, booked):
            return False
        self.on_told_again(order.client_order_id, fill)
        return True

    def _apply(self, followed: TrackedOrder, report: OrderReport, source: Source) -> tuple[bool, list[FillRecorded]]:
        """Bring an order to what ``report`` says: every fill once, and a state that never goes back.

        Whether its fills came late (after its end, or its cycle's), and the events of those that are new.
        """
        cycle, order = followed.cycle, followed.order
        was_final = order.state.is_final
        events: dict[str, FillRecorded] = {}
        room = min(order.qty, report.filled_qty) if report.state.is_final else order.qty
        for fill in report.fills:
            if fill.trade_id in events or self._is_booked(followed, fill) or self._is_taken_over(followed, fill):
                continue
            if not self._is_told_again(followed, fill, room):
                events[fill.trade_id] = FillRecorded(fill, cycle.id, order.leg, source, self._clock.time_ms(), self._marks.of_fill(fill))
                self._count(cycle, order, fill)
        order.venue_order_id = report.venue_order_id or order.venue_order_id
        if not was_final:
            self._advance(followed, report)
        elif events and order.state in (OrderState.REJECTED, OrderState.ABANDONED):
            self._revive(followed, report)
        return was_final or cycle.is_over, list(events.values())

    def _advance(self, followed: TrackedOrder, report: OrderReport) -> None:
        order = followed.order
        if report.state.is_final:
            followed.claimed = report
        elif order.leaves_qty <= ZERO:  # whoever told the fills, there is nothing left that could happen
            order.state, order.reason = OrderState.FILLED, report.reason
        elif followed.claimed is None:
            order.state = OrderState.PARTIALLY_FILLED if order.filled_qty else report.state
            order.reason = report.reason
        claimed = followed.claimed
        if claimed is not None:
            missing = claimed.filled_qty - order.filled_qty
            # A venue may call an order final before it tells all its fills: until they add up, its fate is not known.
            order.state = claimed.state if missing <= ZERO else OrderState.UNKNOWN
            order.reason = claimed.reason if missing <= ZERO else f"fills of {missing} are not told yet"

    def _revive(self, followed: TrackedOrder, report: OrderReport) -> None:
        """An order that counted as never placed has filled all the same: it is followed to its end after all."""
        order = followed.order
        self._advance(followed, report)
        order.reason = order.reason or "it filled after it had counted as not placed"
        if not order.state.is_final:
            self.open[order.client_order_id] = order
            followed.go_on()
            self._keep(self.resolve(followed))

    def _count(self, cycle: OrderOwner, order: Order, fill: Fill) -> None:
        order.filled_qty += fill.qty
        cycle.take(fill)
        self._tally(fill)

    def _tally(self, fill: Fill) -> None:
        self.fills += 1
        self.fills_per_exchange[fill.exchange] = self.fills_per_exchange.get(fill.exchange, 0) + 1
        self.fills_per_symbol[fill.base] = self.fills_per_symbol.get(fill.base, 0) + 1

    def _settle(self, followed: TrackedOrder, events: Sequence[FillRecorded], late: bool = False) -> Awaitable[None]:
        """Journal fills and the order's new state, then wake whoever waits for its end; what it returns waits for the disk.

        Raises:
            JournalFailed: nothing is journaled any more; the gate is closed.
        """
        order, cycle = followed.order, followed.cycle
        durable = self._journal.record(*events, OrderChanged.of(order))
        if order.state.is_final:
            self._risk.exchange[order.market.exchange].settled(order.client_order_id)
            if self.open.pop(order.client_order_id, None) is not None:
                end = (order.market.exchange, order.state)
                self.ends[end] = self.ends.get(end, 0) + 1
            followed.end()
        if events:
            self.on_booked(cycle, events[-1].fill)
        for event in events if late else ():
            self.late_fills += 1
            self.on_late(cycle, order, event.fill)
        return durable

    def abandon(self) -> None:
        """Stop following what nobody waits for any more: the next start resolves it."""
        for task in self._background:
            task.cancel()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside everything else, and lose neither it nor its failure."""
        task = asyncio.create_task(work)
        self._background[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._background[task]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, JournalFailed):  # of that, the engine knows
            log.error("following an order failed: %r", error, exc_info=error)


async def _swallow(place: asyncio.Task[OrderReport]) -> None:
    """Wait for an answer that nobody needs any more."""
    with suppress(ArbtuiError, TimeoutError, asyncio.CancelledError):  # known from the stream, or looked up at the next start
        await place


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for ``event``, ``seconds`` at most; whether it has happened."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
