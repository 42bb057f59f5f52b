"""What to send next when the legs of a cycle differ: complete within the edge, then a little beyond it, then undo.

Everything is told by the residual, an amount of each asset that is bought and not sold or sold and not bought. A leg whose
market takes an asset's residual away in its own direction completes the cycle; against its direction it takes a leg back.
Prices are bounds for IOC orders, computed from what the cycle's fills leave of its edge, and never further from the touch
than the collar. A remainder under the venues' minimum is shed by a round trip: one order over the minimum, then the minimum
back; the exposure in between is one minimum order. It is made where it is paid in money.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from math import inf

from arbtui.execution.cycle import ArbCycle
from arbtui.model.market import Market
from arbtui.model.money import ONE, ZERO, ceil_to, decimal_of
from arbtui.model.order import OrderState, Purpose, Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.size import kept_of_bought

#: An order that must reach the minimum is made a tenth larger: the price may move before it arrives.
_OVER_MINIMUM = Decimal("1.1")


#: The attempt at which a leg is rather taken back than completed.
UNDO_FIRST = 2


@dataclass(frozen=True, slots=True)
class HedgeStep:
    """One order to send: which leg it belongs to, which way, how much, at which worst price."""

    leg: int
    hop: TradeHop
    side: Side
    qty: Decimal
    price: Decimal
    purpose: Purpose

    def one_lot_less(self) -> "HedgeStep | None":
        """The same for a lot less, which leaves dust; None where the market takes no order so small."""
        market, qty = self.hop.market, self.qty - self.hop.market.lot_step
        return replace(self, qty=qty) if market.refusal(self.price, qty) is None else None


@dataclass(frozen=True, slots=True)
class _Way:
    """A leg's market as a way out of a residual: ``amount`` of ``asset`` (negative: owed), by an order of ``side``.

    ``retreats``: it takes back a leg that brought or took the asset as its quote; what that leg traded is the next residual.
    """

    leg: int
    hop: TradeHop
    side: Side
    asset: str
    amount: Decimal
    completes: bool
    retreats: bool = False


class HedgingEngine:
    """Decides the next order of a cycle that is not flat.

    Args:
        completion_bps: how far beyond the edge a missing leg may still be completed.
        unwind_bps: how far from the touch any order may go.
        elsewhere: where else a leg of a cycle may be traded, when its own venue takes no order of it.
        is_closed: whether no hedge of a cycle may leave on that market now, as far as is known without an order.
    """

    def __init__(
        self,
        completion_bps: float,
        unwind_bps: float,
        elsewhere: Callable[[ArbCycle, TradeHop], Sequence[TradeHop]] = lambda *_: (),
        is_closed: Callable[[ArbCycle, TradeHop], bool] = lambda *_: False,
    ) -> None:
        self._completion_bps = completion_bps
        self._unwind_bps = unwind_bps
        self._elsewhere = elsewhere
        self._is_closed = is_closed

    def next_step(self, cycle: ArbCycle, attempt: int) -> HedgeStep | None:
        """The order to try after ``attempt`` earlier tries, or None when no book can take one now.

        Each try goes one step further than the last; after the unwinding it begins anew, for the market may have come back. Where none
        of them can be done, or the venue refuses what would complete it, the leg before the missing one is taken back, and the one
        before that is next. In a chain of coins what was begun is gone on with: once a leg was taken back, what the one before it
        brought is taken back too, and not spent again.

        A leg that its venue refuses, or that cannot be sent there now, is completed at the cheapest other venue that it may move to, within
        the same bounds; only where there is none it waits for its own, and is taken back.
        """
        ways = list(self._ways(cycle))
        completing = self._completing(cycle, [way for way in ways if way.completes])
        steps = (
            self._best(cycle, completing, 0.0),
            self._best(cycle, completing, self._completion_bps),
            self._best(cycle, _taken(cycle, _last(cycle, ways)), inf),
        )
        retreat = self._best(cycle, [way for way in ways if way.retreats], inf)
        if _goes_back(cycle):
            completed, dearer, undone = steps
            return undone or retreat or completed or dearer
        first = attempt % len(steps)
        if first == UNDO_FIRST and all(_is_refused(cycle, way.hop.market) for way in completing):
            return steps[UNDO_FIRST] or retreat or steps[0] or steps[1]
        step = next((step for step in steps[first:] + steps[:first] if step is not None), None)
        return step or retreat

    def _completing(self, cycle: ArbCycle, ways: list[_Way]) -> list[_Way]:
        """Those of ``ways`` whose venue takes an order now; where it is none of them, the same at other venues; else all of them."""
        return [way for way in ways if self._is_open(cycle, way)] or self._moved(cycle, ways) or _taken(cycle, ways)

    def _is_open(self, cycle: ArbCycle, way: _Way) -> bool:
        return not (_is_refused(cycle, way.hop.market) or self._is_closed(cycle, way.hop))

    def _moved(self, cycle: ArbCycle, ways: list[_Way]) -> list[_Way]:
        """The legs of ``ways`` at other venues that take an order now. Money is paid and got there: a coin is not."""
        moved = [
            replace(way, hop=hop)
            for way in ways
            if way.hop.market.base == way.asset and way.hop.market.quote in cycle.settlement and not cycle.plan.transfers
            for hop in self._elsewhere(cycle, way.hop)
            if hop.market.quote in cycle.settlement
        ]
        return [way for way in moved if self._is_open(cycle, way)]

    def last_resort(self, cycle: ArbCycle) -> HedgeStep | None:
        """The order that would take back what is one-sided now, at the worst price allowed; None when there is nothing, or no book."""
        return self._best(cycle, _last(cycle, list(self._ways(cycle))), inf)

    def _ways(self, cycle: ArbCycle) -> Iterator[_Way]:
        """Every leg's market that can take away the residual that is worth most."""
        worth = _Worth(cycle)
        residual = {asset: amount for asset, amount in cycle.residual.items() if amount}
        left = cycle.account.left(cycle.settlement)
        if left:
            residual = {asset: residual[asset] for asset in left}
        asset = max(residual, key=lambda each: abs(float(residual[each])) * worth.of(each), default=None)
        if asset is None:
            return
        amount = residual[asset]
        for number, hop in enumerate(cycle.plan.hops):
            if hop.market.base == asset:
                side = Side.SELL if amount > ZERO else Side.BUY
            elif hop.market.quote == asset:
                side = Side.BUY if amount > ZERO else Side.SELL
            else:
                continue
            held = amount
            if cycle.plan.transfers:  # its coins are sold where they are, however they came there
                held = cycle.holds(hop.market.exchange, asset)
                if abs(held) < hop.market.lot_step or (held > ZERO) != (amount > ZERO):
                    continue
            completes = side is hop.side
            yield _Way(number, hop, side, asset, held, completes, retreats=not completes and hop.market.base != asset)

    def _best(self, cycle: ArbCycle, ways: list[_Way], beyond_bps: float) -> HedgeStep | None:
        """The order of the way that costs least, no worse than ``beyond_bps`` beyond the edge; ``inf``: the collar alone binds."""
        found: HedgeStep | None = None
        least = inf
        worth = _Worth(cycle)
        for way in ways:
            bound = _unbounded(way) if beyond_bps == inf else _bound(cycle, way, worth, beyond_bps)
            step = None if bound is None else self._step(cycle, way, bound)
            if step is not None and (found is None or worth.cost(way) < least):
                found, least = step, worth.cost(way)
        return found

    def _step(self, cycle: ArbCycle, way: _Way, bound: float) -> HedgeStep | None:
        """An order no worse than ``bound`` and the collar; None where that bound is beyond the touch."""
        book, market = way.hop.book, way.hop.market
        collar = self._unwind_bps / 1e4
        if not 0.0 < book.bid < book.ask < inf:
            return None
        if way.side is Side.SELL:
            worst = max(bound, book.bid * (1.0 - collar))
            if worst > book.bid:
                return None
            price = market.price_up(decimal_of(worst))
        else:
            worst = min(bound, book.ask * (1.0 + collar))
            if worst < book.ask:
                return None
            price = market.price_down(decimal_of(worst))
        qty = _qty(cycle, way, price)
        if qty is None:
            return None
        return HedgeStep(way.leg, way.hop, way.side, qty, price, Purpose.COMPLETE if way.completes else Purpose.UNWIND)


def _last(cycle: ArbCycle, ways: list[_Way]) -> list[_Way]:
    """The ways of last resort: take a leg back; what was moved cannot be taken back where it was bought, it is sold where it is."""
    return [way for way in ways if not (way.completes or way.retreats)] or (ways if cycle.plan.transfers else [])


def _goes_back(cycle: ArbCycle) -> bool:
    """Whether a leg of a chain, in which coins are traded for one another, was taken back already."""
    is_chain = any(leg.quote not in cycle.settlement for leg in cycle.plan.legs)
    return is_chain and any(order.purpose is Purpose.UNWIND and order.filled_qty for order in cycle.orders)


def _is_refused(cycle: ArbCycle, market: Market) -> bool:
    """Whether the venue has refused the newest order of ``cycle`` there, as where a market is halted."""
    newest = next((order for order in reversed(cycle.orders) if order.market is market), None)
    return newest is not None and newest.state is OrderState.REJECTED


def _taken(cycle: ArbCycle, ways: list[_Way]) -> list[_Way]:
    """Those of ``ways`` whose venue has not refused the last order there; all of them where there is no other."""
    return [way for way in ways if not _is_refused(cycle, way.hop.market)] or ways


class _Worth:
    """What assets are worth in the currency that the plan's first leg is settled in, by the books of the plan. Floats, for bounds."""

    def __init__(self, cycle: ArbCycle) -> None:
        self._cycle = cycle
        quotes = [leg.quote for leg in cycle.plan.legs if leg.quote in cycle.settlement]
        self.currency = quotes[0] if quotes else ""

    def received(self, asset: str, without: Market | None = None, depth: int = 3) -> float:
        """What one unit that comes in brings, sold at the best bid; 0.0 where nothing tells. ``without``: not on this market."""
        if asset in self._cycle.settlement:
            return self._cycle.plan.route.rates.conversion(asset, self.currency).value
        best = 0.0
        for hop in self._hops(asset, without, depth):
            market = hop.market
            if market.base == asset:
                each = hop.book.bid * (1.0 - float(market.fees.taker)) * self.received(market.quote, without, depth - 1)
            else:  # spent on the market's base
                each = self.received(market.base, market, depth - 1) / (hop.book.ask * _paid_unit(market))
            best = max(best, each)
        return best

    def paid(self, asset: str, without: Market | None = None, depth: int = 3) -> float:
        """What one unit that goes out costs, bought at the best ask; 0.0 where nothing tells. ``without``: not on this market."""
        if asset == self.currency:
            return 1.0
        if asset in self._cycle.settlement:
            back = self._cycle.plan.route.rates.conversion(self.currency, asset).value
            return 1.0 / back if back > 0.0 else 0.0
        least = inf
        for hop in self._hops(asset, without, depth):
            market, bid = hop.market, hop.book.bid
            is_base = market.base == asset
            other = self.paid(market.quote if is_base else market.base, without if is_base else market, depth - 1)
            if other > 0.0 and is_base:
                least = min(least, hop.book.ask * _paid_unit(market) * other)
            elif other > 0.0 and bid > 0.0:  # got for the market's base
                least = min(least, other / (bid * (1.0 - float(market.fees.taker))))
        return least if least < inf else 0.0

    def of(self, asset: str) -> float:
        """What one unit is worth, to compare residuals of different assets; 1.0 where nothing tells."""
        return self.received(asset) or 1.0

    def cost(self, way: _Way) -> float:
        """What one unit costs (selling: less than nothing) by that way, at the touch."""
        book, market, fee = way.hop.book, way.hop.market, float(way.hop.market.fees.taker)
        if market.base != way.asset:  # spent on the market's base, or got for it; what that is worth elsewhere
            if way.side is Side.BUY:
                return -self.received(market.base, market) / (book.ask * _paid_unit(market))
            return self.paid(market.base, market) / (book.bid * (1.0 - fee))
        quote = self.of(market.quote)
        return -book.bid * (1.0 - fee) * quote if way.side is Side.SELL else book.ask * (1.0 + fee) * quote

    def _hops(self, asset: str, without: Market | None, depth: int) -> Iterator[TradeHop]:
        """The plan's markets of ``asset``; where it has none, those that are priced in it."""
        hops = self._cycle.plan.hops
        its = [hop for hop in hops if hop.market.base == asset] or [hop for hop in hops if hop.market.quote == asset]
        return (hop for hop in its if depth and hop.market is not without)


def least_qty(market: Market, price: Decimal) -> Decimal:
    """A quantity that surely is over the market's minimum at ``price``."""
    return max(ceil_to(market.min_cost * _OVER_MINIMUM / price, market.lot_step), market.min_qty)


def price_of(cycle: ArbCycle, leg: int, market: Market, price: Decimal) -> Decimal:
    """A price of a leg's market to size minimums with: ``price`` itself on ``market``, else the plan's."""
    return price if cycle.plan.hops[leg].market is market else cycle.plan.legs[leg].price


def _unbounded(way: _Way) -> float:
    return 0.0 if way.side is Side.SELL else inf


def _bound(cycle: ArbCycle, way: _Way, worth: _Worth, beyond_bps: float) -> float | None:
    """The worst price at which the cycle, completed that way, loses no more than ``beyond_bps`` of its turnover; None where none does."""
    turnover = _turnover(cycle, worth)
    if turnover is None:
        return None
    paid, got = turnover
    slack = got - paid + max(got, paid) * beyond_bps / 1e4
    market, missing = way.hop.market, abs(float(way.amount))
    for asset, amount in cycle.residual.items():  # what other legs still have to bring, or to cost
        if asset != way.asset and amount:
            each = worth.received(asset) if amount > ZERO else worth.paid(asset)
            if amount < ZERO and not each > 0.0:
                return None
            slack += float(amount) * each
    fee = float(market.fees.taker)
    if market.base == way.asset and way.side is Side.SELL:
        unit = (1.0 - fee) * worth.received(market.quote)
        return -slack / (missing * unit) if unit > 0.0 else None
    if market.base == way.asset:
        unit = _paid_unit(market) * worth.paid(market.quote)
        return slack / (missing * unit) if unit > 0.0 else None
    if way.side is Side.BUY:  # what came in as another leg's quote buys this leg's base
        needed, brings = -slack, missing * worth.received(market.base, market) / _paid_unit(market)
        return inf if needed <= 0.0 else brings / needed if brings > 0.0 else None
    # What is owed in another leg's quote is got by selling this leg's base, which has to be bought.
    costs = missing * worth.paid(market.base, market) / (1.0 - fee)
    return costs / slack if slack > 0.0 and costs > 0.0 else None


def _paid_unit(market: Market) -> float:
    """Quote paid for one unit that is bought and kept, per unit of price."""
    fee = float(market.fees.taker)
    return 1.0 / (1.0 - fee) if kept_of_bought(market) != ONE else 1.0 + fee


def _turnover(cycle: ArbCycle, worth: _Worth) -> tuple[float, float] | None:
    """What the fills paid and what they brought, net by market, in the currency of ``worth``; fees in third coins count as paid.

    None where nothing tells what that comes to in that currency: what was paid is never nothing.
    """
    by_market: dict[tuple[str, str, str], Decimal] = {}
    fees = ZERO
    for fill in cycle.fills:
        if fill.quote in cycle.settlement:
            place = fill.exchange, fill.market, fill.quote
            paid = fill.cost if fill.side is Side.BUY else -fill.cost
            by_market[place] = by_market.get(place, ZERO) + paid + (fill.fee if fill.fee_currency == fill.quote else ZERO)
        if fill.fee_currency not in (fill.base, fill.quote):
            fees += fill.fee * cycle.account.references.get(fill.fee_currency, ZERO)
    spent = got = 0.0
    for asset, amount in [(cycle.plan.route.terms.value_currency, fees), *((quote, net) for (_, _, quote), net in by_market.items())]:
        if amount > ZERO:
            each = worth.paid(asset)
            if not each > 0.0:
                return None
            spent += float(amount) * each
        elif amount:
            got -= float(amount) * worth.received(asset)
    return spent, got


def _qty(cycle: ArbCycle, way: _Way, price: Decimal) -> Decimal | None:
    market, amount = way.hop.market, abs(way.amount)
    if market.base != way.asset:
        per_unit = price * (ONE + market.fees.taker if way.side is Side.BUY else ONE - market.fees.taker)
        qty = market.qty_down(amount / per_unit)
        return qty if market.refusal(price, qty) is None else None
    kept = kept_of_bought(market) if way.side is Side.BUY else ONE
    qty = (amount / kept / market.lot_step).to_integral_value(ROUND_HALF_EVEN) * market.lot_step
    if qty <= ZERO:
        return None
    if market.refusal(price, qty) is None:
        return qty
    places: Mapping[int, TradeHop] = {place: hop for place, hop in enumerate(cycle.plan.hops) if hop.market.base == way.asset}
    if market.quote not in cycle.settlement and any(hop.market.quote in cycle.settlement for hop in places.values()):
        return None  # a round trip there would leave a remainder of the coin that it is priced in
    least = max(least_qty(hop.market, price_of(cycle, place, market, price)) for place, hop in places.items())
    qty = market.qty_up(amount / kept + least)
    return qty if market.refusal(price, qty) is None else None
