"""Binance's rules for a local order book, one by one, through real frames."""

from math import inf

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.model.book import BookState
from tests.marketdata.frames import SPOT, USDM, Bench, snapshot, spot_diff, ticker, usdm_diff

BIDS, ASKS = [(99.0, 1.0), (98.0, 2.0)], [(101.0, 1.0), (102.0, 2.0)]


def live_spot(last: int = 100) -> Bench:
    """A spot book that is LIVE at ``last`` + 1, its first diff applied."""
    bench = Bench(SPOT)
    bench.feed(spot_diff(last - 1, last + 1, [(97.0, 1.0)]), snapshot(last, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert bench.book().update_id == last + 1
    return bench


def test_diffs_wait_for_the_snapshot_and_those_it_holds_are_dropped() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(90, 95, [(99.0, 5.0)]))
    assert bench.state() is BookState.SYNCING
    assert bench.asked == [SPOT]
    bench.feed(spot_diff(96, 99, [(98.0, 5.0)]), spot_diff(100, 103, [(97.0, 7.0)], [(101.0, 0.0)]))
    assert list(bench.book().bids()) == []
    bench.feed(snapshot(99, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert list(bench.book().bids()) == [(99.0, 1.0), (98.0, 2.0), (97.0, 7.0)], "the first two diffs must not have been applied"
    assert list(bench.book().asks()) == [(102.0, 2.0)]
    assert bench.book().update_id == 103
    assert bench.asked == [SPOT]


def test_a_diff_that_overlaps_the_snapshot_is_its_bridge() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(95, 105, [(99.0, 5.0)]), snapshot(100, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert next(bench.book().bids()) == (99.0, 5.0)


def test_a_snapshot_older_than_the_stream_is_asked_for_again_and_never_merged() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(100, 105, [(99.0, 5.0)]), snapshot(98, BIDS, ASKS))
    assert bench.state() is BookState.SYNCING
    assert list(bench.book().bids()) == []
    assert bench.asked == [SPOT, SPOT]
    bench.feed(snapshot(99, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert bench.aggregator.counts["binance"].gaps == 0


def test_a_missing_update_clears_the_book_asks_once_and_recovers() -> None:
    bench = live_spot()
    bench.asked.clear()
    bench.feed(spot_diff(103, 104, [(98.5, 1.0)]))
    assert bench.state() is BookState.GAPPED
    assert (bench.book().bid, bench.book().ask) == (0.0, inf)
    bench.feed(spot_diff(105, 106), spot_diff(107, 108, [(98.0, 9.0)]))
    assert bench.asked == [SPOT], "one request for one gap"
    bench.feed(snapshot(105, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert list(bench.book().bids()) == [(99.0, 1.0), (98.0, 9.0)]
    counts = bench.aggregator.counts["binance"]
    assert (counts.gaps, counts.resyncs) == (1, 1)


def test_a_gap_among_the_waiting_diffs_costs_the_snapshot() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(100, 101), spot_diff(105, 106), snapshot(100, BIDS, ASKS))
    assert bench.state() is BookState.SYNCING
    assert bench.asked == [SPOT, SPOT]
    assert bench.aggregator.counts["binance"].gaps == 1
    bench.feed(snapshot(104, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert bench.book().update_id == 106


def test_duplicates_and_old_diffs_change_nothing() -> None:
    bench = live_spot()
    bench.batches.clear()
    bench.feed(spot_diff(99, 101, [(97.0, 50.0)]), spot_diff(50, 60, [(99.0, 0.0)]))
    assert bench.state() is BookState.LIVE
    assert list(bench.book().bids()) == [(99.0, 1.0), (98.0, 2.0), (97.0, 1.0)]
    assert bench.batches == []
    assert bench.aggregator.counts["binance"].old == 2


def test_a_spot_diff_that_overlaps_an_applied_one_is_a_gap() -> None:
    bench = live_spot()
    bench.feed(spot_diff(101, 105))
    assert bench.state() is BookState.GAPPED


def test_a_second_snapshot_is_left_while_the_diffs_are_in_step() -> None:
    bench = live_spot()
    bench.feed(snapshot(500, [(1.0, 1.0)], [(2.0, 1.0)]), spot_diff(102, 102, [(99.0, 4.0)]))
    assert bench.state() is BookState.LIVE
    assert next(bench.book().bids()) == (99.0, 4.0)


@pytest.mark.parametrize(
    ("diff", "state"),
    [
        (usdm_diff(95, 105, 90), BookState.LIVE),  # U <= lastUpdateId <= u
        (usdm_diff(95, 100, 90), BookState.LIVE),  # ends at the snapshot
        (usdm_diff(103, 105, 100), BookState.LIVE),  # the update before ended at the snapshot: nothing is between
        (usdm_diff(103, 105, 101), BookState.SYNCING),  # something between 100 and 101 is missing
    ],
)
def test_usdm_bridges_by_the_previous_update(diff: Frame, state: BookState) -> None:
    bench = Bench(USDM)
    bench.feed(diff, snapshot(100, BIDS, ASKS, "binanceusdm"))
    assert bench.state(USDM) is state
    assert len(bench.asked) == (1 if state is BookState.LIVE else 2)


def test_usdm_follows_pu_and_not_the_first_id() -> None:
    bench = Bench(USDM)
    bench.feed(usdm_diff(95, 105, 90), snapshot(100, BIDS, ASKS, "binanceusdm"))
    bench.feed(usdm_diff(111, 120, 105, [(99.0, 6.0)]))
    assert bench.state(USDM) is BookState.LIVE
    assert bench.book(USDM).bid_qty == 6.0
    bench.feed(usdm_diff(121, 130, 119))
    assert bench.state(USDM) is BookState.GAPPED
    assert bench.aggregator.counts["binanceusdm"].gaps == 1


def test_a_full_buffer_starts_the_sync_anew_and_stays_bounded() -> None:
    bench = Bench(SPOT, buffer_limit=10)
    for i in range(25):
        bench.feed(spot_diff(100 + i, 100 + i))
    assert bench.asked == [SPOT] * 3
    bench.feed(snapshot(105, BIDS, ASKS))
    assert bench.state() is BookState.SYNCING, "the diffs after 105 are no longer all there"
    bench.feed(snapshot(121, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert bench.book().update_id == 124


def test_a_venue_that_numbers_anew_is_noticed() -> None:
    bench = live_spot(1_000_000)
    bench.asked.clear()
    for i in range(1, 502):
        bench.feed(spot_diff(i, i, [(99.0, 1.0)]))
    assert bench.state() is BookState.GAPPED
    assert bench.asked == [SPOT]
    bench.feed(snapshot(501, BIDS, ASKS))
    assert bench.state() is BookState.LIVE


def test_a_best_price_newer_than_the_ladder_is_taken_and_an_older_one_left() -> None:
    bench = live_spot()
    bench.feed(ticker(101, (99.5, 3.0), (100.5, 3.0)))
    assert bench.book().bid == 99.0, "the ladder holds 101 already"
    bench.feed(ticker(103, (98.0, 0.5), (100.0, 4.0)))
    assert (bench.book().bid, bench.book().bid_qty, bench.book().ask, bench.book().ask_qty) == (98.0, 0.5, 100.0, 4.0)
    assert list(bench.book().bids()) == [(98.0, 0.5), (97.0, 1.0)]
    bench.feed(ticker(102, (99.5, 3.0), (100.5, 3.0)))
    assert bench.book().bid == 98.0, "an older best price came late"


def test_a_later_diff_brings_the_ladders_touch_back_unless_the_best_price_is_newer_still() -> None:
    bench = live_spot()
    bench.feed(ticker(110, (99.5, 3.0), (100.5, 3.0)))
    bench.feed(spot_diff(102, 105, [(99.0, 8.0)]))
    assert (bench.book().bid, bench.book().ask) == (99.5, 100.5), "the best price of 110 is newer than the ladder of 105"
    assert list(bench.book().bids())[1] == (99.0, 8.0)
    bench.feed(spot_diff(106, 110, [(99.0, 9.0)]))
    assert (bench.book().bid, bench.book().bid_qty, bench.book().ask) == (99.0, 9.0, 101.0)


def test_a_best_price_that_came_during_the_sync_counts_afterwards() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(100, 101), ticker(105, (99.5, 3.0), (100.5, 3.0)))
    assert bench.book().bid == 0.0
    bench.feed(snapshot(100, BIDS, ASKS))
    assert (bench.book().bid, bench.book().ask) == (99.5, 100.5)


def test_a_best_price_with_an_absurd_id_does_not_stand_for_ever() -> None:
    bench = live_spot()
    bench.feed(ticker(2**60, (99.5, 3.0), (100.5, 3.0)))
    for i in range(102, 130):
        bench.feed(spot_diff(i, i, [(99.0, float(i))]))
    assert (bench.book().bid, bench.book().bid_qty) == (99.0, 129.0)
    bench.feed(ticker(131, (99.25, 1.0), (100.0, 1.0)))
    assert bench.book().bid == 99.25


def test_an_empty_side_of_a_best_price_has_no_price_to_trade_at() -> None:
    bench = live_spot()
    bench.feed(ticker(105, (0.0, 0.0), (0.0, 0.0)))
    assert (bench.book().bid, bench.book().ask) == (0.0, inf)
    assert list(bench.book().bids()) == list(bench.book().asks()) == []


def test_a_market_whose_best_prices_move_without_diffs_is_stale_until_the_next_diff() -> None:
    bench = live_spot()
    bench.clock.now += 60
    bench.feed(ticker(105, (99.5, 3.0), (100.5, 3.0)))
    assert bench.state() is BookState.LIVE, "a quiet minute is no fault"
    bench.clock.now += 1.4
    bench.feed(ticker(106, (99.6, 3.0), (100.5, 3.0)))
    assert bench.state() is BookState.LIVE
    bench.clock.now += 0.2
    bench.feed(ticker(107, (99.7, 3.0), (100.5, 3.0)))
    assert bench.state() is BookState.STALE
    bench.feed(spot_diff(102, 107, [(99.7, 3.0)]))
    assert bench.state() is BookState.LIVE
    bench.feed(ticker(108, (99.8, 3.0), (100.5, 3.0)))
    assert bench.state() is BookState.LIVE, "the diff ended the wait; a new one begins with the next best price"


def test_a_ladder_that_is_crossed_holds_something_wrong_and_is_fetched_anew() -> None:
    bench = live_spot()
    bench.asked.clear()
    bench.feed(spot_diff(102, 103, [(150.0, 1.0)]))  # a level that nothing would ever take away
    assert bench.state() is BookState.GAPPED
    assert bench.asked == [SPOT]
    bench.feed(snapshot(103, [*BIDS, (150.0, 1.0)], ASKS))
    assert bench.state() is BookState.GAPPED, "nor from a snapshot"
    assert bench.asked == [SPOT, SPOT]
    bench.feed(snapshot(104, BIDS, ASKS))
    assert bench.state() is BookState.LIVE
    assert (bench.book().bid, bench.book().ask) == (99.0, 101.0)
