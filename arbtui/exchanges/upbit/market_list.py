"""Upbit's list of markets with their flags, prices and price units; one odd market is left out, never a reason to fail."""

import logging
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from arbtui.exchanges.amounts import last_price, read
from arbtui.exchanges.answers import RequestFailed
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.market_flags import Flags, MarketFlag
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.upbit import orders
from arbtui.exchanges.upbit.rules import CROSS, QUOTE
from arbtui.model.errors import WireError

log = logging.getLogger("arbtui")

#: Quotes whose rules are known.
QUOTES = (QUOTE, CROSS)
#: Market codes in one query; a URL of 200 is under 2 kB.
_CODES_A_REQUEST = 200


class Ticker(msgspec.Struct):
    """A row of ``GET /v1/ticker``: a market's last price."""

    market: str
    trade_price: Decimal


class MarketEvent(msgspec.Struct):
    """``market_event`` of a row of ``GET /v1/market/all?is_details=true`` (docs.upbit.com, list-trading-pairs).

    ``warning``: designated for caution (유의 종목). ``caution``: by kind, such as ``GLOBAL_PRICE_DIFFERENCES``, whether a market alarm
    (주의 종목) stands, of whatever stage (docs.upbit.com/kr/changelog/market_event, 2026-01-29). The field took the place of
    ``market_warning`` on 2024-11-20 (changelog).
    """

    warning: bool
    caution: dict[str, bool]

    @property
    def flags(self) -> frozenset[MarketFlag]:
        """Those that are set."""
        alarms = (MarketFlag(kind, is_grave=False) for kind, is_set in self.caution.items() if is_set)
        return frozenset([*alarms, *([MarketFlag("warning", is_grave=True)] if self.warning else [])])


_Row = TypeVar("_Row", orders.Instrument, Ticker)


class MarketList:
    """Asks over one adapter's connection."""

    def __init__(self, adapter: CcxtAdapter) -> None:
        self._adapter = adapter
        self._unread = ""  # why flags could not be read, the last time

    async def markets(self, quotes: Sequence[str] = QUOTES) -> dict[str, Flags]:
        """Every market of ``quotes`` that is listed, by code, with its flags; None of one whose flags cannot be read."""
        answer = await self._adapter.query("public", "GET", "market/all", {"is_details": "true"}, costs={"quotation": 1})
        found: dict[str, Flags] = {}
        unread = ""
        for row in read(answer, list[Any], "market/all"):
            code = str(row.get("market", "")) if isinstance(row, dict) else ""
            if code.partition("-")[0] not in quotes:
                continue
            try:
                found[code] = read(row.get("market_event"), MarketEvent, "market/all").flags
            except WireError as error:
                found[code], unread = None, str(error)
        if unread and unread != self._unread:
            log.warning("upbit: what it warns of at its markets cannot be read (%s): read its notices", unread)
        self._unread = unread
        return found

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
        return {code: found[code] for code in codes if code in found}  # of what was asked for, whatever else it tells
