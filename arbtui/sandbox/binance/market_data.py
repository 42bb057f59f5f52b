"""Binance's public calls (Spot API, general and market data endpoints), each with its documented weight."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from arbtui.model.market import Market
from arbtui.model.order import Side
from arbtui.sandbox.binance.bodies import eight
from arbtui.sandbox.binance.limits import RATE_LIMITS
from arbtui.sandbox.binance.refusals import mandatory, refused
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.market_calls import MarketCalls
from arbtui.sandbox.tape import Tape
from arbtui.simulation.simulated_market import SimulatedMarket

Params = Mapping[str, str]

#: depth: up to this many levels -> weight
_DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
#: Names of the ticker stream -> those of the REST answer.
_SHORT = {
    "p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice", "c": "lastPrice", "Q": "lastQty",
    "b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty", "o": "openPrice", "h": "highPrice", "l": "lowPrice", "v": "volume",
    "q": "quoteVolume", "O": "openTime", "C": "closeTime", "F": "firstId", "L": "lastId", "n": "count",
}  # fmt: skip
#: Update ids, and 5 % of the price, by which an old depth answer differs from now.
_LONG_AGO = 100_000
_MINI = ("c", "o", "h", "l", "v", "q")
_GREATEST = "9000000000.00000000"


class BinanceMarketData(MarketCalls):
    """Handlers of the calls that need no signature."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        book_of: Callable[[str], SimulatedMarket],
        tape: Tape,
        faults: WireFaults,
        is_halted: Callable[[str], bool],
        now_ms: Callable[[], int],
    ) -> None:
        super().__init__(markets, book_of, tape, is_halted, now_ms)
        self._market_of = book_of  # its books are numbered, too
        self._faults = faults

    async def ping(self, params: Params) -> Any:
        """``GET /api/v3/ping``."""
        return {}

    async def time(self, params: Params) -> Any:
        """``GET /api/v3/time``."""
        return {"serverTime": self._now_ms()}

    async def exchange_info(self, params: Params) -> Any:
        """``GET /api/v3/exchangeInfo``: all symbols, or those named."""
        wanted = self._several(params)
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms(),
            "rateLimits": RATE_LIMITS,
            "exchangeFilters": [],
            "symbols": [self._symbol(self._markets[code]) for code in wanted or self._markets],
        }

    async def depth(self, params: Params) -> Any:
        """``GET /api/v3/depth``."""
        limit = int(params.get("limit", 100))
        if not 1 <= limit <= 5000:
            raise refused(-1100, "Illegal characters found in parameter 'limit'; legal range is '1' to '5000'.")
        code = self.symbol(params)
        answer = self.top(code, limit)
        if self._faults.take(WireFaultKind.OLD_DEPTH, symbol=code) is not None:
            answer["lastUpdateId"] -= _LONG_AGO
            for side in ("bids", "asks"):
                answer[side] = _times(answer[side], 1.05)
        elif (factor := self._factor(code)) != 1.0:
            for side in ("bids", "asks"):
                answer[side] = _times(answer[side], factor)
        return answer

    async def trades(self, params: Params) -> Any:
        """``GET /api/v3/trades``, the newest last."""
        day = self._tape.day(self.symbol(params))
        limit = min(int(params.get("limit", 500)), 1000)
        return [
            {
                "id": trade.trade_id,
                "price": f"{trade.price:.8f}",
                "qty": f"{trade.qty:.8f}",
                "quoteQty": f"{trade.price * trade.qty:.8f}",
                "time": trade.ts_ms,
                "isBuyerMaker": trade.taker is Side.SELL,
                "isBestMatch": True,
            }
            for trade in list(day.trades)[-limit:]
        ]

    async def book_ticker(self, params: Params) -> Any:
        """``GET /api/v3/ticker/bookTicker`` of one symbol, of some, or of all."""
        return self._one_or_many(params, self._touch)

    async def price(self, params: Params) -> Any:
        """``GET /api/v3/ticker/price``."""
        return self._one_or_many(params, lambda code: {"symbol": code, "price": f"{self._tape.day(code).last * self._factor(code):.8f}"})

    async def day_ticker(self, params: Params) -> Any:
        """``GET /api/v3/ticker/24hr``."""
        return self._one_or_many(params, self._day)

    def knows(self, code: str) -> bool:
        """Whether there is such a symbol."""
        return code in self._markets

    def top(self, code: str, levels: int) -> dict[str, Any]:
        """The first ``levels`` of a book, as ``depth`` and the partial book streams have them."""
        book = self._market_of(code)
        return {
            "lastUpdateId": book.update_id,
            "bids": [[f"{price:.8f}", f"{qty:.8f}"] for price, qty in islice(book.bids(), levels)],
            "asks": [[f"{price:.8f}", f"{qty:.8f}"] for price, qty in islice(book.asks(), levels)],
        }

    def ticker_event(self, code: str, kind: str) -> dict[str, Any]:
        """The message of the ``ticker`` or the ``miniTicker`` stream: figures of ``ticker/24hr`` under short names."""
        day = self._day(code)
        figures = {short: day[long] for short, long in _SHORT.items() if kind == "ticker" or short in _MINI}
        return {"e": "24hrTicker" if kind == "ticker" else "24hrMiniTicker", "E": self._now_ms(), "s": code, **figures}

    def symbol(self, params: Params) -> str:
        """The ``symbol`` of a call."""
        code = params.get("symbol")
        if not code:
            raise mandatory("symbol")
        if code not in self._markets:
            raise refused(-1121)
        return code

    def depth_weight(self, params: Params) -> int:
        """The weight of a ``depth`` call."""
        limit = params.get("limit", "100")
        return next((weight for most, weight in _DEPTH_WEIGHTS if limit.isdigit() and int(limit) <= most), 250)

    def ticker_weight(self, params: Params) -> int:
        """The weight of ``ticker/24hr``, by how many symbols are requested."""
        count = 1 if "symbol" in params else params["symbols"].count(",") + 1 if "symbols" in params else len(self._markets)
        return 2 if count <= 20 and ("symbol" in params or "symbols" in params) else 40 if count <= 100 and "symbols" in params else 80

    def _several(self, params: Params) -> list[str]:
        if "symbol" in params:
            return [self.symbol(params)]
        if "symbols" not in params:
            return []
        try:
            codes = json.loads(params["symbols"])
        except ValueError:
            raise refused(-1100, "Illegal characters found in parameter 'symbols'.") from None
        if not isinstance(codes, list) or any(code not in self._markets for code in codes):
            raise refused(-1121)
        return codes

    def _one_or_many(self, params: Params, row: Callable[[str], Any]) -> Any:
        if "symbol" in params:
            return row(self.symbol(params))
        return [row(code) for code in self._several(params) or self._markets]

    def _touch(self, code: str) -> dict[str, str]:
        book = self._book_of(code)
        nothing = (0.0, 0.0)  # an empty side is sent as zeros
        (bid, bid_qty), (ask, ask_qty) = next(iter(book.bids()), nothing), next(iter(book.asks()), nothing)
        return {
            "symbol": code,
            "bidPrice": f"{bid:.8f}",
            "bidQty": f"{bid_qty:.8f}",
            "askPrice": f"{ask:.8f}",
            "askQty": f"{ask_qty:.8f}",
        }

    def _factor(self, code: str) -> float:
        """The factor by which a scripted fault multiplies prices now."""
        wrong = self._faults.find(WireFaultKind.PRICE, symbol=code)
        return 1.0 if wrong is None else wrong.factor or 10.0

    def _day(self, code: str) -> dict[str, Any]:
        day, touch = self._tape.day(code), self._touch(code)
        change = day.last - day.opening
        average = day.turnover / day.volume if day.volume else day.last
        return {
            "symbol": code,
            "priceChange": f"{change:.8f}",
            "priceChangePercent": f"{100 * change / day.opening:.3f}",
            "weightedAvgPrice": f"{average:.8f}",
            "prevClosePrice": f"{day.opening:.8f}",
            "lastPrice": f"{day.last:.8f}",
            "lastQty": f"{day.last_qty:.8f}",
            "bidPrice": touch["bidPrice"],
            "bidQty": touch["bidQty"],
            "askPrice": touch["askPrice"],
            "askQty": touch["askQty"],
            "openPrice": f"{day.opening:.8f}",
            "highPrice": f"{day.high:.8f}",
            "lowPrice": f"{day.low:.8f}",
            "volume": f"{day.volume:.8f}",
            "quoteVolume": f"{day.turnover:.8f}",
            "openTime": self._now_ms() - 86_400_000,
            "closeTime": self._now_ms(),
            "firstId": day.first_id or -1,
            "lastId": day.last_id or -1,
            "count": day.count,
        }

    def _symbol(self, market: Market) -> dict[str, Any]:
        tick = eight(market.price_units.at(Decimal(1)))
        greatest = eight(min(market.max_qty, Decimal(_GREATEST)))
        halted = self._is_halted(market.code)
        return {
            "symbol": market.code,
            "status": "BREAK" if halted else "TRADING",
            "baseAsset": market.base,
            "baseAssetPrecision": 8,
            "quoteAsset": market.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "icebergAllowed": False,
            "ocoAllowed": False,
            "otoAllowed": False,
            "quoteOrderQtyMarketAllowed": True,
            "allowTrailingStop": False,
            "cancelReplaceAllowed": False,
            "amendAllowed": False,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
                {
                    "filterType": "LOT_SIZE",
                    "minQty": eight(market.min_qty),
                    "maxQty": greatest,
                    "stepSize": eight(market.lot_step),
                },
                {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": greatest, "stepSize": "0.00000000"},
                {
                    "filterType": "NOTIONAL",
                    "minNotional": eight(market.min_cost),
                    "applyMinToMarket": True,
                    "maxNotional": "9000000.00000000",
                    "applyMaxToMarket": False,
                    "avgPriceMins": 5,
                },
                {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            ],
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": "NONE",
            "allowedSelfTradePreventionModes": ["NONE"],
        }


def _times(levels: list[list[str]], factor: float) -> list[list[str]]:
    return [[f"{float(price) * factor:.8f}", qty] for price, qty in levels]
