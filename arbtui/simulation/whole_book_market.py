"""A simulated market of a venue that sends whole books: on a grid, only when changed, and trades.

A venue's own class writes the frames.
"""

import math
import random
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from arbtui.model.book import Level
from arbtui.model.market import BandedUnits, Market
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import Side
from arbtui.simulation.event_scheduler import GRID, EventScheduler
from arbtui.simulation.frame_sink import FrameSink
from arbtui.simulation.ladder import LadderSide, size_palette, top_palette
from arbtui.simulation.simulated_market import FairPrice, Quoting, SimulatedMarket

_REACH = 25  #: how far a ladder may reach above the fair price, in mean gaps


class WholeBookMarket(SimulatedMarket):
    """One market. ``on_unit`` of its quoting is called whenever a new band of the venue's table of price units is entered."""

    __slots__ = (
        "_bands",
        "_empty",
        "_fair_range",
        "_gap_bps",
        "_halted",
        "_least_move_bps",
        "_on_unit",
        "_phase_log",
        "_random",
        "_spread",
        "_spread_bps",
        "_trade_chance",
        "_unit",
        "_venue",
        "asks_sent",
        "bids_sent",
        "code",
        "market",
        "opening",
        "opening_price",
        "price",
        "scheduler",
        "sink",
        "trade_id",
        "update_id",
    )

    numbered = False
    levels: ClassVar[int] = 15  #: of a side in a book
    size_text: ClassVar[str] = "{:.8f}"  #: how a size is written

    def __init__(
        self, market: Market, price: FairPrice, scheduler: EventScheduler, stream: random.Random, sink: FrameSink, quoting: Quoting
    ) -> None:
        self.market = market
        self.code = market.code
        self.price = price
        self.sink = sink
        self.update_id, self.trade_id = quoting.update_id, quoting.trade_id
        self._venue = market.exchange
        self.prepare()
        self._halted = self._empty = False
        self.scheduler = scheduler
        self._random = stream.random
        self._phase_log = 1.0 / math.log1p(-min(quoting.rhythm.books / GRID, 0.999))
        self._trade_chance = quoting.rhythm.trades / quoting.rhythm.books
        self._spread_bps = quoting.spread_bps
        self._gap_bps = 0.4 + 0.35 * quoting.spread_bps
        self._least_move_bps = quoting.least_move_bps
        self._on_unit = quoting.on_unit
        self._spread = 1
        self._unit = 0.0
        self._fair_range = math.inf, -math.inf
        units = market.price_units
        bands = units.bands if isinstance(units, BandedUnits) else ((ZERO, units.at(decimal_of(price.fair))),)
        self._bands = [(float(floor), float(unit)) for floor, unit in bands]
        mean, lot, written = quoting.level_usdt * price.per_usdt / price.fair, float(market.lot_step), self.size_text.format
        palette = size_palette(mean, lot, written)
        top = top_palette(mean, quoting.top_share, lot, written, palette)
        self.bids_sent = LadderSide(stream, palette, top, self.levels, str, 1.0)
        self.asks_sent = LadderSide(stream, palette, top, self.levels, str, 1.0)
        self._quote()
        self.opening = self.asks_sent.prices[0]
        self.opening_price = float(self.opening)

    def prepare(self) -> None:
        """Make what every frame of this market begins with; called once, when market and ids are known."""

    @abstractmethod
    def book_frame(self, snapshot: bool, empty: bool) -> bytes:
        """The frame of the present book: of :attr:`bids_sent` and :attr:`asks_sent`, or with no level at all where it is ``empty``.

        ``snapshot``: it answers a subscription.
        """

    @abstractmethod
    def trade_frame(self, side: LadderSide, qty: float, bought: bool) -> bytes:
        """The frame of trade :attr:`trade_id`, at the best price of ``side``; ``bought``: by the taker."""

    def start(self, tick: int) -> None:
        """See :meth:`SimulatedMarket.start`."""
        self.scheduler.at(tick, self._first)

    def request_snapshot(self) -> None:
        """See :meth:`SimulatedMarket.request_snapshot`: with the next delivery."""
        self._send_book(True)

    def halt(self, *, empty: bool) -> None:
        """See :meth:`SimulatedMarket.halt`: at once."""
        self._halted, self._empty = True, empty
        if empty:
            self._send_book(False)

    def resume(self) -> None:
        """See :meth:`SimulatedMarket.resume`."""
        self._halted = self._empty = False
        self._send_book(False)

    def bids(self) -> Iterator[Level]:
        """See :meth:`SimulatedMarket.bids`."""
        return iter(()) if self._empty else self.bids_sent.levels()

    def asks(self) -> Iterator[Level]:
        """See :meth:`SimulatedMarket.asks`."""
        return iter(()) if self._empty else self.asks_sent.levels()

    def _first(self) -> None:
        self._send_book(True)
        self._appoint()

    def _appoint(self) -> None:
        """The next book that differs: each place on the grid has the same chance."""
        skipped = int(math.log(1.0 - self._random()) * self._phase_log)
        self.scheduler.at(self.scheduler.tick + GRID * (1 + skipped), self._change)

    def _change(self) -> None:
        if self._halted:
            self._appoint()
            return
        draw = self._random
        if draw() < self._trade_chance:
            self._send_trade()
        self.price.advance(self.scheduler.tick)
        self._quote()
        side = self.bids_sent if draw() < 0.5 else self.asks_sent
        side.resize(0)
        side.resize_below()
        self._send_book(False)
        self._appoint()

    def _quote(self) -> None:
        """Move the best prices around the fair one, when it has moved far enough from their middle."""
        fair = self.price.fair
        low, high = self._fair_range
        unit = self._unit if low <= fair < high else self._rule_off(fair)
        middle = fair / unit
        bids, asks = self.bids_sent, self.asks_sent
        if bids.keys:
            now = 0.5 * (asks.keys[0] - bids.keys[0])
            if abs(middle - now) < max(0.65, 1e-4 * self._least_move_bps * middle):
                return
            if self._random() < 0.3:
                self._spread = self._draw_spread(unit, fair)
        best = round(middle - 0.5 * self._spread)
        bids.move(-best)
        asks.move(best + self._spread)

    def _rule_off(self, fair: float) -> float:
        """Set the price unit of the present price and rebuild the ladder.

        The unit is that of a price well above, so that the whole ladder lies on it: a band's unit divides all higher ones.
        """
        bands = self._bands
        here = next(i for i, (floor, _) in enumerate(bands) if fair >= floor)
        reach = 1.0 + 1e-4 * (self._spread_bps + _REACH * max(self._gap_bps, 1e4 * bands[here][1] / fair))
        band = next(i for i, (floor, _) in enumerate(bands) if fair * reach >= floor)
        floor, unit = bands[band]
        self._unit = unit
        self._fair_range = floor / reach, (bands[band - 1][0] / reach if band else math.inf)
        if self._on_unit is not None:
            self._on_unit(1e4 * unit / fair)
        decimals = max(0, -math.floor(math.log10(unit)))

        def text(key: int) -> str:
            return f"{abs(key) * unit:.{decimals}f}"

        gap = max(1.0, 1e-4 * self._gap_bps * fair / unit)
        self.bids_sent.clear(text, gap)
        self.asks_sent.clear(text, gap)
        self._spread = self._draw_spread(unit, fair)
        return unit

    def _draw_spread(self, unit: float, fair: float) -> int:
        """Units between best bid and ask: uniform within a third of the median."""
        return max(1, round(1e-4 * self._spread_bps * fair / unit * (2.0 + 2.0 * self._random()) / 3.0))

    def _send_book(self, snapshot: bool) -> None:
        scheduler = self.scheduler
        self.update_id += 1
        raw = self.book_frame(snapshot, self._empty)
        self.bids_sent.changed.clear()
        self.asks_sent.changed.clear()
        self.sink.send(raw)
        scheduler.listeners[self._venue].on_book(self.code)

    def _send_trade(self) -> None:
        bought = self._random() < 0.5
        side = self.asks_sent if bought else self.bids_sent
        qty = round(side.qtys[0] * self._random() + 1e-8, 8)
        self.trade_id += 1
        self.sink.send(self.trade_frame(side, qty, bought))
        taker = Side.BUY if bought else Side.SELL
        self.scheduler.listeners[self._venue].on_trade(self.code, float(side.prices[0]), qty, taker)
