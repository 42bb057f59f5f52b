"""Bithumb's list of markets with their prices and caution flags; one odd market is left out, never a reason to fail."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.amounts import last_price, read
from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.bithumb.rules import CROSS, QUOTE
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.market_flags import Flags, MarketFlag
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.errors import WireError

log = logging.getLogger("arbtui")

#: Quotes whose rules are known.
QUOTES = (QUOTE, CROSS)
#: Market codes in one query: more than 200 are refused from 2026-10-13 on (changelog 사전-공지-현재가-조회-markets-최대-개수-제한).
_CODES_A_REQUEST = 200
_NO_CAUTION = "NONE"


class _Row(msgspec.Struct):
    """A row of ``GET /v1/market/all?isDetails=true``."""

    market: str
    market_warning: Any = None


class Ticker(msgspec.Struct):
    """A row of ``GET /v1/ticker``: a market's last price. Its times are Korean ones written as if they were Unix times: not read."""

    market: str
    trade_price: Decimal


@dataclass(frozen=True, slots=True)
class Listed:
    """One market. ``flags``: ``CAUTION`` is a designation (거래유의), told in a notice too; no figure sets it.

    Source: apidocs.bithumb.com, 마켓코드-조회.
    """

    code: str
    flags: Flags


class MarketList:
    """Asks over one adapter's connection."""

    def __init__(self, adapter: CcxtAdapter) -> None:
        self._adapter = adapter
        self._unread = ""  # why flags could not be read, the last time

    async def markets(self, quotes: Sequence[str] = QUOTES) -> dict[str, Listed]:
        """Every market of ``quotes`` that is listed, by code. Bithumb lists what trades: there is no other state."""
        answer = await self._adapter.query("public", "GET", "v1/market/all", {"isDetails": "true"}, costs={"quotation": 1})
        found: dict[str, Listed] = {}
        unread = ""
        for row in read(answer, list[Any], "market/all"):
            try:
                one = read(row, _Row, "market/all")
            except WireError as error:
                code = str(row.get("market", "?")) if isinstance(row, dict) else "?"
                if code.partition("-")[0] in quotes:
                    self._adapter.odd[code] = str(error)
                continue
            if one.market.partition("-")[0] not in quotes:
                continue
            flags: Flags = None
            try:
                flags = frozenset() if one.market_warning == _NO_CAUTION else frozenset([MarketFlag(one.market_warning, is_grave=True)])
            except WireError as error:
                unread = str(error)
            found[one.market] = Listed(one.market, flags)
        if unread and unread != self._unread:
            log.warning("bithumb: what it warns of at its markets cannot be read (%s): read its notices", unread)
        self._unread = unread
        return found

    async def prices(self, codes: Sequence[str]) -> dict[str, Decimal]:
        """Each market's last price; odd ones are left out and noted in the adapter's ``odd``."""
        found: dict[str, Decimal] = {}
        for start in range(0, len(codes), _CODES_A_REQUEST):
            for code, ticker in (await self._tickers(codes[start : start + _CODES_A_REQUEST])).items():
                if last_price(ticker.trade_price):  # a market without a trade yet has no price
                    found[code] = ticker.trade_price
                else:
                    self._adapter.odd[code] = f"price {ticker.trade_price}"
        return found

    async def _tickers(self, codes: Sequence[str]) -> dict[str, Ticker]:
        """What the ticker tells of ``codes``, by code.

        One market that it does not know (a listing of today) fails the question about all: they are asked for by halves then.
        """
        if not codes:
            return {}
        params = {"markets": ",".join(codes)}
        try:
            answer = await self._adapter.client.request("public", "GET", "v1/ticker", params, lane=Lane.DATA, costs={"quotation": 1})
        except RequestFailed as error:
            if error.answer.status != 404 and error.answer.code != "404":
                raise error.of_query() from None
            if len(codes) == 1:
                self._adapter.odd[codes[0]] = "it is listed, and v1/ticker does not know it"
                return {}
            half = len(codes) // 2
            return {**await self._tickers(codes[:half]), **await self._tickers(codes[half:])}
        found: dict[str, Ticker] = {}
        for row in read(answer, list[Any], "ticker"):
            code = str(row.get("market", "?")) if isinstance(row, dict) else "?"
            try:
                found[code] = read(row, Ticker, "ticker")
            except WireError as error:
                self._adapter.odd[code] = str(error)
        return {code: found[code] for code in codes if code in found}  # of what was asked for, whatever else it tells
