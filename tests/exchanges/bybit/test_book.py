"""Books that the stream itself starts: each update follows the last by one, and a whole book replaces everything."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arbtui.exchanges.feed import Frame
from arbtui.model.book import BookState
from tests.exchanges.bybit.wires import book, raw, recorded
from tests.marketdata.frames import Bench

MARKET = ("bybit", "BTCUSDT")
BIDS, ASKS = [(99.0, 1.0), (98.0, 2.0)], [(101.0, 1.0), (102.0, 2.0)]


def bench() -> Bench:
    return Bench(MARKET)


def feed(one: Bench, *frames: bytes) -> None:
    one.feed(*(Frame("bybit", frame) for frame in frames))


def best(one: Bench) -> tuple[float, float]:
    found = one.book(MARKET)
    return found.bid, found.ask


def test_a_whole_book_and_what_follows_it() -> None:
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS), book("delta", 11, [(99.5, 3.0)]), book("delta", 12, [(99.5, 0.0)], [(100.5, 1.0)]))
    assert (one.state(MARKET), best(one)) == (BookState.LIVE, (99.0, 100.5))
    assert one.book(MARKET).update_id == 12
    assert one.asked == []


def test_a_missing_update_clears_the_book_and_asks_for_it_anew() -> None:
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS), book("delta", 12, [(99.5, 3.0)]))
    assert (one.state(MARKET), one.book(MARKET).bid, one.asked) == (BookState.GAPPED, 0.0, [MARKET])
    feed(one, *(book("delta", 13 + i, [(99.5, 3.0)]) for i in range(90)))
    assert (one.state(MARKET), one.asked) == (BookState.GAPPED, [MARKET])  # asked once, whatever else comes before the answer
    feed(one, book("snapshot", 103, BIDS, ASKS), book("delta", 104, [(99.7, 1.0)]))
    assert (one.state(MARKET), best(one)) == (BookState.LIVE, (99.7, 101.0))
    counts = one.aggregator.counts["bybit"]
    assert (counts.gaps, counts.resyncs, counts.asked) == (1, 1, 1)


def test_a_book_that_is_not_sent_is_asked_for_again() -> None:
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS), book("delta", 12))
    feed(one, *(book("delta", 13 + i) for i in range(250)))
    assert one.asked == [MARKET] * 3


def test_updates_before_the_first_whole_book_are_of_no_use() -> None:
    one = bench()
    feed(one, book("delta", 9, [(99.5, 1.0)]), book("snapshot", 10, BIDS, ASKS))
    assert (one.state(MARKET), best(one)) == (BookState.LIVE, (99.0, 101.0))


@pytest.mark.parametrize("update_id", [1, 5, 5000])
def test_a_new_whole_book_replaces_everything_whatever_its_number(update_id: int) -> None:
    """``u`` 1: the venue's service has begun anew."""
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS), book("delta", 11, [(99.5, 3.0)]))
    feed(one, book("snapshot", update_id, [(90.0, 1.0)], [(91.0, 1.0)], ts=1_700_000_999_000), book("delta", update_id + 1, [(90.5, 1.0)]))
    assert (one.state(MARKET), best(one)) == (BookState.LIVE, (90.5, 91.0))
    assert one.aggregator.counts["bybit"].gaps == 0


def test_a_new_sockets_first_book_does_not_put_the_book_back_while_the_old_one_still_brings_updates() -> None:
    one = bench()
    old = [book("delta", 11 + i, [(99.5, 3.0 + i)]) for i in range(5)]
    feed(one, book("snapshot", 10, BIDS, ASKS), *old)
    feed(one, book("snapshot", 12, BIDS, ASKS))
    assert (one.book(MARKET).update_id, best(one)) == (15, (99.5, 101.0))
    feed(one, *old[2:], book("delta", 16, [(99.6, 1.0)]))
    assert (one.state(MARKET), best(one), one.aggregator.counts["bybit"].gaps) == (BookState.LIVE, (99.6, 101.0), 0)


def test_an_update_that_crosses_the_book_clears_it() -> None:
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS), book("delta", 11, [(103.0, 1.0)]))
    assert (one.state(MARKET), one.asked) == (BookState.GAPPED, [MARKET])
    feed(one, book("snapshot", 12, [(103.0, 1.0)], ASKS))
    assert one.state(MARKET) is BookState.GAPPED  # nor is a crossed whole book one


def test_a_lost_connection_clears_the_book_until_the_next_whole_one() -> None:
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS))
    one.aggregator.connected("bybit", ["BTCUSDT"], up=False)
    assert one.state(MARKET) is BookState.GAPPED
    one.aggregator.connected("bybit", ["BTCUSDT"], up=True)
    feed(one, book("snapshot", 10, BIDS, ASKS))
    assert (one.state(MARKET), best(one)) == (BookState.LIVE, (99.0, 101.0))


@settings(max_examples=200)
@given(data=st.data())
def test_a_live_book_is_always_the_last_whole_book_with_every_update_after_it(data: st.DataObject) -> None:
    """Whatever is lost, sent twice or started anew on the way."""
    one = bench()
    venue: dict[float, float] = {}
    update_id = 100
    for step in range(data.draw(st.integers(1, 30))):
        what = data.draw(st.sampled_from(["snapshot", "delta", "delta", "delta", "lost", "again", "restart"]))
        frame = b""
        if what in ("snapshot", "restart"):
            update_id = 1 if what == "restart" else update_id + 1
            venue = {50.0 + data.draw(st.integers(0, 9)): 1.0 for _ in range(3)}
            frame = book("snapshot", update_id, list(venue.items()), [(100.0, 1.0)], ts=1_700_000_000_000 + step * 1000)
        else:
            update_id += 1
            price, qty = 50.0 + data.draw(st.integers(0, 9)), float(data.draw(st.integers(0, 3)))
            venue[price] = qty
            frame = book("delta", update_id, [(price, qty)], ts=1_700_000_000_000 + step * 1000)
        if what != "lost":
            feed(one, frame)
        if what == "again":
            feed(one, frame)
        if what != "lost" and one.state(MARKET) is BookState.LIVE:
            assert dict(one.book(MARKET).bids()) == {price: qty for price, qty in venue.items() if qty}


def test_the_recorded_books_follow_by_one_without_a_gap_and_never_cross(shared_data: Path) -> None:
    markets = [("bybit", "BTCUSDT"), ("bybit", "ETHUSDT")]
    one = Bench(*markets)
    for frame in recorded(shared_data):
        feed(one, frame)
        assert not any(found.is_crossed for found in one.aggregator.books.values() if found.state is BookState.LIVE)
    counts = one.aggregator.counts["bybit"]
    assert (counts.read, counts.snapshots, counts.diffs, counts.trades) == (681, 2, 548, 20)
    assert (counts.gaps, counts.old, counts.outside, counts.malformed) == (0, 0, 0, {})
    assert [one.state(market) for market in markets] == [BookState.LIVE] * 2
    assert 64_000 < one.book(markets[0]).bid < 66_000
    assert one.book(markets[0]).ask - one.book(markets[0]).bid == pytest.approx(0.1)  # one price unit


def test_contracts_in_the_same_capture_have_the_same_books(shared_data: Path) -> None:
    """Their trades have other numbers and are refused; their books follow the same rule."""
    one = Bench(("bybit", "SOLUSDT"))
    feed(one, *recorded(shared_data, "BYBIT.ws.2"))
    counts = one.aggregator.counts["bybit"]
    assert (counts.gaps, one.state(("bybit", "SOLUSDT"))) == (0, BookState.LIVE)
    assert set(counts.malformed) == {"publicTrade"}


def test_level_one_frames_never_touch_the_book() -> None:
    one = bench()
    feed(one, book("snapshot", 10, BIDS, ASKS), raw({"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": 1, "data": {
        "s": "BTCUSDT", "b": [["99.9", "1"]], "a": [["100.1", "1"]], "u": 77, "seq": 1}}))  # fmt: skip
    assert (best(one), one.book(MARKET).update_id) == ((99.0, 101.0), 10)
