"""The read model over a running engine, and the operator's controls."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite, nan
from statistics import median
from typing import Protocol

from arbtui.engine.engine import Engine
from arbtui.exchanges.health import Health
from arbtui.exchanges.rate_limits import LimitLeft, RateLimitManager
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.ways_out import WayOut
from arbtui.failover.reconcile_report import ReconcileReport
from arbtui.journal.events import Phase, PlannedLeg
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.book import BookState
from arbtui.model.money import plain
from arbtui.model.order import Fill
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import ScopedHalt
from arbtui.model.turns import Turns
from arbtui.portfolio.operator_events import untyped
from arbtui.portfolio.past_cycles import PastCycle
from arbtui.portfolio.state import Repeats
from arbtui.portfolio.traded import TradedSums
from arbtui.portfolio.transfer_plan import plan_lines
from arbtui.portfolio.valuation import Pnl
from arbtui.risk.breach import Breach
from arbtui.risk.limit_book import LimitRow
from arbtui.routes.health_score import steady
from arbtui.routes.route import ArbRoute
from arbtui.views.cycle import CycleDetail, past_cycle, past_reason, running_cycle, running_reason
from arbtui.views.detail import DenialLine, EdgeHistory, RouteDetail
from arbtui.views.equity import EquityHistory, EquityPoint
from arbtui.views.live_pnl import LivePnl
from arbtui.views.model import (
    HALT,
    BreachLine,
    CycleLine,
    ExchangeView,
    GaugeView,
    HeaderView,
    LimitLine,
    LogLine,
    RouteRow,
    SettlementWay,
    TradeLine,
    VenueGauge,
)
from arbtui.views.notices import NoticeLine, notice_lines
from arbtui.views.open_fx import read_open_fx
from arbtui.views.reconciliation import reconcile_lines
from arbtui.views.route_reader import RouteReader, denial_lines
from arbtui.views.status import shown_state
from arbtui.views.stock import StockReader, StockRow
from arbtui.views.stock_ways import StockWay, do_stock_way, stock_ways

#: States that need no capitals of their own: the usual "no" reads as rest.
_WORDS = {Reason.BELOW_THRESHOLD: "IDLE", Reason.ROUTE_BUSY: "OPEN"}


def route_state(refusal: Reason | None) -> str:
    """What a route's state is called: READY, OPEN, IDLE, or the first reason why it does not trade."""
    return "READY" if refusal is None else _WORDS.get(refusal, refusal.value)


#: A quiet row is painted anew when its age has moved by so much.
_AGE_STEP_MS = 250.0
#: Seconds between two looks for why nothing is opened, and at what kept us from gaps.
_IDLE_EVERY_S = 1.0
_DENIALS_EVERY_S = 1.0
_LIMITS_EVERY_S = 0.5
_SCORE_EVERY_S = 1.0
#: Health scores worked out anew in one frame, so that a thousand routes do not cost one frame more than forty.
_SCORED_AT_ONCE = 40


class LogLines(Protocol):
    """The last log lines, oldest first, and a version that rises with each."""

    version: int

    def lines(self) -> Sequence[LogLine]:
        """The lines."""
        ...


class EngineViews:
    """Reads the engine; never writes to it. See :class:`arbtui.views.ReadModel`.

    Args:
        mode: ``SIM``, ``PAPER`` or ``LIVE``; ``scenario`` names the simulator's, else empty.
        log: the last log lines.
        earlier: cycles of earlier runs, oldest first, that the blotter goes on from.
        limits: the venues' limits by name, where requests go to a venue.
    """

    def __init__(
        self,
        engine: Engine,
        mode: str,
        scenario: str,
        log: LogLines,
        earlier: Sequence[PastCycle] = (),
        limits: Mapping[str, RateLimitManager] | None = None,
    ) -> None:
        self._limits = limits or {}
        self._engine = engine
        self._mode = mode
        self._scenario = scenario
        self._log = log
        self._started = engine.components.clock.monotonic()
        self._earlier = [_past(row) for row in reversed(earlier)]
        self._earlier_rows = {row.id: row for row in earlier}
        self._pnl = LivePnl(engine.components.portfolio, engine.components.marks)
        self.equity = EquityHistory()  #: grows by :meth:`note_equity` only
        self.gauge = GaugeView()
        self.accounts: ReconcileReport | None = None  #: of how journal and venues compare; None before that begins
        self._idle, self._idle_at = "", -inf
        self._denials: Sequence[DenialLine] = ()
        self._denials_at = -inf
        self._limit_lines: Sequence[LimitLine] = ()
        self._limit_lines_at = -inf
        self.is_watched = True  #: by a guardian; looked at in mode live only
        self._routes: dict[str, ArbRoute] = {}  # those that were listed once stay readable, as long as somebody looks at them
        self._rows: dict[str, RouteRow] = {}
        self._histories: dict[str, EdgeHistory] = {}
        self._scored_at: dict[str, float] = {}
        self._listed: Sequence[RouteRow] = ()
        self._listed_version = -1  # of the universe
        self._list()
        self._stock = StockReader(engine)
        self._reader = RouteReader(engine, self._stock)

    @property
    def routes(self) -> Sequence[RouteRow]:
        """See :class:`arbtui.views.ReadModel`."""
        if self._engine.components.universe.version != self._listed_version:
            self._list()
        return self._listed

    def _list(self) -> None:
        universe = self._engine.components.universe
        self._listed_version = universe.version
        for route in universe.routes:
            if self._routes.get(route.id) is not route:
                self._routes[route.id] = route
                venues = tuple(hop.market.exchange.upper() for hop in route.trades)
                self._rows[route.id] = RouteRow(route.id, route.symbol, venues, shape=route.shape, assets=_assets(route))
                self._histories[route.id] = EdgeHistory()
        self._listed = [self._rows[route.id] for route in universe.routes]

    def header(self) -> HeaderView:
        """See :class:`arbtui.views.ReadModel`."""
        engine, parts = self._engine, self._engine.components
        now = parts.clock.monotonic()
        cause = parts.halt.cause
        session, day = self._pnl.look(now)
        rate = parts.rates.shown()
        return HeaderView(
            profile=parts.profile,
            mode=self._mode,
            scenario=self._scenario,
            state=shown_state(engine.state, engine.risk.halts.standing),
            halt_source=cause.source if cause is not None else "",
            halt_reason=cause.reason if cause is not None else "",
            halt_ts_ms=cause.ts_ms if cause is not None else 0,
            halt_detail=engine.halt_detail,
            now_ms=parts.clock.time_ms(),
            session_s=now - self._started,
            exchanges=[self._exchange(name, now) for name in parts.adapters],
            rate=0.0 if rate is None else rate.mid(),
            rate_pair="" if rate is None else f"{rate.quote}/{rate.base}",
            rate_age_ms=inf if rate is None else rate.age(now) * 1000,
            pnl_day=float(day.total),
            trading_day=float(day.realised),
            pnl_session=float(session.total),
            trading_session=float(session.realised),
            pnl_currency=parts.portfolio.state.currency,
            open_cycles=len(engine.executor.open) + len(engine.executor.moving),
            orders_in_flight=sum(guard.in_flight for guard in engine.risk.exchange.values()),
            breaches_open=engine.breaches.open,
            routes=len(self.routes),
            opportunities=engine.decider.opportunities,
            unhedged=engine.risk.total.unhedged,
            idle=self._why_idle(now),
            slow=engine.late_decisions.words,
            rate_doubt=_rate_doubt(parts.rate_watches),
            share=engine.rearm_share.share,
            share_left_s=engine.rearm_share.left_s,
            scopes=engine.risk.halts.standing,
            kills=parts.halt.kills,
            is_watched=self.is_watched,
            open_fx=read_open_fx(engine),
        )

    async def pnl(self, turns: Turns) -> tuple[Pnl, Pnl]:
        """The PnL of the run and of the desk's day, split, at live marks; the loop has its turn in between."""
        return await self._pnl.look_in_pieces(self._engine.components.clock.monotonic(), turns)

    async def note_equity(self, turns: Turns) -> bool:
        """Add what everything is worth now to :attr:`equity`; False where nothing is added, since an asset has no price."""
        run, _ = await self.pnl(turns)
        if run.unpriced:
            return False
        self.equity.add(EquityPoint(self._engine.components.clock.time_ms(), float(self._pnl.equity), float(run.realised)))
        return True

    def _why_idle(self, now: float) -> str:
        """Looked at once a second: it may ask every route."""
        if now - self._idle_at >= _IDLE_EVERY_S:
            self._idle_at, self._idle = now, self._engine.why_idle()
        return self._idle

    def refresh(self, rows: Sequence[RouteRow]) -> None:
        """See :class:`arbtui.views.ReadModel`."""
        engine = self._engine
        now = engine.components.clock.monotonic()
        second = int(now)
        fills = engine.portfolio.state.routes
        health, unscored = engine.prioritizer.health, _SCORED_AT_ONCE
        for row in rows:
            route = self._routes[row.id]
            refusal = route.refusal(now)
            age = now - min([book.ts_init for book in route.books])
            net = route.touch_edge_bps()
            shown = (
                tuple([hop.touch_price if hop.touch_price < inf else 0.0 for hop in route.trades]),
                _known(route.gross_edge_bps()),
                _known(net),
                min([hop.touch_qty for hop in route.trades]),
                fills[row.id].fills if row.id in fills else 0,
                route_state(refusal),
                engine.risk.is_gated(route),
            )
            age_ms = age * 1000 if isfinite(age) else inf
            before = (row.prices, row.edge_bps, row.net_bps, row.depth, row.fills, row.state, row.gated)
            if shown != before or abs(age_ms - row.age_ms) >= _AGE_STEP_MS:
                row.age_ms = age_ms
                row.prices, row.edge_bps, row.net_bps, row.depth, row.fills, row.state, row.gated = shown
                row.size = route.last_size
                row.version += 1
            if unscored > 0 and now - self._scored_at.get(row.id, -inf) >= _SCORE_EVERY_S:
                unscored -= 1
                self._scored_at[row.id] = now
                score = steady(row.health if isfinite(row.health) else None, health.at(route, route.touch_size(), now).score)
                if score != row.health:
                    row.health = score
                    row.version += 1
            self._histories[row.id].add(second, net)

    def detail(self, route_id: str) -> RouteDetail:
        """See :class:`arbtui.views.ReadModel`."""
        row = self._rows[route_id]
        self.refresh((row,))
        return self._reader.read(self._routes[route_id], row.state, self._histories[route_id])

    def stock(self) -> Sequence[StockRow]:
        """See :class:`arbtui.views.ReadModel`."""
        return self._stock.rows()

    def refresh_stock(self, rows: Sequence[StockRow]) -> None:
        """See :class:`arbtui.views.ReadModel`."""
        self._stock.refresh(rows)

    def transfer_plan(self, asset: str) -> Sequence[tuple[str, str]]:
        """See :class:`arbtui.views.ReadModel`."""
        currency = self._engine.portfolio.state.currency
        return [line for plan in self._engine.wallets.plans(asset) for line in plan_lines(plan, currency)]

    def rebalancing(self) -> tuple[float, float]:
        """See :class:`arbtui.views.ReadModel`."""
        engine = self._engine
        return float(engine.portfolio.rebalance_spent_today()), float(engine.rebalancer.budget())

    def cycles(self) -> Sequence[CycleLine]:
        """See :class:`arbtui.views.ReadModel`."""
        return [*(self._cycle(cycle) for cycle in reversed(self._engine.cycles.values())), *self._earlier]

    def cycle(self, cycle_id: str) -> CycleDetail | None:
        """See :class:`arbtui.views.ReadModel`."""
        running = self._engine.cycles.get(cycle_id)
        if running is not None:
            way_out = self._engine.executor.hedging.last_resort(running) if running.account.is_open else None
            clock, state = self._engine.components.clock, self._engine.portfolio.state
            transfer = state.transfers.get(running.account.awaits)
            return running_cycle(running, state.currency, way_out, clock.monotonic(), transfer, clock.time_ms())
        row = self._earlier_rows.get(cycle_id)
        return past_cycle(row) if row is not None else None

    @property
    def cycles_version(self) -> int:
        """See :class:`arbtui.views.ReadModel`."""
        return self._engine.cycles_version

    def breaches(self) -> Sequence[BreachLine]:
        """See :class:`arbtui.views.ReadModel`."""
        book = self._engine.breaches
        newest = [self._breach(breach) for breach in reversed(book.breaches.values())]
        halts = [_halt(halt) for halt in self._engine.risk.halts.standing if not halt.is_doubt]  # a doubt is a breach of its own
        return [*halts, *sorted(newest, key=lambda line: line.acknowledged)]

    @property
    def breaches_version(self) -> int:
        """See :class:`arbtui.views.ReadModel`."""
        return self._engine.breaches.version + self._engine.risk.halts.version

    def reconciliation(self) -> Sequence[tuple[str, str]]:
        """See :class:`arbtui.views.ReadModel`."""
        return [] if self.accounts is None else reconcile_lines(self.accounts, self._engine.components.clock.time_ms())

    def denials(self) -> Sequence[DenialLine]:
        """See :class:`arbtui.views.ReadModel`."""
        now = self._engine.components.clock.monotonic()
        if now - self._denials_at >= _DENIALS_EVERY_S:
            self._denials_at, self._denials = now, denial_lines(self._engine.denials.of_route())
        return self._denials

    def limits(self) -> Sequence[LimitLine]:
        """See :class:`arbtui.views.ReadModel`."""
        now = self._engine.components.clock.monotonic()
        if now - self._limit_lines_at >= _LIMITS_EVERY_S:
            currency = self._engine.portfolio.state.currency
            self._limit_lines_at = now
            self._limit_lines = [_limit_line(row, currency) for row in self._engine.limits.rows()]
        return self._limit_lines

    def notices(self) -> Sequence[NoticeLine]:
        """See :class:`arbtui.views.ReadModel`."""
        engine = self._engine
        now_ms, halts = engine.components.clock.time_ms(), engine.risk.halts.standing
        return notice_lines(
            engine.notices.notices, halts, now_ms, lambda record: engine.notices.told(record) or engine.cautions.told(record)
        )

    def gauges(self) -> GaugeView:
        """See :class:`arbtui.views.ReadModel`."""
        return self.gauge

    def log(self) -> Sequence[LogLine]:
        """See :class:`arbtui.views.ReadModel`."""
        return self._log.lines()

    @property
    def log_version(self) -> int:
        """See :class:`arbtui.views.ReadModel`."""
        return self._log.version

    def _exchange(self, name: str, now: float) -> ExchangeView:
        engine = self._engine
        watch = engine.components.aggregator.watches[name]
        books = [book for (exchange, _), book in engine.components.aggregator.books.items() if exchange == name]
        live = any(book.state is BookState.LIVE for book in books)
        health = engine.risk.exchange[name].health.state(now)
        banned_s = self._limits[name].banned_until - now if name in self._limits else 0.0
        unfit = "" if health is Health.HEALTHY or not live else health.value
        if banned_s > 0.0:
            unfit = f"banned {banned_s:.0f}s"
        status = unfit or ("SILENT" if watch.is_silent(now) else "ok" if live else "DOWN")
        answers = engine.tracker.answer_ms.get(name)
        age = now - watch.last_message
        return ExchangeView(name.upper(), age * 1000 if isfinite(age) else inf, median(answers) if answers else 0.0, status)

    def venues(self) -> tuple[VenueGauge, ...]:
        """Every venue's health and limits, now; for the gauges, once a second."""
        now = self._engine.components.clock.monotonic()
        return tuple(
            VenueGauge(name.upper(), guard.health.state(now), guard.health.why(now), self._left(name))
            for name, guard in self._engine.risk.exchange.items()
        )

    def _left(self, name: str) -> tuple[LimitLeft, ...]:
        if name not in self._limits:
            return ()
        return tuple(sorted(self._limits[name].left(), key=lambda left: -left.used / left.hard))

    def _cycle(self, cycle: ArbCycle) -> CycleLine:
        ended = cycle.closed_at or self._engine.components.clock.monotonic()
        return CycleLine(
            id=cycle.id,
            ts_ms=cycle.account.opened_ms,
            symbol=cycle.plan.route.symbol,
            planned=_planned(cycle.plan.legs),
            trades=_trades(cycle.fills),
            pnl=float(cycle.account.pnl),
            elapsed_ms=(ended - cycle.opened_at) * 1000,
            state="TRANSIT" if cycle.phase is Phase.IN_TRANSIT else cycle.state,
            reason=running_reason(cycle),
        )

    def _breach(self, breach: Breach) -> BreachLine:
        book = self._engine.breaches
        written, (counted, last_ms) = self._engine.portfolio.state.repeats.get(breach.id, Repeats()), book.counted(breach)
        return BreachLine(
            breach.id,
            breach.ts_ms,
            breach.severity,
            breach.kind,
            breach.scope,
            breach.detail,
            breach.action,
            breach.id in book.acknowledged,
            written.times + counted,
            last_ms or written.last_ms,
        )


class EngineControls:
    """What the operator can do. See :class:`arbtui.views.Controls`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def kill(self, source: str, reason: str = "") -> bool:
        """Close the gate now; safe from any thread."""
        return self._engine.kill_switch.kill(source, reason)

    def failing_checks(self) -> Sequence[str]:
        """See :class:`arbtui.views.Controls`."""
        return [f"{check.name}: {check.words}" for check in self._engine.operator.checklist() if not check.is_fine]

    def rearm(self, typed_name: str, reason: str, kills: int) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.rearm(typed_name, reason, kills)

    def scopes(self, route_id: str) -> Sequence[str]:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.scopes.of_route(route_id)

    def halt_scope(self, scope: str, depth: str, reason: str) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.scopes.halt(scope, depth, "CONSOLE", "operator", reason)

    def rearm_scope(self, scope: str, typed_name: str, reason: str) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.scopes.rearm(scope, typed_name, reason, "operator")

    def toggle_pause(self) -> str:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.toggle_pause()

    def disarm_refusal(self) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.disarm_refusal()

    def disarm(self, reason: str) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.disarm(reason)

    def acknowledge(self, breach_id: str) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.operator.acknowledge(breach_id)

    def ways(self, breach_id: str) -> Sequence[SettlementWay]:
        """See :class:`arbtui.views.Controls`."""
        return [_way(way) for way in self._engine.operator.ways_of_breach(breach_id)]

    def settle(self, way: SettlementWay, typed_name: str, reason: str, tell: Callable[[str], None]) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        operator = self._engine.operator
        if way.cycle_id:
            worst = Decimal(way.worst) if way.worst else None
            place = (way.cycle_id, way.verb, way.exchange)
            return operator.settle_position(*place, typed_name, reason, worst=worst, market=way.market, tell=tell)
        refusal = operator.adjust(way.exchange, way.asset, typed_name, reason)
        if refusal is None:
            tell(f"the balance of {way.asset} at {way.exchange} is settled")
        return refusal

    def stock_ways(self, asset: str) -> Sequence[StockWay]:
        """See :class:`arbtui.views.Controls`."""
        return stock_ways(self._engine, asset)

    def do_stock_way(self, way: StockWay, amount: str, typed_name: str, reason: str) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        return do_stock_way(self._engine, way, amount, typed_name, reason)

    def set_limit(self, scope: str, value: float | None, typed_name: str, reason: str) -> str | None:
        """See :class:`arbtui.views.Controls`."""
        refusal = untyped(self._engine.components.profile, typed_name, reason)
        return refusal or self._engine.limits.set(scope, value, typed_name, reason, "operator")

    def toggle_route(self, route_id: str) -> str:
        """See :class:`arbtui.views.Controls`."""
        return self._engine.availability.toggle(route_id)


def _limit_line(row: LimitRow, currency: str) -> LimitLine:
    unit = currency if row.unit == "money" else row.unit
    return LimitLine(row.scope, unit, row.higher_is_stricter, row.profile, row.journal, row.holds, row.used, row.by, row.note)


def _way(way: WayOut) -> SettlementWay:
    worst = "" if way.price is None else plain(way.price)
    market = "" if way.market is None else way.market.code
    return SettlementWay(way.verb, way.cycle_id, way.exchange, way.asset, worst, way.text, way.price_tag, not way.why_not, market)


def _halt(halt: ScopedHalt) -> BreachLine:
    told = f"{halt.depth} by {halt.by} ({halt.source}): {halt.why}"
    return BreachLine(f"halt {halt.scope}", halt.ts_ms, "WARN", HALT, halt.scope, told, "stands until it is re-armed", acknowledged=False)


def _past(row: PastCycle) -> CycleLine:
    return CycleLine(
        id=row.id,
        ts_ms=row.opened_ms,
        symbol=row.symbol,
        planned=_planned(row.legs),
        trades=_trades(row.fills),
        pnl=float(row.pnl.get("total", 0)),
        elapsed_ms=float((row.closed_ms or row.opened_ms) - row.opened_ms),
        state=row.state,
        reason=past_reason(row),
    )


def _rate_doubt(watches: Sequence[RateWatch]) -> str:
    doubted = [watch for watch in watches if watch.market.doubted]
    if doubted:
        where = ", ".join(watch.market.book.exchange for watch in doubted)
        return "DOUBTED" if len(doubted) == len(watches) else f"DOUBTED at {where}"
    few = next((watch for watch in watches if watch.needs_coins), None)
    return "" if few is None else f"jumps only ({few.live_coins} of {few.limits.min_coins} coins)"


def _planned(legs: Sequence[PlannedLeg]) -> str:
    return "→".join(leg.exchange.upper() for leg in legs)


def _trades(fills: Sequence[Fill]) -> tuple[TradeLine, ...]:
    return tuple(
        TradeLine(one.exchange.upper(), one.side.value, one.base, one.quote, float(one.qty), float(one.average))
        for one in TradedSums(fills).rows()
    )


def _assets(route: ArbRoute) -> tuple[str, ...]:
    return tuple(dict.fromkeys(asset for hop in route.trades for asset in (hop.market.base, hop.market.quote)))


def _known(value: float) -> float:
    """``value``; :data:`math.nan` itself where it is missing, so that two missing ones count as equal inside a tuple."""
    return value if isfinite(value) else nan
