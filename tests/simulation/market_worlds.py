"""Runs of the market simulator for tests."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from arbtui.exchanges.binance.wire import BinanceDecoder
from arbtui.exchanges.feed import Frame
from arbtui.exchanges.upbit.wire import UpbitDecoder
from arbtui.exchanges.wire import WireDecoder
from arbtui.model.book import Level, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.order import Side
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.played_venue import DEFAULT_VENUES, NO_CROSS_QUOTES, CrossQuotes

Batch = Sequence[Frame]
Symbols = int | Sequence[str]


def simulator(
    symbols: Symbols,
    scenario: str = "busy",
    seed: int = 1,
    state: dict[str, Any] | None = None,
    venues: Sequence[str] = DEFAULT_VENUES,
    cross_quotes: CrossQuotes = NO_CROSS_QUOTES,
    plant: Sequence[str] = (),
) -> MarketSimulator:
    """A simulator on the running (virtual) loop."""
    config = SimulatorConfig.model_validate({"scenario": scenario, "plant": list(plant)})
    return MarketSimulator(config, symbols, Rng(seed), LoopClock(asyncio.get_running_loop()), state, venues, cross_quotes)


def play(
    symbols: Symbols,
    seconds: float,
    deliver: Callable[[MarketSimulator, Batch], None],
    *,
    scenario: str = "busy",
    seed: int = 1,
    state: dict[str, Any] | None = None,
    venues: Sequence[str] = DEFAULT_VENUES,
    cross_quotes: CrossQuotes = NO_CROSS_QUOTES,
    plant: Sequence[str] = (),
) -> MarketSimulator:
    """Run a simulator for ``seconds`` of virtual time; ``deliver`` sees it with every batch."""

    async def main() -> MarketSimulator:
        made = simulator(symbols, scenario, seed, state, venues, cross_quotes, plant)
        try:
            async with asyncio.timeout(seconds):
                await made.run(lambda batch: deliver(made, batch))
        except TimeoutError:
            pass
        return made

    result: MarketSimulator = run_virtual(main())
    return result


def record(symbols: Symbols, seconds: float, **options: Any) -> list[Frame]:
    """All frames of a run."""
    frames: list[Frame] = []
    play(symbols, seconds, lambda _, batch: frames.extend(batch), **options)
    return frames


class Reader:
    """Rebuilds every book from the wire bytes with the venues' own decoders, and checks what a careful client would."""

    def __init__(self) -> None:
        self.books: dict[str, OrderBook] = {}
        self.last_ids: dict[str, int] = {}
        self.touches: dict[str, tuple[int, tuple[float, float, float, float]]] = {}
        self.checked = 0  #: depth events at which the ladder's best was compared with the last best-price message
        self.trades: list[tuple[str, float, float, Side]] = []
        self.decoders: dict[str, WireDecoder] = {"upbit": UpbitDecoder(self), "binance": BinanceDecoder(self)}

    def take(self, batch: Batch) -> None:
        for frame in batch:
            if frame.snapshot_of:
                self.decoders[frame.exchange].feed_snapshot(frame.snapshot_of, frame.raw)
            else:
                self.decoders[frame.exchange].feed(frame.raw)

    def book(self, code: str) -> OrderBook:
        return self.books.setdefault(code, OrderBook("", code))

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        if update_id and code in self.last_ids:
            assert update_id >= self.last_ids[code], "a snapshot may not be older than the stream"
        else:
            self.last_ids[code] = update_id
        self.book(code).replace(bids, asks)
        self.check_uncrossed(code)

    def on_diff(
        self, code: str, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level], ts_event: int
    ) -> None:
        assert first_id == self.last_ids[code] + 1, "U must follow the last u"
        assert last_id >= first_id
        self.last_ids[code] = last_id
        book = self.book(code)
        book.apply(bids, asks)
        self.check_uncrossed(code)
        if code in self.touches:
            touch_id, touch = self.touches[code]
            assert touch_id <= last_id
            assert touch == (book.bid, book.bid_qty, book.ask, book.ask_qty)
            self.checked += 1

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        assert update_id > max(self.last_ids[code], self.touches.get(code, (0,))[0])
        assert bid < ask
        self.touches[code] = (update_id, (bid, bid_qty, ask, ask_qty))
        self.book(code).touch(bid, bid_qty, ask, ask_qty)

    def on_trade(self, code: str, trade_id: str, price: float, qty: float, taker: Side, ts_event: int) -> None:
        assert qty > 0
        self.trades.append((code, price, qty, taker))

    def on_other(self, kind: str) -> None:
        raise AssertionError(f"the simulator sends nothing of kind {kind}")

    def check_uncrossed(self, code: str) -> None:
        book = self.book(code)
        assert 0.0 < book.bid < book.ask < float("inf")
        assert list(book.bid_px) == sorted(set(book.bid_px))
        assert list(book.ask_key) == sorted(set(book.ask_key))
