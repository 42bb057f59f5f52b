"""A MarketDataStream against the stand-in venues, with the books that it keeps."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.venues import documented_limits
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.counts import ExchangeCounts
from arbtui.marketdata.stream import MarketDataStream, VenueSource
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import SystemClock
from arbtui.model.rng import Rng
from tests.marketdata.venue_server import VenueServer

#: Seconds for anything to happen, on a machine that may be busy.
LONG_S = 30.0


class Health:
    """Writes down what a health monitor would be told."""

    def __init__(self) -> None:
        self.messages = 0
        self.throttled = 0
        self.answers: list[bool] = []
        self.connected: list[bool] = []
        self.frozen: list[bool] = []
        self.late: list[float] = []
        self.missing: list[str] = []
        self.reached: list[bool] = []

    def on_subscriptions(self, missing: str) -> None:
        self.missing.append(missing)

    def on_reachable(self) -> None:
        self.reached.append(True)

    def on_unreachable(self) -> None:
        self.reached.append(False)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def on_message(self, now: float) -> None:
        self.messages += 1

    def on_answer(self, ok: bool, ms: float, *, poll: bool = False) -> None:
        self.answers.append(ok)

    def on_socket(self, connected: bool) -> None:
        self.connected.append(connected)

    def on_throttled(self, until_monotonic: float) -> None:
        self.throttled += 1

    def on_late(self, ms: float) -> None:
        self.late.append(ms)

    def on_frozen(self, frozen: bool) -> None:
        self.frozen.append(frozen)


class Live:
    """The stream of all that the server lists, running; a context manager."""

    def __init__(self, server: VenueServer, **config: Any) -> None:
        settings = {
            "reconnect_max_s": 0.5,
            "ping_after_s": 20.0,
            "stream_silence_ms": 60_000,
            "probe_after_ms": 60_000,
            "sockets": 1,
            **config,
        }
        self.server = server
        self.config = MarketDataConfig(**settings)
        self.clock = SystemClock()
        markets = {exchange: list(listed) for exchange, listed in server.markets.items() if listed}
        self.health = {exchange: Health() for exchange in markets}
        self.limits = {exchange: RateLimitManager(exchange, self.clock, documented_limits(exchange)) for exchange in markets}
        sources = [VenueSource(name, server.urls(name), codes, self.limits[name], self.health[name]) for name, codes in markets.items()]
        self.stream = MarketDataStream(sources, self.config, self.clock, Rng(1))
        keys = [(name, code) for name, codes in markets.items() for code in codes]
        self.states: list[tuple[str, BookState]] = []  #: every change handed on
        self.aggregator = OrderbookAggregator(self.clock, self.config, keys, self._on_books, self.stream.request_snapshot)
        self.stream.attach(self.aggregator)
        self.batches: list[int] = []
        self.task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.stream.run(self._deliver))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self.task is not None
        self.task.cancel()
        (ended,) = await asyncio.gather(self.task, return_exceptions=True)
        if not isinstance(ended, asyncio.CancelledError):
            raise AssertionError("the stream ended by itself") from ended

    def _deliver(self, frames: Sequence[Frame]) -> None:
        self.batches.append(len(frames))
        self.aggregator.deliver(frames)

    def _on_books(self, books: Sequence[OrderBook]) -> None:
        self.states.extend((book.code, book.state) for book in books)

    def book(self, exchange: str, code: str) -> OrderBook:
        return self.aggregator.books[exchange, code]

    def counts(self, exchange: str) -> ExchangeCounts:
        return self.aggregator.counts[exchange]

    async def until(self, look: Callable[[], object], what: str, within: float = LONG_S) -> None:
        """Wait until ``look`` gives something true."""
        deadline = time.monotonic() + within
        while not look():
            assert self.task is not None
            assert not self.task.done(), f"the stream ended: {self.task}"
            assert time.monotonic() < deadline, f"not within {within:g} s: {what}; {[one.why for one in self.stream.status()]}"
            await asyncio.sleep(0.01)

    async def all_live(self) -> None:
        """Wait until every book is LIVE; Binance's markets must move for that, or be quiet for a second."""
        await self.until(lambda: all(book.state is BookState.LIVE for book in self.aggregator.books.values()), "all books LIVE")
