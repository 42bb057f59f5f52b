"""Bithumb's rules for KRW markets: price units, minimum, lot, fee.

Sources: the help centre's "원화 마켓 거래 정책 안내" (support.bithumb.com/hc/ko/articles/51036972377241, of 2026-08-11): price units, least
order 5,000 KRW, lot 0.00000001, most 5,000,000,000 KRW a limit order; fees: "거래 수수료는 얼마인가요?" and "국내 최저 수수료 0.04% 신청이
무엇인가요?" (articles 51131554420377 and 51131586657689). Both were read by others on 2026-09-22 and 2026-09-26.
"""

from decimal import Decimal

from arbtui.model.market import BandedUnits, Fees, FeeTakenIn, Market

EXCHANGE = "bithumb"
QUOTE = "KRW"

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
