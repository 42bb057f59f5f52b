"""Coinone's public data: the REST answers without a signature (docs.coinone.co.kr, reference, Public API V2)."""

from collections.abc import Mapping
from itertools import islice, pairwise
from typing import Any

from arbtui.exchanges.coinone.rules import code_of
from arbtui.model.market import BandedUnits, Market
from arbtui.model.money import ZERO, decimal_of, plain
from arbtui.model.order import Side
from arbtui.sandbox.coinone.refusals import refused
from arbtui.sandbox.market_calls import MarketCalls
from arbtui.simulation.networks import simulated_terms

_SIZES = (5, 10, 15, 16)
_TOP_MIN = 10_000_000_000

Query = Mapping[str, str]


class CoinoneQuotation(MarketCalls):
    """Handlers of the public calls. ``parts``: what follows the call's name in its path: quote and target currency."""

    async def markets(self, parts: list[str], query: Query) -> dict[str, Any]:
        """``/public/v2/markets/KRW``, or of one market."""
        return {"server_time": self._now_ms(), "markets": [self._market(code) for code in self._codes(parts)]}

    async def range_units(self, parts: list[str], query: Query) -> dict[str, Any]:
        """``/public/v2/range_units/KRW/BTC``."""
        units = self._markets[self._code(parts)].price_units
        bands = sorted(units.bands if isinstance(units, BandedUnits) else [(ZERO, units.at(ZERO))])
        tops = [floor for _, (floor, _) in pairwise(bands)] + [decimal_of(_TOP_MIN)]
        return {
            "range_price_units": [
                {"range_min": int(floor), "next_range_min": int(top), "price_unit": int(unit) if unit == int(unit) else float(unit)}
                for (floor, unit), top in zip(bands, tops, strict=True)
            ]
        }

    async def tickers(self, parts: list[str], query: Query) -> dict[str, Any]:
        """``/public/v2/ticker_new/KRW``, or of one market: names in lower case, as probed."""
        return {"server_time": self._now_ms(), "tickers": [self._ticker(code) for code in self._codes(parts)]}

    async def orderbook(self, parts: list[str], query: Query) -> dict[str, Any]:
        """``/public/v2/orderbook/KRW/BTC``."""
        code = self._code(parts)
        size = query.get("size", "15")
        if not size.isdigit() or int(size) not in _SIZES:
            raise refused("107")
        book = self._book_of(code)
        now_ms = self._now_ms()
        return {
            "timestamp": now_ms,
            "id": f"{now_ms}001",
            **_pair(self._markets[code]),
            "order_book_unit": "0.0",
            "bids": [_level(price, qty) for price, qty in islice(book.bids(), int(size))],
            "asks": [_level(price, qty) for price, qty in islice(book.asks(), int(size))],
        }

    async def trades(self, parts: list[str], query: Query) -> dict[str, Any]:
        """``/public/v2/trades/KRW/BTC``, the newest first."""
        code = self._code(parts)
        rows = [
            {
                "id": str(trade.trade_id),
                "timestamp": trade.ts_ms,
                "price": plain(decimal_of(trade.price)),
                "qty": plain(decimal_of(trade.qty)),
                "is_seller_maker": trade.taker is Side.BUY,
            }
            for trade in reversed(list(self._tape.day(code).trades)[-200:])
        ]
        return {"server_time": self._now_ms(), **_pair(self._markets[code]), "transactions": rows}

    async def currencies(self, parts: list[str], query: Query) -> dict[str, Any]:
        """``/public/v2/currencies``: every asset's wallet works."""
        rows = []
        for asset in sorted({market.base for market in self._markets.values()}):
            terms = simulated_terms(asset)
            rows.append(
                {
                    "name": asset,
                    "symbol": asset,
                    "deposit_status": "normal",
                    "withdraw_status": "normal",
                    "deposit_confirm_count": 20,
                    "max_precision": 8,
                    "deposit_fee": "0.0",
                    "withdrawal_min_amount": plain(terms.least or ZERO),
                    "withdrawal_fee": plain(terms.fee or ZERO),
                }
            )
        return {"server_time": self._now_ms(), "currencies": rows}

    def _codes(self, parts: list[str]) -> list[str]:
        if len(parts) != 1:
            return [self._code(parts)]
        return [code for code, market in self._markets.items() if market.quote == parts[0].upper()]

    def _code(self, parts: list[str]) -> str:
        if len(parts) != 2:
            raise refused("107")
        code = code_of(*parts)
        if code not in self._markets:
            raise refused("108")
        return code

    def _market(self, code: str) -> dict[str, Any]:
        market, halted = self._markets[code], self._is_halted(code)
        unit = plain(market.price_units.at(decimal_of(self._tape.day(code).last)))
        return {
            **_pair(market),
            "price_unit": unit,
            "qty_unit": plain(market.lot_step),
            "max_order_amount": "1000000000.0",
            "max_price": "1000000000000.0",
            "max_qty": plain(market.max_qty),
            "min_order_amount": plain(market.min_cost),
            "min_price": unit,
            "min_qty": plain(market.min_qty),
            "order_book_units": ["0.0"],
            "maintenance_status": 1 if halted else 0,
            "trade_status": 0 if halted else 1,
            "order_types": ["limit", "market", "stop_limit"],
        }

    def _ticker(self, code: str) -> dict[str, Any]:
        day, book = self._tape.day(code), self._book_of(code)
        return {
            **{name: text.lower() for name, text in _pair(self._markets[code]).items()},
            "timestamp": day.last_ms,
            "high": plain(decimal_of(day.high)),
            "low": plain(decimal_of(day.low)),
            "first": plain(decimal_of(day.opening)),
            "last": plain(decimal_of(day.last)),
            "quote_volume": plain(decimal_of(day.turnover)),
            "target_volume": plain(decimal_of(day.volume)),
            "best_asks": [_level(price, qty) for price, qty in islice(book.asks(), 1)],
            "best_bids": [_level(price, qty) for price, qty in islice(book.bids(), 1)],
            "id": f"{day.last_ms}001",
        }


def _pair(market: Market) -> dict[str, str]:
    return {"quote_currency": market.quote, "target_currency": market.base}


def _level(price: float, qty: float) -> dict[str, str]:
    return {"price": plain(decimal_of(price)), "qty": plain(decimal_of(qty))}
