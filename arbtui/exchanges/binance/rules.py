"""Binance's market rules, from the filters of ``exchangeInfo`` (spot and USD-M futures)."""

from decimal import Decimal
from typing import Any

import msgspec

from arbtui.model.errors import WireError
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market

SPOT = "binance"
USDM = "binanceusdm"

#: Spot base tier: 0.1 %, taken in the asset received unless BNB pays (binance.com/en/fee/trading).
SPOT_FEES = Fees(taker=Decimal("0.001"), maker=Decimal("0.001"), taken_in=FeeTakenIn.RECEIVED)
#: USD-M base tier: taker 0.05 %, maker 0.02 %, taken in the margin currency (binance.com/en/fee/futureFee).
USDM_FEES = Fees(taker=Decimal("0.0005"), maker=Decimal("0.0002"), taken_in=FeeTakenIn.QUOTE)

#: A filter whose step is 0 is switched off (Binance documentation, Filters); prices and quantities have eight decimals then.
_FINEST = Decimal("0.00000001")
_NO_MAXIMUM = Decimal("1e15")


class _Filter(msgspec.Struct):
    filterType: str
    tickSize: str = "0"
    stepSize: str = "0"
    minQty: str = "0"
    maxQty: str = "0"
    minNotional: str = "0"
    notional: str = "0"


class _Symbol(msgspec.Struct):
    symbol: str
    status: str
    baseAsset: str
    quoteAsset: str
    filters: list[_Filter]
    contractType: str = ""


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


_decode = msgspec.json.Decoder(_ExchangeInfo).decode


def spot_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_cost: Decimal) -> Market:
    """A spot market by its three rules, as the simulator needs it."""
    return Market(SPOT, base + quote, base, quote, FixedUnit(tick), lot, lot, _NO_MAXIMUM, min_cost, SPOT_FEES)


def linear_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_cost: Decimal) -> Market:
    """A USD-M linear perpetual by its three rules: one contract is one unit of base, the fee is in quote."""
    return Market(USDM, base + quote, base, quote, FixedUnit(tick), lot, lot, _NO_MAXIMUM, min_cost, USDM_FEES)


def parse_exchange_info(raw: bytes, exchange: str = SPOT) -> dict[str, Market]:
    """Every market that trades, by code, from the body of ``exchangeInfo``.

    PRICE_FILTER gives the price unit, LOT_SIZE the lot and its bounds, NOTIONAL (MIN_NOTIONAL before 2023, and on USD-M)
    the minimum cost. Dated futures are left out.

    Raises:
        WireError: the body is not an exchangeInfo, or a symbol lacks a filter.
    """
    try:
        symbols = _decode(raw).symbols
    except msgspec.DecodeError as error:
        raise WireError("exchangeInfo", str(error)) from error
    return _markets(symbols, exchange)


def markets_of(info: Any) -> dict[str, Market]:
    """As :func:`parse_exchange_info`, for spot, from parsed JSON.

    Raises:
        WireError: as there.
    """
    try:
        return _markets(msgspec.convert(info, _ExchangeInfo).symbols, SPOT)
    except msgspec.ValidationError as error:
        raise WireError("exchangeInfo", str(error)) from error


def _markets(symbols: list[_Symbol], exchange: str) -> dict[str, Market]:
    fees = USDM_FEES if exchange == USDM else SPOT_FEES
    return {s.symbol: _market(s, exchange, fees) for s in symbols if s.status == "TRADING" and s.contractType in ("", "PERPETUAL")}


def _market(symbol: _Symbol, exchange: str, fees: Fees) -> Market:
    filters = {f.filterType: f for f in symbol.filters}
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL")
    try:
        price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    except KeyError as error:
        raise WireError("exchangeInfo", f"{symbol.symbol} has no {error.args[0]} filter") from error
    if notional is None:
        raise WireError("exchangeInfo", f"{symbol.symbol} has neither a NOTIONAL nor a MIN_NOTIONAL filter")
    return Market(
        exchange=exchange,
        code=symbol.symbol,
        base=symbol.baseAsset,
        quote=symbol.quoteAsset,
        price_units=FixedUnit(_step(price.tickSize)),
        lot_step=_step(lot.stepSize),
        min_qty=Decimal(lot.minQty).normalize(),
        max_qty=Decimal(lot.maxQty).normalize() or _NO_MAXIMUM,
        min_cost=max(Decimal(notional.minNotional), Decimal(notional.notional)).normalize(),
        fees=fees,
    )


def _step(text: str) -> Decimal:
    return Decimal(text).normalize() or _FINEST
