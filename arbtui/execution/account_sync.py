"""Keeps the tracker in step with one venue's account: its private stream, and questions for what the stream may have missed.

:mod:`arbtui.failover.running` decides how often it asks. A query that is not answered proves nothing: orders may be open all the same,
and fills may have come.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from arbtui.exchanges.adapter import AccountEvents, ExchangeAdapter, OrderReport
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.tracker import OrderTracker
from arbtui.model.clock import Clock
from arbtui.model.ids import is_ours
from arbtui.model.money import plain
from arbtui.model.order import Balance, Fill, Order, OrderState
from arbtui.model.turns import Turns
from arbtui.portfolio.position_sync import CrossExchangePositionSync

#: ms before the last complete answer from which fills are asked for again: clocks differ, and venues list late.
_OVERLAP_MS = 60_000
#: ms before the start from which fills are asked for at first: what is older is the reconciler's, and may be thousands.
_CLOCKS_DIFFER_MS = 5_000
#: What is younger, in seconds, may still be on its way by the stream or in an answer: that it is found first is no difference.
_YOUNG_S = 2.0
#: Most differences remembered that cannot be booked: a venue lists each one again and again, and it is reported once.
_TOLD = 1000


class AccountSync(AccountEvents):
    """One venue's account.

    Args:
        sync: compares what the venue says that it holds.
        health: told whether the account can be heard: while it cannot, nothing new opens at the venue. None where no stream is needed:
            the venue is played here, and each answer is complete.
        announce: takes the venue's notices.
    """

    def __init__(
        self,
        adapter: ExchangeAdapter,
        tracker: OrderTracker,
        sync: CrossExchangePositionSync,
        clock: Clock,
        health: ExchangeHealthMonitor | None,
        announce: Callable[[Announcement], None] = lambda _: None,
    ) -> None:
        self.name = adapter.name
        self._announce = announce
        self._adapter = adapter
        self._health = health
        if health is not None:
            health.on_account(False)
        self._tracker = tracker
        self._sync = sync
        self._clock = clock
        self.listens = health is not None  #: it has a stream
        self.wanted = asyncio.Event()  #: the stream was opened or has broken: what was missed must be asked for
        self._started_ms = self._since_ms = clock.time_ms()
        self._told: dict[str, None] = {}  # oldest first
        self._started_at = clock.monotonic()
        self.balances: dict[str, Balance] = {}  #: as the venue last told them, by asset
        self.is_connected = False  #: the stream is open

    @property
    def is_deaf(self) -> bool:
        """Whether its stream is broken, so that only queries show what happens."""
        return self.listens and not self.is_connected

    async def listen(self) -> None:
        """Receive the stream's events until cancelled."""
        await self._adapter.run(self)

    def heard(self) -> None:
        """Everything was asked for and answered: the venue may be traded at, where its stream is open."""
        if self._health is not None:
            self._health.on_account(self.is_connected)

    def on_order(self, report: OrderReport) -> None:
        """See :class:`AccountEvents`."""
        self._tracker.on_order(report)

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        """See :class:`AccountEvents`."""
        self.balances.update(balances)
        self._sync.compare(exchange, balances)

    def on_announcement(self, announcement: Announcement) -> None:
        """See :class:`AccountEvents`."""
        self._announce(announcement)

    def on_reconnected(self, exchange: str) -> None:
        """See :class:`AccountEvents`."""
        self.is_connected = True
        self.wanted.set()

    def on_disconnected(self, exchange: str) -> None:
        """See :class:`AccountEvents`."""
        self.is_connected = False
        self.wanted.set()
        if self._health is not None:
            self._health.on_account(False)

    async def read_trades(self, lane: Lane, back_ms: int = 0) -> Sequence[str]:
        """Book fills that nobody told; what was found, in words. Begins a minute before the last complete answer, or ``back_ms`` ago.

        The wall clock may be put ahead or back meanwhile: the earlier of it and of what has passed since the start misses no fill.

        Raises:
            ArbtuiError: no usable answer.
        """
        passed_ms = round((self._clock.monotonic() - self._started_at) * 1000)
        asked_ms = min(self._clock.time_ms(), self._started_ms + passed_ms)
        since_ms = self._since_ms - _OVERLAP_MS if not back_ms else min(self._since_ms, asked_ms - back_ms) - _OVERLAP_MS
        found = []
        listed = await self._adapter.fetch_fills(max(since_ms, self._started_ms - _CLOCKS_DIFFER_MS), lane)
        turns = Turns()  # thousands may be listed
        for fill in listed:
            await turns.pause()
            # Fills from before this run are the reconciler's, which has booked them.
            if fill.ts_event >= self._started_ms or self._tracker.knows(fill.client_order_id):
                what = self._tracker.on_fill(fill)
                is_due = what != "fill" or fill.ts_event < asked_ms - _YOUNG_S * 1000
                if what and is_due and self._is_news(f"{what} {fill.trade_id}"):
                    found.append(f"{what} {_fill_in_words(fill)}")
        self._since_ms = asked_ms
        return found

    async def read_open_orders(self, lane: Lane) -> Sequence[str]:
        """Compare the venue's list of open orders with ours; what was found, in words. Ours that it does not list are looked up.

        Raises:
            ArbtuiError: no usable answer.
        """
        asked_at = self._clock.monotonic()
        listed = {report.client_order_id: report for report in await self._adapter.fetch_open_orders(lane)}
        found = []
        for report in listed.values():
            if not self._tracker.knows(report.client_order_id):
                self._tracker.on_order(report)
                if is_ours(report.client_order_id) and self._is_news(f"order {report.client_order_id}"):
                    found.append(f"order {report.client_order_id} stands, and this run has not sent it")
        for order in list(self._tracker.open.values()):
            # One that is being sent has nothing to be asked yet, and would be looked for before it can be there.
            if order.market.exchange != self.name or order.state is OrderState.SENDING or _is_as_listed(order, listed):
                continue
            before = (order.state, order.filled_qty)
            told = await self._adapter.fetch_order(order.market.code, order.client_order_id, lane)
            if told is None:  # that it is not there proves nothing here; the tracker waits its time out
                continue
            self._tracker.on_order(told)
            if (order.state, order.filled_qty) != before and asked_at - order.decided_at > _YOUNG_S:
                found.append(f"order {order.client_order_id} was {before[0]} here and is {order.state}, {plain(order.filled_qty)} filled")
        return found

    async def read_balances(self, lane: Lane) -> Sequence[str]:
        """Compare balances; new disputes, in words.

        Raises:
            ArbtuiError: no usable answer.
        """
        asked, before = self._sync.held(self.name), self._sync.disputed(self.name)
        self.balances = dict(await self._adapter.fetch_balances(lane))
        self._sync.compare_answer(self.name, self.balances, asked)
        return [f"balance of {asset} disputed" for asset in self._sync.disputed(self.name) if asset not in before]

    def _is_news(self, key: str) -> bool:
        if key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > _TOLD:
            del self._told[next(iter(self._told))]
        return True


def _is_as_listed(order: Order, listed: Mapping[str, OrderReport]) -> bool:
    """Whether the venue's list says of an open order of ours what we hold."""
    report = listed.get(order.client_order_id)
    return report is not None and order.state is not OrderState.UNKNOWN and report.filled_qty <= order.filled_qty


def _fill_in_words(fill: Fill) -> str:
    order = fill.client_order_id or fill.venue_order_id
    return f"{fill.side} {plain(fill.qty)} {fill.base} at {plain(fill.price)} {fill.quote} of order {order}, that nobody had told"
