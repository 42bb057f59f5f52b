"""A simulated Upbit market: whole books of 15 units on a 100 ms grid, only when changed, and trades; in DEFAULT format."""

import math
import random
from collections.abc import Callable, Iterator
from typing import Protocol

from arbtui.model.book import Level
from arbtui.model.clock import iso_ms
from arbtui.model.market import BandedUnits, Market
from arbtui.model.order import Side
from arbtui.simulation.event_scheduler import GRID, EventScheduler
from arbtui.simulation.frame_sink import FrameSink
from arbtui.simulation.ladder import LadderSide, size_palette

UNITS = 15  #: levels of a book frame
_REACH = 25  #: how far a ladder may reach above the fair price, in mean gaps

#: The pieces of ``orderbook_units``; a book fills in every second one. Joining them is three times as fast as formatting.
_PIECES = ['},{"ask_price":', "", ',"bid_price":', "", ',"ask_size":', "", ',"bid_size":', ""] * UNITS
_PIECES[0] = '{"ask_price":'
_PADDING = ["0", "0", "0.00000000", "0.00000000"] * UNITS
_REALTIME, _SNAPSHOT = "REALTIME", "SNAPSHOT"


class FairPrice(Protocol):
    """A fair price in KRW: of an asset, or of USDT itself."""

    @property
    def krw(self) -> float:
        """The fair price as of the last :meth:`advance`."""
        ...

    @property
    def krw_per_usdt(self) -> float:
        """The fair rate as of its own last step."""
        ...

    def advance(self, tick: int) -> None:
        """Advance to ``tick``."""
        ...


class UpbitMarket:
    """One market, quoted around the fair price of ``path``; ``level_usdt`` is the mean value of one level.

    ``on_unit`` is called with the price unit, in bps of the price, whenever a new band of Upbit's table is entered.
    """

    __slots__ = (
        "_asks",
        "_bands",
        "_bids",
        "_book_head",
        "_empty",
        "_fair_range",
        "_gap_bps",
        "_halted",
        "_least_move_bps",
        "_on_unit",
        "_opening",
        "_opening_price",
        "_phase_log",
        "_random",
        "_spread",
        "_spread_bps",
        "_stage",
        "_trade_chance",
        "_trade_head",
        "_trade_id",
        "_unit",
        "code",
        "market",
        "outlet",
        "path",
    )

    def __init__(
        self,
        market: Market,
        path: FairPrice,
        stage: EventScheduler,
        stream: random.Random,
        outlet: FrameSink,
        *,
        books_per_s: float,
        trades_per_s: float,
        spread_bps: float,
        level_usdt: float,
        least_move_bps: float,
        trade_id: int,
        on_unit: Callable[[float], None] | None = None,
    ) -> None:
        self.market = market
        self.code = market.code
        self.path = path
        self.outlet = outlet
        self._halted = self._empty = False
        self._stage = stage
        self._random = stream.random
        self._phase_log = 1.0 / math.log1p(-min(books_per_s / GRID, 0.999))
        self._trade_chance = trades_per_s / books_per_s
        self._spread_bps = spread_bps
        self._gap_bps = 0.4 + 0.35 * spread_bps
        self._least_move_bps = least_move_bps
        self._trade_id = trade_id
        self._on_unit = on_unit
        self._spread = 1
        self._unit = 0.0
        self._fair_range = math.inf, -math.inf
        units = market.price_units
        self._bands = [(float(floor), float(unit)) for floor, unit in units.bands] if isinstance(units, BandedUnits) else []
        palette = size_palette(level_usdt * path.krw_per_usdt / path.krw, float(market.lot_step), "{:.8f}".format)
        self._bids = LadderSide(stream, palette, UNITS, str, 1.0)
        self._asks = LadderSide(stream, palette, UNITS, str, 1.0)
        self._book_head = f'{{"type":"orderbook","code":"{self.code}","timestamp":'
        self._trade_head = f'{{"type":"trade","code":"{self.code}","timestamp":'
        self._quote()
        self._opening = self._asks.prices[0]
        self._opening_price = float(self._opening)

    def start(self, tick: int) -> None:
        """Send the first book at ``tick``, then continue without further calls."""
        self._stage.at(tick, self._first)

    def send_snapshot(self) -> None:
        """Send the present book, as Upbit does at a subscription."""
        self._send_book(_SNAPSHOT)

    def halt(self, *, empty: bool) -> None:
        """Stop trading: the book stays unchanged, or becomes ``empty`` at once."""
        self._halted, self._empty = True, empty
        if empty:
            self._send_book(_REALTIME)

    def resume(self) -> None:
        """Trade again, starting from the book before the halt."""
        self._halted = self._empty = False
        self._send_book(_REALTIME)

    @property
    def trade_id(self) -> int:
        """The last sequential id given to a trade."""
        return self._trade_id

    def bids(self) -> Iterator[Level]:
        """Bid levels, best first, as last sent."""
        return iter(()) if self._empty else self._bids.levels()

    def asks(self) -> Iterator[Level]:
        """Ask levels, best first, as last sent."""
        return iter(()) if self._empty else self._asks.levels()

    def _first(self) -> None:
        self._send_book(_SNAPSHOT)
        self._appoint()

    def _appoint(self) -> None:
        """The next book that differs: each place on the grid has the same chance."""
        skipped = int(math.log(1.0 - self._random()) * self._phase_log)
        self._stage.at(self._stage.tick + GRID * (1 + skipped), self._change)

    def _change(self) -> None:
        if self._halted:
            self._appoint()
            return
        draw = self._random
        if draw() < self._trade_chance:
            self._send_trade()
        self.path.advance(self._stage.tick)
        self._quote()
        side = self._bids if draw() < 0.5 else self._asks
        side.resize(0)
        side.resize_below()
        self._send_book(_REALTIME)
        self._appoint()

    def _quote(self) -> None:
        """Move the best prices around the fair one, when it has moved far enough from their middle."""
        fair = self.path.krw
        low, high = self._fair_range
        unit = self._unit if low <= fair < high else self._rule_off(fair)
        middle = fair / unit
        bids, asks = self._bids, self._asks
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
        self._bids.clear(text, gap)
        self._asks.clear(text, gap)
        self._spread = self._draw_spread(unit, fair)
        return unit

    def _draw_spread(self, unit: float, fair: float) -> int:
        """Units between best bid and ask: uniform within a third of the median."""
        return max(1, round(1e-4 * self._spread_bps * fair / unit * (2.0 + 2.0 * self._random()) / 3.0))

    def _send_book(self, stream_type: str) -> None:
        bids, asks = self._bids, self._asks
        pieces = _PIECES
        if self._empty:  # Upbit pads with levels of price and size zero
            pieces[1::2] = _PADDING
            sold = bought = 0.0
        else:
            pieces[1::8] = asks.prices
            pieces[3::8] = bids.prices
            pieces[5::8] = asks.sizes
            pieces[7::8] = bids.sizes
            sold, bought = sum(asks.qtys), sum(bids.qtys)
        text = (
            f'{self._book_head}{self._stage.ts_ms},"total_ask_size":{sold:.8f},"total_bid_size":{bought:.8f},'
            f'"orderbook_units":[{"".join(pieces)}}}],"stream_type":"{stream_type}","level":0}}'
        )
        bids.changed.clear()
        asks.changed.clear()
        self.outlet.send(text.encode())
        self._stage.listeners["upbit"].on_book(self.code)

    def _send_trade(self) -> None:
        bought = self._random() < 0.5
        side = self._asks if bought else self._bids
        price = float(side.prices[0])
        qty = round(side.qtys[0] * self._random() + 1e-8, 8)
        ts_ms = self._stage.ts_ms
        date, _, time = iso_ms(ts_ms)[:19].partition("T")
        self._trade_id += 1
        change = "EVEN" if price == self._opening_price else "RISE" if price > self._opening_price else "FALL"
        text = (
            f'{self._trade_head}{ts_ms},"trade_date":"{date}","trade_time":"{time}","trade_timestamp":{ts_ms},'
            f'"trade_price":{side.prices[0]},"trade_volume":{qty:.8f},"ask_bid":"{"BID" if bought else "ASK"}",'
            f'"prev_closing_price":{self._opening},"change":"{change}","change_price":{abs(price - self._opening_price):.8f},'
            f'"sequential_id":{self._trade_id},"stream_type":"REALTIME"}}'
        )
        self.outlet.send(text.encode())
        self._stage.listeners["upbit"].on_trade(self.code, price, qty, Side.BUY if bought else Side.SELL)
