"""One attempt to earn an edge, while it runs: its plan, its orders, and the account that the portfolio keeps of it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from arbtui.execution.plan import CyclePlan, needs
from arbtui.journal.events import CycleState, LegAfter, On, Phase, PlannedLeg, PlannedTransfer
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.model.money import ONE, ZERO, floor_to
from arbtui.model.order import Fill, Order, OrderState, Side
from arbtui.model.reason import Reason
from arbtui.portfolio.accounts import CycleAccount, amount_at
from arbtui.portfolio.operator_events import Transfer
from arbtui.routes.hops import TradeHop


@dataclass(frozen=True, slots=True)
class Exposure:
    """What an open cycle has of one asset, in units; positive: bought and not sold."""

    covered: Decimal  #: bought and sold
    pending: Decimal  #: what orders under way will change, if they fill
    uncovered: Decimal  #: bought and not sold, or sold and not bought, orders of unknown fate counted on the worse side


@dataclass(slots=True, eq=False)
class ArbCycle:
    """A running cycle, or one that has ended. What it holds and how it stands is read from ``account``, which events alone change.

    ``naked_value_s``: what was uncovered until the last :meth:`look`, in the PnL currency times seconds; ``largest_naked``: the most
    at once.
    """

    id: str
    plan: CyclePlan
    account: CycleAccount
    settlement: Collection[str]
    opened_at: float  #: monotonic seconds
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)  #: as they were booked, for prices and for screens
    closed_at: float = 0.0  #: monotonic seconds
    reason: str = ""  #: the last thing that kept it from being hedged
    moved: list[TradeHop] = field(default_factory=list)  #: where a leg was sent that its own venue did not take
    changed: asyncio.Event = field(default_factory=asyncio.Event)  #: set with every fill
    naked_value_s: float = 0.0
    largest_naked: float = 0.0
    _naked: float = 0.0
    _naked_since: float = 0.0

    @property
    def state(self) -> CycleState:
        """How it stands."""
        return self.account.state

    @property
    def phase(self) -> Phase | CycleState:
        """What it does while it is open; after that, how it ended."""
        return self.account.phase if self.account.is_open else self.account.state

    @property
    def sold_where_it_comes(self) -> Collection[int]:
        """Numbers of the legs that sell what an earlier one bought at another venue, and a person has moved."""
        moved = {move.leg for move in self.plan.transfers}
        return {leg.leg for leg in self.plan.legs if any(edge.leg in moved for edge in leg.after)}

    @property
    def ways_out(self) -> Sequence[TradeHop]:
        """The markets that what it holds now can be traded on: of what was moved, those where it is."""
        hops = self.plan.hops
        here = [hop for hop in hops if self.holds(hop.market.exchange, hop.market.base)] if self.plan.transfers else []
        return here or hops

    def holds(self, exchange: str, asset: str) -> Decimal:
        """What it has of ``asset`` at ``exchange``, in units; negative: owes."""
        return amount_at(self.account.flows, exchange, asset)

    @property
    def residual(self) -> Mapping[str, Decimal]:
        """Bought and not sold (positive) or sold and not bought, of each asset, settlement currencies apart; in units, dust too."""
        return self.account.net(self.settlement)

    @property
    def is_over(self) -> bool:
        """It has ended: a fill that comes now is late."""
        return not self.account.is_open

    def book_of(self, market: Market) -> OrderBook:
        """The live book of a market of its plan, or of one that a leg has moved to."""
        return next(hop.book for hop in (*self.plan.hops, *self.moved) if hop.market is market)

    def trade_on(self, hop: TradeHop) -> None:
        """An order of it is sent on ``hop``, which may be another venue's than its plan has."""
        if all(hop.market is not other.market for other in (*self.plan.hops, *self.moved)):
            self.moved.append(hop)

    def take(self, fill: Fill) -> None:
        """Keep a fill of one of its orders, just before it is booked."""
        self.fills.append(fill)

    def on_fill(self, now: float) -> None:
        """A fill of it was booked: the legs that waited for it may be sent, and what is uncovered has changed."""
        self.look(now)
        self.changed.set()

    def fills_of(self, client_order_id: str) -> list[Fill]:
        """The fills of one of its orders."""
        return [fill for fill in self.fills if fill.client_order_id == client_order_id]

    def is_flat(self) -> bool:
        """True when what is left is dust."""
        return not self.account.left(self.settlement)

    def exposure(self) -> dict[str, Exposure]:
        """What it has of every asset of its legs."""
        net = self.residual
        pending: dict[str, Decimal] = {}
        unknown: dict[str, Decimal] = {}
        for order in self.orders:
            if not order.state.is_final:
                into = unknown if order.state is OrderState.UNKNOWN else pending
                signed = order.leaves_qty if order.side is Side.BUY else -order.leaves_qty
                into[order.market.base] = into.get(order.market.base, ZERO) + signed
        traded: dict[tuple[str, Side], Decimal] = {}
        for fill in self.fills:
            traded[fill.base, fill.side] = traded.get((fill.base, fill.side), ZERO) + fill.qty
        found = {}
        for asset in dict.fromkeys((*self.plan.assets, *net)):
            left, may_be = net.get(asset, ZERO), net.get(asset, ZERO) + unknown.get(asset, ZERO)
            worse = may_be if abs(may_be) > abs(left) else left
            covered = min(traded.get((asset, side), ZERO) for side in Side)
            found[asset] = Exposure(covered, pending.get(asset, ZERO), worse)
        return found

    def naked_until(self, now: float) -> float:
        """What has been uncovered until ``now`` (monotonic s), in the PnL currency times seconds."""
        return self.naked_value_s + self._naked * (now - self._naked_since)

    def look(self, now: float) -> None:
        """Count what was uncovered until ``now`` (monotonic s), and see what is from now on: after a fill, and at the end."""
        self.naked_value_s = self.naked_until(now)
        left = self.account.left(self.settlement) if self.account.is_open else {}
        prices = self.account.references
        self._naked = float(sum((abs(amount) * prices.get(asset, ZERO) for asset, amount in left.items()), ZERO))
        self._naked_since = now
        self.largest_naked = max(self.largest_naked, self._naked)


def due(cycle: ArbCycle, leg: PlannedLeg, market: Market) -> Decimal:
    """How much of a waiting leg may be sent now, in base: what the legs before it brought, less what was sent for them already.

    What was sent and did not fill is not sent again: that is left to hedging. No more than the cycle holds, where the leg spends
    what an earlier one brought at the same venue. Where that was moved there first, all that has come.
    """
    if leg.leg in cycle.sold_where_it_comes:
        return _come(cycle, leg, market)
    share = min(_share(cycle, edge) for edge in leg.after)
    mine = [order for order in cycle.orders if order.leg == leg.leg]
    qty = leg.qty * share - sum((order.qty for order in mine), ZERO)
    exchange, asset, each = needs(market, leg.side, ONE, leg.price)
    if asset not in cycle.settlement and any(_brings(cycle.plan.legs[edge.leg], exchange, asset) for edge in leg.after):
        under_way = sum((order.leaves_qty for order in mine if not order.state.is_final), ZERO)
        qty = min(qty, cycle.holds(exchange, asset) / each - under_way)
    return market.qty_down(max(qty, ZERO))


#: What fees and lots may take of the quantity that the network's fee was planned for, in bps of the edge.
_ROUNDING_BPS = 1.0


def transfer_of(cycle: ArbCycle, move: PlannedTransfer) -> Transfer | str:
    """What is to be moved now of what ``cycle`` bought, or why it is rather sold where it is.

    Of a part of what was planned the network keeps as much as of all: it is moved while that leaves anything of the edge.
    """
    held, leg = cycle.holds(move.from_exchange, move.asset), cycle.plan.legs[move.leg]
    qty = floor_to(held, move.step) if move.step else held
    if qty <= move.fee or qty < move.least:
        return Reason.TOO_SMALL
    left_bps = cycle.plan.edge_bps - float(move.fee / qty - move.fee / leg.qty) * 1e4
    if not left_bps > min(cycle.plan.edge_bps, 0.0) - _ROUNDING_BPS:
        return Reason.BELOW_THRESHOLD
    return Transfer(move.asset, move.from_exchange, move.to_exchange, qty, move.network, move.fee, move.minutes)


def _come(cycle: ArbCycle, leg: PlannedLeg, market: Market) -> Decimal:
    """What a leg that sells what was moved to its venue may send: nothing before the transfer is over, all that came after it, once."""
    if cycle.account.moved_ms is None or cycle.account.awaits or any(order.leg == leg.leg for order in cycle.orders):
        return ZERO
    return market.qty_down(max(cycle.holds(leg.exchange, leg.base), ZERO))


def _share(cycle: ArbCycle, edge: LegAfter) -> Decimal:
    """How much of the leg that is waited for counts as there, 0 to 1."""
    earlier = cycle.plan.legs[edge.leg]
    orders = [order for order in cycle.orders if order.leg == edge.leg]
    share = min(ONE, sum((order.filled_qty for order in orders), ZERO) / earlier.qty)
    if edge.on is On.FULL:
        return share if share == ONE else ZERO
    if edge.on is On.ARRIVAL and not (orders and all(order.state.is_final for order in orders)):
        return ZERO
    return share


def _brings(earlier: PlannedLeg, exchange: str, asset: str) -> bool:
    """Whether a leg brings ``asset`` at ``exchange``."""
    return earlier.exchange == exchange and asset == (earlier.base if earlier.side is Side.BUY else earlier.quote)
