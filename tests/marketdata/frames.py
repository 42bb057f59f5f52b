"""Frames as the venues send them, and an aggregator to feed them to."""

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.top_check import TopCheck
from arbtui.model.book import BookState, Level, OrderBook

SPOT, USDM, UPBIT = ("binance", "BTCUSDT"), ("binanceusdm", "BTCUSDT"), ("upbit", "KRW-BTC")


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time_ms(self) -> int:
        return round(self.now * 1000)


class Bench:
    """An aggregator, what it handed on (each batch as a list of books) and which snapshots it asked for."""

    def __init__(
        self, *markets: tuple[str, str], buffer_limit: int = 50, silence_ms: int = 1500, top_check: TopCheck | None = None,
        exchanges: Iterable[str] | None = None,
    ) -> None:  # fmt: skip
        self.clock = HandClock()
        self.batches: list[list[OrderBook]] = []
        self.asked: list[tuple[str, str]] = []
        self.aggregator = OrderbookAggregator(
            self.clock,
            MarketDataConfig(stream_silence_ms=silence_ms, buffer_limit=buffer_limit),
            markets,
            lambda books: self.batches.append(list(books)),
            lambda exchange, code: self.asked.append((exchange, code)),
            exchanges=exchanges,
            top_check=top_check,
        )

    def feed(self, *frames: Frame) -> None:
        self.aggregator.deliver(frames)

    def book(self, market: tuple[str, str] = SPOT) -> OrderBook:
        return self.aggregator.books[market]

    def state(self, market: tuple[str, str] = SPOT) -> BookState:
        return self.aggregator.books[market].state


def encode(exchange: str, message: object, snapshot_of: str = "") -> Frame:
    return Frame(exchange, json.dumps(message, separators=(",", ":")).encode(), snapshot_of)


def strings(levels: Sequence[Level]) -> list[list[str]]:
    return [[f"{price:.8f}", f"{qty:.8f}"] for price, qty in levels]


def spot_diff(first: int, last: int, bids: Sequence[Level] = (), asks: Sequence[Level] = (), code: str = "BTCUSDT") -> Frame:
    data = {"e": "depthUpdate", "E": 1000 + last, "s": code, "U": first, "u": last, "b": strings(bids), "a": strings(asks)}
    return encode("binance", {"stream": f"{code.lower()}@depth@100ms", "data": data})


def usdm_diff(first: int, last: int, prev: int, bids: Sequence[Level] = (), asks: Sequence[Level] = ()) -> Frame:
    data = {"e": "depthUpdate", "E": 1000 + last, "T": 999 + last, "s": "BTCUSDT", "U": first, "u": last, "pu": prev,
            "b": strings(bids), "a": strings(asks)}  # fmt: skip
    return encode("binanceusdm", {"stream": "btcusdt@depth@0ms", "data": data})


def snapshot(update_id: int, bids: Sequence[Level], asks: Sequence[Level], exchange: str = "binance", code: str = "BTCUSDT") -> Frame:
    return encode(exchange, {"lastUpdateId": update_id, "bids": strings(bids), "asks": strings(asks)}, code)


def ticker(update_id: int, bid: Level, ask: Level, exchange: str = "binance", code: str = "BTCUSDT") -> Frame:
    (b, bid_qty), (a, ask_qty) = strings([bid, ask])
    data: dict[str, Any] = {"u": update_id, "s": code, "b": b, "B": bid_qty, "a": a, "A": ask_qty}
    if exchange == "binanceusdm":
        data = {"e": "bookTicker", **data, "T": 999 + update_id, "E": 1000 + update_id}
    return encode(exchange, {"stream": f"{code.lower()}@bookTicker", "data": data})


_trade_ids = itertools.count(1)


def trade(price: float, qty: float, code: str = "BTCUSDT", number: int | None = None) -> Frame:
    trade_id = next(_trade_ids) if number is None else number
    data = {"e": "trade", "E": 7, "s": code, "t": trade_id, "p": str(price), "q": str(qty), "T": 6, "m": False, "M": True}
    return encode("binance", {"stream": f"{code.lower()}@trade", "data": data})


def upbit_book(bids: Sequence[Level], asks: Sequence[Level], ts: int = 1_700_000_000_000, code: str = "KRW-BTC") -> Frame:
    rows = max(len(bids), len(asks))
    pad = [(0.0, 0.0)]
    units = [
        {"ask_price": ask, "bid_price": bid, "ask_size": ask_qty, "bid_size": bid_qty}
        for (bid, bid_qty), (ask, ask_qty) in zip([*bids, *pad * rows][:rows], [*asks, *pad * rows][:rows], strict=True)
    ]
    return encode("upbit", {"type": "orderbook", "code": code, "timestamp": ts, "orderbook_units": units, "stream_type": "REALTIME"})
