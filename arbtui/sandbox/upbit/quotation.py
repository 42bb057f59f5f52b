"""Upbit's public data: the REST answers without a signature, and the ticker frame (docs.upbit.com, Quotation API)."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.model.order import Side
from arbtui.sandbox.tape import DayFigures, PublicTrade, Tape
from arbtui.sandbox.upbit.bodies import utc
from arbtui.sandbox.upbit.refusals import not_found, refused
from arbtui.simulation.matching import BookSource

LEVELS = 30  #: of a REST book, where the market has so many

Body = Mapping[str, Any]


class UpbitQuotation:
    """Handlers of the public calls."""

    def __init__(
        self, markets: Mapping[str, Market], book_of: BookSource, tape: Tape, is_halted: Callable[[str], bool], now_ms: Callable[[], int]
    ) -> None:
        self._markets = markets
        self._book_of = book_of
        self._tape = tape
        self._is_halted = is_halted
        self._now_ms = now_ms

    async def market_all(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/market/all``; with ``is_details`` the warnings too."""
        rows = [{"market": code, "korean_name": market.base, "english_name": market.base} for code, market in self._markets.items()]
        if str(query.get("is_details", query.get("isDetails", "false"))).lower() != "true":
            return rows
        caution = dict.fromkeys(
            (
                "PRICE_FLUCTUATIONS",
                "TRADING_VOLUME_SOARING",
                "DEPOSIT_AMOUNT_SOARING",
                "GLOBAL_PRICE_DIFFERENCES",
                "CONCENTRATION_OF_SMALL_ACCOUNTS",
            ),
            False,
        )
        return [{**row, "market_event": {"warning": False, "caution": caution}} for row in rows]

    async def orderbook(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orderbook?markets=A,B&count=n``."""
        count = min(int(query.get("count", LEVELS)), LEVELS)
        return [self._book(code, count) for code in self._codes(query)]

    async def instruments(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orderbook/instruments``: the price unit of each market at its present price."""
        rows = []
        for code in self._codes(query):
            market = self._markets[code]
            unit = market.price_units.at(decimal_of(self._tape.day(code).last))
            rows.append(
                {
                    "market": code,
                    "quote_currency": market.quote,
                    "tick_size": int(unit) if unit == int(unit) else float(unit),
                    "supported_levels": ["0"],
                }
            )
        return rows

    async def tickers(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/ticker?markets=A,B``."""
        return [self._ticker(code) for code in self._codes(query)]

    async def all_tickers(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/ticker/all?quote_currencies=KRW``."""
        quotes = str(query.get("quote_currencies", query.get("quoteCurrencies", ""))).split(",")
        return [self._ticker(code) for code, market in self._markets.items() if market.quote in quotes]

    async def ticks(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/trades/ticks?market=A&count=n``, the newest first."""
        code = str(query.get("market", ""))
        if code not in self._markets:
            raise not_found()
        day = self._tape.day(code)
        trades = list(day.trades)[-min(int(query.get("count", 1)), 500) :]
        return [_tick(code, trade, day) for trade in reversed(trades)]

    def ticker_frame(self, code: str, stream_type: str) -> dict[str, Any]:
        """The ``ticker`` message of the public socket."""
        day = self._tape.day(code)
        figures = _figures(day)
        at = utc(day.last_ms)
        taker = day.trades[-1].taker if day.trades else Side.SELL
        return {
            "type": "ticker",
            "code": code,
            **figures,
            "ask_bid": "BID" if taker is Side.BUY else "ASK",
            "trade_date": f"{at:%Y%m%d}",
            "trade_time": f"{at:%H%M%S}",
            "trade_timestamp": day.last_ms,
            "acc_ask_volume": day.volume - day.bought,
            "acc_bid_volume": day.bought,
            "market_state": "ACTIVE",
            "is_trading_suspended": self._is_halted(code),
            "delisting_date": None,
            "market_warning": "NONE",
            "timestamp": self._now_ms(),
            "stream_type": stream_type,
        }

    def _codes(self, query: Body) -> list[str]:
        names = query.get("markets")
        if not names:
            raise refused("validation_error")
        codes = str(names).split(",")
        if any(code not in self._markets for code in codes):
            raise not_found()
        return codes

    def _book(self, code: str, count: int) -> dict[str, Any]:
        book = self._book_of(code)
        bids, asks = list(islice(book.bids(), count)), list(islice(book.asks(), count))
        return {
            "market": code,
            "timestamp": self._now_ms(),
            "total_ask_size": sum(qty for _, qty in asks),
            "total_bid_size": sum(qty for _, qty in bids),
            "orderbook_units": [
                {"ask_price": ask, "bid_price": bid, "ask_size": ask_qty, "bid_size": bid_qty}
                for (ask, ask_qty), (bid, bid_qty) in zip(asks, bids, strict=False)
            ],
            "level": 0,
        }

    def _ticker(self, code: str) -> dict[str, Any]:
        day = self._tape.day(code)
        at, korean = utc(day.last_ms), utc(day.last_ms + 9 * 3_600_000)
        return {
            "market": code,
            "trade_date": f"{at:%Y%m%d}",
            "trade_time": f"{at:%H%M%S}",
            "trade_date_kst": f"{korean:%Y%m%d}",
            "trade_time_kst": f"{korean:%H%M%S}",
            "trade_timestamp": day.last_ms,
            **_figures(day),
            "timestamp": self._now_ms(),
        }


def _figures(day: DayFigures) -> dict[str, Any]:
    change = day.last - day.opening
    date = f"{utc(day.since_ms):%Y-%m-%d}"
    return {
        "opening_price": day.opening,
        "high_price": day.high,
        "low_price": day.low,
        "trade_price": day.last,
        "prev_closing_price": day.opening,
        "change": "RISE" if change > 0 else "FALL" if change < 0 else "EVEN",
        "change_price": abs(change),
        "change_rate": abs(change) / day.opening,
        "signed_change_price": change,
        "signed_change_rate": change / day.opening,
        "trade_volume": day.last_qty,
        "acc_trade_price": day.turnover,
        "acc_trade_price_24h": day.turnover,
        "acc_trade_volume": day.volume,
        "acc_trade_volume_24h": day.volume,
        "highest_52_week_price": day.high,
        "highest_52_week_date": date,
        "lowest_52_week_price": day.low,
        "lowest_52_week_date": date,
    }


def _tick(code: str, trade: PublicTrade, day: DayFigures) -> dict[str, Any]:
    at = utc(trade.ts_ms)
    return {
        "market": code,
        "trade_date_utc": f"{at:%Y-%m-%d}",
        "trade_time_utc": f"{at:%H:%M:%S}",
        "timestamp": trade.ts_ms,
        "trade_price": trade.price,
        "trade_volume": trade.qty,
        "prev_closing_price": day.opening,
        "change_price": trade.price - day.opening,
        "ask_bid": "BID" if trade.taker is Side.BUY else "ASK",
        "sequential_id": trade.trade_id,
    }
