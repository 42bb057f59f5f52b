"""Trades away what an ended cycle left, on a person's typed word: IOC orders within one price bound, a few at most.

Its orders carry the cycle's id and pass the gate as every other. Nothing of the cycle is kept here that the portfolio does not know:
after a crash the next start looks up the order as any other, and what is left is a position as before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from arbtui.execution.config import ExecutionConfig
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.gate import OrderGate
from arbtui.execution.tracker import OrderTracker
from arbtui.execution.ways_out import TRADES, WayOut, WaysOut
from arbtui.journal.events import SettlementBegan
from arbtui.model.book import OrderBook
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed
from arbtui.model.halt import Halt
from arbtui.model.ids import client_order_id
from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, Order, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.portfolio import Portfolio

#: Orders of settlements are counted as legs from here on: no plan has as many.
FIRST_LEG = 1000
#: Orders that one settlement may send.
_MOST_ORDERS = 3
#: For how long it may send them, in seconds.
_LASTS_S = 5.0
#: Between two: the book must show what the one before took, in seconds.
_PAUSE_S = 0.5
#: Ends of settlements that can still be asked for.
_KEPT = 100


@dataclass(slots=True, eq=False)
class Settlement:
    """One that is under way, or has ended. ``worst``: the price, in quote, beyond which nothing of it is sent."""

    id: str  #: the cycle's
    account: CycleAccount
    way: WayOut
    market: Market
    book: OrderBook
    worst: Decimal
    leg: int
    by: str
    cycle: ArbCycle | None  #: where it is one of this run: screens show it with these orders, too
    tell: Callable[[str], None]  #: whoever asked for it is told in words how it ended
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    is_over: bool = False
    reason: str = ""  #: what kept it from trading, the last time

    def book_of(self, market: Market) -> OrderBook:
        """See :class:`arbtui.execution.order_owner.OrderOwner`."""
        return self.book

    def take(self, fill: Fill) -> None:
        """See :class:`arbtui.execution.order_owner.OrderOwner`."""
        self.fills.append(fill)
        if self.cycle is not None:
            self.cycle.fills.append(fill)

    def on_fill(self, now: float) -> None:
        """Nothing waits for a single fill."""

    def fills_of(self, client_order_id: str) -> list[Fill]:
        """See :class:`arbtui.execution.order_owner.OrderOwner`."""
        return [fill for fill in self.fills if fill.client_order_id == client_order_id]

    @property
    def filled(self) -> Decimal:
        """What it has traded so far, in units of the asset."""
        return sum((fill.qty for fill in self.fills), ZERO)


class Settler:
    """The settlements that are under way, each a task; one of a cycle at a time.

    Args:
        salt: part of every client order id, of this run alone.
        cycle_of: the cycle of this run with that id, or None.
        refresh_book: asks a venue for a market's book once more: (exchange, code).
        on_end: called with each settlement that ended.
    """

    def __init__(
        self,
        *,
        config: ExecutionConfig,
        ways: WaysOut,
        gate: OrderGate,
        tracker: OrderTracker,
        portfolio: Portfolio,
        clock: Clock,
        halt: Halt,
        salt: str,
        tasks: asyncio.TaskGroup,
        cycle_of: Callable[[str], ArbCycle | None],
        refresh_book: Callable[[str, str], None],
        on_end: Callable[[Settlement], None],
    ) -> None:
        self._config = config
        self.ways = ways
        self._gate = gate
        self._tracker = tracker
        self._portfolio = portfolio
        self._clock = clock
        self._halt = halt
        self._salt = salt
        self._task_group = tasks
        self._cycle_of = cycle_of
        self._refresh_book = refresh_book
        self._on_end = on_end
        self.open: dict[str, Settlement] = {}  #: by cycle
        self.said: dict[str, str] = {}  #: how the last one of a cycle ended, in words
        self.quiet = asyncio.Event()  #: set while none is under way
        self.quiet.set()
        self._count = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(
        self,
        cycle_id: str,
        verb: str,
        exchange: str,
        by: str,
        reason: str,
        worst: Decimal | None = None,
        market: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> Settlement | str:
        """Begin to ``complete`` or ``flatten`` (``verb``) what a cycle left, or say why not: then nothing was sent, nor journaled.

        ``exchange``: where; empty for the cheapest way of that verb. ``worst``: the price that the person saw, in quote: nothing is
        traded at a worse one; None takes the bound of the book as it is now. ``market``: its code there, needed where the cycle left more
        than one asset. ``by`` and ``reason`` go into the journal. ``tell`` is called
        with how it ended, in words.
        """
        way = self._chosen(cycle_id, verb, exchange, market)
        if isinstance(way, str):
            return way
        account = self._portfolio.cycle(cycle_id)
        assert account is not None
        assert way.market is not None
        assert way.price is not None
        bound = way.price if worst is None else max(way.price, worst) if way.side is Side.SELL else min(way.price, worst)
        settlement = Settlement(
            cycle_id,
            account,
            way,
            way.market,
            self.ways.book_of(way.market),
            bound,
            FIRST_LEG + self._count,
            by,
            self._cycle_of(cycle_id),
            tell,
        )
        order = self._order(settlement)
        refusal = settlement.reason if order is None else self._gate.hedge_refusal(settlement, order)
        if order is None or refusal is not None:
            self._refresh_book(way.market.exchange, way.market.code)
            return f"nothing was sent: {refusal}"
        try:
            durable = self._tracker.intend([order], (SettlementBegan(cycle_id, verb, way.exchange, by, reason),))
        except JournalFailed:
            return f"nothing was sent: {Reason.JOURNAL}"
        self._count += 1
        self._keep(settlement, order)
        self.open[cycle_id] = settlement
        self.said.pop(cycle_id, None)
        self.quiet.clear()
        self._tasks[cycle_id] = self._task_group.create_task(self._run(settlement, order, durable), name=f"settle {cycle_id}")
        return settlement

    def abandon(self) -> None:
        """Stop waiting for what is under way: the next start resolves its orders."""
        for task in self._tasks.values():
            task.cancel()

    def _chosen(self, cycle_id: str, verb: str, exchange: str, market: str) -> WayOut | str:
        account = self._portfolio.cycle(cycle_id)
        if account is None or not account.is_position:
            return f"{cycle_id} leaves no position"
        if cycle_id in self.open:
            return f"{cycle_id} is being settled already"
        if self._gate.closed_for_entries:
            return "the run is ending: start again to settle it"
        if verb not in TRADES:
            return f"{verb!r} trades nothing: there are {' and '.join(TRADES)}"
        ways = [way for way in self.ways.of(account) if way.verb == verb and way.exchange in ("", exchange or way.exchange)]
        if market:
            ways = [way for way in ways if way.market is not None and way.market.code == market]
        if not ways:
            where = f"{f' of {market}' if market else ''}{f' at {exchange}' if exchange else ''}"
            return f"there is no {verb} of {cycle_id}{where}: see arbtui positions"
        assets = dict.fromkeys(way.asset for way in ways)
        if len(assets) > 1:
            return f"{cycle_id} left {' and '.join(assets)}: say which one"
        return ways[0].why_not or ways[0]

    async def _run(self, settlement: Settlement, order: Order, durable: Awaitable[None]) -> None:
        # From Python 3.12 on the console's loop runs a task's first stretch inside create_task: nothing may end before `begin`.
        await asyncio.sleep(0)
        until = self._clock.monotonic() + _LASTS_S
        try:
            await self._tracker.send(settlement, [order], durable)
            settlement.reason = order.reason
            while len(settlement.orders) < _MOST_ORDERS and self._clock.monotonic() < until and not self._halt.is_closed:
                if not self._is_left(settlement):
                    break
                await asyncio.sleep(_PAUSE_S)
                following = self._order(settlement)
                refusal = None if following is None else self._gate.hedge_refusal(settlement, following)
                if following is not None and refusal is None:
                    self._keep(settlement, following)
                    await self._tracker.send(settlement, [following], self._tracker.intend([following]))
                    settlement.reason = following.reason
                elif refusal is not None:
                    settlement.reason = refusal.value
                    self._refresh_book(settlement.market.exchange, settlement.market.code)
        except JournalFailed:  # the engine has closed the gate by now; the next start asks the venue
            settlement.reason = Reason.JOURNAL
        self._end(settlement)

    def _end(self, settlement: Settlement) -> None:
        settlement.is_over = True
        del self.open[settlement.id], self._tasks[settlement.id]
        self.said[settlement.id] = self._in_words(settlement)
        while len(self.said) > _KEPT:
            del self.said[next(iter(self.said))]
        if not self.open:
            self.quiet.set()
        self._on_end(settlement)
        # Whoever listens, a screen that has gone say, must not be able to end the engine.
        asyncio.get_running_loop().call_soon(settlement.tell, self.said[settlement.id])

    def _is_left(self, settlement: Settlement) -> bool:
        """Whether there is still something that an order of this settlement takes away."""
        left = self._portfolio.left(settlement.account).get(settlement.way.asset, ZERO)
        return left > ZERO if settlement.way.side is Side.SELL else left < ZERO

    def _order(self, settlement: Settlement) -> Order | None:
        """The next order, at the bound; None, with the reason noted, where the book is beyond it or the rest is too small."""
        market, book = settlement.market, settlement.book
        way = self.ways.trade(settlement.account, settlement.way.asset, market) if self._is_left(settlement) else None
        if way is None or way.price is None or way.why_not:
            settlement.reason = way.why_not if way is not None else "nothing is left of it"
            return None
        worst = settlement.worst
        beyond = float(worst) > book.bid if way.side is Side.SELL else float(worst) < book.ask
        if beyond:
            touch = book.bid if way.side is Side.SELL else book.ask
            settlement.reason = f"the price, {touch:g} {market.quote}, is beyond {plain(worst)}: look again"
            return None
        if market.refusal(worst, way.qty) is not None:
            settlement.reason = f"under the venue's minimum of {plain(market.min_cost)} {market.quote}"
            return None
        assert way.side is not None
        now = self._clock.monotonic()
        attempt = len(settlement.orders)
        return Order(
            client_order_id=client_order_id(self._salt, settlement.id, settlement.leg, attempt),
            market=market,
            side=way.side,
            qty=way.qty,
            price=worst,
            cycle_id=settlement.id,
            leg=settlement.leg,
            attempt=attempt,
            purpose=Purpose.SETTLE,
            epoch=self._halt.epoch,
            decided_at=now,
            deadline=now + self._config.leg_deadline_ms / 1000,
        )

    def _keep(self, settlement: Settlement, order: Order) -> None:
        settlement.orders.append(order)
        if settlement.cycle is not None:
            settlement.cycle.orders.append(order)

    def _in_words(self, settlement: Settlement) -> str:
        way, filled = settlement.way, settlement.filled
        left = self._portfolio.left(settlement.account)
        still = ", ".join(f"{plain(amount)} {asset}" for asset, amount in left.items())
        why = f" ({settlement.reason})" if settlement.reason else ""
        words = "nothing was traded"
        if filled:
            average = sum((fill.cost for fill in settlement.fills), ZERO) / filled
            traded = "sold" if way.side is Side.SELL else "bought"
            words = f"{traded} {plain(filled)} {way.asset} at {way.exchange} for {average:.8g} {settlement.market.quote}"
        return f"{settlement.id} still leaves {still}: {words}{why}" if still else f"{settlement.id} is settled: {words}"
