"""All that the fold of the events knows, as plain structs: what a snapshot stores, and what two folds are compared by."""

from decimal import Decimal

from msgspec import Struct, field

from arbtui.journal.events import CURRENCY, CycleState, Mark
from arbtui.model.money import ZERO
from arbtui.portfolio.accounts import Amounts, CycleAccount, Dispute, PendingRearm, RouteRecord
from arbtui.portfolio.counters import Baseline, Counters
from arbtui.portfolio.flow import Flow, TradingTime
from arbtui.portfolio.notices import Notices
from arbtui.portfolio.recent import RecentOrders, RecentResults
from arbtui.portfolio.trading_state import TradingState
from arbtui.portfolio.transfers import TransferAccount
from arbtui.portfolio.volatility import Volatility


class PaidIn(Struct, frozen=True):
    """Cash that came to a venue from outside: where money paid in is locked, as much may not leave for a while."""

    exchange: str
    asset: str
    amount: Decimal
    ts_ms: int


#: Raised when :class:`PortfolioState` or what an event does to it changes: a snapshot of another one is not gone on from.
RULES = 12


class RunTally(Struct):
    """What one run has done so far."""

    run_id: str = ""
    opened: int = 0
    fills: int = 0
    outcomes: dict[CycleState, int] = field(default_factory=dict)


class LimitRecord(Struct, frozen=True):
    """A limit that an operator has set."""

    value: float
    by: str
    reason: str
    ts_ms: int


class Repeats(Struct):
    """How often a breach was met after it was recorded, and when the last time."""

    times: int = 0
    last_ms: int = 0


class PortfolioState(Struct):
    """All that the fold knows, as a snapshot stores it."""

    seq: int = 0  #: of the last event applied
    rules: int = 1  #: :data:`RULES` of the program that folded it
    currency: str = CURRENCY
    settlement: tuple[str, ...] = ()
    balances: Amounts = field(default_factory=dict)
    opening: Amounts = field(default_factory=dict)
    targets: Amounts = field(default_factory=dict)  #: stock that counts as full: the opening, moved by transfers and adjustments
    cycles: dict[str, CycleAccount] = field(default_factory=dict)  #: open, positions, and the last ended ones
    ended: dict[str, None] = field(default_factory=dict)  #: of them those that left nothing, in order of their end
    recent_fills: dict[str, None] = field(default_factory=dict)
    counters: Counters = field(default_factory=Counters)
    volatility: dict[str, Volatility] = field(default_factory=dict)  #: of each asset's marks
    paid_in: list[PaidIn] = field(default_factory=list)  #: the last amounts of cash that came from outside
    marks: dict[str, Mark] = field(default_factory=dict)
    run: Baseline | None = None
    run_started: bool = False  #: the marks of the run's start were taken
    day: Baseline | None = None
    tally: RunTally = field(default_factory=RunTally)
    outcomes: dict[CycleState, int] = field(default_factory=dict)  #: cycles of all runs
    rebalance_spent: Decimal = ZERO  #: what reverse trades have cost, each its loss; one that earned gives nothing back
    quiet: dict[str, Decimal] = field(default_factory=dict)  #: by exchange: worth of what was booked there without asking today, unsigned
    settled_value: Decimal = ZERO  #: gain or loss of positions up to the moment when they were settled
    flows: dict[str, dict[str, Flow]] = field(default_factory=dict)  #: of hedged cycles, by exchange, then asset
    time: TradingTime = field(default_factory=TradingTime)
    transfers: dict[str, TransferAccount] = field(default_factory=dict)  #: open ones, and the last that ended
    routes: dict[str, RouteRecord] = field(default_factory=dict)
    disputes: dict[str, dict[str, Dispute]] = field(default_factory=dict)
    unpriced_fees: dict[str, dict[str, None]] = field(default_factory=dict)  #: by exchange: coins of this run's fees that have no mark
    open_since: dict[str, int] = field(default_factory=dict)  #: by settlement currency: ms since when it is open the way it is now
    orders: RecentOrders = field(default_factory=RecentOrders)
    results: RecentResults = field(default_factory=RecentResults)
    unattended: int = 0  #: cycles opened since a person did anything
    limits: dict[str, LimitRecord] = field(default_factory=dict)  #: that operators have set, by scope
    notices: Notices = field(default_factory=Notices)  #: of venues, about what is traded
    repeats: dict[str, Repeats] = field(default_factory=dict)  #: of breaches, by id, the one that was repeated last at the end
    state: str = TradingState.DISARMED
    why: str = ""
    resume: str = ""  #: latched state that a restart comes back to: DISARMED or PAUSED; empty when none is latched
    killed: bool = False
    pending_rearm: PendingRearm | None = None
