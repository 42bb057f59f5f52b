"""What a plan sets aside for its legs and for one order that mends it, in exact amounts."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from arbtui.execution.plan import CyclePlan, Tolerances, brings, compile_plan, conversion_plan, needs, plan_of
from arbtui.journal.events import LegAfter, On
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Side
from arbtui.routes.hops import TradeHop
from arbtui.routes.route import Opportunity, SizedHop
from tests.execution.test_hedging import DOLLAR_COIN_FEE, DOLLAR_QUOTE_FEE, PRICE, WON, around, cycle_of
from tests.routes.pairs import NOW

ALLOWED = Tolerances(completion_bps=20.0, unwind_bps=50.0)


def sized(of: Market, side: Side, qty: str) -> SizedHop:
    price = PRICE[of.quote]
    return SizedHop(TradeHop(of, around(of.exchange, of.code, price, price * 2), side), Decimal(qty), price)


def plan(*orders: SizedHop, edge_bps: float = 10.0, after: Mapping[int, tuple[LegAfter, ...]] | None = None) -> CyclePlan:
    price = PRICE["USDT"]
    route = cycle_of(DOLLAR_COIN_FEE, WON, [], around("dollar", "a", price, price), around("won", "b", price, price)).plan.route
    return plan_of(route, orders, after or {}, ALLOWED, edge_bps=edge_bps, value=200.0, decided_at=NOW, deadline_s=1.5)


def kept(made: CyclePlan) -> dict[tuple[str, str], Decimal]:
    return {(exchange, asset): amount for exchange, asset, amount in made.reserved}


@pytest.mark.parametrize(("edge_bps", "beyond"), [(10.0, "0.0030"), (0.0, "0.0020"), (-5.0, "0.0020")])
def test_cash_for_a_completion_beyond_the_edge_and_for_taking_a_sale_back(edge_bps: float, beyond: str) -> None:
    made = plan(sized(DOLLAR_COIN_FEE, Side.BUY, "100"), sized(WON, Side.SELL, "100"), edge_bps=edge_bps)
    assert kept(made) == {
        ("dollar", "USDT"): 214 * Decimal("1.001") * (1 + Decimal(beyond)),
        ("won", "XRP"): Decimal(100),
        ("won", "KRW"): 300_000 * (Decimal("0.0050") + 2 * Decimal("0.0007")),
    }
    assert (made.edge_bps, made.value, made.decided_at, made.deadline) == (edge_bps, 200.0, NOW, NOW + 1.5)


def test_legs_at_one_place_are_added_up() -> None:
    made = plan(sized(DOLLAR_QUOTE_FEE, Side.BUY, "60"), sized(DOLLAR_QUOTE_FEE, Side.BUY, "40"), sized(WON, Side.SELL, "100"))
    assert kept(made)["dollar", "USDT"] == 214 * Decimal("1.0013") * Decimal("1.003")


def test_a_leg_that_spends_what_earlier_ones_bring_keeps_what_their_fees_leave_missing() -> None:
    waits = {2: (LegAfter(0, On.FULL), LegAfter(1, On.FULL))}
    made = plan(
        sized(DOLLAR_COIN_FEE, Side.BUY, "60"),
        sized(DOLLAR_COIN_FEE, Side.BUY, "40"),
        sized(DOLLAR_QUOTE_FEE, Side.SELL, "100"),
        after=waits,
    )
    assert kept(made) == {
        ("dollar", "USDT"): 214 * Decimal("1.001") * Decimal("1.003"),
        ("dollar", "XRP"): 100 - 100 * Decimal("0.999"),
    }
    elsewhere = plan(sized(DOLLAR_COIN_FEE, Side.BUY, "100"), sized(WON, Side.SELL, "100"), after={1: (LegAfter(0, On.FULL),)})
    assert kept(elsewhere)["won", "XRP"] == 100, "what comes at another venue is of no use here"


def test_what_brings_enough_leaves_nothing_to_keep() -> None:
    made = plan(sized(DOLLAR_QUOTE_FEE, Side.BUY, "100"), sized(DOLLAR_QUOTE_FEE, Side.SELL, "100"), after={1: (LegAfter(0, On.FULL),)})
    assert set(kept(made)) == {("dollar", "USDT")}


def test_what_is_paid_for_in_a_coin_that_an_earlier_leg_brings_needs_none_of_it_and_what_money_pays_for_the_missing() -> None:
    """The one is sent for what came, the other for all of its size."""
    in_coin = replace(DOLLAR_QUOTE_FEE, base="ABC", quote="XRP", code="ABCXRP")
    waits = {1: (LegAfter(0, On.ARRIVAL),)}
    bought = TradeHop(in_coin, around("dollar", "c", Decimal(1), Decimal(2)), Side.BUY)
    made = plan(sized(DOLLAR_QUOTE_FEE, Side.BUY, "100"), SizedHop(bought, Decimal(50), Decimal(2)), after=waits)
    assert set(kept(made)) == {("dollar", "USDT")}
    sold = plan(sized(DOLLAR_QUOTE_FEE, Side.SELL, "100"), sized(replace(DOLLAR_QUOTE_FEE, base="ABC"), Side.BUY, "100"), after=waits)
    assert kept(sold)["dollar", "USDT"] == 214 * (Decimal("1.0013") - Decimal("0.9987")) + 214 * (Decimal("0.0050") + 2 * Decimal("0.0013"))


@pytest.mark.parametrize("waits", [{0: 1, 1: 2, 2: 0}, {0: 0}, {1: 2, 2: 1}, {2: 3}, {3: 0}])
def test_legs_that_wait_for_one_another_or_for_one_that_is_not_there_are_no_plan(waits: Mapping[int, int]) -> None:
    orders = sized(DOLLAR_QUOTE_FEE, Side.BUY, "60"), sized(DOLLAR_QUOTE_FEE, Side.BUY, "40"), sized(WON, Side.SELL, "100")
    with pytest.raises(ValueError, match="wait"):
        plan(*orders, after={leg: (LegAfter(other, On.FULL),) for leg, other in waits.items()})
    made = plan(*orders, after={0: (LegAfter(2, On.FULL),), 1: (LegAfter(0, On.FULL), LegAfter(2, On.FULL))})
    assert [leg.leg for leg in made.first] == [2]


def test_what_an_order_uses_at_worst_and_brings_at_least() -> None:
    price = Decimal(2)
    assert needs(DOLLAR_COIN_FEE, Side.BUY, Decimal(10), price) == ("dollar", "USDT", Decimal("20.02"))
    assert needs(DOLLAR_QUOTE_FEE, Side.SELL, Decimal(10), price) == ("dollar", "XRP", Decimal(10))
    assert brings(DOLLAR_COIN_FEE, Side.BUY, Decimal(10), price) == ("dollar", "XRP", Decimal("9.99"))
    assert brings(DOLLAR_QUOTE_FEE, Side.BUY, Decimal(10), price) == ("dollar", "XRP", Decimal(10))
    assert brings(DOLLAR_QUOTE_FEE, Side.SELL, Decimal(10), price) == ("dollar", "USDT", Decimal("19.974"))


def test_a_trade_of_money_for_money_keeps_what_it_uses_and_puts_nothing_at_risk() -> None:
    order = sized(DOLLAR_QUOTE_FEE, Side.BUY, "100")
    made = conversion_plan(plan(order).route, order, cost_bps=7.0, decided_at=NOW, deadline_s=1.5)
    assert (made.edge_bps, made.value, made.decided_at, made.deadline) == (-7.0, 0.0, NOW, NOW + 1.5)
    assert kept(made) == {("dollar", "USDT"): 214 * Decimal("1.0013")}
    assert made.most_cost == 0
    assert [(leg.leg, leg.side, leg.qty, leg.price, leg.lot, leg.least) for leg in made.legs] == [
        (0, Side.BUY, Decimal(100), PRICE["USDT"], DOLLAR_QUOTE_FEE.lot_step, Decimal(1)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bought", "asked", "sold", "bid", "hard"),
    [("100", 500.0, "10", 100.0, 0), ("10", 100.0, "100", 500.0, 1), ("100", 300.0, "100", 400.0, 0), ("100", 400.0, "100", 300.0, 1)],
)
def test_the_hard_leg_is_the_one_of_whose_size_the_touch_shows_the_least(
    bought: str, asked: float, sold: str, bid: float, hard: int
) -> None:
    """By how often an order fits into its own side of its book; the other sides show the opposite."""
    buy, sell = sized(DOLLAR_COIN_FEE, Side.BUY, bought), sized(WON, Side.SELL, sold)
    buy.hop.book.ask_qty, buy.hop.book.bid_qty = asked, 1e6 if hard == 0 else 1e-6
    sell.hop.book.bid_qty, sell.hop.book.ask_qty = bid, 1e6 if hard == 1 else 1e-6
    route = plan(buy).route
    found = Opportunity(route, (buy, sell), edge_bps=12.0, value=214.0, size=float(sell.qty), decided_at=NOW, least_bps=0.0)
    made = compile_plan(found, 1.5, ALLOWED, "hard leg first", Decimal(3))
    assert [leg.after for leg in made.legs] == [() if number == hard else (LegAfter(hard, On.EACH_FILL),) for number in range(2)]
    assert [leg.leg for leg in made.first] == [hard]
    assert [(leg.qty, leg.price) for leg in made.legs] == [(buy.qty, buy.price), (sell.qty, sell.price)]
    assert (made.edge_bps, made.value, made.decided_at, made.deadline, made.most_cost) == (12.0, 214.0, NOW, NOW + 1.5, Decimal(3))
    together = compile_plan(found, 1.5, ALLOWED)
    assert ([leg.after for leg in together.legs], together.most_cost) == ([(), ()], ZERO)
