"""The venue core: takes our orders at their arrival, fills them against the external book, keeps the exact ledger."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from arbtui.exchanges.adapter import OrderReport
from arbtui.model.clock import Clock
from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side
from arbtui.simulation.faults import FaultScript
from arbtui.simulation.ledger import VenueLedger, fill_statement, order_statement
from arbtui.simulation.matching import ConsumedDepth, Execution, ExternalBook, taker_fee

BookSource = Callable[[str], ExternalBook]  #: market code -> the external book as it is now


class OrderRequest(NamedTuple):
    """What a venue is told of an immediate-or-cancel limit order. ``qty`` in base, ``price`` in quote."""

    client_order_id: str
    code: str
    side: Side
    qty: Decimal
    price: Decimal


class VenueCore:
    """One venue. Every answer it gives has been committed to the ledger before."""

    def __init__(self, name: str, markets: Mapping[str, Market], books: BookSource, ledger: VenueLedger, clock: Clock) -> None:
        self.name = name
        self.markets = markets
        self.faults = FaultScript()
        self._books = books
        self._ledger = ledger
        self._clock = clock
        self._consumed: dict[str, ConsumedDepth] = {}
        self._uncommitted: dict[str, None] = {}  # client ids whose record is on its way to the disk
        self._last_order_id, self._last_trade_id = ledger.last_ids(name)

    async def open_account(self, balances: Mapping[str, Decimal]) -> bool:
        """Pay in the starting balances of the assets that this account has never held; whether there were any.

        So a universe that grew finds stock of its new symbols, and what was there before is never topped up.
        """
        new = {asset: amount for asset, amount in balances.items() if not self._ledger.has_held(self.name, asset)}
        if not new:
            return False
        await self._ledger.deposit(self.name, new, "initial", self._clock.time_ms())
        return True

    async def execute(self, request: OrderRequest) -> OrderReport:
        """Match ``request`` now; the final report, once it is durable.

        Raises:
            OrderRejected: unknown market, a market rule, too little money, or a client id that was used before.
            JournalFailed: the ledger's disk failed; whether the order stands is not known.
        """
        known = request.client_order_id in self._uncommitted
        if known or self._ledger.order(self.name, request.client_order_id) is not None:
            raise OrderRejected(f"DUPLICATE_CLIENT_ID {request.client_order_id} was used before")
        self._uncommitted[request.client_order_id] = None
        self._last_order_id += 1
        try:
            refusal = self._refusal(request)
            if refusal is not None:
                await self._record(request, (), refusal)
                raise OrderRejected(refusal)
            consumed = self._consumed.setdefault(request.code, ConsumedDepth())
            market = self.markets[request.code]
            executions = consumed.match(market, request.side, request.qty, request.price, self._books(request.code))
            return await self._record(request, executions, "")
        finally:
            del self._uncommitted[request.client_order_id]

    def find(self, client_order_id: str) -> OrderReport | None:
        """An order by client id with its fills; None when nothing durable is known of it."""
        return self._ledger.order(self.name, client_order_id)

    def fills_since(self, since_ms: int) -> Sequence[Fill]:
        """Fills with ``ts_event >= since_ms``, oldest first."""
        return self._ledger.fills_since(self.name, since_ms)

    def balances(self) -> dict[str, Balance]:
        """Balances by asset."""
        return self._ledger.balances(self.name)

    def _refusal(self, request: OrderRequest) -> str | None:
        market = self.markets.get(request.code)
        if market is None:
            return f"UNKNOWN_MARKET {self.name} has no market {request.code}"
        broken = market.refusal(request.price, request.qty)
        if broken is not None:
            return broken
        if request.side is Side.BUY:
            fee, fee_currency = taker_fee(market, Side.BUY, Execution(request.price, request.qty))
            asset, needed = market.quote, request.price * request.qty + (fee if fee_currency == market.quote else ZERO)
        else:
            asset, needed = market.base, request.qty
        free = self._ledger.free(self.name, asset)
        if free < needed:
            return f"INSUFFICIENT_FUNDS {needed} {asset} needed, {free} free at {self.name}"
        return None

    async def _record(self, request: OrderRequest, executions: Sequence[Execution], refusal: str) -> OrderReport:
        """Book the outcome in memory, then durably, without a gap between matching and booking that another order could enter."""
        ts_ms = self._clock.time_ms()
        order_id = str(self._last_order_id)
        fills = tuple(self._fill(request, execution, order_id, ts_ms) for execution in executions)
        filled = sum((fill.qty for fill in fills), ZERO)
        state = OrderState.REJECTED if refusal else OrderState.FILLED if filled == request.qty else OrderState.EXPIRED
        report = OrderReport(self.name, request.client_order_id, order_id, state, filled, fills, refusal)
        statements = [order_statement(self.name, report, request.code, request.side, request.qty, request.price, ts_ms)]
        statements += [fill_statement(fill) for fill in fills]
        changes = [change for fill in fills for change in _changes(fill)]
        statements += self._ledger.change_balances(self.name, changes, ts_ms)
        await self._ledger.commit(statements)
        return report

    def _fill(self, request: OrderRequest, execution: Execution, order_id: str, ts_ms: int) -> Fill:
        market = self.markets[request.code]
        fee, fee_currency = taker_fee(market, request.side, execution)
        self._last_trade_id += 1
        return Fill(
            exchange=self.name,
            trade_id=str(self._last_trade_id),
            client_order_id=request.client_order_id,
            venue_order_id=order_id,
            market=market.code,
            base=market.base,
            quote=market.quote,
            side=request.side,
            qty=execution.qty,
            price=execution.price,
            cost=execution.price * execution.qty,
            fee=fee,
            fee_currency=fee_currency,
            liquidity="taker",
            ts_event=ts_ms,
        )


def _changes(fill: Fill) -> tuple[tuple[str, Decimal, str, str], ...]:
    base, quote = (fill.qty, -fill.cost) if fill.side is Side.BUY else (-fill.qty, fill.cost)
    return (
        (fill.base, base, "trade", fill.trade_id),
        (fill.quote, quote, "trade", fill.trade_id),
        (fill.fee_currency, -fill.fee, "fee", fill.trade_id),
    )
