"""A leg moves only to a market that an entry could go to: each thing that keeps it away, at the place where it is and at no other."""

from collections.abc import Callable
from decimal import Decimal
from math import nan
from pathlib import Path

import pytest
from msgspec import structs

from arbtui.journal.events import BalanceDisputed, RouteSwitched
from arbtui.model.book import BookState
from arbtui.model.order import OrderState, Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalt, ScopedHalts, write_halt
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.marks import LiveMarks
from arbtui.routes.hops import TradeHop
from tests.marketdata.frames import HandClock
from tests.portfolio.telling import fill_of, intent_of, leg
from tests.risk.test_tiers import BUY, LIMITS, ROUTE, Guarded, _Streams
from tests.risk.test_tiers import SELL as SELL_OF_ANOTHER_CODE
from tests.routes.pairs import NOW
from tests.simulation.worlds import UPBIT_XRP

EPS = 1e-6
SELL = structs.replace(SELL_OF_ANOTHER_CODE, market=UPBIT_XRP.code)
REASONS = {Depth.PAUSED: Reason.SCOPE_PAUSED, Depth.REDUCING: Reason.SCOPE_REDUCING, Depth.HALTED: Reason.SCOPE_HALTED}
VENUES = ("binance", "upbit")


class Moving:
    """A cycle of 100 that is open on both markets of a pair, and either of them as the one to which a leg would move."""

    def __init__(self, exchange: str) -> None:
        self.guarded = Guarded()
        self.guard, self.pair, self.tell = self.guarded.guard, self.guarded.pair, self.guarded.tell
        self.tell.open("c1", BUY, SELL, route=ROUTE, value=100.0)
        self.hop = self.hop_at(exchange)
        self.other = self.hop_at("upbit" if exchange == "binance" else "binance")

    def hop_at(self, exchange: str) -> TradeHop:
        """The one at a venue."""
        return next(hop for hop in self.pair.to_upbit.trades if hop.market.exchange == exchange)

    @property
    def cycle(self) -> CycleAccount:
        """The cycle."""
        return self.tell.portfolio.under_way.by_id["c1"]

    def asked(self, now: float = NOW) -> Reason | None:
        """What is said of the move."""
        return self.guard.check_move(self.pair.to_upbit, self.hop, self.cycle, now)


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("exchange", VENUES)
def test_no_leg_moves_where_a_halt_of_any_depth_stands(tmp_path: Path, exchange: str, depth: Depth) -> None:
    def under(name: str, scope: str) -> Reason | None:
        moving = Moving(exchange)
        moving.guard.halts = ScopedHalts(tmp_path / name)
        (tmp_path / name).mkdir()
        write_halt(tmp_path / name, ScopedHalt(scope, depth, "CLI", "ann", "", 1))
        return moving.asked()

    here, there = Moving(exchange).hop.market, Moving(exchange).other.market
    over = (
        f"exchange.{exchange}",
        f"symbol.{here.base}",
        f"symbol.{here.quote}",
        f"symbol.{exchange}:{here.base}",
        f"route.{ROUTE}",
        "global",
    )
    beside = (
        f"exchange.{there.exchange}",
        f"symbol.{there.quote}",
        f"symbol.{there.exchange}:{here.base}",
        "symbol.ADA",
        "route.XRP:upbit>binance",
    )
    assert [under(f"over{number}", scope) for number, scope in enumerate(over)] == [REASONS[depth]] * len(over)
    assert [under(f"beside{number}", scope) for number, scope in enumerate(beside)] == [None] * len(beside)


def _unpriced_fee(moving: Moving, exchange: str) -> None:
    """A fee of the cycle was taken at ``exchange`` in a coin that nothing prices."""
    side = Side.BUY if exchange == "binance" else Side.SELL
    moving.tell.fill("c1", fill_of(exchange, side, Decimal(1), Decimal(2), "t1", fee=Decimal(1), fee_currency="GAS"))


def _another_cycle(moving: Moving, hop: TradeHop) -> None:
    moving.tell.open("c2", BUY if hop.market.exchange == "binance" else SELL, value=1.0)


def _no_answers(moving: Moving, exchange: str) -> None:
    for number in range(LIMITS.exchange.max_in_flight_orders):
        moving.guard.exchange[exchange].admitted(f"a{number}")


def _out_of_sight(moving: Moving, exchange: str) -> None:
    for number in range(LIMITS.exchange.max_unknown_orders):
        moving.guard.exchange[exchange].lost_sight(f"a{number}")


def _late(moving: Moving, exchange: str) -> None:
    streams = _Streams(moving.pair)
    streams.frame(exchange, NOW, 900.0)
    moving.guard.symbol.delays = streams.delays


#: What is wrong at one of the two places, and what is said where a leg would move there.
AT_A_PLACE: list[tuple[Reason, Callable[[Moving, TradeHop], object]]] = [
    (Reason.VENUE_DOWN, lambda moving, hop: moving.guard.exchange[hop.market.exchange].health.on_socket(False)),
    (Reason.VENUE_FROZEN, lambda moving, hop: moving.guard.exchange[hop.market.exchange].health.on_frozen(True)),
    (Reason.VENUE_UNTRIED, lambda moving, hop: setattr(moving.guard.exchange[hop.market.exchange].health, "is_proven", False)),
    (Reason.ORDERS_UNKNOWN, lambda moving, hop: _out_of_sight(moving, hop.market.exchange)),
    (Reason.REFUSED, lambda moving, hop: moving.guard.exchange[hop.market.exchange].health.rest(hop.market.code, NOW + 1)),
    (Reason.DISPUTED, lambda moving, hop: moving.tell(BalanceDisputed(hop.market.exchange, hop.market.base, Decimal(2), Decimal(1)))),
    (Reason.DISPUTED, lambda moving, hop: moving.tell(BalanceDisputed(hop.market.exchange, hop.market.quote, Decimal(2), Decimal(1)))),
    (Reason.NO_MARK, lambda moving, hop: _unpriced_fee(moving, hop.market.exchange)),
    (Reason.IN_FLIGHT, lambda moving, hop: _no_answers(moving, hop.market.exchange)),
    (Reason.MESSAGE_AGE, lambda moving, hop: setattr(moving.guard.exchange[hop.market.exchange], "_last_message", lambda _: NOW - 1.001)),
    (Reason.BOOK_AGE, lambda moving, hop: setattr(hop.book, "ts_init", NOW - 3.001)),
    (Reason.EXCESS_DELAY, lambda moving, hop: _late(moving, hop.market.exchange)),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "break_it"), AT_A_PLACE)
@pytest.mark.parametrize("exchange", VENUES)
def test_what_is_wrong_where_it_would_go_keeps_a_leg_away_and_what_is_wrong_elsewhere_does_not(
    exchange: str, reason: Reason, break_it: Callable[[Moving, TradeHop], object]
) -> None:
    moving = Moving(exchange)
    assert moving.asked() is None
    break_it(moving, moving.hop)
    assert moving.asked() is reason
    moving = Moving(exchange)
    break_it(moving, moving.other)
    assert moving.asked() is None


def _without_a_rate(moving: Moving) -> None:
    moving.pair.rates.markets[0].book.clear(BookState.EMPTY)
    moving.pair.rates.refresh()


def _apart(moving: Moving, share: float) -> None:
    """Upbit's prices move by ``share``."""
    moving.pair.upbit.replace([(3030.0 * share, 400.0)], [(3031.0 * share, 400.0)])


def _limits(moving: Moving, most: float) -> None:
    moving.guard.total.limits = LIMITS.global_.model_copy(update={"max_factor_exposure": most})


#: What is wrong with the route, whichever of its places a leg would move to.
OF_THE_ROUTE: list[tuple[Reason | None, Callable[[Moving], object]]] = [
    (Reason.DISABLED, lambda moving: moving.tell(RouteSwitched(ROUTE, False, "ann"))),
    (None, lambda moving: moving.tell(RouteSwitched("XRP:upbit>binance", False, "ann"))),
    (Reason.ROUTE_BUSY, lambda moving: _another_cycle(moving, moving.hop)),
    (Reason.ROUTE_BUSY, lambda moving: _another_cycle(moving, moving.other)),
    (Reason.NO_RATE, _without_a_rate),
    (Reason.PRICE_RATIO, lambda moving: _apart(moving, 1.3)),
    (Reason.PRICE_BAND, lambda moving: _apart(moving, 1.05)),
    (Reason.FACTOR, lambda moving: _limits(moving, 100.0 - EPS)),
    (None, lambda moving: _limits(moving, 100.0)),
    (Reason.OPEN_FX, lambda moving: setattr(moving.guard.open_fx, "limit", 100.0 - EPS)),
    (None, lambda moving: setattr(moving.guard.open_fx, "limit", 100.0 + EPS)),
    (Reason.NO_MARK, lambda moving: setattr(moving.guard.symbol, "_marks", LiveMarks("USDT", moving.pair.rates, [], HandClock(NOW)))),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "break_it"), OF_THE_ROUTE)
@pytest.mark.parametrize("exchange", VENUES)
def test_what_is_wrong_with_its_route_keeps_a_leg_from_moving(
    exchange: str, reason: Reason | None, break_it: Callable[[Moving], object]
) -> None:
    moving = Moving(exchange)
    break_it(moving)
    assert moving.asked() is reason


@pytest.mark.parametrize("exchange", VENUES)
def test_a_cycle_that_moves_counts_beside_the_others_and_not_twice(exchange: str) -> None:
    moving = Moving(exchange)
    others = [
        leg(0, "binance", Side.BUY, Decimal(10), Decimal(2), base="ADA"),
        leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000), base="ADA"),
    ]
    moving.tell.open("c2", *others, route="ADA:binance>upbit", value=25.0)
    _limits(moving, 125.0)
    assert moving.asked() is None
    _limits(moving, 125.0 - EPS)
    assert moving.asked() is Reason.FACTOR


@pytest.mark.parametrize("exchange", VENUES)
def test_a_symbols_own_limits_hold_where_a_leg_moves_to(exchange: str) -> None:
    moving = Moving(exchange)
    moving.hop.book.ts_init = NOW - 0.5
    assert moving.asked() is None
    for limits, reason in (
        ({"max_book_age_ms": 500}, None),
        ({"max_book_age_ms": 499}, Reason.BOOK_AGE),
        ({"price_band_bps": 1.0}, Reason.PRICE_BAND),
        ({"max_leg_skew_ms": 1}, None),
    ):
        moving.guard.symbol.of_symbol["XRP"] = LIMITS.symbol.model_copy(update=limits)
        assert moving.asked() is reason, limits
    moving.guard.symbol.of_symbol.clear()
    moving.other.book.ts_init = NOW - 999.0
    assert moving.asked() is None, "how old the other book is says nothing of this one"
    moving.hop.book.ts_init = nan
    assert moving.asked() is Reason.BOOK_AGE


@pytest.mark.parametrize("limit", ["max_excess_delay_ms", "max_leg_skew_ms"])
@pytest.mark.parametrize("exchange", VENUES)
def test_a_stream_is_as_late_as_its_symbol_allows(exchange: str, limit: str) -> None:
    """Of one book no two moments are compared, so that only the delay itself counts."""
    moving = Moving(exchange)
    _late(moving, exchange)
    moving.guard.symbol.of_symbol["XRP"] = LIMITS.symbol.model_copy(update={"max_excess_delay_ms": 1000, "max_leg_skew_ms": 1000, limit: 1})
    assert moving.asked() is (Reason.EXCESS_DELAY if limit == "max_excess_delay_ms" else None)


@pytest.mark.parametrize("exchange", VENUES)
def test_the_folder_of_halts_is_read_anew_at_each_move(tmp_path: Path, exchange: str) -> None:
    moving = Moving(exchange)
    moving.guard.halts = ScopedHalts(tmp_path)
    assert moving.asked() is None
    write_halt(tmp_path, ScopedHalt(f"exchange.{exchange}", Depth.PAUSED, "CLI", "ann", "", 1))
    assert moving.asked() is Reason.SCOPE_PAUSED


def test_a_leg_that_has_moved_keeps_the_market_busy_that_it_moved_to_and_no_other() -> None:
    guarded = Guarded()
    tell, guard = guarded.tell, guarded.guard.route
    elsewhere = structs.replace(BUY, exchange="okx", market="XRP-USDT")
    tell.open("c1", elsewhere, route="XRP:okx>bybit")
    beside = structs.replace(BUY, market="ADAUSDT", base="ADA")
    tell(intent_of("c1", beside, "c1-beside"))
    assert guard.is_busy(guarded.pair.to_upbit) is False
    tell(intent_of("c1", BUY, "c1-moved"))
    assert guard.is_busy(guarded.pair.to_upbit) is True
    assert guard.is_busy(guarded.pair.to_upbit, "c2") is True
    assert guard.is_busy(guarded.pair.to_upbit, "c1") is False, "it is not in its own way"
    assert guard.is_on_busy_market(guarded.pair.to_upbit) is False, "nothing was set aside there"
    tell.order("c1-moved", OrderState.EXPIRED)
    assert guard.is_busy(guarded.pair.to_upbit) is False
