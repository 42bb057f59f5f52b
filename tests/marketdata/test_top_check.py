from arbtui.marketdata.top_check import TopCheck
from tests.marketdata.frames import SPOT, Bench, snapshot, spot_diff, ticker

BIDS, ASKS = [(99.0, 1.0)], [(101.0, 1.0)]


def checked() -> tuple[Bench, TopCheck]:
    check = TopCheck()
    bench = Bench(SPOT, top_check=check)
    bench.feed(snapshot(10, BIDS, ASKS))
    return bench, check


def test_each_depth_update_is_a_place_and_equal_when_price_and_size_agree() -> None:
    bench, check = checked()
    bench.feed(ticker(12, (99.0, 5.0), (101.0, 1.0)), spot_diff(11, 13, [(99.0, 5.0)]))
    bench.feed(ticker(15, (99.0, 5.0), (100.0, 2.0)), spot_diff(14, 15, [], [(100.0, 2.0)]))
    check.finish()
    assert (check.places, check.equal, check.first_unequal) == (2, 2, "")


def test_a_difference_in_size_alone_is_found_and_named() -> None:
    bench, check = checked()
    bench.feed(ticker(12, (99.0, 5.0), (101.0, 1.0)), spot_diff(11, 13, [(99.0, 4.0)]))
    check.finish()
    assert (check.places, check.equal) == (1, 0)
    assert check.first_unequal.startswith("binance:BTCUSDT at 13: ladder (99.0, 4.0, 101.0, 1.0), bookTicker (99.0, 5.0,")


def test_the_ladder_is_looked_at_and_not_the_touch_that_a_newer_best_price_set() -> None:
    bench, check = checked()
    bench.feed(ticker(12, (99.0, 5.0), (101.0, 1.0)), ticker(20, (99.5, 1.0), (101.0, 1.0)), spot_diff(11, 13, [(99.0, 5.0)]))
    check.finish()
    assert bench.book().bid == 99.5
    assert (check.places, check.equal) == (1, 1)


def test_a_best_price_that_comes_after_its_depth_update_still_belongs_to_it() -> None:
    bench, check = checked()
    bench.feed(ticker(11, BIDS[0], ASKS[0]), spot_diff(11, 13, [(99.0, 5.0)]))
    assert check.places == 0, "the best price of 12 or 13 may yet come"
    bench.feed(ticker(12, (99.0, 3.0), ASKS[0]), ticker(13, (99.0, 5.0), ASKS[0]))
    assert check.places == 0
    bench.feed(ticker(14, (99.0, 6.0), ASKS[0]))
    assert (check.places, check.equal) == (1, 1)


def test_diffs_that_waited_for_the_snapshot_are_places_and_those_before_it_are_not() -> None:
    check = TopCheck()
    bench = Bench(SPOT, top_check=check)
    bench.feed(ticker(8, BIDS[0], ASKS[0]), spot_diff(8, 9), spot_diff(10, 12), snapshot(10, BIDS, ASKS))
    check.finish()
    assert (check.places, check.equal) == (1, 1)


def test_without_a_best_price_there_is_nothing_to_compare() -> None:
    bench, check = checked()
    bench.feed(spot_diff(11, 13), ticker(20, BIDS[0], ASKS[0]))
    check.finish()
    assert check.places == 0


def test_an_empty_ladder_is_a_difference() -> None:
    bench, check = checked()
    bench.feed(ticker(12, (99.0, 5.0), (101.0, 1.0)), spot_diff(11, 13, [(99.0, 0.0)], [(101.0, 0.0)]))
    check.finish()
    assert (check.places, check.equal) == (1, 0)
