"""What to send next when the legs of a cycle differ: complete within the edge, then a little beyond it, then undo.

Everything is told by the residual, an amount of each asset that is bought and not sold or sold and not bought. A leg whose
market takes an asset's residual away in its own direction completes the cycle; against its direction it takes a leg back.
Prices are bounds for IOC orders, computed from what the cycle's fills leave of its edge, and never further from the touch
than the collar. A remainder under the venues' minimum is shed by a round trip: one order over the minimum, then the minimum
back; the exposure in between is one minimum order. It is made where it is paid in money.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import groupby
from math import inf

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.remainders import is_too_little, least_order, remainders_of
from arbtui.model.market import Market
from arbtui.model.money import ONE, ZERO, decimal_of
from arbtui.model.order import Fill, OrderState, Purpose, Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.size import kept_of_bought

#: The attempt at which a leg is rather taken back than completed.
UNDO_FIRST = 2
#: So many more refusals before a chain that goes back turns around, or back again.
_PATIENCE = 3


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
    retreats: bool


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

    def next_step(self, cycle: ArbCycle, attempt: int, refused: Sequence[Market] = ()) -> HedgeStep | None:
        """The order to try after ``attempt`` earlier tries, or None when no book can take one now.

        Each try goes one step further than the last; after the unwinding it begins anew, for the market may have come back. Where none
        of them can be done, the leg before the missing one is taken back, and the one before that is next. In a chain of coins what was
        begun is gone on with: once a leg was taken back, what the one before it brought is taken back too, and not spent again. A
        remainder under the minimum makes both halves of its round trip where it is paid in money, whatever that costs within the collar.

        Of the markets of a step one is taken whose newest order was not refused; where all were, that whose refusal is longest ago. Where
        a leg is rather taken back, the steps take turns in the same way; a chain that goes back turns around only after several refusals.
        A leg that its venues refuse, or that cannot be sent there now, is completed at the cheapest other venue that it may move to, within
        the same bounds; where there is none it is tried at its own.
        ``refused``: the markets of the orders that our own gate has refused since the last one left, in their order.
        """
        ways = list(self._ways(cycle))
        told = _Refusals(cycle, refused)
        steps = self._steps(cycle, told, ways, _last(cycle, ways))
        completed, dearer, undone = steps
        retreat = self._first(cycle, told, [way for way in ways if way.retreats], inf)
        others: tuple[HedgeStep | None, ...] = (retreat,)
        if _is_chain(cycle):
            in_money, remainders = [way for way in ways if _is_paid_in_money(cycle, way)], remainders_of(cycle)
            shed = self._first(cycle, told, [way for way in in_money if _is_too_little(way)], inf)
            back = (undone, retreat, completed, dearer, shed)
            others = (retreat, shed)
            if in_money and in_money[0].asset in remainders.halfway:
                steps, others = self._steps(cycle, told, in_money, in_money), back
            elif _goes_back(cycle, remainders.shed_by):
                return told.onward(back, remainders.shed_by)
        turn = attempt % len(steps)
        found = (*steps[turn:], *steps[:turn], *others)
        return told.longest_ago(found) if turn == UNDO_FIRST else next((step for step in found if step is not None), None)

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

    def _steps(self, cycle: ArbCycle, told: "_Refusals", ways: list[_Way], last: list[_Way]) -> tuple[HedgeStep | None, ...]:
        """Completing by one of ``ways`` within the edge, a little beyond it, and by one of ``last`` at what the collar allows."""
        completing = [way for way in ways if way.completes]
        taken = [way for way in completing if self._is_open(cycle, told, way)] or self._moved(cycle, told, completing)

        def completed(beyond_bps: float) -> HedgeStep | None:
            return self._best(cycle, taken, beyond_bps) or self._first(cycle, told, completing, beyond_bps)

        return completed(0.0), completed(self._completion_bps), self._first(cycle, told, last, inf)

    def _is_open(self, cycle: ArbCycle, told: "_Refusals", way: _Way) -> bool:
        return not told.of(way) and not self._is_closed(cycle, way.hop)

    def _moved(self, cycle: ArbCycle, told: "_Refusals", ways: list[_Way]) -> list[_Way]:
        """The legs of ``ways`` at other venues that take an order now. Money is paid and got there: a coin is not."""
        moved = [
            replace(way, hop=hop)
            for way in ways
            if _is_paid_in_money(cycle, way) and not cycle.plan.transfers
            for hop in self._elsewhere(cycle, way.hop)
            if hop.market.quote in cycle.settlement
        ]
        return [way for way in moved if self._is_open(cycle, told, way)]

    def _first(self, cycle: ArbCycle, told: "_Refusals", ways: list[_Way], beyond_bps: float) -> HedgeStep | None:
        """As :meth:`_best`, of those ways that were not refused; where none of them can be gone, of that whose refusal is longest ago."""
        by_refusal = groupby(sorted(ways, key=told.of), key=told.of)
        return next((step for _, those in by_refusal if (step := self._best(cycle, list(those), beyond_bps)) is not None), None)

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


def _is_chain(cycle: ArbCycle) -> bool:
    """Whether coins are traded for one another in it."""
    return any(leg.quote not in cycle.settlement for leg in cycle.plan.legs)


def _goes_back(cycle: ArbCycle, shed_by: Collection[str]) -> bool:
    """Whether a leg of it was taken back already; ``shed_by``: ids of orders that have only shed a remainder."""
    taken_back = set(cycle.account.unwinds).difference(shed_by)
    return any(fill.client_order_id in taken_back for fill in cycle.fills)


def _is_paid_in_money(cycle: ArbCycle, way: _Way) -> bool:
    return way.hop.market.base == way.asset and way.hop.market.quote in cycle.settlement


def _is_too_little(way: _Way) -> bool:
    return is_too_little(way.hop.market, way.amount, decimal_of(way.hop.book.bid))


class _Refusals:
    """Where the newest order of a cycle was refused, by the venue, as where a market is halted, or by our own gate; and how late."""

    def __init__(self, cycle: ArbCycle, by_gate: Sequence[Market]) -> None:
        self._cycle = cycle
        self._at: dict[Market, int] = {}
        for at, order in enumerate(cycle.orders, 1):
            self._at[order.market] = at if order.state in (OrderState.REJECTED, OrderState.ABANDONED) else 0
        self._at |= {market: at for at, market in enumerate(by_gate, len(cycle.orders) + 1)}

    def of(self, step: "_Way | HedgeStep") -> int:
        """The greater the later; 0: the newest order there was not refused, or there was none."""
        return self._at.get(step.hop.market, 0)

    def longest_ago(self, steps: Iterable[HedgeStep | None]) -> HedgeStep | None:
        """The first of those that were not refused, else that whose refusal is longest ago; None where there is none at all."""
        return min((step for step in steps if step is not None), key=self.of, default=None)

    def onward(self, steps: Iterable[HedgeStep | None], shed_by: Collection[str]) -> HedgeStep | None:
        """The same of a chain that goes back, where a step that would turn it around waits until the others were refused some times.

        What turns around pays twice for what the last order did: a refusal that is for a moment is no reason to. ``shed_by``: ids of
        orders that have only shed a remainder.
        """
        went = {Purpose.UNWIND: 0, Purpose.COMPLETE: -_PATIENCE}
        for at, order in enumerate(self._cycle.orders, 1):
            if order.purpose in went and order.filled_qty and order.client_order_id not in shed_by:
                went[order.purpose] = at

        def waits_for(step: HedgeStep) -> int:
            other = Purpose.COMPLETE if step.purpose is Purpose.UNWIND else Purpose.UNWIND
            return max(self.of(step), went[other] + _PATIENCE)

        return min((step for step in steps if step is not None), key=waits_for, default=None)


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

    A fee in a third coin whose price is not known counts at the market's own rate, from which a venue gives a discount for its coin: so
    the bound is no looser than with the price, and what is missing may still be completed. What is paid to us in such a coin counts as
    nothing. None where nothing tells what was paid in that currency, which is never nothing: then a leg can only be taken back.
    """
    nets: dict[tuple[str, str, str], Decimal] = {}

    def pay(fill: Fill, asset: str, amount: Decimal) -> None:
        place = fill.exchange, fill.market, asset
        nets[place] = nets.get(place, ZERO) + amount

    fees = ZERO
    for fill in cycle.fills:
        if fill.quote in cycle.settlement:
            pay(fill, fill.quote, fill.cost if fill.side is Side.BUY else -fill.cost)
        if fill.fee_currency == fill.base:
            continue  # less has come of it
        price = cycle.account.references.get(fill.fee_currency)
        if fill.fee_currency in cycle.settlement:
            pay(fill, fill.fee_currency, fill.fee)
        elif fill.fee_currency != fill.quote and price is not None:
            fees += fill.fee * price
        elif fill.fee_currency != fill.quote and fill.fee > ZERO:
            by_rate = fill.cost * _taker_rate(cycle, fill)
            if not by_rate > ZERO:
                return None
            pay(fill, fill.quote, by_rate)
    spent = got = 0.0
    for asset, amount in [(cycle.plan.route.terms.value_currency, fees), *((asset, net) for (_, _, asset), net in nets.items())]:
        if amount > ZERO:
            each = worth.paid(asset)
            if not each > 0.0:
                return None
            spent += float(amount) * each
        elif amount:
            got -= float(amount) * worth.received(asset)
    return spent, got


def _taker_rate(cycle: ArbCycle, fill: Fill) -> Decimal:
    """The taker's fee, a fraction, by the rules of the market of ``fill``; 0 where ``cycle`` has no such market."""
    markets = (hop.market for hop in (*cycle.plan.hops, *cycle.moved))
    its = (market for market in markets if (market.exchange, market.code) == (fill.exchange, fill.market))
    return next((market.fees.taker for market in its), ZERO)


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
    hops = [hop for hop in cycle.plan.hops if hop.market.base == way.asset]
    if market.quote not in cycle.settlement and any(hop.market.quote in cycle.settlement for hop in hops):
        return None  # a round trip there would leave a remainder of the coin that it is priced in
    qty = market.qty_up(amount / kept + least_order(cycle, market, price))
    return qty if market.refusal(price, qty) is None else None
