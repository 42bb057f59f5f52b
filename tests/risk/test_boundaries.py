"""Every limit at the last value that passes, at the limit and just over it; NaN and what is missing deny."""

import re
from decimal import Decimal
from functools import cache
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.events import CycleAcknowledged
from arbtui.model.book import BookState
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.portfolio.recent import HOUR_MS, RecentOrders, RecentResults
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.blocks import HYSTERESIS_S, Blocks
from arbtui.risk.config import GlobalLimits, RouteLimits, default_limits
from arbtui.risk.limit_names import LIMITS as ALL_LIMITS
from arbtui.risk.limit_names import SIZING
from arbtui.risk.order_pace import OrderPace
from arbtui.risk.price_jumps import PriceJumps
from arbtui.risk.tiers import GlobalGuard, RouteGuard
from tests.conftest import REPOSITORY
from tests.portfolio.telling import Telling, fill_of
from tests.risk.test_tiers import BUY, _marks
from tests.routes.pairs import NOW, Pair

EPS = 1e-6
LIMITS = GlobalLimits(max_loss_day=100.0, max_loss_hour=50.0, max_drawdown=150.0, max_cycles_unattended=3)


def total(tell: Telling | None = None) -> GlobalGuard:
    return GlobalGuard(LIMITS, (tell or Telling()).portfolio, _marks(Pair()), lambda: TradingState.ARMED)


@pytest.mark.parametrize(
    ("figure", "limit", "reason"),
    [("loss_today", 100.0, Reason.LOSS_DAY), ("loss_hour", 50.0, Reason.LOSS_HOUR), ("drawdown", 150.0, Reason.DRAWDOWN)],
)
@pytest.mark.parametrize(("off", "passes"), [(-EPS, True), (0.0, True), (EPS, False), (nan, False), (inf, False), (-inf, True)])
def test_each_loss_has_a_limit(figure: str, limit: float, reason: Reason, off: float, passes: bool) -> None:
    guard = total()
    setattr(guard, figure, limit + off)
    assert guard.check(1.0) is (None if passes else reason)


def test_the_loss_of_an_hour_forgets_what_is_older_and_the_drawdown_what_is_older_than_a_day() -> None:
    history = RecentResults()
    assert history.drawdown(0, 1.0) == history.lost_in_hour(0, 1.0) == -1.0, "a journal begins with 0"
    for minute, result in ((0, 0), (10, 100), (30, 40), (60, 30)):
        history.add(minute * 60_000, Decimal(result))
    assert history.lost_in_hour(3_600_000, 30.0) == -30.0, "an hour ago it was 0"
    assert history.lost_in_hour(10 * 60_000 + 3_600_000, 30.0) == -30.0, "and still at the minute in which it rose"
    assert history.lost_in_hour(11 * 60_000 + 3_600_000, 30.0) == 70.0, "after it, 100"
    assert history.lost_in_hour(3_600_000 + 3_600_000, 30.0) == 10.0
    assert history.lost_in_hour(3_600_000 + 3_660_000, 30.0) == 0.0, "what was last known holds until something else is"
    assert history.drawdown(3_600_000, 30.0) == 70.0
    assert history.drawdown(24 * 3_600_000 - 1, 35.0) == 65.0
    assert history.drawdown(24 * 3_600_000, 35.0) == 5.0, "in the next hour the best is the 40 with which the second one began"
    assert history.drawdown(99 * 3_600_000, 25.0) == 5.0, "nothing was known for a day: it is what it was last"


@pytest.mark.parametrize(("opened", "reason"), [(2, None), (3, Reason.UNATTENDED), (4, Reason.UNATTENDED)])
def test_so_many_cycles_need_a_person(opened: int, reason: Reason | None) -> None:
    tell = Telling().start()
    for number in range(opened):
        tell.open(f"c{number}", BUY, value=1.0)
        tell.end(f"c{number}")
    assert total(tell).check(1.0) is reason
    if opened == 3:
        assert total(tell).check(1.0, "c2") is None, "the third itself may go on"


@pytest.mark.parametrize(
    ("span", "limits"),
    [
        (1.0, GlobalLimits(max_orders_s=4, max_orders_min=1000, max_orders_day=1000)),
        (60.0, GlobalLimits(max_orders_s=1000, max_orders_min=4, max_orders_day=1000)),
        (86_400.0, GlobalLimits(max_orders_s=1000, max_orders_min=1000, max_orders_day=4)),
    ],
)
def test_orders_have_a_pace(span: float, limits: GlobalLimits) -> None:
    tell, at = Telling(), Telling().now_ms // 3_600_000 * 3_600_000
    pace = OrderPace(tell.portfolio, lambda: at)
    for _ in range(2):
        tell.portfolio.state.orders.add(at)
    assert pace.allows(2, limits)
    assert not pace.allows(3, limits)
    tell.portfolio.state.orders.add(at)
    assert not pace.allows(2, limits)
    began, at = at, at + round(span * 1000) - 1
    assert not pace.allows(2, limits)
    at = began + round(span * 1000)
    assert pace.allows(2, limits)
    for _ in range(2):  # beside older ones, which are kept for longer
        tell.portfolio.state.orders.add(at)
    assert pace.allows(2, limits)
    assert not pace.allows(3, limits)


@given(
    st.lists(st.integers(-90_000, 4_000_000), max_size=9),
    st.integers(0, 90_000),
    st.integers(1, 3),
    st.tuples(st.integers(1, 6), st.integers(1, 8), st.integers(1, 10)),
)
def test_the_pace_is_what_counting_every_order_says(steps: list[int], later: int, more: int, most: tuple[int, int, int]) -> None:
    tell, at = Telling(), Telling().now_ms
    orders = tell.portfolio.state.orders
    for step in steps:
        at += step
        orders.add(at)
    at += later
    limits = GlobalLimits(max_orders_s=most[0], max_orders_min=most[1], max_orders_day=most[2])
    within = all(count + more <= limit for count, limit in zip(orders.counts(at), most, strict=True))
    assert OrderPace(tell.portfolio, lambda: at).allows(more, limits) is within


@pytest.mark.parametrize(("ended", "reason"), [(2, None), (3, Reason.ONE_LEG), (4, Reason.ONE_LEG)])
def test_a_route_whose_legs_part_too_often_rests(ended: int, reason: Reason | None) -> None:
    tell, route = Telling().start(), Pair().to_upbit
    for number in range(ended):
        tell.open(f"c{number}", BUY, route=route.id)
        bought = fill_of("binance", Side.BUY, BUY.qty, BUY.price, f"t{number}", client_order_id=f"c{number}-0")
        tell.fill(f"c{number}", bought)
        tell.end(f"c{number}")
        tell(CycleAcknowledged(f"c{number}", "me", "seen"))
        tell.now_ms -= 5  # all at one moment
    last = tell.now_ms + 5
    at = last
    guard = RouteGuard(RouteLimits(max_one_leg_hour=3), tell.portfolio, lambda: at)
    assert (guard.one_leg(route.id), guard.one_leg(Pair().to_binance.id)) == (ended, 0)
    assert guard.check(Pair().to_binance, 1.0, NOW) is None
    at = last + 3_600_000 - 10
    assert guard.check(route, 1.0, NOW) is reason
    at = last + 3_600_000
    assert guard.check(route, 1.0, NOW) is None, "it clears by itself"


def test_a_block_clears_only_when_its_cause_has_been_over_for_a_while() -> None:
    blocks = Blocks()
    assert blocks.standing(("",), 0.0) is None
    assert blocks.hold("", Reason.LOOP_LAG, 10.0)
    assert not blocks.hold("", Reason.LOOP_LAG, 12.0), "it stands already"
    assert blocks.standing(("", "XRP"), 12.0 + HYSTERESIS_S - EPS) is Reason.LOOP_LAG
    assert blocks.lasting("", Reason.LOOP_LAG, 12.0) == 2.0
    assert blocks.standing(("", "XRP"), 12.0 + HYSTERESIS_S) is None
    assert blocks.standing(("XRP",), 12.0) is None, "another scope"
    assert blocks.lasting("", Reason.LOOP_LAG, 30.0) == 0.0
    assert blocks.hold("", Reason.LOOP_LAG, 30.0)
    assert blocks.begun_last_hour("", Reason.LOOP_LAG, 30.0) == 2
    assert blocks.begun_last_hour("", Reason.LOOP_LAG, 10.0 + 3600) == 1


def _jump(share: float) -> tuple[float, float]:
    """How far a mid of 100 that was sampled a second ago is after moving by ``share``."""
    book, jumps = Pair().upbit, PriceJumps()
    book.replace([(99.0, 1.0)], [(101.0, 1.0)])
    book.state = BookState.LIVE
    jumps.sample([book])
    book.replace([(99.0 * (1 + share), 1.0)], [(101.0 * (1 + share), 1.0)])
    return jumps.moved_bps(book)


def test_a_price_is_compared_with_a_second_ago_and_with_the_last_ten() -> None:
    assert _jump(0.03) == pytest.approx((300.0, 300.0))
    assert _jump(-0.03) == pytest.approx((300.0, 300.0))
    book, jumps = Pair().upbit, PriceJumps()
    assert jumps.moved_bps(book) == (0.0, 0.0), "without a sample nobody knows"
    for price in (100.0, 101.0, 102.0):
        book.replace([(price - 1, 1.0)], [(price + 1, 1.0)])
        book.state = BookState.LIVE
        jumps.sample([book])
    short, long = jumps.moved_bps(book)
    assert short == 0.0
    assert long == pytest.approx(200.0)
    for _ in range(8):
        jumps.sample([book])
    assert jumps.moved_bps(book)[1] == pytest.approx((102 / 101 - 1) * 1e4)
    book.state = BookState.GAPPED
    jumps.sample([book])
    assert jumps.moved_bps(book) == (0.0, 0.0), "what it was before a gap says nothing"


@cache
def _texts(folder: str, pattern: str) -> list[tuple[str, str]]:
    """Names and texts of the files below ``folder`` of the repository."""
    return [(path.name, path.read_text()) for path in (REPOSITORY / folder).rglob(pattern)]


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_is_produced_by_the_program_and_by_a_test(reason: Reason) -> None:
    """A reason that nothing produces misleads, and one that no test produces is not known to work."""
    named = re.compile(rf"Reason\.{reason.name}\b|\"{reason.value}\"")
    only_words = {"reason.py", "words.py", "idle.py", "breaches.py"}
    assert any(named.search(text) for name, text in _texts("arbtui", "*.py") if name not in only_words), reason
    assert any(named.search(text) for _, text in _texts("tests", "test_*.py")), f"no test names {reason}"


def test_the_table_of_limits_has_every_limit_with_its_defaults_and_its_tests() -> None:
    text = (REPOSITORY / "docs" / "limits.md").read_text()
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line.startswith("| ")]
    live, paper = ({key: value for table in default_limits(which).values() for key, value in table.items()} for which in ("live", "paper"))
    for name, limit in ALL_LIMITS.items():
        (row,) = (row for row in rows if len(row) == 8 and f"`{name}`" in row[0])
        assert name in SIZING or limit.tier in (row[1], "route" if row[1] == "symbol" else ""), name
        if name not in SIZING and not name.endswith("_pause_s") and name != "max_consecutive_losses":
            assert row[3] == f"{live[name]:.0f} / {paper[name]:.0f}", name
    for row in rows:
        if len(row) == 8 and row[0] != "limit (denial)":
            for file in re.findall(r"`(\w+/test_\w+\.py)`", row[7]):
                assert (REPOSITORY / "tests" / file).exists(), file


def test_orders_are_counted_by_the_second_the_minute_and_the_running_hour_with_the_23_before_it() -> None:
    recent = RecentOrders()
    for at in (1_000_000, 1_000_500):
        recent.add(at)
    assert recent.counts(1_000_900) == (2, 2, 2)
    assert recent.counts(1_001_000) == (1, 2, 2)
    recent.add(1_030_000)
    assert recent.counts(1_060_000) == (0, 2, 3)
    hours = RecentOrders()
    hours.add(HOUR_MS - 1_000)
    hours.add(HOUR_MS)
    assert hours.counts(24 * HOUR_MS - 1) == (0, 0, 2)
    assert hours.counts(24 * HOUR_MS) == (0, 0, 1), "the first hour is over, whenever in it the order left"
    assert hours.counts(25 * HOUR_MS - 1) == (0, 0, 1)
    assert hours.counts(25 * HOUR_MS) == (0, 0, 0)


def test_a_block_that_begins_again_lasts_from_then_and_holds_up_to_its_end() -> None:
    blocks = Blocks()
    assert blocks.begun_last_hour("", Reason.LOOP_LAG, 1.0) == 0
    blocks.hold("", Reason.LOOP_LAG, 2000.0)
    assert blocks.lasting("", Reason.LOOP_LAG, 2000.0 + HYSTERESIS_S - EPS) == pytest.approx(HYSTERESIS_S)
    assert blocks.lasting("", Reason.LOOP_LAG, 2000.0 + HYSTERESIS_S) == 0.0
    blocks.hold("", Reason.LOOP_LAG, 2100.0)
    assert blocks.lasting("", Reason.LOOP_LAG, 2101.0) == 1.0
    assert blocks.begun_last_hour("", Reason.LOOP_LAG, 2101.0) == 2


def test_a_fall_counts_like_a_rise_and_a_price_below_one_like_any_other() -> None:
    book, jumps = Pair().upbit, PriceJumps()
    for price in (0.55, 0.5):
        book.replace([(price - 0.01, 1.0)], [(price + 0.01, 1.0)])
        jumps.sample([book])
    short, long = jumps.moved_bps(book)
    assert short == 0.0
    assert long == pytest.approx((1 - 0.5 / 0.55) * 1e4)
