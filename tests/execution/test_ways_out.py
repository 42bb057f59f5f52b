"""What a person can do about a residual, and what each way costs, in exact amounts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace as replace_leg

from arbtui.execution.ways_out import ADJUST, COMPLETE, FLATTEN, WRITE_OFF, WayOut, WaysOut
from arbtui.journal.events import Adjusted
from arbtui.model.book import BookState, Level
from arbtui.model.market import Fees, FeeTakenIn, Market
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState, Side
from arbtui.portfolio.accounts import CycleAccount
from arbtui.portfolio.marks import LiveMarks
from tests.marketdata.frames import HandClock
from tests.portfolio.telling import Telling, fill_of, intent_of, leg
from tests.routes.pairs import NOW, Pair, rate_book
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP

PRICES = {"KRW": Decimal(1) / Decimal("1400.5"), "XRP": Decimal("2.16"), "USDT": Decimal(1)}
LEGS = leg(0, "binance", Side.BUY, Decimal(10), Decimal("2.14")), leg(1, "upbit", Side.SELL, Decimal(10), Decimal(3000))


def residual(exchange: str, side: Side, price: str, qty: str = "10", lot: str = "0.1") -> tuple[Telling, CycleAccount]:
    """A cycle of which one leg alone filled."""
    tell = Telling().start()
    legs = [leg(one.leg, one.exchange, one.side, one.qty, one.price, Decimal(lot)) for one in LEGS]
    tell.open("c1", *legs, send=False)
    tell.fill("c1", fill_of(exchange, side, Decimal(qty), Decimal(price), "t"), PRICES)
    tell.end("c1")
    account = tell.portfolio.cycle("c1")
    assert account is not None
    assert account.is_position
    return tell, account


def ways_of(tell: Telling, pair: Pair, priced: Sequence[Market] = (UPBIT_XRP, BINANCE_XRP)) -> WaysOut:
    """The books' own market codes differ from the plan's; what is asked for here is told apart by venue."""
    books = {("upbit", UPBIT_XRP.code): pair.upbit, ("binance", BINANCE_XRP.code): pair.binance}
    marks = LiveMarks("USDT", pair.rates, [(market, books[market.exchange, market.code]) for market in priced], HandClock(NOW))
    return WaysOut([UPBIT_XRP, BINANCE_XRP], books, tell.portfolio, marks, 50.0)


def at(tell: Telling, account: CycleAccount, market: Market, pair: Pair | None = None) -> WayOut:
    """The way there."""
    way = ways_of(tell, pair or Pair()).trade(account, "XRP", market)
    assert way is not None
    return way


def test_what_was_bought_alone_is_sold_where_it_was_bought_at_the_bid_within_the_collar() -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    found = [way for way in ways_of(tell, Pair()).of(account) if way.verb == FLATTEN]
    (flatten,) = found
    price = BINANCE_XRP.price_up(Decimal("2.1397") * Decimal("0.995"))
    assert (flatten.exchange, flatten.side, flatten.price) == ("binance", Side.SELL, price)
    assert flatten.qty == flatten.shown == 10
    # 10 are worth 10 x 3030 won at the mid of the rate; sold they bring 21.397 less 0.1 %.
    assert flatten.cost == (10 * Decimal(3030) / Decimal("1400.5") - Decimal("21.397") * Decimal("0.999")).quantize(Decimal("0.0001"))
    assert flatten.text == f"flatten binance: sell 10 XRP at {price} USDT or more"
    assert flatten.price_tag == "costs 0.2595 USDT"
    assert flatten.why_not == ""


def test_what_was_sold_alone_is_bought_back_at_the_ask_within_the_collar() -> None:
    tell, account = residual("upbit", Side.SELL, "3000")
    (flatten,) = [way for way in ways_of(tell, Pair()).of(account) if way.verb == FLATTEN]
    price = UPBIT_XRP.price_down(Decimal(3031) * Decimal("1.005"))
    assert (flatten.exchange, flatten.side, flatten.price) == ("upbit", Side.BUY, price)
    assert flatten.qty == 10
    # Its fee is paid in won, on top of 10 x 3031; what is bought is worth 10 x 3030.
    assert flatten.cost == ((30_310 * Decimal("1.0005") - 30_300) / Decimal("1400.5")).quantize(Decimal("0.0001"))
    assert flatten.text == f"flatten upbit: buy 10 XRP at {price} KRW or less"


def test_what_is_bought_where_the_fee_is_taken_in_the_coin_costs_the_coins_it_lacks() -> None:
    tell, account = residual("upbit", Side.SELL, "3000")
    ways = ways_of(tell, Pair())
    way = ways.trade(account, "XRP", BINANCE_XRP)
    assert way is not None
    assert (way.verb, way.side) == (COMPLETE, Side.BUY)
    assert way.qty == 10
    assert way.cost == (Decimal("21.4") - 10 * Decimal("0.999") * Decimal(3030) / Decimal("1400.5")).quantize(Decimal("0.0001"))
    assert way.price_tag == "earns 0.2135 USDT"
    assert ways.trade(account, "ADA", BINANCE_XRP) is None


def test_what_the_book_does_not_show_within_the_price_counts_at_that_price() -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    pair = Pair()
    pair.binance.replace([(2.1397, 3.0), (2.13, 2.0), (1.0, 500.0)], [(2.14, 300.0)])
    (flatten,) = [way for way in ways_of(tell, pair).of(account) if way.verb == FLATTEN]
    assert flatten.price is not None
    assert flatten.shown == 5
    notional = 3 * Decimal("2.1397") + 2 * Decimal("2.13") + 5 * flatten.price
    assert flatten.cost == (10 * Decimal(3030) / Decimal("1400.5") - notional * Decimal("0.999")).quantize(Decimal("0.0001"))
    assert flatten.price_tag.endswith(" USDT, book shows 5")


def test_what_asks_do_not_show_within_the_price_counts_at_that_price() -> None:
    tell, account = residual("upbit", Side.SELL, "3000")
    pair = Pair()
    pair.upbit.replace([(3030.0, 300.0)], [(3031.0, 3.0), (3040.0, 2.0), (4000.0, 500.0)])
    (flatten,) = [way for way in ways_of(tell, pair).of(account) if way.verb == FLATTEN]
    assert flatten.price == 3046
    assert flatten.shown == 5
    notional = Decimal(3 * 3031 + 2 * 3040 + 5 * 3046) * Decimal("1.0005")
    assert flatten.cost == ((notional - 30_300) / Decimal("1400.5")).quantize(Decimal("0.0001"))
    assert {name: flatten.facts()[name] for name in ("exchange", "side", "qty", "price", "quote", "cost", "why_not")} == {
        "exchange": "upbit", "side": "buy", "qty": "10", "price": "3046", "quote": "KRW", "cost": str(flatten.cost), "why_not": None,
    }  # fmt: skip
    assert all(
        value is None
        for name, value in WayOut(FLATTEN, "", "XRP", Decimal(1), "USDT").facts().items()
        if name in ("exchange", "price", "cost")
    )


def test_it_cannot_be_traded_without_the_money_or_under_the_minimum_or_while_an_order_is_open() -> None:
    """10 XRP at 3,046 won and a fee of 5 bps are 30,475.23 won; 330,000 are there after the sale, for the cycle alone or for all."""
    tell, account = residual("upbit", Side.SELL, "3000")
    ways = ways_of(tell, Pair())

    def why_not() -> str:
        (flatten,) = [way for way in ways.of(account) if way.verb == FLATTEN]
        return flatten.why_not

    assert why_not() == ""
    tell(Adjusted("upbit", "KRW", Decimal("-299524.77"), "x", "operator"))
    assert why_not() == ""
    tell(Adjusted("upbit", "KRW", Decimal("-0.01"), "x", "operator"))
    assert why_not() == "needs 30475.23 KRW, free are 30475.22"
    tell(intent_of("c1", LEGS[0], "c1-9"))
    assert why_not() == "its order c1-9 is SENDING: what it did is not known yet"
    tell.order("c1-9", OrderState.EXPIRED)
    # 8.4 of it are bought at Binance: 1.6 XRP are less than 5,000 won.
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal("8.4"), Decimal(2), "u"), PRICES)
    assert why_not() == "under the venue's minimum of 5000 KRW"


def test_what_can_be_done_comes_first_and_of_that_the_cheapest_and_then_what_nobody_can_price() -> None:
    """Sold at Upbit alone: taking it back there is dearer than buying at Binance, though Upbit is the first of the markets."""
    tell, account = residual("upbit", Side.SELL, "3000")
    account.legs = ()
    pair = Pair()

    def order(*priced: Market) -> list[tuple[str, str]]:
        ways = ways_of(tell, pair, priced).of(account)
        return [(way.verb, way.exchange) for way in ways if way.verb != WRITE_OFF]

    back, on = (FLATTEN, "upbit"), (COMPLETE, "binance")
    assert order(UPBIT_XRP, BINANCE_XRP) == [on, back]
    pair.binance.replace([(2.2, 300.0)], [(2.21, 300.0)])
    assert order(UPBIT_XRP, BINANCE_XRP) == [back, on]
    pair.rates = rate_book(0.0, 0.0)
    assert order(BINANCE_XRP) == [on, back]
    pair.binance.state = BookState.STALE
    assert order(BINANCE_XRP) == [back, on]


@pytest.mark.parametrize(
    ("side", "levels", "shown", "notional"),
    [
        (Side.SELL, [(2.0, 3.0), (1.99, 2.0), (1.9899, 500.0)], 5, "19.93"),
        (Side.SELL, [(2.0, 3.0), (1.995, 500.0)], 10, "19.965"),
        (Side.BUY, [(2.0, 3.0), (2.01, 2.0), (2.0101, 500.0)], 5, "20.07"),
        (Side.BUY, [(2.0, 3.0), (2.005, 500.0)], 10, "20.035"),
    ],
)
def test_the_book_shows_what_lies_within_the_price_and_no_more_than_is_asked_for(
    side: Side, levels: list[Level], shown: int, notional: str
) -> None:
    """10 XRP, half a percent from 2 at worst: what is not shown counts at the bound."""
    tell, account = residual("binance", Side.BUY if side is Side.SELL else Side.SELL, "2.14")
    pair = Pair()
    pair.binance.replace(*((levels, [(2.2, 1.0)]) if side is Side.SELL else ([(1.9, 1.0)], levels)))
    market = replace(BINANCE_XRP, fees=Fees(ZERO, ZERO, FeeTakenIn.QUOTE))
    way = at(tell, account, market, pair)
    assert way.qty == 10
    assert way.shown == shown
    assert way.price == (Decimal("1.99") if side is Side.SELL else Decimal("2.01"))
    worth = 10 * Decimal(3030) / Decimal("1400.5")
    assert way.cost == ((worth - Decimal(notional)) * (1 if side is Side.SELL else -1)).quantize(Decimal("0.0001"))


@pytest.mark.parametrize(("planned", "completes"), [("sale", True), ("purchase", False), ("sale elsewhere", False), ("unknown", True)])
@pytest.mark.parametrize("bought", [True, False])
def test_what_is_missing_is_traded_where_it_was_planned(planned: str, completes: bool, bought: bool) -> None:
    """Bought at Binance alone (or sold): the other leg was to trade at Upbit; once the plan is forgotten any market will do."""
    there, back = (Side.BUY, Side.SELL) if bought else (Side.SELL, Side.BUY)
    tell, account = residual("binance", there, "2.14", qty="0.5")
    first = replace_leg(LEGS[0], market=BINANCE_XRP.code, side=there)
    second = replace_leg(LEGS[1], market=UPBIT_XRP.code, side=back if planned != "purchase" else there)
    if planned == "sale elsewhere":
        second = replace_leg(second, market="KRW-ADA")
    account.legs = () if planned == "unknown" else (first, second)
    ways = [(way.verb, way.exchange, way.side) for way in ways_of(tell, Pair()).of(account) if way.verb in (COMPLETE, FLATTEN)]
    assert ways.count((FLATTEN, "binance", back)) == 1
    assert ((COMPLETE, "upbit", back) in ways) is completes
    assert len(ways) == 1 + completes


@pytest.mark.parametrize("taken_in", list(FeeTakenIn))
@pytest.mark.parametrize("listed", [UPBIT_XRP, BINANCE_XRP], ids=["won", "dollar"])
@pytest.mark.parametrize("side", list(Side))
def test_a_way_costs_what_is_given_less_what_is_got_at_the_marks(side: Side, listed: Market, taken_in: FeeTakenIn) -> None:
    """10 XRP too many are sold, or 10 that are missing are bought: so many that 10 arrive."""
    tell, account = residual("binance", Side.SELL if side is Side.BUY else Side.BUY, "2.14")
    market = replace(listed, lot_step=Decimal("0.001"), fees=Fees(Decimal("0.002"), Decimal("0.3"), taken_in))
    way = at(tell, account, market)
    money = {"KRW": 1 / Decimal("1400.5"), "USDT": Decimal(1)}[market.quote]
    coin = Decimal(3030) / Decimal("1400.5")
    bid, ask = {"KRW": (Decimal(3030), Decimal(3031)), "USDT": (Decimal("2.1397"), Decimal("2.14"))}[market.quote]
    in_coin = side is Side.BUY and taken_in is FeeTakenIn.RECEIVED
    assert (way.side, way.qty) == (side, Decimal("10.020") if in_coin else 10)
    paid = way.qty * (ask if side is Side.BUY else bid) * money
    fee = way.qty * coin * Decimal("0.002") if in_coin else paid * Decimal("0.002")
    gain = way.qty * coin - paid if side is Side.BUY else paid - way.qty * coin
    assert way.cost == (fee - gain).quantize(Decimal("0.0001"))


@pytest.mark.parametrize("priced", [(), (BINANCE_XRP,)], ids=["the coin", "the money"])
def test_without_either_price_no_cost_is_known(priced: Sequence[Market]) -> None:
    tell, account = residual("upbit", Side.BUY, "3000")
    pair = Pair()
    if priced:
        pair.rates = rate_book(0.0, 0.0)
    ways = ways_of(tell, pair, priced)
    way = ways.trade(account, "XRP", UPBIT_XRP)
    assert way is not None
    assert (way.price, way.cost, way.why_not) == (UPBIT_XRP.price_up(Decimal("3014.85")), None, "")


@pytest.mark.parametrize(
    ("bids", "asks"),
    [([], [(2.14, 5.0)]), ([(2.14, 5.0)], []), ([], []), ([(2.14, 5.0)], [(2.14, 5.0)]), ([(2.15, 5.0)], [(2.14, 5.0)])],
    ids=["no bids", "no asks", "nothing", "locked", "crossed"],
)
def test_nothing_is_priced_where_bid_and_ask_are_no_market(bids: list[Level], asks: list[Level]) -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    pair = Pair()
    pair.binance.replace(bids, asks)
    way = at(tell, account, BINANCE_XRP, pair)
    assert (way.price, way.cost, way.why_not, way.qty) == (None, None, "its book is empty", Decimal(10))
    pair.binance.replace([(0.6, 50.0)], [(0.601, 50.0)])
    way = at(tell, account, BINANCE_XRP, pair)
    assert (way.price, way.why_not) == (Decimal("0.5970"), "")


def test_no_more_is_traded_than_one_order_may_and_what_is_under_a_lot_is_told_whole() -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    most = replace(BINANCE_XRP, max_qty=Decimal(4))
    assert at(tell, account, most).qty == 4
    tell, account = residual("binance", Side.BUY, "2.14", qty="0.05", lot="0.01")
    way = at(tell, account, BINANCE_XRP)
    assert (way.qty, way.why_not) == (Decimal("0.05"), "under the venue's minimum of 5 USDT")
    pair = Pair()
    pair.binance.state = BookState.STALE
    way = at(tell, account, BINANCE_XRP, pair)
    assert (way.qty, way.why_not) == (Decimal("0.05"), f"its book is {BookState.STALE}")


def test_as_much_as_the_venue_s_minimum_is_enough() -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    price = at(tell, account, BINANCE_XRP).price
    assert price is not None
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"min_cost": 10 * price}, False),
        ({"min_cost": 10 * price + Decimal("0.0001")}, True),
        ({"min_cost": Decimal(0), "min_qty": Decimal(10)}, False),
        ({"min_cost": Decimal(0), "min_qty": Decimal("10.1")}, True),
    ]
    for changes, refused in cases:
        assert bool(at(tell, account, replace(BINANCE_XRP, **changes)).why_not) is refused
    tell, account = residual("binance", Side.BUY, "2.14", qty="0.05", lot="0.01")
    free = replace(BINANCE_XRP, min_cost=Decimal(0), min_qty=Decimal(0))
    assert at(tell, account, free).why_not == "under the venue's minimum of 0 USDT", "0.05 are under its lot"


@pytest.mark.parametrize("state", [BookState.STALE, BookState.EMPTY])
def test_a_book_that_is_not_live_prices_nothing_and_says_so(state: BookState) -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    pair = Pair()
    pair.binance.state = state
    (flatten,) = [way for way in ways_of(tell, pair).of(account) if way.verb == FLATTEN]
    assert (flatten.why_not, flatten.price, flatten.cost) == (f"its book is {state}", None, None)
    assert flatten.text == "flatten binance 10 XRP"
    assert flatten.price_tag == f"not now: its book is {state}"


def test_writing_off_and_adjusting_trade_nothing() -> None:
    tell, account = residual("binance", Side.BUY, "2.14")
    written = ways_of(tell, Pair()).of(account)[-1]
    assert (written.verb, written.asset, written.price_tag) == (WRITE_OFF, "XRP", "nothing is traded")
    assert (written.cost, written.shown) == (ZERO, ZERO)
    assert written.qty == 10
    assert written.text == "write-off: what c1 left counts as stock from then on"
    taken = WayOut(ADJUST, "c1", "XRP", Decimal(10), "USDT", "binance", cost=Decimal(0))
    assert taken.text == "adjust binance: its balance differs by 10 XRP; take its word, c1 is settled by that"


def test_a_price_that_is_not_known_is_no_cost_and_none_is_neither_earned_nor_paid() -> None:
    trade = {"verb": FLATTEN, "cycle_id": "c1", "asset": "XRP", "qty": Decimal(1), "currency": "USDT", "shown": Decimal(1)}
    assert WayOut(**trade).price_tag == "cost unknown"  # type: ignore[arg-type]
    assert WayOut(**trade, cost=Decimal(0)).price_tag == "costs 0 USDT"  # type: ignore[arg-type]
    assert WayOut(**trade, cost=Decimal("-0.5")).price_tag == "earns 0.5 USDT"  # type: ignore[arg-type]
