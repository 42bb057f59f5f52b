"""The won's rate: both sides of one book, or none."""

from math import inf, nan

import pytest

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import BookState
from arbtui.model.reason import Reason
from tests.routes.pairs import NOW, Pair, book, one_rate, rate_book

ONE_SIDED = pytest.mark.parametrize(
    "touch",
    [(1400.0, inf), (0.0, 1401.0), (0.0, inf), (1401.0, 1400.0), (1400.0, 1400.0), (nan, 1401.0), (1400.0, nan), (-1.0, 1401.0)],
    ids=["no ask", "no bid", "neither", "crossed", "locked", "bid is no number", "ask is no number", "negative"],
)


def _touch(rates: RateBook, bid: float, ask: float) -> bool:
    rates.markets[0].book.touch(bid, 1.0, ask, 1.0)
    return rates.refresh()


def _values(rates: RateBook) -> list[float]:
    found = [rates.conversion("USDT", "KRW"), rates.conversion("KRW", "USDT")]
    return [each.value for each in found] + [each.gross for each in found]


@ONE_SIDED
def test_a_book_with_one_side_or_none_is_no_rate_in_either_direction(touch: tuple[float, float]) -> None:
    rates = rate_book()
    assert all(value > 0 for value in _values(rates))
    assert _touch(rates, *touch)
    assert _values(rates) == [0.0] * 4
    assert rates.markets[0].mid() == 0.0
    assert rates.markets[0].refusal(NOW) is Reason.NO_RATE
    assert not rates.refresh()  # it was none before
    assert _touch(rates, 1400.0, 1401.0)
    assert rates.markets[0].refusal(NOW) is None
    assert rates.markets[0].mid() == 1400.5


def test_a_move_of_one_side_alone_is_a_change_of_the_direction_that_trades_on_it() -> None:
    rates = rate_book(1400.0, 1404.0, fee=0.001)
    sell, buy = rates.conversion("USDT", "KRW"), rates.conversion("KRW", "USDT")
    assert not _touch(rates, 1400.0, 1404.0)
    bought = (buy.value, buy.gross)
    assert _touch(rates, 1401.0, 1404.0)
    assert sell.value == pytest.approx(1401 * 0.999)
    assert sell.gross == 1401.0
    assert (buy.value, buy.gross) == bought
    sold = (sell.value, sell.gross)
    assert _touch(rates, 1401.0, 1403.0)
    assert buy.value == pytest.approx(1 / (1403 * 1.001))
    assert buy.gross == pytest.approx(1 / 1403)
    assert (sell.value, sell.gross) == sold


def _laddered(size: float) -> RateBook:
    ladder = book("upbit", "KRW-USDT", [(1400.0, 60.0), (1399.0, 60.0), (1398.0, 60.0)], [(1401.0, 50.0), (1403.0, 150.0)])
    return one_rate(ladder, fee=0.001, size=size)


def test_a_conversion_is_what_a_whole_order_would_get() -> None:
    rates = _laddered(100.0)
    sell, buy = rates.conversion("USDT", "KRW"), rates.conversion("KRW", "USDT")
    assert sell.value == pytest.approx((60 * 1400 + 40 * 1399) / 100 * 0.999)
    assert buy.value == pytest.approx(1 / ((50 * 1401 + 50 * 1403) / 100 * 1.001))
    assert sell.gross == 1400.0  # the touch, whatever the size
    assert buy.gross == pytest.approx(1 / 1401)
    touch = _laddered(50.0)
    assert touch.conversion("USDT", "KRW").value == pytest.approx(1400 * 0.999)
    assert touch.conversion("KRW", "USDT").value == pytest.approx(1 / (1401 * 1.001))


def test_what_lies_behind_the_touch_is_a_change_where_an_order_reaches_it() -> None:
    for size, changes in ((100.0, True), (50.0, False)):
        rates = _laddered(size)
        rates.markets[0].book.replace([(1400.0, 60.0), (1390.0, 60.0)], [(1401.0, 50.0), (1403.0, 150.0)])
        assert rates.markets[0].refresh() is changes


def test_a_side_that_does_not_show_a_whole_order_is_no_rate_that_way() -> None:
    rates = _laddered(190.0)
    assert rates.conversion("USDT", "KRW").value == 0.0  # 180 are bid
    assert rates.conversion("KRW", "USDT").value > 0.0  # 200 are offered
    pair = Pair(rates=rates)
    assert pair.to_upbit.data_refusal(NOW) is None
    assert pair.to_binance.data_refusal(NOW) is Reason.NO_RATE
    assert (pair.to_binance.evaluate(NOW), pair.to_binance.waterfall(), pair.to_binance.touch_edge_bps()) == (None, None, -inf)


def test_without_a_market_there_is_no_rate() -> None:
    rates = RateBook()
    assert not rates.refresh()
    assert _values(rates) == [0.0] * 4
    assert (rates.mid("KRW", "USDT"), rates.shown(), rates.conversion("KRW", "USDT").refusal(NOW)) == (0.0, None, Reason.NO_RATE)
    assert rates.conversion("USDT", "USDT").value == rates.conversion("USDT", "USDT").gross == 1.0
    assert rates.conversion("USDT", "USDT").refusal(NOW) is None


@pytest.mark.parametrize("state", [state for state in BookState if state is not BookState.LIVE])
def test_only_a_live_book_gives_a_rate_to_trade_on(state: BookState) -> None:
    rates = rate_book()
    rates.markets[0].book.state = state
    assert rates.markets[0].refusal(NOW) is Reason.NO_RATE


def test_a_rates_age_is_its_books_and_endless_before_the_first() -> None:
    rates = rate_book(max_age_s=5.0)
    assert rates.markets[0].age(NOW + 3.5) == 3.5
    assert rates.markets[0].refusal(NOW + 5.0) is None
    assert rates.markets[0].refusal(NOW + 5.001) is Reason.RATE_OLD
    for unknown in (-inf, nan):
        rates.markets[0].book.ts_init = unknown
        assert rates.markets[0].age(NOW) == inf
        assert rates.markets[0].refusal(NOW) is Reason.RATE_OLD
