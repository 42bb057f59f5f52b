"""What a running cycle has of each asset, and how much of a leg that waits may be sent."""

import dataclasses
from decimal import ROUND_FLOOR, Decimal

import msgspec
import pytest

from arbtui.execution.cycle import ArbCycle, Exposure, due
from arbtui.journal.events import CycleState, LegAfter, On, Phase
from arbtui.model.market import Market
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side
from arbtui.routes.hops import TradeHop
from tests.execution.test_hedging import (
    BTC_KRW,
    DOLLAR_COIN_FEE,
    DOLLAR_QUOTE_FEE,
    ETH_BTC,
    PRICE,
    STEP,
    WON,
    around,
    cycle_of,
    cycle_on,
    fill,
)


def cycle(buy: Market, sell: Market, *fills: Fill) -> ArbCycle:
    books = [around(each.exchange, each.code, PRICE[each.quote], PRICE[each.quote] * 2) for each in (buy, sell)]
    return cycle_of(buy, sell, fills, books[0], books[1])


def order(of: Market, side: Side, qty: str, state: OrderState, filled: str = "0", leg: int = 0) -> Order:
    made = Order(f"a{qty}{side}{state}", of, side, Decimal(qty), PRICE[of.quote], "c1", leg, 1, Purpose.ENTRY, 0, 0.0, 1e9)
    made.state, made.filled_qty = state, Decimal(filled)
    return made


@pytest.mark.parametrize(
    ("orders", "pending", "uncovered"),
    [
        ([], "0", "10"),
        ([("12", Side.BUY, OrderState.SENDING, "2"), ("3", Side.SELL, OrderState.ACCEPTED, "0")], "7", "10"),
        ([("12", Side.BUY, OrderState.EXPIRED, "2"), ("3", Side.SELL, OrderState.CANCELED, "0")], "0", "10"),
        ([("50", Side.SELL, OrderState.UNKNOWN, "0")], "0", "-40"),  # if it filled, more is sold than was bought
        ([("15", Side.SELL, OrderState.UNKNOWN, "0")], "0", "10"),  # if it did not, more is left
        ([("20", Side.SELL, OrderState.UNKNOWN, "0")], "0", "10"),
        ([("7", Side.BUY, OrderState.UNKNOWN, "2"), ("1", Side.BUY, OrderState.UNKNOWN, "0")], "0", "16"),
    ],
)
def test_orders_under_way_are_told_and_those_of_unknown_fate_count_on_the_worse_side(
    orders: list[tuple[str, Side, OrderState, str]], pending: str, uncovered: str
) -> None:
    found = cycle(
        DOLLAR_QUOTE_FEE,
        WON,
        fill(DOLLAR_QUOTE_FEE, Side.BUY, "18", PRICE["USDT"]),
        fill(DOLLAR_QUOTE_FEE, Side.BUY, "12", PRICE["USDT"]),
        fill(WON, Side.SELL, "20", PRICE["KRW"]),
    )
    found.orders = [order(DOLLAR_QUOTE_FEE if side is Side.BUY else WON, side, qty, state, filled) for qty, side, state, filled in orders]
    assert found.exposure() == {"XRP": Exposure(Decimal(20), Decimal(pending), Decimal(uncovered))}


def test_an_asset_of_which_nothing_was_traded_is_told_as_nothing() -> None:
    assert cycle(DOLLAR_QUOTE_FEE, WON).exposure() == {"XRP": Exposure(Decimal(0), Decimal(0), Decimal(0))}


def waiting(on: On, buy: Market = DOLLAR_QUOTE_FEE, sell: Market = WON, *fills: Fill) -> ArbCycle:
    """The sale waits for the purchase."""
    made = cycle(buy, sell, *fills)
    second = msgspec.structs.replace(made.plan.legs[1], after=(LegAfter(0, on),))
    object.__setattr__(made.plan, "legs", (made.plan.legs[0], second))
    return made


def may_send(found: ArbCycle) -> Decimal:
    return due(found, found.plan.legs[1], found.plan.hops[1].market)


@pytest.mark.parametrize(
    ("on", "filled", "state", "expected"),
    [
        (On.EACH_FILL, "40", OrderState.PARTIALLY_FILLED, "40"),
        (On.EACH_FILL, "0", OrderState.SENDING, "0"),
        (On.FULL, "99", OrderState.EXPIRED, "0"),
        (On.FULL, "100", OrderState.FILLED, "100"),
        (On.ARRIVAL, "40", OrderState.PARTIALLY_FILLED, "0"),
        (On.ARRIVAL, "40", OrderState.EXPIRED, "40"),
        (On.EACH_FILL, "110", OrderState.FILLED, "100"),  # a venue that fills too much buys us no larger leg
    ],
)
def test_a_leg_waits_for_each_fill_for_all_or_for_the_end_of_the_other(on: On, filled: str, state: OrderState, expected: str) -> None:
    found = waiting(on)
    assert may_send(found) == 0, "no order of the other was sent"
    found.orders = [order(DOLLAR_QUOTE_FEE, Side.BUY, "100", state, filled)]
    assert may_send(found) == Decimal(expected)


def test_arrival_is_when_every_order_of_the_other_has_ended() -> None:
    found = waiting(On.ARRIVAL)
    ended = order(DOLLAR_QUOTE_FEE, Side.BUY, "100", OrderState.EXPIRED, "40")
    found.orders = [ended, order(DOLLAR_QUOTE_FEE, Side.BUY, "60", OrderState.SENDING, "10")]
    assert may_send(found) == 0
    found.orders[1].state = OrderState.CANCELED
    assert may_send(found) == 50


@pytest.mark.parametrize("state", [OrderState.SENDING, OrderState.EXPIRED])
def test_what_was_sent_for_it_already_is_not_sent_again_filled_or_not(state: OrderState) -> None:
    found = waiting(On.EACH_FILL)
    found.orders = [
        order(DOLLAR_QUOTE_FEE, Side.BUY, "100", OrderState.PARTIALLY_FILLED, "40"),
        order(WON, Side.SELL, "15", state, "5", leg=1),
        order(WON, Side.SELL, "10", state, "0", leg=1),
    ]
    assert may_send(found) == 15
    found.orders[2].qty = Decimal(30)
    assert may_send(found) == 0


def test_of_several_that_it_waits_for_the_least_filled_counts() -> None:
    found = waiting(On.EACH_FILL)
    legs = (*found.plan.legs, msgspec.structs.replace(found.plan.legs[0], leg=2, qty=Decimal(50)))
    object.__setattr__(
        found.plan,
        "legs",
        (legs[0], msgspec.structs.replace(legs[1], after=(LegAfter(0, On.EACH_FILL), LegAfter(2, On.EACH_FILL))), legs[2]),
    )
    found.orders = [
        order(DOLLAR_QUOTE_FEE, Side.BUY, "100", OrderState.PARTIALLY_FILLED, "40"),
        order(DOLLAR_QUOTE_FEE, Side.BUY, "50", OrderState.PARTIALLY_FILLED, "10", leg=2),
    ]
    assert may_send(found) == 20


def test_where_it_spends_what_the_other_brought_no_more_than_that_is_sent() -> None:
    """40 bought, of which the venue kept 0.1 % as its fee."""
    found = waiting(On.EACH_FILL, DOLLAR_COIN_FEE, DOLLAR_QUOTE_FEE, fill(DOLLAR_COIN_FEE, Side.BUY, "40", PRICE["USDT"]))
    bought = order(DOLLAR_COIN_FEE, Side.BUY, "100", OrderState.PARTIALLY_FILLED, "40")
    found.orders = [bought]
    assert may_send(found) == Decimal("39.96")
    found.orders = [bought, order(DOLLAR_QUOTE_FEE, Side.SELL, "15", OrderState.SENDING, "0", leg=1)]
    assert may_send(found) == Decimal("24.96"), "15 of it are under way"
    elsewhere = waiting(On.EACH_FILL, DOLLAR_COIN_FEE, WON, fill(DOLLAR_COIN_FEE, Side.BUY, "40", PRICE["USDT"]))
    elsewhere.orders = [bought]
    assert may_send(elsewhere) == 40, "at another venue it is sold from stock"


def test_what_a_sale_brought_or_a_purchase_is_what_the_next_leg_may_spend_of_a_coin_at_that_venue() -> None:
    """0.1 of 1 ETH sold for 0.003 BTC less 7 bps; or 0.1 of 1 BTC bought, less than the plan's price of ETH has it."""
    sold = fill(ETH_BTC, Side.SELL, "0.1", Decimal("0.03"))
    bought = fill(BTC_KRW, Side.BUY, "0.1", Decimal(100_000_000))
    cases = [
        ((ETH_BTC, Side.SELL), (BTC_KRW, Side.SELL), sold, Decimal("0.0029979")),
        # 0.1 BTC at 4 BTC apiece, the leg's price, and 7 bps on top, rounded down to the lot.
        ((BTC_KRW, Side.BUY), (ETH_BTC, Side.BUY), bought, (Decimal("0.1") / 4 / Decimal("1.0007")).quantize(STEP, ROUND_FLOOR)),
    ]
    for first, second, one, expected in cases:
        hops = tuple(TradeHop(market, around("won", market.code, PRICE["KRW"], PRICE["KRW"] * 2), side) for market, side in (first, second))
        found = cycle_on(hops, [one])
        waits = msgspec.structs.replace(found.plan.legs[1], after=(LegAfter(0, On.EACH_FILL),), price=Decimal(4))
        object.__setattr__(found.plan, "legs", (found.plan.legs[0], waits))
        found.orders = [Order("a", *first, Decimal(1), Decimal(1), "c1", 0, 1, Purpose.ENTRY, 0, 0.0, 1e9)]
        found.orders[0].filled_qty = Decimal("0.1")
        assert may_send(found) == expected


def test_while_it_is_open_a_cycle_says_what_it_does_and_then_how_it_ended() -> None:
    found = cycle(DOLLAR_QUOTE_FEE, WON)
    assert (found.is_over, found.phase, found.state) == (False, Phase.RESERVED, CycleState.OPEN)
    found.account.state = CycleState.MISSED
    assert (found.is_over, found.phase, found.state) == (True, CycleState.MISSED, CycleState.MISSED)


def test_fills_are_told_by_their_order() -> None:
    fills = [fill(DOLLAR_QUOTE_FEE, Side.BUY, qty, PRICE["USDT"]) for qty in ("1", "2", "3")]
    fills[1] = dataclasses.replace(fills[1], client_order_id="b")
    found = cycle(DOLLAR_QUOTE_FEE, WON, *fills)
    assert (found.fills_of("a1"), found.fills_of("b"), found.fills_of("c")) == ([fills[0], fills[2]], [fills[1]], [])


def test_what_was_uncovered_is_counted_from_one_look_to_the_next() -> None:
    marks = {"XRP": Decimal(2), "USDT": Decimal(1)}
    bought = fill(DOLLAR_QUOTE_FEE, Side.BUY, "30", PRICE["USDT"])
    books = [around(each.exchange, each.code, PRICE[each.quote], PRICE[each.quote] * 2) for each in (DOLLAR_QUOTE_FEE, WON)]
    found = cycle_of(DOLLAR_QUOTE_FEE, WON, [bought], books[0], books[1], marks)
    assert (found.naked_value_s, found.largest_naked, found.naked_until(1e6), found.closed_at) == (0.0, 0.0, 0.0, 0.0)
    found.on_fill(100.0)
    assert found.changed.is_set()
    assert found.largest_naked == 60.0
    assert found.naked_until(100.5) == 30.0
    found.look(102.0)
    assert found.naked_value_s == 120.0
    assert found.naked_until(103.0) == 180.0
    found.account.state = CycleState.HEDGED  # it has ended: nothing of it is uncovered any more
    found.look(103.0)
    assert (found.naked_value_s, found.naked_until(200.0), found.largest_naked) == (180.0, 180.0, 60.0)
    unpriced = cycle_of(DOLLAR_QUOTE_FEE, WON, [bought], books[0], books[1])
    unpriced.on_fill(100.0)
    assert (unpriced.largest_naked, unpriced.naked_until(200.0)) == (0.0, 0.0)
