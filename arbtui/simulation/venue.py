"""The venue core: accepts our orders at their arrival, fills them against the external book, keeps the exact ledger.

The owner of the market reports each new book and public trade to the core (:meth:`VenueCore.on_book`,
:meth:`VenueCore.on_trade`); resting orders fill from those. Our own orders never trade with each other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from arbtui.exchanges.adapter import OrderReport, StandingOrder
from arbtui.exchanges.venue import ClientIdRule
from arbtui.journal.database import Statement
from arbtui.model.clock import Clock
from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import Balance, Fill, OrderState, Side, TimeInForce
from arbtui.simulation.faults import FaultScript
from arbtui.simulation.fees import FeeCoin, fee_currency
from arbtui.simulation.ledger import VenueLedger, fill_statement, order_statement
from arbtui.simulation.matching import BookSource, ConsumedDepth, Execution
from arbtui.simulation.order_queue import Progress, shown_ahead
from arbtui.simulation.order_request import OrderRequest, client_id_rule
from arbtui.simulation.report_queue import ReportQueue
from arbtui.simulation.resting_orders import RestingOrders
from arbtui.simulation.settlement import balance_changes, needed_at_rest, needed_to_place, still_locked, take_fee
from arbtui.simulation.venue_order import VenueOrder


class VenueCore:
    """One venue. Every answer is committed to the ledger before it is given.

    ``on_report`` is called, once it is durable, for everything that happens to an order: arrival, each fill, end. Such a
    report holds the fills that are new.
    """

    def __init__(
        self,
        name: str,
        markets: Mapping[str, Market],
        books: BookSource,
        ledger: VenueLedger,
        clock: Clock,
        client_ids: ClientIdRule | None = None,
    ) -> None:
        self.name = name
        self.markets = markets
        self.faults = FaultScript()
        self.fee_coin: FeeCoin | None = None  #: fees are taken in it while there is some
        self.is_down = False  #: it answers nothing, and what arrives is lost; enforced by the adapter or sandbox in front of it
        self._halted: dict[str, None] = {}  # markets that accept no orders
        self.on_report: Callable[[OrderReport], None] | None = None
        self._books = books
        self._ledger = ledger
        self._clock = clock
        self._client_ids = client_ids or client_id_rule(name)
        self._consumed: dict[str, ConsumedDepth] = {}
        self._uncommitted: dict[str, None] = {}  # client ids whose record is on its way to the disk
        self._resting = RestingOrders(markets)
        self._reports = ReportQueue(name, self._deliver, lambda: ledger.commit([]))
        self._last_order_id, self._last_trade_id = ledger.last_ids(name)
        for order in ledger.open_orders(name):
            self._resting.add(order)

    async def open_account(self, balances: Mapping[str, Decimal]) -> bool:
        """Pay in the starting balances of the assets that this account has never held; whether there were any.

        So new symbols of a larger universe get stock, and existing balances are never topped up.
        """
        new = {asset: amount for asset, amount in balances.items() if not self._ledger.has_held(self.name, asset)}
        if not new:
            return False
        await self._ledger.deposit(self.name, new, "initial", self._clock.time_ms())
        return True

    async def execute(self, request: OrderRequest) -> OrderReport:
        """Match ``request`` now; its report, once durable. Only a GTC order can still be open then.

        Raises:
            OrderRejected: unknown market, a market rule, insufficient funds, or a client id that is taken.
            JournalFailed: the ledger's disk failed; whether the order was accepted is not known.
        """
        if self._is_taken(request.client_order_id):
            raise OrderRejected(f"DUPLICATE_CLIENT_ID {request.client_order_id} was used before")
        self._uncommitted[request.client_order_id] = None
        self._last_order_id += 1
        order = VenueOrder(
            request.client_order_id,
            self._last_order_id,
            request.code,
            request.side,
            request.qty,
            request.price,
            request.tif,
            self._clock.time_ms(),
        )
        try:
            refusal = self._refusal(request)
            if refusal is not None:
                order.state, order.reason = OrderState.REJECTED, refusal
                await self._record(order, (), [])
                raise OrderRejected(refusal)
            # Nothing is awaited between matching and the ledger's memory, so no other order can interfere.
            fills, statements = self._match(order)
            return await self._record(order, fills, statements)
        finally:
            del self._uncommitted[request.client_order_id]

    async def cancel(self, client_order_id: str) -> OrderReport | None:
        """Cancel a resting order, or its remainder; its last report, or None when no such order is open.

        Raises:
            JournalFailed: the ledger's disk failed; whether the order is still open is not known.
        """
        order = self._resting.get(client_order_id)
        if order is None:
            return None
        order.state = OrderState.CANCELED
        self._resting.remove(order)
        unlocked = [(order.locked_asset, -order.locked)]
        order.locked = ZERO
        statements = self._ledger.change_balances(self.name, (), self._clock.time_ms(), unlocked)
        await self._record(order, (), statements)
        return self._whole_report(order)

    async def cancel_all(self) -> Sequence[OrderReport]:
        """Cancel all resting orders; their last reports."""
        reports = [await self.cancel(client_order_id) for client_order_id in self._resting.client_ids]
        return [report for report in reports if report is not None]

    def on_book(self, code: str) -> None:
        """The external book of ``code`` has changed."""
        queue = self._resting.queue(code)
        if queue is not None:
            self._advance(queue.on_book(self._books(code), self._consumed_of(code)))

    def on_trade(self, code: str, price: float, qty: float, taker: Side) -> None:
        """A public trade in ``code``; ``taker`` is the aggressor's side."""
        queue = self._resting.queue(code)
        if queue is not None:
            self._advance(queue.on_trade(decimal_of(price), decimal_of(qty), taker))

    def on_halt(self, code: str, halted: bool) -> None:
        """``code`` stops accepting orders, or accepts them again; resting orders stay and can be cancelled."""
        if halted:
            self._halted[code] = None
        else:
            self._halted.pop(code, None)

    def is_halted(self, code: str) -> bool:
        """Whether ``code`` accepts no orders now."""
        return code in self._halted

    def on_outage(self, down: bool) -> None:
        """The venue becomes unreachable, or reachable again; its market goes on."""
        self.is_down = down

    def find(self, client_order_id: str) -> OrderReport | None:
        """The newest order of a client id with all its fills; None when nothing durable is known of it."""
        with self._ledger.one_view():
            order = self._ledger.order(self.name, client_order_id)
            return None if order is None else self._whole_report(order)

    def record(self, venue_order_id: int) -> VenueOrder | None:
        """Everything that is durable of one order."""
        return self._ledger.order_by_id(self.name, venue_order_id)

    def open_orders(self) -> Sequence[OrderReport]:
        """Every order that rests, with its fills so far, oldest first."""
        with self._ledger.one_view():
            return tuple(self._whole_report(order) for order in self._ledger.open_orders(self.name))

    def standing(self) -> Sequence[StandingOrder]:
        """Every order that rests, oldest first, without its fills."""
        rows = self._ledger.open_orders(self.name)
        return tuple(StandingOrder(row.code, row.client_order_id, str(row.venue_order_id)) for row in rows)

    def fills_since(self, since_ms: int) -> Sequence[Fill]:
        """Fills with ``ts_event >= since_ms``, oldest first."""
        return self._ledger.fills_since(self.name, since_ms)

    def balances(self) -> dict[str, Balance]:
        """Balances by asset."""
        return self._ledger.balances(self.name)

    async def settled(self) -> None:
        """Wait until every report that is due has been delivered."""
        await self._reports.settled()

    def _is_taken(self, client_order_id: str) -> bool:
        if client_order_id in self._uncommitted or client_order_id in self._resting:
            return True
        return self._client_ids is ClientIdRule.UNIQUE_FOREVER and self._ledger.order(self.name, client_order_id) is not None

    def _refusal(self, request: OrderRequest) -> str | None:
        market = self.markets.get(request.code)
        if market is None:
            return f"UNKNOWN_MARKET {self.name} has no market {request.code}"
        if request.code in self._halted:
            return f"MARKET_HALTED {self.name} takes no orders in {request.code}"
        broken = market.refusal(request.price, request.qty)
        if broken is not None:
            return broken
        asset, needed = needed_to_place(market, request)
        free = self._ledger.free(self.name, asset)
        if free < needed:
            return f"INSUFFICIENT_FUNDS {needed} {asset} needed, {free} free at {self.name}"
        return None

    def _match(self, order: VenueOrder) -> tuple[Sequence[Fill], list[Statement]]:
        """Match an order; the remainder of a GTC order is locked and queued."""
        market, book = self.markets[order.code], self._books(order.code)
        whole = order.tif is TimeInForce.FOK
        executions = self._consumed_of(order.code).match(market, order.side, order.qty, order.price, book, whole=whole)
        fills = [self._fill(order, execution, maker=False) for execution in executions]
        locks: list[tuple[str, Decimal]] = []
        if order.leaves_qty == ZERO:
            order.state = OrderState.FILLED
        elif order.tif is TimeInForce.GTC:
            order.state = OrderState.PARTIALLY_FILLED if fills else OrderState.ACCEPTED
            order.ahead = shown_ahead(order.side, order.price, book)
            order.locked_asset, order.locked = needed_at_rest(market, order)
            locks = [(order.locked_asset, order.locked)]
            self._resting.add(order)
        else:
            order.state = OrderState.EXPIRED
            order.reason = "FOK_NOT_FILLED the whole quantity is not there within the price" if whole else ""
        changes = [change for fill in fills for change in balance_changes(fill)]
        return fills, self._ledger.change_balances(self.name, changes, order.ts_ms, locks)

    def _advance(self, progress: Iterable[Progress]) -> None:
        """Book the fills of resting orders: in memory and queued for the disk at once, reported once durable."""
        statements: list[Statement] = []
        reports: list[OrderReport] = []
        for order, qty in progress:
            if qty:
                fill = self._fill(order, Execution(order.price, qty), maker=True)
                order.state = OrderState.PARTIALLY_FILLED if order.leaves_qty else OrderState.FILLED
                unlocked = order.locked - still_locked(order, fill)
                order.locked -= unlocked
                if order.state is OrderState.FILLED:
                    self._resting.remove(order)
                statements.append(fill_statement(fill))
                unlock = [(order.locked_asset, -unlocked)]
                statements += self._ledger.change_balances(self.name, balance_changes(fill), fill.ts_event, unlock)
                reports.append(self._report(order, (fill,)))
            statements.append(order_statement(self.name, order))
        if statements:
            self._ledger.post(statements)
        if reports and self.on_report is not None:
            self._reports.deliver_when_written(*reports)

    def _deliver(self, report: OrderReport) -> None:
        if self.on_report is not None:
            self.on_report(report)

    async def _record(self, order: VenueOrder, fills: Sequence[Fill], statements: list[Statement]) -> OrderReport:
        """Commit an order with its new ``fills`` and the ``statements`` of its balances; the report, once it is durable and delivered."""
        report = self._report(order, fills)
        mark = self._reports.add(report)
        rolled = self._ledger.roll_up(self.name, self._last_trade_id)
        await self._ledger.commit([order_statement(self.name, order), *(fill_statement(fill) for fill in fills), *statements, *rolled])
        self._reports.deliver_up_to(mark)
        return report

    def _report(self, order: VenueOrder, fills: Sequence[Fill]) -> OrderReport:
        ids = (self.name, order.client_order_id, str(order.venue_order_id))
        return OrderReport(*ids, order.state, order.filled_qty, tuple(fills), order.reason)

    def _whole_report(self, order: VenueOrder) -> OrderReport:
        return self._report(order, self._ledger.fills_of(self.name, order.venue_order_id))

    def _consumed_of(self, code: str) -> ConsumedDepth:
        return self._consumed.setdefault(code, ConsumedDepth())

    def _fill(self, order: VenueOrder, execution: Execution, *, maker: bool) -> Fill:
        """Fill ``order`` in part or whole; the caller updates its lock and state."""
        market = self.markets[order.code]
        cost = execution.price * execution.qty
        fee, currency = take_fee(market, order, execution, maker=maker), fee_currency(market, order.side)
        if self.fee_coin is not None and (coins := self.fee_coin.fee(market, cost)) <= self._ledger.free(self.name, self.fee_coin.asset):
            fee, currency = coins, self.fee_coin.asset
        self._last_trade_id += 1
        return Fill(
            exchange=self.name,
            trade_id=str(self._last_trade_id),
            client_order_id=order.client_order_id,
            venue_order_id=str(order.venue_order_id),
            market=market.code,
            base=market.base,
            quote=market.quote,
            side=order.side,
            qty=execution.qty,
            price=execution.price,
            cost=cost,
            fee=fee,
            fee_currency=currency,
            liquidity="maker" if maker else "taker",
            ts_event=self._clock.time_ms(),
        )
