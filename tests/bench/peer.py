"""The peer's side of the comparison: nautilus_trader's live path without network or execution, in an environment of its own.

`DataEngine.process` -> cache (for books: the engine's own book) -> message bus -> a Python strategy. The strategy decides by
the same rule as our routes, and is written to be fast: everything constant is folded, the touch is tested first, and ladders
are walked only where the touch pays. Rows of bytes are decoded by msgspec (which nautilus_trader brings along) into typed
structures, then into the peer's own objects by the cheapest constructors there are.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal
from math import inf
from typing import Any

import msgspec
from nautilus_trader import __version__  # type: ignore[import-not-found]
from nautilus_trader.backtest.data_client import BacktestMarketDataClient  # type: ignore[import-not-found]
from nautilus_trader.cache.cache import Cache  # type: ignore[import-not-found]
from nautilus_trader.common.component import MessageBus, TestClock  # type: ignore[import-not-found]
from nautilus_trader.config import StrategyConfig  # type: ignore[import-not-found]
from nautilus_trader.data.engine import DataEngine  # type: ignore[import-not-found]
from nautilus_trader.model.currencies import USDT  # type: ignore[import-not-found]
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas, QuoteTick  # type: ignore[import-not-found]
from nautilus_trader.model.enums import BookAction, CurrencyType, OrderSide  # type: ignore[import-not-found]
from nautilus_trader.model.identifiers import ClientId, InstrumentId, Symbol, TraderId, Venue  # type: ignore[import-not-found]
from nautilus_trader.model.instruments import CurrencyPair  # type: ignore[import-not-found]
from nautilus_trader.model.objects import Currency, Price, Quantity  # type: ignore[import-not-found]
from nautilus_trader.portfolio.portfolio import Portfolio  # type: ignore[import-not-found]
from nautilus_trader.trading.strategy import Strategy  # type: ignore[import-not-found]

from tests.bench.chunks import serve
from tests.bench.workload import (
    DOLLAR,
    LOT_DECIMALS,
    MIN_EDGE_BPS,
    ORDER_VALUE,
    PRICE_DECIMALS,
    RATE,
    RATE_FEE,
    TAKER,
    WON,
    Decision,
    Update,
    Workload,
    coin,
    frame,
)

_VENUES = ("UPBIT", "BINANCE")
_FIXED = 16  #: decimals of the peer's fixed-point numbers on this platform
_REQUIRED = 1.0 + MIN_EDGE_BPS / 1e4
_SELL_UNIT = tuple(1.0 - fee for fee in TAKER)
#: What one coin received costs at each venue, per unit of price; the dollar venue takes its fee out of the coin.
_BUY_UNIT = (1.0 + TAKER[WON], 1.0 / (1.0 - TAKER[DOLLAR]))
_BUY_NET = (1.0, 1.0 - TAKER[DOLLAR])
#: What a unit of the selling venue's currency brings in the buying venue's, by selling venue, after the fee of changing.
_CHANGE = (1.0 / RATE / (1.0 + RATE_FEE), RATE * (1.0 - RATE_FEE))
#: bid times this above ask: the touch pays. By selling venue.
_FACTOR = tuple(_CHANGE[sell] * _SELL_UNIT[sell] / (_BUY_UNIT[1 - sell] * _REQUIRED) for sell in (WON, DOLLAR))
_TICKS, _LOTS = tuple(10.0**decimals for decimals in PRICE_DECIMALS), 10.0**LOT_DECIMALS
_BY_TICK, _BY_LOT = tuple(10 ** (_FIXED - decimals) for decimals in PRICE_DECIMALS), 10 ** (_FIXED - LOT_DECIMALS)
_BUY, _SELL = OrderSide.BUY, OrderSide.SELL
_ADD, _UPDATE, _DELETE = BookAction.ADD, BookAction.UPDATE, BookAction.DELETE
_WON_HINT = b'{"type"'


class _Pair:
    """What the strategy keeps of one asset: both touches as floats, and where the ladders are."""

    __slots__ = ("ask", "bid", "depth", "symbol")

    def __init__(self, symbol: int) -> None:
        self.symbol = symbol
        self.bid = [0.0, 0.0]
        self.ask = [inf, inf]
        self.depth: list[Any] = [None, None]  #: the last quote, or the engine's book


class Arbitrage(Strategy):  # type: ignore[misc]
    """Both directions of every pair, on every update. ``seq`` of an update travels in its time stamp."""

    def __init__(self, ids: Sequence[tuple[Any, Any]], is_book: bool, order_value: float) -> None:
        super().__init__(StrategyConfig(strategy_id="ARB-1"))
        self.ids = ids
        self.is_book = is_book
        self.order_value = order_value
        self.found: list[Decision] = []
        self.at: dict[Any, tuple[_Pair, int]] = {}
        for symbol, pair_ids in enumerate(ids):
            pair = _Pair(symbol)
            for venue, instrument_id in enumerate(pair_ids):
                self.at[instrument_id] = (pair, venue)

    def on_start(self) -> None:
        for instrument_id in self.at:
            if self.is_book:
                self.subscribe_order_book_deltas(instrument_id)
            else:
                self.subscribe_quote_ticks(instrument_id)

    def on_quote_tick(self, tick: Any) -> None:
        """A best price."""
        pair, venue = self.at[tick.instrument_id]
        pair.depth[venue] = tick
        bid, ask = pair.bid, pair.ask
        bid[venue] = tick.bid_price.as_double()
        ask[venue] = tick.ask_price.as_double()
        if bid[0] * _FACTOR[0] > ask[1]:
            self.walk(pair, 0, tick.ts_init)
        elif bid[1] * _FACTOR[1] > ask[0]:
            self.walk(pair, 1, tick.ts_init)

    def on_order_book_deltas(self, deltas: Any) -> None:
        """A book has changed; the engine has applied it already."""
        pair, venue = self.at[deltas.instrument_id]
        book = pair.depth[venue]
        if book is None:
            book = pair.depth[venue] = self.cache.order_book(deltas.instrument_id)
        bid, ask = pair.bid, pair.ask
        bid[venue] = book.best_bid_price().as_double()
        ask[venue] = book.best_ask_price().as_double()
        if bid[0] * _FACTOR[0] > ask[1]:
            self.walk(pair, 0, deltas.ts_init)
        elif bid[1] * _FACTOR[1] > ask[0]:
            self.walk(pair, 1, deltas.ts_init)

    def walk(self, pair: _Pair, sell: int, seq: int) -> None:
        """How much pays, sized to the coarser lot, and what it earns net."""
        buy = 1 - sell
        asks, bids = self.ladder(pair.depth[buy], bids=False), self.ladder(pair.depth[sell], bids=True)
        buy_net, factor = _BUY_NET[buy], _FACTOR[sell]
        value = self.order_value if buy == DOLLAR else self.order_value * RATE
        most = value / (asks[0][0] * _BUY_UNIT[buy])
        walked, i, j = 0.0, 0, 0
        ask, ask_qty = asks[0][0], asks[0][1] * buy_net
        bid, bid_qty = bids[0]
        while walked < most and bid * factor > ask:
            take = min(ask_qty, bid_qty, most - walked)
            walked += take
            ask_qty -= take
            bid_qty -= take
            if ask_qty <= 0.0:
                i += 1
                if i == len(asks):
                    break
                ask, ask_qty = asks[i][0], asks[i][1] * buy_net
            if bid_qty <= 0.0:
                j += 1
                if j == len(bids):
                    break
                bid, bid_qty = bids[j]
        if buy == DOLLAR:
            buy_qty = _lots_down(walked / buy_net)
            sell_qty = buy_qty * buy_net
        else:
            buy_qty = sell_qty = _lots_down(walked)
        cost = _value(asks, buy_qty) * _BUY_UNIT[buy] * buy_net
        edge = (_value(bids, sell_qty) * _SELL_UNIT[sell] * _CHANGE[sell] / cost - 1.0) * 1e4
        if edge >= MIN_EDGE_BPS:
            self.found.append(Decision(seq, pair.symbol, sell, edge, sell_qty))

    def ladder(self, depth: Any, *, bids: bool) -> list[tuple[float, float]]:
        if self.is_book:
            return [(level.price.as_double(), level.size()) for level in (depth.bids() if bids else depth.asks())]
        if bids:
            return [(depth.bid_price.as_double(), depth.bid_size.as_double())]
        return [(depth.ask_price.as_double(), depth.ask_size.as_double())]


class Idle(Arbitrage):
    """Is told everything and does nothing."""

    def on_quote_tick(self, tick: Any) -> None:
        """A best price."""

    def on_order_book_deltas(self, deltas: Any) -> None:
        """A book has changed."""


def _lots_down(qty: float) -> float:
    return int(qty * _LOTS + 1e-6) / _LOTS


def _value(levels: Sequence[tuple[float, float]], qty: float) -> float:
    total = 0.0
    for price, size in levels:
        if qty <= size:
            return total + qty * price
        total += size * price
        qty -= size
    return total


class _Unit(msgspec.Struct, gc=False):
    ask_price: float
    bid_price: float
    ask_size: float
    bid_size: float


class _WonBook(msgspec.Struct, gc=False):
    code: str
    orderbook_units: list[_Unit]


class _Touch(msgspec.Struct, gc=False):
    s: str
    b: float
    B: float
    a: float
    A: float


class _Changes(msgspec.Struct, gc=False):
    s: str
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]


class _TouchFrame(msgspec.Struct, gc=False):
    data: _Touch


class _ChangesFrame(msgspec.Struct, gc=False):
    data: _Changes


_won_book = msgspec.json.Decoder(_WonBook).decode
_touch = msgspec.json.Decoder(_TouchFrame, strict=False).decode
_changes = msgspec.json.Decoder(_ChangesFrame, strict=False).decode


class Peer:
    """nautilus_trader over one workload. ``without`` "strategy": with one that does nothing, to see what is left."""

    def __init__(self, workload: Workload, without: str = "") -> None:
        self._workload = workload
        self._is_bytes = workload.mode.startswith("wire")
        self._is_book = workload.mode not in ("top", "wire")
        self._seq = 0
        clock = TestClock()
        trader_id = TraderId("BENCH-001")
        bus = MessageBus(trader_id=trader_id, clock=clock)
        cache = Cache()
        self._engine = DataEngine(msgbus=bus, cache=cache, clock=clock)
        for name in _VENUES:
            self._engine.register_client(BacktestMarketDataClient(ClientId(name), bus, cache, clock))
        won = Currency("KRW", 0, 410, "Won", CurrencyType.FIAT)
        self._ids = []
        for symbol in range(workload.symbols):
            base = Currency(coin(symbol), 8, 0, coin(symbol), CurrencyType.CRYPTO)
            names = (f"KRW-{coin(symbol)}", f"{coin(symbol)}USDT")
            ids = tuple(InstrumentId(Symbol(name), Venue(at)) for name, at in zip(names, _VENUES, strict=True))
            for venue, quote in ((WON, won), (DOLLAR, USDT)):
                cache.add_instrument(_instrument(ids[venue], names[venue], base, quote, venue))
            self._ids.append(ids)
        self._by_code = {str(instrument_id.symbol): instrument_id for ids in self._ids for instrument_id in ids}
        strategy = Arbitrage if without != "strategy" else Idle
        self._strategy = strategy(self._ids, self._is_book, ORDER_VALUE[workload.mode])
        portfolio = Portfolio(msgbus=bus, cache=cache, clock=clock)
        self._strategy.register(trader_id=trader_id, portfolio=portfolio, msgbus=bus, cache=cache, clock=clock)
        self._engine.start()
        self._strategy.start()

    def opening(self, workload: Workload) -> None:
        for update in workload.opening():
            self._engine.process(self._book(update, 0, whole=True) if self._is_book else self._quote(update, 0))
        self.decisions()

    def prepare(self, updates: Sequence[Update]) -> Sequence[Any]:
        """Its own objects, made untimed; bytes where making objects of them is part of what is timed."""
        if self._is_bytes:
            return [frame(self._workload, update) for update in updates]
        first, self._seq = self._seq, self._seq + len(updates)
        if not self._is_book:
            return [self._quote(update, seq) for seq, update in enumerate(updates, first)]
        whole = self._workload.sends_whole
        return [self._book(update, seq, whole=whole(update.venue)) for seq, update in enumerate(updates, first)]

    def play(self, items: Sequence[Any]) -> None:
        process = self._engine.process
        if not self._is_bytes:
            for item in items:
                process(item)
        elif self._is_book:
            for raw in items:
                process(self._book_of(raw, self._seq))
                self._seq += 1
        else:
            for raw in items:
                process(self._quote_of(raw, self._seq))
                self._seq += 1

    def decisions(self) -> list[Decision]:
        found, self._strategy.found = self._strategy.found, []
        return found

    def facts(self) -> dict[str, str]:
        return {"python": sys.version.split()[0], "nautilus_trader": __version__, "msgspec": msgspec.__version__}

    def _quote(self, update: Update, seq: int) -> Any:
        (bid,), (ask,) = update.bids, update.asks
        price, by_tick = PRICE_DECIMALS[update.venue], _BY_TICK[update.venue]
        instrument_id = self._ids[update.symbol][update.venue]
        prices, sizes = (bid[0] * by_tick, ask[0] * by_tick), (bid[1] * _BY_LOT, ask[1] * _BY_LOT)
        return QuoteTick.from_raw(instrument_id, *prices, price, price, *sizes, LOT_DECIMALS, LOT_DECIMALS, seq, seq)

    def _book(self, update: Update, seq: int, *, whole: bool) -> Any:
        instrument_id, venue = self._ids[update.symbol][update.venue], update.venue
        deltas = [OrderBookDelta.clear(instrument_id, update.number, seq, seq)] if whole else []
        for side, rows in ((_BUY, update.bids), (_SELL, update.asks)):
            for ticks, lots in rows:
                action = _ADD if whole else _UPDATE if lots else _DELETE
                price, qty = (ticks * _BY_TICK[venue], PRICE_DECIMALS[venue]), (lots * _BY_LOT, LOT_DECIMALS)
                deltas.append(OrderBookDelta.from_raw(instrument_id, action, side, *price, *qty, 0, 0, update.number, seq, seq))
        return OrderBookDeltas(instrument_id, deltas)

    def _quote_of(self, raw: bytes, seq: int) -> Any:
        if raw.startswith(_WON_HINT):
            book = _won_book(raw)
            best = book.orderbook_units[0]
            return QuoteTick(
                self._by_code[book.code],
                Price(best.bid_price, PRICE_DECIMALS[WON]),
                Price(best.ask_price, PRICE_DECIMALS[WON]),
                Quantity(best.bid_size, LOT_DECIMALS),
                Quantity(best.ask_size, LOT_DECIMALS),
                seq,
                seq,
            )
        touch = _touch(raw).data
        return QuoteTick(
            self._by_code[touch.s],
            Price(touch.b, PRICE_DECIMALS[DOLLAR]),
            Price(touch.a, PRICE_DECIMALS[DOLLAR]),
            Quantity(touch.B, LOT_DECIMALS),
            Quantity(touch.A, LOT_DECIMALS),
            seq,
            seq,
        )

    def _book_of(self, raw: bytes, seq: int) -> Any:
        if raw.startswith(_WON_HINT):
            book = _won_book(raw)
            instrument_id = self._by_code[book.code]
            deltas = [OrderBookDelta.clear(instrument_id, 0, seq, seq)]
            for unit in book.orderbook_units:
                deltas.append(_row(instrument_id, WON, _BUY, _ADD, unit.bid_price, unit.bid_size, seq))
                deltas.append(_row(instrument_id, WON, _SELL, _ADD, unit.ask_price, unit.ask_size, seq))
            return OrderBookDeltas(instrument_id, deltas)
        changes = _changes(raw).data
        instrument_id = self._by_code[changes.s]
        deltas = [
            _row(instrument_id, DOLLAR, side, _UPDATE if qty else _DELETE, price, qty, seq)
            for side, rows in ((_BUY, changes.b), (_SELL, changes.a))
            for price, qty in rows
        ]
        return OrderBookDeltas(instrument_id, deltas)


def _row(instrument_id: Any, venue: int, side: Any, action: Any, price: float, qty: float, seq: int) -> Any:
    """One level from floats: whole ticks and lots first, so that the fixed-point numbers are exact."""
    return OrderBookDelta.from_raw(
        instrument_id,
        action,
        side,
        int(price * _TICKS[venue] + 0.5) * _BY_TICK[venue],
        PRICE_DECIMALS[venue],
        int(qty * _LOTS + 0.5) * _BY_LOT,
        LOT_DECIMALS,
        0,
        0,
        seq,
        seq,
        seq,
    )


def _instrument(instrument_id: Any, name: str, base: Any, quote: Any, venue: int) -> Any:
    price, lot = Decimal(1).scaleb(-PRICE_DECIMALS[venue]), Decimal(1).scaleb(-LOT_DECIMALS)
    return CurrencyPair(
        instrument_id=instrument_id,
        raw_symbol=Symbol(name),
        base_currency=base,
        quote_currency=quote,
        price_precision=PRICE_DECIMALS[venue],
        size_precision=LOT_DECIMALS,
        price_increment=Price.from_str(str(price)),
        size_increment=Quantity.from_str(str(lot)),
        maker_fee=Decimal(str(TAKER[venue])),
        taker_fee=Decimal(str(TAKER[venue])),
        ts_event=0,
        ts_init=0,
    )


if __name__ == "__main__":
    serve(Peer)
