"""``RunningReconciler``: compares the journal with the venues again and again while a run goes on.

Each check of each venue has its own cadence, and its requests the lowest lane of the rate limits: where those leave no room, they
wait, the check comes less often, and that is told. Nothing is booked here: fills, ends of orders and disputes go the way of all others.
A check that is not answered says nothing; it is tried again soon.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.account_sync import AccountSync
from arbtui.execution.tracker import OrderTracker
from arbtui.failover.config import ReconcileConfig
from arbtui.failover.reconcile_report import Check, CheckRecord, ReconcileReport
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError
from arbtui.model.order import Order
from arbtui.portfolio.position_sync import CrossExchangePositionSync

log = logging.getLogger("arbtui")

#: s between two readings of everything while a venue's stream is broken.
_DEAF_S = 5.0
#: s after which a check that was not answered is tried again.
_RETRY_S = 2.0
#: s after which a balance that differed is read again: three such readings are a dispute.
_DOUBT_S = 1.0
#: s for one check, waits for the rate limits included.
_ANSWER_S = 150.0
#: s beyond a report's own for which fills stay known as booked: it begins a minute before the last one, and an answer takes a while.
_LATE_S = 120.0
#: A check that was not answered so often in a row is told.
_TOLD_AFTER = 3


class RunningReconciler:
    """Run it beside the engine.

    Args:
        accounts: by venue.
        sync: has it seen a balance that differs, balances are read again soon.
        on_silent: told of a venue, a check and the reason, when it was not answered several times in a row.
        on_behind: told of a venue and a check, in words, when it comes less often than it should.
    """

    def __init__(
        self,
        accounts: Mapping[str, AccountSync],
        tracker: OrderTracker,
        sync: CrossExchangePositionSync,
        journal: Journal,
        clock: Clock,
        config: ReconcileConfig,
        *,
        on_silent: Callable[[str, str, str], None] = lambda *_: None,
        on_behind: Callable[[str, str], None] = lambda *_: None,
    ) -> None:
        self._accounts = accounts
        self._sync = sync
        self._journal = journal
        self._clock = clock
        self._report_s = config.report_s
        self._on_silent = on_silent
        self._on_behind = on_behind
        self.report = ReconcileReport(accounts, config, clock.time_ms())
        self._due = dict.fromkeys(self.report.records, 0.0)  # monotonic s
        tracker.on_looked_up = self._looked_up
        tracker.remember_booked(config.report_s + _LATE_S)

    async def run(self) -> None:
        """Compare until cancelled."""
        now = self._clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for (name, check), record in self.report.records.items():
                self._due[name, check] = now + record.every_s
                if check is not Check.IN_FLIGHT:
                    tasks.create_task(self._keep(self._accounts[name], record), name=f"{name} {check}")
            for name, account in self._accounts.items():
                if account.listens:
                    tasks.create_task(account.listen(), name=f"{name} account stream")
                    tasks.create_task(self._catch_up(account), name=f"{name} catching up")
            tasks.create_task(self._report_again(), name="account report")

    async def read_all(self, account: AccountSync, back_ms: int = 0, lane: Lane = Lane.CHECK) -> bool:
        """Trades, then open orders, then balances of one venue, which follow from them; whether all were answered."""
        for check in (Check.TRADES, Check.OPEN_ORDERS, Check.BALANCES):
            if not await self._do(account, self.report.records[account.name, check], back_ms, lane):
                return False
        return True

    async def _keep(self, account: AccountSync, record: CheckRecord) -> None:
        """One check at its cadence. While the stream is broken, everything is read together, by :meth:`_catch_up`."""
        key = (record.exchange, record.check)
        while True:
            due = self._due[key]
            if record.check is Check.BALANCES:  # a pushed balance may have raised a doubt since
                due = min(due, (record.began_at or 0.0) + _DOUBT_S) if self._sync.has_doubts else due
            wait = due - self._clock.monotonic()
            if wait > 0.0:
                await asyncio.sleep(min(wait, _DOUBT_S) if record.check is Check.BALANCES else wait)
            elif account.is_deaf:
                self._due[key] = self._clock.monotonic() + record.every_s
                await asyncio.sleep(min(_DOUBT_S, record.every_s))  # a doubt makes balances due at once, and nothing else would yield
            else:
                await self._do(account, record)

    async def _catch_up(self, account: AccountSync) -> None:
        """After each connection, and while there is none, ask for everything that may have been missed.

        Nothing opens at the venue before that is answered, so it waits for no more room in the limits than an entry would.
        """
        is_read = True
        while True:
            pause = _RETRY_S if not is_read else _DEAF_S if account.is_deaf else None
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await account.wanted.wait()
            account.wanted.clear()
            is_read = await self.read_all(account, lane=Lane.ENTRY)
            if is_read:
                account.heard()

    async def _report_again(self) -> None:
        """Everything once more, from time to time, with trades as far back as the last report."""
        while True:
            await asyncio.sleep(self._report_s)
            for account in self._accounts.values():
                if not account.is_deaf:
                    await self.read_all(account, int(self._report_s * 1000))
            self.report.reported_ms = self._clock.time_ms()
            log.info("accounts and journal: %s", self.report.summary(self.report.reported_ms))

    async def _do(self, account: AccountSync, record: CheckRecord, back_ms: int = 0, lane: Lane = Lane.CHECK) -> bool:
        """Make one check now; whether it was answered."""
        began = self._clock.monotonic()
        record.real_s = None if record.began_at is None else began - record.began_at
        record.began_at = began
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await self._ask(account, record.check, back_ms, lane)
        except (ArbtuiError, TimeoutError) as error:
            why = str(error) or "no answer"
            self.report.fail(record, why)
            # Once: a ban of hours would fill the log. The third in a row is a breach, and the report counts them all.
            level = logging.INFO if record.failed_in_a_row == 1 else logging.DEBUG
            log.log(level, "%s: %s could not be compared: %s", record.exchange, record.check, why)
            if record.failed_in_a_row == _TOLD_AFTER:
                self._on_silent(record.exchange, record.check, why)
            self._due[record.exchange, record.check] = self._clock.monotonic() + min(_RETRY_S, record.every_s)
            return False
        record.took_s = self._clock.monotonic() - began
        if record.failed_in_a_row >= _TOLD_AFTER:
            log.info("%s: %s are compared again, after %d failures", record.exchange, record.check, record.failed_in_a_row)
        self._take(record, found)
        self._due[record.exchange, record.check] = began + record.every_s
        if record.is_behind:
            self._on_behind(record.exchange, f"{record.check}: {record.in_words(self._clock.time_ms())}")
        return True

    async def _ask(self, account: AccountSync, check: Check, back_ms: int, lane: Lane) -> Sequence[str]:
        if check is Check.TRADES:
            return await account.read_trades(lane, back_ms)
        if check is Check.OPEN_ORDERS:
            return await account.read_open_orders(lane)
        return await account.read_balances(lane)

    def _looked_up(self, order: Order, why_not: str, is_news: bool) -> None:
        """The tracker has looked an order up whose end is not known."""
        record = self.report.records[order.market.exchange, Check.IN_FLIGHT]
        record.began_at = self._clock.monotonic()
        if why_not:
            self.report.fail(record, why_not)
        else:
            end = f"order {order.client_order_id} is {order.state}, {order.filled_qty:f} filled, by look-up"
            self._take(record, [end] if is_news else [])

    def _take(self, record: CheckRecord, found: Sequence[str]) -> None:
        now_ms = self._clock.time_ms()
        self.report.add(record, now_ms, found)
        if not found:
            return
        log.warning("%s: %s differed: %s", record.exchange, counted(len(found), "thing"), "; ".join(found))
        event = self.report.take(now_ms)
        if event is not None:
            self._journal.post(event)
