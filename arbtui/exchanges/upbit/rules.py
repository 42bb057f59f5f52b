"""Upbit's rules for KRW and BTC markets: price units, minimum, fee."""

from dataclasses import replace
from decimal import Decimal

from arbtui.model.market import BandedUnits, Fees, FeeTakenIn, FixedUnit, Market

EXCHANGE = "upbit"
QUOTE = "KRW"
CROSS = "BTC"  #: the coin that it trades others against


def _bands(*rows: tuple[str, str]) -> BandedUnits:
    return BandedUnits(tuple((Decimal(floor), Decimal(unit)) for floor, unit in rows))


_LOW = (
    ("10", "0.1"),
    ("1", "0.01"),
    ("0.1", "0.001"),
    ("0.01", "0.0001"),
    ("0.001", "0.00001"),
    ("0.0001", "0.000001"),
    ("0", "0.0000001"),
)
_HIGH = (
    ("1000000", "1000"),
    ("500000", "500"),
    ("100000", "100"),
    ("50000", "50"),
    ("10000", "10"),
    ("5000", "5"),
)

#: In force since 2025-07-31 (docs.upbit.com/kr/docs/krw-market-info).
KRW_PRICE_UNITS = _bands(*_HIGH, ("1000", "1"), ("100", "1"), *_LOW)

#: USDT and USDC move by 0.5 KRW between 1,000 and 10,000 KRW (docs.upbit.com/changelog/usdtkrw_tick_unit_change, 2025-03-21).
STABLECOIN_PRICE_UNITS = _bands(*_HIGH[:-1], ("1000", "0.5"), ("100", "1"), *_LOW)
STABLECOINS = frozenset({"USDT", "USDC"})

#: Least order value in KRW (docs.upbit.com/kr/docs/krw-market-info).
MIN_COST = Decimal(5000)
#: Volumes have eight decimals.
LOT_STEP = Decimal("0.00000001")
#: Upbit publishes no maximum volume; this value only keeps the field finite.
MAX_QTY = Decimal("1e13")
#: KRW markets: 0.05 %, maker and taker alike, taken in KRW (ccxt: upbit.py, tradingFeesByQuoteCurrency).
FEES = Fees(taker=Decimal("0.0005"), maker=Decimal("0.0005"), taken_in=FeeTakenIn.QUOTE)

#: One price unit for every BTC market, whatever the price, and the least order in BTC (docs.upbit.com/docs/btc-market-info; the least
#: order was 0.0005 BTC until 2024-08-19, docs.upbit.com/changelog/usdt_tick_unit_change).
BTC_PRICE_UNITS = FixedUnit(Decimal("0.00000001"))
BTC_MIN_COST = Decimal("0.00005")
#: BTC markets: 0.25 %, maker and taker alike, taken in BTC (ccxt: upbit.py, fees.trading; ``orders/chance`` tells the account's own).
BTC_FEES = Fees(taker=Decimal("0.0025"), maker=Decimal("0.0025"), taken_in=FeeTakenIn.QUOTE)


def market_of(code: str) -> Market:
    """The market of ``code``, ``KRW-BASE`` or ``BTC-BASE``, by the documented rules.

    Raises:
        ValueError: a market of another quote.
    """
    quote, _, base = code.partition("-")
    if quote == QUOTE:
        return krw_market(base)
    if quote == CROSS:
        return btc_market(base)
    raise ValueError(f"{code} is no {QUOTE} or {CROSS} market")


def btc_market(base: str) -> Market:
    """The BTC market of ``base``, code ``BTC-BASE``."""
    return Market(
        exchange=EXCHANGE,
        code=f"{CROSS}-{base}",
        base=base,
        quote=CROSS,
        price_units=BTC_PRICE_UNITS,
        lot_step=LOT_STEP,
        min_qty=LOT_STEP,
        max_qty=MAX_QTY,
        min_cost=BTC_MIN_COST,
        fees=BTC_FEES,
    )


def krw_market(base: str) -> Market:
    """The KRW market of ``base``, code ``KRW-BASE``."""
    return Market(
        exchange=EXCHANGE,
        code=f"{QUOTE}-{base}",
        base=base,
        quote=QUOTE,
        price_units=STABLECOIN_PRICE_UNITS if base in STABLECOINS else KRW_PRICE_UNITS,
        lot_step=LOT_STEP,
        min_qty=LOT_STEP,
        max_qty=MAX_QTY,
        min_cost=MIN_COST,
        fees=FEES,
    )


def with_unit(market: Market, price: Decimal, unit: Decimal) -> Market:
    """``market`` with the unit that the venue reports at ``price`` (``/v1/orderbook/instruments``), where it differs from the documented.

    The units at other prices are not known then, so that one unit is used everywhere; a price outside the band
    is refused by the venue, not filled.
    """
    return market if market.price_units.at(price) == unit else replace(market, price_units=FixedUnit(unit))
