"""Our side of the comparison: the product's own way of an update, from `OrderbookAggregator.deliver` to the admitted opportunity.

Rows of bytes run through the venues' decoders. Rows without bytes put numbers where a decoder would put them, into the
same sinks; everything behind is what a session runs: book sync, books, index, routes, `Decider`, sizing in Decimal, and
all four tiers of risk. Only the opening of a cycle is left out: it is noted instead.
"""

import json
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from arbtui.engine.decider import Decider
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.feed import Frame
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.public_stream import Numbering, PublicStream
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.exchanges.wire import MarketDataSink
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig, RatesConfig
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import SystemClock
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import ScopedHalts
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import RiskConfig
from arbtui.risk.guard import RiskGuard
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import Opportunity, RouteTerms
from arbtui.routes.universe import ArbUniverse
from tests.bench.chunks import serve
from tests.bench.workload import (
    LOT_DECIMALS,
    MIN_EDGE_BPS,
    ORDER_VALUE,
    PRICE_DECIMALS,
    RATE,
    RATE_FEE,
    WON,
    Decision,
    Rows,
    Update,
    Workload,
    coin,
    frame,
)

_VENUES = ("upbit", "binance")
_FOR_EVER_MS = 600_000  #: the longest that the settings allow; the market here does not run by the clock
_RISK = {
    "global": {"max_unhedged": 1e12, "max_factor_exposure": 1e15, "max_open_cycles": 10_000},
    "exchange": {"max_message_age_ms": _FOR_EVER_MS},
    "symbol": {
        "max_jump_1s_bps": 1e6,
        "max_jump_10s_bps": 1e6,
        "max_book_age_ms": _FOR_EVER_MS,
        "max_leg_skew_ms": _FOR_EVER_MS,
        "price_band_bps": 10_000,
    },
    "route": {"max_edge_bps": 10_000},
}
#: Whoever watches the rate works as always, and finds nothing: the bench's coins walk on their own, far from any one rate.
_UNDOUBTED = RatesConfig(max_deviation_bps=10_000, clear_deviation_bps=10_000, max_jump_bps=10_000, max_coin_deviation_bps=10_000)


class Numbers:
    """Stands where a decoder stands: what it is fed are the arguments of the sink's method."""

    __slots__ = ("_tell", "feed_snapshot")

    def __init__(self, tell: Callable[..., None], sink: MarketDataSink) -> None:
        self._tell = tell
        self.feed_snapshot: Callable[[str, Any], None] = lambda code, book: sink.on_snapshot(code, *book)

    def feed(self, raw: Any) -> None:
        """Tell the sink."""
        self._tell(*raw)


def _numbers(mode: str) -> PublicStream:
    """A venue that sends best prices, whole books or changes, as ``mode`` wants, already decoded."""
    if mode == "snap":
        return PublicStream(lambda sink: Numbers(sink.on_snapshot, sink), Numbering.WHOLE, PUBLIC_STREAMS["upbit"].framing)
    if mode == "top":
        return PublicStream(lambda sink: Numbers(sink.on_touch, sink), Numbering.SPOT, PUBLIC_STREAMS["binance"].framing)
    return PublicStream(lambda sink: Numbers(sink.on_diff, sink), Numbering.SPOT, PUBLIC_STREAMS["binance"].framing)


class NoListener:
    """A sink that takes what decoders tell, and does nothing."""

    def on_snapshot(self, *told: Any) -> None:
        """A whole book."""

    def on_diff(self, *told: Any) -> None:
        """Changed levels."""

    def on_touch(self, *told: Any) -> None:
        """Best prices."""

    def on_trade(self, *told: Any) -> None:
        """A public trade."""

    def on_other(self, kind: str) -> None:
        """Anything else."""


def _telling_nobody(stream: PublicStream) -> PublicStream:
    return PublicStream(lambda sink: stream.decoder(NoListener()), stream.numbering, stream.framing)


class Ours:
    """The engine's hot path over one workload.

    Args:
        workload: the market.
        without: leaves a part out, to see what it costs: ``walk`` (what pays by its touch is not priced), ``decision`` (changed
            books are handed to nobody), ``book`` (what is decoded is told to nobody).
    """

    def __init__(self, workload: Workload, without: str = "") -> None:
        self._workload = workload
        self._is_bytes = workload.mode.startswith("wire")
        self._clock = clock = SystemClock()
        lot = Decimal(1).scaleb(-LOT_DECIMALS)
        names = [coin(symbol) for symbol in range(workload.symbols)]
        self._symbols = {name: symbol for symbol, name in enumerate(names)}
        markets = [krw_market(name) for name in names]
        markets += [spot_market(name, "USDT", Decimal(1).scaleb(-PRICE_DECIMALS[1]), lot, Decimal(5)) for name in names]
        self._codes = [[f"KRW-{name}" for name in names], [f"{name}USDT" for name in names]]
        keys = [(market.exchange, market.code) for market in markets]
        streams = PUBLIC_STREAMS if self._is_bytes else dict.fromkeys(_VENUES, _numbers(workload.mode))
        if without == "book":
            streams = {venue: _telling_nobody(stream) for venue, stream in streams.items()}
        elif without == "walk":
            InventoryRoute.walk = lambda self, now: None  # type: ignore[method-assign]
        with patch.dict(PUBLIC_STREAMS, streams):
            self.aggregator = OrderbookAggregator(
                clock,
                MarketDataConfig(stream_silence_ms=_FOR_EVER_MS),
                [*keys, ("upbit", "KRW-USDT")],
                lambda books: self._on_books(books),
                lambda *_: None,
            )
        self._counts = [self.aggregator.counts[venue] for venue in _VENUES]
        books = self.aggregator.books
        rates = RateBook([RateMarket(books["upbit", "KRW-USDT"], "USDT", "KRW", 1e9, RATE_FEE)], "USDT", 100.0)
        terms = RouteTerms(MIN_EDGE_BPS, 0.0, ORDER_VALUE[workload.mode], "USDT", (0.5, 2.0))
        self.universe = ArbUniverse(markets, books, rates, terms, 0.0, names)
        self.universe.watch_rates([RateWatch(rates.markets[0], _UNDOUBTED, clock)])
        for node in self.universe.nodes.values():
            node.available = 1e12
        self._risk = RiskGuard(
            RiskConfig.model_validate(_RISK),
            _VENUES,
            portfolio=Portfolio(),
            marks=LiveMarks("USDT", rates, [(market, books[market.exchange, market.code]) for market in markets], clock),
            state=lambda: TradingState.ARMED,
            last_message=lambda exchange: self.aggregator.watches[exchange].last_message,
            health={venue: ExchangeHealthMonitor(venue, clock, HealthConfig()) for venue in _VENUES},
            throttled=dict.fromkeys(_VENUES, lambda: None),
            halts=ScopedHalts(Path("/nowhere")),
            time_ms=clock.time_ms,
        )
        self.decider = Decider(
            universe=self.universe,
            rates=rates,
            prioritizer=RoutePrioritizer(),
            clock=clock,
            episodes=Episodes(self._clock, Denials(self._clock), None),
            open_cycle=self._open,
        )
        self._on_books = self.decider.on_books if without != "decision" else _nothing
        self._found: list[Decision] = []
        self._opened_at = 0
        self._rates = rates

    def opening(self, workload: Workload) -> None:
        """Every book whole, and the rate."""
        for update in workload.opening():
            if not self._comes_whole(update.venue):
                self.aggregator.deliver((self._rest_answer(update),))
            if self._comes_whole(update.venue) or workload.mode in ("top", "wire"):
                self.aggregator.deliver(self.prepare([update])[0])
        rate = self._rates.markets[0].book
        rate.replace([(float(RATE), 1e9)], [(RATE * (1 + 1e-12), 1e9)])  # a book whose sides meet would be none
        rate.state, rate.ts_init = BookState.LIVE, self._clock.monotonic()
        for watch in self.aggregator.watches.values():
            watch.last_message = self._clock.monotonic()  # a REST answer is no sign of life, and the first update may pay
        self._rates.refresh()
        self.decisions()
        self._opened_at = self._read

    def prepare(self, updates: Sequence[Update]) -> Sequence[Any]:
        """Batches of one frame each: what a socket delivers that is never behind."""
        if self._is_bytes:
            return [(Frame(_VENUES[update.venue], frame(self._workload, update)),) for update in updates]
        return [(Frame(_VENUES[update.venue], self._arguments(update)),) for update in updates]

    def play(self, items: Sequence[Any]) -> None:
        """Deliver them."""
        deliver = self.aggregator.deliver
        for batch in items:
            deliver(batch)

    def decisions(self) -> list[Decision]:
        """What was admitted since the last question."""
        found, self._found = self._found, []
        return found

    def facts(self) -> dict[str, str]:
        """Which Python."""
        return {"python": sys.version.split()[0]}

    @property
    def _read(self) -> int:
        return self._counts[0].read + self._counts[1].read

    def _open(self, opportunity: Opportunity) -> Reason:
        """Note it down. Nothing is opened, so that the next update finds the book whole, as the peer does."""
        route = opportunity.route
        refusal = self._risk.check_entry(route, opportunity.edge_bps, opportunity.value, opportunity.decided_at)
        if refusal is not None:
            raise RuntimeError(f"risk refused {route.id}: {refusal}; the limits of the bench are wrong")
        venue = _VENUES.index(route.trades[-1].market.exchange)
        seq = self._read - 1 - self._opened_at
        self._found.append(Decision(seq, self._symbols[route.symbol], venue, opportunity.edge_bps, opportunity.size))
        return Reason.DISARMED

    def _arguments(self, update: Update) -> Any:
        code = self._codes[update.venue][update.symbol]
        bids, asks = _levels(update.bids, update.venue), _levels(update.asks, update.venue)
        if self._workload.mode == "top":
            return (code, update.number, *bids[0], *asks[0], 0)
        if self._workload.mode == "snap":
            return (code, bids, asks, 0, 0)
        return (code, update.number, update.number, -1, bids, asks, 0)

    def _comes_whole(self, venue: int) -> bool:
        return self._workload.sends_whole(venue) or (self._workload.mode == "wire" and venue == WON)

    def _rest_answer(self, update: Update) -> Frame:
        """What changes and best prices are laid upon; empty where only best prices come, so that no level outlives them."""
        exchange, code = _VENUES[update.venue], self._codes[update.venue][update.symbol]
        levels = [_levels(side, update.venue) for side in (update.bids, update.asks)]
        is_touch = self._workload.mode in ("top", "wire")
        if is_touch:
            levels = [[], []]
        update_id = 0 if is_touch else update.number
        if not self._is_bytes:
            return Frame(exchange, (*levels, 0, update_id), code)  # type: ignore[arg-type]  # numbers, where bytes would be
        rows = [[[str(price), str(qty)] for price, qty in side] for side in levels]
        return Frame(exchange, json.dumps({"lastUpdateId": update_id, "bids": rows[0], "asks": rows[1]}).encode(), code)


def _nothing(books: Sequence[OrderBook]) -> None:
    """Take the books and do nothing."""


def _levels(rows: Rows, venue: int) -> list[tuple[float, float]]:
    """Prices and coins, as the venue's decimals round to floats."""
    tick, lot = 10 ** PRICE_DECIMALS[venue], 10**LOT_DECIMALS
    return [(ticks / tick, lots / lot) for ticks, lots in rows]


if __name__ == "__main__":
    serve(Ours)
