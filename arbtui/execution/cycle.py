"""One attempt to earn an edge: its orders, its fills, and what they leave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf

from arbtui.execution.plan import CyclePlan
from arbtui.journal.events import CycleState
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Order, Purpose, Side
from arbtui.positions.marks import Marks
from arbtui.positions.pnl import Pnl
from arbtui.routes.size import coarser_lot

#: A remainder over this share of the largest fill is not dust, whatever the lot.
_DUST_SHARE = Decimal(50)


def net_base(fills: Iterable[Fill]) -> Decimal:
    """Base asset gained (positive) or lost by ``fills``, fees in the coin included."""
    net = ZERO
    for fill in fills:
        net += fill.qty if fill.side is Side.BUY else -fill.qty
        if fill.fee_currency == fill.base:
            net -= fill.fee
    return net


def is_dust(net: Decimal, fills: Iterable[Fill], lot: Decimal) -> bool:
    """True when ``net`` is under one step of the coarser lot and under a fiftieth of the largest fill; zero always is."""
    largest = max((fill.qty for fill in fills), default=ZERO)
    return net == ZERO or (abs(net) < lot and abs(net) * _DUST_SHARE <= largest)


def left_value(fills: Sequence[Fill], marks: Marks) -> float:
    """What ``fills`` leave uncovered, in PnL currency at the marks of now, else at their own prices; ``inf`` when neither is known."""
    net = abs(net_base(fills))
    if net == ZERO:
        return 0.0
    mark = marks.value(fills[0].base)
    if mark is None:
        prices = [fill.price * rate for fill in fills if (rate := marks.value(fill.quote)) is not None]
        mark = max(prices, default=None)
    return inf if mark is None else float(net * mark)


def outcome(fills: list[Fill], undone: bool, lot: Decimal) -> CycleState:
    """How a cycle whose orders are all final has ended. ``undone``: a leg was taken back."""
    if not is_dust(net_base(fills), fills, lot):
        return CycleState.RESIDUAL
    return CycleState.UNWOUND if undone or not fills else CycleState.HEDGED


@dataclass(slots=True, eq=False)
class ArbCycle:
    """A running cycle. Its state follows from its orders and fills alone, so a restart can take it up from the journal."""

    id: str
    plan: CyclePlan
    opened_ms: int
    opened_at: float  #: monotonic seconds
    state: CycleState = CycleState.OPEN
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    fill_keys: dict[tuple[str, str], None] = field(default_factory=dict)  #: (exchange, trade id) of each fill, once
    pnl: Pnl | None = None
    closed_at: float = 0.0
    reason: str = ""

    @property
    def lot(self) -> Decimal:
        """The coarser of the two markets' lot steps."""
        return coarser_lot(self.plan.legs[0].market, self.plan.legs[1].market)

    @property
    def excess(self) -> Decimal:
        """Base bought and not sold (positive), or sold and not bought."""
        return net_base(self.fills)

    def is_flat(self) -> bool:
        """True when what is left is dust."""
        return is_dust(self.excess, self.fills, self.lot)

    @property
    def was_undone(self) -> bool:
        """True when a leg was taken back."""
        return any(order.purpose is Purpose.UNWIND and order.filled_qty > ZERO for order in self.orders)

    def add_fill(self, order: Order, fill: Fill) -> bool:
        """Take one fill; False when it was there already (a venue may tell it more than once)."""
        key = (fill.exchange, fill.trade_id)
        if key in self.fill_keys:
            return False
        self.fill_keys[key] = None
        self.fills.append(fill)
        order.filled_qty += fill.qty
        return True
