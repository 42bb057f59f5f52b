import pytest

from arbtui.exchanges.feed import Frame
from arbtui.model.book import BookState
from arbtui.model.errors import UsageError
from tests.marketdata.frames import SPOT, UPBIT, USDM, Bench, encode, snapshot, spot_diff, ticker, trade, upbit_book, usdm_diff

BIDS, ASKS = [(99.0, 1.0)], [(101.0, 1.0)]


def test_one_batch_tells_each_changed_book_once_in_order_of_first_change() -> None:
    eth = ("binance", "ETHUSDT")
    bench = Bench(SPOT, eth, UPBIT)
    bench.feed(
        snapshot(10, BIDS, ASKS, code="ETHUSDT"),
        upbit_book(BIDS, ASKS),
        snapshot(10, BIDS, ASKS),
        ticker(11, (99.5, 1.0), (101.0, 1.0), code="ETHUSDT"),
        upbit_book([(98.0, 1.0)], ASKS),
    )
    assert [[book.code for book in batch] for batch in bench.batches] == [["ETHUSDT", "KRW-BTC", "BTCUSDT"]]
    assert bench.book(eth).bid == 99.5
    assert bench.book(UPBIT).bid == 98.0
    counts = bench.aggregator.counts
    assert (counts["binance"].updates, counts["binance"].merged) == (3, 1)
    assert (counts["upbit"].updates, counts["upbit"].merged) == (2, 1)


def test_a_batch_that_changes_nothing_tells_nobody() -> None:
    bench = Bench(SPOT)
    bench.feed(trade(99.0, 1.0), encode("binance", {"result": None, "id": 1}))
    assert bench.batches == []


@pytest.mark.parametrize("side", ["bid", "ask"])
@pytest.mark.parametrize("how", ["whole book", "diff", "best prices"])
def test_a_move_of_one_side_alone_is_handed_on(how: str, side: str) -> None:
    market = UPBIT if how == "whole book" else SPOT
    bench = Bench(market)
    bench.feed(upbit_book(BIDS, ASKS) if market is UPBIT else snapshot(10, BIDS, ASKS))
    bench.batches.clear()
    bids = [(99.5, 2.0)] if side == "bid" else BIDS
    asks = [(100.5, 2.0)] if side == "ask" else ASKS
    frames = {
        "whole book": upbit_book(bids, asks),
        "diff": spot_diff(11, 12, bids if side == "bid" else (), asks if side == "ask" else ()),
        "best prices": ticker(11, bids[0], asks[0]),
    }
    bench.feed(frames[how])
    assert bench.batches == [[bench.book(market)]]
    assert (bench.book(market).bid, bench.book(market).ask) == (bids[0][0], asks[0][0])
    assert (bench.book(market).bid_qty, bench.book(market).ask_qty) == (bids[0][1], asks[0][1])


def test_every_frame_of_a_batch_bears_the_batchs_receipt_time() -> None:
    bench = Bench(SPOT, UPBIT)
    bench.clock.now = 250.5
    bench.feed(snapshot(10, BIDS, ASKS), upbit_book(BIDS, ASKS, ts=1_700_000_000_123))
    bench.clock.now = 300.0
    assert bench.book(SPOT).ts_init == bench.book(UPBIT).ts_init == 250.5
    assert bench.book(UPBIT).ts_event == 1_700_000_000_123
    bench.feed(spot_diff(11, 12))
    assert (bench.book(SPOT).ts_init, bench.book(SPOT).ts_event) == (300.0, 1012)


def test_upbits_frames_replace_the_book() -> None:
    bench = Bench(UPBIT)
    bench.feed(upbit_book([(100.0, 1.0), (99.0, 1.0)], [(101.0, 1.0)]))
    bench.feed(upbit_book([(98.0, 2.0)], [(102.0, 3.0), (103.0, 1.0)]))
    assert bench.state(UPBIT) is BookState.LIVE
    assert list(bench.book(UPBIT).bids()) == [(98.0, 2.0)]
    assert list(bench.book(UPBIT).asks()) == [(102.0, 3.0), (103.0, 1.0)]


def test_frames_are_counted_as_decoded_named_malformed_or_outside() -> None:
    bench = Bench(SPOT, UPBIT)
    bench.feed(
        Frame("binance", b"rubbish"),
        Frame("binance", b"{}"),
        usdm_diff(1, 2, 0)._replace(exchange="binance"),
        encode("binance", {"e": "kline"}),
        encode("binance", {"e": "kline"}),
        spot_diff(1, 2, code="DOGEUSDT"),
        ticker(1, (1.0, 1.0), (2.0, 1.0), code="DOGEUSDT"),
        trade(1.0, 1.0, code="DOGEUSDT"),
        snapshot(5, BIDS, ASKS, code="DOGEUSDT"),
        trade(99.0, 2.0),
        spot_diff(1, 2),
        upbit_book(BIDS, ASKS, code="KRW-DOGE"),
    )
    counts = bench.aggregator.counts["binance"]
    assert counts.read == 11
    assert counts.decoded == 6
    assert counts.named == {"kline": 2}
    assert counts.malformed == {"json": 1, "unknown": 1, "wrong market": 1}
    assert (counts.outside, counts.trades, counts.diffs) == (4, 1, 1)
    assert bench.aggregator.counts["upbit"].outside == 1
    assert list(bench.aggregator.books) == [SPOT, UPBIT]


def test_a_flood_of_invented_types_is_summed() -> None:
    bench = Bench(SPOT)
    bench.feed(*(encode("binance", {"e": f"type{i}" + "x" * 1000}) for i in range(500)))
    named = bench.aggregator.counts["binance"].named
    assert len(named) == 51
    assert sum(named.values()) == 500
    assert max(len(kind) for kind in named) <= 40


def test_a_malformed_snapshot_is_asked_for_again() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(1, 2))
    broken = snapshot(2, BIDS, ASKS)
    bench.feed(broken._replace(raw=broken.raw[:-5]))
    assert bench.asked == [SPOT, SPOT]
    bench.feed(snapshot(2, BIDS, ASKS), broken._replace(raw=b"<html>"))
    assert bench.state() is BookState.LIVE
    assert bench.asked == [SPOT, SPOT], "a book that is up needs none"


def test_a_malformed_diff_is_a_gap_once_the_next_one_comes() -> None:
    bench = Bench(SPOT)
    bench.feed(spot_diff(1, 2), snapshot(2, BIDS, ASKS))
    broken = spot_diff(3, 4)
    bench.feed(broken._replace(raw=broken.raw[:-5]))
    assert bench.state() is BookState.LIVE
    bench.feed(spot_diff(5, 6))
    assert bench.state() is BookState.GAPPED


def test_a_gapped_book_is_handed_on_before_its_snapshot_is_asked_for() -> None:
    bench = Bench(SPOT)
    bench.feed(snapshot(2, BIDS, ASKS), spot_diff(3, 4))
    bench.batches.clear()
    bench.feed(spot_diff(9, 10))
    assert [[book.state for book in batch] for batch in bench.batches] == [[BookState.GAPPED]]
    assert bench.asked == [SPOT]


def test_spot_and_usdm_of_one_code_are_two_books() -> None:
    bench = Bench(SPOT, USDM)
    bench.feed(snapshot(10, BIDS, ASKS), snapshot(10, [(50.0, 1.0)], [(51.0, 1.0)], "binanceusdm"))
    bench.feed(usdm_diff(8, 12, 9, [(50.5, 1.0)]), spot_diff(11, 11))
    assert (bench.book(SPOT).bid, bench.book(USDM).bid) == (99.0, 50.5)
    assert (bench.state(SPOT), bench.state(USDM)) == (BookState.LIVE, BookState.LIVE)


def test_a_lost_connection_leaves_no_book_to_trade_on() -> None:
    bench = Bench(SPOT, UPBIT)
    bench.feed(spot_diff(9, 10), snapshot(9, BIDS, ASKS), ticker(50, (99.5, 1.0), (100.0, 1.0)), upbit_book(BIDS, ASKS))
    bench.batches.clear()
    bench.asked.clear()
    bench.aggregator.connected("binance", ["BTCUSDT"], up=False)
    assert [[book.code for book in batch] for batch in bench.batches] == [["BTCUSDT"]]
    assert bench.state(SPOT) is BookState.GAPPED
    assert list(bench.book(SPOT).bids()) == []
    assert bench.state(UPBIT) is BookState.LIVE
    bench.feed(snapshot(60, BIDS, ASKS))
    assert bench.state(SPOT) is BookState.GAPPED, "a snapshot that nothing keeps up is no book"
    bench.aggregator.connected("binance", ["BTCUSDT"], up=True)
    bench.feed(spot_diff(3, 4))
    assert bench.asked == [SPOT], "the first diff of the new connection asks for the snapshot"
    bench.feed(snapshot(3, BIDS, ASKS))
    assert bench.state(SPOT) is BookState.LIVE
    assert bench.book(SPOT).bid == 99.0, "the best price of the lost connection must not come back"
    bench.aggregator.connected("upbit", ["KRW-BTC"], up=False)
    assert bench.state(UPBIT) is BookState.STALE
    bench.feed(upbit_book(BIDS, ASKS))
    assert bench.state(UPBIT) is BookState.LIVE


def test_an_exchange_without_a_decoder_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="no decoder for korbit; there are decoders for upbit, binance"):
        Bench(("korbit", "btc_krw"))
    with pytest.raises(UsageError, match="binance, which is not among"):
        Bench(SPOT, exchanges=["upbit"])


def test_frames_of_an_exchange_without_any_market_are_decoded_and_outside() -> None:
    bench = Bench(SPOT, exchanges=["binance", "upbit"])
    bench.feed(upbit_book(BIDS, ASKS))
    assert bench.aggregator.counts["upbit"].outside == 1


BITGET = ("bitget", "BTCUSDT")


def bitget(channel: str, bids: list[tuple[float, float]], asks: list[tuple[float, float]], ts: int) -> Frame:
    data = {side: [[str(price), str(qty)] for price, qty in levels] for side, levels in (("asks", asks), ("bids", bids))}
    arg = {"instType": "SPOT", "channel": channel, "instId": "BTCUSDT"}
    return encode("bitget", {"action": "snapshot", "arg": arg, "data": [{**data, "seq": ts, "ts": str(ts)}], "ts": ts})


def test_best_prices_trim_a_whole_book_that_is_older() -> None:
    bench = Bench(BITGET)
    bench.feed(bitget("books15", [(99.0, 1.0), (98.0, 2.0)], [(101.0, 1.0), (102.0, 2.0)], 1000))
    bench.feed(bitget("books1", [(98.5, 3.0)], [(100.5, 4.0)], 1020))
    assert list(bench.book(BITGET).bids()) == [(98.5, 3.0), (98.0, 2.0)]
    assert list(bench.book(BITGET).asks()) == [(100.5, 4.0), (101.0, 1.0), (102.0, 2.0)]
    assert bench.book(BITGET).ts_event == 1020


def test_best_prices_older_than_the_book_or_without_a_time_are_ignored() -> None:
    bench = Bench(BITGET)
    bench.feed(bitget("books15", BIDS, ASKS, 1000))
    bench.batches.clear()
    bench.feed(bitget("books1", [(90.0, 1.0)], [(110.0, 1.0)], 990), bitget("books1", [(90.0, 1.0)], [(110.0, 1.0)], 0))
    assert (bench.batches, bench.book(BITGET).bid) == ([], 99.0)


def test_a_book_that_comes_after_newer_best_prices_keeps_them() -> None:
    bench = Bench(BITGET)
    bench.feed(bitget("books15", BIDS, ASKS, 1000), bitget("books1", [(99.5, 1.0)], [(100.5, 1.0)], 1050))
    bench.feed(bitget("books15", [(99.2, 5.0), (99.0, 1.0)], [(100.8, 1.0)], 1040))
    assert (bench.book(BITGET).bid, bench.book(BITGET).ask, bench.book(BITGET).ts_event) == (99.5, 100.5, 1050)
    assert list(bench.book(BITGET).bids()) == [(99.5, 1.0), (99.2, 5.0), (99.0, 1.0)]
    bench.feed(bitget("books15", BIDS, ASKS, 1060))
    assert (bench.book(BITGET).bid, bench.book(BITGET).ask) == (99.0, 101.0)


def test_best_prices_alone_do_not_make_a_book_and_do_not_keep_a_frozen_one_live() -> None:
    bench = Bench(BITGET)
    bench.feed(bitget("books1", [(99.5, 1.0)], [(100.5, 1.0)], 900))
    assert bench.state(BITGET) is BookState.EMPTY
    bench.feed(bitget("books15", BIDS, ASKS, 1000))
    for step in range(4):
        bench.clock.now += 0.5
        bench.feed(bitget("books1", [(99.5 + step / 10, 1.0)], [(100.5, 1.0)], 1100 + step))
    assert bench.state(BITGET) is BookState.LIVE
    bench.clock.now += 0.5
    bench.feed(bitget("books1", [(99.1, 1.0)], [(100.5, 1.0)], 1200))
    assert bench.state(BITGET) is BookState.STALE
    bench.feed(bitget("books15", BIDS, ASKS, 1300))
    assert bench.state(BITGET) is BookState.LIVE


def test_best_prices_of_a_clock_that_was_put_back_are_believed_and_those_before_are_not() -> None:
    bench = Bench(BITGET)
    bench.feed(bitget("books15", BIDS, ASKS, 61_000), bitget("books1", [(99.5, 1.0)], [(100.5, 1.0)], 61_050))
    bench.feed(bitget("books15", BIDS, ASKS, 1000))
    assert (bench.book(BITGET).bid, bench.book(BITGET).ts_event) == (99.0, 1000)
    bench.feed(bitget("books1", [(99.4, 1.0)], [(100.6, 1.0)], 61_100))
    bench.feed(bitget("books1", [(99.3, 1.0)], [(100.7, 1.0)], 1020))
    assert (bench.book(BITGET).bid, bench.book(BITGET).ts_event) == (99.3, 1020)
