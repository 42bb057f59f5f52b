"""Bithumb's rules for KRW and BTC markets: price units, minimum, lot, fee.

Sources: the help centre's "원화 마켓 거래 정책 안내" (support.bithumb.com/hc/ko/articles/51036972377241, of 2026-08-11): price units, least
order 5,000 KRW, lot 0.00000001, most 5,000,000,000 KRW a limit order; fees: "거래 수수료는 얼마인가요?" and "국내 최저 수수료 0.04% 신청이
무엇인가요?" (articles 51131554420377 and 51131586657689). Both were read by others on 2026-09-22 and 2026-09-26.
"""

from decimal import Decimal

from arbtui.model.market import BandedUnits, Fees, FeeTakenIn, FixedUnit, Market

EXCHANGE = "bithumb"
QUOTE = "KRW"
CROSS = "BTC"  #: the coin that it trades others against

#: One table for every won market, stablecoins too.
KRW_PRICE_UNITS = BandedUnits(
    tuple(
        (Decimal(floor), Decimal(unit))
        for floor, unit in (
            ("1000000", "1000"),
            ("500000", "500"),
            ("100000", "100"),
            ("50000", "50"),
            ("10000", "10"),
            ("5000", "5"),
            ("1000", "1"),
            ("100", "1"),
            ("10", "0.01"),
            ("1", "0.001"),
            ("0", "0.0001"),
        )
    )
)

#: Least order value in KRW.
MIN_COST = Decimal(5000)
LOT_STEP = Decimal("0.00000001")
#: Bithumb publishes no most quantity; this value only keeps the field finite.
MAX_QTY = Decimal("1e13")
#: What an account pays that has applied for nothing: 0.25 %, maker and taker alike, in KRW. With the application, which lapses after
#: 30 days, 0.04 %. What an account pays really is read at the start (``/v1/orders/chance``).
FEES = Fees(taker=Decimal("0.0025"), maker=Decimal("0.0025"), taken_in=FeeTakenIn.QUOTE)

#: Of BTC markets nothing was read here that states price unit, least order and fee: they are taken as Upbit's, whose interface this one
#: follows. What the account pays and the least order are read at the start (``/v1/orders/chance``), and only ever raise these.
BTC_PRICE_UNITS = FixedUnit(Decimal("0.00000001"))
BTC_MIN_COST = Decimal("0.00005")


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
        fees=FEES,
    )


def krw_market(base: str) -> Market:
    """The KRW market of ``base``, code ``KRW-BASE``."""
    return Market(
        exchange=EXCHANGE,
        code=f"{QUOTE}-{base}",
        base=base,
        quote=QUOTE,
        price_units=KRW_PRICE_UNITS,
        lot_step=LOT_STEP,
        min_qty=LOT_STEP,
        max_qty=MAX_QTY,
        min_cost=MIN_COST,
        fees=FEES,
    )
