"""Binance's market rules, from the filters of ``exchangeInfo`` (spot and USD-M futures)."""

from decimal import Decimal
from typing import Any

import msgspec

from arbtui.model.errors import WireError
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market

SPOT = "binance"
USDM = "binanceusdm"
#: What an account may switch its fees to (General endpoints, Query Commission Rates: ``discount.discountAsset``).
FEE_COIN = "BNB"

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
    contractType: str | None = ""


class _ExchangeInfo(msgspec.Struct):
    symbols: list[msgspec.Raw]


class _Named(msgspec.Struct):
    symbol: str = "?"


_decode = msgspec.json.Decoder(_ExchangeInfo).decode
_symbol = msgspec.json.Decoder(_Symbol).decode


def spot_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_cost: Decimal) -> Market:
    """A spot market by its three rules, as the simulator needs it."""
    return Market(SPOT, base + quote, base, quote, FixedUnit(tick), lot, lot, _NO_MAXIMUM, min_cost, SPOT_FEES)


def linear_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_cost: Decimal) -> Market:
    """A USD-M linear perpetual by its three rules: one contract is one unit of base, the fee is in quote."""
    return Market(USDM, base + quote, base, quote, FixedUnit(tick), lot, lot, _NO_MAXIMUM, min_cost, USDM_FEES)


def parse_exchange_info(raw: bytes, exchange: str = SPOT, odd: dict[str, str] | None = None) -> dict[str, Market]:
    """Every market that trades, by code, from the body of ``exchangeInfo``.

    PRICE_FILTER gives the price unit, LOT_SIZE the lot and its bounds, NOTIONAL (MIN_NOTIONAL before 2023, and on USD-M)
    the minimum cost. Dated futures are left out. So is a market whose rules cannot be read: not all support all filters, and one odd
    one must not take the others with it. ``odd`` gets each, and why.

    Raises:
        WireError: the body is not an exchangeInfo.
    """
    try:
        rows = _decode(raw).symbols
    except msgspec.DecodeError as error:
        raise WireError("exchangeInfo", str(error)) from error
    fees = USDM_FEES if exchange == USDM else SPOT_FEES
    markets: dict[str, Market] = {}
    for row in rows:
        try:
            symbol = _symbol(row)
            if symbol.status == "TRADING" and symbol.contractType in ("", "PERPETUAL", None):
                markets[symbol.symbol] = _market(symbol, exchange, fees)
        except (msgspec.DecodeError, WireError, ArithmeticError, ValueError) as error:
            if odd is not None:
                odd[_code(row)] = error.detail if isinstance(error, WireError) else str(error) or type(error).__name__
    return markets


def markets_of(info: Any, odd: dict[str, str] | None = None) -> dict[str, Market]:
    """As :func:`parse_exchange_info`, for spot, from parsed JSON.

    Raises:
        WireError: as there.
    """
    return parse_exchange_info(msgspec.json.encode(info), SPOT, odd)


def _code(row: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(row, type=_Named).symbol
    except msgspec.DecodeError:
        return "?"


def _market(symbol: _Symbol, exchange: str, fees: Fees) -> Market:
    filters = {f.filterType: f for f in symbol.filters}
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL")
    try:
        price, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    except KeyError as error:
        raise WireError("exchangeInfo", f"{symbol.symbol} has no {error.args[0]} filter") from error
    if notional is None:
        raise WireError("exchangeInfo", f"{symbol.symbol} has neither a NOTIONAL nor a MIN_NOTIONAL filter")
    return _sane(
        Market(
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
    )


def _sane(market: Market) -> Market:
    """``market``, once its numbers make sense."""
    numbers = (market.price_units.at(market.min_cost), market.lot_step, market.min_qty, market.max_qty, market.min_cost)
    if not all(number.is_finite() and number >= 0 for number in numbers):  # a step of 0 is the finest one by now
        raise WireError("exchangeInfo", f"{market.code} has rules that make no sense: {', '.join(map(str, numbers))}")
    return market


def _step(text: str) -> Decimal:
    return Decimal(text).normalize() or _FINEST
