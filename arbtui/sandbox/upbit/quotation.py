"""Upbit's public data: the REST answers without a signature, and the ticker frame (docs.upbit.com, Quotation API)."""

from collections.abc import Collection
from typing import Any

from arbtui.model.money import decimal_of
from arbtui.model.order import Side
from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.upbit.refusals import not_found, refused
from arbtui.sandbox.won.bodies import utc
from arbtui.sandbox.won.parameters import Body
from arbtui.sandbox.won.quotation import Quotation, figures

LEVELS = 30  #: of a REST book, where the market has so many
WARNING = "warning"
CAUTIONS = (
    "PRICE_FLUCTUATIONS",
    "TRADING_VOLUME_SOARING",
    "DEPOSIT_AMOUNT_SOARING",
    "GLOBAL_PRICE_DIFFERENCES",
    "CONCENTRATION_OF_SMALL_ACCOUNTS",
)


class UpbitQuotation(Quotation):
    """Handlers of the public calls."""

    def no_market(self) -> Refusal:
        """See there."""
        return not_found()

    def no_parameter(self) -> Refusal:
        """See there."""
        return refused("validation_error")

    async def market_all(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/market/all``; with ``is_details`` the warnings too."""
        rows = [{"market": code, "korean_name": market.base, "english_name": market.base} for code, market in self._markets.items()]
        if str(query.get("is_details", query.get("isDetails", "false"))).lower() != "true":
            return rows
        return [{**row, "market_event": _event(self.flags_of(row["market"]))} for row in rows]

    async def orderbook(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orderbook?markets=A,B&count=n``."""
        count = min(int(query.get("count", LEVELS)), LEVELS)
        return [{**self.book(code, count), "level": 0} for code in self.codes(query)]

    async def instruments(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orderbook/instruments``: the price unit of each market at its present price."""
        rows = []
        for code in self.codes(query):
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

    async def all_tickers(self, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/ticker/all?quote_currencies=KRW``."""
        quotes = str(query.get("quote_currencies", query.get("quoteCurrencies", ""))).split(",")
        return [self.ticker(code) for code, market in self._markets.items() if market.quote in quotes]

    def ticker_frame(self, code: str, stream_type: str) -> dict[str, Any]:
        """The ``ticker`` message of the public socket."""
        day = self._tape.day(code)
        at = utc(day.last_ms)
        taker = day.trades[-1].taker if day.trades else Side.SELL
        return {
            "type": "ticker",
            "code": code,
            **figures(day),
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


def _event(flags: Collection[str]) -> dict[str, Any]:
    return {"warning": WARNING in flags, "caution": {kind: kind in flags for kind in CAUTIONS}}
