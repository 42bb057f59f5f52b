"""Keeps the tracker in step with one venue's account: its private stream, and what the stream may have missed."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from arbtui.exchanges.adapter import AccountEvents, ExchangeAdapter, OrderReport
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.execution.tracker import OrderTracker
from arbtui.model.clock import Clock
from arbtui.model.errors import ArbtuiError
from arbtui.model.order import Balance, OrderState
from arbtui.portfolio.position_sync import CrossExchangePositionSync

log = logging.getLogger("arbtui")

#: s after which fills are asked for although the stream is open: a push may be lost without a sign.
_ASK_EVERY_S = 30.0
#: The same while the stream is broken.
_ASK_DEAF_S = 5.0
#: s between two attempts when the asking itself fails.
_RETRY_S = 2.0
_ANSWER_S = 60.0
#: ms before the last complete answer from which fills are asked for again: clocks differ, and venues list late.
_OVERLAP_MS = 60_000
#: ms before the start from which fills are asked for at first: what is older is the reconciler's, and may be thousands.
_CLOCKS_DIFFER_MS = 5_000


class AccountSync(AccountEvents):
    """One venue's account. Run it beside the engine in live.

    Args:
        sync: compares what the venue says that it holds.
        health: told whether the account can be heard: while it cannot, nothing new opens at the venue.
    """

    def __init__(
        self, adapter: ExchangeAdapter, tracker: OrderTracker, sync: CrossExchangePositionSync, clock: Clock, health: ExchangeHealthMonitor
    ) -> None:
        self._adapter = adapter
        self._health = health
        health.on_account(False)
        self._tracker = tracker
        self._sync = sync
        self._clock = clock
        self._wanted = asyncio.Event()
        self._started_ms = self._since_ms = clock.time_ms()
        self._started_at = clock.monotonic()
        self.balances: dict[str, Balance] = {}  #: as the venue last told them, by asset
        self.is_connected = False  #: the stream is open
        self.readings = 0  #: how often everything was read to its end

    async def run(self) -> None:
        """Listen, and ask after each connection and from time to time, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._adapter.run(self), name=f"{self._adapter.name} account stream")
            tasks.create_task(self._ask(), name=f"{self._adapter.name} account reading")

    def on_order(self, report: OrderReport) -> None:
        """See :class:`AccountEvents`."""
        self._tracker.on_order(report)

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        """See :class:`AccountEvents`."""
        self.balances.update(balances)
        self._sync.compare(exchange, balances, whole=False)

    def on_reconnected(self, exchange: str) -> None:
        """See :class:`AccountEvents`."""
        self.is_connected = True
        self._wanted.set()

    def on_disconnected(self, exchange: str) -> None:
        """See :class:`AccountEvents`."""
        self.is_connected = False
        self._health.on_account(False)

    async def _ask(self) -> None:
        pause = _ASK_EVERY_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                async with asyncio.timeout(_ANSWER_S):
                    await self._read()
            except (ArbtuiError, TimeoutError) as error:
                log.warning("%s: what the stream may have missed could not be asked for: %s", self._adapter.name, str(error) or "no answer")
                pause = _RETRY_S  # and at once when the stream is open again
            else:
                self._health.on_account(self.is_connected)
                pause = _ASK_EVERY_S if self.is_connected else _ASK_DEAF_S

    async def _read(self) -> None:
        """Fills, then open orders, the venue's and then ours, then balances; the next reading begins where this one is complete.

        The wall clock may be put ahead or back meanwhile: the earlier of it and of what has passed since the start misses no fill.
        """
        passed_ms = round((self._clock.monotonic() - self._started_at) * 1000)
        asked_ms = min(self._clock.time_ms(), self._started_ms + passed_ms)
        since_ms = max(self._since_ms - _OVERLAP_MS, self._started_ms - _CLOCKS_DIFFER_MS)
        for fill in await self._adapter.fetch_fills(since_ms):
            # Fills from before this run are the reconciler's, which has booked them.
            if fill.ts_event >= self._started_ms or self._tracker.knows(fill.client_order_id):
                self._tracker.on_fill(fill)
        for report in await self._adapter.fetch_open_orders():
            if not self._tracker.knows(report.client_order_id):  # ours are asked for one by one, with their fills
                self._tracker.on_order(report)
        for order in list(self._tracker.open.values()):
            # One that is being sent has nothing to be asked yet, and would be looked for before it can be there.
            if order.market.exchange == self._adapter.name and order.state is not OrderState.SENDING:
                found = await self._adapter.fetch_order(order.market.code, order.client_order_id)
                if found is not None:  # that it is not there proves nothing here; the tracker waits its time out
                    self._tracker.on_order(found)
        version = self._sync.version
        self.balances = dict(await self._adapter.fetch_balances())
        if version == self._sync.version:  # else it moved while it was asked, which says nothing
            self._sync.compare(self._adapter.name, self.balances, whole=True)
        self._since_ms = asked_ms
        self.readings += 1
