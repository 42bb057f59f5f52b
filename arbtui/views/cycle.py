"""The read model of one cycle: every order it sent, with what filled, at what price and for what fee."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from arbtui.journal.events import OrderIntended, Phase
from arbtui.model.money import ONE, ZERO, plain
from arbtui.model.order import Fill, Order, Side
from arbtui.portfolio.accounts import CycleAccount, OrderRecord
from arbtui.portfolio.past_cycles import PastCycle
from arbtui.portfolio.projections import cycle_pnl
from arbtui.portfolio.transfers import TransferAccount

if TYPE_CHECKING:  # `status` reads this package without an engine
    from arbtui.execution.cycle import ArbCycle, Exposure
    from arbtui.execution.hedging import HedgeStep

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
    exposure: Sequence[str] = ()  #: of an open cycle, an asset each: what is covered, under way and uncovered
    naked: str = ""  #: what has been uncovered so far: value times seconds, and the most at once; empty where nothing was
    transit: Sequence[str] = ()  #: of one whose coins are on their way: where they are and until when, and what is next
    way_out: str = ""  #: of an open cycle that is one-sided: the order that would take it back now, and what it costs


def running_cycle(
    cycle: "ArbCycle", currency: str, way_out: "HedgeStep | None", now: float, transfer: TransferAccount | None = None, now_ms: int = 0
) -> CycleDetail:
    """A cycle of this run at ``now`` (monotonic s), ``now_ms`` (wall clock).

    ``currency`` is that of its profit, ``way_out`` the order that would take back what is one-sided now, ``transfer`` what it waits for.
    """
    is_open = cycle.account.is_open
    naked = (
        f"{cycle.naked_until(now):,.1f} {currency} s in all, {cycle.largest_naked:,.2f} {currency} at most" if cycle.largest_naked else ""
    )
    return CycleDetail(
        id=cycle.id,
        route=cycle.plan.route.id,
        symbol=cycle.plan.route.symbol,
        state=cycle.phase,
        opened_ms=cycle.account.opened_ms,
        edge_bps=cycle.plan.edge_bps,
        pnl={} if cycle.account.is_open else cycle_pnl(cycle.account, currency),
        reason=running_reason(cycle),
        exposure=[_exposure(asset, one) for asset, one in cycle.exposure().items()] if is_open else (),
        naked=naked,
        transit=transit_words(cycle.account, transfer, now_ms),
        way_out=_way_out(cycle, way_out, currency) if is_open and way_out is not None else "",
        orders=[_order(order, order, order.market.exchange, order.market.code, order.market.quote, cycle.fills) for order in cycle.orders],
    )


def transit_words(cycle: CycleAccount, transfer: TransferAccount | None, now_ms: int) -> list[str]:
    """Where the coins of ``cycle`` are that ``transfer`` moves, with a countdown, and what is next; nothing of any other cycle."""
    if not cycle.is_open or cycle.phase is not Phase.IN_TRANSIT:
        return []
    if transfer is None or not cycle.awaits:
        return ["come, or back: sold where they are as soon as orders may be sent"]
    venues = f"{transfer.sender.upper()}→{transfer.receiver.upper()}"
    way = f"{plain(transfer.qty)} {transfer.asset} {venues} by {transfer.network} ({transfer.id})"
    left_s, late_s = (transfer.due_at_ms() - now_ms) / 1000, (transfer.late_at_ms() - now_ms) / 1000
    when = f"due in {_clock(left_s)}" if left_s > 0 else f"late in {_clock(late_s)}" if late_s > 0 else f"LATE by {_clock(-late_s)}"
    if transfer.left_ms is None:
        return [f"{way}: not seen to leave yet, {when}", f"next: a person makes this transfer at {transfer.sender.upper()}"]
    selling = ", ".join(f"{leg.exchange.upper()}, at worst {plain(leg.price)} {leg.quote} at first" for leg in cycle.legs if leg.after)
    return [f"{way}: on its way, {when}", f"next: sold at {selling}, once {plain(transfer.expected)} have come"]


def _clock(seconds: float) -> str:
    """``4:05`` minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _exposure(asset: str, one: "Exposure") -> str:
    return f"{asset}: {plain(one.covered)} covered, {plain(one.pending)} under way, {plain(one.uncovered)} uncovered"


def _way_out(cycle: "ArbCycle", step: "HedgeStep", currency: str) -> str:
    market = step.hop.market
    price = cycle.account.references.get(market.base)
    cost = ""
    quote = cycle.account.references.get(market.quote, ONE if market.quote == currency else None)
    if price is not None and quote is not None:
        lost = (price - step.price * quote) * step.qty if step.side is Side.SELL else (step.price * quote - price) * step.qty
        cost = f", {lost:+,.2f} {currency} against the first fill's price"
    return f"{step.side} {plain(step.qty)} {market.base} at {market.exchange.upper()}, at worst {plain(step.price)} {market.quote}{cost}"


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


def running_reason(cycle: "ArbCycle") -> str:
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
