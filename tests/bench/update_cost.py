"""What one update costs, from the venues' own bytes to the decision, and how that grows with the number of symbols.

Frames are recorded from the market simulator (scenario `normal`: the usual answer is no) once, then played through the
real aggregator and the real decider. Rows and sizes take turns, so a machine that slows down slows all of them; bare JSON
decoding of the same bytes stands beside.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import thread_time

import msgspec

from arbtui.engine.decider import Decider
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.reason import Reason
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import RouteTerms
from arbtui.routes.universe import ArbUniverse
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.market_simulator import MarketSimulator
from tests.bench.table import Row, median, spread

ROUNDS = 5
SECONDS = {10: 30.0, 50: 10.0, 1000: 4.0}  #: of simulated market, by symbols: some ten thousand frames each
_PARSE, _BOOKS, _DECISION = "JSON parsed, nothing built", "bytes to books", "bytes to decision"


class Stand:
    """A market of ``symbols`` and everything from its bytes to the routes' answers."""

    def __init__(self, symbols: int, seconds: float) -> None:
        self.loop = VirtualTimeLoop()
        self.clock = LoopClock(self.loop)
        simulator = MarketSimulator(SimulatorConfig(scenario="normal"), symbols, Rng(1), self.clock)
        self.frames: list[Frame] = []
        self.loop.run_until_complete(self._record(simulator, seconds))
        self.markets = [market for listed in simulator.markets.values() for market in listed.values()]
        self.assets = list(simulator.prices())

    async def _record(self, simulator: MarketSimulator, seconds: float) -> None:
        task = asyncio.create_task(simulator.run(self.frames.extend))
        await asyncio.sleep(seconds)
        task.cancel()

    def play(self, *, decide: bool) -> float:
        """Microseconds of CPU a frame, each delivered alone as a socket does that is never behind; everything is new each time."""
        return self.loop.run_until_complete(self._play(decide))

    async def _play(self, decide: bool) -> float:  # in the loop, where the decider's sweeps after a rate tick are called
        on_books: list[Callable[[Sequence[OrderBook]], None]] = [_nothing]
        keys = [(market.exchange, market.code) for market in self.markets]
        aggregator = OrderbookAggregator(self.clock, MarketDataConfig(), keys, lambda books: on_books[0](books), lambda *_: None)
        if decide:
            on_books[0] = self._decider(aggregator).on_books
        deliver = aggregator.deliver
        started = thread_time()
        for frame in self.frames:
            deliver((frame,))
        return (thread_time() - started) / len(self.frames) * 1e6

    def parse(self) -> float:
        """Microseconds a frame for msgspec to parse the bytes and build nothing of ours: the floor."""
        parse = msgspec.json.Decoder().decode
        started = thread_time()
        for frame in self.frames:
            parse(frame.raw)
        return (thread_time() - started) / len(self.frames) * 1e6

    def _decider(self, aggregator: OrderbookAggregator) -> Decider:
        rates = RateBook([RateMarket(aggregator.books["upbit", "KRW-USDT"], "USDT", "KRW", 1e9, 0.0005)], "USDT", 100.0)
        terms = RouteTerms(3.0, 0.0, 100.0, "USDT", (0.8, 1.25))
        universe = ArbUniverse(self.markets, aggregator.books, rates, terms, 0.0, self.assets)
        for node in universe.nodes.values():
            node.available = 1e12
        return Decider(
            universe=universe,
            rates=rates,
            prioritizer=RoutePrioritizer(),
            clock=self.clock,
            episodes=Episodes(self.clock, Denials(self.clock), None),
            open_cycle=lambda opportunity: Reason.DISABLED,  # as where opening is off
        )


def _nothing(books: Sequence[OrderBook]) -> None:
    """Take the books and do nothing."""


def rows(*, quick: bool) -> Iterator[Row]:
    """Three rows a size, and the growth."""
    sizes = {10: 0.5, 50: 0.5} if quick else SECONDS
    stands = {symbols: Stand(symbols, seconds) for symbols, seconds in sizes.items()}
    measures: dict[tuple[int, str], Callable[[], float]] = {}
    for symbols, stand in stands.items():
        measures[symbols, _PARSE] = stand.parse
        measures[symbols, _BOOKS] = partial(stand.play, decide=False)
        measures[symbols, _DECISION] = partial(stand.play, decide=True)
        stand.play(decide=True)  # warm
    gc.collect()
    gc.freeze()
    took: dict[tuple[int, str], list[float]] = {key: [] for key in measures}
    for _ in range(1 if quick else ROUNDS):
        for key, measure in measures.items():
            took[key].append(measure())
    gc.unfreeze()
    group = "one update"
    for (symbols, what), values in took.items():
        times = median(values) / median(took[symbols, _PARSE])
        figure = f"{spread(values, 2, ' us')}, {times:.1f}x parsing" if what != _PARSE else spread(values, 2, " us")
        how = f"{len(stands[symbols].frames)} simulated frames, {len(values)} rounds in turn, CPU time"
        yield Row(group, f"{what}, {symbols} symbols", figure, how)
    least, most = min(sizes), max(sizes)
    growth = [many / few for few, many in zip(took[least, _DECISION], took[most, _DECISION], strict=True)]
    what = f"{_DECISION}: {most} symbols beside {least}"
    yield Row(group, what, spread(growth, 1, "x"), "the rows above, round by round", "<= 3x", median(growth) <= 3.0)
