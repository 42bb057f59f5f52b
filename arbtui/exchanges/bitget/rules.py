"""Bitget's market rules, from ``GET /api/v2/spot/public/symbols`` (bitget.com/api-doc, spot, "Get Symbol Info", 2025-11).

Prices and quantities have a number of decimals each (``pricePrecision``, ``quantityPrecision``), the least order is a value in USDT
(``minTradeUSDT``), and ``minTradeAmount`` and ``maxTradeAmount`` are obsolete: 0, or a number without meaning. Fees are taken in what
is received, in BGB where the account has switched its deduction on ("Get Order Info", ``feeDetail``; "Get BGB Deduct Info").
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.amounts import fee_rate, read
from arbtui.model.errors import WireError
from arbtui.model.market import Fees, FeeTakenIn, FixedUnit, Market
from arbtui.model.money import ONE, ZERO, ceil_to

EXCHANGE = "bitget"
#: What fees are taken in where the account's deduction is on.
FEE_COIN = "BGB"
#: Quotes whose unit is worth one of the least value's. The least value of markets of another quote is not told in theirs: they are read
#: where somebody tells what that one is worth.
DOLLARS = frozenset({"USDT", "USDC"})
CROSS = "BTC"  #: the coin that it trades others against
#: The least order in such a quote is this much above what its value comes to at the start: the quote's price moves while we trade.
_MARGIN = Decimal("1.2")
_STEP = Decimal("0.00000001")
#: Base tier of spot: 0.1 %, maker and taker alike (bitget.com/fee; ``takerFeeRate`` of most markets).
FEES = Fees(taker=Decimal("0.001"), maker=Decimal("0.001"), taken_in=FeeTakenIn.RECEIVED)
#: Least order value in USDT where no market's own was read: ``minTradeUSDT`` of the document's example is 1, that of older ones and of
#: the refusals that clients report is 5.
MIN_COST = Decimal(5)
_NO_MAXIMUM = Decimal("1e15")
_MOST_DECIMALS = 18


class Symbol(msgspec.Struct):
    """One row of ``public/symbols``."""

    symbol: str
    baseCoin: str
    quoteCoin: str
    pricePrecision: int
    quantityPrecision: int
    minTradeUSDT: Decimal
    takerFeeRate: Decimal
    makerFeeRate: Decimal
    status: str
    minTradeAmount: Decimal = ZERO
    maxTradeAmount: Decimal = ZERO
    areaSymbol: str = "no"

    @property
    def is_traded(self) -> bool:
        """Whether everybody may trade it now: ``gray`` is for a few, an area symbol for some regions."""
        return self.status == "online" and self.areaSymbol != "yes"


def spot_market(base: str, quote: str, tick: Decimal, lot: Decimal, min_cost: Decimal = MIN_COST) -> Market:
    """A market by its three rules, as the simulator needs it."""
    return Market(EXCHANGE, base + quote, base, quote, FixedUnit(tick), lot, lot, _NO_MAXIMUM, min_cost, FEES)


def markets_of(rows: Any, odd: dict[str, str] | None = None, worth: Mapping[str, Decimal] | None = None) -> dict[str, Market]:
    """Every market that trades for dollars, or for a quote that is ``worth`` so many of them, by code, from the data of ``public/symbols``.

    A market whose rules cannot be read, or make no sense, is left out; ``odd`` is told of each, and why.

    Raises:
        WireError: it is no list.
    """
    markets: dict[str, Market] = {}
    for row in read(rows, list[Any], "symbols"):
        try:
            symbol = msgspec.convert(row, Symbol, strict=False)
            unit = ONE if symbol.quoteCoin in DOLLARS else (worth or {}).get(symbol.quoteCoin)
            if symbol.is_traded and unit is not None:
                markets[symbol.symbol] = market_of(symbol, unit)
        except (msgspec.ValidationError, WireError, ArithmeticError) as error:
            if odd is not None:
                code = str(row.get("symbol", "?")) if isinstance(row, dict) else "?"
                odd[code] = error.detail if isinstance(error, WireError) else str(error) or type(error).__name__
    return markets


def market_of(symbol: Symbol, unit: Decimal = ONE) -> Market:
    """A market by its row; ``unit``: what one of its quote is worth in dollars.

    Raises:
        WireError: its numbers make no sense.
    """
    numbers = (symbol.minTradeUSDT, symbol.minTradeAmount, symbol.maxTradeAmount)
    decimals = (symbol.pricePrecision, symbol.quantityPrecision)
    if not all(number.is_finite() for number in numbers) or min(numbers) < 0 or not all(0 <= one <= _MOST_DECIMALS for one in decimals):
        raise WireError("symbols", f"{symbol.symbol} has rules that make no sense: {', '.join(map(str, (*numbers, *decimals)))}")
    lot = Decimal(1).scaleb(-symbol.quantityPrecision)
    most = symbol.maxTradeAmount.normalize()
    return Market(
        exchange=EXCHANGE,
        code=symbol.symbol,
        base=symbol.baseCoin,
        quote=symbol.quoteCoin,
        price_units=FixedUnit(Decimal(1).scaleb(-symbol.pricePrecision)),
        lot_step=lot,
        min_qty=max(lot, symbol.minTradeAmount.normalize()),
        max_qty=most if ZERO < most < _NO_MAXIMUM else _NO_MAXIMUM,
        min_cost=symbol.minTradeUSDT.normalize() if unit == ONE else ceil_to(symbol.minTradeUSDT * _MARGIN / unit, _STEP),
        fees=Fees(fee_rate(symbol.takerFeeRate, "takerFeeRate"), fee_rate(symbol.makerFeeRate, "makerFeeRate"), FeeTakenIn.RECEIVED),
    )
