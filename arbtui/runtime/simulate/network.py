"""One simulated venue beyond a simulated network, and the engine's connection to it. Requests under way outlive the engine's process."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol, TypeVar

from arbtui.exchanges.adapter import AccountEvents, ExchangeAdapter, OrderReport, StandingOrder
from arbtui.exchanges.market_flags import Flags, untold
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.book import Level
from arbtui.model.errors import OrderRejected, OrderUnknown, VenueFailed
from arbtui.model.order import Balance, Fill, Order
from arbtui.runtime.simulate.faults import ORDERS, REPORTS, Fault, FaultKind
from arbtui.runtime.simulate.story import Story
from arbtui.simulation.matching import BookSource, ExternalBook
from arbtui.simulation.networks import simulated_networks
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.played_venue import played_capabilities
from arbtui.simulation.venue import VenueCore

Answer = TypeVar("Answer")

#: One way, in seconds: a usual request between Seoul and Tokyo.
_LEAST_S, _MOST_S = 0.02, 0.09
#: How long a request to a venue that answers nothing waits, in seconds.
_PATIENCE_S = 10.0
#: An order that arrives so late is refused by the venue, as Binance's recvWindow does, in seconds.
RECEIVED_WITHIN_S = 5.0
#: From then on an order that no query finds is not there, in seconds: it would be refused, and copies of the venue's data lag less.
ABSENCE_PROOF_S = 10.0
#: Of an order, as much as a venue whose book was thinner than it showed still has.
_THIN = 0.004


class Sender(Protocol):
    """The engine's process, as its connections know it."""

    @property
    def is_dead(self) -> bool:
        """It has crashed: nothing leaves any more."""
        ...

    def sends(self, order: Order) -> None:
        """An order's bytes are about to leave: the gate has let it pass."""
        ...

    def has_sent(self, order: Order) -> None:
        """An order's bytes have left."""
        ...

    def executed(self, exchange: str, client_order_id: str) -> None:
        """A venue has executed an order, and nobody has heard of it yet."""
        ...


@dataclass(slots=True)
class _Thin:
    """A book with less in it than was shown."""

    book: ExternalBook

    def bids(self) -> Iterator[Level]:
        return ((price, qty * _THIN) for price, qty in self.book.bids())

    def asks(self) -> Iterator[Level]:
        return ((price, qty * _THIN) for price, qty in self.book.asks())


@dataclass(slots=True)
class SimulatedVenue:
    """A venue, and what is wrong with the way to it. ``spawn`` runs what goes on without the engine."""

    name: str
    random: Random
    story: Story
    spawn: Callable[[Coroutine[Any, Any, None]], object]
    take: Callable[[Collection[FaultKind], str], Fault | None]
    core: VenueCore = field(init=False)
    thin: bool = False
    account: AccountEvents | None = None
    sender: Sender | None = None
    blind_until: float = 0.0  #: loop seconds until which it finds no order
    untold: dict[str, None] = field(default_factory=dict)  #: client ids that the account's stream leaves out
    cut: bool = False

    def books(self, source: BookSource) -> BookSource:
        """The books that orders meet: thinner for the order that a fault has chosen."""
        return lambda code: _Thin(source(code)) if self.thin else source(code)

    def travel(self) -> float:
        """Seconds of one way."""
        return _LEAST_S + (_MOST_S - _LEAST_S) * self.random.random() ** 2

    def on_report(self, report: OrderReport) -> None:
        """The venue has something to tell on the account's stream."""
        if self.account is None or self.cut or self.core.is_down or report.client_order_id in self.untold:
            return
        fault = self.take(REPORTS, self.name)
        times, late = 1, 0.0
        if fault is not None:
            about = report.client_order_id
            self.story.fire(fault.number, fault.kind, f"{self.name}: {fault.kind} of {about} ({report.state})", about)
            times = {FaultKind.REPORT_LOST: 0, FaultKind.REPORT_TWICE: 2}.get(fault.kind, 1)
            late = fault.seconds if fault.kind is FaultKind.REPORT_LATE else 0.0
        for _ in range(times):
            self.spawn(self._tell(report, self.account, self.travel() + late))

    async def _tell(self, report: OrderReport, account: AccountEvents, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if self.account is account and not self.cut:
            account.on_order(report)
            moved = {asset for fill in report.fills for asset in (fill.base, fill.quote)}
            if moved:
                held = self.core.balances()
                account.on_balances(self.name, {asset: held[asset] for asset in sorted(moved) if asset in held})

    def cut_stream(self, cut: bool) -> None:
        """Disconnect the account's stream, or connect it again."""
        self.cut = cut
        if self.account is not None:
            (self.account.on_disconnected if cut else self.account.on_reconnected)(self.name)


class Connection(ExchangeAdapter):
    """The engine's adapter for one venue. It dies with the engine's process; what it has sent does not."""

    def __init__(self, venue: SimulatedVenue, sender: Sender) -> None:
        self.name = venue.name
        self.markets = venue.core.markets
        self.capabilities = played_capabilities(venue.name)
        self.absence_proof_s = ABSENCE_PROOF_S
        self._venue = venue
        self._sender = sender
        venue.sender = sender

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """See :meth:`ExchangeAdapter.place`."""
        venue, loop = self._venue, asyncio.get_running_loop()
        request = OrderRequest(order.client_order_id, order.market.code, order.side, order.qty, order.price, order.tif)
        admit()
        self._sender.sends(order)
        reply: asyncio.Future[OrderReport] = loop.create_future()
        if not self._sender.is_dead:
            about = (order.client_order_id, order.cycle_id)
            venue.story.note(
                f"sent {order.client_order_id} of {order.cycle_id} to {self.name}: {order.purpose} {order.side} {order.qty} "
                f"{order.market.base} at {order.price}",
                *about,
            )
            venue.spawn(self._carry(request, reply, venue.take(ORDERS, self.name), about))
            self._sender.has_sent(order)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await reply
        except TimeoutError:
            raise OrderUnknown(f"{self.name}: no answer to {order.client_order_id} in {_PATIENCE_S:g} s") from None

    async def _carry(self, request: OrderRequest, reply: asyncio.Future[OrderReport], fault: Fault | None, about: tuple[str, ...]) -> None:
        """Take an order to the venue and its answer back: also when nobody waits for it any more."""
        venue, sent_at = self._venue, asyncio.get_running_loop().time()
        kind = None if fault is None else fault.kind
        if fault is not None:
            venue.story.fire(fault.number, fault.kind, f"{self.name}: {fault.kind} ({request.client_order_id})", *about)
        if kind is FaultKind.REQUEST_LOST:
            return
        await asyncio.sleep(venue.travel() + (fault.seconds if fault is not None and kind is FaultKind.REQUEST_LATE else 0.0))
        if venue.core.is_down:
            venue.story.note(f"{self.name} is down: {request.client_order_id} is lost", *about)
            return
        result: OrderReport | OrderRejected
        if kind is FaultKind.REFUSED:
            result = OrderRejected("SCRIPTED the fault refuses this order")
        elif asyncio.get_running_loop().time() - sent_at > RECEIVED_WITHIN_S:
            result = OrderRejected("TOO_LATE it arrived after its time")
        else:
            venue.thin = kind is FaultKind.PARTIAL
            if kind is FaultKind.UNHEARD:
                venue.untold[request.client_order_id] = None
            executing = venue.core.execute(request)  # matches before anything is awaited
            try:
                result = await executing
            except OrderRejected as refusal:
                result = refusal
                poor = refusal.reason.startswith("INSUFFICIENT_FUNDS")
                venue.story.check(
                    "I5 what an order needs is there", not poor, f"{self.name} refuses {request.client_order_id}: {refusal}", *about
                )
            finally:
                venue.thin = False
            if isinstance(result, OrderReport) and venue.sender is not None:
                venue.sender.executed(self.name, request.client_order_id)
        told = str(result) if isinstance(result, OrderRejected) else f"{result.state}, filled {result.filled_qty}"
        venue.story.note(f"{self.name} takes {request.client_order_id}: {told}", *about)
        if kind in (FaultKind.ANSWER_LOST, FaultKind.UNHEARD):
            return
        await asyncio.sleep(venue.travel() + (fault.seconds if fault is not None and kind is FaultKind.ANSWER_LATE else 0.0))
        if venue.core.is_down or reply.done():
            return
        if isinstance(result, OrderRejected):
            reply.set_exception(result)
            reply.exception()  # nobody may be waiting any more
        else:
            reply.set_result(result)

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`."""
        await self._there()
        await self._venue.core.cancel(client_order_id)
        await self._there()

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`."""
        await self._there()
        cancelled = len(await self._venue.core.cancel_all())
        await self._there()
        return cancelled

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        return await self._ask(self._venue.core.standing)

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        await self.cancel(order.code, order.client_order_id)

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`; for a while after a fault, orders that are there are not found."""
        found = await self._ask(lambda: self._venue.core.find(client_order_id))
        return None if asyncio.get_running_loop().time() < self._venue.blind_until else found

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`."""
        return await self._ask(self._venue.core.open_orders)

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`."""
        return await self._ask(lambda: self._venue.core.fills_since(since_ms))

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        return await self._ask(self._venue.core.balances)

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`."""
        return simulated_networks(self.markets.values(), assets)

    async def fetch_trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        """See :meth:`ExchangeAdapter.fetch_trading`."""
        return untold(code for code in codes if not self._venue.core.is_halted(code))

    def throttled(self) -> str | None:
        """None: a simulated venue has no rate limits."""
        return None

    def reserve_orders(self, cycle_id: str, entries: int) -> str | None:
        """A simulated venue limits nothing."""
        return None

    def release_orders(self, cycle_id: str) -> None:
        """A simulated venue keeps nothing for a cycle."""

    async def run(self, account: AccountEvents) -> None:
        """See :meth:`ExchangeAdapter.run`."""
        await asyncio.sleep(self._venue.travel())
        venue = self._venue
        venue.account = account
        try:
            if not venue.cut:
                account.on_reconnected(self.name)
            await asyncio.get_running_loop().create_future()
        finally:
            if venue.account is account:
                venue.account = None

    async def close(self) -> None:
        """Nothing is held; what is under way goes on."""

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        await self._there()
        fault = self._venue.take((FaultKind.QUERY_FAILED,), self.name)
        if fault is not None:
            self._venue.story.fire(fault.number, fault.kind, f"{self.name}: {fault.kind}")
            raise VenueFailed(f"{self.name}: 503 by the fault script")
        answer = question()
        await self._there()
        return answer

    async def _there(self) -> None:
        """One way to the venue or back.

        Raises:
            OrderUnknown: it is down; after a usual timeout.
        """
        await asyncio.sleep(self._venue.travel())
        if self._venue.core.is_down:
            await asyncio.sleep(_PATIENCE_S)
            raise OrderUnknown(f"{self.name}: no answer in {_PATIENCE_S:g} s")
