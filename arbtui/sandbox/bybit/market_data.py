"""Bybit's public calls (v5: Market), for spot."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Side
from arbtui.sandbox.bybit.refusals import refused
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.market_calls import MarketCalls
from arbtui.sandbox.tape import Tape
from arbtui.simulation.matching import BookSource

Params = Mapping[str, Any]

_GREATEST = 1e12


class BybitMarketData(MarketCalls):
    """Handlers of the calls that need no signature; each returns the answer's ``result``."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        book_of: BookSource,
        number_of: Callable[[str], int],
        tape: Tape,
        faults: WireFaults,
        is_halted: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(markets, book_of, tape, is_halted, now_ms)
        self._number_of = number_of
        self._faults = faults

    async def time(self, params: Params) -> Any:
        """``GET /v5/market/time``."""
        now = self._now_ms()
        return {"timeSecond": str(now // 1000), "timeNano": f"{now}000000"}

    async def instruments(self, params: Params) -> Any:
        """``GET /v5/market/instruments-info``: of spot only what trades is told."""
        codes = self._codes(params)
        return {"category": "spot", "list": [self._instrument(code) for code in codes if not self._is_halted(code)]}

    def _instrument(self, code: str) -> dict[str, Any]:
        return _instrument(self._markets[code]) | {"stTag": "1" if self.flags_of(code) else "0"}

    async def orderbook(self, params: Params) -> Any:
        """``GET /v5/market/orderbook``. Its ``u`` is of the topic of 1,000 levels, in other numbers than those of 50."""
        limit = int(params.get("limit", 1))
        if not 1 <= limit <= 1000:
            raise refused(10001, "limit must be between 1 and 1000")
        (code,) = self._codes(params, one=True)
        bids, asks = self.levels(code, limit)
        now, number = self._now_ms(), self._number_of(code)
        return {"s": code, "b": bids, "a": asks, "ts": now, "u": number // 7, "seq": number, "cts": now}

    async def tickers(self, params: Params) -> Any:
        """``GET /v5/market/tickers``: of one symbol, or of all."""
        return {"category": "spot", "list": [self._ticker(code) for code in self._codes(params)]}

    async def recent_trades(self, params: Params) -> Any:
        """``GET /v5/market/recent-trade``, the newest first."""
        (code,) = self._codes(params, one=True)
        trades = list(self._tape.day(code).trades)[::-1][: int(params.get("limit", 60))]
        return {
            "category": "spot",
            "list": [
                {
                    "execId": str(trade.trade_id),
                    "symbol": code,
                    "price": text(trade.price),
                    "size": text(trade.qty),
                    "side": "Buy" if trade.taker is Side.BUY else "Sell",
                    "time": str(trade.ts_ms),
                    "isBlockTrade": False,
                }
                for trade in trades
            ],
        }

    def levels(self, code: str, most: int) -> tuple[list[list[str]], list[list[str]]]:
        """The first levels of both sides, with prices as a scripted fault has them."""
        book, factor = self._book_of(code), self._factor(code)
        bids, asks = ([[text(price * factor), text(qty)] for price, qty in islice(side, most)] for side in (book.bids(), book.asks()))
        return bids, asks

    def _codes(self, params: Params, *, one: bool = False) -> list[str]:
        if params.get("category") != "spot":
            raise refused(10001, "only category spot is played here")
        code = params.get("symbol")
        if code is None and not one:
            return list(self._markets)
        if code not in self._markets:
            raise refused(10001, "Not supported symbols")
        return [str(code)]

    def _factor(self, code: str) -> float:
        """The factor by which a scripted fault multiplies prices now."""
        wrong = self._faults.find(WireFaultKind.PRICE, symbol=code)
        return 1.0 if wrong is None else wrong.factor or 10.0

    def _ticker(self, code: str) -> dict[str, str]:
        day, factor = self._tape.day(code), self._factor(code)
        bids, asks = self.levels(code, 1)
        (bid, bid_qty), (ask, ask_qty) = (side[0] if side else ["", ""] for side in (bids, asks))
        return {
            "symbol": code,
            "bid1Price": bid,
            "bid1Size": bid_qty,
            "ask1Price": ask,
            "ask1Size": ask_qty,
            "lastPrice": text(day.last * factor),
            "prevPrice24h": text(day.opening),
            "price24hPcnt": f"{day.last / day.opening - 1:.4f}",
            "highPrice24h": text(day.high),
            "lowPrice24h": text(day.low),
            "turnover24h": text(day.turnover),
            "volume24h": text(day.volume),
            "usdIndexPrice": text(day.last),
        }


def text(number: float) -> str:
    """A price or size as Bybit writes it: without zeros at the end."""
    return f"{number:.8f}".rstrip("0").rstrip(".")


def _instrument(market: Market) -> dict[str, Any]:
    most = plain(market.max_qty) if float(market.max_qty) < _GREATEST else "1000000000000"
    return {
        "symbol": market.code,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "lotSizeFilter": {
            "basePrecision": plain(market.lot_step),
            "quotePrecision": "0.00000001",
            "minOrderQty": plain(market.min_qty),
            "maxOrderQty": most,
            "minOrderAmt": plain(market.min_cost),
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": most,
            "maxMarketOrderQty": most,
            "postOnlyMaxLimitOrderSize": most,
        },
        "priceFilter": {"tickSize": plain(market.price_units.at(market.min_qty))},
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
        "symbolId": 1,
        "symbolType": "",
        "xstockMultiplier": "1",
    }
