"""`python -m tests.bench.stream [SYMBOLS:MODE ...]`: what a live stream costs, from real sockets to the decision, and how late it is.

A server in another process sends books of both venues. Floor: the same sockets and the same decoders, and nothing after them.
Stream: all of it (sockets, intake, decoders, books, routes). Both take turns in one run; figures are medians of the turns, CPU is
this process's. Staleness runs from when the server was to send to when the books were handed on. Nothing is asserted.
"""

import asyncio
import gc
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import aiohttp

from arbtui.engine.decider import Decider
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.config import UrlsConfig
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.marketdata.stream import MarketDataStream, VenueSource
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import SystemClock
from arbtui.model.money import decimal_of
from arbtui.model.reason import Reason
from arbtui.model.rng import Rng
from arbtui.monitoring.lag import LagProbe
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import RouteTerms
from arbtui.routes.universe import ArbUniverse

SECONDS = 4.0
TURNS = 3
ROWS = [(10, "steady", 200.0), (50, "steady", 1000.0), (200, "steady", 4000.0), (1000, "steady", 20_000.0), (1000, "burst", 250_000.0)]


@dataclass
class Took:
    frames: int
    cpu_s: float
    seconds: float
    lag: tuple[float, float, float]
    stale: tuple[float, float, float] = (0.0, 0.0, 0.0)
    merged: int = 0
    waited: int = 0
    rss_mb: float = 0.0

    @property
    def us(self) -> float:
        return self.cpu_s / self.frames * 1e6 if self.frames else 0.0


class NullSink:
    """Takes everything and does nothing: the decoder's own cost."""

    def __getattr__(self, name: str) -> Any:
        return _nothing


def _nothing(*_: Any) -> None:
    """Do nothing."""


class Bench:
    def __init__(self, symbols: int, mode: str, port: int) -> None:
        self.codes = {"binance": [f"C{number:04d}USDT" for number in range(symbols)]}
        if mode == "steady":
            self.codes["upbit"] = [f"KRW-C{number:04d}" for number in range(symbols)]
        self.mode = mode
        self.urls = {
            name: UrlsConfig(rest=f"http://127.0.0.1:{port}", stream=f"ws://127.0.0.1:{port}{path}", private=f"ws://127.0.0.1:{port}/")
            for name, path in (("upbit", "/websocket/v1"), ("binance", "/stream"))
        }
        self.clock = SystemClock()

    async def floor(self) -> Took:
        """Sockets and decoders."""
        frames = 0

        async def read(name: str, connection: Any, feed: Any) -> None:
            nonlocal frames
            while True:
                message = await connection.receive()
                feed(message.data)
                frames += 1
                if not frames % 256:
                    await asyncio.sleep(0)

        async with aiohttp.ClientSession() as session:
            tasks = []
            for name, codes in self.codes.items():
                for subscription in PUBLIC_STREAMS[name].framing.subscriptions(codes):
                    connection = await session.ws_connect(self.urls[name].stream, decode_text=False)
                    for message in subscription.messages:
                        await connection.send_str(message.decode())
                    tasks.append(asyncio.create_task(read(name, connection, PUBLIC_STREAMS[name].decoder(cast(Any, NullSink())).feed)))
            await asyncio.sleep(1.0)
            lag = LagProbe()
            lag.start()
            before, cpu, began = frames, time.process_time(), time.monotonic()
            await asyncio.sleep(SECONDS)
            took = Took(frames - before, time.process_time() - cpu, time.monotonic() - began, _quantiles(lag))
            lag.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return took

    async def stream(self) -> Took:
        """All of it."""
        decider: Decider | None = None
        stale: list[float] = []

        def on_books(books: Sequence[OrderBook]) -> None:
            if decider is not None:
                decider.on_books(books)
            stale.append(time.monotonic() - books[-1].bid_qty)  # one a batch: the measuring must not cost what is measured

        config = MarketDataConfig(probe_after_ms=600_000)
        sources = [VenueSource(name, self.urls[name], codes) for name, codes in self.codes.items()]
        stream = MarketDataStream(sources, config, self.clock, Rng(1))
        keys = [(name, code) for name, codes in self.codes.items() for code in codes]
        aggregator = OrderbookAggregator(self.clock, config, keys, on_books, stream.request_snapshot)
        stream.attach(aggregator)
        bases = [code.removesuffix("USDT") for code in self.codes["binance"]]
        markets = [spot_market(base, "USDT", decimal_of(0.01), decimal_of(0.01), decimal_of(5)) for base in bases]
        markets += [krw_market(base) for base in bases] if "upbit" in self.codes else []
        rates = RateBook([RateMarket(OrderBook("upbit", "KRW-USDT"), "USDT", "KRW", 1e9, 0.0005)], "USDT", 100.0)
        rates.markets[0].book.replace([(1400.0, 1e6)], [(1401.0, 1e6)])
        rates.markets[0].book.state = BookState.LIVE
        rates.refresh()
        universe = ArbUniverse(markets, aggregator.books, rates, RouteTerms(3.0, 0.0, 100.0, "USDT", (0.8, 1.25)), 0.0, bases)
        decider = Decider(
            universe=universe,
            rates=rates,
            prioritizer=RoutePrioritizer(),
            clock=self.clock,
            episodes=Episodes(self.clock, Denials(self.clock), None),
            open_cycle=lambda opportunity: Reason.DISABLED,  # as where opening is off
        )
        running = asyncio.create_task(stream.run(aggregator.deliver))
        deadline = time.monotonic() + 30
        while any(book.state is not BookState.LIVE for book in aggregator.books.values()) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        not_live = sum(book.state is not BookState.LIVE for book in aggregator.books.values())
        if not_live and self.mode == "steady":
            print(f"{not_live} books not LIVE after 30 s: {[one.why for one in stream.status()]}")
        gc.collect()
        gc.freeze()
        await asyncio.sleep(1.0)
        assert stream.intake is not None
        read = sum(one.frames for one in stream.status())
        merged = sum(stream.intake.merged.values())
        stale.clear()
        lag = LagProbe()
        lag.start()
        cpu, began = time.process_time(), time.monotonic()
        await asyncio.sleep(SECONDS)
        took = Took(
            sum(one.frames for one in stream.status()) - read,
            time.process_time() - cpu,
            time.monotonic() - began,
            _quantiles(lag),
            _of(stale),
            sum(stream.intake.merged.values()) - merged,
            stream.intake.most,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
        lag.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return took


def _quantiles(lag: LagProbe) -> tuple[float, float, float]:
    told = lag.run()
    return told.p50, told.p99, told.max


def _of(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values) or [0.0]
    return tuple(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99, 1.0))  # type: ignore[return-value]


def main() -> int:
    """Measure and print."""
    print(__doc__.split("\n\n")[1])
    print(f"{'symbols':>7} {'offered/s':>9} {'row':<7} {'read/s':>8} {'us/frame':>8} {'x floor':>7} {'CPU %':>6} "
          f"{'lag ms p50/p99/max':>20} {'stale ms p50/p99/max':>22} {'merged':>8} {'waited':>7} {'peak MB':>7}")  # fmt: skip
    for symbols, mode, rate in [row for row in ROWS if not sys.argv[1:] or f"{row[0]}:{row[1]}" in sys.argv[1:]]:
        command = [sys.executable, "-m", "tests.bench.stream_server", str(symbols), mode, str(rate)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            bench = Bench(symbols, mode, int(server.stdout.readline()))
            turns = [(asyncio.run(bench.floor()), asyncio.run(bench.stream())) for _ in range(TURNS)]
            server.stdin.close()
        floor_us = statistics.median(floor.us for floor, _ in turns)
        for name, rows in (("floor", [floor for floor, _ in turns]), ("stream", [stream for _, stream in turns])):
            one = sorted(rows, key=lambda took: took.us)[len(rows) // 2]
            lag, stale = ("/".join(f"{value:.1f}" for value in part) for part in (one.lag, one.stale))
            print(f"{symbols:>7} {rate:>9,.0f} {name:<7} {one.frames / one.seconds:>8,.0f} {one.us:>8.2f} {one.us / floor_us:>7.2f} "
                  f"{one.cpu_s / one.seconds * 100:>6.1f} {lag:>20} {stale:>22} {one.merged:>8,} {one.waited:>7,} {one.rss_mb:>7.0f}",
                  flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
