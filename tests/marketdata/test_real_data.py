"""Real recordings through decoders, books and checks: every message accounted for, no gap, the venue's own best prices everywhere."""

import asyncio
import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.recording import open_recordings
from arbtui.marketdata.recording_feed import RecordingFeed
from arbtui.marketdata.top_check import TopCheck
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.errors import UsageError
from arbtui.model.virtual_loop import run_virtual
from tests.marketdata.frames import HandClock

SPOT, USDM = ("binance", "BTCUSDT"), ("binanceusdm", "BTCUSDT")


class Replay:
    """A replay in virtual time, its books watched by a TopCheck and by their states and prices."""

    def __init__(self, files: Sequence[Path], markets: Sequence[tuple[str, str]]) -> None:
        self.top = TopCheck()
        self.states: dict[BookState, int] = {}
        self.crossed = 0
        run_virtual(self._run(files, markets))
        self.top.finish()

    async def _run(self, files: Sequence[Path], markets: Sequence[tuple[str, str]]) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        feed = RecordingFeed(files, clock)
        self.aggregator = OrderbookAggregator(clock, MarketDataConfig(), markets, self._watch, feed.request_snapshot, top_check=self.top)
        await feed.run(self.aggregator.deliver)

    def _watch(self, books: Sequence[OrderBook]) -> None:
        for book in books:
            self.states[book.state] = self.states.get(book.state, 0) + 1
            self.crossed += book.is_crossed


def test_spot_and_perpetual_together(shared_data: Path) -> None:
    folder = shared_data / "hftbacktest"
    replay = Replay([folder / "spot_btcusdt_20240808.gz", folder / "usdm_btcusdt_20240808.gz"], [SPOT, USDM])
    spot, usdm = replay.aggregator.counts["binance"], replay.aggregator.counts["binanceusdm"]
    assert (spot.read, spot.decoded, usdm.read, usdm.decoded) == (41_249, 41_249, 93_954, 93_954)
    assert (spot.diffs, spot.touches, spot.trades, spot.snapshots) == (3_451, 28_040, 9_757, 1)
    assert (usdm.diffs, usdm.touches, usdm.trades, usdm.snapshots) == (6_551, 66_089, 21_313, 1)
    assert (spot.gaps, usdm.gaps, spot.outside, usdm.outside) == (0, 0, 0, 0)
    assert replay.top.places == 3_449 + 6_547
    assert replay.top.equal == replay.top.places, replay.top.first_unequal
    assert set(replay.states) == {BookState.SYNCING, BookState.LIVE}
    assert replay.states[BookState.SYNCING] == 2
    assert replay.crossed == 0
    assert all(book.state is BookState.LIVE for book in replay.aggregator.books.values())


def test_spot_eth(shared_data: Path) -> None:
    replay = Replay([shared_data / "hftbacktest" / "spot_ethusdt_20240808.gz"], [("binance", "ETHUSDT")])
    counts = replay.aggregator.counts["binance"]
    assert (counts.read, counts.decoded, counts.gaps) == (33_618, 33_618, 0)
    assert (replay.top.places, replay.top.equal) == (3_432, 3_432)


def test_spot_frames_do_not_pass_for_the_perpetuals(shared_data: Path) -> None:
    aggregator = OrderbookAggregator(HandClock(), MarketDataConfig(), [USDM], lambda _: None, lambda *_: None)
    for _, frame in open_recordings([shared_data / "hftbacktest" / "spot_btcusdt_20240808.gz"]):
        aggregator.deliver([frame._replace(exchange="binanceusdm")])
    counts = aggregator.counts["binanceusdm"]
    assert counts.malformed == {"wrong market": 3_451 + 28_040}
    assert (counts.diffs, counts.touches) == (0, 0)


@pytest.mark.parametrize("markets", [[("upbit", "KRW-WAVES")], [("upbit", "KRW-WAVES"), ("upbit", "KRW-LAMB"), ("upbit", "BTC-XTZ")]])
def test_every_upbit_frame_is_decoded_in_the_universe_or_outside(shared_data: Path, markets: list[tuple[str, str]]) -> None:
    replay = Replay([shared_data / "cryptofeed" / "UPBIT.jsonl.gz"], markets)
    counts = replay.aggregator.counts["upbit"]
    assert (counts.read, counts.decoded) == (449, 449)
    assert (counts.named, counts.malformed) == ({}, {})
    assert counts.outside == 449 - counts.snapshots - counts.trades
    assert counts.outside > 0
    assert counts.snapshots > 20
    assert replay.crossed == 0
    waves = replay.aggregator.books["upbit", "KRW-WAVES"]
    assert waves.state is BookState.LIVE
    assert len(waves.bid_px) == len(waves.ask_key) == 15
    assert 10_000 < waves.bid < waves.ask < 30_000
    assert waves.ts_event // 1000 in range(1_618_678_262, 1_618_678_295)


def test_binances_own_multi_market_capture(shared_data: Path) -> None:
    codes = ["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"]
    replay = Replay([shared_data / "cryptofeed" / "BINANCE.jsonl.gz"], [("binance", code) for code in codes])
    counts = replay.aggregator.counts["binance"]
    assert (counts.read, counts.named, counts.malformed) == (269, {"kline": 2}, {})
    assert (counts.diffs, counts.touches, counts.trades, counts.snapshots) == (177, 84, 2, 4)
    assert counts.gaps == 0
    assert replay.top.places == replay.top.equal > 100
    assert all(book.state is BookState.LIVE for book in replay.aggregator.books.values())


def test_a_capture_of_a_venue_without_a_decoder_says_so(tmp_path: Path) -> None:
    capture = tmp_path / "KRAKEN.jsonl.gz"
    header = '{"t":"header","format":2,"exchange":"KRAKEN","config":{"l2_book":["BTC-USDT"]},"candle_interval":null,"recorded":1652458996}'
    capture.write_bytes(gzip.compress(header.encode() + b"\n"))
    with pytest.raises(UsageError, match="no decoder for KRAKEN; there are decoders for upbit, binance"):
        open_recordings([capture])


@pytest.mark.parametrize(
    ("name", "market", "read", "trades"),
    [("OKX.jsonl.gz", ("okx", "BTC-USDT"), 410, 69), ("BITGET.jsonl.gz", ("bitget", "BTCUSDT"), 1157, 0)],
)
def test_captures_of_an_older_interface_are_named_frame_by_frame(
    shared_data: Path, name: str, market: tuple[str, str], read: int, trades: int
) -> None:
    """OKX's books had no ids then, and Bitget's first interface is gone: tests/exchanges/frame_table.py says why none of them counts."""
    counts = Replay([shared_data / "cryptofeed" / name], [market]).aggregator.counts[market[0]]
    assert (counts.read, counts.malformed, counts.snapshots, counts.diffs) == (read, {}, 0, 0)
    assert counts.read == counts.decoded + sum(counts.named.values())
    assert counts.trades <= trades


def test_the_bithumb_capture_of_2021_is_named_frame_by_frame(shared_data: Path) -> None:
    """It is of the generation before: other market codes, and books that are diffs without a number."""
    files = [shared_data / "cryptofeed" / f"2021-06-01.BITHUMB.{part}.gz" for part in ("0", "ws.1.0")]
    replay = Replay(files, [("bithumb", "KRW-BTC")])
    counts = replay.aggregator.counts["bithumb"]
    assert (counts.read, counts.decoded, counts.malformed) == (98, 0, {})
    assert counts.named == {"orderbookdepth": 91, "transaction": 4, "status": 3}


def test_the_bybit_capture_is_read_whole_without_the_contracts_that_it_holds_too(shared_data: Path) -> None:
    markets = [("bybit", "BTCUSDT"), ("bybit", "ETHUSDT")]
    replay = Replay([shared_data / "cryptofeed" / "BYBIT.jsonl.gz"], markets)
    count = replay.aggregator.counts["bybit"]
    assert (count.read, count.named, count.malformed) == (681, {"tickers": 81, "kline.1": 25, "subscribe": 7}, {})
    assert (count.snapshots, count.diffs, count.trades, count.gaps, count.outside) == (2, 548, 20, 0, 0)
    assert replay.crossed == 0
    assert all(book.state is BookState.LIVE for book in replay.aggregator.books.values())


def test_the_upbit_capture_of_2021_04_05_is_read_whole(shared_data: Path) -> None:
    """Its first line is the recorder's configuration, and its binary frames stand as Python writes them."""
    ada = ("upbit", "KRW-ADA")
    replay = Replay([shared_data / "cryptofeed" / "2021-04-05.UPBIT-d78752.0.gz"], [ada])
    count = replay.aggregator.counts["upbit"]
    assert (count.read, count.decoded, count.named, count.malformed) == (1_733, 1_733, {}, {})
    assert (count.snapshots, count.trades) == (191, 71)
    book = replay.aggregator.books[ada]
    assert book.state is BookState.LIVE
    assert 1_400 < book.bid < book.ask < 1_600  # ADA in won, that day
    assert replay.aggregator.trades.tapes[ada].last_id > 0
    assert replay.crossed == 0


def test_the_binance_futures_capture_of_2021_04_05_is_read_whole(shared_data: Path) -> None:
    markets = [("binanceusdm", f"{coin}USDT") for coin in ("BAT", "CHR", "CTK", "NEO", "SAND")]
    replay = Replay([shared_data / "cryptofeed" / "2021-04-05.BINANCE_FUTURES-1125a2.0.gz"], markets)
    count = replay.aggregator.counts["binanceusdm"]
    assert (count.read, count.decoded, count.named, count.malformed) == (8_426, 8_426, {}, {})  # 5 of them REST answers
    assert count.outside == 0
    assert count.snapshots == 5
    assert all(book.state is BookState.LIVE for book in replay.aggregator.books.values())
