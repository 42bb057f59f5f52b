"""The records that the portfolio keeps: orders, cycles, routes, disputes.

All are plain structs of exact numbers, so that a snapshot holds them whole and two portfolios can be compared by value.
Amounts by place are nested dicts: exchange, then asset.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, field

from arbtui.journal.events import CycleState, OrderIntended, Phase, PlannedLeg, PlannedTransfer
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side

#: By exchange, then asset.
Amounts = dict[str, dict[str, Decimal]]

#: The place of what has left one venue and not come to the other: in ledgers, and among the flows of a cycle.
IN_TRANSIT = "in transit"

#: A remainder over this share of the largest fill is no dust, whatever the lot.
_DUST_SHARE = Decimal(50)
#: What no market takes is a trifle under this share of an order, of the market of its plan whose smallest order is the largest.
_TRIFLE_SHARE = Decimal(5)


def add_to(amounts: Amounts, exchange: str, asset: str, change: Decimal) -> None:
    """Add ``change`` at a place."""
    held = amounts.setdefault(exchange, {})
    held[asset] = held.get(asset, ZERO) + change


def amount_at(amounts: Mapping[str, Mapping[str, Decimal]], exchange: str, asset: str) -> Decimal:
    """The amount at a place; zero where there is none."""
    return amounts.get(exchange, {}).get(asset, ZERO)


def fill_changes(fill: Fill) -> tuple[tuple[str, Decimal], ...]:
    """What ``fill`` changed at its exchange, fee apart: (base, change), (quote, change)."""
    if fill.side is Side.BUY:
        return (fill.base, fill.qty), (fill.quote, -fill.cost)
    return (fill.base, -fill.qty), (fill.quote, fill.cost)


def fill_key(exchange: str, trade_id: str) -> str:
    """What a fill is recognised by when it is reported again."""
    return f"{exchange}/{trade_id}"


class OrderRecord(Struct):
    """One order attempt as the journal knows it. ``qty`` and ``filled_qty`` in base, ``price`` in quote; times ms."""

    intent: OrderIntended
    run_id: str
    intended_ms: int
    changed_ms: int
    state: OrderState = OrderState.SENDING
    venue_order_id: str = ""
    filled_qty: Decimal = ZERO
    reason: str = ""
    is_revived: bool = False  #: it had counted as absent, or its cycle has ended, and it may still fill

    def still_uses(self, exchange: str, asset: str) -> Decimal:
        """How much of ``asset`` at ``exchange`` it needs at worst for what has not filled, its fee apart; in units."""
        intent, left = self.intent, max(self.intent.qty - self.filled_qty, ZERO)
        if exchange != intent.exchange:
            return ZERO
        if intent.side is Side.SELL:
            return left if asset == intent.base else ZERO
        return left * intent.price if asset == intent.quote else ZERO


class Settled(Struct, frozen=True):
    """How a residual came to be no position: ``completed``, ``flattened``, ``written off``, ``adjusted``, ``lost`` on the way, ``dust``."""

    how: str
    by: str
    reason: str
    ts_ms: int


class CycleAccount(Struct):
    """What the journal says of one cycle. Enough to re-evaluate it after a late fill, and small enough to keep for a while.

    ``flows``: net change at each place since it opened, fees included. ``trading`` and ``fees``: settlement currencies at the
    marks of each fill, coins at their mark of the cycle's first fill, so that what is bought and sold again cancels out; in
    the PnL currency. ``booked``: what its fills moved of each coin, at that mark.

    ``taken``: of ``flows``, what a person took for stock: it is no residual of the cycle any more.
    """

    id: str
    run_id: str
    seq: int
    route: str
    symbol: str
    edge_bps: float = 0.0
    value: float = 0.0  #: at risk at worst, in the PnL currency
    legs: tuple[PlannedLeg, ...] = ()  #: dropped once it ended flat
    phase: Phase = Phase.RESERVED  #: while it is open
    reserved: Amounts = field(default_factory=dict)
    opened_ms: int = 0
    state: CycleState = CycleState.OPEN
    closed_ms: int | None = None
    reason: str = ""
    lots: dict[str, Decimal] = field(default_factory=dict)  #: coarsest quantity step by base asset
    largest: dict[str, Decimal] = field(default_factory=dict)  #: most that one fill moved of an asset, settlement currencies apart
    orders: dict[str, OrderRecord] = field(default_factory=dict)  #: those that are not final, or may still prove to be there
    unwinds: list[str] = field(default_factory=list)  #: client ids of orders that take a leg back
    intended: int = 0  #: orders in all
    abandoned: int = 0  #: of them, those that our own gate dropped
    fills: int = 0
    fill_keys: list[str] = field(default_factory=list)
    undone: bool = False  #: a leg was taken back
    flows: Amounts = field(default_factory=dict)
    traded: dict[str, None] = field(default_factory=dict)  #: assets that its fills bought or sold
    trading: Decimal = ZERO
    fees: Decimal = ZERO
    booked: dict[str, Decimal] = field(default_factory=dict)
    references: dict[str, Decimal] = field(default_factory=dict)  #: the one price that all its flows of a coin are valued at
    acknowledged_by: str = ""
    most_cost: Decimal = ZERO  #: of a reverse trade; 0 of any other cycle
    charged: Decimal = ZERO  #: of it, what the day's budget was charged so far
    taken: Amounts = field(default_factory=dict)
    settling: Settled | None = None  #: how it will have been settled, once the orders of the last settlement have left nothing
    settling_orders: list[str] = field(default_factory=list)  #: client ids of orders that trade its residual away
    traded_away: bool = False  #: such an order has filled
    settled: Settled | None = None  #: how its residual was settled; None while there is one, or never was
    transfers: tuple[PlannedTransfer, ...] = ()  #: what it has moved before it sells it; dropped once it ended flat
    awaits: str = ""  #: id of the transfer of it that is not over
    moved_ms: int | None = None  #: when its last transfer was over
    network_fees: dict[str, Decimal] = field(default_factory=dict)  #: what networks kept of each asset, what was lost too, in units
    lost: Settled | None = None  #: a person has said that a transfer of it does not come
    hedges: int = 0  #: of its orders, those that completed a leg or took one back beside the plan
    turned: dict[str, Decimal] = field(default_factory=dict)  #: what its fills bought and sold of an asset, settlement currencies apart
    trifles: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  #: see :func:`trifles_of`
    ended_in: str = ""  #: id of the run in which it ended

    @property
    def pnl(self) -> Decimal:
        """What it has earned, at the marks of its fills."""
        return self.trading - self.fees

    @property
    def is_open(self) -> bool:
        """True until it ended."""
        return self.state is CycleState.OPEN

    @property
    def is_moving(self) -> bool:
        """True while what it bought moves between venues: no order of it is sent meanwhile."""
        return self.is_open and bool(self.awaits)

    @property
    def is_position(self) -> bool:
        """True while it leaves something one-sided: RESIDUAL and not settled."""
        return self.state is CycleState.RESIDUAL and self.settled is None

    def held(self, asset: str) -> dict[str, Decimal]:
        """What its fills left of ``asset`` at each exchange, in units, without what a person took for stock."""
        places = ((exchange, amounts[asset]) for exchange, amounts in self.flows.items() if asset in amounts)
        return {exchange: amount - amount_at(self.taken, exchange, asset) for exchange, amount in places}

    def net(self, settlement: Collection[str]) -> dict[str, Decimal]:
        """What it leaves of each asset that it traded, settlement currencies apart, in units; a fee in a third coin is a cost.

        What a person took for stock is not left.
        """
        left = {asset: sum(self.held(asset).values(), ZERO) for asset in sorted(self.traded) if asset not in settlement}
        return {asset: amount for asset, amount in left.items() if amount}

    def left(self, settlement: Collection[str]) -> dict[str, Decimal]:
        """Of :meth:`net`, what is no dust."""
        return {asset: amount for asset, amount in self.net(settlement).items() if not self._is_dust(asset, amount)}

    def dust(self, settlement: Collection[str]) -> dict[str, Decimal]:
        """Of :meth:`net`, what is too small to trade: under one step of the coarsest lot and a fiftieth of the largest fill."""
        return {asset: amount for asset, amount in self.net(settlement).items() if self._is_dust(asset, amount)}

    def leaves_trifles(self, settlement: Collection[str]) -> bool:
        """Whether all of :meth:`left`, if there is any, is less than any market of its plan takes as an order, and little.

        That is under a fifth of such an order, or a fiftieth of what it traded of the asset, in however many fills.
        """
        return all(self._is_trifle(asset, amount) for asset, amount in self.left(settlement).items())

    def converts(self, settlement: Collection[str]) -> bool:
        """True of a cycle that traded settlement currencies alone, for one another: it can leave nothing one-sided."""
        return bool(self.traded) and all(asset in settlement for asset in self.traded)

    def outcome(self, settlement: Collection[str]) -> CycleState:
        """How it stands when no order of it can fill any more. One whose residual a person dealt with, or that was lost, stays RESIDUAL."""
        if not self.fills:
            return CycleState.ABANDONED if self.abandoned == self.intended else CycleState.MISSED
        if self.traded_away or self.taken or self.lost is not None or self.left(settlement):
            return CycleState.RESIDUAL
        return CycleState.UNWOUND if self.undone else CycleState.HEDGED

    def uses_what_is_free(self, intent: OrderIntended) -> bool:
        """Whether an order of it trades on what it set nothing aside of: it settles what was left, or a leg has moved to another venue."""
        is_moved = bool(self.legs) and all(leg.exchange != intent.exchange for leg in self.legs)
        return intent.purpose is Purpose.SETTLE or is_moved

    def is_settled_by(self, asset: str, rest: Decimal) -> bool:
        """Whether ``rest`` of ``asset`` is nothing, or dust."""
        return not rest or self._is_dust(asset, rest)

    def still_reserved(self, exchange: str, asset: str) -> Decimal:
        """What no other cycle may use at a place: what it set aside, less what it spent there, plus what came in.

        What came in pays for taking a leg back. Zero once it ended.
        """
        if not self.is_open:
            return ZERO
        return max(ZERO, amount_at(self.reserved, exchange, asset) + amount_at(self.flows, exchange, asset))

    def _is_trifle(self, asset: str, amount: Decimal) -> bool:
        least, little = self.trifles.get(asset, (ZERO, ZERO))
        return abs(amount) < least and (abs(amount) < little or abs(amount) * _DUST_SHARE <= self.turned.get(asset, ZERO) / 2)

    def _is_dust(self, asset: str, amount: Decimal) -> bool:
        lot, largest = self.lots.get(asset, ZERO), self.largest.get(asset, ZERO)
        return abs(amount) < lot and abs(amount) * _DUST_SHARE <= largest


def trifles_of(legs: Sequence[PlannedLeg], settlement: Collection[str]) -> dict[str, tuple[Decimal, Decimal]]:
    """Of each asset that ``legs`` trade, in units: the smallest order that any of their markets takes; a fifth of the largest.

    Nothing of an asset whose smallest orders are not all told, as in plans of before they were.
    """
    smallest: dict[str, list[Decimal]] = {}
    for leg in legs:
        told = leg.min_qty > ZERO and leg.price > ZERO
        smallest.setdefault(leg.base, []).append(max(leg.min_qty, leg.least / leg.price) if told else ZERO)
        if leg.quote not in settlement:
            smallest.setdefault(leg.quote, []).append(max(leg.min_qty * leg.price, leg.least) if told else ZERO)
    return {asset: (min(orders), max(orders) / _TRIFLE_SHARE) for asset, orders in smallest.items() if all(orders)}


class RouteRecord(Struct):
    """What a route has done. ``losses``: losing cycles and late losses in a row."""

    fills: int = 0
    losses: int = 0
    enabled: bool = True
    parted: list[int] = field(default_factory=list)  #: ms of the last hour's cycles that ended with a leg taken back or left over


class PendingRearm(Struct, frozen=True):
    """A person has re-armed while no engine ran: the checklist is still to be looked at, its items ``overridden`` apart."""

    by: str
    reason: str
    overridden: tuple[str, ...]


class Dispute(Struct, frozen=True):
    """A balance on which a venue and the journal disagree: nothing opens there in this asset."""

    ours: Decimal
    theirs: Decimal
    since_ms: int
