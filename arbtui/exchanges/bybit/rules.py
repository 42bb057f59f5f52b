"""Bybit's spot market rules, from ``GET /v5/market/instruments-info`` (bybit-exchange/docs, v5, "Get Instruments Info")."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.amounts import read
from arbtui.exchanges.market_flags import MarketFlag
from arbtui.model.errors import WireError
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market

EXCHANGE = "bybit"
#: What an account may switch its spot fees to (v5, "Get Trade Behaviour Config": ``smsef``).
FEE_COIN = "MNT"
#: Of most USDT markets (``minOrderAmt``).
MIN_COST = Decimal(5)
#: Base tier of spot: 0.1 %, maker and taker alike (bybit.com, Trading Fee Structure), taken in the asset received (v5, Enums Definitions,
#: "Spot Fee Currency Instruction").
FEES = Fees(taker=Decimal("0.001"), maker=Decimal("0.001"), taken_in=FeeTakenIn.RECEIVED)

_NO_MAXIMUM = Decimal("1e15")


class _Lot(msgspec.Struct):
    """``minOrderQty``, ``maxOrderQty`` and ``maxOrderAmt`` are not checked any more."""

    basePrecision: Decimal
    minOrderAmt: Decimal
    maxLimitOrderQty: Decimal | None = None


class _Price(msgspec.Struct):
    tickSize: Decimal


class _Instrument(msgspec.Struct):
    """``symbolType`` is a warning of the venue's own: adventure zone, tokenized shares. ``stTag`` is another, see :func:`flags_of`."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    status: str
    lotSizeFilter: _Lot
    priceFilter: _Price
    symbolType: str = ""


class Instruments(msgspec.Struct):
    """``result`` of the query."""

    list: list[Any]


def spot_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_cost: Decimal = MIN_COST) -> Market:
    """A spot market by its rules, as the simulator needs it."""
    return Market(EXCHANGE, base + quote, base, quote, FixedUnit(tick), lot, lot, _NO_MAXIMUM, min_cost, FEES)


def markets_of(rows: Iterable[Any], odd: dict[str, str] | None = None) -> dict[str, Market]:
    """Every market that trades, by code. One whose rules cannot be read is left out; ``odd`` gets each, and why."""
    markets: dict[str, Market] = {}
    for row in rows:
        try:
            instrument = read(row, _Instrument, "instruments-info")
            if instrument.status == "Trading":
                markets[instrument.symbol] = _market(instrument)
        except WireError as error:
            if odd is not None:
                odd[str(row.get("symbol", "?")) if isinstance(row, dict) else "?"] = error.detail
    return markets


def flags_of(rows: Iterable[Any]) -> dict[str, frozenset[MarketFlag]]:
    """By code of each market whose row tells it: ``stTag`` "1" is the label of special treatment, which comes before a delisting."""
    told = {str(row.get("symbol")): row.get("stTag") for row in rows if isinstance(row, dict) and row.get("stTag") in ("0", "1")}
    return {code: frozenset([MarketFlag("stTag", is_grave=True)] if tag == "1" else []) for code, tag in told.items()}


def _market(instrument: _Instrument) -> Market:
    lot, tick = instrument.lotSizeFilter, instrument.priceFilter.tickSize
    most = lot.maxLimitOrderQty or _NO_MAXIMUM
    numbers = (tick, lot.basePrecision, lot.minOrderAmt, most)
    if not all(number.is_finite() for number in numbers) or not (tick > 0 and lot.basePrecision > 0 and lot.minOrderAmt >= 0 and most > 0):
        raise WireError("instruments-info", f"{instrument.symbol} has rules that make no sense: {', '.join(map(str, numbers))}")
    return Market(
        exchange=EXCHANGE,
        code=instrument.symbol,
        base=instrument.baseCoin,
        quote=instrument.quoteCoin,
        price_units=FixedUnit(tick.normalize()),
        lot_step=lot.basePrecision.normalize(),
        min_qty=lot.basePrecision.normalize(),
        max_qty=most.normalize(),
        min_cost=lot.minOrderAmt.normalize(),
        fees=FEES,
    )
