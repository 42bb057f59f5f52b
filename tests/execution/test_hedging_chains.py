"""Hedging of chains, in which coins are traded for one another, and of forks: what is refused, what goes back, what is under a minimum.

The bound of each missing leg of a chain is compared with an account in fractions, as in test_hedging.py.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.hedging import UNDO_FIRST, HedgeStep, HedgingEngine, _Worth
from arbtui.execution.remainders import least_order, remainders_of
from arbtui.model.book import OrderBook
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, OrderState, Purpose, Side
from arbtui.routes.hops import TradeHop
from tests.execution.test_hedging import (
    BTC_KRW,
    DOLLAR_COIN_FEE,
    DOLLAR_QUOTE_FEE,
    ETH_BTC,
    ETH_KRW,
    FEE,
    PRICE,
    RATE_OF,
    STEP,
    UNIT,
    WON,
    account,
    around,
    cycle_of,
    cycle_on,
    fill,
    fills_of,
    order_of,
    refuse,
)

XRP_BTC = Market("won", "BTC-XRP", "XRP", "BTC", FixedUnit(Decimal("1e-12")), STEP, STEP, Decimal("1e9"), Decimal("0.00005"), WON.fees)
XRP_WON = dataclasses.replace(WON, min_cost=Decimal(5000))
BTC_ONLY_PAYS = {
    ETH_KRW: (Side.BUY, "3100000", "3101000"),
    ETH_BTC: (Side.SELL, "0.0310", "0.0311"),
    XRP_BTC: (Side.BUY, "0.00003", "0.0000301"),
    XRP_WON: (Side.SELL, "3000", "3001"),
}
#: Bought and sold as planned, but of XRP only so many.
ETH_AND_XRP = (
    fill(ETH_KRW, Side.BUY, "0.1", Decimal(3_100_000)),
    fill(ETH_BTC, Side.SELL, "0.1", Decimal("0.0310")),
    fill(XRP_WON, Side.SELL, "103", Decimal(3200)),
)


def paid_in_btc(*fills: Fill, unwinding: Sequence[int] = (), before: Sequence[Fill] = ETH_AND_XRP) -> ArbCycle:
    """KRW > ETH > BTC > XRP > KRW: no market of the plan has BTC as its base.

    ``unwinding``: which of ``fills``, that come after those of ``before``, take a leg back.
    """
    hops = tuple(
        TradeHop(market, around("won", market.code, Decimal(bid), Decimal(ask)), side) for market, (side, bid, ask) in BTC_ONLY_PAYS.items()
    )
    return cycle_on(hops, [*before, *fills], [len(before) + number for number in unwinding])


def test_a_coin_that_markets_are_only_priced_in_is_worth_what_they_bring_for_it_or_cost() -> None:
    """60 of 103 XRP were bought for BTC: how dear, in BTC, may the other 43 be?"""
    cycle = paid_in_btc(fill(XRP_BTC, Side.BUY, "60", Decimal("0.000031")))
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.qty) == (2, Side.BUY, Purpose.COMPLETE, Decimal(43))
    left = Fraction("0.1") * Fraction("0.0310") * (1 - FEE) - 60 * Fraction("0.000031") * (1 + FEE)
    brings = max(3_100_000 / Fraction("0.0311"), 3000 / Fraction("0.0000301")) * (1 - FEE) / (1 + FEE)
    costs = min(3_101_000 / Fraction("0.0310"), 3001 / Fraction("0.00003")) * (1 + FEE) / (1 - FEE)
    earned = 103 * 3200 * (1 - FEE) - Fraction("0.1") * 3_100_000 * (1 + FEE)
    dearest = (earned + left * brings) / (43 * (1 + FEE) * costs)
    assert abs(Fraction(step.price) - dearest) < Fraction(1, 10**11)


@pytest.mark.parametrize("scale", ["1", "1e-9"])
@pytest.mark.parametrize(("without", "others"), [((), (0, 1)), ((3,), (0,)), ((2,), (0,)), ((0,), (1,)), ((1,), (1,)), ((0, 3), ())])
def test_where_one_of_the_markets_that_are_priced_in_a_coin_tells_nothing_the_others_do(
    without: Sequence[int], others: Sequence[int], scale: str
) -> None:
    """BTC buy ETH, and XRP, which are sold for won; or are got for either. ``without``: numbers of legs whose books are empty."""
    size = Decimal(scale)
    hops = []
    for number, (market, (side, bid, ask)) in enumerate(BTC_ONLY_PAYS.items()):
        unit = size if market.quote == "KRW" else Decimal(1)
        empty = OrderBook("won", market.code)
        hops.append(
            TradeHop(market, empty if number in without else around("won", market.code, Decimal(bid) * unit, Decimal(ask) * unit), side)
        )
    worth = _Worth(cycle_on(tuple(hops), []))
    brings = 3_100_000 / Fraction("0.0311"), 3000 / Fraction("0.0000301")
    costs = 3_101_000 / Fraction("0.0310"), 3001 / Fraction("0.00003")
    kept, paid = (1 - FEE) / (1 + FEE) * Fraction(size), (1 + FEE) / (1 - FEE) * Fraction(size)
    assert worth.received("BTC") == pytest.approx(float(max((brings[n] for n in others), default=0) * kept))
    assert worth.paid("BTC") == pytest.approx(float(min((costs[n] for n in others), default=0) * paid))


def test_what_a_coin_buys_is_worth_what_that_brings_over_one_more_coin() -> None:
    """BTC buy ETH, which are sold for XRP, and these for won."""
    eth_xrp = dataclasses.replace(XRP_BTC, code="XRP-ETH", base="ETH", quote="XRP")
    touches = (ETH_BTC, "0.0310", "0.0311"), (eth_xrp, "1000", "1001"), (XRP_WON, "3000", "3001")
    hops = tuple(TradeHop(market, around("won", market.code, Decimal(bid), Decimal(ask)), Side.BUY) for market, bid, ask in touches)
    worth = _Worth(cycle_on(hops, []))
    assert worth.received("BTC") == pytest.approx(float(1000 * (1 - FEE) * 3000 * (1 - FEE) / (Fraction("0.0311") * (1 + FEE))))
    assert worth.paid("BTC") == pytest.approx(float(1001 * (1 + FEE) * 3001 * (1 + FEE) / (Fraction("0.0310") * (1 - FEE))))


BACK_IN_XRP = fill(XRP_BTC, Side.BUY, "60", Decimal("0.00003")), fill(XRP_WON, Side.BUY, "43", Decimal(3001))


@pytest.mark.parametrize("attempt", range(6))
def test_once_a_leg_of_a_chain_was_taken_back_what_the_one_before_brought_is_too_and_not_spent_again(attempt: int) -> None:
    """Spent again it would come back as what was just taken back, and so on, for the fees of each. The fold tells, over a restart too."""
    cycle = paid_in_btc(*BACK_IN_XRP, unwinding=[1])
    assert list(cycle.account.left(cycle.settlement)) == ["BTC"]
    step = HedgingEngine(20.0, 100.0).next_step(cycle, attempt)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (1, Side.BUY, Purpose.UNWIND)
    back = fill(ETH_BTC, Side.BUY, "0.0416", Decimal("0.0311"), "w")
    step = HedgingEngine(20.0, 100.0).next_step(paid_in_btc(*BACK_IN_XRP, back, unwinding=[1, 2]), attempt)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (0, Side.SELL, Purpose.UNWIND)


MORE_OR_LESS = pytest.mark.parametrize("bought", ["102.5", "103.5"], ids=["too few", "too many"])
WHAT_IT_BROUGHT = pytest.mark.parametrize("sold_at", ["3200", "2500"], ids=["earns", "loses"])


def with_remainder(bought: str, sold_at: str, *trades: tuple[Side, str], late: Sequence[Fill] = ()) -> ArbCycle:
    """103 XRP sold, ``bought`` of them bought for BTC, then ``trades`` of XRP for won, each an order of its own, then ``late``."""
    before = [*ETH_AND_XRP[:2], fill(XRP_WON, Side.SELL, "103", Decimal(sold_at)), fill(XRP_BTC, Side.BUY, bought, Decimal("0.0000302"))]
    unwinding = [number for number, (side, _) in enumerate(trades) if side is Side.BUY]
    made = [fill(XRP_WON, side, qty, Decimal(3000)) for side, qty in trades]
    return paid_in_btc(*made, *late, before=before, unwinding=unwinding)


@pytest.mark.parametrize("attempt", range(6))
@WHAT_IT_BROUGHT
@MORE_OR_LESS
def test_a_remainder_under_the_minimum_makes_its_round_trip_where_it_is_paid_in_money(bought: str, sold_at: str, attempt: int) -> None:
    """Half an XRP is left, or missing: the minimum more for BTC would leave as much to do as before, in BTC; so would the way back."""
    out, home = (Side.BUY, Side.SELL) if bought == "102.5" else (Side.SELL, Side.BUY)
    least = Decimal(5500) / 3000

    def step_after(*trades: tuple[Side, str]) -> tuple[int, Side, Decimal]:
        step = HedgingEngine(20.0, 100.0).next_step(with_remainder(bought, sold_at, *trades), attempt)
        assert step is not None
        assert step.purpose is (Purpose.COMPLETE if step.side is Side.SELL else Purpose.UNWIND)
        return step.leg, step.side, step.qty

    first = step_after()
    assert first[:2] == (3, out)
    assert first[2] == pytest.approx(Decimal("0.5") + least, rel=Decimal("0.02"))
    less = step_after((out, "0.2"))  # a part of it
    assert less[:2] == (3, out)
    assert less[2] == pytest.approx(Decimal("0.3") + least, rel=Decimal("0.02"))
    assert step_after((out, "2.3")) == (3, home, Decimal("1.8"))
    back = step_after((out, "2.3"), (home, "0.1"))  # a part of the other half
    assert back == (3, home, Decimal("1.7"))
    again = step_after((out, "2.3"), (home, "1.5"))  # so much of it that it is under the minimum anew
    assert again[:2] == (3, home)
    assert again[2] == pytest.approx(Decimal("0.3") + least, rel=Decimal("0.02"))


@pytest.mark.parametrize("attempt", range(2))
@MORE_OR_LESS
def test_a_round_trip_is_no_taking_back_of_the_chain(bought: str, attempt: int) -> None:
    """A late fill brings 0.01 ETH more: they are sold for BTC as planned, whether or not a remainder was shed before."""
    out, home = (Side.BUY, Side.SELL) if bought == "102.5" else (Side.SELL, Side.BUY)
    cycle = with_remainder(bought, "3200", (out, "2.3"), (home, "1.8"), late=[fill(ETH_KRW, Side.BUY, "0.01", Decimal(2_000_000))])
    assert cycle.account.undone
    assert list(cycle.account.left(cycle.settlement)) == ["ETH"]
    step = HedgingEngine(20.0, 100.0).next_step(cycle, attempt)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (1, Side.SELL, Purpose.COMPLETE)


@MORE_OR_LESS
def test_a_remainder_is_halfway_where_an_order_took_away_more_than_all_of_it(bought: str) -> None:
    out, home = (Side.BUY, Side.SELL) if bought == "102.5" else (Side.SELL, Side.BUY)

    def told_of(*trades: tuple[Side, str]) -> tuple[list[int], list[str]]:
        """Which of ``trades`` have shed a remainder, and of what the first half has filled."""
        cycle = with_remainder(bought, "3200", *trades)
        planned = len(cycle.fills) - len(trades)
        for number, each in enumerate(cycle.fills):
            cycle.fills[number] = dataclasses.replace(each, client_order_id=f"a{number}")
        told = remainders_of(cycle)
        return [number for number in range(len(trades)) if f"a{planned + number}" in told.shed_by], sorted(told.halfway)

    assert told_of() == ([], [])
    assert told_of((out, "0.2")) == ([0], [])
    assert told_of((out, "0.5")) == ([0], []), "nothing is left: there is no other half"
    assert told_of((out, "2.3")) == ([0], ["XRP"])
    assert told_of((out, "2.3"), (home, "0.1")) == ([0, 1], ["XRP"])


def test_where_the_market_of_a_round_trip_is_gone_its_other_half_goes_the_way_that_is_left() -> None:
    cycle = with_remainder("102.5", "3200", (Side.BUY, "2.3"))
    cycle.plan.hops[3].book.touch(0.0, 0.0, inf, 0.0)
    step = HedgingEngine(20.0, 100.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.qty) == (2, Side.SELL, Decimal("1.8"))


@pytest.mark.parametrize("attempt", range(3))
def test_what_is_more_than_a_remainder_is_no_half_of_a_round_trip(attempt: int) -> None:
    """0.3 XRP came, then 50 were sold from stock: the purchase for BTC is what completes it, as far as BTC are there."""
    fills = [
        fill(ETH_KRW, Side.BUY, "0.01", Decimal(3_100_000)),
        fill(ETH_BTC, Side.SELL, "0.01", Decimal("0.0310")),
        fill(XRP_BTC, Side.BUY, "0.3", Decimal("0.00003")),
        fill(XRP_WON, Side.SELL, "50", Decimal(3200)),
    ]
    step = HedgingEngine(20.0, 100.0).next_step(paid_in_btc(before=fills), attempt)
    assert step is not None
    expected = (2, Side.BUY, Purpose.COMPLETE) if attempt < 2 else (3, Side.BUY, Purpose.UNWIND)
    assert (step.leg, step.side, step.purpose) == expected


#: What can be done about BTC that are left in that chain once XRP were taken back, in the order in which it is tried.
BACK, ON = (1, Side.BUY), (2, Side.BUY)


@pytest.mark.parametrize("attempt", range(6))
def test_of_a_chain_that_goes_back_a_step_that_is_refused_waits_for_the_others(attempt: int) -> None:
    """By the venue or by our own gate; which ones were is no part of the fold, so they are tried anew after a restart."""

    def step_of(cycle: ArbCycle, refused: Sequence[Market] = ()) -> tuple[int, Side]:
        step = HedgingEngine(20.0, 100.0).next_step(cycle, attempt, refused)
        assert step is not None
        return step.leg, step.side

    cycle = paid_in_btc(*BACK_IN_XRP, unwinding=[1])
    by_gate = [ETH_BTC, ETH_BTC, ETH_BTC, ETH_BTC, XRP_BTC, ETH_BTC]
    assert [step_of(cycle, by_gate[:count]) for count in range(7)] == [BACK, BACK, BACK, BACK, ON, BACK, ON]
    turns = []
    for _ in range(7):
        turns.append(step_of(cycle))
        refuse(cycle, cycle.plan.hops[turns[-1][0]].market)
    assert turns == [BACK, BACK, BACK, BACK, ON, BACK, ON]
    refuse(cycle, ETH_BTC, state=OrderState.EXPIRED)  # it was taken, and did not fill
    assert step_of(cycle) == BACK
    refuse(cycle, ETH_BTC, state=OrderState.ABANDONED)
    assert step_of(cycle) == ON
    assert step_of(cycle, [XRP_BTC]) == BACK


@pytest.mark.parametrize("attempt", range(6))
def test_a_chain_that_was_turned_around_goes_on_that_way_until_that_is_refused_as_often(attempt: int) -> None:
    """XRP were taken back, and ETH/BTC was refused: the BTC have bought XRP once more. Selling these for BTC again would be a circle."""
    cycle = paid_in_btc(*BACK_IN_XRP, fill(XRP_BTC, Side.BUY, "43", Decimal("0.00003")), unwinding=[1])
    taken_back = order_of("a4", XRP_WON, Side.BUY, Purpose.UNWIND)
    bought_again = order_of("a5", XRP_BTC, Side.BUY, Purpose.COMPLETE)
    for order in (taken_back, bought_again):
        order.state, order.filled_qty = OrderState.FILLED, order.qty
    cycle.orders.append(taken_back)
    for _ in range(4):
        refuse(cycle, ETH_BTC)
    cycle.orders.append(bought_again)
    turns = []
    for _ in range(6):
        step = HedgingEngine(20.0, 100.0).next_step(cycle, attempt)
        assert step is not None
        turns.append((step.leg, step.purpose))
        refuse(cycle, step.hop.market)
    on, back = (3, Purpose.COMPLETE), (2, Purpose.UNWIND)
    assert turns == [on, on, on, back, on, back]


@pytest.mark.parametrize("state", [OrderState.REJECTED, OrderState.ABANDONED])
def test_a_leg_that_the_venue_does_not_let_us_take_back_is_completed_where_that_is_possible(state: OrderState) -> None:
    buy, sell = DOLLAR_COIN_FEE, WON
    touches = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    cycle, engine = cycle_of(buy, sell, fills_of("bought", buy, sell), *touches), HedgingEngine(20.0, 100.0)
    purposes = []
    for market in (buy, sell, buy, sell):
        step = engine.next_step(cycle, UNDO_FIRST)
        assert step is not None
        assert step.hop.market is market
        purposes.append(step.purpose)
        refuse(cycle, market, step.side, state)
    assert purposes == [Purpose.UNWIND, Purpose.COMPLETE] * 2
    # Where completing comes first, it is tried again, whatever was refused: a refusal may be for a moment.
    again = [engine.next_step(cycle, attempt) for attempt in (0, 1)]
    assert [step.purpose for step in again if step is not None] == [Purpose.COMPLETE] * 2


@pytest.mark.parametrize(("by_venue", "by_gate"), [(0, 1), (1, 0)])
def test_what_the_gate_refuses_comes_after_every_refusal_by_a_venue(by_venue: int, by_gate: int) -> None:
    buy, sell = DOLLAR_COIN_FEE, WON
    touches = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    cycle = cycle_of(buy, sell, fills_of("bought", buy, sell), *touches)
    refuse(cycle, (buy, sell)[by_venue])
    step = HedgingEngine(20.0, 100.0).next_step(cycle, UNDO_FIRST, [(buy, sell)[by_gate]])
    assert step is not None
    assert step.leg == by_venue


@pytest.mark.parametrize("how", ["venue", "gate"])
def test_where_completing_is_refused_a_leg_that_brought_the_coin_as_its_price_is_taken_back(how: str) -> None:
    """No market of the plan has BTC as its base: there is no leg to take back but the one that was paid in them."""
    cycle = paid_in_btc(*BACK_IN_XRP)
    refused: list[Market] = []
    for expected in (ON, BACK, ON, BACK):
        step = HedgingEngine(20.0, 100.0).next_step(cycle, UNDO_FIRST, refused)
        assert step is not None
        assert (step.leg, step.side) == expected
        if how == "gate":
            refused.append(step.hop.market)
        else:
            refuse(cycle, step.hop.market)


XRP_OTHER = dataclasses.replace(DOLLAR_QUOTE_FEE, exchange="other")


def fork_of(fills: Sequence[Fill], won_bid: str = "3100", other_bid: str = "2.2") -> ArbCycle:
    """XRP bought in dollars and sold for won and for dollars elsewhere, at these bids; the purchase can be taken back at 2.13."""
    sides = (DOLLAR_QUOTE_FEE, Side.BUY, "2.13"), (WON, Side.SELL, won_bid), (XRP_OTHER, Side.SELL, other_bid)
    hops = tuple(
        TradeHop(market, around(market.exchange, market.code, Decimal(bid), Decimal(bid) + UNIT), side) for market, side, bid in sides
    )
    return cycle_on(hops, fills)


PARTLY_SOLD = fill(DOLLAR_QUOTE_FEE, Side.BUY, "100", PRICE["USDT"]), fill(WON, Side.SELL, "40", Decimal(3000))


@pytest.mark.parametrize("attempt", [0, 1])
@pytest.mark.parametrize("how", ["venue", "gate"])
def test_a_part_of_a_fork_that_was_refused_once_is_tried_again_before_the_fork_is_taken_back(how: str, attempt: int) -> None:
    """The other part pays nothing any more; where it does, it takes what is missing, and where both were refused, each in turn."""
    engine = HedgingEngine(20.0, 9_999.0)

    def market_of(cycle: ArbCycle, *refused: Market) -> tuple[Market, Purpose]:
        if how == "venue":
            cycle.orders.clear()
            for market in refused:
                refuse(cycle, market)
        step = engine.next_step(cycle, attempt, refused if how == "gate" else ())
        assert step is not None
        return step.hop.market, step.purpose

    assert market_of(fork_of(PARTLY_SOLD, other_bid="1.5"), WON) == (WON, Purpose.COMPLETE)
    both = fork_of(PARTLY_SOLD)
    assert market_of(both, WON) == (XRP_OTHER, Purpose.COMPLETE)
    assert market_of(both, WON, XRP_OTHER) == (WON, Purpose.COMPLETE)
    assert market_of(both, XRP_OTHER, WON) == (XRP_OTHER, Purpose.COMPLETE)


@pytest.mark.parametrize(
    ("sides", "filled", "touches"),
    [
        ((Side.BUY, Side.SELL, Side.SELL), (DOLLAR_QUOTE_FEE, Side.BUY), (("2.2", "3100", "2.3"), ("2.2", "3400", "2.3"))),
        ((Side.SELL, Side.BUY, Side.BUY), (DOLLAR_QUOTE_FEE, Side.SELL), (("2.1", "2900", "1.9"), ("2.1", "2600", "1.9"))),
    ],
    ids=["sold where it brings most", "bought where it costs least"],
)
@pytest.mark.parametrize("attempt", [0, 1])
def test_of_the_parts_of_a_fork_the_cheapest_completes_it(
    sides: tuple[Side, Side, Side], filled: tuple[Market, Side], touches: Sequence[tuple[str, str, str]], attempt: int
) -> None:
    for prices, leg in zip(touches, (2, 1), strict=True):
        hops = tuple(
            TradeHop(at, around(at.exchange, at.code, Decimal(price), Decimal(price) + UNIT), side)
            for at, side, price in zip((DOLLAR_QUOTE_FEE, WON, XRP_OTHER), sides, prices, strict=True)
        )
        step = HedgingEngine(20.0, 9_999.0).next_step(cycle_on(hops, [fill(*filled, "100", PRICE["USDT"])]), attempt)
        assert step is not None
        assert (step.leg, step.purpose) == (leg, Purpose.COMPLETE)


@pytest.mark.parametrize(("attempt", "purpose"), [(0, Purpose.COMPLETE), (1, Purpose.COMPLETE), (2, Purpose.UNWIND)])
def test_two_legs_are_no_chain_and_of_one_that_was_partly_taken_back_the_rest_may_still_be_completed(
    attempt: int, purpose: Purpose
) -> None:
    hops = tuple(
        TradeHop(at, around(at.exchange, at.code, Decimal(bid), Decimal(bid) + UNIT), side)
        for at, side, bid in ((DOLLAR_QUOTE_FEE, Side.BUY, "2.13"), (WON, Side.SELL, "3100"))
    )
    fills = [fill(DOLLAR_QUOTE_FEE, Side.BUY, "100", PRICE["USDT"]), fill(DOLLAR_QUOTE_FEE, Side.SELL, "40", Decimal("2.13"), "u")]
    step = HedgingEngine(20.0, 100.0).next_step(cycle_on(hops, fills, unwinding=[1]), attempt)
    assert step is not None
    assert (step.purpose, step.qty) == (purpose, Decimal(60))


def test_quantities_are_in_lots_and_prices_are_not() -> None:
    """Lots of a hundredth of a coin, at prices between them; what a lot less would come to decides whether there may be one."""
    dollars, won = (dataclasses.replace(each, lot_step=Decimal("0.01"), min_qty=Decimal("0.01")) for each in (DOLLAR_QUOTE_FEE, WON))
    books = around("dollar", "XRP-USDT", Decimal("2.131"), Decimal("2.132")), around("won", "XRP-KRW", Decimal("3050.001"), Decimal(3051))

    def undone(*fills: Fill, min_cost: str) -> HedgeStep:
        at = dataclasses.replace(dollars, min_cost=Decimal(min_cost))
        step = HedgingEngine(20.0, 100.0).last_resort(cycle_of(at, won, fills, *books))
        assert step is not None
        assert step.price == at.price_up(Decimal("2.131") * Decimal("0.99"))
        return step

    bought = fill(dollars, Side.BUY, "100", PRICE["USDT"])
    whole = undone(bought, min_cost="5")
    assert whole.qty == 100
    assert whole.one_lot_less() == dataclasses.replace(whole, qty=Decimal("99.99"))
    assert dataclasses.replace(whole, qty=Decimal("2.37")).one_lot_less() is None, "2.36 are less than 5 USDT"
    sold = fill(won, Side.SELL, "99.7", PRICE["KRW"])
    assert undone(bought, sold, min_cost="5").qty == Decimal("0.3") + Decimal("2.61"), "5.50 USDT more"
    eth_btc = dataclasses.replace(ETH_BTC, lot_step=Decimal("0.001"), min_qty=Decimal("0.001"))
    touches = (BTC_KRW, Side.BUY, "99900000"), (eth_btc, Side.BUY, "0.03021"), (ETH_KRW, Side.SELL, "3400000")
    hops = tuple(TradeHop(at, around("won", at.code, Decimal(bid), Decimal(bid) * Decimal("1.0001")), side) for at, side, bid in touches)
    step = HedgingEngine(20.0, 100.0).next_step(cycle_on(hops, [fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000))]), 0)
    assert step is not None
    assert (step.leg, step.purpose, step.qty) == (1, Purpose.COMPLETE, Decimal("0.327"))


#: What has filled of KRW > BTC > ETH > money, or of its mirror, each a (market, side, quantity, price), and the leg that is missing.
HALF_CHAINS: dict[str, tuple[tuple[Side, Side, Side], list[tuple[int, Side, str, str]], tuple[int, Side]]] = {
    "bought BTC, ETH missing": ((Side.BUY, Side.BUY, Side.SELL), [(0, Side.BUY, "0.01", "100000000")], (1, Side.BUY)),
    "bought ETH, its sale missing": (
        (Side.BUY, Side.BUY, Side.SELL),
        [(0, Side.BUY, "0.01", "100000000"), (1, Side.BUY, "0.32", "0.0303")],
        (2, Side.SELL),
    ),
    "sold ETH, its purchase missing": ((Side.BUY, Side.BUY, Side.SELL), [(2, Side.SELL, "0.33", "3100000")], (1, Side.BUY)),
    "bought ETH and sold it, the sale of BTC missing": (
        (Side.SELL, Side.SELL, Side.BUY),
        [(2, Side.BUY, "0.33", "3000000"), (1, Side.SELL, "0.33", "0.0303")],
        (0, Side.SELL),
    ),
    "bought ETH, BTC missing": ((Side.SELL, Side.SELL, Side.BUY), [(2, Side.BUY, "0.33", "3000000")], (1, Side.SELL)),
    "sold BTC, ETH missing": ((Side.SELL, Side.SELL, Side.BUY), [(0, Side.SELL, "0.01", "100000000")], (1, Side.SELL)),
    "sold BTC, the purchase of ETH missing": (
        (Side.SELL, Side.SELL, Side.BUY),
        [(0, Side.SELL, "0.01", "100000000"), (1, Side.SELL, "0.34", "0.0303")],
        (2, Side.BUY),
    ),
}


@pytest.mark.parametrize("half", list(HALF_CHAINS))
@pytest.mark.parametrize("last", ["KRW", "USDT"])
@pytest.mark.parametrize("taken_in", [FeeTakenIn.QUOTE, FeeTakenIn.RECEIVED])
@pytest.mark.parametrize(("attempt", "beyond_bps"), [(0, 0), (1, 20)])
def test_a_missing_leg_of_a_chain_may_cost_what_the_cycle_has_earned_and_not_a_unit_more(
    half: str, last: str, taken_in: FeeTakenIn, attempt: int, beyond_bps: int
) -> None:
    """All else, completed at the touch: whatever the step leaves of a coin is bought or sold there, its fee and the rate included."""
    sides, filled, (leg, side) = HALF_CHAINS[half]
    in_last = Decimal(1) if last == "KRW" else Decimal("0.0007")
    fees = Fees(Decimal("0.0007"), Decimal("0.5"), taken_in)
    fine = {"fees": fees, "price_units": FixedUnit(Decimal("1e-13"))}
    markets = tuple(dataclasses.replace(each, **fine) for each in (BTC_KRW, ETH_BTC, dataclasses.replace(ETH_KRW, quote=last)))  # type: ignore[arg-type]
    bids = [Decimal(99_900_000), Decimal("0.0302"), Decimal(3_100_000) * in_last]
    asks = [Decimal(100_000_000), Decimal("0.0303"), Decimal(3_101_000) * in_last]
    better = Decimal("0.8") if side is Side.BUY else Decimal("1.25")  # the missing side pays at any bound
    bids[leg], asks[leg] = bids[leg] * better, asks[leg] * better
    hops = tuple(
        TradeHop(each, around("won", each.code, bid, ask), one) for each, bid, ask, one in zip(markets, bids, asks, sides, strict=True)
    )
    fills = [fill(markets[n], one, qty, Decimal(price) * (in_last if n == 2 else 1)) for n, one, qty, price in filled]
    step = HedgingEngine(20.0, 9_999.0).next_step(cycle_on(hops, fills), attempt)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (leg, side, Purpose.COMPLETE)

    def in_won(amounts: Mapping[str, Fraction]) -> Fraction:
        dollars = amounts.get("USDT", Fraction(0))
        rate = RATE_OF["USDT", "KRW"] if dollars > 0 else 1 / RATE_OF["KRW", "USDT"]
        return amounts.get("KRW", Fraction(0)) + dollars * rate

    def ends_with(price: Decimal) -> Fraction:
        """Won in all, once the step has filled at ``price`` and what is left of BTC and ETH is traded for money at the touch."""
        held = account([*fills, fill(markets[leg], side, str(step.qty), price)])
        kept, paid = 1 - FEE, 1 / (1 - FEE) if taken_in is FeeTakenIn.RECEIVED else 1 + FEE
        for coin, n in (("BTC", 0), ("ETH", 2)):
            amount, quote = held.get(coin, Fraction(0)), markets[n].quote
            held[quote] = held.get(quote, Fraction(0)) + amount * (Fraction(bids[n]) * kept if amount > 0 else Fraction(asks[n]) * paid)
        return in_won(held)

    flows = [in_won({quote: change for quote, change in account([each]).items() if quote in ("KRW", "USDT")}) for each in fills]
    turnover = max(sum(flow for flow in flows if flow > 0), -sum(flow for flow in flows if flow < 0))
    allowed, hair = -turnover * Fraction(beyond_bps, 10_000), turnover / 10**7  # half a lot is worth so much
    if leg == 1 and side is Side.BUY and taken_in is FeeTakenIn.RECEIVED:
        hair *= 30  # BTC are kept for a fee that is taken in ETH, and sold at the touch
    assert abs(ends_with(step.price) - allowed) < hair
    further = step.price * (1 + (1 if side is Side.BUY else -1) * Decimal("1e-5"))
    assert ends_with(further) < allowed - hair


def test_a_chain_whose_leg_was_filled_at_another_venue_goes_on() -> None:
    """XRP were sold at a venue that the plan has not, to which that leg had moved: neither a round trip, nor a leg taken back."""
    elsewhere = dataclasses.replace(XRP_WON, exchange="other")
    sold = fill(elsewhere, Side.SELL, "103", Decimal(3200))
    moved, planned = (
        paid_in_btc(fill(XRP_BTC, Side.BUY, "60", Decimal("0.000031")), before=(*ETH_AND_XRP[:2], one)) for one in (sold, ETH_AND_XRP[2])
    )
    step, expected = (HedgingEngine(0.0, 9_999.0).next_step(cycle, 0) for cycle in (moved, planned))
    assert step is not None
    assert expected is not None
    assert (step.leg, step.side, step.purpose, step.qty, step.price) == (
        expected.leg,
        expected.side,
        expected.purpose,
        expected.qty,
        expected.price,
    )


def test_a_remainder_that_another_venue_sheds_is_over_that_venues_minimum() -> None:
    """The plan's markets take 5,000 won at least, the other venue 50,000."""
    dear = dataclasses.replace(XRP_WON, exchange="other", min_cost=Decimal(50_000))
    cycle = paid_in_btc(fill(XRP_BTC, Side.BUY, "102", Decimal("0.000031")))
    assert least_order(cycle, dear, Decimal(3000)) * 3000 >= 50_000
    assert least_order(cycle, XRP_WON, Decimal(3000)) * 3000 < 50_000


def test_a_remainder_of_a_coin_that_nothing_pays_money_for_makes_its_round_trip_for_the_coin_that_is_paid() -> None:
    """KRW > BTC > ETH > XRP > KRW: 0.0001 ETH are left, which are sold for BTC alone, half a thousandth of one at least."""
    eth_btc = dataclasses.replace(ETH_BTC, min_cost=Decimal("0.0005"))
    xrp_eth = dataclasses.replace(XRP_BTC, code="ETH-XRP", quote="ETH")
    touches = (
        (BTC_KRW, Side.BUY, "99900000", "100000000"),
        (eth_btc, Side.BUY, "0.0302", "0.0303"),
        (xrp_eth, Side.BUY, "0.00099", "0.001"),
        (XRP_WON, Side.SELL, "3000", "3001"),
    )
    hops = tuple(TradeHop(at, around("won", at.code, Decimal(bid), Decimal(ask)), side) for at, side, bid, ask in touches)
    fills = (
        fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000)),
        dataclasses.replace(fill(eth_btc, Side.BUY, "0.3301", Decimal("0.01") / Decimal("0.3301")), fee=ZERO, cost=Decimal("0.01")),
        dataclasses.replace(fill(xrp_eth, Side.BUY, "330", Decimal("0.001")), fee=ZERO),
        fill(XRP_WON, Side.SELL, "330", Decimal(3000)),
    )
    cycle = cycle_on(hops, fills)
    assert cycle.residual == {"ETH": Decimal("0.0001")}
    step = HedgingEngine(20.0, 100.0).last_resort(cycle)
    assert step is not None
    assert (step.leg, step.side, step.price) == (1, Side.SELL, Decimal("0.029898"))
    assert step.qty == eth_btc.qty_up(Decimal("0.0001") + eth_btc.qty_up(Decimal("0.00055") / Decimal("0.029898")))
