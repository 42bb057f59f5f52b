import dataclasses
from collections.abc import Callable
from math import inf, nan

import pytest

from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.model.book import BookState
from arbtui.model.order import Order, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import ExchangeLimits, GlobalLimits, RiskConfig, RouteLimits, SymbolLimits, risk_defaults
from arbtui.risk.guard import RiskGuard
from arbtui.risk.tiers import ExchangeGuard, GlobalGuard, RouteGuard, SymbolGuard
from arbtui.routes.route import Opportunity
from tests.marketdata.frames import HandClock
from tests.routes.pairs import NOW, Pair
from tests.simulation.worlds import BINANCE_XRP, order

EPS = 1e-6
LIMITS = RiskConfig(
    global_=GlobalLimits(max_unhedged=300.0, max_loss_day=100.0, max_open_cycles=4),
    exchange=ExchangeLimits(max_in_flight_orders=4, max_message_age_ms=1000),
    symbol=SymbolLimits(max_book_age_ms=3000, price_band_bps=300.0, max_leg_skew_ms=2000),
    route=RouteLimits(max_edge_bps=100.0, max_consecutive_losses=3, loss_pause_s=300.0),
)


def _armed() -> GlobalGuard:
    guard = GlobalGuard(LIMITS.global_)
    guard.state = TradingState.ARMED
    return guard


def _health(exchange: str) -> ExchangeHealthMonitor:
    return ExchangeHealthMonitor(exchange, HandClock(NOW), HealthConfig())


def _venue_guard(last_message: Callable[[str], float]) -> ExchangeGuard:
    return ExchangeGuard("upbit", LIMITS.exchange, last_message, _health("upbit"), lambda: None)


def test_nothing_opens_where_several_orders_are_of_unknown_fate() -> None:
    guard = _venue_guard(lambda _: NOW)
    limit = LIMITS.exchange.max_unknown_orders
    for number in range(limit - 1):
        guard.lost_sight(f"a{number}")
    assert guard.unfit(NOW) is None
    guard.lost_sight("last")
    assert guard.unfit(NOW) is Reason.ORDERS_UNKNOWN
    assert guard.why_unfit(NOW) == f"{limit} orders of unknown fate, looked up and never sent again"
    assert guard.check(NOW) is None  # a hedge may go all the same
    guard.settled("last")
    assert guard.unfit(NOW) is None


def test_every_tier_enforces_at_least_two_limits() -> None:
    for tier in ("global_", "exchange", "symbol", "route"):
        assert len(type(getattr(RiskConfig(), tier)).model_fields) >= 2


@pytest.mark.parametrize("state", list(TradingState))
def test_only_an_armed_engine_opens(state: TradingState) -> None:
    guard = GlobalGuard(LIMITS.global_)
    guard.state = state
    expected = {
        TradingState.ARMED: None,
        TradingState.PAUSED: Reason.PAUSED,
        TradingState.DISARMED: Reason.DISARMED,
        TradingState.RECOVERING: Reason.DISARMED,
    }
    assert guard.check(1.0) is expected.get(state, Reason.HALTED)


def test_a_failed_journal_stops_an_armed_engine() -> None:
    guard = _armed()
    guard.journal_failed = True
    assert guard.check(1.0) is Reason.JOURNAL


@pytest.mark.parametrize(
    ("value", "reason"), [(100 - EPS, None), (100.0, None), (100 + EPS, Reason.UNHEDGED), (nan, Reason.UNHEDGED), (inf, Reason.UNHEDGED)]
)
def test_open_exposure_has_a_limit(value: float, reason: Reason | None) -> None:
    guard = _armed()
    guard.exposure = {"r1-1": 150.0, "r1-2": 50.0}
    assert guard.check(value) is reason


def test_exposure_that_is_not_a_number_denies() -> None:
    guard = _armed()
    guard.exposure = {"r1-1": nan}
    assert guard.check(1.0) is Reason.UNHEDGED


@pytest.mark.parametrize(
    ("pnl", "reason"), [(-100 + EPS, None), (-100.0, None), (-100 - EPS, Reason.LOSS_DAY), (nan, Reason.LOSS_DAY), (50.0, None)]
)
def test_the_days_loss_has_a_limit(pnl: float, reason: Reason | None) -> None:
    guard = _armed()
    guard.pnl_day = pnl
    assert guard.check(1.0) is reason


@pytest.mark.parametrize(("open_cycles", "reason"), [(3, None), (4, Reason.OPEN_CYCLES), (5, Reason.OPEN_CYCLES)])
def test_open_cycles_have_a_limit(open_cycles: int, reason: Reason | None) -> None:
    guard = _armed()
    guard.open_cycles = open_cycles
    assert guard.check(1.0) is reason


@pytest.mark.parametrize(("sent", "reason"), [(3, None), (4, Reason.IN_FLIGHT)])
def test_orders_in_flight_have_a_limit(sent: int, reason: Reason | None) -> None:
    guard = _venue_guard(lambda _: NOW)
    for n in range(sent):
        guard.admitted(f"a{n}")
    assert guard.in_flight == sent
    assert guard.check(NOW) is reason
    guard.answered("a0")
    guard.answered("a0")  # told twice, counted once
    assert guard.check(NOW) is None
    assert guard.in_flight == sent - 1


def test_an_order_that_took_the_last_place_is_not_in_its_own_way() -> None:
    """Refused at the second look, it would leave its other leg alone at the other venue."""
    guard = _venue_guard(lambda _: NOW)
    for n in range(4):
        guard.admitted(f"a{n}")
    assert guard.check(NOW, "a3") is None
    assert guard.check(NOW, "a4") is Reason.IN_FLIGHT


@pytest.mark.parametrize(
    ("age", "reason"),
    [(0.999, None), (1.0, None), (1.001, Reason.MESSAGE_AGE), (inf, Reason.MESSAGE_AGE), (nan, Reason.MESSAGE_AGE)],
)
def test_a_silent_venue_gets_no_orders(age: float, reason: Reason | None) -> None:
    assert _venue_guard(lambda _: NOW - age).check(NOW) is reason


@pytest.mark.parametrize("which", ["upbit", "binance"])
@pytest.mark.parametrize(
    ("age", "reason"),
    [(2.999, None), (3.0, None), (3.001, Reason.BOOK_AGE), (inf, Reason.BOOK_AGE), (nan, Reason.BOOK_AGE)],
)
def test_an_old_book_is_refused(which: str, age: float, reason: Reason | None) -> None:
    limits = LIMITS.symbol.model_copy(update={"max_leg_skew_ms": 600_000})
    pair = Pair()
    getattr(pair, which).ts_init = NOW - age
    assert SymbolGuard(limits).check(pair.to_upbit, NOW) is reason


@pytest.mark.parametrize(("skew", "reason"), [(1.999, None), (2.0, None), (2.001, Reason.LEG_SKEW)])
def test_two_moments_are_no_edge(skew: float, reason: Reason | None) -> None:
    for which in ("upbit", "binance"):
        pair = Pair()
        getattr(pair, which).ts_init = NOW - skew
        assert SymbolGuard(LIMITS.symbol).check(pair.to_upbit, NOW) is reason


@pytest.mark.parametrize(("bps", "reason"), [(299.0, None), (301.0, Reason.PRICE_BAND), (-299.0, None), (-301.0, Reason.PRICE_BAND)])
def test_prices_must_lie_in_one_band(bps: float, reason: Reason | None) -> None:
    pair = Pair()
    mid = 2.13985 / pair.rates.conversion("KRW", "USDT").value * (1 + bps / 1e4)
    pair.upbit.touch(mid - 0.5, 100.0, mid + 0.5, 100.0)
    assert pair.to_upbit.price_ratio() == pytest.approx(1 + bps / 1e4)
    assert SymbolGuard(LIMITS.symbol).check(pair.to_upbit, NOW) is reason


def test_a_band_without_a_price_denies() -> None:
    pair = Pair()
    pair.upbit.touch(nan, 1.0, nan, 1.0)
    assert SymbolGuard(LIMITS.symbol).check(pair.to_upbit, NOW) is Reason.PRICE_BAND


@pytest.mark.parametrize(
    ("edge", "reason"), [(100 - EPS, None), (100.0, None), (100 + EPS, Reason.EDGE_TOO_GOOD), (nan, Reason.EDGE_TOO_GOOD)]
)
def test_an_edge_can_be_too_good(edge: float, reason: Reason | None) -> None:
    assert RouteGuard(LIMITS.route).check(Pair().to_upbit, edge, NOW) is reason


def test_a_route_rests_is_busy_and_waits_for_a_person() -> None:
    guard, route = RouteGuard(LIMITS.route), Pair().to_upbit
    guard.cooling_until[route.id] = NOW
    assert guard.check(route, 1.0, NOW - EPS) is Reason.COOLDOWN
    assert guard.check(route, 1.0, NOW) is None
    guard.busy["XRP"] = "r1-1"
    assert guard.check(route, 1.0, NOW) is Reason.ROUTE_BUSY
    guard.residual["XRP"] = "r1-1"
    assert guard.check(route, 1.0, NOW) is Reason.RESIDUAL


def test_losses_in_a_row_pause_a_route_which_resumes_by_itself() -> None:
    guard, route = RouteGuard(LIMITS.route), Pair().to_upbit
    assert not guard.ended(route.id, -1.0, NOW)
    assert not guard.ended(route.id, -1.0, NOW)
    assert guard.check(route, 1.0, NOW) is None
    assert guard.ended(route.id, -1.0, NOW)
    assert guard.check(route, 1.0, NOW + 300 - EPS) is Reason.LOSSES
    assert guard.check(route, 1.0, NOW + 300) is None
    assert not guard.ended(route.id, -1.0, NOW + 300)  # the count begins anew
    assert guard.check(Pair().to_binance, 1.0, NOW) is None  # the other direction never paused


def test_a_gain_ends_a_row_of_losses_and_a_cycle_that_filled_nothing_does_not() -> None:
    guard = RouteGuard(LIMITS.route)
    for pnl in (-1.0, -1.0, 0.5, -1.0, -1.0):
        assert not guard.ended("r", pnl, NOW)
    assert not guard.ended("r", 0.0, NOW)
    assert guard.ended("r", -1.0, NOW)


def test_a_loss_that_is_not_a_number_is_a_loss() -> None:
    guard = RouteGuard(LIMITS.route)
    assert [guard.ended("r", nan, NOW) for _ in range(3)] == [False, False, True]


def _guard(now: float = NOW, spent: str = "") -> RiskGuard:
    names = ("upbit", "binance")
    throttled = {name: lambda name=name: "order is spent" if name == spent else None for name in names}
    guard = RiskGuard(LIMITS, names, lambda _: now, {name: _health(name) for name in names}, throttled)
    guard.total.state = TradingState.ARMED
    return guard


def _opportunity(pair: Pair) -> Opportunity:
    found = pair.to_upbit.evaluate(NOW)
    assert found is not None
    return dataclasses.replace(found, edge_bps=50.0)


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_no_cycle_opens_where_one_venue_has_no_room_for_its_leg(venue: str) -> None:
    guard = _guard(spent=venue)
    assert guard.check_entry(_opportunity(Pair()), NOW) is Reason.RATE_LIMITED
    assert guard.denials == {Reason.RATE_LIMITED: 1}


def test_the_first_refusal_wins_and_is_counted() -> None:
    pair, guard = Pair(), _guard()
    opportunity = _opportunity(pair)
    assert guard.check_entry(opportunity, NOW) is None
    assert guard.denials == {}
    broken: list[tuple[Reason, Callable[[], object]]] = [
        (Reason.MESSAGE_AGE, lambda: setattr(guard.exchange["upbit"], "_last_message", lambda _: -inf)),
        (Reason.BOOK_AGE, lambda: setattr(pair.upbit, "ts_init", -inf)),
        (Reason.ROUTE_BUSY, lambda: guard.route.busy.update(XRP="r1-1")),
        (Reason.OPEN_CYCLES, lambda: setattr(guard.total, "open_cycles", 9)),
        (Reason.JOURNAL, lambda: setattr(guard.total, "journal_failed", True)),
    ]
    for reason, break_it in broken:  # each is looked at before all that were broken earlier
        break_it()
        assert guard.check_entry(opportunity, NOW) is reason
    assert guard.denials == {reason: 1 for reason, _ in broken}


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_both_venues_are_asked(exchange: str) -> None:
    guard = _guard()
    for n in range(4):
        guard.exchange[exchange].admitted(f"a{n}")
    assert guard.check_entry(_opportunity(Pair()), NOW) is Reason.IN_FLIGHT


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
@pytest.mark.parametrize(
    ("reason", "make_it"),
    [
        (Reason.VENUE_DOWN, lambda health: health.on_socket(False)),
        (Reason.VENUE_FROZEN, lambda health: health.on_frozen(True)),
        (Reason.VENUE_DEGRADED, lambda health: health.on_throttled(NOW + 1)),
        (Reason.VENUE_DEGRADED, lambda health: health.on_clock(1000.0)),
        (Reason.VENUE_DEGRADED, lambda health: health.on_clock(nan)),
    ],
)
def test_nothing_opens_at_a_venue_that_is_not_fit_and_a_hedge_still_goes_there(
    exchange: str, reason: Reason, make_it: Callable[[ExchangeHealthMonitor], None]
) -> None:
    pair, guard = Pair(), _guard()
    assert guard.check_entry(_opportunity(pair), NOW) is None
    make_it(guard.exchange[exchange].health)
    assert guard.check_entry(_opportunity(pair), NOW) is reason
    for hop in (pair.to_upbit.buy, pair.to_upbit.sell):
        entry, hedge = (dataclasses.replace(_order(purpose), market=hop.market) for purpose in (Purpose.ENTRY, Purpose.COMPLETE))
        assert guard.check_order(entry, pair.to_upbit, NOW) is reason, "neither leg may leave alone"
        assert guard.check_order(hedge, pair.to_upbit, NOW) is None


def test_a_venue_that_was_never_heard_is_down() -> None:
    assert _guard(-inf).check_entry(_opportunity(Pair()), NOW) is Reason.VENUE_DOWN


def _order(purpose: Purpose) -> Order:
    made = order(BINANCE_XRP, Side.BUY, "10", "2.14")
    made.purpose = purpose
    return made


@pytest.mark.parametrize("state", list(TradingState))
def test_what_each_state_lets_through_the_gate(state: TradingState) -> None:
    pair, guard = Pair(), _guard()
    guard.total.state = state
    entry = guard.check_order(_order(Purpose.ENTRY), pair.to_upbit, NOW)
    assert (entry is None) is (state is TradingState.ARMED)
    for purpose in (Purpose.COMPLETE, Purpose.UNWIND):
        hedge = guard.check_order(_order(purpose), pair.to_upbit, NOW)
        assert hedge is (None if state in (TradingState.ARMED, TradingState.PAUSED, TradingState.REDUCING) else Reason.HALTED)


def test_an_entry_needs_both_books_at_the_gate_and_a_hedge_only_its_own() -> None:
    pair, guard = Pair(binance=Pair().binance), _guard()
    market = pair.to_upbit.buy.market
    own = [dataclasses.replace(_order(purpose), market=market) for purpose in (Purpose.ENTRY, Purpose.COMPLETE)]
    pair.upbit.state = BookState.STALE
    assert [guard.check_order(each, pair.to_upbit, NOW) for each in own] == [Reason.STALE, None]
    pair.binance.state = BookState.GAPPED
    assert guard.check_order(own[1], pair.to_upbit, NOW) is not None


def test_a_hedge_is_not_sent_on_an_old_book_or_to_a_silent_venue_or_without_a_journal() -> None:
    pair, guard = Pair(), _guard()
    hedge = dataclasses.replace(_order(Purpose.UNWIND), market=pair.to_upbit.buy.market)
    pair.binance.ts_init = NOW - 3.001
    assert guard.check_order(hedge, pair.to_upbit, NOW) is Reason.BOOK_AGE
    pair.binance.ts_init = nan
    assert guard.check_order(hedge, pair.to_upbit, NOW) is Reason.BOOK_AGE
    pair.binance.ts_init = NOW
    assert _guard(NOW - 2).check_order(hedge, pair.to_upbit, NOW) is Reason.MESSAGE_AGE
    guard.total.journal_failed = True
    assert guard.check_order(hedge, pair.to_upbit, NOW) is Reason.JOURNAL


def test_whoever_forgets_to_choose_gets_the_tighter_set() -> None:
    assert risk_defaults("live") == RiskConfig()
    live, paper = risk_defaults("live").model_dump(), risk_defaults("paper").model_dump()
    for tier, limits in live.items():
        for key, value in limits.items():
            assert value >= paper[tier][key] if key in ("loss_pause_s", "refusal_pause_s") else value <= paper[tier][key], key
