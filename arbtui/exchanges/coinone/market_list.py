"""Coinone's list of won markets with their rules; one odd market is left out, never a reason to fail.

``GET /public/v2/markets/KRW``, ``ticker_new/KRW`` and ``range_units/KRW/BTC`` (docs.coinone.co.kr, reference/markets, tickers, range-unit).
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.amounts import amount, last_price, read
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.coinone.rules import QUOTE, code_of, krw_market, units_of
from arbtui.model.errors import WireError
from arbtui.model.market import BandedUnits, Market

_PUBLIC = {"public": 1}


class _Row(msgspec.Struct):
    """A market. ``trade_status``: 0 nothing trades, 1 both sides do, 2 no buying, 3 no selling."""

    quote_currency: str
    target_currency: str
    qty_unit: Decimal
    trade_status: int
    maintenance_status: int
    min_order_amount: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None


class _Ticker(msgspec.Struct):
    quote_currency: str
    target_currency: str
    last: Decimal


class _Band(msgspec.Struct):
    range_min: Decimal
    price_unit: Decimal


class _Bands(msgspec.Struct):
    range_price_units: list[_Band]


class MarketList:
    """Asks over one adapter's connection."""

    def __init__(self, adapter: CcxtAdapter) -> None:
        self._adapter = adapter

    async def markets(self) -> dict[str, Market]:
        """Every won market that trades now, by code, with the table of price units that holds where no market has its own."""
        found: dict[str, Market] = {}
        for row in await self._rows(f"public/v2/markets/{QUOTE}", "markets"):
            code = self._code(row)
            try:
                one = read(row, _Row, "markets")
                if (one.trade_status, one.maintenance_status) == (1, 0):
                    found[code] = _market_of(one)
            except WireError as error:
                self._adapter.odd[code] = str(error)
        return found

    async def prices(self) -> dict[str, Decimal]:
        """Each market's last price."""
        found: dict[str, Decimal] = {}
        for row in await self._rows(f"public/v2/ticker_new/{QUOTE}", "tickers"):
            code = self._code(row)
            try:
                price = read(row, _Ticker, "ticker_new").last
            except WireError as error:
                self._adapter.odd[code] = str(error)
                continue
            if last_price(price):  # a market without a trade yet has no price
                found[code] = price
        return found

    async def units(self, market: Market) -> BandedUnits | None:
        """A market's own price units; None, and it is noted in the adapter's ``odd``, where Coinone tells none.

        Raises:
            WireError: no bands, or they make no sense.
        """
        path = f"public/v2/range_units/{market.quote}/{market.base}"
        answer = await self._adapter.query_of_market(market.code, "public", path, costs=_PUBLIC)
        if answer is None:
            return None
        told = read(answer, _Bands, "range_units").range_price_units
        bands = [(amount(band.range_min, "range_min"), amount(band.price_unit, "price_unit")) for band in told]
        if not any(floor == 0 for floor, _ in bands) or any(unit == 0 for _, unit in bands):
            raise WireError("range_units", f"{market.code}: no price units from 0 on")
        return units_of(bands)

    async def _rows(self, path: str, key: str) -> Sequence[Any]:
        answer = await self._adapter.query("public", "GET", path, costs=_PUBLIC)
        rows = answer.get(key) if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise WireError(path, f"no {key}")
        return rows

    def _code(self, row: Any) -> str:
        """The code of a row's market; ``?`` where it names none."""
        if not isinstance(row, dict):
            return "?"
        return code_of(str(row.get("quote_currency", "?")), str(row.get("target_currency", "?")))


def _market_of(row: _Row) -> Market:
    market = krw_market(row.target_currency.upper())
    lot = amount(row.qty_unit, "qty_unit")
    if lot == 0:
        raise WireError("markets", "qty_unit 0")
    least, most = row.min_qty or market.min_qty, row.max_qty or market.max_qty
    return replace(
        market,
        lot_step=lot,
        min_qty=max(amount(least, "min_qty"), lot),
        max_qty=amount(most, "max_qty"),
        min_cost=max(amount(row.min_order_amount or market.min_cost, "min_order_amount"), market.min_cost),
    )
