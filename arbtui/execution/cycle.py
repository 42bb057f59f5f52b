"""One attempt to earn an edge, while it runs: its plan, its orders, and the account that the portfolio keeps of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from arbtui.execution.plan import CyclePlan
from arbtui.journal.events import CycleState
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Order
from arbtui.portfolio.accounts import CycleAccount


@dataclass(slots=True, eq=False)
class ArbCycle:
    """A running cycle, or one that has ended. What it holds and how it stands is read from ``account``, which events alone change."""

    id: str
    plan: CyclePlan
    account: CycleAccount
    settlement: Collection[str]
    opened_at: float  #: monotonic seconds
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)  #: as they were booked, for prices and for screens
    closed_at: float = 0.0  #: monotonic seconds
    reason: str = ""  #: the last thing that kept it from being hedged

    @property
    def state(self) -> CycleState:
        """How it stands."""
        return self.account.state

    @property
    def excess(self) -> Decimal:
        """Base bought and not sold (positive), or sold and not bought."""
        return self.account.net(self.settlement).get(self.plan.route.symbol, ZERO)

    def is_flat(self) -> bool:
        """True when what is left is dust."""
        return not self.account.left(self.settlement)
