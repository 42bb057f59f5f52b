"""A simulated Binance spot market: combined-stream ``depth@100ms``, ``bookTicker`` in bursts and ``trade``, as on the wire.

Every change of the best price or size is sent as a ``bookTicker`` with its own update id; the next depth event
contains the same change. So at each depth event the ladder's best equals the last ``bookTicker`` that is not newer.
"""

import math
import random
from collections.abc import Iterator
from statistics import NormalDist

from arbtui.model.book import Level
from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.simulation.event_scheduler import GRID, EventScheduler
from arbtui.simulation.frame_sink import FrameSink
from arbtui.simulation.ladder import LadderSide, size_palette
from arbtui.simulation.paths import AssetPath

LEVELS = 20  #: kept a side; the snapshot holds all of them
SNAPSHOT_TICKS = 6  #: a REST depth answer takes 60 ms
RETRY_TICKS = 100  #: an answer that did not come is requested again a second later

#: Activity of a slot of 100 ms is lognormal with mean one: its p99 is 16 times its median.
_ACTIVITIES = 256
_RAW = tuple(math.exp(1.2 * NormalDist().inv_cdf((i + 0.5) / _ACTIVITIES)) for i in range(_ACTIVITIES))
_ACTIVITY = tuple(raw * _ACTIVITIES / sum(_RAW) for raw in _RAW)


class BinanceMarket:
    """One market. Activity comes in slots of the 100 ms grid: a burst of best prices and trades, then the depth event."""

    __slots__ = (
        "_asks",
        "_bids",
        "_depth_head",
        "_depth_id",
        "_empty",
        "_halted",
        "_least_move",
        "_phase_log",
        "_random",
        "_snapshot_due",
        "_spread_units",
        "_stage",
        "_touch_credit",
        "_touch_head",
        "_touches_per_slot",
        "_trade_credit",
        "_trade_head",
        "_trades_per_slot",
        "_unit",
        "code",
        "market",
        "outlet",
        "path",
        "trade_id",
        "update_id",
    )

    def __init__(
        self,
        market: Market,
        path: AssetPath,
        stage: EventScheduler,
        stream: random.Random,
        outlet: FrameSink,
        *,
        depths_per_s: float,
        touches_per_s: float,
        trades_per_s: float,
        spread_bps: float,
        level_usdt: float,
        least_move_bps: float,
        update_id: int,
        trade_id: int,
    ) -> None:
        self.market = market
        self.code = market.code
        self.path = path
        self.update_id = update_id
        self.trade_id = trade_id
        self.outlet = outlet
        self._halted = self._empty = False
        self._stage = stage
        self._random = stream.random
        self._phase_log = 1.0 / math.log1p(-min(depths_per_s / GRID, 0.999))
        self._touches_per_slot = touches_per_s / depths_per_s
        self._trades_per_slot = trades_per_s / depths_per_s
        self._touch_credit = self._trade_credit = 0.0
        self._depth_id = update_id
        self._snapshot_due = False
        unit = self._unit = float(market.price_units.at(market.min_qty))
        fair = path.usdt
        self._spread_units = 1e-4 * spread_bps * fair / unit
        self._least_move = 1e-4 * least_move_bps
        gap = max(1.0, 1e-4 * (0.4 + 0.35 * spread_bps) * fair / unit)
        palette = size_palette(level_usdt / fair, float(market.lot_step), "{:.8f}".format)

        def text(key: int) -> str:
            return f"{abs(key) * unit:.8f}"

        self._bids = LadderSide(stream, palette, LEVELS, text, gap)
        self._asks = LadderSide(stream, palette, LEVELS, text, gap)
        lower = self.code.lower()
        self._depth_head = f'{{"stream":"{lower}@depth@100ms","data":{{"e":"depthUpdate","E":'
        self._touch_head = f'{{"stream":"{lower}@bookTicker","data":{{"u":'
        self._trade_head = f'{{"stream":"{lower}@trade","data":{{"e":"trade","E":'
        best = round(fair / unit - 0.5 * self._draw_spread())
        self._bids.move(-best)
        self._asks.move(best + self._draw_spread())
        self._bids.changed.clear()
        self._asks.changed.clear()

    def start(self, tick: int) -> None:
        """Answer with a first snapshot at ``tick``, then continue without further calls."""
        self._snapshot_due = True
        self._stage.at(tick, self._first)

    def request_snapshot(self) -> None:
        """Answer with a REST depth snapshot a little later; one answer serves requests made meanwhile."""
        if not self._snapshot_due:
            self._snapshot_due = True
            self._stage.at(self._stage.tick + SNAPSHOT_TICKS, self._send_snapshot)

    def halt(self, *, empty: bool) -> None:
        """Stop trading: the book stays unchanged, or becomes ``empty`` with the next depth event."""
        self._halted, self._empty = True, empty
        if empty:
            self.update_id += 1
            for side in (self._bids, self._asks):
                side.tell_gone()

    def resume(self) -> None:
        """Trade again, starting from the book before the halt."""
        if self._empty:
            self.update_id += 1
            for side in (self._bids, self._asks):
                side.tell_all()
        self._halted = self._empty = False

    def bids(self) -> Iterator[Level]:
        """Bid levels, best first, as last sent."""
        return iter(()) if self._empty else self._bids.levels()

    def asks(self) -> Iterator[Level]:
        """Ask levels, best first, as last sent."""
        return iter(()) if self._empty else self._asks.levels()

    def _first(self) -> None:
        self._send_snapshot()
        self._appoint()

    def _appoint(self) -> None:
        """The next slot with activity: its burst falls anywhere in the slot, its depth event on the slot's end."""
        skipped = int(math.log(1.0 - self._random()) * self._phase_log)
        end = self._stage.tick + GRID * (1 + skipped)
        self._stage.at(end - 1 - int(self._random() * (GRID - 1)), self._burst)
        self._stage.at(end, self._send_depth)

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
        self.path.advance(self._stage.tick)
        self._quote()
        while self._touch_credit >= 1.0:
            (self._bids if draw() < 0.5 else self._asks).resize(0)
            self._send_touch()
        self._bids.resize_below()
        self._asks.resize_below()
        self.update_id += 2
        self._stage.listeners["binance"].on_book(self.code)

    def _quote(self) -> None:
        """Move the best prices around the fair one, when it has moved far enough: the side that is moved away from goes first."""
        fair = self.path.usdt
        middle = fair / self._unit
        bids, asks = self._bids, self._asks
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
        bids, asks = self._bids, self._asks
        text = (
            f'{self._touch_head}{self.update_id},"s":"{self.code}","b":"{bids.prices[0]}","B":"{bids.sizes[0]}",'
            f'"a":"{asks.prices[0]}","A":"{asks.sizes[0]}"}}}}'
        )
        self.outlet.send(text.encode())

    def _send_depth(self) -> None:
        if self._depth_id == self.update_id:  # nothing happened: the market is halted
            self._appoint()
            return
        first, self._depth_id = self._depth_id + 1, self.update_id
        text = (
            f'{self._depth_head}{self._stage.ts_ms},"s":"{self.code}","U":{first},"u":{self.update_id},'
            f'"b":[{self._bids.take_changes()}],"a":[{self._asks.take_changes()}]}}}}'
        )
        self.outlet.send_numbered(text.encode())
        self._appoint()

    def _send_trade(self) -> None:
        sold = self._random() < 0.5
        side = self._bids if sold else self._asks
        lot = float(self.market.lot_step)
        qty = max(1, int(side.qtys[0] * self._random() / lot)) * lot
        self.trade_id += 1
        ts_ms = self._stage.ts_ms
        text = (
            f'{self._trade_head}{ts_ms},"s":"{self.code}","t":{self.trade_id},"p":"{side.prices[0]}","q":"{qty:.8f}",'
            f'"T":{ts_ms},"m":{"true" if sold else "false"},"M":true}}}}'
        )
        self.outlet.send(text.encode())
        self._stage.listeners["binance"].on_trade(self.code, float(side.prices[0]), float(f"{qty:.8f}"), Side.SELL if sold else Side.BUY)

    def _send_snapshot(self) -> None:
        bids, asks = (
            "" if self._empty else ",".join([f'["{price}","{size}"]' for price, size in zip(side.prices, side.sizes, strict=True)])
            for side in (self._bids, self._asks)
        )
        text = f'{{"lastUpdateId":{self.update_id},"bids":[{bids}],"asks":[{asks}]}}'
        self._snapshot_due = not self.outlet.answer(text.encode(), self.code)
        if self._snapshot_due:
            self._stage.at(self._stage.tick + RETRY_TICKS, self._send_snapshot)
