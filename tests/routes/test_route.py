import dataclasses
from decimal import Decimal
from math import inf, nan

import pytest

from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import BookState, OrderBook
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.routes.hops import InventoryHop, Node, TradeHop
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import Opportunity, SizedHop
from arbtui.routes.universe import ArbUniverse
from tests.routes.pairs import BINANCE_XRP, NOW, OTHER_XRP, TERMS, UPBIT_XRP, Pair, book, rate_book


def test_a_good_pair_is_an_opportunity_in_one_direction_only() -> None:
    pair = Pair()
    found = pair.to_upbit.evaluate(NOW)
    assert found is not None
    assert (found.route, found.decided_at) == (pair.to_upbit, NOW)
    bought, sold = found.orders
    assert (bought.qty, sold.qty) == (Decimal("46.7"), Decimal("46.6533"))  # the coin fee is bought on top
    assert (bought.price, sold.price) == (Decimal("2.14"), Decimal(3030))
    assert found.size == 46.6533
    assert found.expected_pnl == pytest.approx(found.value * found.edge_bps / 1e4)
    assert pair.to_binance.evaluate(NOW) is None
    assert pair.to_upbit.refusal(NOW) is None
    assert pair.to_binance.refusal(NOW) is Reason.BELOW_THRESHOLD


def test_prices_that_have_just_crossed_wait() -> None:
    pair = Pair(terms=dataclasses.replace(TERMS, min_cross_s=0.3))
    for after, reason in ((0.0, Reason.CROSS_TOO_NEW), (0.29, Reason.CROSS_TOO_NEW), (0.31, None)):
        assert (pair.to_upbit.evaluate(NOW + after) is None) is (reason is not None)
        assert pair.to_upbit.refusal(NOW + after) is reason


@pytest.mark.parametrize("blocked", [None, Reason.COOLDOWN])
@pytest.mark.parametrize("interruption", ["prices", "book"])
def test_a_cross_that_was_interrupted_counts_anew(interruption: str, blocked: Reason | None) -> None:
    pair = Pair(terms=dataclasses.replace(TERMS, min_cross_s=0.3))
    assert pair.to_upbit.evaluate(NOW) is None
    pair.to_upbit.blocked = blocked  # nothing is priced meanwhile, and time goes on
    if interruption == "prices":
        pair.upbit.touch(2980.0, 400.0, 2981.0, 400.0)
    else:
        pair.upbit.state = BookState.STALE
    assert pair.to_upbit.evaluate(NOW + 1.0) is None
    pair.upbit.touch(3030.0, 400.0, 3031.0, 400.0)
    pair.upbit.state = BookState.LIVE
    pair.to_upbit.blocked = None
    assert pair.to_upbit.evaluate(NOW + 1.1) is None
    assert pair.to_upbit.refusal(NOW + 1.1) is Reason.CROSS_TOO_NEW
    assert pair.to_upbit.evaluate(NOW + 1.5) is not None


def test_a_cross_that_pays_less_for_a_moment_counts_on() -> None:
    pair = Pair(terms=dataclasses.replace(TERMS, min_cross_s=0.3))
    assert pair.to_upbit.evaluate(NOW) is None
    pair.upbit.touch(3001.0, 400.0, 3002.0, 400.0)
    assert 0.0 < pair.to_upbit.gross_edge_bps() < 15.0, "crossed before fees, and not after them"
    assert pair.to_upbit.evaluate(NOW + 0.2) is None
    pair.upbit.touch(3030.0, 400.0, 3031.0, 400.0)
    assert pair.to_upbit.evaluate(NOW + 0.4) is not None


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (BookState.EMPTY, Reason.NO_BOOK),
        (BookState.SYNCING, Reason.NO_BOOK),
        (BookState.GAPPED, Reason.GAPPED),
        (BookState.STALE, Reason.STALE),
    ],
)
@pytest.mark.parametrize("which", ["upbit", "binance"])
def test_a_book_that_is_not_live_blocks_whatever_its_prices(which: str, state: BookState, reason: Reason) -> None:
    pair = Pair()
    getattr(pair, which).state = state
    assert pair.to_upbit.evaluate(NOW) is None
    assert pair.to_upbit.refusal(NOW) is reason


@pytest.mark.parametrize("which", ["upbit", "binance"])
@pytest.mark.parametrize(
    ("touch", "reason"),
    [
        ((3031.0, 1.0, 3031.0, 1.0), Reason.CROSSED),
        ((3032.0, 1.0, 3031.0, 1.0), Reason.CROSSED),
        ((0.0, 0.0, 3031.0, 1.0), Reason.NO_BOOK),
        ((3030.0, 1.0, inf, 0.0), Reason.NO_BOOK),
        ((nan, 1.0, 3031.0, 1.0), Reason.NO_BOOK),
        ((3030.0, 1.0, nan, 1.0), Reason.NO_BOOK),
    ],
)
def test_a_crossed_empty_or_senseless_book_is_no_book(which: str, touch: tuple[float, float, float, float], reason: Reason) -> None:
    pair = Pair()
    getattr(pair, which).touch(*touch)
    for route in (pair.to_upbit, pair.to_binance):
        assert route.evaluate(NOW) is None
        assert route.refusal(NOW) is reason


def test_a_quantity_that_is_not_a_number_is_nothing_to_trade() -> None:
    pair = Pair()
    pair.binance.touch(2.1397, 1.0, 2.14, nan)
    assert pair.to_upbit.evaluate(NOW) is None


def test_the_first_reason_is_told_when_several_hold() -> None:
    pair = Pair()
    pair.binance.state = BookState.GAPPED
    pair.upbit.state = BookState.STALE
    assert pair.to_upbit.refusal(NOW) is Reason.GAPPED  # the buying book is looked at first
    assert pair.to_binance.refusal(NOW) is Reason.STALE
    pair.to_upbit.blocked = Reason.ROUTE_BUSY
    assert pair.to_upbit.refusal(NOW) is Reason.ROUTE_BUSY


def test_without_a_rate_there_is_no_trade() -> None:
    pair = Pair()
    rate = pair.rates.markets[0].book
    assert rate is not None
    rate.clear(BookState.EMPTY)
    pair.rates.refresh()
    assert pair.to_upbit.evaluate(NOW) is None
    assert pair.to_upbit.refusal(NOW) is Reason.NO_RATE
    assert pair.to_upbit.touch_edge_bps() == pair.to_upbit.gross_edge_bps() == -inf


def test_a_rate_that_was_good_and_whose_book_went_stale_is_none() -> None:
    pair = Pair()
    pair.rates.markets[0].book.state = BookState.STALE  # its prices are still in the shared factor
    assert pair.to_upbit.evaluate(NOW) is None
    assert pair.to_upbit.refusal(NOW) is Reason.NO_RATE


@pytest.mark.parametrize(("age", "reason"), [(4.999, None), (5.0, None), (5.001, Reason.RATE_OLD)])
def test_a_rate_grows_old(age: float, reason: Reason | None) -> None:
    pair = Pair()
    pair.rates.markets[0].book.ts_init = NOW - age
    assert pair.to_upbit.refusal(NOW) is reason
    assert (pair.to_upbit.evaluate(NOW) is None) is (reason is not None)


def test_a_rate_between_two_other_currencies_is_no_rate() -> None:
    rates = RateBook([RateMarket(book("upbit", "KRW-USDC", [(1400.0, 1.0)], [(1401.0, 1.0)]), "USDC", "KRW", 5.0, 0.0)], "USDT")
    rates.refresh()
    assert Pair(rates=rates).to_upbit.refusal(NOW) is Reason.NO_RATE


def test_the_rate_is_taken_from_the_side_that_can_be_executed_and_costs_its_fee() -> None:
    rates = rate_book(1400.0, 1410.0, fee=0.001)
    assert rates.conversion("USDT", "KRW").value == pytest.approx(1400 * 0.999)
    assert rates.conversion("KRW", "USDT").value == pytest.approx(1 / (1410 * 1.001))
    assert rates.conversion("KRW", "KRW").value == 1.0
    assert rates.conversion("KRW", "EUR").value == 0.0
    assert rates.markets[0].mid() == 1405.0


def test_a_rate_tick_reaches_every_route_through_the_shared_factor_and_says_whether_it_changed() -> None:
    pair = Pair()
    assert not pair.rates.refresh()
    before = pair.to_upbit.touch_edge_bps()
    pair.rates.markets[0].book.replace([(1500.0, 1.0)], [(1501.0, 1.0)])
    assert pair.rates.refresh()
    assert pair.to_upbit.touch_edge_bps() < before - 500


@pytest.mark.parametrize(("ratio", "reason"), [(0.79, Reason.PRICE_RATIO), (0.81, None), (1.24, None), (1.26, Reason.PRICE_RATIO)])
def test_prices_too_far_apart_are_two_assets(ratio: float, reason: Reason | None) -> None:
    pair = Pair()
    mid = 2.13985 * ratio * 1400 / (1 - 0.0005) ** 0
    pair.upbit.replace([(mid - 0.5, 500.0)], [(mid + 0.5, 500.0)])
    assert pair.to_upbit.data_refusal(NOW) is reason


def test_the_threshold_is_net_of_all_costs() -> None:
    edge = Pair().to_upbit.touch_edge_bps()
    assert 0 < edge < Pair().to_upbit.gross_edge_bps() - 15  # 10 + 5 of fees and 5 of the rate
    for least, opens in ((edge - 0.01, True), (edge + 0.01, False)):
        pair = Pair(terms=dataclasses.replace(TERMS, min_edge_bps=least, order_value=20.0))
        assert (pair.to_upbit.evaluate(NOW) is not None) is opens
        slipping = Pair(terms=dataclasses.replace(TERMS, min_edge_bps=least - 2.0, slippage_bps=2.0, order_value=20.0))
        assert (slipping.to_upbit.evaluate(NOW) is not None) is opens


def test_a_scarce_stock_asks_more_and_a_full_one_less() -> None:
    edge = Pair().to_upbit.touch_edge_bps()
    terms = dataclasses.replace(TERMS, min_edge_bps=edge - 5.0, order_value=20.0)
    level = Pair(terms=terms, shadow_bps_at_empty=20.0)
    assert level.to_upbit.evaluate(NOW) is not None
    level.stock["upbit"].available = 500.0  # half sold out there: 10 bps more than at the buying venue
    assert level.to_upbit.evaluate(NOW) is None
    assert level.to_upbit.denied is Reason.BELOW_THRESHOLD
    level.stock["binance"].available = 0.0  # and the buying venue is empty: bringing stock back there earns 20
    assert level.to_upbit.evaluate(NOW) is not None


@pytest.mark.parametrize(
    ("stock", "cash", "reason"),
    [
        (0.0, 2000.0, Reason.NO_STOCK),
        (-1.0, 2000.0, Reason.NO_STOCK),
        (1000.0, 0.0, Reason.NO_CASH),
        (1000.0, -5.0, Reason.NO_CASH),
        (1000.0, 0.1, Reason.NO_CASH),  # not even a lot
        (1.0, 2000.0, Reason.NO_STOCK),  # 3,030 KRW: under the minimum, for want of stock
        (1000.0, 3.0, Reason.NO_CASH),
        (3.0, 2000.0, Reason.NO_STOCK),  # a lot would be over a fiftieth of it
    ],
)
def test_what_stock_and_cash_allow(stock: float, cash: float, reason: Reason) -> None:
    pair = Pair()
    pair.stock["upbit"].available, pair.cash["binance"].available = stock, cash
    assert pair.to_upbit.evaluate(NOW) is None
    assert pair.to_upbit.refusal(NOW) is reason


def test_the_last_cash_is_traded_as_far_as_it_reaches() -> None:
    pair = Pair()
    pair.cash["binance"].available = 60.0
    found = pair.to_upbit.evaluate(NOW)
    assert found is not None
    worst = found.orders[0].qty * found.orders[0].price * (1 + BINANCE_XRP.fees.taker)
    assert Decimal(59) < worst <= 60


def test_two_venues_of_one_foreign_currency_need_the_rate_to_size_an_order() -> None:
    won = dataclasses.replace(UPBIT_XRP, exchange="bithumb", code="XRP_KRW")
    pair = Pair(rates=RateBook())
    dearer = book("bithumb", "XRP_KRW", [(3100.0, 500.0)], [(3101.0, 500.0)])
    route = InventoryRoute(
        "XRP",
        TradeHop(UPBIT_XRP, pair.upbit, Side.BUY),
        TradeHop(won, dearer, Side.SELL),
        InventoryHop(pair.stock["upbit"], Node("bithumb", "XRP", 500.0), 0.0),
        pair.cash["upbit"],
        pair.rates,
        TERMS,
    )
    assert route.evaluate(NOW) is None
    assert route.refusal(NOW) is Reason.NO_RATE


def test_a_blocked_route_is_not_even_evaluated() -> None:
    pair = Pair()
    pair.to_upbit.blocked = Reason.RESIDUAL
    assert pair.to_upbit.evaluate(NOW) is None
    assert pair.to_upbit.evaluations == 0


def _opportunity(route: InventoryRoute, value: float, edge_bps: float) -> Opportunity:
    return Opportunity(route, tuple(SizedHop(hop, Decimal(1), Decimal(1)) for hop in route.trades), edge_bps, value, 1.0, NOW, 0.0)


def test_the_best_expected_capture_goes_first_and_equals_keep_their_order() -> None:
    pair = Pair()
    small, large = _opportunity(pair.to_upbit, 100, 10), _opportunity(pair.to_binance, 1000, 5)
    same = _opportunity(pair.to_upbit, 1000, 5)
    prioritizer = RoutePrioritizer()
    assert prioritizer.rank([small, large]) == [large, small]
    assert prioritizer.rank([large, same]) == [large, same]
    assert prioritizer.rank([same, large]) == [same, large]


def test_an_edge_that_is_always_gone_on_arrival_falls_behind_and_comes_back() -> None:
    pair = Pair()
    vanishing, steady = _opportunity(pair.to_upbit, 100, 10), _opportunity(pair.to_binance, 100, 8)
    prioritizer = RoutePrioritizer()
    assert prioritizer.rank([steady, vanishing])[0] is vanishing
    for _ in range(3):
        prioritizer.health.learned.brought(pair.to_upbit.id, 0.0)
    assert prioritizer.score(vanishing) == pytest.approx(vanishing.expected_pnl * 0.9**3)
    assert prioritizer.rank([vanishing, steady])[0] is steady
    for _ in range(30):
        prioritizer.health.learned.brought(pair.to_upbit.id, 1.0)
    assert prioritizer.rank([steady, vanishing])[0] is vanishing
    assert prioritizer.score(vanishing) <= vanishing.expected_pnl


def _universe() -> tuple[ArbUniverse, dict[tuple[str, str], OrderBook]]:
    btc = dataclasses.replace(UPBIT_XRP, base="BTC", code="KRW-BTC")
    markets = [UPBIT_XRP, BINANCE_XRP, OTHER_XRP, btc]
    books = {(market.exchange, market.code): OrderBook(market.exchange, market.code) for market in markets}
    return ArbUniverse(markets, books, rate_book(), TERMS, 0.0, ["XRP", "BTC"]), books


def test_every_pair_of_venues_is_a_route_each_way_and_no_venue_with_itself() -> None:
    universe, _ = _universe()
    venues = ("upbit", "binance", "other")
    assert [route.id for route in universe.routes] == [f"XRP:{a}>{b}" for a in venues for b in venues if a != b]
    assert universe.of_symbol("XRP") == universe.routes
    assert list(universe.of_symbol("BTC")) == []  # listed at one venue only
    assert list(universe.of_symbol("ETH")) == []
    assert universe.by_id["XRP:upbit>binance"].trades[0].market is UPBIT_XRP


def test_only_listed_pairs_of_venues_have_routes() -> None:
    _, books = _universe()
    pairs = {"XRP": [("other", "binance")]}
    universe = ArbUniverse([UPBIT_XRP, BINANCE_XRP, OTHER_XRP], books, rate_book(), TERMS, 0.0, ["XRP"], pairs)
    assert [route.id for route in universe.routes] == ["XRP:binance>other", "XRP:other>binance"]
    assert not universe.touched_by.get(books["upbit", "KRW-XRP"])


def test_one_coin_against_another_is_paired_with_nothing_though_its_market_is_there() -> None:
    _, books = _universe()
    cross = dataclasses.replace(BINANCE_XRP, code="XRPBTC", quote="BTC")
    books["binance", "XRPBTC"] = OrderBook("binance", "XRPBTC")
    markets = [UPBIT_XRP, cross, BINANCE_XRP]
    universe = ArbUniverse(markets, books, rate_book(), TERMS, 0.0, ["XRP", "BTC"])
    assert [route.id for route in universe.routes] == ["XRP:upbit>binance", "XRP:binance>upbit"]
    route = universe.by_id["XRP:upbit>binance"]
    assert isinstance(route, InventoryRoute)
    assert route.sold.market is BINANCE_XRP
    assert universe.markets == tuple(markets)
    assert not universe.touched_by.get(books["binance", "XRPBTC"])


def test_a_book_finds_exactly_the_routes_that_it_touches() -> None:
    universe, books = _universe()
    for (exchange, _), touched in books.items():
        expected = [route for route in universe.routes if touched in route.books]
        assert list(universe.touched_by.get(touched, ())) == expected, exchange
    assert OrderBook("upbit", "KRW-USDT") not in universe.touched_by


def test_routes_share_the_stock_and_cash_that_they_compete_for() -> None:
    universe, _ = _universe()
    one, two = universe.by_id["XRP:upbit>binance"], universe.by_id["XRP:upbit>other"]
    (stock, cash), (other_stock, other_cash) = one.uses, two.uses
    assert cash is other_cash is universe.node("upbit", "KRW")
    assert stock is not other_stock
    assert stock is universe.by_id["XRP:other>binance"].inventories[0].sold_at
