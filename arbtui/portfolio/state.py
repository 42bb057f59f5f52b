"""All that the fold of the events knows, as plain structs: what a snapshot stores, and what two folds are compared by."""

from decimal import Decimal

from msgspec import Struct, field

from arbtui.journal.events import CURRENCY, CycleState, Mark
from arbtui.model.money import ZERO
from arbtui.portfolio.accounts import Amounts, CycleAccount, Dispute, PendingRearm, RouteRecord
from arbtui.portfolio.counters import Baseline, Counters
from arbtui.portfolio.trading_state import TradingState


class RunTally(Struct):
    """What one run has done so far."""

    run_id: str = ""
    opened: int = 0
    fills: int = 0
    outcomes: dict[CycleState, int] = field(default_factory=dict)


class PortfolioState(Struct):
    """All that the fold knows, as a snapshot stores it."""

    seq: int = 0  #: of the last event applied
    currency: str = CURRENCY
    settlement: tuple[str, ...] = ()
    balances: Amounts = field(default_factory=dict)
    opening: Amounts = field(default_factory=dict)
    targets: Amounts = field(default_factory=dict)  #: stock that counts as full: the opening, moved by transfers and adjustments
    cycles: dict[str, CycleAccount] = field(default_factory=dict)  #: open, positions, and the last ended ones
    ended: dict[str, None] = field(default_factory=dict)  #: of them those that left nothing, in order of their end
    recent_fills: dict[str, None] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    marks: dict[str, Mark] = field(default_factory=dict)
    run: Baseline | None = None
    run_started: bool = False  #: the marks of the run's start were taken
    day: Baseline | None = None
    tally: RunTally = field(default_factory=RunTally)
    outcomes: dict[CycleState, int] = field(default_factory=dict)  #: cycles of all runs
    settled_value: Decimal = ZERO  #: gain or loss of positions up to the moment when they were settled
    routes: dict[str, RouteRecord] = field(default_factory=dict)
    disputes: dict[str, dict[str, Dispute]] = field(default_factory=dict)
    state: str = TradingState.DISARMED
    why: str = ""
    resume: str = ""  #: latched state that a restart comes back to: DISARMED or PAUSED; empty when none is latched
    killed: bool = False
    pending_rearm: PendingRearm | None = None
