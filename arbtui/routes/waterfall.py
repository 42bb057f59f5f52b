"""How a route's gross edge becomes its net edge, step by step, for any number of trades."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, fsum, inf, prod
from typing import NamedTuple

from arbtui.model.order import Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.pieces import Piece, composed, forked, poured

#: Of a lot: what a float may be off by and still be taken for a whole number of lots.
_LOT_DUST = 1e-9


class Fall(NamedTuple):
    """One step, in bps, signed: what it adds to the edge."""

    name: str
    bps: float


@dataclass(frozen=True, slots=True)
class EdgeWaterfall:
    """Gross edge at the touch and the steps to ``net``, all in bps; they add up.

    The steps: the fee of each trade (of a fork that would not trade, of its dearest venue); the rate's fee, with a whole order's walk
    through its book; the depth that the size walks through; rounding to lots; what a hop takes beside its price (a network's fee); what is
    taken off in proportion (slippage, price risk); and the shadow price of stock, which the routes' NET column does not count. ``net`` is
    what is compared with ``threshold``.

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
class Way:
    """A trade or a conversion, or both in a row, as a waterfall sees them. Rates are what comes out for one that goes in.

    ``touch``: at the touch of the trade, before its fee, and of the rate; ``net``: the share of its touch that a whole order gets of the
    rate, fee included. ``pieces`` are of all of it, the rate at that; they are read more than once.
    """

    pieces: Sequence[Piece]
    touch: float
    trade: TradeHop | None = None
    net: float = 1.0

    @property
    def kept(self) -> float:
        """The share that the trade's fee leaves."""
        return 1.0 if self.trade is None else self.trade.kept


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a route: a single way, or a fork over several. ``loss``: of one that takes something beside its price, its name."""

    ways: Sequence[Way]
    loss: str = ""

    @property
    def pieces(self) -> Sequence[Piece]:
        """Of all of it, the best first."""
        return self.ways[0].pieces if len(self.ways) == 1 else forked([way.pieces for way in self.ways])

    def rate(self, rates: Sequence[float], parts: Sequence[tuple[float, float]]) -> float:
        """Its rate where those of its ways are ``rates``.

        ``parts``: (into, out) of each; of purchases what comes out is shared out, of sales what goes in. Where nothing goes in, a fork is
        what its dearest way is: it must pay there, too.
        """
        if len(rates) == 1:
            return rates[0]
        into, out = sum(part[0] for part in parts), sum(part[1] for part in parts)
        if into <= 0.0 or out <= 0.0:
            return min(rates)
        trade = self.ways[0].trade
        if trade is not None and trade.side is Side.BUY:
            return out / sum(part[1] / rate for part, rate in zip(parts, rates, strict=True) if part[1] > 0.0)
        return sum(part[0] * rate for part, rate in zip(parts, rates, strict=True)) / into

    def parts(self, amount: float) -> list[tuple[float, float]]:
        """What goes into each of its ways of ``amount``, and comes out: the better rate first."""
        levels = sorted(((rate, room, place) for place, way in enumerate(self.ways) for rate, room in way.pieces), key=lambda one: -one[0])
        found = [(0.0, 0.0)] * len(self.ways)
        for rate, room, place in levels if len(self.ways) > 1 else [(*piece, 0) for piece in self.ways[0].pieces]:
            step = min(room, amount)
            into, out = found[place]
            found[place] = into + step, out + step * rate
            amount -= step
            if amount <= 0.0:
                break
        return found


def edge_waterfall(
    stages: Sequence[Stage],
    charges: Iterable[tuple[str, float]],
    *,
    shadow_bps: float,
    threshold_bps: float,
    most: float,
    unit_value: float,
) -> EdgeWaterfall | None:
    """The waterfall of a closed row of ``stages``; None where a price or a rate is missing.

    Args:
        stages: in order, from the asset that it begins with back to that.
        charges: names and bps of what is taken off in proportion to the size.
        shadow_bps: the price of the stock that it uses up.
        threshold_bps: what net edge and shadow price together must exceed.
        most: the largest size, in units of what goes in first.
        unit_value: of one of those, in the PnL currency.
    """
    priced = [stage for stage in stages if not stage.loss]
    if not all(way.touch > 0.0 and way.net > 0.0 for stage in priced for way in stage.ways):
        return None
    charged = [Fall(name, -bps) for name, bps in charges]
    required = 1.0 + (threshold_bps - sum(fall.bps for fall in charged)) / 1e4
    losses = [stage for stage in stages if stage.loss]
    size = _size(stages, required, most)
    if size <= 0.0 and losses:  # what is lost whatever the size is told for a whole order
        size = most
    amounts = poured([stage.pieces for stage in stages], size) if size > 0.0 else None
    lossless = amounts if not losses or amounts is None else poured([stage.pieces for stage in priced], size)
    if lossless is None and amounts is not None:  # a book ends within what is lost
        lossless = [amount for number, amount in enumerate(amounts) if number == 0 or not stages[number - 1].loss]
    if amounts is None or lossless is None or amounts[-1] <= 0.0:
        size, amounts, lossless = 0.0, None, None
    parts = [stage.parts(0.0 if lossless is None else lossless[number]) for number, stage in enumerate(priced)]

    rates = [[way.touch for way in stage.ways] for stage in priced]

    def ratio() -> float:
        return prod(stage.rate(each, part) for stage, each, part in zip(priced, rates, parts, strict=True))

    gross = before = ratio()
    falls: list[Fall] = []

    def fall(name: str) -> None:
        nonlocal before
        now = ratio()
        falls.append(Fall(name, (now - before) * 1e4))
        before = now

    for number, stage in enumerate(priced):
        for place, way in enumerate(stage.ways):
            if way.trade is not None:
                rates[number][place] *= way.trade.kept
                if len(stage.ways) == 1 or amounts is not None or rates[number][place] == min(rates[number]):
                    fall(f"fee {way.trade.market.exchange}")
    if any(way.net != 1.0 for stage in priced for way in stage.ways):
        rates = [[rate * way.net for rate, way in zip(each, stage.ways, strict=True)] for stage, each in zip(priced, rates, strict=True)]
        fall("rate fee")
    if lossless is not None:
        rates = [
            [out / into if into > 0.0 else rate for (into, out), rate in zip(part, each, strict=True)]
            for part, each in zip(parts, rates, strict=True)
        ]
    fall("depth")
    if amounts is None:
        falls.append(Fall("rounding", 0.0))
    else:
        with_losses = amounts[-1] / size
        rounded = _rounded(stages, amounts)
        falls.append(Fall("rounding", 0.0 if rounded is None else (rounded - with_losses) * 1e4))
        if losses:
            falls.append(Fall(losses[0].loss, (with_losses - before) * 1e4))
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


def _rounded(stages: Sequence[Stage], amounts: Sequence[float]) -> float | None:
    """What comes out for one unit that goes in, once every order is a whole number of lots: the coarsest lot decides, and down.

    Then a purchase is rounded up and a sale down, as :func:`arbtui.routes.size.leg_sizes` does. None where it is less than a lot, or
    where a leg is forked: what lots leave of its parts is less than a lot of each, and told by none of them alone.
    """
    orders = []
    for number, stage in enumerate(stages):
        if len(stage.ways) > 1:
            return None
        trade = stage.ways[0].trade
        if trade is not None:
            qty, lot = trade.order_qty(amounts[number], amounts[number + 1]), float(trade.market.lot_step)
            orders.append((number, trade, qty, lot))
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
