"""``PaperExchange``: the adapter in front of a venue core, with simulated latency."""

import asyncio
import math
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from arbtui.exchanges.adapter import AccountEvents, ExchangeAdapter, OrderReport, StandingOrder
from arbtui.exchanges.market_flags import Flags, untold
from arbtui.exchanges.networks import Networks
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.errors import ArbtuiError, JournalFailed, OrderRejected, OrderUnknown
from arbtui.model.market import Market
from arbtui.model.order import Balance, Fill, Order
from arbtui.model.rng import Rng
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.simulation.networks import simulated_networks
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.played_venue import played_capabilities
from arbtui.simulation.venue import VenueCore

Answer = TypeVar("Answer")

#: How long a request to a venue that answers nothing waits before it gives up, in seconds: a usual timeout of HTTP clients.
_PATIENCE_S = 10.0
#: Orders and answers arrive on the simulator's time grid, in seconds: a book does not change in between, and
#: at 500 orders a second a wake-up for each would cost more than the order.
_GRAIN_S = 0.01


class Latency:
    """One-way delay: lognormal above the minimum (median 30 % of the range, p95 about 80 %), never over the maximum."""

    def __init__(self, bounds_ms: tuple[int, int], stream: random.Random) -> None:
        self._low, self._high = bounds_ms[0] / 1000, bounds_ms[1] / 1000
        self._stream = stream

    async def travel(self, delay: float) -> None:
        """Wait for ``delay`` seconds, shortened to the grid where that leaves it within the bounds."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        arrival = (now + delay) // _GRAIN_S * _GRAIN_S
        await asyncio.sleep(arrival - now if arrival >= now + self._low else delay)

    def draw(self) -> float:
        """A random delay in seconds."""
        while True:
            share = 0.3 * math.exp(0.6 * self._stream.gauss(0.0, 1.0))
            if share <= 1.0:
                return self._low + (self._high - self._low) * share


class _Lost(ArbtuiError):
    """An order did not reach the venue."""


class PaperExchange(ExchangeAdapter):
    """Orders are matched as the book is at their *arrival*; a caller that stops waiting does not stop its order.

    Requests that arrive while the venue is down are lost, and so are answers: an order may have been accepted or not.

    ``public``: where the venue's own list of markets is read, in ``paper``; None where the core is all that there is.
    """

    def __init__(self, core: VenueCore, rng: Rng, latency_ms: tuple[int, int] = (50, 200), public: ExchangeAdapter | None = None) -> None:
        self.name = core.name
        self.markets: Mapping[str, Market] = core.markets
        self.capabilities = replace(played_capabilities(core.name), flags=public is not None and public.capabilities.flags)
        self.absence_proof_s = 1.0  # a request takes latency_ms at most, and ends with this process
        self.core = core
        self._public = public
        self._latency = Latency(latency_ms, rng.stream(f"latency:{core.name}"))
        self._travelling: dict[asyncio.Task[OrderReport], None] = {}

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        """See :meth:`ExchangeAdapter.place`."""
        there, back = self._latency.draw(), self._latency.draw()
        request = OrderRequest(order.client_order_id, order.market.code, order.side, order.qty, order.price, order.tif)
        admit()
        fault = self.core.faults.take()
        if fault is not None and fault.kind is FaultKind.REQUEST_LOST:
            await asyncio.sleep(fault.seconds)
            raise OrderUnknown(f"{self.name}: no answer to {order.client_order_id} in {fault.seconds:g} s")
        journey = asyncio.create_task(self._journey(request, there, fault), name=f"order {order.client_order_id}")
        self._travelling[journey] = None
        journey.add_done_callback(self._arrived)
        try:
            report = await asyncio.shield(journey)
        except OrderRejected:
            await self._travel(back, order.client_order_id)
            raise
        except _Lost:
            raise await self._silence(order.client_order_id) from None
        except JournalFailed as error:
            raise OrderUnknown(f"{self.name}: the venue's ledger failed with {order.client_order_id} under way: {error}") from error
        finally:
            del journey  # what it raised holds this frame: a cycle for the garbage collector
        if fault is not None and fault.kind is FaultKind.ANSWER_LOST:
            await asyncio.sleep(fault.seconds)
            raise OrderUnknown(f"{self.name}: no answer to {order.client_order_id} in {fault.seconds:g} s")
        await self._travel(back + (fault.seconds if fault is not None else 0.0), order.client_order_id)
        return report

    async def cancel(self, code: str, client_order_id: str) -> None:
        """See :meth:`ExchangeAdapter.cancel`; an order that has filled by the time the cancel arrives stays filled.

        Raises:
            OrderUnknown: no answer, or the venue's ledger failed; whether the order is open is not known.
        """
        await self._travel(self._latency.draw(), f"the cancel of {client_order_id}")
        try:
            await self.core.cancel(client_order_id)
        except JournalFailed as error:
            raise OrderUnknown(f"{self.name}: the venue's ledger failed with the cancel of {client_order_id}: {error}") from error
        await self._travel(self._latency.draw(), f"the cancel of {client_order_id}")

    async def cancel_all(self) -> int:
        """See :meth:`ExchangeAdapter.cancel_all`.

        Raises:
            OrderUnknown: no answer, or the venue's ledger failed; which orders are open is not known.
        """
        await self._travel(self._latency.draw(), "a cancel of all orders")
        try:
            cancelled = len(await self.core.cancel_all())
        except JournalFailed as error:
            raise OrderUnknown(f"{self.name}: the venue's ledger failed with a cancel of all orders: {error}") from error
        await self._travel(self._latency.draw(), "a cancel of all orders")
        return cancelled

    async def list_standing(self) -> Sequence[StandingOrder]:
        """See :meth:`ExchangeAdapter.list_standing`."""
        return await self._ask(self.core.standing)

    async def cancel_standing(self, order: StandingOrder) -> None:
        """See :meth:`ExchangeAdapter.cancel_standing`."""
        await self.cancel(order.code, order.client_order_id)

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        """See :meth:`ExchangeAdapter.fetch_order`; an order that has not arrived yet is not known."""
        return await self._ask(lambda: self.core.find(client_order_id))

    async def fetch_open_orders(self, lane: Lane = Lane.DATA) -> Sequence[OrderReport]:
        """See :meth:`ExchangeAdapter.fetch_open_orders`."""
        return await self._ask(self.core.open_orders)

    async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> Sequence[Fill]:
        """See :meth:`ExchangeAdapter.fetch_fills`."""
        return await self._ask(lambda: self.core.fills_since(since_ms))

    async def fetch_balances(self, lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
        """See :meth:`ExchangeAdapter.fetch_balances`."""
        return await self._ask(self.core.balances)

    async def fetch_networks(self, assets: Collection[str]) -> Networks:
        """See :meth:`ExchangeAdapter.fetch_networks`; answered at once, so that asking changes nothing of the run."""
        return simulated_networks(self.markets.values(), assets)

    async def fetch_trading(self, codes: Sequence[str]) -> Mapping[str, Flags]:
        """See :meth:`ExchangeAdapter.fetch_trading`; a simulated venue answers at once, so that asking changes nothing of the run."""
        if self._public is not None:
            return await self._public.fetch_trading(codes)
        return untold(code for code in codes if not self.core.is_halted(code))

    def throttled(self) -> str | None:
        """None: a paper venue has no rate limits."""
        return None

    def reserve_orders(self, cycle_id: str, entries: int) -> str | None:
        """A paper venue limits nothing."""
        return None

    def release_orders(self, cycle_id: str) -> None:
        """A paper venue keeps nothing for a cycle."""

    async def run(self, account: AccountEvents) -> None:
        """See :meth:`ExchangeAdapter.run`: what the core reports, as it becomes durable; this stream never breaks."""
        self.core.on_report = account.on_order
        account.on_reconnected(self.name)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.core.on_report = None

    async def close(self) -> None:
        """Wait until orders under way have arrived, so that the ledger knows them. The caller closes the ledger."""
        if self._travelling:
            await asyncio.wait(list(self._travelling))
        await self.core.settled()
        if self._public is not None:
            await self._public.close()

    async def _journey(self, request: OrderRequest, there: float, fault: Fault | None) -> OrderReport:
        await self._latency.travel(there)
        if self.core.is_down:
            raise _Lost
        if fault is not None and fault.kind is FaultKind.REJECT:
            raise OrderRejected("SCRIPTED the fault script refuses this order")
        return await self.core.execute(request)

    async def _ask(self, question: Callable[[], Answer]) -> Answer:
        await self._travel(self._latency.draw(), "a query")
        answer = question()
        await self._travel(self._latency.draw(), "a query")
        return answer

    async def _travel(self, seconds: float, what: str) -> None:
        """Wait for one way to the venue or back; raises OrderUnknown when it is down at the end."""
        await self._latency.travel(seconds)
        if self.core.is_down:
            raise await self._silence(what)

    async def _silence(self, what: str) -> OrderUnknown:
        await asyncio.sleep(_PATIENCE_S)
        return OrderUnknown(f"{self.name}: no answer to {what} in {_PATIENCE_S:g} s")

    def _arrived(self, journey: asyncio.Task[OrderReport]) -> None:
        self._travelling.pop(journey, None)
        if not journey.cancelled():
            journey.exception()  # its sender may have stopped waiting: the outcome is in the ledger, not lost
