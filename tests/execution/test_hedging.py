"""The worst price of each hedging order, against an account kept in fractions by nothing of the engine's own code.

Both venues' grids are far finer than a fee, so that a bound that is off by a tenth of a basis point is seen.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.hedging import HedgeStep, HedgingEngine, _Worth
from arbtui.execution.plan import CyclePlan
from arbtui.execution.remainders import least_qty, price_of
from arbtui.journal.events import CycleOpened, FillRecorded, OrderIntended, PlannedLeg
from arbtui.model.book import OrderBook
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side, TimeInForce
from arbtui.routes.hops import InventoryHop, Node, RateMark, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.route import ArbRoute
from tests.portfolio.telling import Telling
from tests.routes.pairs import NOW, TERMS, book, rate_book

UNIT, LOT = Decimal("0.0000001"), Decimal("0.0000001")


def market(exchange: str, quote: str, fee: str, taken_in: FeeTakenIn) -> Market:
    """One whose minimum is one unit of quote."""
    return Market(
        exchange, f"XRP-{quote}", "XRP", quote, FixedUnit(UNIT), LOT, LOT, Decimal("1e9"), Decimal(1),
        Fees(Decimal(fee), Decimal("0.5"), taken_in),
    )  # fmt: skip


DOLLAR_COIN_FEE = market("dollar", "USDT", "0.001", FeeTakenIn.RECEIVED)
DOLLAR_QUOTE_FEE = market("dollar", "USDT", "0.0013", FeeTakenIn.QUOTE)
WON = market("won", "KRW", "0.0007", FeeTakenIn.QUOTE)
WON_COIN_FEE = market("won", "KRW", "0.0017", FeeTakenIn.RECEIVED)
#: Dollars are sold at the bid and bought at the ask, and changing costs 5 bps.
RATES = rate_book(1400.0, 1404.0, fee=0.0005)
RATE_OF = {
    ("KRW", "USDT"): 1 / (Fraction(1404) * Fraction(10_005, 10_000)),
    ("USDT", "KRW"): Fraction(1400) * Fraction(9_995, 10_000),
}
#: A unit of XRP in each quote, about.
PRICE = {"USDT": Decimal("2.14"), "KRW": Decimal(3000)}

PAIRS = [(DOLLAR_COIN_FEE, WON), (DOLLAR_QUOTE_FEE, WON), (WON, DOLLAR_COIN_FEE), (WON, DOLLAR_QUOTE_FEE), (WON_COIN_FEE, DOLLAR_COIN_FEE)]
EVERY_PAIR = pytest.mark.parametrize(("buy", "sell"), PAIRS, ids=["coin-won", "quote-won", "won-coin", "won-quote", "woncoin-coin"])


def fill(of: Market, side: Side, qty: str, price: Decimal, trade_id: str = "t") -> Fill:
    """A fill with the fee that a venue takes: of what is received, or always of the quote."""
    in_base = side is Side.BUY and of.fees.taken_in is FeeTakenIn.RECEIVED
    amount, cost = Decimal(qty), Decimal(qty) * price
    fee, currency = (amount * of.fees.taker, of.base) if in_base else (cost * of.fees.taker, of.quote)
    return Fill(
        of.exchange,
        f"{of.exchange}-{trade_id}",
        "a1",
        "v1",
        of.code,
        of.base,
        of.quote,
        side,
        amount,
        price,
        cost,
        fee,
        currency,
        "taker",
        0,
    )


def account(fills: Sequence[Fill]) -> dict[str, Fraction]:
    """What ``fills`` bring and take, asset by asset."""
    held: dict[str, Fraction] = {}
    for each in fills:
        sign = 1 if each.side is Side.BUY else -1
        for asset, change in ((each.base, sign * each.qty), (each.quote, -sign * each.cost), (each.fee_currency, -each.fee)):
            held[asset] = held.get(asset, Fraction(0)) + Fraction(change)
    return held


def profit(fills: Sequence[Fill], buy: Market, sell: Market) -> Fraction:
    """Cash that ``fills`` bring in all, in the buying market's quote."""
    held = account(fills)
    return held.get(buy.quote, Fraction(0)) + held.get(sell.quote, Fraction(0)) * RATE_OF[sell.quote, buy.quote]


def turnover(fills: Sequence[Fill], buy: Market, sell: Market) -> Fraction:
    """The larger of what was spent and what was got, in the buying market's quote."""
    spent = -profit([each for each in fills if each.exchange == buy.exchange], buy, sell)
    got = profit([each for each in fills if each.exchange == sell.exchange], buy, sell)
    return max(spent, got)


def around(exchange: str, code: str, bid: Decimal, ask: Decimal) -> OrderBook:
    return book(exchange, code, [(float(bid), 1e6)], [(float(ask), 1e6)])


def cycle_of(
    buy: Market,
    sell: Market,
    fills: Sequence[Fill],
    ask_book: OrderBook,
    bid_book: OrderBook,
    marks: Mapping[str, Decimal] | None = None,
    *,
    sale_first: bool = False,
) -> ArbCycle:
    """A cycle of 100 XRP that has ``fills``; ``marks``: what coins were worth in USDT when they came.

    ``sale_first``: of its legs, the sale is the first; bounds are then reckoned in what it brings.
    """
    stock = Node(buy.exchange, "XRP", 1e6), Node(sell.exchange, "XRP", 1e6)
    hops = TradeHop(buy, ask_book, Side.BUY), TradeHop(sell, bid_book, Side.SELL)
    route = InventoryRoute("XRP", *hops, InventoryHop(*stock, 0.0), Node(buy.exchange, buy.quote, 1e9), RATES, TERMS)
    hops = hops[::-1] if sale_first else hops
    legs = tuple(
        PlannedLeg(n, hop.market.exchange, hop.market.code, "XRP", hop.market.quote, hop.side, Decimal(100), PRICE[hop.market.quote], LOT)
        for n, hop in enumerate(hops)
    )
    told = Telling()
    told(CycleOpened("c1", route.id, "XRP", 10.0, 200.0, legs, (), 0))
    for n, each in enumerate(fills):
        told(FillRecorded(dataclasses.replace(each, trade_id=f"{each.trade_id}-{n}"), "c1", 0, "stream", 0, dict(marks or {})))
    opened = told.portfolio.cycle("c1")
    assert opened is not None
    cycle = ArbCycle("c1", CyclePlan(route, legs, hops, (), 10.0, 200.0, NOW, NOW + 1), opened, ("KRW", "USDT"), NOW)
    cycle.fills = list(fills)
    return cycle


def step_at_any_price(
    buy: Market, sell: Market, fills: Sequence[Fill], attempt: int, completion_bps: float, *, sale_first: bool = False
) -> HedgeStep:
    """The step with both touches far on our side of every bound, and a collar that allows everything: only the bound decides."""
    books = []
    for each in (buy, sell):
        price = PRICE[each.quote]
        books.append(around(each.exchange, each.code, price * Decimal("1.2"), price * Decimal("1.3")))
    # Buying needs an ask under the bound, selling a bid over it: the missing side alone is looked at.
    if sum((each.qty if each.side is Side.BUY else -each.qty for each in fills), Decimal(0)) < 0:
        price = PRICE[buy.quote]
        books[0] = around(buy.exchange, buy.code, price * Decimal("0.7"), price * Decimal("0.8"))
    cycle = cycle_of(buy, sell, fills, books[0], books[1], sale_first=sale_first)
    step = HedgingEngine(completion_bps, 9_999.0).next_step(cycle, attempt)
    assert step is not None
    return step


def completed(fills: Sequence[Fill], step: HedgeStep) -> list[Fill]:
    """``fills`` and the step's own, filled whole at its worst price."""
    return [*fills, fill(step.hop.market, step.side, str(step.qty), step.price, "hedge")]


FILLED: dict[str, list[tuple[str, Side, str, str]]] = {  # leg, side, quantity, share of the usual price
    "bought": [("buy", Side.BUY, "100", "1")],
    "sold": [("sell", Side.SELL, "100", "1")],
    "bought in two": [("buy", Side.BUY, "30", "0.999"), ("buy", Side.BUY, "70", "1.002")],
    "bought more": [("buy", Side.BUY, "100", "1"), ("sell", Side.SELL, "60", "1.003")],
    "sold more": [("sell", Side.SELL, "100", "1"), ("buy", Side.BUY, "60", "0.997")],
}


def fills_of(which: str, buy: Market, sell: Market) -> list[Fill]:
    legs = {"buy": buy, "sell": sell}
    return [
        fill(legs[leg], side, qty, PRICE[legs[leg].quote] * Decimal(share), f"t{number}")
        for number, (leg, side, qty, share) in enumerate(FILLED[which])
    ]


@pytest.mark.parametrize("which", list(FILLED))
@EVERY_PAIR
@pytest.mark.parametrize(("attempt", "beyond_bps"), [(0, 0), (1, 20)])
@pytest.mark.parametrize("sale_first", [False, True], ids=["buy-sell", "sell-buy"])
def test_a_missing_leg_may_cost_what_the_cycle_has_earned_and_not_a_unit_more(
    buy: Market, sell: Market, which: str, attempt: int, beyond_bps: int, sale_first: bool
) -> None:
    fills = fills_of(which, buy, sell)
    step = step_at_any_price(buy, sell, fills, attempt, completion_bps=20.0, sale_first=sale_first)
    missing_sale = which.startswith("bought")
    hop = step.hop
    assert (step.side, step.purpose) == (Side.SELL if missing_sale else Side.BUY, Purpose.COMPLETE)
    assert step.leg == int(missing_sale is not sale_first)
    assert hop.market is (sell if missing_sale else buy)
    # The order brings the coin back to where it was, within half a lot.
    assert abs(account(completed(fills, step))["XRP"]) <= Fraction(LOT)
    # At its worst price the cycle loses what it may lose; a unit further it would lose more. Half a lot is worth this much:
    hair = Fraction(step.price) * Fraction(LOT) * (RATE_OF[sell.quote, buy.quote] if missing_sale else 1)
    allowed = -turnover(fills, buy, sell) * Fraction(beyond_bps, 10_000)
    at_bound = profit(completed(fills, step), buy, sell)
    assert at_bound >= allowed - hair
    worse = dataclasses.replace(step, price=step.price + (-2 * UNIT if missing_sale else 2 * UNIT))
    assert profit(completed(fills, worse), buy, sell) < allowed + hair
    assert abs(at_bound - allowed) < turnover(fills, buy, sell) * Fraction(1, 10_000_000)


def test_two_bounds_by_hand() -> None:
    """100 XRP bought at 2.14 USDT, 0.1 of them kept as fee, and the same 100 sold at 3,000 KRW, at a rate of 1,400 to 1,404."""
    sale = step_at_any_price(DOLLAR_COIN_FEE, WON, fills_of("bought", DOLLAR_COIN_FEE, WON), 0, 0.0)
    # 214 USDT are 214 * 1404 * 1.0005 = 300,606.228 KRW; 99.9 XRP less 7 bps must bring them.
    assert sale.qty == Decimal("99.9")
    assert sale.price == pytest.approx(Decimal("300606.228") / Decimal("99.9") / Decimal("0.9993"), abs=Decimal("0.000001"))
    purchase = step_at_any_price(DOLLAR_COIN_FEE, WON, fills_of("sold", DOLLAR_COIN_FEE, WON), 0, 0.0)
    # 300,000 KRW less 210 are 299,790 / 1404 / 1.0005 USDT; they must buy 100 / 0.999 XRP.
    assert purchase.qty == Decimal("100.1001001")
    spendable = Decimal(299_790) / Decimal("1404.702")
    assert purchase.price == pytest.approx(spendable * Decimal("0.999") / 100, abs=Decimal("0.000001"))


@pytest.mark.parametrize("sale_first", [False, True])
@pytest.mark.parametrize("which", ["bought", "sold"])
def test_a_fee_in_a_third_coin_is_money_that_is_gone(which: str, sale_first: bool) -> None:
    """0.001 BNB at 600 USDT: the missing leg must bring 0.6 USDT more, or may cost so much less.

    Without any price of BNB the market's rate counts: 13 bps of the 214 USDT, 7 of the 300,000 KRW. It used to be nothing.
    """
    buy, sell = DOLLAR_QUOTE_FEE, WON
    (free,) = [dataclasses.replace(each, fee=Decimal(0)) for each in fills_of(which, buy, sell)]
    in_bnb = dataclasses.replace(free, fee=Decimal("0.001"), fee_currency="BNB")
    touches = [
        around(each.exchange, each.code, PRICE[each.quote] * Decimal("1.2"), PRICE[each.quote] * Decimal("1.3")) for each in (buy, sell)
    ]
    if which == "sold":
        touches[0] = around(buy.exchange, buy.code, Decimal(1), Decimal("1.1"))
    prices = []
    for each, marks in ((free, {}), (in_bnb, {"BNB": Decimal(600)}), (in_bnb, {})):
        cycle = cycle_of(buy, sell, [each], touches[0], touches[1], marks, sale_first=sale_first)
        step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
        assert step is not None
        prices.append(Fraction(step.price))
    without, with_fee, unpriced = prices
    rate = Fraction("0.2782") if which == "bought" else 210 * RATE_OF["KRW", "USDT"]
    assert abs((unpriced - without) - (with_fee - without) * rate / Fraction(6, 10)) < Fraction(1, 1_000_000)
    if which == "bought":
        more = Fraction(6, 10) / (100 * (1 - Fraction("0.0007")) * RATE_OF["KRW", "USDT"])
        assert abs(with_fee - without - more) < Fraction(1, 100_000)
    else:
        less = Fraction(6, 10) / (100 * (1 + Fraction("0.0013")))
        assert abs(without - with_fee - less) < Fraction(1, 1_000_000)


def test_a_fee_in_another_settlement_currency_is_money_that_is_gone() -> None:
    """560 won taken of a purchase in USDT, at 1,400 less 5 bps a dollar: 0.40 USDT."""
    (free,) = [dataclasses.replace(each, fee=Decimal(0)) for each in fills_of("bought", DOLLAR_QUOTE_FEE, WON)]
    prices = []
    for fee, currency in ((Decimal(560), "KRW"), (Decimal(560) / Decimal("1399.3"), "USDT")):
        told = dataclasses.replace(free, fee=fee, fee_currency=currency)
        prices.append(step_at_any_price(DOLLAR_QUOTE_FEE, WON, [told], 0, 0.0).price)
    assert prices[0] == pytest.approx(prices[1], abs=Decimal("0.000001"))


def test_a_fee_that_nothing_prices_counts_at_the_rate_of_the_market_that_a_leg_has_moved_to() -> None:
    elsewhere = market("third", "USDT", "0.0041", FeeTakenIn.QUOTE)
    (usual,) = fills_of("bought", elsewhere, WON)
    in_bnb = dataclasses.replace(usual, fee=Decimal("0.001"), fee_currency="BNB")
    prices = []
    for each in (usual, in_bnb):
        books = [
            around(at.exchange, at.code, PRICE[at.quote] * Decimal("1.2"), PRICE[at.quote] * Decimal("1.3")) for at in (elsewhere, WON)
        ]
        cycle = cycle_of(DOLLAR_QUOTE_FEE, WON, [each], books[0], books[1])
        cycle.moved.append(TradeHop(elsewhere, books[0], Side.BUY))
        step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
        assert step is not None
        assert step.purpose is Purpose.COMPLETE
        prices.append(step.price)
    assert prices[0] == prices[1]


@pytest.mark.parametrize("which", ["bought", "sold"])
def test_a_fee_of_a_market_without_fees_that_nothing_prices_lets_no_leg_be_completed(which: str) -> None:
    """Nothing tells what it was. What is one-sided is taken back, at any price within the collar."""
    free = Decimal(0), Decimal(0), FeeTakenIn.QUOTE
    buy, sell = (dataclasses.replace(each, fees=Fees(*free)) for each in (DOLLAR_QUOTE_FEE, WON))
    (told,) = [dataclasses.replace(each, fee=Decimal("0.001"), fee_currency="BNB") for each in fills_of(which, buy, sell)]
    earned = [
        around(each.exchange, each.code, PRICE[each.quote] * Decimal(scale), PRICE[each.quote] * Decimal(scale) * Decimal("1.01"))
        for each, scale in ((buy, "0.8"), (sell, "1.2"))
    ]
    for fee, purpose in ((told.fee, Purpose.UNWIND), (Decimal(0), Purpose.COMPLETE), (-told.fee, Purpose.COMPLETE)):
        step = HedgingEngine(0.0, 9_999.0).next_step(cycle_of(buy, sell, [dataclasses.replace(told, fee=fee)], earned[0], earned[1]), 0)
        assert step is not None
        assert step.purpose is purpose


@EVERY_PAIR
def test_what_was_bought_is_sold_again_where_it_was_bought_no_further_than_the_collar(buy: Market, sell: Market) -> None:
    bid = PRICE[buy.quote] * Decimal("0.9")  # no sale here pays, which is no matter any more
    cycle = cycle_of(
        buy,
        sell,
        fills_of("bought", buy, sell),
        around(buy.exchange, buy.code, bid, bid + 1),
        around(sell.exchange, sell.code, UNIT, 2 * UNIT),
    )
    step = HedgingEngine(20.0, 100.0).next_step(cycle, 2)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.hop) == (0, Side.SELL, Purpose.UNWIND, cycle.plan.hops[0])
    assert step.price == pytest.approx(bid * Decimal("0.99"), abs=UNIT)
    assert step.qty == (Decimal(100) if buy.fees.taken_in is FeeTakenIn.QUOTE else Decimal(100) * (1 - buy.fees.taker))


@EVERY_PAIR
def test_what_was_sold_is_bought_back_where_it_was_sold_no_further_than_the_collar(buy: Market, sell: Market) -> None:
    ask = PRICE[sell.quote] * Decimal("1.1")
    dear = PRICE[buy.quote] * 2
    cycle = cycle_of(
        buy,
        sell,
        fills_of("sold", buy, sell),
        around(buy.exchange, buy.code, dear, dear + 1),
        around(sell.exchange, sell.code, ask - 1, ask),
    )
    step = HedgingEngine(20.0, 100.0).next_step(cycle, 2)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.hop) == (1, Side.BUY, Purpose.UNWIND, cycle.plan.hops[1])
    assert step.price == pytest.approx(ask * Decimal("1.01"), abs=UNIT)
    # A fee in the coin is bought on top, so that what arrives is what was sold.
    kept = 1 - sell.fees.taker if sell.fees.taken_in is FeeTakenIn.RECEIVED else Decimal(1)
    assert abs(step.qty * kept - 100) <= LOT


@pytest.mark.parametrize(("which", "far"), [("bought", "1.2"), ("sold", "0.8")])
def test_no_completion_goes_further_from_the_touch_than_the_collar_however_much_was_earned(which: str, far: str) -> None:
    buy, sell = DOLLAR_COIN_FEE, WON
    touches = [
        around(each.exchange, each.code, PRICE[each.quote] * Decimal(far), PRICE[each.quote] * Decimal(far) + UNIT) for each in (buy, sell)
    ]
    step = HedgingEngine(20.0, 100.0).next_step(cycle_of(buy, sell, fills_of(which, buy, sell), touches[0], touches[1]), 0)
    assert step is not None
    assert step.purpose is Purpose.COMPLETE
    of = sell if which == "bought" else buy
    collar = Decimal("0.99") if which == "bought" else Decimal("1.01")
    assert step.price == pytest.approx(PRICE[of.quote] * Decimal(far) * collar, abs=3 * UNIT)


@pytest.mark.parametrize("which", ["bought", "sold"])
def test_each_try_goes_a_step_further_and_after_the_last_it_begins_anew(which: str) -> None:
    buy, sell = DOLLAR_COIN_FEE, WON
    fills = fills_of(which, buy, sell)
    # The missing leg pays at the touch, whichever it is.
    touches = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    engine, cycle = HedgingEngine(20.0, 100.0), cycle_of(buy, sell, fills, touches[0], touches[1])
    steps = [engine.next_step(cycle, attempt) for attempt in range(4)]
    assert all(step is not None for step in steps)
    purposes = [step.purpose for step in steps if step is not None]
    assert purposes == [Purpose.COMPLETE, Purpose.COMPLETE, Purpose.UNWIND, Purpose.COMPLETE]
    assert steps[3] == steps[0]


def test_a_leg_stays_at_its_venue_until_that_refuses_it() -> None:
    buy, sell, paying_more = DOLLAR_COIN_FEE, WON, dataclasses.replace(DOLLAR_QUOTE_FEE, exchange="other")
    touches = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    other = TradeHop(paying_more, around("other", "XRP-USDT", Decimal(3), Decimal("3.1")), Side.SELL)
    cycle = cycle_of(buy, sell, fills_of("bought", buy, sell), *touches)
    for market in (sell, paying_more):
        step = HedgingEngine(20.0, 100.0, lambda *_: [other]).next_step(cycle, 0)
        assert step is not None
        assert step.hop.market is market
        refuse(cycle, sell)


def test_a_step_that_the_touch_is_beyond_is_left_out() -> None:
    """Bought at 2.14; the break-even of the sale is about 3,011 KRW, 20 bps beyond it about 3,005, and the bid is in between."""
    buy, sell = DOLLAR_COIN_FEE, WON
    touch = around("dollar", buy.code, Decimal("2.1399"), Decimal("2.14"))
    cycle = cycle_of(buy, sell, fills_of("bought", buy, sell), touch, around("won", sell.code, Decimal(3006), Decimal(3007)))
    steps = [HedgingEngine(20.0, 100.0).next_step(cycle, attempt) for attempt in range(3)]
    assert [step.purpose for step in steps if step is not None] == [Purpose.COMPLETE, Purpose.COMPLETE, Purpose.UNWIND]
    assert steps[0] == steps[1]
    assert steps[0] is not None
    assert 3004 < steps[0].price <= 3006
    cycle.plan.hops[1].book.touch(3003.0, 1.0, 3004.0, 1.0)
    assert [step.purpose for attempt in range(3) if (step := HedgingEngine(20.0, 100.0).next_step(cycle, attempt))] == [Purpose.UNWIND] * 3


@pytest.mark.parametrize("which", ["bought", "sold"])
@pytest.mark.parametrize("touch", [(0.0, 2.0), (2.0, inf), (3.0, 2.0), (2.0, 2.0)])
def test_a_one_sided_or_crossed_book_takes_no_hedge(which: str, touch: tuple[float, float]) -> None:
    buy, sell = DOLLAR_COIN_FEE, WON
    good = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    cycle = cycle_of(buy, sell, fills_of(which, buy, sell), *good)
    for hurt in good:
        hurt.touch(touch[0], 1.0, touch[1], 1.0)
    assert [HedgingEngine(20.0, 100.0).next_step(cycle, attempt) for attempt in range(3)] == [None] * 3
    good[0].touch(2.10, 1.0, 2.11, 1.0)
    step = HedgingEngine(20.0, 100.0).next_step(cycle, 0)
    assert step is not None
    assert step.hop.market is buy  # the book that can take one


@pytest.mark.parametrize("sale_first", [False, True])
@pytest.mark.parametrize("which", ["bought", "sold"])
def test_without_a_rate_nothing_is_completed_and_it_can_still_be_undone(which: str, sale_first: bool) -> None:
    buy, sell = DOLLAR_COIN_FEE, WON
    good = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    cycle = cycle_of(buy, sell, fills_of(which, buy, sell), *good, sale_first=sale_first)
    rates = rate_book(1400.0, 1404.0)
    cycle.plan.route.rates = rates
    rates.markets[0].book.touch(1400.0, 1.0, inf, 0.0)
    rates.refresh()
    for attempt in range(3):
        step = HedgingEngine(20.0, 100.0).next_step(cycle, attempt)
        assert step is not None
        assert step.purpose is Purpose.UNWIND


def test_a_rate_that_nothing_was_paid_in_is_not_missed() -> None:
    """Both markets are in won, and the route's value is told in USDT."""
    buy, sell = dataclasses.replace(WON_COIN_FEE, exchange="other"), WON
    touches = around("other", buy.code, Decimal(2990), Decimal(3000)), around("won", sell.code, Decimal(3050), Decimal(3051))
    cycle = cycle_of(buy, sell, fills_of("bought", buy, sell), *touches)
    cycle.plan.route.rates = rate_book(0.0, inf)
    step = HedgingEngine(20.0, 100.0).next_step(cycle, 0)
    assert step is not None
    assert step.purpose is Purpose.COMPLETE


def test_a_remainder_under_the_minimum_goes_out_with_a_minimum_order_that_can_come_back() -> None:
    """0.3 XRP are left of what was bought; each venue's least order is one unit of quote, and a tenth more to be safe."""
    buy, sell = DOLLAR_QUOTE_FEE, dataclasses.replace(WON, min_cost=Decimal(5000))
    fills = [*fills_of("bought", buy, sell), fill(sell, Side.SELL, "99.7", Decimal(3050))]
    good = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    step = HedgingEngine(20.0, 100.0).next_step(cycle_of(buy, sell, fills, *good), 0)
    assert step is not None
    least = Decimal(5500) / step.price  # in won at this order's price; in dollars it would be 1.1 / 2.14
    assert abs(step.qty - (Decimal("0.3") + least)) <= 2 * LOT
    assert sell.refusal(step.price, step.qty) is None


def test_a_remainder_that_was_sold_too_much_is_bought_with_its_fee_on_top() -> None:
    """0.3 XRP are missing; a fee of 10 bps is taken out of what arrives, so more is bought, and 5 USDT are the least order."""
    buy, sell = dataclasses.replace(DOLLAR_COIN_FEE, min_cost=Decimal(5)), WON
    kept = 1 - buy.fees.taker
    fills = [*fills_of("sold", buy, sell), fill(buy, Side.BUY, str(Decimal("99.7") / kept), Decimal("2.05"))]
    good = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    step = HedgingEngine(20.0, 100.0).next_step(cycle_of(buy, sell, fills, *good), 0)
    assert step is not None
    assert (step.side, step.purpose) == (Side.BUY, Purpose.COMPLETE)
    assert abs(step.qty - (Decimal("0.3") / kept + Decimal("5.5") / step.price)) <= 2 * LOT


@pytest.mark.parametrize(("max_qty", "expected"), [("1e9", "2.9"), ("2.9", "2.9"), ("2.8", None)])
def test_what_goes_out_with_a_minimum_order_is_rounded_up_and_no_more_than_the_venue_takes(max_qty: str, expected: str | None) -> None:
    """0.25 XRP are short, in lots of 0.1; 5.5 USDT at 2.131 are 2.6 lots' worth: 2.85 are missing from a trade that can be made."""
    buy = dataclasses.replace(DOLLAR_QUOTE_FEE, min_cost=Decimal(5), lot_step=Decimal("0.1"), max_qty=Decimal(max_qty))
    fills = [fill(WON, Side.SELL, "100", PRICE["KRW"]), fill(buy, Side.BUY, "99.75", Decimal("2.05"))]
    touches = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", "XRP-KRW", Decimal(3050), Decimal(3051))
    step = HedgingEngine(20.0, 100.0).next_step(cycle_of(buy, WON, fills, *touches), 0)
    assert step is not None
    if expected is None:
        assert step.purpose is Purpose.UNWIND
    else:
        assert (step.purpose, step.price, step.qty) == (Purpose.COMPLETE, Decimal("2.1311"), Decimal(expected))


def test_less_than_half_a_lot_cannot_be_traded() -> None:
    buy, sell = (dataclasses.replace(each, lot_step=Decimal(1)) for each in (DOLLAR_QUOTE_FEE, WON))
    fills = [fill(buy, Side.BUY, "10.4", PRICE["USDT"]), fill(sell, Side.SELL, "10", Decimal(3050))]
    touches = around("dollar", buy.code, Decimal("2.10"), Decimal("2.11")), around("won", sell.code, Decimal(3050), Decimal(3051))
    cycle = cycle_of(buy, sell, fills, *touches)
    assert not cycle.is_flat()
    assert [HedgingEngine(20.0, 100.0).next_step(cycle, attempt) for attempt in range(3)] == [None] * 3


def test_a_coin_that_is_too_little_for_an_order_of_the_next_leg_is_sold_again() -> None:
    """0.01 BTC, and ETH/BTC takes orders of one BTC."""
    markets = BTC_KRW, dataclasses.replace(ETH_BTC, min_cost=Decimal(1)), ETH_KRW
    prices = ("99900000", "100000000"), ("0.0302", "0.0303"), ("3100000", "3101000")
    hops = tuple(
        TradeHop(market, around("won", market.code, Decimal(bid), Decimal(ask)), side)
        for market, (bid, ask), side in zip(markets, prices, (Side.BUY, Side.BUY, Side.SELL), strict=True)
    )
    step = HedgingEngine(20.0, 50.0).next_step(cycle_on(hops, [fill(BTC_KRW, Side.BUY, "0.01", Decimal(95_000_000))]), 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (0, Side.SELL, Purpose.UNWIND)


def test_the_least_quantity_is_over_both_minimums() -> None:
    assert least_qty(WON, Decimal(3000)) == Decimal("0.0003667")  # 1.1 KRW, rounded up to the lot
    assert least_qty(dataclasses.replace(WON, min_qty=Decimal(2)), Decimal(3000)) == 2
    cycle = cycle_of(DOLLAR_COIN_FEE, WON, [], OrderBook("dollar", "x"), OrderBook("won", "x"))
    assert price_of(cycle, 1, WON, Decimal(7)) == 7
    assert price_of(cycle, 0, WON, Decimal(7)) == PRICE["USDT"]


STEP = Decimal("1e-8")
BTC_KRW = Market("won", "KRW-BTC", "BTC", "KRW", FixedUnit(Decimal(1)), STEP, STEP, Decimal(100), Decimal(1), WON.fees)
ETH_BTC = Market("won", "BTC-ETH", "ETH", "BTC", FixedUnit(Decimal("1e-10")), STEP, STEP, Decimal(1000), STEP, WON.fees)
ETH_KRW = Market("won", "KRW-ETH", "ETH", "KRW", FixedUnit(Decimal("0.01")), STEP, STEP, Decimal(1000), Decimal(1), WON.fees)
FEE = Fraction("0.0007")
#: In USDT, when fills come: a fee in a coin that is traded is no fee in a third one.
MARKS = {"BTC": Decimal(70_000), "ETH": Decimal(2200), "KRW": Decimal("0.0007")}


def chain_of(fills: Sequence[Fill], btc: tuple[str, str], eth_btc: tuple[str, str], eth: tuple[str, str]) -> ArbCycle:
    """KRW > BTC > ETH > KRW, or its mirror, at one venue, with these touches (bid, ask)."""
    sides = {BTC_KRW: Side.BUY, ETH_BTC: Side.BUY, ETH_KRW: Side.SELL}
    touches = {BTC_KRW: btc, ETH_BTC: eth_btc, ETH_KRW: eth}
    hops = tuple(
        TradeHop(market, around("won", market.code, Decimal(touches[market][0]), Decimal(touches[market][1])), side)
        for market, side in sides.items()
    )
    return cycle_on(hops, fills)


def cycle_on(hops: tuple[TradeHop, ...], fills: Sequence[Fill], unwinding: Sequence[int] = ()) -> ArbCycle:
    """A cycle over ``hops`` that has ``fills``, each of an order of its own, as after a restart: what its orders were is in the fold.

    ``unwinding``: numbers of the fills of orders that take a leg back.
    """
    route = ArbRoute("chain", "BTC", [*hops, RateMark(hops[0].market.quote, hops[-1].market.quote)], RATES, TERMS)
    prices = [Decimal(str(hop.book.ask)) if 0.0 < hop.book.ask < inf else ONE for hop in hops]
    legs = tuple(
        PlannedLeg(n, at.exchange, at.code, at.base, at.quote, hop.side, ONE, price, at.lot_step, at.min_cost)
        for n, (hop, at, price) in enumerate(zip(hops, (hop.market for hop in hops), prices, strict=True))
    )
    told = Telling()
    told(CycleOpened("c1", route.id, "BTC", 10.0, 200.0, legs, (), 0))
    made = [dataclasses.replace(each, trade_id=f"t{n}", client_order_id=f"a{n}") for n, each in enumerate(fills)]
    for n, each in enumerate(made):
        if n in unwinding:
            (at,) = (hop.market for hop in hops if (hop.market.exchange, hop.market.code) == (each.exchange, each.market))
            told(OrderIntended.of(order_of(each.client_order_id, at, each.side, Purpose.UNWIND)))
        told(FillRecorded(each, "c1", 0, "stream", 0, MARKS))
    opened = told.portfolio.cycle("c1")
    assert opened is not None
    cycle = ArbCycle("c1", CyclePlan(route, legs, hops, (), 10.0, 200.0, NOW, NOW + 1), opened, ("KRW", "USDT"), NOW)
    cycle.fills = made
    return cycle


def order_of(client_order_id: str, at: Market, side: Side, purpose: Purpose) -> Order:
    return Order(client_order_id, at, side, ONE, ONE, "c1", 0, 0, purpose, 0, 0.0, 1e9, TimeInForce.IOC)


def refuse(cycle: ArbCycle, at: Market, side: Side = Side.SELL, state: OrderState = OrderState.REJECTED) -> None:
    """The newest order of ``cycle`` on a market ended in ``state``."""
    order = order_of(f"o{len(cycle.orders)}", at, side, Purpose.COMPLETE)
    order.state = state
    cycle.orders.append(order)


def test_what_one_leg_brought_buys_the_next_while_the_last_one_pays_for_it() -> None:
    """0.01 BTC for 1,000,700 KRW with the fee; ETH is bid at 3,100,000 KRW: how dear, in BTC, may it be bought?"""
    fills = [fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000))]
    cycle = chain_of(fills, ("99000000", "100000000"), ("0.0290", "0.0291"), ("3100000", "3101000"))
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (1, Side.BUY, Purpose.COMPLETE)
    paid = Fraction(1_000_700)
    # All of the BTC buys 0.01 / (price * 1.0007) ETH, and each brings 3,100,000 * 0.9993 KRW.
    dearest = Fraction("0.01") * 3_100_000 * (1 - FEE) / ((1 + FEE) * paid)
    assert abs(Fraction(step.price) - dearest) < Fraction(1, 10**9)
    spent = Fraction(step.qty) * Fraction(step.price) * (1 + FEE)
    assert Fraction("0.01") - Fraction(1, 10**8) < spent <= Fraction("0.01")


def test_where_the_last_leg_does_not_pay_the_first_one_is_taken_back() -> None:
    fills = [fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000))]
    cycle = chain_of(fills, ("99900000", "100000000"), ("0.0312", "0.0313"), ("3100000", "3101000"))
    step = HedgingEngine(20.0, 50.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.qty) == (0, Side.SELL, Purpose.UNWIND, Decimal("0.01"))
    assert step.price == Decimal("99400500")  # 50 bps from the bid


def test_the_last_leg_must_bring_what_the_first_has_cost() -> None:
    """1,000,700 KRW were paid, the BTC are spent: 0.33 ETH must bring them."""
    fills = [fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000)), fill(ETH_BTC, Side.BUY, "0.33", Decimal("0.0303"), "u")]
    cycle = chain_of(fills, ("99900000", "100000000"), ("0.0302", "0.0303"), ("3100000", "3101000"))
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.qty) == (2, Side.SELL, Purpose.COMPLETE, Decimal("0.33"))
    left_btc = Fraction("0.01") - Fraction("0.33") * Fraction("0.0303") * (1 + FEE)
    assert left_btc < 0  # a little more was spent than there was: it must be bought, at the ask
    costs_to_buy = -left_btc * 100_000_000 * (1 + FEE)
    cheapest = (1_000_700 + costs_to_buy) / (Fraction("0.33") * (1 - FEE))
    assert abs(Fraction(step.price) - cheapest) <= Fraction(2, 100)


def chain_at(scale: str, sides: Sequence[Side], fills: Sequence[tuple[int, Fill]], eth_asks: bool = True) -> ArbCycle:
    """BTC/KRW, ETH/BTC and ETH/KRW at one venue, traded on those sides, with prices in won times ``scale``.

    ``fills``: with the number of each one's market, at a price that is scaled where it is in won. ``eth_asks``: ETH is for sale for won.
    """
    size = Decimal(scale)
    fine = {"price_units": FixedUnit(size / 1_000_000), "min_cost": size}
    markets = dataclasses.replace(BTC_KRW, **fine), ETH_BTC, dataclasses.replace(ETH_KRW, **fine)  # type: ignore[arg-type]
    bids = Decimal(99_900_000) * size, Decimal("0.0302"), Decimal(3_100_000) * size
    asks = Decimal(100_000_000) * size, Decimal("0.0303"), Decimal(3_101_000) * size
    books = [around("won", market.code, bid, ask) for market, bid, ask in zip(markets, bids, asks, strict=True)]
    if not eth_asks:
        books[2] = book("won", "KRW-ETH", [(float(bids[2]), 1e6)], [])
    made = []
    for number, each in fills:
        unit = ONE if number == 1 else size
        fee = each.fee * unit if each.fee_currency == "KRW" else each.fee
        made.append(dataclasses.replace(each, price=each.price * unit, cost=each.cost * unit, fee=fee))
    return cycle_on(tuple(map(TradeHop, markets, books, sides)), made)


SCALES = pytest.mark.parametrize("scale", ["1", "1e-9"])  #: so that what is compared is millions, or a fraction of one


@SCALES
def test_what_is_left_of_one_leg_buys_the_next_at_what_the_last_one_pays(scale: str) -> None:
    cycle = chain_at(scale, (Side.BUY, Side.BUY, Side.SELL), [(0, fill(BTC_KRW, Side.BUY, "0.01", Decimal(95_000_000)))])
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (1, Side.BUY, Purpose.COMPLETE)
    # 0.01 BTC cost 950,665 KRW and buy 0.01 / (price * 1.0007) ETH, which bring 3,100,000 * 0.9993 KRW each.
    dearest = Fraction("0.01") * 3_100_000 * (1 - FEE) / ((1 + FEE) * 950_665)
    assert abs(Fraction(step.price) - dearest) < Fraction(1, 10**9)


@SCALES
def test_what_came_for_nothing_may_be_spent_at_any_price_within_the_collar(scale: str) -> None:
    free = fill(BTC_KRW, Side.BUY, "0.01", Decimal(0))
    step = HedgingEngine(0.0, 100.0).next_step(chain_at(scale, (Side.BUY, Side.BUY, Side.SELL), [(0, free)]), 0)
    assert step is not None
    assert (step.leg, step.side, step.price) == (1, Side.BUY, Decimal("0.030603"))


@SCALES
@pytest.mark.parametrize(("spent", "completes"), [(50_000, True), (1_099_230, False), (1_200_000, False)])
def test_what_is_owed_of_one_leg_is_got_by_selling_the_next_while_the_last_one_costs_less_than_came_in(
    spent: int, completes: bool, scale: str
) -> None:
    """0.01 BTC were sold for 1,099,230 KRW, of which ``spent`` are gone for a fee in ETH: how cheap may ETH be sold for BTC?"""
    gone = dataclasses.replace(fill(ETH_KRW, Side.BUY, "0.3", ZERO), cost=Decimal(spent), fee=Decimal("0.3"), fee_currency="ETH")
    sides = Side.SELL, Side.SELL, Side.BUY
    sold = fill(BTC_KRW, Side.SELL, "0.01", Decimal(110_000_000))
    cycle = chain_at(scale, sides, [(0, sold), (2, gone)])
    assert cycle.residual == {"BTC": Decimal("-0.01")}
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    if not completes:
        assert (step.leg, step.purpose) == (0, Purpose.UNWIND)
        return
    assert (step.leg, step.side, step.purpose) == (1, Side.SELL, Purpose.COMPLETE)
    # 1,049,230 KRW are left, for 0.01 BTC: at 3,101,000 * 1.0007 KRW for each ETH that is sold.
    cheapest = Fraction("0.01") * 3_101_000 * (1 + FEE) / ((1 - FEE) * 1_049_230)
    assert abs(Fraction(step.price) - cheapest) < Fraction(1, 10**9)
    unpriced = HedgingEngine(0.0, 100.0).next_step(chain_at(scale, sides, [(0, sold)], eth_asks=False), 0)
    assert unpriced is not None
    assert unpriced.purpose is Purpose.UNWIND  # nobody knows what it would cost


@SCALES
@pytest.mark.parametrize("spent", ["0.005", "0.0105"])
def test_what_another_leg_leaves_or_owes_counts_at_what_it_brings_or_costs(spent: str, scale: str) -> None:
    """0.01 BTC bought, ``spent`` of it, or more than that, on 0.5 ETH, whose sale must bring what all of it has cost.

    ``scale``: of prices in won, so that a coin is worth millions, or a fraction, of one.
    """
    size, sides = Decimal(scale), (Side.BUY, Side.BUY, Side.SELL)
    bought = dataclasses.replace(fill(ETH_BTC, Side.BUY, "0.5", Decimal(spent) * 2, "u"), fee=Decimal(0))
    cycle = chain_at(scale, sides, [(0, fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000))), (1, bought)])
    left = Decimal("0.01") - Decimal(spent)
    assert cycle.residual == {"BTC": left, "ETH": Decimal("0.5")}
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.qty) == (2, Side.SELL, Purpose.COMPLETE, Decimal("0.5"))
    worth = Fraction(left) * (Fraction(99_900_000) * (1 - FEE) if left > 0 else 100_000_000 * (1 + FEE)) * Fraction(size)
    cheapest = (1_000_700 * Fraction(size) - worth) / (Fraction("0.5") * (1 - FEE))
    assert abs(Fraction(step.price) - cheapest) <= Fraction(size) / 500_000
    # What is owed and has no price: nobody knows whether the sale pays for it. What is left and has none brings nothing.
    unknown = dataclasses.replace(cycle.plan.hops[0], book=OrderBook("won", "KRW-BTC"))
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle_on((unknown, *cycle.plan.hops[1:]), cycle.fills), 0)
    if left < 0:
        assert step is None or step.purpose is Purpose.UNWIND
    elif scale == "1":  # else the coin of which nothing is known counts as the greater part
        assert step is not None
        assert step.purpose is Purpose.COMPLETE
        assert abs(Fraction(step.price) - 1_000_700 * Fraction(size) / (Fraction("0.5") * (1 - FEE))) <= Fraction(size) / 500_000


def test_the_residual_that_is_worth_most_goes_first() -> None:
    """A tenth of the ETH is left and half of the BTC: the BTC are worth more."""
    fills = [
        fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000)),
        fill(ETH_BTC, Side.BUY, "0.16", Decimal("0.0303"), "u"),
        fill(ETH_KRW, Side.SELL, "0.144", Decimal(3_100_000), "v"),
    ]
    cycle = chain_of(fills, ("99900000", "100000000"), ("0.0302", "0.0303"), ("3100000", "3101000"))
    step = HedgingEngine(20.0, 50.0).next_step(cycle, 2)
    assert step is not None
    assert (step.hop.market.base, step.side, step.purpose) == ("BTC", Side.SELL, Purpose.UNWIND)


def test_what_a_sale_took_of_another_legs_quote_is_brought_back_by_selling_the_base_that_pays_for_it() -> None:
    """KRW < BTC < ETH < KRW: 0.01 BTC were sold for 999,300 KRW; how cheap, in BTC, may ETH be sold for them?"""
    sides = {BTC_KRW: Side.SELL, ETH_BTC: Side.SELL, ETH_KRW: Side.BUY}
    touches = {BTC_KRW: ("100000000", "100100000"), ETH_BTC: ("0.0313", "0.0314"), ETH_KRW: ("3090000", "3091000")}
    hops = tuple(
        TradeHop(market, around("won", market.code, Decimal(touches[market][0]), Decimal(touches[market][1])), side)
        for market, side in sides.items()
    )
    sold = [fill(BTC_KRW, Side.SELL, "0.01", Decimal(100_000_000))]
    cycle = cycle_on(hops, sold)
    step = HedgingEngine(0.0, 9_999.0).next_step(cycle, 0)
    assert step is not None
    assert (step.leg, step.side, step.purpose) == (1, Side.SELL, Purpose.COMPLETE)
    # 0.01 BTC are 0.01 / (price * 0.9993) ETH, and each costs 3,091,000 * 1.0007 KRW, of 999,300 that came in.
    cheapest = Fraction("0.01") * 3_091_000 * (1 + FEE) / ((1 - FEE) * 999_300)
    assert abs(Fraction(step.price) - cheapest) < Fraction(1, 10**9)
    brings = Fraction(step.qty) * Fraction(step.price) * (1 - FEE)
    assert Fraction("0.01") - Fraction(1, 10**8) < brings <= Fraction("0.01")


LITTLE = st.integers(1, 4000).map(lambda thousandths: Fraction(thousandths, 1000))
RATE = st.integers(0, 400).map(lambda hundredths: Decimal(hundredths) / 10_000)


@settings(max_examples=25)
@given(btc=LITTLE, eth_btc=LITTLE, eth=LITTLE, fees=st.tuples(RATE, RATE, RATE), coin_fee=st.booleans(), first=st.sampled_from([0, 1, 2]))
def test_an_asset_is_worth_what_the_best_way_through_the_plans_books_brings_or_costs_after_fees(
    btc: Fraction, eth_btc: Fraction, eth: Fraction, fees: tuple[Decimal, Decimal, Decimal], coin_fee: bool, first: int
) -> None:
    """Bids are given, asks are a half more; KRW is traded in only where it is not the plan's currency."""
    taken_in = FeeTakenIn.RECEIVED if coin_fee else FeeTakenIn.QUOTE
    quote = ("KRW", "USDT", "KRW")[first]
    markets = [
        dataclasses.replace(market, quote=quote if market.quote == "KRW" else market.quote, fees=Fees(fee, Decimal("0.5"), taken_in))
        for market, fee in zip((BTC_KRW, ETH_BTC, ETH_KRW), fees, strict=True)
    ]
    bids = btc, eth_btc, eth
    hops = tuple(
        TradeHop(market, book("won", market.code, [(float(bid), 1.0)], [(float(bid * 3 / 2), 1.0)]), Side.BUY)
        for market, bid in zip(markets, bids, strict=True)
    )
    cycle = cycle_on(hops[first:] + hops[:first] if first != 1 else hops, [])
    worth = _Worth(cycle)
    assert worth.currency == quote
    sold = [bid * (1 - Fraction(fee)) for bid, fee in zip(bids, fees, strict=True)]
    asked = [bid * 3 / 2 for bid in bids]
    bought = [ask / (1 - Fraction(fee)) if coin_fee else ask * (1 + Fraction(fee)) for ask, fee in zip(asked, fees, strict=True)]

    def is_near(value: float, exact: Fraction) -> bool:
        return value == pytest.approx(float(exact), rel=1e-9)

    assert is_near(worth.received("BTC"), sold[0])
    assert is_near(worth.paid("BTC"), bought[0])
    assert is_near(worth.received("ETH"), max(sold[2], sold[1] * sold[0]))
    assert is_near(worth.paid("ETH"), min(bought[2], bought[1] * bought[0]))
    # All but one market: the other way, or none.
    assert is_near(worth.received("ETH", markets[2]), sold[1] * sold[0])
    assert is_near(worth.paid("ETH", markets[2]), bought[1] * bought[0])
    assert is_near(worth.received("ETH", markets[0]), sold[2])
    assert is_near(worth.paid("ETH", markets[0]), bought[2])
    assert worth.received("BTC", markets[0]) == worth.paid("BTC", markets[0]) == 0.0
    # Settlement currencies by the rate's book, in both directions; what no book tells is worth nothing, and 1 in comparisons.
    other = "USDT" if quote == "KRW" else "KRW"
    assert worth.received(quote) == worth.paid(quote) == 1.0
    assert is_near(worth.received(other), RATE_OF[other, quote])
    assert is_near(worth.paid(other), 1 / RATE_OF[quote, other])
    assert worth.received("DOGE") == worth.paid("DOGE") == 0.0
    assert worth.of("DOGE") == 1.0
    assert is_near(worth.of("BTC"), sold[0])


def test_a_side_that_is_empty_tells_no_worth() -> None:
    hops = tuple(
        TradeHop(market, book("won", market.code, bids, asks), Side.BUY)
        for market, bids, asks in ((BTC_KRW, [(100.0, 1.0)], []), (ETH_BTC, [(2.0, 1.0)], [(3.0, 1.0)]), (ETH_KRW, [], [(500.0, 1.0)]))
    )
    worth = _Worth(cycle_on(hops, []))
    kept, grossed = 1 - float(FEE), 1 + float(FEE)
    assert worth.paid("BTC") == 0.0
    assert worth.paid("ETH") == pytest.approx(500.0 * grossed)
    assert worth.received("ETH") == pytest.approx(2.0 * kept * 100.0 * kept)
    empty = dataclasses.replace(hops[0], book=OrderBook("won", "KRW-BTC"))
    assert _Worth(cycle_on((empty, *hops[1:]), [])).received("ETH") == 0.0
    asked = dataclasses.replace(hops[0], book=book("won", "KRW-BTC", [(90.0, 1.0)], [(100.0, 1.0)]))
    assert _Worth(cycle_on((asked, *hops[1:]), [])).paid("ETH") == pytest.approx(3.0 * grossed * 100.0 * grossed)
    assert worth.of("DOGE") == 1.0
    # A cent is something, and markets that quote each other's base are no way to money, nor an endless one.
    cheap = dataclasses.replace(hops[0], book=book("won", "KRW-BTC", [(0.01, 1.0)], [(0.02, 1.0)]))
    assert _Worth(cycle_on((cheap, *hops[1:]), [])).received("BTC") == pytest.approx(0.01 * kept)
    back = dataclasses.replace(ETH_BTC, base="BTC", quote="ETH")
    around_it = tuple(TradeHop(market, hops[1].book, Side.BUY) for market in (ETH_BTC, back))
    circle = _Worth(cycle_on(around_it, []))
    assert (circle.received("ETH"), circle.paid("ETH"), circle.received("BTC"), circle.paid("BTC")) == (0.0, 0.0, 0.0, 0.0)
    rates = rate_book(1400.0, 1404.0)
    rates.markets[0].book.touch(1400.0, 1.0, inf, 0.0)
    rates.refresh()
    cycle = cycle_on(hops, [])
    cycle.plan.route.rates = rates
    assert (_Worth(cycle).received("USDT"), _Worth(cycle).paid("USDT")) == (0.0, 0.0)


@pytest.mark.parametrize("sided", [Side.BUY, Side.SELL], ids=["too many", "too few"])
def test_ways_out_are_compared_by_what_a_unit_brings_or_costs_in_one_currency_after_fees(sided: Side) -> None:
    traded = DOLLAR_QUOTE_FEE if sided is Side.BUY else WON
    cycle = cycle_of(
        DOLLAR_QUOTE_FEE,
        WON,
        [fill(traded, sided, "40", PRICE[traded.quote])],
        around("dollar", "XRP-USDT", Decimal("2.13"), Decimal("2.15")),
        around("won", "XRP-KRW", Decimal(2990), Decimal(3010)),
    )
    worth = _Worth(cycle)
    ways = {way.hop.market.quote: way for way in HedgingEngine(20.0, 100.0)._ways(cycle)}
    assert ways.keys() == {"USDT", "KRW"}
    dollars, won = Fraction("0.0013"), Fraction("0.0007")
    if sided is Side.BUY:  # sold: what it brings counts against the cost
        expected = {"USDT": -Fraction("2.13") * (1 - dollars), "KRW": -2990 * (1 - won) * RATE_OF["KRW", "USDT"]}
    else:
        expected = {"USDT": Fraction("2.15") * (1 + dollars), "KRW": 3010 * (1 + won) * RATE_OF["KRW", "USDT"]}
    assert {quote: worth.cost(way) for quote, way in ways.items()} == pytest.approx(
        {quote: float(each) for quote, each in expected.items()}
    )


@pytest.mark.parametrize("sided", [Side.BUY, Side.SELL], ids=["too many", "too few"])
def test_a_way_that_trades_for_another_coin_counts_what_that_coin_brings_or_costs(sided: Side) -> None:
    """0.01 BTC too many or too few: sold or bought for won, or traded for ETH, which is worth won in its turn."""
    sides = {BTC_KRW: sided, ETH_BTC: sided, ETH_KRW: Side.SELL if sided is Side.BUY else Side.BUY}
    touches = {BTC_KRW: ("99900000", "100000000"), ETH_BTC: ("0.0302", "0.0303"), ETH_KRW: ("3100000", "3101000")}
    hops = tuple(
        TradeHop(market, around("won", market.code, Decimal(touches[market][0]), Decimal(touches[market][1])), side)
        for market, side in sides.items()
    )
    cycle = cycle_on(hops, [fill(BTC_KRW, sided, "0.01", Decimal(100_000_000))])
    costs = {way.hop.market.code: _Worth(cycle).cost(way) for way in HedgingEngine(20.0, 100.0)._ways(cycle)}
    if sided is Side.BUY:
        expected = {"KRW-BTC": -99_900_000 * (1 - FEE), "BTC-ETH": -3_100_000 * (1 - FEE) / (Fraction("0.0303") * (1 + FEE))}
    else:
        expected = {"KRW-BTC": 100_000_000 * (1 + FEE), "BTC-ETH": 3_101_000 * (1 + FEE) / (Fraction("0.0302") * (1 - FEE))}
    assert costs == pytest.approx({code: float(each) for code, each in expected.items()})


def test_a_purchase_whose_bound_lies_within_the_spread_is_not_sent() -> None:
    """Sold at 3000 won, bought dearer than 2.14 it would lose: between a bid of 1 and an ask of 2.5 no order completes it."""
    sold = fill(WON, Side.SELL, "100", PRICE["KRW"])
    books = around("dollar", "XRP-USDT", Decimal(1), Decimal("2.5")), around("won", "XRP-KRW", Decimal(2990), Decimal(3010))
    for attempt in (0, 1):
        step = HedgingEngine(20.0, 9_999.0).next_step(cycle_of(DOLLAR_QUOTE_FEE, WON, [sold], *books), attempt)
        assert step is not None
        assert (step.purpose, step.leg, step.side) == (Purpose.UNWIND, 1, Side.BUY)


@pytest.mark.parametrize("which", ["bought", "sold"])
def test_a_collar_of_nothing_allows_the_touch_itself_and_the_last_resort_is_to_take_the_leg_back(which: str) -> None:
    buy, sell = DOLLAR_QUOTE_FEE, WON
    touches = around("dollar", buy.code, Decimal("2.125"), Decimal("2.25")), around("won", sell.code, Decimal(2990), Decimal(3010))
    cycle = cycle_of(buy, sell, fills_of(which, buy, sell), *touches)
    step = HedgingEngine(0.0, 0.0).last_resort(cycle)
    assert step is not None
    expected = (0, Side.SELL, Decimal("2.125")) if which == "bought" else (1, Side.BUY, Decimal(3010))
    assert (step.leg, step.side, step.price, step.purpose) == (*expected, Purpose.UNWIND)
    assert HedgingEngine(0.0, 0.0).last_resort(cycle_of(buy, sell, [], *touches)) is None


def test_dust_that_is_worth_more_than_what_is_left_is_not_what_is_traded() -> None:
    """Lots of 0.001 BTC: 0.0005 BTC (50,000 KRW) are dust, 0.01 ETH (31,000 KRW) are not."""
    coarse = dataclasses.replace(BTC_KRW, lot_step=Decimal("0.001"))
    sides = {coarse: Side.BUY, ETH_BTC: Side.BUY, ETH_KRW: Side.SELL}
    touches = {coarse: ("100000000", "100100000"), ETH_BTC: ("0.0309", "0.031"), ETH_KRW: ("3100000", "3101000")}
    hops = tuple(
        TradeHop(market, around("won", market.code, Decimal(touches[market][0]), Decimal(touches[market][1])), side)
        for market, side in sides.items()
    )
    bought = dataclasses.replace(fill(ETH_BTC, Side.BUY, "1.65", Decimal("0.03"), "u"), fee=Decimal(0))
    fills = [fill(coarse, Side.BUY, "0.05", Decimal(100_000_000)), bought, fill(ETH_KRW, Side.SELL, "1.64", Decimal(3_100_000), "v")]
    cycle = cycle_on(hops, fills)
    assert cycle.residual == {"BTC": Decimal("0.0005"), "ETH": Decimal("0.01")}
    step = HedgingEngine(20.0, 50.0).last_resort(cycle)
    assert step is not None
    assert (step.leg, step.side, step.qty) == (1, Side.SELL, Decimal("0.01"))


def test_what_a_leg_spent_of_anothers_asset_is_not_got_back_by_undoing_that_leg_but_bought_by_its_own() -> None:
    """0.0101 BTC were spent of 0.01: a purchase of BTC completes; selling the ETH again would take the ETH back, not the BTC."""
    spent = dataclasses.replace(fill(ETH_BTC, Side.BUY, "0.3366", Decimal("0.03"), "u"), fee=Decimal(0))
    fills = [fill(BTC_KRW, Side.BUY, "0.01", Decimal(100_000_000)), spent, fill(ETH_KRW, Side.SELL, "0.3366", Decimal(3_100_000), "v")]
    cycle = chain_of(fills, ("99900000", "100000000"), ("0.0302", "0.0303"), ("3100000", "3101000"))
    assert cycle.residual == {"BTC": Decimal("-0.000098")}
    engine = HedgingEngine(20.0, 50.0)
    assert engine.last_resort(cycle) is None
    step = engine.next_step(cycle, 2)
    assert step is not None
    assert (step.leg, step.side, step.purpose, step.qty) == (0, Side.BUY, Purpose.COMPLETE, Decimal("0.000098"))
