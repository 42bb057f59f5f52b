"""What an engine tells: in an hour in which nothing is wrong, and with the condition of each alerting rule.

All of it is told as measures, by the minute, and put into metrics by the program's own code.
"""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from math import inf, nan
from typing import Any

from arbtui.exchanges.rate_limit import LimitLeft
from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.model.histogram import Histogram
from arbtui.model.order import OrderState
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth
from arbtui.portfolio.valuation import Pnl
from arbtui.risk.breach import Severity
from arbtui.views.measures import DrillMeasures, Measures, OutboxMeasures, RateMeasures, RunMeasures, StockMeasures, VenueMeasures
from arbtui.views.model import ExchangeView, GaugeView, HeaderView, LimitLine, OpenFxView, VenueGauge

STARTED_MS = 1_790_000_000_000
DRILL_MS = 4_000_000_000_000  # long after any test: never overdue, whatever the clock of this machine says
VENUES = ("upbit", "binance")

At = Callable[[float], Measures]
"""What is told ``minutes`` after the start."""


def histogram(value_ms: float, count: int) -> Histogram:
    """``count`` times the same value."""
    found = Histogram()
    found.add(value_ms)
    one = found.copy()
    found._counts = array("Q", [each * count for each in one._counts])
    found.count, found.total_ms = count, value_ms * count
    return found


def healthy(minutes: float) -> Measures:
    """Everything is as it should be: it trades, nothing is lost."""
    n = round(minutes * 60)
    limits = ("max_unhedged", "max_loss_day", "max_loss_hour", "max_drawdown", "max_factor_exposure", "max_orders_day")
    venues = tuple(
        VenueMeasures(
            name,
            decoded=500 * n,
            unused=n,
            books={BookState.LIVE: 20, BookState.SYNCING: 1},
            excess_delay_ms=5.0,
            skew_ms=20.0,
            answers=histogram(80.0, 2 * n),
            orders={OrderState.FILLED: 2 * n, OrderState.EXPIRED: n // 10},
            in_flight=1,
            fills=2 * n,
        )
        for name in VENUES
    )
    header = HeaderView(
        profile="desk",
        mode="SIM",
        scenario="busy",
        state="ARMED",
        halt_source="",
        halt_reason="",
        halt_ts_ms=0,
        halt_detail="",
        now_ms=STARTED_MS + round(minutes * 60_000),
        session_s=minutes * 60,
        exchanges=[ExchangeView(name.upper(), 40.0, 80.0, "ok") for name in VENUES],
        rate=1390.0,
        rate_age_ms=300.0,
        pnl_day=n * 0.02,
        trading_day=n * 0.02,
        pnl_session=n * 0.02,
        trading_session=n * 0.02,
        pnl_currency="USDT",
        open_cycles=1,
        orders_in_flight=2,
        breaches_open=0,
        routes=40,
        opportunities=n,
        unhedged=100.0,
        open_fx=(OpenFxView("KRW", "USDT", 120.0, 500.0, 1000.0, 60.0, 0.0, 0.0, "fine"),),
    )
    gauges = GaugeView(
        cpu_percent=12.0,
        rss_mb=120.0,
        fds=30,
        snapshot_age_s=2.0,
        snapshot_no=n // 5,
        venues=tuple(VenueGauge(name.upper(), "HEALTHY", "", (_left(10.0, 0.0),)) for name in VENUES),
    )
    pnl = Pnl(trading=Decimal(n) / 20, fees=Decimal(n) * Decimal("0.03"))
    return Measures(
        version="0",
        header=header,
        gauges=gauges,
        limits=[LimitLine(f"global.{name}", "USDT", False, 1000.0, None, 1000.0, 100.0) for name in limits],
        run=RunMeasures(
            STARTED_MS,
            updates=1000 * n,
            decisions=histogram(0.05, 900 * n),
            staleness=histogram(0.6, 1000 * n),
            lags=histogram(0.4, 100 * n),
            outbox=OutboxMeasures(channels=1),
            drill=DrillMeasures(DRILL_MS, 12.0),
        ),
        kill_latched=False,
        pnl_run=pnl,
        pnl_day=pnl,
        opened=n // 2,
        cycles={CycleState.HEDGED: n // 2, CycleState.MISSED: n // 50},
        denials={Reason.COOLDOWN: n},
        held_hour_s={"COOLDOWN": 60.0},
        gaps=n,
        evaluations=900 * n,
        late_fills=0,
        breaches={Severity.WARN: n // 600},
        unacknowledged={},
        halts={},
        positions=0,
        positions_value=0.0,
        routes={"IDLE": 30, "READY": 1, "OPEN": 2, "COOLDOWN": 7},
        best_edge_bps=12.0,
        median_edge_bps=-18.0,
        venues=venues,
        stock=[StockMeasures(name, {"ok": 18, "LOW": 2, "none": 1}, 0.2, 6.0, {"KRW": 1e8, "USDT": 7e4}) for name in VENUES],
        rates=[RateMeasures("upbit", "KRW/USDT", 1390.0, 0.3, False)],
        commits=histogram(3.0, 5 * n),
        events=10 * n,
        journal_failed=False,
        free_disk_mb=50_000.0,
    )


def _told(**change: Any) -> At:
    return lambda minutes: replace(healthy(minutes), **change)


def _header(**change: Any) -> At:
    return lambda minutes: replace(healthy(minutes), header=replace(healthy(minutes).header, **change))


def _gauges(**change: Any) -> At:
    return lambda minutes: replace(healthy(minutes), gauges=replace(healthy(minutes).gauges, **change))


def _run(**change: Callable[[float], Any]) -> At:
    def at(minutes: float) -> Measures:
        told = healthy(minutes)
        return replace(told, run=replace(told.run, **{name: value(minutes) for name, value in change.items()}))

    return at


def _venue(**change: Callable[[float], Any]) -> At:
    """The first venue is otherwise."""

    def at(minutes: float) -> Measures:
        told = healthy(minutes)
        first = replace(told.venues[0], **{name: value(minutes) for name, value in change.items()})
        return replace(told, venues=(first, *told.venues[1:]))

    return at


def _limit(scope: str, used: float) -> At:
    line = LimitLine(scope, "USDT", False, 1000.0, None, 1000.0, used)
    return lambda minutes: replace(healthy(minutes), limits=[one for one in healthy(minutes).limits if one.scope != scope] + [line])


def _health(*words: str) -> At:
    return _gauges(venues=tuple(VenueGauge(name.upper(), word, "") for name, word in zip(VENUES, words, strict=True)))


def _limits_left(used: float, banned_s: float) -> At:
    return _gauges(venues=tuple(VenueGauge(name.upper(), "HEALTHY", "", (_left(used, banned_s),)) for name in VENUES))


def _left(used: float, banned_s: float) -> LimitLeft:
    return LimitLeft("orders", used, 80.0, 100.0, 30.0, banned_s)


def _stalled(minutes: float) -> Histogram:
    lags = histogram(0.4, 100 * round(minutes * 60))
    lags.merge(histogram(1500.0, 20 * round(minutes)))
    return lags


def _not_taken(minutes: float) -> Measures:
    return replace(healthy(minutes), opened=0)


def _one_leg(minutes: float) -> Measures:
    n = round(minutes * 60)
    return replace(healthy(minutes), cycles={CycleState.HEDGED: n // 2, CycleState.UNWOUND: n // 3})


def _drill_long_ago(minutes: float) -> Measures:
    told = healthy(minutes)  # before 1970: promtool's hour begins there
    return replace(told, header=replace(told.header, mode="LIVE"), run=replace(told.run, drill=DrillMeasures(-DRILL_MS, 12.0)))


CONDITIONS: Mapping[str, At] = {
    "EngineRestarts": _run(started_ms=lambda minutes: STARTED_MS + round(minutes) * 60_000),
    "AlertsNotDelivered": _run(outbox=lambda _: OutboxMeasures(1, 5, 3, 400.0)),
    "GuardianAway": _header(is_watched=False),
    "KillLatched": lambda minutes: replace(_header(state="HALTED")(minutes), kill_latched=True),
    "HaltedDirty": _header(state="HALTED_DIRTY"),
    "NotArmed": _header(state="DISARMED"),
    "ScopedHalt": _told(halts={Depth.PAUSED: 1}),
    "Idle": _header(idle="no stock of anything"),
    "OpportunitiesNotTaken": _not_taken,
    "BreachUnacknowledged": _told(unacknowledged={Severity.CRIT: 2}),
    "KillDrillOverdue": _drill_long_ago,
    "LossLimitReached": _limit("global.max_loss_day", 1000.0),
    "LimitNearlyReached": _limit("global.max_unhedged", 900.0),
    "ResidualPosition": _told(positions=1, positions_value=80.0),
    "OpenFxAtLimit": _header(open_fx=(OpenFxView("KRW", "USDT", -950.0, 500.0, 1000.0, 60.0, 0.0, 0.0, "blocked: NO_BOOK"),)),
    "StockDry": _told(stock=[StockMeasures(name, {"ok": 10, "DRY": 10}, 0.0, 0.0, {"USDT": 7e4}) for name in VENUES]),
    "OneLegOften": _one_leg,
    "VenueUnfit": _health("DOWN", "HEALTHY"),
    "NoVenueFit": _health("DOWN", "FROZEN"),
    "VenueBanned": _limits_left(10.0, 300.0),
    "RateLimitNearlySpent": _limits_left(95.0, 0.0),
    "MarketDataStands": _run(updates=lambda _: 5000),
    "BooksNotLive": _venue(books=lambda _: {BookState.LIVE: 2, BookState.STALE: 19}),
    "StreamLate": _venue(excess_delay_ms=lambda _: 4000.0),
    "ClockSkewed": _venue(skew_ms=lambda _: 900.0),
    "RateUnusable": _told(rates=[RateMeasures("upbit", "KRW/USDT", nan, inf, False)]),
    "AnswersSlow": _venue(answers=lambda minutes: histogram(2000.0, round(minutes * 60))),
    "OrdersRejected": _venue(orders=lambda minutes: dict.fromkeys((OrderState.FILLED, OrderState.REJECTED), round(minutes * 60))),
    "OrderUnknown": _venue(unknown=lambda _: 1),
    "BalanceDisputed": _venue(disputes=lambda _: 1),
    "AccountsNotCompared": _gauges(accounts_fine=False),
    "JournalFailed": _told(journal_failed=True),
    "JournalSlow": lambda minutes: replace(healthy(minutes), commits=histogram(800.0, round(minutes * 60))),
    "SnapshotOld": _gauges(snapshot_age_s=600.0),
    "DiskNearlyFull": _told(free_disk_mb=900.0),
    "LoopStalled": _run(lags=_stalled),
    "LoopLagHigh": _run(lags=lambda minutes: histogram(300.0, 100 * round(minutes * 60))),
    "MemoryLarge": _gauges(rss_mb=3000.0),
}
"""By alert: an engine with exactly that condition."""

NOT_OF_AN_ENGINE = ("Watchdog", "NoEngine", "EngineDown", "NotificationsFail")
"""Alerts whose condition is no engine's to tell: nobody answers, or the Alertmanager's own sending fails."""

FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "KillLatched": ("NotArmed",),
    "HaltedDirty": ("NotArmed",),
    "LossLimitReached": ("LimitNearlyReached",),
    "NoVenueFit": ("VenueUnfit",),
}
"""What else fires where an alert does: its condition is a part of that one's."""
