"""Reverse trades bring stock back, their cost is the rotation of the PnL, and the day's budget is never exceeded."""

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.journal.events import TransferBegun, Transferred
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Side
from arbtui.portfolio.config import RebalanceConfig
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.rebalancer import InventoryRebalancer
from arbtui.routes.hops import InventoryHop, Node
from arbtui.routes.prioritizer import RoutePrioritizer
from tests.portfolio.telling import Telling, fill_of, leg
from tests.routes import pairs
from tests.routes.pairs import NOW, Pair

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}
ON = RebalanceConfig(max_cost_bps_day=100.0)


def rebalancer(portfolio: Portfolio, config: RebalanceConfig = ON) -> InventoryRebalancer:
    return InventoryRebalancer(config, portfolio, order_value=100.0, tolerance_bps=70.0)


def begun() -> Telling:
    tell = Telling().start()
    tell.marks(PRICES, "day")
    return tell


def reverse(tell: Telling, cycle_id: str, qty: Decimal, bought_at: Decimal, most_cost: Decimal) -> None:
    """Bought at Binance, sold at Upbit at its mark: what is paid above the mark is lost."""
    tell.open(cycle_id, leg(0, "binance", Side.BUY, qty, bought_at), leg(1, "upbit", Side.SELL, qty, Decimal(3000)), most_cost=most_cost)
    buy = fill_of("binance", Side.BUY, qty, bought_at, f"b{cycle_id}", client_order_id=f"{cycle_id}-0")
    sell = fill_of("upbit", Side.SELL, qty, Decimal(3000), f"s{cycle_id}", client_order_id=f"{cycle_id}-1")
    tell.fill(cycle_id, buy, PRICES)
    tell.fill(cycle_id, sell, PRICES)


def test_the_budget_is_a_share_of_what_the_desk_is_worth_at_the_days_beginning() -> None:
    tell = Telling().start()
    assert rebalancer(tell.portfolio).budget() == 0  # before any price nothing is known
    tell.marks(PRICES, "day")
    assert rebalancer(tell.portfolio).budget() == (300_000 * PRICES["KRW"] + 200 * PRICES["XRP"] + 200) / 100
    assert rebalancer(tell.portfolio, RebalanceConfig()).budget() == 0  # off, as shipped


def test_a_reverse_trade_is_rotation_and_charged_to_the_day() -> None:
    tell = begun()
    reverse(tell, "c1", Decimal(10), Decimal("2.2"), ONE * 2)
    tell.end("c1")
    pnl = tell.portfolio.value().so_far
    assert (pnl.trading, pnl.fees) == (ZERO, ZERO)
    assert pnl.rotation == pnl.total == -1
    assert tell.portfolio.rebalance_spent_today() == 1
    assert rebalancer(tell.portfolio).left() == rebalancer(tell.portfolio).budget() - 1
    overdrawn = rebalancer(tell.portfolio, RebalanceConfig(max_cost_bps_day=0.001))
    assert overdrawn.left() < 0
    assert overdrawn.fits(ZERO), "what costs nothing always may"
    assert tell.portfolio.state.routes["XRP:binance>upbit"].losses == 0  # it was meant to cost something
    assert tell.portfolio.loss_today(PRICES) == 1  # and the day's loss limit knows
    assert Portfolio.load(tell.portfolio.dump()).rebalance_spent_today() == 1
    tell.marks(PRICES, "day", "2026-01-02")
    assert tell.portfolio.rebalance_spent_today() == 0


def test_one_without_a_price_is_rotation_once_there_is_one() -> None:
    tell = Telling().start()
    for number, qty in enumerate((Decimal(10), Decimal(5))):
        cycle_id = f"c{number}"
        tell.open(cycle_id, leg(0, "binance", Side.BUY, qty, Decimal(2)), most_cost=ONE)
        tell.fill(cycle_id, fill_of("binance", Side.BUY, qty, Decimal(2), f"b{number}", client_order_id=f"{cycle_id}-0"), {"USDT": ONE})
    assert tell.portfolio.value().so_far.rotation == -30  # what was paid
    tell.marks(PRICES)
    assert tell.portfolio.value().so_far.rotation == -30 + 15 * PRICES["XRP"]


def test_one_that_earned_gives_nothing_back() -> None:
    tell = begun()
    reverse(tell, "c1", Decimal(10), Decimal("2.2"), ONE * 2)
    tell.end("c1")
    reverse(tell, "c2", Decimal(10), Decimal("1.0"), ONE * 2)
    tell.end("c2")
    assert tell.portfolio.value().so_far.rotation == 10
    assert tell.portfolio.rebalance_spent_today() == 1


def test_what_is_open_keeps_the_most_that_it_may_still_cost() -> None:
    tell = begun()
    budget = rebalancer(tell.portfolio).budget()
    tell.open("c1", leg(0, "binance", Side.BUY, ONE, ONE), most_cost=ONE * 2)
    assert rebalancer(tell.portfolio).left() == budget - 2
    assert not rebalancer(tell.portfolio).fits(budget - 1)
    assert rebalancer(tell.portfolio).fits(budget - 2)
    tell.end("c1")
    assert rebalancer(tell.portfolio).left() == budget


def test_a_transfer_without_a_price_is_rotation_once_there_is_one() -> None:
    tell = Telling().start()
    tell(Transferred("upbit", "binance", "XRP", Decimal(40), Decimal(39), "by hand"))
    tell.marks(PRICES)
    pnl = tell.portfolio.value().so_far
    assert (pnl.rotation, pnl.adjustments) == (Decimal("-2.1"), ZERO)


def _short(share: float, coming: int = 0) -> tuple[Pair, InventoryRebalancer]:
    pair = Pair()
    pair.stock["binance"].available = 1000.0 * share
    pair.stock["upbit"].available = 1000.0 * (2 - share)
    rates = {"upbit": {"KRW": Decimal(300_000_000), "XRP": Decimal(100)}, "binance": {"USDT": Decimal(200_000), "XRP": Decimal(100)}}
    tell = Telling().start("r1", rates)
    tell.marks(PRICES, "day")
    if coming:
        tell(TransferBegun("T0", "XRP", "upbit", "binance", "XRP", Decimal(coming + 1), ONE, 4.0, "me", "x"))
    return pair, rebalancer(tell.portfolio)


@pytest.mark.parametrize(("share", "threshold"), [(1.0, 3.0), (0.5, 3.0), (0.25, 3.0 - 14.0), (0.0, -25.0)])
def test_the_emptier_the_place_the_lower_the_threshold_of_what_fills_it(share: float, threshold: float) -> None:
    pair, makes = _short(share)
    makes.look((pair.to_upbit, pair.to_binance))
    assert pair.to_upbit.threshold_bps() == pytest.approx(threshold)  # bought at Binance, where it is short
    assert pair.to_binance.threshold_bps() == 3.0  # what drains it asks for no less


@pytest.mark.parametrize(("coming", "threshold"), [(0, -25.0), (250, -11.0), (500, 3.0), (2000, 3.0)])
def test_what_a_person_has_sent_is_not_paid_for_by_reverse_trades_as_well(coming: int, threshold: float) -> None:
    pair, makes = _short(0.0, coming)
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pytest.approx(threshold)


def test_off_it_changes_no_price_at_all() -> None:
    pair, makes = _short(0.0)
    off = InventoryRebalancer(RebalanceConfig(), makes._portfolio, 100.0, 70.0)
    before = [(route._factor, route.threshold_bps()) for route in (pair.to_upbit, pair.to_binance)]
    off.look((pair.to_upbit, pair.to_binance))
    assert [(route._factor, route.threshold_bps()) for route in (pair.to_upbit, pair.to_binance)] == before


def test_a_place_that_is_filled_again_is_favoured_no_more() -> None:
    pair, makes = _short(0.1)
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() < 0.0
    pair.stock["binance"].available = pair.stock["upbit"].available = 1000.0
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == 3.0


def test_only_a_place_that_is_short_lets_a_route_open_below_break_even_whatever_its_own_threshold() -> None:
    pair, makes = _short(0.1)
    pair.to_upbit.set_terms(dataclasses.replace(pair.to_upbit.terms, min_edge_bps=-5.0))
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pytest.approx(-5.0 - 0.8 * 25.0)  # from its own threshold down
    pair.stock["binance"].available = pair.stock["upbit"].available = 1000.0
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pair.to_upbit.break_even_bps == -5.0


def test_with_an_empty_budget_it_is_favoured_down_to_break_even_and_no_further() -> None:
    pair, makes = _short(0.0)
    portfolio = makes._portfolio
    assert isinstance(portfolio, Portfolio)
    tiny = InventoryRebalancer(RebalanceConfig(max_cost_bps_day=0.0001), portfolio, 100.0, 70.0)
    tiny.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == 0.0


def test_a_budget_for_a_part_of_an_order_lets_it_cost_so_much_less() -> None:
    pair, makes = _short(0.0)
    portfolio = makes._portfolio
    assert isinstance(portfolio, Portfolio)
    equity = 300_000_000 * PRICES["KRW"] + 200 * PRICES["XRP"] + 200_000
    # 0.95 of an order of 100 are 95 bps: 70 for taking a leg back, 15 for its fees, and 10 are left to pay for stock.
    day_bps = float(Decimal("0.95") / equity * 10_000)
    InventoryRebalancer(RebalanceConfig(max_cost_bps_day=day_bps), portfolio, 100.0, 70.0).look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pytest.approx(-10.0)


@pytest.mark.parametrize(
    ("binance", "upbit", "targets", "favoured"),
    [
        (490.0, 510.0, (1000.0, 1000.0), True),
        (500.0, 510.0, (1000.0, 1000.0), False),  # at the threshold it is not short
        (490.0, 500.0, (1000.0, 1000.0), False),  # the other has no more than what would make it short itself
        (490.0, 510.0, (0.0, 1000.0), False),  # no target, no shortage
        (490.0, 510.0, (1000.0, 0.0), False),
        (0.2, 0.6, (0.5, 1.0), True),  # shares of little are shares
    ],
)
def test_who_is_short_and_who_can_give(binance: float, upbit: float, targets: tuple[float, float], favoured: bool) -> None:
    pair, makes = _short(1.0)
    for name, available, target in (("binance", binance, targets[0]), ("upbit", upbit, targets[1])):
        pair.stock[name].available, pair.stock[name].target = available, target
    makes.look((pair.to_upbit,))
    assert (pair.to_upbit.threshold_bps() < 3.0) is favoured


def test_at_break_even_it_costs_nothing_and_below_it_what_a_leg_taken_back_may_cost() -> None:
    pair, makes = _short(0.0)
    at = pair.to_upbit.break_even_bps
    assert makes.most_cost(pair.to_upbit, at, 100.0) == 0
    below = makes.most_cost(pair.to_upbit, at - 1.0, 100.0)
    assert below == Decimal(repr(100.0 * (70.0 + 15.0 - at + 1.0) / 1e4)).quantize(Decimal("1e-8"))
    assert makes.most_cost(pair.to_upbit, at - 1.0, 1 / 3) == Decimal(repr((70.0 + 15.0 - at + 1.0) / 3e4)).quantize(Decimal("1e-8"))
    assert makes.fits(ZERO)
    assert not rebalancer(begun().portfolio, RebalanceConfig()).fits(Decimal("1e-8")), "off, nothing may be spent"


def test_a_place_that_owes_stock_is_as_short_as_an_empty_one() -> None:
    pair, makes = _short(0.0)
    pair.stock["binance"].available = -500.0
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pytest.approx(-25.0)


def test_a_route_that_fills_several_places_is_favoured_by_the_emptiest() -> None:
    pair, makes = _short(0.4)
    full = Node("okx", "XRP", 1000.0, 1000.0)
    pair.to_upbit.inventories = (*pair.to_upbit.inventories, InventoryHop(full, pair.stock["upbit"], 0.0))
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pytest.approx(3.0 - 0.2 * 28.0)
    full.available = 200.0
    makes.look((pair.to_upbit,))
    assert pair.to_upbit.threshold_bps() == pytest.approx(3.0 - 0.6 * 28.0)


def test_a_leg_taken_back_pays_what_a_taker_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    fees = dataclasses.replace(pairs.BINANCE_XRP.fees, maker=Decimal("0.5"))
    monkeypatch.setattr(pairs, "BINANCE_XRP", dataclasses.replace(pairs.BINANCE_XRP, fees=fees))
    pair, makes = _short(0.0)
    cost = makes.most_cost(pair.to_upbit, pair.to_upbit.break_even_bps - 1.0, 100.0)
    assert float(cost) == pytest.approx(100.0 * (70.0 + 15.0 - pair.to_upbit.break_even_bps + 1.0) / 1e4)


def test_a_favoured_route_opens_below_break_even_with_a_cost_told() -> None:
    edge = Pair().to_upbit.touch_edge_bps()
    pair, makes = _short(0.0)
    # Dearer at Binance by as much as takes the edge to about -10 bps.
    pair.binance.replace([(2.16, 300.0)], [(2.14 * (1 + (edge + 10.0) / 1e4), 300.0)])
    assert pair.to_upbit.evaluate(NOW) is None
    makes.look((pair.to_upbit,))
    found = pair.to_upbit.evaluate(NOW)
    assert found is not None
    assert -13.0 < found.edge_bps < -7.0
    most = makes.most_cost(pair.to_upbit, found.edge_bps, found.value)
    assert float(most) == pytest.approx(found.value * (70.0 + 15.0 - found.edge_bps) / 1e4, rel=1e-6)
    assert makes.most_cost(pair.to_upbit, 0.5, 100.0) == 0


def test_what_uses_up_scarce_stock_is_ranked_after_what_refills_it() -> None:
    pair = Pair(shadow_bps_at_empty=40.0)
    found = pair.to_upbit.evaluate(NOW)
    assert found is not None
    ranks = RoutePrioritizer()
    full = ranks.score(found)
    pair.stock["upbit"].urgency = 0.5  # it sells there what does not last
    assert ranks.score(found) == pytest.approx(full - found.value * 20.0 / 1e4)
    pair.stock["binance"].available = 0.0  # and buys where there is none at all
    assert ranks.score(found) > full


@given(
    lives=st.lists(
        st.tuples(
            st.integers(1, 40),  # quantity
            st.integers(-80, 80),  # bps paid above the mark, or under it
            st.sampled_from(["end", "stay open", "restart", "new day"]),
        ),
        max_size=25,
    ),
    bps=st.integers(1, 200),
)
def test_no_day_spends_more_than_its_budget(lives: list[tuple[int, int, str]], bps: int) -> None:
    """Whatever is tried, in whatever order, over restarts and midnights."""
    tell, day = begun(), 1
    for number, (qty, over_bps, then) in enumerate(lives):
        makes = rebalancer(tell.portfolio, RebalanceConfig(max_cost_bps_day=float(bps)))
        value = Decimal(qty) * PRICES["XRP"]
        most = value * 80 / 10_000
        if makes.fits(most):
            reverse(tell, f"c{number}", Decimal(qty), PRICES["XRP"] * (1 + Decimal(over_bps) / 10_000), most)
        if then == "end":
            for cycle in list(tell.portfolio.open_cycles):
                tell.end(cycle.id)
        elif then == "restart":
            tell.portfolio = Portfolio.load(tell.portfolio.dump())
        elif then == "new day" and not tell.portfolio.open_cycles:
            day += 1
            tell.marks(PRICES, "day", f"2026-01-{day:02}")
        again = rebalancer(tell.portfolio, RebalanceConfig(max_cost_bps_day=float(bps)))
        assert tell.portfolio.rebalance_spent_today() <= again.budget()
        assert again.left() >= 0 or then == "new day"
