"""Bitget's public REST data (bitget.com/api-doc, spot, "Market"; common, "Get Server Time")."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from arbtui.exchanges.bitget.rules import DOLLARS, MIN_COST
from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.sandbox.bitget.refusals import refused
from arbtui.sandbox.market_calls import MarketCalls
from arbtui.simulation.networks import simulated_terms

LEVELS = 150  #: of a REST book, where the market has so many

Params = Mapping[str, str]


class BitgetMarketData(MarketCalls):
    """Handlers of the public calls; each takes its parameters and returns the answer's data."""

    async def time(self, params: Params) -> Any:
        """``GET /api/v2/public/time``."""
        return {"serverTime": str(self._now_ms())}

    async def symbols(self, params: Params) -> Any:
        """``GET /api/v2/spot/public/symbols``: of one symbol, or of all."""
        return [self._symbol(self._markets[code]) for code in self._codes(params)]

    async def tickers(self, params: Params) -> Any:
        """``GET /api/v2/spot/market/tickers``: of one symbol, or of all."""
        return [self._ticker(code) for code in self._codes(params)]

    async def orderbook(self, params: Params) -> Any:
        """``GET /api/v2/spot/market/orderbook``."""
        if not params.get("symbol"):
            raise refused("40019", "symbol")
        (code,) = self._codes(params)
        count = min(int(params.get("limit", LEVELS)), LEVELS)
        book = self._book_of(code)
        sides = {"asks": book.asks(), "bids": book.bids()}
        levels = {name: [[_text(price), _text(qty)] for price, qty in islice(side, count)] for name, side in sides.items()}
        return {**levels, "ts": str(self._now_ms())}

    async def coins(self, params: Params) -> Any:
        """``GET /api/v2/spot/public/coins``: each asset with a network of its own name."""
        assets = dict.fromkeys(asset for market in self._markets.values() for asset in (market.base, market.quote))
        wanted = params.get("coin")
        return [_coin(number, asset) for number, asset in enumerate(assets, 1) if wanted in (None, "", asset)]

    async def margin(self, params: Params) -> Any:
        """``GET /api/v2/margin/currencies``: nothing trades on margin here."""
        return []

    def _codes(self, params: Params) -> list[str]:
        code = params.get("symbol")
        if not code:
            return list(self._markets)
        if code not in self._markets:
            raise refused("40034", code)
        return [code]

    def _symbol(self, market: Market) -> dict[str, Any]:
        return {
            "symbol": market.code,
            "baseCoin": market.base,
            "quoteCoin": market.quote,
            "minTradeAmount": "0",
            "maxTradeAmount": plain(market.max_qty),
            "takerFeeRate": plain(market.fees.taker),
            "makerFeeRate": plain(market.fees.maker),
            "pricePrecision": str(_decimals(market.price_units.at(market.min_qty))),
            "quantityPrecision": str(_decimals(market.lot_step)),
            "quotePrecision": "8",
            "minTradeUSDT": plain(market.min_cost if market.quote in DOLLARS else MIN_COST),
            "status": "halt" if self._is_halted(market.code) else "online",
            "buyLimitPriceRatio": "0.05",
            "sellLimitPriceRatio": "0.05",
        }

    def _ticker(self, code: str) -> dict[str, Any]:
        day, book = self._tape.day(code), self._book_of(code)
        bid, ask = next(iter(book.bids()), (0.0, 0.0)), next(iter(book.asks()), (0.0, 0.0))
        change = f"{day.last / day.opening - 1:.5f}"
        return {
            "symbol": code,
            "high24h": _text(day.high),
            "open": _text(day.opening),
            "low24h": _text(day.low),
            "lastPr": _text(day.last),
            "quoteVolume": f"{day.turnover:.6f}",
            "baseVolume": f"{day.volume:.6f}",
            "usdtVolume": f"{day.turnover:.6f}",
            "bidPr": _text(bid[0]),
            "askPr": _text(ask[0]),
            "bidSz": _text(bid[1]),
            "askSz": _text(ask[1]),
            "openUtc": _text(day.opening),
            "ts": str(self._now_ms()),
            "changeUtc24h": change,
            "change24h": change,
        }


def _text(number: float) -> str:
    return plain(Decimal(repr(number)))


def _decimals(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _coin(number: int, asset: str) -> dict[str, Any]:
    terms = simulated_terms(asset)
    step = terms.step or ZERO
    chain = {
        "chain": terms.network,
        "needTag": "false",
        "withdrawable": "true" if terms.withdrawals else "false",
        "rechargeable": "true" if terms.deposits else "false",
        "withdrawFee": plain(terms.fee or ZERO),
        "extraWithdrawFee": "0",
        "depositConfirm": "1",
        "withdrawConfirm": "1",
        "minDepositAmount": "0",
        "minWithdrawAmount": plain(terms.least or ZERO),
        "browserUrl": "",
        "contractAddress": None,
        "withdrawStep": plain(step),
        "withdrawMinScale": str(_decimals(step)) if step else "8",
    }
    return {"coinId": str(number), "coin": asset, "transfer": "true", "chains": [chain]}
