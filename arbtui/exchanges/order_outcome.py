"""OrderOutcomes: what became of an immediate order, at a venue whose answer to it says only that it was accepted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from arbtui.exchanges.adapter import OrderReport
from arbtui.model.errors import ArbtuiError
from arbtui.model.order import Order, TimeInForce


class OrderOutcomes:
    """Looks immediate orders up after they were accepted, at once when the private stream reports their end.

    Args:
        fetch: the adapter's ``fetch_order``.
        pauses_s: seconds before each look-up. After the last one the newest report stands, and the tracker goes on asking.
    """

    def __init__(self, fetch: Callable[[str, str], Awaitable[OrderReport | None]], pauses_s: Sequence[float]) -> None:
        self._fetch = fetch
        self._pauses_s = pauses_s
        self._awaited: dict[str, asyncio.Event] = {}  # by client id; set when the stream reports the order's end

    def on_report(self, report: OrderReport) -> None:
        """The private stream has reported this."""
        if report.state.is_final and report.client_order_id in self._awaited:
            self._awaited[report.client_order_id].set()

    async def of(self, order: Order, accepted: OrderReport) -> OrderReport:
        """The newest report of ``order``: ``accepted``, which its answer gave, for one that may rest."""
        if order.tif is TimeInForce.GTC:
            return accepted
        report = accepted
        ended = self._awaited[order.client_order_id] = asyncio.Event()
        try:
            for pause in self._pauses_s:
                await pause_until(ended, pause)
                ended.clear()
                try:
                    found = await self._fetch(order.market.code, order.client_order_id)
                except ArbtuiError:
                    continue  # a failed query is no information
                if found is not None:
                    report = found
                    if found.is_complete:
                        break
        finally:
            del self._awaited[order.client_order_id]
        return report


async def pause_until(event: asyncio.Event, seconds: float) -> None:
    """Wait for ``event``, ``seconds`` at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
