"""The read model of one cycle: every order it sent, with what filled, at what price and for what fee."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.execution.cycle import ArbCycle
from arbtui.journal.state import CycleRow, OrderRow
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, Order

_IN_ORDER = ("HEDGED", "OPEN")


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order attempt. Quantities in base and prices in quote, as text to the last digit; empty where there is none."""

    side: str  #: buy or sell
    exchange: str
    market: str
    quote: str
    purpose: str  #: entry, complete or unwind
    ordered: str
    limit: str  #: the worst price allowed
    filled: str
    average: str
    fees: str  #: ``0.0125 USDT``, one a currency
    state: str
    reason: str
    client_order_id: str
    venue_order_id: str


@dataclass(frozen=True, slots=True)
class CycleDetail:
    """One cycle in full."""

    id: str
    route: str
    symbol: str
    state: str
    opened_ms: int
    edge_bps: float  #: net, at decision
    pnl: Mapping[str, str]  #: ``currency`` and its parts; empty while open
    reason: str  #: why it did not simply hedge; empty where it did
    orders: Sequence[OrderLine]


def running_cycle(cycle: ArbCycle, currency: str) -> CycleDetail:
    """A cycle of this run; ``currency`` is that of its profit."""
    pnl = cycle.pnl
    parts = {} if pnl is None else {"total": pnl.total, "trading": pnl.trading, "fees": pnl.fees, "fx": pnl.fx, "inventory": pnl.inventory}
    return CycleDetail(
        id=cycle.id,
        route=cycle.plan.route.id,
        symbol=cycle.plan.route.symbol,
        state=cycle.state,
        opened_ms=cycle.opened_ms,
        edge_bps=cycle.plan.edge_bps,
        pnl={"currency": currency, **{name: plain(part) for name, part in parts.items()}} if parts else {},
        reason=running_reason(cycle),
        orders=[
            _order(order, order.market.exchange, order.market.code, order.market.quote, order.filled_qty, cycle.fills)
            for order in cycle.orders
        ],
    )


def past_cycle(row: CycleRow) -> CycleDetail:
    """A cycle of an earlier run, from the journal."""
    fills = [fill.fill for fill in row.fills]
    return CycleDetail(
        id=row.cycle_id,
        route=row.route,
        symbol=row.symbol,
        state=row.state,
        opened_ms=row.opened_ms,
        edge_bps=row.edge_bps,
        pnl=row.pnl,
        reason=past_reason(row),
        orders=[_order(order, order.exchange, order.market, order.quote, order.filled_qty, fills) for order in row.orders],
    )


def running_reason(cycle: ArbCycle) -> str:
    """Why ``cycle`` did not simply hedge."""
    return "" if cycle.state in _IN_ORDER else cycle.reason or _said_by(cycle.orders)


def past_reason(row: CycleRow) -> str:
    """Why the cycle of ``row`` did not simply hedge."""
    return "" if row.state in _IN_ORDER else row.reason or _said_by(row.orders)


def _said_by(orders: Iterable[Order | OrderRow]) -> str:
    """What the orders say when their cycle does not: each one's reason, or how it ended."""
    said = dict.fromkeys(f"{order.side} {order.reason or order.state}" for order in orders if order.state != "FILLED")
    return ", ".join(said)


def _order(order: Order | OrderRow, exchange: str, market: str, quote: str, filled: Decimal, fills: Iterable[Fill]) -> OrderLine:
    mine = [fill for fill in fills if fill.client_order_id == order.client_order_id]
    qty = sum((fill.qty for fill in mine), ZERO)
    cost = sum((fill.cost for fill in mine), ZERO)
    fees: dict[str, Decimal] = {}
    for fill in mine:
        fees[fill.fee_currency] = fees.get(fill.fee_currency, ZERO) + fill.fee
    return OrderLine(
        side=order.side,
        exchange=exchange.upper(),
        market=market,
        quote=quote,
        purpose=order.purpose,
        ordered=plain(order.qty),
        limit=plain(order.price),
        filled=plain(filled),
        average=plain(Decimal(f"{cost / qty:.8g}")) if qty > ZERO else "",
        fees=", ".join(f"{plain(fee)} {currency}" for currency, fee in fees.items()),
        state=order.state,
        reason=order.reason,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
    )
