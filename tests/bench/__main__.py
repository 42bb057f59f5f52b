"""`make bench`: what one update costs, from the venues' own bytes to the decision, in one table.

Frames are recorded from the market simulator (scenario `normal`: the usual answer is no) once, then played through the
real aggregator and the real routes. Each figure is the median over rounds in which the rows take turns, so that a
machine that slows down slows all of them; the last column sets each row against bare JSON decoding of the same bytes in
the same run. Nothing is asserted: timings of a shared machine are for people to compare.
"""

import asyncio
import gc
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from time import thread_time

import msgspec

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.routes.route import RouteTerms
from arbtui.routes.universe import ArbUniverse
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.market_simulator import MarketSimulator

ROUNDS = 5
SECONDS = {10: 30.0, 50: 10.0, 1000: 4.0}  #: of simulated market, by symbols: some ten thousand frames each


class Stand:
    """A market of ``symbols`` and everything from its bytes to the routes' answers."""

    def __init__(self, symbols: int) -> None:
        self.symbols = symbols
        self.loop = VirtualTimeLoop()
        clock = LoopClock(self.loop)
        self.simulator = MarketSimulator(SimulatorConfig(scenario="normal"), symbols, Rng(1), clock)
        self.frames: list[Frame] = []
        self.opportunities = 0
        task = self.loop.create_task(self.simulator.run(self.frames.extend))
        self.loop.run_until_complete(self._wait(SECONDS[symbols]))
        task.cancel()
        self.loop.run_until_complete(self._wait(0.0))
        self.clock = clock
        self.markets = [market for listed in self.simulator.markets.values() for market in listed.values()]

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def play(self, *, decide: bool) -> float:
        """Microseconds of CPU a frame, each delivered alone as a busy socket would; books and routes are new each time."""
        on_books: list[Callable[[Sequence[OrderBook]], None]] = [_nothing]
        keys = [(market.exchange, market.code) for market in self.markets]
        aggregator = OrderbookAggregator(self.clock, MarketDataConfig(), keys, lambda books: on_books[0](books), lambda *_: None)
        if decide:
            on_books[0] = self._decider(aggregator)
        deliver = aggregator.deliver
        started = thread_time()
        for frame in self.frames:
            deliver((frame,))
        return (thread_time() - started) / len(self.frames) * 1e6

    def decode(self) -> float:
        """Microseconds a frame for msgspec to parse the bytes and build nothing of ours: the floor."""
        parse = msgspec.json.Decoder().decode
        started = thread_time()
        for frame in self.frames:
            parse(frame.raw)
        return (thread_time() - started) / len(self.frames) * 1e6

    def _decider(self, aggregator: OrderbookAggregator) -> Callable[[Sequence[OrderBook]], None]:
        rates = RateBook(aggregator.books["upbit", "KRW-USDT"], "KRW", "USDT", 1e9, 0.0005)
        terms = RouteTerms(3.0, 0.0, 100.0, "USDT", (0.8, 1.25))
        universe = ArbUniverse(self.markets, aggregator.books, rates, terms, 0.0, list(self.simulator.prices()))
        for node in universe.nodes.values():
            node.available = 1e12

        def decide(books: Sequence[OrderBook]) -> None:
            for book in books:
                if book is rates.book:
                    rates.refresh()
                for route in universe.touched_by(book):
                    if route.evaluate(0.0) is not None:
                        self.opportunities += 1

        return decide


def _nothing(books: Sequence[OrderBook]) -> None:
    """Take the books and do nothing."""


def main() -> int:
    """Measure and print."""
    print(__doc__.split("\n\n")[0])
    print(f"{'symbols':>8} {'frames':>8} {'row':<22} {'us/frame':>9} {'min':>8} {'max':>8} {'x parse':>8}")
    for symbols in SECONDS:
        stand = Stand(symbols)
        rows: dict[str, Callable[[], float]] = {
            "parse only": stand.decode,
            "bytes to books": partial(stand.play, decide=False),
            "bytes to decision": partial(stand.play, decide=True),
        }
        stand.play(decide=True)  # warm
        gc.collect()
        gc.freeze()
        took: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(ROUNDS):
            for name, measure in rows.items():
                took[name].append(measure())
        floor = statistics.median(took["parse only"])
        for name, values in took.items():
            middle = statistics.median(values)
            spread = f"{middle:>9.2f} {min(values):>8.2f} {max(values):>8.2f} {middle / floor:>8.2f}"
            print(f"{symbols:>8} {len(stand.frames):>8} {name:<22} {spread}")
    print(f"python {sys.version.split()[0]}, CPU time of one thread, median of {ROUNDS} rounds in turn")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
