"""The read model of one cycle: every order it sent, with what filled, at what price and for what fee."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import OrderIntended
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, Order
from arbtui.portfolio.accounts import OrderRecord
from arbtui.portfolio.past_cycles import PastCycle
from arbtui.portfolio.projections import cycle_pnl

_IN_ORDER = ("HEDGED", "OPEN")


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order attempt. Quantities in base and prices in quote, as text to the last digit; empty where there is none."""

    side: str  #: buy or sell
    exchange: str
    market: str
    quote: str
    purpose: str  #: entry, follow, complete, unwind or settle
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
    return CycleDetail(
        id=cycle.id,
        route=cycle.plan.route.id,
        symbol=cycle.plan.route.symbol,
        state=cycle.state,
        opened_ms=cycle.account.opened_ms,
        edge_bps=cycle.plan.edge_bps,
        pnl={} if cycle.account.is_open else cycle_pnl(cycle.account, currency),
        reason=running_reason(cycle),
        orders=[_order(order, order, order.market.exchange, order.market.code, order.market.quote, cycle.fills) for order in cycle.orders],
    )


def past_cycle(row: PastCycle) -> CycleDetail:
    """A cycle of an earlier run, from the journal."""
    return CycleDetail(
        id=row.id,
        route=row.route,
        symbol=row.symbol,
        state=row.state,
        opened_ms=row.opened_ms,
        edge_bps=row.edge_bps,
        pnl=row.pnl,
        reason=past_reason(row),
        orders=[
            _order(order, order.intent, order.intent.exchange, order.intent.market, order.intent.quote, row.fills) for order in row.orders
        ],
    )


def running_reason(cycle: ArbCycle) -> str:
    """Why ``cycle`` did not simply hedge."""
    return "" if cycle.state in _IN_ORDER else cycle.reason or _said_by(cycle.orders)


def past_reason(row: PastCycle) -> str:
    """Why the cycle of ``row`` did not simply hedge."""
    return "" if row.state in _IN_ORDER else row.reason or _said_by(row.orders)


def _said_by(orders: Iterable[Order | OrderRecord]) -> str:
    """What the orders say when their cycle does not: each one's reason, or how it ended."""
    said = dict.fromkeys(f"{_facts(order).side} {order.reason or order.state}" for order in orders if order.state != "FILLED")
    return ", ".join(said)


def _facts(order: Order | OrderRecord) -> Order | OrderIntended:
    return order.intent if isinstance(order, OrderRecord) else order


def _order(
    order: Order | OrderRecord, facts: Order | OrderIntended, exchange: str, market: str, quote: str, fills: Iterable[Fill]
) -> OrderLine:
    mine = [fill for fill in fills if fill.client_order_id == facts.client_order_id]
    qty = sum((fill.qty for fill in mine), ZERO)
    cost = sum((fill.cost for fill in mine), ZERO)
    fees: dict[str, Decimal] = {}
    for fill in mine:
        fees[fill.fee_currency] = fees.get(fill.fee_currency, ZERO) + fill.fee
    return OrderLine(
        side=facts.side,
        exchange=exchange.upper(),
        market=market,
        quote=quote,
        purpose=facts.purpose,
        ordered=plain(facts.qty),
        limit=plain(facts.price),
        filled=plain(order.filled_qty),
        average=plain(Decimal(f"{cost / qty:.8g}")) if qty > ZERO else "",
        fees=", ".join(f"{plain(fee)} {currency}" for currency, fee in fees.items()),
        state=order.state,
        reason=order.reason,
        client_order_id=facts.client_order_id,
        venue_order_id=order.venue_order_id,
    )
