"""Each factor ranks as it says, alone, and none forbids."""

from decimal import Decimal

import pytest

from arbtui.marketdata.trades import TradeTape
from arbtui.model.order import Side
from arbtui.routes.health_score import RouteHealth, RouteHealthScore
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import Opportunity, SizedHop
from tests.routes.pairs import NOW, Pair

UPBIT, BINANCE = ("upbit", "KRW-XRP"), ("binance", "XRPUSDT")


def opportunity(route: InventoryRoute, qty: int = 10) -> Opportunity:
    return Opportunity(route, tuple(SizedHop(hop, Decimal(qty), Decimal(1)) for hop in route.trades), 10.0, 100.0, float(qty), NOW)


class Scored:
    """A pair whose tapes both traded 1000 XRP in the last minute, half of it bought."""

    def __init__(self, upbit: tuple[float, float] = (500.0, 500.0), binance: tuple[float, float] = (500.0, 500.0)) -> None:
        self.pair = Pair()
        self.tapes = {UPBIT: TradeTape(), BINANCE: TradeTape()}
        for tape, (bought, sold) in zip(self.tapes.values(), (upbit, binance), strict=True):
            tape.add(bought, Side.BUY, NOW - 1)
            tape.add(sold, Side.SELL, NOW - 1)
        self.health = RouteHealthScore(self.tapes)

    def of(self, qty: int = 10) -> RouteHealth:
        return self.health.of(opportunity(self.pair.to_upbit, qty))


def test_a_good_route_scores_near_one() -> None:
    told = Scored().of()
    assert 0.8 < told.score < 1.0
    assert (told.latency, told.survival, told.runway) == (1.0, 1.0, 1.0)
    assert told.score == pytest.approx(told.spread * told.volume)


def test_wide_books_score_less_and_an_empty_side_least() -> None:
    narrow, wide, empty = Scored(), Scored(), Scored()
    wide.pair.upbit.touch(3000.0, 1.0, 3060.0, 1.0)
    empty.pair.upbit.touch(0.0, 0.0, 3060.0, 1.0)
    assert narrow.of().spread > wide.of().spread > empty.of().spread == 0.5


def test_a_market_where_little_trades_scores_less() -> None:
    assert Scored().of(10).volume > Scored().of(1000).volume == 0.75
    assert Scored(binance=(0.0, 0.0)).of().volume == 0.5, "the slower of the two counts"


def test_old_books_score_less() -> None:
    fresh, old = Scored(), Scored()
    old.pair.binance.ts_init = NOW - 1.0
    assert (fresh.of().latency, old.of().latency) == (1.0, 0.75)


def test_takers_who_take_what_we_want_lower_survival() -> None:
    """``to_upbit`` buys at Binance and sells at Upbit."""
    assert Scored(binance=(1000.0, 0.0)).of().survival == 0.75, "they buy where we buy"
    assert Scored(upbit=(0.0, 1000.0)).of().survival == 0.75, "they sell where we sell"
    assert Scored(upbit=(1000.0, 0.0), binance=(0.0, 1000.0)).of().survival == 1.0, "they bring us what we want"


def test_cycles_that_were_not_captured_lower_survival_and_others_bring_it_back() -> None:
    scored = Scored()
    scored.health.learn(scored.pair.to_upbit, captured=False)
    assert scored.of().survival == pytest.approx(0.9)
    scored.health.learn(scored.pair.to_upbit, captured=True)
    assert 0.9 < scored.of().survival < 1.0


def test_a_stock_that_runs_out_scores_less() -> None:
    scored = Scored()
    scored.pair.stock["upbit"].available = 25.0
    assert scored.of(10).runway == 0.75
    scored.pair.stock["upbit"].available = 0.0
    assert scored.of(10).runway == 0.5


def test_nothing_known_still_ranks_by_profit() -> None:
    scored = Scored(upbit=(0.0, 0.0), binance=(0.0, 0.0))
    small, large = opportunity(scored.pair.to_upbit), opportunity(scored.pair.to_binance)
    prioritizer = RoutePrioritizer(RouteHealthScore({}))
    assert prioritizer.score(small) > 0.0
    assert prioritizer.rank([small, large]) == [small, large]


def test_of_two_equal_edges_the_healthier_route_goes_first() -> None:
    scored = Scored()
    scored.pair.stock["upbit"].available = 10.0
    to_upbit, to_binance = opportunity(scored.pair.to_upbit), opportunity(scored.pair.to_binance)
    assert RoutePrioritizer(scored.health).rank([to_upbit, to_binance]) == [to_binance, to_upbit]
    assert RoutePrioritizer().rank([to_upbit, to_binance]) == [to_upbit, to_binance]
