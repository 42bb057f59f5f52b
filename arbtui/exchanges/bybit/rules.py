"""Bybit's spot market rules, from ``GET /v5/market/instruments-info`` (bybit-exchange/docs, v5, "Get Instruments Info")."""

import logging
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.amounts import read
from arbtui.model.errors import WireError
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market

log = logging.getLogger("arbtui")

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
    """``stTag`` "1" and ``symbolType`` are the venue's own warnings: special treatment, adventure zone, tokenized shares."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    status: str
    lotSizeFilter: _Lot
    priceFilter: _Price
    stTag: str = "0"
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
    warned: list[str] = []
    for row in rows:
        try:
            instrument = read(row, _Instrument, "instruments-info")
            if instrument.status == "Trading":
                markets[instrument.symbol] = _market(instrument)
                if instrument.stTag == "1":
                    warned.append(instrument.symbol)
        except WireError as error:
            if odd is not None:
                odd[str(row.get("symbol", "?")) if isinstance(row, dict) else "?"] = error.detail
    if warned:
        log.info("bybit: under special treatment, and may be delisted: %s", ", ".join(warned))
    return markets


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
