"""Upbit's list of markets with their prices and price units; one odd market is left out, never a reason to fail."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from arbtui.exchanges.amounts import last_price, read
from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.upbit import orders
from arbtui.exchanges.upbit.rules import CROSS, QUOTE
from arbtui.model.errors import WireError

#: Quotes whose rules are known.
QUOTES = (QUOTE, CROSS)
#: Market codes in one query; a URL of 200 is under 2 kB.
_CODES_A_REQUEST = 200


class Ticker(msgspec.Struct):
    """A row of ``GET /v1/ticker``: a market's last price."""

    market: str
    trade_price: Decimal


_Row = TypeVar("_Row", orders.Instrument, Ticker)


class MarketList:
    """Asks over one adapter's connection."""

    def __init__(self, adapter: CcxtAdapter) -> None:
        self._adapter = adapter

    async def codes(self, quotes: Sequence[str] = QUOTES) -> dict[str, None]:
        """Every market of ``quotes`` that is listed."""
        answer = await self._adapter.query("public", "GET", "market/all", costs={"quotation": 1})
        rows = read(answer, list[Any], "market/all")
        codes = (str(row.get("market", "")) for row in rows if isinstance(row, dict))
        return dict.fromkeys(code for code in codes if code.partition("-")[0] in quotes)

    async def units(self, codes: Sequence[str]) -> dict[str, tuple[Decimal, Decimal]]:
        """Each market's last price and the price unit that holds there; odd ones are left out and noted in the adapter's ``odd``."""
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for start in range(0, len(codes), _CODES_A_REQUEST):
            part = codes[start : start + _CODES_A_REQUEST]
            units = await self._rows("orderbook/instruments", part, orders.Instrument)
            tickers = await self._rows("ticker", [code for code in part if code in units], Ticker)
            for code, ticker in tickers.items():
                unit = units[code].tick_size
                if last_price(ticker.trade_price) and unit.is_finite() and unit > 0:  # a market without a trade yet has no price
                    found[code] = (ticker.trade_price, unit)
                else:
                    self._adapter.odd[code] = f"price {ticker.trade_price}, price unit {unit}"
        return found

    async def _rows(self, path: str, codes: Sequence[str], kind: type[_Row]) -> dict[str, _Row]:
        """What ``path`` tells of ``codes``, by code.

        One market that it does not know (a listing of today) fails the question about all: they are asked for by halves then.
        """
        if not codes:
            return {}
        params = {"markets": ",".join(codes)}
        try:
            answer = await self._adapter.client.request("public", "GET", path, params, lane=Lane.DATA, costs={"quotation": 1})
        except RequestFailed as error:
            if error.answer.status != 404 and error.answer.code != "404":
                raise error.of_query() from None
            if len(codes) == 1:
                self._adapter.odd[codes[0]] = f"it is listed, and {path} does not know it"
                return {}
            half = len(codes) // 2
            return {**await self._rows(path, codes[:half], kind), **await self._rows(path, codes[half:], kind)}
        found: dict[str, _Row] = {}
        for row in read(answer, list[Any], path):
            code = str(row.get("market", "?")) if isinstance(row, dict) else "?"
            try:
                found[code] = read(row, kind, path)
            except WireError as error:
                self._adapter.odd[code] = str(error)
        return found
