"""Live marks: a price at which one could really get out, the last known one when the book is gone, none where none was ever seen."""

import dataclasses
from decimal import Decimal

from arbtui.journal.events import Mark
from arbtui.model.book import BookState
from arbtui.model.order import Side
from arbtui.portfolio.marks import LiveMarks
from tests.journal.synthetic import FixedClock
from tests.portfolio.telling import fill_of
from tests.routes.pairs import NOW, Pair, rate_book
from tests.routes.pairs import book as book_of
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP


def _marks(pair: Pair, clock: FixedClock | None = None) -> LiveMarks:
    return LiveMarks("USDT", pair.rates, [(UPBIT_XRP, pair.upbit), (BINANCE_XRP, pair.binance)], clock or FixedClock())


def _clear(pair: Pair) -> None:
    for book in (pair.upbit, pair.binance, pair.rates.markets[0].book):
        assert book is not None
        book.clear(BookState.EMPTY)
    pair.rates.refresh()


def test_a_coin_is_worth_its_bid_and_a_won_its_mid() -> None:
    marks = _marks(Pair())
    assert marks.value("USDT") == 1
    assert marks.value("KRW") == Decimal(repr(1 / 1400.5))
    assert marks.value("XRP") == Decimal(repr(3030 / 1400.5))
    assert marks.value("DOGE") is None
    assert marks.prices(["USDT", "DOGE", "KRW"]) == {"USDT": 1, "KRW": Decimal(repr(1 / 1400.5))}


def test_a_mark_says_which_book_it_is_from_and_how_old_that_was() -> None:
    clock = FixedClock()
    clock.now_ms = round(NOW * 1000) + 250
    mark = _marks(Pair(), clock).mark("XRP")
    assert mark == Mark(Decimal(repr(3030 / 1400.5)), "upbit:KRW-XRP", 250)


def test_the_last_price_stays_when_a_book_goes_away() -> None:
    pair = Pair()
    marks = _marks(pair)
    before = marks.prices(["KRW", "XRP"])
    assert all(marks.is_live(asset) for asset in ("USDT", "KRW", "XRP"))
    _clear(pair)
    assert marks.prices(["KRW", "XRP"]) == before
    assert [marks.is_live(asset) for asset in ("USDT", "KRW", "XRP")] == [True, False, False]
    assert [marks.has_book(asset) for asset in ("KRW", "XRP", "DOGE")] == [True, True, False]


def test_a_book_without_a_bid_gives_way_to_the_next_venue() -> None:
    pair = Pair()
    marks = _marks(pair)
    pair.upbit.touch(0.0, 0.0, 3031.0, 1.0)
    mark = marks.mark("XRP")
    assert mark is not None
    assert (mark.price, mark.source) == (Decimal("2.1397"), "binance:XRPUSDT")


def test_a_coin_of_less_than_one_has_a_price_and_an_infinite_one_is_none() -> None:
    pair = Pair()
    pair.upbit.touch(0.0, 0.0, 3031.0, 1.0)
    pair.binance.touch(0.25, 1.0, 0.26, 1.0)
    marks = _marks(pair)
    assert (marks.value("XRP"), marks.is_live("XRP")) == (Decimal("0.25"), True)
    pair.binance.touch(float("inf"), 1.0, float("inf"), 1.0)
    assert (marks.value("XRP"), marks.is_live("XRP")) == (Decimal("0.25"), False)


def test_the_age_of_a_book_that_never_changed_says_nothing() -> None:
    pair = Pair()
    pair.upbit.ts_init = float("-inf")
    mark = _marks(pair).mark("XRP")
    assert mark is not None
    assert mark.age_ms == 2**31


def test_a_market_in_a_currency_that_nothing_converts_prices_nothing() -> None:
    pair = Pair()
    foreign = dataclasses.replace(UPBIT_XRP, quote="EUR")
    assert LiveMarks("USDT", pair.rates, [(foreign, pair.upbit)], FixedClock()).value("XRP") is None
    both = LiveMarks("USDT", pair.rates, [(foreign, pair.upbit), (BINANCE_XRP, pair.binance)], FixedClock())
    assert both.value("XRP") == Decimal("2.1397")


def test_a_book_that_prices_one_coin_in_another_prices_it_where_no_other_does() -> None:
    pair = Pair()
    cross = dataclasses.replace(UPBIT_XRP, code="BTC-XRP", quote="BTC")
    bitcoin = dataclasses.replace(BINANCE_XRP, code="BTCUSDT", base="BTC")
    cross_book = book_of("upbit", "BTC-XRP", [(0.00002, 1.0)], [(0.00003, 1.0)])
    bitcoin_book = book_of("binance", "BTCUSDT", [(100_000.0, 1.0)], [(100_001.0, 1.0)])
    won = book_of("upbit", "KRW-BTC", [(140_050_000.0, 1.0)], [(140_060_000.0, 1.0)])
    last = LiveMarks("USDT", pair.rates, [(cross, cross_book), (bitcoin, bitcoin_book)], FixedClock())
    assert last.value("XRP") == Decimal("2.0")
    assert last.value("BTC") == Decimal(100_000)
    in_won = dataclasses.replace(UPBIT_XRP, code="KRW-BTC", base="BTC")
    assert LiveMarks("USDT", pair.rates, [(cross, cross_book), (in_won, won)], FixedClock()).value("XRP") == Decimal("2.0")
    assert LiveMarks("USDT", pair.rates, [(cross, cross_book)], FixedClock()).value("XRP") is None
    own = LiveMarks("USDT", pair.rates, [(cross, cross_book), (bitcoin, bitcoin_book), (BINANCE_XRP, pair.binance)], FixedClock())
    assert own.value("XRP") == Decimal("2.1397")  # its own market says it, whichever was named first


def test_an_asset_is_known_from_any_book_and_stays_so() -> None:
    pair = Pair()
    marks = _marks(pair)
    assert [marks.is_known(asset) for asset in ("XRP", "KRW", "USDT", "DOGE")] == [True, True, True, False]
    _clear(pair)
    assert marks.is_known("XRP")
    fresh = _marks(pair)
    assert [fresh.is_known(asset) for asset in ("XRP", "KRW", "USDT")] == [False, False, True]


def test_a_coin_without_books_that_was_traded_for_won_is_worth_that_in_dollars() -> None:
    told = fill_of("upbit", Side.BUY, Decimal(10), Decimal(3000), "t", base="ADA")
    won = Decimal(repr(1 / 1400.5))
    assert _marks(Pair()).of_fill(told) == {"ADA": 3000 * won, "KRW": won}


def test_what_money_is_counted_in_is_worth_one_and_of_no_age() -> None:
    assert _marks(Pair()).mark("USDT") == Mark(Decimal(1), "USDT", 0)


def test_the_rate_is_from_its_book() -> None:
    clock = FixedClock()
    clock.now_ms = round(NOW * 1000) + 1_000
    assert _marks(Pair(), clock).mark("KRW") == Mark(Decimal(repr(1 / 1400.5)), "upbit:KRW-USDT", 1_000)
    cheap = Pair(rates=rate_book(0.8, 0.9))  # a currency that is worth more than a dollar
    assert _marks(cheap).value("KRW") == Decimal(repr(1.0 / cheap.rates.markets[0].mid()))
    cheap.binance.touch(0.0, 0.0, 2.0, 1.0)
    assert _marks(cheap).value("XRP") == Decimal(repr(3030.0 / cheap.rates.markets[0].mid()))


def test_a_venue_whose_price_cannot_be_used_gives_way_to_the_next() -> None:
    pair = Pair()
    pair.upbit.touch(float("inf"), 1.0, float("inf"), 1.0)
    assert _marks(pair).value("XRP") == Decimal("2.1397")
    without_rate = Pair()
    without_rate.rates.markets[0].book.clear(BookState.EMPTY)
    without_rate.rates.refresh()
    assert _marks(without_rate).value("XRP") == Decimal("2.1397")


def test_restored_prices_hold_until_a_book_comes() -> None:
    pair = Pair()
    levels = [(3030.0, 400.0)], [(3031.0, 400.0)]
    _clear(pair)
    marks = _marks(pair)
    assert marks.value("XRP") is None
    marks.restore({"XRP": Mark(Decimal("1.5"), "upbit:KRW-XRP", 7)})
    assert marks.value("XRP") == Decimal("1.5")
    pair.binance.replace(*levels)
    assert marks.value("XRP") == Decimal("3030.0")
    marks.restore({"XRP": Mark(Decimal("1.5"), "upbit:KRW-XRP", 7)})
    assert marks.value("XRP") == Decimal("3030.0")


def test_a_fill_is_booked_at_what_everything_it_moved_is_worth() -> None:
    pair = Pair()
    marks = _marks(pair)
    told = fill_of("upbit", Side.SELL, Decimal(10), Decimal(3000), "t", fee=Decimal(1), fee_currency="BNB")
    assert marks.of_fill(told) == {"XRP": Decimal(repr(3030 / 1400.5)), "KRW": Decimal(repr(1 / 1400.5))}  # BNB has no price: left out


def test_a_coin_whose_books_were_never_seen_is_worth_what_it_was_traded_at() -> None:
    pair = Pair()
    _clear(pair)
    marks = _marks(pair)
    assert marks.of_fill(fill_of("binance", Side.BUY, Decimal(10), Decimal("2.5"), "t")) == {"USDT": 1, "XRP": Decimal("2.5")}
    assert marks.of_fill(fill_of("upbit", Side.BUY, Decimal(10), Decimal(3000), "t")) == {}  # a won of no known price tells nothing


def test_a_coin_that_prices_another_is_worth_the_bid_of_the_first_of_its_books_that_has_one() -> None:
    pair = Pair()
    cross = dataclasses.replace(UPBIT_XRP, code="BTC-XRP", quote="BTC")
    cross_book = book_of("upbit", "BTC-XRP", [(0.00002, 1.0)], [(0.00003, 1.0)])
    one_sided = book_of("binance", "BTCUSDT", [(90_000.0, 1.0)], [(100_001.0, 1.0)])
    one_sided.touch(0.0, 0.0, 100_001.0, 1.0)
    other = book_of("okx", "BTC-USDT", [(100_000.0, 1.0)], [(100_003.0, 1.0)])
    bitcoin = dataclasses.replace(BINANCE_XRP, code="BTCUSDT", base="BTC")
    foreign = dataclasses.replace(bitcoin, code="BTCEUR", quote="EUR")
    okx = dataclasses.replace(bitcoin, exchange="okx", code="BTC-USDT")
    infinite = book_of("okx", "BTC-USDT", [(100_000.0, 1.0)], [(100_003.0, 1.0)])
    infinite.touch(float("inf"), 1.0, float("inf"), 1.0)
    for first in ((bitcoin, one_sided), (foreign, other), (bitcoin, infinite)):
        marks = LiveMarks("USDT", pair.rates, [(cross, cross_book), first, (okx, other)], FixedClock())
        assert marks.value("XRP") == Decimal("2.0")
        assert marks.value("BTC") == 100_000
        alone = LiveMarks("USDT", pair.rates, [(cross, cross_book), first], FixedClock())
        assert (alone.value("XRP"), alone.is_live("XRP")) == (None, False)


def test_a_coin_that_prices_another_may_itself_be_worth_less_than_one() -> None:
    cross = dataclasses.replace(UPBIT_XRP, code="ADA-XRP", quote="ADA")
    cheap = dataclasses.replace(BINANCE_XRP, code="ADAUSDT", base="ADA")
    cross_book = book_of("upbit", "ADA-XRP", [(4.0, 1.0)], [(4.1, 1.0)])
    books = [(cross, cross_book), (cheap, book_of("binance", "ADAUSDT", [(0.5, 1.0)], [(0.51, 1.0)]))]
    marks = LiveMarks("USDT", Pair().rates, books, FixedClock())
    assert (marks.value("XRP"), marks.value("ADA")) == (Decimal("2.0"), Decimal("0.5"))
