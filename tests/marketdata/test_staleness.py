from arbtui.model.book import BookState
from tests.marketdata.frames import SPOT, UPBIT, Bench, snapshot, spot_diff, trade, upbit_book

BIDS, ASKS = [(99.0, 1.0)], [(101.0, 1.0)]
XRP = ("upbit", "KRW-XRP")


def live() -> Bench:
    bench = Bench(SPOT, UPBIT, XRP)
    bench.feed(spot_diff(9, 10), snapshot(9, BIDS, ASKS), upbit_book(BIDS, ASKS), upbit_book(BIDS, ASKS, code="KRW-XRP"))
    bench.batches.clear()
    return bench


def test_books_of_a_silent_stream_are_stale_and_those_of_the_other_are_not() -> None:
    bench = live()
    bench.clock.now += 1.4
    bench.feed(spot_diff(11, 12))
    bench.batches.clear()
    bench.aggregator.sweep()
    assert bench.batches == []
    bench.clock.now += 0.2
    bench.aggregator.sweep()
    assert [[book.code for book in batch] for batch in bench.batches] == [["KRW-BTC", "KRW-XRP"]]
    assert (bench.state(SPOT), bench.state(UPBIT), bench.state(XRP)) == (BookState.LIVE, BookState.STALE, BookState.STALE)
    bench.aggregator.sweep()
    assert len(bench.batches) == 1, "told once, not at every sweep"


def test_each_stale_book_lives_again_with_its_own_next_update() -> None:
    bench = live()
    bench.clock.now += 5
    bench.aggregator.sweep()
    bench.feed(upbit_book(BIDS, ASKS))
    assert (bench.state(UPBIT), bench.state(XRP)) == (BookState.LIVE, BookState.STALE)
    bench.feed(spot_diff(11, 12))
    assert bench.state(SPOT) is BookState.LIVE


def test_after_silence_a_diff_out_of_sequence_is_still_a_gap() -> None:
    bench = live()
    bench.clock.now += 5
    bench.aggregator.sweep()
    assert bench.state(SPOT) is BookState.STALE
    bench.feed(spot_diff(15, 16))
    assert bench.state(SPOT) is BookState.GAPPED


def test_trades_and_rubbish_do_not_keep_a_stream_alive_but_books_outside_the_universe_do() -> None:
    bench = live()
    bench.clock.now += 1.6
    bench.feed(trade(99.0, 1.0), snapshot(1, BIDS, ASKS, code="OTHER"))
    bench.aggregator.sweep()
    assert bench.state(SPOT) is BookState.STALE
    bench = live()
    bench.clock.now += 1.6
    bench.feed(spot_diff(1, 2, code="OTHER"))
    bench.aggregator.sweep()
    assert bench.state(SPOT) is BookState.LIVE


def test_the_time_of_the_last_message_is_there_to_be_read() -> None:
    bench = live()
    watch = bench.aggregator.watches["upbit"]
    assert watch.last_message == 100.0
    assert not watch.is_silent(101.5)
    assert watch.is_silent(101.6)


def test_a_book_is_as_old_as_its_venue_says_where_venues_live_in_our_time() -> None:
    bench = Bench(SPOT, UPBIT)
    now_ms = bench.clock.time_ms()
    bench.feed(upbit_book(BIDS, ASKS, ts=now_ms - 60_000))
    assert bench.book(UPBIT).ts_init == bench.clock.now, "a recording's time is not ours"
    bench.aggregator.is_live = True
    bench.feed(upbit_book(BIDS, ASKS, ts=now_ms - 60_000))
    assert bench.book(UPBIT).ts_init == bench.clock.now - 60
    bench.feed(upbit_book(BIDS, ASKS, ts=now_ms - 1900))
    assert bench.book(UPBIT).ts_init == bench.clock.now, "what was under way ages nothing"


def test_how_late_a_stream_is_is_told_by_the_newest_of_several_updates() -> None:
    bench = Bench(UPBIT)
    bench.aggregator.is_live = True
    watch, now_ms = bench.aggregator.watches["upbit"], bench.clock.time_ms()
    bench.feed(upbit_book(BIDS, ASKS, ts=now_ms - 60_000))
    assert watch.take_least_late() is None, "one alone may be a quiet market's"
    bench.feed(*(upbit_book(BIDS, ASKS, ts=now_ms - late) for late in (900, 700, 300, 40)))
    assert watch.take_least_late() == 40
    assert watch.take_least_late() is None
    bench.feed(*[upbit_book(BIDS, ASKS, ts=now_ms + 3000)] * 5)
    assert watch.take_least_late() == -3000
