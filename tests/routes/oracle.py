"""A naive second opinion on what a route earns: Decimal only, level by level, and nothing of the route's own code.

Money rules from the venues' documents: Upbit takes its fee in won on top of a purchase, Binance takes it out of the coin
bought; both take a sale's fee out of its proceeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from arbtui.model.market import FeeTakenIn, Market

Levels = Sequence[tuple[Decimal, Decimal]]
D0, D1, BPS = Decimal(0), Decimal(1), Decimal(10_000)


@dataclass(frozen=True)
class Question:
    """Everything that an answer may depend on. ``rate``: buying currency for one unit of the selling one, all costs in."""

    buy: Market
    sell: Market
    asks: Levels
    bids: Levels
    rate: Decimal
    least_edge_bps: Decimal
    value: Decimal  #: size wanted, in the buying currency
    unit: Decimal  #: buying currency for one unit of the currency of sizes and PnL, at mid
    stock: Decimal
    cash: Decimal


@dataclass(frozen=True)
class Answer:
    buy_qty: Decimal
    sell_qty: Decimal
    buy_price: Decimal
    sell_price: Decimal
    edge_bps: Decimal


def _arriving(buy: Market, qty: Decimal) -> Decimal:
    """What arrives of ``qty`` bought."""
    return qty - qty * buy.fees.taker if buy.fees.taken_in is FeeTakenIn.RECEIVED else qty


def _paid(buy: Market, cost: Decimal) -> Decimal:
    return cost if buy.fees.taken_in is FeeTakenIn.RECEIVED else cost + cost * buy.fees.taker


def cost_of(levels: Levels, qty: Decimal) -> Decimal:
    total = D0
    for price, size in levels:
        part = min(size, qty)
        total += part * price
        qty -= part
    assert qty == 0, "the book is not that deep"
    return total


def edge_bps(q: Question, buy_qty: Decimal, sell_qty: Decimal) -> Decimal:
    """Net edge of exactly these two orders against these two books."""
    with localcontext() as context:
        context.prec = 50
        paid = _paid(q.buy, cost_of(q.asks, buy_qty))
        gross = cost_of(q.bids, sell_qty)
        return ((gross - gross * q.sell.fees.taker) * q.rate / paid - 1) * BPS


def value(q: Question, buy_qty: Decimal) -> Decimal:
    """What a purchase of exactly ``buy_qty`` costs, its fee included, in the currency of sizes and PnL."""
    with localcontext() as context:
        context.prec = 50
        return _paid(q.buy, cost_of(q.asks, buy_qty)) / q.unit


def walk(q: Question) -> tuple[Decimal, Decimal, Decimal]:
    """Most that pays (net base), and the worst ask and bid it needs; zeros when nothing pays."""
    with localcontext() as context:
        context.prec = 50
        one = _paid(q.buy, q.asks[0][0]) / _arriving(q.buy, D1)
        most = min(q.value / one, q.stock, q.cash / one)
        pieces: list[list[Decimal]] = [[price, _arriving(q.buy, size)] for price, size in q.asks]
        others: list[list[Decimal]] = [[price, size] for price, size in q.bids]
        total = worst_ask = worst_bid = D0
        while pieces and others and total < most:
            ask, bid = pieces[0][0], others[0][0]
            unit_cost = _paid(q.buy, ask) / _arriving(q.buy, D1)
            unit_gain = (bid - bid * q.sell.fees.taker) * q.rate
            if not unit_gain / unit_cost > 1 + q.least_edge_bps / BPS:
                break
            take = min(pieces[0][1], others[0][1], most - total)
            total += take
            if take > 0:
                worst_ask, worst_bid = ask, bid
            for side in (pieces, others):
                side[0][1] -= take
                if side[0][1] <= 0:
                    side.pop(0)
        return total, worst_ask, worst_bid


def _down(qty: Decimal, step: Decimal) -> Decimal:
    return qty // step * step


def answer(q: Question, lots_less: int = 0) -> Answer | None:
    """The orders worth sending, or None. ``lots_less`` shrinks the walk, to see whether an answer hangs on the last lot."""
    total, worst_ask, worst_bid = walk(q)
    if total <= 0:
        return None
    with localcontext() as context:
        context.prec = 50
        kept = _arriving(q.buy, D1)
        affordable = _arriving(q.buy, q.cash / (worst_ask * (1 + q.buy.fees.taker)) - q.buy.lot_step)
        total = min(total, affordable) - lots_less * max(q.buy.lot_step, q.sell.lot_step)
        if total <= 0:
            return None
        if q.sell.lot_step >= q.buy.lot_step:
            sell_qty = _down(total, q.sell.lot_step)
            buy_qty = _down(sell_qty / kept, q.buy.lot_step)
            if buy_qty * kept < sell_qty:
                buy_qty += q.buy.lot_step
        else:
            buy_qty = _down(total / kept, q.buy.lot_step)
            sell_qty = _down(buy_qty * kept, q.sell.lot_step)
        if min(buy_qty, sell_qty) <= 0 or max(q.buy.lot_step, q.sell.lot_step) * 50 > sell_qty:
            return None
        if buy_qty < q.buy.min_qty or sell_qty < q.sell.min_qty:
            return None
        if buy_qty * worst_ask < q.buy.min_cost or sell_qty * worst_bid < q.sell.min_cost:
            return None
        edge = edge_bps(q, buy_qty, sell_qty)
        if edge < q.least_edge_bps:
            return None
        return Answer(buy_qty, sell_qty, worst_ask, worst_bid, edge)
