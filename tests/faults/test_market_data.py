"""Market data that is broken, old or a lie, under a live session that trades (F27..F36 of the fault catalogue).

In each: the fault is seen to happen, nothing is opened on such a book, other symbols trade on, nothing is sent twice, the
ledger agrees with the venues to the last digit, and all is well again by itself.
"""

import asyncio
import time
from pathlib import Path

import psutil
import pytest

from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.stream import MarketDataStream
from arbtui.model.book import BookState
from arbtui.model.reason import Reason
from arbtui.sandbox.book_corruptor import How
from arbtui.sandbox.faults import WireFaultKind as K
from tests.faults.desk import Desk, desk, play
from tests.faults.watch import Watch

XRP = {"upbit": "KRW-XRP", "binance": "XRPUSDT"}
FLOOD = 20_000  #: messages
HOWS: tuple[How, ...] = ("crossed", "locked", "empty", "nan", "zero", "negative", "tiny")


def counts(d: Desk, exchange: str) -> ExchangeCounts:
    return d.engine.components.aggregator.counts[exchange]


def stream(d: Desk) -> MarketDataStream:
    feed = d.venues.feed
    assert isinstance(feed, MarketDataStream)
    return feed


def blocked(d: Desk, symbol: str) -> set[Reason | None]:
    """Why each of a symbol's routes would open nothing now."""
    now = d.engine.components.clock.monotonic()
    return {route.data_refusal(now) or d.engine.risk.symbol.check(route, now) for route in d.engine.components.universe.of_symbol(symbol)}


async def well_again(d: Desk, watch: Watch, symbol: str = "XRP") -> None:
    """Health, the books themselves, trading in the symbol (empty: in any), and all that was ever done."""
    await d.healthy()
    for exchange, code in XRP.items():
        await d.until(lambda exchange=exchange, code=code: watch.agrees(exchange, code), f"{exchange}'s book is the venue's")  # type: ignore[misc]
    await watch.trades(symbol)
    watch.check()
    await d.agree()


def test_f27_a_lost_a_late_and_a_repeated_update(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch, count = Watch(d), counts(d, "binance")
            await watch.trades("XRP")
            for kind in (K.GAP, K.SWAP):
                gaps, resyncs = count.gaps, count.resyncs
                watch.forget()
                while not (count.gaps > gaps and BookState.GAPPED in watch.states.get(("binance", "XRPUSDT"), ())):
                    # What is lost or late while the book waits for a snapshot anyway, as on a busy machine, makes no gap.
                    await d.until(lambda: watch.agrees("binance", "XRPUSDT"), f"{kind}: the book is LIVE")
                    await d.met(d.fault("binance", kind, symbol="XRPUSDT"))
                    seen, read = count.gaps, count.read
                    await d.until(lambda seen=seen, read=read: count.gaps > seen or count.read > read + 200, f"{kind} is met here")  # type: ignore[misc]
                await d.until(lambda resyncs=resyncs: count.resyncs > resyncs, f"{kind}: a snapshot brings it back")  # type: ignore[misc]
                await d.until(lambda: watch.agrees("binance", "XRPUSDT"), f"{kind}: the book is the venue's")
            gaps, old = count.gaps, count.old
            twice = d.fault("binance", K.AGAIN, symbol="XRPUSDT", count=20)
            late = d.fault("upbit", K.SWAP, symbol="KRW-XRP", count=3)
            again = d.fault("upbit", K.AGAIN, symbol="KRW-XRP", count=20)
            await d.met(twice, again, times=20)
            await d.met(late, times=3)
            await d.until(lambda: count.old > old, "what was known is left")
            assert count.gaps == gaps
            await well_again(d, watch)

    play(main)


def test_f29_a_book_that_stands_still_while_the_rest_of_its_stream_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch = Watch(d)
            await watch.trades("XRP")
            frozen = d.fault("binance", K.FREEZE, symbol="XRPUSDT", stream="public")
            await d.met(frozen)
            await d.until(lambda: None not in blocked(d, "XRP"), "it is noticed")
            await d.until(lambda: "XRPUSDT" in stream(d).watches["binance"].frozen, "and told from a quiet market")
            since = watch.now()
            await watch.others("XRP")
            assert watch.count("XRP", since=since) == 0
            d.box.faults["binance"].clear()
            await well_again(d, watch)

    play(main)


def test_f29_the_same_old_book_again_and_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch = Watch(d)
            await watch.trades("XRP")
            book = d.engine.components.aggregator.books["upbit", "KRW-XRP"]
            clock, oldest_ms = d.engine.components.clock, d.engine.risk.symbol.limits.max_book_age_ms
            stuck = d.fault("upbit", K.STUCK, symbol="KRW-XRP")
            await d.met(stuck)
            # Not merely refused, which a moment's lag is as well: what was sent before has come, the same has come again, and is old.
            first = [book.ts_event, book.updates]

            def repeated() -> bool:
                if book.ts_event != first[0]:
                    first[:] = book.ts_event, book.updates
                return book.updates > first[1] + 2

            await d.until(repeated, "it comes again and again")
            await d.until(lambda: clock.time_ms() - book.ts_event > oldest_ms, "its own time tells that it is old")
            old = book.updates
            await d.until(lambda: book.updates > old, "it comes once more")
            assert None not in blocked(d, "XRP")
            since, updates = watch.now(), book.updates
            await watch.others("XRP")
            assert watch.count("XRP", since=since) == 0
            await d.until(lambda: book.updates > updates, "it keeps coming")
            d.box.faults["upbit"].clear()
            await well_again(d, watch)

    play(main)


def test_f30_books_that_cannot_be(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch = Watch(d)
            await watch.trades("XRP")
            for exchange, code in XRP.items():
                for how in HOWS:
                    await d.met(d.fault(exchange, K.BAD_BOOK, symbol=code, how=how, count=6), times=6)
            assert watch.crossed > 0, "the engine saw them"
            assert set(counts(d, "upbit").malformed) == {"orderbook"}
            assert set(counts(d, "binance").malformed) <= {"bookTicker", "depthUpdate"}
            await well_again(d, watch)

    play(main)


def test_f31_a_price_that_jumps_for_one_tick(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch = Watch(d)
            await watch.trades("XRP")
            for exchange, code in XRP.items():
                for factor in (10.0, 0.1, 1.15, 0.85):
                    seen = watch.off + watch.crossed + counts(d, exchange).gaps
                    while watch.off + watch.crossed + counts(d, exchange).gaps == seen:  # what the next tick overtakes is never looked at
                        await d.met(d.fault(exchange, K.PRICE, symbol=code, factor=factor, count=1))
            denials = d.engine.risk.denials
            assert denials.get(Reason.EDGE_TOO_GOOD, 0) + denials.get(Reason.PRICE_BAND, 0) > 0
            await well_again(d, watch)

    play(main)


def test_f32_the_same_ticker_for_another_asset(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"universe": {"symbols": 3}}, start=False) as d:
            other = d.fault("binance", K.PRICE, symbol="DOGEUSDT", factor=3.0, count=1_000_000)
            await d.start()
            watch = Watch(d)
            assert set(d.engine.components.universe.symbols) == {"XRP", "SOL"}, "never paired"
            # A ticker that comes to mean something else while the session runs.
            later = d.fault("binance", K.PRICE, symbol="XRPUSDT", factor=3.0, count=1_000_000)
            await d.met(later)
            await d.until(lambda: Reason.PRICE_RATIO in blocked(d, "XRP") and None not in blocked(d, "XRP"), "out of its band")
            since = watch.now()
            await watch.others("XRP")
            assert watch.count("XRP", since=since) == 0
            assert other.met == 0, "nobody asked for a market that is not paired"
            d.box.faults["binance"].clear()
            await well_again(d, watch)

    play(main)


def test_f33_a_stream_that_breaks_again_and_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch, count = Watch(d), counts(d, "binance")
            await watch.trades("XRP")
            asked, gaps = stream(d).snapshots_asked["binance"], count.gaps
            tasks = len(asyncio.all_tasks())
            broken = d.fault("binance", K.GAP, symbol="XRPUSDT", every=2, count=1_000_000)
            await d.met(broken, times=16)
            await watch.others("XRP", 3)
            questions = stream(d).snapshots_asked["binance"] - asked
            assert 2 <= questions <= 8, "asked again, and less and less often"
            assert count.gaps - gaps < broken.met + 8
            assert len(asyncio.all_tasks()) < tasks + 20
            assert d.engine.components.aggregator.books["binance", "XRPUSDT"].updates > 0
            d.box.faults["binance"].clear()
            await well_again(d, watch)

    play(main)


@pytest.mark.parametrize(("exchange", "first", "second"), [("binance", 2000, -60_000), ("upbit", -2000, 60_000)])
def test_f34_a_venue_whose_clock_is_not_ours(tmp_path: Path, exchange: str, first: int, second: int) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch = Watch(d)
            await watch.trades()
            for ms in (first, second):
                d.fault(exchange, K.CLOCK_SKEW, ms=ms)
                await d.until(lambda: not d.health()[exchange], f"{ms} ms are noticed")
                since = watch.now()
                guard = d.engine.risk.exchange[exchange]
                assert guard.unfit(since) is Reason.VENUE_DEGRADED
                assert "ms" in guard.health.why(since)
                frames = counts(d, exchange).read
                await d.until(lambda frames=frames: counts(d, exchange).read > frames + 25, "it talks on")  # type: ignore[misc]
                assert watch.count(since=since) == 0, "nothing opens at all: each cycle needs both venues"
                d.box.faults[exchange].clear()
                await d.healthy()
            await well_again(d, watch, "")

    play(main)


def test_f35_ten_thousand_messages_a_second(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch, intake = Watch(d), stream(d).intake
            assert intake is not None
            await watch.trades()
            process, whole, turns = psutil.Process(), intake._turn, list[float]()

            def turn() -> None:
                began = time.thread_time()
                whole()
                turns.append(time.thread_time() - began)

            def came() -> int:
                return sum(counts(d, name).read for name in d.box.fronts) + sum(intake.merged.values())

            rss, before = process.memory_info().rss, came()
            intake._turn = turn  # type: ignore[method-assign]
            floods = [d.fault(name, K.FLOOD, factor=150.0, count=FLOOD // 200) for name in d.box.fronts]  # in a second or three
            await d.met(*floods)
            await d.until(lambda: came() - before > FLOOD, "it has come")
            await d.until(lambda: intake.waiting == 0, "all of it was worked off")
            intake._turn = whole  # type: ignore[method-assign]
            assert max(turns) < sum(turns) / 4, "the loop is there for others all the while"
            assert intake.most < FLOOD / 2
            assert process.memory_info().rss - rss < 150_000_000
            await well_again(d, watch, "")

    play(main)


def test_f36_a_snapshot_that_is_older_than_the_stream(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            watch, count = Watch(d), counts(d, "binance")
            await watch.trades("XRP")
            asked, resyncs = stream(d).snapshots_asked["binance"], count.resyncs
            watch.forget()
            old = d.fault("binance", K.OLD_DEPTH, symbol="XRPUSDT", count=3)
            await d.met(d.fault("binance", K.GAP, symbol="XRPUSDT"))
            await d.met(old, times=3)
            await d.until(lambda: count.resyncs > resyncs, "the fourth one is new enough")
            assert stream(d).snapshots_asked["binance"] - asked >= 4
            assert watch.off == 0, "an old one was merged"
            await well_again(d, watch)

    play(main)
