"""Quotation: the REST answers without a signature."""

from abc import ABC, abstractmethod
from itertools import islice
from typing import Any, ClassVar

from arbtui.model.order import Side
from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.market_calls import MarketCalls
from arbtui.sandbox.tape import DayFigures, PublicTrade
from arbtui.sandbox.won.bodies import utc
from arbtui.sandbox.won.parameters import Body

KST_MS = 9 * 3_600_000


class Quotation(MarketCalls, ABC):
    """Handlers of the public calls.

    ``time_shift_ms``: what a ticker's times are ahead of UTC.
    """

    time_shift_ms: ClassVar[int] = 0

    @abstractmethod
    def no_market(self) -> Refusal:
        """The venue's refusal of a market that is not there."""

    @abstractmethod
    def no_parameter(self) -> Refusal:
        """The venue's refusal of a call without its markets."""

    async def tickers(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/ticker?markets=A,B``."""
        return [self.ticker(code) for code in self.codes(query)]

    async def ticks(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/trades/ticks?market=A&count=n``, the newest first."""
        code = str(query.get("market", ""))
        if code not in self._markets:
            raise self.no_market()
        day = self._tape.day(code)
        trades = list(day.trades)[-min(int(query.get("count", 1)), 500) :]
        return [_tick(code, trade, day) for trade in reversed(trades)]

    def codes(self, query: Body) -> list[str]:
        """The markets that ``query`` names; raises the venue's refusal."""
        names = query.get("markets")
        if not names:
            raise self.no_parameter()
        codes = str(names).split(",")
        if any(code not in self._markets for code in codes):
            raise self.no_market()
        return codes

    def book(self, code: str, count: int) -> dict[str, Any]:
        """A book of at most ``count`` levels."""
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
        }

    def ticker(self, code: str) -> dict[str, Any]:
        """A row of ``GET /v1/ticker``."""
        day = self._tape.day(code)
        at, korean = utc(day.last_ms), utc(day.last_ms + KST_MS)
        return {
            "market": code,
            "trade_date": f"{at:%Y%m%d}",
            "trade_time": f"{at:%H%M%S}",
            "trade_date_kst": f"{korean:%Y%m%d}",
            "trade_time_kst": f"{korean:%H%M%S}",
            "trade_timestamp": day.last_ms + self.time_shift_ms,
            **figures(day),
            "timestamp": self._now_ms() + self.time_shift_ms,
        }


def figures(day: DayFigures) -> dict[str, Any]:
    """A day's prices and volumes."""
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
