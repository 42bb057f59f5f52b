"""How a route's gross edge becomes its net edge, step by step, for any number of trades."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, fsum, inf
from typing import NamedTuple

from arbtui.model.order import Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.pieces import Piece, composed, poured

#: Of a lot: what a float may be off by and still be taken for a whole number of lots.
_LOT_DUST = 1e-9


class Fall(NamedTuple):
    """One step, in bps, signed: what it adds to the edge."""

    name: str
    bps: float


@dataclass(frozen=True, slots=True)
class EdgeWaterfall:
    """Gross edge at the touch and the steps to ``net``, all in bps; they add up.

    The steps: the fee of each trade; the rate's fee, with a whole order's walk through its book; the depth that the size walks through;
    rounding to lots; what a hop takes beside its price (a network's fee); what is taken off in proportion (slippage, price risk); and the
    shadow price of stock, which the routes' NET column does not count. ``net`` is what is compared with ``threshold``.

    ``value``: the size that depth and rounding are told for, in the PnL currency: what it would trade now, 0.0 where it would not.
    """

    gross: float
    falls: Sequence[Fall]
    threshold: float
    value: float

    @property
    def net(self) -> float:
        """What is left of the gross edge."""
        return fsum((self.gross, *(fall.bps for fall in self.falls)))


@dataclass(frozen=True, slots=True)
class Stage:
    """One hop of a route, as a waterfall sees it: what comes out by what goes in.

    ``trade``: the trade that it is, if it is one. ``loss``: of a hop that takes something beside its price, the name of that step.
    ``pieces`` are read more than once.
    """

    pieces: Sequence[Piece]
    trade: TradeHop | None = None
    loss: str = ""


def edge_waterfall(
    stages: Sequence[Stage],
    rates: Sequence[tuple[float, float]],
    charges: Iterable[tuple[str, float]],
    *,
    shadow_bps: float,
    threshold_bps: float,
    most: float,
    unit_value: float,
) -> EdgeWaterfall | None:
    """The waterfall of a closed row of ``stages``, its rates fixed at what a whole order gets; None where a price or a rate is missing.

    Args:
        stages: the hops, in order, from the asset that it begins with back to that.
        rates: of each conversion of it, (gross, net).
        charges: names and bps of what is taken off in proportion to the size.
        shadow_bps: the price of the stock that it uses up.
        threshold_bps: what net edge and shadow price together must exceed.
        most: the largest size, in units of what goes in first.
        unit_value: of one of those, in the PnL currency.
    """
    trades = [stage.trade for stage in stages if stage.trade is not None]
    gross = 1.0
    for trade in trades:
        gross *= trade.touch_rate
    for touch, _ in rates:
        gross *= touch
    if not gross > 0.0 or not all(net > 0.0 for _, net in rates):
        return None
    falls: list[Fall] = []
    ratio = gross
    for trade in trades:
        falls.append(Fall(f"fee {trade.market.exchange}", (ratio * trade.kept - ratio) * 1e4))
        ratio *= trade.kept
    if rates:
        before = ratio
        for touch, net in rates:
            ratio *= net / touch
        falls.append(Fall("rate fee", (ratio - before) * 1e4))
    charged = [Fall(name, -bps) for name, bps in charges]
    required = 1.0 + (threshold_bps - sum(fall.bps for fall in charged)) / 1e4
    losses = [stage for stage in stages if stage.loss]
    size = _size(stages, required, most)
    if size <= 0.0 and losses:  # what is lost whatever the size is told for a whole order
        size = most
    sized = _sized(stages, size) if size > 0.0 else None
    if sized is None or sized[-1] <= 0.0:
        size = 0.0
        falls.append(Fall("depth", 0.0))
        falls.append(Fall("rounding", 0.0))
    else:
        lossless = poured([stage.pieces for stage in stages if not stage.loss], size)
        without = ratio if lossless is None else lossless[-1] / size
        falls.append(Fall("depth", (without - ratio) * 1e4))
        ratio = sized[-1] / size
        rounded = _rounded(stages, size, sized)
        falls.append(Fall("rounding", 0.0 if rounded is None else (rounded - ratio) * 1e4))
        if losses:
            falls.append(Fall(losses[0].loss, (ratio - without) * 1e4))
    falls += charged
    falls.append(Fall("shadow", -shadow_bps))
    return EdgeWaterfall((gross - 1.0) * 1e4, falls, threshold_bps - shadow_bps, size * unit_value)


def _size(stages: Sequence[Stage], required: float, most: float) -> float:
    """How much of ``most`` goes in while each further unit still brings ``required``; what is lost first is no reason to stop."""
    into = out = 0.0
    for rate, room in composed([stage.pieces for stage in stages]):
        if into >= most or (rate > 0.0 and not rate > required):
            break
        step = min(room, most - into)
        into, out = into + step, out + step * rate
    return into if out > 0.0 and into < inf else 0.0


def _sized(stages: Sequence[Stage], size: float) -> Sequence[float] | None:
    """What goes into each stage of ``size``, and comes out of the last."""
    return poured([stage.pieces for stage in stages], size)


def _rounded(stages: Sequence[Stage], size: float, amounts: Sequence[float]) -> float | None:
    """What comes out for one unit that goes in, once every order is a whole number of lots: the coarsest lot decides, and down.

    Then a purchase is rounded up and a sale down, as :func:`arbtui.routes.size.leg_sizes` does. None where it is less than a lot.
    """
    orders = []
    for number, stage in enumerate(stages):
        if stage.trade is not None:
            qty, lot = stage.trade.order_qty(amounts[number], amounts[number + 1]), float(stage.trade.market.lot_step)
            orders.append((number, stage.trade, qty, lot))
    if not orders or any(qty <= 0.0 for _, _, qty, _ in orders):
        return None
    _, _, qty, lot = max(orders, key=lambda order: order[3] / order[2])
    share = floor(qty / lot + _LOT_DUST) * lot / qty
    if share <= 0.0:
        return None
    scales = []
    for _, trade, qty, lot in orders:
        lots = qty * share / lot
        whole = ceil(lots - _LOT_DUST) if trade.side is Side.BUY else floor(lots + _LOT_DUST)
        scales.append(whole * lot / qty)
    (first, bought, *_), (last, sold, *_) = orders[0], orders[-1]
    # What the first order costs and the last one brings, by the book; between them is what lots leave over, which is dust.
    paid = _for_out(stages[first].pieces, amounts[first + 1] * scales[0]) if bought.side is Side.BUY else amounts[first] * scales[0]
    got = poured([stages[last].pieces], amounts[last] * scales[-1]) if sold.side is Side.SELL else [0.0, amounts[last + 1] * scales[-1]]
    if paid is None or got is None or paid <= 0.0 or amounts[last + 1] <= 0.0:
        return None
    after = amounts[-1] / amounts[last + 1]  # conversions, at one rate each
    return got[-1] * after / paid


def _for_out(pieces: Sequence[Piece], out: float) -> float | None:
    """What must go in for ``out`` to come out; None where the book ends before."""
    into = 0.0
    for rate, room in pieces:
        if rate * room >= out:
            return into + out / rate
        into, out = into + room, out - rate * room
    return None
