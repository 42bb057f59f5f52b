import dataclasses
from collections.abc import Callable
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.journal.events import BalanceDisputed, CycleAcknowledged, DisputeClosed, ResidualSettled, RouteSwitched
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.stream_delay import StreamDelays
from arbtui.model.book import BookState
from arbtui.model.market import Fees, FeeTakenIn
from arbtui.model.order import Order, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalt, ScopedHalts, write_halt
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.state import LimitRecord
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import ExchangeLimits, GlobalLimits, RiskConfig, RouteLimits, SymbolLimits, risk_defaults
from arbtui.risk.guard import RiskGuard, assets_of
from arbtui.risk.limit_book import LimitBook
from arbtui.risk.limit_names import LIMITS as LIMITS_BY_NAME
from arbtui.risk.tiers import ExchangeGuard, GlobalGuard, RouteGuard, SymbolGuard
from arbtui.routes.hops import InventoryHop, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.netting_route import NettingRoute
from tests.marketdata.frames import HandClock
from tests.portfolio.telling import Telling, fill_of, leg
from tests.routes.pairs import NOW, TERMS, Pair, rate_book
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, order

EPS = 1e-6
LIMITS = RiskConfig(
    global_=GlobalLimits(max_unhedged=300.0, max_loss_day=100.0, max_open_cycles=4),
    exchange=ExchangeLimits(max_in_flight_orders=4, max_message_age_ms=1000),
    symbol=SymbolLimits(max_book_age_ms=3000, price_band_bps=300.0, max_leg_skew_ms=2000),
    route=RouteLimits(max_edge_bps=100.0, max_consecutive_losses=3, loss_pause_s=300.0),
)


BUY = leg(0, "binance", Side.BUY, Decimal(10), Decimal(2))
SELL = leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))
ROUTE = "XRP:binance>upbit"


def _marks(pair: Pair) -> LiveMarks:
    return LiveMarks("USDT", pair.rates, [(UPBIT_XRP, pair.upbit), (BINANCE_XRP, pair.binance)], HandClock(NOW))


def _total(tell: Telling | None = None, state: TradingState = TradingState.ARMED) -> GlobalGuard:
    guard = GlobalGuard(LIMITS.global_, (tell or Telling()).portfolio, _marks(Pair()), lambda: state)
    guard.measure()
    return guard


def _symbol(limits: SymbolLimits = LIMITS.symbol, pair: Pair | None = None) -> SymbolGuard:
    return SymbolGuard(limits, _marks(pair or Pair()))


def _route(tell: Telling | None = None) -> RouteGuard:
    told = tell or Telling()
    return RouteGuard(LIMITS.route, told.portfolio, lambda: told.now_ms)


def _health(exchange: str) -> ExchangeHealthMonitor:
    return ExchangeHealthMonitor(exchange, HandClock(NOW), HealthConfig())


def _venue_guard(last_message: Callable[[str], float], portfolio: Portfolio | None = None) -> ExchangeGuard:
    return ExchangeGuard("upbit", LIMITS.exchange, portfolio or Portfolio(), last_message, _health("upbit"), lambda: None)


def _bought(tell: Telling, cycle: str, qty: str = "10", price: str = "2.1397") -> None:
    """A purchase that nothing has covered yet, at the price of the book where nothing is said."""
    tell.fill(cycle, fill_of("binance", Side.BUY, Decimal(qty), Decimal(price), f"t-{cycle}"), _prices())


def _prices() -> dict[str, Decimal]:
    return _marks(Pair()).prices(["XRP", "KRW", "USDT"])


def test_nothing_opens_where_several_orders_are_of_unknown_fate() -> None:
    guard = _venue_guard(lambda _: NOW)
    limit = LIMITS.exchange.max_unknown_orders
    for number in range(limit - 1):
        guard.lost_sight(f"a{number}")
    assert guard.unfit(NOW) is None
    guard.lost_sight("last")
    assert guard.unfit(NOW) is Reason.ORDERS_UNKNOWN
    assert guard.unknown == limit
    assert guard.why_unfit(NOW) == f"{limit} orders of unknown fate, looked up and never sent again"
    assert guard.check(NOW) is None  # a hedge may go all the same
    guard.settled("last")
    assert guard.unfit(NOW) is None


def test_every_tier_enforces_at_least_two_limits() -> None:
    for tier in ("global_", "exchange", "symbol", "route"):
        assert len(type(getattr(RiskConfig(), tier)).model_fields) >= 2


@pytest.mark.parametrize("state", list(TradingState))
def test_only_an_armed_engine_opens(state: TradingState) -> None:
    expected = {
        TradingState.ARMED: None,
        TradingState.PAUSED: Reason.PAUSED,
        TradingState.DISARMED: Reason.DISARMED,
        TradingState.RECOVERING: Reason.DISARMED,
    }
    assert _total(state=state).check(1.0) is expected.get(state, Reason.HALTED)


def test_a_failed_journal_stops_an_armed_engine() -> None:
    guard = _total()
    guard.journal_failed = True
    assert guard.check(1.0) is Reason.JOURNAL


@pytest.mark.parametrize(
    ("value", "reason"), [(100 - EPS, None), (100.0, None), (100 + EPS, Reason.UNHEDGED), (nan, Reason.UNHEDGED), (inf, Reason.UNHEDGED)]
)
def test_open_exposure_has_a_limit(value: float, reason: Reason | None) -> None:
    tell = Telling().start()
    tell.open("c1", BUY, value=150.0)
    tell.open("c2", BUY, value=50.0)
    guard = _total(tell)
    assert guard.unhedged == 200.0
    assert guard.check(value) is reason
    # A cycle that asks for its own entry orders does not stand in its own way.
    assert guard.check(value + 50.0, "c2") is reason
    tell.end("c1")
    tell.end("c2")
    assert (guard.unhedged, guard.check(300.0)) == (0.0, None)


def test_exposure_that_is_not_a_number_denies() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, value=nan)
    assert _total(tell).check(1.0) is Reason.UNHEDGED


def test_a_residual_position_counts_at_its_price_until_it_is_settled() -> None:
    tell = Telling().start()
    tell.open("c1", BUY, SELL, value=25.0)
    _bought(tell, "c1")
    tell.end("c1")
    guard = _total(tell)
    assert guard.unhedged == guard.positions_value == pytest.approx(10 * 3030 / 1400.5)
    assert guard.check(300 - guard.positions_value - EPS) is None
    assert guard.check(300 - guard.positions_value + EPS) is Reason.UNHEDGED
    tell(CycleAcknowledged("c1", "me", "seen"))  # silences its alarm, not its exposure
    guard.measure()
    assert guard.unhedged > 0
    tell(ResidualSettled("c1", "written off", "me", ""))
    guard.measure()
    assert guard.unhedged == 0.0


def test_a_position_of_which_nobody_knows_the_price_denies_everything() -> None:
    tell = Telling().start()
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2), base="DOGE"))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t", base="DOGE"), {"USDT": Decimal(1)})
    tell.end("c1")
    guard = _total(tell)
    assert (guard.unhedged, guard.check(0.01)) == (inf, Reason.UNHEDGED)


@pytest.mark.parametrize(
    ("lost", "reason"), [(99.999999, None), (100.0, None), (100.000001, Reason.LOSS_DAY), (nan, Reason.LOSS_DAY), (-50.0, None)]
)
def test_the_days_loss_has_a_limit(lost: float, reason: Reason | None) -> None:
    guard = _total()
    guard.loss_today = lost
    assert guard.check(1.0) is reason


def test_what_is_one_sided_loses_at_live_prices() -> None:
    """A leg that is stuck in a falling coin must reach the limit before anybody has sold it."""
    pair, tell = Pair(), Telling().start()
    guard = GlobalGuard(LIMITS.global_, tell.portfolio, _marks(pair), lambda: TradingState.ARMED)
    tell.open("c1", BUY, SELL, value=25.0)
    _bought(tell, "c1", "100")
    guard.measure()
    assert guard.loss_today == pytest.approx(100 * (2.1397 - 3030 / 1400.5))
    pair.upbit.replace([(1500.0, 1.0)], [(1501.0, 1.0)])
    guard.measure()
    assert guard.loss_today == pytest.approx(100 * (2.1397 - 1500 / 1400.5))
    assert guard.check(1.0) is Reason.LOSS_DAY


@pytest.mark.parametrize(("count", "reason"), [(3, None), (4, Reason.OPEN_CYCLES), (5, Reason.OPEN_CYCLES)])
def test_open_cycles_have_a_limit(count: int, reason: Reason | None) -> None:
    tell = Telling().start()
    for number in range(count):
        tell.open(f"c{number}", BUY, value=1.0)
    assert _total(tell).check(1.0) is reason
    if count == 4:
        assert _total(tell).check(1.0, "c3") is None  # the fourth itself may go on


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
    assert guard.check(NOW, ["a3"]) is None
    assert guard.check(NOW, ["a4"]) is Reason.IN_FLIGHT
    assert guard.check(NOW, ["a2", "a3"]) is None


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
    assert _symbol(limits).check(pair.to_upbit, NOW) is reason


@pytest.mark.parametrize(("skew", "reason"), [(1.999, None), (2.0, None), (2.001, Reason.LEG_SKEW)])
def test_two_moments_are_no_edge(skew: float, reason: Reason | None) -> None:
    for which in ("upbit", "binance"):
        pair = Pair()
        getattr(pair, which).ts_init = NOW - skew
        assert _symbol().check(pair.to_upbit, NOW) is reason


class _Streams:
    """The delays of a pair's two sockets, each with a usual one of 50 ms; their last frames came a second ago."""

    def __init__(self, pair: Pair) -> None:
        self.delays = StreamDelays(MarketDataConfig(), HandClock(NOW))
        self.of = {book.exchange: self.delays.open(book.exchange, [book.code])[book.code] for book in (pair.upbit, pair.binance)}
        for exchange in self.of:
            for frame in range(60):
                self.frame(exchange, NOW - 1.0 - (60 - frame) / 10)

    def frame(self, exchange: str, at: float, late_ms: float = 0.0) -> None:
        delay = self.of[exchange]
        delay.seen(round(at * 1000 + 1e9 - 50.0 - late_ms), delay.watermark, at)


@pytest.mark.parametrize(
    ("upbit_ms", "binance_ms", "reason"),
    [
        (0.0, 0.0, None),
        (90.0, 80.0, None),
        (110.0, 110.0, Reason.EXCESS_DELAY),
        (90.0, 110.0, Reason.EXCESS_DELAY),
        (90.0, 0.0, Reason.LEG_SKEW),
        (0.0, 90.0, Reason.LEG_SKEW),
        (50.0, 0.0, None),
    ],
)
def test_streams_that_are_late_or_apart_are_refused_however_lately_they_came(
    upbit_ms: float, binance_ms: float, reason: Reason | None
) -> None:
    limits = LIMITS.symbol.model_copy(update={"max_excess_delay_ms": 100, "max_leg_skew_ms": 60})
    pair = Pair()
    guard, streams = _symbol(limits), _Streams(pair)
    guard.delays = streams.delays
    streams.frame("upbit", NOW, upbit_ms)
    streams.frame("binance", NOW, binance_ms)
    assert guard.check(pair.to_upbit, NOW) is reason


def test_a_stream_that_is_not_known_yet_or_a_book_that_has_just_come_back_is_refused() -> None:
    pair = Pair()
    guard, streams = _symbol(), _Streams(pair)
    guard.delays = streams.delays
    assert guard.check(pair.to_upbit, NOW) is None
    streams.delays.quarantine(pair.upbit)
    assert guard.check(pair.to_upbit, NOW) is Reason.QUARANTINED
    assert guard.check(pair.to_upbit, NOW + 0.6) is None
    streams.of["binance"].learn()
    assert guard.check(pair.to_upbit, NOW + 0.6) is Reason.LEARNING


def test_a_quiet_book_on_a_live_socket_is_current_and_one_on_a_silent_socket_is_not() -> None:
    pair = Pair()
    guard, streams = _symbol(), _Streams(pair)
    guard.delays = streams.delays
    streams.delays.is_quiet_fine = True
    pair.upbit.ts_init = NOW - 60.0
    assert guard.check(pair.to_upbit, NOW) is None
    assert not guard.is_young(pair.upbit, NOW), "to hedge on it, the venue is asked"
    assert guard.check(pair.to_upbit, NOW + 3.2) is Reason.BOOK_AGE  # neither socket was heard since


@pytest.mark.parametrize(("bps", "reason"), [(299.0, None), (301.0, Reason.PRICE_BAND), (-299.0, None), (-301.0, Reason.PRICE_BAND)])
def test_prices_must_lie_in_one_band(bps: float, reason: Reason | None) -> None:
    pair = Pair()
    mid = 2.13985 / pair.rates.conversion("KRW", "USDT").value * (1 + bps / 1e4)
    pair.upbit.touch(mid - 0.5, 100.0, mid + 0.5, 100.0)
    assert pair.to_upbit.price_ratio() == pytest.approx(1 + bps / 1e4)
    assert _symbol().check(pair.to_upbit, NOW) is reason


def test_prices_at_the_edge_of_the_band_pass() -> None:
    pair = Pair()
    apart = abs(pair.to_upbit.price_ratio() - 1.0) * 1e4
    assert apart > 0.0
    assert _symbol(LIMITS.symbol.model_copy(update={"price_band_bps": apart})).check(pair.to_upbit, NOW) is None


def test_before_anything_was_measured_nothing_is_lost() -> None:
    guard = GlobalGuard(LIMITS.global_, Telling().portfolio, _marks(Pair()), lambda: TradingState.ARMED)
    assert (guard.loss_today, guard.result, guard.loss_hour, guard.drawdown, guard.positions_value) == (0.0,) * 5


@pytest.mark.parametrize("state", list(TradingState))
def test_what_only_takes_exposure_away_opens_while_reducing_too_and_no_limit_of_exposure_stops_it(state: TradingState) -> None:
    expected = {
        TradingState.ARMED: None,
        TradingState.REDUCING: None,
        TradingState.PAUSED: Reason.PAUSED,
        TradingState.DISARMED: Reason.DISARMED,
        TradingState.RECOVERING: Reason.DISARMED,
    }
    assert _total(state=state).check(1e9, shrinks=True) is expected.get(state, Reason.HALTED)


@pytest.mark.parametrize(("age_s", "young"), [(3.0 - EPS, True), (3.0, True), (3.0 + EPS, False), (nan, False)])
def test_a_book_is_young_as_long_as_it_may_price_an_entry(age_s: float, young: bool) -> None:
    book = Pair().upbit
    assert _symbol().is_young(book, NOW + age_s) is young


@pytest.mark.parametrize(("age_s", "fresh"), [(1.0 - EPS, True), (1.0, True), (1.0 + EPS, False)])
def test_a_book_is_fresh_as_long_as_a_message_may_be_old(age_s: float, fresh: bool) -> None:
    book = Pair().upbit
    assert _venue_guard(lambda _: NOW).is_fresh(book, NOW + age_s) is fresh


def test_a_band_without_a_price_denies() -> None:
    pair = Pair()
    pair.upbit.touch(nan, 1.0, nan, 1.0)
    assert _symbol().check(pair.to_upbit, NOW) is Reason.PRICE_BAND


@pytest.mark.parametrize(
    ("edge", "reason"), [(100 - EPS, None), (100.0, None), (100 + EPS, Reason.EDGE_TOO_GOOD), (nan, Reason.EDGE_TOO_GOOD)]
)
def test_an_edge_can_be_too_good(edge: float, reason: Reason | None) -> None:
    assert _route().check(Pair().to_upbit, edge, NOW) is reason


@pytest.mark.parametrize("missing", ["XRP", "KRW", "BNB"])
def test_an_asset_that_nobody_can_price_is_not_traded(missing: str) -> None:
    """What an order moves must have a price, the coin that its fee is taken in, too: a loss that cannot be counted has no limit."""
    pair = Pair()
    buy, sell = UPBIT_XRP, BINANCE_XRP
    if missing == "XRP":
        marks = LiveMarks("USDT", pair.rates, [], HandClock(NOW))
    elif missing == "KRW":
        pair.rates.markets[0].book.clear(BookState.EMPTY)
        pair.rates.refresh()
        marks = LiveMarks("USDT", pair.rates, [(BINANCE_XRP, pair.binance)], HandClock(NOW))
    else:
        marks = _marks(pair)
        sell = dataclasses.replace(BINANCE_XRP, fees=Fees(Decimal("0.001"), Decimal("0.001"), FeeTakenIn.COIN, "BNB"))
    guard = SymbolGuard(LIMITS.symbol, marks)
    assert Reason.NO_MARK in (guard.unmarked(buy), guard.unmarked(sell))
    if missing != "BNB":
        assert guard.unmarked(sell) is (Reason.NO_MARK if missing == "XRP" else None)


@pytest.mark.parametrize("route", ["to_upbit", "to_binance"])
def test_either_market_of_a_route_may_be_the_one_without_a_price(route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unpriced = dataclasses.replace(BINANCE_XRP, fees=Fees(Decimal("0.001"), Decimal("0.001"), FeeTakenIn.COIN, "BNB"))
    monkeypatch.setattr("tests.routes.pairs.BINANCE_XRP", unpriced)
    assert _symbol().check(getattr(Pair(), route), NOW) is Reason.NO_MARK


def test_a_route_rests_is_busy_and_waits_for_a_person() -> None:
    tell, route = Telling().start(), Pair().to_upbit
    guard = _route(tell)
    guard.cooling_until[route.id] = NOW
    assert guard.check(route, 1.0, NOW - EPS) is Reason.COOLDOWN
    assert guard.check(route, 1.0, NOW) is None
    tell(RouteSwitched(route.id, False, "me"))
    assert guard.check(route, 1.0, NOW) is Reason.DISABLED
    tell.open("c1", BUY, SELL)
    assert guard.check(route, 1.0, NOW) is Reason.ROUTE_BUSY
    assert guard.check(Pair().to_binance, 1.0, NOW) is Reason.ROUTE_BUSY  # one asset, one cycle, whichever way
    tell(RouteSwitched(route.id, True, "me"))
    assert guard.check(route, 1.0, NOW, "c1") is None  # not in its own way
    _bought(tell, "c1")
    tell.end("c1")
    assert guard.check(route, 1.0, NOW) is Reason.RESIDUAL
    tell(CycleAcknowledged("c1", "me", "seen"))
    assert guard.check(route, 1.0, NOW) is None


def test_a_residual_of_another_asset_does_not_keep_a_route_back() -> None:
    tell = Telling().start()
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal(2), base="ADA"))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal(2), "t", base="ADA"), {"USDT": Decimal(1), "ADA": Decimal(2)})
    tell.end("c1")
    assert [cycle.id for cycle in tell.portfolio.positions] == ["c1"]
    pair = Pair()
    assert not _route(tell).has_residual(pair.to_upbit)
    for_ada = InventoryRoute(
        "XRP",
        TradeHop(dataclasses.replace(UPBIT_XRP, quote="ADA"), pair.upbit, Side.BUY),
        TradeHop(BINANCE_XRP, pair.binance, Side.SELL),
        InventoryHop(pair.stock["upbit"], pair.stock["binance"], 0.0),
        pair.cash["upbit"],
        pair.rates,
        pair.terms,
    )
    assert _route(tell).has_residual(for_ada), "nor what it trades for another"


def test_a_symbols_own_limit_says_how_old_its_books_may_be() -> None:
    guard, book = _symbol(), Pair().upbit
    strict = LIMITS.symbol.model_copy(update={"max_book_age_ms": 100})
    assert (guard.is_current(book, NOW + 1.0), guard.is_current(book, NOW + 1.0, strict)) == (True, False)


def test_a_quote_without_a_price_denies_though_the_coin_of_the_fee_has_one() -> None:
    pair = Pair()
    pair.rates.markets[0].book.clear(BookState.EMPTY)
    pair.rates.refresh()
    guard = SymbolGuard(LIMITS.symbol, LiveMarks("USDT", pair.rates, [(BINANCE_XRP, pair.binance)], HandClock(NOW)))
    fees = Fees(Decimal("0.001"), Decimal("0.001"), FeeTakenIn.COIN, "USDT")
    assert guard.unmarked(dataclasses.replace(UPBIT_XRP, fees=fees)) is Reason.NO_MARK


def test_a_symbol_that_a_venue_refused_rests() -> None:
    guard, route = _route(), Pair().to_upbit
    guard.refused_until["XRP"] = NOW
    assert guard.check(route, 1.0, NOW - EPS) is Reason.REFUSED
    assert guard.check(route, 1.0, NOW) is None


def _lose(tell: Telling, name: str, price: str = "2500") -> None:
    """A cycle that buys ten at about their price and sells them below it."""
    tell.open(name, BUY, SELL, route=ROUTE)
    _bought(tell, name)
    tell.fill(name, fill_of("upbit", Side.SELL, Decimal(10), Decimal(price), f"s-{name}"), _prices(), 1)
    tell.end(name)


def test_losses_in_a_row_pause_a_route_which_resumes_by_itself() -> None:
    tell, route = Telling().start(), Pair().to_upbit
    guard = _route(tell)
    assert route.id == ROUTE
    for number, pauses in enumerate((False, False, True)):
        assert guard.check(route, 1.0, NOW) is None
        _lose(tell, f"c{number}")
        assert guard.look(ROUTE, NOW) is pauses
        assert not guard.look(ROUTE, NOW)  # one row of losses is one pause, however often it is looked at
    assert guard.check(route, 1.0, NOW + 300 - EPS) is Reason.LOSSES
    assert guard.check(route, 1.0, NOW + 300) is None
    assert guard.check(Pair().to_binance, 1.0, NOW) is None  # the other direction never paused
    for number, pauses in enumerate((False, False, True)):  # the count begins anew
        _lose(tell, f"d{number}")
        assert guard.look(ROUTE, NOW + 300) is pauses


def test_after_a_gain_as_many_losses_are_needed_as_at_first() -> None:
    tell = Telling().start()
    guard = _route(tell)
    assert guard.look(ROUTE, NOW) is False
    for number in range(3):
        _lose(tell, f"c{number}")
    assert guard.look(ROUTE, NOW) is True
    _lose(tell, "gain", "3500")
    assert guard.look(ROUTE, NOW) is False
    _lose(tell, "d0")
    _lose(tell, "d1")
    assert guard.look(ROUTE, NOW) is False
    _lose(tell, "d2")
    assert guard.look(ROUTE, NOW) is True


def test_a_gain_ends_a_row_of_losses_and_a_cycle_that_filled_nothing_does_not() -> None:
    tell = Telling().start()
    guard = _route(tell)
    for number, price in enumerate(("2500", "2500", "3500", "2500", "2500")):
        _lose(tell, f"c{number}", price)
        assert not guard.look(ROUTE, NOW)
    tell.open("none", BUY, SELL, route=ROUTE)
    tell.end("none")
    assert not guard.look(ROUTE, NOW)
    _lose(tell, "last")
    assert guard.look(ROUTE, NOW)


def test_a_disputed_balance_opens_nothing_there_in_that_asset() -> None:
    tell = Telling().start()
    guard = _venue_guard(lambda _: NOW, tell.portfolio)
    assert guard.disputed("XRP", "KRW") is None
    tell(BalanceDisputed("upbit", "KRW", Decimal(2), Decimal(1)), BalanceDisputed("binance", "XRP", Decimal(2), Decimal(1)))
    assert (guard.disputed("XRP", "KRW"), guard.disputed("XRP", "USDT")) == (Reason.DISPUTED, None)
    tell(DisputeClosed("upbit", "KRW", "me", ""))
    assert guard.disputed("XRP", "KRW") is None


class Guarded:
    """A guard over all tiers, and what it looks at."""

    def __init__(self, now: float = NOW, spent: str = "") -> None:
        names = ("upbit", "binance")
        self.pair, self.tell, self.state = Pair(), Telling().start(), TradingState.ARMED
        throttled = {name: lambda name=name: "order is spent" if name == spent else None for name in names}
        self.guard = RiskGuard(
            LIMITS,
            names,
            portfolio=self.tell.portfolio,
            marks=_marks(self.pair),
            state=lambda: self.state,
            last_message=lambda _: now,
            health={name: _health(name) for name in names},
            throttled=throttled,
            halts=ScopedHalts(Path("/nowhere")),
            time_ms=lambda: self.tell.now_ms,
        )

    def entry(self, edge_bps: float = 50.0, value: float = 100.0, cycle: str = "", own: tuple[str, ...] = ()) -> Reason | None:
        return self.guard.check_entry(self.pair.to_upbit, edge_bps, value, NOW, cycle, own)

    def hedge(self, purpose: Purpose = Purpose.COMPLETE) -> Reason | None:
        return self.guard.check_hedge(_order(purpose), self.pair.binance, NOW)


def _order(purpose: Purpose) -> Order:
    made = order(BINANCE_XRP, Side.BUY, "10", "2.14")
    made.purpose = purpose
    return made


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_no_cycle_opens_where_one_venue_has_no_room_for_its_leg(venue: str) -> None:
    guarded = Guarded(spent=venue)
    assert guarded.entry() is Reason.RATE_LIMITED
    guarded.tell.open("c1", BUY, SELL)
    assert guarded.entry(cycle="c1") is None  # once it is open, its requests have their places


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
@pytest.mark.parametrize(
    ("reason", "make_it"),
    [
        (Reason.VENUE_DOWN, lambda guarded, venue: venue.health.on_socket(False)),
        (Reason.ORDERS_UNKNOWN, lambda guarded, venue: [venue.lost_sight(f"a{one}") for one in range(LIMITS.exchange.max_unknown_orders)]),
        (Reason.ORDERS_UNKNOWN, lambda guarded, venue: setattr(venue, "earlier_unknown", LIMITS.exchange.max_unknown_orders)),
        (Reason.DISPUTED, lambda guarded, venue: guarded.tell(BalanceDisputed(venue.exchange, "XRP", Decimal(2), Decimal(1)))),
        (Reason.NO_MARK, lambda guarded, venue: guarded.tell.portfolio.state.unpriced_fees.setdefault(venue.exchange, {"BNB": None})),
    ],
)
def test_one_thing_that_speaks_against_a_venue_is_enough(
    exchange: str, reason: Reason, make_it: Callable[[Guarded, ExchangeGuard], object]
) -> None:
    guarded = Guarded()
    venue = guarded.guard.exchange[exchange]
    assert venue.is_clear(NOW)
    make_it(guarded, venue)
    assert not venue.is_clear(NOW)
    assert guarded.entry() is reason


def test_orders_of_unknown_fate_of_this_run_and_of_earlier_ones_count_together() -> None:
    guarded = Guarded()
    venue = guarded.guard.exchange["upbit"]
    venue.earlier_unknown = LIMITS.exchange.max_unknown_orders - 1
    assert (venue.is_clear(NOW), guarded.entry()) == (False, None), "fewer than the limit are no reason"
    venue.lost_sight("a1")
    assert guarded.entry() is Reason.ORDERS_UNKNOWN


def test_a_venue_that_is_proven_takes_more_than_one_cycle_whatever_else_it_is_asked() -> None:
    guarded = Guarded()
    guarded.guard.exchange["upbit"].health.rest("KRW-ADA", NOW + 1)
    others = [msgspec.structs.replace(one, base="ADA", market=f"{one.market}-ADA") for one in (BUY, SELL)]
    guarded.tell.open("c1", *others, route="ADA:binance>upbit")
    assert guarded.entry() is None


def test_a_route_that_never_traded_has_lost_no_leg() -> None:
    guarded = Guarded()
    guarded.guard.route.limits = LIMITS.route.model_copy(update={"max_one_leg_hour": 1})
    assert guarded.entry() is None
    assert guarded.guard.route.has_residual(guarded.pair.to_upbit) is False


def test_what_an_order_of_an_ended_cycle_may_still_fill_counts_as_if_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = Guarded()
    record = SimpleNamespace(intent=SimpleNamespace(base="XRP", quote="USDT", qty=Decimal(10)), filled_qty=Decimal(4))
    monkeypatch.setattr(guarded.tell.portfolio, "revived_orders", lambda: [record])
    guarded.guard.total.measure()
    assert guarded.guard.total.positions_value == pytest.approx(6 * float(_prices()["XRP"]))


def test_how_long_a_venue_has_been_silent_is_told_in_ms() -> None:
    assert _venue_guard(lambda _: NOW - 1.5).silent_ms(NOW) == pytest.approx(1500.0)


def test_the_first_refusal_wins() -> None:
    guarded = Guarded()
    guard, pair, tell = guarded.guard, guarded.pair, guarded.tell
    assert guarded.entry() is None

    def open_more() -> None:
        for number in range(4):
            tell.open(f"d{number}", BUY, value=1.0)

    broken: list[tuple[Reason, Callable[[], object]]] = [
        (Reason.MESSAGE_AGE, lambda: setattr(guard.exchange["upbit"], "_last_message", lambda _: NOW - 1.1)),
        (Reason.BOOK_AGE, lambda: setattr(pair.upbit, "ts_init", -inf)),
        (Reason.DISPUTED, lambda: tell(BalanceDisputed("binance", "USDT", Decimal(2), Decimal(1)))),
        (Reason.VENUE_DOWN, lambda: guard.exchange["binance"].health.on_socket(False)),
        (Reason.ROUTE_BUSY, lambda: tell.open("c1", BUY, value=1.0)),
        (Reason.OPEN_CYCLES, open_more),
        (Reason.PAUSED, lambda: setattr(guarded, "state", TradingState.PAUSED)),
        (Reason.JOURNAL, lambda: setattr(guard.total, "journal_failed", True)),
    ]
    for reason, break_it in broken:  # each is looked at before all that were broken earlier
        break_it()
        assert guarded.entry() is reason


def test_refusals_are_counted_by_their_reason() -> None:
    guard = Guarded().guard
    for reason in (Reason.STALE, Reason.PAUSED, Reason.STALE):
        guard.count(reason)
    assert guard.denials == {Reason.STALE: 2, Reason.PAUSED: 1}


@pytest.mark.parametrize(("sent", "reason"), [(0, None), (1, None), (2, Reason.ORDER_PACE)])
def test_a_cycle_opens_only_where_all_its_orders_keep_to_the_pace(sent: int, reason: Reason | None) -> None:
    guarded = Guarded()
    guarded.guard.total.limits = LIMITS.global_.model_copy(update={"max_orders_s": 3})
    for _ in range(sent):
        guarded.tell.portfolio.state.orders.add(guarded.tell.now_ms)
    assert guarded.entry() is reason
    guarded.tell.open("c1", BUY, SELL)
    assert guarded.entry(cycle="c1") is None  # once it is open, its requests have their places


def _jumped(**limits: float) -> Guarded:
    """Mids of Upbit's book: 100 nine seconds ago, then 102, and 103 now."""
    guarded = Guarded()
    for price in (100.0, 102.0, 103.0):
        guarded.pair.upbit.replace([(price - 1, 1.0)], [(price + 1, 1.0)])
        if price < 103.0:
            guarded.guard.jumps.sample([guarded.pair.upbit])
    guarded.guard.symbol.limits = LIMITS.symbol.model_copy(update=limits)
    return guarded


@pytest.mark.parametrize("limit", ["max_jump_1s_bps", "max_jump_10s_bps"])
def test_a_price_that_jumped_within_a_second_or_ten_lets_its_asset_rest_for_a_minute(limit: str) -> None:
    route = Pair().to_upbit
    wide = {"max_jump_1s_bps": 1000.0, "max_jump_10s_bps": 1000.0}
    short, long = (103 / 102 - 1) * 1e4, (103 / 100 - 1) * 1e4
    moved = short if limit == "max_jump_1s_bps" else long
    found = _jumped(**wide)
    assert found.guard.jumps.moved_bps(found.pair.upbit) == pytest.approx((short, long))
    at_it = found.guard.jumps.moved_bps(found.pair.upbit)[limit == "max_jump_10s_bps"]
    for most, reason in ((at_it, None), (moved - EPS, Reason.PRICE_JUMP)):
        guarded = _jumped(**{**wide, limit: most})
        assert guarded.guard.blocked(guarded.pair.to_upbit, NOW) is reason
        guarded.guard.jumps._mids[guarded.pair.upbit].clear()
        assert guarded.guard.blocked(guarded.pair.to_upbit, NOW + 60 - EPS) is reason
        assert guarded.guard.blocked(guarded.pair.to_upbit, NOW + 60) is None
    # The asset's own limits come first, and another asset does not rest.
    guarded = _jumped(**{**wide, limit: moved - EPS})
    guarded.guard.symbol.of_symbol[route.symbol] = LIMITS.symbol.model_copy(update=wide)
    assert guarded.guard.blocked(guarded.pair.to_upbit, NOW) is None
    guarded.guard.symbol.of_symbol.clear()
    assert guarded.guard.blocked(guarded.pair.to_upbit, NOW) is Reason.PRICE_JUMP
    assert guarded.guard.blocks.standing(("", "ADA"), NOW) is None


def test_each_tier_takes_its_limits_and_only_what_has_some_of_its_own_gets_them() -> None:
    guarded = Guarded()
    guard, pair = guarded.guard, guarded.pair
    own = {"global.max_open_cycles": 2.0, "exchange.upbit.max_unknown_orders": 1.0, "symbol.price_band_bps": 40.0}
    own |= {f"route.{pair.to_upbit.id}.max_edge_bps": 30.0, "route.max_edge_bps": 50.0}
    guard.take_limits(
        LimitBook(LIMITS, 100.0, 3.0, {scope: LimitRecord(value, "me", "", 1) for scope, value in own.items()}),
        [pair.to_upbit, pair.to_binance],
    )
    assert guard.total.limits.max_open_cycles == 2
    assert [guard.exchange[name].limits.max_unknown_orders for name in ("upbit", "binance")] == [1, 2]
    assert guard.symbol.limits.price_band_bps == 40.0
    assert guard.route.limits.max_edge_bps == 50.0
    assert set(guard.symbol.of_symbol) == {"XRP"}
    assert {name: limits.max_edge_bps for name, limits in guard.route.of_route.items()} == {pair.to_upbit.id: 30.0}
    own = {"symbol.XRP.price_band_bps": 20.0}
    guard.take_limits(
        LimitBook(LIMITS, 100.0, 3.0, {scope: LimitRecord(value, "me", "", 1) for scope, value in own.items()}), [pair.to_upbit]
    )
    assert {name: limits.price_band_bps for name, limits in guard.symbol.of_symbol.items()} == {"XRP": 20.0}
    assert set(guard.route.of_route) == {pair.to_upbit.id}
    guard.take_limits(LimitBook(LIMITS, 100.0, 3.0, {}), [pair.to_upbit])
    assert (guard.symbol.of_symbol, guard.route.of_route, guard.total.limits) == ({}, {}, LIMITS.global_)


@pytest.mark.parametrize(
    "scope", ["exchange.binance", "exchange.upbit", "symbol.XRP", "symbol.KRW", "symbol.USDT", f"route.{ROUTE}", "global"]
)
@pytest.mark.parametrize("depth", list(Depth))
def test_a_halt_of_a_part_covers_entries_and_at_the_deepest_every_order(tmp_path: Path, scope: str, depth: Depth) -> None:
    guarded = Guarded()
    guard, route = guarded.guard, guarded.pair.to_upbit
    guard.halts = ScopedHalts(tmp_path)
    buy = _order(Purpose.COMPLETE)  # of XRP for USDT, at Binance
    assert (guard.scoped(route), guard.scope_halted(buy, ROUTE)) == (None, None)
    write_halt(tmp_path, ScopedHalt(scope, depth, "CLI", "ann", "", 1))
    reasons = {Depth.PAUSED: Reason.SCOPE_PAUSED, Depth.REDUCING: Reason.SCOPE_REDUCING, Depth.HALTED: Reason.SCOPE_HALTED}
    assert guard.scoped(route) is reasons[depth]
    elsewhere = scope in ("exchange.upbit", "symbol.KRW")
    assert guard.scope_halted(buy, ROUTE) is (Reason.SCOPE_HALTED if depth is Depth.HALTED and not elsewhere else None)


@pytest.mark.parametrize("depth", list(Depth))
def test_what_shrinks_exposure_passes_under_reducing_alone(tmp_path: Path, depth: Depth) -> None:
    guard = Guarded().guard
    guard.halts = ScopedHalts(tmp_path)
    rate = rate_book()
    netting = NettingRoute(TradeHop(krw_market("USDT"), rate.markets[0].book, Side.BUY), rate.markets[0], rate, TERMS)
    write_halt(tmp_path, ScopedHalt("exchange.upbit", depth, "CLI", "ann", "", 1))
    assert (guard.scoped(netting) is None) is (depth is Depth.REDUCING)


def test_an_order_sees_a_halt_that_came_since_anybody_looked(tmp_path: Path) -> None:
    guard = Guarded().guard
    guard.halts = ScopedHalts(tmp_path)
    write_halt(tmp_path, ScopedHalt("symbol.XRP", Depth.HALTED, "CLI", "ann", "", 1))
    assert guard.scope_halted(_order(Purpose.COMPLETE), ROUTE) is Reason.SCOPE_HALTED


def test_every_asset_that_a_route_moves_and_its_own_name_fall_under_a_halt_of_them() -> None:
    route = Pair().to_upbit
    assert assets_of(route) == {"XRP", "KRW", "USDT"}
    route.symbol = "RIPPLE"
    assert assets_of(route) == {"RIPPLE", "XRP", "KRW", "USDT"}


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_both_venues_are_asked(exchange: str) -> None:
    guarded = Guarded()
    for n in range(4):
        guarded.guard.exchange[exchange].admitted(f"a{n}")
    assert guarded.entry() is Reason.IN_FLIGHT
    assert guarded.entry(own=("a3",)) is None


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
    guarded = Guarded()
    assert guarded.entry() is None
    make_it(guarded.guard.exchange[exchange].health)
    assert guarded.entry() is reason
    guarded.tell.open("c1", BUY, SELL)
    assert guarded.entry(cycle="c1") is reason, "neither leg may leave alone"
    for hop in guarded.pair.to_upbit.trades:
        hedge = dataclasses.replace(_order(Purpose.COMPLETE), market=hop.market)
        assert guarded.guard.check_hedge(hedge, hop.book, NOW) is None


@pytest.mark.parametrize("exchange", ["upbit", "binance"])
def test_one_cycle_goes_alone_until_a_venue_has_accepted_an_order(exchange: str) -> None:
    guarded = Guarded()
    health = guarded.guard.exchange[exchange].health
    health.is_proven = False
    assert guarded.entry() is None
    others = [msgspec.structs.replace(one, base="ADA", market=f"{one.market}-ADA") for one in (BUY, SELL)]
    guarded.tell.open("c1", *others, route="ADA:binance>upbit")
    assert guarded.entry() is Reason.VENUE_UNTRIED
    assert guarded.entry(cycle="c1") is None, "it is not in its own way"
    guarded.tell.start("r2")
    assert guarded.entry() is None, "what an earlier run left open finds nothing out, and may be open for long"
    others = [msgspec.structs.replace(one, base="SOL", market=f"{one.market}-SOL") for one in (BUY, SELL)]
    guarded.tell.open("c2", *others, route="SOL:binance>upbit")
    assert guarded.entry() is Reason.VENUE_UNTRIED
    health.is_proven = True
    assert guarded.entry() is None


@pytest.mark.parametrize(("exchange", "code"), [("upbit", "KRW-XRP"), ("binance", "XRPUSDT")])
def test_a_market_that_rests_opens_nothing_and_a_hedge_still_goes_there(exchange: str, code: str) -> None:
    guarded = Guarded()
    guarded.guard.exchange[exchange].health.rest(code, NOW + 1)
    assert guarded.entry() is Reason.REFUSED
    assert guarded.hedge() is None
    guarded.guard.exchange[exchange].health.rest(code, NOW)
    assert guarded.entry() is None


def test_a_venue_that_was_never_heard_is_down() -> None:
    assert Guarded(-inf).entry() is Reason.VENUE_DOWN


@pytest.mark.parametrize("state", list(TradingState))
def test_what_each_state_lets_through_the_gate(state: TradingState) -> None:
    guarded = Guarded()
    guarded.state = state
    assert (guarded.entry() is None) is (state is TradingState.ARMED)
    for purpose in (Purpose.COMPLETE, Purpose.UNWIND):
        allowed = state in (TradingState.ARMED, TradingState.PAUSED, TradingState.REDUCING)
        assert guarded.hedge(purpose) is (None if allowed else Reason.HALTED)


def test_a_hedge_needs_its_own_book_live_its_venue_heard_and_a_journal_and_no_more() -> None:
    """A leg left open is worse than one more open cycle, a loss, a dispute or a book that has not changed for a while."""
    guarded = Guarded()
    tell, pair = guarded.tell, guarded.pair
    for n in range(5):
        tell.open(f"c{n}", BUY, value=1000.0)
    tell(BalanceDisputed("binance", "XRP", Decimal(2), Decimal(1)))
    guarded.guard.total.loss_today = 1e9
    for n in range(9):
        guarded.guard.exchange["binance"].admitted(f"a{n}")
    pair.upbit.state = BookState.STALE
    pair.binance.ts_init = NOW - 60
    assert guarded.hedge() is None
    pair.binance.state = BookState.GAPPED
    assert guarded.hedge() is Reason.STALE
    pair.binance.state = BookState.LIVE
    silent = Guarded(NOW - 2)
    assert silent.hedge() is None  # a venue whose stream is silent has answered a question about this book just now
    silent.pair.binance.ts_init = NOW - 2
    assert silent.hedge() is Reason.MESSAGE_AGE
    guarded.guard.total.journal_failed = True
    assert guarded.hedge() is Reason.JOURNAL


def test_whoever_forgets_to_choose_gets_the_tighter_set() -> None:
    assert risk_defaults("live") == RiskConfig()
    live, paper = risk_defaults("live").model_dump(), risk_defaults("paper").model_dump()
    for tier, limits in live.items():
        for key, value in limits.items():
            assert value == paper[tier][key] if key not in LIMITS_BY_NAME else not LIMITS_BY_NAME[key].loosens(paper[tier][key], value), key


@pytest.mark.parametrize("purpose", [Purpose.COMPLETE, Purpose.UNWIND])
def test_what_shrinks_exposure_does_not_wait_for_a_stream_that_is_late(purpose: Purpose) -> None:
    guarded = Guarded()
    streams = _Streams(guarded.pair)
    guarded.guard.symbol.delays = streams.delays
    assert guarded.entry() is None
    streams.frame("binance", NOW, 900.0)
    streams.delays.quarantine(guarded.pair.binance)
    assert guarded.entry() is Reason.EXCESS_DELAY
    assert guarded.hedge(purpose) is None
    streams.of["binance"].learn()
    assert guarded.entry() is Reason.LEARNING
    assert guarded.hedge(purpose) is None
