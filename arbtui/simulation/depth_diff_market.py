"""A simulated market of a venue that sends changes of its book: depth events on a grid, best prices in bursts, and trades.

Every change of the best price or size is sent as a best price with its own update id; the next depth event contains the same
change. So at each depth event the ladder's best equals the last best price that is not newer. A venue's own class writes the
frames.
"""

import math
import random
from abc import abstractmethod
from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import ClassVar

from arbtui.model.book import Level
from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.simulation.event_scheduler import GRID, EventScheduler
from arbtui.simulation.frame_sink import FrameSink
from arbtui.simulation.ladder import LadderSide, size_palette, top_palette
from arbtui.simulation.simulated_market import FairPrice, Quoting, SimulatedMarket

SNAPSHOT_TICKS = 6  #: a snapshot takes 60 ms
RETRY_TICKS = 100  #: an answer that did not come is requested again a second later

#: Activity of a slot of 100 ms is lognormal with mean one: its p99 is 16 times its median.
_ACTIVITIES = 256
_RAW = tuple(math.exp(1.2 * NormalDist().inv_cdf((i + 0.5) / _ACTIVITIES)) for i in range(_ACTIVITIES))
_ACTIVITY = tuple(raw * _ACTIVITIES / sum(_RAW) for raw in _RAW)


class DepthDiffMarket(SimulatedMarket):
    """One market. Activity comes in slots of the 100 ms grid: a burst of best prices and trades, then the depth event."""

    __slots__ = (
        "_depth_id",
        "_empty",
        "_halted",
        "_least_move",
        "_phase_log",
        "_random",
        "_snapshot_due",
        "_spread_units",
        "_touch_credit",
        "_touches_per_slot",
        "_trade_credit",
        "_trades_per_slot",
        "_unit",
        "_venue",
        "asks_sent",
        "bids_sent",
        "code",
        "market",
        "price",
        "scheduler",
        "sink",
        "trade_id",
        "update_id",
    )

    numbered = True
    levels: ClassVar[int] = 20  #: kept a side; a snapshot holds all of them
    size_text: ClassVar[str] = "{:.8f}"  #: how a size is written
    gone_text: ClassVar[str] = "0.00000000"  #: the size that removes a level
    snapshots_on_stream: ClassVar[bool] = False  #: True: a snapshot comes on the stream, at a subscription; False: as a REST answer

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
        rhythm, spread_bps = quoting.rhythm, quoting.spread_bps
        self._phase_log = 1.0 / math.log1p(-min(rhythm.books / GRID, 0.999))
        self._touches_per_slot = rhythm.touches / rhythm.books
        self._trades_per_slot = rhythm.trades / rhythm.books
        self._touch_credit = self._trade_credit = 0.0
        self._depth_id = quoting.update_id
        self._snapshot_due = False
        unit = self._unit = float(market.price_units.at(market.min_qty))
        fair = price.fair
        if quoting.on_unit is not None:
            quoting.on_unit(1e4 * unit / fair)
        self._spread_units = 1e-4 * spread_bps * fair / unit
        self._least_move = 1e-4 * quoting.least_move_bps
        gap = max(1.0, 1e-4 * (0.4 + 0.35 * spread_bps) * fair / unit)
        mean, lot, written = quoting.level_usdt * price.per_usdt / fair, float(market.lot_step), self.size_text.format
        palette = size_palette(mean, lot, written)
        top = top_palette(mean, quoting.top_share, lot, written, palette)
        text = self.price_text(unit)
        self.bids_sent = LadderSide(stream, palette, top, self.levels, text, gap, self.gone_text)
        self.asks_sent = LadderSide(stream, palette, top, self.levels, text, gap, self.gone_text)
        best = round(fair / unit - 0.5 * self._draw_spread())
        self.bids_sent.move(-best)
        self.asks_sent.move(best + self._draw_spread())
        self.bids_sent.changed.clear()
        self.asks_sent.changed.clear()

    def price_text(self, unit: float) -> Callable[[int], str]:
        """How the venue writes the price of a key, which is a number of ``unit``; eight decimals, where not written otherwise."""

        def text(key: int) -> str:
            return f"{abs(key) * unit:.8f}"

        return text

    def prepare(self) -> None:
        """Make what every frame of this market begins with; called once, when market and ids are known."""

    @abstractmethod
    def touch_frame(self) -> bytes:
        """The frame of the best prices, with :attr:`update_id`."""

    @abstractmethod
    def depth_frame(self, previous: int) -> bytes:
        """The frame of the changes since ``previous``, the update id of the depth event before, up to :attr:`update_id`.

        It takes them from both sides (:meth:`LadderSide.take_changes`).
        """

    @abstractmethod
    def trade_frame(self, side: LadderSide, qty: str, sold: bool) -> bytes:
        """The frame of trade :attr:`trade_id`, at the best price of ``side``; ``sold``: by the taker."""

    @abstractmethod
    def snapshot_frame(self, empty: bool) -> bytes:
        """The whole book with :attr:`update_id`, or one with no level where it is ``empty``."""

    def start(self, tick: int) -> None:
        """See :meth:`SimulatedMarket.start`: with a snapshot."""
        self._snapshot_due = True
        self.scheduler.at(tick, self._first)

    def request_snapshot(self) -> None:
        """See :meth:`SimulatedMarket.request_snapshot`; one snapshot serves requests made meanwhile."""
        if not self._snapshot_due:
            self._snapshot_due = True
            self.scheduler.at(self.scheduler.tick + SNAPSHOT_TICKS, self._send_snapshot)

    def halt(self, *, empty: bool) -> None:
        """See :meth:`SimulatedMarket.halt`: with the next depth event."""
        self._halted, self._empty = True, empty
        if empty:
            self.update_id += 1
            for side in (self.bids_sent, self.asks_sent):
                side.tell_gone()

    def resume(self) -> None:
        """See :meth:`SimulatedMarket.resume`."""
        if self._empty:
            self.update_id += 1
            for side in (self.bids_sent, self.asks_sent):
                side.tell_all()
        self._halted = self._empty = False

    def bids(self) -> Iterator[Level]:
        """See :meth:`SimulatedMarket.bids`."""
        return iter(()) if self._empty else self.bids_sent.levels()

    def asks(self) -> Iterator[Level]:
        """See :meth:`SimulatedMarket.asks`."""
        return iter(()) if self._empty else self.asks_sent.levels()

    def _first(self) -> None:
        self._send_snapshot()
        self._appoint()

    def _appoint(self) -> None:
        """The next slot with activity: its burst falls anywhere in the slot, its depth event on the slot's end."""
        skipped = int(math.log(1.0 - self._random()) * self._phase_log)
        end = self.scheduler.tick + GRID * (1 + skipped)
        self.scheduler.at(end - 1 - int(self._random() * (GRID - 1)), self._burst)
        self.scheduler.at(end, self._send_depth)

    def _burst(self) -> None:
        if self._halted:
            return
        draw = self._random
        activity = _ACTIVITY[int(draw() * _ACTIVITIES)]
        self._touch_credit += self._touches_per_slot * activity
        self._trade_credit += self._trades_per_slot * activity
        while self._trade_credit >= 1.0:
            self._trade_credit -= 1.0
            self._send_trade()
        self.price.advance(self.scheduler.tick)
        self._quote()
        while self._touch_credit >= 1.0:
            (self.bids_sent if draw() < 0.5 else self.asks_sent).resize(0)
            self._send_touch()
        self.bids_sent.resize_below()
        self.asks_sent.resize_below()
        self.update_id += 2
        self.scheduler.listeners[self._venue].on_book(self.code)

    def _quote(self) -> None:
        """Move the best prices around the fair one, when it has moved far enough: the side that is moved away from goes first."""
        fair = self.price.fair
        middle = fair / self._unit
        bids, asks = self.bids_sent, self.asks_sent
        if abs(middle - 0.5 * (asks.keys[0] - bids.keys[0])) < max(0.65, self._least_move * middle):
            return
        spread = self._draw_spread() if self._random() < 0.3 else asks.keys[0] + bids.keys[0]
        best_bid = round(middle - 0.5 * spread)
        best_ask = best_bid + spread
        rises = best_ask > asks.keys[0]
        (asks if rises else bids).move(best_ask if rises else -best_bid)
        if self._touch_credit >= 2.0:
            self._send_touch()  # for an instant the spread is as wide as the move
        (bids if rises else asks).move(-best_bid if rises else best_ask)
        self._send_touch()

    def _draw_spread(self) -> int:
        """Units between best bid and ask: uniform within a third of the median, at least one."""
        return max(1, round(self._spread_units * (2.0 + 2.0 * self._random()) / 3.0))

    def _send_touch(self) -> None:
        self._touch_credit -= 1.0
        self.update_id += 1
        self.sink.send(self.touch_frame())

    def _send_depth(self) -> None:
        if self._depth_id == self.update_id:  # nothing happened: the market is halted
            self._appoint()
            return
        previous, self._depth_id = self._depth_id, self.update_id
        self.sink.send_numbered(self.depth_frame(previous))
        self._appoint()

    def _send_trade(self) -> None:
        sold = self._random() < 0.5
        side = self.bids_sent if sold else self.asks_sent
        lot = float(self.market.lot_step)
        qty = f"{max(1, int(side.qtys[0] * self._random() / lot)) * lot:.8f}"
        self.trade_id += 1
        self.sink.send(self.trade_frame(side, qty, sold))
        taker = Side.SELL if sold else Side.BUY
        self.scheduler.listeners[self._venue].on_trade(self.code, float(side.prices[0]), float(qty), taker)

    def _send_snapshot(self) -> None:
        raw = self.snapshot_frame(self._empty)
        if self.snapshots_on_stream:
            self.sink.send(raw)
            self._snapshot_due = False
            return
        self._snapshot_due = not self.sink.answer(raw, self.code)
        if self._snapshot_due:
            self.scheduler.at(self.scheduler.tick + RETRY_TICKS, self._send_snapshot)
