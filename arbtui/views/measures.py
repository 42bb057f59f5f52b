"""The read model of metrics: what a run has counted and what stands now, summed up: a thousand symbols have as many figures as ten."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, nan
from statistics import median
from typing import TypeVar

from arbtui.engine.engine import Engine
from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.model.histogram import Histogram
from arbtui.model.order import OrderState
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth
from arbtui.model.turns import Turns
from arbtui.portfolio.valuation import Pnl
from arbtui.risk.breach import Severity
from arbtui.views.live import EngineViews, route_state
from arbtui.views.model import GaugeView, HeaderView, LimitLine
from arbtui.views.stock import StockRow

#: Routes, and rows of stock, that are looked at before it is asked whether the loop should have its turn: each slice well under 1 ms.
_ROUTES, _ROWS = 50, 5
#: A route whose prices can be believed: only its edge, or a cycle that runs, is in the way.
_PRICED = (None, Reason.BELOW_THRESHOLD, Reason.ROUTE_BUSY)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OutboxMeasures:
    """Alerts that have not reached every channel. All zero where the profile names no channel."""

    channels: int = 0
    waiting: int = 0
    overdue: int = 0  #: of those, how many a channel should have taken a while ago
    oldest_s: float = 0.0  #: of the overdue ones


@dataclass(frozen=True, slots=True)
class DrillMeasures:
    """The last rehearsed kill. Milliseconds since the epoch; 0 where none was made."""

    ts_ms: int = 0
    gate_ms: float = 0.0  #: until the gate was closed


@dataclass(frozen=True, slots=True)
class RunMeasures:
    """What is known of a run besides its engine. Histograms in milliseconds, of the whole run."""

    started_ms: int = 0
    updates: int = 0
    decisions: Histogram = field(default_factory=Histogram)  #: from a batch's arrival to the end of the decision on it
    staleness: Histogram = field(default_factory=Histogram)  #: from a message's being due to the end of the decision on it
    lags: Histogram = field(default_factory=Histogram)  #: of the event loop
    outbox: OutboxMeasures = OutboxMeasures()
    drill: DrillMeasures = DrillMeasures()


@dataclass(frozen=True, slots=True)
class VenueMeasures:
    """One venue. Counts of this run; NaN where nothing was measured yet."""

    name: str
    decoded: int = 0
    unused: int = 0  #: messages of types that are known and not used
    malformed: int = 0
    gaps: int = 0
    resyncs: int = 0
    failures: int = 0  #: connections and requests
    books: Mapping[BookState, int] = field(default_factory=dict)
    excess_delay_ms: float = nan  #: the most that one of its sockets is later than usual
    skew_ms: float = 0.0
    answers: Histogram = field(default_factory=Histogram)  #: to orders, in ms
    orders: Mapping[OrderState, int] = field(default_factory=dict)  #: that ended, by how
    lost: int = 0  #: orders that were sent and not usably answered
    unknown: int = 0  #: orders of unknown fate, now
    in_flight: int = 0
    fills: int = 0
    disputes: int = 0  #: balances on which it and the journal disagree


@dataclass(frozen=True, slots=True)
class StockMeasures:
    """The stock of one venue, summed up."""

    name: str
    levels: Mapping[str, int]  #: assets by the word of their level: ``ok``, ``LOW``, ``DRY``; those without a target are ``none``
    least_share: float = nan  #: of a target; NaN where there is none
    least_hours: float = inf  #: until the first asset is dry
    cash: Mapping[str, float] = field(default_factory=dict)  #: of each settlement currency, in units


@dataclass(frozen=True, slots=True)
class RateMeasures:
    """One market of an exchange rate; ``mid`` NaN and ``age_s`` infinite while there is none."""

    exchange: str
    pair: str  #: ``KRW/USDT``
    mid: float
    age_s: float
    doubted: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything that metrics tell, as of one moment."""

    version: str
    header: HeaderView
    gauges: GaugeView
    limits: Sequence[LimitLine]
    run: RunMeasures
    kill_latched: bool
    pnl_run: Pnl
    pnl_day: Pnl
    opened: int
    cycles: Mapping[CycleState, int]
    denials: Mapping[Reason, int]
    held_hour_s: Mapping[str, float]  #: for how long each reason kept us from open gaps, in the last hour
    gaps: int  #: that were seen, taken or not
    evaluations: int
    late_fills: int
    breaches: Mapping[Severity, int]  #: recorded in this run
    unacknowledged: Mapping[Severity, int]
    halts: Mapping[Depth, int]  #: of less than everything
    positions: int  #: residual ones
    positions_value: float  #: in the PnL currency; infinite where one has no mark
    routes: Mapping[str, int]  #: by state
    best_edge_bps: float  #: net, over the routes whose prices can be believed; NaN where there is none
    median_edge_bps: float
    venues: Sequence[VenueMeasures]
    stock: Sequence[StockMeasures]
    rates: Sequence[RateMeasures]
    commits: Histogram  #: of the journal, in ms
    events: int
    journal_failed: bool
    free_disk_mb: float  #: NaN before it was measured


class MeasuresReader:
    """Reads ``views`` and the engine behind them; never writes to it.

    Args:
        version: of the program.
        run: what the runtime knows besides.
    """

    def __init__(self, engine: Engine, views: EngineViews, version: str, run: Callable[[], RunMeasures]) -> None:
        self._engine = engine
        self._views = views
        self._version = version
        self._run = run

    async def read(self) -> Measures:
        """Everything, as of now. Where there is much to look at, the loop has its turn in between."""
        turns = Turns()
        routes, edges = await self._routes(turns)
        stock = await self._stock(turns)
        run, day = await self._views.pnl(turns)
        engine, views = self._engine, self._views
        parts, state = engine.components, engine.portfolio.state
        header = views.header()
        await turns.pause()
        limits = [line for line in views.limits() if line.scope.count(".") == 1]  # those of a name of its own are without number
        await turns.pause()
        venues = []
        for name in parts.adapters:
            venues.append(self._venue(name))
            await turns.pause()
        open_breaches = [breach for key, breach in engine.breaches.breaches.items() if key not in engine.breaches.acknowledged]
        machine = engine.machine.last
        return Measures(
            version=self._version,
            header=header,
            gauges=views.gauges(),
            limits=limits,
            run=self._run(),
            kill_latched=parts.halt.is_closed,
            pnl_run=run,
            pnl_day=day,
            opened=state.tally.opened,
            cycles=dict(state.tally.outcomes),
            denials=dict(engine.risk.denials),
            held_hour_s={line.reason: line.hour.seconds for line in views.denials()},
            gaps=engine.decider.opportunities,
            evaluations=engine.decider.evaluations,
            late_fills=engine.tracker.late_fills,
            breaches=dict(engine.breaches.recorded),
            unacknowledged=_count(breach.severity for breach in open_breaches),
            halts=_count(halt.depth for halt in engine.risk.halts.standing),
            positions=len(engine.portfolio.positions),
            positions_value=engine.risk.total.positions_value,
            routes=routes,
            best_edge_bps=max(edges, default=nan),
            median_edge_bps=median(edges) if edges else nan,
            venues=venues,
            stock=stock,
            rates=self._rates(),
            commits=parts.journal.latency,
            events=parts.journal.stats.events,
            journal_failed=parts.journal.failure is not None,
            free_disk_mb=nan if machine is None else machine.free_disk_mb,
        )

    async def _routes(self, turns: Turns) -> tuple[Mapping[str, int], Sequence[float]]:
        """How many routes are in each state, and the net edges of those whose prices can be believed."""
        universe, clock = self._engine.components.universe, self._engine.components.clock
        states: dict[str, int] = {}
        edges: list[float] = []
        for part in _slices(universe.routes, _ROUTES):
            now = clock.monotonic()
            for route in part:
                refusal = route.refusal(now)
                word = route_state(refusal)
                states[word] = states.get(word, 0) + 1
                if refusal in _PRICED and isfinite(edge := route.touch_edge_bps()):
                    edges.append(edge)
            await turns.pause()
        return states, edges

    async def _stock(self, turns: Turns) -> Sequence[StockMeasures]:
        rows = self._views.stock()
        for part in _slices(rows, _ROWS):
            self._views.refresh_stock(part)
            await turns.pause()
        found = []
        for name in self._engine.components.adapters:
            found.append(self._stock_of(name.upper(), rows))
            await turns.pause()
        return found

    def _stock_of(self, exchange: str, rows: Sequence[StockRow]) -> StockMeasures:
        settlement = self._engine.portfolio.state.settlement
        cells = [(row.asset, cell) for row in rows for cell in row.cells if cell.exchange == exchange]
        return StockMeasures(
            name=exchange.lower(),
            levels=_count(cell.word or "none" for _, cell in cells),
            least_share=min((cell.share for _, cell in cells if isfinite(cell.share)), default=nan),
            least_hours=min((cell.hours for _, cell in cells), default=inf),
            cash={asset: cell.total for asset, cell in cells if asset in settlement},
        )

    def _venue(self, name: str) -> VenueMeasures:
        engine, parts = self._engine, self._engine.components
        counts, guard, tracker = parts.aggregator.counts[name], engine.risk.exchange[name], engine.tracker
        excesses = [socket.excess for socket in parts.aggregator.delays.sockets(name)]
        return VenueMeasures(
            name=name,
            decoded=counts.decoded,
            unused=sum(counts.named.values()),
            malformed=sum(counts.malformed.values()),
            gaps=counts.gaps,
            resyncs=counts.resyncs,
            failures=sum(counts.failures.values()),
            books=_count(book.state for (exchange, _), book in parts.aggregator.books.items() if exchange == name),
            excess_delay_ms=max((excess for excess in excesses if excess == excess), default=nan),
            skew_ms=guard.health.skew_ms,
            answers=tracker.answers[name],
            orders={state: count for (exchange, state), count in tracker.ends.items() if exchange == name},
            lost=tracker.lost[name],
            unknown=guard.unknown,
            in_flight=guard.in_flight,
            fills=tracker.fills_per_exchange.get(name, 0),
            disputes=len(engine.portfolio.state.disputes.get(name, ())),
        )

    def _rates(self) -> Sequence[RateMeasures]:
        parts = self._engine.components
        now = parts.clock.monotonic()
        return [
            RateMeasures(one.book.exchange, f"{one.quote}/{one.base}", one.mid() or nan, one.age(now), one.doubted)
            for one in parts.rates.markets
        ]


def _slices(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[at : at + size] for at in range(0, len(whole), size))


def _count(things: Iterator[T]) -> dict[T, int]:
    found: dict[T, int] = {}
    for thing in things:
        found[thing] = found.get(thing, 0) + 1
    return found
