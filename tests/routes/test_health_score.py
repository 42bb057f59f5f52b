"""Each factor ranks as it says, alone, and none forbids."""

from decimal import Decimal

import pytest

from arbtui.marketdata.trades import TradeTape
from arbtui.model.order import Side
from arbtui.routes.config import RankingConfig
from arbtui.routes.health_score import RouteHealth, RouteHealthScore
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import Opportunity, SizedHop
from tests.routes.pairs import NOW, Pair

UPBIT, BINANCE = ("upbit", "KRW-XRP"), ("binance", "XRPUSDT")


def opportunity(route: InventoryRoute, qty: int = 10) -> Opportunity:
    return Opportunity(route, tuple(SizedHop(hop, Decimal(qty), Decimal(1)) for hop in route.trades), 10.0, 100.0, float(qty), NOW, 0.0)


def known(value: float | None) -> float:
    assert value is not None
    return value


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
    assert (told.latency, told.flow, told.runway) == (1.0, 1.0, 1.0)
    assert (told.survival, told.realised) == (None, None), "nothing has taught that yet"
    assert told.score == pytest.approx(known(told.spread) * known(told.volume))


def test_wide_books_score_less_and_an_empty_side_least() -> None:
    narrow, wide, empty = Scored(), Scored(), Scored()
    wide.pair.upbit.touch(3000.0, 1.0, 3060.0, 1.0)
    empty.pair.upbit.touch(0.0, 0.0, 3060.0, 1.0)
    assert known(narrow.of().spread) > known(wide.of().spread) > known(empty.of().spread) == 0.5


def test_a_market_where_little_trades_scores_less() -> None:
    assert known(Scored().of(10).volume) > known(Scored().of(1000).volume) == 0.75
    assert Scored(binance=(0.0, 0.0)).of().volume == 0.5, "the slower of the two counts"


def test_old_books_score_less() -> None:
    fresh, old = Scored(), Scored()
    old.pair.binance.ts_init = NOW - 1.0
    assert (fresh.of().latency, old.of().latency) == (1.0, 0.75)


def test_takers_who_take_what_we_want_lower_the_score() -> None:
    """``to_upbit`` buys at Binance and sells at Upbit."""
    assert Scored(binance=(1000.0, 0.0)).of().flow == 0.75, "they buy where we buy"
    assert Scored(upbit=(0.0, 1000.0)).of().flow == 0.75, "they sell where we sell"
    assert Scored(upbit=(1000.0, 0.0), binance=(0.0, 1000.0)).of().flow == 1.0, "they bring us what we want"


def test_cycles_that_brought_less_than_expected_lower_it_and_others_bring_it_back() -> None:
    scored = Scored()
    scored.health.learned.brought(scored.pair.to_upbit.id, 0.0)
    assert scored.of().realised == pytest.approx(0.9)
    scored.health.learned.brought(scored.pair.to_upbit.id, 1.0)
    assert 0.9 < known(scored.of().realised) < 1.0
    assert scored.of().score < Scored().of().score


@pytest.mark.parametrize(
    ("latency", "share"), [(None, None), (0.0, 1.0), (25.0, 0.9), (50.0, 0.8), (150.0, 0.5), (500.0, 0.2), (3_000.0, 0.2)]
)
def test_survival_is_the_share_of_gaps_that_outlive_our_latency(latency: float | None, share: float | None) -> None:
    scored = Scored()
    scored.health = RouteHealthScore(scored.tapes, latency_of=lambda _: latency)
    for n in range(4):
        scored.health.learned.gap_ended(scored.pair.to_upbit.id, (True,) * 4)
        assert scored.of().survival is None, f"{n + 1} gaps say little"
    learned = scored.health.learned.of(scored.pair.to_upbit.id)
    assert learned is not None
    learned.gaps, learned.survived = 20.0, [0.8, 0.6, 0.4, 0.2]
    assert scored.of().survival == (None if share is None else pytest.approx(share))


def test_weights_are_exponents_and_none_leaves_a_factor_out() -> None:
    scored = Scored()
    scored.pair.binance.ts_init = NOW - 1.0
    plain = scored.of()
    told = {}
    for weight in (0.0, 2.0):
        weights = RankingConfig(latency=weight).weights()
        told[weight] = RouteHealthScore(scored.tapes, weights=weights).of(opportunity(scored.pair.to_upbit))
    assert told[0.0].score == pytest.approx(plain.score / 0.75)
    assert told[2.0].score == pytest.approx(plain.score * 0.75)
    assert [(one.name, one.value, one.weight) for one in told[2.0].factors if one.name == "latency"] == [("latency", 0.75, 2.0)]


def test_a_score_that_wavers_does_not_change_the_order_and_one_that_moves_does() -> None:
    health = RouteHealthScore()
    route = Pair().to_upbit
    assert [health.ranked(route, score) for score in (0.80, 0.83, 0.76, 0.84, 0.86, 0.82, 0.80, 0.84)] == [
        *(0.80, 0.80, 0.80, 0.80, 0.86, 0.86, 0.80, 0.80)
    ]


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
