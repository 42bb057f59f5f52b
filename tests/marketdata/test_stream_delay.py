"""How late a stream is, by its venue's own clock: what is usual, what is more, and what that means for two legs."""

import asyncio
from collections.abc import Callable
from math import inf, isnan
from pathlib import Path

import pytest

from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.formats.own import RecordingWriter
from arbtui.marketdata.recording_feed import RecordingFeed
from arbtui.marketdata.stream_delay import StreamDelay, StreamDelays
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from tests.marketdata.frames import SPOT, UPBIT, Bench, snapshot, spot_diff, upbit_book

VENUE_EPOCH_MS = 1_700_000_000_000
BIDS, ASKS = [(99.0, 1.0)], [(101.0, 1.0)]


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.step_ms = 0

    def monotonic(self) -> float:
        return self.now

    def time_ms(self) -> int:
        return VENUE_EPOCH_MS + round(self.now * 1000) + self.step_ms


def feed(delay: StreamDelay, start: float, seconds: float, lag_ms: Callable[[float], float], per_s: int = 10) -> float:
    """Frames ``per_s`` a second, each ``lag_ms`` (of seconds since the start) under way; the time at the end."""
    for n in range(round(seconds * per_s)):
        now = start + n / per_s
        ts_event = round(VENUE_EPOCH_MS + now * 1000 - lag_ms(n / per_s))
        delay.seen(ts_event, delay.watermark, now)  # of one market
    return start + seconds


def test_nothing_is_known_before_fifty_frames_or_ten_seconds() -> None:
    busy, quiet = StreamDelay(), StreamDelay()
    assert isnan(busy.excess)
    learning = [busy.is_learning]
    for delay, start, seconds, per_s in ((busy, 0.0, 4.9, 10), (busy, 4.9, 0.2, 10), (quiet, 0.0, 10.0, 1), (quiet, 10.0, 1.0, 1)):
        feed(delay, start, seconds, lambda _: 80.0, per_s)
        learning.append(delay.is_learning)
    assert learning == [True, True, False, True, False]


@pytest.mark.parametrize("ahead_ms", [0.0, 1272.0, -5000.0])
def test_what_is_usual_is_no_excess_whatever_the_clocks(ahead_ms: float) -> None:
    delay = StreamDelay()
    at = feed(delay, 100.0, 60.0, lambda s: 120.0 + 5 * (s % 1) + ahead_ms)
    assert abs(delay.excess) < 10.0
    feed(delay, at, 1.0, lambda _: 120.0 + ahead_ms + 400.0)
    assert delay.excess == pytest.approx(400.0, abs=10.0)


def test_frames_of_one_market_that_are_old_say_nothing_while_another_is_up_to_date() -> None:
    delay = StreamDelay()
    at = feed(delay, 0.0, 20.0, lambda _: 50.0)
    delay.seen(VENUE_EPOCH_MS + 5000, VENUE_EPOCH_MS + 5000, at)  # a quiet market's book, told again
    assert delay.excess < 150.0


def test_a_lag_that_creeps_is_an_excess_since_what_is_usual_rises_ten_ms_a_minute_at_most() -> None:
    delay = StreamDelay()
    at = feed(delay, 0.0, 60.0, lambda _: 100.0)
    base = delay.base
    feed(delay, at, 120.0, lambda s: 100.0 + 3.0 * s)  # 360 ms in two minutes
    assert delay.base - base <= 21.0
    assert delay.excess > 250.0


def test_what_becomes_quicker_is_usual_soon() -> None:
    delay = StreamDelay()
    at = feed(delay, 0.0, 30.0, lambda _: 200.0)
    base = delay.base
    feed(delay, at, 5.0, lambda _: 60.0)
    assert delay.base == pytest.approx(base - 140.0, abs=5.0)


def test_a_single_frame_from_the_future_does_not_make_all_others_late() -> None:
    delay = StreamDelay()
    feed(delay, 0.0, 300.0, lambda s: 100.0 if s != 150.0 else 60.0)
    assert delay.excess < 250.0


@pytest.mark.parametrize("per_s", [1, 10, 100])
@pytest.mark.parametrize("step_ms", [2000.0, -2000.0, 60_000.0, -60_000.0])
def test_a_step_of_the_venues_clock_and_back_is_learnt_and_denies_meanwhile(step_ms: float, per_s: int) -> None:
    delay = StreamDelay()
    at = feed(delay, 0.0, 30.0, lambda _: 100.0, per_s)
    seen = []
    for lag_ms in (100.0 - step_ms, 100.0):  # a clock that is ahead makes frames look young
        feed(delay, at, 2 / per_s, lambda _, lag_ms=lag_ms: lag_ms, per_s)  # type: ignore[misc]
        seen.append(delay.is_learning)
        at = feed(delay, at + 2 / per_s, 60.0, lambda _, lag_ms=lag_ms: lag_ms, per_s)  # type: ignore[misc]
        seen.append(delay.is_learning)
        assert abs(delay.excess) < 10.0
    assert seen == [True, False, True, False]


def test_a_socket_that_says_the_same_again_and_again_is_never_found_up_to_date() -> None:
    delay = StreamDelay()
    at = feed(delay, 0.0, 30.0, lambda _: 100.0)
    for n in range(300):
        now = at + n / 10
        stuck = round(VENUE_EPOCH_MS + at * 1000 - 100.0)
        delay.seen(stuck, stuck, now)
        assert n < 5 or delay.is_learning or delay.excess > 250.0


class _Desk:
    """Two venues of one market each."""

    def __init__(self, **config: int) -> None:
        self.clock = _Clock()
        self.delays = StreamDelays(MarketDataConfig(**config), self.clock)
        self.books = [OrderBook("upbit", "KRW-XRP"), OrderBook("binance", "XRPUSDT")]
        self.own = {book.exchange: self.delays.open(book.exchange, [book.code])[book.code] for book in self.books}

    def play(self, seconds: float, upbit_ms: float = 100.0, binance_ms: float = 30.0) -> None:
        for delay, lag_ms in ((self.own["upbit"], upbit_ms), (self.own["binance"], binance_ms)):
            feed(delay, self.clock.now, seconds, lambda _, lag_ms=lag_ms: lag_ms)  # type: ignore[misc]
        self.clock.now += seconds

    def refusal(self, max_skew_ms: float = 250.0) -> Reason | None:
        return self.delays.refusal(self.books, self.clock.now, 250.0, max_skew_ms)


def test_two_streams_that_are_as_usual_may_be_traded_on_together() -> None:
    d = _Desk()
    assert d.refusal() is Reason.LEARNING
    d.play(20)
    assert d.refusal() is None
    d.play(2, upbit_ms=400.0)
    assert d.refusal() is Reason.EXCESS_DELAY
    d.play(2)
    assert d.refusal() is None


def test_two_streams_each_within_its_limit_may_be_too_far_apart() -> None:
    d = _Desk()
    d.play(20)
    d.play(0.5, upbit_ms=300.0)
    assert d.refusal() is None
    assert d.refusal(max_skew_ms=150.0) is Reason.LEG_SKEW
    d.play(0.5, upbit_ms=300.0, binance_ms=230.0)  # as late as each other
    assert d.refusal(max_skew_ms=150.0) is None


def test_a_quiet_moment_of_one_stream_is_no_skew() -> None:
    d = _Desk()
    d.play(20)
    feed(d.own["binance"], d.clock.now, 3.0, lambda _: 30.0)  # the other sends nothing for three seconds
    d.clock.now += 3.0
    assert d.refusal() is None


def test_a_quiet_book_on_a_live_socket_is_current_where_somebody_asks_about_it_and_old_news_is_not() -> None:
    d = _Desk()
    d.play(20)
    book = d.books[0]
    book.ts_init = 1000.0
    assert d.delays.current_at(book) == 1000.0
    d.delays.is_quiet_fine = True
    assert d.delays.current_at(book) == pytest.approx(1019.9)
    d.delays.old_news.add(book)
    assert d.delays.current_at(book) == 1000.0


def test_after_a_step_of_our_clock_everything_is_learnt_anew() -> None:
    d = _Desk()
    d.play(20)
    d.delays.watch_clock()
    d.clock.step_ms = 90
    d.delays.watch_clock()
    assert d.refusal() is None
    d.clock.step_ms = 400
    d.delays.watch_clock()
    assert d.refusal() is Reason.LEARNING
    d.play(6)
    assert d.refusal() is None


def test_a_lag_that_was_there_from_the_start_is_found_by_the_server_time() -> None:
    d = _Desk()
    d.play(20, upbit_ms=900.0)
    assert d.refusal() is None  # nothing else is known of that venue
    d.delays.limit_base("upbit", 0.0, 40.0)  # the clocks agree, a round trip takes 40 ms: the stream should come within 70
    d.play(1, upbit_ms=900.0)
    assert d.own["upbit"].excess == pytest.approx(830.0, abs=2.0)
    assert d.refusal() is Reason.EXCESS_DELAY


def test_a_market_that_came_back_is_quarantined_for_a_moment_and_its_neighbour_is_not() -> None:
    d = _Desk(quarantine_ms=500)
    d.play(20)
    d.delays.quarantine(d.books[1])
    assert d.refusal() is Reason.QUARANTINED
    d.clock.now += 0.6
    assert d.refusal() is None


def test_a_socket_of_its_own_is_judged_on_its_own() -> None:
    delays = StreamDelays(MarketDataConfig(), _Clock())
    mapping = delays.open("upbit", ["KRW-A", "KRW-B", "KRW-C"])
    delays.share("upbit", ["KRW-C", "KRW-UNKNOWN"])
    assert mapping["KRW-A"] is mapping["KRW-B"] is not mapping["KRW-C"]
    assert len(delays.sockets("upbit")) == 2


def test_what_was_heard_was_due_when_its_socket_usually_brings_it_each_socket_once() -> None:
    delays = StreamDelays(MarketDataConfig(), _Clock())
    usual, other = delays.open("upbit", ["KRW-A"])["KRW-A"], delays.open("binance", ["A"])["A"]
    assert delays.due() == ()  # nothing was heard yet
    at = feed(usual, 0.0, 20.0, lambda _: 80.0)
    feed(other, 0.0, 19.5, lambda _: 5.0)
    delays.due()
    feed(usual, at, 1.0, lambda _: 80.0 + 300.0)
    (due,) = delays.due()
    assert due == pytest.approx(at + 0.9 - 0.3, abs=0.001)  # the last of them came 300 ms later than usual
    assert delays.due() == ()  # nothing new


def test_a_market_that_comes_back_by_connection_or_snapshot_is_quarantined() -> None:
    bench = Bench(SPOT, UPBIT)
    delays, spot, upbit = bench.aggregator.delays, bench.book(SPOT), bench.book(UPBIT)

    def quarantined() -> bool:
        return delays.refusal([spot, upbit], bench.clock.now, inf, inf) is Reason.QUARANTINED

    bench.feed(spot_diff(9, 10), snapshot(9, BIDS, ASKS), upbit_book(BIDS, ASKS))
    for exchange in ("binance", "upbit"):
        (socket,) = delays.sockets(exchange)
        feed(socket, 0.0, 20.0, lambda _: 0.0)
    assert not quarantined()
    for exchange, code in (UPBIT, SPOT):
        bench.aggregator.connected(exchange, [code], up=False)
        bench.aggregator.connected(exchange, [code], up=True)
        assert quarantined()
        bench.clock.now += 1.0
        assert not quarantined()
    bench.feed(spot_diff(9, 10), snapshot(9, BIDS, ASKS))  # the snapshot that its reconnect waited for
    assert quarantined()
    bench.clock.now += 1.0
    bench.feed(spot_diff(20, 21))  # nothing of 11 to 19
    assert (spot.state, quarantined()) == (BookState.GAPPED, False)
    bench.feed(snapshot(20, BIDS, ASKS))
    assert (spot.state, quarantined()) == (BookState.LIVE, True)


def test_every_stamped_book_moves_its_sockets_watermark_and_frames_of_no_market_do_not() -> None:
    bench = Bench(SPOT, UPBIT)
    (spot,), (upbit,) = bench.aggregator.delays.sockets("binance"), bench.aggregator.delays.sockets("upbit")
    bench.feed(spot_diff(9, 10), upbit_book(BIDS, ASKS, ts=5000), spot_diff(11, 12, code="XRPUSDT"))
    assert (spot.watermark, upbit.watermark) == (1010, 5000)
    bench.clock.now += 1.0
    bench.feed(upbit_book(BIDS, ASKS, ts=4900))  # out of order
    assert (upbit.watermark, upbit.heard_at) == (5000, bench.clock.now)


def test_delays_of_a_recording_are_counted_on_its_own_receive_times(tmp_path: Path) -> None:
    path, start = tmp_path / "a.gz", VENUE_EPOCH_MS
    with RecordingWriter(path, ["upbit"]) as writer:
        for at, late_ms in ((ms, 400 if ms == 20_000 else 40) for ms in (*range(0, 19_000, 100), 20_000)):
            writer.write((start + at) * 1_000_000, upbit_book(BIDS, ASKS, ts=start + at - late_ms))

    async def excess(speed: float) -> float:
        bench = Bench(UPBIT)
        recording = RecordingFeed([path], LoopClock(asyncio.get_running_loop()), speed=speed)
        recording.attach(bench.aggregator)
        await recording.run(bench.aggregator.deliver)
        (delay,) = bench.aggregator.delays.sockets("upbit")
        assert not delay.is_learning
        return delay.excess

    assert run_virtual(excess(1.0)) == run_virtual(excess(50.0)) == pytest.approx(360.0, abs=1.0)
