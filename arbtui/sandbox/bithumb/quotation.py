"""Bithumb's public data: the REST answers without a signature (apidocs.bithumb.com, Public API)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.sandbox.bithumb.parameters import Body
from arbtui.sandbox.bithumb.refusals import no_market, no_parameter, refused
from arbtui.sandbox.tape import Tape
from arbtui.simulation.matching import BookSource

#: Levels of a REST book: 30 of one market, 15 each where several are asked for.
_ONE, _SEVERAL = 30, 15
_MOST_MARKETS = 200
_KST_MS = 9 * 3_600_000


class BithumbQuotation:
    """Handlers of the public calls."""

    def __init__(self, markets: Mapping[str, Market], book_of: BookSource, tape: Tape, now_ms: Callable[[], int]) -> None:
        self._markets = markets
        self._book_of = book_of
        self._tape = tape
        self._now_ms = now_ms

    async def market_all(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/market/all``; with ``isDetails`` the caution flag too."""
        rows = [{"market": code, "korean_name": market.base, "english_name": market.base} for code, market in self._markets.items()]
        details = str(query.get("isDetails", "false")).lower() == "true"
        return [{**row, "market_warning": "NONE"} for row in rows] if details else rows

    async def orderbook(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orderbook?markets=A,B``."""
        codes = self._codes(query)
        return [self._book(code, _ONE if len(codes) == 1 else _SEVERAL) for code in codes]

    async def tickers(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/ticker?markets=A,B``."""
        codes = self._codes(query)
        if len(codes) > _MOST_MARKETS:
            raise refused("invalid_parameter")
        return [self._ticker(code) for code in codes]

    async def ticks(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/trades/ticks?market=A&count=n``, the newest first."""
        code = str(query.get("market", ""))
        if code not in self._markets:
            raise no_market()
        day = self._tape.day(code)
        rows = []
        for trade in reversed(list(day.trades)[-min(int(query.get("count", 1)), 500) :]):
            at = _utc(trade.ts_ms)
            rows.append(
                {
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
            )
        return rows

    def _codes(self, query: Body) -> list[str]:
        names = query.get("markets")
        if not names:
            raise no_parameter()
        codes = str(names).split(",")
        if any(code not in self._markets for code in codes):
            raise no_market()
        return codes

    def _book(self, code: str, levels: int) -> dict[str, Any]:
        book = self._book_of(code)
        bids, asks = list(islice(book.bids(), levels)), list(islice(book.asks(), levels))
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

    def _ticker(self, code: str) -> dict[str, Any]:
        """Its times are Korean ones written as if they were Unix times, as probed."""
        day = self._tape.day(code)
        at, korean = _utc(day.last_ms), _utc(day.last_ms + _KST_MS)
        change, date = day.last - day.opening, f"{_utc(day.since_ms):%Y-%m-%d}"
        return {
            "market": code,
            "trade_date": f"{at:%Y%m%d}",
            "trade_time": f"{at:%H%M%S}",
            "trade_date_kst": f"{korean:%Y%m%d}",
            "trade_time_kst": f"{korean:%H%M%S}",
            "trade_timestamp": day.last_ms + _KST_MS,
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
            "timestamp": self._now_ms() + _KST_MS,
        }


def _utc(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC)
