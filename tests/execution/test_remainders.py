"""Which orders of a cycle have shed a remainder under a venue's minimum, and of what the first half of such a round trip has filled."""

import dataclasses
from collections.abc import Sequence
from decimal import Decimal

import pytest

from arbtui.execution.remainders import Remainders, is_too_little, least_order, remainders_of
from arbtui.model.market import Fees, FeeTakenIn, Market
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Side
from arbtui.routes.hops import TradeHop
from tests.execution.test_hedging import BTC_KRW, DOLLAR_QUOTE_FEE, ETH_BTC, ETH_KRW, PRICE, WON, around, cycle_of, cycle_on, fill

LOT = Decimal("0.01")
DOLLARS = dataclasses.replace(DOLLAR_QUOTE_FEE, lot_step=LOT, min_cost=Decimal(5))
WONS = dataclasses.replace(WON, lot_step=LOT, min_cost=Decimal(5000))
Trade = tuple[Market, Side, str]
#: One XRP is left of them, worth 3,000 won.
PLANNED: tuple[Trade, ...] = ((DOLLARS, Side.BUY, "10"), (WONS, Side.SELL, "9"))


def told(*trades: Trade, price: Decimal = PRICE["KRW"], before: Sequence[Trade] = PLANNED) -> tuple[set[int], set[str]]:
    """Of orders that traded so, the numbers of those that shed a remainder, and what is halfway; an order of number n fills at once.

    ``price``: in won; in dollars it is that of the plan.
    """
    fills = [fill(market, side, qty, price if market.quote == "KRW" else PRICE["USDT"]) for market, side, qty in (*before, *trades)]
    fills = [dataclasses.replace(each, client_order_id=f"a{number}") for number, each in enumerate(fills)]
    books = [around(each.exchange, each.code, PRICE[each.quote], PRICE[each.quote] * 2) for each in (DOLLARS, WONS)]
    return numbered(remainders_of(cycle_of(DOLLARS, WONS, fills, books[0], books[1])))


def numbered(found: Remainders) -> tuple[set[int], set[str]]:
    return {int(client_order_id[1:]) for client_order_id in found.shed_by}, set(found.halfway)


def sold(qty: str) -> Trade:
    return WONS, Side.SELL, qty


def bought(qty: str) -> Trade:
    return WONS, Side.BUY, qty


@pytest.mark.parametrize(
    ("trades", "shed", "halfway"),
    [
        ([], set(), set()),
        ([sold("0.4")], {2}, set()),
        ([sold("1")], {2}, set()),
        ([sold("2.5")], {2}, {"XRP"}),
        ([bought("0.4")], set(), set()),  # it takes nothing away
        ([(DOLLARS, Side.SELL, "2.5")], {2}, {"XRP"}),  # where that is sold does not matter, while it is for money
        ([sold("3"), bought("0.5")], {2, 3}, {"XRP"}),  # a part of the other half, of what is no remainder by itself
        ([sold("3"), bought("1.5")], {2, 3}, {"XRP"}),
        ([sold("3"), sold("1")], {2}, set()),  # this is no other half
        ([sold("3"), sold("1"), bought("1")], {2}, set()),
        # A least order is 2.58 XRP, 5.50 USDT at 2.14 in lots: what is left may be twice that.
        ([sold("6.16")], {2}, {"XRP"}),
        ([sold("6.17")], {2}, set()),
    ],
)
def test_an_order_that_takes_a_remainder_away_sheds_it_and_is_halfway_where_the_opposite_is_left(
    trades: list[Trade], shed: set[int], halfway: set[str]
) -> None:
    assert told(*trades) == (shed, halfway)
    mirrored = [(market, Side.SELL if side is Side.BUY else Side.BUY, qty) for market, side, qty in (*PLANNED, *trades)]
    assert told(*mirrored, before=()) == (shed, halfway)


@pytest.mark.parametrize(("left", "shed"), [("2", set()), ("1.99", {2})])
def test_what_an_order_at_that_price_could_trade_is_no_remainder(left: str, shed: set[int]) -> None:
    """The least order is 5,000 won."""
    planned = (DOLLARS, Side.BUY, "10"), (WONS, Side.SELL, str(10 - Decimal(left)))
    assert told(sold("2.5"), price=Decimal(2500), before=planned)[0] == shed


def test_the_fills_of_an_order_count_together() -> None:
    parts = [fill(market, side, qty, PRICE[market.quote]) for market, side, qty in (*PLANNED, sold("0.5"), sold("0.5"), sold("1.5"))]
    parts = [dataclasses.replace(each, client_order_id=f"a{min(number, 2)}") for number, each in enumerate(parts)]
    books = [around(each.exchange, each.code, PRICE[each.quote], PRICE[each.quote] * 2) for each in (DOLLARS, WONS)]
    assert numbered(remainders_of(cycle_of(DOLLARS, WONS, parts, books[0], books[1]))) == ({2}, {"XRP"})


def test_a_fee_that_is_taken_in_the_coin_is_not_left() -> None:
    """Of 10 XRP a tenth of a percent is kept: 9.99 sold leave nothing, and what is sold then sheds nothing."""
    in_coin = dataclasses.replace(DOLLARS, fees=Fees(Decimal("0.001"), Decimal("0.5"), FeeTakenIn.RECEIVED))
    assert told(sold("1"), before=((in_coin, Side.BUY, "10"), (WONS, Side.SELL, "9.99"))) == (set(), set())
    assert told(sold("1"), before=((in_coin, Side.BUY, "10"), (WONS, Side.SELL, "9.5"))) == ({2}, {"XRP"})


def test_an_order_at_a_venue_that_the_plan_has_not_sheds_nothing_and_ends_a_round_trip() -> None:
    elsewhere = dataclasses.replace(WONS, exchange="other")
    assert told((elsewhere, Side.SELL, "2.5")) == (set(), set())
    assert told(sold("2.5"), (elsewhere, Side.BUY, "0.5")) == ({2}, set())


BTC = dataclasses.replace(BTC_KRW, min_cost=Decimal(5000))


def in_chain(*trades: tuple[Market, Side, str, str]) -> tuple[set[int], set[str]]:
    """In a plan of KRW > BTC > ETH > KRW, fees apart."""
    prices = {BTC: Decimal(100_000_000), ETH_BTC: Decimal("0.03"), ETH_KRW: Decimal(3_000_000)}
    sides = {BTC: Side.BUY, ETH_BTC: Side.BUY, ETH_KRW: Side.SELL}
    hops = tuple(TradeHop(market, around("won", market.code, prices[market], prices[market] * 2), side) for market, side in sides.items())
    fills: list[Fill] = [dataclasses.replace(fill(market, side, qty, Decimal(price)), fee=ZERO) for market, side, qty, price in trades]
    return numbered(remainders_of(cycle_on(hops, fills)))


def test_only_what_is_traded_for_money_sheds_and_a_trade_that_is_paid_in_the_coin_ends_its_round_trip() -> None:
    """0.00002 BTC, 2,000 won, are left; 0.00008 sold for won leave 0.00006 to be bought back."""
    spent = (BTC, Side.BUY, "0.01", "100000000"), (ETH_BTC, Side.BUY, "0.3326667", "0.03")
    assert in_chain(*spent) == (set(), set())
    shed = (*spent, (BTC, Side.SELL, "0.00008", "100000000"))
    assert in_chain(*shed) == ({2}, {"BTC"})
    assert in_chain(*shed, (ETH_KRW, Side.SELL, "0.1", "3000000")) == ({2}, {"BTC"})
    assert in_chain(*shed, (ETH_BTC, Side.SELL, "0.001", "0.03")) == ({2}, set())
    # ETH that are left, 0.0000001 of them, are too little for any order, and sold for BTC.
    little = (ETH_BTC, Side.BUY, "0.3", "0.03"), (ETH_KRW, Side.SELL, "0.2999999", "3000000"), (ETH_BTC, Side.SELL, "0.0000001", "0.03")
    assert in_chain(*little) == (set(), set())


@pytest.mark.parametrize(
    ("amount", "too_little"), [("2", False), ("-2", False), ("1.99", True), ("-1.99", True), ("1.999", True), ("2.009", False), ("0", True)]
)
def test_whole_lots_for_less_than_the_venue_s_minimum_are_too_little(amount: str, too_little: bool) -> None:
    assert is_too_little(WONS, Decimal(amount), Decimal(2500)) is too_little
    in_units = dataclasses.replace(WONS, min_cost=ZERO, min_qty=Decimal(2))
    assert is_too_little(in_units, Decimal(amount), Decimal(2500)) is too_little


def test_a_least_order_is_a_tenth_over_the_minimum_of_every_market_of_the_coin() -> None:
    books = [around(each.exchange, each.code, PRICE[each.quote], PRICE[each.quote] * 2) for each in (DOLLARS, WONS)]
    cycle = cycle_of(DOLLARS, WONS, [], books[0], books[1])
    assert least_order(cycle, WONS, Decimal(3000)) == Decimal("2.58")  # 5.50 USDT at 2.14; 5,500 won would be 1.84
    assert least_order(cycle, WONS, Decimal(2000)) == Decimal("2.75")
    assert least_order(cycle, DOLLARS, Decimal("2.5")) == Decimal("2.20")
    dear = dataclasses.replace(ETH_KRW, min_cost=Decimal(1_000_000))
    hops = [TradeHop(market, around("won", market.code, Decimal(1), Decimal(1000)), Side.BUY) for market in (BTC, dear)]
    assert least_order(cycle_on(tuple(hops), []), BTC, Decimal(100_000_000)) == Decimal("0.000055"), "of another coin it says nothing"
