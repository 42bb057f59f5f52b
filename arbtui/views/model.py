"""The read model: what screens, `status` and reports read. The engine writes; nobody above writes back but by Controls."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from typing import Protocol

from arbtui.exchanges.rate_limit import LimitLeft
from arbtui.model.scoped_halts import ScopedHalt
from arbtui.views.cycle import CycleDetail
from arbtui.views.detail import DenialLine, RouteDetail
from arbtui.views.notices import NoticeLine
from arbtui.views.stock import StockRow
from arbtui.views.stock_ways import StockWay

_ROUNDED_BAND = 1.01  # a trade back to the band ends a lot beside its edge, and the mark moves on

HALT = "HALT"
"""Kind of a :class:`BreachLine` that is a halt of one exchange, symbol or route, or of everything short of a kill."""


@dataclass(slots=True)
class ExchangeView:
    """One venue in the header. ``age_ms``: since its last message; ``status``: ``ok``, ``SILENT``, ``DOWN``, ``FROZEN``, ``DEGRADED``."""

    name: str
    age_ms: float
    latency_ms: float  #: median of the last order answers; 0 before the first
    status: str


@dataclass(frozen=True, slots=True)
class OpenFxView:
    """What cycles have left open of a settlement currency; amounts in the PnL currency, at live marks."""

    asset: str
    currency: str  #: the PnL's
    value: float  #: signed; NaN without a mark
    band: float  #: beyond which it is traded back
    limit: float  #: beyond which no cycle may add to it
    age_s: float  #: since it left zero or changed its sign; 0 while nothing is open
    converted: float  #: what this run has traded back
    cost: float  #: and what that has cost
    state: str  #: ``fine``, ``netting off``, or why it is not traded back

    @property
    def is_within_band(self) -> bool:
        """Whether so much may stay open; what is left of a trade back to the band counts as within it. Never without a mark."""
        return abs(self.value) <= self.band * _ROUNDED_BAND


@dataclass(slots=True)
class HeaderView:
    """Everything that must always be visible."""

    profile: str
    mode: str  #: SIM, PAPER or LIVE
    scenario: str  #: ``busy``, ``normal``, ``calm``, ``crash``, ``premium``; empty outside sim
    state: str  #: DISARMED ARMED PAUSED REDUCING HALTING HALTED HALTED_DIRTY RECOVERING
    halt_source: str  #: KEY, CLI, ...; empty unless halted
    halt_reason: str
    halt_ts_ms: int
    halt_detail: str  #: what is still pending or left at a venue, in words; never claims more than is confirmed
    now_ms: int
    session_s: float
    exchanges: list[ExchangeView]
    rate: float  #: the exchange rate that stands for all, mid; 0 when there is none
    rate_age_ms: float
    pnl_day: float  #: of the desk's day so far, stock and currency at live marks included
    trading_day: float  #: of it, what trading earned net of fees
    pnl_session: float
    trading_session: float
    pnl_currency: str
    open_cycles: int
    orders_in_flight: int
    breaches_open: int  #: unacknowledged
    routes: int
    opportunities: int
    unhedged: float  #: in pnl_currency
    idle: str = ""  #: why it opens nothing though it is ARMED; empty where it may
    slow: str = ""  #: how many cycles were given up because their decisions were too old; empty while few are
    rate_pair: str = ""  #: its currencies, ``QUOTE/BASE``; empty without any
    rate_doubt: str = ""  #: ``DOUBTED`` (``at NAME``, where others are not), or how many coins are missing; empty when all is well
    scopes: tuple[ScopedHalt, ...] = ()  #: halts of less than everything that stand
    share: float = 1.0  #: of the usual size, less than 1 in the first minutes after a re-arm
    share_left_s: float = 0.0
    is_watched: bool = True  #: False only in mode live, where no guardian watches the engine
    open_fx: tuple[OpenFxView, ...] = ()
    kills: int = 0  #: kills asked for so far, repeated ones too: what :meth:`Controls.rearm` must be told


@dataclass(slots=True)
class RouteRow:
    """One route's live row, its trades in order. Prices in each market's quote, edges in bps, size and depth in base, age in ms."""

    id: str
    symbol: str
    venues: tuple[str, ...]  #: of each trade
    prices: tuple[float, ...] = ()  #: of each trade, at the touch; 0 where a side is missing
    edge_bps: float = 0.0  #: gross, at the touch; NaN where a price or the rate is missing
    net_bps: float = 0.0  #: after fees, rate and costs; NaN likewise
    size: float = 0.0  #: of the last opportunity; 0 when none
    depth: float = 0.0  #: smaller of the two touch quantities
    age_ms: float = 0.0  #: of the older book
    fills: int = 0
    state: str = ""  #: OPEN (a cycle runs), READY, or the first blocking reason (BELOW_THRESHOLD shows as IDLE)
    version: int = 0  #: rises when anything shown changed
    shape: str = "two_leg"  #: two_leg, triangular, split_leg, multi_hop, cross_chain
    assets: tuple[str, ...] = ()  #: that its trades move, quote currencies too
    health: float = nan  #: 0 to 1: how much of what it promises may be expected; NaN before it is known
    gated: bool = False  #: a coin of it cannot be moved from or to one of its venues, so its premium may last


@dataclass(frozen=True, slots=True)
class TradeLine:
    """What filled on one side of one market: ``qty`` in ``base``, ``price`` their average in ``quote``."""

    exchange: str
    side: str  #: buy or sell
    base: str
    quote: str
    qty: float
    price: float


@dataclass(frozen=True, slots=True)
class CycleLine:
    """One finished (or running) cycle in the blotter, on one line."""

    id: str
    ts_ms: int
    symbol: str
    planned: str  #: the venues in the order of the plan's legs: ``BINANCE→UPBIT``
    trades: tuple[TradeLine, ...]  #: what really filled, and where; empty when nothing did
    pnl: float
    elapsed_ms: float
    state: str  #: OPEN, TRANSIT (open, and its coins on their way), HEDGED UNWOUND RESIDUAL
    reason: str = ""  #: why it did not simply hedge


@dataclass(frozen=True, slots=True)
class BreachLine:
    """One risk breach, residual, or halt of less than everything; ``id`` is what :meth:`Controls.acknowledge` takes."""

    id: str
    ts_ms: int
    severity: str  #: CRIT or WARN
    kind: str
    scope: str  #: route, symbol, exchange or ``global``
    detail: str
    action: str
    acknowledged: bool
    repeats: int = 0  #: how often it was met again
    last_ms: int = 0  #: and when the last time


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit. ``journal``: what an operator has set, None where nobody has; ``holds``: the stricter of that and the profile's."""

    scope: str  #: ``global.max_unhedged``, ``symbol.XRP.order_value``
    unit: str  #: a currency, ``ms``, ``s``, ``bps``; empty for a count
    higher_is_stricter: bool
    profile: float
    journal: float | None
    holds: float
    used: float | None  #: now; None where nothing is counted, ``inf`` where it is not known
    by: str = ""
    note: str = ""  #: what else there is to say of what is used

    @property
    def share(self) -> float:
        """Used of allowed, or the least of what there is; over 1 beyond the limit, and where what is used is not known."""
        if self.used is None:
            return 0.0
        part, whole = (self.holds, self.used) if self.higher_is_stricter else (self.used, self.holds)
        return part / whole if whole > 0 and isfinite(self.used) else inf


@dataclass(frozen=True, slots=True)
class SettlementWay:
    """A way to settle a position or a disputed balance. ``worst``: the price bound, in quote, that was shown; empty without a trade."""

    verb: str  #: complete, flatten, write-off, adjust
    cycle_id: str  #: whose position; empty for a balance alone
    exchange: str
    asset: str
    worst: str
    text: str  #: what it does
    price_tag: str  #: what it costs, or why it cannot be done now
    possible: bool = True
    market: str = ""  #: code of the market that a trade is at


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log pane."""

    ts_ms: int
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class VenueGauge:
    """One venue's health and what is left of its limits, the most used first; none where nothing is asked of a venue."""

    name: str
    health: str  #: HEALTHY DEGRADED FROZEN DOWN
    why: str  #: empty, or a warning, when HEALTHY
    limits: tuple[LimitLeft, ...] = ()


@dataclass(slots=True)
class GaugeView:
    """Resource gauges, refreshed once a second; histories are the last 60 samples, oldest first."""

    cpu_percent: float = 0.0
    rss_mb: float = 0.0
    fds: int = 0
    lag_p50_ms: float = 0.0
    lag_p99_ms: float = 0.0
    lag_max_ms: float = 0.0
    messages_per_s: float = 0.0
    journal_p50_ms: float = 0.0
    journal_p99_ms: float = 0.0
    journal_queue: int = 0
    snapshot_age_s: float = 0.0
    snapshot_no: int = 0
    venues: tuple[VenueGauge, ...] = ()
    open_fx: tuple[OpenFxView, ...] = ()
    accounts: str = ""  #: how journal and venues compare, in a few words
    accounts_fine: bool = True
    cpu_history: deque[float] = field(default_factory=lambda: deque(maxlen=60))
    rss_history: deque[float] = field(default_factory=lambda: deque(maxlen=60))
    lag_history: deque[float] = field(default_factory=lambda: deque(maxlen=60))
    messages_history: deque[float] = field(default_factory=lambda: deque(maxlen=60))


class ReadModel(Protocol):
    """What the console paints from. Every call is cheap and free of I/O."""

    @property
    def routes(self) -> Sequence[RouteRow]:
        """One row per route on the list, in its order; the same object for as long as the route is there."""
        ...

    def header(self) -> HeaderView:
        """The header's facts, now."""
        ...

    def refresh(self, rows: Sequence[RouteRow]) -> None:
        """Bring ``rows`` up to date in place; raises ``version`` of those that changed."""
        ...

    def detail(self, route_id: str) -> RouteDetail:
        """One route in full, now; asked for only while it is shown."""
        ...

    def stock(self) -> Sequence[StockRow]:
        """Every asset that a venue holds or should; the same objects every time, new ones at the end."""
        ...

    def refresh_stock(self, rows: Sequence[StockRow]) -> None:
        """Bring ``rows`` up to date in place; raises ``version`` of those that changed."""
        ...

    def transfer_plan(self, asset: str) -> Sequence[tuple[str, str]]:
        """What a person could move to fill the stock of ``asset`` where it has run short: names and texts; empty where nothing."""
        ...

    def rebalancing(self) -> tuple[float, float]:
        """What reverse trades have cost today and what they may cost, in the PnL currency; 0 and 0 where none is made."""
        ...

    def cycles(self) -> Sequence[CycleLine]:
        """The last cycles, newest first (bounded)."""
        ...

    def cycle(self, cycle_id: str) -> CycleDetail | None:
        """One cycle in full, asked for when somebody opens it; None when it is not kept any more."""
        ...

    @property
    def cycles_version(self) -> int:
        """Rises when :meth:`cycles` would answer differently."""
        ...

    def breaches(self) -> Sequence[BreachLine]:
        """Halts that stand (kind HALT), then breaches and residuals, unacknowledged first, then newest first (bounded)."""
        ...

    @property
    def breaches_version(self) -> int:
        """Rises when :meth:`breaches` would answer differently."""
        ...

    def reconciliation(self) -> Sequence[tuple[str, str]]:
        """How journal and venues compare: names and texts, a name in capitals begins a part; empty before the first comparison."""
        ...

    def denials(self) -> Sequence[DenialLine]:
        """What kept us from gaps, over all routes: longest in the last day first."""
        ...

    def limits(self) -> Sequence[LimitLine]:
        """What bounds trading, and how much of it is used now; each limit for all of its tier, then what has a value of its own."""
        ...

    def notices(self) -> Sequence[NoticeLine]:
        """What venues have announced about what is traded: what is to come first, the soonest first; then the newest."""
        ...

    def gauges(self) -> GaugeView:
        """The gauges as of the last sample."""
        ...

    def log(self) -> Sequence[LogLine]:
        """The last log lines, oldest first (bounded)."""
        ...

    @property
    def log_version(self) -> int:
        """Rises when :meth:`log` would answer differently."""
        ...


class Controls(Protocol):
    """What an operator can do. Every call is synchronous and returns at once; journal rows follow by themselves."""

    def kill(self, source: str, reason: str = "") -> bool:
        """Close the gate now. Safe from any thread. False when it was closed already."""
        ...

    def failing_checks(self) -> Sequence[str]:
        """What of the checklist before a re-arm is not fine, as of now, an item each; empty when all is."""
        ...

    def rearm(self, typed_name: str, reason: str, kills: int) -> str | None:
        """Open the gate again; None when done, else why not (wrong name, no reason, orders still open).

        ``kills``: :attr:`HeaderView.kills` of what the person looked at; refused when another kill came since.
        """
        ...

    def scopes(self, route_id: str) -> Sequence[str]:
        """What of the desk can be held back that covers the route, the narrowest first; of no route, every exchange."""
        ...

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        """Hold back one exchange, symbol or route: PAUSED, REDUCING or HALTED; None when done, else why not."""
        ...

    def rearm_scope(self, scope: str, typed_name: str, reason: str) -> str | None:
        """Take away a halt of :attr:`HeaderView.scopes`; None when done, else why not."""
        ...

    def toggle_pause(self) -> str:
        """No new entries, or entries again; the state it is now in, or why nothing changed."""
        ...

    def disarm_refusal(self) -> str | None:
        """Why it cannot be disarmed now (a cycle is open, a kill holds); None where it can."""
        ...

    def disarm(self, reason: str) -> str | None:
        """Send nothing more, also after a restart, until :meth:`rearm`; None when done, else why not. ``reason`` may be empty."""
        ...

    def acknowledge(self, breach_id: str) -> str | None:
        """A person has seen the breach or residual; None when done, else why not."""
        ...

    def ways(self, breach_id: str) -> Sequence[SettlementWay]:
        """How the position or the disputed balance that the breach is about can be settled, now; none where there is nothing to settle."""
        ...

    def settle(self, way: SettlementWay, typed_name: str, reason: str, tell: Callable[[str], None]) -> str | None:
        """Settle by one of :meth:`ways`; None when done or under way, else why not: then nothing was changed.

        ``tell`` is called with how it ended, in words: at once, or when the orders have.
        """
        ...

    def stock_ways(self, asset: str) -> Sequence[StockWay]:
        """What a person can do about the stock of ``asset``, now: a target, a transfer to record, one to settle."""
        ...

    def do_stock_way(self, way: StockWay, amount: str, typed_name: str, reason: str) -> str | None:
        """Do one of :meth:`stock_ways`, with ``amount`` units or its own; None when done, else why not: then nothing was changed."""
        ...

    def set_limit(self, scope: str, value: float | None, typed_name: str, reason: str) -> str | None:
        """Set a limit, or with None take its own value away; None when done, else why not: raised only while nothing is armed."""
        ...

    def toggle_route(self, route_id: str) -> str:
        """Disable a route, also for later runs, or enable it again; says what was done, or why not."""
        ...
