"""N coins of one premium are one bet: the stock that has moved one way, over all coins, has one limit."""

import dataclasses
from decimal import Decimal
from math import inf, nan

import pytest
from msgspec import structs

from arbtui.exchanges.upbit.rules import krw_market
from arbtui.journal.events import BalanceOpened
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.portfolio.marks import LiveMarks
from arbtui.risk.factor import FactorExposure
from arbtui.routes.hops import TradeHop
from arbtui.routes.netting_route import NettingRoute
from arbtui.routes.route import ArbRoute
from tests.marketdata.frames import HandClock
from tests.portfolio.telling import Telling, fill_of, leg
from tests.routes.pairs import NOW, TERMS, Pair, rate_book
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP

EPS = 1e-6
#: What one XRP is worth by the pair's books: the best bid of the first that trades it, at the mid of the rate.
PRICE = 3030 / 1400.5


def factor_of(tell: Telling, pair: Pair | None = None) -> FactorExposure:
    pair = pair or Pair()
    marks = LiveMarks("USDT", pair.rates, [(UPBIT_XRP, pair.upbit), (BINANCE_XRP, pair.binance)], HandClock(NOW))
    found = FactorExposure(tell.portfolio, marks)
    found.follow([UPBIT_XRP, BINANCE_XRP])
    found.measure()
    return found


def moved(qty: int) -> Telling:
    """A desk whose hedged cycle took ``qty`` XRP from Upbit to Binance (or, below 0, the other way)."""
    tell = Telling().start()
    amount = abs(Decimal(qty))
    buy_at, sell_at = ("binance", "upbit") if qty > 0 else ("upbit", "binance")
    legs = leg(0, buy_at, Side.BUY, amount, Decimal(1)), leg(1, sell_at, Side.SELL, amount, Decimal(1))
    tell.open("c1", *legs, value=1.0)
    tell.fill("c1", fill_of(buy_at, Side.BUY, amount, Decimal(1), "b"))
    tell.fill("c1", fill_of(sell_at, Side.SELL, amount, Decimal(1), "s"), {}, 1)
    tell.end("c1")
    return tell


def test_a_hedged_cycle_moves_stock_and_that_counts() -> None:
    still = factor_of(Telling().start())
    assert (still.largest, still.moved, still.by_coin) == (0.0, {}, {})
    found = factor_of(moved(50))
    assert found.by_coin == {"KRW": {"XRP": pytest.approx(-50 * PRICE)}}
    assert found.moved == {"KRW": pytest.approx(-50 * PRICE)}
    assert found.largest == pytest.approx(50 * PRICE)
    assert factor_of(moved(-50)).moved == {"KRW": pytest.approx(50 * PRICE)}


@pytest.mark.parametrize(("room", "reason"), [(EPS, None), (0.0, None), (-EPS, Reason.FACTOR), (nan, Reason.FACTOR), (-inf, Reason.FACTOR)])
def test_what_moves_further_one_way_has_a_limit_and_what_moves_back_has_none(room: float, reason: Reason | None) -> None:
    """``room``: how far the limit is above what the cycle would lead to."""
    found, pair = factor_of(moved(50)), Pair()
    limit = found.largest + 100.0 + room
    assert found.refusal(pair.to_upbit, 100.0, limit) is reason  # sells there: more of the same
    assert found.refusal(pair.to_binance, 100.0, limit) is None
    assert found.refusal(pair.to_binance, 10.0, 1.0) is None, "far beyond the limit, what brings stock back passes"
    assert found.refusal(pair.to_binance, 10 * found.largest, 1.0) is Reason.FACTOR, "and not what overshoots"


def test_a_value_that_is_not_a_number_and_a_coin_without_a_price_deny() -> None:
    found, pair = factor_of(moved(50)), Pair()
    assert found.refusal(pair.to_upbit, nan, 1e9) is Reason.FACTOR
    tell = moved(50)
    marks = LiveMarks("USDT", pair.rates, [], HandClock(NOW))
    blind = FactorExposure(tell.portfolio, marks)
    blind.follow([UPBIT_XRP, BINANCE_XRP])
    blind.measure()
    assert blind.largest == inf
    assert blind.refusal(pair.to_upbit, 1.0, 1e12) is Reason.FACTOR
    assert blind.refusal(pair.to_binance, 1.0, 1e12) is Reason.FACTOR


def test_open_cycles_of_the_same_way_count_with_all_of_their_value() -> None:
    tell = moved(50)
    tell.open("c2", leg(0, "binance", Side.BUY, Decimal(10), Decimal(1)), leg(1, "upbit", Side.SELL, Decimal(10), Decimal(1)), value=25.0)
    found, pair = factor_of(tell), Pair()
    limit = found.largest + 25.0 + 100.0
    assert found.refusal(pair.to_upbit, 100.0, limit) is None
    assert found.refusal(pair.to_upbit, 100.0 + EPS, limit) is Reason.FACTOR
    assert found.refusal(pair.to_upbit, 125.0, limit, "c2") is None, "a cycle is not in its own way"


def test_a_venue_of_the_currency_that_pnl_is_counted_in_has_no_premium() -> None:
    found = factor_of(moved(50))
    found.follow([BINANCE_XRP])
    found.measure()
    assert (found.largest, found.bets(0.9)) == (0.0, (0, 0.0))
    assert found.refusal(Pair().to_upbit, 1e6, 1e7) is None


@pytest.mark.parametrize(
    ("sizes", "correlation", "bets"),
    [
        ([10.0], 0.9, 1.0),
        ([10.0] * 12, 0.9, 12 / (1 + 11 * 0.9)),
        ([10.0] * 12, 0.0, 12.0),
        ([10.0] * 12, 1.0, 1.0),
        ([100.0, 1.0, 1.0], 0.0, 102**2 / 10_002),
        ([10.0, -10.0], 0.5, 2 / 1.5),
    ],
)
def test_the_number_of_bets(sizes: list[float], correlation: float, bets: float) -> None:
    found = factor_of(Telling().start())
    found.by_coin = {"KRW": {f"C{n}": size for n, size in enumerate(sizes)}}
    found.moved = {"KRW": sum(sizes)}
    count, effective = found.bets(correlation)
    assert count == len(sizes)
    assert effective == pytest.approx(bets)


def test_the_number_of_bets_is_that_of_the_largest_exposure_and_of_coins_with_a_price() -> None:
    found = factor_of(Telling().start())
    found.by_coin = {"EUR": {"A": 20.0}, "KRW": {"A": -15.0, "B": -15.0}}
    found.moved = {"EUR": 20.0, "KRW": -30.0}
    assert found.largest == 30.0
    assert found.bets(0.0)[0] == 2
    assert found.bets(0.0)[1] == pytest.approx(2.0)
    found.by_coin = {"KRW": {"A": inf}}
    found.moved = {"KRW": inf}
    assert found.bets(0.9) == (1, 0.0), "what one coin without a price is worth nobody knows"
    found.by_coin = {"KRW": {"A": inf, "B": 0.5}}
    count, effective = found.bets(0.9)
    assert count == 2
    assert effective == pytest.approx(1.0), "the other counts, however small"


@pytest.mark.parametrize("route", ["to_upbit", "to_binance"])
def test_the_limit_is_as_wide_both_ways(route: str) -> None:
    found, pair = factor_of(Telling().start()), Pair()
    assert found.refusal(getattr(pair, route), 100.0, 100.0) is None
    assert found.refusal(getattr(pair, route), 100.0 + EPS, 100.0) is Reason.FACTOR
    turned = factor_of(moved(50))
    held = turned.largest
    assert turned.refusal(pair.to_binance, 3 * held, 2 * held + EPS) is None, "from one side to the other"
    assert turned.refusal(pair.to_binance, 3 * held, 2 * held - EPS) is Reason.FACTOR


def test_open_cycles_of_the_other_way_do_not_make_room_nor_take_it() -> None:
    tell = moved(50)
    tell.open("c2", leg(0, "upbit", Side.BUY, Decimal(10), Decimal(1)), leg(1, "binance", Side.SELL, Decimal(10), Decimal(1)), value=25.0)
    found, pair = factor_of(tell), Pair()
    assert found.refusal(pair.to_upbit, 100.0, found.largest + 100.0) is None
    assert found.refusal(pair.to_upbit, 100.0, found.largest + 100.0 - EPS) is Reason.FACTOR
    beyond = 2 * found.largest
    assert found.refusal(pair.to_binance, beyond, beyond - found.largest + 25.0 + EPS) is None
    assert found.refusal(pair.to_binance, beyond, beyond - found.largest + 25.0 - EPS) is Reason.FACTOR


def test_what_moves_stock_between_two_venues_of_one_currency_moves_no_factor() -> None:
    tell, pair = moved(50), Pair()
    there = dataclasses.replace(UPBIT_XRP, exchange="bithumb")
    hops = TradeHop(UPBIT_XRP, pair.upbit, Side.BUY), TradeHop(there, pair.upbit, Side.SELL)
    won_against_won = ArbRoute("XRP:upbit>bithumb", "XRP", hops, pair.rates, TERMS)
    assert factor_of(tell).refusal(won_against_won, 1e9, 1.0) is None
    # Nor does a cycle of it that is open count either way.
    sold = structs.replace(leg(1, "upbit", Side.SELL, Decimal(10), Decimal(1)), exchange="bithumb")
    tell.open("c2", leg(0, "upbit", Side.BUY, Decimal(10), Decimal(1)), sold, value=25.0)
    found = factor_of(tell)
    assert found.refusal(pair.to_upbit, 100.0, found.largest + 100.0) is None


def test_a_settlement_currency_is_no_coin_though_it_is_traded_for_another() -> None:
    tell = moved(50)
    tell.open("c2", leg(0, "upbit", Side.BUY, Decimal(10), Decimal(1400), base="USDT"))
    tell.fill("c2", fill_of("upbit", Side.BUY, Decimal(10), Decimal(1400), "u", base="USDT"))
    found = factor_of(tell)
    found.follow([UPBIT_XRP, krw_market("USDT")])
    found.measure()
    assert found.by_coin == {"KRW": {"XRP": pytest.approx(-50 * PRICE)}}


def test_a_coin_that_others_are_priced_in_has_no_premium_of_its_own() -> None:
    tell, pair = moved(50), Pair()
    found = factor_of(tell)
    there = dataclasses.replace(BINANCE_XRP, code="XRPBTC", quote="BTC")
    found.follow([UPBIT_XRP, BINANCE_XRP, there, dataclasses.replace(UPBIT_XRP, code="BTC-XRP", quote="BTC")])
    found.measure()
    assert found.by_coin == {"KRW": {"XRP": pytest.approx(-50 * PRICE)}}
    # Bought for won and sold for the coin elsewhere, it moves to won as any other does; for the coin on both sides it moves nothing.
    to_won = ArbRoute("a", "XRP", (TradeHop(UPBIT_XRP, pair.upbit, Side.BUY), TradeHop(there, pair.binance, Side.SELL)), pair.rates, TERMS)
    from_won = ArbRoute(
        "b", "XRP", (TradeHop(there, pair.binance, Side.BUY), TradeHop(UPBIT_XRP, pair.upbit, Side.SELL)), pair.rates, TERMS
    )
    assert found.refusal(to_won, 10.0, 1.0) is None  # brings back
    assert found.refusal(from_won, 10.0, 1.0) is Reason.FACTOR
    among = ArbRoute(
        "c", "XRP", (TradeHop(there, pair.binance, Side.BUY), TradeHop(BINANCE_XRP, pair.binance, Side.SELL)), pair.rates, TERMS
    )
    assert found.refusal(among, 1e9, 1.0) is None


def test_the_target_follows_a_deposit() -> None:
    tell = Telling().start()
    tell(BalanceOpened("upbit", "XRP", Decimal(500)))
    assert factor_of(tell).largest == 0.0


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("qty", [50, -50])
def test_trading_money_for_money_moves_no_coin_and_passes_beyond_the_limit(qty: int, side: Side) -> None:
    """Where stock has moved one way there is open won to trade back: the limit must not keep it open."""
    found = factor_of(moved(qty))
    rate = rate_book(1400.0, 1401.0)
    netting = NettingRoute(TradeHop(krw_market("USDT"), rate.markets[0].book, side), rate.markets[0], rate, TERMS)
    assert found.largest > 1.0
    assert found.refusal(netting, 0.0, 1.0) is None
